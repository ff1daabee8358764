//! An account in a Region, with the condition of everything that plans need there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use plan::id::{AccountId, Region, ResourceType};
use policy::arn::{Arn, vault_arn};
use serde::{Deserialize, Serialize};

use super::kind::{Copied, Kind};
use super::plans::BackupPlan;
use super::selection::Selection;
use crate::{Found, Lock};

/// An account in a Region.
#[derive(Clone, Debug)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The partition, as in `aws-cn`.
    pub partition: String,
    /// The time since which the effective policy and the opt-ins, which decide here, are unchanged,
    /// if it is known. Earlier runs are not owed.
    pub since: Option<SystemTime>,
    /// The types that AWS Backup supports in the Region, if they are known.
    pub supported: Option<BTreeSet<ResourceType>>,
    /// The opt-ins of the management account in the Region, which decide for plans of policies. An
    /// error is the reason why they are unknown.
    pub opt_ins: Result<BTreeMap<ResourceType, bool>, String>,
    /// The findings about vaults, by ARN: the vaults of the account, and those that backups are
    /// copied to.
    pub vaults: BTreeMap<String, Found<Vault>>,
    /// The findings about roles, by ARN: `true` if the role trusts AWS Backup.
    pub roles: BTreeMap<String, Found<bool>>,
    /// The accounts of the organization. `None` if they are unknown.
    pub organization: Option<Arc<BTreeSet<AccountId>>>,
    /// True if the organization allows backups to be copied between accounts. `None` if that is
    /// unknown.
    pub is_cross_account: Option<bool>,
    /// The vaults whose recovery points could not be read, by ARN, with the reasons.
    pub unread: BTreeMap<String, String>,
    /// The reason why jobs could not be read, if they could not.
    pub jobs_unread: Option<String>,
    /// The plans that were made in the account itself.
    pub local: Vec<LocalPlan>,
}

/// A backup plan that does not come from a policy.
#[derive(Clone, Debug)]
pub struct LocalPlan {
    /// Its name.
    pub name: String,
    /// The selections of the resources that it backs up.
    pub selections: Vec<Selection>,
    /// The opt-ins that decide for it, which are those of the account itself.
    pub opt_ins: BTreeMap<ResourceType, bool>,
}

/// A vault that exists.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Vault {
    /// The key that encrypts it.
    pub key: Key,
    /// Its lock, if it is locked.
    pub lock: Option<Lock>,
    /// True if its access policy lets accounts of the organization copy into it. `None` if that is
    /// unknown.
    pub admits: Option<bool>,
    /// True if it is logically air-gapped.
    pub is_air_gapped: bool,
}

/// The key that encrypts a vault.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Key {
    /// A key of AWS.
    Aws,
    /// A key of the customer.
    Customer,
    /// A key that cannot be used, with its condition, as in `is disabled`.
    Unusable(String),
    /// A key that could not be judged.
    NotKnown,
}

/// The reason why a backup or a copy will fail, or may fail.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Obstacle {
    /// The vault does not exist.
    NoVault(String),
    /// The lock of the vault refuses the retention.
    Lock {
        /// The vault.
        vault: String,
        /// The retention that it refuses, and its limit.
        why: String,
    },
    /// The key of the vault cannot be used.
    KeyUnusable {
        /// The vault.
        vault: String,
        /// The condition of the key, as in `is disabled`.
        state: String,
    },
    /// The role does not exist.
    NoRole(String),
    /// The role does not trust AWS Backup.
    Untrusting(String),
    /// AWS Backup refuses the plan.
    PlanRefused(String),
    /// The account of the vault is not in the organization.
    NotInOrganization(String),
    /// The organization does not allow backups to be copied between accounts.
    CrossAccountOff,
    /// The access policy of the vault does not admit the organization.
    NotAdmitted(String),
    /// The vault has a key of AWS, but backups of this type can be copied to it only if it has a
    /// key of the customer.
    AwsKey(String),
    /// One copy cannot take backups of this type to another account and another Region at once.
    OneWay(String),
    /// Backups of this type are not copied.
    NotCopied,
    /// Something could not be looked at, which may be an obstacle.
    NotKnown(String),
}

