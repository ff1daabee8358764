//! What findings look like to other programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its command must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::words::{GOOD, folder, org_backup};

/// A policy with an error on its fourth line.
fn bad() -> String {
    GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)")
}

const MESSAGE: &str =
    "`cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?`";

const PLACE: &str = "plans/tier/rules/nightly/schedule_expression/@@assign";

/// A folder with an error, a warning, a document that is no JSON and a good policy.
fn files(test: &str) -> std::path::PathBuf {
    let folder = folder(test);
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("a&b #1.json", &bad());
    write("good.json", GOOD);
    write("warned.json", r#"{"plans":{"tier":{"regions":{"@@assign":["eu-west-3"]}}}}"#);
    write("z.json", "{\"plans\": {\"x\": {\"regions\": {\"@@assign\": [}}}}");
    folder
}

fn printed(folder: &Path, format: &str) -> String {
    let run = org_backup(folder, &["check", "--format", format, "."], "");
    assert_eq!(run.code, 1, "{}", run.stderr);
    run.stdout
}

#[test]
fn gitlab_gets_an_issue_for_each_finding_that_keeps_its_fingerprint() {
    let folder = files("gitlab");
    let report =
        |folder: &Path| -> Vec<Value> { serde_json::from_str(&printed(folder, "gitlab")).unwrap() };
    let issues = report(&folder);
    let first = &issues[0];
    assert_eq!(first["location"]["path"], "./a&b #1.json");
    assert_eq!(first["location"]["lines"]["begin"], 4);
    assert_eq!(
        (&first["severity"], &first["check_name"]),
        (&"major".into(), &"invalid-value".into())
    );
    assert_eq!(first["description"], format!("{PLACE}: {MESSAGE}"));
    let warned: Vec<_> =
        issues.iter().filter(|it| it["location"]["path"] == "./warned.json").collect();
    assert!(!warned.is_empty() && warned.iter().all(|it| it["severity"] == "minor"), "{issues:?}");
    let prints: BTreeSet<_> = issues.iter().map(|it| it["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), issues.len(), "each is its own");
    // It is known again when it moves.
    fs::write(folder.join("a&b #1.json"), format!("\n\n{}", bad())).unwrap();
    let moved = report(&folder);
    assert_eq!(moved[0]["fingerprint"], first["fingerprint"]);
    assert_eq!(moved[0]["location"]["lines"]["begin"], 6);
}

#[test]
fn sarif_has_a_rule_for_each_code_and_a_result_for_each_finding() {
    let folder = files("sarif");
    let log: Value = serde_json::from_str(&printed(&folder, "sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap().iter();
    let rules: BTreeSet<_> = rules.map(|it| it["id"].as_str().unwrap()).collect();
    let used: BTreeSet<_> = results.iter().map(|it| it["ruleId"].as_str().unwrap()).collect();
    assert_eq!(rules, used);
    let first = &results[0];
    assert_eq!((&first["ruleId"], &first["level"]), (&"invalid-value".into(), &"error".into()));
    assert_eq!(first["message"]["text"], format!("{PLACE}: {MESSAGE}"));
    let place = &first["locations"][0];
    // A URI, so what is no letter is written out.
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "./a%26b%20%231.json");
    assert_eq!(place["physicalLocation"]["region"]["startLine"], 4);
    assert_eq!(place["physicalLocation"]["region"]["startColumn"], 39);
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], PLACE);
    let text = printed(&folder, "text");
    assert_eq!(results.len(), text.lines().count());
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_test_for_each_finding() {
    let folder = files("junit");
    let text = printed(&folder, "junit");
    let document = roxmltree::Document::parse(&text).unwrap();
    let root = document.root_element();
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let suites: Vec<_> = root.children().filter(roxmltree::Node::is_element).collect();
    let names: Vec<_> = suites.iter().map(|it| it.attribute("name").unwrap()).collect();
    assert_eq!(names, ["./a&b #1.json", "./good.json", "./warned.json", "./z.json"]);
    for suite in &suites {
        let cases: Vec<_> = suite.children().filter(roxmltree::Node::is_element).collect();
        let failed = cases.iter().filter(|it| it.children().any(|it| it.has_tag_name("failure")));
        assert_eq!(number(suite, "tests"), cases.len());
        assert_eq!(number(suite, "failures"), failed.count());
    }
    let good = suites[1].children().find(|it| it.has_tag_name("testcase")).unwrap();
    assert_eq!((good.attribute("name"), number(&suites[1], "failures")), (Some("policies"), 0));
    let failure = suites[0].descendants().find(|it| it.has_tag_name("failure")).unwrap();
    assert_eq!(
        (failure.attribute("type"), failure.attribute("message")),
        (Some("error"), Some(MESSAGE))
    );
    let expected = format!("./a&b #1.json: {PLACE}: {MESSAGE} (line 4, column 39)");
    assert_eq!(failure.text(), Some(expected.as_str()));
}
