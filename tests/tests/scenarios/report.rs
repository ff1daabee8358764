//! `org-backup report`: what it says of an organization, and that it changes nothing.

use std::collections::BTreeMap;

use expect_test::expect;
use page::plan;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, KeyManager, KeyType, Role, Settings, Vault};
use tests::command::{Run, org_backup, org_backup_as};
use tests::organization::Organization;
use tests::role::STATE_BUCKET;

use crate::doctor::{reader, reader_policy};
use crate::member_accounts::{MANAGEMENT, ROLE, member_role};

const REGIONS: [&str; 2] = ["eu-west-1", "eu-west-3"];

/// An organization of twelve accounts in which everything is as it should be: a plan at the root,
/// vaults, roles and opt-ins in two Regions.
pub(crate) async fn protected() -> Organization {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.iam(|it| {
        it.create_role_everywhere(member_role());
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": "backup.amazonaws.com" },
            "Action": "sts:AssumeRole",
        });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
        it.create_role_everywhere(Role::new("org-backup", &trust));
        let path = "/aws-service-role/backup.amazonaws.com/";
        it.create_role_everywhere(Role::new("AWSServiceRoleForBackup", &trust).path(path));
    });
    organization.kms(|it| {
        it.create_everywhere("mine", KeyManager::Customer);
        it.alias("mine", "alias/org-backup");
    });
    let vault = Vault::new("org-backup").key("arn:aws:kms:$region:$account:key/mine");
    let vault = vault.key_type(KeyType::CustomerManaged).locked(Some(7), None);
    organization.backup(|it| it.vaults_mut().create_everywhere(vault));
    let accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    for account in &accounts {
        for region in REGIONS {
            let types = organization.backup(|it| it.region_settings(account, region).opt_in);
            let on = types.into_keys().map(|it| (it, true)).collect();
            organization
                .backup(|it| it.update_region_settings(account, region, &on, &[].into()))
                .unwrap();
        }
    }
    attach(&organization, "daily", &plan("daily", &REGIONS, 35), "root");
    let members = json!({
        "SchemaVersion": 1,
        "Revision": 1,
        "Function": "member-accounts",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/members/7a0c",
        "LogicalId": "E",
        "PhysicalId": "member-accounts",
        "Properties": {
            "RoleName": ROLE,
            "Regions": REGIONS,
            "TargetIds": ["root"],
            "OptIn": "All",
            "VaultName": "org-backup",
            "BackupRoleName": "org-backup",
        },
    });
    let key = "desired/member-accounts/members/7a0c/E.json";
    organization.buckets(|it| it.put(STATE_BUCKET, key, members.to_string()));
    organization
}

pub(crate) fn attach(organization: &Organization, name: &str, content: &Value, target: &str) {
    let target = organization.id(target);
    organization.organization(|it| {
        let id = it.create_policy(BACKUP_POLICY, name, "", &content.to_string(), &[]).unwrap();
        it.attach_policy(&id, &target).unwrap();
        it.publish();
    });
}

/// Lets backups be copied between accounts, or not.
pub(crate) fn copy_across(organization: &Organization, on: bool) {
    let settings = [("isCrossAccountBackupEnabled".to_owned(), on.to_string())].into();
    organization.backup(|it| it.update_global_settings(&settings)).unwrap();
}

/// The access policy of a vault that the accounts of an organization may copy into.
pub(crate) fn admission(id: &str) -> Value {
    json!({ "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
        "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": id } },
    }] })
}

async fn report(organization: &Organization, arguments: &[&str]) -> Run {
    org_backup(organization, &[&["report"], arguments].concat()).await
}

/// The report as JSON, with names for IDs, and its exit code.
async fn json_of(organization: &Organization, arguments: &[&str]) -> (Value, i32) {
    let run = report(organization, &[&["--json"], arguments].concat()).await;
    (run.held("report"), run.code)
}

/// The states of the Regions that are not protected, by the name of the account, each with what is
/// missing.
fn wrong(report: &Value) -> BTreeMap<String, Vec<String>> {
    let mut wrong = BTreeMap::<_, Vec<_>>::new();
    for account in report["accounts"].as_array().unwrap() {
        for region in account["regions"].as_array().unwrap() {
            let (state, name) =
                (region["state"].as_str().unwrap(), account["name"].as_str().unwrap());
            if !["protected", "inactive"].contains(&state) {
                let missing = region["missing"].as_array().unwrap().iter();
                let missing: Vec<_> = missing.map(|it| it["problem"].as_str().unwrap()).collect();
                let region = region["region"].as_str().unwrap();
                let line = format!("{region}: {state}: {}", missing.join("; "));
                wrong.entry(name.to_owned()).or_default().push(line);
            }
        }
    }
    wrong
}

