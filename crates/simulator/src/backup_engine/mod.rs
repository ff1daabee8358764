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
mod copies;
mod copy_role;
mod events;
mod facts;
mod lifecycle;
mod on_demand;
mod orders;
mod original;
mod parts;
mod plan;
mod records;
mod restore_job;
mod restores;
mod select;
mod terms;
#[cfg(test)]
mod tests;
mod works;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

use crate::refusal::Refusal;

pub(crate) use self::lifecycle::FROM_COLD;
pub use self::lifecycle::PointLifecycle;
pub use self::orders::{Asker, BackupOrder, CopyOrder, RestoreOrder};
pub(crate) use self::records::whereabouts;
pub use self::records::{
    BackedUp, BackupJob, EngineCopyJob, EngineKey, EnginePoint, EngineVault, Flaw, JobProgress,
    PointForm, Skipped, Trouble,
};
pub use self::restore_job::{EngineRestoreJob, RestoreTrouble};
pub(crate) use self::works::{History, Works};

/// Trouble that a test asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// The ARN of the resource whose jobs fail.
    pub resource: String,
    /// The time from which they fail.
    pub from: SystemTime,
    /// The time until which they fail.
    pub until: SystemTime,
}

/// Jobs that a test asks trouble for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Jobs {
    /// Backups.
    #[default]
    Backups,
    /// Copies that somebody asks for.
    Copies,
    /// Restores.
    Restores,
    /// Restores, which somebody stops.
    StoppedRestores,
    /// Restores, for which a quota of the service is used up.
    RestoresBeyondQuota,
}

/// The quotas of AWS Backup that a test may lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupQuotas {
    /// Backup jobs at work at a time in an account and Region.
    pub jobs: usize,
    /// Recovery points in a vault.
    pub points: usize,
    /// Copy jobs at a time of an account, to one Region, that are asked for.
    pub copies: usize,
    /// Those of them that take the same resource to another account.
    pub copies_across: usize,
}

impl Default for BackupQuotas {
    fn default() -> Self {
        Self { jobs: 1_000, points: 1_000_000, copies: 100, copies_across: 30 }
    }
}

/// The time that a backup, copy or restore takes for each gigabyte.
pub(crate) const PER_GIGABYTE: Duration = Duration::from_secs(10);

/// The time that every job takes in addition.
pub(crate) const PER_JOB: Duration = Duration::from_mins(1);

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

/// Something that a role has to be allowed for AWS Backup to work with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleNeed {
    /// The action.
    pub(crate) action: &'static str,
    /// The ARN of the resource, or `*`.
    pub(crate) resource: String,
    /// Keys of conditions, in lower case, and their values.
    pub(crate) keys: Vec<(&'static str, String)>,
}

impl RoleNeed {
    fn new(action: &'static str, resource: &str) -> Self {
        Self { action, resource: resource.to_owned(), keys: vec![] }
    }

