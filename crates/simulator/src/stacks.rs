//! CloudFormation stacks that can be described. Nothing is deployed.

use std::collections::BTreeMap;

use policy::partition::Partition;

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The description in its template.
    pub description: String,
    /// Its status, for example `CREATE_COMPLETE`.
    pub status: String,
    /// Its ARN. One is generated if there is none.
    pub id: Option<String>,
    /// The values of its parameters, as they were passed.
    pub parameters: BTreeMap<String, String>,
    /// Its template.
    pub template: String,
    /// The values that it exports, by their names.
    pub exports: BTreeMap<String, String>,
}

impl Stack {
    /// Returns its ARN in this Region of the account.
    pub(crate) fn arn(&self, partition: Partition, region: &str, account: &str) -> String {
        let Self { name, id, .. } = self;
        let made_up =
            || format!("arn:{partition}:cloudformation:{region}:{account}:stack/{name}/0");
        id.clone().unwrap_or_else(made_up)
    }
}

/// A resource of a stack, as CloudFormation describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackResource {
    /// Its type, for example `Custom::BackupPolicy`.
    pub kind: String,
    /// The ID that CloudFormation has for it. It is empty until there is one.
    pub physical_id: String,
    /// Its status, for example `CREATE_COMPLETE`.
    pub status: String,
}

/// The stacks of the management account.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    /// By Region.
    described: BTreeMap<String, Vec<Stack>>,
    /// By the ARN of the stack and the name in its template. The resources of a deleted stack are
    /// described for 90 days.
    resources: BTreeMap<String, BTreeMap<String, StackResource>>,
}

impl Stacks {
    /// Creates a stack in a Region. It replaces a stack with the same name.
    pub fn put(&mut self, region: &str, stack: Stack) {
        let there = self.described.entry(region.to_owned()).or_default();
        there.retain(|it| it.name != stack.name);
        there.push(stack);
    }

    pub(crate) fn of(&self, region: &str) -> &[Stack] {
        self.described.get(region).map(Vec::as_slice).unwrap_or_default()
    }

    /// Sets the state of the resource `logical_id` of the stack with this ARN.
    pub fn tell(&mut self, stack_arn: &str, logical_id: &str, resource: StackResource) {
        let resources = self.resources.entry(stack_arn.to_owned()).or_default();
        resources.insert(logical_id.to_owned(), resource);
    }

    /// Forgets a stack: it never existed, or was deleted more than 90 days ago.
    pub fn forget(&mut self, stack_arn: &str) {
        self.resources.remove(stack_arn);
    }

    /// Returns the state of the resource `logical_id` of the stack with this ARN.
    #[must_use]
    pub fn told(&self, stack_arn: &str, logical_id: &str) -> Option<&StackResource> {
        self.resources_of(stack_arn)?.get(logical_id)
    }

    pub(crate) fn resources_of(&self, arn: &str) -> Option<&BTreeMap<String, StackResource>> {
        self.resources.get(arn)
    }
}
