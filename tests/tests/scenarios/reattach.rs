//! Putting back what somebody undid.

use std::time::{Duration, SystemTime};

use expect_test::expect;
use plan::reattach::Sweep;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Function, Moment, Outcome, Settings};
use tests::binaries::binary;
use tests::organization::{Organization, document};
use tests::reattach::{OWN_ROLE, Reattach, TOPIC, batch, told, told_by};
use tests::role::{STATE_BUCKET, STATE_MACHINE};
use tests::stack::Stack;

const BACKUP: &str = "backup.amazonaws.com";

/// An organization with a state bucket, in which nothing is deployed.
pub(crate) async fn bare() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| it.create(TOPIC));
    organization
}

fn daily(hour: u8) -> Value {
    json!({ "Name": "daily", "Content": document(hour), "TargetIds": ["root"] })
}

fn types() -> Value {
    json!({ "PolicyTypes": [BACKUP_POLICY] })
}

/// The stack of the policy type, deployed.
pub(crate) async fn with_types(organization: &Organization) -> Stack<'_> {
    let mut stack = organization.stack("policy-types").named("Types").kept();
    let _ = stack.create(types()).await.ok();
    stack
}

/// The stack of the policy `daily`, deployed at the root.
pub(crate) async fn with_daily(organization: &Organization) -> Stack<'_> {
    let mut stack = organization.stack("backup-policy").named("Daily").kept();
    let _ = stack.create(daily(5)).await.ok();
    stack
}

/// Somebody detaches the policy from the root; this is what CloudTrail tells.
pub(crate) fn detach(organization: &Organization) -> Value {
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    told("DetachPolicy", &json!({ "policyId": policy, "targetId": root }))
}

/// Somebody deletes the policy; this is what CloudTrail tells.
fn delete(organization: &Organization) -> Vec<Value> {
    let policy = organization.policy_id("daily");
    let mut events = vec![detach(organization)];
    organization.organization(|it| it.delete_policy(&policy).unwrap());
    events.push(told("DeletePolicy", &json!({ "policyId": policy })));
    events
}

/// Somebody disables the policy type, which detaches every policy; this is what CloudTrail tells.
fn disable(organization: &Organization) -> Value {
    let root = organization.id("root");
    organization.organization(|it| it.disable_policy_type(&root, BACKUP_POLICY).unwrap());
    told("DisablePolicyType", &json!({ "rootId": root, "policyType": BACKUP_POLICY }))
}

/// Somebody turns cross-account backup off.
fn switch_off(organization: &Organization) {
    let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&off).unwrap());
}

/// The subjects of the notifications since the start.
fn subjects(organization: &Organization) -> Vec<String> {
    organization.notifications().into_iter().map(|it| it.0).collect()
}

/// The entry of the desired state for the resource of this name.
fn entry(organization: &Organization, function: &str, name: &str) -> Option<Value> {
    let key = format!("desired/{function}/backups/5d3c/{name}.json");
    serde_json::from_str(&organization.object(STATE_BUCKET, &key)?).ok()
}

#[tokio::test]
async fn a_heartbeat_is_answered_with_the_mode_and_calls_nobody() {
    let organization = bare().await;
    for mode in ["Repair", "Report"] {
        let reattach = Reattach::start(&organization, mode).await;
        organization.clear_journal();
        let outcome = reattach.invoke(&json!({ "source": "org-backup.heartbeat" })).await;
        let answer = json!({ "mode": mode, "batchItemFailures": [] });
        assert_eq!(outcome, Outcome::Returned(answer));
        assert_eq!(organization.lines(|_| true), "");
    }
}

