//! The AWS Backup vaults in every account and Region.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::refusal::{Code, Refusal};

/// The owner of the key that encrypts a vault, as newer Regions report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// An AWS owned key.
    AwsOwned,
    /// A customer managed key.
    CustomerManaged,
}

impl KeyType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AwsOwned => "AWS_OWNED_KMS_KEY",
            Self::CustomerManaged => "CUSTOMER_MANAGED_KMS_KEY",
        }
    }
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// Its name.
    pub name: String,
    /// The ARN of the key that encrypts it, in which `$account` and `$region` stand for the place
    /// of the vault.
    pub key_arn: Option<String>,
    /// The owner of that key, if the Region reports it.
    pub key_type: Option<KeyType>,
    /// True if it is locked.
    pub locked: bool,
    /// The minimum retention of backups in days.
    pub min_retention_days: Option<u32>,
    /// The maximum retention of backups in days.
    pub max_retention_days: Option<u32>,
    /// Its access policy, in which `$account` stands for the account of the vault.
    pub access_policy: Option<String>,
    /// True if it is logically air-gapped.
    pub air_gapped: bool,
}

impl Vault {
    /// Creates a vault that is not locked and does not report its key.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key_arn: None,
            key_type: None,
            locked: false,
            min_retention_days: None,
            max_retention_days: None,
            access_policy: None,
            air_gapped: false,
        }
    }

    /// Returns this vault encrypted with this key, in whose ARN `$account` and `$region` stand for
    /// the place of the vault.
    #[must_use]
    pub fn key(self, arn: &str) -> Self {
        Self { key_arn: Some(arn.to_owned()), ..self }
    }

    /// Returns this vault in a Region that reports the owner of its key.
    #[must_use]
    pub fn key_type(self, key_type: KeyType) -> Self {
        Self { key_type: Some(key_type), ..self }
    }

    /// Returns this vault with an access policy, in which `$account` stands for the account of the
    /// vault. It decides which copies the vault accepts. It does not deny any call.
    #[must_use]
    pub fn access_policy(self, policy: &Value) -> Self {
        Self { access_policy: Some(policy.to_string()), ..self }
    }

    /// Returns the ARN of its key, where the vault is in this account and Region.
    pub(crate) fn key_arn_in(&self, account: &str, region: &str) -> Option<String> {
        let arn = self.key_arn.as_ref()?;
        Some(arn.replace("$account", account).replace("$region", region))
    }

    /// Returns this vault as a logically air-gapped vault, which is always locked.
    #[must_use]
    pub fn air_gapped(self, min: u32, max: u32) -> Self {
        Self { air_gapped: true, ..self.locked(Some(min), Some(max)) }
    }

    /// Returns this vault with a lock that sets the minimum and maximum retention in days.
    #[must_use]
    pub fn locked(self, min: Option<u32>, max: Option<u32>) -> Self {
        Self { locked: true, min_retention_days: min, max_retention_days: max, ..self }
    }
}

/// The account and the Region of a vault, and its name.
type Address = (String, String, String);

/// The vaults of every account and Region.
#[derive(Clone, Debug, Default)]
pub struct Vaults {
    placed: BTreeMap<Address, Vault>,
    everywhere: BTreeMap<String, Vault>,
    deleted: BTreeSet<Address>,
    /// The accounts that have none, even if every account has one.
    lost: BTreeSet<String>,
    /// The vaults that were deleted since the last request.
    gone: Vec<Address>,
}

impl Vaults {
    /// Creates a vault, or replaces the one with the same name.
    pub fn create(&mut self, account: &str, region: &str, vault: Vault) {
        let key = key(account, region, &vault.name);
        self.deleted.remove(&key);
        self.placed.insert(key, vault);
    }

    /// Creates a vault in every account and Region, now and in future, for any number of them.
    pub fn create_everywhere(&mut self, vault: Vault) {
        self.everywhere.insert(vault.name.clone(), vault);
    }

