//! The desired state of every resource, as its function keeps it for one request.
//!
//! # A deployment and `reattach` at the same time
//!
//! A person detaches a policy whose entry is at version 1 and says A. `reattach` restores A, while
//! a deployment changes the policy to B. The usual order is:
//!
//! 1. `reattach` reads the entry (A, version 1), observes AWS and plans to attach the policy.
//! 2. The function reads the entry (A, version 1), observes AWS and plans the steps to B.
//! 3. The function notes its change before it makes it ([`Slot::begin`]). It writes the entry with
//!    a mark, on condition that it is still version 1. Now it is version 2.
//! 4. `reattach` reads the entry again before its first step ([`Intent::proceeds`]) and finds
//!    version 2. It changes nothing and starts again. Because of the mark, it leaves the policy
//!    alone and checks later.
//! 5. The function changes the policy to B and writes that ([`Slot::settle`]), on condition that
//!    the entry is still version 2. Now it is version 3.
//!
//! If step 4 comes before step 3, `reattach` finds version 1 and continues, and both change the
//! policy. The result is still correct, because each checks again for changes that the other may
//! have undone:
//!
//! - `reattach` reads the entry again after its last step. It finds version 2 or 3, starts again,
//!   and restores B from version 3 on.
//! - If `reattach` had to create the policy again, it has to write the new ID, on condition that
//!   the entry is still version 1. *This is the write that loses*: S3 refuses it, because the
//!   function wrote version 2, and `reattach` starts again. In the other order, the function loses
//!   in step 3, and serves its request again from the beginning, with the new ID.
//! - A step of the function that no longer fits the observed state fails as
//!   [`Outdated`](aws::Kind::Outdated), and the function observes again.

use std::time::{Duration, SystemTime};

use aws::{Error, Kind, Session, log_left_out};
use errors::{Reader, chain};
use leaky_bucket::RateLimiter;
use plan::desired_state::{Delivery, Entry, Standing};
use plan::presence;
use plan::resource::ResourceKind;
use plan::serialized;
use serde::Serialize;
use serde_json::Value;
use stacks::Stacks;
use state::{Expected, State, Version};
use tokio::time::Instant;
use tracing::warn;

/// The maximum number of attempts to write an entry that others write as well.
const ATTEMPTS: usize = 8;

/// The time before the deadline at which all waiting ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The resource that a request is about, and the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// The ARN of the stack.
    pub stack_id: &'a str,
    /// The name of the resource in its template.
    pub logical_id: &'a str,
    /// The ID of the request.
    pub request: &'a str,
    /// The time at which the request arrived.
    pub now: SystemTime,
}

/// The desired state of one resource, as the function of the resource keeps it for one request.
///
/// Without a state bucket, nothing is kept and nothing is restored later.
#[derive(Debug)]
pub struct Slot {
    session: Session,
    deadline: Instant,
    state: Option<State>,
    entry: Entry,
    version: Option<Version>,
    by: Delivery,
    task: Task,
    /// True if another delivery of the same request is at work.
    is_shared: bool,
    /// True if a newer request wrote the entry, so that this one must not.
    is_lost: bool,
    /// True if CloudFormation was asked whether the request still counts.
    is_asked: bool,
    /// The fault of the state, if a Delete continues without it.
    trouble: Option<Trouble>,
    /// The value that a Delete found recorded.
    recorded: Option<Value>,
}

/// The faults of the state.
#[derive(Debug)]
enum Trouble {
    /// The kept entry is unusable. It is overwritten when the resource is deleted.
    Spoilt,
    /// The kept entry could not be read.
    Unknown(Error),
}

/// The purpose of a request for the entry.
#[derive(Debug)]
enum Task {
    /// The resource is created. CloudFormation has no ID for it yet.
    Create,
    /// The resource is updated, or an earlier request for it is continued.
    Update,
    /// The resource is deleted. CloudFormation has this ID for it, and it had these properties.
    Delete { physical_id: Option<String>, properties: Option<Value> },
    /// The deleted resource is not the kept one. It is an old one with this ID, after a
    /// replacement.
    CleanUp { physical_id: Option<String> },
}

/// The remains of a resource that must not exist.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The ID that CloudFormation has for the resource, if it is known. CloudFormation may have
    /// made it up.
    pub physical_id: Option<String>,
    /// The current ID of the resource.
    pub current_id: Option<String>,
    /// True if the state bucket had an entry for it, so that it may exist under another ID.
    pub is_kept: bool,
    /// True if the resource itself remains. Then only a former resource with this ID, if it has
    /// one, must not exist.
    pub is_former: bool,
}

