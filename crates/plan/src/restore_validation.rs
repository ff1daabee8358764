//! What a restore test brought back, and what is said of it.
//!
//! An event says which job to look at. What the job is says what it restored; what that is like says
//! whether it is sound, broken, or not yet settled. Nothing here says that a restore is sound which was
//! not looked at, and one that could not be looked at has failed in words that say just that.

mod event;
mod facts;
mod report;
mod resource;

use crate::restore_validation::report::not_validated;

pub use self::event::{Ended, Reading, read};
pub use self::facts::{Facts, Judgment, is_lost, judge};
pub use self::report::{LIMIT, Report, Status, ValidationOutcome};
pub use self::resource::{Resource, Sample, parse, sample};

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
}

/// What is to be done about a restore test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Look at what it restored.
    Look(Resource),
    /// Say this without looking.
    Report(Report),
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
    let Some(created) = &job.created else {
        return Next::Report(not_validated("AWS Backup does not name what was restored"));
    };
    let resource = parse(&job.resource_type, created, job.recovery_point.as_deref());
    resource.map_or_else(
        || {
            let why = format!("there is no check for {} ({created})", job.resource_type);
            Next::Report(not_validated(&why))
        },
        Next::Look,
    )
}

#[cfg(test)]
mod tests;
