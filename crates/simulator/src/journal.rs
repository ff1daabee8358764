//! What was called, by whom, and what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;

use crate::operation::Service;

/// The newest calls, and how many there were of each operation.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    tallies: BTreeMap<&'static str, Tally>,
}

/// How often an operation was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All calls.
    pub calls: u64,
    /// Those that were refused or left without an answer.
    pub failed: u64,
    /// Those that changed something.
    pub changed: u64,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its place among all calls, from 1.
    pub sequence: u64,
    /// The service called.
    pub service: Service,
    /// The operation called.
    pub operation: String,
    /// What the call names: policies, targets, services and the like.
    pub summary: String,
    /// The Region the call was signed for.
    pub region: String,
    /// The account that called.
    pub account: String,
    /// The role and session that called, as in `Reader/nightly`.
    pub session: Option<String>,
    /// Milliseconds since the simulator started.
    pub milliseconds: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the operation is meant to change anything.
    pub write: bool,
    /// Whether this call changed anything.
    pub changed: bool,
    /// Every account and backup policy that no longer reaches it because of this call.
    pub lost: Vec<(String, String)>,
    /// Every account that had a backup policy before this call and has none after it.
    pub unprotected: Vec<String>,
    /// Every account whose merged backup policy became invalid through this call, so that it gets
    /// nothing new until it is valid again.
    pub withheld: Vec<String>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was answered.
    Success,
    /// It was refused with this error code.
    Error(String),
    /// The connection was closed without an answer, or what came is no answer of AWS.
    Dropped,
}

impl Journal {
    /// Counts a call of `operation`.
    pub(crate) fn count(&mut self, operation: &'static str, outcome: &Outcome, changed: bool) {
        let tally = self.tallies.entry(operation).or_default();
        tally.calls += 1;
        tally.failed += u64::from(*outcome != Outcome::Success);
        tally.changed += u64::from(changed);
    }

    /// Writes down a call, and forgets older ones beyond `limit`.
    pub(crate) fn push(&mut self, entry: Entry, limit: Option<usize>) {
        self.entries.push_back(entry);
        while limit.is_some_and(|it| self.entries.len() > it) {
            self.entries.pop_front();
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn tallies(&self) -> &BTreeMap<&'static str, Tally> {
        &self.tallies
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Entry {
    /// Whether the call was meant to change something and was not refused.
    #[must_use]
    pub fn is_successful_write(&self) -> bool {
        self.write && !matches!(self.outcome, Outcome::Error(_))
    }
}

impl fmt::Display for Entry {
    /// `AttachPolicy p-… r-…`, with `: code` behind it when it failed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation)?;
        if !self.summary.is_empty() {
            write!(f, " {}", self.summary)?;
        }
        match &self.outcome {
            Outcome::Success => Ok(()),
            Outcome::Error(code) => write!(f, ": {code}"),
            Outcome::Dropped => f.write_str(": dropped"),
        }
    }
}
