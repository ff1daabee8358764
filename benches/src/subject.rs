//! What is asked of each function.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Settings};
use tests::organization::{Organization, document};
use tests::stack::Stack;

/// A function and a resource that is created, left as it is, and deleted.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The function.
    pub function: &'static str,
    /// What a bare organization needs first.
    prepare: fn(&Organization),
    /// The resource.
    properties: fn(&Organization) -> Value,
}

/// Every function, each with a resource as a first deployment has it.
pub const SUBJECTS: [Subject; 4] = [
    Subject { function: "backup-policy", prepare: enable, properties: policy },
    Subject { function: "global-settings", prepare: nothing, properties: settings },
    Subject { function: "policy-types", prepare: nothing, properties: types },
    Subject { function: "service-access", prepare: nothing, properties: access },
];

impl Subject {
    /// The organization that the function works in, which has a bucket for the state.
    pub async fn organization(&self) -> Organization {
        let organization = Organization::bare(Settings::default()).await;
        (self.prepare)(&organization);
        organization
    }

    /// The resource's stack, and its properties.
    pub fn stack<'a>(&self, organization: &'a Organization) -> (Stack<'a>, Value) {
        (organization.stack(self.function), (self.properties)(organization))
    }
}

fn nothing(_: &Organization) {}

fn enable(organization: &Organization) {
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).expect("a bare organization takes the type");
    });
}

fn policy(_: &Organization) -> Value {
    json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" })
}

fn settings(_: &Organization) -> Value {
    json!({ "CrossAccountBackup": true })
}

fn types(_: &Organization) -> Value {
    json!({ "PolicyTypes": ["BACKUP_POLICY"] })
}

fn access(organization: &Organization) -> Value {
    json!({
        "ServicePrincipals": ["backup.amazonaws.com"],
        "StackSets": true,
        "DelegatedAdministrators": [{
            "AccountId": organization.id("security-000"),
            "ServicePrincipal": "backup.amazonaws.com",
        }],
    })
}
