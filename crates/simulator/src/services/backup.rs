//! AWS Backup: REST and JSON.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use crate::backup::RESOURCE_TYPES;
use crate::fault::Failure;
use crate::refusal::{Code, Refusal};
use crate::reply::{Reply, timestamp};
use crate::request::Call;
use crate::world::World;

type Answer<T> = Result<T, Refusal>;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Answer<Reply> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let body = match operation {
        "DescribeGlobalSettings" => json!({
            "GlobalSettings": world.backup.global_settings(),
            "LastUpdateTime": timestamp(world.backup.global_updated()),
        }),
        "UpdateGlobalSettings" => {
            let input = input(call)?;
            let settings = get(&input, call, "GlobalSettings").ok_or_else(missing)?;
            world.backup.update_global_settings(&map(settings, Value::as_str, str::to_owned)?)?;
            return Ok(Reply::empty());
        }
        "DescribeRegionSettings" => {
            let settings = world.backup.region_settings(account, region);
            json!({
                "ResourceTypeOptInPreference": settings.opt_in,
                "ResourceTypeManagementPreference": settings.management,
            })
        }
        "UpdateRegionSettings" => {
            let input = input(call)?;
            let preference = |name| match get(&input, call, name) {
                Some(value) => map(value, Value::as_bool, |it| it),
                None => Ok(BTreeMap::new()),
            };
            let opt_in = preference("ResourceTypeOptInPreference")?;
            let management = preference("ResourceTypeManagementPreference")?;
            if opt_in.is_empty() && management.is_empty() {
                return Err(missing());
            }
            world.backup.update_region_settings(account, region, &opt_in, &management)?;
            return Ok(Reply::empty());
        }
        _ => json!({ "ResourceTypes": RESOURCE_TYPES }),
    };
    Ok(Reply::new("application/json", body.to_string()))
}

/// What AWS Backup says to callers that the organization does not allow.
pub(super) fn refuse(operation: &str, refusal: Refusal) -> Answer<()> {
    match operation {
        "UpdateGlobalSettings" => {
            let message = "Global settings can be updated by the management account only.";
            Err(Refusal::new(Code::InvalidRequest, message))
        }
        "DescribeGlobalSettings" => Err(Refusal::new(Code::InvalidRequest, refusal.message)),
        _ => Ok(()),
    }
}

pub(super) fn error(failure: &Failure, message: &str) -> Reply {
    let body = json!({ "Code": failure.code, "Message": message });
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    Reply::new("application/json", body.to_string())
        .status(status)
        .header("x-amzn-errortype", failure.code.clone())
}

fn get<'a>(input: &'a Map<String, Value>, call: &Call, name: &'static str) -> Option<&'a Value> {
    call.looked_at(name);
    input.get(name)
}

fn input(call: &Call) -> Answer<Map<String, Value>> {
    serde_json::from_slice(&call.body).map_err(|_| serialization())
}

/// A map whose values are all of one kind.
fn map<'a, T, U>(
    value: &'a Value,
    read: impl Fn(&'a Value) -> Option<T>,
    own: impl Fn(T) -> U,
) -> Answer<BTreeMap<String, U>> {
    let entries = value.as_object().ok_or_else(serialization)?.iter();
    let entry = |(key, value)| Some((String::clone(key), own(read(value)?)));
    entries.map(|it| entry(it).ok_or_else(serialization)).collect()
}

fn serialization() -> Refusal {
    Refusal::new(Code::Serialization, "The request body does not have the right shape.")
}

fn missing() -> Refusal {
    Refusal::new(Code::MissingParameterValue, "A required parameter is missing.")
}
