//! Runs in batches: the start, the work of each invocation, and the end.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use aws::{Machine, Session};
use cfn::{Failure, Task, Ticket};
use errors::advised;
use futures_util::stream::iter;
use members::member_runs;
use organization::accounts::Identity;
use plan::id::{AccountId, RunId};
use plan::member_accounts::run::{Batch, Order, read_batches};
use plan::member_accounts::{
    Account, Ending, Failure as Unready, MemberOutcome, Properties, Refusal, Tally,
};
use plan::resource::ResourceKind;
use plan::serialized;
use resources::slot::{Slot, Subject};
use serde::Deserialize;
use serde_json::{Value, json};
use state::{Expected, State};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::fleet::{Barred, Fleet, Roles};
use crate::{LAST_WORDS, last_call, reply, report};

/// The reason why a step of the state machine cannot be done.
#[derive(Debug, Error)]
enum Broken {
    #[error("the event is neither a request of CloudFormation nor a step of the state machine")]
    Event,
    #[error("{}", advised("`STATE_BUCKET` is not set", Some(KEEPS)))]
    NoState,
    #[error("{}", advised(format_args!("there is no {_0}"), Some(REMOVED)))]
    Missing(String),
    #[error("{0} cannot be understood")]
    Unreadable(String, #[source] serde_json::Error),
}

/// The hint about a missing state bucket.
const KEEPS: &str = "a run in batches keeps everything there";

/// The hint about a missing object of the run.
const REMOVED: &str = "somebody removed it, so start another run";

/// The longest duration of summing up after which it is tried again. The nine tries of the state
/// machine then take less than half of the hour that CloudFormation waits.
const TRY: Duration = Duration::from_mins(2);

/// Returns `true` if everything about `run` is already written, so at most its start is missing.
pub(crate) async fn is_written_down(state: &State, run: &RunId) -> Result<bool, Failure> {
    Ok(state.read(&run.order_key()).await?.is_some())
}

/// A run that is starting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'a> {
    pub(crate) state: &'a State,
    pub(crate) machine: &'a Machine,
    pub(crate) id: &'a RunId,
    pub(crate) ticket: &'a Ticket,
}

impl Beginning<'_> {
    /// Writes everything about the run and starts the state machine.
    ///
    /// # Errors
    ///
    /// Returns an error if that fails. The state machine then does not answer.
    pub(crate) async fn start(
        &self,
        properties: &Properties,
        identity: &Identity,
        fleet: &Fleet<'_>,
        skipped: BTreeMap<String, usize>,
        accounts: &[Account],
    ) -> Result<(), Failure> {
        let order = Order {
            properties: properties.clone(),
            management: identity.management.clone(),
            partition: identity.partition.clone(),
            accounts: accounts.len(),
            skipped,
            supported: fleet.all_supported().await,
        };
        let answer = serialized::text(self.ticket);
        let Self { state, machine, id, .. } = self;
        Ok(member_runs::start(state, machine, id, &order, accounts, Some(answer)).await?)
    }
}

/// An event from the state machine, or from EventBridge about the state machine.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEvent {
    batch: Option<Batch>,
    finish: Option<Finish>,
    #[serde(rename = "detail")]
    ended: Option<Ended>,
}

/// An execution that ended without success: `Step Functions Execution Status Change`.
#[derive(Debug, Deserialize)]
struct Ended {
    /// The name of the execution, which is the ID of its run.
    name: String,
    status: Ending,
    error: Option<String>,
    cause: Option<String>,
}

/// The end of a run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finish {
    run: RunId,
    /// The reason why the map failed, if it did.
    map_failed: Option<MapFailed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MapFailed {
    error: String,
}

/// Does one step of the state machine.
///
/// # Errors
///
/// Returns an error if the step was not done and has to be tried again.
pub async fn perform(session: &Session, task: Task) -> Result<Value, Failure> {
    let state = State::of(session, task.deadline);
    match serde_json::from_value(task.event).map_err(|_| Broken::Event)? {
        BatchEvent { batch: Some(batch), finish: None, ended: None } => {
            let state = state.ok_or(Broken::NoState)?;
            work(session, &state, batch, task.deadline).await
        }
        BatchEvent { batch: None, finish: Some(finish), ended: None } => {
            let state = state.ok_or(Broken::NoState)?;
            end(session, &state, finish, task.deadline).await
        }
        BatchEvent { batch: None, finish: None, ended: Some(ended) } => {
            let state = state.ok_or(Broken::NoState)?;
            abandon(session, &state, ended, task.deadline).await
        }
        BatchEvent { .. } => Err(Broken::Event.into()),
    }
}

