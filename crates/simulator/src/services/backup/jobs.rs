//! The jobs of AWS Backup, of which it tells for thirty days.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::names;
use super::query::{Accounts, Between, is_asked, now, page, present};
use crate::backup_engine::{BackupJob, EngineCopyJob, JobProgress};
use crate::organization::clock;
use crate::refusal::Answer;
use crate::reply::moment;
use crate::request::Call;
use crate::restore_jobs::RestoreJob;
use crate::world::World;

/// How long jobs are told of.
const THIRTY_DAYS: Duration = Duration::from_hours(30 * 24);

pub(super) fn backup_jobs(world: &World, call: &Call) -> Answer<Value> {
    let accounts = Accounts::asked(world, call)?;
    let created = Between::asked(call, "createdAfter", "createdBefore")?;
    let completed = Between::asked(call, "completeAfter", "completeBefore")?;
    let parent = call.parameter("parentJobId");
    let wanted = |it: &&BackupJob| {
        accounts.have(world, &it.place.0)
            && it.place.1 == call.caller.region
            && is_recent(world, it.created)
            && created.has(Some(it.created))
            && completed.has(it.ended)
            && is_asked(call, "resourceArn", &it.resource)
            && is_asked(call, "state", it.progress.as_str())
            && is_asked(call, "backupVaultName", names::vault(&it.vault))
            && is_asked(call, "resourceType", &it.kind)
            && has_category(call, it.progress)
            && parent.is_none()
    };
    let jobs = world.works.jobs().iter().rev().filter(wanted);
    page(world, call, "BackupJobs", jobs.map(|it| backup_job(world, it)))
}

fn backup_job(world: &World, job: &BackupJob) -> Value {
    let point = job.point.and_then(|it| world.works.point(it));
    let (account, region) = (job.place.0.as_str(), job.place.1.as_str());
    let is_done = job.progress == JobProgress::Completed;
    present([
        ("AccountId", Some(json!(account))),
        ("BackupJobId", Some(json!(names::backup_job(job.id)))),
        ("BackupVaultName", Some(json!(names::vault(&job.vault)))),
        ("BackupVaultArn", Some(json!(job.vault))),
        ("RecoveryPointArn", point.map(|it| json!(names::recovery_point(world, it)))),
        ("ResourceArn", Some(json!(job.resource))),
        ("ResourceType", Some(json!(job.kind))),
        ("CreationDate", Some(json!(moment(job.created)))),
        ("StartBy", Some(json!(moment(job.start_by)))),
        ("CompletionDate", job.ended.map(|it| json!(moment(it)))),
        ("State", Some(json!(job.progress.as_str()))),
        ("StatusMessage", job.trouble.map(|it| json!(it.message()))),
        ("MessageCategory", category(job.progress).map(Value::from)),
        ("PercentDone", Some(json!(if is_done { "100.0" } else { "0.0" }))),
        ("BackupSizeInBytes", is_done.then(|| json!(job.bytes))),
        ("IamRoleArn", Some(json!(job.role))),
        ("CreatedBy", Some(names::creator(world, (account, region), &job.rule))),
        ("IsParent", Some(json!(false))),
    ])
}

pub(super) fn copy_jobs(world: &World, call: &Call) -> Answer<Value> {
    let accounts = Accounts::asked(world, call)?;
    let created = Between::asked(call, "createdAfter", "createdBefore")?;
    let completed = Between::asked(call, "completeAfter", "completeBefore")?;
    let parent = call.parameter("parentJobId");
    let source = call.parameter("sourceRecoveryPointArn");
    let wanted = |it: &(usize, &EngineCopyJob)| {
        let it = it.1;
        accounts.have(world, &it.place.0)
            && it.place.1 == call.caller.region
            && is_recent(world, it.created)
            && created.has(Some(it.created))
            && completed.has(it.ended)
            && is_asked(call, "resourceArn", &it.resource)
            && is_asked(call, "state", copy_state(it))
            && is_asked(call, "resourceType", &it.kind)
            && is_asked(call, "destinationVaultArn", &it.destination)
            && has_category(call, it.progress)
            && source.is_none_or(|arn| source_of(world, it).is_some_and(|it| it == arn))
            && parent.is_none()
    };
    let jobs = world.works.copy_jobs().iter().enumerate().rev().filter(wanted);
    page(world, call, "CopyJobs", jobs.map(|(number, it)| copy_job(world, number, it)))
}

