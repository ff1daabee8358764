//! The settings of AWS Backup in every account and Region, and the requirements of backups there.
//!
//! One run covers many accounts. Each account and Region is compared independently with [`plan`].
//! Something that is missing there is a [`Problem`], which never stops the others.

mod asks;
mod guard;
mod properties;
mod report;
mod role;
pub mod run;
mod scope;
mod session_policy;
mod statement;
mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::id::{Region, ResourceType, RoleName, VaultName};

pub use asks::{InvalidAsk, Objective, ResourceScope, TagFilter};
pub use guard::Guard;
pub use properties::{Concurrency, InvalidProperties, Properties};
pub use report::{
    Account, Changed, Ending, Failure, Line, MemberOutcome, OnNotReady, Refusal, Tally,
};
pub use role::{Role, RolePolicies, check_indexing, check_permissions, check_role, check_trust};
pub use scope::{Choice, Listed, Scope, ids_in};
pub use session_policy::{LOOKS_AT_VAULTS, handing, narrowed, session_policy};
pub use vault::{
    CopySource, Deletion, KeyState, Vault, VaultKey, admits_copies, check_access, check_key,
    check_vault, check_vault_key,
};

/// The service principal of AWS Backup, which is the same in every partition.
pub const BACKUP: &str = "backup.amazonaws.com";

/// The service-linked role of AWS Backup in an account. With it, AWS Backup pulls the copies that
/// come from other accounts, and deletes expired recovery points.
pub const SERVICE_ROLE: &str = "AWSServiceRoleForBackup";

/// The hint for a Region that an account has not enabled.
pub const ENABLE_REGION: &str = "enable the Region in the account, or leave it out of `Regions`";

/// The hint for an account that the operator cannot enter. It proposes the roles that most
/// organizations have, and the command does not assume one that nobody named.
pub const NAME_A_ROLE: &str = "name a role that you may assume there with `--member-role`, such as \
                               `OrganizationAccountAccessRole`, which most organizations have, or \
                               `AWSControlTowerExecution`";

/// Resource types, each with `true` if it is on.
pub type Preferences = BTreeMap<ResourceType, bool>;

/// The resource types that may be backed up at all (their opt-ins).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OptIn {
    /// All types that the Region supports, including those that AWS adds later.
    All,
    /// These types are turned on or off. Other types are left alone.
    These(Preferences),
}

impl Default for OptIn {
    fn default() -> Self {
        Self::These(Preferences::new())
    }
}

/// The state that a template asks for in every account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Desired {
    /// The Regions.
    pub regions: BTreeSet<Region>,
    /// The resource types that may be backed up at all (their opt-ins).
    pub opt_in: OptIn,
    /// The resource types that AWS Backup manages fully. Other types are left alone.
    pub management: Preferences,
    /// The vault that every Region must have.
    pub vault: Option<VaultName>,
    /// The role that AWS Backup uses, which every account must have.
    pub role: Option<RoleName>,
}

impl Desired {
    /// Returns the desired state of the account that receives copies, which has its own vault and
    /// roles.
    #[must_use]
    pub fn in_central_account(&self) -> Self {
        Self { vault: None, role: None, ..self.clone() }
    }

    /// Returns `true` if the settings of a Region have to be read.
    pub fn has_settings(&self) -> bool {
        self.opt_in != OptIn::default() || !self.management.is_empty()
    }

    /// Returns `true` if the supported types of a Region with these `settings` have to be read.
    ///
    /// A Region supports every type in its settings, so those types need no request.
    pub fn asks_for_support(&self, settings: &Settings) -> bool {
        match &self.opt_in {
            OptIn::All => true,
            OptIn::These(types) => types.keys().any(|it| !settings.opt_in.contains_key(it)),
        }
    }
}

/// The settings of an account in a Region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// The resource types that may be backed up at all (their opt-ins).
    pub opt_in: Preferences,
    /// The resource types that AWS Backup manages fully.
    pub management: Preferences,
}

