//! What the function is invoked with, and what it answers.

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::SqsEvent;
use plan::reattach::{Event, Reading, read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{info, warn};

use crate::settings::Mode;

/// What the function is invoked with.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// The schedule: look after everything.
    Schedule,
    /// Events, those that matter.
    Events(Vec<Message>),
}

/// An event, and the message that brought it.
#[derive(Debug)]
pub(crate) struct Message {
    /// The ID of the message; empty for an event that came by itself.
    pub(crate) id: String,
    /// Whether it was delivered before, and has come again.
    pub(crate) is_again: bool,
    pub(crate) event: Event,
}

/// The messages that are to be delivered again; the others are done.
///
/// This is how SQS is told that a part of a batch failed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// What is answered to a heartbeat: what becomes of drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    batch_item_failures: Vec<UnhandledMessage>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnhandledMessage {
    item_identifier: String,
}

impl Response {
    /// Has these messages delivered again.
    pub(crate) fn again(messages: impl IntoIterator<Item = String>) -> Self {
        let failures = messages.into_iter().map(|it| UnhandledMessage { item_identifier: it });
        Self { mode: None, batch_item_failures: failures.collect() }
    }

    /// Says that the function runs, and with which mode.
    pub(crate) fn alive(mode: Mode) -> Self {
        Self { mode: Some(mode), ..Self::default() }
    }
}

/// The `source` of what the schedule sends.
const SCHEDULE: &str = "org-backup.schedule";

/// The `source` of what asks once an hour whether the function runs.
const HEARTBEAT: &str = "org-backup.heartbeat";

/// Whether `payload` asks for nothing but an answer.
pub(crate) fn is_heartbeat(payload: &Value) -> bool {
    source(payload) == Some(HEARTBEAT)
}

fn source(payload: &Value) -> Option<&str> {
    payload.get("source").and_then(Value::as_str)
}

impl Invocation {
    /// Reads an SQS batch of events, one event by itself, or what the schedule sends.
    ///
    /// What cannot be understood is logged and is done with: it would not be better understood the
    /// next time.
    pub(crate) fn read(payload: &Value, own_roles: &BTreeSet<String>) -> Self {
        if source(payload) == Some(SCHEDULE) {
            return Self::Schedule;
        }
        let Ok(batch) = SqsEvent::deserialize(payload) else {
            let event = relevant(payload, own_roles, "");
            let message = |event| Message { id: String::new(), is_again: false, event };
            return Self::Events(event.map(message).into_iter().collect());
        };
        let messages = batch.records.into_iter().filter_map(|it| {
            let id = it.message_id.unwrap_or_default();
            let deliveries = it.attributes.get("ApproximateReceiveCount");
            let is_again = deliveries.is_some_and(|it| it != "1");
            let Ok(event) = serde_json::from_str(&it.body.unwrap_or_default()) else {
                warn!(message = id, "the message is not JSON");
                return None;
            };
            let event = relevant(&event, own_roles, &id)?;
            Some(Message { id, is_again, event })
        });
        Self::Events(messages.collect())
    }
}

/// The event, if it may matter.
fn relevant(event: &Value, own_roles: &BTreeSet<String>, message: &str) -> Option<Event> {
    match read(event, own_roles) {
        Reading::Event(event) => Some(event),
        Reading::Nothing(why) => {
            info!(message, why, "the event asks for nothing");
            None
        }
        Reading::Unknown(name) => {
            warn!(message, name, "the event is not known");
            None
        }
    }
}
