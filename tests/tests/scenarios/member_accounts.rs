//! `Custom::MemberAccounts`, in one invocation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simulator::{AccountState, Fault, KeyManager, KeyType, Role, Settings, Vault};
use tests::organization::Organization;
use tests::stack::{Answer, Stack};

pub(crate) const MANAGEMENT: &str = "111122223333";
pub(crate) const ROLE: &str = "org-backup-member";
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "eu-west-3"];

/// An organization of so many accounts, one of them suspended, with the role in every one of them.
pub(crate) async fn with_roles(accounts: usize) -> Organization {
    let organization = Organization::bare(Settings::default().accounts(accounts)).await;
    organization.iam(|it| it.create_role_everywhere(member_role()));
    organization
}

pub(crate) fn member_role() -> Role {
    role_everywhere(ROLE)
}

/// A role of this name that the management account may assume, and that may do everything.
pub(crate) fn role_everywhere(name: &str) -> Role {
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let anything = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Role::trusting_account(name, MANAGEMENT).allowing(&anything)
}

/// The role of AWS Backup, which trusts this service.
fn backup_role(service: &str) -> Role {
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    });
    Role::new("org-backup", &json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

/// Properties that opt in to two types in two Regions, and others.
pub(crate) fn properties(more: Value) -> Value {
    let mut properties = json!({
        "RoleName": ROLE,
        "Regions": REGIONS,
        "OptIn": { "EBS": true, "S3": true },
    });
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    properties
}

/// Every call of these operations, by operation.
fn count(organization: &Organization) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in organization.journal() {
        *counts.entry(entry.operation).or_default() += 1;
    }
    counts
}

/// How often each account and Region was written.
pub(crate) fn written(organization: &Organization) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    let writes =
        organization.journal().into_iter().filter(|it| it.operation == "UpdateRegionSettings");
    for entry in writes.filter(simulator::Entry::is_successful_write) {
        *counts.entry((entry.account, entry.region)).or_default() += 1;
    }
    counts
}

/// The accounts and Regions in which not exactly these types are on.
pub(crate) fn not_on(organization: &Organization, types: &[&str]) -> Vec<String> {
    let accounts: Vec<_> = organization.organization(|it| {
        let active = it.accounts().filter(|it| it.state == AccountState::Active);
        active.map(|it| it.id.clone()).collect()
    });
    let types: BTreeSet<_> = types.iter().map(|it| (*it).to_owned()).collect();
    let mut not_on = vec![];
    for (account, region) in accounts.iter().flat_map(|it| REGIONS.map(|region| (it, region))) {
        let settings = organization.backup(|it| it.region_settings(account, region));
        let on = settings.opt_in.into_iter().filter(|(_, on)| *on).map(|(it, _)| it);
        if on.collect::<BTreeSet<_>>() != types {
            not_on.push(organization.named(&format!("{account} {region}")));
        }
    }
    not_on.sort();
    not_on
}

fn ready(answer: &Answer) -> (&str, &str) {
    (&answer.data["AccountsReady"], &answer.data["AccountsNotReady"])
}