/// The state of an account in a Region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Observed {
    /// The settings.
    pub settings: Settings,
    /// The types that the Region supports, if [`Desired::asks_for_support`] returns `true`.
    pub supported: BTreeSet<ResourceType>,
    /// The vault, if one is named and could be read.
    pub vault: Option<Vault>,
    /// The ARN of the role that AWS Backup uses, if one is named and was found.
    pub role: Option<String>,
}

/// The changes to make in a Region, and the problems there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// The change to make.
    pub change: Change,
    /// The types that the Region does not know. There is nothing to set for them.
    pub unknown: BTreeSet<ResourceType>,
    /// The problems that prevent backups.
    pub problems: Vec<Problem>,
}

/// The settings that differ, and no others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// The resource types to turn on or off for backups.
    pub opt_in: Preferences,
    /// The resource types to turn on or off for full management by AWS Backup.
    pub management: Preferences,
}

impl Change {
    /// Returns `true` if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.opt_in.is_empty() && self.management.is_empty()
    }

    /// Returns this change without the types that are not in `settings`, and the types that were
    /// left out.
    ///
    /// AWS lists those types as supported, but may refuse them as settings, and with them the whole
    /// call.
    #[must_use]
    pub fn without_news(self, settings: &Settings) -> (Self, Preferences) {
        let is_listed = |it: &ResourceType| settings.opt_in.contains_key(it);
        let (listed, news) = self.opt_in.into_iter().partition(|(it, _)| is_listed(it));
        (Self { opt_in: listed, ..self }, news)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("set ")?;
        let mut words = self.opt_in.iter().map(|(it, on)| format!("{it}={on}")).collect::<Vec<_>>();
        words.extend(self.management.iter().map(|(it, on)| format!("{it} (management)={on}")));
        f.write_str(&words.join(", "))
    }
}

/// A problem that prevents backups in an account or in one of its Regions, or may do so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The vault does not exist, or its access policy hides it from the caller: AWS returns the
    /// same error for both.
    NoVault(VaultName),
    /// The vault is encrypted with an AWS managed key, which other accounts cannot use.
    AwsKey(VaultName),
    /// The role does not exist.
    NoRole(RoleName),
    /// The service-linked role of AWS Backup does not exist.
    NoServiceRole,
    /// A named key does not encrypt.
    Key {
        /// The name of what the key encrypts.
        of: String,
        /// The reason why it does not encrypt.
        how: &'static str,
    },
    /// The access policy of a vault denies an action that the role with this name needs.
    Denying {
        /// The vault.
        vault: VaultName,
        /// The role.
        role: String,
    },
    /// AWS Backup may not assume the role.
    Untrusting(RoleName),
    /// AWS Backup could assume the role only under this condition, which is never met.
    NeverTrusting(RoleName, String),
    /// The role has no policy that allows backups.
    Powerless(RoleName),
    /// The role has no policy that allows indexing backups.
    NotIndexing(RoleName),
    /// AWS lists these types as supported in the Region, but refuses them as settings.
    Refused(BTreeSet<ResourceType>),
    /// The requirement may or may not be met, because it has a format that this program does not
    /// know.
    Unjudged(String),
    /// The requirement may or may not be met, because it could not be read.
    Unread(String),
}

