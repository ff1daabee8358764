//! IAM: the roles of the caller's account.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use policy::partition::Partition;

use super::query::{element, reply, required};
use crate::iam::Role;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::sts::role_id;
use crate::world::World;

pub(super) fn perform(world: &World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let name = required(call, "RoleName", "roleName")?;
    let account = &call.caller.account;
    let role = world.iam.role(account, name).ok_or_else(|| {
        let message = format!("The role with name {name} cannot be found.");
        Refusal::new(Code::NoSuchEntity, message)
    })?;
    let role = view(role, world.organization.partition(), account);
    Ok(reply(call.service, operation, &role))
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
