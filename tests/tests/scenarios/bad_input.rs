//! Bad input fails with a reason that names what is wrong and says what to do, and changes nothing.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, FeatureSet, Settings};
use tests::organization::{Organization, document};

/// Creates the resource after `prepare`, which has to fail for this reason.
async fn check(
    function: &'static str,
    account: &str,
    prepare: impl FnOnce(&Organization),
    properties: Value,
    expect: Expect,
) {
    let organization = Organization::ready(Settings::default()).await;
    prepare(&organization);
    let before = organization.state();
    let mut stack = organization.stack(function).in_account(&organization.id(account));
    let reason = stack.create(properties).await.reason();
    expect.assert_eq(&organization.named(&reason));
    // CloudFormation then deletes what was never created.
    let rollback = stack.rollback.take().unwrap();
    assert!(rollback.success, "{rollback}");
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

/// Properties of a policy that are fine but for these.
fn policy(changes: &Value) -> Value {
    let mut properties = json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            properties.as_object_mut().unwrap().remove(name);
        } else {
            properties[name] = value.clone();
        }
    }
    properties
}

async fn check_policy(changes: Value, expect: Expect) {
    check("backup-policy", "management", |_| {}, policy(&changes), expect).await;
}

#[tokio::test]
async fn a_misspelt_property_is_named() {
    check_policy(json!({ "TargetIDs": "root" }), expect!["property `TargetIDs`: unknown field `TargetIDs`, expected one of `Name`, `Description`, `Content`, `ContentUrl`, `Variables`, `TargetIds`, `Tags`, `Adopt`, `Preflight`, `ManagementRoleArn`"]).await;
    let types = json!({ "PolicyTypes": "BACKUP_POLICY", "Ondelete": "Retain" });
    check("policy-types", "management", |_| {}, types, expect!["property `Ondelete`: unknown field `Ondelete`, expected one of `PolicyTypes`, `OnDelete`, `ManagementRoleArn`"]).await;
    let settings = json!({ "CrossAccountBackups": true });
    check("global-settings", "management", |_| {}, settings, expect!["property `CrossAccountBackups`: unknown field `CrossAccountBackups`, expected one of `CrossAccountBackup`, `DelegatedAdministrator`, `MultiPartyApproval`, `OnDelete`, `ManagementRoleArn`"]).await;
    let access = json!({
        "ServicePrincipals": [],
        "DelegatedAdministrators": [{ "Account": "444455556666", "ServicePrincipal": "a.b" }],
    });
    check("service-access", "management", |_| {}, access, expect!["property `DelegatedAdministrators[0].Account`: unknown field `Account`, expected `AccountId` or `ServicePrincipal`"]).await;
}

