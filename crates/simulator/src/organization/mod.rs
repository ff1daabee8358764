//! The organization: a synchronous state machine that is independent of the wire formats.
//!
//! Its time is the last value of [`Organization::set_time`], so every decision can be repeated.

mod accounts;
mod admission;
mod attachments;
mod coverage;
mod delegated;
mod effective;
mod permissions;
mod policies;
mod policy_types;
mod sample;
mod service_access;
mod tags;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use policy::partition::Partition;

pub(crate) use self::accounts::Creation;
pub use self::accounts::{Account, AccountState};
pub use self::effective::EffectivePolicy;
pub(crate) use self::effective::{EPOCH, clock};
pub(crate) use self::permissions::Access;
pub use self::policies::Policy;
pub(crate) use self::policy_types::check as check_policy_type;
pub use self::policy_types::{POLICY_TYPES, TypeStatus};
pub use self::tree::Unit;
use crate::ids::Ids;
use crate::refusal::{Answer, Constraint, Refusal};
use crate::settings::{Pending, Settings};

/// The trusted-access principals of StackSets, which `ActivateOrganizationsAccess` switches on.
pub(crate) const STACK_SETS: [&str; 2] =
    ["member.org.stacksets.cloudformation.amazonaws.com", "stacksets.cloudformation.amazonaws.com"];

/// The policy type this project is about.
pub const BACKUP_POLICY: &str = "BACKUP_POLICY";

/// What the organization may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureSet {
    /// Everything.
    All,
    /// Shared bills, and no policies.
    ConsolidatedBilling,
}

/// Limits that tests may lower.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Policies of one type.
    pub policies_per_type: usize,
    /// Policies of one type attached directly to one target.
    pub attachments_per_target: usize,
    /// Accounts in the organization.
    pub accounts: usize,
    /// Organizational units in the organization.
    pub units: usize,
    /// Delegated administrators of AWS Backup and of StackSets.
    pub delegated_administrators: usize,
}

/// An AWS Organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its ID.
    pub id: String,
    /// The ID of its root.
    pub root: String,
    /// The ID of its management account.
    pub management_account: String,
    /// What it may do.
    pub feature_set: FeatureSet,
    /// Its limits.
    pub quotas: Quotas,
    /// Whether accounts tell where they are, as they do since 2026.
    pub tells_paths: bool,
    partition: Partition,
    pending: Pending,
    publication: Pending,
    now: Duration,
    revision: u64,
    ids: Ids,
    units: BTreeMap<String, Unit>,
    accounts: BTreeMap<String, Account>,
    creations: BTreeMap<String, Creation>,
    policies: BTreeMap<String, Policy>,
    publications: effective::Publications,
    /// By target, in the order of attachment.
    attachments: BTreeMap<String, Vec<String>>,
    policy_types: BTreeMap<String, policy_types::Switch>,
    services: BTreeMap<String, Duration>,
    /// By account and service principal.
    delegated: BTreeMap<(String, String), Duration>,
    tags: BTreeMap<String, BTreeMap<String, String>>,
    resource_policy: Option<(String, String)>,
}

impl Organization {
    /// The sample organization that `settings` describe.
    ///
    /// # Panics
    ///
    /// When no partition has their Region.
    #[must_use]
    pub fn sample(settings: &Settings) -> Self {
        sample::build(settings)
    }

    fn new(settings: &Settings) -> Self {
        let Some(partition) = settings.partition() else {
            panic!("`{}` is a Region of no partition", settings.region);
        };
        let mut ids = Ids::new(settings.seed);
        ids.reserve(&settings.management_account);
        Self {
            id: ids.lower("o-", 10),
            root: ids.lower("r-", 4),
            management_account: settings.management_account.clone(),
            feature_set: FeatureSet::All,
            quotas: Quotas {
                policies_per_type: 1_000,
                attachments_per_target: 10,
                accounts: 50_000,
                units: 2_000,
                delegated_administrators: 5,
            },
            tells_paths: true,
            partition,
            pending: settings.pending,
            publication: settings.publication,
            now: Duration::ZERO,
            revision: 0,
            ids,
            units: BTreeMap::new(),
            accounts: BTreeMap::new(),
            creations: BTreeMap::new(),
            policies: policies::managed(),
            publications: effective::Publications::default(),
            attachments: BTreeMap::new(),
            policy_types: BTreeMap::new(),
            services: BTreeMap::new(),
            delegated: BTreeMap::new(),
            tags: BTreeMap::new(),
            resource_policy: None,
        }
    }

    /// Moves the organization's clock to `now`, counted from its beginning.
    pub fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Counts the changes so far: two equal revisions are the same organization.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The ARN of the organization's `kind` with this path.
    #[must_use]
    pub fn arn(&self, kind: &str, path: &str) -> String {
        let (partition, management) = (self.partition, &self.management_account);
        format!("arn:{partition}:organizations::{management}:{kind}/{}{path}", self.id)
    }

    /// The partition of the organization.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Whether `target` is the root, a unit or an account.
    #[must_use]
    pub fn has_target(&self, target: &str) -> bool {
        target == self.root || self.units.contains_key(target) || self.accounts.contains_key(target)
    }

    /// Every service with trusted access.
    #[must_use]
    pub fn trusted_services(&self) -> BTreeSet<String> {
        self.services.keys().cloned().collect()
    }

    /// Refuses what needs more than consolidated billing.
    pub(crate) fn expect_all_features(&self) -> Answer<()> {
        if self.feature_set == FeatureSet::All {
            return Ok(());
        }
        let message = "You attempted to perform an operation that requires an organization that is \
                       configured to support all features.";
        Err(Refusal::constraint(Constraint::NotAllFeatures, message))
    }

    fn changed(&mut self) {
        self.revision += 1;
    }
}
