//! The life of a custom resource under deliveries as AWS makes them.
//!
//! Lambda delivers a request at least once: again after a failure, and now and then twice at once.
//! CloudFormation gives up on a request that is not answered and sends a Delete, which may overtake
//! it. So every request goes the same way here: what is kept of the resource says whether it still
//! counts; then it is served; and when another one got in between, it is looked at from the
//! beginning.
//!
//! # Guarantees
//!
//! - After a Delete that was answered with success, nothing of the resource exists, and no late
//!   request makes it again: what was at work meanwhile takes away what it has made.
//! - A request that another delivery brings to success is not answered with a failure.
//! - Deleting what was never created succeeds, whatever is wrong with the state.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new kind of end is decided on everywhere")]

mod error;
mod frame;

use aws::Session;
use aws::slot::{Intent, Leftover, Sequel, Slot, Subject};
use cfn::{Change, Failure, Outcome, Reply, Request};
use plan::resource::ResourceKind;
use plan::serialized;
use serde::Serialize;
use tracing::info;

pub use crate::error::Error;
pub use crate::frame::{Resource, handle, reach};

/// How often a request is served from the beginning, since another one got in between.
const ROUNDS: usize = 8;

/// Serves `request` for a resource of this `kind`. `is_issued` says of a physical ID whether the
/// function gave it, so that CloudFormation did not make it up.
///
/// `apply` makes the resource what its properties say, where it had other properties before if they
/// are known, and settles the slot. `remove` takes away what there may be of a resource with these
/// properties, and succeeds when there is nothing. Where the resource lives on
/// ([`Leftover::is_former`]), it leaves to it what `apply` made before the request was overtaken.
///
/// # Errors
///
/// Those of `apply` and `remove`, and when the state cannot be read or written. Sending the request
/// again resumes.
pub async fn serve<P: Serialize>(
    session: &Session,
    kind: ResourceKind,
    request: &Request<P>,
    is_issued: impl Fn(&str) -> bool,
    apply: impl AsyncFn(&P, Option<&P>, &mut Slot) -> Result<Outcome, Failure>,
    remove: impl AsyncFn(Option<&P>, &Leftover, Intent<'_>) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let subject = Subject {
        kind,
        stack_id: &request.stack_id,
        logical_id: &request.logical_id,
        request: &request.request_id,
        now: request.received,
    };
    let physical_id = request.physical_id.as_deref();
    let is_issued = physical_id.is_some_and(is_issued);
    for round in 1.. {
        let mut slot = match &request.change {
            Change::Apply { .. } => {
                let is_new = physical_id.is_none();
                Slot::open(session, subject, is_new, request.deadline).await?
            }
            Change::Remove { properties } => {
                let kept = properties.as_ref().map(serialized::value);
                let deadline = request.deadline;
                Slot::open_to_delete(session, subject, physical_id, is_issued, kept, deadline).await
            }
        };
        let counts = slot.counts().await?;
        let served = match &request.change {
            Change::Apply { properties, previous } if counts => {
                apply(properties, previous.as_ref(), &mut slot).await
            }
            Change::Apply { properties, .. } => {
                info!("the request is late");
                clear(properties, &slot, &remove).await?;
                if round < ROUNDS && !slot.is_unchanged().await? {
                    continue;
                }
                return Ok(Outcome::Silence);
            }
            Change::Remove { .. } if !counts => return Ok(Outcome::Silence),
            Change::Remove { properties } => {
                let leftover = slot.leftover();
                let intent = Intent::Change { slot: &mut slot };
                match remove(properties.as_ref(), &leftover, intent).await {
                    Ok(()) => slot.bury(is_issued).await.map_err(Failure::from),
                    Err(failure) => Err(failure),
                }
                .map(|()| Reply::default().into())
            }
        };
        let failure = match served {
            Ok(outcome) => return Ok(outcome),
            Err(failure) => failure,
        };
        match slot.after_failure().await {
            Sequel::Again if round < ROUNDS => info!("another request got in between"),
            Sequel::Again | Sequel::Fail => return Err(failure),
            Sequel::Silence => return Ok(Outcome::Silence),
        }
    }
    Ok(Outcome::Silence)
}

/// Takes away what an overtaken request has made. Where the resource lives on, that is left to it.
async fn clear<P>(
    properties: &P,
    slot: &Slot,
    remove: &impl AsyncFn(Option<&P>, &Leftover, Intent<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    match slot.undoing() {
        Some(intent) => remove(Some(properties), &slot.leftover(), intent).await,
        None => Ok(()),
    }
}
