//! Events as they come, read part by part.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// An event as it came.
///
/// It is JSON, and parts of it may still be of no use: text may have half of a character, or lists may
/// be nested without end. So nothing is read before it is needed, and a part that cannot be read spoils
/// no other. It may have an address that lets others answer, so its `Debug` form shows nothing.
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
        // A value can always be written.
        Self(to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl Event {
    /// The JSON.
    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }

    /// The members of the object that it should be.
    pub(crate) fn members(&self) -> BTreeMap<String, &RawValue> {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// All of it.
    ///
    /// # Errors
    ///
    /// When a part of it cannot be read.
    pub fn value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(self.text())
    }
}
