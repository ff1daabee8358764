//! The progress of a long reading, for people who wait for it.

use std::time::Duration;

use crate::operation::Operation;

/// The number of reads between two reports.
const STRIDE: usize = 100;

/// The progress of a long reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The plural name of the things that are read.
    pub what: &'static str,
    /// The number of things that were read.
    pub done: usize,
    /// The number of all things.
    pub all: usize,
    /// The longest time that the rest takes, at the rates that AWS publishes.
    pub left: Duration,
}

/// Reports the progress of a reading at its beginning, and again after every 100 reads.
pub type Tell<'a> = &'a (dyn Fn(&Reading) + Sync);

/// A reading of `all` things, each of which takes one call of each of these operations.
pub struct Readings<'a> {
    /// The plural name of the things that are read.
    pub what: &'static str,
    /// The number of all things.
    pub all: usize,
    /// The operations that each takes.
    pub operations: &'static [Operation],
    /// The receiver of the reports.
    pub tell: Tell<'a>,
}

impl Readings<'_> {
    /// Reports that `done` things were read, if a report is due.
    pub fn are(&self, done: usize) {
        if !done.is_multiple_of(STRIDE) || done >= self.all {
            return;
        }
        let rest = u32::try_from(self.all - done).unwrap_or(u32::MAX);
        // Each operation has its own rate limit, so the slowest one decides.
        let interval = self.operations.iter().filter_map(Operation::interval).max();
        let left = interval.unwrap_or_default().saturating_mul(rest);
        let (what, all) = (self.what, self.all);
        (self.tell)(&Reading { what, done, all, left });
    }
}
