//! The life of a custom resource, with requests delivered as AWS delivers them.
//!
//! Lambda delivers a request at least once: again after a failure, and sometimes twice at the same
//! time. CloudFormation gives up on a request that is not answered and sends a Delete, which may
//! overtake it. Every request therefore takes the same path here. First, the stored state of the
//! resource decides whether the request still counts. Then the request is served. If another
//! request intervened, this one is served again from the beginning.
//!
//! # Guarantees
//!
//! - After a Delete was answered with success, nothing of the resource exists, and no late request
//!   creates it again: a request that was in progress meanwhile removes what it created.
//! - A request does not answer with a failure if another delivery of it succeeds.
//! - Deleting a resource that was never created succeeds, even if the stored state is damaged.

mod error;
mod frame;
pub mod slot;

use aws::Session;
use cfn::{Change, Failure, Outcome, Reply, Request};
use plan::resource::ResourceKind;
use plan::serialized;
use serde::Serialize;
use tracing::info;

use crate::slot::{Intent, Leftover, Sequel, Slot, Subject};

pub use crate::error::Error;
pub use crate::frame::{Resource, handle, reach};

/// The number of times that a request is served from the beginning after another one intervened.
const ROUNDS: usize = 8;

/// Serves `request` for a resource of this `kind`. `is_issued` returns `true` for a physical ID
/// that the function issued, and `false` for one that CloudFormation generated.
///
/// `apply` brings the resource to its properties, and settles the slot. It gets the previous
/// properties if they are known. `remove` removes everything that may exist of a resource with
/// these properties, and succeeds if there is nothing. If the resource lives on
/// ([`Leftover::is_former`]), `remove` hands over to it what `apply` made before the request was
/// overtaken.
///
/// # Errors
///
/// Returns the errors of `apply` and `remove`, and an error if the state cannot be read or written.
/// Sending the request again resumes.
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

/// Removes what an overtaken request made. If the resource lives on, hands it over instead.
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
