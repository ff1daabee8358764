//! What AWS's documentation says, one fact after the other.

mod cold;
mod copies;
mod orders;
mod restores;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::refusal::Code;

const ACCOUNT: &str = "200000000001";
const CENTRAL: &str = "300000000001";
/// The account that gets what another one lost.
const NEW: &str = "200000000009";
const REGION: &str = "eu-west-1";
const VOLUME: &str = "arn:aws:ec2:eu-west-1:200000000001:volume/vol-1";
const INSTANCE: &str = "arn:aws:ec2:eu-west-1:200000000001:instance/i-1";
const BUCKET: &str = "arn:aws:s3:::reports";
const KEEP: &str = "arn:aws:backup:eu-west-1:200000000001:backup-vault:keep";
const GAP: &str = "arn:aws:backup:eu-west-1:200000000001:backup-vault:gap";
const COPIES: &str = "arn:aws:backup:eu-west-1:300000000001:backup-vault:copies";
const NEW_KEEP: &str = "arn:aws:backup:eu-west-1:200000000009:backup-vault:keep";
const ROLE: &str = "arn:aws:iam::200000000001:role/backup";
const CENTRAL_ROLE: &str = "arn:aws:iam::300000000001:role/backup";
const NEW_ROLE: &str = "arn:aws:iam::200000000009:role/backup";

/// Hours after midnight of 20 November 2026.
fn hour(hour: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(20_777 * 24 + hour)
}

fn vault() -> EngineVault {
    EngineVault {
        key: EngineKey::Customer,
        lock: None,
        admits_organization: true,
        air_gapped: false,
    }
}

fn resource(arn: &str, kind: &str) -> BackedUp {
    BackedUp {
        arn: arn.to_owned(),
        kind: kind.to_owned(),
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        tags: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
        gigabytes: 1,
    }
}

