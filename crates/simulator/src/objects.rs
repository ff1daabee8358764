//! Versioned S3 objects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::refusal::{Answer, Code, Refusal};

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its version.
    pub version: String,
    /// Its `ETag`. Every write gets a new one, as under a key of AWS KMS.
    pub etag: String,
    /// Its content.
    pub body: Vec<u8>,
    /// The KMS key that encrypts it; `None` if S3 encrypts it with its own key.
    pub key: Option<String>,
}

/// One version of a key.
#[derive(Clone, Debug)]
enum Version {
    Object(Object),
    /// The object was deleted. S3 calls this a delete marker.
    Deleted(String),
}

/// The conditions of a write on the object that it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions<'a> {
    /// The object has this `ETag`.
    pub(crate) matches: Option<&'a str>,
    /// `*`: the object does not exist.
    pub(crate) none_matches: Option<&'a str>,
}

/// The result of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// The version that was created or removed.
    pub(crate) version: String,
    /// True if that version is a delete marker.
    pub(crate) marker: bool,
}

/// The buckets. All of them keep versions.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// By bucket and key, the newest version last.
    objects: BTreeMap<String, BTreeMap<String, Vec<Version>>>,
    denied: BTreeSet<(String, String)>,
    /// The ARNs of the keys that encrypt buckets.
    keys: BTreeMap<String, String>,
    versions: u64,
    deletions: u64,
}

impl Version {
    fn id(&self) -> &str {
        match self {
            Self::Object(object) => &object.version,
            Self::Deleted(version) => version,
        }
    }

    fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Deleted(_) => None,
        }
    }
}

impl Buckets {
    /// Creates a bucket, if it does not exist.
    pub fn create_bucket(&mut self, bucket: &str) {
        self.objects.entry(bucket.to_owned()).or_default();
    }

    /// Stores an object, creates its bucket if necessary, and returns the version.
    ///
    /// It is encrypted with the key of the bucket, if the bucket has one.
    pub fn put(&mut self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> String {
        let encrypted = self.key_of(bucket).map(ToOwned::to_owned);
        self.put_under(bucket, key, body, encrypted.as_deref())
    }

    /// Does the same with this KMS key, or without one, independently of the key of the bucket.
    pub fn put_under(
        &mut self,
        bucket: &str,
        key: &str,
        body: impl Into<Vec<u8>>,
        encrypted: Option<&str>,
    ) -> String {
        let version = self.next_version();
        let body = body.into();
        let etag = etag(&body, self.versions);
        let encrypted = encrypted.map(ToOwned::to_owned);
        let object = Object { version: version.clone(), etag, body, key: encrypted };
        let keys = self.objects.entry(bucket.to_owned()).or_default();
        keys.entry(key.to_owned()).or_default().push(Version::Object(object));
        version
    }

    /// Creates a bucket whose objects are encrypted with the key with this ARN. Readers and writers
    /// also need permission for the key.
    pub fn create_encrypted(&mut self, bucket: &str, key_arn: &str) {
        self.create_bucket(bucket);
        self.keys.insert(bucket.to_owned(), key_arn.to_owned());
    }

    /// Creates a bucket without objects, in place of the one that has the name.
    pub fn empty(&mut self, bucket: &str) {
        self.objects.insert(bucket.to_owned(), BTreeMap::new());
    }

    pub(crate) fn exists(&self, bucket: &str) -> bool {
        self.objects.contains_key(bucket)
    }

    /// Returns the ARN of the key of a bucket, if it has one.
    #[must_use]
    pub fn key_of(&self, bucket: &str) -> Option<&str> {
        self.keys.get(bucket).map(String::as_str)
    }

    /// Denies all reads and writes of this object.
    pub fn deny(&mut self, bucket: &str, key: &str) {
        self.denied.insert((bucket.to_owned(), key.to_owned()));
    }

    /// Returns the keys of a bucket without those of deleted objects.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<&str> {
        let keys = self.objects.get(bucket).into_iter().flatten();
        keys.filter(|it| current(it.1).is_some()).map(|it| it.0.as_str()).collect()
    }

    /// Returns every version of an object that is kept, the newest last.
    #[must_use]
    pub fn versions(&self, bucket: &str, key: &str) -> Vec<&Object> {
        let versions = self.objects.get(bucket).and_then(|it| it.get(key));
        versions.into_iter().flatten().filter_map(Version::object).collect()
    }

    /// Returns an object in the requested version, or in the newest.
    ///
    /// # Errors
    ///
    /// Returns the errors of `GetObject`.
    pub fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Answer<&Object> {
        let keys = self.expect_bucket(bucket)?;
        self.expect_allowed(bucket, key)?;
        let versions = keys.get(key).map_or(&[][..], Vec::as_slice);
        let Some(version) = version else { return current(versions).ok_or_else(no_key) };
        if versions.is_empty() {
            return Err(no_key());
        }
        let no_version =
            || Refusal::new(Code::NoSuchVersion, "The specified version does not exist.");
        let version = versions.iter().find(|it| it.id() == version).ok_or_else(no_version)?;
        let message = "The specified method is not allowed against this resource.";
        version.object().ok_or_else(|| Refusal::new(Code::MethodNotAllowed, message))
    }

