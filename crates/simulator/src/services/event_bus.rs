//! Amazon EventBridge: puts events on a bus. Nothing is delivered.

use serde_json::{Map, Value, json};

use super::json::{Members, reply};
use crate::event_bus::PutEvent;
use crate::ids::uuid_of;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// The most entries of a request.
const ENTRIES: usize = 10;

/// The most bytes of the entries of a request.
const BYTES: usize = 1 << 20;

pub(super) fn perform(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    let entries = members.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
    if entries.is_empty() || entries.len() > ENTRIES || call.body.len() > BYTES {
        let message =
            "1 validation error detected: Value at 'entries' failed to satisfy constraint";
        return Err(Refusal::new(Code::ValidationException, message));
    }
    let mut answers = Vec::new();
    for entry in &entries {
        answers.push(match read(entry) {
            Err(code) => json!({ "ErrorCode": code, "ErrorMessage": "The entry is not right." }),
            Ok(event) => {
                let id = uuid_of(&format!("event {}", world.bus.events().len()));
                world.bus.put(event);
                json!({ "EventId": id })
            }
        });
    }
    let failed = answers.iter().filter(|it| it.get("ErrorCode").is_some()).count();
    Ok(reply(call.service, &json!({ "FailedEntryCount": failed, "Entries": answers })))
}

/// Reads an entry, or returns the code of its error.
fn read(entry: &Value) -> Result<PutEvent, &'static str> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let required = |name| text(name).map(ToOwned::to_owned).ok_or("InvalidArgument");
    let (source, kind) = (required("Source")?, required("DetailType")?);
    if source.starts_with("aws.") {
        return Err("NotAuthorizedForSource");
    }
    let detail: Map<String, Value> =
        serde_json::from_str(&required("Detail")?).map_err(|_| "MalformedDetail")?;
    let bus = text("EventBusName").unwrap_or("default").to_owned();
    Ok(PutEvent { bus, source, kind, detail: detail.into() })
}
