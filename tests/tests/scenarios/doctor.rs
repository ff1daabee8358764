//! `org-backup doctor`: what backup policies need, in an organization where one thing is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Role, Settings, Stack, Trail};
use tests::command::{Run, command, org_backup, org_backup_as, org_backup_watched, ran};
use tests::organization::{Organization, backed_up, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::{STATE_BUCKET, STATE_KEY};
use tests::template::Template;

const BACKUP: &str = "backup.amazonaws.com";

/// An organization in which everything is deployed and nothing is wrong.
async fn healthy() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_encrypted(STATE_BUCKET, STATE_KEY));
    organization.kms(|it| {
        let id = STATE_KEY.rsplit('/').next().unwrap();
        it.create("111122223333", "us-east-1", id, simulator::KeyManager::Customer);
    });
    organization.topics(|it| it.create(TOPIC));
    for (function, properties) in [
        ("service-access", json!({ "ServicePrincipals": [BACKUP], "StackSets": true })),
        ("policy-types", json!({ "PolicyTypes": [BACKUP_POLICY] })),
        ("global-settings", json!({ "CrossAccountBackup": true })),
        ("backup-policy", json!({ "Name": "daily", "Content": document(5), "TargetIds": "root" })),
    ] {
        let _ = organization.stack(function).kept().create(properties).await.ok();
    }
    organization.trails(|it| it.put(Trail::new("everything", "eu-north-1")));
    let reattach = Reattach::start(&organization, "Repair").await;
    let _ = reattach.sweep().await;
    organization.clear_journal();
    organization
}

/// The checks that are not `ok`, as verdict and name.
fn unwell(run: &Run) -> Vec<(String, String)> {
    let checks = run.held("doctor");
    let checks = checks.as_array().unwrap().iter();
    let unwell = checks
        .filter(|it| it["verdict"] != "ok")
        .map(|it| [&it["verdict"], &it["check"]].map(|it| it.as_str().unwrap().to_owned()).into());
    unwell.collect()
}

#[tokio::test]
async fn doctor_finds_nothing_where_everything_is_deployed_and_writes_nothing() {
    let organization = healthy().await;
    let run = org_backup(&organization, &["doctor"]).await;
    assert_eq!(run.code, 0, "{}", run.notes);
    assert_eq!(run.text.lines().count(), 16);
    for line in run.text.lines() {
        assert!(line.starts_with("ok       "), "{}", run.text);
    }
    assert_eq!(organization.lines(|it| it.write), "");
}

/// Something that is wrong, and the check that finds it.
type Ailment = (&'static str, &'static str, fn(&Organization));

