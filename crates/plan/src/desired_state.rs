//! What every resource is to be, as it is kept in the state bucket for whoever looks after it.
//!
//! A custom resource runs when its stack is deployed and never again. What it last made is written
//! down here, so that it can be put back when somebody else undoes it.
//!
//! Requests arrive at least once, late, and two at a time. An entry names those it has seen, so that
//! one that was overtaken is told from one that counts. A resource that is deleted leaves its entry
//! as a tombstone, so that nothing late makes it again.

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

/// The shape of an [`Entry`] that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 2;

/// Where all entries are kept.
pub const PREFIX: &str = "desired/";

/// Where the entries of one kind of resource are kept.
pub fn prefix(kind: ResourceKind) -> String {
    format!("{PREFIX}{kind}/")
}

/// The longest that a change is under way: a function has at most 15 minutes, and clocks differ.
const LONGEST_CHANGE: Duration = Duration::from_mins(16);

/// How long after a Delete something may be left by a request that it overtook: Lambda delivers for
/// at most six hours, a function has 15 minutes, and a sweep comes once a day.
const AFTERMATH: Duration = Duration::from_hours(48);

/// How many requests an entry names. CloudFormation sends one after another, and none of them comes
/// again once so many others were served.
const REMEMBERED: usize = 20;

/// The soonest that Lambda repeats an invocation that failed. What comes sooner is another delivery
/// of the same request, whose invocation is at work or is repeated by itself.
const SOONEST_RETRY: Duration = Duration::from_mins(1);

/// One resource: what it is to be, and what it is known by.
///
/// Its `Debug` form does not show the properties, since the text of a policy is among them.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    schema_version: u32,
    /// How often the entry was written, so that no two states of it are the same text.
    revision: u64,
    /// What it is.
    #[serde(rename = "Function")]
    pub kind: ResourceKind,
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
    /// When the resource was deleted, in seconds since 1970: this entry is its tombstone.
    #[serde(default)]
    deleted_since: Option<u64>,
    /// The requests that were seen, the newest last.
    #[serde(default)]
    requests: Vec<Seen>,
    /// What a Delete found recorded of a request that it overtook, and that may still be at work: what
    /// that one makes after the Delete is in no other record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Value>,
    /// Its properties as they were last brought about, with nothing left to look up elsewhere. A
    /// tombstone has those of the Delete.
    ///
    /// They stay as they were written until the function writes them anew: what decides by them reads
    /// them by [`Entry::wanted`].
    pub properties: Option<Value>,
}

/// A request that was seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Seen {
    id: String,
    progress: Progress,
    /// What tells apart what two deliveries of the request write.
    mark: u32,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Progress {
    /// A delivery of it is at work, or was cut off.
    Working,
    /// A delivery of it failed and left the answer to another one, which is at work.
    Left,
    /// It was brought to success.
    Settled,
}

/// One delivery of a request of CloudFormation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The ID of the request, which is the same in every delivery of it.
    pub request: String,
    /// When it came.
    pub now: SystemTime,
}

/// What an entry says of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is the newest one, or nothing is known of it.
    Current,
    /// It is not known, and the resource is deleted: it may be late, or begin a new life.
    Doubtful,
    /// It was overtaken by a newer one.
    Late,
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
    #[error("it is not a record of desired state")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer version of this program.
    #[error("it has schema version {0}, which is newer than this program")]
    TooNew(u32),
    /// It is of a resource that this program does not know.
    #[error(transparent)]
    Unknown(#[from] UnknownFunction),
}

impl Unreadable {
    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "restore an older version of the object",
            Self::TooNew(_) => "update `reattach`",
            Self::Unknown(_) => "use the release that wrote it, or a newer one",
        }
    }
}

impl Entry {
    /// The entry of a resource of which nothing is known yet.
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
    /// When the text is not an entry, one of a newer shape, or one of a resource that is not known.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        /// What stays the same in every shape.
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

    /// The entry as it is written.
    pub fn text(&self) -> String {
        serialized::pretty(self)
    }

    /// How often the entry was written. It never becomes less.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Where the entry is kept: `desired/<function>/<stack name>/<stack ID>/<logical ID>.json`.
    pub fn key(&self) -> String {
        format!("{}{}.json", prefix(self.kind), self.owner())
    }

    /// The resource, as its ownership tag says.
    pub fn owner(&self) -> Owner {
        Owner::new(&self.stack_id, &self.logical_id)
    }

    /// Whether a function may be changing the resource right now.
    ///
    /// A change that was cut off leaves its mark, which counts for as long as a function can run.
    pub fn is_changing(&self, now: SystemTime) -> bool {
        self.changing_since.is_some_and(|it| is_within(it, now, LONGEST_CHANGE))
    }

    /// What this says of a request.
    pub fn standing(&self, request: &str) -> Standing {
        let is_seen = self.requests.iter().any(|it| it.id == request);
        match (is_seen, self.is_deleted()) {
            (true, _) if self.is_newest(request) => Standing::Current,
            (true, _) => Standing::Late,
            (false, true) => Standing::Doubtful,
            (false, false) => Standing::Current,
        }
    }

    /// Whether no request is known that is newer than this one, which is known.
    pub fn is_newest(&self, request: &str) -> bool {
        self.requests.last().is_some_and(|it| it.id == request)
    }

