//! `org-backup coverage` and `explain`, after nights in which AWS Backup was at work.

use std::collections::BTreeMap;
use std::time::Duration;

use page::plan;
use serde_json::{Value, json};
use simulator::{ExplorerView, Fault, KeyType, Vault};
use tests::command::{Run, org_backup};
use tests::organization::{Organization, backed_up};
use tests::role::STATE_BUCKET;

use crate::hostile_names::is_harmless;
use crate::member_accounts::{MANAGEMENT, ROLE};
use crate::report::{admission, attach, copy_across, protected};

const REGION: &str = "eu-west-1";
const OTHER: &str = "eu-west-3";
pub(crate) const NIGHT: Duration = Duration::from_hours(24);

/// What the tests call a resource, by its ARN.
type Named = BTreeMap<String, String>;

/// An organization in which everything that is tagged `backup: daily` is backed up every night, and
/// copied from one account to the vault of another.
pub(crate) async fn nightly() -> Organization {
    let organization = protected().await;
    let central = organization.id("security-000");
    let copies = format!("arn:aws:backup:{OTHER}:{central}:backup-vault:central");
    copy_nightly(&organization, &copies);
    let id = organization.organization(|it| it.id.clone());
    organization.backup(|it| {
        let vault = Vault::new("central").key("arn:aws:kms:$region:$account:key/mine");
        let vault = vault.key_type(KeyType::CustomerManaged).access_policy(&admission(&id));
        it.vaults_mut().create(&central, OTHER, vault);
    });
    organization
}

/// Has one account backed up every night, with a copy in the vault that has the ARN `copies`.
pub(crate) fn copy_nightly(organization: &Organization, copies: &str) {
    let mut copying = plan("copies", &[REGION], 35);
    let rules = copying["plans"]["copies"]["rules"].as_object_mut().unwrap();
    for rule in rules.values_mut() {
        let copy = json!({ "target_backup_vault_arn": { "@@assign": copies } });
        rule["copy_actions"] = json!({ copies: copy });
    }
    attach(organization, "copies", &copying, "production-001");
    copy_across(organization, true);
}

/// Puts a volume into the account of this name with a value of the tag `backup`.
pub(crate) fn volume(
    organization: &Organization,
    account: &str,
    name: &str,
    backup: &str,
) -> (String, String) {
    let account = organization.id(account);
    let arn = format!("arn:aws:ec2:{REGION}:{account}:volume/vol-{name}");
    put(organization, &arn, "EBS", &account, backup);
    (arn, name.to_owned())
}

fn put(organization: &Organization, arn: &str, kind: &str, account: &str, backup: &str) {
    let tag = (!backup.is_empty()).then_some(("backup", backup));
    organization.put_resource(backed_up(arn, kind, account, REGION, tag));
}

async fn coverage(organization: &Organization, more: &[&str]) -> Run {
    let arguments = ["coverage", "--json", "--member-role", ROLE];
    org_backup(organization, &[&arguments, more].concat()).await
}

/// The state of each resource, by what the test calls it.
fn states(run: &Run, named: &Named) -> BTreeMap<String, String> {
    let printed: Value = serde_json::from_str(&run.printed[0])
        .unwrap_or_else(|it| panic!("{it}: {}\n{}", run.text, run.notes));
    tests::schema::hold("coverage", &printed);
    let all = printed.as_array().unwrap().iter();
    let state = |it: &Value| {
        let name = named.get(it["resource"].as_str().unwrap()).unwrap().clone();
        (name, it["state"].as_str().unwrap().to_owned())
    };
    all.map(state).collect()
}

fn expected(states: &[(&str, &str)]) -> BTreeMap<String, String> {
    states.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect()
}

