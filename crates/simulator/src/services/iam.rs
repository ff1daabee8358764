//! IAM: the roles of the caller's account.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use policy::partition::Partition;
use serde_json::json;

use super::query::{element, reply, required};
use crate::iam::Role;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::sts::role_id;
use crate::world::World;

/// The services that have a service-linked role in an account, and the name of the role.
const SERVICE_ROLES: [(&str, &str); 1] = [("backup.amazonaws.com", "AWSServiceRoleForBackup")];

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let account = &call.caller.account;
    let partition = world.organization.partition();
    let members = match operation {
        "CreateServiceLinkedRole" => view(&create_service_role(world, call)?, partition, account),
        "GetRolePolicy" => {
            let role = get_role(world, call)?;
            let name = required(call, "PolicyName", "policyName")?;
            let policy = role.own_policies(account).remove(name).ok_or_else(|| {
                let message = format!("The role policy with name {name} cannot be found.");
                Refusal::new(Code::NoSuchEntity, message)
            })?;
            [
                element("RoleName", role.name()),
                element("PolicyName", name),
                element("PolicyDocument", &encoded(&policy)),
            ]
            .concat()
        }
        "ListAttachedRolePolicies" => {
            let attached = get_role(world, call)?.attached_policies(partition);
            let member = |arn: &String| {
                let name = arn.rsplit('/').next().unwrap_or_default();
                let parts = [element("PolicyName", name), element("PolicyArn", arn)];
                format!("<member>{}</member>", parts.concat())
            };
            page("AttachedPolicies", attached.iter().map(member).collect())
        }
        "ListRolePolicies" => {
            let own = get_role(world, call)?.own_policies(account);
            page("PolicyNames", own.keys().map(|it| element("member", it)).collect())
        }
        _ => view(&get_role(world, call)?, partition, account),
    };
    Ok(reply(call.service, operation, &members))
}

/// Formats the only page of a list with this name.
fn page(name: &str, members: Vec<String>) -> String {
    let end = element("IsTruncated", "false");
    format!("<{name}>{}</{name}>{end}", members.concat())
}

/// Encodes a policy as IAM does: percent-encoded as in an address.
fn encoded(policy: &str) -> String {
    utf8_percent_encode(policy, NON_ALPHANUMERIC).to_string()
}

fn get_role(world: &World, call: &Call) -> Result<Role, Refusal> {
    let name = required(call, "RoleName", "roleName")?;
    world.iam.role(&call.caller.account, name).cloned().ok_or_else(|| {
        let message = format!("The role with name {name} cannot be found.");
        Refusal::new(Code::NoSuchEntity, message)
    })
}

fn create_service_role(world: &mut World, call: &Call) -> Result<Role, Refusal> {
    let service = required(call, "AWSServiceName", "aWSServiceName")?;
    let invalid = |message: String| Refusal::new(Code::InvalidRoleInput, message);
    let Some(name) = service_role(service) else {
        return Err(invalid(format!("{service} has no role of its own that the simulator knows.")));
    };
    if world.iam.role(&call.caller.account, name).is_some() {
        return Err(invalid(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    });
    let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let role = Role::new(name, &trust).path(&format!("/aws-service-role/{service}/"));
    world.iam.create_role(&call.caller.account, role.clone());
    Ok(role)
}

/// Returns the name of the service-linked role of `service`.
pub(super) fn service_role(service: &str) -> Option<&'static str> {
    SERVICE_ROLES.iter().find(|(it, _)| *it == service).map(|(_, name)| *name)
}

fn view(role: &Role, partition: Partition, account: &str) -> String {
    let arn = role.arn(partition, account);
    let trust = encoded(&role.trust_text(account));
    let boundary = role.boundary_arn().map(|arn| {
        let parts = [
            element("PermissionsBoundaryType", "PermissionsBoundaryPolicy"),
            element("PermissionsBoundaryArn", arn),
        ];
        format!("<PermissionsBoundary>{}</PermissionsBoundary>", parts.concat())
    });
    let members = [
        element("Path", role.path_of()),
        element("RoleName", role.name()),
        element("RoleId", &role_id(&arn)),
        element("Arn", &arn),
        element("CreateDate", "2026-01-01T00:00:00Z"),
        element("AssumeRolePolicyDocument", &trust),
        element("MaxSessionDuration", &role.longest_session().to_string()),
        boundary.unwrap_or_default(),
    ];
    format!("<Role>{}</Role>", members.concat())
}
