//! The last complete sweep: its time, and the entries that existed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::desired_state::Entry;
use crate::serialized;

/// The record of a complete sweep in the state bucket.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sweep {
    /// The time of the sweep, in seconds since 1970.
    time: u64,
    /// The revision of each entry at that time, by its key. `None` if an earlier release wrote the
    /// record without revisions.
    #[serde(default)]
    entries: Option<BTreeMap<String, u64>>,
}

/// An entry had a higher revision at the last complete sweep: somebody restored an older version of
/// it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "it is at revision {now}, and was at revision {before} before, so an older version of it is \
     back"
)]
pub struct Reverted {
    now: u64,
    before: u64,
}

impl Reverted {
    /// Returns the next step.
    pub fn hint() -> String {
        let key = Sweep::KEY;
        format!("bring the newest version back, or delete `{key}` if the older one is intended")
    }
}

impl Sweep {
    /// The key of the record.
    pub const KEY: &str = "health/last-sweep.json";

    /// Returns the record of a sweep that ended at `time`, with these entries.
    pub fn of<'a>(time: SystemTime, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let entries = entries.into_iter().map(|it| (it.key(), it.revision()));
        Self { time: since.map_or(0, |it| it.as_secs()), entries: Some(entries.collect()) }
    }

    /// Reads the stored text.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a record of a sweep.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// Returns the time at which the sweep ended.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.time)
    }

    /// Returns `true` if there was an entry with this key, or if that is not known.
    pub fn has(&self, key: &str) -> bool {
        self.entries.as_ref().is_none_or(|it| it.contains_key(key))
    }

    /// Checks that `entry` is not older than it was at the sweep.
    ///
    /// # Errors
    ///
    /// Returns an error if it is older.
    pub fn precedes(&self, entry: &Entry) -> Result<(), Reverted> {
        let before = self.entries.as_ref().and_then(|it| it.get(&entry.key()).copied());
        match before.filter(|it| *it > entry.revision()) {
            Some(before) => Err(Reverted { now: entry.revision(), before }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::desired_state::Delivery;
    use crate::resource::ResourceKind;

    fn entry(logical_id: &str) -> Entry {
        let stack = "arn:aws:cloudformation:eu-north-1:111122223333:stack/plans/7c9e";
        let by = Delivery { request: "create".to_owned(), now: SystemTime::UNIX_EPOCH };
        let new = Entry::new(ResourceKind::BackupPolicy, stack, logical_id);
        new.settled(&by, "p-weekly00", "p-weekly00", json!({}))
    }

    #[test]
    fn what_is_kept_is_read_back_to_the_second() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
        let sweep = Sweep::of(time + Duration::from_millis(300), [&entry("Weekly")]);
        assert_eq!(Sweep::read(&sweep.text()).unwrap(), sweep);
        assert_eq!(sweep.time(), time);
        assert!(Sweep::read("yesterday").is_err());
    }

    #[test]
    fn an_older_version_comes_with_the_two_ways_out() {
        let hint = "bring the newest version back, or delete `health/last-sweep.json` if the older one is \
                    intended";
        assert_eq!(Reverted::hint(), hint);
    }

    #[test]
    fn an_entry_is_new_when_there_was_none_and_where_that_is_known() {
        let sweep = Sweep::of(SystemTime::UNIX_EPOCH, [&entry("Weekly")]);
        assert!(!sweep.has(&entry("Daily").key()) && sweep.has(&entry("Weekly").key()));
        let earlier = Sweep::read(r#"{"Time":5}"#).unwrap();
        assert!(earlier.has(&entry("Daily").key()));
    }

    #[test]
    fn an_older_version_of_an_entry_is_told_from_the_same_and_from_a_newer_one() {
        let (older, newer) = (entry("Weekly"), entry("Weekly").remade("p-again000"));
        let sweep = Sweep::of(SystemTime::UNIX_EPOCH, [&newer]);
        assert_eq!(sweep.precedes(&newer), Ok(()));
        assert_eq!(sweep.precedes(&newer.remade("p-once-more0")), Ok(()));
        assert_eq!(sweep.precedes(&entry("Daily")), Ok(()));
        let why = sweep.precedes(&older).unwrap_err().to_string();
        assert!(why.starts_with("it is at revision 1, and was at revision 2 before"), "{why}");
    }
}