impl Problem {
    /// Returns `true` if backups are known to fail, and `false` if this could not be determined.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Unjudged(_) | Self::Unread(_))
    }

    /// Returns the hint on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoVault(_) => {
                "roll out the vault to this Region, or correct `VaultName`; if the vault is there, \
                 let its access policy allow backup:DescribeBackupVault"
            }
            Self::AwsKey(_) => {
                "make a vault with a key of your own: the key of a vault cannot be changed, and \
                 backups under a key of AWS cannot be copied to another account"
            }
            Self::NoRole(_) => "roll out the role to this account, or correct `BackupRoleName`",
            Self::NoServiceRole => {
                "let `templates/members.yaml` make it, or: aws iam create-service-linked-role \
                 --aws-service-name backup.amazonaws.com"
            }
            Self::Key { .. } => {
                "aws kms cancel-key-deletion, and aws kms enable-key; data under a deleted key \
                 cannot be read again"
            }
            Self::Denying { .. } => "take the role out of what the access policy denies",
            Self::Untrusting(_) | Self::NeverTrusting(..) => {
                "let the role's trust policy allow sts:AssumeRole to backup.amazonaws.com"
            }
            Self::Powerless(_) => {
                "attach AWSBackupServiceRolePolicyForBackup to the role, or deploy \
                 `templates/member-account.yaml`, whose role has it"
            }
            Self::NotIndexing(_) => {
                "attach AWSBackupServiceRolePolicyForIndexing to the role, or take `index_actions` \
                 out of the plan"
            }
            Self::Refused(_) => "leave these types out of `OptIn` until AWS accepts them",
            Self::Unjudged(_) => {
                "check that it lets AWS Backup make backups; `docs/report.md` lists the forms of \
                 policies that are judged"
            }
            Self::Unread(_) => {
                "update the roll-out of `templates/member-account.yaml`, whose role may read this, \
                 or name a role that may with `--member-role`"
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVault(name) => {
                write!(f, "the vault `{name}` is missing, or its access policy hides it")
            }
            Self::AwsKey(name) => write!(f, "the vault `{name}` is encrypted by a key of AWS"),
            Self::NoRole(name) => write!(f, "there is no role `{name}`"),
            Self::NoServiceRole => write!(f, "AWS Backup has no role `{SERVICE_ROLE}`"),
            Self::Key { of, how } => write!(f, "the key {of} {how}"),
            Self::Denying { vault, role } => {
                write!(
                    f,
                    "the access policy of the vault `{vault}` denies backups to the role `{role}`"
                )
            }
            Self::Untrusting(name) => write!(f, "the role `{name}` does not trust AWS Backup"),
            Self::NeverTrusting(name, condition) => write!(
                f,
                "the role `{name}` does not trust AWS Backup, since nothing meets {condition}"
            ),
            Self::Powerless(name) => {
                write!(f, "the role `{name}` has no permission to make backups")
            }
            Self::NotIndexing(name) => {
                write!(f, "the role `{name}` has no permission to index backups")
            }
            Self::Refused(types) => {
                let types = types.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>();
                write!(f, "AWS supports {} and refuses to opt in", types.join(", "))
            }
            Self::Unjudged(what) | Self::Unread(what) => write!(f, "not looked at: {what}"),
        }
    }
}

/// Compares one Region of one account with its `desired` state.
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let Observed { settings, supported, vault, role } = observed;
    let mut plan = Plan::default();
    let all: Preferences;
    let wanted = match &desired.opt_in {
        OptIn::All => {
            all = supported.iter().map(|it| (it.clone(), true)).collect();
            &all
        }
        OptIn::These(types) => types,
    };
    for (resource_type, on) in wanted {
        match settings.opt_in.get(resource_type) {
            Some(is) if is == on => {}
            None if !supported.contains(resource_type) => {
                plan.unknown.insert(resource_type.clone());
            }
            _ => {
                plan.change.opt_in.insert(resource_type.clone(), *on);
            }
        }
    }
    for (resource_type, on) in &desired.management {
        match settings.management.get(resource_type) {
            Some(is) if is == on => {}
            // The supported types do not tell which types can be managed fully.
            None => {
                plan.unknown.insert(resource_type.clone());
            }
            Some(_) => {
                plan.change.management.insert(resource_type.clone(), *on);
            }
        }
    }
    // A failure to read the vault is reported by the code that tried to read it.
    if let (Some(name), Some(vault)) = (&desired.vault, vault) {
        if matches!(vault, Vault::Here { key: VaultKey::Aws, .. }) {
            plan.problems.push(Problem::AwsKey(name.clone()));
        }
        plan.problems.extend(check_vault(name, vault, role.as_deref()));
    }
    plan
}

#[cfg(test)]
mod tests;