#[tokio::test]
async fn a_detached_policy_is_attached_again_and_people_are_told_who_did_it() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = detach(&organization);
    organization.clear_journal();
    assert!(reattach.deliver(&[event]).await.is_empty());
    organization.check_writes(expect![[r"
        AttachPolicy daily root
    "]]);
    assert_eq!(organization.state(), before);
    let (subject, text) = organization.notifications().pop().unwrap();
    assert_eq!(subject, "org-backup: 1 put back");
    assert!(text.contains("attach to root"), "{text}");
    assert!(text.contains("assumed-role/Support/mallory"), "{text}");
    assert!(text.contains("203.0.113.9"), "{text}");
    let metrics = reattach.metrics();
    assert_eq!((&metrics["DriftFound"], &metrics["Repaired"]), (&json!(1), &json!(1)));
    assert!(metrics["SecondsToRepair"].is_number());
}

#[tokio::test]
async fn nothing_but_the_page_is_written_and_nobody_is_told_when_nothing_drifted() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Repair").await;
    let mut event = detach(&organization);
    let _ = reattach.deliver(std::slice::from_ref(&event)).await;
    let told = organization.notifications().len();
    organization.clear_journal();
    // The same again, as if it had just happened.
    event["detail"]["eventTime"] = json!("2100-01-01T00:00:00Z");
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(reattach.sweep().await, Outcome::Returned(json!({ "batchItemFailures": [] })));
    organization.check_writes(expect![[r"
        PutObject state/reports/organization.html
    "]]);
    assert_eq!(organization.notifications().len(), told);
    assert_eq!(reattach.metrics()["Sweeps"], 1);
}

#[tokio::test]
async fn it_is_kept_when_everything_was_last_looked_after_and_not_when_something_was() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Repair").await;
    let kept = || organization.object(STATE_BUCKET, Sweep::KEY);
    let event = detach(&organization);
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(kept(), None);
    let before = Sweep::of(SystemTime::now(), []);
    let _ = reattach.sweep().await;
    let swept = Sweep::read(&kept().unwrap()).unwrap();
    assert!(before.time() <= swept.time() && swept.time() <= SystemTime::now());
}

#[tokio::test]
async fn a_deleted_policy_is_made_again_and_its_stack_still_updates_and_deletes_it() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let mut stack = with_daily(&organization).await;
    let (before, known) = (organization.state(), stack.physical_id.clone());
    let reattach = Reattach::start(&organization, "Repair").await;
    let events = delete(&organization);
    assert!(reattach.deliver(&events).await.is_empty());
    assert_eq!(organization.state(), before);
    assert_ne!(Some(organization.policy_id("daily")), known);
    assert_eq!(
        entry(&organization, "backup-policy", "Daily").unwrap()["CurrentId"],
        json!(organization.policy_id("daily"))
    );
    // The stack knows the old ID and keeps it: with a new one, CloudFormation would delete on a
    // rollback what it takes for the replacement.
    let updated = stack.update(daily(7)).await.ok();
    assert_eq!(Some(updated.physical_id), known);
    assert_eq!(updated.data["PolicyId"], organization.policy_id("daily"));
    assert!(organization.state().contains("cron(0 7"));
    let _ = stack.delete().await.ok();
    assert!(!organization.state().contains("policy daily"), "{}", organization.state());
    assert!(entry(&organization, "backup-policy", "Daily").unwrap()["DeletedSince"].is_u64());
}

/// Found by the schedule of the seed 1795972949156. With another ID than CloudFormation's, the policy
/// would be left alone from then on, as one of a resource that CloudFormation does not have.
#[tokio::test]
async fn a_creation_that_comes_again_keeps_the_id_that_cloudformation_knows() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let mut stack = organization.stack("backup-policy").named("Daily").kept();
    let create = stack.event("Create", &daily(5));
    let created = stack.send(&create).await.ok();
    stack.tell("CREATE_COMPLETE", &created.physical_id);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let events = delete(&organization);
    assert!(reattach.deliver(&events).await.is_empty());
    // Lambda delivers the creation again, and CloudFormation has its answer already.
    assert_eq!(stack.send(&create).await.ok().physical_id, created.physical_id);
    let kept = entry(&organization, "backup-policy", "Daily").unwrap();
    assert_eq!(kept["PhysicalId"], json!(created.physical_id));
    assert_eq!(kept["CurrentId"], json!(organization.policy_id("daily")));
    let events = delete(&organization);
    assert!(reattach.deliver(&events).await.is_empty());
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_policy_that_was_made_again_and_not_yet_noted_is_deleted_with_its_stack() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let mut stack = with_daily(&organization).await;
    let events = delete(&organization);
    let reattach = Reattach::start(&organization, "Repair").await;
    // The first write takes the lease.
    organization.fail(Fault::error("PutObject", "AccessDenied").nth(2));
    let _ = reattach.deliver(&events).await;
    assert_ne!(Some(organization.policy_id("daily")), stack.physical_id);
    assert_eq!(entry(&organization, "backup-policy", "Daily").unwrap()["CurrentId"], Value::Null);
    let _ = stack.delete().await.ok();
    assert!(!organization.state().contains("policy daily"), "{}", organization.state());
}

#[tokio::test]
async fn a_disabled_policy_type_comes_back_with_every_attachment() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let targets = json!([organization.id("Workloads"), organization.id("Sandbox")]);
    let mut weekly = organization.stack("backup-policy").named("Weekly").kept();
    let properties = json!({ "Name": "weekly", "Content": document(6), "TargetIds": targets });
    let _ = weekly.create(properties).await.ok();
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = disable(&organization);
    assert!(!organization.state().contains("attached to root"));
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(organization.state(), before);
    assert_eq!(subjects(&organization), ["org-backup: 3 put back"]);
}

