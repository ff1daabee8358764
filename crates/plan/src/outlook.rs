//! What changes of policies would do to what every account gets.
//!
//! The policies are merged once per place where something is attached, before and after, and every
//! account gets what the nearest such place above it has. So the work grows with the attachments,
//! and accounts that see the same change are told of together.

mod difference;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

pub use difference::{Difference, Part, What, differences, sentence};

use policy::EffectiveError;

use crate::id::{AccountId, PolicyId, TargetId};
use crate::preflight::{Change, Merge, Organization, Situation, Withheld, suspects_between};

/// Where an account is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The root, the OUs on the way, and the account itself. What nothing is attached to may be
    /// missing.
    pub path: Vec<TargetId>,
}

/// What some accounts get that is not what they get now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effect {
    /// The accounts.
    pub accounts: BTreeSet<AccountId>,
    /// What is different.
    pub differences: Vec<Difference>,
    /// Why AWS would withhold it, so that the accounts keep what they have; empty when it does not.
    pub errors: Vec<EffectiveError>,
}

/// An organization and the changes that are taken into account so far, one after the other.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    organization: &'a Organization,
    places: &'a [Place],
    before: Situation<'a>,
    after: Situation<'a>,
}

impl<'a> Outlook<'a> {
    /// The organization as it is, with the `places` of its accounts.
    pub fn new(organization: &'a Organization, places: &'a [Place]) -> Self {
        let before = Situation::of(organization);
        Self { organization, places, after: before.clone(), before }
    }

    /// Takes `change` into account. One that takes backups away counts all the same; whether it is
    /// to be made is for the caller to say, who can go back to an earlier outlook.
    ///
    /// # Errors
    ///
    /// When AWS would withhold the merged policy from an account after it, and would not before.
    pub fn take(&mut self, change: &Change<'a>, now: SystemTime) -> Result<(), Withheld> {
        let after = self.after.after(change);
        let suspects = suspects_between(self.organization, &self.after, &after, now);
        self.after = after;
        let mut nearest = self.by_place();
        for suspect in suspects {
            if let Some(accounts) = nearest.remove(&suspect.target)
                && let Some(account) = accounts.first()
            {
                return Err(Withheld { account: (*account).clone(), suspect });
            }
        }
        Ok(())
    }

    /// Takes into account that the policy `id` is deleted.
    pub fn delete(&mut self, id: &PolicyId) {
        self.after = self.after.without(id);
    }

    /// What the accounts get that is not what they get now, the most accounts first.
    pub fn effects(&self, now: SystemTime) -> Vec<Effect> {
        let mut before = Merge::new(self.organization, &self.before);
        let mut after = Merge::new(self.organization, &self.after);
        let mut effects: Vec<Effect> = Vec::new();
        for (place, accounts) in self.by_place() {
            let (old, new) = (before.at(place).effective(), after.at(place).effective());
            if old == new {
                continue;
            }
            let differences = differences(&old.to_json(), &new.to_json());
            let (errors, accounts) = (new.validate(now), accounts.into_iter().cloned());
            let same = |it: &&mut Effect| it.differences == differences && it.errors == errors;
            match effects.iter_mut().find(same) {
                Some(effect) => effect.accounts.extend(accounts),
                None => {
                    effects.push(Effect { accounts: accounts.collect(), differences, errors });
                }
            }
        }
        effects.sort_by_key(|it| std::cmp::Reverse(it.accounts.len()));
        effects
    }

    /// The accounts by the nearest place above them where something is attached, before or after.
    fn by_place(&self) -> BTreeMap<&TargetId, BTreeSet<&AccountId>> {
        let attached: BTreeSet<_> = self.before.targets().chain(self.after.targets()).collect();
        let mut by_place = BTreeMap::<_, BTreeSet<_>>::new();
        for Place { account, path } in self.places {
            if let Some(nearest) = path.iter().rev().find(|it| attached.contains(it)) {
                by_place.entry(nearest).or_default().insert(account);
            }
        }
        by_place
    }
}

#[cfg(test)]
mod tests;
