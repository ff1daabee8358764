//! Least privilege: a role allows what its function calls, and nothing else.
//!
//! Each function is made to do everything that its template can ask of it, under the role that the
//! template gives it. The simulator refuses what the role does not allow, so every call is allowed;
//! and without any one of the role's statements some call is not, so every statement is needed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use simulator::{
    BACKUP_POLICY, CallOutcome, DataServices, Entry, ExplorerView, Hub, KeyManager, KeyType,
    RestoreJob, Role, Service, Settings, Trouble, Vault,
};
use tests::command::{org_backup, org_backup_beside};
use tests::organization::{Organization, backed_up, document};
use tests::parallel::await_each_at_once;
use tests::reattach::{Reattach, TOPIC, told};
use tests::restored::{ACCOUNT, REGION, RestoreValidation, arn, completed};
use tests::role::{FunctionRole, STATE_BUCKET, STATE_KEY, STATE_MACHINE, TOPIC_KEY};
use tests::stack::Stack;
use tests::sweeps::{CHAT_TOPIC, Sweeps};
use tests::template::{EVERYTHING, REQUIRED, Template};

const BACKUP: &str = "backup.amazonaws.com";
const STACK_SETS: &str = "member.org.stacksets.cloudformation.amazonaws.com";
const MANAGEMENT: &str = "111122223333";
const KEY: &str = "3e1d7c52-8a64-4f0b-b1de-52c0a9e4f7d6";

/// The functions that the tests here know how to make do everything.
const FUNCTIONS: [&str; 8] = [
    "backup-policy",
    "coverage",
    "global-settings",
    "member-accounts",
    "policy-types",
    "reattach",
    "restore-validation",
    "service-access",
];

/// What no call of a function needs: Lambda writes the logs, reads queues, gives up on messages and
/// brings answers to an event bus.
const BY_LAMBDA: [&str; 7] = [
    "events:PutEvents",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
];

/// What AWS asks for on behalf of a function, beside what the function calls.
const ON_BEHALF: [&str; 9] = [
    "iam:CreateServiceLinkedRole",
    "iam:GetRole",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "organizations:DescribeOrganization",
    // Resource Explorer asks for it where resources are listed.
    "resource-explorer-2:Search",
    // S3 asks for these where the call names a version, and where an object is missing.
    "s3:DeleteObjectVersion",
    "s3:GetObjectVersion",
    "s3:ListBucket",
];

/// What a function needs only when a resource is deleted while it is put back.
const IN_A_RACE: [(&str, &str); 2] =
    [("reattach", "organizations:DeletePolicy"), ("reattach", "organizations:UntagResource")];

/// What a function called, and what it was refused.
struct Exercised {
    organization: Organization,
    /// The services that the simulator has not, where the function looks at them.
    services: Option<DataServices>,
}

/// Lets a function do everything that its template can ask of it, as far as `role` lets it, and
/// take it back or not when the resource is deleted.
async fn exercise(function: &'static str, role: FunctionRole, takes_back: bool) -> Exercised {
    let organization = organization_with(function, role.clone(), takes_back).await;
    let services = match function {
        "restore-validation" => Some(restore_validation(&organization, &role).await),
        _ => None,
    };
    Exercised { organization, services }
}

/// The organization in which a function did what it can do there.
async fn organization_with(
    function: &'static str,
    role: FunctionRole,
    takes_back: bool,
) -> Organization {
    let organization = match function {
        "policy-types" => Organization::bare(Settings::default()).await,
        "backup-policy" => Organization::ready(Settings::default()).await,
        _ => Organization::bare(Settings::default().accounts(8)).await,
    };
    organization.buckets(|it| it.create_encrypted(STATE_BUCKET, STATE_KEY));
    if function == "restore-validation" {
        return organization;
    }
    if function == "reattach" {
        reattach(&organization, &role).await;
        return organization;
    }
    if function == "coverage" {
        coverage(&organization, &role).await;
        return organization;
    }
    let stack = organization.stack(function).with_role(role).with("STATE_BUCKET", STATE_BUCKET);
    match function {
        "backup-policy" => backup_policy(stack).await,
        "global-settings" => global_settings(stack, takes_back).await,
        "member-accounts" => member_accounts(stack).await,
        "policy-types" => policy_types(stack, takes_back).await,
        _ => service_access(stack, takes_back).await,
    }
    organization
}

