//! `Custom::BackupPolicy`.

use expect_test::expect;
use serde_json::{Value, json};
use simulator::Settings;
use tests::organization::{Organization, document};

/// The policy `daily` that runs at this hour.
pub(crate) fn daily(hour: u8, targets: &[String]) -> Value {
    json!({ "Name": "daily", "Content": document(hour), "TargetIds": targets })
}

#[tokio::test]
async fn a_policy_is_created_with_its_owner_and_attached() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(daily(3, &["root".to_owned()])).await.ok();
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily root
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
    let id = organization.policy_id("daily");
    assert_eq!(created.physical_id, id);
    assert_eq!(created.data["PolicyId"], id);
    assert_eq!(
        organization.named(&created.data["PolicyArn"]),
        "arn:aws:organizations::management:policy/organization/backup_policy/daily"
    );
    assert_eq!(created.data["ContentSha256"].len(), 64);
}

#[tokio::test]
async fn a_second_deployment_of_a_policy_writes_nothing() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let properties = daily(3, &["root".to_owned(), organization.id("Production")]);
    let created = stack.create(properties.clone()).await.ok();
    organization.clear_journal();
    let updated = stack.update(properties).await.ok();
    organization.check_writes(expect![""]);
    assert_eq!((updated.physical_id, updated.data), (created.physical_id, created.data));
}

#[tokio::test]
async fn a_change_keeps_the_policy_and_its_attachments() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(daily(3, &["root".to_owned()])).await.ok();
    organization.clear_journal();
    let updated = stack.update(daily(4, &["root".to_owned()])).await.ok();
    organization.check_writes(expect![[r"
        UpdatePolicy daily
    "]]);
    assert_eq!(updated.physical_id, created.physical_id);
    assert_ne!(updated.data["ContentSha256"], created.data["ContentSha256"]);
}

#[tokio::test]
async fn moving_a_policy_attaches_before_it_detaches() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let ids = |names: &[&str]| names.iter().map(|it| organization.id(it)).collect::<Vec<_>>();
    let _ = stack.create(daily(3, &ids(&["Security", "Sandbox"]))).await.ok();
    organization.clear_journal();
    let _ = stack.update(daily(3, &ids(&["Security", "Workloads"]))).await.ok();
    organization.check_writes(expect![[r"
        AttachPolicy daily Workloads
        DetachPolicy daily Sandbox
    "]]);
}

#[tokio::test]
async fn deleting_the_resource_deletes_its_policy_and_no_other() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("daily-prod", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &["root".to_owned(), organization.id("Sandbox")])).await.ok();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![[r"
        DetachPolicy daily Sandbox
        DetachPolicy daily root
        DeletePolicy daily
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily-prod is attached to root
          it is described as Theirs
          it runs at cron(0 1 ? * * *)
          it has the tag team = storage
    "]]);
}
