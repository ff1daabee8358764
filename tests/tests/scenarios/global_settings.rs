//! `Custom::BackupGlobalSettings`.

use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::json;
use simulator::Settings;
use tests::organization::Organization;

async fn with_mpa() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    let on: BTreeMap<_, _> = [("isMpaEnabled".to_owned(), "true".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&on)).unwrap();
    organization
}

#[tokio::test]
async fn settings_of_the_template_are_set_and_others_left_alone() {
    let organization = with_mpa().await;
    let mut stack = organization.stack("global-settings");
    let created = stack.create(json!({ "CrossAccountBackup": true })).await.ok();
    organization.check_writes(expect![[r"
        UpdateGlobalSettings isCrossAccountBackupEnabled=true
    "]]);
    let data: Vec<_> = created.data.iter().map(|(name, it)| format!("{name} {it}")).collect();
    expect![[r"
        CrossAccountBackup true
        DelegatedAdministrator false
        MultiPartyApproval true"]]
    .assert_eq(&data.join("\n"));
}

#[tokio::test]
async fn a_second_deployment_of_global_settings_writes_nothing() {
    let organization = with_mpa().await;
    let mut stack = organization.stack("global-settings");
    for on_delete in ["Retain", "Restore"] {
        let properties = json!({ "CrossAccountBackup": true, "OnDelete": on_delete });
        let created = stack.create(properties.clone()).await.ok();
        organization.clear_journal();
        let updated = stack.update(properties).await.ok();
        organization.check_writes(expect![""]);
        assert_eq!((updated.physical_id, updated.data), (created.physical_id, created.data));
    }
}

#[tokio::test]
async fn deleting_global_settings_leaves_them_as_they_are() {
    let organization = with_mpa().await;
    let mut stack = organization.stack("global-settings");
    let _ = stack.create(json!({ "CrossAccountBackup": "true" })).await.ok();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    assert_eq!(organization.lines(|it| it.operation != "PutResponse"), "");
    organization.check_state(expect![[r"
        isCrossAccountBackupEnabled is true
        isMpaEnabled is true
    "]]);
}

#[tokio::test]
async fn restore_brings_back_what_was_found_and_nothing_else() {
    let organization = with_mpa().await;
    let mut stack = organization.stack("global-settings");
    let properties = |cross: bool| {
        json!({
            "CrossAccountBackup": cross, "MultiPartyApproval": false, "OnDelete": "Restore",
        })
    };
    let _ = stack.create(properties(false)).await.ok();
    let _ = stack.update(properties(true)).await.ok();
    // Somebody turns on what the template does not mention.
    let on: BTreeMap<_, _> =
        [("isDelegatedAdministratorEnabled".to_owned(), "true".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&on)).unwrap();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    organization.check_writes(expect![[r"
        UpdateGlobalSettings isCrossAccountBackupEnabled=false isMpaEnabled=true
        UntagResource root org-backup:found-settings/0c50f776b7c9dda0
    "]]);
    organization.check_state(expect![[r"
        isDelegatedAdministratorEnabled is true
        isMpaEnabled is true
    "]]);
}

#[tokio::test]
async fn global_settings_get_through_a_strict_organization() {
    let organization = Organization::bare(Settings::strict()).await;
    let mut stack = organization.stack("global-settings");
    let properties = json!({ "CrossAccountBackup": true, "OnDelete": "Restore" });
    let _ = stack.create(properties.clone()).await.ok();
    organization.clear_journal();
    let _ = stack.update(properties).await.ok();
    organization.check_writes(expect![""]);
    let _ = stack.delete().await.ok();
    organization.check_state(expect![""]);
}

#[tokio::test]
async fn global_settings_are_set_from_a_member_account_through_a_role() {
    let organization = Organization::bare(Settings::default()).await;
    let member = organization.id("security-000");
    let mut stack = organization.stack("global-settings").in_account(&member);
    let role = organization.management_role(&member);
    let _ =
        stack.create(json!({ "CrossAccountBackup": true, "ManagementRoleArn": role })).await.ok();
    let sessions = organization.journal().into_iter().filter_map(|it| it.session);
    assert!(sessions.eq(["Bootstrap/org-backup"; 2]));
    organization.check_state(expect![[r"
        isCrossAccountBackupEnabled is true
    "]]);
}
