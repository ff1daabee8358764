//! AWS Organizations: JSON 1.1.

mod effective;
mod input;
mod pages;
mod reads;
mod views;
mod writes;

use hyper::StatusCode;
use serde_json::{Value, json};

use self::input::Input;
use crate::fault::Failure;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let input = Input::parse(call)?;
    if operation == "ListRoots" {
        let reply = json_reply(&reads::perform(world, operation, &input)?);
        world.organization.roots_were_read();
        return Ok(reply);
    }
    if effective::OPERATIONS.contains(&operation) {
        world.organization.publish_due();
        let reply = json_reply(&effective::perform(world, operation, &input)?);
        world.organization.effective_policies_were_read();
        return Ok(reply);
    }
    if let Some(answer) = writes::perform(&mut world.organization, operation, &input)? {
        // Operations without output have an empty body, as on AWS.
        let nothing = Reply::new(CONTENT_TYPE, "");
        return Ok(if answer.is_null() { nothing } else { json_reply(&answer) });
    }
    Ok(json_reply(&reads::perform(world, operation, &input)?))
}

pub(super) fn error(failure: &Failure, message: &str) -> Reply {
    let mut body = json!({ "__type": failure.code, "Message": message });
    if let (Some(reason), Some(body)) = (&failure.reason, body.as_object_mut()) {
        body.insert("Reason".to_owned(), json!(reason));
    }
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    json_reply(&body).status(status)
}

fn json_reply(body: &Value) -> Reply {
    Reply::new(CONTENT_TYPE, body.to_string())
}
