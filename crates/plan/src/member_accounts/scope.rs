//! The accounts that a run covers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::report::{Account, Refusal};
use crate::account_state::AccountState;
use crate::id::{AccountId, Target, TargetId};

/// An account as AWS Organizations lists it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// The state of the account. See [`Listed::is_active`].
    pub state: AccountState,
    /// The paths of the account: the root, every OU above it and the account itself, separated by
    /// slashes.
    pub paths: Vec<String>,
}

impl Listed {
    /// Returns `true` if the account can be worked in.
    pub fn is_active(&self) -> bool {
        self.state.is_active()
    }

    /// Returns the IDs in its paths, each from the root down.
    pub fn ids_in_paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().flat_map(|it| ids_in(it))
    }
}

/// Returns the IDs in a path of AWS Organizations, from the organization or the root down.
pub fn ids_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|it| !it.is_empty())
}

/// The decision of a run about an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// The run works in it.
    Included,
    /// The run works in it because it receives copies, although no target reaches it.
    Central,
    /// The run skips it, because the account is not active.
    Inactive,
    /// The run skips it, because the template excludes it.
    Excluded,
    /// The run skips it, because no target reaches it.
    Elsewhere,
}

/// The accounts that a template names.
#[derive(Clone, Debug)]
pub struct Scope {
    management: AccountId,
    central: Option<AccountId>,
    /// The targets, each with `true` if an account was found there.
    targets: BTreeMap<Target, bool>,
    /// The excluded accounts, each with `true` if it was found.
    excluded: BTreeMap<AccountId, bool>,
}

impl Scope {
    /// Returns the accounts at and below `targets` without the `excluded` ones. The `management`
    /// account is included even if no target reaches it, because its opt-ins apply to Organizations
    /// policies. It can still be excluded.
    pub fn new(
        management: AccountId,
        targets: impl IntoIterator<Item = Target>,
        excluded: impl IntoIterator<Item = AccountId>,
    ) -> Self {
        // There is one root, and it always contains an account.
        let targets = targets.into_iter().map(|it| {
            let is_found = it == Target::Root;
            (it, is_found)
        });
        let excluded = excluded.into_iter().map(|it| (it, false));
        let (targets, excluded) = (targets.collect(), excluded.collect());
        Self { management, central: None, targets, excluded }
    }

    /// Returns this scope with the account that receives copies, if there is one.
    #[must_use]
    pub fn with_central(self, central: Option<AccountId>) -> Self {
        Self { central, ..self }
    }

    /// Decides about an account.
    pub fn choose(&mut self, listed: &Listed) -> Choice {
        let mut is_reached = listed.account.id == self.management;
        for (target, is_found) in &mut self.targets {
            if reaches(target, listed) {
                *is_found = true;
                is_reached = true;
            }
        }
        if let Some(is_found) = self.excluded.get_mut(&listed.account.id) {
            *is_found = true;
            Choice::Excluded
        } else if !is_reached && self.central.as_ref() != Some(&listed.account.id) {
            Choice::Elsewhere
        } else if !listed.is_active() {
            Choice::Inactive
        } else if is_reached {
            Choice::Included
        } else {
            Choice::Central
        }
    }

    /// Returns `true` if the paths of accounts are needed.
    pub fn needs_paths(&self) -> bool {
        self.places().next().is_some()
    }

    /// Returns the targets that can contain accounts.
    pub fn places(&self) -> impl Iterator<Item = &TargetId> {
        self.targets.keys().filter_map(|it| match it {
            Target::Id(id) if id.as_str().contains('-') => Some(id),
            Target::Root | Target::Id(_) => None,
        })
    }

    /// Returns `true` if an account was found at every target, so that work may begin.
    pub fn is_certain(&self) -> bool {
        self.targets.values().all(|it| *it)
    }

    /// Returns `true` if the management account is excluded, which is rarely intended.
    pub fn excludes_management(&self) -> bool {
        self.excluded.contains_key(&self.management)
    }

    /// Checks that an account was found at every target, after all accounts were examined.
    ///
    /// # Errors
    ///
    /// Returns an error if there was no account at a target.
    pub fn check(&self) -> Result<(), Refusal> {
        let missing = self.targets.iter().filter(|(_, is_found)| !**is_found).map(|(it, _)| it);
        let missing: Vec<_> = missing
            .filter_map(|it| match it {
                Target::Root => None,
                Target::Id(id) => Some(id.clone()),
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(Refusal::NothingThere(missing)) }
    }

    /// Returns the excluded accounts that are not in the organization.
    pub fn strangers(&self) -> BTreeSet<&AccountId> {
        self.excluded.iter().filter(|(_, is_found)| !**is_found).map(|(it, _)| it).collect()
    }
}

fn reaches(target: &Target, listed: &Listed) -> bool {
    match target {
        Target::Root => true,
        Target::Id(id) => {
            id.as_str() == listed.account.id.as_str()
                || listed.ids_in_paths().any(|it| it == id.as_str())
        }
    }
}
