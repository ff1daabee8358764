//! The state bucket: the desired state of every resource, and the results of runs.
//!
//! Objects with several writers are written on condition that they have not changed since they were
//! read. An older writer never overwrites a newer one.

use std::sync::Once;
use std::time::SystemTime;

use aws::operation::{DELETE_OBJECT, GET_BUCKET_ENCRYPTION, GET_OBJECT, LIST_OBJECTS, PUT_OBJECT};
use aws::{Advice, Calls, Error, Need, Session, Useless};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use plan::desired_state::Entry;
use plan::id::name_in;
use plan::reattach::Sweep;
use tokio::time::Instant;
use tracing::warn;

pub mod content;
pub mod coverage_state;
pub mod lease;
pub mod remembered;

/// The state bucket, usable until a deadline.
#[derive(Debug)]
pub struct State {
    client: aws_sdk_s3::Client,
    bucket: String,
    /// The ARN of the key that encrypts every object in it, if it is known.
    key: Option<String>,
    calls: Calls,
}

/// The version of an object when it was read or written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    tag: String,
    /// The version ID of S3, in a bucket that keeps versions.
    id: Option<String>,
}

impl Version {
    fn new(tag: Option<String>, id: Option<String>) -> Self {
        Self { tag: tag.unwrap_or_default(), id: id.filter(|it| it != "null") }
    }
}

/// The maximum number of bytes of an entry to read, well above the longest policy with its tags.
const LONGEST_ENTRY: usize = 1 << 20;

/// A record of a sweep that cannot be read, although functions write it.
const NO_SWEEP: Useless = Useless {
    why: "it is not the record of a sweep",
    advice: Advice::Same("delete it; the next sweep writes another"),
};

const UNSEALED: Useless = Useless {
    why: "it is not encrypted with the state key, so none of the functions wrote it",
    advice: Advice::Same("find out who did, and delete that version of the object"),
};
const MISPLACED: Useless = Useless {
    why: "its function, stack or logical ID belongs to another key",
    advice: Advice::Same("find out who put it there, and delete it"),
};
const TOO_LONG: Useless = Useless {
    why: "it is longer than a mebibyte, as no record of desired state is",
    advice: Advice::Same("find out who wrote it, and delete that version of the object"),
};
const NOT_TEXT: Useless = Useless {
    why: "it is not UTF-8 text",
    advice: Advice::Same("find out who wrote it, and delete that version of the object"),
};

/// The condition under which an object is written.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// The object may have any content, or none.
    Anything,
    /// The object must not exist.
    Nothing,
    /// The object must still have this version.
    Still(&'a Version),
}

/// An object as it was read.
struct Fetched {
    bytes: Vec<u8>,
    version: Version,
    /// True if it is encrypted with the state key.
    is_ours: bool,
}

impl State {
    /// Returns the state bucket of `session`, with calls that end by `deadline` and act as the
    /// function itself; `None` if there is no state bucket.
    ///
    /// Without the ARN of its key, the content of the bucket is trusted, no matter who wrote it.
    /// This applies to the operator's command, which changes nothing, and to functions whose
    /// template is from an earlier release.
    pub fn of(session: &Session, deadline: Instant) -> Option<Self> {
        static TOLD: Once = Once::new();
        let calls = session.calls(deadline);
        let (bucket, key) = session.state_bucket()?;
        if key.is_none() {
            TOLD.call_once(|| {
                warn!(bucket, "STATE_KEY_ARN is not set, so state is accepted from every writer");
            });
        }
        let (bucket, key) = (bucket.to_owned(), key.map(ToOwned::to_owned));
        let client = session.client(|config| aws::client!(aws_sdk_s3, config));
        Some(Self { client, bucket, key, calls })
    }

    /// Returns the same bucket for one purpose, which is as necessary as `need` says.
    #[must_use]
    pub fn for_what_is(&self, need: Need) -> Self {
        let (client, bucket, key) = (self.client.clone(), self.bucket.clone(), self.key.clone());
        Self { client, bucket, key, calls: self.calls.for_what_is(need) }
    }

