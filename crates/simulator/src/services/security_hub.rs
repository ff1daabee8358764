//! AWS Security Hub: imports findings.

use serde_json::{Value, json};

use super::json::Members;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// The most findings of a request.
const FINDINGS: usize = 100;

/// The members that a finding must have as text, each with the most characters that it may have.
const TEXTS: [(&str, usize); 9] = [
    ("SchemaVersion", 10),
    ("Id", 512),
    ("ProductArn", 2_048),
    ("GeneratorId", 512),
    ("AwsAccountId", 12),
    ("CreatedAt", 100),
    ("UpdatedAt", 100),
    ("Title", 256),
    ("Description", 1_024),
];

/// The most resources of a finding.
const RESOURCES: usize = 32;

pub(super) fn perform(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    if !world.hub.is_enabled() {
        let account = &call.caller.account;
        let message = format!("Account {account} is not subscribed to AWS Security Hub");
        return Err(Refusal::new(Code::InvalidAccess, message));
    }
    let findings = members.get("Findings").and_then(Value::as_array).cloned().unwrap_or_default();
    if findings.is_empty() || findings.len() > FINDINGS {
        let message = "Invalid parameter 'Findings'. Between 1 and 100 items are allowed.";
        return Err(Refusal::new(Code::InvalidInput, message));
    }
    let product = product(world, call);
    let mut failed = Vec::new();
    let count = findings.len();
    for finding in findings {
        let id = finding.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
        match wrong(&finding, &product, &call.caller.account) {
            Some(what) => failed.push(json!({
                "Id": id,
                "ErrorCode": "InvalidInput",
                "ErrorMessage": format!("Finding does not adhere to Amazon Finding Format: {what}"),
            })),
            None => world.hub.import(&id, finding),
        }
    }
    let body = json!({
        "FailedCount": failed.len(),
        "SuccessCount": count - failed.len(),
        "FailedFindings": failed,
    });
    Ok(Reply::new("application/json", body.to_string()))
}

/// Returns the ARN of the product for an account's own findings.
pub(super) fn product(world: &World, call: &Call) -> String {
    let partition = world.organization.partition();
    let (account, region) = (&call.caller.account, &call.caller.region);
    format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
}

/// Returns what is wrong with a finding.
fn wrong(finding: &Value, product: &str, account: &str) -> Option<String> {
    let text = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or_default();
    for (name, most) in TEXTS {
        if text(name).is_empty() || text(name).chars().count() > most {
            return Some(name.to_owned());
        }
    }
    if text("SchemaVersion") != "2018-10-08" {
        return Some("SchemaVersion".to_owned());
    }
    if text("ProductArn") != product || text("AwsAccountId") != account {
        return Some("ProductArn".to_owned());
    }
    let resources = finding.get("Resources").and_then(Value::as_array);
    let resources = resources.map(Vec::as_slice).unwrap_or_default();
    let has = |it: &Value, name: &str| {
        it.get(name).and_then(Value::as_str).is_some_and(|it| !it.is_empty())
    };
    let is_right = |it: &Value| has(it, "Type") && has(it, "Id");
    if resources.is_empty() || resources.len() > RESOURCES || !resources.iter().all(is_right) {
        return Some("Resources".to_owned());
    }
    let state = text("RecordState");
    (!["", "ACTIVE", "ARCHIVED"].contains(&state)).then(|| "RecordState".to_owned())
}
