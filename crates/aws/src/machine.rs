//! The state machine that carries through what is too long for one invocation.

use aws_types::SdkConfig;
use plan::id::RunId;
use serde_json::json;

use crate::api::{Question, Service, ask};
use crate::calls::Calls;
use crate::error::{Error, already};
use crate::operation::START_EXECUTION;

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
