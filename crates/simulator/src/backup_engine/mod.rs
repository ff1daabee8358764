//! AWS Backup at work: it makes jobs from effective policies on schedule, and recovery points from
//! jobs, by a clock that a test advances.
//!
//! It is written from AWS's documentation and decides as that says: selections, opt-ins, windows,
//! overlapping rules, roles, vaults, keys, locks, quotas, copies, continuous backups and expiry. A
//! program that judges backups is held against it, so it shares nothing with one but the language
//! of policies.
//!
//! [`Works`] does the work. What it works with, it asks its [`Surroundings`]: a simulator that is
//! called over HTTP, or a [`BackupEngine`] that a test gives everything.

mod checks;
mod events;
mod facts;
mod plan;
mod records;
mod select;
#[cfg(test)]
mod tests;
mod works;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;

pub use self::records::{
    BackedUp, BackupJob, EngineCopyJob, EngineKey, EnginePoint, EngineVault, JobProgress,
    PointForm, Skipped, Trouble,
};
pub(crate) use self::works::{History, Works, whereabouts};

/// Trouble that a test asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// The ARN of the resource whose jobs fail.
    pub resource: String,
    /// From when.
    pub from: SystemTime,
    /// Until when.
    pub until: SystemTime,
}

/// The quotas of AWS Backup that a test may lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupQuotas {
    /// Backup jobs at work at a time in an account and Region.
    pub jobs: usize,
    /// Recovery points in a vault.
    pub points: usize,
}

impl Default for BackupQuotas {
    fn default() -> Self {
        Self { jobs: 1_000, points: 1_000_000 }
    }
}

/// How long it takes to back up or copy a gigabyte.
pub(crate) const PER_GIGABYTE: Duration = Duration::from_secs(10);

/// What jobs meet of a vault, beside its access policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VaultFacts {
    /// What encrypts it.
    pub(crate) key: EngineKey,
    /// The least and the most days that its lock allows, where it is locked.
    pub(crate) lock: Option<(Option<u32>, Option<u32>)>,
    /// Whether it is logically air-gapped.
    pub(crate) air_gapped: bool,
}

/// What AWS Backup works with and does not decide: accounts, settings, vaults and roles.
pub(crate) trait Surroundings {
    /// Whether the account is in the organization.
    fn has_account(&self, account: &str) -> bool;

    /// Whether backups may be copied to other accounts.
    fn is_cross_account(&self) -> bool;

    /// Whether the management account has opted in to a type in a Region.
    fn is_opted_in(&self, kind: &str, region: &str) -> bool;

    /// Whether a Region supports a type.
    fn supports(&self, kind: &str, region: &str) -> bool;

    /// What jobs meet of the vault with this ARN.
    fn vault(&self, arn: &str) -> Option<VaultFacts>;

    /// Whether the access policy of the vault with this ARN lets a role copy into it.
    fn admits(&self, vault: &str, role: &str) -> bool;

    /// Whether the role with this ARN trusts AWS Backup in a Region, if there is one.
    fn trusts(&self, role: &str, region: &str) -> Option<bool>;

    /// The quotas.
    fn quotas(&self) -> BackupQuotas;

    /// How long it takes to back up or copy a gigabyte.
    fn per_gigabyte(&self) -> Duration;
}

/// AWS Backup in the accounts of an organization that a test describes.
#[derive(Clone, Debug)]
pub struct BackupEngine {
    /// Whether backups may be copied to other accounts.
    pub cross_account: bool,
    /// The quotas.
    pub quotas: BackupQuotas,
    /// How long it takes to back up or copy a gigabyte.
    pub per_gigabyte: Duration,
    organization: BTreeSet<String>,
    /// The types that the management account has opted in to, by Region.
    opt_ins: BTreeSet<(String, String)>,
    /// The types that a Region does not support.
    unsupported: BTreeSet<(String, String)>,
    /// By ARN.
    vaults: BTreeMap<String, EngineVault>,
    /// By ARN: whether the role trusts AWS Backup.
    roles: BTreeMap<String, bool>,
    works: Works,
}

impl BackupEngine {
    /// AWS Backup in these accounts at `now`, without anything to do.
    #[must_use]
    pub fn new(partition: &str, accounts: &[&str], now: SystemTime) -> Self {
        Self {
            cross_account: false,
            quotas: BackupQuotas::default(),
            per_gigabyte: PER_GIGABYTE,
            organization: accounts.iter().map(|it| (*it).to_owned()).collect(),
            opt_ins: BTreeSet::new(),
            unsupported: BTreeSet::new(),
            vaults: BTreeMap::new(),
            roles: BTreeMap::new(),
            works: Works::new(partition, now),
        }
    }