/// Has everything that can be put back undone, and put back as far as `role` lets it.
async fn reattach(organization: &Organization, role: &FunctionRole) {
    organization.topics(|it| it.create_encrypted(TOPIC, TOPIC_KEY));
    organization.state_machines(|it| it.create(STATE_MACHINE));
    let account = organization.id("security-000");
    let stack = |function, name| organization.stack(function).named(name).kept();
    let (mut types, mut access) = (stack("policy-types", "A"), stack("service-access", "B"));
    let (mut settings, mut policy) = (stack("global-settings", "C"), stack("backup-policy", "D"));
    let _ = types.create(json!({ "PolicyTypes": [BACKUP_POLICY] })).await.ok();
    let administrators = json!([
        { "AccountId": account, "ServicePrincipal": BACKUP },
        { "AccountId": account, "ServicePrincipal": STACK_SETS },
    ]);
    let properties = json!({
        "ServicePrincipals": [BACKUP],
        "StackSets": true,
        "DelegatedAdministrators": administrators,
        "OnDelete": "Revert",
    });
    let _ = access.create(properties).await.ok();
    let properties = json!({ "CrossAccountBackup": true, "OnDelete": "Restore" });
    let _ = settings.create(properties).await.ok();
    let targets = [organization.id("root"), organization.id("Workloads"), account.clone()];
    let properties = json!({
        "Name": "daily",
        "Content": document(3),
        "TargetIds": targets,
        "Tags": { "team": "storage" },
    });
    let _ = policy.create(properties).await.ok();
    let members = json!({
        "SchemaVersion": 1,
        "Revision": 1,
        "Function": "member-accounts",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/members/7a0c",
        "LogicalId": "E",
        "PhysicalId": "member-accounts",
        "Properties": {
            "RoleName": "org-backup-member",
            "Regions": ["us-east-1"],
            "TargetIds": [organization.id("Workloads")],
        },
    });
    organization.keep(&members);
    organization.organization(|it| it.tells_paths = false);

    let undone = organization.organization(|it| {
        let root = it.root.clone();
        let daily = it.policy_named("daily").unwrap().id.clone();
        let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
        let half = it.create_policy(BACKUP_POLICY, "half", "", &half.to_string(), &[]).unwrap();
        it.attach_policy(&half, &root).unwrap();
        it.detach_policy(&daily, &root).unwrap();
        it.attach_policy(&daily, &it.unit_named("Sandbox").unwrap().id.clone()).unwrap();
        it.update_policy(&daily, Some("renamed"), None, None).unwrap();
        it.untag(&daily, &["team".to_owned()]).unwrap();
        it.deregister_delegated_administrator(&account, BACKUP).unwrap();
        it.deregister_delegated_administrator(&account, STACK_SETS).unwrap();
        daily
    });
    let reattach = Reattach::with_role(organization, "Repair", role).await;
    let event = told("DetachPolicy", &json!({ "policyId": undone }));
    let _ = reattach.invoke(&event).await;
    let _ = reattach.sweep().await;
    let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&off).unwrap());
    organization.organization(|it| {
        let root = it.root.clone();
        it.disable_policy_type(&root, BACKUP_POLICY).unwrap();
        it.delete_policy(&undone).unwrap();
        it.disable_service_access(BACKUP).unwrap();
    });
    organization.set_stack_sets(false);
    let _ = reattach.sweep().await;
}

/// Looks into every account, as far as `role` lets it, and tells of what needs action there.
async fn coverage(organization: &Organization, role: &FunctionRole) {
    organization.topics(|it| {
        it.create_encrypted(TOPIC, TOPIC_KEY);
        it.create_encrypted(CHAT_TOPIC, TOPIC_KEY);
    });
    organization.hub(Hub::enable);
    let roles = ROLES_IN_ACCOUNTS.map(|(_, _, name)| Role::trusting_account(name, MANAGEMENT));
    set_up_accounts(organization, roles);
    copy_to_central(organization);
    // The management account copies to a vault of its own, and has a plan of its own.
    let copies = format!("arn:aws:backup:eu-west-3:{MANAGEMENT}:backup-vault:org-backup");
    let everything = json!({ "plans": { "everything": {
        "regions": { "@@assign": ["eu-west-1"] },
        "rules": { "nightly": {
            "target_backup_vault_name": { "@@assign": "org-backup" },
            "copy_actions": { copies.clone(): {
                "target_backup_vault_arn": { "@@assign": copies },
            } },
        } },
        "selections": { "tags": { "all": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/org-backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["yes"] },
        } } },
    } } });
    // Half a plan, from which AWS withholds everything.
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    organization.organization(|it| {
        let (root, unit) = (it.root.clone(), it.unit_named("Development").unwrap().id.clone());
        let text = everything.to_string();
        let id = it.create_policy(BACKUP_POLICY, "everything", "", &text, &[]).unwrap();
        it.attach_policy(&id, &root).unwrap();
        it.attach_policy(&id, &unit).unwrap();
        let id = it.create_policy(BACKUP_POLICY, "half", "", &half.to_string(), &[]).unwrap();
        it.attach_policy(&id, &unit).unwrap();
        it.publish();
        it.tells_paths = false;
    });
    let arn = format!("arn:aws:ec2:eu-west-1:{MANAGEMENT}:volume/vol-1");
    let tag = Some(("backup", "yes"));
    organization.put_resource(backed_up(&arn, "EBS", MANAGEMENT, "eu-west-1", tag));
    let selection = json!({
        "SelectionName": "own", "IamRoleArn": "arn:aws:iam::111122223333:role/own",
        "Resources": [arn],
    });
    let plan = json!({ "BackupPlanName": "own", "Rules": [] });
    organization.backup(|it| it.plans_mut().create(MANAGEMENT, "eu-west-1", plan, &[selection]));
    back_up(organization);
    let (region, view) = (organization.region(), ExplorerView::organization("everything"));
    organization.explorer(|it| it.put(MANAGEMENT, &region, view));
    organization.keep(&json!({
        "SchemaVersion": 1,
        "Revision": 1,
        "Function": "member-accounts",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/members/7a0c",
        "LogicalId": "E",
        "PhysicalId": "member-accounts",
        "Properties": in_accounts(organization),
    }));
    let sweeps = Sweeps::with_role(organization, role.clone()).await;
    let _ = sweeps.begin().await;
    if let Some(input) = sweeps.input() {
        for batch in sweeps.batches(&input) {
            let _ = sweeps.invoke(&batch).await;
        }
        let _ = sweeps.invoke(&json!({ "Finish": input })).await;
    }
}