#[tokio::test]
async fn every_state_is_told_of_the_resource_that_is_in_it() {
    let organization = nightly().await;
    let put_volume = |account, name, backup| volume(&organization, account, name, backup);
    let mut named: Named = [
        put_volume("production-001", "fresh", "daily"),
        put_volume("production-001", "misspelt", "Daily"),
        put_volume("production-001", "excluded", "never"),
        put_volume("production-001", "late", "daily"),
        put_volume("development-005", "failing", "daily"),
    ]
    .into();
    let account = organization.id("production-001");
    let file_system = format!("arn:aws:elasticfilesystem:{REGION}:{account}:file-system/fs-1");
    put(&organization, &file_system, "EFS", &account, "daily");
    named.insert(file_system, "opted-out".to_owned());
    organization.backup(|it| {
        let off = [("EFS".to_owned(), false)].into();
        it.update_region_settings(MANAGEMENT, REGION, &off, &[].into()).unwrap();
    });
    let key = "desired/member-accounts/members/7a0c/E.json";
    let kept = organization.object(STATE_BUCKET, key).unwrap();
    let mut kept: Value = serde_json::from_str(&kept).unwrap();
    kept["Properties"]["ExcludedTags"] = json!(["backup=never"]);
    organization.buckets(|it| it.put(STATE_BUCKET, key, kept.to_string()));
    organization.let_go_by(2 * NIGHT);
    // On the third night a vault is gone, and the backup of one volume fails.
    let other = organization.id("development-005");
    organization.backup(|it| it.vaults_mut().delete(&other, REGION, "org-backup"));
    let late = named.iter().find(|it| it.1 == "late").unwrap().0.clone();
    organization.fail_backups(&late, NIGHT);
    organization.let_go_by(NIGHT);
    named.extend([volume(&organization, "production-001", "new", "daily")]);

    let run = coverage(&organization, &[]).await;
    let wanted = [
        ("excluded", "excluded"),
        ("failing", "failing"),
        ("fresh", "fresh"),
        ("late", "late"),
        ("misspelt", "not-selected"),
        ("new", "first-due"),
        ("opted-out", "opted-out"),
    ];
    assert_eq!(states(&run, &named), expected(&wanted), "{}{}", run.text, run.notes);
    assert_eq!(run.code, 1, "{}", run.notes);
    let notes = "resources without tags were not looked for";
    assert!(run.notes.contains(notes), "{}", run.notes);

    let text = org_backup(&organization, &["coverage", "--member-role", ROLE]).await;
    for words in [
        "1 resource failing: there is no vault",
        "1 resource late: the last job failed",
        "the tag `backup` is `Daily`, and the selection takes `daily`",
        "the management account has not opted in to EFS in eu-west-1",
    ] {
        assert!(text.text.contains(words), "{words}\n{}", text.text);
    }
    assert_eq!(text.code, 1);

    let run = coverage(&organization, &["--state", "fresh,excluded"]).await;
    assert_eq!(states(&run, &named), expected(&[("excluded", "excluded"), ("fresh", "fresh")]));
    assert_eq!(run.code, 0, "only what is well was asked for: {}", run.notes);
    let csv = org_backup(
        &organization,
        &["coverage", "--member-role", ROLE, "--format", "csv", "--tag", "backup=Daily"],
    );
    let csv = csv.await;
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    assert!(csv.text.contains("not-selected"), "{}", csv.text);
}

#[tokio::test]
async fn copies_are_looked_at_where_they_go() {
    let organization = nightly().await;
    let (arn, _) = volume(&organization, "production-001", "copied", "daily");
    organization.let_go_by(2 * NIGHT);
    let copies = async || {
        let run = coverage(&organization, &["--account", &organization.id("production-001")]).await;
        let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
        let owed = printed[0]["owed"].as_array().unwrap().clone();
        let copies = owed.iter().flat_map(|it| it["copies"].as_array().unwrap().clone());
        (copies.map(|it| it["state"].clone()).collect::<Vec<_>>(), run)
    };
    let (states, run) = copies().await;
    assert_eq!((states, run.code), (vec![json!("fresh")], 0), "{}\n{}", run.text, run.notes);
    let central = organization.id("security-000");
    organization.backup(|it| it.vaults_mut().delete(&central, OTHER, "central"));
    let (states, run) = copies().await;
    assert_eq!((states, run.code), (vec![json!("no-destination")], 1), "{}", run.notes);

    let explained = org_backup(&organization, &["explain", &arn, "--member-role", ROLE]).await;
    for words in [
        "taken by the selection `tagged` of the plan",
        "the rule `every-night` of the plan `copies`: fresh",
        "the destination does not exist",
        "no restore test in the last 30 days",
    ] {
        assert!(explained.text.contains(words), "{words}\n{}", explained.text);
    }
    assert_eq!(explained.code, 1, "{}", explained.notes);
    let explained =
        org_backup(&organization, &["explain", &arn, "--member-role", ROLE, "--json"]).await;
    let one: Value = serde_json::from_str(&explained.printed[0]).unwrap();
    tests::schema::hold("coverage", &json!([one]));
}

