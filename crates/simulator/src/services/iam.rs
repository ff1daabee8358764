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

/// The services that have one role of their own in an account, and its name.
const SERVICE_ROLES: [(&str, &str); 1] = [("backup.amazonaws.com", "AWSServiceRoleForBackup")];

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let role = match operation {
        "CreateServiceLinkedRole" => create_service_role(world, call)?,
        _ => get_role(world, call)?,
    };
    let role = view(&role, world.organization.partition(), &call.caller.account);
    Ok(reply(call.service, operation, &role))
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

/// The name of the role that `service` has of its own.
pub(super) fn service_role(service: &str) -> Option<&'static str> {
    SERVICE_ROLES.iter().find(|(it, _)| *it == service).map(|(_, name)| *name)
}

fn view(role: &Role, partition: Partition, account: &str) -> String {
    let arn = role.arn(partition, account);
    // AWS encodes the policy as in an address.
    let trust = role.trust_text(account);
    let trust = utf8_percent_encode(&trust, NON_ALPHANUMERIC).to_string();
    let members = [
        element("Path", role.path_of()),
        element("RoleName", role.name()),
        element("RoleId", &role_id(&arn)),
        element("Arn", &arn),
        element("CreateDate", "2026-01-01T00:00:00Z"),
        element("AssumeRolePolicyDocument", &trust),
        element("MaxSessionDuration", &role.longest_session().to_string()),
    ];
    format!("<Role>{}</Role>", members.concat())
}
