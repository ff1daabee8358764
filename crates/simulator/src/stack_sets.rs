//! StackSets with service-managed permissions, the CloudFormation resource that creates them, and
//! the resources of their stacks in accounts.
//!
//! The behaviour follows the StackSets guide, the API reference and the handler of
//! `AWS::CloudFormation::StackSet`. An account and Region have at most one stack of a StackSet, and
//! creating stacks does not change existing ones. Automatic deployment follows OUs and ignores
//! filters. Regions are processed in parallel, so the tolerance applies to each of them. When it is
//! exceeded, the remaining work is cancelled. The next update creates a stack again that could not
//! be created.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The OUs above each account, including the root.
pub type Memberships = BTreeMap<String, BTreeSet<String>>;

/// A function that returns the resources of a StackSet's template in a Region.
pub type Bodies<'a> = dyn Fn(&Definition, &str) -> Vec<Declared> + 'a;

/// The types of resources that AWS does not delete while they contain backups.
const VAULTS: [&str; 2] =
    ["AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault"];

/// The type of a resource that an account has once for all Regions.
const ROLE: &str = "AWS::IAM::Role";

/// The effect of deleting a stack on a resource.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum Deletion {
    /// It is deleted.
    #[default]
    Delete,
    /// It is retained, even if the creation of the stack is rolled back.
    Retain,
    /// It is retained, unless the creation of the stack is rolled back.
    RetainExceptOnCreate,
}

/// A resource of a template.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Its name in the template.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its name in the account. One is generated if the template gives none.
    pub name: Option<String>,
    /// The effect of deleting the stack on it.
    pub deletion: Deletion,
    /// The resources that are created before it, and deleted after it.
    pub after: BTreeSet<String>,
}

/// The definition of a StackSet.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The text of the template.
    pub template: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Present if accounts that join an OU get a stack. The value says whether accounts that leave
    /// the OU keep theirs.
    pub auto_deployment: Option<Retains>,
}

/// The effect of automatic deployment on the stacks of accounts that leave an OU.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum Retains {
    /// The StackSet removes them from its list, and they remain.
    Stacks,
    /// They are deleted.
    Nothing,
}

/// A filter of the accounts in the OUs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum Filter {
    /// All of them.
    #[default]
    None,
    /// Only these accounts.
    Intersection(BTreeSet<String>),
    /// All accounts except these.
    Difference(BTreeSet<String>),
}

/// The places of stacks: one element of `StackInstancesGroup`, or the targets of a call.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Targets {
    /// The OUs, with everything below them.
    pub units: BTreeSet<String>,
    /// The filter of their accounts.
    pub filter: Filter,
    /// The Regions.
    pub regions: BTreeSet<String>,
}

/// A resource of type `AWS::CloudFormation::StackSet`, as a template describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The definition of the StackSet.
    pub definition: Definition,
    /// The places of its stacks, if the template lists them.
    pub group: Vec<Targets>,
    /// The percentage of a Region's accounts that may fail in an operation of the resource.
    pub tolerance: usize,
}

/// A stack of a StackSet, as the StackSet records it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// The OU in which the account was found.
    pub unit: String,
    /// The status of the stack, compared with the StackSet.
    pub status: InstanceStatus,
    /// The stack, or `None` if it never existed.
    pub stack: Option<String>,
    /// The reason for a status other than current.
    pub reason: String,
}

/// The status of a stack, compared with its StackSet.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum InstanceStatus {
    /// It matches the StackSet.
    Current,
    /// It could not be created or updated.
    Outdated,
    /// It could not be deleted, and is excluded from updates.
    Inoperable,
}

/// A completed operation of a StackSet.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct StackSetOperation {
    /// True if no Region had more failures than are tolerated.
    pub succeeded: bool,
    /// The accounts and Regions that failed, with the reason.
    pub failed: Vec<(String, String, String)>,
}

