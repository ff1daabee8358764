//! What AWS Backup is to do in every account and Region, and what a backup needs there.
//!
//! One run looks at many accounts. Each account and Region is a comparison of its own: [`plan`]
//! compares it, and what is missing there is a [`Problem`], which never stops the others.

mod asks;
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
pub use properties::{Concurrency, InvalidProperties, Properties};
pub use report::{
    Account, Changed, Ending, Failure, Line, MemberOutcome, OnNotReady, Refusal, Tally,
};
pub use role::{Role, RolePolicies, check_indexing, check_permissions, check_role, check_trust};
pub use scope::{Choice, Listed, Scope};
pub use session_policy::{LOOKS_AT_VAULTS, narrowed, session_policy};
pub use vault::{
    CopySource, KeyState, Vault, VaultKey, admits_copies, check_access, check_key, check_vault,
    check_vault_key,
};

/// The principal of AWS Backup, which is the same in every partition.
pub const BACKUP: &str = "backup.amazonaws.com";

/// The role that AWS Backup has of its own in an account. With it, AWS Backup pulls the copies that
/// come from other accounts, and deletes what has expired.
pub const SERVICE_ROLE: &str = "AWSServiceRoleForBackup";

/// What to do about a Region that an account has not enabled.
pub const ENABLE_REGION: &str = "enable the Region in the account, or leave it out of `Regions`";

/// Resource types and whether they are on.
pub type Preferences = BTreeMap<ResourceType, bool>;

/// Which resource types are to be backed up at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OptIn {
    /// Every type that the Region supports, also those that AWS adds later.
    All,
    /// These types; others are left alone.
    These(Preferences),
}

impl Default for OptIn {
    fn default() -> Self {
        Self::These(Preferences::new())
    }
}

/// What a template asks for in every account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Desired {
    /// Where.
    pub regions: BTreeSet<Region>,
    /// Which resource types are backed up at all.
    pub opt_in: OptIn,
    /// Which resource types AWS Backup manages fully; others are left alone.
    pub management: Preferences,
    /// The vault that every Region must have.
    pub vault: Option<VaultName>,
    /// The role that AWS Backup uses, which every account must have.
    pub role: Option<RoleName>,
}

impl Desired {
    /// What is wanted in the account that copies go to, which has a vault and roles of its own.
    #[must_use]
    pub fn in_central_account(&self) -> Self {
        Self { vault: None, role: None, ..self.clone() }
    }

    /// Whether the settings of a Region have to be read.
    pub fn has_settings(&self) -> bool {
        self.opt_in != OptIn::default() || !self.management.is_empty()
    }

    /// Whether it has to be known which types a Region supports, whose settings are `settings`.
    ///
    /// A type in the settings is known to the Region, so it is not asked about.
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
    /// Which resource types are backed up at all.
    pub opt_in: Preferences,
    /// Which resource types AWS Backup manages fully.
    pub management: Preferences,
}

/// What an account has in a Region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Observed {
    /// Its settings.
    pub settings: Settings,
    /// The types that the Region supports, where [`Desired::asks_for_support`].
    pub supported: BTreeSet<ResourceType>,
    /// What there is of the vault, where one is named and could be looked at.
    pub vault: Option<Vault>,
    /// The ARN of the role that AWS Backup uses, where one is named and found.
    pub role: Option<String>,
}

/// What is to be done in a Region, and what cannot be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// What to change.
    pub change: Change,
    /// The types that the Region does not know, so that there is nothing to set.
    pub unknown: BTreeSet<ResourceType>,
    /// What keeps backups from working.
    pub problems: Vec<Problem>,
}

/// The settings that differ, and no others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// Which resource types are to be backed up from now on, or no longer.
    pub opt_in: Preferences,
    /// Which resource types AWS Backup is to manage fully from now on, or no longer.
    pub management: Preferences,
}

impl Change {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.opt_in.is_empty() && self.management.is_empty()
    }

    /// This change without the types that are not in `settings`: AWS names them as supported and
    /// may refuse them as settings all the same, and with them everything in one call.
    ///
    /// The second part is what was left out.
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

/// What keeps backups from working in an account or in one of its Regions, or may do so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// There is no such vault, or none that its access policy lets the caller see: AWS gives both
    /// the same answer.
    NoVault(VaultName),
    /// The vault is encrypted by a key of AWS, which other accounts cannot use.
    AwsKey(VaultName),
    /// There is no such role.
    NoRole(RoleName),
    /// AWS Backup has no role of its own.
    NoServiceRole,
    /// A key, of something that is named, does not encrypt.
    Key {
        /// What it is the key of.
        of: String,
        /// Why it does not encrypt.
        how: &'static str,
    },
    /// The access policy of a vault denies the role with this name what it needs there.
    Denying {
        /// The vault.
        vault: VaultName,
        /// The role.
        role: String,
    },
    /// AWS Backup may not assume the role.
    Untrusting(RoleName),
    /// AWS Backup could assume the role if it met this, which it never does.
    NeverTrusting(RoleName, String),
    /// The role has no policy with which it could back anything up.
    Powerless(RoleName),
    /// The role has no policy with which it could index backups.
    NotIndexing(RoleName),
    /// AWS names these types as supported in the Region and refuses them as settings.
    Refused(BTreeSet<ResourceType>),
    /// This may or may not be as backups need it: it has a shape that this program does not know.
    Unjudged(String),
    /// This may or may not be as backups need it: it could not be read.
    Unread(String),
}

impl Problem {
    /// Whether backups are known to fail; otherwise nobody has looked.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Unjudged(_) | Self::Unread(_))
    }

    /// What to do next.
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
                "aws kms cancel-key-deletion, and aws kms enable-key; what a key encrypts that is \
                 gone cannot be read again"
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
            Self::Refused(_) => "leave these types out of `OptIn` until AWS takes them",
            Self::Unjudged(_) => {
                "see that it lets AWS Backup make backups; `docs/report.md` says which shapes are \
                 judged"
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
                write!(f, "the role `{name}` has no permission to back anything up")
            }
            Self::NotIndexing(name) => {
                write!(f, "the role `{name}` has no policy with which it could index backups")
            }
            Self::Refused(types) => {
                let types = types.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>();
                write!(f, "AWS supports {} and refuses to opt in", types.join(", "))
            }
            Self::Unjudged(what) | Self::Unread(what) => write!(f, "not looked at: {what}"),
        }
    }
}

/// Compares one Region of one account with what is `desired` there.
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
            // What is supported says nothing about what can be managed fully.
            None => {
                plan.unknown.insert(resource_type.clone());
            }
            Some(_) => {
                plan.change.management.insert(resource_type.clone(), *on);
            }
        }
    }
    // What could not be looked at is told by whoever tried.
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
