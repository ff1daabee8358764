//! Runs the shared vectors where they are, when they are there; nothing of them is kept here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a vector that cannot be read must fail the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use plan::language::{self, Effective, Inherited, Policy, json};
use serde_json::Value;

/// November 2026.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors")
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn effective(case: &Path) -> Effective {
    let levels = ["root", "ou", "account"];
    let inherited = levels.iter().fold(Inherited::root(), |inherited, level| {
        let text = fs::read_to_string(case.join(format!("{level}.json"))).unwrap();
        let (document, findings) = json::read(&text);
        assert!(findings.is_empty(), "{findings:?}");
        let document = document.unwrap();
        let language::Value::Array(items) = &document.value else { panic!("not a list") };
        let policies: Vec<_> = items.iter().map(|it| Policy::new(it).unwrap()).collect();
        let names: Vec<_> = (0..policies.len()).map(|it| format!("{level}[{it}]")).collect();
        let policies: Vec<_> = names.iter().map(String::as_str).zip(&policies).collect();
        inherited.descend(level, &policies)
    });
    inherited.effective()
}

fn errors(effective: &Effective) -> Value {
    let errors = effective.validate(now()).into_iter().map(|it| {
        serde_json::json!({
            "ErrorCode": it.code.as_str(), "ErrorMessage": it.message, "PathToError": it.path,
        })
    });
    sorted(errors.collect())
}

fn sorted(mut errors: Vec<Value>) -> Value {
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
    let effective = effective(case);
    let mut json = effective.to_json();
    let mut wrong = Vec::new();
    if trust.starts_with("UNRESOLVED") {
        let agrees =
            |it: &&str| read(&case.join(format!("expected-{it}.json"))) == Some(json.clone());
        let agrees: Vec<_> = ["docs", "emulator"].into_iter().filter(agrees).collect();
        eprintln!("{name}: the sources disagree, and we are with {agrees:?}");
        return wrong;
    }
    if let Some(expected) = read(&case.join("expected-errors.json")) {
        let (expected, found) = (sorted(expected.as_array().unwrap().clone()), errors(&effective));
        if found != expected {
            wrong.push(format!("{name}: the errors are {found}, not {expected}"));
        }
        json = language::published(&Effective::default(), &effective, now()).to_json();
    }
    let expected = ["expected-generic.json", "expected.json"];
    if let Some(mut expected) = expected.iter().find_map(|it| read(&case.join(it))) {
        if trust.starts_with("B-") {
            // The example shows no list where a recording keeps an emptied one.
            without_empty_lists(&mut expected);
            without_empty_lists(&mut json);
        }
        if json != expected {
            wrong.push(format!("{name}: the policy is {json}, not {expected}"));
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