#[tokio::test]
async fn copies_are_missing_or_late_when_they_are_not_made_any_more() {
    let organization = nightly().await;
    let (older, _) = volume(&organization, "production-001", "older", "daily");
    organization.let_go_by(NIGHT);
    copy_across(&organization, false);
    let (newer, _) = volume(&organization, "production-001", "newer", "daily");
    organization.let_go_by(2 * NIGHT);
    let run = coverage(&organization, &[]).await;
    let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
    let of = |arn: &str| {
        let all = printed.as_array().unwrap().iter();
        let mut one = all.filter(|it| it["resource"] == arn);
        let owed = one.next().unwrap()["owed"].as_array().unwrap().clone();
        let copies = owed.iter().flat_map(|it| it["copies"].as_array().unwrap().clone());
        copies.map(|it| (it["state"].clone(), it["obstacles"][0]["code"].clone())).next().unwrap()
    };
    assert_eq!(of(&older), (json!("late"), json!("cross-account-off")), "{}", run.notes);
    assert_eq!(of(&newer), (json!("missing"), json!("cross-account-off")), "{}", run.notes);
    assert_eq!(run.code, 1);
}

#[tokio::test]
async fn a_type_that_the_region_lacks_is_not_supported_and_nobody_has_to_do_anything() {
    let organization = nightly().await;
    let account = organization.id("production-001");
    let arn = format!("arn:aws:elasticfilesystem:{REGION}:{account}:file-system/fs-1");
    put(&organization, &arn, "EFS", &account, "daily");
    organization.backup(|it| it.set_supported_resource_types(REGION, &["EBS", "RDS"]));
    let run = coverage(&organization, &[]).await;
    let named: Named = [(arn, "here".to_owned())].into();
    assert_eq!(states(&run, &named), expected(&[("here", "not-supported")]), "{}", run.notes);
    assert_eq!(run.code, 0, "{}", run.notes);
}

#[tokio::test]
async fn other_programs_get_the_resources_that_somebody_has_to_do_something_about() {
    let organization = nightly().await;
    let (fresh, _) = volume(&organization, "production-001", "fresh", "daily");
    let (other, _) = volume(&organization, "production-001", "other", "Daily");
    organization.let_go_by(2 * NIGHT);
    let account = organization.id("production-001");
    let run = async |format: &str| {
        let arguments = ["coverage", "--member-role", ROLE, "--account", &account];
        let arguments = [&arguments[..], &["--format", format]].concat();
        let run = org_backup(&organization, &arguments).await;
        assert_eq!(run.code, 1, "{format}: {}", run.notes);
        run.printed[0].clone()
    };
    let github = run("github").await;
    assert_eq!(github.lines().count(), 1, "{github}");
    let begin = format!("::error::{other}: not backed up: the nearest selection is `tagged`");
    assert!(github.starts_with(&begin), "{github}");

    let gitlab: Value = serde_json::from_str(&run("gitlab").await).unwrap();
    let [issue] = gitlab.as_array().unwrap().as_slice() else { panic!("{gitlab}") };
    assert_eq!(
        (&issue["check_name"], &issue["severity"]),
        (&json!("not-selected"), &json!("major"))
    );
    assert_eq!(issue["location"], json!({ "path": other, "lines": { "begin": 1 } }));

    let sarif: Value = serde_json::from_str(&run("sarif").await).unwrap();
    let result = &sarif["runs"][0]["results"];
    assert_eq!(result.as_array().map(Vec::len), Some(1), "{sarif}");
    let location = json!([{ "fullyQualifiedName": other, "kind": "resource" }]);
    assert_eq!(result[0]["locations"][0], json!({ "logicalLocations": location }));
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"], json!([{ "id": "not-selected" }]));

    let junit = run("junit").await;
    tests::schema::hold_xml("junit", &junit);
    let document = roxmltree::Document::parse(&junit).unwrap();
    let cases = document.descendants().filter(|it| it.has_tag_name("testcase"));
    let cases: Vec<_> =
        cases.map(|it| (it.attribute("name").unwrap().to_owned(), it.has_children())).collect();
    assert_eq!(cases, [(fresh, false), (other, true)], "{junit}");
    let suite = document.descendants().find(|it| it.has_tag_name("testsuite")).unwrap();
    let told = ["name", "tests", "failures"].map(|it| suite.attribute(it).unwrap());
    assert_eq!(told, [account.as_str(), "2", "1"]);
}

#[tokio::test]
async fn tags_and_names_do_not_speak() {
    let organization = nightly().await;
    let (arn, _) = volume(
        &organization,
        "production-001",
        "a\u{1b}[2J\u{202e}",
        "\u{1b}[31mDaily\n::error::forged\r\n=cmd|' /C calc'!A0",
    );
    let view = ExplorerView::organization("everything");
    let region = organization.region();
    organization.explorer(|it| it.put(MANAGEMENT, &region, view));
    for arguments in [
        vec!["coverage", "--member-role", ROLE],
        vec!["coverage", "--member-role", ROLE, "--json"],
        vec!["coverage", "--member-role", ROLE, "--format", "csv"],
        vec!["coverage", "--member-role", ROLE, "--format", "gitlab"],
        vec!["coverage", "--member-role", ROLE, "--format", "sarif"],
        vec!["coverage", "--member-role", ROLE, "--format", "junit"],
        vec!["explain", arn.as_str(), "--member-role", ROLE],
        vec!["explain", arn.as_str(), "--member-role", ROLE, "--json"],
    ] {
        let run = org_backup(&organization, &arguments).await;
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.notes);
        for printed in &run.printed {
            is_harmless(printed);
        }
    }
}