fn rule(more: Value) -> Value {
    let mut rule = json!({
        "schedule_expression": "cron(0 5 ? * * *)",
        "target_backup_vault_name": "keep",
        "lifecycle": { "delete_after_days": "30" },
    });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

fn policy(rules: Value) -> Value {
    json!({ "plans": { "daily": {
        "regions": ["eu-west-1"],
        "rules": rules,
        "selections": { "tags": { "gold": {
            "iam_role_arn": "arn:aws:iam::$account:role/backup",
            "tag_key": "tier",
            "tag_value": ["gold"],
        } } },
    } } })
}

/// AWS Backup with a volume, an instance and a bucket that a rule takes every day at five.
fn engine(rules: Value) -> BackupEngine {
    let mut engine = BackupEngine::new("aws", &[ACCOUNT, CENTRAL, NEW], hour(0));
    engine.cross_account = true;
    for (arn, kind) in [(VOLUME, "EBS"), (INSTANCE, "EC2"), (BUCKET, "S3")] {
        engine.put_resource(resource(arn, kind));
        engine.opt_in("eu-west-1", kind, true);
    }
    engine.put_vault(KEEP, vault());
    engine.put_vault(COPIES, vault());
    engine.put_vault(NEW_KEEP, vault());
    for role in [ROLE, CENTRAL_ROLE, NEW_ROLE] {
        engine.put_role(role, true);
    }
    engine.set_policy(ACCOUNT, &policy(rules));
    engine
}

/// Returns a sender with the role of its account.
fn asker(account: &str) -> Asker {
    Asker {
        account: account.to_owned(),
        region: REGION.to_owned(),
        role: format!("arn:aws:iam::{account}:role/backup"),
        token: None,
    }
}

fn backup_of(arn: &str) -> BackupOrder {
    BackupOrder {
        asker: asker(ACCOUNT),
        resource: arn.to_owned(),
        vault: "keep".to_owned(),
        air_gapped: None,
        start_window: None,
        completion_window: None,
        lifecycle: PointLifecycle::deleted_after(Some(30)),
        tags: BTreeMap::new(),
    }
}

/// Returns an engine that makes backups on demand only.
fn idle() -> BackupEngine {
    let mut engine = engine(json!({}));
    engine.set_policy(ACCOUNT, &json!({}));
    engine
}

/// Lets an hour go by.
fn wait(engine: &mut BackupEngine) {
    let then = engine.now() + Duration::from_hours(1);
    engine.advance(then);
}

/// Returns the newest recovery point in a vault.
fn newest(engine: &BackupEngine, vault: &str) -> EnginePoint {
    engine.points().filter(|it| it.vault == vault).last().expect("a recovery point").clone()
}

/// Returns the code of a refusal.
fn refused<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> Code {
    answer.unwrap_err().code
}

/// What became of the jobs of a resource.
fn jobs(engine: &BackupEngine, arn: &str) -> Vec<(JobProgress, Option<Trouble>)> {
    let jobs = engine.jobs().iter().filter(|it| it.resource == arn);
    jobs.map(|it| (it.progress, it.trouble)).collect()
}

fn points(engine: &BackupEngine, arn: &str) -> Vec<(String, PointForm)> {
    let points = engine.points().filter(|it| it.resource == arn);
    points.map(|it| (it.vault.clone(), it.form)).collect()
}

const DONE: (JobProgress, Option<Trouble>) = (JobProgress::Completed, None);

fn failed(trouble: Trouble) -> (JobProgress, Option<Trouble>) {
    (JobProgress::Failed, Some(trouble))
}

#[test]
fn a_rule_makes_a_recovery_point_of_every_resource_at_its_time() {
    let mut engine = engine(json!({ "night": rule(json!({})) }));
    engine.advance(hour(4));
    assert_eq!(jobs(&engine, VOLUME), []);
    engine.advance(hour(6));
    assert_eq!(jobs(&engine, VOLUME), [DONE]);
    assert_eq!(points(&engine, VOLUME), [(KEEP.to_owned(), PointForm::Snapshot)]);
    engine.advance(hour(30));
    assert_eq!(jobs(&engine, BUCKET), [DONE, DONE]);
}

#[test]
fn a_policy_takes_the_place_of_the_one_before() {
    let mut engine = engine(json!({ "night": rule(json!({})) }));
    let noon = rule(json!({ "schedule_expression": "cron(0 12 ? * * *)" }));
    engine.set_policy(ACCOUNT, &policy(json!({ "noon": noon })));
    engine.advance(hour(23));
    let rules: Vec<_> = engine.jobs().iter().map(|it| it.rule.1.as_str()).collect();
    assert_eq!(rules, ["noon"; 3]);
}

#[test]
fn lifecycles_delete_and_those_of_instances_need_the_role() {
    let mut engine = engine(json!({ "night": rule(json!({})) }));
    engine.advance(hour(6));
    engine.set_policy(ACCOUNT, &json!({}));
    engine.delete_role(ROLE);
    engine.advance(hour(31 * 24));
    let left: Vec<_> = engine.points().map(|it| (it.resource.as_str(), it.expired)).collect();
    assert_eq!(left, [(INSTANCE, true)]);
}

#[test]
fn a_job_that_finds_no_room_waits_until_its_start_window_is_over() {
    let mut engine = engine(json!({
        "night": rule(json!({ "start_backup_window_minutes": "60" })),
    }));
    engine.quotas.jobs = 1;
    engine.per_gigabyte = Duration::from_mins(45);
    engine.advance(hour(8));
    let expired = (JobProgress::Expired, Some(Trouble::NotStarted));
    let mut all: Vec<_> = engine.jobs().iter().map(|it| (it.progress, it.trouble)).collect();
    all.sort_by_key(|it| it.1);
    assert_eq!(all, [DONE, DONE, expired]);
}

#[test]
fn a_job_that_takes_too_long_expires() {
    let mut engine = engine(json!({
        "night": rule(json!({ "complete_backup_window_minutes": "60" })),
    }));
    engine.put_resource(BackedUp { gigabytes: 10_000, ..resource(VOLUME, "EBS") });
    engine.advance(hour(10));
    assert_eq!(jobs(&engine, VOLUME), [(JobProgress::Expired, Some(Trouble::NotCompleted))]);
    assert_eq!(jobs(&engine, INSTANCE), [DONE]);
}

#[test]
fn jobs_fail_where_vault_lock_key_or_quota_say_no() {
    let went = |change: &dyn Fn(&mut BackupEngine)| {
        let mut engine = engine(json!({ "night": rule(json!({})) }));
        change(&mut engine);
        engine.advance(hour(6));
        (jobs(&engine, VOLUME), jobs(&engine, BUCKET))
    };
    let both = |it| (vec![it], vec![it]);
    assert_eq!(went(&|it| it.delete_vault(KEEP)), both(failed(Trouble::NoVault)));
    let lock = EngineVault { lock: Some((Some(60), None)), ..vault() };
    assert_eq!(went(&|it| it.put_vault(KEEP, lock.clone())), both(failed(Trouble::Retention)));
    assert_eq!(went(&|it| it.quotas.points = 0), both(failed(Trouble::Quota)));
    // A volume has the key of its own.
    let disabled = EngineVault { key: EngineKey::Disabled, ..vault() };
    let went = went(&|it| it.put_vault(KEEP, disabled.clone()));
    assert_eq!(went, (vec![DONE], vec![failed(Trouble::Key)]));
}

#[test]
fn a_role_that_cannot_be_assumed_finds_nothing() {
    for (role, trouble) in [(None, Trouble::NoRole), (Some(false), Trouble::RoleNotAssumed)] {
        let mut engine = engine(json!({ "night": rule(json!({})) }));
        engine.delete_role(ROLE);
        if let Some(trusts) = role {
            engine.put_role(ROLE, trusts);
        }
        engine.advance(hour(6));
        assert_eq!(engine.jobs(), []);
        let skipped: Vec<_> = engine.skipped().iter().map(|it| it.trouble).collect();
        assert_eq!(skipped, [trouble; 3]);
    }
}

#[test]
fn opt_ins_decide_for_tags() {
    let mut engine = engine(json!({ "night": rule(json!({})) }));
    engine.opt_in("eu-west-1", "EBS", false);
    engine.unsupport("eu-west-1", "S3");
    engine.advance(hour(6));
    assert_eq!(jobs(&engine, VOLUME), []);
    assert_eq!(jobs(&engine, BUCKET), []);
    assert_eq!(jobs(&engine, INSTANCE), [DONE]);
}

#[test]
fn of_rules_whose_start_windows_overlap_the_one_that_keeps_longer_runs() {
    let mut engine = engine(json!({
        "night": rule(json!({})),
        "month": rule(json!({
            "schedule_expression": "cron(0 6 21 * ? *)",
            "lifecycle": { "delete_after_days": "365" },
        })),
    }));
    engine.advance(hour(72));
    let of_volume = engine.jobs().iter().filter(|it| it.resource == VOLUME);
    let rules: Vec<_> = of_volume.map(|it| it.rule.1.as_str()).collect();
    assert_eq!(rules, ["night", "month", "night"]);
}

#[test]
fn a_continuous_backup_goes_on_and_snapshots_are_made_of_other_types() {
    let mut engine =
        engine(json!({ "night": rule(json!({ "enable_continuous_backup": "true" })) }));
    engine.advance(hour(54));
    assert_eq!(points(&engine, BUCKET), [(KEEP.to_owned(), PointForm::Continuous)]);
    assert_eq!(points(&engine, VOLUME).len(), 3);
    engine.delete_resource(BUCKET);
    assert_eq!(points(&engine, BUCKET), [(KEEP.to_owned(), PointForm::Stopped)]);
}

#[test]
fn a_plan_with_continuous_backups_in_two_vaults_makes_none() {
    let continuous = json!({ "enable_continuous_backup": "true" });
    let mut other = rule(continuous.clone());
    other["target_backup_vault_name"] = json!("copies");
    let mut engine = engine(json!({ "one": rule(continuous), "other": other }));
    engine.advance(hour(6));
    assert_eq!(engine.jobs(), []);
    // Of each of the two rules, for each of the three resources.
    let skipped: Vec<_> = engine.skipped().iter().map(|it| it.trouble).collect();
    assert_eq!(skipped, [Trouble::PlanRejected; 6]);
}

#[test]
fn backups_are_copied_with_the_time_of_their_source() {
    let copies = json!({ "copy_actions": { COPIES: { "target_backup_vault_arn": COPIES } } });
    let mut engine = engine(json!({ "night": rule(copies) }));
    engine.advance(hour(8));
    let mut all: Vec<_> = engine.points().filter(|it| it.resource == VOLUME).collect();
    all.sort_by_key(|it| it.completed);
    let [backup, copy] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((backup.vault.as_str(), copy.vault.as_str()), (KEEP, COPIES));
    assert_eq!((backup.created, backup.delete_at), (copy.created, copy.delete_at));
}

#[test]
fn copies_fail_where_organization_switch_vault_or_key_say_no() {
    let went = |change: &dyn Fn(&mut BackupEngine)| {
        let copies = json!({ "copy_actions": { COPIES: { "target_backup_vault_arn": COPIES } } });
        let mut engine = engine(json!({ "night": rule(copies) }));
        change(&mut engine);
        engine.advance(hour(8));
        assert_eq!(jobs(&engine, VOLUME), [DONE]);
        let copies = engine.copy_jobs().iter().filter(|it| it.resource == VOLUME);
        copies.map(|it| it.trouble).collect::<Vec<_>>()
    };
    assert_eq!(went(&|_| {}), [None]);
    assert_eq!(went(&|it| it.cross_account = false), [Some(Trouble::CrossAccountDisabled)]);
    assert_eq!(went(&|it| it.delete_vault(COPIES)), [Some(Trouble::NoVault)]);
    let closed = EngineVault { admits_organization: false, ..vault() };
    assert_eq!(went(&|it| it.put_vault(COPIES, closed.clone())), [Some(Trouble::VaultDenied)]);
    let default = EngineVault { key: EngineKey::Default, ..vault() };
    assert_eq!(went(&|it| it.put_vault(COPIES, default.clone())), [Some(Trouble::DefaultKey)]);
}

#[test]
fn an_air_gapped_vault_gets_backups_directly_or_by_a_copy_that_leaves_none_behind() {
    let vault_arn = "arn:aws:backup:$region:$account:backup-vault:gap";
    let mut engine = engine(json!({
        "night": rule(json!({ "target_logically_air_gapped_backup_vault_arn": vault_arn })),
    }));
    engine.put_vault(GAP, EngineVault { air_gapped: true, ..vault() });
    engine.advance(hour(8));
    for arn in [BUCKET, VOLUME] {
        assert_eq!(points(&engine, arn), [(GAP.to_owned(), PointForm::Snapshot)], "{arn}");
    }
    let copies: Vec<_> = engine.copy_jobs().iter().map(|it| it.resource.as_str()).collect();
    assert_eq!(copies, [INSTANCE, VOLUME]);
}

#[test]
fn what_is_asked_for_goes_wrong_and_is_told() {
    let mut engine = engine(json!({ "night": rule(json!({})) }));
    let (from, until) = (hour(0), hour(24));
    engine.inject(Injected { resource: VOLUME.to_owned(), from, until });
    engine.advance(hour(30));
    assert_eq!(jobs(&engine, VOLUME), [failed(Trouble::Injected), DONE]);
    let events = engine.take_events();
    let of_volume = events.iter().filter(|it| it["detail"]["resourceArn"] == VOLUME);
    let states: Vec<_> = of_volume.map(|it| it["detail"]["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["CREATED", "FAILED", "CREATED", "RUNNING", "COMPLETED"]);
    assert_eq!(events[0]["time"], "2026-11-20T05:00:00Z");
    assert_eq!(engine.take_events(), Vec::<Value>::new());
}
