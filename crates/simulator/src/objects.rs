//! Versioned S3 objects.

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::{Code, Refusal};

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its version.
    pub version: String,
    /// What it holds.
    pub body: Vec<u8>,
}

impl Object {
    /// A stand-in for the checksum of the body, 32 hexadecimal digits as S3 gives.
    pub(crate) fn etag(&self) -> String {
        let fold = |start: u64| {
            self.body
                .iter()
                .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
        };
        format!("{:016x}{:016x}", fold(0xcbf2_9ce4_8422_2325), fold(0x8422_2325_cbf2_9ce4))
    }
}

/// The buckets.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// By bucket and key, the newest version last.
    objects: BTreeMap<String, BTreeMap<String, Vec<Object>>>,
    denied: BTreeSet<(String, String)>,
    versions: u64,
}

impl Buckets {
    /// Makes a bucket; nothing happens when it is there.
    pub fn create_bucket(&mut self, bucket: &str) {
        self.objects.entry(bucket.to_owned()).or_default();
    }

    /// Stores an object, makes its bucket if need be, and returns the version.
    pub fn put(&mut self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> String {
        self.versions += 1;
        let version = format!("v{:031}", self.versions);
        let object = Object { version: version.clone(), body: body.into() };
        let keys = self.objects.entry(bucket.to_owned()).or_default();
        keys.entry(key.to_owned()).or_default().push(object);
        version
    }

    /// Refuses whoever reads or writes this object.
    pub fn deny(&mut self, bucket: &str, key: &str) {
        self.denied.insert((bucket.to_owned(), key.to_owned()));
    }

    /// An object: the version asked for, or the newest.
    ///
    /// # Errors
    ///
    /// As `GetObject`.
    pub fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<&Object, Refusal> {
        let keys = self.expect_bucket(bucket)?;
        self.expect_allowed(bucket, key)?;
        let versions = keys.get(key).map_or(&[][..], Vec::as_slice);
        let missing = || Refusal::new(Code::NoSuchKey, "The specified key does not exist.");
        let newest = versions.last().ok_or_else(missing)?;
        let Some(version) = version else { return Ok(newest) };
        let no_version =
            || Refusal::new(Code::NoSuchVersion, "The specified version does not exist.");
        versions.iter().find(|it| it.version == version).ok_or_else(no_version)
    }

    /// Stores an object in a bucket that must exist.
    pub(crate) fn write(
        &mut self,
        bucket: &str,
        key: &str,
        body: Vec<u8>,
    ) -> Result<Object, Refusal> {
        self.expect_bucket(bucket)?;
        self.expect_allowed(bucket, key)?;
        self.put(bucket, key, body);
        self.get(bucket, key, None).cloned()
    }

    /// Counts the writes so far.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.versions
    }

    fn expect_bucket(&self, bucket: &str) -> Result<&BTreeMap<String, Vec<Object>>, Refusal> {
        let missing = || Refusal::new(Code::NoSuchBucket, "The specified bucket does not exist");
        self.objects.get(bucket).ok_or_else(missing)
    }

    fn expect_allowed(&self, bucket: &str, key: &str) -> Result<(), Refusal> {
        if self.denied.contains(&(bucket.to_owned(), key.to_owned())) {
            return Err(Refusal::new(Code::Denied, "Access Denied"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_stays_readable() {
        let mut buckets = Buckets::default();
        let first = buckets.put("policies", "daily.json", "one");
        buckets.put("policies", "daily.json", "two");
        assert_eq!(buckets.get("policies", "daily.json", None).unwrap().body, b"two");
        assert_eq!(buckets.get("policies", "daily.json", Some(&first)).unwrap().body, b"one");
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
}
