//! What the owner of the data checks: a function of theirs, which is asked and answers in JSON.

use serde_json::{Value, json};

use crate::restore_validation::Job;

/// The types of resources that restore tests restore and that there is a check for.
pub const TYPES: [&str; 10] =
    ["Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "S3"];

/// What the owner's function says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Opinion {
    /// It is as it should be, for this reason.
    Good(String),
    /// It is not, for this reason.
    Bad(String),
    /// It is to be asked again, for this reason.
    Later(String),
    /// What it said is none of these.
    Unclear,
}

/// What the owner's function is asked about what `job` restored.
pub fn question(job: &Job) -> Value {
    json!({
        "restoreJobId": job.id,
        "resourceType": job.resource_type,
        "createdResourceArn": job.created,
        "recoveryPointArn": job.recovery_point,
    })
}

/// What the answer of the owner's function says. It decides between three words, and its message is
/// text and nothing more.
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
