//! The accounts and Regions that get a stack: the answers of StackSets, asked as `scripts/deploy`
//! asks.

use std::collections::BTreeSet;

use simulator::{
    AccountState, Declared, Definition, Deletion, Filter, InstanceStatus, Memberships,
    Organization, StackSetRefusal, StackSets, Targets,
};

use crate::failure::{DemoError, ensure};

/// The Regions in which backups are made. The first one has the roles.
pub(crate) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];

/// The name of the StackSet.
const SET: &str = "org-backup-rollout-members";

/// A roll-out to member accounts.
#[derive(Debug)]
pub(crate) struct Rollout {
    stack_sets: StackSets,
    /// The accounts and Regions that have stacks.
    made: BTreeSet<(String, String)>,
}

impl Rollout {
    /// Creates a StackSet without stacks. Its operations stop at the first account that fails.
    pub(crate) fn new() -> Result<Self, DemoError> {
        let mut stack_sets = StackSets::default();
        stack_sets.create_stack_set(SET, &Definition::default()).map_err(refused)?;
        Ok(Self { stack_sets, made: BTreeSet::new() })
    }

    /// Makes creations fail in these accounts, and in no others.
    pub(crate) fn refuse_in(&mut self, accounts: &[&str]) {
        self.stack_sets.refuse_in(accounts);
    }

    /// Rolls out to an OU except some accounts. Returns whether that succeeded, and the accounts
    /// and Regions whose stacks are to be created for it.
    pub(crate) fn roll_out(
        &mut self,
        organization: &Organization,
        unit: &str,
        but: &[&str],
    ) -> Result<(bool, Vec<(String, String)>), DemoError> {
        let memberships = memberships(organization);
        let filter = |accounts: BTreeSet<String>| Targets {
            units: [unit.to_owned()].into(),
            filter: Filter::Difference(accounts),
            regions: REGIONS.map(str::to_owned).into(),
        };
        let left_out: BTreeSet<_> = but.iter().map(|it| (*it).to_owned()).collect();
        let failed = self.instances(InstanceStatus::Outdated);
        let failed: BTreeSet<_> = failed.into_iter().map(|(account, _)| account).collect();
        let again = Targets { filter: Filter::Intersection(failed), ..filter(BTreeSet::new()) };
        let sets = &mut self.stack_sets;
        let operations = [
            sets.update_instances(SET, &again, 0, &memberships, &body).map_err(refused)?,
            sets.create_instances(SET, &filter(left_out), 0, &memberships, &body)
                .map_err(refused)?,
        ];
        let succeeded = |id: &String| sets.operation(id).is_some_and(|it| it.succeeded);
        let succeeded = operations.iter().all(succeeded);
        ensure(sets.deleted().is_empty() && sets.collisions().is_empty(), || {
            format!(
                "no stack is deleted or made twice: {:?} {:?}",
                sets.deleted(),
                sets.collisions()
            )
        })?;
        let mut new = self.instances(InstanceStatus::Current);
        new.retain(|it| self.made.insert(it.clone()));
        Ok((succeeded, new))
    }

    /// Returns the number of stacks.
    pub(crate) fn count(&self) -> usize {
        self.made.len()
    }

    fn instances(&self, status: InstanceStatus) -> Vec<(String, String)> {
        let instances = self.stack_sets.instances(SET).unwrap_or_default();
        let such = instances.into_iter().filter(|it| it.2.status == status);
        such.map(|(account, region, _)| (account.to_owned(), region.to_owned())).collect()
    }
}

/// Returns the OUs above each account that StackSets reach. They do not reach the management
/// account and suspended accounts.
fn memberships(organization: &Organization) -> Memberships {
    let reached = organization
        .accounts()
        .filter(|it| it.state == AccountState::Active && it.id != organization.management_account);
    let above = reached.map(|it| {
        let path = organization.path(&it.id).into_iter().filter(|node| *node != it.id);
        (it.id.clone(), path.map(str::to_owned).collect())
    });
    above.collect()
}

/// Returns the resource that prevents a second stack. The local CloudFormation creates the other
/// resources.
fn body(_: &Definition, _: &str) -> Vec<Declared> {
    let vault = Declared {
        id: "Vault".to_owned(),
        kind: "AWS::Backup::BackupVault".to_owned(),
        name: Some("org-backup".to_owned()),
        deletion: Deletion::RetainExceptOnCreate,
        after: BTreeSet::new(),
    };
    vec![vault]
}

fn refused(refusal: StackSetRefusal) -> DemoError {
    DemoError::NotSo(format!("StackSets does what it is asked: {refusal:?}"))
}
