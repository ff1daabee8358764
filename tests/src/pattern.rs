//! Event patterns, as far as the templates use them.

use serde_json::Value;

/// Whether an event matches a pattern of EventBridge.
///
/// # Panics
///
/// When the pattern has an operator that the templates do not use.
#[must_use]
pub fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, it)| match name.as_str() {
            "$or" => it.as_array().is_some_and(|any| any.iter().any(|it| matches(it, event))),
            name => matches(it, event.get(name).unwrap_or(&Value::Null)),
        }),
        Value::Array(any) => any.iter().any(|it| admits(it, event)),
        other => panic!("{other} is no pattern"),
    }
}

/// Whether one element of the list at a leaf of a pattern admits a value.
fn admits(element: &Value, value: &Value) -> bool {
    let Value::Object(operator) = element else { return element == value };
    if let Some(exists) = operator.get("exists") {
        return *exists == !value.is_null();
    }
    match operator.get("anything-but") {
        Some(Value::Array(these)) => !value.is_null() && !these.contains(value),
        _ => panic!("{element} is not known"),
    }
}
