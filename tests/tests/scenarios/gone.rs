//! A deleted resource stays gone if requests come late, twice, or while it was still being made.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Moment, Outcome, Role, Settings};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::{STATE_BUCKET, STATE_MACHINE};
use tests::stack::{MADE_UP, Stack};

const BACKUP: &str = "backup.amazonaws.com";

/// The custom resources, each with what undoes it when it is deleted.
const FUNCTIONS: [&str; 5] =
    ["policy-types", "service-access", "global-settings", "backup-policy", "member-accounts"];

fn properties(organization: &Organization, function: &str) -> Value {
    match function {
        "policy-types" => json!({ "PolicyTypes": ["TAG_POLICY"], "OnDelete": "Disable" }),
        "service-access" => json!({
            "ServicePrincipals": [BACKUP],
            "StackSets": true,
            "DelegatedAdministrators": [{
                "AccountId": organization.id("security-000"), "ServicePrincipal": BACKUP,
            }],
            "OnDelete": "Revert",
        }),
        "global-settings" => json!({ "CrossAccountBackup": true, "OnDelete": "Restore" }),
        "backup-policy" => {
            json!({ "Name": "daily", "Content": document(3), "TargetIds": ["root"] })
        }
        "member-accounts" => {
            json!({ "RoleName": "org-backup-member", "Regions": ["eu-west-1"], "OptIn": "All" })
        }
        other => panic!("{other} serves no custom resource"),
    }
}

/// An organization in which everything that the functions need is there, and nothing of theirs.
async fn ready() -> Organization {
    let organization = Organization::bare(Settings::default().accounts(2)).await;
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    let anything = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
    ] });
    let role = Role::trusting_account("org-backup-member", "111122223333").allowing(&anything);
    organization.iam(|it| it.create_role_everywhere(role));
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| it.create(TOPIC));
    organization.state_machines(|it| it.create(STATE_MACHINE));
    organization
}

fn stack<'a>(organization: &'a Organization, function: &'static str) -> Stack<'a> {
    organization.stack(function).kept()
}

/// Has sweeps run, 17 minutes and 25 hours later, and expects that nothing is made.
async fn nothing_comes_back(organization: &Organization, what: &str) {
    let after = organization.state();
    let reattach = Reattach::start(organization, "Repair").await;
    for later in [Duration::from_mins(17), Duration::from_hours(25)] {
        organization.pass(later);
        let swept = reattach.sweep().await;
        assert!(matches!(swept, Outcome::Returned(_)), "{what}: {}", reattach.logs());
        assert_eq!(organization.state(), after, "{what}, {later:?} later");
    }
    let runs = organization.state_machines(|it| it.executions().len());
    assert_eq!(runs, 0, "{what}: work in accounts was started");
}

/// Sends an event of which no request waits for an answer any more.
async fn late(stack: &mut Stack<'_>, event: &Value, what: &str) {
    let organization = stack.organization();
    let answered = organization.responses(event["ResponseURL"].as_str().unwrap()).len();
    assert_eq!(stack.invoke(event).await, Outcome::Returned(Value::Null), "{what}: {}", stack.logs);
    let answers = organization.responses(event["ResponseURL"].as_str().unwrap());
    assert_eq!(answers.len(), answered, "{what}: it is answered");
}

#[tokio::test]
async fn a_creation_that_was_never_answered_is_gone_after_its_rollback() {
    join_all(FUNCTIONS.map(async |function| {
        let organization = ready().await;
        let before = organization.state();
        let mut stack = stack(&organization, function).within(Duration::from_secs(12));
        let wanted = properties(&organization, function);
        let create = stack.event("Create", &wanted);
        organization.fail(Fault::error("PutResponse", "AccessDenied").status(403).forever());
        assert!(matches!(stack.invoke(&create).await, Outcome::Failed(_)), "{function}");
        organization.clear_faults();
        let delete = stack.give_up(&wanted);
        let _ = stack.send(&delete).await.ok();
        assert_eq!(organization.state(), before, "{function}");
        late(&mut stack, &create, function).await;
        assert_eq!(organization.state(), before, "{function}, when Lambda sends it again");
        nothing_comes_back(&organization, function).await;
        // The same resource may begin a new life in its stack.
        let _ = stack.create(wanted).await.ok();
        assert!(function == "member-accounts" || organization.state() != before, "{function}");
        late(&mut stack, &delete, function).await;
        let alive = organization.state();
        let reattach = Reattach::start(&organization, "Repair").await;
        let _ = reattach.sweep().await;
        assert_eq!(organization.state(), alive, "{function}, in its second life");
    }))
    .await;
}

