//! Where the templates ask for backups.

use std::collections::{BTreeMap, BTreeSet};

use plan::id::{AccountId, Region, ResourceType, RoleName, Target, VaultName};
use plan::member_accounts::{Choice, Desired, Listed, OptIn, Scope};
use serde::Deserialize;
use serde_json::Value;

/// What one `Custom::MemberAccounts` asks for, or what somebody says on the command line.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is wanted in every account and Region.
    pub desired: Desired,
    /// The role that is assumed in member accounts, if it is known.
    pub member_role: Option<RoleName>,
    /// The accounts; every one where nothing is said.
    scope: Option<(Vec<Target>, BTreeSet<AccountId>)>,
}

/// The properties as the function keeps them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    role_name: RoleName,
    regions: BTreeSet<Region>,
    #[serde(default)]
    target_ids: Vec<String>,
    #[serde(default)]
    exclude_accounts: BTreeSet<AccountId>,
    #[serde(default)]
    opt_in: KeptOptIn,
    #[serde(default)]
    management: BTreeMap<ResourceType, bool>,
    vault_name: Option<VaultName>,
    backup_role_name: Option<RoleName>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum KeptOptIn {
    These(BTreeMap<ResourceType, bool>),
    All(AllTypes),
}

#[derive(Deserialize)]
enum AllTypes {
    All,
}

impl Default for KeptOptIn {
    fn default() -> Self {
        Self::These(BTreeMap::new())
    }
}

impl Wanted {
    /// What is asked for in these Regions of every account, where nothing else is known.
    pub fn in_regions(regions: BTreeSet<Region>) -> Self {
        let desired = Desired { regions, ..Desired::default() };
        Self { desired, member_role: None, scope: None }
    }

    /// Reads the properties of a `Custom::MemberAccounts` as its function keeps them; `None` when
    /// they are not what this program knows.
    pub fn read(properties: &Value) -> Option<Self> {
        let kept = Kept::deserialize(properties).ok()?;
        let targets =
            kept.target_ids.iter().map(|it| it.parse().ok()).collect::<Option<Vec<_>>>()?;
        let desired = Desired {
            regions: kept.regions,
            opt_in: match kept.opt_in {
                KeptOptIn::All(AllTypes::All) => OptIn::All,
                KeptOptIn::These(types) => OptIn::These(types),
            },
            management: kept.management,
            vault: kept.vault_name,
            role: kept.backup_role_name,
        };
        let scope = (!targets.is_empty()).then_some((targets, kept.exclude_accounts));
        Some(Self { desired, member_role: Some(kept.role_name), scope })
    }

    /// What is asked for in this account; `None` when nothing is.
    pub(super) fn of(&self, management: &AccountId, listed: &Listed) -> Option<&Desired> {
        let Some((targets, excluded)) = &self.scope else { return Some(&self.desired) };
        let (targets, excluded) = (targets.iter().cloned(), excluded.iter().cloned());
        let choice = Scope::new(management.clone(), targets, excluded).choose(listed);
        matches!(choice, Choice::Included | Choice::Inactive).then_some(&self.desired)
    }
}