    fn with(mut self, (key, value): (&'static str, &str)) -> Self {
        self.keys.push((key, value.to_owned()));
        self
    }
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

    /// Returns the time that a backup, copy or restore takes for each gigabyte.
    fn per_gigabyte(&self) -> Duration;

    /// Returns the time that every job takes in addition.
    fn per_job(&self) -> Duration {
        PER_JOB
    }

    /// Returns the time that a restore from cold storage takes in addition.
    fn cold_retrieval(&self) -> Duration {
        FROM_COLD
    }

    /// Returns whether an account, or the management account for it, has opted in to a type in a Region.
    fn opts_in(&self, account: &str, kind: &str, region: &str) -> bool;

    /// Returns whether AWS Backup manages the backups of DynamoDB in an account and Region, as it does in
    /// accounts of today unless somebody switches that off.
    fn has_advanced_dynamodb(&self, _account: &str, _region: &str) -> bool {
        true
    }

    /// Returns whether an account may use a Region.
    fn is_enabled(&self, account: &str, region: &str) -> bool;

    /// Returns the ARN of the key of the vault with this ARN, if that is known.
    fn vault_key(&self, vault: &str) -> Option<String>;

    /// Returns the owner of the key with this ARN, and whether the key is disabled.
    fn key(&self, arn: &str) -> EngineKey;

    /// Returns whether the policy of the key with this ARN lets an account use it.
    fn may_use(&self, key: &str, account: &str) -> bool;

    /// Returns whether a role and the access policy of the vault with this ARN let a recovery point be copied
    /// from there to another vault.
    fn releases(&self, vault: &str, role: &str, point: &str, destination: &str) -> bool;

    /// Returns whether the policies of the role with this ARN allow something.
    fn permits(&self, role: &str, need: &RoleNeed) -> bool;

    /// Returns the path of the role with this name in an account.
    fn path_of_role(&self, account: &str, name: &str) -> &str;

    /// Returns whether a bucket keeps versions.
    fn is_versioned(&self, bucket: &str) -> bool;
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
    /// The denials of roles, by ARN and action.
    denied: BTreeSet<(String, String)>,
    /// By ARN: keys that are no vault's.
    keys: BTreeMap<String, EngineKey>,
    /// The accounts that a key is kept from, by its ARN.
    kept: BTreeSet<(String, String)>,
    /// The buckets that keep no versions.
    unversioned: BTreeSet<String>,
    /// The Regions that an account may not use.
    disabled: BTreeSet<(String, String)>,
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
            denied: BTreeSet::new(),
            keys: BTreeMap::new(),
            kept: BTreeSet::new(),
            unversioned: BTreeSet::new(),
            disabled: BTreeSet::new(),
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

    /// Returns whether the management account has opted in to a type in a Region.
    #[must_use]
    pub fn has_opted_in(&self, kind: &str, region: &str) -> bool {
        self.is_opted_in(kind, region)
    }

    /// Lets a Region not support a type.
    pub fn unsupport(&mut self, region: &str, kind: &str) {
        self.unsupported.insert((region.to_owned(), kind.to_owned()));
    }

    /// Makes the backups of a resource fail for some time.
    pub fn inject(&mut self, injected: Injected) {
        self.works.inject(Jobs::Backups, injected);
    }

    /// Makes other jobs of a resource fail for some time.
    pub fn inject_into(&mut self, jobs: Jobs, injected: Injected) {
        self.works.inject(jobs, injected);
    }

    /// Says how the resource with this ARN is made, in the words of a restore.
    pub fn configure(&mut self, arn: &str, settings: BTreeMap<String, String>) {
        self.works.configure(arn, settings);
    }

    /// Encrypts the resource with this ARN with a key, which is made if there is none.
    pub fn encrypt(&mut self, arn: &str, key: &str) {
        self.works.encrypt(arn, key);
        self.keys.entry(key.to_owned()).or_insert(EngineKey::Customer);
    }

    /// Makes something that resources are put into, such as a subnet or a group.
    pub fn put_part(&mut self, account: &str, region: &str, name: &str) {
        self.works.put_part(account, region, name);
    }

    /// Makes a key, or changes it.
    pub fn put_key(&mut self, arn: &str, key: EngineKey) {
        self.keys.insert(arn.to_owned(), key);
    }

    /// Keeps an account from using a key.
    pub fn keep_key_from(&mut self, arn: &str, account: &str) {
        self.kept.insert((arn.to_owned(), account.to_owned()));
    }

    /// Denies a role an action.
    pub fn deny(&mut self, role: &str, action: &str) {
        self.denied.insert((role.to_owned(), action.to_owned()));
    }

    /// Lets a bucket keep no versions.
    pub fn suspend_versions(&mut self, bucket: &str) {
        self.unversioned.insert(bucket.to_owned());
    }

    /// Lets an account not use a Region.
    pub fn disable_region(&mut self, account: &str, region: &str) {
        self.disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Makes something wrong with a recovery point, or nothing any more.
    pub fn flaw(&mut self, point: usize, flaw: Option<Flaw>) {
        self.works.flaw(point, flaw);
    }

    /// Asks for a backup and returns the number of its job.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartBackupJob`.
    pub fn back_up(&mut self, order: &BackupOrder) -> Result<usize, Refusal> {
        self.ask(|works, around| works.back_up(order, around))
    }

    /// Asks for a copy and returns the number of its job.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartCopyJob`.
    pub fn copy(&mut self, order: &CopyOrder) -> Result<usize, Refusal> {
        self.ask(|works, around| works.copy(order, around))
    }

    /// Asks for a restore and returns the number of its job.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartRestoreJob`.
    pub fn restore(&mut self, order: &RestoreOrder) -> Result<usize, Refusal> {
        self.ask(|works, around| works.restore(order, around))
    }

    fn ask<T>(&mut self, ask: impl FnOnce(&mut Works, &Self) -> T) -> T {
        let mut works = std::mem::take(&mut self.works);
        let answer = ask(&mut works, self);
        self.works = works;
        answer
    }

    /// Deletes every resource of an account, and returns their ARNs.
    pub fn delete_resources_of(&mut self, account: &str) -> Vec<String> {
        self.works.delete_resources_of(account)
    }

    /// Loses an account: its resources, what they are in, and its vaults with everything in them.
    pub fn lose_account(&mut self, account: &str) {
        self.vaults.retain(|arn, _| whereabouts(arn).is_none_or(|it| it.0 != account));
        self.works.lose_account(account);
    }

    /// Returns the resources.
    pub fn resources(&self) -> impl Iterator<Item = &BackedUp> {
        self.works.resources().map(|it| it.0)
    }

    /// Returns the restore jobs that were asked for.
    #[must_use]
    pub fn restore_jobs(&self) -> &[EngineRestoreJob] {
        self.works.restore_jobs()
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

    fn opts_in(&self, _: &str, kind: &str, region: &str) -> bool {
        self.is_opted_in(kind, region)
    }

    fn is_enabled(&self, account: &str, region: &str) -> bool {
        !self.disabled.contains(&(account.to_owned(), region.to_owned()))
    }

    fn vault_key(&self, vault: &str) -> Option<String> {
        Some(format!("{vault}/key"))
    }

    fn key(&self, arn: &str) -> EngineKey {
        let of_vault = arn.strip_suffix("/key").and_then(|it| self.vaults.get(it));
        let key = of_vault.map(|it| it.key).or_else(|| self.keys.get(arn).copied());
        key.unwrap_or(EngineKey::Disabled)
    }

    fn may_use(&self, key: &str, account: &str) -> bool {
        !self.kept.contains(&(key.to_owned(), account.to_owned()))
    }

    fn releases(&self, _: &str, role: &str, _: &str, _: &str) -> bool {
        self.permits(role, &RoleNeed::new("backup:CopyFromBackupVault", "*"))
    }

    fn permits(&self, role: &str, need: &RoleNeed) -> bool {
        !self.denied.contains(&(role.to_owned(), need.action.to_owned()))
    }

    fn path_of_role(&self, _account: &str, _name: &str) -> &'static str {
        "/"
    }

    fn is_versioned(&self, bucket: &str) -> bool {
        !self.unversioned.contains(bucket)
    }
}
