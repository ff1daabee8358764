//! The time at which each resource was first seen with its current tags.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::evidence::Resource;
use super::inventory::Tags;

/// The resources of earlier inventories, by ARN.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct FirstSeen(BTreeMap<String, Entry>);

/// A resource of earlier inventories.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Entry {
    /// The tags of the resource.
    tags: Tags,
    /// The time at which the resource was first seen with these tags, in seconds since the epoch.
    since: u64,
}

impl FirstSeen {
    /// Reads a stored text.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is nothing that was stored.
    pub fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        media::json::compact(self)
    }

    /// Returns the known resources with their tags and the time.
    pub fn seen(&self) -> BTreeMap<String, (Tags, SystemTime)> {
        let entries = self.0.iter();
        entries.map(|(arn, it)| (arn.clone(), (it.tags.clone(), it.since()))).collect()
    }

    /// Records that a resource exists now. If its tags are not known, its entry stays as it is.
    pub fn note(&mut self, resource: &Resource, now: SystemTime) {
        let Some(tags) = &resource.tags else { return };
        if self.0.get(&resource.arn).is_none_or(|it| it.tags != *tags) {
            let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let entry = Entry { tags: tags.clone(), since };
            self.0.insert(resource.arn.clone(), entry);
        }
    }

    /// Returns the time at which a resource was first seen with its tags.
    pub fn since(&self, arn: &str) -> Option<SystemTime> {
        self.0.get(arn).map(Entry::since)
    }

    /// Forgets the resources that are not among these.
    pub fn keep(&mut self, arns: &BTreeSet<&str>) {
        self.0.retain(|arn, _| arns.contains(arn.as_str()));
    }
}

impl Entry {
    fn since(&self) -> SystemTime {
        let since = Duration::from_secs(self.since);
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(tags: Option<&str>) -> Resource {
        let tags = tags.map(|it| Tags::from([("tier".to_owned(), it.to_owned())]));
        Resource { arn: "a".to_owned(), kind: None, tags, created: None, first_seen: None }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_resource_is_new_with_other_tags_and_stays_what_it_was_where_they_are_not_known() {
        let mut seen = FirstSeen::default();
        for (tags, now, since) in
            [(Some("gold"), 5, 5), (Some("gold"), 6, 5), (None, 7, 5), (Some("iron"), 8, 8)]
        {
            seen.note(&resource(tags), at(now));
            assert_eq!(seen.since("a"), Some(at(since)), "{now}");
        }
        assert_eq!(FirstSeen::read(seen.text().as_bytes()).unwrap(), seen);
        seen.keep(&["b"].into());
        assert_eq!(seen, FirstSeen::default());
    }

    #[test]
    fn a_time_that_nobody_can_name_is_no_reason_to_panic() {
        let text = br#"{"a":{"tags":{},"since":18446744073709551615}}"#;
        assert_eq!(FirstSeen::read(text).unwrap().since("a"), Some(SystemTime::UNIX_EPOCH));
        assert!(FirstSeen::read(b"{\"a\":").is_err());
    }
}
