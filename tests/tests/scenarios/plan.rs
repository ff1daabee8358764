//! `org-backup plan`: what would be done, told without doing it.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Settings};
use tempfile::TempDir;
use tests::command::{Run, org_backup, org_backup_as};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::STATE_BUCKET;
use tests::stack::Stack;

use crate::member_accounts::{properties as member_properties, role_everywhere, with_roles};

const BACKUP: &str = "backup.amazonaws.com";

/// The resources of the bootstrap stack and one policy, with what is wanted of them.
fn resources() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("policy-types", "Types", json!({ "PolicyTypes": [BACKUP_POLICY] })),
        ("service-access", "Access", json!({ "ServicePrincipals": [BACKUP], "StackSets": true })),
        ("global-settings", "Switches", json!({ "CrossAccountBackup": true })),
        ("backup-policy", "Daily", daily(5)),
    ]
}

fn daily(hour: u8) -> Value {
    json!({ "Name": "daily", "Content": document(hour), "TargetIds": ["root"] })
}

/// An organization with a state bucket, in which nothing is deployed.
async fn bare() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| it.create(TOPIC));
    organization
}

/// Deploys the resources.
async fn deploy(organization: &Organization) -> Vec<Stack<'_>> {
    let mut stacks = Vec::new();
    for (function, name, properties) in resources() {
        let mut stack = organization.stack(function).named(name).kept();
        let _ = stack.create(properties).await.ok();
        stacks.push(stack);
    }
    is_deployed(organization, &body(&resources()), &[]);
    organization.clear_journal();
    stacks
}

/// The ARN of the stack that the resources of a test are in.
const STACK: &str = "arn:aws:cloudformation:us-east-1:111122223333:stack/backups/5d3c";

/// Says that the stack `backups` is deployed, from this template with these parameters.
pub(crate) fn is_deployed(
    organization: &Organization,
    template: &Value,
    parameters: &[(&str, &str)],
) {
    let parameters = parameters.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
    let stack = simulator::Stack {
        name: "backups".to_owned(),
        status: "UPDATE_COMPLETE".to_owned(),
        id: Some(STACK.to_owned()),
        parameters: parameters.collect(),
        template: template.to_string(),
        ..simulator::Stack::default()
    };
    organization.stacks(|it| it.put("us-east-1", stack));
}

/// A template with these resources.
fn body(resources: &[(&str, &str, Value)]) -> Value {
    let resource = |(function, name, properties): &(&str, &str, Value)| {
        let kind = kind_of(function);
        let resource = json!({ "Type": format!("Custom::{kind}"), "Properties": properties });
        ((*name).to_owned(), resource)
    };
    json!({ "Resources": resources.iter().map(resource).collect::<serde_json::Map<_, _>>() })
}

fn kind_of(function: &str) -> &'static str {
    match function {
        "policy-types" => "PolicyTypes",
        "service-access" => "ServiceAccess",
        "global-settings" => "BackupGlobalSettings",
        "backup-policy" => "BackupPolicy",
        other => panic!("{other}"),
    }
}

/// Plans, and compares the exit code and what is printed.
async fn check(organization: &Organization, code: i32, expect: Expect) {
    let run = org_backup(organization, &["plan"]).await;
    expect.assert_eq(&run.text);
    assert_eq!(run.code, code, "{}", run.notes);
}

/// A folder with a template of these resources.
pub(crate) fn template(resources: &Value) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("template.json");
    fs::write(&path, json!({ "Resources": resources }).to_string()).unwrap();
    (folder, path.display().to_string())
}

/// A template with the policy `Daily` of these properties.
fn with_daily(properties: &Value) -> (TempDir, String) {
    template(&json!({ "Daily": { "Type": "Custom::BackupPolicy", "Properties": properties } }))
}

/// Where the functions of our own templates are.
const ARTIFACTS: [&str; 2] = ["ArtifactBucket=artifacts-of-ours", "ArtifactPrefix=org-backup/"];

/// One of our own templates.
fn shipped(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../templates").join(name).display().to_string()
}

/// The steps of a resource, as `--json` has them.
fn steps(run: &Run, resource: &str) -> Vec<String> {
    let found = run.held("plan");
    let found = found["resources"].as_array().unwrap().iter();
    let found = found.filter(|it| it["resource"] == resource);
    found
        .flat_map(|it| serde_json::from_value::<Vec<String>>(it["steps"].clone()).unwrap())
        .collect()
}

/// The steps that a function carried out, as its log has them, by the policies' names.
fn carried_out(organization: &Organization, logs: &str) -> Vec<String> {
    let lines = organization.named(logs);
    let lines = lines.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let done = lines.filter(|it| it["message"] == "done");
    done.filter_map(|it| it["step"].as_str().map(ToOwned::to_owned)).collect()
}

#[tokio::test]
async fn plan_says_nothing_to_do_after_a_deployment() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    check(
        &organization,
        0,
        expect![[r"
            backups/Types (policy types): nothing to do
            backups/Access (trusted access and delegated administrators): nothing to do
            backups/Switches (global settings of AWS Backup): nothing to do
            backups/Daily (backup policy `daily`): nothing to do
            nothing to do
        "]],
    )
    .await;
}

#[tokio::test]
async fn plan_after_somebody_detached_a_policy() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    let accounts = organization.organization(|it| it.accounts().count());
    let run = org_backup(&organization, &["plan"]).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    assert!(run.text.contains("backups/Daily (backup policy `daily`):\n  attach to root\n"));
    let told = format!(
        "effective policies change in {accounts} accounts:\n  {accounts} accounts: plan `daily` added\n"
    );
    assert!(run.text.ends_with(&told), "{}", run.text);
}