/// The reason for which a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackSetRefusal {
    /// A StackSet with that name exists.
    NameAlreadyExists,
    /// No StackSet with that name exists.
    StackSetNotFound,
    /// The StackSet has stacks.
    StackSetNotEmpty,
    /// More accounts failed than are tolerated.
    OperationFailed,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct StackSet {
    definition: Definition,
    /// By Region and account.
    instances: BTreeMap<String, BTreeMap<String, Instance>>,
    /// The OUs in which stacks were ever created, with their Regions. Automatic deployment follows
    /// them.
    targets: BTreeMap<String, BTreeSet<String>>,
}

/// A stack in an account.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct MemberStack {
    account: String,
    region: String,
    /// In the order of their creation.
    resources: Vec<Made>,
    is_complete: bool,
}

/// A resource of a stack.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Made {
    deletion: Deletion,
    /// The key under which it exists.
    key: String,
}

/// The StackSets of a management account, and the resources in accounts.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct StackSets {
    sets: BTreeMap<String, StackSet>,
    stacks: BTreeMap<String, MemberStack>,
    /// The existing resources, as account, Region, type and name.
    resources: BTreeSet<String>,
    /// The vaults that contain backups.
    filled: BTreeSet<String>,
    /// The accounts in which every creation fails.
    refusing: BTreeSet<String>,
    /// The resources that were to be created under an existing name.
    collisions: Vec<String>,
    /// The accounts and Regions whose complete stacks were deleted.
    deleted: Vec<(String, String)>,
    operations: BTreeMap<String, StackSetOperation>,
    made: u64,
}

/// Returns the key under which a resource of a stack exists.
fn key(account: &str, region: &str, stack: &str, declared: &Declared) -> String {
    let region = if declared.kind == ROLE { "-" } else { region };
    let name = declared.name.clone().unwrap_or_else(|| format!("{stack}-{}", declared.id));
    format!("{account} {region} {} {name}", declared.kind)
}

