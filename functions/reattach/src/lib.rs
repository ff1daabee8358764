//! Restores what somebody detached, switched off or deleted.
//!
//! The function is invoked with events, in batches from a queue, and by a schedule. An event only
//! says where to look: the desired state is read from the state bucket, the observed state is read
//! from AWS, and the plan between the two is the one of the custom resources.
//!
//! Lambda may run several invocations at once. Only the one that holds the lease in the state
//! bucket works. The others wait for the lease, and their events are delivered again if that takes
//! too long.

mod messages;
mod metrics;
mod page;
mod restore;
mod settings;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ::member_accounts::accounts_of;
use aws::{Need, Session};
use errors::chain;
use lambda_runtime::Diagnostic;
use media::Mail;
use members::member_runs::start_unanswered;
use plan::desired_state::{Entry, PREFIX};
use plan::id::{AccountId, PolicyType, RunId};
use plan::member_accounts::run::{BATCH, read_batches};
use plan::member_accounts::{self, Account, Listed};
use plan::properties::Properties;
use plan::reattach::{
    Accounts, Event, Finding, Health, HealthChange, Large, Last, Lease, RepairOutcome, Start,
    Sweep, Task, Work, notice, start, work,
};
use serde_json::Value;
use stacks::Stacks;
use state::lease::{Taken, take};
use state::{Expected, State, Version};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{error, info, warn};

pub use crate::messages::Response;
use crate::messages::{Invocation, Message, is_heartbeat};
use crate::metrics::Metrics;
use crate::page::Page;
use crate::restore::{Repairer, Retry};
pub use crate::settings::{InvalidSettings, Mode, Settings};

/// The key of the object that lists the accounts of the last notification.
const HEALTH: &str = "health/backup-policy.json";

/// The time before the end of the invocation in which no more resources are checked.
const MARGIN: Duration = Duration::from_secs(5);

/// The most entries that are checked, which is many times the number of resources in the stacks.
const MOST: usize = 2_000;

/// The most accounts with an invalid effective policy for which details are read.
const DETAILS: usize = 10;

/// One invocation by Lambda.
#[derive(Clone, Copy, Debug)]
pub struct Invoked<'a> {
    /// The ID of the request, which stays the same when Lambda repeats the request.
    pub request: &'a str,
    /// The log stream of this invocation. No other invocation uses it at the same time.
    pub log_stream: &'a str,
    /// The time at which Lambda stops the function.
    pub deadline: Instant,
    /// The same time on the clock that all invocations share.
    pub end: SystemTime,
}

/// The time at which the resource of each entry was last found or restored to its desired state, by
/// key.
///
/// It lasts as long as the process, and saves reads when events arrive late or twice.
#[derive(Debug, Default)]
pub struct Memory(RefCell<BTreeMap<String, SystemTime>>);

/// The reason why an invocation has to be repeated.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// The state bucket could not be read, so the desired state is unknown.
    #[error("cannot read the desired state")]
    State(#[source] aws::Error),
    /// It is unknown whether another invocation is working.
    #[error("cannot take the lease, so another invocation may be running")]
    Lease(#[source] aws::Error),
    /// Another invocation is working, and does not handle this event.
    #[error("the event is left out, since request {0} is running; Lambda tries it again")]
    Busy(String),
    /// Another invocation is working, and is not a complete sweep.
    #[error(
        "this sweep is left out, since request {0} is running; Lambda tries it again, and the \
         schedule starts the next one"
    )]
    LeftOut(String),
    /// Some resources could not be checked or restored.
    #[error("{0} resources were not checked or not put back, and the log says why")]
    Resources(usize),
}

impl From<Unfinished> for Diagnostic {
    fn from(unfinished: Unfinished) -> Self {
        Self { error_type: "Unfinished".to_owned(), error_message: chain(&unfinished) }
    }
}