#[tokio::test]
async fn a_missing_property_is_named() {
    check_policy(json!({ "Name": null }), expect!["missing field `Name`"]).await;
    check("policy-types", "management", |_| {}, json!({}), expect!["missing field `PolicyTypes`"])
        .await;
    check(
        "service-access",
        "management",
        |_| {},
        json!({}),
        expect!["missing field `ServicePrincipals`"],
    )
    .await;
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_named() {
    check_policy(json!({ "TargetIds": 7 }), expect!["property `TargetIds`: `7` is not the ID of a root (r-…), an OU (ou-…-…) or an account (12 digits)"]).await;
    check_policy(json!({ "TargetIds": { "Root": "r-ab12" } }), expect!["property `TargetIds`: invalid type: map, expected a list of strings or a comma-separated string"]).await;
    check_policy(json!({ "TargetIds": [7] }), expect!["property `TargetIds`: `7` is not the ID of a root (r-…), an OU (ou-…-…) or an account (12 digits)"]).await;
    check_policy(
        json!({ "Adopt": "perhaps" }),
        expect![[r#"property `Adopt`: invalid value: string "perhaps", expected true or false"#]],
    )
    .await;
    check_policy(
        json!({ "Tags": ["team"] }),
        expect!["property `Tags`: invalid type: sequence, expected a map"],
    )
    .await;
    check_policy(json!({ "Content": ["plans"] }), expect!["the content is not a JSON object"])
        .await;
    let types = json!({ "PolicyTypes": 5 });
    check(
        "policy-types",
        "management",
        |_| {},
        types,
        expect!["property `PolicyTypes`: `5` is not a policy type such as BACKUP_POLICY"],
    )
    .await;
    let settings = json!({ "CrossAccountBackup": "on", "OnDelete": "Retain" });
    check(
        "global-settings",
        "management",
        |_| {},
        settings,
        expect![[
            r#"property `CrossAccountBackup`: invalid value: string "on", expected true or false"#
        ]],
    )
    .await;
    let access = json!({ "ServicePrincipals": 3 });
    check("service-access", "management", |_| {}, access, expect!["property `ServicePrincipals`: `3` is not a service principal such as backup.amazonaws.com"]).await;
    let types = json!({ "PolicyTypes": "BACKUP_POLICY", "OnDelete": "Keep" });
    check(
        "policy-types",
        "management",
        |_| {},
        types,
        expect!["property `OnDelete`: unknown variant `Keep`, expected `Retain` or `Disable`"],
    )
    .await;
}

#[tokio::test]
async fn a_target_that_does_not_exist_is_named() {
    check_policy(
        json!({ "TargetIds": ["root", "999988887777"] }),
        expect!["`TargetIds` names 999988887777, which is not in this organization"],
    )
    .await;
    check_policy(
        json!({ "TargetIds": "ou-zzzz-00000000" }),
        expect!["`TargetIds` names ou-zzzz-00000000, which is not in this organization"],
    )
    .await;
}

#[tokio::test]
async fn a_policy_needs_a_target() {
    check_policy(
        json!({ "TargetIds": "" }),
        expect!["`TargetIds` is empty; hint: name at least one root, OU or account"],
    )
    .await;
    check_policy(
        json!({ "TargetIds": [] }),
        expect!["`TargetIds` is empty; hint: name at least one root, OU or account"],
    )
    .await;
}

#[tokio::test]
async fn a_full_target_is_named() {
    let fill = |organization: &Organization| {
        for number in 1..=10 {
            organization.foreign_policy(&format!("policy-{number:02}"), &["Sandbox"]);
        }
    };
    let organization = Organization::ready(Settings::default()).await;
    let sandbox = organization.id("Sandbox");
    let properties = policy(&json!({ "TargetIds": sandbox }));
    check("backup-policy", "management", fill, properties, expect!["Sandbox has 10 backup policies attached already, the most AWS allows; hint: attach this one to its children, or merge some of the others"]).await;
}

#[tokio::test]
async fn a_policy_over_the_size_limit_is_measured() {
    let mut content = document(3);
    for number in 0..120 {
        let rule = content["plans"]["daily"]["rules"]["nightly"].clone();
        content["plans"]["daily"]["rules"][format!("rule-{number}")] = rule;
    }
    check_policy(json!({ "Content": content }), expect!["the content has 22995 characters without white space, and AWS accepts 10000; hint: split it into several policies, which merge by plan name"]).await;
    check_policy(json!({ "Content": content.to_string() }), expect!["the content has 22995 characters without white space, and AWS accepts 10000; hint: split it into several policies, which merge by plan name"]).await;
}

#[tokio::test]
async fn the_name_of_somebody_elses_policy_is_refused_with_its_id() {
    let theirs = |organization: &Organization| {
        organization.foreign_policy("daily", &["root"]);
    };
    check("backup-policy", "management", theirs, policy(&json!({})), expect!["a policy named `daily` already exists (daily) and was not made by this stack; hint: choose another name, or set `Adopt: true` on a new resource to take it over"]).await;
}

#[tokio::test]
async fn a_rename_to_the_name_of_another_policy_is_refused() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("weekly", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(policy(&json!({}))).await.ok();
    let before = organization.state();
    organization.clear_journal();
    let reason = stack.update(policy(&json!({ "Name": "weekly", "Adopt": true }))).await.reason();
    expect!["a policy named `weekly` already exists (weekly) and is another policy; hint: choose another name, or set `Adopt: true` on a new resource to take it over"].assert_eq(&organization.named(&reason));
    assert!(stack.rollback.take().unwrap().success);
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_caller_outside_the_management_account_is_told_which_it_is() {
    let member = "security-000";
    let types = json!({ "PolicyTypes": "BACKUP_POLICY,TAG_POLICY" });
    check("policy-types", member, |_| {}, types, expect!["cannot read the organization's root (the management account is management): AccessDeniedException (HTTP 400): You don't have permissions to access this resource.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`, and give the role permission for the action"]).await;
    let access = json!({ "ServicePrincipals": ["backup.amazonaws.com"] });
    check("service-access", member, |_| {}, access, expect!["cannot list trusted services (the management account is management): AccessDeniedException (HTTP 400): You don't have permissions to access this resource.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`, and give the role permission for the action"]).await;
    let settings = json!({ "CrossAccountBackup": true });
    check("global-settings", member, |_| {}, settings, expect!["cannot set CrossAccountBackup=true (the management account is management): InvalidRequestException (HTTP 400): Global settings can be updated by the management account only.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`"]).await;
    check("backup-policy", member, |_| {}, policy(&json!({})), expect!["cannot read the organization's root (the management account is management): AccessDeniedException (HTTP 400): You don't have permissions to access this resource.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`, and give the role permission for the action"]).await;
}

#[tokio::test]
async fn what_could_not_be_created_for_lack_of_permission_can_be_rolled_back() {
    // CloudFormation deletes what failed to be created, as a caller that may not do that either.
    let member = "security-000";
    let role = "arn:aws:iam::111122223333:role/Bootstrap";
    for account in [member, "management"] {
        for (function, mut properties) in [
            ("policy-types", json!({ "PolicyTypes": "TAG_POLICY", "OnDelete": "Disable" })),
            ("service-access", json!({ "ServicePrincipals": ["a.b"], "OnDelete": "Revert" })),
            ("global-settings", json!({ "CrossAccountBackup": true, "OnDelete": "Restore" })),
            ("backup-policy", policy(&json!({}))),
        ] {
            let organization = Organization::ready(Settings::default()).await;
            if account == "management" {
                properties["ManagementRoleArn"] = json!(role);
            }
            let mut stack = organization.stack(function).in_account(&organization.id(account));
            let _ = stack.create(properties).await.reason();
            let rollback = stack.rollback.take().unwrap();
            assert!(rollback.success, "{function} in {account}: {rollback}");
            organization.check_writes(expect![""]);
        }
    }
}

#[tokio::test]
async fn a_creation_that_fails_does_not_disable_what_it_found() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let types = json!({ "PolicyTypes": ["BACKUP_POLICY", "TEA_POLICY"], "OnDelete": "Disable" });
    let _ = stack.create(types).await.reason();
    assert!(stack.rollback.take().unwrap().success);
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_named() {
    let role = "arn:aws:iam::111122223333:role/Bootstrap";
    let types = json!({ "PolicyTypes": "TAG_POLICY", "ManagementRoleArn": role });
    // A role that cannot be assumed at deletion either makes that fail, so this is done by hand.
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types").in_account(&organization.id("security-000"));
    let reason = stack.create(types).await.reason();
    expect!["cannot assume the role arn:aws:iam::management:role/Bootstrap: AccessDenied (HTTP 403): User: arn:aws:iam::security-000:user/simulated is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::management:role/Bootstrap; hint: correct `ManagementRoleArn`, let the role trust the function's own role, and let that assume it"].assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn an_organization_with_consolidated_billing_only_is_told_what_to_do() {
    let billing = |organization: &Organization| {
        organization.organization(|it| it.feature_set = FeatureSet::ConsolidatedBilling);
    };
    let types = json!({ "PolicyTypes": "TAG_POLICY" });
    check("policy-types", "management", billing, types, expect!["the organization has consolidated billing only, and policies need all features; hint: enable all features in the AWS Organizations console first"]).await;
    let access = json!({ "ServicePrincipals": ["backup.amazonaws.com"] });
    check("service-access", "management", billing, access, expect!["cannot list trusted services: ConstraintViolationException ORGANIZATION_NOT_IN_ALL_FEATURES_MODE (HTTP 400): You attempted to perform an operation that requires an organization that is configured to support all features.; hint: the organization has consolidated billing only; enable all features first"]).await;
    check("backup-policy", "management", billing, policy(&json!({})), expect!["cannot create policy `daily`: ConstraintViolationException ORGANIZATION_NOT_IN_ALL_FEATURES_MODE (HTTP 400): You attempted to perform an operation that requires an organization that is configured to support all features.; hint: the organization has consolidated billing only; enable all features first"]).await;
}

#[tokio::test]
async fn an_account_without_an_organization_is_told_what_to_do() {
    let organization = Organization::bare(Settings::default()).await;
    for (function, properties, expect) in [
        (
            "policy-types",
            json!({ "PolicyTypes": "BACKUP_POLICY" }),
            expect![
                "cannot read the organization's root: AWSOrganizationsNotInUseException (HTTP 400): Your account is not a member of an organization.; hint: this account is not in an organization; create one with all features first"
            ],
        ),
        (
            "service-access",
            json!({ "ServicePrincipals": ["backup.amazonaws.com"] }),
            expect![
                "cannot describe the organization: AWSOrganizationsNotInUseException (HTTP 400): Your account is not a member of an organization.; hint: this account is not in an organization; create one with all features first"
            ],
        ),
        (
            "global-settings",
            json!({ "CrossAccountBackup": true }),
            expect![
                "cannot read the global settings of AWS Backup: InvalidRequestException (HTTP 400): Your account is not a member of an organization.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`"
            ],
        ),
        (
            "backup-policy",
            policy(&json!({})),
            expect![
                "cannot read the organization's root: AWSOrganizationsNotInUseException (HTTP 400): Your account is not a member of an organization.; hint: this account is not in an organization; create one with all features first"
            ],
        ),
    ] {
        let mut stack = organization.stack(function).in_account("999988887777");
        let event = stack.event("Create", &properties);
        expect.assert_eq(&stack.send(&event).await.reason());
    }
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn an_object_that_is_missing_or_no_policy_is_named() {
    let url = |key: &str| policy(&json!({ "Content": null, "ContentUrl": key }));
    let put = |body: &'static [u8]| {
        move |organization: &Organization| {
            organization.buckets(|it| it.put("policies-of-ours", "daily.json", body));
        }
    };
    let key = "s3://policies-of-ours/daily.json";
    check("backup-policy", "management", |_| {}, url(key), expect!["cannot read s3://policies-of-ours/daily.json: NoSuchBucket (HTTP 404): The specified bucket does not exist; hint: upload the object, or correct `ContentUrl`"]).await;
    let other = "s3://policies-of-ours/other.json";
    check("backup-policy", "management", put(b"{}"), url(other), expect!["cannot read s3://policies-of-ours/other.json: NoSuchKey (HTTP 404): The specified key does not exist.; hint: upload the object, or correct `ContentUrl`"]).await;
    let version = "s3://policies-of-ours/daily.json?versionId=9f1c";
    check("backup-policy", "management", put(b"{}"), url(version), expect!["cannot read s3://policies-of-ours/daily.json: NoSuchVersion (HTTP 404): The specified version does not exist.; hint: upload the object, or correct `ContentUrl`"]).await;
    check(
        "backup-policy",
        "management",
        put(b"plans: {}"),
        url(key),
        expect!["the content is not JSON at line 1, column 1"],
    )
    .await;
    check(
        "backup-policy",
        "management",
        put(b"null"),
        url(key),
        expect!["the content is not a JSON object"],
    )
    .await;
    check("backup-policy", "management", put(b"\xff\xfe{}"), url(key), expect!["cannot read s3://policies-of-ours/daily.json: the object is not UTF-8 text; hint: `ContentUrl` must name a policy document in JSON"]).await;
    let deny = |organization: &Organization| {
        put(b"{}")(organization);
        organization.buckets(|it| it.deny("policies-of-ours", "daily.json"));
    };
    check("backup-policy", "management", deny, url(key), expect!["cannot read s3://policies-of-ours/daily.json: AccessDenied (HTTP 403): Access Denied; hint: correct `ContentUrl`, or let the function's own role read the object"]).await;
    check(
        "backup-policy",
        "management",
        |_| {},
        url("https://example.com/p"),
        expect!["property `ContentUrl`: expected s3://bucket/key or s3://bucket/key?versionId=…"],
    )
    .await;
}

#[tokio::test]
async fn a_policy_comes_from_one_place() {
    check_policy(
        json!({ "Content": null }),
        expect!["set one of `Content` and `ContentUrl`, and not both"],
    )
    .await;
    check_policy(
        json!({ "ContentUrl": "s3://policies-of-ours/daily.json" }),
        expect!["set one of `Content` and `ContentUrl`, and not both"],
    )
    .await;
}

#[tokio::test]
async fn variables_that_do_not_fit_are_named() {
    check_policy(
        json!({ "Variables": { "Vault": "central" } }),
        expect!["`Variables` has `Vault`, which the content does not use"],
    )
    .await;
    let mut content = document(3);
    content["plans"]["daily"]["regions"]["@@assign"] = json!(["${Region}"]);
    check_policy(
        json!({ "Content": content }),
        expect!["`plans/daily/regions/@@assign` uses `${Region}`, which `Variables` does not have"],
    )
    .await;
    check_policy(
        json!({ "Content": content, "Variables": { "Region": { "a": "b" } } }),
        expect!["property `Variables.Region`: a variable is text or a list of strings"],
    )
    .await;
}

#[tokio::test]
async fn tags_that_are_kept_for_ourselves_are_refused() {
    check_policy(json!({ "Tags": { "org-backup:owner": "me" } }), expect!["`Tags` names `org-backup:owner`, and keys that begin with `org-backup:` are for org-backup itself"]).await;
}

#[tokio::test]
async fn a_policy_type_that_is_off_is_the_first_thing_to_put_right() {
    let off = |organization: &Organization| {
        organization.organization(|it| {
            let root = it.root.clone();
            it.disable_policy_type(&root, BACKUP_POLICY).unwrap();
        });
    };
    check("backup-policy", "management", off, policy(&json!({})), expect!["policy type BACKUP_POLICY is not enabled on the organization's root; hint: deploy `Custom::PolicyTypes` first"]).await;
}

#[tokio::test]
async fn names_that_aws_does_not_know_are_passed_on_with_what_it_says() {
    let types = json!({ "PolicyTypes": ["TEA_POLICY", "TAG_POLICY"] });
    check("policy-types", "management", |_| {}, types, expect!["cannot enable policy type TEA_POLICY: InvalidInputException INVALID_ENUM:POLICY_TYPE (HTTP 400): You specified an invalid value.; hint: AWS does not know this name; correct it in the template"]).await;
    let access = json!({ "ServicePrincipals": ["tea.amazonaws.com"] });
    check("service-access", "management", |_| {}, access, expect!["cannot enable trusted access for tea.amazonaws.com: InvalidInputException UNRECOGNIZED_SERVICE_PRINCIPAL (HTTP 400): You specified an invalid value.; hint: AWS does not know this service; correct its name in the template"]).await;
}

#[tokio::test]
async fn a_description_has_a_limit() {
    check_policy(
        json!({ "Description": "x".repeat(513) }),
        expect!["property `Description`: a description has at most 512 characters"],
    )
    .await;
}
