//! The vaults that copies go to.

use std::collections::BTreeSet;
use std::fmt;

use plan::id::{AccountId, Region, VaultName};
use plan::member_accounts::{LOOKS_AT_VAULTS, narrowed};
use policy::arn::Arn;

/// A vault that copies go to.
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
    /// The vault that a copy action of a plan in `account` names by its ARN, if it is one.
    pub fn parse(arn: &str, account: &AccountId) -> Option<Self> {
        let arn = arn.replace("$account", account.as_str());
        let arn = Arn::parse(&arn).ok()?;
        let name = arn.resource.strip_prefix("backup-vault:")?;
        Some(Self {
            account: arn.account.parse().ok()?,
            region: arn.region.parse().ok()?,
            name: name.parse().ok()?,
        })
    }

    /// Its ARN in a partition.
    pub fn arn(&self, partition: &str) -> String {
        vault_arn(partition, &self.region, &self.account, self.name.as_str())
    }

    /// The policy that narrows a session in `account` down to looking at these, which are there.
    pub fn session_policy(all: &BTreeSet<Self>, partition: &str, account: &AccountId) -> String {
        let regions = all.iter().map(|it| it.region.clone()).collect();
        narrowed(&LOOKS_AT_VAULTS, &regions, [], partition, account)
    }
}

/// The ARN of a vault.
pub(crate) fn vault_arn(
    partition: &str,
    region: &Region,
    account: &AccountId,
    name: &str,
) -> String {
    format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.account, self.region)
    }
}
