//! What is always so, one test for each promise of the design. What a document that AWS would
//! withhold comes to is in `preflight.rs`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Entry, Fault, Moment, OPERATIONS, Pending, Settings};
use tests::codes::{is_left_out, terminal};
use tests::organization::{Organization, document};

use crate::backup_policy::daily;
use crate::cases::{self, Undisturbed, for_each};

fn root() -> [String; 1] {
    ["root".to_owned()]
}

#[tokio::test]
async fn cloudformation_gets_exactly_one_answer() {
    // For every request, `send` asserts that there is one more answer and that Lambda hears `Ok`.
    let organization = Organization::ready(Settings::default()).await;
    for function in ["backup-policy", "global-settings", "policy-types", "service-access"] {
        let mut stack = organization.stack(function);
        for request in ["Create", "Update", "Delete"] {
            for properties in [json!({ "Rubbish": 5 }), json!({ "OnDelete": [null] })] {
                let mut event = stack.event(request, &properties);
                if request != "Create" {
                    event["PhysicalResourceId"] = json!("something-made-up");
                    event["OldResourceProperties"] = properties.clone();
                }
                let answer = stack.send(&event).await;
                assert_eq!(answer.success, request == "Delete", "{function}: {answer}");
            }
        }
        let mut event = stack.event("Create", &json!({}));
        event["RequestType"] = json!("Rotate");
        let reason = stack.send(&event).await.reason();
        assert!(reason.contains("unknown variant `Rotate`"), "{reason}");
        event["RequestType"] = json!("Create");
        event["ResourceProperties"] = Value::Null;
        let _ = stack.send(&event).await.reason();
    }
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn running_anything_twice_changes_nothing_the_second_time() {
    for_each(cases::all(), |case| async move {
        let organization = case.organization(Settings::default()).await;
        let (mut stack, event) = case.begin(&organization).await;
        let first = stack.send(&event).await.ok();
        assert_ne!(organization.take_writes(), "", "{}", case.name);
        let second = stack.send(&event).await.ok();
        assert_eq!(organization.take_writes(), "", "{}", case.name);
        assert_eq!(second, first, "{}", case.name);
    })
    .await;
}

#[tokio::test]
async fn killed_after_any_single_call_and_run_again_it_reaches_the_same_end() {
    let mut kills = Vec::new();
    for Undisturbed { case, calls, end, .. } in cases::undisturbed().await {
        for (nth, call) in (1..).zip(calls) {
            kills.push((case.clone(), nth, Moment::Before, end.clone()));
            // After a read, all is as it is before the next call.
            if call.write {
                kills.push((case.clone(), nth, Moment::After, end.clone()));
            }
        }
    }
    assert!(kills.len() > 150, "{}", kills.len());
    for_each(kills, |(case, nth, moment, end)| async move {
        let place = format!("{} killed {moment:?} call {nth}", case.name);
        let organization = case.organization(Settings::default()).await;
        let (mut stack, event) = case.begin(&organization).await;
        let hold = organization.hold(nth, moment);
        assert!(stack.kill(&event, hold).await, "{place}");
        let answer = stack.send(&event).await;
        assert!(answer.success, "{place}: {answer}");
        assert_eq!(organization.state(), end, "{place}");
        // CloudFormation takes the first answer, which may have been out before the end.
        for earlier in stack.answers(&event) {
            assert_eq!(earlier, answer, "{place}");
        }
        if !case.is_delete() {
            let unprotected = organization.journal().into_iter().flat_map(|it| it.unprotected);
            assert_eq!(unprotected.collect::<Vec<_>>(), Vec::<String>::new(), "{place}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_account_is_ever_without_a_backup_policy_it_keeps() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let ids = |names: &[&str]| names.iter().map(|it| organization.id(it)).collect::<Vec<_>>();
    let _ = stack.create(daily(3, &ids(&["Workloads", "Security"]))).await.ok();
    organization.clear_journal();
    // Every account below the old targets is below the new ones, too, but for the management
    // account, which is below the root alone.
    let everywhere = ["Production", "Development", "Security", "Sandbox"];
    for (hour, targets) in [(4, &["root"][..]), (5, &everywhere), (6, &["root"])] {
        let mut properties = daily(hour, &ids(targets));
        properties["Name"] = json!(format!("daily-{hour}"));
        let _ = stack.update(properties).await.ok();
    }
    let journal = organization.journal();
    let detached = journal.iter().filter(|it| it.operation == "DetachPolicy").count();
    assert_eq!(detached, 2 + 1 + 4);
    let management = organization.id("management");
    let lost = |it: &Entry| it.lost.iter().any(|(account, _)| *account != management);
    assert_eq!(organization.lines(lost), "");
    let mut unprotected = journal.into_iter().flat_map(|it| it.unprotected);
    assert!(unprotected.all(|it| it == management));
}

#[tokio::test]
async fn nothing_without_our_ownership_tag_is_changed_or_deleted() {
    let organization = Organization::ready(Settings::default()).await;
    let theirs = organization.foreign_policy("daily", &["root"]);
    let mut other = organization.stack("backup-policy").named("Other");
    let mut weekly = daily(5, &root());
    weekly["Name"] = json!("weekly");
    let _ = other.create(weekly.clone()).await.ok();
    let mut lost = organization.stack("backup-policy").named("Lost");
    let mut monthly = daily(6, &root());
    monthly["Name"] = json!("monthly");
    let created = lost.create(monthly.clone()).await.ok();
    let owner = "org-backup:owner".to_owned();
    organization.organization(|it| it.untag(&created.physical_id, &[owner]).unwrap());
    let before = organization.state();
    organization.clear_journal();

    // By name: a stranger's, another resource's, and one whose tag somebody took away.
    for properties in [daily(4, &root()), weekly.clone(), monthly.clone()] {
        let mut stack = organization.stack("backup-policy").named("New");
        let _ = stack.create(properties).await.reason();
        assert!(stack.rollback.take().unwrap().success);
    }
    // By ID: the same three.
    for (id, properties) in [
        (theirs, daily(4, &root())),
        (other.physical_id.clone().unwrap(), weekly),
        (created.physical_id, monthly.clone()),
    ] {
        let mut stack = organization.stack("backup-policy").named("New");
        stack.physical_id = Some(id);
        let mut changed = properties.clone();
        changed["Content"] = document(9);
        let mut event = stack.event("Update", &changed);
        event["OldResourceProperties"] = event["ResourceProperties"].clone();
        let _ = stack.send(&event).await.reason();
        let event = stack.event("Delete", &properties);
        let _ = stack.send(&event).await.ok();
        // And by a name alone, where CloudFormation has made up the ID.
        stack.physical_id = Some("backups-New-1A2B3C4D5E6F".to_owned());
        let event = stack.event("Delete", &properties);
        let _ = stack.send(&event).await.ok();
    }
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);

    // The resource that lost its policy says so, and can take it back.
    monthly["Content"] = document(7);
    let reason = lost.update(monthly.clone()).await.reason();
    expect!["policy monthly no longer carries this resource's ownership tag (was not made by this stack); hint: set `Adopt: true` to take it over"].assert_eq(&organization.named(&reason));
    organization.clear_journal();
    monthly["Adopt"] = json!(true);
    let _ = lost.update(monthly).await.ok();
    organization.check_writes(expect![[r"
        TagResource monthly
        UpdatePolicy monthly
    "]]);
}

#[tokio::test]
async fn identity_is_the_id_and_a_failure_never_changes_it() {
    let mut failures = Vec::new();
    for Undisturbed { case, calls, .. } in cases::undisturbed().await {
        if !case.is_update() {
            continue;
        }
        let calls = calls.into_iter().map(|it| it.operation);
        let silent = |it: &String| it == "PutResponse" || is_left_out(case.function, it);
        let operations: BTreeSet<_> = calls.filter(|it| !silent(it)).collect();
        failures.extend(operations.into_iter().map(|it| (case.clone(), it)));
    }
    assert!(failures.iter().any(|it| it.1 == "DetachPolicy"));
    for_each(failures, |(case, operation)| async move {
        let organization = case.organization(Settings::default()).await;
        let (mut stack, _) = case.begin(&organization).await;
        let (before, id) = (organization.state(), stack.physical_id.clone());
        organization.fail(Fault::error(&operation, "InvalidInputException"));
        // `update` sends the rollback, and asserts that the ID stays.
        let reason = stack.update(case.after(&organization)).await.reason();
        assert!(reason.contains("InvalidInputException"), "{operation}: {reason}");
        assert!(stack.rollback.take().unwrap().success, "{operation}");
        assert_eq!(organization.state(), before, "{operation}");
        assert_eq!(stack.physical_id, id, "{operation}");
    })
    .await;
}

#[tokio::test]
async fn deleting_a_stack_leaves_the_organization_protected() {
    let organization = Organization::bare(Settings::default()).await;
    let administrators = json!([{
        "AccountId": organization.id("security-000"),
        "ServicePrincipal": "backup.amazonaws.com",
    }]);
    let resources = [
        ("policy-types", json!({ "PolicyTypes": ["BACKUP_POLICY"] })),
        (
            "service-access",
            json!({
                "ServicePrincipals": ["backup.amazonaws.com"], "StackSets": true,
                "DelegatedAdministrators": administrators,
            }),
        ),
        ("global-settings", json!({ "CrossAccountBackup": true, "MultiPartyApproval": true })),
    ];
    let mut stacks = Vec::new();
    for (function, properties) in resources {
        let mut stack = organization.stack(function);
        let _ = stack.create(properties).await.ok();
        stacks.push(stack);
    }
    organization.foreign_policy("theirs", &["root"]);
    let before = organization.state();
    organization.clear_journal();
    for stack in &mut stacks {
        let _ = stack.delete().await.ok();
    }
    // Deleting what was never created succeeds as well.
    for function in ["backup-policy", "global-settings", "policy-types", "service-access"] {
        let mut stack = organization.stack(function);
        stack.physical_id = Some("not-created".to_owned());
        let event = stack.event("Delete", &json!({ "Misspelt": "so it was never created" }));
        let _ = stack.send(&event).await.ok();
    }
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn nothing_is_swallowed() {
    let mut seen = BTreeSet::new();
    let mut failures = Vec::new();
    for Undisturbed { case, calls, .. } in cases::undisturbed().await {
        for call in calls {
            let silent =
                call.operation == "PutResponse" || is_left_out(case.function, &call.operation);
            if !silent && seen.insert((case.function, call.operation.clone())) {
                let codes = terminal(&call.operation).into_iter();
                failures.extend(codes.map(|it| (case.clone(), call.operation.clone(), it)));
            }
        }
    }
    assert!(failures.len() > 100, "{}", failures.len());
    for_each(failures, |(case, operation, code)| async move {
        let organization = case.organization(Settings::default()).await;
        let (mut stack, event) = case.begin(&organization).await;
        organization.fail(Fault::error(&operation, code).forever());
        let answer = stack.send(&event).await;
        let place = format!("{}, where {operation} answers {code}: {answer}", case.name);
        assert!(!answer.success, "{place}");
        assert!(answer.reason.contains(code), "{place}");
    })
    .await;
}

#[tokio::test]
async fn retries_end_before_the_deadline() {
    for_each(cases::all(), |case| async move {
        let organization = case.organization(Settings::default()).await;
        let (stack, event) = case.begin(&organization).await;
        let mut stack = stack.within(Duration::from_secs(6));
        for operation in OPERATIONS.iter().filter(|it| it.name != "PutResponse") {
            organization.fail(Fault::error(operation.name, "TooManyRequestsException").forever());
        }
        // The test bed kills what has not answered in time, as Lambda does.
        let reason = stack.send(&event).await.reason();
        assert!(reason.contains("deploy again"), "{}: {reason}", case.name);
        assert_eq!(organization.take_writes(), "");
    })
    .await;
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(path)?));
        }
    }
    Ok(())
}

#[test]
fn nothing_sleeps_for_a_fixed_time() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let clippy = fs::read_to_string(workspace.join("clippy.toml")).unwrap();
    for function in ["std::thread::sleep", "tokio::time::sleep"] {
        assert!(clippy.contains(&format!("path = \"{function}\"")), "{function} is allowed");
    }
    let mut found = Vec::new();
    let crates = ["aws", "cfn/src", "plan/src", "policy/src", "report/src", "resources/src"];
    let crates = crates.map(|it| format!("crates/{it}"));
    for folder in crates.iter().map(String::as_str).chain(["functions"]) {
        sources(&workspace.join(folder), &mut found).unwrap();
    }
    assert!(found.len() > 20, "{}", found.len());
    for (path, text) in found {
        for (number, line) in (1..).zip(text.lines()) {
            // The only exception that may be made is reading the environment.
            let excepted = line.contains("disallowed_methods");
            let next = text.lines().skip(number).take(8).collect::<String>();
            assert!(!excepted || next.contains("env::var"), "{path}:{number}");
            assert!(!line.contains("sleep("), "{path}:{number}");
        }
    }
}

#[tokio::test]
async fn secrets_and_policy_text_never_reach_a_log() {
    // Every scenario logs all there is and looks for secrets. Here are all requests, with assumed
    // roles and with answers that are refused, and the proof that there is a log to look at.
    let settings = || Settings { pending: Pending::Reads(0), ..Settings::strict() };
    for_each(cases::all(), move |case| async move {
        let organization = case.organization(settings()).await;
        let member = organization.id("production-001");
        let (stack, mut event) = case.begin(&organization).await;
        let mut stack = stack.in_account(&member);
        let role = organization.management_role(&member);
        event["ResourceProperties"]["ManagementRoleArn"] = json!(role);
        organization.fail(Fault::error("PutResponse", "SlowDown"));
        let _ = stack.send(&event).await.ok();
        for line in ["AWS calls", "\"answer\"", "sent again"] {
            assert!(stack.logs.contains(line), "{}: {}", case.name, stack.logs);
        }
        organization.fail(Fault::error("AssumeRole", "AccessDenied"));
        let _ = stack.send(&event).await.reason();
        assert!(stack.logs.contains("AccessDenied"), "{}", stack.logs);
    })
    .await;
    // A document with a mistake in it is not shown either.
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let mut content = document(3);
    content["plans"]["daily"]["rules"]["nightly"]["lifecycle"] = json!("long");
    for content in [content, json!(document(3).to_string() + "}")] {
        let properties = json!({ "Name": "daily", "Content": content, "TargetIds": "root" });
        let _ = stack.create(properties).await.reason();
    }
    assert_eq!(organization.organization(|it| it.policies(BACKUP_POLICY).count()), 0);
}
