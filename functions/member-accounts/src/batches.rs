//! Runs in batches: how they start, what each invocation does of them, and how they end.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::SystemTime;

use aws::Session;
use aws::member_accounts::Identity;
use aws::member_runs::{self, Machine};
use aws::state::{Expected, Slot, State, Subject};
use cfn::{Failure, Task, Ticket};
use futures_util::stream::iter;
use plan::id::{AccountId, RunId};
use plan::member_accounts::run::{Batch, Order};
use plan::member_accounts::{Account, Failure as Unready, Outcome, Properties, Refusal, Tally};
use plan::resource::ResourceKind;
use plan::serialized;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::fleet::{Barred, Fleet};
use crate::{last_call, reply, report};

/// Why a step of the state machine cannot be done.
#[derive(Debug, Error)]
enum Broken {
    #[error("the event is neither a request of CloudFormation nor a step of the state machine")]
    Event,
    #[error("`STATE_BUCKET` is not set; hint: a run in batches keeps everything there")]
    NoState,
    #[error("there is no {0}; hint: somebody removed it, so start another run")]
    Missing(String),
    #[error("{0} cannot be understood")]
    Unreadable(String, #[source] serde_json::Error),
}

/// Whether everything of `run` was written down before, so that at most its start is missing.
pub(crate) async fn is_written_down(state: &State, run: &RunId) -> Result<bool, Failure> {
    Ok(state.read(&run.order_key()).await?.is_some())
}

/// A run that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'a> {
    pub(crate) state: &'a State,
    pub(crate) machine: &'a Machine,
    pub(crate) id: &'a RunId,
    pub(crate) ticket: &'a Ticket,
}

impl Beginning<'_> {
    /// Writes everything down and starts the state machine.
    ///
    /// # Errors
    ///
    /// When that fails. The state machine does not answer then.
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

/// An event that the state machine sends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    batch: Option<Batch>,
    finish: Option<Finish>,
}

/// The end of a run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finish {
    run: RunId,
    /// Why the map failed, if it did.
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
/// When the step was not done, so that it has to be tried again.
pub async fn perform(session: &Session, task: Task) -> Result<Value, Failure> {
    let state = session.state(task.deadline);
    match serde_json::from_value(task.event).map_err(|_| Broken::Event)? {
        Event { batch: Some(batch), finish: None } => {
            let state = state.ok_or(Broken::NoState)?;
            work(session, &state, batch, task.deadline).await
        }
        Event { batch: None, finish: Some(finish) } => {
            let state = state.ok_or(Broken::NoState)?;
            end(session, &state, finish, task.deadline).await
        }
        Event { .. } => Err(Broken::Event.into()),
    }
}

/// Works in the accounts of a batch and says which of them are left.
async fn work(
    session: &Session,
    state: &State,
    batch: Batch,
    deadline: Instant,
) -> Result<Value, Failure> {
    let order = order(state, &batch.run).await?;
    let properties = &order.properties;
    let desired = properties.desired()?;
    let until = last_call(deadline);
    let management = session.management(properties.management_role_arn.as_ref(), until).await?;
    let identity = Identity { management: order.management, partition: order.partition };
    let role_name = &properties.role_name;
    let fleet = Fleet::new(&management, &identity, &desired, role_name, order.supported, until);
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

/// Sums up what came of all batches, and answers CloudFormation where it waits.
async fn end(
    session: &Session,
    state: &State,
    finish: Finish,
    deadline: Instant,
) -> Result<Value, Failure> {
    let started = Instant::now();
    let Finish { run, map_failed } = finish;
    let order = order(state, &run).await?;
    let properties = &order.properties;
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
        let mut outcome = Outcome::new(account, is_member);
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
    let summary = json!({ "Ready": tally.ready, "NotReady": tally.not_ready });
    let Some((ticket, version)) = state.read(&run.answer_key()).await? else {
        info!(ready = tally.ready, not_ready = tally.not_ready, "nobody waits for an answer");
        return Ok(summary);
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
    let outcome = match judged {
        _ if !slot.counts().await? => {
            info!("nobody waits for an answer any more, since another request came");
            state.erase(&run.answer_key(), &version).await?;
            return Ok(summary);
        }
        Ok(()) => {
            let reply = reply(ticket.physical_id(), &tally, report);
            slot.settle(&reply.physical_id, &reply.physical_id, properties).await?;
            Ok(reply)
        }
        Err(refusal) => Err(refusal.into()),
    };
    ticket.answer(&session.http(), outcome, started, deadline).await?;
    state.erase(&run.answer_key(), &version).await?;
    Ok(summary)
}

/// What the run is to do.
async fn order(state: &State, run: &RunId) -> Result<Order, Failure> {
    let key = run.order_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Broken::Missing(key.clone()))?;
    Ok(serde_json::from_str(&text).map_err(|it| Broken::Unreadable(key, it))?)
}

/// The accounts of the run of which the lines say nothing.
async fn lost(state: &State, run: &RunId, lines: &str) -> Result<Vec<Account>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        account: AccountId,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Item {
        batch: Batch,
    }
    let known = lines.lines().filter_map(|it| serde_json::from_str::<Line>(it).ok());
    let known: BTreeSet<_> = known.map(|it| it.account).collect();
    let key = run.batches_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Broken::Missing(key.clone()))?;
    let items: Vec<Item> = serde_json::from_str(&text).map_err(|it| Broken::Unreadable(key, it))?;
    let all = items.into_iter().flat_map(|it| it.batch.accounts);
    Ok(all.filter(|it| !known.contains(&it.id)).collect())
}
