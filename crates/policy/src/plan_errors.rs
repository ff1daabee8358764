//! Why AWS withholds what accounts would get.

use std::fmt;
use std::sync::Arc;

/// A policy at the level it is attached to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The root, OU or account it is attached to.
    pub target: String,
    /// The policy.
    pub policy: String,
}

/// What AWS calls the mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorCode {
    /// A key is missing.
    KeyRequired,
    /// A list or object has too few members.
    ElementsTooFew,
    /// A list or object has too many members.
    ElementsTooMany,
    /// Values exclude each other.
    CrossAttributeValidation,
}

impl ErrorCode {
    /// The word AWS uses.
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
    /// What AWS calls it.
    pub code: ErrorCode,
    /// AWS's sentence.
    pub message: String,
    /// The keys that lead to the place, joined by `/`.
    pub path: String,
    /// The policies that have a part in it, sorted.
    pub contributors: Vec<Arc<Source>>,
}

impl EffectiveError {
    /// The key that AWS names in its sentence: the one that is missing, or has too few or too many
    /// members.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.message.split('\'').nth(1)
    }
}

/// What is wrong with one plan.
#[derive(Debug, Default)]
pub(super) struct PlanErrors {
    pub(super) errors: Vec<EffectiveError>,
    /// The rules whose schedule has to be judged as well, which depends on the clock.
    pub(super) archives: Vec<Archive>,
}

/// A rule that uses the archive tier.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) rule: String,
    /// How many of the errors AWS lists before that of the schedule.
    pub(super) after: usize,
}