fn copy_job(world: &World, number: usize, job: &EngineCopyJob) -> Value {
    let (account, region) = (job.place.0.as_str(), job.place.1.as_str());
    let made = job.point.and_then(|it| world.works.point(it));
    let keeps = job.delete_after_days.map(|it| json!({ "DeleteAfterDays": it }));
    present([
        ("AccountId", Some(json!(account))),
        ("CopyJobId", Some(json!(names::copy_job(number)))),
        ("SourceBackupVaultArn", Some(json!(job.source_vault))),
        ("SourceRecoveryPointArn", source_of(world, job).map(Value::from)),
        ("DestinationBackupVaultArn", Some(json!(job.destination))),
        ("DestinationRecoveryPointArn", made.map(|it| json!(names::recovery_point(world, it)))),
        ("DestinationRecoveryPointLifecycle", keeps),
        ("ResourceArn", Some(json!(job.resource))),
        ("ResourceType", Some(json!(job.kind))),
        ("CreationDate", Some(json!(moment(job.created)))),
        ("CompletionDate", job.ended.map(|it| json!(moment(it)))),
        ("State", Some(json!(copy_state(job)))),
        ("StatusMessage", job.trouble.map(|it| json!(it.message()))),
        ("MessageCategory", category(job.progress).map(Value::from)),
        ("BackupSizeInBytes", made.map(|_| json!(job.bytes))),
        ("IamRoleArn", Some(json!(job.role))),
        ("CreatedBy", Some(names::creator(world, (account, region), &job.rule))),
        ("CreatedByBackupJobId", Some(json!(names::backup_job(job.job)))),
        ("IsParent", Some(json!(false))),
    ])
}

/// The ARN of what a job copies, as long as it is there.
fn source_of(world: &World, job: &EngineCopyJob) -> Option<String> {
    world.works.point(job.source).map(|it| names::recovery_point(world, it))
}

pub(super) fn restore_jobs(world: &World, call: &Call) -> Answer<Value> {
    let accounts = Accounts::asked(world, call)?;
    let created = Between::asked(call, "createdAfter", "createdBefore")?;
    let completed = Between::asked(call, "completeAfter", "completeBefore")?;
    let parent = call.parameter("parentJobId");
    let plan = call.parameter("restoreTestingPlanArn");
    let wanted = |(account, region, _, it): &(&str, &str, &str, &RestoreJob)| {
        let at = begun(it);
        accounts.have(world, account)
            && *region == call.caller.region
            && is_recent(world, at)
            && created.has(Some(at))
            && completed.has(ended(it))
            && is_asked(call, "status", &it.status)
            && is_asked(call, "resourceType", &it.resource_type)
            && plan.is_none_or(|plan| it.plan.as_deref() == Some(plan))
            && parent.is_none()
    };
    let jobs = world.backup.restore_jobs().all().filter(wanted);
    let view = |(account, _, id, it): (&str, &str, &str, &RestoreJob)| {
        present([
            ("AccountId", Some(json!(account))),
            ("RestoreJobId", Some(json!(id))),
            ("RecoveryPointArn", it.recovery_point.clone().map(Value::from)),
            ("SourceResourceArn", it.source.clone().map(Value::from)),
            ("CreationDate", Some(json!(moment(begun(it))))),
            ("CompletionDate", ended(it).map(|it| json!(moment(it)))),
            ("Status", Some(json!(it.status))),
            ("PercentDone", Some(json!("0.00%"))),
            ("BackupSizeInBytes", it.bytes.map(Value::from)),
            ("CreatedResourceArn", it.created.clone().map(Value::from)),
            ("ResourceType", Some(json!(it.resource_type))),
            ("CreatedBy", it.plan.as_ref().map(|it| json!({ "RestoreTestingPlanArn": it }))),
            ("ValidationStatus", it.validation_status().map(Value::from)),
            ("ValidationStatusMessage", it.validation_message().map(Value::from)),
            ("DeletionStatus", it.deletion.clone().map(Value::from)),
            ("IsParent", Some(json!(false))),
        ])
    };
    page(world, call, "RestoreJobs", jobs.map(view))
}

/// When a restore job was created.
pub(super) fn begun(job: &RestoreJob) -> SystemTime {
    clock(job.begun.unwrap_or_default())
}

/// When a restore job was over, which takes no time here.
fn ended(job: &RestoreJob) -> Option<SystemTime> {
    let is_over = !["PENDING", "RUNNING"].contains(&job.status.as_str());
    is_over.then(|| begun(job))
}

fn is_recent(world: &World, created: SystemTime) -> bool {
    created + THIRTY_DAYS >= now(world)
}

/// Copy jobs do not expire.
fn copy_state(job: &EngineCopyJob) -> &'static str {
    match job.progress {
        JobProgress::Expired => "FAILED",
        other => other.as_str(),
    }
}

/// What kind of message a job has, as far as AWS tells what it calls them.
fn category(progress: JobProgress) -> Option<&'static str> {
    (progress == JobProgress::Completed).then_some("SUCCESS")
}

fn has_category(call: &Call, progress: JobProgress) -> bool {
    is_asked(call, "messageCategory", category(progress).unwrap_or_default())
}