#[tokio::test]
async fn a_policy_waits_for_its_type_that_another_message_brings_back() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let (detached, disabled) = (detach(&organization), disable(&organization));
    let again = reattach.deliver(std::slice::from_ref(&detached)).await;
    assert_eq!(again.len(), 1, "it comes again");
    assert!(organization.notifications().is_empty());
    assert!(reattach.deliver(&[disabled]).await.is_empty());
    assert_eq!(organization.state(), before);
    assert!(reattach.deliver(&[detached]).await.is_empty());
    assert_eq!(subjects(&organization), ["org-backup: 2 put back"]);
}

#[tokio::test]
async fn an_edited_and_renamed_policy_is_put_back() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let policy = organization.policy_id("daily");
    organization.organization(|it| {
        let content = document(23).to_string();
        it.update_policy(&policy, Some("renamed"), Some("Edited"), Some(&content)).unwrap();
    });
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = told("UpdatePolicy", &json!({ "policyId": policy }));
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(organization.state(), before);
    assert_eq!(organization.policy_id("daily"), policy);
}

#[tokio::test]
async fn access_administrators_and_settings_are_put_back_in_order() {
    let organization = bare().await;
    let account = organization.id("security-000");
    let mut access = organization.stack("service-access").named("Access").kept();
    let administrators = json!([{ "AccountId": account, "ServicePrincipal": BACKUP }]);
    let properties =
        json!({ "ServicePrincipals": [BACKUP], "DelegatedAdministrators": administrators });
    let _ = access.create(properties).await.ok();
    let mut settings = organization.stack("global-settings").named("Settings").kept();
    let _ = settings.create(json!({ "CrossAccountBackup": true })).await.ok();
    let before = organization.state();
    organization.organization(|it| {
        it.deregister_delegated_administrator(&account, BACKUP).unwrap();
        it.disable_service_access(BACKUP).unwrap();
    });
    switch_off(&organization);
    let events = [
        told(
            "DeregisterDelegatedAdministrator",
            &json!({ "accountId": account, "servicePrincipal": BACKUP }),
        ),
        told("DisableAWSServiceAccess", &json!({ "servicePrincipal": BACKUP })),
        told("UpdateGlobalSettings", &json!({})),
    ];
    let reattach = Reattach::start(&organization, "Repair").await;
    assert!(reattach.deliver(&events).await.is_empty());
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn in_report_mode_nothing_is_written_and_people_are_told_what_would_be() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Report").await;
    let mut events = delete(&organization);
    events.push(disable(&organization));
    organization.clear_journal();
    assert!(reattach.deliver(&events).await.is_empty());
    organization.check_writes(expect![""]);
    let (_, text) = organization.notifications().pop().unwrap();
    assert!(text.contains("enable policy type BACKUP_POLICY"), "{text}");
    assert_eq!(reattach.metrics()["Repaired"], 0);
}

#[tokio::test]
async fn our_own_calls_coming_back_cost_nothing() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let policy = organization.policy_id("daily");
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.clear_journal();
    let event = told_by(OWN_ROLE, "AttachPolicy", &json!({ "policyId": policy }));
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert!(organization.journal().is_empty(), "{:?}", organization.journal());
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let theirs = organization.foreign_policy("theirs", &["Workloads"]);
    let target = organization.id("Workloads");
    organization.organization(|it| it.detach_policy(&theirs, &target).unwrap());
    let mut failed = told("DetachPolicy", &json!({ "policyId": organization.policy_id("daily") }));
    failed["detail"]["errorCode"] = json!("AccessDenied");
    let events = [
        told("DetachPolicy", &json!({ "policyId": theirs, "targetId": target })),
        told("DisablePolicyType", &json!({ "policyType": "TAG_POLICY" })),
        told("DisableAWSServiceAccess", &json!({ "servicePrincipal": "ram.amazonaws.com" })),
        told("InventSomething", &json!({})),
        failed,
        json!("this is no JSON"),
        json!({ "detail": 5 }),
    ];
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.clear_journal();
    assert!(reattach.deliver(&events).await.is_empty());
    organization.check_writes(expect![""]);
    assert!(organization.notifications().is_empty());
    let unknown = reattach.logs().lines().filter(|it| it.contains("InventSomething")).count();
    assert_eq!(unknown, 1);
}