/// Updates the resource if it was created, which lacks permissions in most tests here.
async fn update(stack: &mut Stack<'_>, properties: Value) {
    if stack.physical_id.is_some() {
        stack.update(properties).await;
    }
}

/// Deletes the resource if it was created.
async fn delete(stack: &mut Stack<'_>) {
    if stack.physical_id.is_some() {
        stack.delete().await;
    }
}

/// Deletes the resource if it was created, and begins a new life of it.
async fn delete_and_create(stack: &mut Stack<'_>, properties: Value) {
    delete(stack).await;
    if stack.physical_id.is_none() {
        stack.create(properties).await;
    }
}

async fn policy_types(mut stack: Stack<'_>, takes_back: bool) {
    let on_delete = if takes_back { "Disable" } else { "Retain" };
    let properties = json!({ "PolicyTypes": [BACKUP_POLICY], "OnDelete": on_delete });
    stack.create(properties.clone()).await;
    if stack.organization().organization(|it| it.is_enabled(BACKUP_POLICY)) {
        stack.organization().foreign_policy("unattached", &[]);
    }
    delete_and_create(&mut stack, properties).await;
}

async fn service_access(mut stack: Stack<'_>, takes_back: bool) {
    let account = stack.organization().id("security-000");
    let administrator =
        |principal: &str| json!({ "AccountId": account, "ServicePrincipal": principal });
    let properties = json!({
        "ServicePrincipals": [BACKUP],
        "StackSets": true,
        "DelegatedAdministrators": [administrator(BACKUP), administrator(STACK_SETS)],
        "OnDelete": if takes_back { "Revert" } else { "Retain" },
    });
    stack.create(properties.clone()).await;
    delete_and_create(&mut stack, properties).await;
}

async fn global_settings(mut stack: Stack<'_>, takes_back: bool) {
    let on_delete = if takes_back { "Restore" } else { "Retain" };
    let properties = json!({ "CrossAccountBackup": true, "OnDelete": on_delete });
    stack.create(properties.clone()).await;
    delete_and_create(&mut stack, properties).await;
}

async fn backup_policy(mut stack: Stack<'_>) {
    let organization = stack.organization();
    organization.foreign_policy("theirs", &["Workloads"]);
    let first = organization.buckets(|it| {
        let first = it.put("documents", "daily.json", document(5).to_string());
        it.put("documents", "daily.json", document(6).to_string());
        first
    });
    let properties = json!({
        "Name": "daily",
        "Content": document(3),
        "TargetIds": [organization.id("Sandbox")],
        "Tags": { "team": "storage" },
    });
    stack.create(properties).await;
    for url in
        ["s3://documents/daily.json", &format!("s3://documents/daily.json?versionId={first}")]
    {
        let properties = json!({
            "Name": "daily",
            "ContentUrl": url,
            "TargetIds": ["root"],
            "Tags": { "owner": "platform" },
        });
        update(&mut stack, properties).await;
    }
    // Half a plan, from which AWS would withhold everything: some account below is named.
    let mut properties = json!({
        "Name": "daily",
        "Content": { "plans": { "weekly": { "regions": { "@@assign": ["eu-central-1"] } } } },
        "TargetIds": [organization.id("Workloads")],
    });
    update(&mut stack, properties.clone()).await;
    // And if that is wanted, AWS is asked what it makes of it.
    properties["Preflight"] = json!("Warn");
    update(&mut stack, properties.clone()).await;
    delete_and_create(&mut stack, properties).await;
}

/// The roles that the function assumes in accounts: the template, the name there and that of the role.
const ROLES_IN_ACCOUNTS: [(&str, &str, &str); 2] = [
    ("central-backup-account.yaml", "CentralRole", "org-backup-central"),
    ("member-account.yaml", "MemberRole", "org-backup-member"),
];

/// Sets every account up as the templates do, with these roles for the function.
fn set_up_accounts(organization: &Organization, roles: impl IntoIterator<Item = Role>) {
    organization.iam(|it| {
        roles.into_iter().for_each(|role| it.create_role_everywhere(role));
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": BACKUP }, "Action": "sts:AssumeRole",
        });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let own =
            json!({ "Statement": { "Effect": "Deny", "Action": "iam:PassRole", "Resource": "*" } });
        it.create_role_everywhere(Role::new("org-backup", &trust).allowing(&own));
    });
    organization.kms(|it| {
        it.create_everywhere(KEY, KeyManager::Customer);
        it.alias(KEY, "alias/org-backup");
    });
    let vault = Vault::new("org-backup").key(&format!("arn:aws:kms:$region:$account:key/{KEY}"));
    organization.backup(|it| {
        let told = vault.clone().key_type(KeyType::CustomerManaged);
        it.vaults_mut().create_everywhere(vault);
        it.vaults_mut().create(MANAGEMENT, "eu-west-3", told);
    });
}

/// Everything that the function can be asked for in accounts.
fn in_accounts(organization: &Organization) -> Value {
    json!({
        "RoleName": "org-backup-member",
        "Regions": ["eu-west-1", "eu-west-3"],
        "OptIn": "All",
        "TargetIds": [organization.id("Workloads")],
        "CentralAccountId": organization.id("security-000"),
        "CentralRoleName": "org-backup-central",
        "VaultName": "org-backup",
        "BackupRoleName": "org-backup",
    })
}

