//! The event bus of an account, as far as its owner puts events on it.

use serde_json::Value;

/// An event that was put on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct PutEvent {
    /// The name of the bus.
    pub bus: String,
    /// The source.
    pub source: String,
    /// The type.
    pub kind: String,
    /// The detail.
    pub detail: Value,
}

/// The events that were put on buses, oldest first.
#[derive(Clone, Debug, Default)]
pub struct EventBus {
    events: Vec<PutEvent>,
}

impl EventBus {
    /// Returns the events so far.
    #[must_use]
    pub fn events(&self) -> &[PutEvent] {
        &self.events
    }

    pub(crate) fn put(&mut self, event: PutEvent) {
        self.events.push(event);
    }
}
