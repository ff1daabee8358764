//! The state machine of member accounts, executed by a stand-in for Step Functions and Lambda with
//! the real function: the file that is deployed, its placeholders filled in.

use std::path::Path;

use serde_json::{Value, json};
use tests::binaries::binary;
use tests::organization::Organization;

use crate::member_accounts::{MANAGEMENT, ROLE, not_on, properties, with_roles, written};
use crate::ministack::{Ministack, python};

/// Has the function begin a run and the state machine end it.
async fn execute(organization: &Organization, event: &Value) -> Value {
    let ministack = Ministack::start().await;
    let services = ["ORGANIZATIONS", "BACKUP", "STS", "IAM", "KMS"];
    let endpoints =
        services.map(|it| (format!("AWS_ENDPOINT_URL_{it}"), json!(organization.url())));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let told = json!({
        "account": MANAGEMENT,
        "region": "us-east-1",
        "ministack": ministack.url(),
        "binary": binary("member-accounts"),
        "definition": root.join("templates/member-accounts.asl.json"),
        "endpoints": serde_json::Map::from_iter(endpoints),
        "event": event,
    });
    python("tests/ministack/state_machine.py", &told).await
}

fn answer(organization: &Organization, event: &Value) -> Value {
    let answers = organization.responses(event["ResponseURL"].as_str().unwrap());
    let [answer] = &answers[..] else { panic!("{} answers", answers.len()) };
    answer.json()
}

#[tokio::test]
async fn the_state_machine_that_is_deployed_carries_a_run_through_and_answers() {
    // Two batches, and one account whose role never comes.
    let organization = with_roles(130).await;
    let gone = organization.id("production-002");
    organization.iam(|it| it.delete_role(&gone, ROLE));
    let event = organization.stack("member-accounts").event("Create", &properties(json!({})));
    let came = execute(&organization, &event).await;
    assert_eq!(came["answered"], Value::Null);
    let [execution] = &came["executions"].as_array().unwrap()[..] else { panic!("{came}") };
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let answer = answer(&organization, &event);
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    let data = &answer["Data"];
    assert_eq!((&data["AccountsReady"], &data["AccountsNotReady"]), (&json!("128"), &json!("1")));
    assert_eq!(not_on(&organization, &["EBS", "S3"]).len(), 2);
    assert!(written(&organization).values().all(|it| *it == 1));
    // The account without a role was tried five times and no other more than once.
    let tries = organization.journal().into_iter().filter(|it| it.operation == "AssumeRole");
    assert_eq!(tries.count(), 127 + 5);
    let objects = came["objects"].as_object().unwrap();
    assert!(!objects.keys().any(|it| it.starts_with("answers/")), "{:?}", objects.keys());
    let input = execution["input"].as_str().unwrap();
    assert!(!input.contains("http"), "{input}");
}

#[tokio::test]
async fn a_map_that_fails_still_comes_to_an_answer() {
    let organization = with_roles(130).await;
    let mut event = organization.stack("member-accounts").event("Create", &properties(json!({})));
    let role = organization.management_role(MANAGEMENT);
    event["ResourceProperties"]["ManagementRoleArn"] = json!(role);
    // The beginning assumes the role, and no batch may.
    organization.fail(simulator::Fault::error("AssumeRole", "AccessDenied").nth(2).forever());
    let came = execute(&organization, &event).await;
    let [execution] = &came["executions"].as_array().unwrap()[..] else { panic!("{came}") };
    assert_eq!(
        (&execution["status"], &execution["error"]),
        (&json!("FAILED"), &json!("MapFailed"))
    );
    let answer = answer(&organization, &event);
    let expected = "129 of 129 accounts were not reached, because their batches failed \
                    (States.ExceedToleratedFailureThreshold)";
    assert!(answer["Reason"].as_str().unwrap().starts_with(expected), "{answer}");
}
