//! `org-backup effective --live`: what one account gets, and what it would get elsewhere.

use std::fs;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{Fault, Settings};
use tempfile::TempDir;
use tests::command::org_backup;
use tests::organization::{Organization, document};

use crate::report::attach;

/// An organization with a plan for everybody, one for what is in production, and half a plan where
/// nobody is yet.
async fn organization() -> Organization {
    let organization = Organization::ready(Settings::default()).await;
    attach(&organization, "company", &document(5), "root");
    let hourly = json!({ "plans": { "hourly": document(1)["plans"]["daily"] } });
    attach(&organization, "production", &hourly, "Production");
    let later = json!({ "plans": { "daily": { "rules": { "nightly": {
        "schedule_expression": { "@@assign": "cron(0 7 ? * * *)" },
    } } } } });
    attach(&organization, "later", &later, "sandbox-008");
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    attach(&organization, "half", &half, "Development");
    organization.clear_journal();
    organization
}

#[tokio::test]
async fn the_levels_of_an_account_are_read_from_the_root_down_and_nothing_else_is() {
    let organization = organization().await;
    let account = organization.id("sandbox-008");
    let run = org_backup(&organization, &["effective", "--live", &account]).await;
    assert_eq!(run.code, 0, "{}", run.notes);
    let daily = &run.json()["plans"]["daily"];
    assert_eq!(daily["rules"]["nightly"]["schedule_expression"], "cron(0 7 ? * * *)");
    assert_eq!(run.json()["plans"].as_object().unwrap().len(), 1);
    assert_eq!(organization.lines(|it| it.write), "");
    let reads: Vec<_> = organization.journal().into_iter().map(|it| it.operation).collect();
    let count = |name: &str| reads.iter().filter(|it| *it == name).count();
    assert_eq!((count("ListPoliciesForTarget"), count("DescribePolicy")), (3, 2), "{reads:?}");
    let explained =
        org_backup(&organization, &["effective", "--live", &account, "--explain"]).await;
    let schedule = explained.text.split("plans/daily/rules/nightly/schedule_expression").nth(1);
    let by = schedule.unwrap().lines().nth(1).unwrap().to_owned();
    assert!(by.contains("@@assign later (later) line"), "{by}");
}

#[tokio::test]
async fn what_was_saved_is_read_by_effective_and_check() {
    let organization = organization().await;
    let account = organization.id("production-001");
    let folder = TempDir::new().unwrap();
    let saved = folder.path().join("levels");
    let live = ["effective", "--live", &account, "--save", saved.to_str().unwrap()];
    let run = org_backup(&organization, &live).await;
    assert_eq!(run.code, 0, "{}", run.notes);
    let mut names: Vec<_> = fs::read_dir(&saved)
        .unwrap()
        .map(|it| it.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let ids = ["root", "Workloads", "Production", "production-001"].map(|it| organization.id(it));
    let expected: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| saved.join(format!("{index}-{id}.json")).to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, expected);
    let note = format!("org-backup effective {}", names.join(" "));
    assert!(run.printed[1].contains(&note), "{}", run.printed[1]);
    let files: Vec<_> = names.iter().map(String::as_str).collect();
    let again = org_backup(&organization, &[&["effective"], files.as_slice()].concat()).await;
    assert_eq!((again.code, again.text), (0, run.text));
    let checked = org_backup(&organization, &["check", "--strict", saved.to_str().unwrap()]).await;
    assert_eq!((checked.code, checked.text.as_str()), (0, ""), "{}", checked.notes);
    assert!(checked.notes.contains("checked: 2 policies in 2 files"), "{}", checked.notes);
}

#[tokio::test]
async fn moving_an_account_is_told_as_what_it_gets_loses_and_breaks() {
    let organization = organization().await;
    let moved = async |account: &str, unit: &str, more: &[&str]| {
        let (account, unit) = (organization.id(account), organization.id(unit));
        let arguments = ["effective", "--live", &account, "--move-to", &unit];
        org_backup(&organization, &[&arguments, more].concat()).await
    };
    let gets = moved("sandbox-008", "Production", &[]).await;
    assert_eq!((gets.code, gets.text.as_str()), (0, "gets: plan `hourly` added\n"));
    let loses = moved("production-001", "Sandbox", &[]).await;
    assert_eq!((loses.code, loses.text.as_str()), (1, "loses: plan `hourly` gone\n"));
    let same = moved("security-000", "Sandbox", &[]).await;
    assert_eq!(same.code, 0);
    assert_eq!(same.text, "security-000 gets the same in Sandbox as in Security\n");
    let breaks = moved("sandbox-008", "Development", &[]).await;
    assert_eq!(breaks.code, 1);
    expect![[r"
        gets: plan `half` added
        breaks: plans/half: KEY_REQUIRED: 'rules' is missing (from half (half))
        breaks: plans/half: KEY_REQUIRED: 'selections' is missing (from half (half))
    "]]
    .assert_eq(&breaks.text);
    assert!(breaks.notes.contains("AWS would withhold the merged policy"), "{}", breaks.notes);
    let from_there = moved("development-005", "Sandbox", &[]).await;
    assert!(
        from_there.notes.contains("AWS already withholds the current merged policy"),
        "{}",
        from_there.notes
    );
    let told: Value = moved("production-001", "Sandbox", &["--json"]).await.held("effective-move");
    assert_eq!(
        told,
        json!({
            "account": "production-001", "from": "Production", "to": "Sandbox",
            "differences": [{ "plan": "hourly", "change": "gone" }], "errors": [],
        })
    );
    assert_eq!(organization.lines(|it| it.write), "");
}

#[tokio::test]
async fn what_cannot_be_read_ends_with_two_and_says_what_it_was() {
    let organization = organization().await;
    let account = organization.id("sandbox-008");
    for (arguments, words) in [
        (vec!["effective", "--live", "12345678901"], "is not an account ID"),
        (vec!["effective", "--live", "999999999999"], "find the parent of 999999999999"),
        (
            vec!["effective", "--live", &account, "--move-to", "ou-none-00000000"],
            "find the parent of ou-none-00000000",
        ),
        (vec!["effective", "--live", &account, "root.json"], "cannot be used with"),
        (vec!["effective", "--save", "here", "root.json"], "cannot be used with"),
        (vec!["effective", "--save", "here"], "--live <ACCOUNT>"),
        (vec!["effective", "--move-to", "r-ab12"], "--live <ACCOUNT>"),
    ] {
        let run = org_backup(&organization, &arguments).await;
        assert_eq!((run.code, run.text.as_str()), (2, ""), "{arguments:?}");
        assert!(run.notes.contains(words), "{}", run.notes);
    }
    organization.fail(Fault::error("DescribePolicy", "AccessDeniedException").forever());
    let run = org_backup(&organization, &["effective", "--live", &account]).await;
    assert_eq!((run.code, run.text.as_str()), (2, ""));
    assert!(run.notes.contains("cannot describe policy company: AccessDenied"), "{}", run.notes);
}
