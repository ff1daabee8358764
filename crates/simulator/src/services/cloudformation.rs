//! The stacks of CloudFormation, and its switch of StackSets.

use super::query::{element, reply};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::stacks::Stack;
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Reply {
    let members = match operation {
        "DescribeOrganizationsAccess" => {
            element("Status", if world.stack_sets { "ENABLED" } else { "DISABLED" })
        }
        "DescribeStacks" => stacks(world, call),
        _ => {
            let on = operation == "ActivateOrganizationsAccess";
            world.set_stack_sets(on);
            String::new()
        }
    };
    reply(call.service, operation, &members)
}

fn stacks(world: &World, call: &Call) -> String {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let size = world.largest_page(100);
    let start = call.parameter("NextToken").and_then(|it| it.parse().ok()).unwrap_or_default();
    let all = world.stacks.of(region);
    let view = |it: &Stack| {
        let partition = world.organization.partition();
        let id = format!("arn:{partition}:cloudformation:{region}:{account}:stack/{}/0", it.name);
        let parts = [
            element("StackId", &id),
            element("StackName", &it.name),
            element("Description", &it.description),
            element("CreationTime", "2030-01-02T03:04:05Z"),
            element("StackStatus", &it.status),
        ];
        format!("<member>{}</member>", parts.concat())
    };
    let page = all.iter().skip(start).take(size).map(view).collect::<String>();
    let next = (all.len() > start + size).then(|| (start + size).to_string());
    let next = next.map(|it| element("NextToken", &it)).unwrap_or_default();
    format!("<Stacks>{page}</Stacks>{next}")
}

/// What CloudFormation says to callers that the organization does not allow.
pub(super) fn refuse() -> Refusal {
    let message = "You must be the management account or a delegated administrator account of an \
                   organization to operate a service managed stack set";
    Refusal::new(Code::InvalidOperation, message)
}
