//! Values that are made once and used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::http::Extensions;

/// Values of different types, at most one of each.
#[derive(Debug, Default)]
pub struct Memo(Mutex<Extensions>);

impl Memo {
    /// Returns the value of this type, if there is one.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.all().get().cloned()
    }

    /// Keeps `it`, unless there is a value of this type already. Returns the one that is kept.
    pub fn keep<T: Clone + Send + Sync + 'static>(&self, it: T) -> T {
        self.all().get_or_insert_with(|| it).clone()
    }

    fn all(&self) -> MutexGuard<'_, Extensions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
