//! What every resource is to be, as it is kept in the state bucket for whoever looks after it.
//!
//! A custom resource runs when its stack is deployed and never again. What it last made is written
//! down here, so that it can be put back when somebody else undoes it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::owner::Owner;

/// The shape of an [`Entry`] that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Where all entries are kept.
pub const PREFIX: &str = "desired/";

/// The longest that a change is under way: a function has at most 15 minutes, and clocks differ.
const LONGEST_CHANGE: Duration = Duration::from_mins(16);

/// One resource: what it is to be, and what it is known by.
///
/// Its `Debug` form does not show the properties, since the text of a policy is among them.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    schema_version: u32,
    /// How often the entry was written, so that no two states of it are the same text.
    revision: u64,
    /// The function of the resource.
    pub function: String,
    /// The ARN of the stack.
    pub stack_id: String,
    /// The name of the resource in its template.
    pub logical_id: String,
    /// The ID that CloudFormation knows the resource by, once it was made.
    pub physical_id: Option<String>,
    /// The ID it has now, where it was deleted by somebody and made again.
    pub current_id: Option<String>,
    /// When the change began that is under way, in seconds since 1970.
    changing_since: Option<u64>,
    /// Its properties as they were last brought about, with nothing left to look up elsewhere.
    pub properties: Option<Value>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({}, revision {})", self.key(), self.revision)
    }
}

/// Why an entry cannot be used.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// It is not what this program writes.
    #[error("it is not a record of desired state; hint: restore an older version of the object")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer version of this program.
    #[error("it has schema version {0}, which is newer than this program; hint: update `reattach`")]
    TooNew(u32),
}

