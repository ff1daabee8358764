//! Whether an organization is ready for backup policies, and what to do where it is not.
//!
//! Each check judges what was read for it alone, so that one that could not be read leaves the
//! others as they are.

mod checks;
mod trail;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

pub use trail::{AdvancedSelector, Selectors, Trail};

use crate::global_settings::Values;
use crate::id::{AccountId, Region, TargetId, VaultName};
use crate::member_accounts::KeyState;
use crate::policy_types::Status;

/// What was read, or why it could not be.
pub type Read<T> = Result<T, Unread>;

/// Why something could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// What could not be done, and why.
    pub why: String,
    /// The action that was missing, where the call was denied.
    pub action: Option<String>,
}

/// Everything that is looked at.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The account that looks.
    pub caller: String,
    /// The Region in which it looks, where the stacks should be.
    pub region: String,
    /// The Region of the events of AWS Organizations.
    pub event_region: &'static str,
    /// The organization; `None` where the account is in none.
    pub organization: Read<Option<ManagedOrganization>>,
    /// Its root.
    pub root: Read<Root>,
    /// Whether AWS Backup has trusted access.
    pub trusted_access: Read<bool>,
    /// The settings of AWS Backup for the organization.
    pub settings: Read<Values>,
    /// The delegated administrators of AWS Backup and the state of each account.
    pub administrators: Read<BTreeMap<AccountId, String>>,
    /// The trails that record in the Region of the events of AWS Organizations.
    pub trails: Read<Vec<Trail>>,
    /// The stacks in the Region of the events of AWS Organizations.
    pub event_stacks: Read<Vec<OurStack>>,
    /// Whether StackSets has organizations access.
    pub stack_sets: Read<bool>,
    /// The backup policies.
    pub policies: Read<Vec<KnownPolicy>>,
    /// The accounts whose effective policy is invalid, with what is wrong where that was asked.
    pub invalid: Read<BTreeMap<String, Vec<String>>>,
    /// What is kept in the state bucket; `None` where none is named.
    pub state: Option<StateBucket>,
    /// The keys of customers that can be looked at from here, by what each is the key of, and their
    /// states.
    pub keys: BTreeMap<String, Read<KeyState>>,
    /// What the keys in other accounts are the keys of that were not looked at, for want of a role.
    pub unseen_keys: BTreeSet<String>,
}

/// The organization, as far as it matters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManagedOrganization {
    /// The account that manages it.
    pub management_account: AccountId,
    /// Whether it has all features.
    pub all_features: bool,
}

/// The root, as far as it matters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// Its ID.
    pub id: TargetId,
    /// The state of the policy type of backup policies.
    pub backup_policies: Status,
}

/// A stack of CloudFormation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OurStack {
    /// Its name.
    pub name: String,
    /// What its template says of itself.
    pub description: String,
    /// Its status, as in `CREATE_COMPLETE`.
    pub status: String,
}

/// A backup policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownPolicy {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The resource that made it, as its ownership tag says.
    pub owner: Option<String>,
    /// What it says; empty where that was not read.
    pub text: String,
    /// Where it is attached.
    pub targets: BTreeSet<TargetId>,
}

/// What is kept in the state bucket.
#[derive(Clone, Debug)]
pub struct StateBucket {
    /// The bucket.
    pub bucket: String,
    /// The entries of the desired state, each by its key, with why it is of no use.
    pub entries: Read<BTreeMap<String, Option<String>>>,
    /// When everything was last looked after.
    pub swept: Read<Option<SystemTime>>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Nothing is to be done.
    Ok,
    /// It works, and somebody should know this.
    Warning,
    /// It could not be looked at.
    Unknown,
    /// Something does not work.
    Problem,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Unknown => "unknown",
        })
    }
}

/// What came of one check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What it means.
    pub message: String,
    /// The command or the template that corrects it.
    pub fix: Option<String>,
}

/// The vaults that these policies name, by the Regions of their plans.
pub fn vaults(policies: &[KnownPolicy]) -> BTreeSet<(Region, VaultName)> {
    let mut vaults = BTreeSet::new();
    for plan in policies.iter().flat_map(checks::plans) {
        for region in &plan.regions {
            vaults.extend(plan.vaults().map(|name| (region.clone(), name.clone())));
        }
    }
    vaults
}

/// The vaults that these policies copy to, by their ARNs.
pub fn copy_vaults(policies: &[KnownPolicy]) -> BTreeSet<String> {
    let rules = policies.iter().flat_map(checks::plans).flat_map(|it| it.rules);
    rules.flat_map(|it| it.copies).collect()
}

/// Judges everything that was read.
pub fn diagnose(observed: &Observed, now: SystemTime) -> Vec<Check> {
    checks::all(observed, now)
}

#[cfg(test)]
mod tests;