    /// Stores an object in an existing bucket.
    pub(crate) fn write(
        &mut self,
        bucket: &str,
        key: &str,
        body: Vec<u8>,
        encrypted: Option<&str>,
        conditions: Conditions<'_>,
    ) -> Answer<&Object> {
        let before = self.expect_bucket(bucket)?.get(key).and_then(|it| current(it));
        conditions.check(before)?;
        self.expect_allowed(bucket, key)?;
        match encrypted {
            Some(_) => self.put_under(bucket, key, body, encrypted),
            None => self.put(bucket, key, body),
        };
        self.get(bucket, key, None)
    }

    /// Adds a delete marker to an object, or removes one version of it permanently.
    pub(crate) fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        matches: Option<&str>,
    ) -> Answer<Deletion> {
        let before = self.expect_bucket(bucket)?.get(key).and_then(|it| current(it));
        if let Some(tag) = matches {
            let fits = before.is_some_and(|it| tag == "*" || is_tag(tag, &it.etag));
            fits.then_some(()).ok_or_else(precondition)?;
        }
        self.expect_allowed(bucket, key)?;
        self.deletions += 1;
        let marker = self.next_version();
        let keys = self.objects.entry(bucket.to_owned()).or_default();
        let versions = keys.entry(key.to_owned()).or_default();
        let Some(version) = version else {
            versions.push(Version::Deleted(marker.clone()));
            return Ok(Deletion { version: marker, marker: true });
        };
        let is_marker = |it: &Version| it.id() == version && it.object().is_none();
        let marker = versions.iter().any(is_marker);
        versions.retain(|it| it.id() != version);
        Ok(Deletion { version: version.to_owned(), marker })
    }

    /// Returns up to `limit` objects of a bucket whose keys begin with `prefix` and come after
    /// `after`, and `true` if there are more.
    pub(crate) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Answer<(Vec<(&str, &Object)>, bool)> {
        let keys = self.expect_bucket(bucket)?;
        let start = match after.filter(|it| *it >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let keys = keys.range::<str, _>((start, Bound::Unbounded));
        let keys = keys.take_while(|it| it.0.starts_with(prefix));
        let mut found = keys.filter_map(|(key, it)| Some((key.as_str(), current(it)?)));
        let page: Vec<_> = found.by_ref().take(limit).collect();
        Ok((page, found.next().is_some()))
    }

    /// Returns the number of writes so far.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.versions + self.deletions
    }

    fn next_version(&mut self) -> String {
        self.versions += 1;
        format!("v{:031}", self.versions)
    }

    fn expect_bucket(&self, bucket: &str) -> Answer<&BTreeMap<String, Vec<Version>>> {
        let missing = || Refusal::new(Code::NoSuchBucket, "The specified bucket does not exist");
        self.objects.get(bucket).ok_or_else(missing)
    }

    fn expect_allowed(&self, bucket: &str, key: &str) -> Answer<()> {
        if self.denied.contains(&(bucket.to_owned(), key.to_owned())) {
            return Err(Refusal::new(Code::Denied, "Access Denied"));
        }
        Ok(())
    }
}

impl Conditions<'_> {
    fn check(&self, before: Option<&Object>) -> Answer<()> {
        if let Some(tags) = self.none_matches {
            if tags != "*" {
                let message = "A header you provided implies functionality that is not implemented";
                return Err(Refusal::new(Code::NotImplemented, message));
            }
            before.is_none().then_some(()).ok_or_else(precondition)?;
        }
        if let Some(tag) = self.matches {
            let before = before.ok_or_else(no_key)?;
            is_tag(tag, &before.etag).then_some(()).ok_or_else(precondition)?;
        }
        Ok(())
    }
}

/// Returns the newest version, unless it is a delete marker.
fn current(versions: &[Version]) -> Option<&Object> {
    versions.last().and_then(Version::object)
}

/// Returns `true` if a header names this `ETag`, with or without quotes around it.
fn is_tag(header: &str, etag: &str) -> bool {
    header.trim_matches('"') == etag
}

/// Returns a stand-in for the checksum of a body: 32 hexadecimal digits, as from S3.
fn etag(body: &[u8], write: u64) -> String {
    let fold = |start: u64| {
        let bytes = body.iter().copied().chain(write.to_le_bytes());
        bytes.fold(start, |hash, it| (hash ^ u64::from(it)).wrapping_mul(0x0100_0000_01b3))
    };
    format!("{:016x}{:016x}", fold(0xcbf2_9ce4_8422_2325), fold(0x8422_2325_cbf2_9ce4))
}

fn no_key() -> Refusal {
    Refusal::new(Code::NoSuchKey, "The specified key does not exist.")
}

