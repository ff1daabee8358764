//! The surroundings of AWS Backup in a simulator: the state of the other services.

use std::time::Duration;

use policy::arn::Arn;

use crate::backup_engine::{
    BackupQuotas, EngineKey, RoleNeed, Surroundings, VaultFacts, whereabouts,
};
use crate::iam::{Keys, Need, Policy, Principal, Role, Verdict};
use crate::kms::KeyManager;
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

    fn has_advanced_dynamodb(&self, account: &str, region: &str) -> bool {
        !self.backup.is_unmanaged("DynamoDB", account, region)
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
        self.backup_quotas
    }

    fn per_gigabyte(&self) -> Duration {
        self.pace.per_gigabyte
    }

    fn per_job(&self) -> Duration {
        self.pace.per_job
    }

    fn cold_retrieval(&self) -> Duration {
        self.pace.cold_retrieval
    }

    fn opts_in(&self, account: &str, kind: &str, region: &str) -> bool {
        let own = self.backup.region_settings(account, region);
        own.opt_in.get(kind) == Some(&true) || self.is_opted_in(kind, region)
    }

    fn is_enabled(&self, account: &str, region: &str) -> bool {
        !self.regions.is_disabled(account, region)
    }

    fn vault_key(&self, vault: &str) -> Option<String> {
        let (account, region, vault) = self.vault_at(vault)?;
        vault.key_arn_in(account, region)
    }

    fn key(&self, arn: &str) -> EngineKey {
        let at = Arn::parse(arn).map_or(("", ""), |it| (it.account, it.region));
        match self.kms.get(at.0, at.1, arn) {
            Ok(key) if key.state != "Enabled" => EngineKey::Disabled,
            Ok(key) if key.manager == KeyManager::Aws => EngineKey::Default,
            Ok(_) => EngineKey::Customer,
            Err(_) => EngineKey::Disabled,
        }
    }

    fn may_use(&self, key: &str, account: &str) -> bool {
        !self.kms.is_kept_from(key, account)
    }

    fn releases(&self, vault: &str, role: &str, point: &str, destination: &str) -> bool {
        let action = "backup:CopyFromBackupVault";
        let (copier, _) = sts::parse(role).unwrap_or_default();
        let target = whereabouts(destination).unwrap_or_default().0;
        // AWS's reference asks for the recovery point, and policies in use name the vault.
        let needs = [point, vault].map(|it| {
            let mut need = self.need_of(role, action, it);
            let mut know = |key: &str, value| need.keys.insert(key.to_owned(), vec![value]);
            know("backup:copytargets", destination.to_owned());
            if let Ok(member) = self.organization.account(target) {
                know("backup:copytargetorgpaths", self.organization.path_text(&member.parent));
            }
            need
        });
        let judged = needs.iter().map(|it| self.judged(role, it)).collect::<Vec<_>>();
        let policy = self.vault_at(vault).and_then(|it| it.2.access_policy.as_deref());
        let principal = Principal { account: copier.to_owned(), arns: vec![role.to_owned()] };
        let is_denied = policy.map(Policy::parse).is_some_and(|it| {
            let says = |policy: &Policy| {
                needs.iter().any(|it| policy.trusts(&principal, it, copier) == Verdict::Denied)
            };
            // A policy that the simulator does not understand denies the copy.
            it.as_ref().map_or(true, says)
        });
        !is_denied && !judged.contains(&Verdict::Denied) && judged.contains(&Verdict::Allowed)
    }

    fn permits(&self, role: &str, need: &RoleNeed) -> bool {
        let mut asked = self.need_of(role, need.action, &need.resource);
        let known = need.keys.iter().map(|(key, it)| ((*key).to_owned(), vec![it.clone()]));
        asked.keys.extend(known);
        if let Some(id) = need.resource.split_once(":key/").map(|it| it.1) {
            asked.keys.insert("kms:resourcealiases".to_owned(), self.kms.aliases(id).to_vec());
        }
        self.judged(role, &asked) == Verdict::Allowed
    }

    fn path_of_role(&self, account: &str, name: &str) -> &str {
        self.iam.role(account, name).map_or("/", Role::path_of)
    }

    fn is_versioned(&self, bucket: &str) -> bool {
        !self.unversioned.contains(bucket)
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
        let Some(arn) = vault.key_arn_in(account, region) else {
            let is_own = vault.key_type == Some(KeyType::CustomerManaged);
            return if is_own { EngineKey::Customer } else { EngineKey::Default };
        };
        self.key(&arn)
    }

    /// Returns the need of a role that does an action itself.
    fn need_of(&self, role: &str, action: &str, resource: &str) -> Need {
        let mut need = need(action, resource);
        let account = Arn::parse(role).map_or("", |it| it.account);
        let mut know = |key: &str, value: String| need.keys.insert(key.to_owned(), vec![value]);
        know("aws:principalaccount", account.to_owned());
        know("aws:principalarn", role.to_owned());
        if self.organization.account(account).is_ok() {
            know("aws:principalorgid", self.organization.id.clone());
        }
        need
    }

    /// Returns the verdict of the policies of a role.
    fn judged(&self, role: &str, need: &Need) -> Verdict {
        let Some((account, name)) = sts::parse(role) else { return Verdict::Silent };
        self.iam.role(account, name).map_or(Verdict::Silent, |it| it.judge(need, account))
    }
}

fn need(action: &str, resource: &str) -> Need {
    Need { action: action.to_owned(), resource: resource.to_owned(), keys: Keys::new() }
}