#[tokio::test]
async fn a_storm_of_events_in_any_order_ends_in_one_state_and_few_looks() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = detach(&organization);
    organization.clear_journal();
    let looks = |organization: &Organization| {
        organization.lines(|it| it.operation == "DescribePolicy").lines().count()
    };
    // Ten batches of a hundred, among them late ones and the same ones twice.
    for batch in 0..10 {
        let events: Vec<_> = (0..100)
            .map(|index| {
                let mut event = event.clone();
                if (index * 7 + batch) % 3 == 0 {
                    event["detail"]["eventTime"] = json!("2026-01-02T03:04:05Z");
                }
                event
            })
            .collect();
        assert!(reattach.deliver(&events).await.is_empty());
    }
    assert_eq!(organization.state(), before);
    assert!(looks(&organization) <= 10, "{} looks", looks(&organization));
    organization.check_writes(expect![[r"
        AttachPolicy daily root
    "]]);
}

#[tokio::test]
async fn late_events_cost_no_look_at_the_organization() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Repair").await;
    let mut event = detach(&organization);
    let _ = reattach.deliver(std::slice::from_ref(&event)).await;
    organization.clear_journal();
    event["detail"]["eventTime"] = json!("2026-01-02T03:04:05Z");
    assert!(reattach.deliver(&vec![event; 100]).await.is_empty());
    let calls = organization.lines(|it| it.service == simulator::Service::Organizations);
    assert_eq!(calls, "");
}

#[tokio::test]
async fn a_resource_that_is_being_changed_is_left_to_its_own_function() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let mut stack = with_daily(&organization).await;
    let event = detach(&organization);
    // An update is killed in the middle, just before it writes the policy.
    let known = daily(5);
    let mut update = stack.event("Update", &daily(9));
    update["OldResourceProperties"] = known;
    let mut nth = 0;
    loop {
        nth += 1;
        let hold = organization.hold(nth, Moment::Before);
        assert!(stack.kill(&update, hold).await, "the update wrote nothing");
        let last = organization.journal().pop().unwrap();
        if last.operation == "UpdatePolicy" {
            break;
        }
    }
    organization.clear_journal();
    let reattach = Reattach::start(&organization, "Repair").await;
    assert_eq!(reattach.deliver(std::slice::from_ref(&event)).await, [0], "it comes again");
    organization.check_writes(expect![""]);
    assert!(organization.notifications().is_empty());
    // Lambda delivers the update again, and then the event has nothing left to say.
    let _ = stack.send(&update).await.ok();
    organization.clear_journal();
    assert!(reattach.deliver(&[event]).await.is_empty());
    organization.check_writes(expect![""]);
    assert!(organization.state().contains("cron(0 9"));
}

#[tokio::test]
async fn what_is_wanted_by_now_wins_over_what_was_read() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let mut stack = with_daily(&organization).await;
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = detach(&organization);
    organization.clear_journal();
    // The repair has read what is wanted, and is held at each of its calls in turn while the stack
    // is updated.
    for nth in 1.. {
        let mut hold = organization.hold(nth, Moment::After);
        let deliver = reattach.deliver(std::slice::from_ref(&event));
        tokio::pin!(deliver);
        let reached = tokio::select! {
            again = &mut deliver => { assert!(again.is_empty()); false }
            reached = hold.reached() => reached,
        };
        if !reached {
            break;
        }
        let hour = u8::try_from(6 + nth % 12).unwrap();
        let _ = stack.update(daily(hour)).await.ok();
        drop(hold);
        for _ in deliver.await {
            assert!(reattach.deliver(std::slice::from_ref(&event)).await.is_empty());
        }
        let state = organization.state();
        assert!(state.contains(&format!("cron(0 {hour} ")), "held at call {nth}:\n{state}");
        assert!(state.contains("attached to root"), "held at call {nth}:\n{state}");
        let _ = detach(&organization);
    }
}