/// Returns the resources of a template, each after those that it needs.
fn in_order(declared: &[Declared]) -> Vec<&Declared> {
    let mut left: Vec<_> = declared.iter().collect();
    let mut ordered: Vec<&Declared> = Vec::new();
    while !left.is_empty() {
        let is_next = |it: &&Declared| {
            let made = |id: &String| {
                !declared.iter().any(|it| it.id == *id) || ordered.iter().any(|it| it.id == *id)
            };
            it.after.iter().all(made)
        };
        let (next, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(is_next);
        // The resources depend on each other in a circle, which CloudFormation refuses.
        if next.is_empty() {
            ordered.extend(rest);
            return ordered;
        }
        ordered.extend(next);
        left = rest;
    }
    ordered
}

impl Filter {
    fn takes(&self, account: &str) -> bool {
        match self {
            Self::None => true,
            Self::Intersection(accounts) => accounts.contains(account),
            Self::Difference(accounts) => !accounts.contains(account),
        }
    }
}

impl Targets {
    /// Returns the accounts of the targets, each with the OU in which it was found.
    fn accounts(&self, memberships: &Memberships) -> Vec<(String, String)> {
        let found = memberships.iter().filter(|(account, _)| self.filter.takes(account));
        let found = found.filter_map(|(account, above)| {
            let unit = self.units.iter().find(|it| above.contains(*it))?;
            Some((account.clone(), unit.clone()))
        });
        found.collect()
    }
}

/// The changes that the handler of the resource makes to stacks, one call after the other.
#[derive(Debug, Default)]
struct Difference {
    delete: Vec<Targets>,
    create: Vec<Targets>,
    update: Vec<Targets>,
}

impl Difference {
    /// Compares the previous and the new places of stacks: Region by Region, and OU by OU in each.
    fn of(before: &[Targets], after: &[Targets]) -> Self {
        let by_place = |group: &[Targets]| {
            let mut places = BTreeMap::new();
            for it in group {
                for region in &it.regions {
                    for unit in &it.units {
                        places.insert((region.clone(), unit.clone()), it.filter.clone());
                    }
                }
            }
            places
        };
        let (before, after) = (by_place(before), by_place(after));
        let mut difference = Self::default();
        let targets = |(region, unit): &(String, String), filter: Filter| Targets {
            units: [unit.clone()].into(),
            filter,
            regions: [region.clone()].into(),
        };
        for (place, was) in before.iter().filter(|(it, _)| !after.contains_key(*it)) {
            difference.delete.push(targets(place, was.clone()));
        }
        for (place, will) in &after {
            let Some(was) = before.get(place) else {
                difference.create.push(targets(place, will.clone()));
                continue;
            };
            let [delete, create, update] = shared(was, will);
            difference.delete.extend(delete.map(|it| targets(place, it)));
            difference.create.extend(create.map(|it| targets(place, it)));
            difference.update.extend(update.map(|it| targets(place, it)));
        }
        difference
    }
}

/// Returns the accounts whose stacks are deleted, created and updated in an OU that stays: the
/// handler's nine cases.
fn shared(was: &Filter, will: &Filter) -> [Option<Filter>; 3] {
    use Filter::{Difference, Intersection, None};
    type Accounts = BTreeSet<String>;
    // An empty set and the set of all accounts are written without a filter.
    let only = |it: Accounts| (!it.is_empty()).then_some(Intersection(it));
    let but = |it: Accounts| Some(if it.is_empty() { None } else { Difference(it) });
    let minus = |one: &Accounts, other: &Accounts| one.difference(other).cloned().collect();
    let both = |one: &Accounts, other: &Accounts| one.intersection(other).cloned().collect();
    let either = |one: &Accounts, other: &Accounts| one.union(other).cloned().collect();
    match (was, will) {
        (None, None) => [Option::None, Option::None, Some(None)],
        (None, Intersection(b)) => [but(b.clone()), Option::None, only(b.clone())],
        (None, Difference(b)) => [only(b.clone()), Option::None, but(b.clone())],
        (Intersection(a), None) => [Option::None, but(a.clone()), only(a.clone())],
        (Intersection(a), Intersection(b)) => {
            [only(minus(a, b)), only(minus(b, a)), only(both(a, b))]
        }
        (Intersection(a), Difference(b)) => {
            [only(both(a, b)), but(either(a, b)), only(minus(a, b))]
        }
        (Difference(a), None) => [Option::None, only(a.clone()), but(a.clone())],
        (Difference(a), Intersection(b)) => {
            [but(either(a, b)), only(both(a, b)), only(minus(b, a))]
        }
        (Difference(a), Difference(b)) => [only(minus(b, a)), only(minus(a, b)), but(either(a, b))],
    }
}

/// The resource, as CloudFormation handles it.
impl StackSets {
    /// Creates the resource. After a failure, it has to be deleted again, as CloudFormation does.
    ///
    /// # Errors
    ///
    /// Returns an error if a StackSet with its name exists, or if too many accounts failed.
    pub fn create_resource(
        &mut self,
        model: &Model,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) -> Result<(), StackSetRefusal> {
        self.create_stack_set(&model.name, &model.definition)?;
        self.settle(model, &Difference::of(&[], &model.group), None, memberships, bodies)
    }

    /// Updates the resource. Stacks are deleted first, then the StackSet is updated, and then
    /// stacks are created and updated.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet no longer exists, or if too many accounts failed. Earlier
    /// steps stay done.
    pub fn update_resource(
        &mut self,
        before: &Model,
        after: &Model,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) -> Result<(), StackSetRefusal> {
        let changed = (before.definition != after.definition).then_some(&after.definition);
        let difference = Difference::of(&before.group, &after.group);
        self.settle(after, &difference, changed, memberships, bodies)
    }

    /// Deletes the resource: the stacks that the template lists, and then the StackSet.
    ///
    /// # Errors
    ///
    /// Returns an error if a stack cannot be deleted, or if the StackSet has others.
    pub fn delete_resource(
        &mut self,
        model: &Model,
        memberships: &Memberships,
    ) -> Result<(), StackSetRefusal> {
        for targets in Difference::of(&model.group, &[]).delete {
            let operation = self.delete_instances(&model.name, &targets, false, memberships)?;
            self.stabilized(&operation)?;
        }
        self.delete_stack_set(&model.name)
    }

    fn settle(
        &mut self,
        Model { name, tolerance, .. }: &Model,
        difference: &Difference,
        changed: Option<&Definition>,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) -> Result<(), StackSetRefusal> {
        for targets in &difference.delete {
            let operation = self.delete_instances(name, targets, false, memberships)?;
            self.stabilized(&operation)?;
        }
        if let Some(definition) = changed {
            let operation = self.update_stack_set(name, definition, *tolerance, bodies)?;
            self.stabilized(&operation)?;
        }
        for targets in &difference.create {
            let operation =
                self.create_instances(name, targets, *tolerance, memberships, bodies)?;
            self.stabilized(&operation)?;
        }
        for targets in &difference.update {
            let operation =
                self.update_instances(name, targets, *tolerance, memberships, bodies)?;
            self.stabilized(&operation)?;
        }
        Ok(())
    }

    fn stabilized(&self, operation: &str) -> Result<(), StackSetRefusal> {
        let succeeded = self.operation(operation).is_some_and(|it| it.succeeded);
        if succeeded { Ok(()) } else { Err(StackSetRefusal::OperationFailed) }
    }
}

/// The API of StackSets. Every operation completes at once, and fails if more than the tolerated
/// percentage of a Region's accounts fail.
impl StackSets {
    /// Performs `CreateStackSet`.
    ///
    /// # Errors
    ///
    /// Returns an error if a StackSet with that name exists.
    pub fn create_stack_set(
        &mut self,
        name: &str,
        definition: &Definition,
    ) -> Result<(), StackSetRefusal> {
        if self.sets.contains_key(name) {
            return Err(StackSetRefusal::NameAlreadyExists);
        }
        let set = StackSet { definition: definition.clone(), ..StackSet::default() };
        self.sets.insert(name.to_owned(), set);
        Ok(())
    }

    /// Performs `UpdateStackSet` without targets, which updates every stack. The StackSet itself is
    /// updated even if that fails.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet does not exist.
    pub fn update_stack_set(
        &mut self,
        name: &str,
        definition: &Definition,
        tolerance: usize,
        bodies: &Bodies<'_>,
    ) -> Result<String, StackSetRefusal> {
        let set = self.sets.get_mut(name).ok_or(StackSetRefusal::StackSetNotFound)?;
        set.definition = definition.clone();
        let mut places: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (region, instances) in &mut set.instances {
            for (account, it) in instances {
                if it.status == InstanceStatus::Current {
                    it.status = InstanceStatus::Outdated;
                }
                places.entry(region.clone()).or_default().push((account.clone(), it.unit.clone()));
            }
        }
        self.operate(name, &places, tolerance, bodies)
    }

    /// Performs `CreateStackInstances`. Accounts that have a stack of the StackSet are not changed.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet does not exist.
    pub fn create_instances(
        &mut self,
        name: &str,
        targets: &Targets,
        tolerance: usize,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) -> Result<String, StackSetRefusal> {
        let set = self.sets.get_mut(name).ok_or(StackSetRefusal::StackSetNotFound)?;
        for unit in &targets.units {
            let regions = set.targets.entry(unit.clone()).or_default();
            regions.extend(targets.regions.iter().cloned());
        }
        let accounts = targets.accounts(memberships);
        let mut places = BTreeMap::new();
        for region in &targets.regions {
            let there = set.instances.entry(region.clone()).or_default();
            let missing = accounts.iter().filter(|(account, _)| !there.contains_key(account));
            places.insert(region.clone(), missing.cloned().collect());
        }
        self.operate(name, &places, tolerance, bodies)
    }

    /// Performs `UpdateStackInstances`.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet does not exist.
    pub fn update_instances(
        &mut self,
        name: &str,
        targets: &Targets,
        tolerance: usize,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) -> Result<String, StackSetRefusal> {
        let places = self.there(name, targets, memberships)?;
        self.operate(name, &places, tolerance, bodies)
    }

    /// Performs `DeleteStackInstances`, which may retain stacks. A stack that cannot be deleted
    /// leaves an inoperable instance.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet does not exist.
    pub fn delete_instances(
        &mut self,
        name: &str,
        targets: &Targets,
        retains: bool,
        memberships: &Memberships,
    ) -> Result<String, StackSetRefusal> {
        let places = self.there(name, targets, memberships)?;
        let mut operation = StackSetOperation { succeeded: true, ..StackSetOperation::default() };
        for (region, accounts) in places {
            for (account, _) in accounts {
                if let Err(reason) = self.let_go(name, &account, &region, retains) {
                    operation.succeeded = false;
                    operation.failed.push((account, region.clone(), reason));
                }
            }
        }
        Ok(self.ended(operation))
    }

    /// Performs `DeleteStackSet`.
    ///
    /// # Errors
    ///
    /// Returns an error if the StackSet does not exist, or if it has stacks.
    pub fn delete_stack_set(&mut self, name: &str) -> Result<(), StackSetRefusal> {
        let set = self.sets.get(name).ok_or(StackSetRefusal::StackSetNotFound)?;
        if set.instances.values().any(|it| !it.is_empty()) {
            return Err(StackSetRefusal::StackSetNotEmpty);
        }
        self.sets.remove(name);
        Ok(())
    }

    /// Performs `ListStackInstances`: returns the account, the Region, and the record of each
    /// stack; `None` if no StackSet has that name.
    #[must_use]
    pub fn instances(&self, name: &str) -> Option<Vec<(&str, &str, &Instance)>> {
        let set = self.sets.get(name)?;
        let all = set.instances.iter().flat_map(|(region, it)| {
            it.iter().map(move |(account, it)| (account.as_str(), region.as_str(), it))
        });
        Some(all.collect())
    }

    /// Performs `DescribeStackSet`: returns the definition of a StackSet; `None` if no StackSet has
    /// that name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.sets.get(name).map(|it| &it.definition)
    }

    /// Returns an operation.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<&StackSetOperation> {
        self.operations.get(id)
    }

    /// Applies automatic deployment to an account that was in other OUs `before`.
    pub fn moved(
        &mut self,
        account: &str,
        before: &BTreeSet<String>,
        memberships: &Memberships,
        bodies: &Bodies<'_>,
    ) {
        let none = BTreeSet::new();
        let after = memberships.get(account).unwrap_or(&none);
        for (name, set) in self.sets.clone() {
            let Some(retains) = set.definition.auto_deployment else { continue };
            for (unit, regions) in set.targets {
                let [was, is] = [before, after].map(|it| it.contains(&unit));
                if was && !is {
                    for region in &regions {
                        // The instance reports the result.
                        drop(self.let_go(&name, account, region, retains == Retains::Stacks));
                    }
                }
                if is && !was {
                    let filter = Filter::Intersection([account.to_owned()].into());
                    let targets = Targets { units: [unit].into(), filter, regions };
                    drop(self.create_instances(&name, &targets, 0, memberships, bodies));
                }
            }
        }
    }

    /// Returns the existing stacks of these targets.
    fn there(
        &self,
        name: &str,
        targets: &Targets,
        memberships: &Memberships,
    ) -> Result<BTreeMap<String, Vec<(String, String)>>, StackSetRefusal> {
        let set = self.sets.get(name).ok_or(StackSetRefusal::StackSetNotFound)?;
        let found = targets.regions.iter().map(|region| {
            let there = set.instances.get(region).into_iter().flatten();
            let meant = there.filter(|(account, it)| {
                let above = memberships.get(*account);
                let is_below =
                    |unit: &String| it.unit == *unit || above.is_some_and(|it| it.contains(unit));
                targets.units.iter().any(is_below) && targets.filter.takes(account)
            });
            let meant = meant.map(|(account, it)| (account.clone(), it.unit.clone()));
            (region.clone(), meant.collect())
        });
        Ok(found.collect())
    }

    /// Creates or updates stacks, Region by Region, until too many accounts of a Region failed.
    fn operate(
        &mut self,
        name: &str,
        places: &BTreeMap<String, Vec<(String, String)>>,
        tolerance: usize,
        bodies: &Bodies<'_>,
    ) -> Result<String, StackSetRefusal> {
        let set = self.sets.get(name).ok_or(StackSetRefusal::StackSetNotFound)?;
        let definition = set.definition.clone();
        let mut operation = StackSetOperation { succeeded: true, ..StackSetOperation::default() };
        for (region, accounts) in places {
            let body = bodies(&definition, region);
            let tolerated = accounts.len() * tolerance / 100;
            let mut failures = 0;
            for (account, unit) in accounts {
                let there = self.sets.get(name).and_then(|it| it.instances.get(region));
                let stack = there.and_then(|it| it.get(account)).and_then(|it| it.stack.clone());
                let (stack, outcome) = if failures > tolerated {
                    (stack, Err("Cancelled since failure tolerance has exceeded".to_owned()))
                } else {
                    let (stack, outcome) = self.bring(stack, account, region, &body);
                    if let Err(reason) = &outcome {
                        failures += 1;
                        let failed = (account.clone(), region.clone(), reason.clone());
                        operation.failed.push(failed);
                    }
                    (stack, outcome)
                };
                let status = match outcome {
                    Ok(()) => InstanceStatus::Current,
                    Err(_) => InstanceStatus::Outdated,
                };
                let reason = outcome.err().unwrap_or_default();
                let instance = Instance { unit: unit.clone(), status, stack, reason };
                if let Some(set) = self.sets.get_mut(name) {
                    let there = set.instances.entry(region.clone()).or_default();
                    there.insert(account.clone(), instance);
                }
            }
            operation.succeeded &= failures <= tolerated;
        }
        Ok(self.ended(operation))
    }

    /// Updates a stack, or creates it if there is no complete one.
    fn bring(
        &mut self,
        stack: Option<String>,
        account: &str,
        region: &str,
        body: &[Declared],
    ) -> (Option<String>, Result<(), String>) {
        let complete = |it: &String| self.stacks.get(it).is_some_and(|it| it.is_complete);
        match stack {
            Some(id) if complete(&id) => {
                let outcome = self.update_stack(&id, body);
                (Some(id), outcome)
            }
            failed => {
                if let Some(id) = failed {
                    self.stacks.remove(&id);
                }
                let (id, outcome) = self.create_stack(account, region, body);
                (Some(id), outcome)
            }
        }
    }

    /// Removes an account and Region from a StackSet.
    fn let_go(
        &mut self,
        name: &str,
        account: &str,
        region: &str,
        retains: bool,
    ) -> Result<(), String> {
        let instances = |it: &mut Self| {
            let set = it.sets.get_mut(name)?;
            set.instances.get_mut(region)?.remove(account)
        };
        let Some(instance) = instances(self) else { return Ok(()) };
        let Some(stack) = instance.stack.clone().filter(|_| !retains) else { return Ok(()) };
        self.delete_stack(&stack).inspect_err(|reason| {
            let status = InstanceStatus::Inoperable;
            let instance = Instance { status, reason: reason.clone(), ..instance };
            if let Some(set) = self.sets.get_mut(name) {
                let there = set.instances.entry(region.to_owned()).or_default();
                there.insert(account.to_owned(), instance);
            }
        })
    }

    fn ended(&mut self, operation: StackSetOperation) -> String {
        self.made += 1;
        let id = format!("operation-{}", self.made);
        self.operations.insert(id.clone(), operation);
        id
    }
}

