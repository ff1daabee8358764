//! Runs `check` on the shared cases where they are, when they are there.
//!
//! They belong to another repository, and nothing of them is kept here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/check")
}

/// Whether a run that ended so has the right answer, which the index has in words.
fn is_right(answer: &str, is_strict: bool, code: i32, output: &str) -> bool {
    match answer {
        it if it.starts_with("exit 1") => code == 1 && !output.is_empty(),
        it if it.starts_with("exit 0") => code == 0,
        it if it.starts_with("no `incomplete-plan`") => code == 0,
        it if it.contains("not errors") || it.contains("a warning at most") => {
            code == 0 || (is_strict && code == 1)
        }
        // It is read by now, and has no plan that could be wrong.
        it if it.starts_with("say that HCL is not read") => code == 0,
        // It is found; a warning fails only a strict run.
        _ => !output.is_empty() && (code == 1 || (code == 0 && !is_strict)),
    }
}

#[test]
fn every_shared_case_has_its_right_answer() {
    let Ok(index) = fs::read_to_string(folder().join("index.tsv")) else {
        eprintln!("skipped: {} is not there", folder().display());
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in index.lines().skip(1) {
        let mut fields = line.split('\t');
        let (_, command, answer) =
            (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let arguments: Vec<_> = command.split(' ').collect();
        let run = Command::new(env!("CARGO_BIN_EXE_org-backup"))
            .args(&arguments)
            .current_dir(folder())
            .output()
            .unwrap();
        let output = String::from_utf8(run.stdout).unwrap();
        let code = run.status.code().unwrap();
        if !is_right(answer, arguments.contains(&"--strict"), code, &output) {
            wrong.push(format!("{command}: exit {code}, not: {answer}\n{output}"));
        }
        count += 1;
    }
    assert!(count > 30, "the index has {count} lines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
