//! Events as they were received, parsed one part at a time.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// An event as it was received.
///
/// It is JSON, but some of its parts may be unusable: a string can hold half of a surrogate pair,
/// and lists can be nested without limit. Each part is therefore parsed only when it is needed, so
/// an unreadable part does not affect the others. An event can contain an address that lets others
/// answer, so its `Debug` form shows nothing.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Event(Box<RawValue>);

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event(…)")
    }
}

impl From<Value> for Event {
    fn from(value: Value) -> Self {
        // Serializing a `Value` always succeeds.
        Self(to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl Event {
    /// Returns the JSON text.
    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }

    /// Returns the members of the event, which should be an object.
    pub(crate) fn members(&self) -> BTreeMap<String, &RawValue> {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// Returns the whole event.
    ///
    /// # Errors
    ///
    /// Returns an error if a part of the event cannot be read.
    pub fn value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(self.text())
    }
}
