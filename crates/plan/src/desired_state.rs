//! The desired state of every resource, as stored in the state bucket for `reattach`.
//!
//! A custom resource runs when its stack is deployed and never again. Its last result is stored
//! here, so that it can be restored if somebody changes it.
//!
//! Requests arrive at least once, late, and two at a time. An entry lists the requests that it has
//! seen, so that an overtaken request can be distinguished from one that counts. A deleted resource
//! leaves its entry as a tombstone, so that no late request creates it again.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::owner::Owner;
use crate::properties::{Misfit, Properties};
use crate::resource::{ResourceKind, UnknownFunction};
use crate::serialized;

/// The schema version of an [`Entry`] that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 2;

/// The prefix of all entries.
pub const PREFIX: &str = "desired/";

/// Returns the prefix of the entries of one kind of resource.
pub fn prefix(kind: ResourceKind) -> String {
    format!("{PREFIX}{kind}/")
}

/// The longest duration of a change: a function has at most 15 minutes, and clocks differ.
const LONGEST_CHANGE: Duration = Duration::from_mins(16);

/// The time after a Delete in which an overtaken request may leave something: Lambda delivers for
/// at most six hours, a function has 15 minutes, and a sweep comes once a day.
const AFTERMATH: Duration = Duration::from_hours(48);

/// The number of requests that an entry lists. CloudFormation sends one after another, and none of
/// them is repeated after so many others were served.
const REMEMBERED: usize = 20;

/// The shortest time after which Lambda repeats a failed invocation. A request that arrives sooner
/// is another delivery of the same request, whose own invocation is working or is repeated
/// separately.
const SOONEST_RETRY: Duration = Duration::from_mins(1);

/// The desired state of one resource, and its identity.
///
/// Its `Debug` form does not show the properties, because they contain the text of a policy.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    schema_version: u32,
    /// The number of times that the entry was written, so that no two versions have the same text.
    revision: u64,
    /// The kind of the resource.
    #[serde(rename = "Function")]
    pub kind: ResourceKind,
    /// The ARN of the stack.
    pub stack_id: String,
    /// The name of the resource in its template.
    pub logical_id: String,
    /// The ID of the resource in CloudFormation, after it was created.
    pub physical_id: Option<String>,
    /// The current ID, if somebody deleted the resource and it was created again.
    pub current_id: Option<String>,
    /// The start of the current change, in seconds since 1970.
    changing_since: Option<u64>,
    /// The time at which the resource was deleted, in seconds since 1970: this entry is its
    /// tombstone.
    #[serde(default)]
    deleted_since: Option<u64>,
    /// The known requests, the newest last.
    #[serde(default)]
    requests: Vec<Seen>,
    /// The recorded changes that a Delete found, made by a request that it overtook and that may
    /// still be working. If that request makes further changes after the Delete, no other record
    /// contains them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Value>,
    /// The properties that were last applied, with all references resolved. A tombstone has the
    /// properties of the Delete.
    ///
    /// They are stored as they were written, until the function writes them again. Code that makes
    /// decisions from them reads them with [`Entry::wanted`].
    pub properties: Option<Value>,
}

/// A known request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Seen {
    id: String,
    progress: Progress,
    /// A mark that distinguishes the texts that two deliveries of the request write.
    mark: u32,
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Progress {
    /// A delivery of it is working, or was cut off.
    Working,
    /// A delivery of it failed and left the answer to another delivery, which is working.
    Left,
    /// It succeeded.
    Settled,
}

/// One delivery of a request of CloudFormation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The ID of the request, which is the same in every delivery of it.
    pub request: String,
    /// The time at which it arrived.
    pub now: SystemTime,
}

/// The status of a request according to an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is the newest one, or it is not known.
    Current,
    /// It is not known, and the resource is deleted. It may be late, or may create the resource
    /// again.
    Doubtful,
    /// A newer request overtook it.
    Late,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({}, revision {})", self.key(), self.revision)
    }
}

