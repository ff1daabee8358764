//! Runs scenarios on every core and collects what broke.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::{panic, thread};

use tests::in_process;

thread_local! {
    /// What the last panic of this thread said.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a scenario on a clock that jumps.
///
/// # Errors
///
/// What the scenario said when it panicked.
pub(crate) fn attempt<T>(seed: u64, scenario: impl Future<Output = T>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The threads of the pool have no name, and say later what they have to say.
            if thread::current().name().is_some() {
                return loud(info);
            }
            SAID.with(|it| it.borrow_mut().get_or_insert(info.to_string()).len());
        }));
    });
    SAID.with(|it| it.borrow_mut().take());
    let run = catch_unwind(AssertUnwindSafe(|| in_process::run(seed, scenario)));
    run.map_err(|_| SAID.with(|it| it.borrow_mut().take()).unwrap_or_default())
}

/// The stack of a thread that runs functions: their futures are deep where nothing is optimized.
const STACK: usize = 16 << 20;

/// Calls `work` where the stack is large, and returns what it returns.
pub(crate) fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

/// Runs `check` for every item, one on each core at a time, and returns what went wrong.
pub(crate) fn for_each<T: Sync>(
    items: &[T],
    check: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(why) = check(item) {
                broken.lock().unwrap().push(why);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    broken.into_inner().unwrap()
}
