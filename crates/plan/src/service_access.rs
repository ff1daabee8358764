//! Trusted access, organizations access of StackSets, and delegated administrators.

mod properties;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::{AccountId, ServicePrincipal, TagKey};
use crate::owner::our_tag;

pub use properties::{DelegatedAdministrator, OnDelete, Properties};

/// The principals whose trusted access only CloudFormation itself may turn on.
const STACK_SETS: [&str; 2] =
    ["member.org.stacksets.cloudformation.amazonaws.com", "stacksets.cloudformation.amazonaws.com"];

/// An account that administers a service for the whole organization.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Administrator {
    /// The service.
    pub principal: ServicePrincipal,
    /// The account.
    pub account: AccountId,
}

impl fmt::Display for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as delegated administrator for {}", self.account, self.principal)
    }
}

/// One thing that is on or off for the organization.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Switch {
    /// Trusted access of a service.
    Access(ServicePrincipal),
    /// Organizations access of CloudFormation StackSets.
    StackSets,
    /// A delegated administrator.
    Administrator(Administrator),
}

impl Switch {
    /// The tag on the root that says which resource turned the switch on.
    pub fn tag(&self) -> TagKey {
        our_tag(&match self {
            Self::Access(principal) => format!("turned-on/{principal}"),
            Self::StackSets => "turned-on/stack-sets".to_owned(),
            Self::Administrator(it) => format!("turned-on/{}/{}", it.principal, it.account),
        })
    }

    /// The switch that `tag` is about, if it is about one.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let name = tag.strip_prefix(crate::owner::TAG_PREFIX)?.strip_prefix("turned-on/")?;
        match name.split_once('/') {
            None if name == "stack-sets" => Some(Self::StackSets),
            None => name.parse().ok().map(Self::Access),
            Some((principal, account)) => Some(Self::Administrator(Administrator {
                principal: principal.parse().ok()?,
                account: account.parse().ok()?,
            })),
        }
    }
}

/// What a template asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Desired {
    /// The services that have trusted access.
    pub principals: BTreeSet<ServicePrincipal>,
    /// Whether StackSets must have organizations access; it is left alone otherwise.
    pub stack_sets: bool,
    /// The delegated administrators; others are left alone.
    pub administrators: BTreeSet<Administrator>,
    /// The only ones that may be registered, where it is not for the template to say.
    pub declared: Option<BTreeSet<Administrator>>,
    /// Whether this resource keeps a record of what it turns on, and turns that off again when it
    /// is no longer asked for.
    pub revert: bool,
}

impl Desired {
    /// What has to be read of the organization, to tell whether these switches are on and recorded.
    pub fn to_look_at(switches: &BTreeSet<Switch>) -> Self {
        let administrators = switches.iter().filter_map(|it| match it {
            Switch::Administrator(it) => Some(it.clone()),
            Switch::Access(_) | Switch::StackSets => None,
        });
        Self {
            administrators: administrators.collect(),
            stack_sets: switches.contains(&Switch::StackSets),
            revert: true,
            ..Self::default()
        }
    }
}

/// What the organization has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observed {
    /// The account that no service may have as its delegated administrator.
    pub management_account: AccountId,
    /// The services that have trusted access.
    pub principals: BTreeSet<ServicePrincipal>,
    /// Whether StackSets has organizations access; not read unless it matters, and `false` then.
    pub stack_sets: bool,
    /// The delegated administrators of the services that matter.
    pub administrators: BTreeSet<Administrator>,
    /// The state of each account that is to become an administrator; an account that is not in the
    /// organization is missing.
    pub accounts: BTreeMap<AccountId, AccountState>,
    /// What this resource has turned on, as is recorded or was begun by one of its requests.
    pub turned_on: BTreeSet<Switch>,
    /// What the root's tags say of that.
    pub recorded: BTreeSet<Switch>,
}

impl Observed {
    fn switches(&self) -> BTreeSet<Switch> {
        switches(&self.principals, self.stack_sets, &self.administrators)
    }
}