/// What the log says of accounts that are not ready, where there is no bucket for a report.
fn told(stack: &Stack<'_>) -> Vec<Value> {
    let lines = stack.logs.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let lines = lines.filter(|it| it["message"] == "not ready");
    lines.map(|it| serde_json::from_str(it["line"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn every_account_and_region_is_opted_in_and_a_second_run_writes_nothing() {
    let organization = with_roles(12).await;
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({}))).await.ok();
    assert_eq!(ready(&created), ("11", "0"));
    assert_eq!(created.data["ReportUri"], "");
    assert_eq!(not_on(&organization, &["EBS", "S3"]), ["development-010 eu-west-1"; 0]);
    let writes = written(&organization);
    assert_eq!((writes.len(), writes.values().sum::<usize>()), (22, 22));
    organization.clear_journal();
    let updated = stack.update(properties(json!({}))).await.ok();
    assert_eq!((updated.data, updated.physical_id), (created.data, created.physical_id));
    assert_eq!(organization.take_writes(), "");
}

/// The accounts in which AWS Backup has no role of its own.
fn without_service_role(organization: &Organization) -> Vec<String> {
    let accounts: Vec<_> = organization.organization(|it| {
        let active = it.accounts().filter(|it| it.state == AccountState::Active);
        active.map(|it| it.id.clone()).collect()
    });
    let missing =
        |it: &&String| organization.iam(|iam| iam.role(it, "AWSServiceRoleForBackup").is_none());
    accounts.iter().filter(missing).map(|it| organization.named(it)).collect()
}

#[tokio::test]
async fn the_role_that_aws_backup_has_of_its_own_is_made_in_every_account_and_once() {
    let organization = with_roles(5).await;
    let barred = organization.id("security-000");
    organization.iam(|it| {
        let statement = json!({
            "Effect": "Allow", "Action": ["backup:*", "iam:GetRole"], "Resource": "*",
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        it.create_role(&barred, Role::trusting_account(ROLE, MANAGEMENT).allowing(&policy));
    });
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({}))).await.ok();
    // Not the one whose role has to be rolled out anew, and all of the rest.
    assert_eq!(without_service_role(&organization), ["security-000"]);
    assert_eq!(ready(&created), ("4", "1"));
    let line = &told(&stack)[0];
    let problem = line["problem"].as_str().unwrap();
    assert!(problem.starts_with("cannot make the role `AWSServiceRoleForBackup`: "), "{problem}");
    assert!(
        problem.contains("not authorized to perform: iam:CreateServiceLinkedRole"),
        "{problem}"
    );
    organization.iam(|it| it.create_role(&barred, member_role()));
    organization.clear_journal();
    assert_eq!(ready(&stack.update(properties(json!({}))).await.ok()), ("5", "0"));
    assert_eq!(without_service_role(&organization), Vec::<String>::new());
    let made = organization.lines(|it| it.operation == "CreateServiceLinkedRole");
    assert_eq!(made.lines().count(), 1, "{made}");
}

#[tokio::test]
async fn the_central_account_is_opted_in_by_its_own_role_where_no_target_reaches_it() {
    let organization = with_roles(6).await;
    let (central, target) = (organization.id("security-000"), organization.id("Workloads"));
    organization.iam(|it| {
        it.delete_role(&central, ROLE);
        it.create_role(&central, role_everywhere("org-backup-central"));
    });
    let mut stack = organization.stack("member-accounts");
    let properties = |targets: Value| {
        properties(json!({
            "TargetIds": targets,
            // The central account has a vault of its own, and no role for backups.
            "VaultName": "org-backup",
            "BackupRoleName": "org-backup",
            "CentralAccountId": central,
            "CentralRoleName": "org-backup-central",
        }))
    };
    let _ = stack.create(properties(json!([target]))).await.ok();
    let lines = told(&stack);
    let told_of_central: Vec<_> = lines.iter().filter(|it| it["account"] == *central).collect();
    assert_eq!(told_of_central, Vec::<&Value>::new());
    assert!(!without_service_role(&organization).contains(&"security-000".to_owned()));
    let left = not_on(&organization, &["EBS", "S3"]);
    assert!(!left.iter().any(|it| it.starts_with("security-000")), "{left:?}");
    // Where a target reaches it, it is an account like every other one.
    let _ = stack.update(properties(json!(["root"]))).await.ok();
    let lines = told(&stack);
    let line = lines.iter().find(|it| it["account"] == *central).unwrap();
    let problem = line["problem"].as_str().unwrap();
    assert!(problem.starts_with("cannot assume the role arn:aws:iam::"), "{problem}");
    assert!(problem.contains("role/org-backup-member"), "{problem}");
}

#[tokio::test]
async fn looking_costs_a_page_of_accounts_two_roles_and_one_read_for_each_account_and_region() {
    // One account of the 43 is suspended.
    let organization = with_roles(43).await;
    let mut stack = organization.stack("member-accounts");
    let _ = stack.create(properties(json!({}))).await.ok();
    organization.clear_journal();
    let _ = stack.update(properties(json!({}))).await.ok();
    let calls = count(&organization);
    let expected = [
        ("AssumeRole", 41),
        ("DescribeOrganization", 1),
        ("DescribeRegionSettings", 42 * 2),
        ("GetRole", 42),
        ("ListAccounts", 3),
        ("PutResponse", 1),
    ];
    assert_eq!(calls, expected.map(|(it, count)| (it.to_owned(), count)).into());
    // What is supported is asked once a Region, in the management account.
    organization.clear_journal();
    let _ = stack.update(properties(json!({ "OptIn": "All" }))).await.ok();
    assert_eq!(count(&organization)["GetSupportedResourceTypes"], 2);
    let asked = organization.journal().into_iter();
    let mut asked = asked.filter(|it| it.operation == "GetSupportedResourceTypes");
    let own = Some("org-backup-member-accounts/function");
    assert!(asked.all(|it| it.account == MANAGEMENT && it.session.as_deref() == own));
}

#[tokio::test]
async fn all_means_what_each_region_supports_also_when_aws_adds_to_it() {
    let organization = with_roles(4).await;
    organization.backup(|it| {
        it.set_supported_resource_types("eu-west-1", &["EBS", "S3"]);
        it.set_supported_resource_types("eu-west-3", &["EBS"]);
    });
    let mut stack = organization.stack("member-accounts");
    let all = properties(json!({ "OptIn": "All", "Regions": "eu-west-1,eu-west-3" }));
    let _ = stack.create(all.clone()).await.ok();
    let on = |region: &str| {
        let settings = organization.backup(|it| it.region_settings(MANAGEMENT, region));
        settings.opt_in.into_iter().filter(|(_, on)| *on).map(|(it, _)| it).collect::<Vec<_>>()
    };
    assert_eq!(
        (on("eu-west-1"), on("eu-west-3")),
        (vec!["EBS".into(), "S3".into()], vec!["EBS".to_owned()])
    );
    organization.backup(|it| it.set_supported_resource_types("eu-west-3", &["EBS", "Tea Leaves"]));
    organization.clear_journal();
    let _ = stack.update(all).await.ok();
    assert_eq!(on("eu-west-3"), ["EBS", "Tea Leaves"]);
    assert_eq!(written(&organization).len(), 4);
}

#[tokio::test]
async fn a_type_that_a_region_does_not_know_is_not_sent_and_the_others_are() {
    let organization = with_roles(4).await;
    let mut stack = organization.stack("member-accounts");
    let types = json!({ "EBS": true, "Timestream": true, "Tea Leaves": true });
    let created = stack.create(properties(json!({ "OptIn": types }))).await.ok();
    assert_eq!(ready(&created), ("4", "0"));
    let writes = organization.take_writes();
    assert_eq!(writes.lines().filter(|it| it.ends_with(" EBS=true Timestream=true")).count(), 4);
    assert_eq!(writes.lines().filter(|it| it.ends_with("Settings EBS=true")).count(), 4);
    assert_eq!(writes.lines().filter(|it| it.contains("Settings")).count(), 8);
}

#[tokio::test]
async fn a_new_type_that_is_refused_as_a_setting_is_told_and_keeps_no_other_from_being_set() {
    let organization = with_roles(4).await;
    organization.backup(|it| {
        it.set_supported_resource_types("eu-west-1", &["EBS", "S3", "Tea Leaves"]);
        it.set_supported_resource_types("eu-west-3", &["EBS", "S3"]);
        it.refuse_setting("Tea Leaves");
    });
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({ "OptIn": "All" }))).await.ok();
    assert_eq!(ready(&created), ("0", "4"));
    assert!(not_on(&organization, &["EBS", "S3"]).is_empty());
    let told = told(&stack);
    let said = |it: &Value| (it["region"].clone(), it["problem"].clone());
    let expected = (json!("eu-west-1"), json!("AWS supports `Tea Leaves` and refuses to opt in"));
    assert_eq!(told.iter().map(said).collect::<Vec<_>>(), vec![expected; 4]);
    // It is asked for again the next time, and nothing else is written.
    organization.clear_journal();
    let _ = stack.update(properties(json!({ "OptIn": "All" }))).await.ok();
    assert!(written(&organization).is_empty());
}

