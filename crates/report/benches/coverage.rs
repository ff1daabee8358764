//! The cost of judging the backups of a resource, with one rule and with three that overlap.

#![expect(clippy::unwrap_used, reason = "a bench whose fixture is wrong has nothing to measure")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use divan::Bencher;
use report::coverage::{
    Asks, BackupPlan, Coverage, Evidence, Job, JobState, Judge, Key, Place, PointStatus,
    RecoveryPoint, Resource, Vault,
};
use report::{Effective, Found};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

const KEEP: &str = "arn:aws:backup:eu-west-1:200000000001:backup-vault:keep";

/// Returns 20 November 2026, 12:00 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(20_777 * 24 + 12)
}

fn rule(hour: u32, days: u32) -> Value {
    json!({
        "schedule_expression": format!("cron(0 {hour} ? * * *)"),
        "target_backup_vault_name": "keep",
        "lifecycle": { "delete_after_days": days.to_string() },
    })
}

fn plans(rules: &[Value]) -> Vec<BackupPlan> {
    let rules = rules.iter().enumerate().map(|it| (it.0.to_string(), it.1.clone()));
    let document = json!({ "plans": { "daily": {
        "regions": ["eu-west-1"],
        "rules": rules.collect::<BTreeMap<_, _>>(),
        "selections": { "tags": { "gold": {
            "iam_role_arn": "arn:aws:iam::$account:role/backup",
            "tag_key": "tier",
            "tag_value": ["silver", "gold"],
        } } },
    } } });
    BackupPlan::all(&Effective { document, ..Effective::default() })
}

fn place() -> Place {
    let vault = Vault { key: Key::Customer, lock: None, admits: None, is_air_gapped: false };
    let ebs = || "EBS".parse().unwrap();
    Place {
        account: "200000000001".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        partition: "aws".to_owned(),
        since: None,
        supported: Some([ebs()].into()),
        opt_ins: Ok([(ebs(), true)].into()),
        vaults: [(KEEP.to_owned(), Found::Here(vault))].into(),
        roles: [("arn:aws:iam::200000000001:role/backup".to_owned(), Found::Here(true))].into(),
        organization: None,
        is_cross_account: None,
        unread: BTreeMap::new(),
        jobs_unread: None,
        local: vec![],
    }
}

fn resource(tier: &str) -> Resource {
    let tags = [("Name", "orders"), ("stage", "prod"), ("tier", tier)];
    Resource {
        arn: "arn:aws:ec2:eu-west-1:200000000001:volume/vol-0123456789abcdef0".to_owned(),
        kind: Some("EBS".parse().unwrap()),
        tags: Some(tags.map(|it| (it.0.to_owned(), it.1.to_owned())).into()),
        created: None,
        first_seen: Some(SystemTime::UNIX_EPOCH),
    }
}

/// Returns the recovery points of a month with one backup a day.
fn points() -> Vec<RecoveryPoint> {
    let day = |it: u64| now() - Duration::from_hours(24 * it + 7);
    let point = |it: u64| RecoveryPoint {
        vault: KEEP.into(),
        created: day(it),
        completed: day(it),
        status: PointStatus::Usable,
        is_continuous: false,
        delete_at: None,
        by: None,
    };
    (0..30).map(point).collect()
}

fn jobs() -> Vec<Job> {
    let job = |it: &RecoveryPoint| Job {
        vault: it.vault.clone(),
        created: it.created,
        ended: Some(it.completed),
        state: JobState::Completed,
        message: "".into(),
        by: None,
    };
    points().iter().map(job).collect()
}

fn judge(bencher: Bencher<'_, '_>, rules: &[Value], tier: &str) {
    let (place, plans, asks) = (place(), plans(rules), Asks::default());
    let judge = Judge::new(&place, Ok(&plans), &asks, now());
    let (resource, points, jobs) = (resource(tier), points(), jobs());
    let evidence = Evidence { points: &points, jobs: &jobs, copy_jobs: &[], tests: &[] };
    bencher.bench(|| -> Coverage { judge.judge(divan::black_box(&resource), evidence) });
}

#[divan::bench]
fn one_rule(bencher: Bencher<'_, '_>) {
    judge(bencher, &[rule(5, 30)], "gold");
}

#[divan::bench]
fn three_rules_in_turn(bencher: Bencher<'_, '_>) {
    judge(bencher, &[rule(5, 30), rule(14, 60), rule(22, 90)], "gold");
}

#[divan::bench]
fn no_rule(bencher: Bencher<'_, '_>) {
    judge(bencher, &[rule(5, 30)], "Gold");
}
