//! The surroundings of AWS Backup in a simulator: the state of the other services.

use std::time::Duration;

use policy::arn::Arn;

use crate::backup_engine::{BackupQuotas, EngineKey, PER_GIGABYTE, Surroundings, VaultFacts};
use crate::iam::{Keys, Need, Policy, Principal, Verdict};
use crate::sts;
use crate::vaults::{KeyType, Vault};
use crate::world::World;

/// The name of AWS Backup in trust policies.
const BACKUP: &str = "backup.amazonaws.com";

impl Surroundings for World {
    fn has_account(&self, account: &str) -> bool {
        self.organization.account(account).is_ok()
    }

    fn is_cross_account(&self) -> bool {
        let settings = self.backup.global_settings();
        settings.get("isCrossAccountBackupEnabled").is_some_and(|it| it == "true")
    }

    fn is_opted_in(&self, kind: &str, region: &str) -> bool {
        let management = &self.organization.management_account;
        self.backup.region_settings(management, region).opt_in.get(kind) == Some(&true)
    }

    fn supports(&self, kind: &str, region: &str) -> bool {
        self.backup.supported_resource_types(region).contains(&kind)
    }

    fn vault(&self, arn: &str) -> Option<VaultFacts> {
        let (account, region, vault) = self.vault_at(arn)?;
        let lock = (vault.min_retention_days, vault.max_retention_days);
        Some(VaultFacts {
            key: self.key_of(account, region, vault),
            lock: vault.locked.then_some(lock),
            air_gapped: vault.air_gapped,
        })
    }

    fn admits(&self, vault: &str, role: &str) -> bool {
        let Some((account, _, found)) = self.vault_at(vault) else { return false };
        let policy = found.access_policy.as_deref().map(Policy::parse);
        // A policy that the simulator does not understand allows nothing.
        let Some(Ok(policy)) = policy else { return false };
        let copier = Arn::parse(role).map_or("", |it| it.account);
        let principal = Principal { account: copier.to_owned(), arns: vec![role.to_owned()] };
        let mut need = need("backup:CopyIntoBackupVault", vault);
        let mut know = |key: &str, value: String| need.keys.insert(key.to_owned(), vec![value]);
        know("aws:principalaccount", copier.to_owned());
        know("aws:principalarn", role.to_owned());
        if let Ok(member) = self.organization.account(copier) {
            know("aws:principalorgid", self.organization.id.clone());
            know("aws:principalorgpaths", self.organization.path_text(&member.parent));
        }
        policy.trusts(&principal, &need, account) == Verdict::Allowed
    }

    fn trusts(&self, role: &str, region: &str) -> Option<bool> {
        let partition = self.organization.partition();
        let (account, name) = sts::parse(role)?;
        let found = self.iam.role(account, name).filter(|it| it.arn(partition, account) == role)?;
        let mut need = need("sts:AssumeRole", role);
        let plan = format!("arn:{partition}:backup:{region}:{account}:backup-plan:plan");
        need.keys.insert("aws:sourceaccount".to_owned(), vec![account.to_owned()]);
        need.keys.insert("aws:sourcearn".to_owned(), vec![plan]);
        Some(found.trust().trusts_service(BACKUP, &need, account) == Verdict::Allowed)
    }

    fn quotas(&self) -> BackupQuotas {
        BackupQuotas::default()
    }

    fn per_gigabyte(&self) -> Duration {
        PER_GIGABYTE
    }
}

impl World {
    /// Returns the account, the Region and the record of the vault with this ARN.
    fn vault_at<'a>(&self, arn: &'a str) -> Option<(&'a str, &'a str, &Vault)> {
        let Arn { service, account, region, resource, .. } = Arn::parse(arn).ok()?;
        let name = resource.strip_prefix("backup-vault:").filter(|_| service == "backup")?;
        let vault = self.backup.vaults().get(account, region, name).ok()?;
        Some((account, region, vault))
    }

    fn key_of(&self, account: &str, region: &str, vault: &Vault) -> EngineKey {
        let Some(arn) = &vault.key_arn else {
            let is_own = vault.key_type == Some(KeyType::CustomerManaged);
            return if is_own { EngineKey::Customer } else { EngineKey::Default };
        };
        let arn = arn.replace("$account", account).replace("$region", region);
        match self.kms.get(account, region, &arn) {
            Ok(key) if key.state != "Enabled" => EngineKey::Disabled,
            Ok(key) if key.manager == crate::kms::KeyManager::Aws => EngineKey::Default,
            Ok(_) => EngineKey::Customer,
            Err(_) => EngineKey::Disabled,
        }
    }
}

fn need(action: &str, resource: &str) -> Need {
    Need { action: action.to_owned(), resource: resource.to_owned(), keys: Keys::new() }
}