#[tokio::test]
async fn what_the_template_does_not_name_stays_as_it_is() {
    let organization = with_roles(3).await;
    let mine: BTreeMap<_, _> = [("EFS".to_owned(), true)].into();
    let account = organization.id("security-000");
    organization
        .backup(|it| it.update_region_settings(&account, "eu-west-1", &mine, &[].into()))
        .unwrap();
    let mut stack = organization.stack("member-accounts");
    let types = json!({ "OptIn": { "EBS": "true" }, "Management": { "DynamoDB": "true" } });
    let _ = stack.create(properties(types)).await.ok();
    let settings = organization.backup(|it| it.region_settings(&account, "eu-west-1"));
    assert!(settings.opt_in["EFS"] && settings.opt_in["EBS"] && !settings.opt_in["S3"]);
    assert!(settings.management["DynamoDB"] && !settings.management["EFS"]);
}

#[tokio::test]
async fn a_role_that_is_missing_is_one_line_and_every_other_account_is_done() {
    let organization = with_roles(12).await;
    let account = organization.id("sandbox-008");
    organization.iam(|it| it.delete_role(&account, ROLE));
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({}))).await.ok();
    assert_eq!(ready(&created), ("10", "1"));
    assert_eq!(
        not_on(&organization, &["EBS", "S3"]),
        ["sandbox-008 eu-west-1", "sandbox-008 eu-west-3"]
    );
    let [line] = &told(&stack)[..] else { panic!("one line: {}", stack.logs) };
    assert_eq!((&line["account"], &line["name"]), (&json!(account), &json!("sandbox-008")));
    assert_eq!((&line["ready"], line.get("region")), (&json!(false), None));
    let problem = line["problem"].as_str().unwrap();
    assert!(
        problem.starts_with(&format!(
            "cannot assume the role arn:aws:iam::{account}:role/{ROLE}: AccessDenied"
        )),
        "{problem}"
    );
    assert!(line["hint"].as_str().unwrap().starts_with("roll out the role"));
    // And where nobody may be left behind, the stack fails and says who was.
    let failed = stack.update(properties(json!({ "OnNotReady": "Fail" }))).await.reason();
    assert!(
        failed.starts_with(&format!(
            "1 of 11 accounts are not ready: {account} (sandbox-008): cannot assume"
        )),
        "{failed}"
    );
}

