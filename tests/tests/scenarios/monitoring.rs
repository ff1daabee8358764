//! Notices of failed jobs: the rules of an account and those of the central bus, the topic and
//! a subscriber, in ministack.
//!
//! ministack delivers events within one account only, so both stacks are in the same one, and it has
//! no policies of buses. What may put events on the bus is in the tests of the templates.

use serde_json::{Value, json};
use tests::template::Template;

use crate::member_accounts::MANAGEMENT;
use crate::ministack::{Ministack, python};

/// Where the events come from: as on AWS, nobody but AWS puts events of its services on a bus.
const SOURCE: &str = "test.backup";

/// A template without what ministack does not have, whose rules look for events of the test.
fn template(name: &str) -> Value {
    let mut body = Template::named(name).body;
    let resources = body["Resources"].as_object_mut().unwrap();
    resources.retain(|_, it| it["Type"] != "AWS::Events::EventBusPolicy");
    // What reattach answers is Lambda's to tell, and only heard where its account is named.
    let is_rule =
        |it: &(&String, &mut Value)| it.1["Type"] == "AWS::Events::Rule" && it.0 != "HeartbeatRule";
    for (name, rule) in resources.iter_mut().filter(is_rule) {
        let source = &mut rule["Properties"]["EventPattern"]["source"];
        let aws = if name == "KeyRule" { "aws.kms" } else { "aws.backup" };
        assert_eq!(*source, json!([aws]), "{name}");
        *source = json!([SOURCE]);
    }
    body
}

fn event(kind: &str, detail: &Value) -> Value {
    json!({ "detail-type": kind, "detail": detail })
}

/// Why a job failed, as AWS Backup has it: with quotation marks of its own.
const WHY: &str = "\"The vault \"keep\" does not exist.\"";

fn job(kind: &str, member: &str, state: &str) -> Value {
    let resource = format!("arn:aws:ec2:us-east-1:{MANAGEMENT}:volume/vol-{state}");
    let detail = json!({ member: state, "resourceArn": resource, "statusMessage": WHY });
    event(&format!("{kind} Job State Change"), &detail)
}

/// What the subscriber hears of these events and of a last one: what happened, why, and to what.
async fn heard(events: impl IntoIterator<Item = Value>, success: &str) -> Vec<String> {
    let ministack = Ministack::start().await;
    let last = job("Backup", "state", "EXPIRED");
    let told = json!({
        "account": MANAGEMENT,
        "region": "us-east-1",
        "ministack": ministack.url(),
        "organization": "o-a1b2c3d4e5",
        "central": template("monitoring.yaml"),
        "member": template("monitoring-member.yaml"),
        "success": success,
        "source": SOURCE,
        "events": events.into_iter().chain([last]).collect::<Vec<_>>(),
        "last": "vol-EXPIRED",
    });
    let messages = python("tests/ministack/monitoring.py", &told).await;
    let messages: Vec<String> = serde_json::from_value(messages).unwrap();
    let last = messages.iter().position(|it| it.contains("vol-EXPIRED"));
    let last = last.unwrap_or_else(|| panic!("the last event is not heard of: {messages:?}"));
    let place = format!(" in account {MANAGEMENT}, us-east-1");
    let told = messages.iter().enumerate().filter(|it| it.0 != last).map(|(_, text)| {
        let message: Value = serde_json::from_str(text).unwrap();
        // Only such messages does Amazon Q Developer bring to a channel.
        assert_eq!((&message["version"], &message["source"]), (&json!("1.0"), &json!("custom")));
        let content = &message["content"];
        let title = content["title"].as_str().unwrap().strip_suffix(&place).unwrap();
        let resource = message["metadata"]["additionalContext"]["resource"].as_str();
        let resource = resource.and_then(|it| it.rsplit('/').next()).unwrap_or_default();
        format!("{title}: {} {resource}", content["description"].as_str().unwrap())
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_subscriber_hears_of_jobs_that_failed_and_of_no_others() {
    let mut unexplained = job("Backup", "state", "ABORTED");
    unexplained["detail"].as_object_mut().unwrap().remove("statusMessage");
    let events = [
        unexplained,
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
    let why =
        |kind: &str, state: &str| format!("{kind} Job State Change: {state}: {WHY} vol-{state}");
    let expected = [
        "Backup Job State Change: ABORTED:  vol-ABORTED".to_owned(),
        why("Backup", "FAILED"),
        why("Copy", "PARTIAL"),
        why("Restore", "ABORTED"),
    ];
    assert_eq!(heard(events, "false").await, expected);
}

#[tokio::test]
async fn with_a_switch_a_subscriber_hears_of_success_as_well() {
    let events = [job("Backup", "state", "RUNNING"), job("Backup", "state", "COMPLETED")];
    let expected = ["Backup Job State Change: COMPLETED: The job succeeded. vol-COMPLETED"];
    assert_eq!(heard(events, "true").await, expected);
}

#[tokio::test]
async fn a_subscriber_hears_of_scans_that_found_something() {
    let scan = |state: &str, result: &str| {
        let mut scan = job("Scan", "state", state);
        scan["detail"]["scanResult"] = json!({ "scanResultStatus": result });
        scan
    };
    let events = [
        scan("COMPLETED", "NO_THREATS_FOUND"),
        scan("COMPLETED", "THREATS_FOUND"),
        scan("FAILED", "UNKNOWN"),
    ];
    let expected = [
        format!("Scan Job State Change: COMPLETED THREATS_FOUND: {WHY} vol-COMPLETED"),
        format!("Scan Job State Change: FAILED UNKNOWN: {WHY} vol-FAILED"),
    ];
    assert_eq!(heard(events, "false").await, expected);
}

#[tokio::test]
async fn a_subscriber_hears_of_keys_that_were_disabled_or_are_to_be_deleted() {
    let call = |name: &str, more: Value| {
        let mut detail = json!({
            "eventName": name,
            "requestParameters": { "keyId": "arn:aws:kms:us-east-1:111122223333:key/1f2e" },
            "userIdentity": { "arn": "arn:aws:iam::111122223333:user/mallory" },
        });
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event("AWS API Call via CloudTrail", &detail)
    };
    let events = [
        call("DescribeKey", json!({})),
        call("ScheduleKeyDeletion", json!({})),
        call("DisableKey", json!({ "errorCode": "AccessDenied" })),
    ];
    let expected =
        ["ScheduleKeyDeletion of a key: The key arn:aws:kms:us-east-1:111122223333:key/1f2e \
                     was disabled or is to be deleted by arn:aws:iam::111122223333:user/mallory. \
                     Backups that it encrypts cannot be read then. "];
    assert_eq!(heard(events, "false").await, expected);
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
        "Backup Vault State Change: DELETED: The vault org-backup was deleted or changed. ",
        "Region Setting State Change: Opt-ins to types of resources were changed. ",
    ];
    assert_eq!(heard(events, "false").await, expected);
}