#[tokio::test]
async fn service_control_policies_say_who_may_delete_and_each_is_read_once() {
    const KIND: &str = "SERVICE_CONTROL_POLICY";
    let organization = protected().await;
    let keeper = "arn:aws:iam::*:role/keeper";
    let guard = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "backup:Delete*", "Resource": "*",
        "Condition": { "ArnNotLike": { "aws:PrincipalArn": [keeper] } },
    }] });
    let unit = organization.id("Production");
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, KIND).unwrap();
        let id = it.create_policy(KIND, "guard", "", &guard.to_string(), &[]).unwrap();
        it.attach_policy(&id, &unit).unwrap();
    });
    let page = ["report", "--member-role", ROLE, "--html", "-"];
    organization.clear_journal();
    let run = org_backup(&organization, &page).await;
    assert_eq!(run.code, 0, "{}", run.notes);
    let denied = format!("service control policies deny it to all but `{keeper}`");
    assert!(run.printed[0].contains(&denied), "below the unit");
    assert!(run.printed[0].contains("no service control policy denies it"), "elsewhere");
    let read = |operation: &str| {
        let calls = organization.journal().into_iter();
        calls.filter(|it| it.operation == operation).count()
    };
    // Each policy of either type, and none for an account.
    assert_eq!([read("DescribePolicy"), read("ListTargetsForPolicy")], [2, 2]);

    let mut policy = reader_policy();
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Effect": "Deny", "Action": "organizations:ListPolicies", "Resource": "*",
        "Condition": { "StringEquals": { "organizations:PolicyType": KIND } },
    }));
    let key = reader(&organization, &policy);
    let run = org_backup_as(&organization, &key, &page).await;
    assert_eq!(run.code, 0, "it is no error: {}", run.notes);
    assert!(run.printed[0].contains("; guard rails not known: "), "{}", run.notes);
    assert!(!run.printed[0].contains(keeper));
}

#[tokio::test]
async fn where_nothing_is_missing_all_is_well_and_nothing_was_written() {
    let organization = protected().await;
    organization.clear_journal();
    let (report, code) = json_of(&organization, &[]).await;
    assert_eq!(wrong(&report), [].into());
    assert_eq!((code, &report["well"]), (0, &json!(true)));
    assert_eq!(report["states"], json!({ "protected": 22, "inactive": 2 }));
    assert_eq!(report["notes"], json!([]));
    let cell = &report["accounts"][1]["regions"][0];
    assert_eq!(
        cell["vaults"][0]["lock"],
        json!({ "mode": "governance", "minDays": 7, "maxDays": null })
    );
    assert_eq!(
        cell["roles"],
        json!([{ "name": "org-backup", "found": true, "trustsBackup": true, "mayBackUp": true }])
    );
    assert_eq!((&cell["lookedAt"], &cell["plans"]), (&json!("now"), &json!(["daily"])));
    assert_eq!(
        organization.lines(|it| it.operation.starts_with("Update") || it.is_successful_write()),
        ""
    );
}

#[tokio::test]
async fn accounts_that_share_their_policies_cost_no_call_of_their_own_to_organizations() {
    let organization = protected().await;
    organization.clear_journal();
    let _ = json_of(&organization, &[]).await;
    let count = |operation: &str| {
        organization.journal().iter().filter(|it| it.operation == operation).count()
    };
    assert_eq!(count("DescribeEffectivePolicy"), 0);
    assert_eq!((count("DescribePolicy"), count("ListAccounts")), (1, 1));
    // Two roles, what one of them may do, and for each Region its settings, its vault, the key and the
    // access policy of that, in ten members and without a role in the management account.
    assert_eq!((count("AssumeRole"), count("GetRole")), (10, 22));
    assert_eq!((count("ListAttachedRolePolicies"), count("ListRolePolicies")), (11, 11));
    assert_eq!((count("DescribeRegionSettings"), count("DescribeBackupVault")), (22, 22));
    assert_eq!((count("DescribeKey"), count("GetBackupVaultAccessPolicy")), (22, 22));
}

