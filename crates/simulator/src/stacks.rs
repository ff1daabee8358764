//! Stacks of CloudFormation, as far as they can be looked at. Nothing is deployed.

use std::collections::BTreeMap;

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// What its template says of itself.
    pub description: String,
    /// Its status, as in `CREATE_COMPLETE`.
    pub status: String,
    /// Its ARN; one is made up where there is none.
    pub id: Option<String>,
    /// The values of its parameters, as they were passed.
    pub parameters: BTreeMap<String, String>,
    /// Its template.
    pub template: String,
}

impl Stack {
    /// Its ARN, in this Region of the account.
    pub(crate) fn arn(&self, partition: &str, region: &str, account: &str) -> String {
        let Self { name, id, .. } = self;
        let made_up =
            || format!("arn:{partition}:cloudformation:{region}:{account}:stack/{name}/0");
        id.clone().unwrap_or_else(made_up)
    }
}

/// The stacks of the management account, by Region.
#[derive(Clone, Debug, Default)]
pub struct Stacks(BTreeMap<String, Vec<Stack>>);

impl Stacks {
    /// Makes a stack in a Region, in place of the one of the same name.
    pub fn put(&mut self, region: &str, stack: Stack) {
        let there = self.0.entry(region.to_owned()).or_default();
        there.retain(|it| it.name != stack.name);
        there.push(stack);
    }

    pub(crate) fn of(&self, region: &str) -> &[Stack] {
        self.0.get(region).map(Vec::as_slice).unwrap_or_default()
    }
}