#[tokio::test]
async fn nothing_is_left_of_what_is_deleted_while_it_is_put_back() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let before = organization.state();
    for nth in 1.. {
        let mut stack = with_daily(&organization).await;
        let events = delete(&organization);
        // One that has not looked at anything yet.
        let reattach = Reattach::start(&organization, "Repair").await;
        organization.clear_journal();
        let mut hold = organization.hold(nth, Moment::After);
        let deliver = reattach.deliver(&events);
        tokio::pin!(deliver);
        let reached = tokio::select! {
            again = &mut deliver => { assert!(again.is_empty()); false }
            reached = hold.reached() => reached,
        };
        let call = organization.journal().pop().unwrap();
        let _ = stack.delete().await.ok();
        drop(hold);
        if reached && !deliver.await.is_empty() {
            assert!(reattach.deliver(&events).await.is_empty());
        }
        assert_eq!(organization.state(), before, "held at call {nth}, {call}");
        if !reached {
            assert!(nth > 12, "only {nth} calls put it back");
            break;
        }
    }
}

#[tokio::test]
async fn only_what_failed_comes_again_and_the_rest_is_put_back() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let mut settings = organization.stack("global-settings").named("Settings").kept();
    let _ = settings.create(json!({ "CrossAccountBackup": true })).await.ok();
    let before = organization.state();
    switch_off(&organization);
    let events = [detach(&organization), told("UpdateGlobalSettings", &json!({}))];
    let reattach = Reattach::start(&organization, "Repair").await.within(Duration::from_secs(8));
    organization.fail(Fault::error("AttachPolicy", "ServiceException").forever());
    assert_eq!(reattach.deliver(&events).await, [0]);
    assert!(organization.state().contains("isCrossAccountBackupEnabled is true"));
    assert!(organization.notifications().iter().all(|it| !it.0.contains("could not")));
    organization.clear_faults();
    assert!(reattach.deliver(&events).await.is_empty());
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn an_event_comes_again_while_it_is_not_known_what_it_concerns() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let event = detach(&organization);
    let reattach = Reattach::start(&organization, "Repair").await.within(Duration::from_secs(8));
    organization.fail(Fault::error("GetObject", "InternalError").status(500).forever());
    // Neither is it known whether somebody else is at work.
    let outcome = reattach.invoke(&batch(1, std::slice::from_ref(&event))).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    organization.clear_faults();
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert!(organization.state().contains("attached to root"));
}

#[tokio::test]
async fn what_cannot_be_put_back_is_told_once_and_not_tried_for_ever() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let events = delete(&organization);
    let theirs = organization.foreign_policy("daily", &["Sandbox"]);
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.clear_journal();
    assert!(reattach.deliver(&events).await.is_empty(), "trying again would not help");
    organization.check_writes(expect![""]);
    assert_eq!(subjects(&organization), ["org-backup: 1 could not be put back"]);
    assert!(!theirs.is_empty());
    let (_, text) = organization.notifications().pop().unwrap();
    assert!(text.contains("already exists (daily)"), "{text}");
    assert_eq!(reattach.metrics()["Failed"], 1);
}

#[tokio::test]
async fn a_policy_that_another_resource_took_over_is_not_taken_back() {
    let organization = bare().await;
    let _types = with_types(&organization).await;
    let adopting = |hour| {
        let mut properties = daily(hour);
        properties["Adopt"] = json!(true);
        properties
    };
    // As when a resource gets another name, and its policy is retained.
    for (name, hour) in [("Former", 5), ("Present", 6)] {
        let mut stack = organization.stack("backup-policy").named(name).kept();
        let _ = stack.create(adopting(hour)).await.ok();
    }
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.clear_journal();
    let _ = reattach.sweep().await;
    assert_eq!(organization.state(), before);
    assert_eq!(subjects(&organization), ["org-backup: 1 could not be put back"]);
    let (_, text) = organization.notifications().pop().unwrap();
    assert!(text.contains("/Present by now; hint: take this resource out of its stack"), "{text}");
}