impl Obstacle {
    /// Returns `true` if the obstacle is known to exist, and `false` if it could not be looked at.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::NotKnown(_))
    }

    /// Returns the word for programs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NoVault(_) => "no-vault",
            Self::Lock { .. } => "lock",
            Self::KeyUnusable { .. } => "key-unusable",
            Self::NoRole(_) => "no-role",
            Self::Untrusting(_) => "role-untrusting",
            Self::PlanRefused(_) => "plan-refused",
            Self::NotInOrganization(_) => "not-in-organization",
            Self::CrossAccountOff => "cross-account-off",
            Self::NotAdmitted(_) => "not-admitted",
            Self::AwsKey(_) => "aws-key",
            Self::OneWay(_) => "one-way",
            Self::NotCopied => "not-copied",
            Self::NotKnown(_) => "not-known",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVault(vault) => write!(f, "there is no vault `{vault}`"),
            Self::Lock { vault, why } => write!(f, "the lock of `{vault}` refuses it: {why}"),
            Self::KeyUnusable { vault, state } => {
                write!(f, "the key of `{vault}` cannot be used: it {state}")
            }
            Self::NoRole(role) => write!(f, "there is no role `{role}`"),
            Self::Untrusting(role) => write!(f, "the role `{role}` does not trust AWS Backup"),
            Self::PlanRefused(why) => write!(f, "AWS Backup refuses the plan: {why}"),
            Self::NotInOrganization(account) => {
                write!(f, "the account {account} is not in the organization")
            }
            Self::CrossAccountOff => {
                f.write_str("copies to other accounts are switched off in the organization")
            }
            Self::NotAdmitted(vault) => {
                write!(f, "the access policy of `{vault}` does not let the organization copy there")
            }
            Self::AwsKey(vault) => write!(
                f,
                "`{vault}` has a key of AWS, and this type is copied to other accounts only with \
                 one of yours"
            ),
            Self::OneWay(vault) => write!(
                f,
                "`{vault}` is in another account and in another Region, and one copy takes this \
                 type to one of both only"
            ),
            Self::NotCopied => f.write_str("AWS Backup does not copy backups of this type"),
            Self::NotKnown(what) => write!(f, "{what} could not be looked at"),
        }
    }
}

/// The types that an obstacle applies to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum For {
    /// Every type.
    Every,
    /// Types that AWS Backup manages fully.
    Managed,
    /// The other types.
    NotManaged,
    /// Types that one copy takes to another account or to another Region, but not to both.
    OneWay,
    /// Types that are not copied.
    NotCopied,
}

impl For {
    fn is(self, kind: &Kind) -> bool {
        match self {
            Self::Every => true,
            Self::Managed => kind.is_managed,
            Self::NotManaged => !kind.is_managed,
            Self::OneWay => kind.copied == Copied::OneWay,
            Self::NotCopied => kind.copied == Copied::Never,
        }
    }
}

/// The obstacles to a rule or a copy, for some types or for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Obstacles(Vec<(For, Obstacle)>);

impl Obstacles {
    /// Returns the obstacles for this type.
    pub(super) fn of<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Obstacle> {
        self.0.iter().filter(move |it| it.0.is(kind)).map(|it| &it.1)
    }

    fn add(&mut self, of: For, obstacle: Obstacle) {
        self.0.push((of, obstacle));
    }
}

impl Place {
    /// Returns a name from a policy with the account and the Region in place of `$account` and
    /// `$region`.
    pub(super) fn here(&self, name: &str) -> String {
        name.replace("$account", self.account.as_str()).replace("$region", self.region.as_str())
    }

    /// Returns the ARN of a vault of the account in this Region.
    pub(super) fn vault(&self, name: &str) -> String {
        vault_arn(&self.partition, self.region.as_str(), self.account.as_str(), name)
    }

    /// Returns the obstacles to backups in this vault that are kept for so many days.
    pub(super) fn backups(&self, vault: &str, keep: Option<i64>) -> Obstacles {
        let mut obstacles = Obstacles::default();
        if let Some(found) = self.found(vault, &mut obstacles) {
            key(vault, found, For::Managed, &mut obstacles);
            lock(vault, found, keep, &mut obstacles);
        }
        obstacles
    }

    /// Returns the obstacles to copies from here into this vault that are kept for so many days.
    pub(super) fn copies(&self, vault: &str, keep: Option<i64>) -> Obstacles {
        let mut obstacles = Obstacles::default();
        obstacles.add(For::NotCopied, Obstacle::NotCopied);
        let Ok(arn) = Arn::parse(vault) else {
            obstacles.add(For::Every, Obstacle::NoVault(vault.to_owned()));
            return obstacles;
        };
        let is_elsewhere = arn.account != self.account.as_str();
        if is_elsewhere {
            self.across(&arn, vault, &mut obstacles);
        }
        let Some(found) = self.found(vault, &mut obstacles) else { return obstacles };
        let name = || vault.to_owned();
        if is_elsewhere && !found.is_air_gapped && found.key == Key::Aws {
            obstacles.add(For::NotManaged, Obstacle::AwsKey(name()));
        }
        match found.admits.filter(|_| is_elsewhere) {
            Some(false) => obstacles.add(For::Every, Obstacle::NotAdmitted(name())),
            None if is_elsewhere => {
                let what = format!("the access policy of `{vault}`");
                obstacles.add(For::Every, Obstacle::NotKnown(what));
            }
            Some(true) | None => {}
        }
        key(vault, found, For::Every, &mut obstacles);
        lock(vault, found, keep, &mut obstacles);
        obstacles
    }

