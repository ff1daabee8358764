//! Restore jobs: those that a test makes, and those that somebody asked for.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::jobs::{is_recent, percent};
use super::query::{Accounts, Between, is_asked, page, present};
use crate::backup_engine::EngineRestoreJob;
use crate::organization::clock;
use crate::refusal::Answer;
use crate::reply::moment;
use crate::request::Call;
use crate::restore_jobs::{RestoreJob, not_found};
use crate::world::World;

/// A restore job as AWS tells of it.
struct Told {
    place: (String, String),
    id: String,
    status: String,
    kind: String,
    created: SystemTime,
    completed: Option<SystemTime>,
    plan: Option<String>,
    view: Value,
}

pub(super) fn list(world: &World, call: &Call) -> Answer<Value> {
    let accounts = Accounts::asked(world, call)?;
    let created = Between::asked(call, "createdAfter", "createdBefore")?;
    let completed = Between::asked(call, "completeAfter", "completeBefore")?;
    let parent = call.parameter("parentJobId");
    let plan = call.parameter("restoreTestingPlanArn");
    let wanted = |it: &Told| {
        accounts.have(world, &it.place.0)
            && it.place.1 == call.caller.region
            && is_recent(world, it.created)
            && created.has(Some(it.created))
            && completed.has(it.completed)
            && is_asked(call, "status", &it.status)
            && is_asked(call, "resourceType", &it.kind)
            && plan.is_none_or(|plan| it.plan.as_deref() == Some(plan))
            && parent.is_none()
    };
    let jobs = all(world).filter(wanted);
    page(world, call, "RestoreJobs", jobs.map(|it| it.view))
}

pub(super) fn describe(world: &World, call: &Call) -> Answer<Value> {
    let id = super::job_id(call);
    let (account, region) = (&call.caller.account, &call.caller.region);
    let is_it = |it: &Told| it.id == id && it.place.0 == *account && it.place.1 == *region;
    all(world).find(is_it).map(|it| it.view).ok_or_else(|| not_found(id))
}

/// Returns the metadata of a job.
pub(super) fn metadata(world: &World, call: &Call) -> Answer<Value> {
    let id = super::job_id(call);
    let (account, region) = (&call.caller.account, &call.caller.region);
    let asked = world.works.restore_jobs().iter();
    let asked = asked.filter(|it| it.place.0 == *account && it.place.1 == *region);
    let metadata = match asked.clone().find(|it| it.name() == id) {
        Some(job) => &job.metadata,
        None => &world.backup.restore_jobs().get(account, region, id)?.metadata,
    };
    Ok(json!({ "RestoreJobId": id, "Metadata": metadata }))
}

/// Returns whether a job was asked for, so that there is nothing to validate.
pub(super) fn is_asked_for(world: &World, call: &Call) -> bool {
    let id = super::job_id(call);
    let place = (call.caller.account.as_str(), call.caller.region.as_str());
    let is_it = |it: &EngineRestoreJob| {
        it.name() == id && (it.place.0.as_str(), it.place.1.as_str()) == place
    };
    world.works.restore_jobs().iter().any(is_it)
}

/// Returns every restore job, the newest of those that were asked for first.
fn all(world: &World) -> impl Iterator<Item = Told> {
    let asked = world.works.restore_jobs().iter().rev().map(|it| asked_for(world, it));
    let made = world.backup.restore_jobs().all();
    asked.chain(made.map(|(account, region, id, it)| made_by_test(account, region, id, it)))
}

fn asked_for(world: &World, job: &EngineRestoreJob) -> Told {
    let text = |it: &str| Some(json!(it));
    let done = percent(world, job.at_work, job.ended.is_some() && job.made.is_some());
    let view = present([
        ("AccountId", text(&job.place.0)),
        ("RestoreJobId", Some(json!(job.name()))),
        ("RecoveryPointArn", text(&job.point_arn)),
        ("SourceResourceArn", text(&job.source)),
        ("BackupVaultArn", text(&job.vault)),
        ("CreationDate", Some(json!(moment(job.created)))),
        ("CompletionDate", job.ended.map(|it| json!(moment(it)))),
        ("Status", text(job.status())),
        ("StatusMessage", job.trouble.as_ref().map(|it| json!(it.to_string()))),
        ("PercentDone", Some(json!(format!("{done:.2}%")))),
        ("BackupSizeInBytes", Some(json!(job.bytes))),
        ("IamRoleArn", text(&job.role)),
        ("CreatedResourceArn", job.made.clone().map(Value::from)),
        ("ResourceType", text(&job.kind)),
        ("RecoveryPointCreationDate", Some(json!(moment(job.begun)))),
        ("IsParent", Some(json!(false))),
    ]);
    Told {
        place: job.place.clone(),
        id: job.name(),
        status: job.status().to_owned(),
        kind: job.kind.clone(),
        created: job.created,
        completed: job.ended,
        plan: None,
        view,
    }
}

fn made_by_test(account: &str, region: &str, id: &str, job: &RestoreJob) -> Told {
    let created = clock(job.begun.unwrap_or_default());
    // It takes no time here.
    let is_over = !["PENDING", "RUNNING"].contains(&job.status.as_str());
    let completed = is_over.then_some(created);
    let text = |it: &Option<String>| it.clone().map(Value::from);
    let view = present([
        ("AccountId", Some(json!(account))),
        ("RestoreJobId", Some(json!(id))),
        ("RecoveryPointArn", text(&job.recovery_point)),
        ("SourceResourceArn", text(&job.source)),
        ("CreationDate", Some(json!(moment(created)))),
        ("CompletionDate", completed.map(|it| json!(moment(it)))),
        ("Status", Some(json!(job.status))),
        ("PercentDone", Some(json!("0.00%"))),
        ("BackupSizeInBytes", job.bytes.map(Value::from)),
        ("CreatedResourceArn", text(&job.created)),
        ("ResourceType", Some(json!(job.resource_type))),
        ("CreatedBy", job.plan.as_ref().map(|it| json!({ "RestoreTestingPlanArn": it }))),
        ("ValidationStatus", text(&job.validation_status())),
        ("ValidationStatusMessage", text(&job.validation_message())),
        ("DeletionStatus", text(&job.deletion)),
        ("IsParent", Some(json!(false))),
    ]);
    Told {
        place: (account.to_owned(), region.to_owned()),
        id: id.to_owned(),
        status: job.status.clone(),
        kind: job.resource_type.clone(),
        created,
        completed,
        plan: job.plan.clone(),
        view,
    }
}
