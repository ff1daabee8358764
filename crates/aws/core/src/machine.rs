//! The state machine for runs that are too long for one invocation.

use aws_types::SdkConfig;
use plan::id::RunId;
use serde_json::json;

use crate::advice::Advice;
use crate::api::{Question, Request, Service, ask};
use crate::calls::Calls;
use crate::error::{Error, already};
use crate::operation::START_EXECUTION;

/// The state machine that carries out runs.
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

    /// Returns `true` if this number of accounts, with this number of Regions each, is too large
    /// for one invocation.
    pub fn takes(&self, accounts: usize, regions: usize) -> bool {
        accounts * regions > self.above
    }

    /// Starts the execution of `run`, which has the name of the run.
    ///
    /// A second start does nothing. While the execution runs, AWS answers with the same execution.
    /// After that, AWS refuses the name.
    ///
    /// # Errors
    ///
    /// Returns an error if the execution cannot be started. It may have started if only the reply
    /// was lost.
    pub async fn start(&self, run: &RunId) -> Result<(), Error> {
        let input = json!({ "Run": run, "Batches": run.batches_key() }).to_string();
        let body = json!({ "stateMachineArn": self.arn, "name": run, "input": input });
        let question = Question::Json { protocol: "1.0", target: "AWSStepFunctions", body };
        let operation = START_EXECUTION.name;
        let start =
            Request { service: Service::STEP_FUNCTIONS, operation, question, read: |_| Ok(()) };
        let action = format!("start the run {run} of {}", self.arn);
        let start = ask(&self.config, start);
        let started = self.calls.call(START_EXECUTION, &action, start).await;
        already(started.map_err(|it| it.advised(HINT)), "ExecutionAlreadyExists")
    }
}

const HINT: Advice =
    Advice::Same("let the function's own role start executions of the state machine");
