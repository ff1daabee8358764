//! Which accounts a run is about.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Account, Refusal};
use crate::id::{AccountId, Target, TargetId};

/// An account as AWS Organizations lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// Where it is in its life; only an `ACTIVE` one can be worked in.
    pub state: String,
    /// Where it is in the organization: the root, every organizational unit above it and itself,
    /// separated by slashes.
    pub paths: Vec<String>,
}

/// What a run does with an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// It works in it.
    Included,
    /// It works in it, because copies go to it and though no target reaches it.
    Central,
    /// It leaves it out, because the account is not active.
    Inactive,
    /// It leaves it out, because the template says so.
    Excluded,
    /// It leaves it out, because no target reaches it.
    Elsewhere,
}

/// The accounts that a template names.
#[derive(Clone, Debug)]
pub struct Scope {
    management: AccountId,
    central: Option<AccountId>,
    /// The targets, and whether anything was found at each.
    targets: BTreeMap<Target, bool>,
    /// The accounts to leave out, and whether they were found.
    excluded: BTreeMap<AccountId, bool>,
}

impl Scope {
    /// The accounts at and below `targets` without those that are `excluded`, and always the
    /// `management` account, since its opt-ins count for what Organizations policies do.
    pub fn new(
        management: AccountId,
        targets: impl IntoIterator<Item = Target>,
        excluded: impl IntoIterator<Item = AccountId>,
    ) -> Self {
        // There is one root, and something is always below it.
        let targets = targets.into_iter().map(|it| {
            let is_found = it == Target::Root;
            (it, is_found)
        });
        let excluded = excluded.into_iter().map(|it| (it, false));
        let (targets, excluded) = (targets.collect(), excluded.collect());
        Self { management, central: None, targets, excluded }
    }

    /// This, with the account that copies go to, if there is one.
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
        } else if listed.state != "ACTIVE" {
            Choice::Inactive
        } else if is_reached {
            Choice::Included
        } else {
            Choice::Central
        }
    }

    /// Whether the path of an account matters at all.
    pub fn needs_paths(&self) -> bool {
        self.places().next().is_some()
    }

    /// The targets that are above accounts.
    pub fn places(&self) -> impl Iterator<Item = &TargetId> {
        self.targets.keys().filter_map(|it| match it {
            Target::Id(id) if id.as_str().contains('-') => Some(id),
            Target::Root | Target::Id(_) => None,
        })
    }

    /// Whether something was found at every target, so that work may begin.
    pub fn is_certain(&self) -> bool {
        self.targets.values().all(|it| *it)
    }

    /// Whether the management account is left out, which is rarely what anybody wants.
    pub fn excludes_management(&self) -> bool {
        self.excluded.contains_key(&self.management)
    }

    /// Checks that something was found at every target, once all accounts were looked at.
    ///
    /// # Errors
    ///
    /// When there was nothing at a target.
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

    /// The accounts to leave out that are not in the organization.
    pub fn strangers(&self) -> BTreeSet<&AccountId> {
        self.excluded.iter().filter(|(_, is_found)| !**is_found).map(|(it, _)| it).collect()
    }
}

fn reaches(target: &Target, listed: &Listed) -> bool {
    match target {
        Target::Root => true,
        Target::Id(id) => {
            let above = |path: &String| path.split('/').any(|it| it == id.as_str());
            id.as_str() == listed.account.id.as_str() || listed.paths.iter().any(above)
        }
    }
}