/// Stacks in accounts, and their resources.
impl StackSets {
    /// Creates a stack and returns its ID. A stack that could not be created is rolled back, and
    /// can only be deleted.
    pub fn create_stack(
        &mut self,
        account: &str,
        region: &str,
        body: &[Declared],
    ) -> (String, Result<(), String>) {
        self.made += 1;
        let id = format!("stack-{}", self.made);
        let (account, region) = (account.to_owned(), region.to_owned());
        let mut stack =
            MemberStack { account, region, is_complete: true, ..MemberStack::default() };
        let outcome = self.make(&id, &mut stack, in_order(body));
        if outcome.is_err() {
            stack.is_complete = false;
            for made in std::mem::take(&mut stack.resources).iter().rev() {
                if made.deletion != Deletion::Retain {
                    self.resources.remove(&made.key);
                }
            }
        }
        self.stacks.insert(id.clone(), stack);
        (id, outcome)
    }

    /// Updates a stack. New resources are created first, and removed ones are deleted afterwards.
    ///
    /// # Errors
    ///
    /// Returns an error if a resource cannot be created. The stack is then unchanged.
    pub fn update_stack(&mut self, id: &str, body: &[Declared]) -> Result<(), String> {
        let Some(stack) = self.stacks.get(id).cloned() else { return Ok(()) };
        let key = |it: &Declared| key(&stack.account, &stack.region, id, it);
        let is_there = |it: &&Declared| stack.resources.iter().any(|was| was.key == key(it));
        let (there, new): (Vec<_>, Vec<_>) = in_order(body).into_iter().partition(is_there);
        let mut after = MemberStack { resources: Vec::new(), ..stack.clone() };
        let outcome = self.make(id, &mut after, new);
        if outcome.is_err() {
            for made in &after.resources {
                self.resources.remove(&made.key);
            }
            return outcome;
        }
        let mut kept = Vec::new();
        for was in &stack.resources {
            match there.iter().find(|it| key(it) == was.key) {
                Some(is) => kept.push(Made { deletion: is.deletion, ..was.clone() }),
                None if was.deletion == Deletion::Delete => {
                    self.resources.remove(&was.key);
                }
                None => {}
            }
        }
        kept.append(&mut after.resources);
        self.stacks.insert(id.to_owned(), MemberStack { resources: kept, ..after });
        Ok(())
    }