/// The next action after a request failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sequel {
    /// The failure is the answer.
    Fail,
    /// The entry has changed, so the request is served again from the beginning.
    Again,
    /// Another delivery of the request is at work, and answers.
    Silence,
}

impl Leftover {
    /// Nothing is left of a resource that lives on.
    const NOTHING: Self =
        Self { physical_id: None, current_id: None, is_kept: false, is_former: true };

    /// Returns what may be left of the resource of `entry`.
    pub fn of(entry: &Entry) -> Self {
        let physical_id = entry.physical_id.clone();
        let current_id = entry.current_id.clone().or_else(|| physical_id.clone());
        Self { physical_id, current_id, is_kept: true, is_former: false }
    }
}

impl Slot {
    /// Reads the entry of a resource that is created (without an ID yet) or updated.
    ///
    /// # Errors
    ///
    /// Returns an error if the entry cannot be read. Nothing has changed.
    pub async fn open(
        session: &Session,
        subject: Subject<'_>,
        is_new: bool,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let task = if is_new { Task::Create } else { Task::Update };
        let mut slot = Self::empty(session, subject, task, deadline);
        slot.load().await?;
        Ok(slot)
    }

    /// Reads the entry of a resource that is deleted. CloudFormation has the ID `physical_id` for
    /// it, and it had these properties. `is_issued` is true if a function issued that ID, and false
    /// if CloudFormation made it up.
    ///
    /// A made-up ID belongs to the resource, unless CloudFormation says that the resource now has
    /// another ID. In that case CloudFormation cleans up after an earlier attempt to create the
    /// resource.
    ///
    /// A fault of the state is only reported if there turns out to be something to delete. An
    /// unusable entry is overwritten.
    pub async fn open_to_delete(
        session: &Session,
        subject: Subject<'_>,
        physical_id: Option<&str>,
        is_issued: bool,
        properties: Option<Value>,
        deadline: Instant,
    ) -> Self {
        let id = physical_id.map(ToOwned::to_owned);
        let task = Task::Delete { physical_id: id.clone(), properties };
        let mut slot = Self::empty(session, subject, task, deadline);
        match slot.load().await {
            Err(error) if error.is_about_contents() => {
                log_left_out("the desired state of the resource", &error);
                slot.trouble = Some(Trouble::Spoilt);
            }
            loaded => slot.trouble = loaded.err().map(Trouble::Unknown),
        }
        let of_another = !slot.entry.is_deleted() && !slot.entry.is_of(physical_id);
        if of_another && (is_issued || slot.lives().await) {
            slot.task = Task::CleanUp { physical_id: id };
        }
        slot
    }

    /// Returns `true` if CloudFormation says that the resource exists under the ID that is kept.
    async fn lives(&self) -> bool {
        let (stack_id, logical_id) = (&self.entry.stack_id, &self.entry.logical_id);
        let told = stacks::resource(&self.session, stack_id, logical_id, self.deadline).await;
        told.is_ok_and(|it| presence::expect(&self.entry, it.as_ref()).is_ok())
    }

    fn empty(session: &Session, subject: Subject<'_>, task: Task, deadline: Instant) -> Self {
        let Subject { kind, stack_id, logical_id, request, now } = subject;
        Self {
            session: session.clone(),
            deadline,
            state: State::of(session, deadline),
            entry: Entry::new(kind, stack_id, logical_id),
            version: None,
            by: Delivery { request: request.to_owned(), now },
            task,
            is_shared: false,
            is_lost: false,
            is_asked: false,
            trouble: None,
            recorded: None,
        }
    }

    async fn load(&mut self) -> Result<(), Error> {
        if let Some(found) = self.read().await? {
            self.adopt(found);
        }
        Ok(())
    }

    async fn read(&self) -> Result<Option<(Entry, Version)>, Error> {
        match &self.state {
            Some(state) => state.entry(&self.entry.key()).await,
            None => Ok(None),
        }
    }

    fn adopt(&mut self, (entry, version): (Entry, Version)) {
        self.is_shared |= entry.is_shared(&self.by);
        self.entry = entry;
        self.version = Some(version);
    }