/// The state of an account, in the words of AWS Organizations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccountState {
    /// The account can be used.
    Active,
    /// The account cannot be used, for the reason that the word gives.
    Other(String),
}

/// One thing to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Note on the root that this resource turns these on, before it does.
    Record(BTreeSet<Switch>),
    /// Give a service trusted access.
    Enable(ServicePrincipal),
    /// Give StackSets organizations access, which turns on its trusted access as well.
    ActivateStackSets,
    /// Register a delegated administrator.
    Register {
        /// Whom to register, and for what.
        administrator: Administrator,
        /// Who is registered for the same service already. Some services have one only.
        beside: BTreeSet<AccountId>,
    },
    /// Deregister a delegated administrator that this resource registered.
    Deregister(Administrator),
    /// Take the trusted access away that this resource gave.
    Disable(ServicePrincipal),
    /// Take the organizations access away that this resource gave.
    DeactivateStackSets,
    /// Remove the notes about these from the root, now that they are off.
    Forget(BTreeSet<Switch>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(it) => write!(f, "tag the root with what is turned on ({})", it.len()),
            Self::Enable(it) => write!(f, "enable trusted access for {it}"),
            Self::ActivateStackSets => write!(f, "activate organizations access for StackSets"),
            Self::Register { administrator, beside } => {
                write!(f, "register {administrator}")?;
                if beside.is_empty() {
                    return Ok(());
                }
                let beside = beside.iter().map(AccountId::as_str).collect::<Vec<_>>();
                write!(f, " beside {}", beside.join(", "))
            }
            Self::Deregister(it) => write!(f, "deregister {it}"),
            Self::Disable(it) => write!(f, "disable trusted access for {it}"),
            Self::DeactivateStackSets => write!(f, "deactivate organizations access for StackSets"),
            Self::Forget(it) => write!(f, "untag the root of what is turned off ({})", it.len()),
        }
    }
}

/// Why nothing is done.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// What looks after the account may not register it.
    #[error("cannot register {0}, since the template of `reattach` declares no such administrator")]
    Undeclared(Administrator),
    /// AWS wants StackSets to be activated by CloudFormation.
    #[error("trusted access for {0} is not for this list")]
    StackSets(ServicePrincipal),
    /// A delegated administrator needs trusted access for its service.
    #[error("cannot register {0}, since the service has no trusted access")]
    NoAccess(Administrator, &'static str),
    /// The management account administers every service already.
    #[error("cannot register {0}, since it is the management account")]
    ManagementAccount(Administrator),
    /// The account is not in the organization.
    #[error("cannot register {0}, since the account is not in the organization")]
    NoAccount(Administrator),
    /// The account is suspended, being closed, or not yet active.
    #[error("cannot register {administrator}, since the account is {state}")]
    Inactive {
        /// Who was to be registered.
        administrator: Administrator,
        /// The state of the account in the words of AWS Organizations.
        state: String,
    },
}

impl Refusal {
    /// What to do about it, if that is known.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Undeclared(_) => {
                Some("correct its parameters, or look who wrote that into the state bucket".into())
            }
            Self::StackSets(_) => Some("set `StackSets: true` instead".into()),
            Self::NoAccess(_, property) => Some(format!("add it to `{property}`").into()),
            Self::ManagementAccount(_) => Some("name a member account".into()),
            Self::NoAccount(_) | Self::Inactive { .. } => None,
        }
    }
}