    /// Deletes a stack. Resources that depend on others are deleted first.
    ///
    /// # Errors
    ///
    /// Returns an error at the first resource that AWS does not delete. The rest of the stack
    /// remains.
    pub fn delete_stack(&mut self, id: &str) -> Result<(), String> {
        let Some(mut stack) = self.stacks.remove(id) else { return Ok(()) };
        while let Some(made) = stack.resources.pop() {
            if made.deletion != Deletion::Delete {
                continue;
            }
            if self.filled.contains(&made.key) {
                let reason = format!("{} cannot be deleted: it has recovery points", made.key);
                stack.resources.push(made);
                self.stacks.insert(id.to_owned(), stack);
                return Err(reason);
            }
            self.resources.remove(&made.key);
        }
        if stack.is_complete {
            self.deleted.push((stack.account, stack.region));
        }
        Ok(())
    }

    fn make(
        &mut self,
        id: &str,
        stack: &mut MemberStack,
        declared: Vec<&Declared>,
    ) -> Result<(), String> {
        for it in declared {
            let key = key(&stack.account, &stack.region, id, it);
            if self.refusing.contains(&stack.account) {
                return Err(format!("{key}: access is denied by a service control policy"));
            }
            if self.resources.contains(&key) {
                self.collisions.push(key.clone());
                return Err(format!("{key} already exists"));
            }
            self.resources.insert(key.clone());
            stack.resources.push(Made { deletion: it.deletion, key });
        }
        Ok(())
    }
}