async fn member_accounts(stack: Stack<'_>) {
    let organization = stack.organization();
    let roles = ROLES_IN_ACCOUNTS.map(|(_, _, name)| Role::trusting_account(name, MANAGEMENT));
    set_up_accounts(organization, roles);
    organization.state_machines(|it| it.create(STATE_MACHINE));
    let properties = in_accounts(organization);
    let mut stack = stack.with("STATE_MACHINE_ARN", STATE_MACHINE);
    stack.create(properties.clone()).await;
    delete(&mut stack).await;
    // The same in batches, which the state machine works on and answers, and where accounts do not
    // tell where they are.
    organization.organization(|it| it.tells_paths = false);
    let mut stack = stack.with("BATCHES_ABOVE", "1");
    let event = stack.event("Create", &properties);
    stack.invoke(&event).await;
    stack.invoke(&event).await;
    let inputs = organization
        .state_machines(|it| it.executions().iter().map(|it| it.input.clone()).collect::<Vec<_>>());
    if let Some(input) = inputs.last() {
        let input: Value = serde_json::from_str(input).unwrap();
        stack.invoke(&json!({ "Finish": input })).await;
    }
}

/// The types of resources that a function of the owner looks at as well.
const CHECKED: [&str; 10] =
    ["Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "S3"];

/// Has a restore test of every type end, and one whose instance does not run yet.
async fn restore_validation(organization: &Organization, role: &FunctionRole) -> DataServices {
    let services = DataServices::start(organization).await.unwrap();
    let name = "awsbackup-restore-test-orders";
    services.instance("i-1", "running", "ok", "ok");
    services.instance("i-2", "pending", "initializing", "initializing");
    services.image("ami-1", &[("/dev/xvda", 8)]);
    services.volume("vol-1", "available", 8);
    services.snapshot("snap-1", 8);
    services.database(name, "available");
    services.database_snapshot("awsbackup:job-1", ("postgres", 20));
    services.cluster(name, "available");
    services.database_snapshot("awsbackup:job-2", ("aurora-postgresql", 1));
    services.table(name, "ACTIVE", 1);
    let backup = arn("dynamodb", "table/orders/backup/01700000000000-1a2b3c4d");
    services.table_backup(&backup, 1, &[]);
    services.file_system("fs-1", "available");
    services.fsx_file_system("fs-2", "AVAILABLE");
    services.fsx_volume("fsvol-1", "CREATED", 1_024);
    services.fsx_backup("backup-1", 1_024);
    organization.buckets(|it| {
        it.create_encrypted(name, STATE_KEY);
        it.put(name, "2026.csv", "id,total".to_owned());
    });
    let mut variables = vec![("CLUSTER_INSTANCE_CLASS".to_owned(), "db.t4g.medium".to_owned())];
    for kind in CHECKED {
        let parameter = format!("Check{kind}FunctionArn");
        let own = EVERYTHING.iter().find(|it| it.0 == parameter).unwrap().1;
        services.function(own, r#"{"status":"SUCCESSFUL"}"#);
        variables.push((format!("CHECK_{}", kind.to_uppercase()), own.to_owned()));
    }
    let variables: Vec<_> = variables.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
    let validation = RestoreValidation::all(organization, services.url(), role, &variables).await;
    let cluster = arn("rds", &format!("cluster:{name}"));
    let restored = [
        ("EC2", arn("ec2", "instance/i-1"), format!("arn:aws:ec2:{REGION}::image/ami-1")),
        ("EC2", arn("ec2", "instance/i-2"), String::new()),
        ("EBS", arn("ec2", "volume/vol-1"), format!("arn:aws:ec2:{REGION}::snapshot/snap-1")),
        ("RDS", arn("rds", &format!("db:{name}")), arn("rds", "snapshot:awsbackup:job-1")),
        ("Aurora", cluster.clone(), arn("rds", "cluster-snapshot:awsbackup:job-2")),
        ("DocumentDB", cluster.clone(), String::new()),
        ("Neptune", cluster, String::new()),
        ("DynamoDB", arn("dynamodb", &format!("table/{name}")), backup),
        ("S3", format!("arn:aws:s3:::{name}"), String::new()),
        ("EFS", arn("elasticfilesystem", "file-system/fs-1"), String::new()),
        ("FSx", arn("fsx", "file-system/fs-2"), String::new()),
        ("FSx", arn("fsx", "volume/fs-3/fsvol-1"), arn("fsx", "backup/backup-1")),
    ];
    for (index, (resource_type, created, from)) in restored.iter().enumerate() {
        let id = format!("job-{index}");
        let recovery_point = Some(from.clone()).filter(|it| !it.is_empty());
        let bytes = Some(8 << 30).filter(|_| *resource_type == "EFS");
        let test = RestoreJob::test(resource_type, created);
        let job = RestoreJob { recovery_point, bytes, ..test };
        let event = completed(&id, &job);
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, &id, job));
        // Long enough for everything but an instance that never runs.
        let _ = validation.hear(&event, Duration::from_secs(6)).await;
    }
    services
}

/// The calls that lacked a permission.
fn denied(Exercised { organization, services }: &Exercised) -> String {
    let denial = |it: &Entry| matches!(&it.outcome, CallOutcome::Error(code) if is_denial(code));
    let elsewhere = services.iter().flat_map(DataServices::denied);
    elsewhere.map(|it| it + "\n").chain([organization.lines(denial)]).collect()
}

/// Whether AWS refuses a caller with this code.
fn is_denial(code: &str) -> bool {
    code.starts_with("AccessDenied") || code == "AuthorizationError"
}

fn actions(statement: &Value) -> Vec<&str> {
    match &statement["Action"] {
        Value::Array(list) => list.iter().map(|it| it.as_str().unwrap()).collect(),
        one => vec![one.as_str().unwrap()],
    }
}

