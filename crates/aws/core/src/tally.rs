//! The number of calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of calls over all requests of this process.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU32,
    throttled: AtomicU32,
}

impl Tally {
    /// Returns the number of calls to AWS. Each counts once, however often it was sent.
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Returns the number of throttling answers of AWS Organizations.
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
