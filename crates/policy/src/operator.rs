//! The `@@` keys.

use std::fmt;

/// An operator that changes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// Replaces the value.
    Assign,
    /// Adds to a list.
    Append,
    /// Removes from a list.
    Remove,
}

impl Operator {
    /// Returns the operator as it is written, such as `@@assign`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assign => "@@assign",
            Self::Append => "@@append",
            Self::Remove => "@@remove",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The key that limits the operators that policies further down may use.
pub(super) const CONTROL: &str = "@@operators_allowed_for_child_policies";

/// A key that starts with `@@`.
pub(super) enum Keyword {
    Operator(Operator),
    Control,
    Unknown,
}

/// Reads a key that starts with `@@`. Returns `None` for every other key. AWS ignores case.
pub(super) fn keyword(key: &str) -> Option<Keyword> {
    if !key.starts_with("@@") {
        return None;
    }
    let operators = [Operator::Assign, Operator::Append, Operator::Remove];
    let operator = operators.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(key));
    Some(match operator {
        Some(operator) => Keyword::Operator(operator),
        None if CONTROL.eq_ignore_ascii_case(key) => Keyword::Control,
        None => Keyword::Unknown,
    })
}

/// The operators that policies further down may use at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed(u8);

impl Allowed {
    pub(super) const ALL: Self = Self(7);
    pub(super) const NONE: Self = Self(0);

    /// Returns the operators that one word of a control allows, or `None` if AWS does not know the
    /// word.
    pub(super) fn word(word: &str) -> Option<Self> {
        let is = |it: &str| it.eq_ignore_ascii_case(word);
        match () {
            () if is("@@all") => Some(Self::ALL),
            () if is("@@none") => Some(Self::NONE),
            () if is("@@assign") => Some(Self::of(Operator::Assign)),
            () if is("@@append") => Some(Self::of(Operator::Append)),
            () if is("@@remove") => Some(Self::of(Operator::Remove)),
            () => None,
        }
    }

    fn of(operator: Operator) -> Self {
        Self(1 << operator as u8)
    }

    pub(super) fn has(self, operator: Operator) -> bool {
        self.0 & Self::of(operator).0 != 0
    }

    /// Returns the operators that either allows, as for the words of one control.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the operators that both allow, as for several controls at one place.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