    /// Adds the obstacles to copies to another account that do not depend on the properties of the
    /// vault.
    fn across(&self, vault: &Arn<'_>, name: &str, obstacles: &mut Obstacles) {
        if vault.region != self.region.as_str() {
            obstacles.add(For::OneWay, Obstacle::OneWay(name.to_owned()));
        }
        match self.is_cross_account {
            Some(true) => {}
            Some(false) => obstacles.add(For::Every, Obstacle::CrossAccountOff),
            None => {
                let what = "whether backups may be copied to other accounts".to_owned();
                obstacles.add(For::Every, Obstacle::NotKnown(what));
            }
        }
        let account = vault.account.parse::<AccountId>().ok();
        let is_ours =
            |all: &Arc<BTreeSet<AccountId>>| account.as_ref().is_some_and(|it| all.contains(it));
        match self.organization.as_ref().map(is_ours) {
            Some(true) => {}
            Some(false) => {
                let obstacle = Obstacle::NotInOrganization(vault.account.to_owned());
                obstacles.add(For::Every, obstacle);
            }
            None => {
                let what = "the accounts of the organization".to_owned();
                obstacles.add(For::Every, Obstacle::NotKnown(what));
            }
        }
    }

    /// Returns the obstacle to everything that this role has to do, if there is one.
    pub(super) fn role(&self, role: &str) -> Option<Obstacle> {
        let role = self.here(role);
        match self.roles.get(&role) {
            Some(Found::Here(true)) => None,
            Some(Found::Here(false)) => Some(Obstacle::Untrusting(role)),
            Some(Found::Absent) => Some(Obstacle::NoRole(role)),
            Some(Found::Unknown) | None => Some(Obstacle::NotKnown(format!("the role `{role}`"))),
        }
    }

    /// Returns the vault if it is there, and otherwise adds the obstacle.
    fn found(&self, vault: &str, obstacles: &mut Obstacles) -> Option<&Vault> {
        let obstacle = match self.vaults.get(vault) {
            Some(Found::Here(vault)) => return Some(vault),
            Some(Found::Absent) => Obstacle::NoVault(vault.to_owned()),
            Some(Found::Unknown) | None => Obstacle::NotKnown(format!("the vault `{vault}`")),
        };
        obstacles.add(For::Every, obstacle);
        None
    }
}

/// Returns the reason why AWS Backup refuses a plan, if it does: all continuous backups of one plan
/// have to go into one vault, and what moves to cold storage has to stay there for long enough.
pub(super) fn refused(plan: &BackupPlan) -> Option<Obstacle> {
    if let Some(rule) = plan.rules.iter().find(|it| it.is_cold_too_short) {
        let name = &rule.name;
        return Some(Obstacle::PlanRefused(format!(
            "what the rule `{name}` moves to cold storage is deleted within 90 days of that"
        )));
    }
    let continuous = || plan.rules.iter().filter(|it| it.is_continuous);
    let first = continuous().next()?;
    let other = continuous().find(|it| it.vault != first.vault)?;
    Some(Obstacle::PlanRefused(format!(
        "the rules `{}` and `{}` make continuous backups in different vaults",
        first.name, other.name
    )))
}

/// Adds the problem with the key of a vault, if it has one. It is an obstacle for the types in
/// `of`.
fn key(name: &str, vault: &Vault, of: For, obstacles: &mut Obstacles) {
    match &vault.key {
        Key::Aws | Key::Customer => {}
        Key::Unusable(state) => {
            let obstacle = Obstacle::KeyUnusable { vault: name.to_owned(), state: state.clone() };
            obstacles.add(of, obstacle);
        }
        Key::NotKnown => obstacles.add(of, Obstacle::NotKnown(format!("the key of `{name}`"))),
    }
}

fn lock(name: &str, vault: &Vault, keep: Option<i64>, obstacles: &mut Obstacles) {
    if let Some(why) = vault.lock.as_ref().and_then(|it| it.refuses(keep)) {
        obstacles.add(For::Every, Obstacle::Lock { vault: name.to_owned(), why });
    }
}
