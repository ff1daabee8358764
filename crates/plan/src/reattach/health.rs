//! Which accounts have an effective policy that AWS withholds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::serialized;

/// The accounts whose effective policy is invalid, as they were last told of.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// Their IDs.
    pub invalid_accounts: BTreeSet<String>,
}

/// What is different from what was last told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HealthChange {
    /// Accounts that became invalid.
    pub broken: BTreeSet<String>,
    /// Accounts that are valid again, or gone.
    pub mended: BTreeSet<String>,
}

impl Health {
    /// Reads what was last told; nothing, when that cannot be read any more.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// This as it is kept.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// What is different `now`; `None` when it is the same, which is not told again.
    pub fn change(&self, now: &Self) -> Option<HealthChange> {
        let difference = |a: &Self, b: &Self| -> BTreeSet<String> {
            a.invalid_accounts.difference(&b.invalid_accounts).cloned().collect()
        };
        let change = HealthChange { broken: difference(now, self), mended: difference(self, now) };
        (*self != *now).then_some(change)
    }
}