#[tokio::test]
async fn doctor_finds_each_single_thing_that_is_wrong() {
    let ailments: [Ailment; 13] = [
        ("problem", "all features", |it| {
            it.organization(|it| it.feature_set = simulator::FeatureSet::ConsolidatedBilling);
        }),
        ("problem", "policy type", |it| {
            let root = it.id("root");
            it.organization(|it| it.disable_policy_type(&root, BACKUP_POLICY).unwrap());
        }),
        ("problem", "trusted access", |it| {
            it.organization(|it| {
                let root = it.root.clone();
                it.disable_policy_type(&root, BACKUP_POLICY).unwrap();
                it.disable_service_access(BACKUP).unwrap();
                it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
            });
        }),
        ("problem", "cross-account backup", |it| {
            let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
            it.backup(|it| it.update_global_settings(&off).unwrap());
        }),
        ("problem", "StackSets", |it| it.set_stack_sets(false)),
        ("problem", "CloudTrail", |it| {
            let silent = Trail { is_logging: false, ..Trail::new("everything", "eu-north-1") };
            it.trails(|it| it.put(silent));
        }),
        ("problem", "CloudTrail", |it| {
            let elsewhere = Trail { is_multi_region: false, ..Trail::new("x", "eu-north-1") };
            it.trails(|it| {
                it.clear();
                it.put(elsewhere);
            });
        }),
        ("warning", "ownership", |it| {
            it.foreign_policy("theirs", &["Sandbox"]);
        }),
        ("warning", "quotas", |it| {
            let unit = it.id("Sandbox");
            it.organization(|it| {
                for number in 0..9 {
                    let (name, content) = (format!("n{number}"), document(4).to_string());
                    let tags = [("org-backup:owner".to_owned(), "a/b/C".to_owned())];
                    let id = it.create_policy(BACKUP_POLICY, &name, "", &content, &tags).unwrap();
                    it.attach_policy(&id, &unit).unwrap();
                }
            });
        }),
        ("problem", "effective policies", |it| {
            let unit = it.id("Sandbox");
            let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
            it.organization(|it| {
                let tags = [("org-backup:owner".to_owned(), "a/b/C".to_owned())];
                let content = half.to_string();
                let id = it.create_policy(BACKUP_POLICY, "half", "", &content, &tags).unwrap();
                it.attach_policy(&id, &unit).unwrap();
            });
        }),
        ("problem", "desired state", |it| {
            it.buckets(|it| it.put(STATE_BUCKET, "desired/policy-types/a/b/C.json", "{}"));
        }),
        ("problem", "keys", |it| {
            it.kms(|it| it.set_state(STATE_KEY.rsplit('/').next().unwrap(), "PendingDeletion"));
        }),
        ("problem", "last sweep", |it| {
            it.buckets(|it| it.put(STATE_BUCKET, "health/last-sweep.json", r#"{"Time":1}"#));
        }),
    ];
    for (verdict, check, spoil) in ailments {
        let organization = healthy().await;
        spoil(&organization);
        let run = org_backup(&organization, &["doctor", "--json"]).await;
        // Without all features, AWS says no more than that.
        let found: Vec<_> = unwell(&run).into_iter().filter(|it| it.0 != "unknown").collect();
        assert_eq!(found, [(verdict.to_owned(), check.to_owned())], "{}", run.text);
        let is_unknown = unwell(&run).iter().any(|it| it.0 == "unknown");
        let code = if is_unknown { 2 } else { i32::from(verdict == "problem") };
        assert_eq!(run.code, code, "{}", run.notes);
    }
}

#[tokio::test]
async fn a_record_of_the_last_sweep_that_says_nothing_is_unknown_and_not_no_sweep() {
    let organization = healthy().await;
    organization.buckets(|it| it.put(STATE_BUCKET, "health/last-sweep.json", "yesterday"));
    let run = org_backup(&organization, &["doctor", "--json"]).await;
    let unknown = ("unknown".to_owned(), "last sweep".to_owned());
    assert!(unwell(&run).contains(&unknown), "{}", run.text);
    assert!(run.text.contains("it is not the record of a sweep"), "{}", run.text);
    assert_eq!(run.code, 2, "{}", run.notes);
}

#[tokio::test]
async fn doctor_looks_at_the_key_of_the_central_vault_where_it_is_let_in() {
    let organization = healthy().await;
    let central = organization.id("security-000");
    let vault = simulator::Vault::new("central").key("arn:aws:kms:$region:$account:key/copies");
    organization.backup(|it| it.vaults_mut().create(&central, "eu-west-3", vault));
    organization.kms(|it| {
        it.create(&central, "eu-west-3", "copies", simulator::KeyManager::Customer);
        it.set_state("copies", "PendingDeletion");
    });
    let arn = format!("arn:aws:backup:eu-west-3:{central}:backup-vault:central");
    let mut copying = document(4);
    copying["plans"]["daily"]["rules"]["nightly"]["copy_actions"] =
        json!({ &arn: { "target_backup_vault_arn": { "@@assign": arn } } });
    organization.organization(|it| {
        let tags = [("org-backup:owner".to_owned(), "a/b/C".to_owned())];
        let content = copying.to_string();
        let _ = it.create_policy(BACKUP_POLICY, "copies", "", &content, &tags).unwrap();
    });
    organization.clear_journal();
    let keys = async |arguments: &[&str]| {
        let run = org_backup(&organization, &[&["doctor"], arguments].concat()).await;
        let line = run.text.lines().find(|it| it.contains(" keys: ")).unwrap().to_owned();
        (line, run.code)
    };
    let (line, code) = keys(&[]).await;
    let expected = "ok       keys: 1 key encrypts and decrypts; not looked at: the key of the vault \
                    `central` of security-000 in eu-west-3, for which `--member-role` names a role of \
                    its account";
    assert_eq!((line.as_str(), code), (expected, 0));
    // Nobody gets in there.
    let (line, code) = keys(&["--member-role", "Auditor"]).await;
    let beginning = "unknown  keys: the key of the vault `central` of security-000 in eu-west-3: \
                     cannot assume the role arn:aws:iam::security-000:role/Auditor";
    assert!(line.starts_with(beginning), "{line}");
    assert_eq!(code, 2);
    organization.iam(|it| {
        it.create_role(&central, crate::member_accounts::role_everywhere("Auditor"));
    });
    let (line, code) = keys(&["--member-role", "Auditor"]).await;
    let beginning = "problem  keys: the key of the vault `central` of security-000 in eu-west-3 is to \
                     be deleted; hint: ";
    assert!(line.starts_with(beginning), "{line}");
    assert_eq!(code, 1);
    assert_eq!(organization.lines(|it| it.write), "");
}

#[tokio::test]
async fn doctor_asks_for_the_forwarder_where_the_stacks_are_elsewhere() {
    let organization = healthy().await;
    let arguments = ["doctor", "--json", "--region", "eu-west-1"];
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(unwell(&run), [("problem".to_owned(), "Region of events".to_owned())]);
    let description = Template::named("event-forwarder.yaml").body["Description"].clone();
    let description = description.as_str().unwrap().to_owned();
    let stack = |status: &str| Stack {
        name: "events".to_owned(),
        description: description.clone(),
        status: status.to_owned(),
        ..Stack::default()
    };
    organization.stacks(|it| it.put("us-east-1", stack("UPDATE_COMPLETE")));
    let run = org_backup(&organization, &arguments).await;
    assert_eq!((unwell(&run), run.code), (vec![], 0), "{}", run.text);
    organization.stacks(|it| it.put("us-east-1", stack("CREATE_FAILED")));
    let run = org_backup(&organization, &arguments).await;
    assert_eq!(unwell(&run), [("problem".to_owned(), "Region of events".to_owned())]);
}

/// Makes so many policies of ours, which nobody has attached.
fn many_policies(organization: &Organization, count: usize) {
    organization.organization(|it| {
        let tags = [("org-backup:owner".to_owned(), "a/b/C".to_owned())];
        for number in 0..count {
            let (name, content) = (format!("n{number}"), document(4).to_string());
            it.create_policy(BACKUP_POLICY, &name, "", &content, &tags).unwrap();
        }
    });
}

/// The reads of a policy or target that were sent more than once. A listing takes more than one page.
pub(crate) fn repeated(organization: &Organization) -> Vec<String> {
    const OF_ONE: [&str; 4] =
        ["DescribePolicy", "ListPoliciesForTarget", "ListTagsForResource", "ListTargetsForPolicy"];
    let mut seen = BTreeSet::new();
    let sent = organization.journal().into_iter();
    let sent = sent.filter(|it| OF_ONE.contains(&it.operation.as_str())).map(|it| it.to_string());
    sent.filter(|it| !seen.insert(it.clone())).collect()
}

#[tokio::test]
async fn many_policies_are_waited_for_after_what_is_known_at_once() {
    let organization = healthy().await;
    // At half a second each.
    many_policies(&organization, 24);
    let (lines, notes) = org_backup_watched(&organization, &["doctor"]).await;
    assert_eq!(lines.len(), 16, "{lines:?}");
    let wait =
        "note: to read 25 backup policies takes up to 14 seconds at the rates that AWS publishes\n";
    assert!(notes.ends_with(wait), "{notes}");
    let (early, late) = (lines[11].0, lines[12].0);
    assert!(early + Duration::from_secs(5) < late, "{early:?} {late:?}");
    assert!(lines[11].1.contains("last sweep"), "{lines:?}");
    assert_eq!(repeated(&organization), [""; 0]);
    organization.clear_journal();
    let (lines, notes) = org_backup_watched(&organization, &["doctor", "--json"]).await;
    assert!(notes.ends_with(wait) && lines[0].0 >= Duration::from_secs(5), "{notes}");
}

/// How often an operation was sent.
pub(crate) fn count(organization: &Organization, operation: &str) -> usize {
    organization.journal().iter().filter(|it| it.operation == operation).count()
}

#[tokio::test]
async fn doctor_asks_once_what_several_checks_need() {
    let organization = healthy().await;
    // A vault that one plan keeps backups in and that another copies to.
    let management = organization.organization(|it| it.management_account.clone());
    let vault = simulator::Vault::new("main").key("arn:aws:kms:$region:$account:key/own");
    organization.backup(|it| it.vaults_mut().create(&management, "eu-west-1", vault));
    organization.kms(|it| {
        it.create(&management, "eu-west-1", "own", simulator::KeyManager::Customer);
    });
    let arn = format!("arn:aws:backup:eu-west-1:{management}:backup-vault:main");
    let copy = json!({ &arn: { "target_backup_vault_arn": { "@@assign": arn } } });
    for (name, region, key, value) in [
        ("keeping", "eu-west-1", "target_backup_vault_name", json!({ "@@assign": "main" })),
        ("copying", "eu-west-3", "copy_actions", copy),
    ] {
        let mut content = page::plan(name, &[region], 35);
        content["plans"][name]["rules"]["every-night"][key] = value;
        organization.organization(|it| {
            let tags = [("org-backup:owner".to_owned(), "a/b/C".to_owned())];
            let content = content.to_string();
            let _ = it.create_policy(BACKUP_POLICY, name, "", &content, &tags).unwrap();
        });
    }
    organization.clear_journal();
    let run = org_backup(&organization, &["doctor"]).await;
    assert_eq!(run.code, 0, "{}{}", run.text, run.notes);
    for operation in [
        "DescribeGlobalSettings",
        "DescribeOrganization",
        "GetCallerIdentity",
        "ListAWSServiceAccessForOrganization",
        "ListAccountsWithInvalidEffectivePolicy",
        "ListRoots",
    ] {
        assert_eq!(count(&organization, operation), 1, "{operation}");
    }
    // The key of the state, and that of the vault.
    assert_eq!(count(&organization, "DescribeKey"), 2);
    assert_eq!(count(&organization, "GetBackupVaultAccessPolicy"), 0);
    assert_eq!(repeated(&organization), [""; 0]);
}

#[tokio::test]
async fn doctor_says_which_account_is_the_right_one() {
    let organization = healthy().await;
    let member = organization.id("security-000");
    let run = org_backup_as(&organization, &member, &["doctor"]).await;
    assert_eq!(run.code, 2, "{}", run.notes);
    let line = "problem  management account: you are in account security-000, and the management \
                account is management; hint: use credentials of management,";
    assert!(run.text.starts_with(line), "{}", run.text);
    let run = org_backup_as(&organization, "999999999999", &["doctor"]).await;
    assert_eq!(run.code, 2, "{}", run.notes);
    let line = "problem  management account: account 999999999999 is not in an organization";
    assert!(run.text.starts_with(line), "{}", run.text);
}

/// The policy that we tell readers to attach, with the names of this organization.
pub(crate) fn reader_policy() -> Value {
    let text = include_str!("../../../docs/read-only-policy.json");
    let text = text.replace("STATE_BUCKET", STATE_BUCKET);
    let text = text.replace("STATE_KEY_ARN", STATE_KEY);
    let text = text.replace("MEMBER_ROLE", crate::member_accounts::ROLE);
    serde_json::from_str(&text).unwrap()
}

/// A session of a role in the management account that allows this.
pub(crate) fn reader(organization: &Organization, policy: &Value) -> String {
    let management = organization.organization(|it| it.management_account.clone());
    let role = Role::trusting_account("Reader", &management).allowing(policy);
    organization.iam(|it| it.create_role(&management, role));
    organization.session(&format!("arn:aws:iam::{management}:role/Reader"), "person")
}

/// The actions of a policy.
fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| match &it["Action"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    actions.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_denied_call_makes_its_check_unknown_and_names_the_action() {
    let organization = healthy().await;
    for (action, checks) in [
        ("backup:DescribeGlobalSettings", vec!["cross-account backup"]),
        ("cloudformation:DescribeOrganizationsAccess", vec!["StackSets"]),
        ("cloudtrail:DescribeTrails", vec!["CloudTrail"]),
        ("cloudtrail:GetTrailStatus", vec!["CloudTrail"]),
        ("cloudtrail:GetEventSelectors", vec!["CloudTrail"]),
        // AWS Backup asks for it as well, on behalf of the caller that asks for its settings.
        (
            "organizations:DescribeOrganization",
            vec!["management account", "all features", "cross-account backup"],
        ),
        ("organizations:ListRoots", vec!["policy type"]),
        ("organizations:ListAWSServiceAccessForOrganization", vec!["trusted access"]),
        ("organizations:ListDelegatedAdministrators", vec!["delegated administrators"]),
        ("organizations:ListPolicies", vec!["quotas", "ownership", "Regions of copies"]),
        ("organizations:ListAccountsWithInvalidEffectivePolicy", vec!["effective policies"]),
        ("s3:ListBucket", vec!["desired state"]),
        ("s3:GetObject", vec!["desired state", "last sweep"]),
        ("s3:GetEncryptionConfiguration", vec!["keys"]),
        ("kms:DescribeKey", vec!["keys"]),
    ] {
        let mut policy = reader_policy();
        let deny = json!({ "Effect": "Deny", "Action": action, "Resource": "*" });
        policy["Statement"].as_array_mut().unwrap().push(deny);
        let key = reader(&organization, &policy);
        let run = org_backup_as(&organization, &key, &["doctor", "--json"]).await;
        let unknown: Vec<_> =
            checks.iter().map(|it| ("unknown".to_owned(), (*it).to_owned())).collect();
        assert_eq!(unwell(&run), unknown, "{action}: {}", run.text);
        let found = run.json();
        let found = found.as_array().unwrap().iter().filter(|it| it["verdict"] == "unknown");
        for it in found {
            assert_eq!(it["fix"], format!("your credentials need the permission {action}"));
        }
        assert_eq!(run.code, 2, "{action}: {}", run.notes);
    }
}

/// Has a volume of the management account backed up, which a plan of its own takes as well and Resource
/// Explorer knows.
fn back_up(organization: &Organization, management: &str) {
    let region = "eu-west-1";
    organization.backup(|it| {
        it.vaults_mut().create(management, region, simulator::Vault::new("org-backup"));
        let on = [("EBS".to_owned(), true)].into();
        it.update_region_settings(management, region, &on, &[].into()).unwrap();
    });
    crate::report::attach(organization, "nightly", &page::plan("nightly", &[region], 35), "root");
    let arn = format!("arn:aws:ec2:{region}:{management}:volume/vol-1");
    let tag = Some(("backup", "daily"));
    organization.put_resource(backed_up(&arn, "EBS", management, region, tag));
    let selection = json!({
        "SelectionName": "own", "IamRoleArn": "arn:aws:iam::111122223333:role/own",
        "Resources": [arn],
    });
    let plan = json!({ "BackupPlanName": "own", "Rules": [] });
    organization.backup(|it| it.plans_mut().create(management, region, plan, &[selection]));
    let view = simulator::ExplorerView::organization("everything");
    let home = organization.region();
    organization.explorer(|it| it.put(management, &home, view));
    organization.let_go_by(std::time::Duration::from_hours(48));
    assert!(!organization.recovery_points().is_empty(), "{:?}", organization.skipped_backups());
}

#[tokio::test]
async fn the_policy_for_readers_allows_what_the_commands_call_and_nothing_else() {
    let organization = healthy().await;
    organization.iam(|it| it.create_role_everywhere(crate::member_accounts::member_role()));
    // What a run found in an account that cannot be entered.
    let barred = organization.id("security-000");
    organization.iam(|it| {
        it.delete_role(&barred, crate::member_accounts::ROLE);
        let anything =
            json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
        let trust = json!({ "Statement": {
            "Effect": "Allow", "Principal": { "Service": BACKUP }, "Action": "sts:AssumeRole",
        } });
        it.create_role_everywhere(Role::new("org-backup", &trust).allowing(&anything));
    });
    organization.buckets(|it| it.put(STATE_BUCKET, "runs/5d3c/report.jsonl", String::new()));
    let policy = reader_policy();
    let key = reader(&organization, &policy);
    // Everything that there is to look at: a new administrator, moved policies, half a plan.
    let (_folder, file) = crate::plan::template(&json!({
        "Access": { "Type": "Custom::ServiceAccess", "Properties": {
            "ServicePrincipals": [BACKUP], "StackSets": true, "DelegatedAdministrators": [{
                "AccountId": organization.id("security-000"), "ServicePrincipal": BACKUP,
            }],
        } },
        "Switches": { "Type": "Custom::BackupGlobalSettings", "Properties": { "CrossAccountBackup": true } },
        "Daily": { "Type": "Custom::BackupPolicy", "Properties": {
            "Name": "new", "Content": document(6), "TargetIds": [organization.id("Sandbox")],
        } },
        "Members": { "Type": "Custom::MemberAccounts", "Properties":
            crate::member_accounts::properties(json!({
                "OptIn": "All", "VaultName": "main", "BackupRoleName": "org-backup",
            })) },
    }));
    organization.foreign_policy("theirs", &["Sandbox", "root"]);
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    let unit = organization.id("Sandbox");
    organization.organization(|it| {
        let id = it.create_policy(BACKUP_POLICY, "half", "", &half.to_string(), &[]).unwrap();
        it.attach_policy(&id, &unit).unwrap();
    });
    let management = organization.organization(|it| it.management_account.clone());
    for region in crate::member_accounts::REGIONS {
        let key = format!("arn:aws:kms:{region}:{management}:key/0b6a9f4e");
        organization.kms(|it| {
            it.create(&management, region, "0b6a9f4e", simulator::KeyManager::Customer);
        });
        let vault = simulator::Vault::new("main").key(&key);
        organization.backup(|it| {
            it.vaults_mut().create_everywhere(simulator::Vault::new("main"));
            it.vaults_mut().create(&management, region, vault);
        });
    }
    crate::plan::is_deployed(&organization, &json!({ "Resources": {} }), &[]);
    back_up(&organization, &management);
    organization.clear_journal();
    for arguments in [
        vec!["doctor"],
        vec!["plan"],
        vec!["plan", "--template", &file],
        vec!["plan", "--template", &file, "--stack", "backups"],
        vec!["doctor", "--region", "eu-west-1"],
        vec!["effective", "--live", &barred, "--move-to", &unit],
    ] {
        let run = org_backup_as(&organization, &key, &arguments).await;
        assert!(!run.text.contains("AccessDenied"), "{}", run.text);
        assert!(!run.notes.contains("AccessDenied"), "{}", run.notes);
    }
    // Where no state bucket is named, it is looked for.
    let mut searching = command(&organization, &key);
    searching.arg("doctor");
    let _ = ran(&organization, searching).await;
    // These tell of the account that cannot be entered.
    for command in ["report", "coverage"] {
        let _ = org_backup_as(&organization, &key, &[command]).await;
    }
    let mut called = BTreeSet::new();
    for it in organization.journal() {
        let is_barred = it.operation == "AssumeRole" && it.to_string().contains(&barred);
        // So AWS answers for a vault that does not exist.
        let is_missing = it.operation == "DescribeBackupVault";
        assert!(is_barred || is_missing || !it.to_string().contains("AccessDenied"), "{it}");
        assert!(!it.write, "{it}");
        let service = it.service.prefix().unwrap_or_default();
        match it.operation.as_str() {
            "ListObjectsV2" => called.insert("s3:ListBucket".to_owned()),
            "GetBucketEncryption" => called.insert("s3:GetEncryptionConfiguration".to_owned()),
            // Everybody may.
            "GetCallerIdentity" => true,
            operation => called.insert(format!("{service}:{operation}")),
        };
    }
    // S3 decrypts on behalf of the caller, Resource Explorer searches to list, and the last two are for
    // an AWS that does not say where accounts are.
    called.extend(
        [
            "kms:Decrypt",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
            "resource-explorer-2:Search",
        ]
        .map(ToOwned::to_owned),
    );
    assert_eq!(actions(&policy), called);
}
