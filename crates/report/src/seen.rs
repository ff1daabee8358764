//! The observations in accounts, made just now or by the last runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::{AccountId, Region, RoleName, VaultName};
use plan::member_accounts::{Failure, Line, Role, Settings, Vault};
use serde::{Deserialize, Serialize};

/// The result of a visit to an account.
#[derive(Clone, Debug, Default)]
pub enum Visit {
    /// The account was not visited.
    #[default]
    None,
    /// The account could not be entered.
    Barred(Failure),
    /// The account was looked into.
    Seen(Seen),
}

/// The observations in an account.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Each role that was looked for, or `None` if it does not exist.
    pub roles: BTreeMap<RoleName, Result<Option<Role>, Failure>>,
    /// True if the service-linked role of AWS Backup exists, if that was looked for.
    pub service_role: Option<Result<bool, Failure>>,
    /// The observations in each Region.
    pub regions: BTreeMap<Region, Place>,
}

/// The observations in a Region of an account.
#[derive(Clone, Debug)]
pub enum Place {
    /// AWS does not know the account there, as in a Region that the account has not enabled.
    Closed(Failure),
    /// The Region was looked into.
    Open {
        /// The settings of AWS Backup.
        settings: Result<Settings, Failure>,
        /// Each vault that was looked for, and its lock.
        vaults: BTreeMap<VaultName, Result<(Vault, Option<Lock>), Failure>>,
    },
}

/// The lock of a vault.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Lock {
    /// True if the lock cannot be removed by anybody, or will become such a lock.
    pub is_compliance: bool,
    /// The minimum number of days for which the vault keeps a backup.
    pub min_days: Option<i64>,
    /// The maximum number of days for which the vault keeps a backup.
    pub max_days: Option<i64>,
}

impl Lock {
    /// Describes the lock in a few words, as in `compliance lock, 7 to 365 days`.
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

/// The findings of the last run that looked into an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastFindings {
    /// The time at which the report of the run was written.
    pub at: SystemTime,
    /// The deviations from the desired state.
    pub failures: Vec<Failure>,
    /// The possible deviations, which could not be looked at.
    pub not_looked_at: Vec<Failure>,
}

/// Returns the findings of the last runs for each account. `reports` has the texts of their reports
/// and the times at which these were written, the newest first. A run may be about a few accounts
/// only, so an older one may cover other accounts.
///
/// A line that cannot be read is ignored.
pub fn last_findings<'a>(
    reports: impl IntoIterator<Item = (SystemTime, &'a str)>,
) -> BTreeMap<AccountId, LastFindings> {
    let mut looks = BTreeMap::<AccountId, LastFindings>::new();
    for (at, text) in reports {
        let known: BTreeSet<_> = looks.keys().cloned().collect();
        let lines = text.lines().filter_map(|it| serde_json::from_str::<Line>(it).ok());
        for line in lines.filter(|it| !known.contains(&it.account)) {
            let none = || LastFindings { at, failures: vec![], not_looked_at: vec![] };
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
