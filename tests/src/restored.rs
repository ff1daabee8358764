//! The function that looks at what restore tests made.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::fs;
use std::path::Path;
use std::slice;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{DataServices, Function, Outcome, RestoreJob};

use crate::binaries::binary;
use crate::organization::Organization;
use crate::reattach::batch;
use crate::role::FunctionRole;
use crate::stack::{SECRET, TOKEN};

/// The account in which restores are tested.
pub const ACCOUNT: &str = "111122223333";
/// The Region in which restores are tested.
pub const REGION: &str = "us-east-1";

/// The variables that name the endpoints of services that hold data.
pub fn endpoints() -> impl Iterator<Item = String> {
    let services = ["EC2", "RDS", "DYNAMODB", "EFS", "FSX", "LAMBDA"].into_iter();
    services.map(|it| format!("AWS_ENDPOINT_URL_{it}"))
}

/// The function that looks at restore tests, warm.
#[derive(Debug)]
pub struct RestoreValidation<'a> {
    organization: &'a Organization,
    function: Function,
}

impl<'a> RestoreValidation<'a> {
    /// Starts the function under the role of its template, with these services.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start(organization: &'a Organization, services: &DataServices) -> Self {
        let role = FunctionRole::of("restore-validation");
        Self::with_role(organization, services.url(), &role).await
    }

    /// Starts the function under the role of its template, with these services and variables.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn set_up(
        organization: &'a Organization,
        services: &DataServices,
        variables: &[(&str, &str)],
    ) -> Self {
        let role = FunctionRole::of("restore-validation");
        Self::all(organization, services.url(), &role, variables).await
    }

    /// Starts the function under this role, with the services at `url`.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn with_role(organization: &'a Organization, url: &str, role: &FunctionRole) -> Self {
        Self::all(organization, url, role, &[]).await
    }

    /// Starts the function under this role, with the services at `url` and these variables.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn all(
        organization: &'a Organization,
        url: &str,
        role: &FunctionRole,
        variables: &[(&str, &str)],
    ) -> Self {
        let function = Function::of(&binary("restore-validation"), organization)
            .env("AWS_ACCESS_KEY_ID", role.session(organization))
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .env("VALIDATION_WINDOW_HOURS", "1");
        let variables = variables.iter();
        let function = variables.fold(function, |function, it| function.env(it.0, it.1));
        let function = endpoints().fold(function, |function, it| function.env(&it, url));
        Self { organization, function: function.start().await.unwrap() }
    }

    /// Has a restore test end that restored something, and the function hear of it.
    pub async fn test(&self, id: &str, job: RestoreJob) -> Outcome {
        let event = completed(id, &job);
        self.organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, id, job));
        self.hear(&event, Duration::from_mins(1)).await
    }

    /// Sends the function an event, as the queue does.
    ///
    /// # Panics
    ///
    /// When a log shows what it must not.
    pub async fn hear(&self, event: &Value, deadline: Duration) -> Outcome {
        self.invoke(&batch(1, slice::from_ref(event)), deadline).await
    }

    /// Invokes the function.
    ///
    /// # Panics
    ///
    /// When a log shows what it must not.
    pub async fn invoke(&self, payload: &Value, deadline: Duration) -> Outcome {
        let outcome = self.function.invoke(payload, deadline).await;
        let logs = self.function.logs();
        for secret in [SECRET, TOKEN] {
            assert!(!logs.contains(secret), "{secret} is in the log:\n{logs}");
        }
        outcome
    }

    /// The result of a job that AWS Backup got, with its reason.
    ///
    /// # Panics
    ///
    /// When there is no such job.
    #[must_use]
    pub fn result(&self, id: &str) -> Option<(String, String)> {
        let of = |it: &mut simulator::Backup| {
            it.restore_jobs().get(ACCOUNT, REGION, id).unwrap().result.clone()
        };
        self.organization.backup(of)
    }

    /// Everything that was printed so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.function.logs()
    }

    /// What was counted so far: the type of what was restored, and what became of it.
    ///
    /// # Panics
    ///
    /// When a line of metrics is not one.
    #[must_use]
    pub fn counted(&self) -> Vec<(String, String)> {
        let logs = self.logs();
        let lines = logs.lines().filter(|it| it.contains("CloudWatchMetrics"));
        let lines = lines.map(|it| serde_json::from_str::<Value>(it).unwrap());
        let outcome = |it: &Value| {
            let names = it["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
            let mut names = names.iter().map(|it| it["Name"].as_str().unwrap());
            names.find(|name| it[*name] == 1).unwrap().to_owned()
        };
        let pair = |it: Value| (it["ResourceType"].as_str().unwrap().to_owned(), outcome(&it));
        lines.map(pair).collect()
    }
}

/// What the function answers when it is done with its message.
#[must_use]
pub fn done() -> Outcome {
    Outcome::Returned(json!({ "batchItemFailures": [] }))
}

/// What the function answers when its message is to be delivered again.
#[must_use]
pub fn later() -> Outcome {
    Outcome::Returned(json!({ "batchItemFailures": [{ "itemIdentifier": "message-0" }] }))
}

/// The sample event of this name.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn sample(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/restore-validation");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What EventBridge tells when a job has restored something.
#[must_use]
pub fn completed(id: &str, job: &RestoreJob) -> Value {
    let mut event = sample("completed");
    event["detail"]["restoreJobId"] = json!(id);
    event["detail"]["resourceType"] = json!(job.resource_type);
    event["detail"]["createdResourceArn"] = json!(job.created);
    event["detail"]["restoreTestingPlanArn"] = json!(job.plan);
    event
}

/// The ARN of something in the account and the Region in which restores are tested.
#[must_use]
pub fn arn(service: &str, what: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{what}")
}