/// The reason why an entry cannot be used.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// The text does not have the format that this program writes.
    #[error("it is not a record of desired state")]
    Malformed(#[source] serde_json::Error),
    /// A newer version of this program wrote it.
    #[error("it has schema version {0}, which is newer than this program")]
    TooNew(u32),
    /// It belongs to a resource that this program does not know.
    #[error(transparent)]
    Unknown(#[from] UnknownFunction),
}

impl Unreadable {
    /// Returns the hint on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "restore an older version of the object",
            Self::TooNew(_) | Self::Unknown(_) => "use the release that wrote it, or a newer one",
        }
    }
}

impl Entry {
    /// Returns the entry of a resource about which nothing is known yet.
    pub fn new(kind: ResourceKind, stack_id: &str, logical_id: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            revision: 0,
            kind,
            stack_id: stack_id.to_owned(),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            current_id: None,
            changing_since: None,
            deleted_since: None,
            requests: Vec::new(),
            begun: None,
            properties: None,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not an entry, has a newer schema version, or belongs to an
    /// unknown resource.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        /// The parts that are the same in every schema version.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shape {
            schema_version: u32,
            function: Option<String>,
        }
        let shape: Shape = serde_json::from_str(text).map_err(Unreadable::Malformed)?;
        if shape.schema_version > SCHEMA_VERSION {
            return Err(Unreadable::TooNew(shape.schema_version));
        }
        if let Some(function) = shape.function {
            function.parse::<ResourceKind>()?;
        }
        serde_json::from_str(text).map_err(Unreadable::Malformed)
    }

    /// Returns the text that is written.
    pub fn text(&self) -> String {
        serialized::pretty(self)
    }

    /// Returns the number of times that the entry was written. It never decreases.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the key of the entry:
    /// `desired/<function>/<stack name>/<stack ID>/<logical ID>.json`.
    pub fn key(&self) -> String {
        format!("{}{}.json", prefix(self.kind), self.owner())
    }

    /// Returns the resource in the form of its ownership tag.
    pub fn owner(&self) -> Owner {
        Owner::new(&self.stack_id, &self.logical_id)
    }

    /// Returns `true` if a function may be changing the resource now.
    ///
    /// A change that was cut off leaves its mark, which counts as long as a function can run.
    pub fn is_changing(&self, now: SystemTime) -> bool {
        self.changing_since.is_some_and(|it| is_within(it, now, LONGEST_CHANGE))
    }

    /// Returns the status of a request.
    pub fn standing(&self, request: &str) -> Standing {
        let is_seen = self.requests.iter().any(|it| it.id == request);
        match (is_seen, self.is_deleted()) {
            (true, _) if self.is_newest(request) => Standing::Current,
            (true, _) => Standing::Late,
            (false, true) => Standing::Doubtful,
            (false, false) => Standing::Current,
        }
    }

    /// Returns `true` if this request is known and no newer one is.
    pub fn is_newest(&self, request: &str) -> bool {
        self.requests.last().is_some_and(|it| it.id == request)
    }

    /// Returns `true` if this request is the newest one and a delivery of it succeeded.
    pub fn is_settled_by(&self, request: &str) -> bool {
        self.progress_of(request) == Some(Progress::Settled)
    }

    /// Returns `true` if this request is the newest one and a delivery of it left the answer to
    /// others.
    pub fn was_left_by(&self, request: &str) -> bool {
        self.progress_of(request) == Some(Progress::Left)
    }

    /// Returns `true` if another delivery of the same request, the newest one, is working. It
    /// arrived so shortly before this delivery that this one is not a repetition of it.
    pub fn is_shared(&self, delivery: &Delivery) -> bool {
        let is_working = self.progress_of(&delivery.request) == Some(Progress::Working);
        is_working
            && self.changing_since.is_some_and(|it| is_within(it, delivery.now, SOONEST_RETRY))
    }

    fn progress_of(&self, request: &str) -> Option<Progress> {
        self.requests.last().filter(|it| it.id == request).map(|it| it.progress)
    }

    /// Returns `true` if the resource was deleted, or is being deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted_since.is_some()
    }

    /// Returns `true` if a request finished, or was cut off, only after another one had overtaken
    /// it.
    pub fn was_overtaken(&self) -> bool {
        let before = self.requests.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().any(|it| it.progress != Progress::Settled)
    }

    /// Returns `true` if the resource was deleted so recently that an overtaken request may have
    /// left something.
    ///
    /// Returns `false` while a Delete is running or after it failed. CloudFormation then still has
    /// the resource, and may have to retain it.
    pub fn may_have_left_something(&self, now: SystemTime) -> bool {
        let is_done = self.changing_since.is_none();
        is_done && self.deleted_since.is_some_and(|it| is_within(it, now, AFTERMATH))
    }

    /// Returns `true` if this entry belongs to the resource that CloudFormation calls
    /// `physical_id`.
    ///
    /// It does not if CloudFormation cleans up after a replacement: the ID is then the old one.
    pub fn is_of(&self, physical_id: Option<&str>) -> bool {
        self.physical_id.is_none() || self.physical_id.as_deref() == physical_id
    }

    /// Returns the current ID of the resource that CloudFormation calls `physical_id`. It differs
    /// if the resource was created again.
    pub fn id_of<'a>(&'a self, physical_id: Option<&'a str>) -> Option<&'a str> {
        let current = self.current_id.as_deref().filter(|_| self.is_of(physical_id));
        current.or(physical_id)
    }

    /// Returns the desired properties, or `None` if nothing was ever made for this entry.
    ///
    /// # Errors
    ///
    /// Returns an error if another version wrote properties that this one does not accept.
    pub fn wanted(&self) -> Result<Option<Properties>, Misfit> {
        let read = |it: &Value| Properties::read(self.kind, it);
        self.properties.as_ref().map(read).transpose()
    }

    /// Returns the properties that differ from those last applied, or `None` if none were applied.
    pub fn differing(&self, properties: &Value) -> Option<BTreeSet<String>> {
        let (before, now) = (self.properties.as_ref()?.as_object()?, properties.as_object()?);
        let names = before.keys().chain(now.keys());
        Some(names.filter(|it| before.get(*it) != now.get(*it)).cloned().collect())
    }

    /// Returns this entry without its past: if the resource was deleted, it can be created again.
    #[must_use]
    pub fn alive(&self) -> Self {
        if !self.is_deleted() {
            return self.clone();
        }
        let new = Self::new(self.kind, &self.stack_id, &self.logical_id);
        // An overtaken request may still be working, and may end during the new life or after it.
        let (requests, begun) = (self.requests.clone(), self.begun.clone());
        Self { revision: self.revision, requests, begun, ..new }
    }

    /// Returns this entry with a mark that a request is changing the resource.
    #[must_use]
    pub fn changing(&self, by: &Delivery) -> Self {
        Self { changing_since: Some(seconds(by.now)), ..self.next() }.seen(by, Progress::Working)
    }

    /// Returns this entry after a request applied `properties`. `physical_id` is the ID in
    /// CloudFormation, and `id` is the current one.
    #[must_use]
    pub fn settled(&self, by: &Delivery, physical_id: &str, id: &str, properties: Value) -> Self {
        let settled = Self {
            physical_id: Some(physical_id.to_owned()),
            current_id: (id != physical_id).then(|| id.to_owned()),
            changing_since: None,
            begun: None,
            properties: Some(properties),
            ..self.next()
        };
        settled.seen(by, Progress::Settled)
    }

    /// Returns this entry with a mark that a request is deleting the resource. CloudFormation
    /// provides the ID and the last properties.
    #[must_use]
    pub fn deleting(
        &self,
        by: &Delivery,
        physical_id: Option<&str>,
        properties: Option<Value>,
    ) -> Self {
        let now = Some(seconds(by.now));
        let deleting = Self {
            physical_id: self.physical_id.clone().or_else(|| physical_id.map(ToOwned::to_owned)),
            properties: properties.or_else(|| self.properties.clone()),
            changing_since: now,
            deleted_since: now,
            ..self.next()
        };
        deleting.seen(by, Progress::Working)
    }

    /// Returns this entry with the recorded changes that a Delete found, if it overtook a request
    /// that may still be working. Changes found earlier are kept, because a repeated Delete finds
    /// none.
    #[must_use]
    pub fn remembering(mut self, begun: Option<Value>) -> Self {
        if self.was_overtaken() {
            self.begun = self.begun.or(begun);
        }
        self
    }

    /// Returns the recorded changes that a Delete found, made by a request that it overtook and
    /// that may still be working.
    pub fn begun(&self) -> Option<&Value> {
        self.begun.as_ref()
    }

    /// Returns this entry after a request deleted the resource: its tombstone.
    #[must_use]
    pub fn deleted(
        &self,
        by: &Delivery,
        physical_id: Option<&str>,
        properties: Option<Value>,
    ) -> Self {
        let deleting = self.deleting(by, physical_id, properties);
        Self { changing_since: None, ..deleting }.seen(by, Progress::Settled)
    }

    /// Returns this entry after a delivery of a request failed and left the answer to another one.
    #[must_use]
    pub fn left(&self, by: &Delivery) -> Self {
        self.next().seen(by, Progress::Left)
    }

    fn seen(mut self, by: &Delivery, progress: Progress) -> Self {
        self.requests.retain(|it| it.id != by.request);
        let mark = by.now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.subsec_nanos());
        self.requests.push(Seen { id: by.request.clone(), progress, mark });
        self.requests.drain(..self.requests.len().saturating_sub(REMEMBERED));
        self
    }

    /// Returns this entry after the resource was created again as `id`.
    #[must_use]
    pub fn remade(&self, id: &str) -> Self {
        let is_new = self.physical_id.as_deref() != Some(id);
        Self { current_id: is_new.then(|| id.to_owned()), ..self.next() }
    }

    /// Returns `true` if `other` has the same content, regardless of its revision and its requests.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let requests = other.requests.clone();
        Self { revision: other.revision, requests, ..self.clone() } == *other
    }

    fn next(&self) -> Self {
        Self { schema_version: SCHEMA_VERSION, revision: self.revision + 1, ..self.clone() }
    }
}

