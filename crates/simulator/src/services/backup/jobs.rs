//! The jobs of AWS Backup, which it lists for thirty days.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::names;
use super::points;
use super::query::{Accounts, Between, is_asked, now, page, present};
use crate::backup_engine::{BackupJob, EngineCopyJob, JobProgress};
use crate::backup_paths::segments;
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::moment;
use crate::request::Call;
use crate::world::World;

/// The time for which jobs are listed.
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

pub(super) fn describe_backup(world: &World, call: &Call) -> Answer<Value> {
    call.looked_at("BackupJobId");
    let id = segments(&call.path).into_iter().nth(1).unwrap_or_default();
    let mut own = world.works.jobs().iter().filter(|it| is_here(call, &it.place));
    let job = own.find(|it| names::backup_job(it.id) == id).ok_or_else(|| not_found(&id))?;
    Ok(backup_job(world, job))
}

pub(super) fn describe_copy(world: &World, call: &Call) -> Answer<Value> {
    call.looked_at("CopyJobId");
    let id = segments(&call.path).into_iter().nth(1).unwrap_or_default();
    let jobs = world.works.copy_jobs().iter().enumerate();
    let mut own = jobs.filter(|it| is_here(call, &it.1.place));
    let job = own.find(|it| names::copy_job(it.0) == id).ok_or_else(|| not_found(&id))?;
    Ok(json!({ "CopyJob": copy_job(world, job.0, job.1) }))
}

fn is_here(call: &Call, place: &(String, String)) -> bool {
    place.0 == call.caller.account && place.1 == call.caller.region
}

fn not_found(id: &str) -> Refusal {
    Refusal::new(Code::ResourceNotFound, format!("There is no job {id}."))
}

/// Returns the part of a job that is done, in percent.
pub(super) fn percent(
    world: &World,
    at_work: Option<(SystemTime, SystemTime)>,
    is_done: bool,
) -> f64 {
    let Some((from, until)) = at_work else { return 0.0 };
    if is_done {
        return 100.0;
    }
    let since = |at: SystemTime| at.duration_since(from).unwrap_or_default().as_secs_f64();
    (since(now(world)) / since(until).max(1.0) * 100.0).min(99.0)
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
        ("PercentDone", Some(json!(format!("{:.1}", percent(world, job.at_work, is_done))))),
        ("BackupSizeInBytes", is_done.then(|| json!(job.bytes))),
        ("IamRoleArn", Some(json!(job.role))),
        ("CreatedBy", names::creator(world, (account, region), &job.rule)),
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
    let keeps = points::lifecycle(job.lifecycle);
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
        ("CreatedBy", names::creator(world, (account, region), &job.rule)),
        ("CreatedByBackupJobId", job.job.map(|it| json!(names::backup_job(it)))),
        ("IsParent", Some(json!(false))),
    ])
}

/// Returns the ARN of the recovery point that a job copies, as long as it exists.
fn source_of(world: &World, job: &EngineCopyJob) -> Option<String> {
    world.works.point(job.source).map(|it| names::recovery_point(world, it))
}

/// Returns `true` if a job is recent enough to be listed.
pub(super) fn is_recent(world: &World, created: SystemTime) -> bool {
    created + THIRTY_DAYS >= now(world)
}

/// Returns the state of a copy job. Copy jobs do not expire.
fn copy_state(job: &EngineCopyJob) -> &'static str {
    match job.progress {
        JobProgress::Expired => "FAILED",
        other => other.as_str(),
    }
}

/// Returns the category of a job's message, as far as AWS documents the names of the categories.
fn category(progress: JobProgress) -> Option<&'static str> {
    (progress == JobProgress::Completed).then_some("SUCCESS")
}

fn has_category(call: &Call, progress: JobProgress) -> bool {
    is_asked(call, "messageCategory", category(progress).unwrap_or_default())
}