/// Works in the accounts of a batch and returns those that are left.
async fn work(
    session: &Session,
    state: &State,
    batch: Batch,
    deadline: Instant,
) -> Result<Value, Failure> {
    let order = order(state, &batch.run).await?;
    let properties = &order.properties;
    let desired = properties.desired().map_err(resources::Error::from)?;
    let until = last_call(deadline);
    let management = session.management(properties.management_role_arn.as_ref(), until).await?;
    let identity = Identity { management: order.management, partition: order.partition };
    let roles = Roles::of(properties)?;
    let fleet = Fleet::new(&management, &identity, &desired, roles, order.supported, until);
    let total = Cell::new(Some(batch.accounts.len()));
    let accounts = iter(batch.accounts.clone());
    let barred = if batch.is_patient() { Barred::Keep } else { Barred::Fail };
    let work = fleet.work(accounts, properties.concurrency(), &total, barred).await;
    let tally = serialized::text(&work.tally);
    let result = format!("{tally}\n{}", work.report);
    state.write(&batch.result_key(), result, Expected::Anything).await?;
    let (ready, not_ready) = (work.tally.ready, work.tally.not_ready);
    let (unreached, barred) = (work.unreached.len(), work.barred.len());
    info!(index = batch.index, ready, not_ready, unreached, barred, "batch");
    Ok(batch.next(work.unreached, work.barred))
}

/// Sums up the results of all batches, and answers CloudFormation if it still waits.
///
/// The state machine retries a failure, except one after a long attempt: CloudFormation does not
/// wait for many of those, so the first one is reported to it.
async fn end(
    session: &Session,
    state: &State,
    finish: Finish,
    deadline: Instant,
) -> Result<Value, Failure> {
    let started = Instant::now();
    let run = finish.run.clone();
    let until = last_call(deadline);
    let patient = State::of(session, until).ok_or(Broken::NoState)?;
    let sum = match sum(&patient, finish).await {
        Err(failure) if Instant::now() + LAST_WORDS < until.min(started + TRY) => {
            return Err(failure);
        }
        Err(failure) => Err(failure),
        Ok(sum) => Ok(sum),
    };
    let summary = sum.as_ref().ok().map(Sum::summary);
    let answering = Answering { session, state, run: &run, started, deadline };
    match (answering.answer(sum).await?, summary) {
        (_, Some(summary)) => Ok(summary),
        (Ok(()), None) => Ok(Value::Null),
        // The failure has not been reported to anyone.
        (Err(failure), None) => Err(failure),
    }
}

/// Answers CloudFormation, if it still waits, that the run ended before its last step answered.
async fn abandon(
    session: &Session,
    state: &State,
    ended: Ended,
    deadline: Instant,
) -> Result<Value, Failure> {
    let started = Instant::now();
    let Ended { name, status: ending, error, cause } = ended;
    let Ok(run) = name.parse::<RunId>() else {
        info!(name, "the execution is not a run of a resource");
        return Ok(Value::Null);
    };
    let why = [error, cause].into_iter().flatten().filter(|it| !it.is_empty());
    let why = why.collect::<Vec<_>>().join(": ");
    let why = if why.is_empty() { "no reason was given".to_owned() } else { why };
    warn!(%run, %ending, why, "the execution did not succeed");
    let refusal = Refusal::Ended { run: run.clone(), ending, why };
    let answering = Answering { session, state, run: &run, started, deadline };
    // If no request waits, either the last step has answered, or the run was not started by a
    // request.
    let _told_or_not = answering.answer(Err(resources::Error::from(refusal).into())).await?;
    Ok(Value::Null)
}

/// The results of a run.
struct Sum {
    properties: Properties,
    tally: Tally,
    report: Option<String>,
    judged: Result<(), Refusal>,
}

impl Sum {
    fn summary(&self) -> Value {
        json!({ "Ready": self.tally.ready, "NotReady": self.tally.not_ready })
    }
}

