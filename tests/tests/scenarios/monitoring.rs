//! What is told of failed jobs: the rules of an account and those of the central bus, the topic and
//! a subscriber, in ministack.
//!
//! ministack delivers events within one account only, so both stacks are in the same one, and it has
//! no policies of buses. What may put events on the bus is in the tests of the templates.

use serde_json::{Value, json};
use tests::template::Template;

use crate::member_accounts::MANAGEMENT;
use crate::ministack::{Ministack, python};

/// Where the events come from: as on AWS, nobody but AWS puts events of `aws.backup` on a bus.
const SOURCE: &str = "test.backup";

/// A template without what ministack does not have, whose rules look for events of the test.
fn template(name: &str) -> Value {
    let mut body = Template::named(name).body;
    let resources = body["Resources"].as_object_mut().unwrap();
    resources.retain(|_, it| it["Type"] != "AWS::Events::EventBusPolicy");
    for (name, rule) in resources.iter_mut().filter(|it| it.1["Type"] == "AWS::Events::Rule") {
        let source = &mut rule["Properties"]["EventPattern"]["source"];
        assert_eq!(*source, json!(["aws.backup"]), "{name}");
        *source = json!([SOURCE]);
    }
    body
}

fn event(kind: &str, detail: &Value) -> Value {
    json!({ "detail-type": kind, "detail": detail })
}

fn job(kind: &str, member: &str, state: &str) -> Value {
    let resource = format!("arn:aws:ec2:us-east-1:{MANAGEMENT}:volume/vol-{state}");
    event(&format!("{kind} Job State Change"), &json!({ member: state, "resourceArn": resource }))
}

/// What the subscriber hears of these events and of a last one, without the time.
async fn heard(events: impl IntoIterator<Item = Value>) -> Vec<String> {
    let ministack = Ministack::start().await;
    let last = job("Backup", "state", "EXPIRED");
    let told = json!({
        "account": MANAGEMENT,
        "region": "us-east-1",
        "ministack": ministack.url(),
        "organization": "o-a1b2c3d4e5",
        "central": template("monitoring.yaml"),
        "member": template("monitoring-member.yaml"),
        "source": SOURCE,
        "events": events.into_iter().chain([last]).collect::<Vec<_>>(),
        "last": "vol-EXPIRED",
    });
    let messages = python("tests/ministack/monitoring.py", &told).await;
    let mut messages: Vec<String> = serde_json::from_value(messages).unwrap();
    let last = messages.iter().position(|it| it.contains("vol-EXPIRED"));
    messages.remove(last.unwrap_or_else(|| panic!("the last event is not heard of: {messages:?}")));
    messages.sort();
    let place = format!(" in account {MANAGEMENT}, us-east-1, at ");
    let timeless = |it: &String| {
        let (what, rest) = it.trim_matches('"').split_once(&place).unwrap();
        let (_, why) = rest.split_once(": ").unwrap();
        format!("{what}: {why}")
    };
    messages.iter().map(timeless).collect()
}

#[tokio::test]
async fn a_subscriber_hears_of_jobs_that_failed_and_of_no_others() {
    let events = [
        job("Backup", "state", "CREATED"),
        job("Backup", "state", "COMPLETED"),
        job("Backup", "state", "FAILED"),
        job("Copy", "state", "RUNNING"),
        job("Copy", "state", "PARTIAL"),
        // Restore jobs have a status.
        job("Restore", "status", "COMPLETED"),
        job("Restore", "status", "ABORTED"),
        job("Report", "state", "FAILED"),
    ];
    let why = |kind: &str, state: &str| {
        format!(
            "{kind} Job State Change: a job failed, was aborted or expired. Resource: \
             arn:aws:ec2:us-east-1:{MANAGEMENT}:volume/vol-{state}. The console of AWS Backup in that \
             account says why."
        )
    };
    let expected = [why("Backup", "FAILED"), why("Copy", "PARTIAL"), why("Restore", "ABORTED")];
    assert_eq!(heard(events).await, expected);
}

#[tokio::test]
async fn a_subscriber_hears_of_vaults_and_opt_ins_that_were_changed() {
    let vault = |state: &str| {
        let detail = json!({ "state": state, "backupVaultName": "org-backup" });
        event("Backup Vault State Change", &detail)
    };
    let events = [
        vault("CREATED"),
        vault("DELETED"),
        event("Region Setting State Change", &json!({ "ResourceTypeOptInPreference": {} })),
        event("Backup Plan State Change", &json!({ "state": "DELETED" })),
    ];
    let expected = [
        "Backup Vault State Change: the vault org-backup was deleted or changed.",
        "Region Setting State Change: opt-ins to types of resources were changed.",
    ];
    assert_eq!(heard(events).await, expected);
}