fn precondition() -> Refusal {
    let message = "At least one of the pre-conditions you specified did not hold";
    Refusal::new(Code::PreconditionFailed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Conditions<'_> = Conditions { matches: None, none_matches: Some("*") };

    fn after(etag: &str) -> Conditions<'_> {
        Conditions { matches: Some(etag), none_matches: None }
    }

    fn buckets() -> Buckets {
        let mut buckets = Buckets::default();
        buckets.create_bucket("state");
        buckets
    }

    fn write(buckets: &mut Buckets, body: &str, conditions: Conditions<'_>) -> Answer<String> {
        let object = buckets.write("state", "desired.json", body.into(), None, conditions)?;
        Ok(object.etag.clone())
    }

    #[test]
    fn an_older_version_stays_readable() {
        let mut buckets = Buckets::default();
        let first = buckets.put("policies", "daily.json", "one");
        buckets.put("policies", "daily.json", "two");
        assert_eq!(buckets.get("policies", "daily.json", None).unwrap().body, b"two");
        assert_eq!(buckets.get("policies", "daily.json", Some(&first)).unwrap().body, b"one");
        assert_eq!(buckets.versions("policies", "daily.json").len(), 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut buckets = Buckets::default();
        buckets.put("policies", "daily.json", "one");
        let code = |bucket, key, version| buckets.get(bucket, key, version).unwrap_err().code;
        assert_eq!(code("other", "daily.json", None), Code::NoSuchBucket);
        assert_eq!(code("policies", "other.json", None), Code::NoSuchKey);
        assert_eq!(code("policies", "daily.json", Some("v9")), Code::NoSuchVersion);
    }

    #[test]
    fn of_two_first_writers_one_is_refused() {
        let mut buckets = buckets();
        write(&mut buckets, "one", FIRST).unwrap();
        assert_eq!(write(&mut buckets, "two", FIRST).unwrap_err().code, Code::PreconditionFailed);
        buckets.delete("state", "desired.json", None, None).unwrap();
        write(&mut buckets, "three", FIRST).unwrap();
    }

    #[test]
    fn who_saw_an_older_object_is_refused() {
        let mut buckets = buckets();
        assert_eq!(write(&mut buckets, "one", after("x")).unwrap_err().code, Code::NoSuchKey);
        let first = write(&mut buckets, "one", FIRST).unwrap();
        let second = write(&mut buckets, "one", after(&first)).unwrap();
        assert_ne!(first, second, "the same text written again has another tag");
        let refusal = write(&mut buckets, "two", after(&first)).unwrap_err();
        assert_eq!(refusal.code, Code::PreconditionFailed);
        write(&mut buckets, "two", after(&format!("\"{second}\""))).unwrap();
    }

    #[test]
    fn a_deleted_object_is_gone_and_its_versions_are_not() {
        let mut buckets = buckets();
        let version = buckets.put("state", "desired.json", "one");
        let deleted = buckets.delete("state", "desired.json", None, None).unwrap();
        assert!(deleted.marker);
        let code = |version| buckets.get("state", "desired.json", version).unwrap_err().code;
        assert_eq!(code(None), Code::NoSuchKey);
        assert_eq!(code(Some(&deleted.version)), Code::MethodNotAllowed);
        assert_eq!(buckets.get("state", "desired.json", Some(&version)).unwrap().body, b"one");
        // Removing the marker brings the object back.
        let undone = buckets.delete("state", "desired.json", Some(&deleted.version), None).unwrap();
        assert!(undone.marker);
        assert_eq!(buckets.get("state", "desired.json", None).unwrap().body, b"one");
    }

    #[test]
    fn an_object_that_changed_is_not_deleted() {
        let mut buckets = buckets();
        let first = write(&mut buckets, "one", FIRST).unwrap();
        write(&mut buckets, "two", after(&first)).unwrap();
        let refusal = buckets.delete("state", "desired.json", None, Some(&first)).unwrap_err();
        assert_eq!(refusal.code, Code::PreconditionFailed);
        buckets.delete("state", "desired.json", None, Some("*")).unwrap();
        assert_eq!(buckets.keys("state"), Vec::<&str>::new());
    }

    #[test]
    fn a_listing_has_the_keys_of_its_prefix_page_by_page() {
        let mut buckets = buckets();
        for key in ["a/1", "b/1", "b/2", "b/3", "c/1"] {
            buckets.put("state", key, key);
        }
        buckets.delete("state", "b/2", None, None).unwrap();
        let list = |after, limit| {
            let (page, more) = buckets.list("state", "b/", after, limit).unwrap();
            (page.into_iter().map(|it| it.0).collect::<Vec<_>>(), more)
        };
        assert_eq!(list(None, 9), (vec!["b/1", "b/3"], false));
        assert_eq!(list(None, 1), (vec!["b/1"], true));
        assert_eq!(list(Some("b/1"), 1), (vec!["b/3"], false));
        assert_eq!(list(Some("a/9"), 1), (vec!["b/1"], true));
    }
}
