//! Our own data as JSON.
//!
//! What is written here is made of strings, numbers, lists and maps whose keys are strings. Nothing of
//! that can fail to become JSON, and text that is empty in place of it would be kept as if it were true.

use serde::Serialize;
use serde_json::Value;

const REASON: &str = "our own data has only what JSON has";

/// The data as JSON on one line.
///
/// # Panics
///
/// When a map in it has keys that are not strings, which is a mistake of this program.
pub fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect(REASON)
}

/// The data as JSON that a person reads.
///
/// # Panics
///
/// As [`text`].
pub fn pretty(data: &impl Serialize) -> String {
    serde_json::to_string_pretty(data).expect(REASON)
}

/// The data as a value.
///
/// # Panics
///
/// As [`text`].
pub fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect(REASON)
}
