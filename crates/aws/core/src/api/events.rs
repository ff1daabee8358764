//! Amazon EventBridge: events on a bus.

use serde_json::{Value, json};

use super::answers::refused;
use super::{Question, Request, Service};
use crate::operation::PUT_EVENTS;

/// Puts an event on a bus. The result is the reasons for which EventBridge did not take it.
pub fn put(entry: Value) -> Request<Vec<String>> {
    let body = json!({ "Entries": [entry] });
    Request {
        service: Service::EVENTS,
        operation: PUT_EVENTS.name,
        question: Question::Json { protocol: "1.1", target: "AWSEvents", body },
        read: |answer| refused(answer, "FailedEntryCount", "Entries"),
    }
}