    /// Deletes a vault, if it exists.
    pub fn delete(&mut self, account: &str, region: &str, name: &str) {
        let key = key(account, region, name);
        self.placed.remove(&key);
        self.gone.push(key.clone());
        self.deleted.insert(key);
    }

    /// Deletes every vault of an account, wherever it is.
    pub(crate) fn lose(&mut self, account: &str) {
        self.placed.retain(|it, _| it.0 != account);
        self.lost.insert(account.to_owned());
    }

    /// Returns the vaults that were deleted since the last call, with all their contents.
    pub(crate) fn take_gone(&mut self) -> Vec<Address> {
        std::mem::take(&mut self.gone)
    }

    /// Returns the vaults of an account in a Region, by name.
    pub(crate) fn of(&self, account: &str, region: &str) -> BTreeMap<&str, &Vault> {
        let is_here = |it: &&Vault| self.is_there(&key(account, region, &it.name));
        let everywhere = self.everywhere.values().filter(is_here);
        let from = key(account, region, "");
        let placed = self.placed.range(from..);
        let placed = placed.take_while(|it| it.0.0 == account && it.0.1 == region).map(|it| it.1);
        everywhere.chain(placed).map(|it| (it.name.as_str(), it)).collect()
    }

    /// Returns whether a vault that is everywhere is there too.
    fn is_there(&self, address: &Address) -> bool {
        !self.deleted.contains(address) && !self.lost.contains(&address.0)
    }

    /// Returns the vault with this name. A missing vault gives a denial, as AWS has been seen to do
    /// even to callers with all permissions.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DescribeBackupVault`.
    pub fn get(&self, account: &str, region: &str, name: &str) -> Result<&Vault, Refusal> {
        let key = key(account, region, name);
        let everywhere = || self.everywhere.get(name).filter(|_| self.is_there(&key));
        self.placed.get(&key).or_else(everywhere).ok_or_else(|| {
            Refusal::new(Code::AccessDenied, "Insufficient privileges to perform this action.")
        })
    }
}

fn key(account: &str, region: &str, name: &str) -> Address {
    (account.to_owned(), region.to_owned(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_in_one_account_and_one_region() {
        let mut vaults = Vaults::default();
        vaults.create("1", "eu-west-1", Vault::new("daily"));
        assert!(vaults.get("1", "eu-west-1", "daily").is_ok());
        for (account, region, name) in
            [("2", "eu-west-1", "daily"), ("1", "us-east-1", "daily"), ("1", "eu-west-1", "other")]
        {
            let refusal = vaults.get(account, region, name).unwrap_err();
            assert_eq!(refusal.code, Code::AccessDenied);
        }
    }

    #[test]
    fn the_vaults_of_a_place_are_those_that_are_everywhere_and_its_own() {
        let mut vaults = Vaults::default();
        vaults.create_everywhere(Vault::new("daily"));
        vaults.create("1", "eu-west-1", Vault::new("daily").locked(Some(7), None));
        vaults.create("1", "eu-west-1", Vault::new("monthly"));
        vaults.create("1", "us-east-1", Vault::new("other"));
        let of = |vaults: &Vaults, account: &str| {
            vaults.of(account, "eu-west-1").keys().map(|it| (*it).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(&vaults, "1"), ["daily", "monthly"]);
        assert!(vaults.of("1", "eu-west-1")["daily"].locked);
        assert_eq!(of(&vaults, "2"), ["daily"]);
        vaults.delete("2", "eu-west-1", "daily");
        assert_eq!(of(&vaults, "2"), Vec::<String>::new());
        let gone = ["2", "eu-west-1", "daily"].map(str::to_owned);
        assert_eq!(vaults.take_gone(), [gone.into()]);
        assert_eq!(vaults.take_gone(), []);
    }

    #[test]
    fn a_vault_that_is_everywhere_can_be_missing_somewhere() {
        let mut vaults = Vaults::default();
        vaults.create_everywhere(Vault::new("daily"));
        vaults.delete("1", "eu-west-1", "daily");
        assert!(vaults.get("1", "eu-west-1", "daily").is_err());
        assert!(vaults.get("1", "us-east-1", "daily").is_ok());
    }
}
