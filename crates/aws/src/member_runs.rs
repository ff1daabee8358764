//! Runs over member accounts that are too long for one invocation, which a state machine carries
//! through.
//!
//! A run is told to the state machine by its ID and where its batches are. Everything else is in the
//! state bucket, and so is where CloudFormation waits, which must not be in the input of an
//! execution: everybody who may look at executions would see it.

use aws_types::SdkConfig;
use plan::id::RunId;
use plan::member_accounts::run::{Order, batches};
use plan::member_accounts::{Account, Properties};
use plan::serialized;
use serde_json::json;
use tokio::time::Instant;
use tracing::info;

use crate::api::{Question, Service, ask};
use crate::calls::Calls;
use crate::error::{Error, already};
use crate::member_accounts::identify;
use crate::operation::START_EXECUTION;
use crate::session::Session;
use crate::state::{Expected, State};

/// The state machine that carries runs through.
#[derive(Debug)]
pub struct Machine {
    config: SdkConfig,
    arn: String,
    above: usize,
    calls: Calls,
}

impl Machine {
    pub(crate) fn new(config: SdkConfig, arn: String, above: usize, calls: Calls) -> Self {
        Self { config, arn, above, calls }
    }

    /// Whether so many accounts with so many Regions each are too much for one invocation.
    pub fn takes(&self, accounts: usize, regions: usize) -> bool {
        accounts * regions > self.above
    }

    /// Starts the execution of `run`, which is called after it.
    ///
    /// Starting it again does nothing: while it runs AWS answers with the same execution, and after
    /// that it refuses the name.
    ///
    /// # Errors
    ///
    /// When it cannot be started. It may have been where only the reply was lost.
    pub async fn start(&self, run: &RunId) -> Result<(), Error> {
        let input = json!({ "Run": run, "Batches": run.batches_key() }).to_string();
        let body = json!({ "stateMachineArn": self.arn, "name": run, "input": input });
        let question = Question::Json { protocol: "1.0", target: "AWSStepFunctions", body };
        let start = ask(&self.config, STEP_FUNCTIONS, START_EXECUTION.name, question, |_| Ok(()));
        let action = format!("start the run {run} of {}", self.arn);
        let started = self.calls.call(START_EXECUTION, &action, start).await;
        already(started.map_err(|it| it.advised(HINT)), "ExecutionAlreadyExists")
    }
}

const STEP_FUNCTIONS: Service = Service { id: "SFN", name: "states" };

const HINT: &str = "let the function's own role start executions of the state machine";

/// Writes everything of a run down and starts it. `answer` is what it answers with in the end, if
/// somebody waits for that.
///
/// # Errors
///
/// When something cannot be written or the execution cannot be started. Nobody answers then, so that
/// whoever called has to.
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
        // This comes last, since a run that has its order has everything.
        let order = serialized::text(order);
        state.write(&run.order_key(), order, Expected::Anything).await?;
        machine.start(run).await
    };
    if let Err(error) = begun.await {
        if let Some(version) = ticket {
            // Should it have been started after all, it must not answer as well.
            state.erase(&answer_key, &version).await?;
        }
        return Err(error);
    }
    info!(%run, accounts = accounts.len(), "the run was started");
    Ok(())
}

/// Starts a run over `accounts` for which nobody waits, with the properties of a resource.
/// Without a state bucket and a state machine nothing is started.
///
/// # Errors
///
/// When the organization cannot be read, something cannot be written, or the execution cannot be
/// started.
pub async fn start_unanswered(
    session: &Session,
    run: &RunId,
    properties: &Properties,
    accounts: &[Account],
    deadline: Instant,
) -> Result<bool, Error> {
    let (Some(state), Some(machine)) = (session.state(deadline), session.machine(deadline)) else {
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
