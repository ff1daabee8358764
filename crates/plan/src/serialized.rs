//! Our own data as JSON.
//!
//! This data consists of strings, numbers, lists and maps with string keys, so serializing it
//! cannot fail. A fallback to empty text would be stored as if it were true, so a failure panics
//! instead.

use serde::Serialize;
use serde_json::Value;

const REASON: &str = "our own data has only what JSON has";

/// Returns the data as JSON on one line.
///
/// # Panics
///
/// Panics if a map in the data has keys that are not strings, which is a bug of this program.
pub fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect(REASON)
}

/// Returns the data as JSON for human readers.
///
/// # Panics
///
/// Panics as [`text`] does.
pub fn pretty(data: &impl Serialize) -> String {
    serde_json::to_string_pretty(data).expect(REASON)
}

/// Returns the data as a JSON value.
///
/// # Panics
///
/// Panics as [`text`] does.
pub fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect(REASON)
}