#[tokio::test]
async fn a_creation_of_which_nothing_is_known_makes_nothing_after_its_rollback() {
    for function in FUNCTIONS {
        let organization = ready().await;
        let before = organization.state();
        let mut stack = stack(&organization, function);
        let wanted = properties(&organization, function);
        let create = stack.event("Create", &wanted);
        // It is killed before it has written anything.
        assert!(stack.kill(&create, organization.hold(1, Moment::Before)).await);
        let delete = stack.give_up(&wanted);
        let _ = stack.send(&delete).await.ok();
        late(&mut stack, &create, function).await;
        assert_eq!(organization.state(), before, "{function}");
        nothing_comes_back(&organization, function).await;
    }
}

#[tokio::test]
async fn a_delete_while_the_creation_is_at_work_leaves_nothing() {
    for function in FUNCTIONS {
        for (nth, moment) in [(1, Moment::Before), (3, Moment::After), (5, Moment::Before)] {
            let organization = ready().await;
            let before = organization.state();
            let (mut stack, mut other) =
                (stack(&organization, function), stack(&organization, function));
            let wanted = properties(&organization, function);
            other.resume(None, wanted.clone());
            let create = stack.event("Create", &wanted);
            let mut hold = organization.hold(nth, moment);
            let creation = stack.invoke(&create);
            tokio::pin!(creation);
            tokio::select! {
                _ = &mut creation => panic!("{function} makes fewer calls"),
                reached = hold.reached() => assert!(reached),
            }
            let delete = other.give_up(&wanted);
            let _ = other.send(&delete).await.ok();
            drop(hold);
            let what = format!("{function}, held {moment:?} call {nth}");
            assert_eq!(creation.await, Outcome::Returned(Value::Null), "{what}");
            assert_eq!(organization.state(), before, "{what}");
            nothing_comes_back(&organization, &what).await;
        }
    }
}

/// A creation is cancelled while it is at work, and the resource is created again before it ends: it
/// makes one more call after the Delete that overtook it. Then it makes the rest after the second
/// creation, or is killed, and Lambda delivers it again.
#[tokio::test]
async fn what_a_cancelled_creation_still_makes_goes_with_the_resource_that_was_created_since() {
    let each = FUNCTIONS.into_iter().flat_map(|it| [(it, false), (it, true)]);
    join_all(each.map(async |(function, is_killed)| {
        for nth in 1.. {
            let organization = ready().await;
            let before = organization.state();
            let (mut stack, mut other) =
                (stack(&organization, function), stack(&organization, function));
            let wanted = properties(&organization, function);
            other.resume(None, wanted.clone());
            let create = stack.event("Create", &wanted);
            let mut held = organization.hold(nth, Moment::Before);
            let mut creation = Box::pin(stack.invoke(&create));
            tokio::select! {
                _ = &mut creation => break,
                reached = held.reached() => assert!(reached),
            }
            let delete = other.give_up(&wanted);
            let _ = other.send(&delete).await.ok();
            let mut next = organization.hold(1, Moment::After);
            drop(held);
            let is_over = tokio::select! {
                _ = &mut creation => true,
                reached = next.reached() => is_killed || !reached,
            };
            if is_over {
                drop((creation, next));
                // CloudFormation waits for it no longer.
                let _given_up = stack.clean_up(MADE_UP, &wanted);
                let _ = other.create(wanted).await.ok();
                late(&mut stack, &create, function).await;
            } else {
                let _ = other.create(wanted).await.ok();
                drop(next);
                creation.await;
            }
            let alive = organization.state();
            let what = format!("{function}, held before call {nth}, killed: {is_killed}");
            let _ = other.delete().await.ok();
            if function != "member-accounts" {
                assert_ne!(organization.state(), alive, "{what}: the second one was there");
            }
            assert_eq!(organization.state(), before, "{what}");
            nothing_comes_back(&organization, &what).await;
        }
    }))
    .await;
}

