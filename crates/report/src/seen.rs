//! What was seen in accounts, just now or by the last runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::{AccountId, Region, RoleName, VaultName};
use plan::member_accounts::{Failure, Line, Role, Settings, Vault};

/// What came of a visit to an account.
#[derive(Clone, Debug, Default)]
pub enum Visit {
    /// Nobody went there.
    #[default]
    None,
    /// Nobody got in.
    Barred(Failure),
    /// Somebody looked.
    Seen(Seen),
}

/// What was seen in an account.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Each role that was looked for, if there is such a role.
    pub roles: BTreeMap<RoleName, Result<Option<Role>, Failure>>,
    /// Whether AWS Backup has a role of its own, where that was looked for.
    pub service_role: Option<Result<bool, Failure>>,
    /// What was seen in each Region.
    pub regions: BTreeMap<Region, Place>,
}

/// What was seen in a Region of an account.
#[derive(Clone, Debug)]
pub enum Place {
    /// AWS does not know the account there, as in a Region that the account has not enabled.
    Closed(Failure),
    /// Somebody looked.
    Open {
        /// The settings of AWS Backup.
        settings: Result<Settings, Failure>,
        /// Each vault that was looked for, and its lock.
        vaults: BTreeMap<VaultName, Result<(Vault, Option<Lock>), Failure>>,
    },
}

/// The lock of a vault.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Lock {
    /// Whether it is, or will be, such that nobody can take it back.
    pub is_compliance: bool,
    /// The least days that the vault keeps a backup.
    pub min_days: Option<i64>,
    /// The most days that the vault keeps a backup.
    pub max_days: Option<i64>,
}

impl Lock {
    /// The lock in a few words, as in `compliance lock, 7 to 365 days`.
    pub fn words(&self) -> String {
        let kind = if self.is_compliance { "compliance lock" } else { "governance lock" };
        match (self.min_days, self.max_days) {
            (None, None) => kind.to_owned(),
            (Some(min), None) => format!("{kind}, at least {min} days"),
            (None, Some(max)) => format!("{kind}, at most {max} days"),
            (Some(min), Some(max)) => format!("{kind}, {min} to {max} days"),
        }
    }
}

/// What the last run that looked into an account found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastLook {
    /// When its report was written.
    pub at: SystemTime,
    /// What is not as wanted there.
    pub failures: Vec<Failure>,
    /// What may not be as wanted, since nobody could look at it.
    pub not_looked_at: Vec<Failure>,
}

/// What the last runs found in each account: `reports` are their texts and when they were written,
/// the newest first. A run may be about a few accounts only, so an older one may know of others.
///
/// A line that cannot be read says nothing.
pub fn last_looks<'a>(
    reports: impl IntoIterator<Item = (SystemTime, &'a str)>,
) -> BTreeMap<AccountId, LastLook> {
    let mut looks = BTreeMap::<AccountId, LastLook>::new();
    for (at, text) in reports {
        let known: BTreeSet<_> = looks.keys().cloned().collect();
        let lines = text.lines().filter_map(|it| serde_json::from_str::<Line>(it).ok());
        for line in lines.filter(|it| !known.contains(&it.account)) {
            let none = || LastLook { at, failures: vec![], not_looked_at: vec![] };
            let look = looks.entry(line.account).or_insert_with(none);
            look.not_looked_at.extend(line.not_looked_at);
            look.failures.extend(line.problem.map(|problem| Failure {
                region: line.region,
                problem,
                hint: line.hint.unwrap_or_default(),
            }));
        }
    }
    looks
}
