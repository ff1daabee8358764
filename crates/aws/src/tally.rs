//! How many calls are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many calls were made over all requests of this process.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU32,
    throttled: AtomicU32,
}

impl Tally {
    /// All calls to AWS, each counted once however often it was sent.
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// The answers of AWS Organizations that asked to come again later.
    pub fn throttled(&self) -> u32 {
        self.0.throttled.load(Ordering::Relaxed)
    }

    pub(crate) fn add_call(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_throttled(&self) {
        self.0.throttled.fetch_add(1, Ordering::Relaxed);
    }
}