/// Sums up the results of all batches, and writes the report.
async fn sum(state: &State, finish: Finish) -> Result<Sum, Failure> {
    let Finish { run, map_failed } = finish;
    let order = order(state, &run).await?;
    let properties = order.properties;
    let mut tally = Tally::default();
    tally.skipped = order.skipped;
    let mut lines = String::new();
    for key in state.list(&run.results_prefix()).await? {
        let (text, _) = state.read(&key).await?.ok_or_else(|| Broken::Missing(key.clone()))?;
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let some = serde_json::from_str(first).map_err(|it| Broken::Unreadable(key, it))?;
        tally.merge(some);
        lines += rest;
    }
    let lost =
        if tally.worked() < order.accounts { lost(state, &run, &lines).await? } else { vec![] };
    let count = lost.len();
    for account in lost {
        let is_member = account.id != order.management;
        let mut outcome = MemberOutcome::new(account, is_member);
        outcome.fail(Unready {
            region: None,
            problem: "not reached, since its batch failed".to_owned(),
            hint: "see the log of the function, and deploy again".to_owned(),
        });
        tally.add(&outcome);
        for line in outcome.lines() {
            // Writing to a string cannot fail.
            let _ = lines.write_str(&line.text());
        }
    }
    let report = report(Some(state), &run, lines).await?;
    let judged = match map_failed {
        Some(MapFailed { error }) if count > 0 => {
            warn!(error, count, "the map failed");
            Err(Refusal::Lost { lost: count, all: order.accounts, why: error })
        }
        _ => tally.judge(properties.on_not_ready, report.as_deref()),
    };
    Ok(Sum { properties, tally, report, judged })
}

/// The answer to the request that started a run. The first invocation to get here gives it.
struct Answering<'a> {
    session: &'a Session,
    state: &'a State,
    run: &'a RunId,
    started: Instant,
    deadline: Instant,
}

impl Answering<'_> {
    /// Answers if a request waits. Returns a failure that was not reported to anyone.
    async fn answer(&self, sum: Result<Sum, Failure>) -> Result<Result<(), Failure>, Failure> {
        let Self { session, state, run, started, deadline } = *self;
        let Some((ticket, version)) = state.read(&run.answer_key()).await? else {
            info!("no request waits for an answer");
            return Ok(sum.map(drop));
        };
        let unreadable = |it| Broken::Unreadable(run.answer_key(), it);
        let ticket: Ticket = serde_json::from_str(&ticket).map_err(unreadable)?;
        let (stack_id, logical_id, request) =
            (ticket.stack_id(), ticket.logical_id(), ticket.request_id());
        let now = SystemTime::now();
        let subject =
            Subject { kind: ResourceKind::MemberAccounts, stack_id, logical_id, request, now };
        let is_new = ticket.physical_id().is_none();
        let mut slot = Slot::open(session, subject, is_new, deadline).await?;
        if !slot.counts().await? {
            info!("no request waits for an answer any more, since another request came");
            state.erase(&run.answer_key(), &version).await?;
            return Ok(Ok(()));
        }
        let outcome = match sum {
            Ok(Sum { properties, tally, report, judged: Ok(()) }) => {
                let reply = reply(ticket.physical_id(), &tally, report);
                slot.settle(&reply.physical_id, &reply.physical_id, &properties).await?;
                Ok(reply)
            }
            Ok(Sum { judged: Err(refusal), .. }) => Err(resources::Error::from(refusal).into()),
            Err(failure) => Err(failure),
        };
        ticket.answer(&session.http(), outcome, started, deadline).await?;
        state.erase(&run.answer_key(), &version).await?;
        Ok(Ok(()))
    }
}

/// Returns the order of the run.
async fn order(state: &State, run: &RunId) -> Result<Order, Failure> {
    let key = run.order_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Broken::Missing(key.clone()))?;
    Ok(serde_json::from_str(&text).map_err(|it| Broken::Unreadable(key, it))?)
}

/// Returns the accounts of the run that do not appear in `lines`.
async fn lost(state: &State, run: &RunId, lines: &str) -> Result<Vec<Account>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        account: AccountId,
    }
    let known = lines.lines().filter_map(|it| serde_json::from_str::<Line>(it).ok());
    let known: BTreeSet<_> = known.map(|it| it.account).collect();
    let key = run.batches_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Broken::Missing(key.clone()))?;
    let batches = read_batches(&text).map_err(|it| Broken::Unreadable(key, it))?;
    let all = batches.into_iter().flat_map(|it| it.accounts);
    Ok(all.filter(|it| !known.contains(&it.id)).collect())
}
