//! What a restore test brought back, and what is said of it.
//!
//! An event says which job to look at. What the job is says what it restored; what that is like says
//! whether it is sound, broken, or not yet settled. Nothing here says that a restore is sound which was
//! not looked at, and one that could not be looked at has failed in words that say just that.

mod event;
mod facts;
mod judge;
mod own;
mod reader;
mod report;
mod resource;
mod states;

use std::time::Duration;

use policy::arn::Arn;

use crate::restore_validation::report::not_validated;
use crate::restore_validation::resource::backed_up;

pub use self::event::{Ended, Reading, read};
pub use self::facts::{Checks, Contents, Database, Disk, Engine, Facts, Listed, is_lost};
pub use self::judge::{Judgment, judge, with_own};
pub use self::own::{Opinion, TYPES, opinion, question};
pub use self::reader::{READER_TAG, Reader, reader_name};
pub use self::report::{LIMIT, Report, Status, ValidationOutcome};
pub use self::resource::{BackedUp, Resource, Restored, Sample, asked_size, parse, sample};
pub use self::states::{Outlook, Stateful};

/// A restore job, as AWS Backup tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Job {
    /// Its ID.
    pub id: String,
    /// How far it is: `PENDING`, `RUNNING`, `COMPLETED`, `ABORTED` or `FAILED`.
    pub status: String,
    /// Why it is not completed, where it is not.
    pub status_message: String,
    /// The type of what was restored, like `EBS`.
    pub resource_type: String,
    /// The ARN of what was restored.
    pub created: Option<String>,
    /// The ARN of the backup that it was restored from.
    pub recovery_point: Option<String>,
    /// The bytes that were restored.
    pub bytes: Option<u64>,
    /// What was said of it already: `FAILED`, `SUCCESSFUL`, `TIMED_OUT` or, until then, `VALIDATING`.
    pub validation: Option<String>,
    /// How far AWS Backup is with deleting what was restored, once it began.
    pub deletion: Option<String>,
    /// The ARN of the restore testing plan that started it. A restore that has none is no test.
    pub plan: Option<String>,
    /// When it was completed, in seconds since 1970.
    pub completed: Option<i64>,
}

/// What is to be done about a restore.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Look at what it restored.
    Look(Restored),
    /// Say this without looking.
    Report(Report),
    /// Nothing, since no restore testing plan started it, whatever an event said.
    Ordinary,
    /// Nothing, since it was done before.
    Done(String),
    /// Nothing, since the restore failed by itself.
    Ended,
    /// Nothing, since what was restored is being deleted.
    TooLate,
    /// Come back: the job is not over.
    Early,
}

/// What is to be done about `job`.
///
/// A result is final, and has AWS Backup delete what was restored, so nothing is said twice.
pub fn next(job: &Job) -> Next {
    if job.plan.is_none() {
        // Of a job of which AWS Backup says nothing at all, it may say so later.
        return if job.status.is_empty() { Next::Early } else { Next::Ordinary };
    }
    if let Some(result) = job.validation.as_deref().filter(|it| *it != "VALIDATING") {
        return Next::Done(result.to_owned());
    }
    match job.status.as_str() {
        "COMPLETED" => {}
        "ABORTED" | "FAILED" => return Next::Ended,
        _ => return Next::Early,
    }
    if job.deletion.is_some() {
        return Next::TooLate;
    }
    restored(job).map_or_else(|why| Next::Report(not_validated(&why)), Next::Look)
}

/// What `job` restored.
///
/// # Errors
///
/// When there is no check for it, or it is not where the restore test is: whatever has its name here
/// is something else.
pub fn restored(job: &Job) -> Result<Restored, String> {
    let Some(created) = &job.created else {
        return Err("AWS Backup does not name what was restored".to_owned());
    };
    let no_check = || format!("there is no check for {} ({created})", job.resource_type);
    let arn = Arn::parse(created).map_err(|_| no_check())?;
    let resource = parse(&job.resource_type, &arn).ok_or_else(no_check)?;
    let plan = job.plan.as_deref().unwrap_or_default();
    let plan = Arn::parse(plan).map_err(|_| format!("its plan has no ARN: {plan}"))?;
    // The names of buckets are unique in a partition, so that their ARNs have no more than that.
    let is_bucket = matches!(resource, Resource::Bucket(_));
    let differs = |own: &str, wanted: &str| own != wanted && !(is_bucket && own.is_empty());
    let elsewhere = if arn.partition != plan.partition {
        Some("partition")
    } else if differs(arn.account, plan.account) {
        Some("account")
    } else if differs(arn.region, plan.region) {
        Some("Region")
    } else {
        None
    };
    if let Some(place) = elsewhere {
        let test = job.plan.as_deref().unwrap_or_default();
        return Err(format!("{created} is in another {place} than its restore test ({test})"));
    }
    let from = job.recovery_point.as_deref().and_then(backed_up);
    Ok(Restored { resource, from, owner: plan.account.to_owned() })
}

/// Whether a look is the last one that there is time for: another run that takes as long as `run`
/// would end after the `window` in which AWS Backup keeps what it restored, of which so much has
/// `passed`.
pub fn is_last(window: Duration, passed: Duration, run: Duration) -> bool {
    passed.saturating_add(run) > window
}

#[cfg(test)]
mod tests;
