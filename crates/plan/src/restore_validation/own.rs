//! Asks a function of the data's owner to check a restored resource. Question and answer are JSON.

use serde_json::{Value, json};

use crate::restore_validation::Job;

/// The types of resources that restore tests can restore and that have a check here.
pub const TYPES: [&str; 10] =
    ["Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "S3"];

/// The opinion of the owner's function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Opinion {
    /// The resource is as it should be, for this reason.
    Good(String),
    /// The resource is not as it should be, for this reason.
    Bad(String),
    /// The function is to be asked again later, for this reason.
    Later(String),
    /// The answer is none of these.
    Unclear,
}

/// Returns the question to the owner's function about the resource that `job` restored.
pub fn question(job: &Job) -> Value {
    json!({
        "restoreJobId": job.id,
        "resourceType": job.resource_type,
        "createdResourceArn": job.created,
        "recoveryPointArn": job.recovery_point,
    })
}

/// Reads the answer of the owner's function. Only its status decides, which is one of three words.
/// Its message is only shown.
pub fn opinion(answer: &str) -> Opinion {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let why = text("message").filter(|it| !it.trim().is_empty());
    let why = why.unwrap_or("it gives no reason").to_owned();
    match text("status") {
        Some("SUCCESSFUL") => Opinion::Good(why),
        Some("FAILED") => Opinion::Bad(why),
        Some("WAIT") => Opinion::Later(why),
        _ => Opinion::Unclear,
    }
}
