//! What the command prints for programs is as `docs/schemas` has it. The tests of `report`, `doctor`,
//! `plan`, `coverage` and of moving an account hold theirs where they look at it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use simulator::Settings;
use tempfile::TempDir;
use tests::command::org_backup;
use tests::organization::{Organization, document};
use tests::schema::{folder, hold, hold_against, hold_xml, xml_errors};

/// Files with findings of every kind of place: a line, a whole document, a string in a template.
fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("good.json", &document(5).to_string());
    write("wrong.json", &document(99).to_string());
    write("broken.json", "{\"plans\": {\"x\": {\"regions\": {\"@@assign\": [}}}}");
    write("odd name #1.json", "{\"plans\":\n{\"x y\": {\"regions\": 1}}}");
    write("half.json", "[{\"plans\":{\"half\":{\"regions\":{\"@@assign\":[\"eu-west-1\"]}}}}]");
    let content = document(77).to_string();
    let template = json!({ "Resources": { "P": { "Type": "AWS::Organizations::Policy", "Properties": {
        "Type": "BACKUP_POLICY", "Content": content } } } });
    write("template.json", &template.to_string());
    write(
        "main.tf",
        "resource \"aws_organizations_policy\" \"p\" {\n  type = \"BACKUP_POLICY\"\n  content = var.x\n}\n",
    );
    folder
}

#[tokio::test]
async fn findings_are_printed_as_their_schemas_have_them() {
    let organization = Organization::bare(Settings::default()).await;
    let files = files();
    let path = files.path().to_str().unwrap();
    for format in ["json", "gitlab", "sarif"] {
        let schema = if format == "json" { "check" } else { format };
        let run = org_backup(&organization, &["check", "--format", format, path]).await;
        assert_eq!(run.code, 1, "{}", run.notes);
        let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
        hold(schema, &printed);
        let none = format!("{path}/good.json");
        let run = org_backup(&organization, &["check", "--format", format, &none]).await;
        hold(schema, &serde_json::from_str(&run.printed[0]).unwrap());
    }
    for file in ["", "/good.json"] {
        let files = format!("{path}{file}");
        let run = org_backup(&organization, &["check", "--format", "junit", &files]).await;
        hold_xml("junit", &run.printed[0]);
    }
}

#[test]
fn the_schema_of_junit_refuses_what_is_not_printed() {
    let suite = |cases: &str| {
        let counts = r#"tests="1" failures="1" errors="0" skipped="0""#;
        format!(
            r#"<testsuites name="x"><testsuite name="f" {counts}>{cases}</testsuite></testsuites>"#
        )
    };
    let case =
        |inside: &str| suite(&format!(r#"<testcase classname="f" name="n">{inside}</testcase>"#));
    let failure = r#"<failure type="error" message="m">text</failure>"#;
    assert_eq!(xml_errors("junit", &case(failure)), [""; 0]);
    for (wrong, why) in [
        ("<other/>".to_owned(), "<other> is not declared"),
        ("<testsuites/>".to_owned(), "testsuites/@name is missing"),
        (suite(""), "testsuite has 0 of <testcase>"),
        (suite("text"), "testsuite has the text text"),
        (case(&failure.repeat(2)), "testcase has 2 of <failure>"),
        (case("<skipped/>"), "<skipped> is out of place"),
        (case(&failure.replace("error", "note")), "failure/@type: note"),
        (case(&failure.replace("message=", "words=")), "failure/@words is not declared"),
        (case(failure).replace(r#"tests="1""#, r#"tests="one""#), "testsuite/@tests: one"),
    ] {
        let errors = xml_errors("junit", &wrong);
        assert!(errors.iter().any(|it| it == why), "{why}: {errors:?}");
    }
}

#[tokio::test]
async fn effective_policies_are_printed_as_their_schemas_have_them() {
    let organization = Organization::bare(Settings::default()).await;
    let files = files();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let (good, half) = (file("good.json"), file("half.json"));
    for (arguments, schema) in [
        (vec![], "effective"),
        (vec!["--explain", "--json"], "effective-explain"),
        (vec!["--next", "2", "--json"], "effective-next"),
        (vec!["--validate", "--json"], "effective-validate"),
    ] {
        for levels in [vec![good.as_str()], vec![good.as_str(), half.as_str()]] {
            let arguments = [vec!["effective"], arguments.clone(), levels].concat();
            let run = org_backup(&organization, &arguments).await;
            let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
            hold(schema, &printed);
        }
    }
}

#[tokio::test]
async fn the_schema_of_policies_is_the_one_that_is_printed_and_takes_every_example() {
    let organization = Organization::bare(Settings::default()).await;
    let run = org_backup(&organization, &["schema"]).await;
    let file = folder().join("policy.json");
    if std::env::vars().any(|it| it.0 == "UPDATE_EXPECT") {
        fs::write(&file, &run.printed[0]).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), run.printed[0]);
    let schema: Value = serde_json::from_str(&run.printed[0]).unwrap();
    let examples = folder().join("../../policies");
    let mut count = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.strip_suffix(".json").is_some_and(|it| !it.ends_with(".effective")) {
            let policy = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            hold_against(&name, schema.clone(), &policy);
            count += 1;
        }
    }
    assert_eq!(count, 6);
    let wrong = json!({ "plans": { "x": { "region": { "@@assign": ["eu-west-1"] } } } });
    let held = std::panic::catch_unwind(|| hold_against("wrong", schema, &wrong));
    assert!(held.is_err());
}

#[test]
fn every_schema_is_named_where_its_format_is_documented() {
    let pages = ["check-and-effective.md", "plan-and-doctor.md", "report.md", "coverage.md"];
    let pages = pages.map(|it| fs::read_to_string(folder().join("..").join(it)).unwrap()).concat();
    let names: BTreeSet<_> = fs::read_dir(folder())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let missing: Vec<_> =
        names.iter().filter(|it| !pages.contains(&format!("(schemas/{it})"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
