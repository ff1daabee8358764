//! The parts of the organization that decide which effective policies its accounts get.

use std::collections::BTreeMap;

use plan::id::{AccountId, PolicyId, TargetId};
use plan::member_accounts::{Guard, Listed};
use serde::{Deserialize, Serialize};

/// The organization, its backup policies and where they are attached.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Organization {
    /// Its ID, as in `o-…`.
    pub id: String,
    /// The partition, as in `aws-cn`.
    pub partition: String,
    /// The management account.
    pub management: AccountId,
    /// The units: the root first, and every unit after its parent.
    pub units: Vec<Unit>,
    /// The accounts, in the order in which AWS lists them.
    pub accounts: Vec<Placed>,
    /// The backup policies.
    pub policies: BTreeMap<PolicyId, AttachedPolicy>,
    /// The policies at each target, in the order in which they were attached.
    pub attached: BTreeMap<TargetId, Vec<PolicyId>>,
    /// The accounts whose merged policy AWS withholds, as AWS reports it, with its words if they
    /// were requested. `None` if AWS did not report it.
    pub withheld: Option<BTreeMap<AccountId, Vec<String>>>,
}

/// The root or an organizational unit (OU).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unit {
    /// Its ID.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// The parent, by its index. The root has none.
    pub parent: Option<usize>,
}

impl Unit {
    /// Returns its name, or its ID if it has no name.
    fn name(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}

/// An account and its place in the organization.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Placed {
    /// The account as AWS lists it.
    pub listed: Listed,
    /// The unit that the account is in, by its index.
    pub unit: usize,
}

/// A backup policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AttachedPolicy {
    /// Its name.
    pub name: String,
    /// The text of the policy. `None` if it could not be read.
    pub text: Option<String>,
}

/// The service control policies that somebody made, and where they are attached.
#[derive(Clone, Debug, Default)]
pub struct GuardRails {
    /// The policies.
    pub policies: BTreeMap<PolicyId, AttachedPolicy>,
    /// The policies at each target.
    pub attached: BTreeMap<TargetId, Vec<PolicyId>>,
}

impl GuardRails {
    /// Returns the effect of the policies at each target on principals that delete recovery points.
    pub(crate) fn guards(&self) -> BTreeMap<&str, Guard> {
        let guards = self.policies.iter().map(|(id, policy)| {
            let unread = || Guard::NotKnown(format!("the policy {} was not read", policy.name));
            (id, policy.text.as_deref().map_or_else(unread, Guard::of))
        });
        let guards: BTreeMap<_, _> = guards.collect();
        let at = |all: &Vec<PolicyId>| {
            let all = all.iter().filter_map(|it| guards.get(it)).cloned();
            all.fold(Guard::Free, Guard::and)
        };
        self.attached.iter().map(|(target, all)| (target.as_str(), at(all))).collect()
    }
}

impl Organization {
    /// Returns the IDs of the account and of the units above it.
    pub(crate) fn targets<'a>(&'a self, placed: &'a Placed) -> impl Iterator<Item = &'a str> {
        let own = placed.listed.account.id.as_str();
        std::iter::once(own).chain(self.above(placed.unit).map(|it| it.id.as_str()))
    }

    /// Returns the names of the units from below the root down to this one. A unit without a name
    /// is given by its ID.
    pub fn path(&self, unit: usize) -> Vec<&str> {
        let mut path: Vec<_> =
            self.above(unit).filter(|it| it.parent.is_some()).map(Unit::name).collect();
        path.reverse();
        path
    }

    /// Returns the IDs from the root down to this unit, separated by slashes, as AWS writes a path.
    pub fn id_path(&self, unit: usize) -> String {
        let mut path: Vec<_> = self.above(unit).map(|it| it.id.as_str()).collect();
        path.reverse();
        path.join("/")
    }

    /// Returns the unit, its parent, and so on up to the root.
    fn above(&self, unit: usize) -> impl Iterator<Item = &Unit> {
        let parent = |it: &&Unit| it.parent.and_then(|it| self.units.get(it));
        // The limit ends a walk through parents that cannot exist in AWS, such as a circle.
        std::iter::successors(self.units.get(unit), parent).take(16)
    }
}