/// The action behind a call.
fn action(it: &Entry) -> Option<String> {
    let operation = match it.operation.as_str() {
        "ListObjectsV2" => "ListBucket",
        other => other,
    };
    Some(format!("{}:{operation}", Service::prefix(it.service)?))
}

/// The actions behind the calls of the function itself.
fn called(Exercised { organization, services }: &Exercised) -> BTreeSet<String> {
    let own = |it: &Entry| it.session.as_ref().is_some_and(|it| it.ends_with("/function"));
    let here = organization.journal().into_iter().filter(own).filter_map(|it| action(&it));
    here.chain(services.iter().flat_map(DataServices::allowed)).collect()
}

#[test]
fn every_function_with_a_role_is_made_to_do_everything() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let built: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let with_role: BTreeSet<_> =
        FunctionRole::functions().into_iter().filter(|it| built.contains(*it)).collect();
    assert_eq!(with_role, BTreeSet::from(FUNCTIONS));
}

#[tokio::test]
async fn a_function_may_do_what_it_does_and_does_what_it_may() {
    for function in FUNCTIONS {
        let role = FunctionRole::of(function);
        let exercised = exercise(function, role.clone(), true).await;
        assert_eq!(denied(&exercised), "", "{function}");
        let called = called(&exercised);
        let allowed = role.statements.iter().flat_map(actions);
        let unused: BTreeSet<_> = allowed
            .filter(|it| {
                !called.contains(*it)
                    && !BY_LAMBDA.contains(it)
                    && !ON_BEHALF.contains(it)
                    && !IN_A_RACE.contains(&(function, it))
            })
            .collect();
        assert_eq!(unused, BTreeSet::new(), "the role of {function} allows, and it never calls");
    }
}

#[test]
fn without_any_one_statement_of_its_role_a_function_is_denied_a_call() {
    await_each_at_once(FUNCTIONS, async |function| {
        let mut unproven = FunctionRole::of(function).statements;
        unproven.retain(|it| !actions(it).iter().all(|it| BY_LAMBDA.contains(it)));
        // What two parameters allow alike is needed for each of them alone.
        for (role, takes_back) in
            [(FunctionRole::of(function), true), (FunctionRole::retaining(function), false)]
        {
            let candidates = role.statements.iter().enumerate();
            let candidates = candidates.filter(|(_, it)| unproven.contains(it));
            // At once, since the functions mostly wait for the published rates.
            let needed = join_all(candidates.map(async |(index, statement)| {
                let less = role.clone().without(index);
                let exercised = exercise(function, less, takes_back).await;
                (!denied(&exercised).is_empty()).then(|| statement.clone())
            }));
            let needed: Vec<_> = needed.await.into_iter().flatten().collect();
            unproven.retain(|it| !needed.contains(it));
        }
        assert_eq!(unproven, Vec::<Value>::new(), "{function} does not need them");
    });
}

/// The statements of a role of a template, for every account.
fn statements_in_accounts(template: &str, role: &str) -> Vec<Value> {
    let template = Template::named(template);
    let here = [("AWS::AccountId", "$account"), ("AWS::Partition", "aws")];
    let stack = template.with(&[REQUIRED, &here].concat());
    let policies = &template.body["Resources"][role]["Properties"]["Policies"];
    let policies = stack.resolve(policies).unwrap();
    let statements =
        policies.as_array().unwrap().iter().map(|it| &it["PolicyDocument"]["Statement"]);
    statements.flat_map(|it| it.as_array().unwrap().clone()).collect()
}

/// Has a plan copy from the accounts of a unit to the central account.
fn copy_to_central(organization: &Organization) {
    let (central, unit) = (organization.id("security-000"), organization.id("Workloads"));
    let arn = format!("arn:aws:backup:eu-west-1:{central}:backup-vault:central");
    let rule = json!({
        "target_backup_vault_name": { "@@assign": "org-backup" },
        "copy_actions": { arn.clone(): { "target_backup_vault_arn": { "@@assign": arn } } },
    });
    let policy = json!({ "plans": { "copies": {
        "regions": { "@@assign": ["eu-west-1"] },
        "rules": { "nightly": rule },
        "selections": { "tags": { "all": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/org-backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["yes"] },
        } } },
    } } });
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        let id = it.create_policy(BACKUP_POLICY, "copies", "", &policy.to_string(), &[]).unwrap();
        it.attach_policy(&id, &unit).unwrap();
    });
    organization.kms(|it| {
        it.create(&central, "eu-west-1", "copies", KeyManager::Customer);
        it.alias("copies", "alias/central");
    });
    let vault = Vault::new("central").key("arn:aws:kms:$region:$account:key/copies");
    organization.backup(|it| it.vaults_mut().create(&central, "eu-west-1", vault));
}

/// Has the central account and one that copies to it back up a volume, by a plan of its own each.
fn back_up(organization: &Organization) {
    for name in ["security-000", "production-001"] {
        let account = organization.id(name);
        let arn = format!("arn:aws:ec2:eu-west-1:{account}:volume/vol-1");
        let tag = Some(("backup", "yes"));
        organization.put_resource(backed_up(&arn, "EBS", &account, "eu-west-1", tag));
        let selection = json!({
            "SelectionName": "own", "IamRoleArn": "arn:aws:iam::111122223333:role/own",
            "Resources": [arn],
        });
        let plan = json!({ "BackupPlanName": "own", "Rules": [] });
        organization.backup(|it| {
            it.plans_mut().create(&account, "eu-west-1", plan, &[selection]);
        });
    }
    let on = [("EBS".to_owned(), true)].into();
    organization
        .backup(|it| it.update_region_settings(MANAGEMENT, "eu-west-1", &on, &[].into()))
        .unwrap();
    organization.let_go_by(std::time::Duration::from_hours(48));
    assert!(!organization.recovery_points().is_empty(), "{:?}", organization.skipped_backups());
}

