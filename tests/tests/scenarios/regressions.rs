//! What has gone wrong elsewhere in doing this job, each with the opposite result.

use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Failure, Fault, Kind, Settings};
use tests::organization::{Organization, document};

use crate::backup_policy::daily;

fn root() -> [String; 1] {
    ["root".to_owned()]
}

#[tokio::test]
async fn a_policy_that_could_not_be_attached_is_a_failure_and_leaves_nothing() {
    let organization = Organization::ready(Settings::default()).await;
    let before = organization.state();
    organization.fail(Fault::error("AttachPolicy", "PolicyTypeNotEnabledException").times(3));
    let mut stack = organization.stack("backup-policy");
    let reason = stack.create(daily(3, &root())).await.reason();
    expect!["cannot attach to root: PolicyTypeNotEnabledException (HTTP 400): The request failed because it was told to."].assert_eq(&organization.named(&reason));
    assert!(stack.rollback.take().unwrap().success);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_busy_organization_is_waited_for() {
    let organization = Organization::ready(Settings::default()).await;
    let busy = |operation| Fault::error(operation, "ConcurrentModificationException").times(2);
    let in_progress = |operation| Fault::error(operation, "PolicyChangesInProgressException");
    for operation in ["CreatePolicy", "AttachPolicy"] {
        organization.fail(busy(operation));
        organization.fail(in_progress(operation).nth(3));
    }
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    let writes = |it: &simulator::Entry| it.write && it.operation != "PutResponse";
    expect![[r"
        CreatePolicy daily BACKUP_POLICY: ConcurrentModificationException
        CreatePolicy daily BACKUP_POLICY: ConcurrentModificationException
        CreatePolicy daily BACKUP_POLICY: PolicyChangesInProgressException
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily root: ConcurrentModificationException
        AttachPolicy daily root: ConcurrentModificationException
        AttachPolicy daily root: PolicyChangesInProgressException
        AttachPolicy daily root
    "]]
    .assert_eq(&organization.lines(writes));
}

#[tokio::test]
async fn a_creation_that_fails_halfway_is_undone_and_can_be_repeated() {
    let organization = Organization::ready(Settings::default()).await;
    let code = "ConstraintViolationException";
    organization.fail(Fault::error("AttachPolicy", code).nth(2));
    let mut stack = organization.stack("backup-policy");
    let targets = [organization.id("Security"), organization.id("Sandbox")];
    let failed = stack.create(daily(3, &targets)).await;
    // The ID of what was made, so that CloudFormation can have it deleted.
    assert_eq!(organization.named(&failed.physical_id), "daily");
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily Security
        DetachPolicy daily Security
        DeletePolicy daily
    "]]);
    let _ = stack.create(daily(3, &targets)).await.ok();
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily Security
        AttachPolicy daily Sandbox
    "]]);
}

#[tokio::test]
async fn deleting_daily_leaves_daily_prod() {
    let organization = Organization::ready(Settings::default()).await;
    let mut prod = organization.stack("backup-policy").named("Prod");
    let mut properties = daily(3, &root());
    properties["Name"] = json!("daily-prod");
    let _ = prod.create(properties).await.ok();
    let before = organization.state();
    let mut stack = organization.stack("backup-policy").named("Daily");
    let _ = stack.create(daily(3, &root())).await.ok();
    let _ = stack.delete().await.ok();
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_malformed_policy_leaves_the_live_one_and_the_rollback_succeeds() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    let before = organization.state();
    let id = organization.policy_id("daily");
    organization.clear_journal();
    let malformed = json!({ "Name": "daily", "Content": "{ \"plans\": ", "TargetIds": "root" });
    let reason = stack.update(malformed).await.reason();
    expect!["the content is not JSON at line 1, column 11"].assert_eq(&reason);
    let rolled_back = stack.rollback.take().unwrap().ok();
    assert_eq!(rolled_back.physical_id, id);
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_policy_that_only_aws_finds_malformed_leaves_the_live_one_too() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    let (before, id) = (organization.state(), organization.policy_id("daily"));
    organization.clear_journal();
    organization.fail(Fault::error("UpdatePolicy", "MalformedPolicyDocumentException"));
    let reason = stack.update(daily(4, &root())).await.reason();
    expect![
        "cannot update the policy's content: MalformedPolicyDocumentException (HTTP 400): The \
             request failed because it was told to.; hint: AWS does not name the mistake; compare \
             with the backup policy syntax"
    ]
    .assert_eq(&reason);
    assert_eq!(stack.rollback.take().unwrap().ok().physical_id, id);
    assert_eq!(organization.state(), before);
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn an_update_reports_the_id_that_the_policy_has() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    let updated = stack.update(daily(4, &root())).await.ok();
    let id = organization.policy_id("daily");
    assert_eq!((&updated.physical_id, &updated.data["PolicyId"]), (&id, &id));
}

#[tokio::test]
async fn a_policy_can_be_renamed_and_named_back() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(daily(3, &root())).await.ok();
    let mut renamed = daily(3, &root());
    renamed["Name"] = json!("nightly");
    let there = stack.update(renamed).await.ok();
    let back = stack.update(daily(3, &root())).await.ok();
    assert_eq!([there.physical_id, back.physical_id], [&*created.physical_id; 2]);
}

#[tokio::test]
async fn a_policy_on_the_last_page_is_found() {
    let settings = Settings { page_size: 1, empty_pages: true, ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    for number in 1..=3 {
        organization.foreign_policy(&format!("other-{number}"), &[]);
    }
    // CloudFormation makes an ID up when it got no answer to a Create.
    stack.physical_id = Some("backups-Resource-1A2B3C4D5E6F".to_owned());
    let _ = stack.delete().await.ok();
    assert!(organization.organization(|it| it.policy_named("daily").is_none()));
    assert_eq!(organization.organization(|it| it.policies(BACKUP_POLICY).count()), 3);
}

#[tokio::test]
async fn a_creation_delivered_twice_makes_one_policy_with_one_id() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(daily(3, &root())).await.ok();
    organization.clear_journal();
    let again = stack.redeliver().await.ok();
    assert_eq!(again, created);
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn many_targets_may_take_several_deployments_and_never_the_answer() {
    let organization = Organization::ready(Settings::default().accounts(24)).await;
    let mut stack = organization.stack("backup-policy").within(Duration::from_secs(6));
    let mut accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    accounts.truncate(16);
    let properties = |targets: &[String]| {
        json!({
            "Name": "daily", "Content": document(3), "TargetIds": targets, "Preflight": "Off",
        })
    };
    let _ = stack.create(properties(&accounts[..1])).await.ok();
    let event = {
        let mut event = stack.event("Update", &properties(&accounts));
        event["OldResourceProperties"] = event["ResourceProperties"].clone();
        event
    };
    let attached = || {
        organization.organization(|it| {
            let id = it.policy_named("daily").unwrap().id.clone();
            it.targets_of(&id).len()
        })
    };
    let mut before = attached();
    let mut failures = 0;
    // Each answer is in time, or the function would have been killed.
    while !stack.send(&event).await.success {
        assert!(attached() > before, "no progress");
        before = attached();
        failures += 1;
    }
    assert_eq!(attached(), 16);
    assert!(failures > 0, "one deployment was enough, so nothing is proved");
}

#[tokio::test]
async fn an_answer_stays_small_however_many_targets_there_are() {
    let organization = Organization::ready(Settings::default().accounts(160)).await;
    let mut stack = organization.stack("backup-policy");
    let accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    let created = stack.create(daily(3, &accounts[..1])).await.ok();
    organization.organization(|it| {
        for account in &accounts[1..] {
            it.attach_policy(&created.physical_id, account).unwrap();
        }
    });
    organization.clear_journal();
    let updated = stack.update(daily(3, &accounts)).await.ok();
    organization.check_writes(expect![""]);
    assert!(updated.body.len() < 600, "{updated}");
}

#[tokio::test]
async fn the_policy_of_the_author_is_what_aws_gets() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &root())).await.ok();
    let content = organization.organization(|it| it.policy_named("daily").unwrap().content.clone());
    assert_eq!(serde_json::from_str::<Value>(&content).unwrap(), document(3));
}