    /// Whether a delivery of this request, the newest one, brought it to success.
    pub fn is_settled_by(&self, request: &str) -> bool {
        self.progress_of(request) == Some(Progress::Settled)
    }

    /// Whether a delivery of this request, the newest one, failed and left the answer to others.
    pub fn was_left_by(&self, request: &str) -> bool {
        self.progress_of(request) == Some(Progress::Left)
    }

    /// Whether another delivery of the same request, the newest one, is at work: it came so short a
    /// time before that this one is no repetition of it.
    pub fn is_shared(&self, delivery: &Delivery) -> bool {
        let is_working = self.progress_of(&delivery.request) == Some(Progress::Working);
        is_working
            && self.changing_since.is_some_and(|it| is_within(it, delivery.now, SOONEST_RETRY))
    }

    fn progress_of(&self, request: &str) -> Option<Progress> {
        self.requests.last().filter(|it| it.id == request).map(|it| it.progress)
    }

    /// Whether the resource was deleted, or is being deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted_since.is_some()
    }

    /// Whether a request came to its end, or was cut off, only after another one had overtaken it.
    pub fn was_overtaken(&self) -> bool {
        let before = self.requests.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().any(|it| it.progress != Progress::Settled)
    }

    /// Whether the resource was deleted so short a time ago that something may still be left by a
    /// request that was overtaken.
    ///
    /// While a Delete is under way or when it failed, it is not: then CloudFormation still has the
    /// resource, and may be told to retain it.
    pub fn may_have_left_something(&self, now: SystemTime) -> bool {
        let is_done = self.changing_since.is_none();
        is_done && self.deleted_since.is_some_and(|it| is_within(it, now, AFTERMATH))
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

    /// What the resource is to be; `None` where nothing was ever made of it.
    ///
    /// # Errors
    ///
    /// When another version wrote properties that this one does not take.
    pub fn wanted(&self) -> Result<Option<Properties>, Misfit> {
        let read = |it: &Value| Properties::read(self.kind, it);
        self.properties.as_ref().map(read).transpose()
    }

    /// The properties that differ from what was last brought about; `None` where nothing was.
    pub fn differing(&self, properties: &Value) -> Option<BTreeSet<String>> {
        let (before, now) = (self.properties.as_ref()?.as_object()?, properties.as_object()?);
        let names = before.keys().chain(now.keys());
        Some(names.filter(|it| before.get(*it) != now.get(*it)).cloned().collect())
    }

    /// This entry without what is over: where the resource was deleted, a new life of it begins.
    #[must_use]
    pub fn alive(&self) -> Self {
        if !self.is_deleted() {
            return self.clone();
        }
        let new = Self::new(self.kind, &self.stack_id, &self.logical_id);
        // One that was overtaken may still be at work, and comes to its end in the new life or after it.
        let (requests, begun) = (self.requests.clone(), self.begun.clone());
        Self { revision: self.revision, requests, begun, ..new }
    }

    /// This entry with a mark that a request changes the resource.
    #[must_use]
    pub fn changing(&self, by: &Delivery) -> Self {
        Self { changing_since: Some(seconds(by.now)), ..self.next() }.seen(by, Progress::Working)
    }

    /// This entry when a request made the resource what `properties` say: CloudFormation calls it
    /// `physical_id`, and it is `id`.
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

    /// This entry with a mark that a request deletes the resource, of which CloudFormation says what
    /// it is called and what its properties were.
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

    /// This entry with what a Delete found recorded, if a request that may still be at work was
    /// overtaken. What was found before stays, since a Delete that is repeated finds nothing.
    #[must_use]
    pub fn remembering(mut self, begun: Option<Value>) -> Self {
        if self.was_overtaken() {
            self.begun = self.begun.or(begun);
        }
        self
    }

    /// What a Delete found recorded of a request that it overtook, and that may still be at work.
    pub fn begun(&self) -> Option<&Value> {
        self.begun.as_ref()
    }

    /// This entry when a request has deleted the resource: its tombstone.
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

    /// This entry when a delivery of a request failed and leaves the answer to another one.
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

    /// This entry when the resource was made again as `id`.
    #[must_use]
    pub fn remade(&self, id: &str) -> Self {
        let is_new = self.physical_id.as_deref() != Some(id);
        Self { current_id: is_new.then(|| id.to_owned()), ..self.next() }
    }

    /// Whether `other` says the same of the resource, whenever and for whichever request it was
    /// written.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let requests = other.requests.clone();
        Self { revision: other.revision, requests, ..self.clone() } == *other
    }

    fn next(&self) -> Self {
        Self { schema_version: SCHEMA_VERSION, revision: self.revision + 1, ..self.clone() }
    }
}

/// Whether it is less than `span` since that time.
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
        assert!(matches!(Entry::read(&newer), Err(Unreadable::TooNew(3))));
        for bad in ["", "[]", "{}", r#"{"SchemaVersion":1}"#] {
            assert!(matches!(Entry::read(bad), Err(Unreadable::Malformed(_))), "{bad}");
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
    }

    #[test]
    fn cleaning_up_an_old_id_is_not_about_the_resource_that_is_kept() {
        assert!(made().is_of(Some("p-weekly00")));
        assert!(!made().is_of(Some("p-former00")));
        assert!(none().is_of(None));
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
