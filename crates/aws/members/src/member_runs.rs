//! Runs over member accounts that are too long for one invocation, and that a state machine carries
//! out.
//!
//! The input of the state machine is the ID of a run and the place of its batches. Everything else
//! is in the state bucket. This includes the URL at which CloudFormation waits for the answer. It
//! must not be in the input of an execution, because everyone who may read executions would see it.

use aws::{Error, Machine, Session};
use organization::accounts::identify;
use plan::id::RunId;
use plan::member_accounts::run::{Order, batches};
use plan::member_accounts::{Account, Properties};
use plan::serialized;
use state::{Expected, State};
use tokio::time::Instant;
use tracing::info;

/// Writes all data of a run and starts it. `answer` is the answer to send at the end, if a caller
/// waits for one.
///
/// # Errors
///
/// Returns an error if something cannot be written or the execution cannot be started. Then nobody
/// answers, so the caller has to.
pub async fn start(
    state: &State,
    machine: &Machine,
    run: &RunId,
    order: &Order,
    accounts: &[Account],
    answer: Option<String>,
) -> Result<(), Error> {
    let answer_key = run.answer_key();
    let ticket = match answer {
        Some(answer) => Some(state.write(&answer_key, answer, Expected::Anything).await?),
        None => None,
    };
    let begun = async {
        let batches = batches(run, accounts).to_string();
        state.write(&run.batches_key(), batches, Expected::Anything).await?;
        // The order is written last, because a run that has its order has everything.
        let order = serialized::text(order);
        state.write(&run.order_key(), order, Expected::Anything).await?;
        machine.start(run).await
    };
    if let Err(error) = begun.await {
        if let Some(version) = ticket {
            // If the execution was started after all, it must not answer as well.
            state.erase(&answer_key, &version).await?;
        }
        return Err(error);
    }
    info!(%run, accounts = accounts.len(), "the run was started");
    Ok(())
}

/// Starts a run over `accounts` with the properties of a resource, for which nobody waits. Without
/// a state bucket and a state machine, nothing is started.
///
/// # Errors
///
/// Returns an error if the organization cannot be read, something cannot be written, or the
/// execution cannot be started.
pub async fn start_unanswered(
    session: &Session,
    run: &RunId,
    properties: &Properties,
    accounts: &[Account],
    deadline: Instant,
) -> Result<bool, Error> {
    let (Some(state), Some(machine)) = (State::of(session, deadline), session.machine(deadline))
    else {
        return Ok(false);
    };
    let role = properties.management_role_arn.as_ref();
    let management = session.management(role, deadline).await?;
    let identity = identify(&management).await?;
    let order = Order {
        properties: properties.clone(),
        management: identity.management,
        partition: identity.partition,
        accounts: accounts.len(),
        skipped: [].into(),
        supported: [].into(),
    };
    start(&state, &machine, run, &order, accounts, None).await?;
    Ok(true)
}
