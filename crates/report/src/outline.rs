//! The effective policy of every account, and the things to look at in each account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::{AccountId, PolicyId, Region, RoleName, TargetId, VaultName};
use plan::member_accounts::{self, LOOKS_AT_VAULTS, SERVICE_ROLE};
use plan::plans::Plan;
use policy::{Inherited, Policy};
use serde_json::{Value, json};

use super::organization::{Organization, Placed};
use super::wanted::{Wanted, WantedHere};
use super::{Destination, Note};

/// The effective policy of the accounts that have the same policies attached on the way down to
/// them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    /// The targets on the way that have policies attached, from the root down.
    pub chain: Vec<TargetId>,
    /// The document, as `DescribeEffectivePolicy` answers with it.
    pub document: Value,
    /// Its plans.
    pub plans: Vec<Plan>,
    /// Each value and its origin.
    pub settings: Vec<Setting>,
    /// The reasons why AWS withholds it.
    pub errors: Vec<String>,
}

impl Effective {
    /// Returns the reasons why AWS withholds it from an account, in AWS's words or those of the
    /// merge here. `None` if AWS does not withhold it.
    pub fn withheld<'a>(
        &'a self,
        organization: &'a Organization,
        account: &AccountId,
    ) -> Option<&'a [String]> {
        let told = organization.withheld.as_ref().and_then(|it| it.get(account));
        if told.is_none() && self.errors.is_empty() {
            return None;
        }
        Some(told.filter(|it| !it.is_empty()).unwrap_or(&self.errors))
    }
}

/// A value of an effective policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The keys that lead to it, joined by `/`.
    pub path: String,
    /// A string or a list of strings.
    pub value: Value,
    /// The origins of the value: the policy that assigned it, then those that added to it or took
    /// from it.
    pub origins: Vec<Origin>,
}

/// An origin of a value: one operator of one policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The operator, as in `@@assign`.
    pub operator: &'static str,
    /// The policy.
    pub policy: String,
    /// The root, OU or account that it is attached to.
    pub target: String,
}

/// The things to look at in an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InspectionScope {
    /// The Regions, and the vaults in each.
    pub regions: BTreeMap<Region, BTreeSet<VaultName>>,
    /// The roles that AWS Backup is to assume.
    pub roles: BTreeSet<RoleName>,
    /// The role to look around with, if it is not the role of the other accounts.
    pub by: Option<RoleName>,
}

/// The effective policy of every account, before any account has been looked into.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The effective policies of the accounts, each once however many accounts share it.
    pub effective: Vec<Effective>,
    /// The effective policy of each account by its index, in the order of the accounts.
    pub shares: Vec<usize>,
    /// The Regions that a plan or a request names.
    pub regions: BTreeSet<Region>,
    /// Notes about the policies.
    pub notes: Vec<Note>,
}

impl Outline {
    /// Merges the policies, once for each way in which they are attached above an account.
    pub fn new(organization: &Organization, wanted: &[Wanted], now: SystemTime) -> Self {
        let (policies, notes) = read(organization);
        let attached = |target: &TargetId| -> Vec<(&str, &Policy)> {
            let there = organization.attached.get(target).into_iter().flatten();
            there.filter_map(|it| Some((it.as_str(), policies.get(it)?))).collect()
        };
        let descend = |above: &Reached, target: &TargetId| -> Reached {
            let policies = attached(target);
            if policies.is_empty() {
                return above.clone();
            }
            let chain = above.chain.iter().chain([target]).cloned().collect();
            Reached { chain, inherited: above.inherited.descend(target.as_str(), &policies) }
        };
        let mut units: Vec<Reached> = Vec::with_capacity(organization.units.len());
        for unit in &organization.units {
            let none = Reached::default();
            let above = unit.parent.and_then(|it| units.get(it)).unwrap_or(&none);
            units.push(descend(above, &unit.id));
        }
        let mut effective = Vec::new();
        let mut known = BTreeMap::<Vec<TargetId>, usize>::new();
        let mut shares = Vec::with_capacity(organization.accounts.len());
        for Placed { listed, unit } in &organization.accounts {
            let none = Reached::default();
            let above = units.get(*unit).unwrap_or(&none);
            // An account's ID has the shape of a target's.
            let target = listed.account.id.as_str().parse::<TargetId>();
            let reached = target.map_or_else(|_| above.clone(), |it| descend(above, &it));
            let index = *known.entry(reached.chain.clone()).or_insert_with(|| {
                effective.push(reached.effective(now));
                effective.len() - 1
            });
            shares.push(index);
        }
        let asked = wanted.iter().flat_map(|it| it.desired.regions.iter());
        let planned = effective.iter().flat_map(|it| &it.plans).flat_map(|it| &it.regions);
        let regions = asked.chain(planned).cloned().collect();
        Self { effective, shares, regions, notes }
    }