#[tokio::test]
async fn a_region_that_is_disabled_or_denied_is_one_line_and_the_other_regions_are_done() {
    let organization = with_roles(5).await;
    let [disabled, denied] = ["security-000", "production-001"].map(|it| organization.id(it));
    organization.regions(|it| {
        it.disable(&disabled, "eu-west-3");
        it.deny(&denied, "eu-west-3");
    });
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({}))).await.ok();
    assert_eq!(ready(&created), ("3", "2"));
    assert_eq!(
        not_on(&organization, &["EBS", "S3"]),
        ["production-001 eu-west-3", "security-000 eu-west-3"]
            .map(ToOwned::to_owned)
            .into_iter()
            .collect::<Vec<_>>()
    );
    let told = told(&stack);
    let hint = |account: &str| {
        let line = told.iter().find(|it| it["account"] == account).unwrap();
        assert_eq!(line["region"], "eu-west-3");
        line["hint"].as_str().unwrap().to_owned()
    };
    assert!(hint(&disabled).starts_with("enable the Region in the account"));
    assert!(hint(&denied).starts_with("see whether a service control policy denies the Region"));
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn a_vault_must_be_there_under_a_key_of_the_customer_and_a_role_must_trust_backup() {
    let organization = with_roles(7).await;
    let accounts =
        ["security-000", "production-001", "production-002", "production-003", "production-004"];
    let [no_vault, aws_key, unknown_key, no_role, untrusting] =
        accounts.map(|it| organization.id(it));
    let vault = || Vault::new("org-backup").key("arn:aws:kms:$region:$account:key/mine");
    let ours = || vault().key_type(KeyType::CustomerManaged);
    organization.backup(|it| {
        it.vaults_mut().create_everywhere(ours());
        it.vaults_mut().delete(&no_vault, "eu-west-1", "org-backup");
        it.vaults_mut().create(&aws_key, "eu-west-1", vault().key_type(KeyType::AwsOwned));
        it.vaults_mut().create(&unknown_key, "eu-west-1", vault());
    });
    organization.kms(|it| it.create_everywhere("mine", KeyManager::Customer));
    organization.iam(|it| {
        it.create_role_everywhere(backup_role("backup.amazonaws.com"));
        it.delete_role(&no_role, "org-backup");
        it.create_role(&untrusting, backup_role("ec2.amazonaws.com"));
    });
    let mut stack = organization.stack("member-accounts");
    let wanted = json!({ "VaultName": "org-backup", "BackupRoleName": "org-backup" });
    let created = stack.create(properties(wanted)).await.ok();
    let told = told(&stack);
    let problems: BTreeMap<_, _> = told
        .iter()
        .map(|it| (it["account"].as_str().unwrap(), it["problem"].as_str().unwrap()))
        .collect();
    assert_eq!(
        problems[&*no_vault],
        "the vault `org-backup` is missing, or its access policy hides it"
    );
    assert_eq!(problems[&*aws_key], "the vault `org-backup` is encrypted by a key of AWS");
    assert_eq!(problems[&*no_role], "there is no role `org-backup`");
    assert_eq!(problems[&*untrusting], "the role `org-backup` does not trust AWS Backup");
    // Nobody asks about a key of AWS.
    let mut asked = organization.journal().into_iter().filter(|it| it.operation == "DescribeKey");
    assert!(asked.all(|it| it.account != aws_key || it.region != "eu-west-1"));
    assert!(!problems.contains_key(&*unknown_key));
    assert_eq!(ready(&created).1, told.len().to_string());
    // None of it keeps anybody from being opted in.
    assert!(not_on(&organization, &["EBS", "S3"]).is_empty());
}