    /// Returns `true` if the request still counts. If nothing is known of the request, and the
    /// resource was deleted or already exists, CloudFormation is asked whether it waits for the
    /// request.
    ///
    /// # Errors
    ///
    /// Returns an error if CloudFormation does not answer. Nothing has changed.
    pub async fn counts(&mut self) -> Result<bool, Error> {
        let is_made = self.entry.physical_id.is_some() && !self.entry.is_deleted();
        let is_known = self.entry.is_newest(&self.by.request);
        let is_late = match (self.entry.standing(&self.by.request), &self.task) {
            // An earlier attempt may have left no trace.
            (Standing::Current, Task::Create) if is_made && !is_known => {
                let action = "tell whether the existing resource is created once more";
                self.is_late().await.map_err(|it| it.again(action.to_owned()))?
            }
            (Standing::Current, _) => false,
            (Standing::Late, _) => true,
            (Standing::Doubtful, Task::Delete { .. } | Task::CleanUp { .. }) => return Ok(true),
            (Standing::Doubtful, Task::Create | Task::Update) => {
                let action = "tell whether a new life of the deleted resource begins";
                self.is_late().await.map_err(|it| it.again(action.to_owned()))?
            }
        };
        if !is_late && matches!(self.task, Task::Create | Task::Update) {
            self.entry = self.entry.alive();
        }
        Ok(!is_late)
    }

    /// Returns `true` if CloudFormation says that it does not wait for the request.
    async fn is_late(&self) -> Result<bool, Error> {
        let (stack_id, logical_id) = (&self.entry.stack_id, &self.entry.logical_id);
        let told = stacks::resource(&self.session, stack_id, logical_id, self.deadline).await?;
        Ok(presence::is_late(matches!(self.task, Task::Create), told.as_ref()))
    }

    /// Returns the entry of a resource that exists; `None` if there is none.
    pub fn entry(&self) -> Option<&Entry> {
        self.version.as_ref().map(|_| &self.entry).filter(|it| !it.is_deleted())
    }

    /// Returns the ID that CloudFormation has for the resource. It is the ID in the request. If an
    /// earlier delivery of the same request has created the resource, it is the ID in that
    /// delivery's answer.
    pub fn name_of<'a>(&'a self, physical_id: Option<&'a str>) -> Option<&'a str> {
        let answered = self.entry().filter(|it| it.is_settled_by(&self.by.request));
        physical_id.or_else(|| answered?.physical_id.as_deref())
    }

    /// Returns `true` if the resource was deleted, or is being deleted.
    pub fn is_deleted(&self) -> bool {
        self.entry.is_deleted()
    }

    /// Returns what may be left of the resource, which must not exist.
    pub fn leftover(&self) -> Leftover {
        let kept = Leftover::of(&self.entry);
        match &self.task {
            Task::CleanUp { physical_id } => {
                let physical_id = physical_id.clone();
                let current_id = physical_id.clone();
                Leftover { physical_id, current_id, is_kept: false, is_former: true }
            }
            Task::Delete { physical_id, .. } if kept.physical_id.is_none() => {
                let physical_id = physical_id.clone();
                let is_kept = self.version.is_some();
                Leftover { current_id: physical_id.clone(), physical_id, is_kept, ..kept }
            }
            Task::Create | Task::Update if !self.entry.is_deleted() => Leftover::NOTHING,
            Task::Create | Task::Update | Task::Delete { .. } => kept,
        }
    }

