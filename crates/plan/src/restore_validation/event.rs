//! Reads the events about restore jobs.

use serde_json::Value;

/// The subject of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The restore test with this job ID restored something, or has a status that this program does
    /// not know. AWS Backup tells which.
    Completed(String),
    /// The restore of a test failed, so there is nothing to check.
    Ended(Ended),
    /// Nothing to check, for this reason.
    Nothing(&'static str),
}

/// A restore test that restored nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// The ID of the job.
    pub job: String,
    /// The type of the resource that should have been restored.
    pub resource_type: String,
    /// `FAILED` or `ABORTED`.
    pub status: String,
    /// The reason, in the words of AWS.
    pub message: String,
}

/// Reads an event of EventBridge.
///
/// A job that no restore testing plan started is never touched: the resource that it restored is in
/// use.
pub fn read(event: &Value) -> Reading {
    let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text("/source") != "aws.backup" || text("/detail-type") != "Restore Job State Change" {
        return Reading::Nothing("it is not about a restore job");
    }
    if text("/detail/restoreTestingPlanArn").is_empty() {
        return Reading::Nothing("the restore is no test");
    }
    let job = text("/detail/restoreJobId");
    if job.is_empty() {
        return Reading::Nothing("it names no job");
    }
    match text("/detail/status") {
        // A job that was just created has a `state` instead.
        "" | "CREATED" | "PENDING" | "RUNNING" => Reading::Nothing("the restore is not over"),
        status @ ("ABORTED" | "FAILED") => Reading::Ended(Ended {
            job: job.to_owned(),
            resource_type: text("/detail/resourceType").to_owned(),
            status: status.to_owned(),
            message: text("/detail/statusMessage").to_owned(),
        }),
        // `COMPLETED`, or a status that is new, which may be one of a restore that is over.
        _ => Reading::Completed(job.to_owned()),
    }
}
