//! What people write their pipelines against is written down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every code that a source file gives to a finding.
fn codes(source: &str) -> Vec<String> {
    let starts = [".error(", ".warning(", "code: ", "finding("];
    let pieces = starts.iter().flat_map(|start| source.split(start).skip(1));
    let quoted = pieces.filter_map(|it| it.trim_start().strip_prefix('"')?.split('"').next());
    quoted.map(str::to_owned).collect()
}

#[test]
fn every_code_of_a_finding_is_documented() {
    let folders = ["crates/policy/src", "crates/cli/src"];
    let mut used = BTreeSet::new();
    for folder in folders {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "rs") {
                used.extend(codes(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(used.len() > 25, "{used:?}");

    let page = fs::read_to_string(root().join("docs/check-and-effective.md")).unwrap();
    let table = page.lines().skip_while(|it| !it.starts_with("| code | what")).skip(2);
    let cells = table.take_while(|it| it.starts_with('|')).filter_map(|it| it.split('|').nth(1));
    let documented: BTreeSet<String> = cells
        .flat_map(|cell| cell.split(','))
        .map(|it| it.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(used, documented);
}