#[tokio::test]
async fn targets_reach_everything_below_them_and_the_management_account_is_always_reached() {
    reaches_everything_below(with_roles(12).await).await;
}

#[tokio::test]
async fn targets_reach_the_same_where_aws_does_not_tell_the_paths_of_accounts() {
    let organization = with_roles(12).await;
    organization.organization(|it| it.tells_paths = false);
    reaches_everything_below(organization).await;
}

async fn reaches_everything_below(organization: Organization) {
    let mut stack = organization.stack("member-accounts");
    let targets = [organization.id("Workloads"), organization.id("sandbox-008")];
    let excluded = [organization.id("production-001")];
    let properties = properties(json!({ "TargetIds": targets, "ExcludeAccounts": excluded }));
    let created = stack.create(properties).await.ok();
    let mut reached: Vec<_> =
        written(&organization).into_keys().map(|(it, _)| organization.named(&it)).collect();
    reached.dedup();
    reached.sort();
    assert_eq!(
        reached,
        [
            "development-005",
            "development-006",
            "development-007",
            "management",
            "production-002",
            "production-003",
            "production-004",
            "sandbox-008"
        ]
    );
    assert_eq!(ready(&created), ("8", "0"));
}

#[tokio::test]
async fn a_target_that_reaches_nothing_is_refused_before_anything_changes() {
    let organization = with_roles(12).await;
    let mut stack = organization.stack("member-accounts");
    let targets = json!([organization.id("Workloads"), "ou-ab12-11111111", "999999999999"]);
    let reason = stack.create(properties(json!({ "TargetIds": targets }))).await.reason();
    assert_eq!(
        reason,
        "no account is at or below 999999999999, ou-ab12-11111111; hint: correct `TargetIds`; \
         nothing has changed"
    );
    assert_eq!(organization.take_writes(), "");
}

