//! What lets jobs fail.

use super::facts::{crosses_one_border, is_copied, is_fully_managed};
use super::plan::Rule;
use super::records::{BackedUp, BackupJob, EngineKey, Trouble};
use super::{Surroundings, VaultFacts, Works, whereabouts};

impl Works {
    /// What a backup job meets when it starts.
    pub(super) fn check_backup(
        &self,
        job: &BackupJob,
        rule: &Rule,
        resource: &BackedUp,
        around: &dyn Surroundings,
    ) -> Result<(), Trouble> {
        let vault = around.vault(&job.vault).ok_or(Trouble::NoVault)?;
        allows(vault, rule.delete_after_days)?;
        // Everything else has the key of its resource.
        if is_fully_managed(&resource.kind) && vault.key == EngineKey::Disabled {
            return Err(Trouble::Key);
        }
        if self.is_to_fail(&resource.arn) {
            return Err(Trouble::Injected);
        }
        Ok(())
    }

    /// What a backup job meets when it is done.
    pub(super) fn check_room(&self, vault: &str, around: &dyn Surroundings) -> Result<(), Trouble> {
        if around.vault(vault).is_none() {
            return Err(Trouble::NoVault);
        }
        if self.points().filter(|it| it.vault == vault).count() >= around.quotas().points {
            return Err(Trouble::Quota);
        }
        Ok(())
    }

    /// What a copy job meets.
    pub(super) fn check_copy(
        &self,
        job: &BackupJob,
        resource: &BackedUp,
        destination: &str,
        keep: Option<u32>,
        around: &dyn Surroundings,
    ) -> Result<(), Trouble> {
        if !is_copied(&resource.kind) {
            return Err(Trouble::NotCopied);
        }
        let (account, region) = whereabouts(destination).ok_or(Trouble::NoVault)?;
        let crosses_accounts = account != resource.account;
        if crosses_accounts {
            if !around.has_account(account) {
                return Err(Trouble::OtherOrganization);
            }
            if !around.is_cross_account() {
                return Err(Trouble::CrossAccountDisabled);
            }
            if region != resource.region && crosses_one_border(&resource.kind) {
                return Err(Trouble::TwoBorders);
            }
        }
        let vault = around.vault(destination).ok_or(Trouble::NoVault)?;
        if crosses_accounts {
            if !around.admits(destination, &job.role) {
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
        self.check_room(destination, around)
    }
}

/// Whether the lock of a vault, if it has one, allows to keep a recovery point for so many days.
fn allows(vault: VaultFacts, days: Option<u32>) -> Result<(), Trouble> {
    let Some((least, most)) = vault.lock else { return Ok(()) };
    let days = days.unwrap_or(u32::MAX);
    let is_allowed = days >= least.unwrap_or(0) && days <= most.unwrap_or(u32::MAX);
    if is_allowed { Ok(()) } else { Err(Trouble::Retention) }
}