/// Returns `true` if less than `span` has passed since that time.
fn is_within(since: u64, now: SystemTime, span: Duration) -> bool {
    Duration::from_secs(seconds(now).saturating_sub(since)) < span
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

    fn by(request: &str, minutes: u64) -> Delivery {
        Delivery { request: request.to_owned(), now: after(minutes) }
    }

    fn none() -> Entry {
        Entry::new(ResourceKind::BackupPolicy, STACK, "Weekly")
    }

    fn made() -> Entry {
        none().settled(&by("create", 0), "p-weekly00", "p-weekly00", json!({ "Name": "w" }))
    }

    fn buried() -> Entry {
        made().deleted(&by("delete", 1), Some("made-up"), None)
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
        let entry = made().changing(&by("update", 1));
        assert_eq!(Entry::read(&entry.text()).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_a_newer_shape_is_refused_and_not_half_understood() {
        let newer = json!({ "SchemaVersion": SCHEMA_VERSION + 1, "Whatever": true }).to_string();
        let refused = Entry::read(&newer).unwrap_err();
        assert!(matches!(refused, Unreadable::TooNew(3)));
        assert_eq!(refused.hint(), "use the release that wrote it, or a newer one");
        for bad in ["", "[]", "{}", r#"{"SchemaVersion":1}"#] {
            let refused = Entry::read(bad).unwrap_err();
            assert!(matches!(refused, Unreadable::Malformed(_)), "{bad}");
            assert_eq!(refused.hint(), "restore an older version of the object");
        }
    }

    #[test]
    fn an_entry_of_a_resource_that_is_not_known_is_told_and_not_left_out() {
        let unknown = made().text().replace("backup-policy", "vault-lock");
        assert!(matches!(Entry::read(&unknown), Err(Unreadable::Unknown(_))));
    }

    #[test]
    fn a_change_that_was_cut_off_counts_for_as_long_as_a_function_can_run() {
        let entry = made();
        assert!(!entry.is_changing(after(0)));
        let entry = entry.changing(&by("update", 10));
        assert!(entry.is_changing(after(10)));
        assert!(entry.is_changing(after(25)));
        assert!(!entry.is_changing(after(26)));
        assert!(entry.is_changing(after(9)), "the clock of the writer may be ahead");
        let settled = entry.settled(&by("update", 10), "p-weekly00", "p-weekly00", json!({}));
        assert!(!settled.is_changing(after(10)));
    }

    #[test]
    fn what_was_made_last_stays_known_while_it_is_changed() {
        let changing = made().changing(&by("update", 1));
        assert_eq!(changing.properties, made().properties);
    }

    #[test]
    fn what_was_made_again_is_found_by_the_id_that_cloudformation_knows() {
        let entry = made().remade("p-again000");
        assert_eq!(entry.id_of(Some("p-weekly00")), Some("p-again000"));
        assert_eq!(entry.id_of(Some("p-former00")), Some("p-former00"));
        let settled = entry.settled(&by("update", 1), "p-weekly00", "p-again000", json!({}));
        assert_eq!(settled.id_of(Some("p-weekly00")), Some("p-again000"));
        assert_eq!(entry.remade("p-weekly00").current_id, None);
        let replaced = entry.settled(&by("update", 1), "p-latter00", "p-latter00", json!({}));
        assert_eq!(replaced.id_of(Some("p-latter00")), Some("p-latter00"));
    }

    #[test]
    fn cleaning_up_an_old_id_is_not_about_the_resource_that_is_kept() {
        assert!(made().is_of(Some("p-weekly00")));
        assert!(!made().is_of(Some("p-former00")));
        // Its ID is not known yet, and it may be this one.
        assert!(none().is_of(None) && none().is_of(Some("p-weekly00")));
    }

    #[test]
    fn no_two_states_are_the_same_text() {
        let settled = made();
        let again = settled.changing(&by("update", 1));
        let name = json!({ "Name": "w" });
        let again = again.settled(&by("update", 1), "p-weekly00", "p-weekly00", name);
        assert_ne!(settled.text(), again.text());
        assert!(settled.says_the_same_as(&again));
        assert!(!settled.says_the_same_as(&again.changing(&by("update", 2))));
        let [one, other] = [1, 2].map(|nanoseconds| {
            let now = MORNING + Duration::from_nanos(nanoseconds);
            settled.changing(&Delivery { request: "update".to_owned(), now }).text()
        });
        assert_ne!(one, other, "two deliveries of one request in one second");
    }

    #[test]
    fn the_properties_that_differ_are_named() {
        let differing =
            |now: Value| made().differing(&now).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(differing(json!({ "Name": "w" })), [""; 0]);
        assert_eq!(differing(json!({ "Name": "v", "Tags": {} })), ["Name", "Tags"]);
        assert_eq!(differing(json!({})), ["Name"]);
        assert_eq!(none().differing(&json!({})), None);
    }

    #[test]
    fn an_entry_of_the_first_shape_is_read_and_acted_on() {
        let first = json!({
            "SchemaVersion": 1, "Revision": 4, "Function": "backup-policy", "StackId": STACK,
            "LogicalId": "Weekly", "PhysicalId": "p-weekly00", "CurrentId": null,
            "ChangingSince": null, "Properties": { "Name": "w" },
        });
        let entry = Entry::read(&first.to_string()).unwrap();
        assert_eq!(entry.standing("update"), Standing::Current);
        assert!(entry.says_the_same_as(&Entry { schema_version: 1, ..made() }));
        let written: Value =
            serde_json::from_str(&entry.changing(&by("update", 1)).text()).unwrap();
        assert_eq!(written["SchemaVersion"], SCHEMA_VERSION);
    }

    #[test]
    fn a_request_that_was_overtaken_is_late_and_the_newest_is_not() {
        let updated = made().changing(&by("update", 1));
        assert_eq!(none().standing("create"), Standing::Current);
        assert_eq!(made().standing("create"), Standing::Current);
        assert_eq!(made().standing("update"), Standing::Current);
        assert_eq!(updated.standing("create"), Standing::Late);
        assert_eq!(updated.standing("update"), Standing::Current);
    }

    #[test]
    fn whatever_comes_after_a_delete_is_late_or_begins_a_new_life() {
        assert_eq!(buried().standing("create"), Standing::Late);
        assert_eq!(buried().standing("delete"), Standing::Current);
        assert_eq!(buried().standing("unseen"), Standing::Doubtful);
        let reborn = buried().alive().changing(&by("second create", 2));
        assert!(!reborn.is_deleted());
        assert_eq!((&reborn.physical_id, &reborn.properties), (&None, &None));
        assert_eq!(reborn.standing("create"), Standing::Late, "of the life before");
        assert_eq!(reborn.standing("delete"), Standing::Late, "of the life before");
        assert_eq!(made().alive(), made());
    }

    #[test]
    fn every_write_counts_also_in_the_next_life() {
        let revisions = [none(), made(), buried(), buried().alive()].map(|it| it.revision());
        assert_eq!(revisions, [0, 1, 2, 2]);
        assert_eq!(buried().alive().changing(&by("second create", 2)).revision(), 3);
    }

    #[test]
    fn a_tombstone_knows_what_to_look_for() {
        let properties = json!({ "Name": "v" });
        let unanswered =
            none().deleted(&by("delete", 1), Some("made-up"), Some(properties.clone()));
        assert_eq!(unanswered.physical_id.as_deref(), Some("made-up"));
        assert_eq!(unanswered.properties, Some(properties));
        assert_eq!(buried().physical_id.as_deref(), Some("p-weekly00"));
        assert_eq!(buried().properties, made().properties);
    }

    #[test]
    fn something_may_be_left_for_two_days_after_a_delete_that_came_to_its_end() {
        assert!(buried().may_have_left_something(after(1)));
        assert!(buried().may_have_left_something(after(25 * 60)));
        assert!(!buried().may_have_left_something(after(48 * 60 + 1)));
        let deleting = made().deleting(&by("delete", 1), None, None);
        assert!(deleting.is_deleted() && deleting.is_changing(after(2)));
        assert!(!deleting.may_have_left_something(after(60)), "it may still be retained");
        assert!(!made().may_have_left_something(after(1)));
    }

    #[test]
    fn a_delete_overtakes_what_was_not_settled_before() {
        assert!(!buried().was_overtaken());
        let creating = none().changing(&by("create", 0));
        assert!(!creating.was_overtaken());
        let deleted = creating.deleted(&by("delete", 1), Some("made-up"), None);
        assert!(deleted.was_overtaken());
        let reborn = deleted.alive().changing(&by("second create", 2));
        let settled =
            reborn.settled(&by("second create", 2), "p-second00", "p-second00", json!({}));
        assert!(settled.was_overtaken(), "the first one may still be at work in the next life");
        assert!(settled.deleted(&by("second delete", 3), None, None).was_overtaken());
    }

    #[test]
    fn what_an_overtaken_request_has_begun_is_known_until_the_next_life_is_settled() {
        let begun = || Some(json!(["a switch"]));
        let deleted = none().changing(&by("create", 0)).deleted(&by("delete", 1), None, None);
        let deleted = deleted.remembering(begun()).remembering(Some(json!([])));
        let reborn = deleted.alive().changing(&by("second create", 2));
        assert_eq!(reborn.begun().cloned(), begun());
        assert_eq!(Entry::read(&reborn.text()).unwrap(), reborn);
        let settled =
            reborn.settled(&by("second create", 2), "p-second00", "p-second00", json!({}));
        assert_eq!(settled.begun(), None);
        assert_eq!(buried().remembering(begun()).begun(), None, "nothing was overtaken");
    }

    #[test]
    fn a_delivery_shares_a_request_with_one_that_it_cannot_be_the_repetition_of() {
        let working = made().changing(&by("update", 5));
        assert!(working.is_shared(&by("update", 5)));
        assert!(!working.is_shared(&by("update", 6)), "Lambda repeats after a minute");
        assert!(!working.is_shared(&by("other", 5)));
        assert!(!made().is_shared(&by("create", 0)), "it is settled");
        let left = working.left(&by("update", 5));
        assert!(left.was_left_by("update") && left.is_changing(after(6)));
        assert!(!working.was_left_by("update") && !left.was_left_by("create"));
        assert!(!left.is_settled_by("update") && made().is_settled_by("create"));
    }

    #[test]
    fn so_many_requests_are_remembered_and_no_more() {
        let last = 2 * REMEMBERED;
        let entry = (0..=last).fold(none(), |it, nth| it.changing(&by(&nth.to_string(), 1)));
        assert_eq!(entry.requests.len(), REMEMBERED);
        assert_eq!(entry.standing(&(last - 1).to_string()), Standing::Late);
    }

    #[test]
    fn policy_text_is_not_shown() {
        let shown = format!("{:?}", made());
        assert_eq!(shown, "Entry(desired/backup-policy/plans/7c9e/Weekly.json, revision 1)");
    }
}