#[tokio::test]
async fn the_management_account_is_left_out_only_where_the_template_says_so() {
    let organization = with_roles(3).await;
    let mut stack = organization.stack("member-accounts");
    let excluded = json!({ "ExcludeAccounts": [MANAGEMENT, "999999999999"] });
    let created = stack.create(properties(excluded)).await.ok();
    assert_eq!(ready(&created), ("2", "0"));
    assert!(stack.logs.contains("the management account is excluded"), "{}", stack.logs);
    assert!(stack.logs.contains("an excluded account is not in the organization"));
}

#[tokio::test]
async fn a_role_that_nobody_can_assume_anywhere_is_no_success() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("member-accounts");
    let reason = stack.create(properties(json!({}))).await.reason();
    let beginning = "none of the 10 member accounts could be entered, all for one reason: ";
    assert!(reason.starts_with(beginning), "{reason}");
    let hint = "; hint: roll out the role of `RoleName` to them, let it trust the function's own role, \
                and let that assume it";
    assert!(reason.contains(hint), "{reason}");
    // The management account needs no role.
    assert_eq!(written(&organization).len(), 2);
}

#[tokio::test]
async fn deleting_the_resource_changes_nothing_in_any_account() {
    let organization = with_roles(4).await;
    let mut stack = organization.stack("member-accounts");
    let _ = stack.create(properties(json!({}))).await.ok();
    organization.clear_journal();
    let _ = stack.delete().await.ok();
    assert_eq!(organization.lines(|it| it.operation != "PutResponse"), "");
    assert!(not_on(&organization, &["EBS", "S3"]).is_empty());
}

#[tokio::test]
async fn a_property_that_is_not_known_or_not_right_is_named() {
    let organization = with_roles(3).await;
    for (more, expected) in [
        (json!({ "OptOut": "All" }), "unknown field `OptOut`"),
        (
            json!({ "OptIn": "Some" }),
            "property `OptIn`: invalid value: string \"Some\", expected `All`",
        ),
        (json!({ "Regions": "Ireland" }), "`Ireland` is not a Region such as eu-west-1"),
        (json!({ "Regions": [] }), "`Regions` is empty"),
        (json!({ "TargetIds": "" }), "`TargetIds` is empty"),
        (json!({ "OptIn": {} }), "there is nothing to do"),
        (
            json!({ "Concurrency": 0 }),
            "property `Concurrency`: `Concurrency` is a number from 1 to 256",
        ),
        (json!({ "OnNotReady": "Shrug" }), "property `OnNotReady`: unknown variant `Shrug`"),
    ] {
        let mut stack = organization.stack("member-accounts");
        let reason = stack.create(properties(more)).await.reason();
        assert!(reason.contains(expected), "{reason}");
    }
    assert_eq!(organization.take_writes(), "");
}

#[tokio::test]
async fn an_account_that_is_throttled_or_drops_calls_is_done_all_the_same() {
    let organization = with_roles(12).await;
    organization.fail(Fault::error("UpdateRegionSettings", "ThrottlingException").nth(3).times(2));
    organization.fail(Fault::new("DescribeRegionSettings", simulator::Kind::DropAfter).nth(5));
    organization.fail(Fault::error("AssumeRole", "Throttling").nth(2).times(3));
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({}))).await.ok();
    assert_eq!(ready(&created), ("11", "0"));
    assert!(not_on(&organization, &["EBS", "S3"]).is_empty());
}
