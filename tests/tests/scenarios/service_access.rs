//! `Custom::ServiceAccess`.

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{AccountState, Settings};
use tests::organization::Organization;

const BACKUP: &str = "backup.amazonaws.com";

/// Trusted access for AWS Backup with one delegated administrator.
fn administrator(account: &str, on_delete: &str) -> Value {
    json!({
        "ServicePrincipals": [BACKUP],
        "DelegatedAdministrators": [{ "AccountId": account, "ServicePrincipal": BACKUP }],
        "OnDelete": on_delete,
    })
}

#[tokio::test]
async fn trusted_access_comes_before_the_administrators_that_need_it() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    let mut properties = administrator(&organization.id("security-000"), "Retain");
    properties["StackSets"] = json!(true);
    let created = stack.create(properties).await.ok();
    organization.check_writes(expect![[r"
        EnableAWSServiceAccess backup.amazonaws.com
        ActivateOrganizationsAccess
        RegisterDelegatedAdministrator security-000 backup.amazonaws.com
    "]]);
    organization.check_state(expect![[r"
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        security-000 administers backup.amazonaws.com
        StackSets is activated
    "]]);
    assert_eq!(organization.named(&created.physical_id), "management/service-access");
}

#[tokio::test]
async fn a_service_has_several_administrators() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    let [one, other] = ["security-000", "production-001"].map(|it| organization.id(it));
    let mut properties = administrator(&one, "Retain");
    properties["DelegatedAdministrators"][0]["AccountId"] = json!([one, other]);
    let _ = stack.create(properties.clone()).await.ok();
    organization.check_state(expect![[r"
        backup.amazonaws.com is trusted
        security-000 administers backup.amazonaws.com
        production-001 administers backup.amazonaws.com
    "]]);
    organization.clear_journal();
    let _ = stack.update(properties).await.ok();
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn a_second_deployment_of_service_access_writes_nothing() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    for on_delete in ["Retain", "Revert"] {
        let mut properties = administrator(&organization.id("security-000"), on_delete);
        properties["StackSets"] = json!(true);
        let created = stack.create(properties.clone()).await.ok();
        organization.clear_journal();
        let updated = stack.update(properties).await.ok();
        organization.check_writes(expect![""]);
        assert_eq!(updated.physical_id, created.physical_id);
    }
}

#[tokio::test]
async fn deleting_service_access_leaves_everything_on() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    let mut properties = administrator(&organization.id("security-000"), "Retain");
    properties["StackSets"] = json!(true);
    let _ = stack.create(properties).await.ok();
    let before = organization.state();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    assert_eq!(organization.lines(|it| it.operation != "PutResponse"), "");
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn revert_turns_off_only_what_the_resource_turned_on() {
    let organization = Organization::bare(Settings::default()).await;
    organization.organization(|it| {
        it.enable_service_access(BACKUP).unwrap();
        it.enable_service_access("ram.amazonaws.com").unwrap();
    });
    let mut stack = organization.stack("service-access").unlimited();
    let mut properties = administrator(&organization.id("security-000"), "Revert");
    properties["StackSets"] = json!(true);
    properties["ServicePrincipals"] = json!([BACKUP, "reports.backup.amazonaws.com"]);
    let _ = stack.create(properties).await.ok();
    organization.check_writes(expect![[r"
        TagResource root
        EnableAWSServiceAccess reports.backup.amazonaws.com
        ActivateOrganizationsAccess
        RegisterDelegatedAdministrator security-000 backup.amazonaws.com
    "]]);
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![[r"
        DeregisterDelegatedAdministrator security-000 backup.amazonaws.com
        DeactivateOrganizationsAccess
        DisableAWSServiceAccess reports.backup.amazonaws.com
        UntagResource root org-backup:turned-on/reports.backup.amazonaws.com,org-backup:turned-on/stack-sets,org-backup:turned-on/backup.amazonaws.com/security-000
    "]]);
    organization.check_state(expect![[r"
        backup.amazonaws.com is trusted
        ram.amazonaws.com is trusted
    "]]);
}

#[tokio::test]
async fn what_an_update_takes_off_the_lists_is_turned_off_with_revert_and_left_with_retain() {
    for (on_delete, expected) in [
        (
            "Revert",
            expect![[r"
        DeregisterDelegatedAdministrator security-000 backup.amazonaws.com
        UntagResource root org-backup:turned-on/backup.amazonaws.com/security-000
    "]],
        ),
        ("Retain", expect![[""]]),
    ] {
        let organization = Organization::bare(Settings::default()).await;
        let mut stack = organization.stack("service-access");
        let account = organization.id("security-000");
        let _ = stack.create(administrator(&account, on_delete)).await.ok();
        organization.clear_journal();
        let properties = json!({ "ServicePrincipals": [BACKUP], "OnDelete": on_delete });
        let _ = stack.update(properties).await.ok();
        organization.check_writes(expected);
    }
}

#[tokio::test]
async fn registering_the_same_administrator_again_changes_nothing() {
    let organization = Organization::bare(Settings::default()).await;
    let account = organization.id("security-000");
    organization.organization(|it| {
        it.enable_service_access(BACKUP).unwrap();
        it.register_delegated_administrator(&account, BACKUP).unwrap();
    });
    let mut stack = organization.stack("service-access");
    let _ = stack.create(administrator(&account, "Revert")).await.ok();
    organization.check_writes(expect![""]);
    // It was there before, so it is there after.
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn a_second_administrator_stands_beside_the_first_where_the_service_allows_it() {
    let organization = Organization::bare(Settings::default()).await;
    let other = organization.id("sandbox-008");
    organization.organization(|it| {
        it.enable_service_access(BACKUP).unwrap();
        it.register_delegated_administrator(&other, BACKUP).unwrap();
    });
    let mut stack = organization.stack("service-access");
    let _ = stack.create(administrator(&organization.id("security-000"), "Retain")).await.ok();
    organization.check_state(expect![[r"
        backup.amazonaws.com is trusted
        security-000 administers backup.amazonaws.com
        sandbox-008 administers backup.amazonaws.com
    "]]);
}

#[tokio::test]
async fn a_different_administrator_of_a_service_with_one_is_named_in_the_failure() {
    let organization = Organization::bare(Settings::default()).await;
    let other = organization.id("sandbox-008");
    organization.organization(|it| {
        it.enable_service_access("config.amazonaws.com").unwrap();
        it.register_delegated_administrator(&other, "config.amazonaws.com").unwrap();
    });
    let mut stack = organization.stack("service-access").unlimited();
    let before = organization.state();
    let reason = stack
        .create(json!({
            "ServicePrincipals": ["config.amazonaws.com"],
            "DelegatedAdministrators": [{
                "AccountId": organization.id("security-000"),
                "ServicePrincipal": "config.amazonaws.com",
            }],
        }))
        .await
        .reason();
    expect!["cannot register security-000 as delegated administrator for config.amazonaws.com beside sandbox-008: ConstraintViolationException DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE (HTTP 400): This service already has a delegated administrator.; hint: this service has one delegated administrator only; deregister the other one first"].assert_eq(&organization.named(&reason));
    assert_eq!(organization.state(), before);
}

/// Why an administrator is refused, and that nothing was written by then.
async fn refused(prepare: impl FnOnce(&Organization) -> String) -> String {
    let organization = Organization::bare(Settings::default()).await;
    let account = prepare(&organization);
    let mut stack = organization.stack("service-access");
    let reason = stack.create(administrator(&account, "Revert")).await.reason();
    assert_eq!(organization.take_writes(), "");
    organization.named(&reason)
}

#[tokio::test]
async fn a_suspended_account_is_no_administrator() {
    let reason = refused(|organization| {
        let account = organization.id("security-000");
        organization.organization(|it| it.set_account_state(&account, AccountState::Suspended));
        account
    });
    expect!["cannot register security-000 as delegated administrator for backup.amazonaws.com, since the account is SUSPENDED"].assert_eq(&reason.await);
}

#[tokio::test]
async fn the_management_account_is_no_administrator() {
    let reason = refused(|organization| organization.id("management"));
    expect!["cannot register management as delegated administrator for backup.amazonaws.com, since it is the management account; hint: name a member account"].assert_eq(&reason.await);
}

#[tokio::test]
async fn a_stranger_is_no_administrator() {
    expect!["cannot register 999988887777 as delegated administrator for backup.amazonaws.com, since the account is not in the organization"].assert_eq(&refused(|_| "999988887777".to_owned()).await);
}

#[tokio::test]
async fn an_administrator_without_trusted_access_is_refused() {
    let organization = Organization::bare(Settings::default()).await;
    let mut properties = administrator(&organization.id("security-000"), "Retain");
    properties["ServicePrincipals"] = json!(["ram.amazonaws.com"]);
    let mut stack = organization.stack("service-access");
    let reason = stack.create(properties).await.reason();
    expect!["cannot register security-000 as delegated administrator for backup.amazonaws.com, since the service has no trusted access; hint: add it to `ServicePrincipals`"].assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn stack_sets_are_activated_by_cloudformation_and_not_by_trusted_access() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    let principal = "member.org.stacksets.cloudformation.amazonaws.com";
    let reason = stack.create(json!({ "ServicePrincipals": [principal] })).await.reason();
    expect!["trusted access for member.org.stacksets.cloudformation.amazonaws.com is not for this list; hint: set `StackSets: true` instead"].assert_eq(&reason);
    organization.check_writes(expect![""]);
    let _ = stack.create(json!({ "ServicePrincipals": [], "StackSets": true })).await.ok();
    organization.check_writes(expect![[r"
        ActivateOrganizationsAccess
    "]]);
    organization.check_state(expect![[r"
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
    "]]);
}

#[tokio::test]
async fn service_access_gets_through_a_strict_organization() {
    let organization = Organization::bare(Settings::strict()).await;
    let mut stack = organization.stack("service-access");
    let mut properties = administrator(&organization.id("security-000"), "Revert");
    properties["StackSets"] = json!(true);
    let _ = stack.create(properties.clone()).await.ok();
    organization.clear_journal();
    let _ = stack.update(properties).await.ok();
    organization.check_writes(expect![""]);
    let _ = stack.delete().await.ok();
    organization.check_state(expect![""]);
}

#[tokio::test]
async fn service_access_is_given_from_a_member_account_through_a_role() {
    let organization = Organization::bare(Settings::default()).await;
    let member = organization.id("security-000");
    let mut stack = organization.stack("service-access").in_account(&member);
    let mut properties = administrator(&member, "Retain");
    properties["StackSets"] = json!(true);
    properties["ManagementRoleArn"] = json!(organization.management_role(&member));
    let _ = stack.create(properties).await.ok();
    let mut journal = organization.journal();
    let own = ["AssumeRole", "DescribeStackResource", "PutResponse"];
    journal.retain(|it| !own.contains(&it.operation.as_str()));
    for call in journal {
        assert_eq!(call.session.as_deref(), Some("Bootstrap/org-backup"), "{call}");
    }
}
