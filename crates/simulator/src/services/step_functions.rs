//! Step Functions: starts and describes executions. Nothing is executed.

use serde_json::{Map, Value, json};

use super::json::{Members, reply};
use crate::refusal::{Code, Refusal};
use crate::reply::{Reply, timestamp};
use crate::request::Call;
use crate::state_machines::Execution;
use crate::world::World;

/// The largest page.
const LARGEST: usize = 1_000;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    let body = match operation {
        "StartExecution" => {
            let machine = members.text("stateMachineArn")?;
            let (name, input) = (members.optional("name")?, members.optional("input")?);
            let started = world.state_machines.start(machine, name, input.unwrap_or("{}"))?;
            json!({ "executionArn": started.arn, "startDate": timestamp(started.started) })
        }
        "DescribeExecution" => {
            let execution = world.state_machines.execution(members.text("executionArn")?)?;
            let mut view = view(execution);
            view.insert("input".to_owned(), json!(execution.input));
            if let Some(output) = &execution.output {
                view.insert("output".to_owned(), json!(output));
            }
            Value::Object(view)
        }
        _ => list(world, &members)?,
    };
    Ok(reply(call.service, &body))
}

fn list(world: &World, members: &Members<'_>) -> Result<Value, Refusal> {
    let invalid = || Refusal::new(Code::InvalidToken, "Invalid Token");
    let start = members.optional("nextToken")?.map(str::parse::<usize>).transpose();
    let start = start.map_err(|_| invalid())?.unwrap_or_default();
    let status = members.optional("statusFilter")?;
    let asked = members.get("maxResults").and_then(Value::as_u64).filter(|it| *it > 0);
    let asked = asked.and_then(|it| usize::try_from(it).ok()).unwrap_or(LARGEST);
    let size = world.largest_page(asked.min(LARGEST));
    let executions = world.state_machines.executions_of(members.text("stateMachineArn")?)?;
    let wanted = |it: &&Execution| status.is_none_or(|status| it.status.as_str() == status);
    let mut executions = executions.filter(wanted).skip(start);
    let page: Vec<_> = executions.by_ref().take(size).map(view).collect();
    let mut answer = json!({ "executions": page });
    if let (Some(_), Some(answer)) = (executions.next(), answer.as_object_mut()) {
        answer.insert("nextToken".to_owned(), json!((start + size).to_string()));
    }
    Ok(answer)
}

fn view(execution: &Execution) -> Map<String, Value> {
    let mut view = Map::new();
    let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
    add("executionArn", json!(execution.arn));
    add("stateMachineArn", json!(execution.state_machine));
    add("name", json!(execution.name));
    add("status", json!(execution.status.as_str()));
    add("startDate", json!(timestamp(execution.started)));
    if let Some(stopped) = execution.stopped {
        add("stopDate", json!(timestamp(stopped)));
    }
    view
}
