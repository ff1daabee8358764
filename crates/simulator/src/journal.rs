//! The calls, their callers and their outcomes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;

use crate::operation::Service;

/// The newest calls, and the number of calls of each operation.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    tallies: BTreeMap<&'static str, Tally>,
}

/// The number of calls of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All calls.
    pub calls: u64,
    /// The calls that were refused or not answered.
    pub failed: u64,
    /// The calls that changed something.
    pub changed: u64,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its position among all calls, counted from 1.
    pub sequence: u64,
    /// The service called.
    pub service: Service,
    /// The operation called.
    pub operation: String,
    /// The names in the call: policies, targets, services and others.
    pub summary: String,
    /// The Region for which the call was signed.
    pub region: String,
    /// The account that called.
    pub account: String,
    /// The role and session that called, for example `Reader/nightly`.
    pub session: Option<String>,
    /// Milliseconds since the simulator started.
    pub milliseconds: u64,
    /// The outcome.
    pub outcome: Outcome,
    /// True if the operation can change something.
    pub write: bool,
    /// True if this call changed something.
    pub changed: bool,
    /// Every account and backup policy that no longer reaches it because of this call.
    pub lost: Vec<(String, String)>,
    /// Every account that had a backup policy before this call and has none after it.
    pub unprotected: Vec<String>,
    /// Every account whose effective backup policy became invalid because of this call. The account
    /// gets no new policy until it is valid again.
    pub withheld: Vec<String>,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was answered.
    Success,
    /// It was refused with this error code.
    Error(String),
    /// The connection was closed without an answer, or the answer does not come from AWS.
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

    /// Records a call, and drops older ones beyond `limit`.
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
    /// Returns `true` if the call was to change something and was not refused.
    #[must_use]
    pub fn is_successful_write(&self) -> bool {
        self.write && !matches!(self.outcome, Outcome::Error(_))
    }
}

impl fmt::Display for Entry {
    /// Writes `AttachPolicy p-… r-…`, followed by `: code` if the call failed.
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