#[tokio::test]
async fn invalid_effective_policies_are_told_when_they_change_and_not_every_time() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Repair").await;
    let sandbox = organization.id("Sandbox");
    let broken = organization.organization(|it| {
        let content = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
        let id = it.create_policy(BACKUP_POLICY, "half", "", &content.to_string(), &[]).unwrap();
        it.attach_policy(&id, &sandbox).unwrap();
        id
    });
    for _ in 0..3 {
        let _ = reattach.sweep().await;
    }
    assert_eq!(subjects(&organization).len(), 1, "{:?}", subjects(&organization));
    assert!(reattach.metrics()["InvalidAccounts"].as_u64().unwrap() > 0);
    organization.organization(|it| it.detach_policy(&broken, &sandbox).unwrap());
    for _ in 0..3 {
        let _ = reattach.sweep().await;
    }
    assert_eq!(subjects(&organization).len(), 2, "{:?}", subjects(&organization));
    assert_eq!(reattach.metrics()["InvalidAccounts"], 0);
}

#[tokio::test]
async fn a_schedule_that_could_not_do_all_is_an_error_that_lambda_repeats() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.fail(Fault::error("ListRoots", "AccessDeniedException"));
    assert!(matches!(reattach.sweep().await, Outcome::Failed(_)));
    assert_eq!(reattach.metrics().get("Sweeps"), None);
}

#[tokio::test]
async fn what_is_denied_comes_again_and_is_told_once() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let events = [detach(&organization)];
    organization.fail(Fault::error("AttachPolicy", "AccessDeniedException").times(2));
    assert_eq!(reattach.deliver(&events).await, [0]);
    assert_eq!(subjects(&organization), ["org-backup: 1 could not be put back"]);
    assert_eq!(reattach.deliver_for_the(2, &events).await, [0]);
    assert_eq!(subjects(&organization).len(), 1);
    // Somebody gives the permission.
    assert!(reattach.deliver_for_the(3, &events).await.is_empty());
    assert_eq!(organization.state(), before);
    assert_eq!(subjects(&organization)[1..], ["org-backup: 1 put back"]);
}

#[tokio::test]
async fn a_state_that_may_not_be_read_leaves_the_message_in_the_queue() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let before = organization.state();
    let reattach = Reattach::start(&organization, "Repair").await;
    let events = [detach(&organization)];
    let denied = Fault::error("GetObject", "AccessDenied").status(403);
    organization.fail(denied.times(2));
    assert_eq!(reattach.deliver(&events).await, [0]);
    assert!(reattach.deliver_for_the(2, &events).await.is_empty());
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn settings_that_are_of_no_use_are_told_to_lambda() {
    let organization = bare().await;
    let rows = [
        (
            [("MODE", "Sometimes"), ("STATE_BUCKET", STATE_BUCKET)],
            "MODE is `Sometimes`; hint: set it to Repair or Report",
        ),
        (
            [("MODE", "Repair"), ("STATE_BUCKET", "")],
            "STATE_BUCKET is not set, so the desired state is unknown; hint: name the state bucket",
        ),
    ];
    for (variables, why) in rows {
        let function = Function::of(&binary("reattach"), &organization);
        let function =
            variables.into_iter().fold(function, |it, (name, value)| it.env(name, value));
        let function = function.start().await.unwrap();
        function.idle().await;
        let told = function.init_error().unwrap();
        assert_eq!(told, json!({ "errorType": "Settings", "errorMessage": why }));
        let logs = function.logs();
        assert!(logs.contains(why) && !logs.contains("NoState"), "{logs}");
    }
}

/// The desired state of member accounts, as its function writes it.
pub(crate) fn with_members(organization: &Organization) {
    let stack = "arn:aws:cloudformation:us-east-1:111122223333:stack/members/7a0c";
    let entry = json!({
        "SchemaVersion": 1,
        "Revision": 3,
        "Function": "member-accounts",
        "StackId": stack,
        "LogicalId": "Members",
        "PhysicalId": "member-accounts",
        "Properties": { "RoleName": "org-backup-member", "Regions": ["eu-north-1"] },
    });
    organization.keep(&entry);
    organization.state_machines(|it| it.create(STATE_MACHINE));
}

