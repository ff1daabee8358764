//! `Custom::PolicyTypes`.

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{Pending, Role, Settings};
use tests::organization::Organization;

fn types(types: &[&str], on_delete: &str) -> Value {
    json!({ "PolicyTypes": types, "OnDelete": on_delete })
}

#[tokio::test]
async fn a_bare_organization_gets_its_policy_types() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let created = stack.create(types(&["BACKUP_POLICY", "TAG_POLICY"], "Retain")).await.ok();
    organization.check_writes(expect![[r"
        EnablePolicyType root BACKUP_POLICY
        EnablePolicyType root TAG_POLICY
    "]]);
    let data: Vec<_> = created.data.iter().map(|(name, it)| format!("{name} {it}")).collect();
    expect![[r"
        ManagementAccountId management
        OrganizationId organization
        RootId root"]]
    .assert_eq(&organization.named(&data.join("\n")));
    assert_eq!(organization.named(&created.physical_id), "root/policy-types");
}

#[tokio::test]
async fn a_second_deployment_of_policy_types_writes_nothing() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let created = stack.create(types(&["BACKUP_POLICY"], "Retain")).await.ok();
    organization.clear_journal();
    let updated = stack.update(types(&["BACKUP_POLICY"], "Retain")).await.ok();
    organization.check_writes(expect![""]);
    assert_eq!((updated.physical_id, updated.data), (created.physical_id, created.data));
}

#[tokio::test]
async fn one_read_is_enough_where_every_type_is_enabled() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Retain")).await.ok();
    let calls = organization.lines(|it| it.operation != "PutResponse");
    expect![[r"
        ListRoots
    "]]
    .assert_eq(&calls);
}

#[tokio::test]
async fn a_type_taken_off_the_list_stays_enabled() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY", "TAG_POLICY"], "Disable")).await.ok();
    organization.clear_journal();
    let _ = stack.update(types(&["BACKUP_POLICY", "CHATBOT_POLICY"], "Disable")).await.ok();
    organization.check_writes(expect![[r"
        EnablePolicyType root CHATBOT_POLICY
    "]]);
}

#[tokio::test]
async fn deleting_policy_types_leaves_them_enabled() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(json!({ "PolicyTypes": "BACKUP_POLICY" })).await.ok();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![""]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
    "]]);
}

#[tokio::test]
async fn deleting_policy_types_with_disable_disables_those_of_the_list() {
    let organization = Organization::bare(Settings::default()).await;
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, "TAG_POLICY").unwrap();
    });
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Disable")).await.ok();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![[r"
        DisablePolicyType root BACKUP_POLICY
    "]]);
    organization.check_state(expect![[r"
        TAG_POLICY is ENABLED
    "]]);
}

#[tokio::test]
async fn a_type_with_attached_policies_is_not_disabled() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Disable")).await.ok();
    organization.foreign_policy("theirs", &["root"]);
    organization.clear_journal();
    let reason = stack.delete().await.reason();
    expect!["policy type BACKUP_POLICY is in use by theirs, which disabling would detach for good; hint: delete those policies first, or set `OnDelete: Retain`"].assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn the_answer_waits_until_a_pending_type_is_enabled() {
    let settings = Settings { pending: Pending::Reads(3), ..Settings::default() };
    let organization = Organization::bare(settings).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Retain")).await.ok();
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
    "]]);
    expect![[r"
        ListRoots
        DescribeOrganization
        DescribeStackResource
        EnablePolicyType root BACKUP_POLICY
        ListRoots
        ListRoots
        ListRoots
        ListRoots
    "]]
    .assert_eq(&organization.lines(|it| it.operation != "PutResponse"));
}

#[tokio::test]
async fn a_type_that_somebody_else_is_enabling_is_waited_for() {
    let settings = Settings { pending: Pending::Reads(3), ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Retain")).await.ok();
    organization.check_writes(expect![""]);
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
    "]]);
}

#[tokio::test]
async fn policy_types_get_through_a_strict_organization() {
    let organization = Organization::bare(Settings::strict()).await;
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(types(&["BACKUP_POLICY"], "Disable")).await.ok();
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
    "]]);
    organization.clear_journal();
    let _ = stack.update(types(&["BACKUP_POLICY"], "Disable")).await.ok();
    organization.check_writes(expect![""]);
    let _ = stack.delete().await.ok();
    organization.check_state(expect![""]);
}

#[tokio::test]
async fn policy_types_are_enabled_from_a_member_account_through_a_role() {
    let organization = Organization::bare(Settings::default()).await;
    let member = organization.id("security-000");
    let mut stack = organization.stack("policy-types").in_account(&member);
    let role = Role::trusting_account("Bootstrap", &member).path("/backup/");
    organization.iam(|it| it.create_role("111122223333", role));
    let role = "arn:aws:iam::111122223333:role/backup/Bootstrap";
    let properties = json!({ "PolicyTypes": ["BACKUP_POLICY"], "ManagementRoleArn": role });
    let _ = stack.create(properties).await.ok();
    let calls = organization.journal().into_iter().filter(|it| it.operation != "PutResponse");
    let calls = calls.map(|it| {
        let session = it.session.unwrap_or_else(|| "the function".to_owned());
        format!("{session} in {}: {}\n", organization.named(&it.account), it.operation)
    });
    expect![[r"
        the function in security-000: AssumeRole
        Bootstrap/org-backup in management: ListRoots
        Bootstrap/org-backup in management: DescribeOrganization
        the function in security-000: DescribeStackResource
        Bootstrap/org-backup in management: EnablePolicyType
        Bootstrap/org-backup in management: ListRoots
    "]]
    .assert_eq(&calls.collect::<String>());
}