/// Checks and restores what `payload` asks for, and returns the messages that are to be delivered
/// again.
///
/// # Errors
///
/// Returns an error if nothing could be checked, or if a failure has no message in a queue that
/// could be delivered again. Everything restored so far stays restored, and invoking again resumes.
pub async fn handle(
    session: &Session,
    settings: &Settings,
    memory: &Memory,
    payload: &Value,
    invoked: Invoked<'_>,
) -> Result<Response, Unfinished> {
    if is_heartbeat(payload) {
        return Ok(Response::alive(settings.mode));
    }
    let invocation = Invocation::read(payload, &settings.own_roles);
    if matches!(&invocation, Invocation::Events(events) if events.is_empty()) {
        return Ok(Response::default());
    }
    let now = SystemTime::now();
    // Findings have to be reported before the function is stopped.
    let deadline = invoked.deadline;
    let left = deadline.saturating_duration_since(Instant::now());
    let until = deadline - MARGIN.min(left / 5);
    let Some(state) = State::of(session, until) else { return Ok(Response::default()) };
    let stacks = &Stacks::new(session, until);
    let repairer = Repairer {
        session,
        state: &state,
        stacks,
        mode: settings.mode,
        administrators: settings.administrators.as_ref(),
        now,
        deadline: until,
    };
    let visit = Visit { repairer, settings, memory, invoked };
    // Boxed, because the compiler gives up on the depth of the nested futures of the AWS clients.
    Box::pin(visit.run(invocation)).await
}

/// One invocation.
struct Visit<'a> {
    repairer: Repairer<'a>,
    settings: &'a Settings,
    memory: &'a Memory,
    invoked: Invoked<'a>,
}

/// The stored entry of one resource, with its version.
type Kept = (Entry, Version);

