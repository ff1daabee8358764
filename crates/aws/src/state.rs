//! The state bucket: what every resource is to be, and what runs leave behind.
//!
//! Objects that several may write are written on condition that they are still what was read, so
//! that an older writer never overwrites a newer one.

use std::time::SystemTime;

use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use plan::desired_state::Entry;
use serde::Serialize;
use tokio::time::Instant;

use crate::calls::Calls;
use crate::error::{Error, log_left_out};
use crate::operation::{DELETE_OBJECT, GET_OBJECT, LIST_OBJECTS, PUT_OBJECT};
use crate::session::Session;

/// The state bucket, until a deadline.
#[derive(Debug)]
pub struct State {
    client: aws_sdk_s3::Client,
    bucket: String,
    calls: Calls,
}

/// What an object was when it was read or written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version(String);

/// What an object must be, for it to be written.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// Anything.
    Anything,
    /// Not there.
    Nothing,
    /// What it was then.
    Still(&'a Version),
}

impl State {
    pub(crate) fn new(client: aws_sdk_s3::Client, bucket: String, calls: Calls) -> Self {
        Self { client, bucket, calls }
    }

    /// The name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The address of an object.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// Reads an object; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not text.
    pub async fn read(&self, key: &str) -> Result<Option<(String, Version)>, Error> {
        let action = format!("read {}", self.url(key));
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let read = async {
            let object = get.send().await?;
            let version = Version(object.e_tag.unwrap_or_default());
            let bytes = object.body.collect().await.map_err(SdkError::timeout_error)?;
            Ok((String::from_utf8(bytes.to_vec()), version))
        };
        match self.calls.call::<_, GetObjectError>(GET_OBJECT, &action, read).await {
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(advised(error)),
            Ok((Ok(text), version)) => Ok(Some((text, version))),
            Ok((Err(_), _)) => Err(Error::unusable(action, "it is not UTF-8 text")),
        }
    }

    /// Writes an object, unless it is no longer as `expected`.
    ///
    /// # Errors
    ///
    /// When somebody else wrote it meanwhile (of kind [`Outdated`](crate::Kind::Outdated)), or when
    /// it cannot be written.
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
            Expected::Still(version) => put.if_match(&version.0),
        };
        let put = put.content_type("application/json").send();
        match self.calls.call(PUT_OBJECT, &action, put).await {
            Ok(written) => Ok(Version(written.e_tag.unwrap_or_default())),
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

    /// Writes an object that people look at in a browser, whatever it was.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub async fn write_page(&self, key: &str, html: String) -> Result<(), Error> {
        let action = format!("write {}", self.url(key));
        let put = self.put(key, html).content_type("text/html; charset=utf-8").send();
        let written = self.calls.call(PUT_OBJECT, &action, put).await;
        written.map(drop).map_err(advised)
    }

    fn put(&self, key: &str, text: String) -> PutObjectFluentBuilder {
        let body = ByteStream::from(text.into_bytes());
        self.client.put_object().bucket(&self.bucket).key(key).body(body)
    }

    /// Removes an object; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub async fn remove(&self, key: &str) -> Result<(), Error> {
        let action = format!("remove {}", self.url(key));
        let delete = self.client.delete_object().bucket(&self.bucket).key(key).send();
        let deleted = self.calls.call(DELETE_OBJECT, &action, delete).await;
        deleted.map(drop).map_err(advised)
    }

    /// The keys that begin with `prefix`, in alphabetical order.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.written(prefix).await?.into_iter().map(|(key, _)| key).collect())
    }

    /// The keys that begin with `prefix`, in alphabetical order, and when each was last written.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
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

    /// Reads the entry at `key`; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not an entry that this program understands.
    pub async fn entry(&self, key: &str) -> Result<Option<(Entry, Version)>, Error> {
        let Some((text, version)) = self.read(key).await? else { return Ok(None) };
        let unusable = |it| Error::unreadable(format!("use {}", self.url(key)), it);
        Ok(Some((Entry::read(&text).map_err(unusable)?, version)))
    }
}

/// What S3 answers when an object is not what a writer expects it to be.
const CONFLICTS: [&str; 2] = ["PreconditionFailed", "NoSuchKey"];

/// Says what to do about the state bucket.
fn advised(error: Error) -> Error {
    const DENIED: &str = "let the function's own role read, write and list its prefix of the state \
                          bucket, and use the key that encrypts it";
    const MISSING: &str = "deploy the stack of the state bucket again, or correct `STATE_BUCKET`";
    error.advised(DENIED).advised_where_missing(MISSING)
}

