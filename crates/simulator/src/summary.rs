//! A summary of the names in a call, for the journal. It never contains the text of a policy.

use serde_json::{Map, Value};

use crate::operation::Service;
use crate::request::{Call, RESTORE_JOBS};
use crate::responses::response_id;

/// The members that the summary includes, in this order.
const MEMBERS: [&str; 17] = [
    "RootId",
    "PolicyId",
    "Name",
    "Type",
    "PolicyType",
    "Filter",
    "TargetId",
    "ResourceId",
    "AccountId",
    "ServicePrincipal",
    "AccountName",
    "ParentId",
    "ChildId",
    "SourceParentId",
    "DestinationParentId",
    "OrganizationalUnitId",
    "TagKeys",
];

/// The members of what AWS Backup is asked to do that are worth a word.
const JOBS: [&str; 4] =
    ["ResourceArn", "RecoveryPointArn", "DestinationBackupVaultArn", "ResourceType"];

pub(crate) fn of(call: &Call) -> String {
    match call.service {
        Service::Organizations => words(&call.body, &MEMBERS),
        Service::Backup if call.name() == "DescribeBackupVault" => {
            call.path.rsplit('/').next().unwrap_or_default().to_owned()
        }
        Service::Backup if call.name().starts_with("List") => {
            let values = call.parameters.iter().filter(|it| it.0 != "nextToken");
            values.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        Service::Backup if call.path.starts_with(RESTORE_JOBS) => {
            let job = call.path.strip_prefix(RESTORE_JOBS).unwrap_or_default();
            let job = job.split('/').next().unwrap_or_default();
            format!("{job} {}", words(&call.body, &["ValidationStatus"])).trim_end().to_owned()
        }
        Service::Backup if call.name().starts_with("Start") => words(&call.body, &JOBS),
        Service::Backup => settings(&call.body),
        Service::Iam => call.parameter("RoleName").unwrap_or_default().to_owned(),
        Service::Kms => words(&call.body, &["KeyId"]),
        Service::ResourceExplorer => words(&call.body, &["ViewArn"]),
        Service::Tagging => words(&call.body, &["ResourceTypeFilters", "ResourceARNList"]),
        Service::Sts => call.parameter("RoleArn").unwrap_or_default().to_owned(),
        Service::CloudFormation | Service::EventBridge | Service::SecurityHub => String::new(),
        Service::CloudTrail => words(&call.body, &["Name", "TrailName"]),
        Service::Sns => call.parameter("TopicArn").unwrap_or_default().to_owned(),
        Service::StepFunctions => words(&call.body, &["stateMachineArn", "executionArn", "name"]),
        Service::S3 => call.path.trim_start_matches('/').to_owned(),
        Service::Response => response_id(&call.path).to_owned(),
    }
}

fn words(body: &[u8], members: &[&str]) -> String {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return String::new();
    };
    let word = |member: &&str| match body.get(*member)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        _ => None,
    };
    members.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

/// Formats settings as `name=value`.
fn settings(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return String::new();
    };
    let pairs = body.values().filter_map(Value::as_object).flatten();
    let word = |(name, value): (&String, &Value)| match value.as_str() {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}={value}"),
    };
    pairs.map(word).collect::<Vec<_>>().join(" ")
}