#[tokio::test]
async fn plan_tells_drift_of_every_resource_in_the_order_in_which_it_is_put_back() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let root = organization.id("root");
    organization.organization(|it| {
        it.disable_policy_type(&root, BACKUP_POLICY).unwrap();
        it.disable_service_access(BACKUP).unwrap();
    });
    let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&off).unwrap());
    let run = org_backup(&organization, &["plan"]).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    let (resources, _) = run.text.split_once("effective").unwrap();
    expect![[r"
        backups/Types (policy types):
          enable policy type BACKUP_POLICY
          wait until policy type BACKUP_POLICY is enabled
        backups/Access (trusted access and delegated administrators):
          enable trusted access for backup.amazonaws.com
        backups/Switches (global settings of AWS Backup):
          set CrossAccountBackup=true
        backups/Daily (backup policy `daily`):
          attach to root
    "]]
    .assert_eq(resources);
}

#[tokio::test]
async fn plan_writes_nothing() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let policy = organization.policy_id("daily");
    organization.organization(|it| {
        let root = it.root.clone();
        it.detach_policy(&policy, &root).unwrap();
        it.delete_policy(&policy).unwrap();
        it.disable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    let before = organization.state();
    let (_folder, file) = with_daily(&daily(7));
    let parameters = "CentralVaultArn=arn:aws:backup:eu-west-1:222233334444:backup-vault:central";
    let bootstrap = shipped("bootstrap.yaml");
    let policies = shipped("backup-policies.yaml");
    for arguments in [
        vec!["plan"],
        vec!["plan", "--json", "--stack", "backups"],
        vec!["plan", "--stack", "backups", "--template", &file],
        [&["plan", "--template", &bootstrap, "--parameters"], &ARTIFACTS[..]].concat(),
        vec!["plan", "--template", &policies, "--parameters", parameters],
    ] {
        let run = org_backup(&organization, &arguments).await;
        assert_eq!(run.code, 1, "{arguments:?}: {}{}", run.text, run.notes);
    }
    assert_eq!(organization.lines(|it| it.write), "");
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn plan_names_the_accounts_whose_effective_policy_changes() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let mut properties = daily(7);
    properties["TargetIds"] = json!([organization.id("Security")]);
    let (_folder, file) = with_daily(&properties);
    let arguments = ["plan", "--stack", "backups", "--template", &file, "--json"];
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    assert_eq!(
        steps(&run, "Daily"),
        ["update the policy's content", "attach to Security", "detach from root"]
    );
    let effects = run.held("plan")["effectivePolicies"].clone();
    let security: Vec<String> = organization.organization(|it| {
        let unit = it.unit_named("Security").unwrap().id.clone();
        it.accounts_in(&unit).map(|it| it.name.clone()).collect()
    });
    assert_eq!(effects[0]["differences"], json!([{ "plan": "daily", "change": "gone" }]));
    assert_eq!(effects[1]["accounts"], json!(security));
    let difference = &effects[1]["differences"][0];
    assert_eq!(difference["part"], json!({ "rule": "nightly" }));
    assert_eq!(
        (&difference["setting"], &difference["before"], &difference["after"]),
        (&json!("schedule_expression"), &json!("cron(0 5 ? * * *)"), &json!("cron(0 7 ? * * *)"))
    );
    let told = effects.as_array().unwrap().iter();
    let told: usize = told.map(|it| it["accounts"].as_array().unwrap().len()).sum();
    assert_eq!(told, organization.organization(|it| it.accounts().count()));
}

#[tokio::test]
async fn plan_of_a_template_before_the_first_deployment_lists_what_will_be_made() {
    let organization = bare().await;
    let bootstrap = shipped("bootstrap.yaml");
    let arguments = [&["plan", "--template", &bootstrap, "--parameters"], &ARTIFACTS[..]].concat();
    let run = org_backup(&organization, &arguments).await;
    expect![[r"
        PolicyTypesEnabled (policy types):
          enable policy type BACKUP_POLICY
          wait until policy type BACKUP_POLICY is enabled
        ServiceAccess (trusted access and delegated administrators):
          enable trusted access for backup.amazonaws.com
          activate organizations access for StackSets
        BackupGlobalSettings (global settings of AWS Backup):
          set CrossAccountBackup=true
        CloudFormation creates 20 other resources: StateBucket, StateBucketPolicy, StateKey, StateKeyAlias, PolicyTypesFunction, PolicyTypesInvocations, PolicyTypesLogs, PolicyTypesRole, ServiceAccessFunction, ServiceAccessInvocations, ServiceAccessLogs, ServiceAccessRole, GlobalSettingsFunction, GlobalSettingsInvocations, GlobalSettingsLogs, GlobalSettingsRole, BackupPolicyFunction, BackupPolicyInvocations, BackupPolicyLogs, BackupPolicyRole
        note: without --stack this is planned as the first deployment of a stack
    "]]
    .assert_eq(&run.text);
    assert_eq!(run.code, 1, "{}", run.notes);
    let policies = shipped("backup-policies.yaml");
    let vault = "CentralVaultArn=arn:aws:backup:eu-west-1:222233334444:backup-vault:central";
    let arguments = ["plan", "--template", &policies, "--parameters", vault];
    let refused = org_backup(&organization, &arguments).await;
    assert!(refused.text.contains("DailyBackupPolicy (backup policy `org-backup-daily`): refused: policy type BACKUP_POLICY is not enabled"), "{}", refused.text);
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    let run = org_backup(&organization, &arguments).await;
    let accounts = organization.organization(|it| it.accounts().count());
    assert_eq!(run.code, 1, "{}", run.notes);
    assert_eq!(
        run.text.replace(&format!("{accounts} accounts"), "all accounts"),
        "\
DailyBackupPolicy (backup policy `org-backup-daily`):
  create policy `org-backup-daily`
  attach to root
MonthlyBackupPolicy (backup policy `org-backup-monthly`):
  create policy `org-backup-monthly`
  attach to root
note: without --stack this is planned as the first deployment of a stack
effective policies change in all accounts:
  all accounts: plan `org-backup-daily` added; plan `org-backup-monthly` added
"
    );
}

#[tokio::test]
async fn plan_says_which_parameters_are_missing_or_wrong_and_reads_nothing_of_policies() {
    let organization = bare().await;
    let policies = shipped("backup-policies.yaml");
    let arguments = ["plan", "--template", &policies, "--parameters", "DailyRetentionDays=none"];
    let run = org_backup(&organization, &arguments).await;
    assert_eq!((run.code, run.text.as_str()), (2, ""));
    expect![[r"
        error: the template cannot be deployed like this
          the parameter `CentralVaultArn` needs a value: --parameters CentralVaultArn=…
          the parameter `DailyRetentionDays` must be a number, not `none`
    "]]
    .assert_eq(&run.notes);
    assert_eq!(organization.lines(|it| it.operation == "ListPolicies"), "");
}

#[tokio::test]
async fn plan_never_guesses_what_only_a_deployment_can_tell() {
    let organization = bare().await;
    let (_folder, file) = template(&json!({
        "Types": { "Type": "Custom::PolicyTypes", "Properties": { "PolicyTypes": [BACKUP_POLICY] } },
        "Daily": { "Type": "Custom::BackupPolicy", "Properties": {
            "Name": "daily", "Content": document(5),
            "TargetIds": { "Fn::GetAtt": ["Types", "RootId"] },
        } },
        "Copy": { "Type": "Custom::BackupPolicy", "Properties": {
            "Name": "copy", "Content": document(5), "TargetIds": "root",
            "Description": { "Fn::GetAtt": ["Daily", "PolicyArn"] },
        } },
    }));
    let run = org_backup(&organization, &["plan", "--template", &file]).await;
    let (resources, _) = run.text.split_once("effective").unwrap();
    expect![[r"
        Types (policy types):
          enable policy type BACKUP_POLICY
          wait until policy type BACKUP_POLICY is enabled
        Copy (backup policy): not planned: some of its properties are known only after deployment
        Daily (backup policy `daily`):
          create policy `daily`
          attach to root
        Resources/Copy/Properties/Description: `Daily.PolicyArn` is known once it is deployed
        note: without --stack this is planned as the first deployment of a stack
    "]]
    .assert_eq(resources);
    assert_eq!(run.code, 2, "there may be more to do");
}

#[tokio::test]
async fn plan_says_that_cloudformation_will_not_ask_a_function_whose_properties_are_the_same() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    let (_folder, file) = with_daily(&daily(5));
    let run = org_backup(&organization, &["plan", "--stack", "backups", "--template", &file]).await;
    assert!(run.text.contains("  attach to root\n  note: its properties are those of"));
    let types = "backups/Types (policy types), no longer in the template: deleted, which changes";
    assert!(run.text.contains(types), "{}", run.text);
}

#[tokio::test]
async fn plan_refuses_what_the_function_would_refuse_in_the_same_words() {
    let organization = bare().await;
    let mut stacks = deploy(&organization).await;
    organization.foreign_policy("theirs", &["Security"]);
    let mut taken = daily(7);
    taken["Name"] = json!("theirs");
    let mut nowhere = daily(7);
    nowhere["TargetIds"] = json!(["ou-ab12-nothere00"]);
    let mut malformed = daily(7);
    malformed["Content"] = json!({ "plans": { "daily": { "rule": {} } } });
    let mut fragment = daily(7);
    fragment["Content"]["plans"]["daily"]["selections"] = json!({});
    for properties in [taken, nowhere, malformed, fragment, json!({ "Name": "daily" })] {
        let (_folder, file) = with_daily(&properties);
        let arguments = ["plan", "--json", "--stack", "backups", "--template", &file];
        let run = org_backup(&organization, &arguments).await;
        assert_eq!(run.code, 1, "{}", run.notes);
        let found = run.held("plan")["resources"][0].clone();
        assert_eq!((&found["outcome"], &found["steps"]), (&json!("refused"), &json!([])));
        let reason = stacks[3].update(properties).await.reason();
        let reason = organization.named(&reason);
        let told = found["reason"].as_str().unwrap();
        // Which of the accounts is named is nobody's business.
        let told_of = |it: &str| it.split(" from account ").next().unwrap().to_owned();
        assert_eq!(told_of(told), told_of(&reason));
    }
}

#[tokio::test]
async fn the_steps_of_a_plan_are_those_that_the_deployment_then_takes() {
    let organization = bare().await;
    let mut moved = daily(9);
    moved["TargetIds"] = json!([organization.id("Security"), organization.id("Sandbox")]);
    moved["Tags"] = json!({ "team": "storage" });
    let mut renamed = moved.clone();
    renamed["Name"] = json!("nightly");
    renamed["Tags"] = json!({});
    let none = json!({});
    let access = json!({
        "ServicePrincipals": [BACKUP], "StackSets": true, "OnDelete": "Revert",
        "DelegatedAdministrators": [{
            "AccountId": organization.id("security-000"), "ServicePrincipal": BACKUP,
        }],
    });
    let switches = json!({ "CrossAccountBackup": true, "OnDelete": "Restore" });
    let fewer = json!({ "MultiPartyApproval": true, "OnDelete": "Restore" });
    for (function, kind, versions) in [
        (
            "policy-types",
            "PolicyTypes",
            vec![json!({ "PolicyTypes": [BACKUP_POLICY, "TAG_POLICY"] })],
        ),
        (
            "service-access",
            "ServiceAccess",
            vec![access, json!({ "ServicePrincipals": [BACKUP], "OnDelete": "Revert" })],
        ),
        ("global-settings", "BackupGlobalSettings", vec![switches, fewer]),
        ("backup-policy", "BackupPolicy", vec![daily(5), moved, renamed]),
    ] {
        is_deployed(&organization, &json!({ "Resources": { kind: {} } }), &[]);
        let mut stack = organization.stack(function).named(kind).kept();
        for properties in versions {
            let resource = json!({ "Type": format!("Custom::{kind}"), "Properties": properties });
            let (_folder, file) = template(&json!({ kind: resource }));
            let arguments = ["plan", "--json", "--stack", "backups", "--template", &file];
            let run = org_backup(&organization, &arguments).await;
            assert_ne!(run.code, 2, "{}", run.notes);
            let planned = steps(&run, kind);
            assert!(!planned.is_empty(), "{kind}: {}", run.text);
            let answer = match stack.physical_id {
                None => stack.create(properties).await,
                Some(_) => stack.update(properties).await,
            };
            let _ = answer.ok();
            assert_eq!(planned, carried_out(&organization, &stack.logs), "{kind}");
            let again = org_backup(&organization, &arguments).await;
            assert_eq!(steps(&again, kind), none.as_array().cloned().unwrap_or_default());
        }
    }
}

#[tokio::test]
async fn the_steps_of_a_plan_are_those_that_are_then_put_back() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let policy = organization.policy_id("daily");
    organization.organization(|it| {
        let (root, unit) = (it.root.clone(), it.unit_named("Sandbox").unwrap().id.clone());
        it.attach_policy(&policy, &unit).unwrap();
        it.detach_policy(&policy, &root).unwrap();
        it.disable_service_access(BACKUP).unwrap();
    });
    let run = org_backup(&organization, &["plan", "--json"]).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    let planned: Vec<_> =
        ["Types", "Access", "Switches", "Daily"].iter().flat_map(|it| steps(&run, it)).collect();
    let reattach = Reattach::start(&organization, "Repair").await;
    let _ = reattach.sweep().await;
    assert_eq!(planned, carried_out(&organization, &reattach.logs()));
    assert_eq!(org_backup(&organization, &["plan"]).await.code, 0);
}

#[tokio::test]
async fn a_plan_is_the_same_where_aws_does_not_tell_the_paths_of_accounts() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    organization.foreign_policy("theirs", &["Production"]);
    let mut properties = daily(7);
    properties["TargetIds"] =
        json!([organization.id("Workloads"), organization.id("security-000")]);
    let (_folder, file) = with_daily(&properties);
    let arguments = ["plan", "--stack", "backups", "--template", &file];
    let told = org_backup(&organization, &arguments).await;
    assert!(told.text.contains("effective policies change in"), "{}", told.text);
    organization.organization(|it| it.tells_paths = false);
    let asked = org_backup(&organization, &arguments).await;
    assert_eq!((asked.code, asked.text), (told.code, told.text));
}

#[tokio::test]
async fn a_resource_that_is_being_changed_is_left_to_its_function() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let key = "desired/global-settings/backups/5d3c/Switches.json";
    let kept = organization.object(STATE_BUCKET, key).unwrap();
    let mut kept: Value = serde_json::from_str(&kept).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    kept["ChangingSince"] = json!(now.as_secs());
    organization.buckets(|it| it.put(STATE_BUCKET, key, kept.to_string()));
    let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&off).unwrap());
    let run = org_backup(&organization, &["plan"]).await;
    assert_eq!(run.code, 0, "{}", run.notes);
    let line = "backups/Switches (global settings of AWS Backup): its function is changing it";
    assert!(run.text.contains(line), "{}", run.text);
}

#[tokio::test]
async fn a_plan_is_of_one_stack_when_that_is_asked_for() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let run = org_backup(&organization, &["plan", "--stack", "backups"]).await;
    assert_eq!((run.code, run.text.lines().count()), (0, 5));
    let run = org_backup(&organization, &["plan", "--stack", "backup"]).await;
    assert_eq!((run.code, run.text.as_str()), (2, ""));
    assert!(
        run.notes.contains("the state bucket has no desired state of a stack `backup`"),
        "{}",
        run.notes
    );
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_told_and_the_others_go_on() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    organization.fail(Fault::error("DescribeGlobalSettings", "AccessDeniedException").times(99));
    let run = org_backup(&organization, &["plan"]).await;
    assert_eq!(run.code, 2);
    assert!(run.text.contains("backups/Switches (global settings of AWS Backup): not looked at: cannot read the global settings of AWS Backup"), "{}", run.text);
    assert!(run.text.contains("backups/Daily (backup policy `daily`): nothing to do"));
    let somewhere_else = organization.id("security-000");
    let run = org_backup_as(&organization, &somewhere_else, &["plan"]).await;
    assert_eq!(run.code, 2, "{}{}", run.text, run.notes);
}

#[tokio::test]
async fn plan_looks_into_the_accounts_it_can_enter_and_says_which_it_left_out() {
    let organization = with_roles(12).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    let resource = json!({
        "Type": "Custom::MemberAccounts", "Properties": member_properties(json!({ "VaultName": "main" })),
    });
    let (_folder, file) = template(&json!({ "Members": resource }));
    let arguments = ["plan", "--template", &file];
    let run = org_backup(&organization, &arguments).await;
    expect![[r"
        Members (member accounts):
          make the role `AWSServiceRoleForBackup` in 11 accounts
          set EBS=true, S3=true in eu-west-1, eu-west-3 of 11 accounts
          note: 11 accounts are not ready: the vault `main` is missing, or its access policy hides it
        note: without --stack this is planned as the first deployment of a stack
    "]]
    .assert_eq(&run.text);
    assert_eq!(run.code, 1, "{}", run.notes);
    assert_eq!(organization.lines(|it| it.write), "");
    let locked = organization.id("security-000");
    organization.iam(|it| it.delete_role(&locked, crate::member_accounts::ROLE));
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(run.code, 2, "{}", run.text);
    assert!(run.text.contains("of 10 accounts"), "{}", run.text);
    assert!(run.text.contains("note: you could not assume the role `org-backup-member` in 1 account, such as security-000; hint: name a role that you may assume there with `--member-role`, such as `OrganizationAccountAccessRole`, which most organizations have, or `AWSControlTowerExecution`"), "{}", run.text);
}

/// Plans the deployment of a template with these resources alone.
async fn plan_of(organization: &Organization, resources: &[(&str, &str, Value)]) -> Run {
    let (_folder, file) = template(&body(resources)["Resources"]);
    org_backup(organization, &["plan", "--stack", "backups", "--template", &file]).await
}

#[tokio::test]
async fn plan_tells_what_deleting_a_resource_does_and_what_that_does_to_accounts() {
    let organization = bare().await;
    let mut stacks = deploy(&organization).await;
    let others = &resources()[..3];
    let run = plan_of(&organization, others).await;
    let accounts = organization.organization(|it| it.accounts().count());
    assert_eq!(
        run.text.replace(&format!("{accounts} accounts"), "all accounts"),
        "\
backups/Types (policy types): nothing to do
backups/Access (trusted access and delegated administrators): nothing to do
backups/Switches (global settings of AWS Backup): nothing to do
backups/Daily (backup policy `daily`), no longer in the template:
  detach from root
  delete the policy
effective policies change in all accounts:
  all accounts: plan `daily` gone
"
    );
    assert_eq!(run.code, 1, "{}", run.notes);
    assert_eq!(organization.lines(|it| it.write), "");
    let (_folder, file) = template(&body(others)["Resources"]);
    let arguments = ["plan", "--json", "--stack", "backups", "--template", &file];
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(run.held("plan")["resources"][3]["retired"], true);
    let planned = steps(&run, "Daily");
    let _ = stacks[3].delete().await.ok();
    assert_eq!(planned, carried_out(&organization, &stacks[3].logs));
    let run = plan_of(&organization, others).await;
    assert_eq!(run.code, 0, "{}", run.text);
}

#[tokio::test]
async fn the_steps_of_a_deletion_are_those_that_the_function_then_takes() {
    let organization = bare().await;
    let mut stacks = Vec::new();
    let all = [
        ("policy-types", "Types", json!({ "PolicyTypes": [BACKUP_POLICY], "OnDelete": "Disable" })),
        (
            "service-access",
            "Access",
            json!({ "ServicePrincipals": [BACKUP], "StackSets": true, "OnDelete": "Revert" }),
        ),
        (
            "global-settings",
            "Switches",
            json!({ "CrossAccountBackup": true, "OnDelete": "Restore" }),
        ),
        ("backup-policy", "Daily", daily(5)),
    ];
    for (function, name, properties) in &all {
        let mut stack = organization.stack(function).named(name).kept();
        let _ = stack.create(properties.clone()).await.ok();
        stacks.push(stack);
    }
    is_deployed(&organization, &body(&all), &[]);
    let (_folder, file) = template(&json!({}));
    let arguments = ["plan", "--json", "--stack", "backups", "--template", &file];
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    let planned: Vec<_> =
        ["Daily", "Switches", "Access", "Types"].iter().flat_map(|it| steps(&run, it)).collect();
    expect![[r"
        detach from root
        delete the policy
        set CrossAccountBackup=false
        untag the root
        deactivate organizations access for StackSets
        disable trusted access for backup.amazonaws.com
        untag the root of what is turned off (2)
        disable policy type BACKUP_POLICY
    "]]
    .assert_eq(&planned.iter().map(|it| format!("{it}\n")).collect::<String>());
    let found = run.held("plan");
    let order = found["resources"].as_array().unwrap().iter();
    let order: Vec<_> = order.map(|it| it["resource"].as_str().unwrap()).collect();
    assert_eq!(order, ["Daily", "Switches", "Access", "Types"], "what others need goes last");
    let mut done = Vec::new();
    for stack in stacks.iter_mut().rev() {
        let _ = stack.delete().await.ok();
        done.extend(carried_out(&organization, &stack.logs));
    }
    assert_eq!(planned, done);
}

#[tokio::test]
async fn a_resource_that_the_deployed_template_retains_is_not_planned_to_go() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let mut deployed = body(&resources());
    deployed["Resources"]["Daily"]["DeletionPolicy"] = json!("Retain");
    is_deployed(&organization, &deployed, &[]);
    let run = plan_of(&organization, &resources()[..3]).await;
    let stays = "backups/Daily (backup policy `daily`), no longer in the template: stays as it is: \
                 the deployed template has `DeletionPolicy: Retain` for it\n";
    assert!(run.text.contains(stays), "{}", run.text);
    assert!(!run.text.contains("effective policies change"), "{}", run.text);
    assert_eq!(run.code, 1, "it leaves the stack");
    // Once it has left, another deployment does nothing to it.
    is_deployed(&organization, &body(&resources()[..3]), &[]);
    let run = plan_of(&organization, &resources()[..3]).await;
    assert!(run.text.contains("note: `Daily` has a desired state"), "{}", run.text);
    assert_eq!(run.code, 0, "{}", run.text);
}

#[tokio::test]
async fn an_adopted_policy_is_released_and_accounts_keep_it() {
    let organization = bare().await;
    let mut properties = daily(5);
    properties["Adopt"] = json!(true);
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    organization.foreign_policy("daily", &["root"]);
    let mut stack = organization.stack("backup-policy").named("Daily").kept();
    let _ = stack.create(properties.clone()).await.ok();
    is_deployed(&organization, &body(&[("backup-policy", "Daily", properties)]), &[]);
    let run = plan_of(&organization, &[]).await;
    assert!(
        run.text.starts_with(
            "backups/Daily (backup policy `daily`), no longer in the template:\n  untag the policy \
             of org-backup:adopted, org-backup:owner\n  note: it existed before"
        ),
        "{}",
        run.text
    );
    assert!(!run.text.contains("effective policies change"), "{}", run.text);
    assert_eq!(run.code, 1, "{}", run.notes);
}

#[tokio::test]
async fn a_resource_of_another_name_is_made_before_the_old_one_is_deleted() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let mut renamed = resources();
    renamed[3] = ("backup-policy", "Nightly", {
        let mut properties = daily(5);
        properties["Name"] = json!("nightly");
        properties
    });
    let run = plan_of(&organization, &renamed).await;
    let (_, changes) = run.text.split_once("backups/Nightly").unwrap();
    expect![[r"
         (backup policy `nightly`):
          create policy `nightly`
          attach to root
        backups/Daily (backup policy `daily`), no longer in the template:
          detach from root
          delete the policy
    "]]
    .assert_eq(changes);
    // The plan in it has the same name, so no account gets anything else than now.
    // With the name of the policy as it was, it cannot be made, and so nothing is deleted.
    renamed[3].2["Name"] = json!("daily");
    let run = plan_of(&organization, &renamed).await;
    assert!(run.text.contains("refused: a policy named `daily` already exists"), "{}", run.text);
    assert!(run.text.contains("backups/Daily (backup policy `daily`), no longer in the template: stays as it is: a refusal makes"), "{}", run.text);
    assert!(!run.text.contains("effective policies change"), "{}", run.text);
    assert_eq!(run.code, 1, "{}", run.notes);
}

#[tokio::test]
async fn what_a_template_that_cannot_be_read_retains_is_not_guessed() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    organization.fail(Fault::error("GetTemplate", "AccessDenied").times(9));
    let run = plan_of(&organization, &resources()[..3]).await;
    expect![[r"
        backups/Daily (backup policy `daily`), no longer in the template: not planned: it is unknown if it is deleted or retained: cannot read the template of the stack `backups`: AccessDenied (HTTP 400): The request failed because it was told to.; hint: use credentials that allow `cloudformation:GetTemplate` in the management account, as with `--profile`
          note: if it is deleted: detach from root, delete the policy
        note: the changes that CloudFormation would make itself are unknown: cannot read the template of the stack `backups`: AccessDenied (HTTP 400): The request failed because it was told to.; hint: use credentials that allow `cloudformation:GetTemplate` in the management account, as with `--profile`
    "]]
    .assert_eq(&run.text.lines().skip(3).map(|it| format!("{it}\n")).collect::<String>());
    assert_eq!(run.code, 2, "{}", run.text);
}

#[tokio::test]
async fn what_a_transform_may_make_is_not_told_as_deleted() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let mut transformed = body(&resources()[..3]);
    transformed["Transform"] = json!("AWS::Serverless-2016-10-31");
    let run = plan_with(&organization, &transformed, &[]).await;
    let daily = "backups/Daily (backup policy `daily`), no longer in the template: not planned: \
                 it is unknown if it is deleted or retained: a transform of the new template";
    assert!(run.text.contains(daily), "{}", run.text);
    assert_eq!(run.code, 2, "{}", run.text);
}

#[tokio::test]
async fn a_stack_of_the_same_name_is_another_one_after_it_was_deleted() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    organization.stacks(|it| *it = simulator::Stacks::default());
    let run = plan_of(&organization, &resources()).await;
    let refused = "refused: a policy named `daily` already exists";
    assert!(run.text.contains(refused), "{}", run.text);
    let note =
        "note: there is no stack `backups` in us-east-1 yet, so this is its first deployment\n";
    assert!(run.text.contains(note), "{}", run.text);
    assert_eq!(run.code, 1, "{}", run.text);
}

#[tokio::test]
async fn a_stack_that_cannot_be_read_is_told_and_planned_from_what_is_written_down() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    organization.fail(Fault::error("DescribeStacks", "AccessDenied").times(9));
    let run = plan_of(&organization, &resources()).await;
    let note = "note: cannot describe the stack `backups`: AccessDenied (HTTP 400): ";
    assert!(run.text.contains(note), "{}", run.text);
    assert!(
        run.text.contains("use credentials that allow `cloudformation:DescribeStacks`"),
        "{}",
        run.text
    );
    assert!(run.text.contains("backups/Daily (backup policy `daily`): nothing to do"));
    assert_eq!(run.code, 2, "{}", run.text);
}

/// A template in which everything that can be a parameter is one.
fn with_parameters(declared: Value) -> Value {
    let mut parameters = json!({
        "Name": { "Type": "String" },
        "Targets": { "Type": "CommaDelimitedList", "Default": "" },
        "Described": { "Type": "String", "Default": "no", "AllowedValues": ["yes", "no"] },
        "Tag": { "Type": "String", "Default": "a" },
    });
    parameters.as_object_mut().unwrap().extend(declared.as_object().unwrap().clone());
    json!({
        "Parameters": parameters,
        "Conditions": { "IsDescribed": { "Fn::Equals": [{ "Ref": "Described" }, "yes"] } },
        "Resources": { "Daily": { "Type": "Custom::BackupPolicy", "Properties": {
            "Tags": { "a": { "Ref": "Tag" } },
            "Name": { "Ref": "Name" }, "TargetIds": { "Ref": "Targets" }, "Content": document(5),
            "Description": { "Fn::If": [
                "IsDescribed", { "Ref": "AWS::StackId" }, { "Ref": "AWS::NoValue" },
            ] },
        } } },
    })
}

/// Plans a deployment of this template with these parameters.
async fn plan_with(organization: &Organization, template: &Value, parameters: &[&str]) -> Run {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("template.json");
    fs::write(&path, template.to_string()).unwrap();
    let path = path.display().to_string();
    let mut arguments = vec!["plan", "--stack", "backups", "--template", &path];
    if !parameters.is_empty() {
        arguments.push("--parameters");
        arguments.extend(parameters);
    }
    org_backup(organization, &arguments).await
}

#[tokio::test]
async fn a_parameter_that_is_not_given_has_the_value_of_the_deployed_stack() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let template = with_parameters(json!({}));
    let deployed =
        [("Name", "daily"), ("Targets", "root"), ("Described", "yes"), ("Tag", "a"), ("Old", "x")];
    is_deployed(&organization, &body(&resources()), &deployed);
    let run = plan_with(&organization, &template, &["Targets=root,root"]).await;
    let (first, rest) = run.text.split_once("backups/Switches").unwrap();
    expect![[r"
        backups/Daily (backup policy `daily`):
          tag the policy with a
          update the policy's description
    "]]
    .assert_eq(first);
    let from = rest.find("parameters").unwrap();
    expect![[r"
        parameters as the deployed stack has them:
          Described=yes (the template's default is no)
          Name=daily
          as the template's defaults: Tag
    "]]
    .assert_eq(&rest[from..]);
    assert_eq!(run.code, 1, "{}", run.notes);
}

#[tokio::test]
async fn a_value_of_the_deployed_stack_that_is_hidden_is_named_and_not_used() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let template = with_parameters(json!({ "Name": { "Type": "String", "NoEcho": true } }));
    is_deployed(&organization, &template, &[("Name", "daily"), ("Targets", "root")]);
    let run = plan_with(&organization, &template, &[]).await;
    assert!(
        run.text.contains(
            "Resources/Daily/Properties/Name: CloudFormation does not return the \
                               value of `Name`, which has `NoEcho`, so it needs --parameters \
                               Name=…\n"
        ),
        "{}",
        run.text
    );
    assert!(!run.text.contains("****"), "{}", run.text);
    assert_eq!(run.code, 2, "{}", run.text);
    let run = plan_with(&organization, &template, &["Name=daily"]).await;
    let planned = "backups/Daily (backup policy `daily`):\n  tag the policy with a\n";
    assert!(run.text.starts_with(planned), "{}", run.text);
}

#[tokio::test]
async fn values_that_the_new_template_does_not_allow_are_refused_wherever_they_come_from() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let template = with_parameters(json!({}));
    is_deployed(&organization, &template, &[("Described", "maybe")]);
    let run = plan_with(&organization, &template, &[]).await;
    expect![[r"
        error: the template cannot be deployed like this
          the parameter `Described` must be one of yes, no, not `maybe`, which is what the deployed stack has
          the parameter `Name` needs a value: --parameters Name=…
    "]]
    .assert_eq(&run.notes);
    assert_eq!((run.code, run.text.as_str()), (2, ""));
}

#[tokio::test]
async fn a_missing_parameter_of_a_stack_that_cannot_be_read_says_why() {
    let organization = bare().await;
    let _stacks = deploy(&organization).await;
    let template = with_parameters(json!({}));
    organization.fail(Fault::error("DescribeStacks", "AccessDenied").times(9));
    let run = plan_with(&organization, &template, &[]).await;
    expect![[r"
        error: the template cannot be deployed like this
          the parameter `Name` needs a value: --parameters Name=…
          the resources of the stack are unknown: cannot describe the stack `backups`: AccessDenied (HTTP 400): The request failed because it was told to.; hint: use credentials that allow `cloudformation:DescribeStacks` in the management account, as with `--profile`
    "]]
    .assert_eq(&run.notes);
    assert_eq!(run.code, 2);
}

#[tokio::test]
async fn a_stack_that_is_not_there_yet_takes_the_defaults() {
    let organization = bare().await;
    let run = plan_with(&organization, &with_parameters(json!({})), &[]).await;
    let said = "\n  there is no stack `backups` in us-east-1 yet\n";
    assert!(run.notes.ends_with(said), "{}", run.notes);
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    let template = with_parameters(json!({ "Targets": { "Type": "String", "Default": "root" } }));
    let run = plan_with(&organization, &template, &["Name=new"]).await;
    let (resources, _) = run.text.split_once("effective").unwrap();
    expect![[r"
        backups/Daily (backup policy `new`):
          create policy `new`
          attach to root
        note: there is no stack `backups` in us-east-1 yet, so this is its first deployment
    "]]
    .assert_eq(resources);
    assert_eq!(run.code, 1, "{}", run.notes);
}

#[tokio::test]
async fn accounts_that_nobody_can_enter_are_told_with_what_the_last_run_found() {
    let organization = with_roles(12).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.iam(|it| it.create_role_everywhere(role_everywhere("Auditor")));
    let mut stack = organization.stack("member-accounts").named("Members").kept();
    let _ = stack.create(member_properties(json!({}))).await.ok();
    let accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    for account in &accounts {
        organization.iam(|it| it.delete_role(account, crate::member_accounts::ROLE));
    }
    let run = org_backup(&organization, &["plan"]).await;
    expect![[r"
        backups/Members (member accounts): 10 accounts could not be looked at
          note: you could not assume the role `org-backup-member` in 10 accounts, such as development-006; hint: name a role that you may assume there with `--member-role`, such as `OrganizationAccountAccessRole`, which most organizations have, or `AWSControlTowerExecution`
          note: the last run found all of these ready
    "]]
    .assert_eq(&run.text);
    assert_eq!(run.code, 2, "{}", run.text);
    let run = org_backup(&organization, &["plan", "--member-role", "Auditor"]).await;
    let nothing = "backups/Members (member accounts): nothing to do\nnothing to do\n";
    assert_eq!((run.code, run.text.as_str()), (0, nothing));
    organization.organization(|it| {
        it.remove_account(&accounts[3]).unwrap();
        it.create_account("new", "new@example.com", &[]).unwrap();
    });
    let new = organization.id("new");
    organization.iam(|it| it.delete_role(&new, crate::member_accounts::ROLE));
    let properties = member_properties(json!({ "OptIn": "All" }));
    let resource = json!({ "Type": "Custom::MemberAccounts", "Properties": properties });
    let resources = json!({ "Members": resource });
    is_deployed(&organization, &json!({ "Resources": resources }), &[]);
    let (_folder, file) = template(&resources);
    let arguments = ["plan", "--stack", "backups", "--template", &file];
    let run = org_backup(&organization, &arguments).await;
    expect![[r"
        backups/Members (member accounts):
          set Aurora=true, CloudFormation=true, DocumentDB=true, DynamoDB=true, EC2=true, EFS=true, EKS=true, FSx=true, Neptune=true, RDS=true, Redshift=true, SAP HANA on Amazon EC2=true, Storage Gateway=true, Timestream=true, VirtualMachine=true in eu-west-1 of account management
          set Aurora=true, CloudFormation=true, DocumentDB=true, DynamoDB=true, EC2=true, EFS=true, EKS=true, FSx=true, Neptune=true, RDS=true, Redshift=true, SAP HANA on Amazon EC2=true, Storage Gateway=true, VirtualMachine=true in eu-west-3 of account management
          note: you could not assume the role `org-backup-member` in 10 accounts, such as development-006; hint: name a role that you may assume there with `--member-role`, such as `OrganizationAccountAccessRole`, which most organizations have, or `AWSControlTowerExecution`
          note: 1 account is new since the last run, such as new
          note: 1 account is no longer a target and left as it is, such as 248781308498
          note: `OptIn` changes, so the function works in every account again
    "]].assert_eq(&run.text);
    assert_eq!(run.code, 2, "{}", run.text);
}
