//! CloudFormation's stacks, and its organizations access for StackSets.

use policy::arn::Arn;
use serde_json::Value;

use super::query::{element, reply, required};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::{Call, Caller};
use crate::stacks::{Stack, StackResource};
use crate::world::World;

/// The text that replaces a hidden parameter value.
const HIDDEN: &str = "****";

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let members = match operation {
        "DescribeOrganizationsAccess" => {
            element("Status", if world.stack_sets { "ENABLED" } else { "DISABLED" })
        }
        "DescribeStackResource" => resource(world, call)?,
        "DescribeStacks" => stacks(world, call)?,
        "GetTemplate" => template(world, call)?,
        "ListExports" => exports(world, call),
        _ => {
            let on = operation == "ActivateOrganizationsAccess";
            world.set_stack_sets(on);
            String::new()
        }
    };
    Ok(reply(call.service, operation, &members))
}

/// Returns the ARN of `stack` in the account and Region of the caller.
pub(super) fn arn(world: &World, call: &Call, stack: &Stack) -> String {
    stack.arn(world.organization.partition(), &call.caller.region, &call.caller.account)
}

/// Returns the stack with this name or ARN.
pub(super) fn named<'a>(world: &'a World, call: &Call, name: &str) -> Option<&'a Stack> {
    let all = world.stacks.of(&call.caller.region).iter();
    all.into_iter().find(|it| it.name == name || arn(world, call, it) == name)
}

fn expected<'a>(world: &'a World, call: &Call, name: &str) -> Result<&'a Stack, Refusal> {
    named(world, call, name).ok_or_else(|| {
        Refusal::new(Code::Validation, format!("Stack with id {name} does not exist"))
    })
}

fn template(world: &World, call: &Call) -> Result<String, Refusal> {
    let stack = expected(world, call, required(call, "StackName", "stackName")?)?;
    // Characters outside ASCII are kept as question marks.
    let kept = |it: char| if it.is_ascii() { it } else { '?' };
    let body = element("TemplateBody", &stack.template.chars().map(kept).collect::<String>());
    let stages = ["Original", "Processed"].map(|it| element("member", it)).concat();
    Ok(format!("{body}<StagesAvailable>{stages}</StagesAvailable>"))
}

/// Formats the parameters of a stack. Those that its template declares as `NoEcho` have hidden
/// values.
fn parameters(stack: &Stack) -> String {
    let template: Value = serde_json::from_str(&stack.template).unwrap_or_default();
    let parameter = |(name, value): (&String, &String)| {
        let declared = template.get("Parameters").and_then(|it| it.get(name)?.get("NoEcho"));
        let is_hidden = declared.is_some_and(|it| *it == true || it == "true");
        let value = if is_hidden { HIDDEN } else { value };
        let parts = [element("ParameterKey", name), element("ParameterValue", value)];
        format!("<member>{}</member>", parts.concat())
    };
    let parameters = stack.parameters.iter().map(parameter).collect::<String>();
    format!("<Parameters>{parameters}</Parameters>")
}

fn stacks(world: &World, call: &Call) -> Result<String, Refusal> {
    let size = world.largest_page(100);
    let start = call.parameter("NextToken").and_then(|it| it.parse().ok()).unwrap_or_default();
    let all = match call.parameter("StackName") {
        Some(name) => vec![expected(world, call, name)?],
        None => world.stacks.of(&call.caller.region).iter().collect(),
    };
    let view = |it: &Stack| {
        let parts = [
            element("StackId", &arn(world, call, it)),
            element("StackName", &it.name),
            element("Description", &it.description),
            element("CreationTime", "2030-01-02T03:04:05Z"),
            element("StackStatus", &it.status),
            parameters(it),
        ];
        format!("<member>{}</member>", parts.concat())
    };
    let page = all.iter().skip(start).take(size).copied().map(view).collect::<String>();
    let next = (all.len() > start + size).then(|| (start + size).to_string());
    let next = next.map(|it| element("NextToken", &it)).unwrap_or_default();
    Ok(format!("<Stacks>{page}</Stacks>{next}"))
}

/// Returns a page of the exports of the stacks in the Region, sorted by name.
fn exports(world: &World, call: &Call) -> String {
    let size = world.largest_page(100);
    let start = call.parameter("NextToken").and_then(|it| it.parse().ok()).unwrap_or_default();
    let stacks = world.stacks.of(&call.caller.region).iter();
    let all = stacks.flat_map(|stack| stack.exports.iter().map(move |it| (it.0, it.1, stack)));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|it| it.0);
    let view = |(name, value, stack): &(&String, &String, &Stack)| {
        let parts = [
            element("ExportingStackId", &arn(world, call, stack)),
            element("Name", name),
            element("Value", value),
        ];
        format!("<member>{}</member>", parts.concat())
    };
    let page = all.iter().skip(start).take(size).map(view).collect::<String>();
    let next = (all.len() > start + size).then(|| (start + size).to_string());
    let next = next.map(|it| element("NextToken", &it)).unwrap_or_default();
    format!("<Exports>{page}</Exports>{next}")
}

/// Returns a resource of a stack. The stack may have been deleted, in which case only its ARN finds
/// it.
fn resource(world: &World, call: &Call) -> Result<String, Refusal> {
    let stack = required(call, "StackName", "stackName")?;
    let name = required(call, "LogicalResourceId", "logicalResourceId")?;
    let missing = || Refusal::new(Code::Validation, format!("Stack '{stack}' does not exist"));
    let described = named(world, call, stack).map(|it| arn(world, call, it));
    let is_here = |it: &str| {
        let Caller { region, account, .. } = &call.caller;
        Arn::parse(it).is_ok_and(|it| it.region == region && it.account == account)
    };
    let of = |it: &str| world.stacks.resources_of(it).filter(|_| is_here(it));
    let resource = match (of(described.as_deref().unwrap_or(stack)), &described) {
        (Some(all), _) => all.get(name),
        (None, Some(_)) => None,
        (None, None) => return Err(missing()),
    };
    let gone = || {
        let message = format!("Resource {name} does not exist for stack {stack}");
        Refusal::new(Code::Validation, message)
    };
    let StackResource { kind, physical_id, status } = resource.ok_or_else(gone)?;
    let id = Some(element("PhysicalResourceId", physical_id));
    let parts = [
        element("StackId", described.as_deref().unwrap_or(stack)),
        element("LogicalResourceId", name),
        id.filter(|_| !physical_id.is_empty()).unwrap_or_default(),
        element("ResourceType", kind),
        element("LastUpdatedTimestamp", "2030-01-02T03:04:05Z"),
        element("ResourceStatus", status),
    ];
    Ok(format!("<StackResourceDetail>{}</StackResourceDetail>", parts.concat()))
}

/// Returns the error of CloudFormation for callers that the organization does not allow.
pub(super) fn refuse() -> Refusal {
    let message = "You must be the management account or a delegated administrator account of an \
                   organization to operate a service managed stack set";
    Refusal::new(Code::InvalidOperation, message)
}
