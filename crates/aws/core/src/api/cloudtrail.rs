//! AWS CloudTrail: the trails of an account, and what they record.

use plan::doctor::{AdvancedSelector, Selectors};
use serde_json::{Value, json};

use super::answers::{each, member};
use super::{BoxError, Question, Request, Service};
use crate::operation::{DESCRIBE_TRAILS, GET_EVENT_SELECTORS, GET_TRAIL_STATUS, Operation};

fn cloudtrail<T>(
    operation: Operation,
    body: Value,
    read: fn(&str) -> Result<T, BoxError>,
) -> Request<T> {
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";
    let question = Question::Json { protocol: "1.1", target, body };
    Request { service: Service::CLOUDTRAIL, operation: operation.name, question, read }
}

/// Requests the trails that record in a Region, including those of other Regions and of the
/// organization. Each has its name, and the ARN to address it by: a trail of another Region has no
/// other address.
pub fn trails() -> Request<Vec<(String, String)>> {
    cloudtrail(DESCRIBE_TRAILS, json!({ "includeShadowTrails": true }), |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let trail = |it: &Value| {
            let name = member(it, "Name").unwrap_or_default();
            let arn = member(it, "TrailARN").unwrap_or_else(|| name.clone());
            (name, arn)
        };
        Ok(each(&answer, "trailList").map(trail).collect())
    })
}

/// Requests whether a trail records.
pub fn is_logging(trail: &str) -> Request<bool> {
    cloudtrail(GET_TRAIL_STATUS, json!({ "Name": trail }), |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        Ok(answer.get("IsLogging").and_then(Value::as_bool).unwrap_or_default())
    })
}

/// Requests the events that a trail records.
pub fn selectors(trail: &str) -> Request<Selectors> {
    cloudtrail(GET_EVENT_SELECTORS, json!({ "TrailName": trail }), |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let all: Vec<_> = each(&answer, "AdvancedEventSelectors").map(advanced).collect();
        if !all.is_empty() {
            return Ok(Selectors::Advanced(all));
        }
        let basic = |it: &Value| {
            let included = it.get("IncludeManagementEvents").and_then(Value::as_bool);
            (included.unwrap_or(true), member(it, "ReadWriteType").unwrap_or("All".to_owned()))
        };
        Ok(Selectors::Basic(each(&answer, "EventSelectors").map(basic).collect()))
    })
}

fn advanced(selector: &Value) -> AdvancedSelector {
    let of = |field: &str| {
        let fields = each(selector, "FieldSelectors").filter(|it| it["Field"] == field);
        let values = fields.flat_map(|it| each(it, "Equals")).filter_map(Value::as_str);
        values.map(ToOwned::to_owned).collect()
    };
    AdvancedSelector { categories: of("eventCategory"), read_only: of("readOnly") }
}
