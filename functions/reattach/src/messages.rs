//! The payloads of invocations, and the responses to them.

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use cfn::{again, messages};
use plan::reattach::{Event, Reading, read};
use serde::Serialize;
use serde_json::Value;
use tracing::{info, warn};

use crate::settings::Mode;

/// The request of one invocation.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// The schedule asks for a check of all resources.
    Schedule,
    /// A list of the relevant events.
    Events(Vec<Message>),
}

/// An event, and the message that contained it.
#[derive(Debug)]
pub(crate) struct Message {
    /// The ID of the message. Empty for an event that was sent directly.
    pub(crate) id: String,
    /// True if the message was delivered before.
    pub(crate) is_again: bool,
    pub(crate) event: Event,
}

/// The messages to deliver again. All others are done.
///
/// SQS reads partial failures of a batch from this response.
#[derive(Debug, Default, Serialize)]
pub struct Response {
    /// The response to a heartbeat: the handling of drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(flatten)]
    batch: SqsBatchResponse,
}

impl Response {
    /// Returns a response that has these messages delivered again.
    pub(crate) fn again(messages: impl IntoIterator<Item = String>) -> Self {
        Self { mode: None, batch: again(messages) }
    }

    /// Returns a response that confirms that the function runs, and in which mode.
    pub(crate) fn alive(mode: Mode) -> Self {
        Self { mode: Some(mode), ..Self::default() }
    }
}

/// The `source` of scheduled invocations.
const SCHEDULE: &str = "org-backup.schedule";

/// The `source` of the hourly check that the function runs.
const HEARTBEAT: &str = "org-backup.heartbeat";

/// Returns `true` if `payload` only asks for a response.
pub(crate) fn is_heartbeat(payload: &Value) -> bool {
    source(payload) == Some(HEARTBEAT)
}

fn source(payload: &Value) -> Option<&str> {
    payload.get("source").and_then(Value::as_str)
}

impl Invocation {
    /// Reads an SQS batch of events, a single event, or a scheduled invocation.
    ///
    /// Input that cannot be understood is logged and not retried, because a retry would not change
    /// that.
    pub(crate) fn read(payload: &Value, own_roles: &BTreeSet<String>) -> Self {
        if source(payload) == Some(SCHEDULE) {
            return Self::Schedule;
        }
        let messages = messages(payload).into_iter().filter_map(|it| {
            let id = it.id.unwrap_or_default();
            let event = relevant(&it.event, own_roles, &id)?;
            Some(Message { id, is_again: it.is_again, event })
        });
        Self::Events(messages.collect())
    }
}

/// Returns the event, if it may be relevant.
fn relevant(event: &Value, own_roles: &BTreeSet<String>, message: &str) -> Option<Event> {
    match read(event, own_roles) {
        Reading::Event(event) => Some(event),
        Reading::Nothing(why) => {
            info!(message, why, "the event does not ask for work");
            None
        }
        Reading::Unknown(name) => {
            warn!(message, name, "the event is not known");
            None
        }
    }
}
