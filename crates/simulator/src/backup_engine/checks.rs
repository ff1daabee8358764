//! What lets jobs fail.

use super::facts::{crosses_one_border, is_copied, is_fully_managed};
use super::plan::Rule;
use super::records::{BackedUp, BackupJob, EngineKey, EngineVault, Trouble};
use super::{BackupEngine, whereabouts};

impl BackupEngine {
    /// What a backup job meets when it starts.
    pub(super) fn check_backup(
        &self,
        job: &BackupJob,
        rule: &Rule,
        resource: &BackedUp,
    ) -> Result<(), Trouble> {
        let vault = self.vaults.get(&job.vault).ok_or(Trouble::NoVault)?;
        allows(vault, rule.delete_after_days)?;
        // Everything else has the key of its resource.
        if is_fully_managed(&resource.kind) && vault.key == EngineKey::Disabled {
            return Err(Trouble::Key);
        }
        let now = self.now();
        let is_meant = |it: &&super::Injected| {
            it.resource == resource.arn && (it.from..it.until).contains(&now)
        };
        if self.injected.iter().any(|it| is_meant(&it)) {
            return Err(Trouble::Injected);
        }
        Ok(())
    }

    /// What a backup job meets when it is done.
    pub(super) fn check_room(&self, vault: &str) -> Result<(), Trouble> {
        if !self.vaults.contains_key(vault) {
            return Err(Trouble::NoVault);
        }
        if self.points().filter(|it| it.vault == vault).count() >= self.quotas.points {
            return Err(Trouble::Quota);
        }
        Ok(())
    }

    /// What a copy job meets.
    pub(super) fn check_copy(
        &self,
        resource: &BackedUp,
        destination: &str,
        keep: Option<u32>,
    ) -> Result<(), Trouble> {
        if !is_copied(&resource.kind) {
            return Err(Trouble::NotCopied);
        }
        let (account, region) = whereabouts(destination).ok_or(Trouble::NoVault)?;
        let crosses_accounts = account != resource.account;
        if crosses_accounts {
            if !self.organization.contains(account) {
                return Err(Trouble::OtherOrganization);
            }
            if !self.cross_account {
                return Err(Trouble::CrossAccountDisabled);
            }
            if region != resource.region && crosses_one_border(&resource.kind) {
                return Err(Trouble::TwoBorders);
            }
        }
        let vault = self.vaults.get(destination).ok_or(Trouble::NoVault)?;
        if crosses_accounts {
            if !vault.admits_organization {
                return Err(Trouble::VaultDenied);
            }
            let is_default = vault.key == EngineKey::Default && !vault.air_gapped;
            if is_default && !is_fully_managed(&resource.kind) {
                return Err(Trouble::DefaultKey);
            }
        }
        if vault.key == EngineKey::Disabled {
            return Err(Trouble::Key);
        }
        allows(vault, keep)?;
        self.check_room(destination)
    }
}

/// Whether the lock of a vault, if it has one, allows to keep a recovery point for so many days.
fn allows(vault: &EngineVault, days: Option<u32>) -> Result<(), Trouble> {
    let Some((least, most)) = vault.lock else { return Ok(()) };
    let days = days.unwrap_or(u32::MAX);
    let is_allowed = days >= least.unwrap_or(0) && days <= most.unwrap_or(u32::MAX);
    if is_allowed { Ok(()) } else { Err(Trouble::Retention) }
}
