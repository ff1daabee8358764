//! The requests to each function.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, FunctionBuilder, RestoreJob, Role, Settings};
use tests::organization::{Organization, document};
use tests::reattach::{TOPIC, told};
use tests::restored::{ACCOUNT, REGION, completed};
use tests::role::{STATE_BUCKET, STATE_MACHINE};
use tests::stack::Stack;

use crate::run::Run;

/// The role that is assumed in member accounts.
const MEMBER_ROLE: &str = "org-backup-member";

/// The bucket that a restore test created, and its job.
const RESTORED: &str = "awsbackup-restore-test-documents";
const JOB: &str = "2F9A41C6";

/// A function and its requests.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The function.
    pub function: &'static str,
    /// The requests in order.
    pub requests: &'static [&'static str],
    /// The request to repeat when there is nothing left to do.
    pub again: &'static str,
    /// The object of its work.
    pub work: Work,
}

/// A function that creates the properties of a resource.
pub type Properties = fn(&Organization) -> Value;

/// The objects of a function's work.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A custom resource with these properties.
    Resource(Properties),
    /// Every deployed resource.
    Everything,
    /// A restore test of a bucket.
    RestoreTest,
    /// The resources of every account.
    Accounts,
}

const LIFE: &[&str] = &["Create", "Update", "Delete"];

/// Every function, each with a resource as a first deployment has it.
pub const SUBJECTS: [Subject; 8] = [
    resource("backup-policy", policy),
    Subject {
        function: "coverage",
        requests: &["Begin", "Batch", "Finish"],
        again: "Batch",
        work: Work::Accounts,
    },
    resource("global-settings", settings),
    resource("member-accounts", members),
    resource("policy-types", types),
    Subject {
        function: "reattach",
        requests: &["Sweep", "Repair"],
        again: "Sweep",
        work: Work::Everything,
    },
    Subject {
        function: "restore-validation",
        requests: &["Validate"],
        again: "Validate",
        work: Work::RestoreTest,
    },
    resource("service-access", access),
];

/// Returns a custom resource that `function` manages.
#[must_use]
pub const fn resource(function: &'static str, properties: Properties) -> Subject {
    Subject { function, requests: LIFE, again: "Update", work: Work::Resource(properties) }
}

impl Subject {
    /// Creates the organization in which the function works, with a state bucket and the resources
    /// that it needs.
    pub async fn organization(&self) -> Organization {
        let organization = Organization::bare(Settings::default().accounts(5)).await;
        organization.buckets(|it| it.create_bucket(STATE_BUCKET));
        organization.topics(|it| it.create(TOPIC));
        let anything = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
        });
        let management = organization.organization(|it| it.management_account.clone());
        let role = Role::trusting_account(MEMBER_ROLE, &management).allowing(&anything);
        organization.iam(|it| it.create_role_everywhere(role));
        let deployed: &[(&str, Properties)] = match self.function {
            "backup-policy" => &[("policy-types", types)],
            "coverage" => &[("policy-types", types), ("backup-policy", policy)],
            "reattach" => &[
                ("policy-types", types),
                ("service-access", access),
                ("global-settings", settings),
                ("backup-policy", policy),
            ],
            _ => &[],
        };
        match self.work {
            Work::RestoreTest => restore(&organization),
            Work::Accounts => organization.state_machines(|it| it.create(STATE_MACHINE)),
            Work::Resource(_) | Work::Everything => {}
        }
        for (function, properties) in deployed {
            let mut stack = organization.stack(function).named(function).kept();
            let _ = stack.create(properties(&organization)).await.ok();
        }
        organization
    }

    /// Adds the variables that only this function has.
    pub fn with(&self, function: FunctionBuilder) -> FunctionBuilder {
        match self.work {
            Work::Accounts => function.env("STATE_MACHINE_ARN", STATE_MACHINE),
            Work::RestoreTest => function.env("VALIDATION_WINDOW_HOURS", "1"),
            Work::Resource(_) | Work::Everything => function,
        }
    }

    /// Sends a request, and panics unless it succeeds.
    pub async fn send(&self, run: &Run, stack: &mut Stack<'_>, request: &str) {
        let organization = stack.organization();
        match self.work {
            Work::Resource(properties) => run.send(stack, request, &properties(organization)).await,
            Work::RestoreTest => run.returned(&completed(JOB, &restored())).await,
            Work::Accounts if request == "Begin" => {
                run.returned(&json!({ "source": "org-backup.schedule" })).await;
            }
            Work::Accounts => {
                let execution = organization.state_machines(|it| it.executions()[0].clone());
                let input: Value = serde_json::from_str(&execution.input).unwrap();
                if request == "Finish" {
                    run.returned(&json!({ "Finish": input })).await;
                } else {
                    let key = input["Batches"].as_str().unwrap();
                    let batches = organization.object(STATE_BUCKET, key).unwrap();
                    let batches: Vec<Value> = serde_json::from_str(&batches).unwrap();
                    run.returned(&batches[0]).await;
                }
            }
            Work::Everything if request == "Sweep" => {
                run.returned(&json!({ "source": "org-backup.schedule" })).await;
            }
            Work::Everything => {
                let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
                organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
                organization.clear_journal();
                let event = told("DetachPolicy", &json!({ "policyId": policy, "targetId": root }));
                let record = json!({
                    "messageId": "message", "body": event.to_string(), "eventSource": "aws:sqs",
                });
                run.returned(&json!({ "Records": [record] })).await;
            }
        }
    }
}

/// Simulates a restore test that restores a bucket.
fn restore(organization: &Organization) {
    organization.buckets(|it| {
        it.create_bucket(RESTORED);
        for object in 0..20 {
            it.put(RESTORED, &format!("2026/{object}.csv"), "id,total\n7,12\n".to_owned());
        }
    });
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, JOB, restored()));
}

fn restored() -> RestoreJob {
    RestoreJob::test("S3", &format!("arn:aws:s3:::{RESTORED}"))
}

fn policy(_: &Organization) -> Value {
    json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" })
}

fn settings(_: &Organization) -> Value {
    json!({ "CrossAccountBackup": true })
}

fn types(_: &Organization) -> Value {
    json!({ "PolicyTypes": [BACKUP_POLICY] })
}

fn access(organization: &Organization) -> Value {
    json!({
        "ServicePrincipals": ["backup.amazonaws.com"],
        "StackSets": true,
        "DelegatedAdministrators": [{
            "AccountId": organization.id("security-000"),
            "ServicePrincipal": "backup.amazonaws.com",
        }],
    })
}

fn members(_: &Organization) -> Value {
    json!({
        "RoleName": MEMBER_ROLE,
        "Regions": ["eu-west-1", "eu-west-3"],
        "OptIn": { "EBS": true, "S3": true },
    })
}