    /// Returns the things to look at in the account at `index`.
    pub fn look(
        &self,
        organization: &Organization,
        wanted: &[Wanted],
        index: usize,
    ) -> InspectionScope {
        let mut look = InspectionScope::default();
        let Some(placed) = organization.accounts.get(index) else { return look };
        if !placed.listed.is_active() {
            return look;
        }
        let effective = self.shares.get(index).and_then(|it| self.effective.get(*it));
        for plan in effective.iter().flat_map(|it| &it.plans) {
            look.roles.extend(plan.roles.iter().chain(&plan.scanner).cloned());
            for region in &plan.regions {
                let vaults = look.regions.entry(region.clone()).or_default();
                vaults.extend(plan.vaults().cloned());
            }
            let copies = plan.rules.iter().flat_map(|it| &it.copies);
            let account = &placed.listed.account.id;
            let own = copies.filter_map(|it| Destination::parse(it, account));
            for it in own.filter(|it| it.account == *account) {
                look.regions.entry(it.region).or_default().insert(it.name);
            }
        }
        for WantedHere { desired, central } in asked(organization, wanted, index) {
            look.by = central.cloned().or(look.by);
            look.roles.extend(desired.role.iter().cloned());
            for region in &desired.regions {
                let vaults = look.regions.entry(region.clone()).or_default();
                vaults.extend(desired.vault.iter().cloned());
            }
        }
        // The opt-ins of the management account decide for every plan of the organization.
        if placed.listed.account.id == organization.management {
            for region in &self.regions {
                look.regions.entry(region.clone()).or_default();
            }
        }
        look
    }

    /// Returns the vaults that receive copies from other accounts, by the account that they are in.
    pub fn destinations(
        &self,
        organization: &Organization,
    ) -> BTreeMap<AccountId, BTreeSet<Destination>> {
        let copies = |share: &usize| {
            let effective = self.effective.get(*share).into_iter();
            let rules = effective.flat_map(|it| &it.plans).flat_map(|it| &it.rules);
            rules.flat_map(|it| &it.copies)
        };
        let rows = organization.accounts.iter().zip(&self.shares);
        let all = rows.flat_map(|(placed, share)| {
            let account = &placed.listed.account.id;
            let all = copies(share).filter_map(move |it| Destination::parse(it, account));
            all.filter(move |it| it.account != *account)
        });
        let mut by_account = BTreeMap::<_, BTreeSet<_>>::new();
        for it in all {
            by_account.entry(it.account.clone()).or_default().insert(it);
        }
        by_account
    }
}

/// Returns the requests that apply to the account at `index`.
pub(super) fn asked<'a>(
    organization: &Organization,
    wanted: &'a [Wanted],
    index: usize,
) -> Vec<WantedHere<'a>> {
    let Some(placed) = organization.accounts.get(index) else { return vec![] };
    let mut listed = placed.listed.clone();
    listed.paths = vec![organization.id_path(placed.unit)];
    wanted.iter().filter_map(|it| it.of(&organization.management, &listed)).collect()
}

/// Reads the policies. A policy that cannot be read takes no part, and there is a note about it if
/// it is attached.
fn read(organization: &Organization) -> (BTreeMap<&PolicyId, Policy>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut policies = BTreeMap::new();
    for (id, policy) in &organization.policies {
        let parsed = policy.text.as_deref().and_then(|it| policy::parse(it).ok());
        if let Some(parsed) = parsed {
            policies.insert(id, parsed);
        } else if organization.attached.values().flatten().any(|it| it == id) {
            notes.push(Note {
                text: format!(
                    "the policy `{}` ({id}) could not be read, and is left out of what accounts get",
                    policy.name
                ),
                hint: "see what it says in the AWS Organizations console".to_owned(),
is_unread: true,
});
        }
    }
    (policies, notes)
}

/// The policies merged so far on the way down.
#[derive(Clone, Debug, Default)]
struct Reached {
    chain: Vec<TargetId>,
    inherited: Inherited,
}

impl Reached {
    fn effective(&self, now: SystemTime) -> Effective {
        let effective = self.inherited.effective();
        let document = effective.to_json();
        let settings = effective.leaves().into_iter().map(|it| Setting {
            path: it.path,
            value: match it.setting {
                policy::Setting::One(value) => json!(value.as_ref()),
                policy::Setting::Many(values) => values.iter().map(AsRef::as_ref).collect(),
            },
            origins: it.origins.iter().map(origin).collect(),
        });
        let errors = effective.validate(now).into_iter();
        let errors = errors.map(|it| format!("{}: {} ({})", it.path, it.message, it.code));
        Effective {
            chain: self.chain.clone(),
            plans: Plan::all(&document),
            settings: settings.collect(),
            errors: errors.collect(),
            document,
        }
    }
}

fn origin(it: &policy::Origin) -> Origin {
    let policy::Source { target, policy } = it.source.as_ref();
    let (policy, target) = (policy.clone(), target.clone());
    Origin { operator: it.operator.as_str(), policy, target }
}

impl InspectionScope {
    /// Returns the session policy that limits a session in `account` to what is looked at. Such a
    /// session can change nothing, even if the assumed role may.
    pub fn session_policy(&self, partition: &str, account: &AccountId) -> String {
        let mut actions = vec![];
        if !self.regions.is_empty() {
            actions.push("backup:DescribeRegionSettings");
        }
        if self.regions.values().any(|it| !it.is_empty()) {
            actions.extend(LOOKS_AT_VAULTS);
        }
        let regions = self.regions.keys().cloned().collect();
        let service_role = SERVICE_ROLE.parse::<RoleName>();
        let roles = self.roles.iter().chain(service_role.as_ref());
        member_accounts::narrowed(&actions, &regions, roles, partition, account)
    }
}
