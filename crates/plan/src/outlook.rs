//! The effect of policy changes on the effective policy of every account.
//!
//! The policies are merged once for each place with attached policies, before and after the
//! changes. Every account gets the result of the nearest such place above it. The work therefore
//! grows with the number of attachments, and accounts with the same change are reported together.

mod difference;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

pub use difference::{Difference, Part, What, differences, sentence};

use policy::EffectiveError;

use crate::id::{AccountId, PolicyId, TargetId};
use crate::preflight::{Edit, Merge, Organization, Situation, Withheld, suspects_between};

/// The location of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The root, the OUs on the way, and the account itself. Places without attached policies may
    /// be missing.
    pub path: Vec<TargetId>,
}

/// A change of the effective policy that some accounts share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effect {
    /// The accounts.
    pub accounts: BTreeSet<AccountId>,
    /// The differences.
    pub differences: Vec<Difference>,
    /// The reasons why AWS would withhold the new policy, so that the accounts keep the current
    /// one. Empty if AWS would not withhold it.
    pub errors: Vec<EffectiveError>,
}

/// An organization, and the changes that were applied to it so far, one after the other.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    organization: &'a Organization,
    places: &'a [Place],
    before: Situation<'a>,
    after: Situation<'a>,
}

impl<'a> Outlook<'a> {
    /// Returns the current organization, with the `places` of its accounts.
    pub fn new(organization: &'a Organization, places: &'a [Place]) -> Self {
        let before = Situation::of(organization);
        Self { organization, places, after: before.clone(), before }
    }

    /// Applies `change`. A change that causes an error is still applied. The caller decides whether
    /// to make it, and can go back to an earlier outlook.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS would withhold the effective policy from an account after the
    /// change, but not before.
    pub fn take(&mut self, change: &Edit<'a>, now: SystemTime) -> Result<(), Withheld> {
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

    /// Applies the deletion of the policy `id`.
    pub fn delete(&mut self, id: &PolicyId) {
        self.after = self.after.without(id);
    }

    /// Returns the changes of effective policies, those with the most accounts first.
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

    /// Returns the accounts by the nearest place above them that has policies attached, before or
    /// after.
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
