//! How much of what multiplies is run.

use std::collections::BTreeSet;
use std::env;

/// Of the cases of a kind that was met before, one in so many is enough for a look.
const ONE_IN: usize = 5;

/// A number from the command line of `make soak`.
#[expect(clippy::disallowed_methods, reason = "a test has no other command line")]
pub(crate) fn asked(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|it| !it.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Whether every case is run, as in `make ci` and in `make soak`, or only enough for a look, as in
/// `make test`.
pub(crate) fn at_length() -> bool {
    asked("AT_LENGTH").is_some() || asked("SOAK_MINUTES").is_some()
}

/// Returns all cases at length, or else the first of each kind and some of the others.
pub(crate) fn few<T>(all: Vec<T>, kind: impl Fn(&T) -> String) -> Vec<T> {
    if at_length() {
        return all;
    }
    let mut kinds = BTreeSet::new();
    let kept = all.into_iter().enumerate();
    let kept = kept.filter(|(index, it)| kinds.insert(kind(it)) || index % ONE_IN == 0);
    kept.map(|(_, it)| it).collect()
}
