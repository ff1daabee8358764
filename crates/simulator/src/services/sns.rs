//! SNS: publishes messages to a topic.

use super::query::{element, reply};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let missing =
        |what: &str| Refusal::new(Code::InvalidParameter, format!("Invalid parameter: {what}"));
    let topic = call.parameter("TopicArn").or_else(|| call.parameter("TargetArn"));
    let topic = topic.ok_or_else(|| missing("TopicArn or TargetArn Reason: no value"))?;
    let text = call.parameter("Message").ok_or_else(|| missing("Message"))?;
    let id = world.topics.publish(topic, call.parameter("Subject"), text)?;
    Ok(reply(call.service, operation, &element("MessageId", &id)))
}