    /// Returns the intent of a repair after an overtaken request. The repair removes what that
    /// request left, or leaves it to the request that overtook it, as long as nobody writes the
    /// entry. Returns `None` if no request can have left anything.
    pub fn undoing(&self) -> Option<Intent<'_>> {
        let (state, version) = (self.state.as_ref()?, self.version.as_ref()?);
        let is_left = self.entry.was_overtaken();
        is_left.then_some(Intent::Repair { state, entry: &self.entry, version, stacks: None })
    }

    /// Returns `true` if the entry has not changed since it was last read or written.
    ///
    /// # Errors
    ///
    /// Returns an error if the entry cannot be read.
    pub async fn is_unchanged(&self) -> Result<bool, Error> {
        Ok(self.read().await?.map(|it| it.1) == self.version)
    }

    /// Returns the value that a Delete found recorded by a request that it overtook, and that may
    /// still be at work.
    pub fn begun(&self) -> Option<&Value> {
        self.entry.begun()
    }

    /// Notes that the resource is being changed or deleted. After that, nobody restores its
    /// previous state, and the previous request is over.
    ///
    /// Without a state bucket, CloudFormation is first asked once whether a Create still counts. If
    /// it does not answer, that is logged and the Create counts.
    ///
    /// # Errors
    ///
    /// Returns an error if another request for the resource came first, or if the note cannot be
    /// written.
    pub async fn begin(&mut self) -> Result<(), Error> {
        if let Some(Trouble::Unknown(error)) =
            self.trouble.take_if(|it| matches!(it, Trouble::Unknown(_)))
        {
            return Err(error);
        }
        let is_new = matches!(self.task, Task::Create);
        if self.state.is_none() && is_new && !std::mem::replace(&mut self.is_asked, true) {
            match self.is_late().await {
                Ok(false) => {}
                Ok(true) => {
                    self.is_lost = true;
                    return Err(Error::superseded(format!("create {}", self.entry.logical_id)));
                }
                Err(error) => {
                    let reason = chain(&error);
                    warn!(reason, "it is unknown if the request is late, so it is served");
                }
            }
        }
        let by = self.by.clone();
        match &self.task {
            Task::CleanUp { .. } => Ok(()),
            Task::Create | Task::Update => self.write(|it| it.changing(&by)).await,
            Task::Delete { physical_id, properties } => {
                let (id, properties) = (physical_id.clone(), properties.clone());
                let found = self.recorded.clone();
                let deleting = |it: &Entry| it.deleting(&by, id.as_deref(), properties.clone());
                self.write(|it| deleting(it).remembering(found.clone())).await
            }
        }
    }

    /// Keeps that the resource `id`, for which CloudFormation has the ID `physical_id`, is in the
    /// state that `properties` describe. Writes nothing if the entry already says so.
    ///
    /// # Errors
    ///
    /// Returns an error if another request for the resource came first, or if the entry cannot be
    /// written. The resource is in the requested state nevertheless.
    pub async fn settle(
        &mut self,
        physical_id: &str,
        id: &str,
        properties: &impl Serialize,
    ) -> Result<(), Error> {
        let by = self.by.clone();
        let properties = serialized::value(properties);
        let settled = |it: &Entry| it.settled(&by, physical_id, id, properties.clone());
        if self.version.is_some() && settled(&self.entry).says_the_same_as(&self.entry) {
            return Ok(());
        }
        self.write(settled).await
    }

    /// Keeps that the resource no longer exists, unless the deleted resource is not the kept one.
    ///
    /// # Errors
    ///
    /// Returns an error if another request for the resource came first, if the entry cannot be
    /// written, or if the state was unusable from the beginning and the function issued the ID.
    pub async fn bury(&mut self, is_issued: bool) -> Result<(), Error> {
        let Task::Delete { physical_id, properties } = &self.task else { return Ok(()) };
        if self.entry.is_deleted() && self.entry.is_settled_by(&self.by.request) {
            return Ok(());
        }
        let by = self.by.clone();
        let (id, properties) = (physical_id.clone(), properties.clone());
        let buried = match self.trouble.take_if(|it| matches!(it, Trouble::Unknown(_))) {
            Some(Trouble::Unknown(error)) => Err(error),
            Some(Trouble::Spoilt) | None => {
                self.write(|it| it.deleted(&by, id.as_deref(), properties.clone())).await
            }
        };
        match buried {
            // CloudFormation never got an answer of its Create, even if that made the resource.
            Err(error) if !is_issued && !self.is_lost => {
                let reason = chain(&error);
                warn!(reason, "the deletion of the resource could not be stored");
                Ok(())
            }
            buried => buried,
        }
    }

    /// Writes the entry that `next` returns. Another delivery of the same request may write it as
    /// well.
    async fn write(&mut self, next: impl Fn(&Entry) -> Entry) -> Result<(), Error> {
        for attempt in 1.. {
            let entry = next(&self.entry);
            let Some(state) = &self.state else {
                self.entry = entry;
                return Ok(());
            };
            let expected = match (&self.trouble, &self.version) {
                (Some(Trouble::Spoilt), _) => Expected::Anything,
                (_, None) => Expected::Nothing,
                (_, Some(version)) => Expected::Still(version),
            };
            match state.write(&entry.key(), entry.text(), expected).await {
                Ok(version) => {
                    (self.entry, self.version, self.trouble) = (entry, Some(version), None);
                    return Ok(());
                }
                Err(error) if error.kind() == Kind::Outdated && attempt < ATTEMPTS => {
                    let Some(found) = self.read().await? else { return Err(self.lose(error)) };
                    if Some(&found.1) == self.version.as_ref() {
                        continue;
                    }
                    // A settled request has nothing left to do, so it is served again from the
                    // beginning.
                    let request = &self.by.request;
                    if !found.0.is_newest(request) || found.0.is_settled_by(request) {
                        return Err(self.lose(error));
                    }
                    self.adopt(found);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn lose(&mut self, error: Error) -> Error {
        self.is_lost = true;
        error
    }

    /// Returns the next action after the request failed here.
    ///
    /// A failure is not reported for a request that another delivery completes. The last delivery
    /// waits for the earlier ones, and they leave the answer to it.
    pub async fn after_failure(&mut self) -> Sequel {
        if self.is_lost && self.state.is_none() {
            return Sequel::Silence;
        }
        let mut pace = RateLimiter::builder();
        let pace = pace.initial(1).max(1).interval(Duration::from_secs(1)).build();
        loop {
            pace.acquire_one().await;
            let Ok(Some((entry, version))) = self.read().await else { return Sequel::Fail };
            let request = &self.by.request;
            if !entry.is_newest(request) {
                let is_news = Some(&version) != self.version.as_ref();
                return if self.is_lost || is_news { Sequel::Again } else { Sequel::Fail };
            }
            if entry.is_settled_by(request) {
                let is_ours = Some(&version) == self.version.as_ref();
                return if is_ours { Sequel::Fail } else { Sequel::Again };
            }
            if entry.was_left_by(request) {
                return Sequel::Fail;
            }
            if Some(&version) != self.version.as_ref() {
                return self.leave(entry, version).await;
            }
            if !self.is_shared || Instant::now() + LAST_WORDS > self.deadline {
                return Sequel::Fail;
            }
        }
    }

    /// Leaves the answer to the delivery that wrote the entry last.
    async fn leave(&self, entry: Entry, version: Version) -> Sequel {
        let Some(state) = &self.state else { return Sequel::Fail };
        let left = entry.left(&self.by);
        match state.write(&left.key(), left.text(), Expected::Still(&version)).await {
            Err(error) if error.kind() == Kind::Outdated => {}
            Err(_) => return Sequel::Fail,
            Ok(_) => {}
        }
        Sequel::Silence
    }
}

/// The purpose for which steps are planned.
#[derive(Debug)]
pub enum Intent<'a> {
    /// CloudFormation requests a change, which is noted before it is made.
    Change {
        /// The slot in which it is noted.
        slot: &'a mut Slot,
    },
    /// The previous state is restored, or its remains are removed, unless the desired state has
    /// changed since it was read.
    Repair {
        /// The state bucket.
        state: &'a State,
        /// The desired state.
        entry: &'a Entry,
        /// The version of the entry when it was read.
        version: &'a Version,
        /// The stacks that say whether the resource still exists, if it is to be restored.
        stacks: Option<&'a Stacks>,
    },
    /// A caller asks for the steps without carrying them out.
    Report,
}

impl Intent<'_> {
    /// Returns the value that a Delete found recorded by a request that it overtook, and that may
    /// still be at work.
    pub fn begun(&self) -> Option<&Value> {
        match self {
            Self::Change { slot } => slot.begun(),
            Self::Repair { entry, .. } => entry.begun(),
            Self::Report => None,
        }
    }

    /// Notes the value that a Delete found `recorded`, to keep it for the request that it
    /// overtakes.
    pub fn remember(&mut self, recorded: Value) {
        if let Self::Change { slot } = self {
            slot.recorded = Some(recorded);
        }
    }

    /// Returns `true` if `steps` are to be carried out. A change is noted before that.
    ///
    /// # Errors
    ///
    /// Returns an error if the change cannot be noted, if the desired state has changed (of kind
    /// [`Outdated`](aws::Kind::Outdated)), or if CloudFormation does not confirm that the
    /// resource to restore exists. Nothing has changed.
    pub async fn proceeds<S>(&mut self, steps: &[S]) -> Result<bool, Error> {
        match self {
            Self::Change { slot } if !steps.is_empty() => {
                slot.begin().await?;
                Ok(true)
            }
            Self::Repair { state, entry, version, stacks } if !steps.is_empty() => {
                if let Some(stacks) = stacks {
                    stacks.expect(entry).await?;
                }
                let key = entry.key();
                match state.read(&key).await? {
                    Some((_, now)) if now == **version => Ok(true),
                    // No stack waits for a repair.
                    _ => {
                        Err(Error::superseded(format!("put back what {key} says"))
                            .read_by(Reader::Log))
                    }
                }
            }
            Self::Change { .. } | Self::Repair { .. } | Self::Report => Ok(false),
        }
    }
}