/// The desired state of one resource, as the function of the resource keeps it.
///
/// Without a state bucket nothing is kept, and nothing is put back later.
#[derive(Debug)]
pub struct Slot {
    state: Option<State>,
    entry: Entry,
    version: Option<Version>,
    /// What is kept cannot be used, and goes with the resource.
    is_spoilt: bool,
}

impl Slot {
    /// Reads what is kept of the resource `logical_id` in the stack with the ARN `stack_id`.
    ///
    /// What `is_removed` goes also where what is kept of it cannot be used.
    ///
    /// # Errors
    ///
    /// When that cannot be read. Nothing has changed.
    pub async fn open(
        session: &Session,
        function: &str,
        stack_id: &str,
        logical_id: &str,
        is_removed: bool,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let state = session.state(deadline);
        let none = Entry::new(function, stack_id, logical_id);
        let found = match &state {
            Some(state) => state.entry(&none.key()).await,
            None => Ok(None),
        };
        let (entry, version, is_spoilt) = match found {
            Ok(Some((entry, version))) => (entry, Some(version), false),
            Ok(None) => (none, None, false),
            Err(error) if is_removed && error.is_about_contents() => {
                log_left_out("what is kept of the resource", &error);
                (none, None, true)
            }
            Err(error) => return Err(error),
        };
        Ok(Self { state, entry, version, is_spoilt })
    }

    /// What was kept; `None` where nothing is.
    pub fn entry(&self) -> Option<&Entry> {
        self.version.as_ref().map(|_| &self.entry)
    }

    /// Says that the resource is being changed, so that nobody puts back what it was before.
    ///
    /// # Errors
    ///
    /// When another request for the resource came first, or this cannot be written.
    pub async fn begin(&mut self, now: SystemTime) -> Result<(), Error> {
        self.put(self.entry.changing(now)).await
    }

    /// Keeps that the resource, which CloudFormation calls `physical_id` and which is `id`, is what
    /// `properties` say. Nothing is written when that is known.
    ///
    /// # Errors
    ///
    /// When another request for the resource came first, or this cannot be written. The resource
    /// is as asked for all the same.
    pub async fn settle(
        &mut self,
        physical_id: &str,
        id: &str,
        properties: &impl Serialize,
    ) -> Result<(), Error> {
        // Properties were read from JSON, and can be written as such.
        let properties = serde_json::to_value(properties).unwrap_or_default();
        let settled = self.entry.settled(physical_id, id, properties);
        if self.version.is_some() && settled.says_the_same_as(&self.entry) {
            return Ok(());
        }
        self.put(settled).await
    }

    /// Forgets the resource that CloudFormation calls `physical_id`, unless another one took its
    /// place here.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub async fn forget(&mut self, physical_id: Option<&str>) -> Result<(), Error> {
        match &self.state {
            Some(state)
                if self.is_spoilt || (self.version.is_some() && self.entry.is_of(physical_id)) =>
            {
                state.remove(&self.entry.key()).await
            }
            _ => Ok(()),
        }
    }

    async fn put(&mut self, entry: Entry) -> Result<(), Error> {
        if let Some(state) = self.state.as_ref().filter(|_| !self.is_spoilt) {
            let expected = self.version.as_ref().map_or(Expected::Nothing, Expected::Still);
            self.version = Some(state.write(&entry.key(), entry.text(), expected).await?);
        }
        self.entry = entry;
        Ok(())
    }
}

/// On whose behalf steps are planned.
#[derive(Debug)]
pub enum Intent<'a> {
    /// CloudFormation asks for a change, which is noted before it is made.
    Change {
        /// Where it is noted.
        slot: &'a mut Slot,
        /// When the request came.
        now: SystemTime,
    },
    /// What was made before is put back, unless what is wanted has changed since it was read.
    Repair {
        /// The state bucket.
        state: &'a State,
        /// Where it says what is wanted.
        key: &'a str,
        /// What it was when it was read.
        version: &'a Version,
    },
    /// Somebody wants to know what would be done.
    Report,
}

impl Intent<'_> {
    /// Whether `steps` are to be carried out; a change is noted before that.
    ///
    /// # Errors
    ///
    /// When the change cannot be noted, or what is wanted is something else by now (of kind
    /// [`Outdated`](crate::Kind::Outdated)). Nothing has changed.
    pub async fn proceeds<S>(&mut self, steps: &[S]) -> Result<bool, Error> {
        match self {
            Self::Change { slot, now } if !steps.is_empty() => {
                slot.begin(*now).await?;
                Ok(true)
            }
            Self::Repair { state, key, version } if !steps.is_empty() => {
                match state.read(key).await? {
                    Some((_, now)) if now == **version => Ok(true),
                    _ => Err(Error::superseded(format!("put back what {key} says"))),
                }
            }
            Self::Change { .. } | Self::Repair { .. } | Self::Report => Ok(false),
        }
    }
}