#[tokio::test]
async fn what_nobody_could_look_at_is_not_known_and_the_rest_is_shown() {
    let organization = nightly().await;
    let named: Named = [
        volume(&organization, "production-001", "seen", "daily"),
        volume(&organization, "development-005", "barred", "daily"),
    ]
    .into();
    organization.let_go_by(2 * NIGHT);
    let other = organization.id("development-005");
    organization.iam(|it| it.delete_role(&other, ROLE));
    let view = ExplorerView::organization("everything");
    let region = organization.region();
    organization.explorer(|it| it.put(MANAGEMENT, &region, view));
    let run = coverage(&organization, &[]).await;
    let wanted = [("barred", "not-known"), ("seen", "fresh")];
    assert_eq!(states(&run, &named), expected(&wanted), "{}", run.notes);
    assert_eq!(run.code, 2);
    assert!(run.notes.contains("not looked at: the account development-005"), "{}", run.notes);
    let unentered = ["coverage", "--member-role", "org-backup-membre"];
    let run = org_backup(&organization, &unentered).await;
    let is_barred =
        |it: &&str| it.contains("cannot assume the role") && !it.contains("copies go to");
    let barred = run.notes.lines().filter(is_barred);
    let barred: Vec<_> = barred.collect();
    let begin = "not looked at: 10 accounts could not be entered, such as development-00";
    assert!(matches!(barred[..], [it] if it.starts_with(begin)), "{}", run.notes);
    assert_eq!(run.code, 2);
}

#[tokio::test]
async fn a_resource_without_tags_is_named_by_resource_explorer_only() {
    let organization = nightly().await;
    let named: Named = [volume(&organization, "production-001", "bare", "")].into();
    let run = coverage(&organization, &[]).await;
    assert_eq!((states(&run, &named), run.code), (expected(&[]), 0), "{}", run.notes);
    let view = ExplorerView::organization("everything");
    let region = organization.region();
    organization.explorer(|it| it.put(MANAGEMENT, &region, view));
    let run = coverage(&organization, &[]).await;
    assert_eq!(states(&run, &named), expected(&[("bare", "not-selected")]), "{}", run.notes);
    assert_eq!(run.code, 1);
}

#[tokio::test]
async fn a_call_that_is_denied_in_the_middle_leaves_the_rest_and_exits_with_2() {
    let organization = nightly().await;
    let named: Named = [volume(&organization, "production-001", "fresh", "daily")].into();
    organization.let_go_by(2 * NIGHT);
    organization.fail(Fault::error("ListBackupJobs", "AccessDeniedException").forever());
    let run = coverage(&organization, &[]).await;
    assert_eq!(states(&run, &named), expected(&[("fresh", "fresh")]), "{}", run.notes);
    assert_eq!(run.code, 2);
    assert!(run.notes.contains("cannot list the backup jobs"), "{}", run.notes);
}

#[tokio::test]
async fn an_inventory_tells_what_is_new_from_what_was_never_backed_up() {
    let organization = nightly().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seen.json");
    let arguments = ["--inventory", file.to_str().unwrap()];
    let (arn, name) = volume(&organization, "production-001", "never", "daily");
    let named: Named = [(arn.clone(), name)].into();
    organization.fail_backups(&arn, 3 * NIGHT);
    let run = coverage(&organization, &arguments).await;
    assert_eq!(states(&run, &named), expected(&[("never", "first-due")]), "{}", run.notes);
    organization.let_go_by(2 * NIGHT);
    let run = coverage(&organization, &arguments).await;
    assert_eq!(states(&run, &named), expected(&[("never", "late")]), "{}", run.notes);
}

#[tokio::test]
async fn what_is_asked_for_has_to_be_there() {
    let organization = nightly().await;
    for (arguments, words) in [
        (["coverage", "--account", "999999999999"], "is not in the organization"),
        (["explain", "arn:aws:s3:::reports", "--json"], "names no account"),
        (["explain", "no-arn", "--json"], "no inventory of the account names the resource"),
    ] {
        let run = org_backup(&organization, &arguments).await;
        assert!(run.code == 2 && run.notes.contains(words), "{arguments:?}: {}", run.notes);
    }
}
