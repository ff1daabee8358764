//! Trusted access, organizations access of StackSets, and delegated administrators.

mod properties;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account_state::AccountState;
use crate::id::{AccountId, ServicePrincipal, TagKey};
use crate::owner::our_tag;

pub use properties::{DelegatedAdministrator, OnDelete, Properties};

/// The principals whose trusted access only CloudFormation itself can turn on.
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

/// A feature that is on or off for the organization.
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
    /// Returns the tag on the root that names the resource that turned the switch on.
    pub fn tag(&self) -> TagKey {
        our_tag(&match self {
            Self::Access(principal) => format!("turned-on/{principal}"),
            Self::StackSets => "turned-on/stack-sets".to_owned(),
            Self::Administrator(it) => format!("turned-on/{}/{}", it.principal, it.account),
        })
    }

    /// Returns the switch that `tag` is about, if there is one.
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

/// The state that a template asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Desired {
    /// The services that have trusted access.
    pub principals: BTreeSet<ServicePrincipal>,
    /// True if StackSets must have organizations access. Otherwise it is left alone.
    pub stack_sets: bool,
    /// The delegated administrators. Others are left alone.
    pub administrators: BTreeSet<Administrator>,
    /// The only administrators that may be registered, or `None` if the template decides.
    pub declared: Option<BTreeSet<Administrator>>,
    /// True if this resource records the switches that it turns on, and turns them off again if
    /// they are no longer requested.
    pub revert: bool,
}

impl Desired {
    /// Returns the state to observe, to know which of these switches are on and recorded.
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

/// The state of the organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observed {
    /// The management account, which cannot be a delegated administrator.
    pub management_account: AccountId,
    /// The services that have trusted access.
    pub principals: BTreeSet<ServicePrincipal>,
    /// True if StackSets has organizations access. Only read if it is needed, and `false`
    /// otherwise.
    pub stack_sets: bool,
    /// The delegated administrators of the relevant services.
    pub administrators: BTreeSet<Administrator>,
    /// The state of each account that has to become an administrator. An account outside of the
    /// organization is missing.
    pub accounts: BTreeMap<AccountId, AccountState>,
    /// The switches that this resource turned on, from the record or from one of its requests.
    pub turned_on: BTreeSet<Switch>,
    /// The switches that the tags of the root list.
    pub recorded: BTreeSet<Switch>,
}

impl Observed {
    fn switches(&self) -> BTreeSet<Switch> {
        switches(&self.principals, self.stack_sets, &self.administrators)
    }
}

/// One change to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Record on the root that this resource turns these switches on, before it does so.
    Record(BTreeSet<Switch>),
    /// Give a service trusted access.
    Enable(ServicePrincipal),
    /// Give StackSets organizations access, which also turns on its trusted access.
    ActivateStackSets,
    /// Register a delegated administrator.
    Register {
        /// The account to register, and the service.
        administrator: Administrator,
        /// The accounts that are already registered for the same service. Some services allow only
        /// one.
        beside: BTreeSet<AccountId>,
    },
    /// Deregister a delegated administrator that this resource registered.
    Deregister(Administrator),
    /// Remove the trusted access that this resource gave.
    Disable(ServicePrincipal),
    /// Remove the organizations access that this resource gave.
    DeactivateStackSets,
    /// Remove the records of these switches from the root, after they were turned off.
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

/// The reason why nothing is done.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// `reattach` may not register the account.
    #[error("cannot register {0}, since the template of `reattach` declares no such administrator")]
    Undeclared(Administrator),
    /// AWS requires that CloudFormation activates StackSets.
    #[error("trusted access for {0} is not for this list")]
    StackSets(ServicePrincipal),
    /// A delegated administrator needs trusted access for its service.
    #[error("cannot register {0}, since the service has no trusted access")]
    NoAccess(Administrator, &'static str),
    /// The management account already administers every service.
    #[error("cannot register {0}, since it is the management account")]
    ManagementAccount(Administrator),
    /// The account is not in the organization.
    #[error("cannot register {0}, since the account is not in the organization")]
    NoAccount(Administrator),
    /// The account is suspended, being closed, or not yet active.
    #[error("cannot register {administrator}, since the account is {state}")]
    Inactive {
        /// The administrator to register.
        administrator: Administrator,
        /// The state of the account, in the terms of AWS Organizations.
        state: AccountState,
    },
}

impl Refusal {
    /// Returns the hint, if there is one.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Undeclared(_) => Some(
                "correct its parameters, or find out who wrote that into the state bucket".into(),
            ),
            Self::StackSets(_) => Some("set `StackSets: true` instead".into()),
            Self::NoAccess(_, property) => Some(format!("add it to `{property}`").into()),
            Self::ManagementAccount(_) => Some("name a member account".into()),
            Self::NoAccount(_) | Self::Inactive { .. } => None,
        }
    }
}

/// Returns the steps from `observed` to `desired`.
///
/// Trusted access is turned on before delegated administrators are registered, and turned off after
/// they are deregistered. A switch that this resource did not turn on is never turned off.
///
/// # Errors
///
/// Returns an error if it is known in advance that AWS would refuse one of the steps.
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
    // The order of `Switch` is the order in which switches can be turned on.
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

/// Returns the steps that hand over to the resource the switches that one of its requests turned on
/// without a record, because another request overtook it. Without these steps, nothing would turn
/// the switches off again.
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
        Some(state @ (AccountState::Other(_) | AccountState::NotTold)) => {
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