impl Entry {
    /// The entry of a resource of which nothing is known yet.
    pub fn new(function: &str, stack_id: &str, logical_id: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            revision: 0,
            function: function.to_owned(),
            stack_id: stack_id.to_owned(),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            current_id: None,
            changing_since: None,
            properties: None,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// When the text is not an entry, or one of a newer shape.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        /// What stays the same in every shape.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shape {
            schema_version: u32,
        }
        let shape: Shape = serde_json::from_str(text).map_err(Unreadable::Malformed)?;
        if shape.schema_version > SCHEMA_VERSION {
            return Err(Unreadable::TooNew(shape.schema_version));
        }
        serde_json::from_str(text).map_err(Unreadable::Malformed)
    }

    /// The entry as it is written.
    pub fn text(&self) -> String {
        // Strings, numbers and JSON are serialized, which cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Where the entry is kept: `desired/<function>/<stack name>/<stack ID>/<logical ID>.json`.
    pub fn key(&self) -> String {
        format!("{PREFIX}{}/{}.json", self.function, self.owner())
    }

    /// The resource, as its ownership tag says.
    pub fn owner(&self) -> Owner {
        Owner::new(&self.stack_id, &self.logical_id)
    }

    /// Whether a function may be changing the resource right now.
    ///
    /// A change that was cut off leaves its mark, which counts for as long as a function can run.
    pub fn is_changing(&self, now: SystemTime) -> bool {
        self.changing_since.is_some_and(|it| {
            let elapsed = Duration::from_secs(seconds(now).saturating_sub(it));
            elapsed < LONGEST_CHANGE
        })
    }

    /// Whether the resource that CloudFormation calls `physical_id` is the one that is kept here.
    ///
    /// It is not when CloudFormation cleans up after a replacement: the ID is then the old one.
    pub fn is_of(&self, physical_id: Option<&str>) -> bool {
        self.physical_id.is_none() || self.physical_id.as_deref() == physical_id
    }

    /// The ID of the resource that CloudFormation calls `physical_id`, which may have been made
    /// again since.
    pub fn id_of<'a>(&'a self, physical_id: Option<&'a str>) -> Option<&'a str> {
        let current = self.current_id.as_deref().filter(|_| self.is_of(physical_id));
        current.or(physical_id)
    }

    /// The properties that differ from what was last brought about; `None` where nothing was.
    pub fn differing(&self, properties: &Value) -> Option<BTreeSet<String>> {
        let (before, now) = (self.properties.as_ref()?.as_object()?, properties.as_object()?);
        let names = before.keys().chain(now.keys());
        Some(names.filter(|it| before.get(*it) != now.get(*it)).cloned().collect())
    }

    /// This entry with a mark that the resource is being changed.
    #[must_use]
    pub fn changing(&self, now: SystemTime) -> Self {
        Self { changing_since: Some(seconds(now)), ..self.next() }
    }

    /// This entry when the resource is what `properties` say: CloudFormation calls it
    /// `physical_id`, and it is `id`.
    #[must_use]
    pub fn settled(&self, physical_id: &str, id: &str, properties: Value) -> Self {
        Self {
            physical_id: Some(physical_id.to_owned()),
            current_id: (id != physical_id).then(|| id.to_owned()),
            changing_since: None,
            properties: Some(properties),
            ..self.next()
        }
    }

    /// This entry when the resource was made again as `id`.
    #[must_use]
    pub fn remade(&self, id: &str) -> Self {
        let is_new = self.physical_id.as_deref() != Some(id);
        Self { current_id: is_new.then(|| id.to_owned()), ..self.next() }
    }

    /// Whether `other` says the same, whenever it was written.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { revision: other.revision, ..self.clone() } == *other
    }

    fn next(&self) -> Self {
        Self { schema_version: SCHEMA_VERSION, revision: self.revision + 1, ..self.clone() }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STACK: &str = "arn:aws-us-gov:cloudformation:us-gov-west-1:111122223333:stack/plans/7c9e";
    const MORNING: SystemTime = SystemTime::UNIX_EPOCH;

    fn made() -> Entry {
        Entry::new("backup-policy", STACK, "Weekly").settled(
            "p-weekly00",
            "p-weekly00",
            json!({ "Name": "w" }),
        )
    }

    fn after(minutes: u64) -> SystemTime {
        MORNING + Duration::from_mins(minutes)
    }

    #[test]
    fn an_entry_is_kept_under_its_function_stack_and_name() {
        assert_eq!(made().key(), "desired/backup-policy/plans/7c9e/Weekly.json");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let entry = made().changing(after(1));
        assert_eq!(Entry::read(&entry.text()).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_a_newer_shape_is_refused_and_not_half_understood() {
        let newer = json!({ "SchemaVersion": SCHEMA_VERSION + 1, "Whatever": true }).to_string();
        assert!(matches!(Entry::read(&newer), Err(Unreadable::TooNew(2))));
        for bad in ["", "[]", "{}", r#"{"SchemaVersion":1}"#] {
            assert!(matches!(Entry::read(bad), Err(Unreadable::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_change_that_was_cut_off_counts_for_as_long_as_a_function_can_run() {
        let entry = made();
        assert!(!entry.is_changing(after(0)));
        let entry = entry.changing(after(10));
        assert!(entry.is_changing(after(10)));
        assert!(entry.is_changing(after(25)));
        assert!(!entry.is_changing(after(26)));
        assert!(entry.is_changing(after(9)), "the clock of the writer may be ahead");
        let settled = entry.settled("p-weekly00", "p-weekly00", json!({}));
        assert!(!settled.is_changing(after(10)));
    }

    #[test]
    fn what_was_made_last_stays_known_while_it_is_changed() {
        let changing = made().changing(after(1));
        assert_eq!(changing.properties, made().properties);
    }

    #[test]
    fn what_was_made_again_is_found_by_the_id_that_cloudformation_knows() {
        let entry = made().remade("p-again000");
        assert_eq!(entry.id_of(Some("p-weekly00")), Some("p-again000"));
        assert_eq!(entry.id_of(Some("p-former00")), Some("p-former00"));
        let settled = entry.settled("p-weekly00", "p-again000", json!({}));
        assert_eq!(settled.id_of(Some("p-weekly00")), Some("p-again000"));
        assert_eq!(entry.remade("p-weekly00").current_id, None);
    }

    #[test]
    fn cleaning_up_an_old_id_is_not_about_the_resource_that_is_kept() {
        assert!(made().is_of(Some("p-weekly00")));
        assert!(!made().is_of(Some("p-former00")));
        assert!(Entry::new("backup-policy", STACK, "Weekly").is_of(None));
    }

    #[test]
    fn no_two_states_are_the_same_text() {
        let settled = made();
        let again = settled.changing(after(1));
        let again = again.settled("p-weekly00", "p-weekly00", json!({ "Name": "w" }));
        assert_ne!(settled.text(), again.text());
        assert!(settled.says_the_same_as(&again));
        assert!(!settled.says_the_same_as(&again.changing(after(2))));
    }

    #[test]
    fn the_properties_that_differ_are_named() {
        let differing =
            |now: Value| made().differing(&now).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(differing(json!({ "Name": "w" })), [""; 0]);
        assert_eq!(differing(json!({ "Name": "v", "Tags": {} })), ["Name", "Tags"]);
        assert_eq!(differing(json!({})), ["Name"]);
        let never = Entry::new("backup-policy", STACK, "Weekly");
        assert_eq!(never.differing(&json!({})), None);
    }

    #[test]
    fn policy_text_is_not_shown() {
        let shown = format!("{:?}", made());
        assert_eq!(shown, "Entry(desired/backup-policy/plans/7c9e/Weekly.json, revision 1)");
    }
}
