//! The function that looks into every account, driven as its schedule and its state machine drive it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::time::Duration;

use report::history::{LAST, Summary};
use serde_json::{Value, json};
use simulator::{ExecutionStatus, Function, Hold, Outcome};

use crate::binaries::binary;
use crate::organization::{Organization, POLICY_TEXT};
use crate::reattach::TOPIC;
use crate::role::{FunctionRole, STATE_BUCKET, STATE_MACHINE};
use crate::stack::{SECRET, TOKEN};

/// The topic that chat rooms listen to.
pub const CHAT_TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:org-backup-chat";

/// How long an invocation may take.
const LONG: Duration = Duration::from_mins(2);

/// The function, and the state machine that a test plays.
#[derive(Debug)]
pub struct Sweeps<'a> {
    organization: &'a Organization,
    role: FunctionRole,
    function: Function,
}

impl<'a> Sweeps<'a> {
    /// Starts the function under the role of its template, and tells people, chat rooms,
    /// other programs and Security Hub.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start(organization: &'a Organization) -> Self {
        Self::with_role(organization, FunctionRole::of("coverage")).await
    }

    /// The same under this role.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn with_role(organization: &'a Organization, role: FunctionRole) -> Self {
        organization.state_machines(|it| it.create(STATE_MACHINE));
        let function = function(organization, &role).await;
        Self { organization, role, function }
    }

    /// Asks for a sweep.
    pub async fn begin(&self) -> Outcome {
        self.invoke(&json!({ "source": "org-backup.schedule" })).await
    }

    /// The input of the execution that was started last, if any was.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    pub fn input(&self) -> Option<Value> {
        let last = self.organization.state_machines(|it| it.executions().last().cloned());
        last.map(|it| serde_json::from_str(&it.input).unwrap())
    }

    /// The events of the batches of a run.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub fn batches(&self, input: &Value) -> Vec<Value> {
        let key = input["Batches"].as_str().unwrap();
        serde_json::from_str(&self.organization.object(STATE_BUCKET, key).unwrap()).unwrap()
    }

    /// Looks into the accounts of a batch until none is left.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn batch(&self, event: &Value) {
        let mut event = event.clone();
        loop {
            let next = self.returned(&event).await;
            if next["Again"] == false {
                return;
            }
            event = next;
        }
    }

    /// Ends a run, whose execution is over then.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn finish(&self, input: &Value) -> Value {
        let summary = self.returned(&json!({ "Finish": input })).await;
        self.organization.state_machines(|it| {
            let arn = it.executions().last().unwrap().arn.clone();
            it.end(&arn, ExecutionStatus::Succeeded, None);
        });
        summary
    }

    /// A whole sweep, and its summary.
    ///
    /// # Panics
    ///
    /// When a part of it fails.
    pub async fn sweep(&self) -> Summary {
        let begun = self.begin().await;
        assert_eq!(begun, Outcome::Returned(Value::Null), "{}", self.logs());
        let input = self.input().unwrap();
        for event in self.batches(&input) {
            self.batch(&event).await;
        }
        self.finish(&input).await;
        self.summary()
    }

    /// The last summary.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::read(&self.organization.object(STATE_BUCKET, LAST).unwrap()).unwrap()
    }

    /// Delivers an event, kills the function at this call, and starts it anew. Returns `true` if the
    /// call came.
    pub async fn kill(&mut self, event: &Value, hold: Hold) -> bool {
        let outcome = self.function.invoke_until(event, LONG, hold).await;
        let is_killed = matches!(outcome, Outcome::Exited(_));
        if is_killed {
            self.function = function(self.organization, &self.role).await;
        }
        is_killed
    }

    /// Delivers an event.
    ///
    /// # Panics
    ///
    /// When a log shows what it must not.
    pub async fn invoke(&self, event: &Value) -> Outcome {
        let outcome = self.function.invoke(event, LONG).await;
        let logs = self.logs();
        for secret in [SECRET, TOKEN, POLICY_TEXT] {
            assert!(!logs.contains(secret), "{secret} is in the log:\n{logs}");
        }
        outcome
    }

    async fn returned(&self, event: &Value) -> Value {
        match self.invoke(event).await {
            Outcome::Returned(it) => it,
            other => panic!("{other:?}\n{}", self.logs()),
        }
    }

    /// Everything that was printed so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.function.logs()
    }

    /// The metrics of the last sweep.
    ///
    /// # Panics
    ///
    /// When there were none.
    #[must_use]
    pub fn metrics(&self) -> Value {
        let logs = self.function.logs();
        let line = logs.lines().rfind(|it| it.contains("CloudWatchMetrics")).unwrap();
        serde_json::from_str(line).unwrap()
    }
}

async fn function(organization: &Organization, role: &FunctionRole) -> Function {
    let function = Function::of(&binary("coverage"), organization)
        .env("AWS_ACCESS_KEY_ID", role.session(organization))
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
        .env("STATE_BUCKET", STATE_BUCKET)
        .env("STATE_MACHINE_ARN", STATE_MACHINE)
        .env("TOPIC_ARN", TOPIC)
        .env("CHAT_TOPIC_ARN", CHAT_TOPIC)
        .env("EVENT_BUS", "default")
        .env("SECURITY_HUB", "true");
    let function = match organization.buckets(|it| it.key_of(STATE_BUCKET).map(str::to_owned)) {
        Some(key) => function.env("STATE_KEY_ARN", key),
        None => function,
    };
    function.start().await.unwrap()
}
