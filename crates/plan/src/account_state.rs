//! The state of an account in AWS Organizations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of an account, in the words of AWS Organizations.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub enum AccountState {
    /// The account can be used.
    Active,
    /// The account cannot be used, as far as this program knows. Contains the state that AWS
    /// reports, which may be newer than this program.
    Other(String),
    /// AWS did not tell the state.
    NotTold,
}

/// The words of the states that decide something here.
const ACTIVE: &str = "ACTIVE";
const NOT_TOLD: &str = "UNKNOWN";

impl AccountState {
    /// Reads the word for a state, of AWS or of [`Display`](fmt::Display).
    pub fn read(word: &str) -> Self {
        match word {
            ACTIVE => Self::Active,
            NOT_TOLD => Self::NotTold,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns `true` if the account can be worked in.
    pub fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => ACTIVE,
            Self::Other(word) => word,
            Self::NotTold => NOT_TOLD,
        })
    }
}

impl From<String> for AccountState {
    fn from(word: String) -> Self {
        Self::read(&word)
    }
}

impl From<AccountState> for String {
    fn from(state: AccountState) -> Self {
        state.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_is_new_keeps_its_word_and_is_not_active() {
        for word in ["ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "HIBERNATING", "UNKNOWN"] {
            let state = AccountState::read(word);
            assert_eq!(state.is_active(), word == "ACTIVE", "{word}");
            assert_eq!(serde_json::to_value(&state).unwrap(), word);
            assert_eq!(serde_json::from_value::<AccountState>(word.into()).unwrap(), state);
        }
        assert_eq!(AccountState::read("HIBERNATING"), AccountState::Other("HIBERNATING".into()));
        assert_eq!(AccountState::read("UNKNOWN"), AccountState::NotTold);
    }
}
