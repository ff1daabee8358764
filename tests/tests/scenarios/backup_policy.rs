//! `Custom::BackupPolicy`.

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{Pending, Settings};
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

#[tokio::test]
async fn a_policy_survives_a_rename() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let root = ["root".to_owned()];
    let created = stack.create(daily(3, &root)).await.ok();
    organization.clear_journal();
    let mut properties = daily(3, &root);
    properties["Name"] = json!("nightly");
    properties["Description"] = json!("Every night");
    let updated = stack.update(properties).await.ok();
    organization.check_writes(expect![[r"
        UpdatePolicy daily nightly
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy nightly is attached to root
          it is described as Every night
          it runs at cron(0 3 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
    assert_eq!(updated.physical_id, created.physical_id);
    assert_eq!(stack.rollback, None);
}

#[tokio::test]
async fn tags_of_the_template_come_and_go_and_those_of_others_stay() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let mut properties = daily(3, &["root".to_owned()]);
    properties["Tags"] = json!({ "team": "storage", "tier": 1 });
    let created = stack.create(properties.clone()).await.ok();
    organization.organization(|it| {
        it.tag(&created.physical_id, &[("cost".to_owned(), "shared".to_owned())]).unwrap();
    });
    organization.clear_journal();
    properties["Tags"] = json!({ "tier": 2 });
    let _ = stack.update(properties).await.ok();
    organization.check_writes(expect![[r"
        TagResource daily
        UntagResource daily team
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag cost = shared
          it has the tag org-backup:owner = backups/5d3c/Resource
          it has the tag tier = 2
    "]]);
}

#[tokio::test]
async fn a_policy_comes_from_an_object_and_follows_its_version() {
    let organization = Organization::ready(Settings::default()).await;
    let put = |hour| {
        let text = format!("\u{feff}{:#}", document(hour));
        organization.buckets(|it| it.put("policies-of-ours", "backup/daily.json", text))
    };
    let [first, second] = [3, 4].map(put);
    let url = |version: &str| {
        let url = format!("s3://policies-of-ours/backup/daily.json?versionId={version}");
        json!({ "Name": "daily", "ContentUrl": url, "TargetIds": "root" })
    };
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(url(&first)).await.ok();
    organization.clear_journal();
    let updated = stack.update(url(&second)).await.ok();
    organization.check_writes(expect![[r"
        UpdatePolicy daily
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 4 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
    assert_eq!(updated.physical_id, created.physical_id);
    // Without a version it is the newest.
    let newest = json!({
        "Name": "daily", "ContentUrl": "s3://policies-of-ours/backup/daily.json", "TargetIds": "root",
    });
    let again = stack.update(newest).await.ok();
    organization.check_writes(expect![""]);
    assert_eq!(again.data, updated.data);
}

#[tokio::test]
async fn the_same_policy_as_object_and_as_text_is_the_same_policy() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let object = json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" });
    let created = stack.create(object).await.ok();
    organization.clear_journal();
    let text = format!("{:#}", document(3));
    let text = json!({ "Name": "daily", "Content": text, "TargetIds": "root" });
    let updated = stack.update(text).await.ok();
    organization.check_writes(expect![""]);
    assert_eq!(updated.data, created.data);
}

#[tokio::test]
async fn variables_stand_in_keys_and_in_values() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let vault = "arn:aws:backup:eu-west-1:666677778888:backup-vault:central";
    let mut content = document(3);
    content["plans"]["daily"]["rules"]["nightly"]["copy_actions"] =
        json!({ "${Vault}": { "target_backup_vault_arn": { "@@assign": "${Vault}" } } });
    content["plans"]["daily"]["regions"]["@@assign"] = json!("${Regions}");
    let properties = json!({
        "Name": "daily", "Content": content, "TargetIds": "root",
        "Variables": { "Vault": vault, "Regions": ["eu-west-1", "eu-north-1"] },
    });
    let _ = stack.create(properties).await.ok();
    let content = organization.organization(|it| it.policy_named("daily").unwrap().content.clone());
    let content: Value = serde_json::from_str(&content).unwrap();
    let plan = &content["plans"]["daily"];
    let copy = &plan["rules"]["nightly"]["copy_actions"];
    assert_eq!(*copy, json!({ vault: { "target_backup_vault_arn": { "@@assign": vault } } }));
    assert_eq!(plan["regions"], json!({ "@@assign": ["eu-west-1", "eu-north-1"] }));
    let role = &plan["selections"]["tags"]["tagged"]["iam_role_arn"]["@@assign"];
    assert_eq!(*role, json!("arn:aws:iam::$account:role/backup"));
}

#[tokio::test]
async fn targets_may_be_a_list_of_parameters_in_one_string() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let targets =
        format!(" {}, {} ", organization.id("Sandbox"), organization.id("production-001"));
    let properties = json!({ "Name": "daily", "Content": document(3), "TargetIds": targets });
    let _ = stack.create(properties).await.ok();
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily production-001
        AttachPolicy daily Sandbox
    "]]);
}

#[tokio::test]
async fn what_somebody_detached_or_changed_is_put_back() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let properties = daily(3, &["root".to_owned()]);
    let created = stack.create(properties.clone()).await.ok();
    let (root, sandbox) = (organization.id("root"), organization.id("Sandbox"));
    organization.organization(|it| {
        let id = &created.physical_id;
        it.attach_policy(id, &sandbox).unwrap();
        it.detach_policy(id, &root).unwrap();
        it.update_policy(id, None, Some("Changed"), Some(&document(9).to_string())).unwrap();
    });
    organization.clear_journal();
    let updated = stack.update(properties).await.ok();
    organization.check_writes(expect![[r"
        UpdatePolicy daily
        AttachPolicy daily root
        DetachPolicy daily Sandbox
    "]]);
    assert_eq!((updated.physical_id, updated.data), (created.physical_id, created.data));
}

#[tokio::test]
async fn a_policy_that_somebody_deleted_comes_back_under_a_new_id() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let created = stack.create(daily(3, &["root".to_owned()])).await.ok();
    let root = organization.id("root");
    organization.organization(|it| {
        it.detach_policy(&created.physical_id, &root).unwrap();
        it.delete_policy(&created.physical_id).unwrap();
    });
    organization.clear_journal();
    let updated = stack.update(daily(4, &["root".to_owned()])).await.ok();
    assert_ne!(updated.physical_id, created.physical_id);
    // CloudFormation deletes the old ID, which is no policy any more; the new one stays.
    assert!(stack.rollback.take().unwrap().success);
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily root
    "]]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 4 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
}

#[tokio::test]
async fn a_policy_waits_for_a_policy_type_that_is_being_enabled() {
    let settings = Settings { pending: Pending::Reads(2), ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(daily(3, &["root".to_owned()])).await.ok();
    organization.check_writes(expect![[r"
        CreatePolicy daily BACKUP_POLICY
        AttachPolicy daily root
    "]]);
}

#[tokio::test]
async fn a_policy_gets_through_a_strict_organization() {
    let organization = Organization::ready(Settings::strict()).await;
    let mut stack = organization.stack("backup-policy");
    let ids = |names: &[&str]| names.iter().map(|it| organization.id(it)).collect::<Vec<_>>();
    let created = stack.create(daily(3, &ids(&["Security", "Sandbox"]))).await.ok();
    organization.clear_journal();
    let _ = stack.update(daily(3, &ids(&["Security", "Sandbox"]))).await.ok();
    organization.check_writes(expect![""]);
    let updated = stack.update(daily(4, &ids(&["Security", "Workloads"]))).await.ok();
    organization.check_writes(expect![[r"
        UpdatePolicy daily
        AttachPolicy daily Workloads
        DetachPolicy daily Sandbox
    "]]);
    assert_eq!(updated.physical_id, created.physical_id);
    let _ = stack.delete().await.ok();
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
    "]]);
}

#[tokio::test]
async fn a_policy_is_made_from_a_member_account_through_a_role() {
    let organization = Organization::ready(Settings::default()).await;
    let text = document(3).to_string();
    organization.buckets(|it| it.put("policies-of-ours", "daily.json", text));
    let member = organization.id("security-000");
    let mut stack = organization.stack("backup-policy").in_account(&member);
    let _ = stack
        .create(json!({
            "Name": "daily", "ContentUrl": "s3://policies-of-ours/daily.json", "TargetIds": "root",
            "ManagementRoleArn": organization.management_role(&member), "Preflight": "Off",
        }))
        .await
        .ok();
    let _ = stack.delete().await.ok();
    let calls = organization.journal().into_iter().filter(|it| it.operation != "PutResponse");
    let calls = calls.map(|it| {
        let session = it.session.unwrap_or_else(|| "the function".to_owned());
        format!("{session}: {}\n", it.operation)
    });
    expect![[r"
        the function: AssumeRole
        the function: GetObject
        Bootstrap/org-backup: ListRoots
        Bootstrap/org-backup: ListPolicies
        Bootstrap/org-backup: ListPoliciesForTarget
        the function: DescribeStackResource
        Bootstrap/org-backup: CreatePolicy
        Bootstrap/org-backup: AttachPolicy
        the function: AssumeRole
        Bootstrap/org-backup: DescribePolicy
        Bootstrap/org-backup: ListTargetsForPolicy
        Bootstrap/org-backup: ListTagsForResource
        Bootstrap/org-backup: DetachPolicy
        Bootstrap/org-backup: DeletePolicy
    "]]
    .assert_eq(&calls.collect::<String>());
}
