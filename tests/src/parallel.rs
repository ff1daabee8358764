//! Work on several items at once.

use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::Builder;

/// The number of items at once. Tests wait more than they compute, or run programs.
const THREADS: usize = 4;

/// Works on every item, on a few of them at once.
///
/// # Panics
///
/// Panics if the work on an item does.
pub fn each_at_once<T>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) + Sync,
) {
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| std::iter::from_fn(next).for_each(&work));
        }
    });
}

/// Does the same with work that is awaited, in a runtime of its own for each item.
///
/// # Panics
///
/// Panics if the work on an item does.
pub fn await_each_at_once<T>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl AsyncFn(T) + Sync,
) {
    each_at_once(items, |it| {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime needs nothing but a thread").block_on(work(it));
    });
}
