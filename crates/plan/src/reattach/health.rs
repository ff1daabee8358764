//! The accounts with an effective policy that AWS withholds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::serialized;

/// The accounts with an invalid effective policy in the last notification.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// The IDs of the accounts.
    pub invalid_accounts: BTreeSet<String>,
}

/// The differences from the last notification.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HealthChange {
    /// Accounts that became invalid.
    pub broken: BTreeSet<String>,
    /// Accounts that are valid again, or gone.
    pub mended: BTreeSet<String>,
}

impl Health {
    /// Reads the accounts of the last notification. Returns none if the text can no longer be read:
    /// every account that is invalid is notified again then, and none is left out.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// Returns the differences to `now`. Returns `None` if nothing changed, because there is no
    /// second notification then.
    pub fn change(&self, now: &Self) -> Option<HealthChange> {
        let difference = |a: &Self, b: &Self| -> BTreeSet<String> {
            a.invalid_accounts.difference(&b.invalid_accounts).cloned().collect()
        };
        let change = HealthChange { broken: difference(now, self), mended: difference(self, now) };
        (*self != *now).then_some(change)
    }
}
