//! Least privilege: a role allows what its function was seen to call, and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Service, Settings};
use tests::organization::{Organization, document};
use tests::template::{EVERYTHING, REQUIRED, Template};

const BACKUP: &str = "backup.amazonaws.com";
const STACK_SETS: &str = "member.org.stacksets.cloudformation.amazonaws.com";

/// What is allowed without being called, since AWS asks for it on behalf of the function.
const ON_BEHALF: [(&str, &str); 11] = [
    // Lambda writes the logs.
    ("*", "logs:CreateLogStream"),
    ("*", "logs:PutLogEvents"),
    // These functions run without a state bucket, which S3 encrypts and decrypts with our key.
    ("*", "kms:Decrypt"),
    ("*", "kms:GenerateDataKey"),
    ("*", "s3:DeleteObject"),
    ("*", "s3:GetObject"),
    ("*", "s3:ListBucket"),
    ("*", "s3:PutObject"),
    // Trusted access comes with service-linked roles.
    ("service-access", "iam:CreateServiceLinkedRole"),
    // AWS Backup asks whether the caller is the management account.
    ("global-settings", "organizations:DescribeOrganization"),
    // S3 asks for it where the call names a version.
    ("backup-policy", "s3:GetObjectVersion"),
];

/// The actions that the role of each function allows when its stack can do everything.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let parameters = [REQUIRED, EVERYTHING].concat();
    let mut allowed = BTreeMap::new();
    for template in Template::all() {
        let stack = template.with(&parameters);
        for (_, function) in template.resources("AWS::Lambda::Function") {
            let function = &function["Properties"];
            let key = stack.resolve(&function["Code"]["S3Key"]).unwrap();
            let name = key.as_str().unwrap().rsplit('/').next().unwrap().replace(".zip", "");
            let role = function["Role"]["Fn::GetAtt"][0].as_str().unwrap();
            let role = &template.body["Resources"][role]["Properties"];
            let policies = stack.resolve(&role["Policies"]).unwrap();
            let statements = policies.as_array().unwrap().iter();
            let statements = statements
                .flat_map(|it| it["PolicyDocument"]["Statement"].as_array().unwrap().clone());
            let actions = statements.flat_map(|it| match &it["Action"] {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            });
            allowed.insert(name, actions.map(|it| it.as_str().unwrap().to_owned()).collect());
        }
    }
    allowed
}

/// The actions behind the calls that the organization saw.
fn seen(organization: &Organization) -> BTreeSet<String> {
    let action =
        |service: Service, operation: &str| Some(format!("{}:{operation}", service.prefix()?));
    organization.journal().iter().filter_map(|it| action(it.service, &it.operation)).collect()
}

/// Holds the role of `function` against what the organization saw.
fn check(function: &str, organization: &Organization) {
    let allowed = &allowed()[function];
    let seen = seen(organization);
    let missing: Vec<_> = seen.difference(allowed).collect();
    assert!(missing.is_empty(), "{function} calls, and its role does not allow, {missing:?}");
    let on_behalf = |it: &&String| {
        ON_BEHALF.iter().any(|(of, action)| (*of == "*" || *of == function) && action == it)
    };
    let unused: Vec<_> = allowed.difference(&seen).filter(|it| !on_behalf(it)).collect();
    assert!(unused.is_empty(), "the role of {function} allows, and it never calls, {unused:?}");
}

#[tokio::test]
async fn policy_types_may_do_what_it_does() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("policy-types");
    let properties = json!({ "PolicyTypes": [BACKUP_POLICY], "OnDelete": "Disable" });
    let _ = stack.create(properties).await.ok();
    organization.foreign_policy("unattached", &[]);
    let _ = stack.delete().await.ok();
    check("policy-types", &organization);
}

#[tokio::test]
async fn service_access_may_do_what_it_does() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("service-access");
    let account = organization.id("security-000");
    let administrator =
        |principal: &str| json!({ "AccountId": account, "ServicePrincipal": principal });
    let properties = json!({
        "ServicePrincipals": [BACKUP],
        "StackSets": true,
        "DelegatedAdministrators": [administrator(BACKUP), administrator(STACK_SETS)],
        "OnDelete": "Revert",
    });
    let _ = stack.create(properties).await.ok();
    let _ = stack.delete().await.ok();
    check("service-access", &organization);
}

#[tokio::test]
async fn global_settings_may_do_what_it_does() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("global-settings");
    let _ = stack.create(json!({ "CrossAccountBackup": true, "OnDelete": "Restore" })).await.ok();
    let _ = stack.delete().await.ok();
    check("global-settings", &organization);
}

#[tokio::test]
async fn backup_policy_may_do_what_it_does() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("theirs", &["Workloads"]);
    organization.buckets(|it| {
        it.put("documents", "daily.json", document(5).to_string());
    });
    let mut stack = organization.stack("backup-policy");
    let sandbox = organization.id("Sandbox");
    let properties = json!({
        "Name": "daily",
        "Content": document(3),
        "TargetIds": [sandbox],
        "Tags": { "team": "storage" },
    });
    let _ = stack.create(properties).await.ok();
    let properties = json!({
        "Name": "daily",
        "ContentUrl": "s3://documents/daily.json",
        "TargetIds": ["root"],
        "Tags": { "owner": "platform" },
    });
    let _ = stack.update(properties).await.ok();
    // Half a plan, from which AWS would withhold everything: some account below is named.
    let mut properties = json!({
        "Name": "daily",
        "Content": { "plans": { "weekly": { "regions": { "@@assign": ["eu-central-1"] } } } },
        "TargetIds": [organization.id("Workloads")],
    });
    let _ = stack.update(properties.clone()).await.reason();
    // And if that is wanted, AWS is asked what it makes of it.
    properties["Preflight"] = json!("Warn");
    let _ = stack.update(properties).await.ok();
    let _ = stack.delete().await.ok();
    check("backup-policy", &organization);
}

#[test]
fn no_permission_is_a_wildcard() {
    for (function, actions) in allowed() {
        assert!(actions.iter().all(|it| !it.contains('*')), "{function}");
    }
}
