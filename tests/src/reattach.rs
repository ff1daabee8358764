//! The function that puts things back, driven as its queue and its schedule drive it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use simulator::{Function, Outcome};

use crate::binaries::binary;
use crate::organization::{Organization, POLICY_TEXT};
use crate::role::{FunctionRole, STATE_BUCKET, STATE_MACHINE};
use crate::stack::{SECRET, TOKEN};

/// The topic that people listen to.
pub const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:org-backup";

/// The role of our own functions.
pub const OWN_ROLE: &str = "arn:aws:iam::111122223333:role/reattach";

/// A warm function, which keeps what it remembers from one invocation to the next.
#[derive(Debug)]
pub struct Reattach<'a> {
    organization: &'a Organization,
    function: Function,
    deadline: Duration,
}

impl<'a> Reattach<'a> {
    /// Starts the function in this mode, under the role of its template.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start(organization: &'a Organization, mode: &str) -> Self {
        Self::with_role(organization, mode, &FunctionRole::of("reattach")).await
    }

    /// Starts the function in this mode, under this role.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn with_role(
        organization: &'a Organization,
        mode: &str,
        role: &FunctionRole,
    ) -> Self {
        let function = Function::of(&binary("reattach"), organization)
            .env("AWS_ACCESS_KEY_ID", role.session(organization))
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .env("STATE_BUCKET", STATE_BUCKET)
            .env("STATE_MACHINE_ARN", STATE_MACHINE)
            .env("TOPIC_ARN", TOPIC)
            .env("OWN_ROLES", OWN_ROLE)
            .env("MODE", mode);
        let function = match organization.buckets(|it| it.key_of(STATE_BUCKET).map(str::to_owned)) {
            Some(key) => function.env("STATE_KEY_ARN", key),
            None => function,
        };
        let function = function.env("DELEGATED_ADMINISTRATORS", declared(organization));
        let function = function.start().await.unwrap();
        Self { organization, function, deadline: Duration::from_mins(2) }
    }

    /// Gives the function this much time for an invocation.
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Delivers these events in one batch, and returns the indexes of those that are to come again.
    ///
    /// # Panics
    ///
    /// When the batch fails as a whole, or a log shows what it must not.
    pub async fn deliver(&self, events: &[Value]) -> Vec<usize> {
        self.deliver_for_the(1, events).await
    }

    /// The same for messages that are delivered for the `nth` time.
    ///
    /// # Panics
    ///
    /// As [`deliver`](Self::deliver).
    pub async fn deliver_for_the(&self, nth: u32, events: &[Value]) -> Vec<usize> {
        let batch = batch(nth, events);
        match self.invoke(&batch).await {
            Outcome::Returned(answer) => {
                let failures = answer["batchItemFailures"].as_array().unwrap().iter();
                let ids = failures.map(|it| it["itemIdentifier"].as_str().unwrap());
                ids.map(|it| it.rsplit('-').next().unwrap().parse().unwrap()).collect()
            }
            other => panic!("{other:?}\n{}", self.function.logs()),
        }
    }

    /// Has the schedule start a sweep.
    pub async fn sweep(&self) -> Outcome {
        self.invoke(&json!({ "source": "org-backup.schedule" })).await
    }

    /// Invokes the function with this payload.
    ///
    /// # Panics
    ///
    /// When a log shows what it must not.
    pub async fn invoke(&self, payload: &Value) -> Outcome {
        let outcome = self.function.invoke(payload, self.deadline).await;
        self.organization.learn_policies();
        let logs = self.function.logs();
        for secret in [SECRET, TOKEN, POLICY_TEXT] {
            assert!(!logs.contains(secret), "{secret} is in the log:\n{logs}");
        }
        outcome
    }

    /// Kills the function, wherever it is.
    pub async fn kill(&self) {
        let _status = self.function.kill().await;
    }

    /// Everything that was printed so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.function.logs()
    }

    /// The metrics of the last invocation that had any.
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

/// What the queue invokes the function with for these events, delivered for the `nth` time.
#[must_use]
pub fn batch(nth: u32, events: &[Value]) -> Value {
    let records = events.iter().enumerate().map(|(index, it)| {
        let body = it.as_str().map_or_else(|| it.to_string(), ToOwned::to_owned);
        let id = format!("message-{index}");
        let attributes = json!({ "ApproximateReceiveCount": nth.to_string() });
        json!({ "messageId": id, "body": body, "eventSource": "aws:sqs", "attributes": attributes })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// The delegated administrators that the stack declares: one account for every service there may be.
fn declared(organization: &Organization) -> String {
    let services = ["backup.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"];
    let account = organization.organization(|it| {
        it.accounts().find(|it| it.name == "security-000").map(|it| it.id.clone())
    });
    services.map(|it| format!("{it}/{}", account.clone().unwrap_or_default())).join(",")
}

/// What CloudTrail tells of a call that somebody made just now.
#[must_use]
pub fn told(name: &str, parameters: &Value) -> Value {
    told_by("arn:aws:iam::111122223333:role/Support", name, parameters)
}

/// The same for a session of this role.
///
/// # Panics
///
/// When the clock is before 1970.
#[must_use]
pub fn told_by(role: &str, name: &str, parameters: &Value) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = time::OffsetDateTime::from_unix_timestamp(now.as_secs().try_into().unwrap());
    let now = now.unwrap().format(&time::format_description::well_known::Rfc3339).unwrap();
    json!({
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.organizations",
        "detail": {
            "eventName": name,
            "eventTime": now,
            "eventType": "AwsApiCall",
            "readOnly": false,
            "requestParameters": parameters,
            "responseElements": null,
            "sourceIPAddress": "203.0.113.9",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/Support/mallory",
                "sessionContext": { "sessionIssuer": { "arn": role } },
            },
        },
    })
}
