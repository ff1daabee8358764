//! The checks that make jobs fail.

use super::facts::{Feature, TypeFacts, is_not_copied};
use super::plan::Rule;
use super::records::{BackedUp, BackupJob, EngineKey, Trouble};
use super::{Jobs, Surroundings, VaultFacts, Works, whereabouts};

impl Works {
    /// Checks a backup job at its start.
    pub(super) fn check_backup(
        &self,
        job: &BackupJob,
        rule: &Rule,
        resource: &BackedUp,
        around: &dyn Surroundings,
    ) -> Result<(), Trouble> {
        let vault = around.vault(&job.vault).ok_or(Trouble::NoVault)?;
        allows(vault, rule.lifecycle.delete_after_days)?;
        // Backups of all other types are encrypted with the key of their resource.
        if TypeFacts::of(&resource.kind).has(Feature::FullyManaged)
            && vault.key == EngineKey::Disabled
        {
            return Err(Trouble::Key);
        }
        if self.is_to_fail(Jobs::Backups, &resource.arn) {
            return Err(Trouble::Injected);
        }
        Ok(())
    }

    /// Checks that a vault exists and has room for the recovery point of a job that is done.
    pub(super) fn check_room(&self, vault: &str, around: &dyn Surroundings) -> Result<(), Trouble> {
        if around.vault(vault).is_none() {
            return Err(Trouble::NoVault);
        }
        let most = around.quotas().points;
        // Every job would count all of them.
        let may_be_full = self.points.len() >= most;
        if may_be_full && self.points().filter(|it| it.vault == vault).count() >= most {
            return Err(Trouble::Quota);
        }
        Ok(())
    }

    /// Checks a copy job.
    pub(super) fn check_copy(
        &self,
        copy: &Copying<'_>,
        around: &dyn Surroundings,
    ) -> Result<(), Trouble> {
        let Copying { role, from, destination, key, .. } = *copy;
        let kind = TypeFacts::of(copy.kind);
        if kind.has(Feature::NotCopied) || is_not_copied(copy.kind, copy.resource) {
            return Err(Trouble::NotCopied);
        }
        let (account, region) = whereabouts(destination).ok_or(Trouble::NoVault)?;
        let crosses_accounts = account != from.0;
        if crosses_accounts {
            if !around.has_account(account) || !around.has_account(from.0) {
                return Err(Trouble::OtherOrganization);
            }
            if !around.is_cross_account() {
                return Err(Trouble::CrossAccountDisabled);
            }
            if region != from.1 && kind.has(Feature::OneBorder) {
                return Err(Trouble::TwoBorders);
            }
        }
        if !around.is_enabled(account, region) {
            return Err(Trouble::RegionDisabled);
        }
        let vault = around.vault(destination).ok_or(Trouble::NoVault)?;
        let is_managed = kind.has(Feature::FullyManaged);
        if crosses_accounts {
            if !around.admits(destination, role) {
                return Err(Trouble::VaultDenied);
            }
            let is_default = vault.key == EngineKey::Default && !vault.air_gapped;
            if is_default && !is_managed {
                return Err(Trouble::DefaultKey);
            }
        }
        if vault.key == EngineKey::Disabled {
            return Err(Trouble::Key);
        }
        // The copy of a fully managed recovery point is encrypted anew. The account of the copy
        // does not need the key of the recovery point.
        if let Some(key) = key {
            match around.key(key) {
                EngineKey::Disabled => return Err(Trouble::Key),
                EngineKey::Default if crosses_accounts && !is_managed => {
                    return Err(Trouble::AwsKey);
                }
                _ if crosses_accounts && !is_managed && !around.may_use(key, account) => {
                    return Err(Trouble::KeyNotShared);
                }
                _ => {}
            }
        }
        allows(vault, copy.keep)?;
        self.check_room(destination, around)
    }
}

/// A copy: its type, its role, and the places that it goes from and to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copying<'a> {
    /// The type, as AWS Backup calls it.
    pub(super) kind: &'a str,
    /// The ARN of the resource.
    pub(super) resource: &'a str,
    /// The ARN of the role.
    pub(super) role: &'a str,
    /// The account and the Region of the recovery point.
    pub(super) from: (&'a str, &'a str),
    /// The ARN of the vault to write to.
    pub(super) destination: &'a str,
    /// The number of days after which the copy is deleted.
    pub(super) keep: Option<u32>,
    /// The ARN of the key of the recovery point.
    pub(super) key: Option<&'a str>,
}

/// Checks that the lock of a vault, if it has one, allows to keep a recovery point for this number
/// of days.
fn allows(vault: VaultFacts, days: Option<u32>) -> Result<(), Trouble> {
    let Some((least, most)) = vault.lock else { return Ok(()) };
    let days = days.unwrap_or(u32::MAX);
    let is_allowed = days >= least.unwrap_or(0) && days <= most.unwrap_or(u32::MAX);
    if is_allowed { Ok(()) } else { Err(Trouble::Retention) }
}
