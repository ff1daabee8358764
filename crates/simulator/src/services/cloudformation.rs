//! The switch of StackSets in CloudFormation.

use super::query::{element, reply};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Reply {
    let members = if operation == "DescribeOrganizationsAccess" {
        element("Status", if world.stack_sets { "ENABLED" } else { "DISABLED" })
    } else {
        let on = operation == "ActivateOrganizationsAccess";
        world.stack_sets = on;
        world.organization.set_stack_sets(on);
        String::new()
    };
    reply(call.service, operation, &members)
}

/// What CloudFormation says to callers that the organization does not allow.
pub(super) fn refuse() -> Refusal {
    let message = "You must be the management account or a delegated administrator account of an \
                   organization to operate a service managed stack set";
    Refusal::new(Code::InvalidOperation, message)
}