/// Returns the steps from `observed` to `desired`.
///
/// Trusted access comes before delegated administrators, and goes after them. What this resource
/// did not turn on is never turned off.
///
/// # Errors
///
/// When AWS would refuse one of the steps and that can be known before the first.
pub fn plan(desired: &Desired, observed: &Observed) -> Result<Vec<Step>, Refusal> {
    let refused = desired.principals.iter().find(|it| STACK_SETS.contains(&it.as_str()));
    if let Some(principal) = refused {
        return Err(Refusal::StackSets(principal.clone()));
    }
    for administrator in desired.administrators.difference(&observed.administrators) {
        if desired.declared.as_ref().is_some_and(|it| !it.contains(administrator)) {
            return Err(Refusal::Undeclared(administrator.clone()));
        }
        admissible(administrator, desired, observed)?;
    }

    let on: BTreeSet<_> =
        switches(&desired.principals, desired.stack_sets, &desired.administrators);
    let is = observed.switches();
    let mut steps = Vec::new();
    let missing: BTreeSet<_> = on.difference(&is).cloned().collect();
    let unrecorded: BTreeSet<_> = missing.difference(&observed.recorded).cloned().collect();
    if desired.revert && !unrecorded.is_empty() {
        steps.push(Step::Record(unrecorded));
    }
    // The order of `Switch` is the order in which things can be turned on.
    steps.extend(missing.into_iter().map(|it| match it {
        Switch::Access(principal) => Step::Enable(principal),
        Switch::StackSets => Step::ActivateStackSets,
        Switch::Administrator(administrator) => {
            let same =
                observed.administrators.iter().filter(|it| it.principal == administrator.principal);
            let beside = same.map(|it| it.account.clone()).collect();
            Step::Register { administrator, beside }
        }
    }));
    if desired.revert {
        let off: BTreeSet<_> = observed.turned_on.difference(&on).cloned().collect();
        steps.extend(off.iter().rev().filter(|it| is.contains(it)).cloned().map(|it| match it {
            Switch::Access(principal) => Step::Disable(principal),
            Switch::StackSets => Step::DeactivateStackSets,
            Switch::Administrator(administrator) => Step::Deregister(administrator),
        }));
        let recorded: BTreeSet<_> = off.intersection(&observed.recorded).cloned().collect();
        if !recorded.is_empty() {
            steps.push(Step::Forget(recorded));
        }
    }
    Ok(steps)
}

/// Returns the steps that leave to the resource what one of its requests has turned on without a
/// record, since another request overtook it: without them nobody would turn that off again.
pub fn hand_over(turned_on: &BTreeSet<Switch>, observed: &Observed) -> Vec<Step> {
    let is = observed.switches();
    let unrecorded = turned_on.difference(&observed.recorded).filter(|it| is.contains(it));
    let unrecorded: BTreeSet<_> = unrecorded.cloned().collect();
    if unrecorded.is_empty() { vec![] } else { vec![Step::Record(unrecorded)] }
}

fn admissible(
    administrator: &Administrator,
    desired: &Desired,
    observed: &Observed,
) -> Result<(), Refusal> {
    let Administrator { principal, account } = administrator;
    let stack_sets = STACK_SETS.contains(&principal.as_str());
    let access = desired.principals.contains(principal)
        || observed.principals.contains(principal)
        || (stack_sets && (desired.stack_sets || observed.stack_sets));
    if !access {
        let property = if stack_sets { "StackSets" } else { "ServicePrincipals" };
        return Err(Refusal::NoAccess(administrator.clone(), property));
    }
    if *account == observed.management_account {
        return Err(Refusal::ManagementAccount(administrator.clone()));
    }
    match observed.accounts.get(account) {
        Some(AccountState::Active) => Ok(()),
        Some(AccountState::Other(state)) => {
            Err(Refusal::Inactive { administrator: administrator.clone(), state: state.clone() })
        }
        None => Err(Refusal::NoAccount(administrator.clone())),
    }
}

fn switches(
    principals: &BTreeSet<ServicePrincipal>,
    stack_sets: bool,
    administrators: &BTreeSet<Administrator>,
) -> BTreeSet<Switch> {
    let access = principals.iter().cloned().map(Switch::Access);
    let administrators = administrators.iter().cloned().map(Switch::Administrator);
    access.chain(stack_sets.then_some(Switch::StackSets)).chain(administrators).collect()
}

#[cfg(test)]
mod tests;