#[tokio::test]
async fn a_role_in_accounts_allows_what_is_done_there_and_needs_each_of_its_statements() {
    for (template, role, name) in ROLES_IN_ACCOUNTS {
        let statements = statements_in_accounts(template, role);
        let denied_without = async |left_out: Option<usize>| {
            let organization = Organization::bare(Settings::default().accounts(6)).await;
            let roles = ROLES_IN_ACCOUNTS.map(|(_, _, it)| Role::trusting_account(it, MANAGEMENT));
            let kept = statements.iter().enumerate().filter(|it| Some(it.0) != left_out);
            let kept: Vec<_> = kept.map(|(_, it)| it).collect();
            let policy = json!({ "Version": "2012-10-17", "Statement": kept });
            let role = Role::trusting_account(name, MANAGEMENT).allowing(&policy);
            set_up_accounts(&organization, roles.into_iter().chain([role]));
            copy_to_central(&organization);
            organization.buckets(|it| it.create_bucket(STATE_BUCKET));
            back_up(&organization);
            let properties = in_accounts(&organization);
            organization.stack("member-accounts").kept().create(properties).await;
            // What copies go to is looked at by the report, and what there is of backups by the other.
            let _ = org_backup(&organization, &["report"]).await;
            let _ = org_backup(&organization, &["coverage"]).await;
            let exercised = Exercised { organization, services: None };
            let session = format!("{name}/org-backup");
            let journal = exercised.organization.journal().into_iter();
            let own = journal.filter(|it| it.session.as_ref() == Some(&session));
            let action =
                |it: Entry| Some(format!("{}:{}", Service::prefix(it.service)?, it.operation));
            let called: BTreeSet<_> = own.filter_map(action).collect();
            (denied(&exercised), called)
        };
        let (denied, called) = denied_without(None).await;
        assert_eq!(denied, "", "{template}");
        let allowed: BTreeSet<_> =
            statements.iter().flat_map(actions).map(ToOwned::to_owned).collect();
        assert_eq!(called, allowed, "{template}");
        for (index, statement) in statements.iter().enumerate() {
            let (denied, _) = denied_without(Some(index)).await;
            assert_ne!(denied, "", "{template} does not need {statement}");
        }
    }
}

/// The organization that the templates are evaluated with.
const ORGANIZATION: &str = "o-a1b2c3d4e5";

/// The roles that operators assume: the template, the resource and the name.
const RECOVERY_ROLES: [(&str, &str, &str); 2] = [
    ("central-backup-account.yaml", "RecoveryRole", "org-backup-central-recovery"),
    ("member-account.yaml", "RecoveryRole", "org-backup-recovery"),
];

/// What an operator restores in its own account and looks at, by type, service and name.
const RESTORED: [(&str, &str); 8] = [
    ("Aurora", "rds:eu-west-1:ACCOUNT:cluster:shop"),
    ("DynamoDB", "dynamodb:eu-west-1:ACCOUNT:table/carts"),
    ("EC2", "ec2:eu-west-1:ACCOUNT:instance/i-1"),
    ("EFS", "elasticfilesystem:eu-west-1:ACCOUNT:file-system/fs-1"),
    ("FSx", "fsx:eu-west-1:ACCOUNT:file-system/fs-2"),
    ("FSx", "fsx:eu-west-1:ACCOUNT:volume/fs-3/fsvol-1"),
    ("RDS", "rds:eu-west-1:ACCOUNT:db:ledger"),
    ("S3", "s3:::reports"),
];

/// What they need in another account.
const ELSEWHERE: [(&str, &str); 7] = [
    ("Aurora", "DBSubnetGroupName=default"),
    ("EC2", "SubnetId=subnet-new"),
    ("EC2", "SecurityGroupIds=[\"sg-new\"]"),
    ("FSx", "SubnetIds=[\"subnet-new\"]"),
    (
        "FSx",
        "OntapConfiguration={\"JunctionPath\":\"/data\",\"StorageVirtualMachineId\":\"svm-new\"}",
    ),
    ("RDS", "DBSubnetGroupName=default"),
    ("S3", "DestinationBucketName=elsewhere"),
];

/// The parts of another account that they are put into.
const PARTS: [&str; 3] = ["subnet-new", "sg-new", "svm-new"];

/// An organization in which an account with one of each is backed up and copied, with the account, the
/// central one and a new one.
struct Recoverable {
    organization: Organization,
    lost: String,
    central: String,
    new: String,
}

