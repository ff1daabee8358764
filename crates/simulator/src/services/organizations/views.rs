//! The objects of the organization in AWS's format.

use std::time::Duration;

use serde_json::{Value, json};

use crate::organization::{Account, Creation, FeatureSet, Organization, Policy, Unit};
use crate::reply::timestamp;

pub(super) fn organization(it: &Organization) -> Value {
    let features = match it.feature_set {
        FeatureSet::All => "ALL",
        FeatureSet::ConsolidatedBilling => "CONSOLIDATED_BILLING",
    };
    let management = &it.management_account;
    let email = it.account(management).map_or("", |it| &it.email);
    json!({
        "Id": it.id,
        "Arn": it.arn("organization", ""),
        "FeatureSet": features,
        "MasterAccountArn": it.arn_of(management),
        "MasterAccountId": management,
        "MasterAccountEmail": email,
        // This is incomplete, as on AWS. The roots have the correct status.
        "AvailablePolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
    })
}

pub(super) fn root(it: &Organization) -> Value {
    let types = it.policy_types();
    let types = types.iter().map(|it| json!({ "Type": it.0, "Status": it.1.as_str() }));
    json!({
        "Id": it.root,
        "Arn": it.arn_of(&it.root),
        "Name": "Root",
        "PolicyTypes": types.collect::<Vec<_>>(),
    })
}

pub(super) fn summary(organization: &Organization, it: &Policy) -> Value {
    json!({
        "Id": it.id,
        "Arn": organization.policy_arn(it),
        "Name": it.name,
        "Description": it.description,
        "Type": it.kind,
        "AwsManaged": it.aws_managed,
    })
}

pub(super) fn policy(organization: &Organization, it: &Policy) -> Value {
    json!({
        "Policy": { "PolicySummary": summary(organization, it), "Content": it.content },
    })
}

pub(super) fn target(organization: &Organization, id: &str) -> Value {
    json!({
        "TargetId": id,
        "Arn": organization.arn_of(id),
        "Name": organization.name_of(id),
        "Type": organization.kind(id),
    })
}

pub(super) fn account(organization: &Organization, it: &Account) -> Value {
    let mut view = json!({
        "Id": it.id,
        "Arn": organization.arn_of(&it.id),
        "Email": it.email,
        "Name": it.name,
        "Status": it.state.status(),
        "State": it.state.as_str(),
        "JoinedMethod": joined(it),
        "JoinedTimestamp": timestamp(it.joined),
    });
    if let Some(view) = view.as_object_mut().filter(|_| organization.tells_paths) {
        view.insert("Paths".to_owned(), json!([organization.path_text(&it.id)]));
    }
    view
}

pub(super) fn administrator(organization: &Organization, it: &Account, at: Duration) -> Value {
    json!({
        "Id": it.id,
        "Arn": organization.arn_of(&it.id),
        "Email": it.email,
        "Name": it.name,
        "Status": it.state.status(),
        "State": it.state.as_str(),
        "JoinedMethod": joined(it),
        "JoinedTimestamp": timestamp(it.joined),
        "DelegationEnabledDate": timestamp(at),
    })
}

fn joined(it: &Account) -> &'static str {
    if it.created { "CREATED" } else { "INVITED" }
}

pub(super) fn unit(organization: &Organization, it: &Unit) -> Value {
    json!({
        "Id": it.id,
        "Arn": organization.arn_of(&it.id),
        "Name": it.name,
        "Path": organization.path_text(&it.id),
    })
}

/// Formats a request to create an account. It is in progress in the answer to its creation, and
/// done whenever it is read later.
pub(super) fn creation(it: &Creation, looked_at: bool) -> Value {
    let mut view = json!({
        "Id": it.id,
        "AccountName": it.name,
        "State": "IN_PROGRESS",
        "RequestedTimestamp": timestamp(it.requested),
    });
    if let (true, Some(view)) = (looked_at, view.as_object_mut()) {
        view.insert("CompletedTimestamp".to_owned(), json!(timestamp(it.requested)));
        let (state, name, value) = match &it.result {
            Ok(account) => ("SUCCEEDED", "AccountId", account.as_str()),
            Err(reason) => ("FAILED", "FailureReason", *reason),
        };
        view.insert("State".to_owned(), json!(state));
        view.insert(name.to_owned(), json!(value));
    }
    json!({ "CreateAccountStatus": view })
}

pub(super) fn resource_policy(organization: &Organization, id: &str, content: &str) -> Value {
    let arn = organization.arn("resourcepolicy", &format!("/{id}"));
    json!({
        "ResourcePolicy": {
            "ResourcePolicySummary": { "Id": id, "Arn": arn },
            "Content": content,
        },
    })
}