impl Visit<'_> {
    /// Reads the state and, if the invocation asks for work, does that work under the lease.
    async fn run(&self, invocation: Invocation) -> Result<Response, Unfinished> {
        let started = Instant::now();
        let read = self.read().await?;
        let asked = self.asked(&invocation, &read.kept);
        if asked.all.is_nothing() && read.findings.is_empty() {
            info!("the events concern no resource that has a desired state");
            return Ok(Response::default());
        }
        let task = match &invocation {
            Invocation::Schedule => Task::Sweep,
            Invocation::Events(_) => Task::Events,
        };
        let Invoked { request, log_stream, deadline, end } = self.invoked;
        let lease = Lease::new(request, log_stream, task, end);
        let now = || end - deadline.saturating_duration_since(Instant::now());
        // Half of the time is enough for most of the work. It also ensures that one of the two
        // retries by Lambda, after a sweep was cut off, comes when the lease of that sweep has
        // ended.
        let patience = started + deadline.saturating_duration_since(started) / 2;
        let taken = take(self.repairer.state, lease.clone(), now, patience).await;
        let turn = match taken.map_err(Unfinished::Lease)? {
            Taken::Ours(turn) => turn,
            Taken::Theirs(other) => return leave(&invocation, &lease, other),
        };
        let done = async {
            let (read, asked) = if turn.has_waited() {
                // The state is read again, so that nothing is restored and reported twice.
                let read = self.read().await?;
                let asked = self.asked(&invocation, &read.kept);
                (read, asked)
            } else {
                (read, asked)
            };
            self.work(&invocation, read, asked, started).await
        };
        let done = done.await;
        // Ending the lease may use the time up to the deadline, which is a little more than the
        // work had.
        if let Some(state) = State::of(self.repairer.session, deadline) {
            turn.end(&state).await;
        }
        done
    }

    /// Reads the desired state, and the results of the last complete sweep.
    async fn read(&self) -> Result<Read, Unfinished> {
        let mut findings = Vec::new();
        let mut again = Again::default();
        let before = self.last_sweep(&mut findings).await;
        let kept = self.kept(&before, &mut findings, &mut again).await;
        let kept = kept.map_err(Unfinished::State)?;
        Ok(Read { kept, before, findings, again })
    }

    /// Returns the work that the invocation asks for.
    fn asked(&self, invocation: &Invocation, kept: &[Kept]) -> Asked {
        let entries = || kept.iter().map(|(entry, _)| entry);
        let looked = |key: &str| self.memory.0.borrow().get(key).copied();
        match invocation {
            Invocation::Schedule => Asked { all: Work::everything(entries()), each: vec![] },
            Invocation::Events(events) => {
                let asks = |it: &Message| (it.id.clone(), work(&it.event, entries(), looked));
                let each: Vec<_> = events.iter().map(asks).collect();
                let all = each.iter().fold(Work::default(), |all, (_, it)| all.and(it.clone()));
                Asked { all, each }
            }
        }
    }

    /// Does the work, and reports its results.
    async fn work(
        &self,
        invocation: &Invocation,
        read: Read,
        asked: Asked,
        started: Instant,
    ) -> Result<Response, Unfinished> {
        let Read { kept, before, mut findings, mut again } = read;
        let Asked { all, each: asked } = asked;
        let sweep = Sweep::of(self.repairer.now, kept.iter().map(|(entry, _)| entry));
        let tally = self.repairer.session.tally();
        let (calls, throttled) = (tally.calls(), tally.throttled());
        // If some entries cannot be read now, an event may be about one of them.
        let is_all_known = again.keys.is_empty();
        let page = match invocation {
            Invocation::Schedule => Page::begin(self.repairer, &kept).await,
            Invocation::Events(_) => None,
        };
        let listed = page.as_ref().map(Page::listed);
        let is_started = self.members(&kept, &all.accounts, listed).await;
        self.look_after(kept, &all, &before, &mut findings, &mut again).await;
        let health = self.health(&all).await;
        let causes: Vec<&Event> = match invocation {
            Invocation::Schedule => vec![],
            Invocation::Events(events) => {
                let asks = |it: &Work| !it.is_nothing();
                let pairs = events.iter().zip(&asked);
                pairs.filter(|(_, (_, it))| asks(it)).map(|(it, _)| &it.event).collect()
            }
        };
        let is_told_before = match invocation {
            Invocation::Schedule => false,
            Invocation::Events(events) => events.iter().all(|it| it.is_again),
        };
        // Temporary failures are not reported while they are retried. A denied permission is
        // reported only on the first delivery.
        let untold: BTreeSet<_> =
            again.keys.iter().filter(|it| is_told_before || !again.denied.contains(*it)).collect();
        if let Some(notice) = news(&findings, &untold, &causes, &health) {
            self.tell(&notice).await;
        }
        // The page is written last, so that nothing waits for it.
        if let Some(page) = page {
            page.write(self.repairer, health.withheld.clone()).await;
        }
        let failed =
            findings.iter().filter(|it| matches!(it.outcome, RepairOutcome::Failed(_))).count();
        let is_whole = again.keys.is_empty() && failed == 0 && health.is_known() && is_started;
        let drifted = findings.iter().filter(|it| !it.steps.is_empty());
        let repaired = drifted.clone().filter(|it| it.outcome == RepairOutcome::Done).count();
        let first = causes.iter().filter_map(|it| it.time).min().filter(|_| repaired > 0);
        let took = started.elapsed().as_secs_f64();
        let metrics = Metrics {
            drift_found: drifted.count(),
            repaired,
            failed,
            seconds_to_repair: first.map(|it| {
                let waited = self.repairer.now.duration_since(it).unwrap_or_default();
                waited.as_secs_f64() + took
            }),
            api_calls: tally.calls() - calls,
            throttles: tally.throttled() - throttled,
            invalid_accounts: health.count,
            sweep: matches!(invocation, Invocation::Schedule) && is_whole,
        };
        (self.settings.tell)(&metrics.line(self.repairer.now));
        if metrics.sweep {
            self.note(&sweep).await;
        }
        let unfinished = |it: &Work| {
            !is_all_known
                || !it.entries.is_disjoint(&again.keys)
                || (it.health && !health.is_known())
                || (it.accounts != Accounts::default() && !is_started)
        };
        let delayed = asked.into_iter().filter(|(_, it)| unfinished(it)).map(|(id, _)| id);
        let delayed: Vec<String> = delayed.collect();
        // Without a queue, there is no message to return, and only a failure causes a retry.
        if delayed.iter().any(String::is_empty)
            || (matches!(invocation, Invocation::Schedule) && !is_whole)
        {
            return Err(Unfinished::Resources(failed.max(again.keys.len()).max(1)));
        }
        Ok(Response::again(delayed))
    }

    /// Reads the time and the entries of the last complete sweep. If they cannot be read, adds a
    /// finding and returns a sweep in which nothing counts as new.
    async fn last_sweep(&self, findings: &mut Vec<Finding>) -> Sweep {
        match self.repairer.state.for_what_is(Need::Helpful).last_sweep().await {
            Ok(found) => found.unwrap_or_default(),
            Err(error) => {
                findings.push(unread(Sweep::KEY, &error));
                Sweep::default()
            }
        }
    }

    /// Reads the desired state. An entry that cannot be read becomes a finding, and the others are
    /// still read. Entries that existed `before` come first, and the time for each entry is
    /// limited.
    async fn kept(
        &self,
        before: &Sweep,
        findings: &mut Vec<Finding>,
        again: &mut Again,
    ) -> Result<Vec<Kept>, aws::Error> {
        let state = self.repairer.state;
        let mut kept = Vec::new();
        let mut keys = state.list(PREFIX).await?;
        keys.sort_by_key(|it| !before.has(it));
        for key in keys.iter().skip(MOST) {
            let why = format!("there are more than {MOST} entries, and it is beyond this limit");
            findings.push(refused(key, why));
        }
        for key in keys.into_iter().take(MOST) {
            match state.for_what_is(Need::Helpful).entry(&key).await {
                Ok(Some(it)) => kept.push(it),
                // The entry was removed after it was listed.
                Ok(None) => {}
                Err(error) => {
                    again.note(&key, Retry::after(Some(error.kind())));
                    findings.push(unread(&key, &error));
                }
            }
        }
        kept.sort_by_key(|(entry, _)| entry.kind);
        Ok(kept)
    }

    /// Checks and restores the resources that `work` names. Resources that others depend on come
    /// first.
    async fn look_after(
        &self,
        kept: Vec<Kept>,
        work: &Work,
        before: &Sweep,
        findings: &mut Vec<Finding>,
        again: &mut Again,
    ) {
        let mut types_failed = false;
        // Disabling the type causes more than one message, and another invocation may have the one
        // that leads to enabling it again. In this invocation, policy types come before policies.
        let is_type_awaited = self.repairer.mode == Mode::Repair
            && kept.iter().any(|(entry, _)| {
                let is_type = entry.kind.enables_types() && !entry.is_deleted();
                is_type && !work.entries.contains(&entry.key())
            });
        let entries = kept.iter().map(|(entry, _)| entry);
        let wanted: BTreeSet<_> = entries.filter(|it| !it.is_deleted()).flat_map(types).collect();
        for (entry, version) in kept {
            let (key, kind) = (entry.key(), entry.kind);
            // Settings left by a deleted resource belong to a live resource with the same policy
            // type.
            if entry.is_deleted() && types(&entry).iter().any(|it| wanted.contains(it)) {
                continue;
            }
            if !work.entries.contains(&key) || kind.is_run() {
                continue;
            }
            if types_failed && kind.needs_types() {
                info!(key, "left for later, since the policy type may not be enabled");
                again.note(&key, Retry::Passing);
                continue;
            }
            let started = SystemTime::now();
            let mut looked = self.repairer.look_after(entry, version, before).await;
            if looked.needs_type && is_type_awaited {
                looked.retry = Retry::Passing;
            }
            let is_fine = looked.finding.outcome == RepairOutcome::Done;
            let passes = looked.retry == Retry::Passing;
            types_failed |= !is_fine && passes && kind.enables_types();
            again.note(&key, looked.retry);
            if is_fine && looked.retry == Retry::Never {
                self.memory.0.borrow_mut().insert(key, started);
            }
            findings.push(looked.finding);
        }
    }

    /// Starts the member work of these accounts. A state machine carries it out, and returns to
    /// accounts whose role does not exist yet. Returns `true` if all required work was started.
    async fn members(&self, kept: &[Kept], accounts: &Accounts, listed: Option<&[Listed]>) -> bool {
        if *accounts == Accounts::default() {
            return true;
        }
        let Repairer { stacks, mode, now, .. } = self.repairer;
        let mut is_started = true;
        for (entry, _) in kept.iter().filter(|(it, _)| it.kind.is_run()) {
            if entry.is_changing(now) || entry.is_deleted() {
                continue;
            }
            let key = entry.key();
            let properties = match entry.wanted() {
                Ok(Some(Properties::MemberAccounts(it))) => it,
                Ok(_) => continue,
                Err(misfit) => {
                    error!(key, reason = chain(&misfit), "the member work was not started");
                    is_started = false;
                    continue;
                }
            };
            if mode == Mode::Report {
                info!(key, ?accounts, "the member work is not started, since Mode is Report");
                continue;
            }
            if let Err(error) = stacks.expect(entry).await {
                is_started &= error.is_absent();
                error!(key, reason = chain(&error), "the member work was not started");
                continue;
            }
            // Boxed, because the compiler gives up on the depth of the nested futures of the AWS
            // clients.
            match Box::pin(self.start(entry, &properties, accounts, listed)).await {
                Ok(is_all) => is_started &= is_all,
                Err(error) => {
                    error!(key, reason = chain(&error), "the member work was not started");
                    is_started = false;
                }
            }
        }
        is_started
    }

    /// Starts the member work of one resource. Returns `true` if no work waits for another run to
    /// end.
    async fn start(
        &self,
        entry: &Entry,
        properties: &member_accounts::Properties,
        asked: &Accounts,
        listed: Option<&[Listed]>,
    ) -> Result<bool, resources::Error> {
        let Repairer { session, state, now, deadline, .. } = self.repairer;
        let all = accounts_of(session, properties, listed, deadline).await?;
        let last = self.last_run(entry, asked).await?;
        let Start { accounts, is_large, waits } = start(asked, all, last.as_ref());
        let key = entry.key();
        if waits {
            info!(key, "the member work waits for the end of the current run");
        }
        if accounts.is_empty() {
            info!(key, "no member work is started, since no account needs it");
            return Ok(!waits);
        }
        let run = run(entry, &accounts, now);
        let count = accounts.len();
        if start_unanswered(session, &run, properties, &accounts, deadline).await? {
            info!(key, %run, accounts = count, "the member work was started");
            if is_large {
                let large = Large::at(run, now).text();
                state.write(&Large::key(entry), large, Expected::Anything).await?;
            }
        }
        Ok(!waits)
    }

    /// Returns the last large run of a resource, if it affects what is asked for.
    async fn last_run(&self, entry: &Entry, asked: &Accounts) -> Result<Option<Last>, aws::Error> {
        let Repairer { state, now, .. } = self.repairer;
        if matches!(asked, Accounts::These(these) if these.len() <= BATCH) {
            return Ok(None);
        }
        let key = Large::key(entry);
        let Some((text, _)) = state.read(&key).await? else { return Ok(None) };
        let large = match Large::read(&text) {
            Ok(large) => large,
            // The run is started once more, which does no harm, and is recorded anew.
            Err(error) => {
                warn!(key, why = chain(&error), "the record of an earlier run cannot be used");
                return Ok(None);
            }
        };
        if !large.is_recent(now) {
            return Ok(None);
        }
        let key = large.run.batches_key();
        let Some((text, _)) = state.read(&key).await? else { return Ok(None) };
        let batches = match read_batches(&text) {
            Ok(batches) => batches,
            // The run is started once more, which does no harm.
            Err(error) => {
                warn!(key, why = chain(&error), "the batches of an earlier run cannot be used");
                return Ok(None);
            }
        };
        let is_over = !state.list(&large.run.report_key()).await?.is_empty();
        Ok(Some(Last::of(&batches, large.may_go_on(now) && !is_over)))
    }

    /// Asks AWS for the accounts that have an invalid effective policy, if `work` includes that.
    async fn health(&self, work: &Work) -> Checked {
        if !work.health {
            return Checked::default();
        }
        match self.check().await {
            Ok(checked) => checked,
            Err(error) => {
                error!(reason = chain(&error), "the effective policies are not known");
                Checked { failed: true, ..Checked::default() }
            }
        }
    }

    async fn check(&self) -> Result<Checked, aws::Error> {
        let state = self.repairer.state;
        let management = self.repairer.session.management(None, self.repairer.deadline).await?;
        let management = management.for_what_is(Need::Helpful);
        let frozen = organization::publication::frozen(&management, DETAILS).await?;
        let now = Health { invalid_accounts: frozen.iter().map(|it| it.account.clone()).collect() };
        let found = state.read(HEALTH).await?;
        let before = found.as_ref().map(|(text, _)| Health::read(text)).unwrap_or_default();
        let change = before.change(&now);
        if change.is_some() {
            let version = found.as_ref().map(|(_, version)| version);
            let expected = version.map_or(Expected::Nothing, Expected::Still);
            state.write(HEALTH, now.text(), expected).await?;
        }
        Ok(Checked {
            count: Some(frozen.len()),
            details: frozen.iter().take(DETAILS).map(ToString::to_string).collect(),
            withheld: Some(organization::tree::words(&frozen)),
            change,
            failed: false,
        })
    }

    /// Stores the time and the entries of a complete sweep.
    async fn note(&self, sweep: &Sweep) {
        let written = self.repairer.state.write(Sweep::KEY, sweep.text(), Expected::Anything).await;
        if let Err(error) = written {
            error!(reason = chain(&error), "the end of the sweep could not be stored");
        }
    }

    /// Sends a notification. A failure to send it does not repeat the work.
    async fn tell(&self, mail: &Mail) {
        info!(subject = mail.subject(), text = mail.text(), "told");
        let Some(topic) = &self.settings.topic else { return };
        let deadline = self.invoked.deadline;
        let published = self.repairer.session.publish(topic, mail, deadline);
        if let Err(failed) = published.await {
            error!(reason = chain(&failed), "the notification could not be sent");
        }
    }
}

