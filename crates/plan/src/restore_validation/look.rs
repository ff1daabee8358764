//! The outcome of a look at a resource that somebody restored to use it.

use errors::advised;
use serde_json::{Value, json};

use crate::restore_validation::report::late;
use crate::restore_validation::{Judgment, Resource};

/// The outcome of a look at a restored resource, with the words for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Inspection {
    /// The resource is as it should be.
    Good(String),
    /// The resource cannot be used as it is.
    Unusable(String),
    /// The resource may be good, but no look proves it.
    Unproven(String),
    /// The resource could not be looked at, or was not ready. A later look may see it.
    Unseen(String),
}

impl Inspection {
    /// Returns the outcome for `resource`, for which there is no more time to settle.
    ///
    /// A cluster without an instance cannot be used, though its restore test would not fail.
    pub fn of(resource: &Resource, judgment: Judgment) -> Self {
        match judgment {
            Judgment::Sound(why) => Self::Good(why),
            Judgment::Broken(why) | Judgment::Failing(why) | Judgment::Unreachable(why) => {
                Self::Unusable(why)
            }
            Judgment::Unseen(why) => Self::Unseen(why),
            Judgment::Doubtful(why) | Judgment::Unknown(why) => Self::Unproven(why),
            Judgment::Unsettled { now, awaited } => Self::Unseen(late(resource, &now, &awaited)),
        }
    }

    /// Returns the outcome in words.
    pub fn words(&self) -> String {
        match self {
            Self::Good(why) => format!("looked at: {why}"),
            Self::Unusable(why) => format!("looked at, and not usable: {why}"),
            Self::Unproven(why) => format!("not proven: {why}"),
            Self::Unseen(why) => {
                let hint = "run the same command again, which only looks again";
                advised(format_args!("not looked at: {why}"), Some(hint))
            }
        }
    }

    /// Returns the outcome for programs.
    pub fn json(&self) -> Value {
        let (state, message) = match self {
            Self::Good(why) => ("good", why),
            Self::Unusable(why) => ("unusable", why),
            Self::Unproven(why) => ("unproven", why),
            Self::Unseen(why) => ("unknown", why),
        };
        json!({ "state": state, "message": message })
    }
}
