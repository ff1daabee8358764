//! The events that tell of restore jobs.

use serde_json::Value;

/// What an event is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The restore test with this job ID brought something back.
    Completed(String),
    /// A restore test failed by itself, so that there is nothing to look at.
    Ended(Ended),
    /// Nothing that has to be looked at.
    Nothing(&'static str),
}

/// A restore test that brought nothing back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// The ID of the job.
    pub job: String,
    /// The type of what should have been restored.
    pub resource_type: String,
    /// `FAILED` or `ABORTED`.
    pub status: String,
    /// Why, in the words of AWS.
    pub message: String,
}

/// Reads an event of EventBridge.
///
/// A job that no restore testing plan started is never touched: what it restored is somebody's.
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
    // A job that was just created has a `state` instead.
    match text("/detail/status") {
        "COMPLETED" => Reading::Completed(job.to_owned()),
        status @ ("ABORTED" | "FAILED") => Reading::Ended(Ended {
            job: job.to_owned(),
            resource_type: text("/detail/resourceType").to_owned(),
            status: status.to_owned(),
            message: text("/detail/statusMessage").to_owned(),
        }),
        _ => Reading::Nothing("the restore is not over"),
    }
}