/// The accounts of each run that was started, by name.
pub(crate) fn runs(organization: &Organization) -> Vec<Vec<String>> {
    let keys = organization.buckets(|it| {
        let keys = it.keys(STATE_BUCKET).into_iter().filter(|it| it.starts_with("runs/"));
        keys.filter(|it| it.ends_with("batches.json")).map(str::to_owned).collect::<Vec<_>>()
    });
    let accounts = keys.iter().map(|key| {
        let batches = organization.object(STATE_BUCKET, key).unwrap();
        let batches: Value = serde_json::from_str(&batches).unwrap();
        let batches = batches.as_array().unwrap().iter();
        let accounts = batches.flat_map(|it| it["Batch"]["Accounts"].as_array().unwrap().clone());
        accounts.map(|it| organization.named(&it.to_string())).collect()
    });
    accounts.collect()
}

#[tokio::test]
async fn an_account_that_joined_gets_its_member_work_alone() {
    let organization = bare().await;
    with_members(&organization);
    let account = organization.id("security-000");
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = told("MoveAccount", &json!({ "accountId": account }));
    // The same again is the same run.
    assert!(reattach.deliver(&[event.clone(), event]).await.is_empty());
    let runs = runs(&organization);
    assert_eq!((runs.len(), runs[0].len()), (1, 1), "{runs:?}");
    assert!(runs[0][0].contains("security-000"), "{runs:?}");
    assert_eq!(organization.state_machines(|it| it.executions().len()), 1);
}

#[tokio::test]
async fn the_schedule_does_the_member_work_of_every_account() {
    let organization = bare().await;
    with_members(&organization);
    let reattach = Reattach::start(&organization, "Repair").await;
    let swept = reattach.sweep().await;
    assert!(matches!(swept, Outcome::Returned(_)), "{}", reattach.logs());
    let runs = runs(&organization);
    assert_eq!(runs.len(), 1);
    assert!(runs[0].len() > 5, "{runs:?}");
}

#[tokio::test]
async fn member_work_that_could_not_be_started_is_asked_for_again() {
    let organization = bare().await;
    with_members(&organization);
    let event = told("MoveAccount", &json!({ "accountId": organization.id("security-000") }));
    let reattach = Reattach::start(&organization, "Repair").await;
    organization.fail(Fault::error("StartExecution", "StateMachineDoesNotExist"));
    assert_eq!(reattach.deliver(std::slice::from_ref(&event)).await, [0]);
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(organization.state_machines(|it| it.executions().len()), 1);
}

#[tokio::test]
async fn in_report_mode_no_member_work_is_started() {
    let organization = bare().await;
    with_members(&organization);
    let event = told("MoveAccount", &json!({ "accountId": organization.id("security-000") }));
    let reattach = Reattach::start(&organization, "Report").await;
    assert!(reattach.deliver(&[event]).await.is_empty());
    assert_eq!(runs(&organization), Vec::<Vec<String>>::new());
}

const PAGE: &str = "reports/organization.html";

#[tokio::test]
async fn a_sweep_leaves_a_page_on_the_whole_organization_and_an_event_does_not() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let account = organization.id("production-001");
    let line = json!({ "account": account, "ready": false, "problem": "there is no tea" });
    let key = "runs/5d3c/report.jsonl";
    organization.buckets(|it| it.put(STATE_BUCKET, key, line.to_string()));
    let reattach = Reattach::start(&organization, "Repair").await;
    reattach.deliver(&[detach(&organization)]).await;
    assert_eq!(organization.object(STATE_BUCKET, PAGE), None);
    organization.clear_journal();
    let swept = reattach.sweep().await;
    assert!(matches!(swept, Outcome::Returned(_)), "{swept:?}");
    let page = organization.object(STATE_BUCKET, PAGE).unwrap();
    for part in ["the daily sweep", "production-001", "there is no tea", "@@assign"] {
        assert!(page.contains(part), "{part}");
    }
    // The accounts are listed once, and nobody goes into them for it.
    let count = |name| organization.journal().into_iter().filter(|it| it.operation == name).count();
    let counts = ["ListAccounts", "AssumeRole", "DescribeEffectivePolicy"].map(count);
    assert_eq!(counts, [1, 0, 0]);
}

#[tokio::test]
async fn a_sweep_whose_page_cannot_be_written_is_a_sweep_all_the_same() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    organization.buckets(|it| it.deny(STATE_BUCKET, PAGE));
    let reattach = Reattach::start(&organization, "Report").await;
    let swept = reattach.sweep().await;
    assert!(matches!(swept, Outcome::Returned(_)), "{swept:?}");
    assert_eq!(reattach.metrics()["Sweeps"], 1);
    assert!(reattach.logs().contains("the page was not written"));
}