impl Recoverable {
    /// Makes it with these roles in every account, beside those that AWS Backup works with. The one for
    /// copies back has these statements.
    async fn with(copying: &[Value], roles: Vec<Role>) -> Self {
        let organization = Organization::bare(Settings::default().accounts(8)).await;
        set_up_accounts(&organization, []);
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": BACKUP }, "Action": "sts:AssumeRole",
        });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
        // The templates are evaluated with the ID of another organization.
        let id = organization.organization(|it| it.id.clone());
        let copying = json!({ "Version": "2012-10-17", "Statement": copying }).to_string();
        let copying: Value = serde_json::from_str(&copying.replace(ORGANIZATION, &id)).unwrap();
        organization.iam(|it| {
            for name in ["org-backup", "org-backup-restore", "org-backup-central-restore"] {
                it.create_role_everywhere(Role::new(name, &trust));
            }
            it.create_role_everywhere(Role::new("org-backup-copy", &trust).allowing(&copying));
            for role in roles {
                it.create_role_everywhere(role);
            }
        });
        copy_to_central(&organization);
        let [lost, central, new] =
            ["production-001", "security-000", "development-005"].map(|it| organization.id(it));
        // The central account has something of its own.
        organization.organization(|it| {
            let id = it.policy_named("copies").unwrap().id.clone();
            it.attach_policy(&id, &central).unwrap();
        });
        let any = json!({ "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
            "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": id } },
        }] });
        let on = RESTORED.iter().map(|it| it.0).chain(["EBS"]);
        let on = on.map(|it| (it.to_owned(), true)).collect();
        organization.backup(|it| {
            let across = [("isCrossAccountBackupEnabled".to_owned(), "true".to_owned())].into();
            it.update_global_settings(&across).unwrap();
            let copies = Vault::new("central").key("arn:aws:kms:$region:$account:key/copies");
            it.vaults_mut().create(&central, "eu-west-1", copies.access_policy(&any));
            let key = format!("arn:aws:kms:$region:$account:key/{KEY}");
            for account in [&lost, &new] {
                let own = Vault::new("org-backup").key(&key).access_policy(&any);
                it.vaults_mut().create(account, "eu-west-1", own);
            }
            let off = [("DynamoDB".to_owned(), false)].into();
            for (account, management) in
                [(MANAGEMENT, &[].into()), (&lost, &[].into()), (&central, &off), (&new, &off)]
            {
                it.update_region_settings(account, "eu-west-1", &on, management).unwrap();
            }
        });
        for part in PARTS {
            organization.put_part(&central, "eu-west-1", part);
            organization.put_part(&new, "eu-west-1", part);
        }
        organization.buckets(|it| it.create_bucket(STATE_BUCKET));
        for (kind, arn) in RESTORED {
            let arn = format!("arn:aws:{}", arn.replace("ACCOUNT", &lost));
            let tag = Some(("backup", "yes"));
            organization.put_resource(backed_up(&arn, kind, &lost, "eu-west-1", tag));
        }
        for account in [&central, &new] {
            let tag = Some(("backup", "yes"));
            let table = notes_of(account);
            organization.put_resource(backed_up(&table, "DynamoDB", account, "eu-west-1", tag));
        }
        back_up(&organization);
        organization.pace_jobs(Duration::ZERO, Duration::ZERO);
        Self { organization, lost, central, new }
    }

    /// The ARN of what the account has.
    fn arn(&self, resource: &str) -> String {
        format!("arn:aws:{}", resource.replace("ACCOUNT", &self.lost))
    }

    /// The ARN of a recovery point of a resource that an account holds.
    fn held(&self, account: &str, resource: &str) -> String {
        let points = self.organization.recovery_points();
        let found = points.iter().find(|it| it.vault.contains(account) && it.resource == resource);
        found.map(|it| it.arn("aws")).unwrap_or_default()
    }
}

/// The ARN of a table in an account without the advanced features of AWS Backup, whose backups DynamoDB has.
fn notes_of(account: &str) -> String {
    format!("arn:aws:dynamodb:eu-west-1:{account}:table/notes")
}

/// Backs up, copies back and restores as an operator, and returns what a role was denied and what it called.
async fn recover(
    name: &str,
    roles: &[(&str, Vec<Value>)],
    left_out: Option<usize>,
) -> (String, BTreeSet<String>) {
    let copying = statements_in_accounts("central-backup-account.yaml", "CopyRole");
    let roles = roles.iter().map(|(role, statements)| {
        let kept = statements.iter().enumerate();
        let kept = kept.filter(|it| *role != name || Some(it.0) != left_out);
        let kept: Vec<_> = kept.map(|it| it.1).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": kept });
        Role::trusting_account(role, MANAGEMENT).allowing(&policy)
    });
    let world = Recoverable::with(&copying, roles.collect()).await;
    let Recoverable { organization, lost, central, new } = &world;
    let services = DataServices::start(organization).await.unwrap();
    // Only the role of an account looks into its services.
    let of_central = DataServices::start(organization).await.unwrap();
    let run = async |arguments: &[&str]| {
        let _ = org_backup_beside(organization, &services, arguments).await;
    };
    let volume = format!("arn:aws:ec2:eu-west-1:{lost}:volume/vol-1");
    run(&["points", &volume]).await;
    run(&["backup", &volume, "--yes"]).await;
    let recovering = ["recover", "--account", lost, "--into", new, "--yes"];
    run(&recovering).await;
    // What was done already is looked at again.
    run(&recovering).await;
    // A copy from the account's own vault, which is not the central one.
    let vault = format!("arn:aws:backup:eu-west-1:{lost}:backup-vault:org-backup");
    let own = world.held(lost, &volume);
    run(&["restore", &own, "--from", &vault, "--account", new, "--yes"]).await;
    // And one that is looked for in the central account.
    run(&["restore", &world.held(central, &volume), "--account", new]).await;
    // What is restored is looked at, by what its service tells of it.
    let volume = ("EBS", "ec2:eu-west-1:ACCOUNT:volume/vol-1");
    for (kind, arn) in RESTORED.into_iter().chain([volume]) {
        if name == "org-backup-recovery" {
            let own = world.held(lost, &world.arn(arn));
            run(&["restore", &own, "--from", &vault, "--account", lost, "--yes"]).await;
        } else {
            let copy = world.held(central, &world.arn(arn));
            let is_volume = arn.contains(":volume/");
            let needs = ELSEWHERE.iter().filter(|it| {
                it.0 == kind && (kind != "FSx" || is_volume == it.1.starts_with("Ontap"))
            });
            let there = ["restore", &copy, "--account", central, "--region", "eu-west-1", "--yes"];
            let set = needs.flat_map(|it| ["--set", it.1]);
            let there: Vec<_> = there.into_iter().chain(set).collect();
            let _ = org_backup_beside(organization, &of_central, &there).await;
        }
    }
    for (account, services) in [(new, &services), (central, &of_central)] {
        let own = world.held(account, &notes_of(account));
        let vault = format!("arn:aws:backup:eu-west-1:{account}:backup-vault:org-backup");
        let again = ["restore", &own, "--from", &vault, "--account", account, "--yes"];
        let _ = org_backup_beside(organization, services, &again).await;
    }
    let session = format!("{name}/org-backup");
    let journal = organization.journal().into_iter();
    let own: Vec<_> = journal.filter(|it| it.session.as_ref() == Some(&session)).collect();
    let is_denied = |it: &Entry| matches!(&it.outcome, CallOutcome::Error(code) if is_denial(code));
    let mut denied: BTreeSet<_> =
        own.iter().filter(|it| is_denied(it)).map(|it| it.operation.clone()).collect();
    let mut called: BTreeSet<_> = own.iter().filter_map(action).collect();
    let services = if name == "org-backup-recovery" { services } else { of_central };
    denied.extend(services.denied());
    called.extend(services.allowed());
    (denied.into_iter().collect::<Vec<_>>().join(" "), called)
}

