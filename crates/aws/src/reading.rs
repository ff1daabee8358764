//! How far a long reading is, for people who wait for it.

use std::time::Duration;

use crate::operation::Operation;

/// After how many reads people are told again.
const STRIDE: usize = 100;

/// How far a long reading is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// What is read.
    pub what: &'static str,
    /// How many of them were read.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// How long the rest takes at most, at the rates that AWS publishes.
    pub left: Duration,
}

/// What is told how far a reading is: when it begins, and now and then.
pub type Tell<'a> = &'a (dyn Fn(&Reading) + Sync);

/// A reading of `all` things, each of which takes one call of each of these operations.
pub(crate) struct Readings<'a> {
    pub(crate) what: &'static str,
    pub(crate) all: usize,
    pub(crate) operations: &'static [Operation],
    pub(crate) tell: Tell<'a>,
}

impl Readings<'_> {
    /// Tells that so many were read, where it is time for that.
    pub(crate) fn are(&self, done: usize) {
        if !done.is_multiple_of(STRIDE) || done >= self.all {
            return;
        }
        let rest = u32::try_from(self.all - done).unwrap_or(u32::MAX);
        // The operations have a bucket each, so the slowest of them decides.
        let interval = self.operations.iter().filter_map(Operation::interval).max();
        let left = interval.unwrap_or_default().saturating_mul(rest);
        let (what, all) = (self.what, self.all);
        (self.tell)(&Reading { what, done, all, left });
    }
}
