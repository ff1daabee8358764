//! Counts the objects of a bucket up to a limit, and reads some of them.

use aws::again;
use aws_sdk_s3::Client;
use fastrand::Rng;
use plan::restore_validation::{Facts, Listed, Sample, is_lost};
use tokio::time::timeout_at;

use crate::error::Error;
use crate::{Emptiness, Services};

/// The number of objects that are read of each restored path.
pub(crate) const SAMPLE: usize = 20;

/// The greatest number of pages that are listed of each restored path. A page has up to 1,000
/// objects.
const PAGES: usize = 1_000;

/// The part of an object that is read. It is enough to have the object found, decrypted and sent.
const BYTES: &str = "bytes=0-1023";

/// An object that was chosen to be read.
#[derive(Debug)]
struct Picked {
    key: String,
    size: u64,
}

impl Services {
    /// Counts the objects in the restored paths of a bucket of `owner`, and reads a few of them.
    pub(crate) async fn objects(&self, sample: &Sample, owner: &str) -> Result<Facts, Error> {
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        let client = Client::from_conf(config.retry_classifier(again()).build());
        let (bucket, mut random) = (&sample.bucket, Rng::new());
        let (mut all, mut picked) = (Vec::new(), Vec::new());
        for prefix in &sample.prefixes {
            let (listed, some) = self.list(&client, (bucket, owner), prefix, &mut random).await?;
            all.push(listed);
            picked.extend(some);
        }
        let mut read = 0;
        let mut unreadable = None;
        for object in picked {
            match self.object(&client, (bucket, owner), &object).await {
                Ok(()) => read += 1,
                Err(error) if error.code().is_some_and(is_lost) => {
                    let why = error.code().unwrap_or_default().to_owned();
                    unreadable = Some((object.key, why));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Facts::Objects { listed: all, read, unreadable })
    }

    /// Counts the objects below `prefix`, and chooses some at random, each with the same
    /// probability.
    async fn list(
        &self,
        client: &Client,
        (bucket, owner): (&str, &str),
        prefix: &str,
        random: &mut Rng,
    ) -> Result<(Listed, Vec<Picked>), Error> {
        let mut listed = Listed { prefix: prefix.to_owned(), ..Listed::default() };
        let mut picked = Vec::new();
        let mut token = None;
        for _ in 0..PAGES {
            let list = client.list_objects_v2().bucket(bucket).prefix(prefix);
            let list = list.expected_bucket_owner(owner).set_continuation_token(token.take());
            let action = format!("list the objects of the bucket {bucket}");
            let page = self.call("s3:ListBucket", Emptiness::Refused, action, list.send()).await?;
            for object in page.contents.unwrap_or_default() {
                let size = object.size.and_then(|it| it.try_into().ok()).unwrap_or_default();
                let object = Picked { key: object.key.unwrap_or_default(), size };
                listed.bytes += size;
                listed.objects += 1;
                let place = random.u64(0..listed.objects);
                if picked.len() < self.sample {
                    picked.push(object);
                } else if let Some(other) =
                    usize::try_from(place).ok().and_then(|it| picked.get_mut(it))
                {
                    *other = object;
                }
            }
            // A page may be empty although another page follows.
            listed.is_whole = !page.is_truncated.unwrap_or_default();
            token = page.next_continuation_token.filter(|_| !listed.is_whole);
            if token.is_none() {
                break;
            }
        }
        Ok((listed, picked))
    }

    /// Reads the beginning of an object.
    async fn object(
        &self,
        client: &Client,
        (bucket, owner): (&str, &str),
        Picked { key, size }: &Picked,
    ) -> Result<(), Error> {
        // S3 refuses a range of an empty object.
        let range = (*size > 0).then(|| BYTES.to_owned());
        let emptiness = if *size > 0 { Emptiness::Refused } else { Emptiness::Taken };
        let get = client.get_object().bucket(bucket).key(key).set_range(range);
        let get = get.expected_bucket_owner(owner).send();
        let action = || format!("read the object {key} of the bucket {bucket}");
        let body = self.call("s3:GetObject", emptiness, action(), get).await?.body;
        match timeout_at(self.until, body.collect()).await {
            Ok(Ok(bytes)) => {
                let came_empty = *size > 0 && bytes.into_bytes().is_empty();
                if came_empty { Err(Error::empty(action())) } else { Ok(()) }
            }
            Ok(Err(error)) => Err(Error::broken(action(), &error)),
            Err(_) => Err(Error::out_of_time(action(), "the answer began and did not end")),
        }
    }
}