/// The data that was read before the work, and the findings about it.
struct Read {
    kept: Vec<Kept>,
    /// The time and the entries of the last complete sweep.
    before: Sweep,
    findings: Vec<Finding>,
    again: Again,
}

/// The work that an invocation asks for, in total and for each message.
struct Asked {
    all: Work,
    each: Vec<(String, Work)>,
}

/// Ends the invocation without work, because another one holds the lease, and has the messages
/// delivered again. A sweep that the other invocation covers does not need to be repeated.
fn leave(invocation: &Invocation, lease: &Lease, other: Lease) -> Result<Response, Unfinished> {
    let Lease { holder: request, log_stream, .. } = &other;
    match invocation {
        Invocation::Schedule if other.covers(lease) => {
            info!(request, log_stream, "another sweep is running, which covers this one");
            Ok(Response::default())
        }
        Invocation::Schedule => Err(Unfinished::LeftOut(other.holder)),
        Invocation::Events(events) if events.iter().any(|it| it.id.is_empty()) => {
            Err(Unfinished::Busy(other.holder))
        }
        Invocation::Events(events) => {
            warn!(
                request,
                log_stream, "the messages are delivered again, since another invocation is running"
            );
            Ok(Response::again(events.iter().map(|it| it.id.clone())))
        }
    }
}

