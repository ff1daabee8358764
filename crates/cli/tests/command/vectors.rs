//! Runs the command on the shared vectors where they are, when they are there.
//!
//! They belong to another repository, and nothing of them is kept here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a vector that cannot be read must fail the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors")
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// What `org-backup effective` says about a vector, and whether it found anything wrong.
fn effective(case: &Path, options: &[&str]) -> (Value, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_org-backup"));
    command.current_dir(case).arg("effective").args(options);
    if options.is_empty() && case.join("previous.json").exists() {
        command.args(["--previous", "previous.json"]);
    }
    let output = command.args(["root.json", "ou.json", "account.json"]).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code <= 1, "{}: {}", case.display(), String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).unwrap(), code == 1)
}

fn sorted(errors: &Value) -> Value {
    let mut errors = errors.as_array().unwrap().clone();
    errors.sort_by_key(ToString::to_string);
    Value::Array(errors)
}

#[test]
fn every_shared_vector_comes_out_as_it_was_recorded() {
    let Ok(entries) = fs::read_dir(folder()) else {
        eprintln!("skipped: {} is not there", folder().display());
        return;
    };
    let mut cases: Vec<_> = entries.map(|it| it.unwrap().path()).filter(|it| it.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "the folder of the vectors holds none");
    let wrong: Vec<_> = cases.iter().flat_map(|case| differences(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What comes out of a vector otherwise than it says.
fn differences(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let trust = read(&case.join("meta.json")).unwrap()["trust"].as_str().unwrap().to_owned();
    let (mut policy, _) = effective(case, &[]);
    let mut wrong = Vec::new();
    if trust.starts_with("UNRESOLVED") {
        let agrees =
            |it: &&str| read(&case.join(format!("expected-{it}.json"))) == Some(policy.clone());
        let agrees: Vec<_> = ["docs", "emulator"].into_iter().filter(agrees).collect();
        eprintln!("{name}: the sources disagree, and we are with {agrees:?}");
        return wrong;
    }
    if let Some(expected) = read(&case.join("expected-errors.json")) {
        let (found, failed) = effective(case, &["--validate", "--json"]);
        let (found, expected) = (sorted(&found), sorted(&expected));
        if found != expected || failed != (expected != Value::Array(Vec::new())) {
            wrong.push(format!("{name}: the errors are {found}, not {expected}"));
        }
    }
    let expected = ["expected-generic.json", "expected.json"];
    if let Some(mut expected) = expected.iter().find_map(|it| read(&case.join(it))) {
        if trust.starts_with("B-") {
            // The example shows no list where a recording keeps an emptied one.
            without_empty_lists(&mut expected);
            without_empty_lists(&mut policy);
        }
        if policy != expected {
            wrong.push(format!("{name}: the policy is {policy}, not {expected}"));
        }
    }
    wrong
}

fn without_empty_lists(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, it| !it.as_array().is_some_and(Vec::is_empty));
        members.values_mut().for_each(without_empty_lists);
    }
}
