//! What was called, by whom, and what came of it.

use std::fmt;

use serde::Serialize;

use crate::operation::Service;

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
    /// The connection was closed without an answer.
    Dropped,
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