/// The keys of the entries to check again.
#[derive(Debug, Default)]
struct Again {
    keys: BTreeSet<String>,
    /// The keys for which a permission is missing.
    denied: BTreeSet<String>,
}

impl Again {
    fn note(&mut self, key: &str, retry: Retry) {
        match retry {
            Retry::Never => return,
            Retry::Denied => _ = self.denied.insert(key.to_owned()),
            Retry::Passing => {}
        }
        self.keys.insert(key.to_owned());
    }
}

/// Returns the notification, without the findings in `untold`, which are tried again.
fn news(
    findings: &[Finding],
    untold: &BTreeSet<&String>,
    causes: &[&Event],
    health: &Checked,
) -> Option<Mail> {
    let is_over = |it: &&Finding| {
        let failed = matches!(it.outcome, RepairOutcome::Failed(_));
        !(failed && untold.iter().any(|key| key.ends_with(&format!("/{}.json", it.owner))))
    };
    let findings: Vec<_> = findings.iter().filter(is_over).cloned().collect();
    let details = if health.change.is_some() { health.details.as_slice() } else { &[] };
    notice(&findings, causes, health.change.as_ref(), details)
}

/// Returns the policy types that a resource enables. An unreadable entry is reported elsewhere,
/// when its resource is checked.
fn types(entry: &Entry) -> Vec<PolicyType> {
    match entry.wanted() {
        Ok(Some(Properties::PolicyTypes(it))) => it.policy_types.0,
        Ok(
            Some(
                Properties::ServiceAccess(_)
                | Properties::GlobalSettings(_)
                | Properties::BackupPolicy(_)
                | Properties::MemberAccounts(_),
            )
            | None,
        )
        | Err(_) => vec![],
    }
}

