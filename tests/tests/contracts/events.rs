//! The requests in `events/`: what CloudFormation would send, and what the binaries serve.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{DataServices, RestoreJob, Role, Settings};
use tests::organization::Organization;
use tests::reattach::Reattach;
use tests::restored::{ACCOUNT, REGION, RestoreValidation, done, sample};
use tests::role::STATE_BUCKET;
use tests::template::as_sent;

const FUNCTIONS: [&str; 5] =
    ["backup-policy", "global-settings", "member-accounts", "policy-types", "service-access"];
const REQUESTS: [&str; 3] = ["Create", "Update", "Delete"];

fn event(function: &str, request: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(function);
    let path = folder.join(format!("{}.json", request.to_lowercase()));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// An organization that is ready for the function.
async fn organization(function: &str) -> Organization {
    if function == "backup-policy" {
        Organization::ready(Settings::default()).await
    } else {
        let organization = Organization::bare(Settings::default()).await;
        let management = organization.organization(|it| it.management_account.clone());
        let member = Role::trusting_account("org-backup-member", &management);
        organization.iam(|it| it.create_role_everywhere(member));
        organization
    }
}

#[test]
fn every_function_has_its_events_and_no_other() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|it| it.into_string().unwrap()).collect()
    };
    let of_event_bridge = ["reattach", "restore-validation"];
    let custom_resources =
        names(&events).into_iter().filter(|it| !of_event_bridge.contains(&it.as_str()));
    assert_eq!(custom_resources.collect::<BTreeSet<_>>(), FUNCTIONS.map(str::to_owned).into());
    for function in FUNCTIONS {
        let mut files = vec!["create.json", "delete.json", "update.json"];
        if function == "member-accounts" {
            // Its state machine sends these, and EventBridge when that ends; a scenario does.
            files.extend(["batch.json", "ended.json", "finish.json"]);
        }
        let files = files.into_iter().map(str::to_owned).collect();
        assert_eq!(names(&events.join(function)), files, "{function}");
    }
}

#[test]
fn an_event_is_what_cloudformation_sends() {
    let mut ids = BTreeSet::new();
    for (function, request) in FUNCTIONS.iter().flat_map(|f| REQUESTS.map(|it| (f, it))) {
        let event = event(function, request);
        let mut members = vec![
            "LogicalResourceId",
            "RequestId",
            "RequestType",
            "ResourceProperties",
            "ResourceType",
            "ResponseURL",
            "StackId",
        ];
        if request != "Create" {
            members.push("PhysicalResourceId");
        }
        if request == "Update" {
            members.push("OldResourceProperties");
        }
        let found: BTreeSet<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, members.into_iter().collect(), "{function} {request}");
        assert_eq!(event["RequestType"], request);
        assert_eq!(as_sent(&event), event, "{function} {request}: a scalar is no string");
        assert!(ids.insert(event["RequestId"].to_string()), "{function} {request}: used twice");
        // What is on the loopback interface may be plain http.
        assert!(event["ResponseURL"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    }
}

/// The events of the organization by name, less what the schedule sends and the batch of a queue.
fn organization_events() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/reattach");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let events = files.map(|it| {
        let name = it.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(it).unwrap()).unwrap())
    });
    events.filter(|(name, _)| !["batch", "schedule"].contains(&name.as_str())).collect()
}

#[tokio::test]
async fn every_event_of_an_organization_is_understood_and_none_writes_where_nothing_is_kept() {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    let mut nothing = BTreeSet::new();
    for (name, event) in organization_events() {
        let reattach = Reattach::start(&organization, "Repair").await;
        assert!(reattach.deliver(std::slice::from_ref(&event)).await.is_empty(), "{name}");
        let logs = reattach.logs();
        if logs.contains("the event does not ask for work")
            || logs.contains("the event is not known")
        {
            nothing.insert(name.clone());
        }
        // An event may also come without a queue.
        let outcome = reattach.invoke(&event).await;
        assert_eq!(outcome, done(), "{name}");
    }
    let ignored = [
        "create-account",
        "create-account-result-failed",
        "create-policy",
        "describe-policy",
        "detach-policy-failed",
        "unknown",
    ];
    assert_eq!(nothing, ignored.map(str::to_owned).into());
    assert_eq!(organization.take_writes(), "");
}

#[tokio::test]
async fn the_batch_and_the_schedule_are_understood() {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    let reattach = Reattach::start(&organization, "Repair").await;
    for name in ["batch", "schedule"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/reattach");
        let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let outcome = reattach.invoke(&serde_json::from_str(&text).unwrap()).await;
        assert_eq!(outcome, done(), "{name}");
    }
    assert_eq!(reattach.metrics()["Sweeps"], 1);
}

#[tokio::test]
async fn of_the_events_of_restore_jobs_only_a_test_that_restored_something_is_looked_at() {
    let organization = Organization::bare(Settings::default()).await;
    let services = DataServices::start(&organization).await.unwrap();
    services.volume("vol-04d3c2b1a09f8e7d6", "available", 8);
    services.snapshot("snap-0c9e8d7f6a5b4c3d2", 8);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/restore-validation");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names: BTreeSet<_> =
        files.map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 6);
    for name in names {
        let event = sample(&name);
        let detail = &event["detail"];
        let text = |it: &str| detail[it].as_str().map(ToOwned::to_owned);
        let id = text("restoreJobId").unwrap();
        let job = RestoreJob {
            recovery_point: text("recoveryPointArn"),
            plan: text("restoreTestingPlanArn"),
            status: text("status").unwrap_or_default(),
            created: text("createdResourceArn"),
            ..RestoreJob::test(&text("resourceType").unwrap_or_default(), "")
        };
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, &id, job));
        let validation = RestoreValidation::start(&organization, &services).await;
        let outcome = validation.hear(&event, Duration::from_mins(1)).await;
        assert_eq!(outcome, done(), "{name}");
        let result = validation.result(&id).map(|it| it.0);
        let expected = (name == "completed").then(|| "SUCCESSFUL".to_owned());
        assert_eq!(result, expected, "{name}");
    }
}

#[tokio::test]
async fn every_event_is_served_by_itself() {
    for (function, request) in FUNCTIONS.iter().flat_map(|f| REQUESTS.map(|it| (*f, it))) {
        let organization = organization(function).await;
        let mut event = event(function, request);
        event["ResponseURL"] = json!(organization.response_url());
        let answer = organization.stack(function).send(&event).await;
        assert!(answer.success, "{function} {request}: {answer}");
    }
}

#[tokio::test]
async fn the_events_of_a_function_are_the_life_of_a_resource() {
    for function in FUNCTIONS {
        let organization = organization(function).await;
        let mut physical_id = None;
        for request in REQUESTS {
            let mut event = event(function, request);
            event["ResponseURL"] = json!(organization.response_url());
            if let Some(id) = &physical_id {
                event["PhysicalResourceId"] = json!(id);
            }
            let answer = organization.stack(function).send(&event).await;
            assert!(answer.success, "{function} {request}: {answer}");
            physical_id = Some(answer.physical_id);
        }
    }
}