#[test]
fn a_role_for_recovery_allows_what_operators_do_and_needs_each_of_its_statements() {
    let roles =
        RECOVERY_ROLES.map(|(template, role, name)| (name, statements_in_accounts(template, role)));
    await_each_at_once(&roles, async |(name, statements)| {
        let (denied, mut called) = recover(name, &roles, None).await;
        assert_eq!(denied, "", "{name}");
        // AWS asks for it on behalf of the caller that hands a role to it.
        called.insert("iam:PassRole".to_owned());
        let allowed: BTreeSet<_> =
            statements.iter().flat_map(actions).map(ToOwned::to_owned).collect();
        assert_eq!(called, allowed, "{name}");
    });
    let each = roles.iter().flat_map(|(name, all)| (0..).zip(all).map(move |it| (name, it)));
    await_each_at_once(each, async |(name, (index, statement))| {
        let (denied, _) = recover(name, &roles, Some(index)).await;
        assert_ne!(denied, "", "{name} does not need {statement}");
    });
}

/// Recovers an account with a role for copies back that has these statements, and returns what became of the
/// copies of each type that somebody asked for.
async fn copied_back(statements: &[Value]) -> Vec<(String, Option<Trouble>)> {
    let roles = RECOVERY_ROLES.map(|it| Role::trusting_account(it.2, MANAGEMENT));
    let world = Recoverable::with(statements, roles.into()).await;
    let services = DataServices::start(&world.organization).await.unwrap();
    let settings = ELSEWHERE.map(|(kind, it)| format!("{kind}.{it}"));
    let set = settings.iter().flat_map(|it| ["--set", it]);
    let recovering = ["recover", "--account", &world.lost, "--into", &world.new, "--yes"];
    let recovering: Vec<_> = recovering.into_iter().chain(set).collect();
    let _ = org_backup_beside(&world.organization, &services, &recovering).await;
    let jobs = world.organization.copy_jobs().into_iter().filter(|it| it.job.is_none());
    jobs.map(|it| (it.kind, it.trouble)).collect()
}

/// The statements without one action.
fn without_action(statements: &[Value], index: usize, action: &str) -> Vec<Value> {
    let mut less = statements.to_vec();
    let left: Vec<_> = actions(&statements[index]).into_iter().filter(|it| *it != action).collect();
    if left.is_empty() {
        less.remove(index);
    } else {
        less[index]["Action"] = json!(left);
    }
    less
}

#[test]
fn the_role_for_copies_back_copies_every_type_and_needs_each_of_its_actions() {
    let statements = statements_in_accounts("central-backup-account.yaml", "CopyRole");
    await_each_at_once([&statements], async |statements| {
        let copied = copied_back(statements).await;
        assert!(copied.iter().all(|it| it.1.is_none()), "{copied:?}");
        let kinds: BTreeSet<_> = copied.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(kinds, RESTORED.iter().map(|it| it.0).chain(["EBS"]).collect());
    });
    let each = statements.iter().enumerate();
    let each = each.flat_map(|(index, it)| actions(it).into_iter().map(move |it| (index, it)));
    await_each_at_once(each, async |(index, action)| {
        let copied = copied_back(&without_action(&statements, index, action)).await;
        let is_denied =
            |it: &Option<Trouble>| matches!(it, Some(Trouble::RoleDenied | Trouble::SourceDenied));
        assert!(copied.iter().any(|it| is_denied(&it.1)), "no copy needs {action}: {copied:?}");
    });
}

#[test]
fn no_permission_is_a_wildcard() {
    for function in FunctionRole::functions() {
        for statement in FunctionRole::of(function).statements {
            assert!(actions(&statement).iter().all(|it| !it.contains('*')), "{function}");
        }
    }
}
