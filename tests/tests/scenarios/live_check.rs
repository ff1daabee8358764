//! The check of what AWS does, which is run against AWS by hand only, against the simulator.

use std::path::Path;
use std::process::{Output, Stdio};

use simulator::{BACKUP_POLICY, Moment, Settings};
use tests::organization::Organization;
use tokio::process::Command;

use crate::member_accounts::MANAGEMENT;
use crate::ministack::{Ministack, venv};

async fn organization() -> Organization {
    let organization = Organization::ready(Settings::default()).await;
    let root = organization.id("root");
    organization.organization(|it| it.enable_policy_type(&root, "TAG_POLICY").unwrap());
    organization
}

fn check(organization: &Organization, arguments: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("live/check.py");
    let mut check = Command::new(venv("python"));
    check
        .arg(script)
        .args(arguments)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", MANAGEMENT)
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", organization.url())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    check
}

fn said(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned());
    text.concat()
}

/// The arguments that name this organization.
fn named(organization: &Organization) -> Vec<String> {
    let id = organization.organization(|it| it.id.clone());
    ["--account-id", MANAGEMENT, "--organization-id", &id].map(str::to_owned).into()
}

/// Everything that the check could have changed.
fn state(organization: &Organization) -> String {
    let tree = organization.organization(|it| {
        let accounts = it.accounts().map(|it| format!("{} in {}\n", it.id, it.parent));
        let all = accounts.collect::<String>();
        format!("{all}{:?}", it.policies(BACKUP_POLICY).map(|it| &it.name).collect::<Vec<_>>())
    });
    organization.state() + &tree
}

#[tokio::test]
async fn it_looks_at_every_assumption_and_takes_everything_back() {
    let organization = organization().await;
    let before = state(&organization);
    let member = organization.id("sandbox-008");
    let mut arguments = named(&organization);
    arguments.extend(["--member-account-id".to_owned(), member]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ministack = Ministack::start().await;
    let mut check = check(&organization, &arguments);
    // What the simulator knows nothing of.
    for service in ["EC2", "EVENTBRIDGE"] {
        check.env(format!("AWS_ENDPOINT_URL_{service}"), ministack.url());
    }
    let output = check.output().await.unwrap();
    let said = said(&output);
    let of = |verdict: &str| {
        let lines = said.lines().filter(|it| it.starts_with(verdict));
        lines.map(|it| it[12..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("as assumed").len(), 13, "{said}");
    // What is open is asked first.
    assert_eq!(
        of("as assumed").get(..4).unwrap_or_default(),
        [
            "ListPoliciesForTarget lists policies in the order of their attachment",
            "a name is taken for policies of all types",
            "keys of effective backup policies are in lower case",
            "a control on an object does not keep levels below from adding keys to it",
        ]
    );
    // Nobody has trusted AWS Backup here, and the engine has every Region.
    assert_eq!(
        of("left out"),
        [
            "expired backups of EC2 are deleted although the vault denies that to others",
            "enabling trusted access that is there already is no error",
            "a call in a Region that is not enabled fails with UnrecognizedClientException",
        ]
    );
    assert_eq!(of("NOT SO"), [""; 0], "{said}");
    assert_eq!(of("unknown"), [""; 0], "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(state(&organization), before, "{said}");
}

#[tokio::test]
async fn it_changes_nothing_unless_both_ids_are_those_of_the_credentials() {
    let organization = organization().await;
    let id = organization.organization(|it| it.id.clone());
    organization.clear_journal();
    for arguments in [
        ["--account-id", "444455556666", "--organization-id", &id],
        ["--account-id", MANAGEMENT, "--organization-id", "o-another1234"],
    ] {
        let output = check(&organization, &arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).ends_with("nothing was done\n"), "{}", said(&output));
    }
    let output = check(&organization, &[]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(organization.take_writes(), "");
}

#[tokio::test]
async fn what_a_check_that_was_killed_left_behind_is_removed_and_nothing_else() {
    let organization = organization().await;
    let theirs = organization.foreign_policy("org-backup-live-check-theirs", &["Security"]);
    let before = state(&organization);
    // By then, policies are made and attached.
    let mut hold = organization.hold(25, Moment::Before);
    let arguments = named(&organization);
    let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut killed = check(&organization, &arguments).stdout(Stdio::null()).spawn().unwrap();
    assert!(hold.reached().await);
    killed.kill().await.unwrap();
    drop(hold);
    assert_ne!(state(&organization), before);
    let refused = check(&organization, &arguments).output().await.unwrap();
    assert!(said(&refused).contains("run with --clean-up first"), "{}", said(&refused));
    arguments.push("--clean-up");
    let output = check(&organization, &arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(state(&organization), before);
    assert!(organization.organization(|it| it.policy(&theirs).is_ok()));
}

/// What the check of an image says in each state of its vault, as AWS would answer.
const IMAGES: &str = r#"
import datetime, sys, types
sys.path.insert(0, sys.argv[1])
import botocore.session, check
from botocore.stub import Stubber

vault, role = check.VAULT["BackupVaultName"], "arn:aws:iam::111122223333:role/backup"
instance = "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
point = "arn:aws:ec2:us-east-1::image/ami-1"

def run(*answers):
    backup = botocore.session.get_session().create_client(
        "backup", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    arguments = types.SimpleNamespace(instance_arn=instance, role_arn=role)
    sandbox = types.SimpleNamespace(client=lambda _: backup, arguments=arguments)
    sandbox.remove_vault = lambda it: check.Sandbox.remove_vault(sandbox, it)
    with Stubber(backup) as stub:
        for method, answer in answers:
            if answer is None:
                stub.add_client_error(method, "AccessDeniedException", http_status_code=403)
            else:
                stub.add_response(method, answer)
        try:
            print(*check.expired_images(sandbox))
        except check.LeftOut as why:
            print(why)
        stub.assert_no_pending_responses()

there = ("describe_backup_vault", {})
def points(*states):
    found = [{"RecoveryPointArn": point, "Status": it} for it in states]
    return "list_recovery_points_by_backup_vault", {"RecoveryPoints": found}
gone = ("delete_backup_vault", {})
run(("describe_backup_vault", None), ("create_backup_vault", {}),
    ("put_backup_vault_access_policy", {}), ("start_backup_job", {}))
run(there, points("COMPLETED"))
run(there, points("EXPIRED"), ("delete_backup_vault_access_policy", {}), points("EXPIRED"),
    ("delete_recovery_point", {}), gone)
run(there, points(), gone)
"#;

#[tokio::test]
async fn whether_an_image_goes_when_it_has_expired_is_told_by_the_second_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("live");
    let mut images = Command::new(venv("python"));
    images.args(["-B", "-c", IMAGES]).arg(folder).env_clear().stdin(Stdio::null());
    let said = said(&images.output().await.unwrap());
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "a backup was begun that is kept for a day: run this again in two days",
            "the backup has not expired yet",
            "False it is EXPIRED and still there",
            "True it is gone",
        ]
    );
}
