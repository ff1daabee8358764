//! CloudTrail: the trails and their event selectors.

use serde_json::{Value, json};

use super::json::{Members, reply};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Call;
use crate::trails::Trail;
use crate::world::World;

pub(super) fn perform(world: &World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    let region = &call.caller.region;
    let arn = |it: &Trail| it.arn(world.organization.partition(), &call.caller.account);
    let body = match operation {
        "DescribeTrails" => {
            let shadows = members.get("includeShadowTrails").and_then(Value::as_bool);
            let seen = world.trails.seen_from(region, shadows.unwrap_or(true));
            let view = |it: &Trail| {
                json!({
                    "Name": it.name,
                    "TrailARN": arn(it),
                    "S3BucketName": "trails",
                    "HomeRegion": it.home_region,
                    "IncludeGlobalServiceEvents": true,
                    "IsMultiRegionTrail": it.is_multi_region,
                    "IsOrganizationTrail": it.is_organization,
                    "LogFileValidationEnabled": false,
                    "HasCustomEventSelectors": it.advanced_selectors.is_some(),
                    "HasInsightSelectors": false,
                })
            };
            json!({ "trailList": seen.map(view).collect::<Vec<_>>() })
        }
        "GetTrailStatus" => {
            let trail = world.trails.get(members.text("Name")?, region)?;
            json!({ "IsLogging": trail.is_logging })
        }
        _ => {
            let trail = world.trails.get(members.text("TrailName")?, region)?;
            let selectors = [
                ("EventSelectors", &trail.selectors),
                ("AdvancedEventSelectors", &trail.advanced_selectors),
            ];
            let mut body = json!({ "TrailARN": arn(trail) });
            if let Some(body) = body.as_object_mut() {
                let given =
                    selectors.into_iter().filter_map(|(name, it)| Some((name, it.clone()?)));
                body.extend(given.map(|(name, it)| (name.to_owned(), it)));
            }
            body
        }
    };
    Ok(reply(call.service, &body))
}
