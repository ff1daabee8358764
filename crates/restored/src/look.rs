//! One look at what was restored.

use aws::api::again;
use aws_sdk_s3::types::Object;
use plan::restore_validation::{Facts, Resource, Sample, is_lost, sample};
use tokio::time::timeout_at;

use crate::Services;
use crate::error::{Error, ErrorKind};
use crate::operations;

/// How many objects of a bucket are listed, under each path that was restored, and read.
const OBJECTS: i32 = 10;

/// How much of an object is read: enough to have it found, decrypted and sent.
const BYTES: &str = "bytes=0-1023";

impl Services {
    /// Looks at `resource`, which the restore job `job` made.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at. That there is none is no error.
    pub async fn look(&self, job: &str, resource: &Resource) -> Result<Facts, Error> {
        let seen = match resource {
            Resource::Instance(id) => self.instance(id).await,
            Resource::Volume { id, snapshot } => self.volume(id, snapshot.as_deref()).await,
            Resource::Database(id) => self.database(id).await,
            Resource::Cluster(id) => self.cluster(id).await,
            Resource::Table(name) => self.table(name).await,
            Resource::Bucket(name) => {
                let metadata = self.metadata(job).await?;
                self.objects(&sample(name, &metadata)).await
            }
            Resource::FileSystem(id) => self.file_system(id).await,
            Resource::FsxFileSystem(id) => self.fsx_file_system(id).await,
        };
        match seen {
            Ok(facts) => Ok(facts.unwrap_or(Facts::Missing)),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(Facts::Missing),
            Err(error) => Err(error),
        }
    }

    async fn instance(&self, id: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the instance {id}");
        self.ask(operations::instance_status(id), action).await
    }

    async fn volume(&self, id: &str, snapshot: Option<&str>) -> Result<Option<Facts>, Error> {
        let action = format!("look at the volume {id}");
        let Some(volume) = self.ask(operations::volume(id), action).await? else { return Ok(None) };
        let source = match snapshot.or(volume.snapshot.as_deref()) {
            Some(snapshot) => self.snapshot(snapshot).await?,
            None => None,
        };
        Ok(Some(Facts::Volume { state: volume.state, size: volume.size, source }))
    }

    /// Returns the size of the volume that a snapshot was made of, if the snapshot is here.
    async fn snapshot(&self, id: &str) -> Result<Option<i32>, Error> {
        let action = format!("look at the snapshot {id}");
        match self.ask(operations::snapshot_size(id), action).await {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
            asked => asked,
        }
    }

    async fn database(&self, id: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the database {id}");
        self.ask(operations::database_status(id), action).await
    }

    async fn cluster(&self, id: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the cluster {id}");
        self.ask(operations::cluster_status(id), action).await
    }

    async fn table(&self, name: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the table {name}");
        let Some(table) = self.ask(operations::table(name), action).await? else { return Ok(None) };
        // The count is up to six hours old, which is older than the table.
        let has_items =
            table.items > 0 || (table.status == "ACTIVE" && self.has_items(name).await?);
        Ok(Some(Facts::Table { status: table.status, has_items }))
    }

    /// Returns whether the first page of a table has an item.
    async fn has_items(&self, name: &str) -> Result<bool, Error> {
        self.ask(operations::has_items(name), format!("count items of the table {name}")).await
    }

    async fn file_system(&self, id: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the file system {id}");
        self.ask(operations::file_system_state(id), action).await
    }

    async fn fsx_file_system(&self, id: &str) -> Result<Option<Facts>, Error> {
        let action = format!("look at the file system {id}");
        self.ask(operations::fsx_file_system_state(id), action).await
    }

    async fn objects(&self, sample: &Sample) -> Result<Option<Facts>, Error> {
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        let client = aws_sdk_s3::Client::from_conf(config.retry_classifier(again()).build());
        let bucket = &sample.bucket;
        let mut objects = Vec::new();
        for prefix in &sample.prefixes {
            let list = client.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(OBJECTS);
            let action = format!("list the objects of the bucket {bucket}");
            let page = self.call("s3:ListBucket", action, list.send()).await?;
            objects.extend(page.contents.unwrap_or_default());
        }
        let mut read = 0;
        for object in &objects {
            let key = object.key.as_deref().unwrap_or_default();
            match self.object(&client, bucket, key, object).await {
                Ok(()) => read += 1,
                Err(error) if error.code().is_some_and(is_lost) => {
                    let why = error.code().unwrap_or_default().to_owned();
                    let unreadable = Some((key.to_owned(), why));
                    return Ok(Some(Facts::Objects { listed: objects.len(), read, unreadable }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(Facts::Objects { listed: objects.len(), read, unreadable: None }))
    }

    /// Reads the beginning of an object.
    async fn object(
        &self,
        client: &aws_sdk_s3::Client,
        bucket: &str,
        key: &str,
        object: &Object,
    ) -> Result<(), Error> {
        // Nothing is no range.
        let range = object.size.is_some_and(|it| it > 0).then(|| BYTES.to_owned());
        let get = client.get_object().bucket(bucket).key(key).set_range(range).send();
        let action = || format!("read the object {key} of the bucket {bucket}");
        let body = self.call("s3:GetObject", action(), get).await?.body;
        match timeout_at(self.until, body.collect()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::broken(action(), &error)),
            Err(_) => Err(Error::out_of_time(action(), "the answer began and did not end")),
        }
    }
}