    /// Returns the name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Reads the key with which the bucket encrypts; returns `None` if it is not a customer managed
    /// key.
    ///
    /// # Errors
    ///
    /// Returns an error if the bucket does not say.
    pub async fn key(&self) -> Result<Option<String>, Error> {
        let action = format!("read how {} encrypts", self.bucket);
        let get = self.client.get_bucket_encryption().bucket(&self.bucket).send();
        let got = self.calls.call(GET_BUCKET_ENCRYPTION, action, get).await?;
        let rules = got.server_side_encryption_configuration.into_iter().flat_map(|it| it.rules);
        let mut defaults = rules.filter_map(|it| it.apply_server_side_encryption_by_default);
        Ok(defaults.find_map(|it| it.kms_master_key_id))
    }

    /// Returns the address of an object.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// Reads an object; returns `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the object cannot be read, is not encrypted with the state key (if that
    /// key is known), or is not text.
    pub async fn read(&self, key: &str) -> Result<Option<(String, Version)>, Error> {
        self.read_at_most(key, None).await
    }

    /// Reads an object with any content. An object that is not encrypted with the state key counts
    /// as empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the object cannot be read.
    pub async fn read_bytes(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, Error> {
        let found = self.fetch(key, None).await?;
        Ok(found.map(|it| (if it.is_ours { it.bytes } else { vec![] }, it.version)))
    }

    /// Reads an object of at most this number of bytes.
    async fn read_at_most(
        &self,
        key: &str,
        most: Option<usize>,
    ) -> Result<Option<(String, Version)>, Error> {
        let Some(found) = self.fetch(key, most).await? else { return Ok(None) };
        let unusable = |why| Error::unusable(format!("read {}", self.url(key)), why);
        if !found.is_ours {
            return Err(unusable(UNSEALED));
        }
        if most.is_some_and(|it| found.bytes.len() > it) {
            return Err(unusable(TOO_LONG));
        }
        let text = String::from_utf8(found.bytes).map_err(|_| unusable(NOT_TEXT))?;
        Ok(Some((text, found.version)))
    }

    async fn fetch(&self, key: &str, most: Option<usize>) -> Result<Option<Fetched>, Error> {
        let action = format!("read {}", self.url(key));
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        // One more byte shows that the object is too long.
        let get = get.set_range(most.map(|it| format!("bytes=0-{it}")));
        let read = async {
            let object = get.send().await?;
            let version = Version::new(object.e_tag, object.version_id);
            let is_ours = self.is_sealed(object.ssekms_key_id.as_deref());
            let bytes = object.body.collect().await.map_err(SdkError::timeout_error)?;
            Ok(Fetched { bytes: bytes.to_vec(), version, is_ours })
        };
        match self.calls.call::<_, GetObjectError>(GET_OBJECT, &action, read).await {
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(advised(error)),
            Ok(found) => Ok(Some(found)),
        }
    }

    /// Returns `true` if `found` is the state key, with which only the functions can encrypt. Also
    /// returns `true` if the state key is not known.
    fn is_sealed(&self, found: Option<&str>) -> bool {
        // S3 returns the ARN, and a stand-in for S3 may return the ID.
        self.key.as_deref().is_none_or(|key| found.is_some_and(|it| name_in(it) == name_in(key)))
    }

    /// Writes an object, unless it no longer is as `expected`.
    ///
    /// # Errors
    ///
    /// Returns an error if another writer changed it in the meantime (of kind
    /// [`Outdated`](aws::Kind::Outdated)), or if it cannot be written.
    pub async fn write(
        &self,
        key: &str,
        text: String,
        expected: Expected<'_>,
    ) -> Result<Version, Error> {
        let action = format!("write {}", self.url(key));
        let put = self.put(key, text.clone());
        let put = match expected {
            Expected::Anything => put,
            Expected::Nothing => put.if_none_match("*"),
            Expected::Still(version) => put.if_match(&version.tag),
        };
        let put = put.content_type("application/json").send();
        match self.calls.call(PUT_OBJECT, &action, put).await {
            Ok(written) => Ok(Version::new(written.e_tag, written.version_id)),
            Err(refused) if CONFLICTS.iter().any(|it| refused.code() == Some(it)) => {
                // The first attempt may have arrived, and only its reply was lost.
                match self.read(key).await? {
                    Some((found, version)) if found == text => Ok(version),
                    _ => Err(Error::superseded(action)),
                }
            }
            Err(error) => Err(advised(error)),
        }
    }

    /// Writes an object that people open in a browser, over any previous content.
    ///
    /// # Errors
    ///
    /// Returns an error if the object cannot be written.
    pub async fn write_page(&self, key: &str, html: String) -> Result<(), Error> {
        let action = format!("write {}", self.url(key));
        let put = self.put(key, html).content_type("text/html; charset=utf-8").send();
        let written = self.calls.call(PUT_OBJECT, &action, put).await;
        written.map(drop).map_err(advised)
    }

    fn put(&self, key: &str, text: String) -> PutObjectFluentBuilder {
        let body = ByteStream::from(text.into_bytes());
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(body);
        // The headers are set independently of the bucket's own default encryption.
        put.set_server_side_encryption(self.key.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(self.key.clone())
    }

    /// Removes an object, and this version of it permanently. A missing object is not an error.
    ///
    /// # Errors
    ///
    /// Returns an error if a removal fails. The object can no longer be found, unless the first
    /// removal failed.
    pub async fn erase(&self, key: &str, version: &Version) -> Result<(), Error> {
        let action = format!("remove {}", self.url(key));
        // Removing only the version would bring back the previous version.
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        let marked = self.calls.call(DELETE_OBJECT, &action, delete.clone().send()).await;
        marked.map_err(advised)?;
        if let Some(id) = &version.id {
            let action = format!("erase a version of {}", self.url(key));
            let delete = delete.version_id(id).send();
            self.calls.call(DELETE_OBJECT, &action, delete).await.map_err(advised)?;
        }
        Ok(())
    }

    /// Lists the keys that begin with `prefix`, in alphabetical order.
    ///
    /// # Errors
    ///
    /// Returns an error if the keys cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.written(prefix).await?.into_iter().map(|(key, _)| key).collect())
    }

    /// Lists the keys that begin with `prefix`, in alphabetical order, with the time at which each
    /// was last written.
    ///
    /// # Errors
    ///
    /// Returns an error if the keys cannot be listed.
    pub async fn written(&self, prefix: &str) -> Result<Vec<(String, SystemTime)>, Error> {
        let action = format!("list {}", self.url(prefix));
        let keys = self.calls.pages(LIST_OBJECTS, &action, async |token| {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = list.set_continuation_token(token).send().await?;
            Ok((page.contents, page.next_continuation_token))
        });
        let objects = keys.await.map_err(advised)?;
        let written = |it: DateTime| it.try_into().ok();
        let objects = objects.into_iter().filter_map(|it| {
            let at = it.last_modified.and_then(written).unwrap_or(SystemTime::UNIX_EPOCH);
            Some((it.key?, at))
        });
        Ok(objects.collect())
    }

    /// Reads the record of the last complete sweep; returns `None` if there was none.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or if it is not a record of a sweep.
    pub async fn last_sweep(&self) -> Result<Option<Sweep>, Error> {
        let Some((text, _)) = self.read(Sweep::KEY).await? else { return Ok(None) };
        let action = || format!("use {}", self.url(Sweep::KEY));
        Sweep::read(&text).map(Some).map_err(|_| Error::unusable(action(), NO_SWEEP))
    }

    /// Reads the entry at `key`; returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns an error if the entry cannot be read, if this program does not understand it, or if
    /// it belongs to another key.
    pub async fn entry(&self, key: &str) -> Result<Option<(Entry, Version)>, Error> {
        let Some((text, version)) = self.read_at_most(key, Some(LONGEST_ENTRY)).await? else {
            return Ok(None);
        };
        let action = || format!("use {}", self.url(key));
        let entry = Entry::read(&text).map_err(|it| Error::unreadable(action(), it))?;
        if entry.key() != key {
            return Err(Error::unusable(action(), MISPLACED));
        }
        Ok(Some((entry, version)))
    }
}

/// The error codes of S3 for an object that is not as the writer expects.
const CONFLICTS: [&str; 2] = ["PreconditionFailed", "NoSuchKey"];

/// Adds advice about the state bucket.
fn advised(error: Error) -> Error {
    error.advised(Advice::StateDenied).advised_where_missing(Advice::StateMissing)
}