#[tokio::test]
async fn of_two_deliveries_at_once_none_fails_what_the_other_brings_to_success() {
    for function in FUNCTIONS {
        for nth in [2, 4] {
            let organization = ready().await;
            let (mut stack, mut other) =
                (stack(&organization, function), stack(&organization, function));
            let wanted = properties(&organization, function);
            let create = stack.event("Create", &wanted);
            let mut hold = organization.hold(nth, Moment::After);
            let mut first = Box::pin(stack.invoke(&create));
            tokio::select! {
                _ = &mut first => panic!("{function} makes fewer calls"),
                reached = hold.reached() => assert!(reached),
            }
            // The second one gets as far as it can, and then both go on.
            let second = other.invoke(&create);
            tokio::pin!(second);
            let paused = tokio::time::timeout(Duration::from_millis(10 * nth), &mut second);
            let ended = paused.await.is_ok();
            drop(hold);
            if ended {
                first.as_mut().await;
            } else {
                join(first.as_mut(), second).await;
            }
            drop(first);
            let answers = stack.answers(&create);
            let what = format!("{function}, held after call {nth}");
            assert!(!answers.is_empty(), "{what}: no answer");
            for answer in answers {
                assert!(answer.success, "{what}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_never_created_can_be_deleted_without_the_state_bucket() {
    for function in FUNCTIONS {
        let organization = ready().await;
        let mut stack = organization.stack(function).unlimited().with("STATE_BUCKET", "gone");
        let wanted = properties(&organization, function);
        let reason = stack.create(wanted.clone()).await.reason();
        assert!(reason.contains("NoSuchBucket"), "{function}: {reason}");
        let rollback = stack.rollback.take().unwrap();
        assert!(rollback.success, "{function}: {rollback}");
        let delete = stack.give_up(&wanted);
        let _ = stack.send(&delete).await.ok();
    }
}

#[tokio::test]
async fn what_exists_is_not_deleted_without_the_state_bucket_and_the_reason_says_what_is_missing() {
    for function in FUNCTIONS {
        let organization = ready().await;
        let mut made = stack(&organization, function);
        let wanted = properties(&organization, function);
        let id = made.create(wanted.clone()).await.ok().physical_id;
        let before = organization.state();
        let mut stack = organization.stack(function).unlimited().with("STATE_BUCKET", "gone");
        stack.resume(Some(id), wanted);
        let reason = stack.delete().await.reason();
        assert!(reason.contains("s3://gone/desired/"), "{function}: {reason}");
        assert!(reason.contains("NoSuchBucket"), "{function}: {reason}");
        assert_eq!(organization.state(), before, "{function}");
    }
}

#[tokio::test]
async fn what_a_failed_creation_made_is_not_left_behind_without_the_state_bucket() {
    let organization = ready().await;
    let wanted = properties(&organization, "backup-policy");
    let mut stack = stack(&organization, "backup-policy").within(Duration::from_secs(12));
    let create = stack.event("Create", &wanted);
    organization.fail(Fault::error("PutResponse", "AccessDenied").status(403).forever());
    let _ = stack.invoke(&create).await;
    organization.clear_faults();
    // The Delete carries an ID that was made up, and still there is something to be deleted.
    let delete = stack.give_up(&wanted);
    let mut elsewhere =
        organization.stack("backup-policy").unlimited().with("STATE_BUCKET", "gone");
    let reason = elsewhere.send(&delete).await.reason();
    assert!(reason.contains("s3://gone/desired/"), "{reason}");
}

#[tokio::test]
async fn cleaning_up_after_a_creation_that_was_tried_before_leaves_what_was_created_since() {
    for function in FUNCTIONS {
        let organization = ready().await;
        let mut stack = stack(&organization, function).within(Duration::from_secs(5));
        let wanted = properties(&organization, function);
        let first = stack.event("Create", &wanted);
        organization.refuse_responses(first["ResponseURL"].as_str().unwrap());
        assert!(matches!(stack.invoke(&first).await, Outcome::Failed(_)), "{function}");
        let mut stack = stack.within(Duration::from_mins(1));
        // Without a rollback the next deployment creates it again, and then deletes what it gave up.
        let second = stack.event("Create", &wanted);
        let _ = stack.send(&second).await.ok();
        let alive = organization.state();
        let delete = stack.clean_up(MADE_UP, &wanted);
        let _ = stack.send(&delete).await.ok();
        assert_eq!(organization.state(), alive, "{function}");
        let kept = organization.buckets(|it| {
            let keys = it.keys(STATE_BUCKET).into_iter().filter(|it| it.starts_with("desired/"));
            let key = keys.map(ToOwned::to_owned).next().unwrap();
            it.get(STATE_BUCKET, &key, None).unwrap().body.clone()
        });
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        assert_eq!(kept["DeletedSince"], Value::Null, "{function}");
    }
}
