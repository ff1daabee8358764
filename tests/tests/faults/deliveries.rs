//! What `reattach` is invoked with, as its queue and its schedule do it.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::Outcome;
use tests::in_process::{Function, Wire, take_logs};
use tests::organization::{Organization, POLICY_TEXT};
use tests::role::STATE_BUCKET;

use crate::resources::pass;

/// How often a message is delivered here; the queue does it more often.
const DELIVERIES: usize = 5;

/// How long a message is out of sight once it was delivered, and how long Lambda waits at most before
/// it repeats what the schedule invoked it with.
const OUT_OF_SIGHT: Duration = Duration::from_mins(16);
const BEFORE_RETRY: Duration = Duration::from_mins(2);

/// How long the function has.
pub(crate) const FULL_TIME: Duration = Duration::from_mins(15);

/// What the schedule invokes it with.
pub(crate) fn schedule() -> Value {
    json!({ "source": "org-backup.schedule" })
}

/// What the queue invokes it with, a message for each of these events.
pub(crate) fn batch(events: &[Value]) -> Value {
    let record = |(number, it): (usize, &Value)| {
        json!({
            "messageId": format!("message-{number}"), "body": it.to_string(),
            "eventSource": "aws:sqs",
        })
    };
    json!({ "Records": events.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// Delivers what is left of a payload until nothing is: the first time within `deadline`, and each
/// time to a new process.
///
/// # Errors
///
/// What is left after the last delivery.
pub(crate) async fn deliver(
    organization: &Organization,
    wire: &Wire,
    mut payload: Value,
    deadline: Duration,
) -> Result<usize, Value> {
    let account = organization.organization(|it| it.management_account.clone());
    let request = format!("{:016x}", fastrand::u64(..));
    let is_batch = payload["Records"].is_array();
    for delivery in 1..=DELIVERIES {
        let within = if delivery == 1 { deadline } else { FULL_TIME };
        let function = Function::start("reattach", wire, &account, Some(STATE_BUCKET), None);
        // A batch is a new request each time, and what Lambda repeats is the same one.
        let request = if is_batch { format!("{request}-{delivery}") } else { request.clone() };
        let outcome = function.put_back(&payload, &request, within).await;
        let logs = take_logs();
        for secret in ["ASIA", POLICY_TEXT] {
            assert!(!logs.contains(secret), "{secret} is in the log:\n{logs}");
        }
        if let Outcome::Returned(answer) = outcome {
            let failed: Vec<_> = answer["batchItemFailures"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|it| it["itemIdentifier"].clone())
                .collect();
            if let Some(records) = payload["Records"].as_array_mut() {
                records.retain(|it| failed.contains(&it["messageId"]));
            }
            if failed.is_empty() {
                return Ok(delivery);
            }
        }
        pass(if is_batch { OUT_OF_SIGHT } else { BEFORE_RETRY }).await;
    }
    Err(payload)
}