/// Methods for tests.
impl StackSets {
    /// Puts a backup into every existing vault.
    pub fn back_up(&mut self) {
        let vaults = self
            .resources
            .iter()
            .filter(|key| key.split(' ').nth(2).is_some_and(|kind| VAULTS.contains(&kind)));
        self.filled.extend(vaults.cloned());
    }

    /// Returns `true` if a vault has backups.
    #[must_use]
    pub fn has_backups(&self, vault: &str) -> bool {
        self.filled.contains(vault)
    }

    /// Deletes the backups of a vault.
    pub fn empty(&mut self, vault: &str) {
        self.filled.remove(vault);
    }

    /// Deletes something that no stack has any more, and returns whether it was there.
    pub fn remove(&mut self, resource: &str) -> bool {
        self.resources.remove(resource)
    }

    /// Makes every creation fail in these accounts, and in no others.
    pub fn refuse_in(&mut self, accounts: &[&str]) {
        self.refusing = accounts.iter().map(|it| (*it).to_owned()).collect();
    }

    /// Returns the resources that were to be created under an existing name.
    #[must_use]
    pub fn collisions(&self) -> &[String] {
        &self.collisions
    }

    /// Returns the accounts and Regions whose complete stacks were deleted.
    #[must_use]
    pub fn deleted(&self) -> &[(String, String)] {
        &self.deleted
    }

    /// Returns the existing resources: account, Region, type and name. Resources without a Region
    /// have a hyphen in its place.
    #[must_use]
    pub fn resources(&self) -> &BTreeSet<String> {
        &self.resources
    }
}
