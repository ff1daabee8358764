//! Hostile inputs that are shared with other projects, where they are: every one is harmless.
//!
//! They belong to another repository, and nothing of them is kept here. What they try is tried by
//! the other tests of hostile hands as well, with inputs of our own.

#![expect(clippy::print_stderr, reason = "the person who runs the tests sees what was left out")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use plan::desired_state::Entry;
use serde_json::{Value, json};
use tests::command::org_backup;
use tests::reattach::Reattach;
use tests::role::STATE_BUCKET;

use crate::hostile_names::is_harmless;
use crate::hostile_state::deployed;
use crate::reattach::with_members;

/// The inputs whose names begin so, each with its text.
fn inputs(beginning: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/hostile");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return vec![];
    };
    let paths = entries.map(|it| it.unwrap().path());
    let name = |it: &Path| it.file_name().unwrap().to_str().unwrap().to_owned();
    let found: Vec<_> = paths.filter(|it| name(it).starts_with(beginning)).collect();
    assert!(!found.is_empty(), "the folder has no input {beginning}…");
    found.iter().map(|it| (it.display().to_string(), fs::read_to_string(it).unwrap())).collect()
}

#[tokio::test]
async fn what_they_put_into_the_state_bucket_makes_nothing() {
    for (name, text) in inputs("desired-state-") {
        let organization = deployed().await;
        let theirs = organization.foreign_policy("theirs", &["Workloads"]);
        organization.set_stack_sets(false);
        let before = organization.state();
        let mut entry: Value = serde_json::from_str(&text).unwrap();
        if entry["Function"] == "backup-policy" {
            // A policy that there is, and that is not ours.
            entry["PhysicalId"] = json!(theirs);
        }
        let text = entry.to_string();
        let key = Entry::read(&text).unwrap().key();
        organization.buckets(|it| it.put_under(STATE_BUCKET, &key, text, None));
        let reattach = Reattach::start(&organization, "Repair").await;
        let _ = reattach.sweep().await;
        assert_eq!(organization.state(), before, "{name}");
        let told = organization.notifications();
        let (subject, text) = told.last().unwrap();
        assert_eq!(subject, "org-backup: 1 could not be put back", "{name}");
        is_harmless(text);
    }
}

#[tokio::test]
async fn what_they_put_on_the_bus_starts_nothing_and_forges_no_line() {
    for (name, text) in inputs("ev-") {
        let organization = deployed().await;
        with_members(&organization);
        let before = organization.state();
        let reattach = Reattach::start(&organization, "Repair").await;
        let _ = reattach.sweep().await;
        let executions = organization.state_machines(|it| it.executions().len());
        let event = serde_json::from_str(&text).unwrap();
        let _ = reattach.invoke(&event).await;
        assert_eq!(organization.state(), before, "{name}");
        let after = organization.state_machines(|it| it.executions().len());
        assert_eq!(after, executions, "{name}: the run of before goes on");
        for (subject, text) in organization.notifications() {
            is_harmless(&text);
            assert!(!subject.contains("could not") && !text.contains("evil.example"), "{text}");
        }
    }
}

#[tokio::test]
async fn what_they_have_checked_is_refused_soon_and_forges_no_line() {
    let organization = deployed().await;
    for (name, _) in [inputs("check-"), inputs("yaml-")].concat() {
        for format in ["text", "json", "github"] {
            let started = Instant::now();
            let run = org_backup(&organization, &["check", "--format", format, &name]).await;
            assert_eq!(run.code, 1, "{name}: {}", run.text);
            assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", started.elapsed());
            for line in run.printed.concat().lines() {
                let ours = ["::error file=", "::warning file="];
                let rest = ours.iter().find_map(|it| line.strip_prefix(it));
                is_harmless(rest.filter(|_| format == "github").unwrap_or(line));
                assert!(!line.starts_with("::set-output"), "{line}");
            }
        }
    }
}
