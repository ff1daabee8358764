//! Decides what a restore test restored, and what its result is.
//!
//! An event names the job to check. The job names the restored resource. The state of that resource
//! shows if the restore is sound, broken or not settled yet. A restore is reported as sound only if
//! its resource was checked. If AWS does not allow the check, the restore is reported as failed,
//! and the message says that this is the reason.

mod event;
mod facts;
mod judge;
mod look;
mod own;
mod reader;
mod report;
mod resource;
mod states;
mod window;

use policy::arn::Arn;

use crate::restore_validation::report::not_validated;
use crate::restore_validation::resource::backed_up;

pub use self::event::{Ended, Reading, read};
pub use self::facts::{Checks, Contents, Database, Disk, Engine, Facts, Listed, is_lost};
pub use self::judge::{Judgment, judge, with_own};
pub use self::look::Inspection;
pub use self::own::{Opinion, TYPES, opinion, question};
pub use self::reader::{READER_TAG, Reader, reader_name};
pub use self::report::{LIMIT, Report, Status, ValidationOutcome};
pub use self::resource::{BackedUp, Resource, Restored, Sample, asked_size, parse, sample};
pub use self::states::{Outlook, Stateful};
pub use self::window::Window;

/// A restore job, as AWS Backup describes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Job {
    /// Its ID.
    pub id: String,
    /// Its status: `PENDING`, `RUNNING`, `COMPLETED`, `ABORTED` or `FAILED`.
    pub status: String,
    /// The reason why it is not completed, if it is not.
    pub status_message: String,
    /// The type of the restored resource, such as `EBS`.
    pub resource_type: String,
    /// The ARN of the restored resource.
    pub created: Option<String>,
    /// The ARN of the backup that it was restored from.
    pub recovery_point: Option<String>,
    /// The bytes that were restored.
    pub bytes: Option<u64>,
    /// The result of its validation so far: `FAILED`, `SUCCESSFUL`, `TIMED_OUT` or, until there is
    /// one, `VALIDATING`.
    pub validation: Option<String>,
    /// The status of the deletion of the restored resource by AWS Backup, once the deletion began.
    pub deletion: Option<String>,
    /// The ARN of the restore testing plan that started it. A restore without one is not a test.
    pub plan: Option<String>,
    /// The time at which it was completed, in seconds since 1970.
    pub completed: Option<i64>,
}

/// The next step for a restore.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Check the restored resource.
    Look(Restored),
    /// Report this result without a check.
    Report(Report),
    /// Do nothing: no restore testing plan started the restore, even if an event said so.
    Ordinary,
    /// Do nothing: the restore already has this result.
    Done(String),
    /// Do nothing: the restore itself failed.
    Ended,
    /// Do nothing: the restored resource is being deleted.
    TooLate,
    /// Try again later: the job is not over, or has a status that this program does not know.
    /// Contains the status in the words of AWS Backup, which is empty if there is none.
    Early(String),
}

/// Returns the next step for `job`.
///
/// A result is final, and makes AWS Backup delete the restored resource. So no result is reported
/// twice.
pub fn next(job: &Job) -> Next {
    if job.plan.is_none() {
        // AWS Backup may describe a job later of which it does not even give a status yet.
        return if job.status.is_empty() { Next::Early(String::new()) } else { Next::Ordinary };
    }
    if let Some(result) = job.validation.as_deref().filter(|it| *it != "VALIDATING") {
        return Next::Done(result.to_owned());
    }
    match job.status.as_str() {
        "COMPLETED" => {}
        "ABORTED" | "FAILED" => return Next::Ended,
        status => return Next::Early(status.to_owned()),
    }
    if job.deletion.is_some() {
        return Next::TooLate;
    }
    restored(job).map_or_else(|why| Next::Report(not_validated(&why)), Next::Look)
}

/// Returns the resource that the restore test `job` restored.
///
/// # Errors
///
/// Returns an error with the reason if there is no check for the resource, or if the resource is
/// not in the partition, account and Region of the restore test.
pub fn restored(job: &Job) -> Result<Restored, String> {
    restored_beside(job, "its restore test", job.plan.as_deref().unwrap_or_default())
}

/// Returns the resource that `job` restored, which has to be in the partition, account and Region
/// of `what`, whose ARN is `neighbor`.
///
/// # Errors
///
/// Returns an error with the reason if there is no check for the resource, or if the resource is
/// elsewhere. A resource with its name here would be another one.
pub fn restored_beside(job: &Job, what: &str, neighbor: &str) -> Result<Restored, String> {
    let Some(created) = &job.created else {
        return Err("AWS Backup does not name what was restored".to_owned());
    };
    let no_check = || format!("there is no check for {} ({created})", job.resource_type);
    let arn = Arn::parse(created).map_err(|_| no_check())?;
    let resource = parse(&job.resource_type, &arn).ok_or_else(no_check)?;
    let place = Arn::parse(neighbor).map_err(|_| format!("{what} has no ARN: {neighbor}"))?;
    // The name of a bucket is unique in its partition, so the ARN of a bucket has no account and no
    // Region.
    let is_bucket = matches!(resource, Resource::Bucket(_));
    let differs = |own: &str, wanted: &str| own != wanted && !(is_bucket && own.is_empty());
    let elsewhere = if arn.partition != place.partition {
        Some("partition")
    } else if differs(arn.account, place.account) {
        Some("account")
    } else if differs(arn.region, place.region) {
        Some("Region")
    } else {
        None
    };
    if let Some(part) = elsewhere {
        return Err(format!("{created} is in another {part} than {what} ({neighbor})"));
    }
    let from = job.recovery_point.as_deref().and_then(backed_up);
    Ok(Restored { resource, from, owner: place.account.to_owned() })
}

#[cfg(test)]
mod tests;
