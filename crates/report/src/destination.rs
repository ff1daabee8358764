//! The vaults that receive copies.

use std::collections::BTreeSet;
use std::fmt;

use plan::id::{AccountId, Region, VaultName};
use plan::member_accounts::{LOOKS_AT_VAULTS, narrowed};
use policy::arn::{Arn, vault_arn};

/// A vault that receives copies.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Destination {
    /// The account that it is in.
    pub account: AccountId,
    /// The Region that it is in.
    pub region: Region,
    /// Its name.
    pub name: VaultName,
}

impl Destination {
    /// Returns the vault that a copy action of a plan in `account` names by its ARN, or `None` if
    /// the ARN is not that of a vault.
    pub fn parse(arn: &str, account: &AccountId) -> Option<Self> {
        let arn = arn.replace("$account", account.as_str());
        let arn = Arn::parse(&arn).ok()?;
        let name = arn.vault()?;
        Some(Self {
            account: arn.account.parse().ok()?,
            region: arn.region.parse().ok()?,
            name: name.parse().ok()?,
        })
    }

    /// Returns its ARN in a partition.
    pub fn arn(&self, partition: &str) -> String {
        vault_arn(partition, self.region.as_str(), self.account.as_str(), self.name.as_str())
    }

    /// Returns the session policy that limits a session in `account` to looking at these vaults,
    /// which are in that account.
    pub fn session_policy(all: &BTreeSet<Self>, partition: &str, account: &AccountId) -> String {
        let regions = all.iter().map(|it| it.region.clone()).collect();
        narrowed(&LOOKS_AT_VAULTS, &regions, [], partition, account)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.account, self.region)
    }
}
