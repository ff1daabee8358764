//! Looks into every account once a day, and keeps what is found.
//!
//! The schedule starts a run, which the state machine carries out: batches of accounts, one
//! invocation each, and then a last step that sums up. The command looks into accounts by the same
//! code, so that both find the same.
//!
//! Everything is written to the state bucket. A step that is repeated writes the same again, and
//! the record of the notices sent decides if another one is due.

mod batch;
mod begin;
mod destinations;
mod entrance;
mod finish;
mod metrics;
mod page;
mod setup;
mod survey;

use std::time::SystemTime;

use aws::{Clock, Session};
use errors::{advised, chain};
use lambda_runtime::Diagnostic;
use plan::id::RunId;
use plan::member_accounts::run::{Batch, read_batches};
use report::history::{Illegible, SweepOrder};
use serde::Deserialize;
use serde_json::{Value, json};
use state::State;
use thiserror::Error;
use tokio::time::Instant;
use tracing::{info, warn};

pub use crate::batch::first_seen;
pub use crate::destinations::{Destinations, Terms};
pub use crate::entrance::Entrance;
pub use crate::page::OrganizationPage;
pub use crate::setup::Setup;
pub use crate::survey::{Barred, CALLS_IN_REGION, Survey, Surveyor};

/// The scope of a sweep: all of every account.
const TERMS: Terms<'static> = Terms {
    resource: None,
    hint: "let `templates/members.yaml` reach it, and see that its role trusts the function",
};

/// One invocation by Lambda.
#[derive(Clone, Copy, Debug)]
pub struct Invoked<'a> {
    /// The time at which Lambda stops the function.
    pub deadline: Instant,
    /// AWS's clock, which the answers of the session set.
    pub clock: &'a Clock,
}

impl Invoked<'_> {
    /// Returns the time by AWS's clock, once AWS has answered.
    fn now(&self) -> SystemTime {
        self.clock.now(SystemTime::now())
    }
}

/// The reason why an invocation has to be repeated.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// The event is none that the function knows.
    #[error("the event is neither the schedule nor a step of the state machine")]
    Event,
    /// The event cannot be understood.
    #[error("the event cannot be understood")]
    Unreadable(#[source] serde_json::Error),
    /// The template does not name what the function works with.
    #[error("`{0}` is not set")]
    Unset(&'static str),
    /// An object of the run is not there.
    #[error("there is no {0}")]
    Missing(String),
    /// An object of the run cannot be understood.
    #[error("{0} cannot be understood")]
    Illegible(String, #[source] Illegible),
    /// The list of batches cannot be understood.
    #[error("{0} cannot be understood")]
    Batches(String, #[source] serde_json::Error),
    /// AWS did not do what was asked.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// Somebody was not told. Everything else is done.
    #[error("the change could not be sent to every channel")]
    Untold(#[source] aws::Error),
}

impl Unfinished {
    /// Returns the next step, unless the reason names it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unset(_) => Some("deploy `templates/coverage.yaml`"),
            Self::Missing(_) => Some("somebody removed it, so wait for the next sweep"),
            Self::Event
            | Self::Unreadable(_)
            | Self::Illegible(..)
            | Self::Batches(..)
            | Self::Aws(_)
            | Self::Untold(_) => None,
        }
    }
}

impl From<Unfinished> for Diagnostic {
    fn from(unfinished: Unfinished) -> Self {
        let error_message = advised(chain(&unfinished), unfinished.hint());
        Self { error_type: "Unfinished".to_owned(), error_message }
    }
}

/// The event of an invocation, which has one of these.
#[derive(Debug, Deserialize)]
struct SweepEvent {
    /// The schedule asks for a sweep.
    source: Option<Trigger>,
    /// The state machine asks for a batch.
    #[serde(rename = "Batch")]
    batch: Option<Batch>,
    /// The state machine asks for the end of a run.
    #[serde(rename = "Finish")]
    finish: Option<Finish>,
}

#[derive(Debug, Deserialize)]
enum Trigger {
    #[serde(rename = "org-backup.schedule")]
    Schedule,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finish {
    run: RunId,
}

/// Does what `event` asks for: starts a sweep, looks into the accounts of a batch, or sums up.
///
/// # Errors
///
/// Returns an error if that is not done as a whole. What is written stays, and the same event again
/// resumes.
pub async fn handle(
    session: &Session,
    setup: &Setup,
    event: Value,
    invoked: Invoked<'_>,
) -> Result<Value, Unfinished> {
    let state = State::of(session, invoked.deadline).ok_or(Unfinished::Unset("STATE_BUCKET"))?;
    // Each step is boxed, because the compiler gives up on the depth of the nested futures of the
    // AWS clients.
    match serde_json::from_value(event).map_err(Unfinished::Unreadable)? {
        SweepEvent { source: Some(Trigger::Schedule), batch: None, finish: None } => {
            Box::pin(begin::begin(session, &state, invoked)).await?;
            Ok(Value::Null)
        }
        SweepEvent { source: None, batch: Some(batch), finish: None } => {
            Box::pin(batch::look(session, &state, batch, invoked)).await
        }
        SweepEvent { source: None, batch: None, finish: Some(Finish { run }) } => {
            let ending = finish::Ending { session, state: &state, setup, run: &run, invoked };
            let summary = Box::pin(ending.finish()).await?;
            let (accounts, unread) = (summary.accounts.len(), summary.unread.len());
            info!(%run, accounts, unread, "the sweep is over");
            Ok(json!({ "Accounts": accounts, "NotLookedAt": unread }))
        }
        SweepEvent { .. } => Err(Unfinished::Event),
    }
}

/// Reads the order of a run.
async fn order(state: &State, run: &RunId) -> Result<SweepOrder, Unfinished> {
    let key = run.order_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Unfinished::Missing(key.clone()))?;
    SweepOrder::read(&text).map_err(|it| Unfinished::Illegible(key, it))
}

/// Reads the batches of a run.
async fn batches(state: &State, run: &RunId) -> Result<Vec<Batch>, Unfinished> {
    let key = run.batches_key();
    let (text, _) = state.read(&key).await?.ok_or_else(|| Unfinished::Missing(key.clone()))?;
    read_batches(&text).map_err(|it| Unfinished::Batches(key, it))
}

/// Returns what was stored, or `None` if it cannot be understood: then it is as if it were not
/// there.
fn kept<T>(key: &str, read: Result<T, Illegible>) -> Option<T> {
    read.map_err(|it| warn!(key, reason = chain(&it), "the stored document cannot be used")).ok()
}
