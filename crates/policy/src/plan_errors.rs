//! The reasons why AWS withholds an effective policy from accounts.

use std::fmt;
use std::sync::Arc;

/// A policy and the level that it is attached to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The root, OU or account that the policy is attached to.
    pub target: String,
    /// The policy.
    pub policy: String,
}

/// The error code that AWS uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorCode {
    /// A key is missing.
    KeyRequired,
    /// A list or object has too few members.
    ElementsTooFew,
    /// A list or object has too many members.
    ElementsTooMany,
    /// Two or more values exclude each other.
    CrossAttributeValidation,
}

impl ErrorCode {
    /// Returns the word that AWS uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyRequired => "KEY_REQUIRED",
            Self::ElementsTooFew => "ELEMENTS_TOO_FEW",
            Self::ElementsTooMany => "ELEMENTS_TOO_MANY",
            Self::CrossAttributeValidation => "CROSS_ATTRIBUTE_VALIDATION",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One reason why AWS withholds an effective policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveError {
    /// The error code of AWS.
    pub code: ErrorCode,
    /// The message of AWS.
    pub message: String,
    /// The keys that lead to the place, joined by `/`.
    pub path: String,
    /// The policies that contribute to the error, sorted.
    pub contributors: Vec<Arc<Source>>,
}

impl EffectiveError {
    /// Returns the key that AWS names in its message: the key that is missing, or that has too few
    /// or too many members.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.message.split('\'').nth(1)
    }
}

/// The errors of one plan.
#[derive(Debug, Default)]
pub(super) struct PlanErrors {
    pub(super) errors: Vec<EffectiveError>,
    /// The rules whose schedule still has to be judged, which depends on the clock.
    pub(super) archives: Vec<Archive>,
}

/// A rule that uses the archive tier.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) rule: String,
    /// The number of errors that AWS lists before the error about the schedule.
    pub(super) after: usize,
}
