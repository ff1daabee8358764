//! IAM: the roles of an account and their policies.

use roxmltree::Document;

use super::answers::{find, found, items, required, text};
use super::{BoxError, Question, Request, Service};
use crate::calls::Page;
use crate::operation::{
    CREATE_SERVICE_ROLE, GET_ROLE, GET_ROLE_POLICY, LIST_ATTACHED_ROLE_POLICIES,
    LIST_ROLE_POLICIES, Operation,
};

/// A role, as IAM describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DescribedRole {
    /// Its ARN.
    pub arn: String,
    /// Its trust policy as JSON, percent-encoded as in an address.
    pub trust: Option<String>,
    /// True if a permissions boundary limits it.
    pub is_bounded: bool,
}

fn iam<T>(
    operation: Operation,
    fields: Vec<(&'static str, String)>,
    read: fn(&str) -> Result<T, BoxError>,
) -> Request<T> {
    let question = Question::Form { version: "2010-05-08", fields };
    Request { service: Service::IAM, operation: operation.name, question, read }
}

/// Requests a role.
pub fn role(name: &str) -> Request<DescribedRole> {
    iam(GET_ROLE, vec![("RoleName", name.to_owned())], |answer| {
        let xml = Document::parse(answer)?;
        let it = found(xml.root(), &["GetRoleResponse", "GetRoleResult", "Role"])?;
        Ok(DescribedRole {
            arn: required(it, &["Arn"])?,
            trust: text(it, &["AssumeRolePolicyDocument"]),
            is_bounded: find(it, &["PermissionsBoundary"]).is_some(),
        })
    })
}

/// Requests a page of the managed policies of a role, by ARN.
pub fn attached_policies(role: &str, marker: Option<String>) -> Request<Page<String>> {
    iam(LIST_ATTACHED_ROLE_POLICIES, of_role(role, marker), |answer| {
        let result = ["ListAttachedRolePoliciesResponse", "ListAttachedRolePoliciesResult"];
        page(answer, &result, "AttachedPolicies", &["PolicyArn"])
    })
}

/// Requests a page of the inline policies of a role, by name.
pub fn own_policies(role: &str, marker: Option<String>) -> Request<Page<String>> {
    iam(LIST_ROLE_POLICIES, of_role(role, marker), |answer| {
        page(answer, &["ListRolePoliciesResponse", "ListRolePoliciesResult"], "PolicyNames", &[])
    })
}

/// Requests an inline policy of a role: its JSON, percent-encoded as in an address.
pub fn own_policy(role: &str, name: &str) -> Request<String> {
    let fields = vec![("RoleName", role.to_owned()), ("PolicyName", name.to_owned())];
    iam(GET_ROLE_POLICY, fields, |answer| {
        let xml = Document::parse(answer)?;
        let document = ["GetRolePolicyResponse", "GetRolePolicyResult", "PolicyDocument"];
        required(xml.root(), &document)
    })
}

/// Creates the service-linked role of a service.
pub fn make_service_role(service: &str) -> Request<()> {
    iam(CREATE_SERVICE_ROLE, vec![("AWSServiceName", service.to_owned())], |_| Ok(()))
}

fn of_role(role: &str, marker: Option<String>) -> Vec<(&'static str, String)> {
    let marker = marker.map(|it| ("Marker", it));
    [("RoleName", role.to_owned())].into_iter().chain(marker).collect()
}

/// Reads a page of the list `name`. The text of an entry is at the end of `path`.
fn page(
    answer: &str,
    result: &[&str],
    name: &str,
    path: &[&str],
) -> Result<Page<String>, BoxError> {
    let xml = Document::parse(answer)?;
    let result = found(xml.root(), result)?;
    let entries = items(found(result, &[name])?, "member").filter_map(|it| text(it, path));
    Ok((Some(entries.collect()), text(result, &["Marker"])))
}