#[tokio::test]
async fn a_policy_is_deleted_only_after_every_detachment() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let targets = ["Security", "Sandbox", "Workloads"].map(|it| organization.id(it));
    let _ = stack.create(daily(3, &targets)).await.ok();
    organization.clear_journal();
    organization.fail(Fault::delay("DetachPolicy", Duration::from_millis(300)).forever());
    let _ = stack.delete().await.ok();
    let writes = |it: &simulator::Entry| it.write && it.operation != "PutResponse";
    expect![[r"
        DetachPolicy daily Security
        DetachPolicy daily Sandbox
        DetachPolicy daily Workloads
        DeletePolicy daily
    "]]
    .assert_eq(&organization.lines(writes));
}

#[tokio::test]
async fn a_policy_of_the_same_name_is_refused_and_survives_the_rollback() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("daily", &["root"]);
    let before = organization.state();
    let mut stack = organization.stack("backup-policy");
    let reason = stack.create(daily(3, &root())).await.reason();
    expect!["a policy named `daily` already exists (daily) and was not made by this stack; hint: choose another name, or set `Adopt: true` on a new resource to take it over"].assert_eq(&organization.named(&reason));
    assert!(stack.rollback.take().unwrap().success);
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn an_adopted_policy_keeps_its_id_and_outlives_the_stack() {
    let organization = Organization::ready(Settings::default()).await;
    let theirs = organization.foreign_policy("daily", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let mut properties = daily(3, &root());
    properties["Adopt"] = json!(true);
    let created = stack.create(properties).await.ok();
    assert_eq!(created.physical_id, theirs);
    organization.check_writes(expect![[r"
        TagResource daily
        UpdatePolicy daily
    "]]);
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![[r"
        UntagResource daily org-backup:adopted,org-backup:owner
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag team = storage
    "]]);
}

#[tokio::test]
async fn an_adoption_that_fails_leaves_the_policy_to_its_owner() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("daily", &["root"]);
    organization.fail(Fault::error("UpdatePolicy", "ConstraintViolationException"));
    let before = organization.state();
    let mut stack = organization.stack("backup-policy");
    let mut properties = daily(3, &root());
    properties["Adopt"] = json!(true);
    let _ = stack.create(properties).await.reason();
    assert!(stack.rollback.take().unwrap().success);
    organization.check_writes(expect![[r"
        TagResource daily
        UntagResource daily org-backup:adopted,org-backup:owner
    "]]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn deleting_the_bootstrap_switches_nothing_off() {
    let organization = Organization::bare(Settings::default()).await;
    let mut types = organization.stack("policy-types").named("PolicyTypes");
    let mut access = organization.stack("service-access").named("ServiceAccess");
    let mut settings = organization.stack("global-settings").named("GlobalSettings");
    let mut policy = organization.stack("backup-policy").named("Theirs");
    let _ = types.create(json!({ "PolicyTypes": ["BACKUP_POLICY"] })).await.ok();
    let services = json!({ "ServicePrincipals": ["backup.amazonaws.com"], "StackSets": true });
    let _ = access.create(services).await.ok();
    let _ = settings.create(json!({ "CrossAccountBackup": true })).await.ok();
    let _ = policy.create(daily(3, &root())).await.ok();
    let before = organization.state();
    organization.clear_journal();
    for stack in [&mut settings, &mut access, &mut types] {
        let _ = stack.delete().await.ok();
    }
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_failed_update_takes_no_tag_away_that_it_did_not_give() {
    let organization = Organization::ready(Settings::default()).await;
    // It has the tag `team = storage`.
    organization.foreign_policy("daily", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let mut properties = daily(3, &root());
    properties["Adopt"] = json!(true);
    let _ = stack.create(properties.clone()).await.ok();
    let before = organization.state();
    organization.fail(Fault::error("ListRoots", "AccessDeniedException"));
    properties["Tags"] = json!({ "team": "backup" });
    let _ = stack.update(properties).await.reason();
    assert!(stack.rollback.take().unwrap().success);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_failed_update_of_settings_that_are_restored_is_undone() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("global-settings");
    let _ = stack.create(json!({ "CrossAccountBackup": true, "OnDelete": "Restore" })).await.ok();
    let before = organization.state();
    let after = json!({
        "CrossAccountBackup": true, "DelegatedAdministrator": true, "OnDelete": "Restore",
    });
    // The change is made, and AWS says that it was not.
    let failure = Failure::new("InvalidRequestException");
    organization.fail(Fault::new("UpdateGlobalSettings", Kind::ErrorAfter(failure)));
    let _ = stack.update(after).await.reason();
    assert!(stack.rollback.take().unwrap().success);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_policy_that_a_failed_update_made_anew_is_not_made_twice() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let targets = [organization.id("Sandbox")];
    let created = stack.create(daily(3, &targets)).await.ok();
    organization.organization(|it| {
        it.detach_policy(&created.physical_id, &targets[0]).unwrap();
        it.delete_policy(&created.physical_id).unwrap();
    });
    // It is made anew under its new name, and an update that fails has to keep the ID.
    let mut renamed = daily(3, &targets);
    renamed["Name"] = json!("weekly");
    organization.fail(Fault::error("AttachPolicy", "ConstraintViolationException"));
    let _ = stack.update(renamed.clone()).await.reason();
    assert!(stack.rollback.take().unwrap().success);
    let _ = stack.update(renamed).await.ok();
    assert_eq!(organization.organization(|it| it.policies(BACKUP_POLICY).count()), 1);
}
