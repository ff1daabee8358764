//! The events of an invocation: one alone, or those in the messages of a queue.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

/// An event, and the message of SQS that contained it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The ID of the message. `None` for an event that was sent directly.
    pub id: Option<String>,
    /// True if SQS delivered the message before.
    pub is_again: bool,
    /// The event.
    pub event: Value,
}

/// Reads the events of an invocation. A payload that is not a batch of SQS is one event.
///
/// A message that is not JSON is logged and left out, because another delivery would not change that.
pub fn messages(payload: &Value) -> Vec<Message> {
    let Ok(batch) = SqsEvent::deserialize(payload) else {
        return vec![Message { id: None, is_again: false, event: payload.clone() }];
    };
    let messages = batch.records.into_iter().filter_map(|it| {
        let id = it.message_id.unwrap_or_default();
        let deliveries = it.attributes.get("ApproximateReceiveCount");
        let is_again = deliveries.is_some_and(|it| it != "1");
        let Ok(event) = serde_json::from_str(&it.body.unwrap_or_default()) else {
            warn!(message = id, "the message is not JSON");
            return None;
        };
        Some(Message { id: Some(id), is_again, event })
    });
    messages.collect()
}

/// Returns the response that has SQS deliver these messages again. All others of the batch are done.
///
/// SQS reads it if the event source mapping has `ReportBatchItemFailures`.
pub fn again(messages: impl IntoIterator<Item = String>) -> SqsBatchResponse {
    let mut batch = SqsBatchResponse::default();
    messages.into_iter().for_each(|it| batch.add_failure(it));
    batch
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: &str, deliveries: &str, body: &str) -> Value {
        json!({
            "messageId": id,
            "eventSource": "aws:sqs",
            "attributes": { "ApproximateReceiveCount": deliveries },
            "messageAttributes": {},
            "body": body,
        })
    }

    #[test]
    fn an_event_that_is_sent_directly_is_in_no_message() {
        let event = json!({ "source": "aws.backup" });
        let alone = Message { id: None, is_again: false, event: event.clone() };
        assert_eq!(messages(&event), [alone]);
    }

    #[test]
    fn each_message_has_its_event_and_one_that_is_not_json_is_left_out() {
        let records = [record("a", "1", "{}"), record("b", "1", "{"), record("c", "2", "[1]")];
        let found = messages(&json!({ "Records": records }));
        let message =
            |id: &str, is_again, event| Message { id: Some(id.to_owned()), is_again, event };
        assert_eq!(found, [message("a", false, json!({})), message("c", true, json!([1]))]);
    }

    #[test]
    fn a_batch_that_is_done_repeats_nothing() {
        assert_eq!(json!(again([])), json!({ "batchItemFailures": [] }));
        let one = json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] });
        assert_eq!(json!(again(["a".to_owned()])), one);
    }
}
