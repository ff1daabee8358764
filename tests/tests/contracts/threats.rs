//! The threat table of `docs/security.md` names tests that there are.

#![expect(clippy::unwrap_used, reason = "a contract that cannot be read is broken")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tests::deploy::repository;

/// Who attacks.
const ACTORS: [&str; 7] = [
    "artifact publisher",
    "central-account administrator",
    "delegated administrator",
    "management administrator",
    "member administrator",
    "pull-request author",
    "storage administrator of the management account",
];

/// The names of all tests in the sources below this folder.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" {
            tests(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let mut is_test = false;
            for line in fs::read_to_string(&path).unwrap().lines().map(str::trim_start) {
                let bare = line.trim_start_matches("async ").strip_prefix("fn ");
                if let Some((name, _)) = bare.and_then(|it| it.split_once('(')).filter(|_| is_test)
                {
                    found.insert(name.to_owned());
                }
                let begins = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                is_test = begins || is_test && line.starts_with("#[");
            }
        }
    }
}

#[test]
fn every_actor_has_a_row_whose_tests_exist() {
    let text = fs::read_to_string(repository("docs/security.md")).unwrap();
    let (_, table) = text.split_once("\n## Who can do what\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|it| it.starts_with("| ") && !it.starts_with("| actor |"))
        .map(|it| it.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let actors: BTreeSet<_> = rows.iter().map(|it| *it.first().unwrap()).collect();
    for actor in ACTORS {
        assert!(actors.contains(actor), "{actor}");
    }
    let mut known = BTreeSet::new();
    for folder in ["crates", "functions", "tests"] {
        tests(&repository(folder), &mut known);
    }
    for row in rows {
        let [actor, holds, can, stops, tests] = row[..] else { panic!("{row:?}") };
        assert!([holds, can, stops].iter().all(|it| !it.is_empty()), "{actor}");
        let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{actor}");
        for name in named {
            assert!(known.contains(name), "{actor}: there is no test {name}");
        }
    }
}
