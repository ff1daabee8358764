//! Checks that an organization is ready for backup policies, and suggests corrections.
//!
//! Each check judges only its own data. Data that could not be read does not affect the other
//! checks.

mod checks;
mod trail;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

pub use trail::{AdvancedSelector, Selectors, Trail};

use crate::account_state::AccountState;
use crate::global_settings::Values;
use crate::id::{AccountId, Region, TargetId, VaultName};
use crate::member_accounts::KeyState;
use crate::policy_types::Status;

/// The data that was read, or the reason why it could not be read.
pub type Read<T> = Result<T, Unread>;

/// The reason why something could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// The failed action and the cause.
    pub why: String,
    /// The missing permission, if the call was denied.
    pub action: Option<String>,
    /// The next step for the operator, if there is one.
    pub hint: Option<String>,
}

/// All data for the checks.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The account of the caller.
    pub caller: String,
    /// The Region of the caller, which should contain the stacks.
    pub region: String,
    /// The Region of the events of AWS Organizations.
    pub event_region: &'static str,
    /// The organization, or `None` if the account is not in one.
    pub organization: Read<Option<ManagedOrganization>>,
    /// Its root.
    pub root: Read<Root>,
    /// True if AWS Backup has trusted access.
    pub trusted_access: Read<bool>,
    /// The settings of AWS Backup for the organization.
    pub settings: Read<Values>,
    /// The delegated administrators of AWS Backup and the state of each account.
    pub administrators: Read<BTreeMap<AccountId, AccountState>>,
    /// The trails that record in the Region of the events of AWS Organizations.
    pub trails: Read<Vec<Trail>>,
    /// The stacks in the Region of the events of AWS Organizations.
    pub event_stacks: Read<Vec<OurStack>>,
    /// True if StackSets has organizations access.
    pub stack_sets: Read<bool>,
    /// The backup policies.
    pub policies: Read<Vec<KnownPolicy>>,
    /// The accounts whose effective policy is invalid, with the errors if they were requested.
    pub invalid: Read<BTreeMap<String, Vec<String>>>,
    /// The content of the state bucket, or `None` if no bucket is named.
    pub state: Option<StateBucket>,
    /// The states of the customer managed keys that can be read from here, by the name of what each
    /// key encrypts.
    pub keys: BTreeMap<String, Read<KeyState>>,
    /// The names of what the unread keys in other accounts encrypt. There was no role to read those
    /// keys.
    pub unseen_keys: BTreeSet<String>,
}

/// The relevant properties of the organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManagedOrganization {
    /// The account that manages it.
    pub management_account: AccountId,
    /// True if all features are enabled.
    pub all_features: bool,
}

/// The relevant properties of the root.
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
    /// The description in its template.
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
    /// The text of the policy, or empty if it was not read.
    pub text: String,
    /// The targets that the policy is attached to.
    pub targets: BTreeSet<TargetId>,
}

/// The content of the state bucket.
#[derive(Clone, Debug)]
pub struct StateBucket {
    /// The bucket.
    pub bucket: String,
    /// The entries of the desired state, by key. Contains the reason if an entry is unusable.
    pub entries: Read<BTreeMap<String, Option<String>>>,
    /// The time of the last complete sweep.
    pub swept: Read<Option<SystemTime>>,
}

/// The severity of a check.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Nothing has to be done.
    Ok,
    /// Everything works, but you should know about it.
    Warning,
    /// The data for the check could not be read.
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

/// The result of one check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// The subject of the check.
    pub name: &'static str,
    /// The severity.
    pub verdict: Verdict,
    /// The meaning of the result.
    pub message: String,
    /// The command or the template that corrects it.
    pub fix: Option<String>,
}

/// Returns the vaults that these policies name, with the Regions of their plans.
pub fn vaults(policies: &[KnownPolicy]) -> BTreeSet<(Region, VaultName)> {
    let mut vaults = BTreeSet::new();
    for plan in policies.iter().flat_map(checks::plans) {
        for region in &plan.regions {
            vaults.extend(plan.vaults().map(|name| (region.clone(), name.clone())));
        }
    }
    vaults
}

/// Returns the ARNs of the vaults that these policies copy to.
pub fn copy_vaults(policies: &[KnownPolicy]) -> BTreeSet<String> {
    let rules = policies.iter().flat_map(checks::plans).flat_map(|it| it.rules);
    rules.flat_map(|it| it.copies).collect()
}

/// Judges what is quickly read, which no policy and nothing of the state bucket is.
pub fn diagnose_first(observed: &Observed) -> Vec<Check> {
    checks::quick(observed)
}

/// Judges the state bucket, which takes a read for each resource.
pub fn diagnose_state(observed: &Observed, now: SystemTime) -> Vec<Check> {
    checks::state(observed, now)
}

/// Judges the policies and what depends on them, which take the longest to read.
pub fn diagnose_policies(observed: &Observed) -> Vec<Check> {
    checks::slow(observed)
}

#[cfg(test)]
mod tests;
