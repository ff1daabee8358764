//! The example policies pass `check` and come out as it is stored beside them.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its command must fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn org_backup(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_org-backup"));
    let output = command.args(arguments).current_dir(folder()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The examples that stand alone.
fn examples() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let is_policy =
        |it: &String| it.strip_suffix(".json").is_some_and(|it| !it.ends_with(".effective"));
    let mut names: Vec<_> = names.filter(is_policy).collect();
    names.sort();
    names
}

#[test]
fn every_example_passes_the_check_without_a_warning() {
    let examples = examples();
    assert_eq!(examples.len(), 6, "{examples:?}");
    let locked = "override-with-locks/root.json".to_owned();
    for example in examples.iter().chain([&locked]) {
        assert_eq!(
            org_backup(&["check", "--strict", example]),
            (Some(0), String::new()),
            "{example}"
        );
    }
    assert_eq!(org_backup(&["check", "."]).0, Some(0));
}

#[test]
fn every_example_has_its_effective_policy_beside_it() {
    let folder = folder();
    let stored = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    for example in examples() {
        let beside = example.replace(".json", ".effective.json");
        assert_eq!(org_backup(&["effective", &example]), (Some(0), stored(&beside)), "{example}");
        assert_eq!(org_backup(&["effective", "--validate", &example]).0, Some(0), "{example}");
    }
    let levels = ["override-with-locks/root.json", "override-with-locks/ou.json"];
    let effective = org_backup(&["effective", levels[0], levels[1]]);
    assert_eq!(effective, (Some(0), stored("override-with-locks/effective.json")));
}