#[tokio::test]
async fn whatever_is_missing_is_named_where_it_is_missing() {
    let organization = protected().await;
    let names = [
        "security-000",
        "production-001",
        "production-002",
        "production-003",
        "production-004",
        "development-005",
    ];
    let [no_vault, strict, opted_out, no_role, barred, disabled] =
        names.map(|it| organization.id(it));
    organization.backup(|it| {
        it.vaults_mut().delete(&no_vault, "eu-west-1", "org-backup");
        let vault = Vault::new("org-backup").key("arn:aws:kms:$region:$account:key/mine");
        let vault = vault.key_type(KeyType::CustomerManaged);
        it.vaults_mut().create(&strict, "eu-west-3", vault.locked(Some(60), None));
        let off = [("EBS".to_owned(), false)].into();
        it.update_region_settings(&opted_out, "eu-west-1", &off, &[].into()).unwrap();
    });
    organization.iam(|it| {
        it.delete_role(&no_role, "org-backup");
        it.delete_role(&barred, ROLE);
    });
    organization.regions(|it| it.disable(&disabled, "eu-west-3"));
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    attach(&organization, "half", &half, "sandbox-008");
    let (report, code) = json_of(&organization, &[]).await;
    assert_eq!(code, 2);
    let wrong = wrong(&report);
    let all = |name: &str| wrong[name].join("\n");
    assert_eq!(
        all("security-000"),
        "eu-west-1: incomplete: the vault `org-backup` is missing, or its access policy hides it"
    );
    assert_eq!(
        all("production-001"),
        "eu-west-3: incomplete: the lock of the vault `org-backup` refuses the rule \
         `daily/every-night`: it keeps backups for 35 days, and 60 is the least"
    );
    assert_eq!(all("production-002"), "eu-west-1: incomplete: not opted in to EBS");
    assert_eq!(wrong["production-003"].len(), 2);
    assert!(
        all("production-003").ends_with("eu-west-3: incomplete: there is no role `org-backup`")
    );
    assert!(all("production-004").starts_with("eu-west-1: unknown: cannot assume the role "));
    assert_eq!(all("development-005"), "eu-west-3: disabled: ");
    assert!(
        all("sandbox-008").starts_with("eu-west-1: withheld: AWS withholds the merged policy"),
        "{}",
        all("sandbox-008")
    );
    assert_eq!(wrong.len(), 7);
    let note = report["notes"][0]["text"].as_str().unwrap();
    assert!(
        note.starts_with(&format!(
            "the account {} could not be entered",
            organization.named(&barred)
        ))
    );
}

/// A role for backups with this trust policy.
fn backup_role(condition: &Value) -> Role {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "backup.amazonaws.com" },
        "Action": "sts:AssumeRole",
    });
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    Role::new("org-backup", &json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

/// Has backups fail in accounts in which everything is there, each in a way of its own.
fn sabotage(organization: &Organization) {
    let names = [
        "security-000",
        "production-001",
        "production-002",
        "production-003",
        "production-004",
        "development-005",
        "development-006",
        "development-007",
    ];
    let [dying, off, denying, never, powerless, strange, bounded, alone] =
        names.map(|it| organization.id(it));
    let vault = || Vault::new("org-backup").key_type(KeyType::CustomerManaged);
    organization.kms(|it| {
        for (key, state) in [("dying", "PendingDeletion"), ("off", "Disabled")] {
            it.create_everywhere(key, KeyManager::Customer);
            it.set_state(key, state);
        }
    });
    let denial = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny",
        "Principal": { "AWS": "arn:aws:iam::$account:role/org-backup" },
        "Action": "backup:StartBackupJob",
        "Resource": "*",
    }] });
    organization.backup(|it| {
        let mut put = |account: &str, vault| it.vaults_mut().create(account, "eu-west-1", vault);
        let key = |id: &str| format!("arn:aws:kms:$region:$account:key/{id}");
        put(&dying, vault().key(&key("dying")));
        put(&off, vault().key(&key("off")));
        put(&denying, vault().key(&key("mine")).access_policy(&denial));
    });
    let other = json!({ "StringEquals": { "aws:SourceAccount": "999999999999" } });
    let external = json!({ "StringEquals": { "sts:ExternalId": "tea" } });
    let bound = "arn:aws:iam::999999999999:policy/bound";
    organization.iam(|it| {
        it.create_role(&never, backup_role(&other));
        it.create_role(&powerless, backup_role(&json!(null)).attached(&[]));
        it.create_role(&strange, backup_role(&external));
        it.create_role(&bounded, backup_role(&json!(null)).boundary(bound));
        it.delete_role(&alone, "AWSServiceRoleForBackup");
    });
}