    /// Gives an account this effective policy from now on.
    pub fn set_policy(&mut self, account: &str, document: &Value) {
        self.works.set_policy(account, document);
    }

    /// Makes a resource, or replaces the one with its ARN.
    pub fn put_resource(&mut self, resource: BackedUp) {
        self.works.put_resource(resource);
    }

    /// Deletes a resource; its recovery points stay, and continuous ones are not continued.
    pub fn delete_resource(&mut self, arn: &str) {
        self.works.delete_resource(arn);
    }

    /// Makes a vault, or changes it.
    pub fn put_vault(&mut self, arn: &str, vault: EngineVault) {
        self.vaults.insert(arn.to_owned(), vault);
    }

    /// Deletes a vault with everything in it.
    pub fn delete_vault(&mut self, arn: &str) {
        self.vaults.remove(arn);
        self.works.empty_vault(arn);
    }

    /// Makes a role that trusts AWS Backup, or one that does not.
    pub fn put_role(&mut self, arn: &str, trusts: bool) {
        self.roles.insert(arn.to_owned(), trusts);
    }

    /// Deletes a role.
    pub fn delete_role(&mut self, arn: &str) {
        self.roles.remove(arn);
    }

    /// Opts the management account in to a type in a Region, or out.
    pub fn opt_in(&mut self, region: &str, kind: &str, is_in: bool) {
        let key = (region.to_owned(), kind.to_owned());
        if is_in {
            self.opt_ins.insert(key);
        } else {
            self.opt_ins.remove(&key);
        }
    }

    /// Lets a Region not support a type.
    pub fn unsupport(&mut self, region: &str, kind: &str) {
        self.unsupported.insert((region.to_owned(), kind.to_owned()));
    }

    /// Lets the jobs of a resource fail for some time.
    pub fn inject(&mut self, injected: Injected) {
        self.works.inject(injected);
    }

    /// The vault with this ARN.
    #[must_use]
    pub fn vault(&self, arn: &str) -> Option<&EngineVault> {
        self.vaults.get(arn)
    }

    /// Whether the role with this ARN trusts AWS Backup, if there is one.
    #[must_use]
    pub fn role(&self, arn: &str) -> Option<bool> {
        self.roles.get(arn).copied()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.works.now()
    }

    /// The backup jobs.
    #[must_use]
    pub fn jobs(&self) -> &[BackupJob] {
        self.works.jobs()
    }

    /// The copy jobs.
    #[must_use]
    pub fn copy_jobs(&self) -> &[EngineCopyJob] {
        self.works.copy_jobs()
    }

    /// The recovery points that are there.
    pub fn points(&self) -> impl Iterator<Item = &EnginePoint> {
        self.works.points()
    }

    /// The runs from which no jobs came although a plan selects the resources.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        self.works.skipped()
    }

    /// The events of jobs since this was last asked, as AWS Backup sends them to EventBridge.
    pub fn take_events(&mut self) -> Vec<Value> {
        self.works.take_events()
    }

    /// Lets time go by until `then`, with everything that happens.
    pub fn advance(&mut self, then: SystemTime) {
        let mut works = std::mem::take(&mut self.works);
        works.advance(then, self);
        self.works = works;
    }
}

impl Surroundings for BackupEngine {
    fn has_account(&self, account: &str) -> bool {
        self.organization.contains(account)
    }

    fn is_cross_account(&self) -> bool {
        self.cross_account
    }

    fn is_opted_in(&self, kind: &str, region: &str) -> bool {
        self.opt_ins.contains(&(region.to_owned(), kind.to_owned()))
    }

    fn supports(&self, kind: &str, region: &str) -> bool {
        !self.unsupported.contains(&(region.to_owned(), kind.to_owned()))
    }

    fn vault(&self, arn: &str) -> Option<VaultFacts> {
        let EngineVault { key, lock, air_gapped, .. } = *self.vaults.get(arn)?;
        Some(VaultFacts { key, lock, air_gapped })
    }

    fn admits(&self, vault: &str, _: &str) -> bool {
        self.vaults.get(vault).is_some_and(|it| it.admits_organization)
    }

    fn trusts(&self, role: &str, _: &str) -> Option<bool> {
        self.role(role)
    }

    fn quotas(&self) -> BackupQuotas {
        self.quotas
    }

    fn per_gigabyte(&self) -> Duration {
        self.per_gigabyte
    }
}