/// Returns the ID of the member run for an entry. A repeated request within the same minute gets
/// the same ID.
fn run(entry: &Entry, accounts: &[Account], now: SystemTime) -> RunId {
    let minute = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    let ids = accounts.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(",");
    RunId::of_request(&entry.stack_id, &format!("{} {ids} {minute}", entry.logical_id))
}

/// The findings of AWS about effective policies.
#[derive(Debug, Default)]
struct Checked {
    /// The number of accounts with an invalid effective policy, or `None` if AWS was not asked.
    count: Option<usize>,
    details: Vec<String>,
    /// The errors that AWS reports, by account.
    withheld: Option<BTreeMap<AccountId, Vec<String>>>,
    change: Option<HealthChange>,
    failed: bool,
}

impl Checked {
    /// Returns `true` unless AWS was asked and the request failed.
    fn is_known(&self) -> bool {
        !self.failed
    }
}

/// Returns the finding that an entry cannot be read.
fn unread(key: &str, error: &aws::Error) -> Finding {
    refused(key, chain(&error))
}

/// Returns the finding that an entry is skipped, and the reason.
fn refused(key: &str, reason: String) -> Finding {
    let owner = key.strip_prefix(PREFIX).and_then(|it| it.split_once('/'));
    let owner = owner.map_or(key, |(_, owner)| owner).trim_end_matches(".json").to_owned();
    error!(key, reason, "not read");
    let (name, outcome) = ("desired state".to_owned(), RepairOutcome::Failed(reason));
    Finding { name, owner, steps: vec![], is_new: false, outcome }
}