#[tokio::test]
async fn what_is_there_and_cannot_make_backups_is_not_called_protected() {
    let organization = protected().await;
    sabotage(&organization);
    let (report, code) = json_of(&organization, &[]).await;
    assert_eq!(code, 2);
    let wrong: Vec<_> = wrong(&report).into_values().map(|it| it[0].clone()).collect();
    expect![[r#"
        eu-west-1: unknown: not looked at: whether the role `org-backup` trusts AWS Backup, which depends on the condition {"StringEquals":{"sts:ExternalId":"tea"}}
        eu-west-1: unknown: not looked at: whether the role `org-backup` may make backups, which depends on its permissions boundary
        eu-west-1: incomplete: AWS Backup has no role `AWSServiceRoleForBackup`
        eu-west-1: incomplete: the key of the vault `org-backup` is disabled
        eu-west-1: incomplete: the access policy of the vault `org-backup` denies backups to the role `org-backup`
        eu-west-1: incomplete: the role `org-backup` does not trust AWS Backup, since nothing meets the condition {"StringEquals":{"aws:SourceAccount":"999999999999"}}
        eu-west-1: incomplete: the role `org-backup` has no permission to make backups
        eu-west-1: incomplete: the key of the vault `org-backup` is to be deleted"#]].assert_eq(&wrong.join("\n"));
    // And in the table and on the page, with the same words.
    let csv = self::report(&organization, &["--csv"]).await.text;
    for words in ["key does not work", "denies backups", "may not make backups", "not looked at"] {
        assert!(csv.contains(words), "{words}: {csv}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let _ = self::report(&organization, &["--html", file.to_str().unwrap()]).await;
    let page = std::fs::read_to_string(file).unwrap();
    for words in ["is to be deleted", "depends on its permissions boundary"] {
        assert!(page.contains(words), "{words}");
    }
}

#[tokio::test]
async fn a_run_finds_what_the_report_finds_and_keeps_apart_what_nobody_judged() {
    let organization = protected().await;
    sabotage(&organization);
    let mut stack = organization.stack("member-accounts").named("E").kept();
    let properties = json!({
        "RoleName": ROLE,
        "Regions": REGIONS,
        "OptIn": "All",
        "VaultName": "org-backup",
        "BackupRoleName": "org-backup",
    });
    let created = stack.create(properties).await.ok();
    // The role of AWS Backup was made, and two roles could not be judged.
    assert_eq!((&*created.data["AccountsReady"], &*created.data["AccountsNotReady"]), ("6", "5"));
    let (live, _) = json_of(&organization, &[]).await;
    let (told, _) = json_of(&organization, &["--no-members"]).await;
    assert_eq!(wrong(&told), wrong(&live));
}

#[tokio::test]
async fn the_vault_that_copies_go_to_is_looked_at_by_the_role_of_its_account() {
    let organization = protected().await;
    let central = organization.id("security-000");
    let arn = format!("arn:aws:backup:eu-west-3:{central}:backup-vault:central");
    let mut copying = plan("copies", &["eu-west-1"], 35);
    let rules = copying["plans"]["copies"]["rules"].as_object_mut().unwrap();
    for rule in rules.values_mut() {
        let copy = json!({ "target_backup_vault_arn": { "@@assign": arn } });
        rule["copy_actions"] = json!({ arn.clone(): copy });
    }
    attach(&organization, "copies", &copying, "production-001");
    let key = "desired/member-accounts/members/7a0c/E.json";
    let kept = organization.buckets(|it| it.get(STATE_BUCKET, key, None).unwrap().body.clone());
    let mut kept: Value = serde_json::from_slice(&kept).unwrap();
    kept["Properties"]["CentralAccountId"] = json!(central);
    kept["Properties"]["CentralRoleName"] = json!("org-backup-central");
    organization.buckets(|it| it.put(STATE_BUCKET, key, kept.to_string()));
    copy_across(&organization, true);
    // Nobody gets in there.
    let (report, _) = json_of(&organization, &[]).await;
    let found = wrong(&report);
    let found = found["production-001"].as_slice();
    let beginning =
        "eu-west-1: unknown: copies go to security-000 in eu-west-3: cannot assume the role";
    assert!(found.len() == 1 && found[0].starts_with(beginning), "{found:?}");
    organization.iam(|it| {
        it.create_role(&central, crate::member_accounts::role_everywhere("org-backup-central"));
    });
    let id = organization.organization(|it| it.id.clone());
    let vault = |key: &str, id: &str| {
        let key = format!("arn:aws:kms:$region:$account:key/{key}");
        let vault = Vault::new("central").key(&key).access_policy(&admission(id));
        vault.key_type(KeyType::CustomerManaged)
    };
    let put =
        |vault| organization.backup(|it| it.vaults_mut().create(&central, "eu-west-3", vault));
    put(vault("mine", "o-somebody00"));
    let (report, _) = json_of(&organization, &[]).await;
    let expected = "eu-west-1: incomplete: the access policy of the vault `central` of \
                    security-000 in eu-west-3 does not let the account copy into it";
    assert_eq!(wrong(&report), [("production-001".to_owned(), vec![expected.to_owned()])].into());
    put(vault("mine", &id));
    let (report, _) = json_of(&organization, &[]).await;
    assert_eq!((wrong(&report), &report["notes"]), ([].into(), &json!([])));
    organization.kms(|it| {
        it.create(&central, "eu-west-3", "copies", KeyManager::Customer);
        it.set_state("copies", "PendingDeletion");
    });
    put(vault("copies", &id));
    let (report, code) = json_of(&organization, &[]).await;
    let expected = "eu-west-1: incomplete: copies go to security-000 in eu-west-3: the key of the \
                    vault `central` is to be deleted";
    assert_eq!(wrong(&report), [("production-001".to_owned(), vec![expected.to_owned()])].into());
    assert_eq!(code, 1);
}

#[tokio::test]
async fn what_nobody_may_look_at_is_what_the_last_run_found() {
    let organization = protected().await;
    let account = organization.id("security-000");
    organization.backup(|it| it.vaults_mut().delete(&account, "eu-west-3", "org-backup"));
    let mut stack = organization.stack("member-accounts").named("E").kept();
    let properties = json!({
        "RoleName": ROLE,
        "Regions": REGIONS,
        "OptIn": "All",
        "VaultName": "org-backup",
        "BackupRoleName": "org-backup",
    });
    let _ = stack.create(properties).await.ok();
    // From then on the role lets nobody in, as the one of the shipped template does not let people.
    let accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    organization.iam(|it| {
        for account in accounts.iter().filter(|it| *it != MANAGEMENT) {
            it.delete_role(account, ROLE);
        }
    });
    for arguments in [&[][..], &["--no-members"]] {
        let (report, code) = json_of(&organization, arguments).await;
        assert_eq!(code, 1);
        let expected = ["eu-west-3: incomplete: the vault `org-backup` is missing, or its access policy hides it".to_owned()];
        assert_eq!(wrong(&report), [("security-000".to_owned(), expected.to_vec())].into());
        let cell = &report["accounts"][1]["regions"][0];
        assert_eq!(cell["lookedAt"], json!("2026-01-01 00:00 UTC"));
    }
    organization.clear_journal();
    let _ = json_of(&organization, &["--no-members"]).await;
    assert_eq!(organization.lines(|it| it.operation == "AssumeRole"), "");
}

#[tokio::test]
async fn without_bucket_role_or_policy_there_is_still_a_report() {
    let organization = Organization::bare(Settings::default()).await;
    let ran =
        report(&organization, &["--state-bucket=", "--regions", "eu-west-1,eu-north-1"]).await;
    assert_eq!(ran.code, 2, "{}", ran.notes);
    assert!(
        ran.text.contains("12 accounts × 2 Regions: 22 no plan, 2 in accounts not active"),
        "{}",
        ran.text
    );
    for note in
        ["backup policies are not enabled", "without the state bucket", "could not be entered"]
    {
        assert!(ran.notes.contains(note), "{note}: {}", ran.notes);
    }
    let ran = report(&organization, &["--state-bucket="]).await;
    // No account is protected, whatever was not read.
    assert_eq!(ran.code, 1);
    let words = "no backup policy and no template names a Region";
    assert!(ran.text.contains(words), "{}", ran.text);
    assert!(!ran.notes.contains(words), "{}", ran.notes);
    let ran = report(&organization, &["--state-bucket=", "--json"]).await;
    assert!(ran.notes.contains(words), "{}", ran.notes);
    let ran = org_backup(&organization, &["coverage"]).await;
    assert!(ran.code > 0 && ran.text.contains(words), "{} {}", ran.code, ran.text);
}

#[tokio::test]
async fn whoever_may_not_read_the_organization_is_told_which_account_may() {
    let organization = protected().await;
    let member = organization.id("security-000");
    let ran = org_backup_as(&organization, &member, &["report"]).await;
    assert_eq!((ran.code, ran.text.as_str()), (2, ""));
    assert!(ran.notes.contains("the management account is management"), "{}", ran.notes);
}

#[tokio::test]
async fn what_aws_does_not_say_is_a_note_and_the_rest_is_judged() {
    let organization = protected().await;
    organization.fail(
        Fault::error("ListAccountsWithInvalidEffectivePolicy", "AccessDeniedException").forever(),
    );
    organization.buckets(|it| it.deny(STATE_BUCKET, "desired/member-accounts/members/7a0c/E.json"));
    let (report, code) = json_of(&organization, &[]).await;
    assert_eq!(code, 2, "{report}");
    let notes: Vec<_> =
        report["notes"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert!(
        notes[0].starts_with("AWS did not answer which merged policies it withholds"),
        "{notes:?}"
    );
    assert!(notes[1].starts_with("cannot read s3://state/desired/"), "{notes:?}");
}

#[tokio::test]
async fn the_table_the_csv_and_the_page_say_the_same() {
    let organization = protected().await;
    let account = organization.id("security-000");
    organization.backup(|it| it.vaults_mut().delete(&account, "eu-west-1", "org-backup"));
    let table = report(&organization, &["--missing"]).await.text;
    let rows: Vec<_> = table.lines().filter(|it| it.starts_with("security-000\t")).collect();
    assert_eq!(rows.len(), 1, "{table}");
    for word in ["eu-west-1", "incomplete", "daily", "org-backup (missing)", "is missing"] {
        assert!(rows[0].contains(word), "{word}: {table}");
    }
    let csv = report(&organization, &["--csv"]).await.text;
    assert_eq!(csv.lines().count(), 1 + 12 * 2);
    let beginning = r#""security-000","security-000","Security","#;
    let line = csv.lines().find(|it| it.starts_with(beginning)).unwrap();
    let cells = r#","eu-west-1","incomplete","daily","org-backup (missing)","org-backup","#;
    assert!(line.contains(cells), "{csv}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let ran = report(&organization, &["--html", file.to_str().unwrap()]).await;
    assert_eq!((ran.code, ran.text.lines().count()), (1, 2), "{}", ran.text);
    let page = std::fs::read_to_string(file).unwrap();
    assert!(
        page.contains(&account)
            && page.contains("the vault `org-backup` is missing, or its access policy hides it")
    );
    let missing = report(&organization, &["--html", "/nowhere/report.html"]).await;
    assert_eq!(missing.code, 2);
    assert!(missing.notes.contains("cannot write `/nowhere/report.html`"), "{}", missing.notes);
}

#[tokio::test]
async fn many_policies_are_announced_before_they_are_read_and_read_once() {
    let organization = protected().await;
    let unit = organization.id("Sandbox");
    organization.organization(|it| {
        for number in 0..24 {
            let (name, content) = (format!("n{number}"), plan("daily", &REGIONS, 35).to_string());
            let id = it.create_policy(BACKUP_POLICY, &name, "", &content, &[]).unwrap();
            // Nine have room beside each other.
            if number < 9 {
                it.attach_policy(&id, &unit).unwrap();
            }
        }
    });
    organization.clear_journal();
    let run = report(&organization, &["--no-members"]).await;
    let wait =
        "note: to read 25 backup policies takes up to 14 seconds at the rates that AWS publishes\n";
    let known = " accounts; AWS withholds the merged policy from 0 of them; no sweep is known\n";
    let [known, wait] = [known, wait].map(|it| run.notes.find(it));
    assert!(known.is_some() && known < wait, "{}", run.notes);
    assert_eq!(crate::doctor::repeated(&organization), [""; 0]);
    for operation in ["DescribeOrganization", "GetCallerIdentity", "ListRoots"] {
        assert_eq!(crate::doctor::count(&organization, operation), 1, "{operation}");
    }
}
