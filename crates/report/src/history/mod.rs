//! The coverage of the whole organization as a sweep finds it, and what became of it since.
//!
//! A sweep adds up judged resources account by account ([`Sum`]) and makes a [`Summary`] of them.
//! Two summaries are compared ([`Change`]), and the days of each account are kept
//! ([`Past`]). Together they are the [`Evidence`] that the page and the report show.
//!
//! Everything is stored as JSON with the number of its format and the program that wrote it. A
//! reader refuses what a newer program wrote, and ignores keys that it does not know.

mod change;
mod copies;
mod details;
mod document;
mod notice;
#[cfg(test)]
mod notices;
mod run;
mod sum;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

pub use change::{CauseChange, Change, Direction};
pub use copies::{Copies, CopiesByBatch, CopyKeys, WAITING};
pub use details::Details;
pub use document::Illegible;
pub use notice::{HubPlace, Notice};
pub use run::{
    Begun, Channel, HISTORY, LAST, Notified, Start, SweepOrder, TIMELINE, details_key, history_key,
    key_by, seen_key,
};
pub use sum::Sum;
pub use summary::{
    AccountCounts, Bound, CauseCount, Counts, LINES, ResourceLine, Summary, TestSeen, UNREAD,
};
pub use timeline::{Day, DayState, Past, Timeline, TrendDay};

/// Everything that the page and the report take from the sweep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evidence {
    /// The coverage as the last sweep found it.
    pub summary: Summary,
    /// The days of each account.
    pub timeline: Timeline,
    /// The changes since the sweep before, if there was one.
    pub change: Option<Change>,
    /// The days of the organization, the oldest first.
    pub trend: Vec<TrendDay>,
}
