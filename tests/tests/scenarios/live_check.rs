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
    assert_eq!(of("as assumed").len(), 12, "{said}");
    // Nobody has trusted AWS Backup here, and the engine has every Region.
    assert_eq!(
        of("left out"),
        [
            "enabling trusted access that is there already is no error",
            "a call in a Region that is not enabled fails with UnrecognizedClientException",
        ]
    );
    // The simulator refuses what AWS was seen to take.
    assert_eq!(of("NOT SO"), ["a schedule of seven fields is taken when a policy is made"]);
    assert_eq!(of("unknown"), [""; 0], "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
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
