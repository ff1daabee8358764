//! The keys of AWS KMS: their managers and their states.

use std::collections::{BTreeMap, BTreeSet};

use policy::arn::Arn;

use crate::refusal::{Code, Refusal};

/// The manager of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyManager {
    /// AWS.
    Aws,
    /// The customer.
    Customer,
}

impl KeyManager {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Customer => "CUSTOMER",
        }
    }
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) manager: KeyManager,
    pub(crate) state: String,
}

/// The keys of every account and Region.
#[derive(Clone, Debug, Default)]
pub struct Kms {
    /// By account, Region and ID.
    keys: BTreeMap<(String, String, String), KeyManager>,
    everywhere: BTreeMap<String, KeyManager>,
    /// By the ID of the key, in every account and Region.
    aliases: BTreeMap<String, Vec<String>>,
    /// The states of keys that are not enabled, by the ID of the key, in every account and Region.
    states: BTreeMap<String, String>,
    /// The accounts that a key is kept from, by its ARN.
    kept: BTreeSet<(String, String)>,
}

impl Kms {
    /// Creates a key with this ID, which is not an alias.
    pub fn create(&mut self, account: &str, region: &str, id: &str, manager: KeyManager) {
        self.keys.insert((account.to_owned(), region.to_owned(), id.to_owned()), manager);
    }

    /// Creates a key with this ID in every account and Region, now and in future.
    pub fn create_everywhere(&mut self, id: &str, manager: KeyManager) {
        self.everywhere.insert(id.to_owned(), manager);
    }

    /// Gives the key with this ID an alias, for example `alias/backups`, in every account and
    /// Region. The alias does not find the key. It exists for permissions that refer to it.
    pub fn alias(&mut self, id: &str, alias: &str) {
        self.aliases.entry(id.to_owned()).or_default().push(alias.to_owned());
    }

    /// Sets the state of the key with this ID, for example `PendingDeletion`, in every account and
    /// Region.
    pub fn set_state(&mut self, id: &str, state: &str) {
        self.states.insert(id.to_owned(), state.to_owned());
    }

    /// Keeps an account from having AWS Backup use the key with this ARN. Without that, every account
    /// may: key policies are not read.
    pub fn keep_from(&mut self, arn: &str, account: &str) {
        self.kept.insert((arn.to_owned(), account.to_owned()));
    }

    pub(crate) fn is_kept_from(&self, arn: &str, account: &str) -> bool {
        self.kept.contains(&(arn.to_owned(), account.to_owned()))
    }

    pub(crate) fn aliases(&self, id: &str) -> &[String] {
        self.aliases.get(id).map_or(&[], Vec::as_slice)
    }

    /// Returns the key with the ID or ARN `name`, as `account` sees it in `region`.
    pub(crate) fn get(&self, account: &str, region: &str, name: &str) -> Result<Key, Refusal> {
        let missing =
            |what: &str| Refusal::new(Code::KeyNotFound, format!("Key '{what}' does not exist"));
        let (owner, id) = match place(name) {
            Some((place, owner, id)) if place == region => (owner, id),
            Some(_) => return Err(missing(name)),
            None if name.starts_with("arn:") => {
                return Err(Refusal::new(Code::InvalidKeyArn, format!("Invalid arn {name}")));
            }
            None => (account, name),
        };
        let key = (owner.to_owned(), region.to_owned(), id.to_owned());
        let manager = self.keys.get(&key).or_else(|| self.everywhere.get(id));
        let (account, region, id) = key;
        let manager = *manager.ok_or_else(|| missing(name))?;
        let state = self.states.get(&id).map_or("Enabled", String::as_str).to_owned();
        Ok(Key { account, region, id, manager, state })
    }
}

/// Returns the Region, the account and the ID in the ARN of a key.
fn place(arn: &str) -> Option<(&str, &str, &str)> {
    let Arn { service, region, account, resource, .. } = Arn::parse(arn).ok()?;
    let id = resource.strip_prefix("key/")?;
    (service == "kms").then_some((region, account, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f7a5e3c-1d2b-4c8a-9e6f-3b5d7a9c1e2f";

    #[test]
    fn a_key_is_found_by_its_id_and_its_arn_in_its_region() {
        let mut kms = Kms::default();
        kms.create("444455556666", "eu-west-1", ID, KeyManager::Customer);
        let arn = format!("arn:aws:kms:eu-west-1:444455556666:key/{ID}");
        let by_arn = kms.get("111122223333", "eu-west-1", &arn).unwrap();
        assert_eq!(by_arn, kms.get("444455556666", "eu-west-1", ID).unwrap());
        for (account, region, name) in [
            ("111122223333", "eu-west-1", ID),
            ("444455556666", "us-east-1", ID),
            ("444455556666", "us-east-1", arn.as_str()),
        ] {
            assert_eq!(kms.get(account, region, name).unwrap_err().code, Code::KeyNotFound);
        }
        let wrong = kms.get("444455556666", "eu-west-1", "arn:aws:kms:x").unwrap_err();
        assert_eq!(wrong.code, Code::InvalidKeyArn);
    }

    #[test]
    fn a_key_can_be_in_every_account_and_region() {
        let mut kms = Kms::default();
        kms.create_everywhere(ID, KeyManager::Aws);
        let key = kms.get("444455556666", "ap-south-1", ID).unwrap();
        assert_eq!((key.region.as_str(), key.manager), ("ap-south-1", KeyManager::Aws));
    }
}
