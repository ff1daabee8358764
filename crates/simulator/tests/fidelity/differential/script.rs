//! The calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shape::{self, Outcome};
use crate::support::Client;

/// What came of a call.
pub(crate) struct Step {
    pub(crate) step: String,
    pub(crate) outcome: Outcome,
}

/// Calls one after another, whose answers name things for the calls after them.
struct Script<'a> {
    client: &'a Client,
    names: BTreeMap<&'static str, String>,
    steps: Vec<Step>,
}

impl Script<'_> {
    /// Calls an operation; every string `$name` in the request stands for what has that name.
    async fn call(&mut self, step: &str, operation: &str, request: Value) -> Value {
        let request = self.filled(request);
        let reply = self.client.organizations(operation, request).await;
        let outcome = match reply.code() {
            // No body and an object without members are the same answer to every client.
            code if code.is_empty() && reply.body.is_empty() => Ok(shape::of(&json!({}))),
            code if code.is_empty() => Ok(shape::of(&reply.json())),
            code => Err(code),
        };
        self.steps.push(Step { step: step.to_owned(), outcome });
        reply.json()
    }

    fn name(&mut self, name: &'static str, value: &Value) {
        self.names.insert(name, value.as_str().expect("something to name").to_owned());
    }

    fn filled(&self, request: Value) -> Value {
        match request {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => Value::from(self.names[name].as_str()),
                None => Value::String(text),
            },
            Value::Array(list) => list.into_iter().map(|it| self.filled(it)).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(name, it)| (name, self.filled(it))).collect()
            }
            other => other,
        }
    }
}

pub(crate) async fn run(client: &Client) -> Vec<Step> {
    let mut script = Script { client, names: BTreeMap::new(), steps: Vec::new() };
    tree(&mut script).await;
    types(&mut script).await;
    policies(&mut script).await;
    attachments(&mut script).await;
    tags(&mut script).await;
    accounts(&mut script).await;
    script.steps
}

async fn tree(script: &mut Script<'_>) {
    script.call("describe the organization", "DescribeOrganization", json!({})).await;
    let roots = script.call("list the roots", "ListRoots", json!({})).await;
    script.name("root", &roots["Roots"][0]["Id"]);
    let request = json!({ "ParentId": "$root", "Name": "Archive" });
    let unit = script.call("create a unit", "CreateOrganizationalUnit", request.clone()).await;
    script.name("unit", &unit["OrganizationalUnit"]["Id"]);
    let other = json!({ "ParentId": "$root", "Name": "Elsewhere" });
    let other = script.call("create another unit", "CreateOrganizationalUnit", other).await;
    script.name("elsewhere", &other["OrganizationalUnit"]["Id"]);
    script.call("create the unit again", "CreateOrganizationalUnit", request).await;
    let request = json!({ "ParentId": "r-zzzz", "Name": "Lost" });
    script.call("create a unit nowhere", "CreateOrganizationalUnit", request).await;
    let request = json!({ "OrganizationalUnitId": "$unit" });
    script.call("describe the unit", "DescribeOrganizationalUnit", request).await;
    let request = json!({ "OrganizationalUnitId": "ou-zzzz-00000000" });
    script.call("describe no unit", "DescribeOrganizationalUnit", request).await;
    let list = "ListOrganizationalUnitsForParent";
    script.call("list the units", list, json!({ "ParentId": "$root" })).await;
    script.call("list the units of nothing", list, json!({ "ParentId": "r-zzzz" })).await;
    script.call("list the parents of the unit", "ListParents", json!({ "ChildId": "$unit" })).await;
    let request = json!({ "ChildId": "ou-zzzz-00000000" });
    script.call("list the parents of nothing", "ListParents", request).await;
}

async fn types(script: &mut Script<'_>) {
    let kind = |root: &str, kind: &str| json!({ "RootId": root, "PolicyType": kind });
    let backup = kind("$root", "BACKUP_POLICY");
    script.call("disable what is off", "DisablePolicyType", backup.clone()).await;
    script.call("enable backup policies", "EnablePolicyType", backup.clone()).await;
    script.call("enable them again", "EnablePolicyType", backup.clone()).await;
    let request = kind("r-zzzz", "BACKUP_POLICY");
    script.call("enable them in no root", "EnablePolicyType", request).await;
    script.call("enable no type", "EnablePolicyType", kind("$root", "NAP_POLICY")).await;
    script.call("disable backup policies", "DisablePolicyType", backup).await;
}

async fn policies(script: &mut Script<'_>) {
    let policy = |name: &str, content: &str| {
        json!({
            "Name": name, "Description": "", "Type": "BACKUP_POLICY", "Content": content,
            "Tags": [{ "Key": "owner", "Value": "us" }],
        })
    };
    let content = r#"{"plans":{"daily":{}}}"#;
    let created = script.call("create a policy", "CreatePolicy", policy("daily", content)).await;
    script.name("policy", &created["Policy"]["PolicySummary"]["Id"]);
    script.call("create the policy again", "CreatePolicy", policy("daily", content)).await;
    script.call("create what is no JSON", "CreatePolicy", policy("bad", "plans")).await;
    let request = policy("worse", r#"{"rules":{}}"#);
    script.call("create what is no backup policy", "CreatePolicy", request).await;
    let long = format!(r#"{{"plans":{{}}{}}}"#, " ".repeat(10_000));
    script.call("create what is too long", "CreatePolicy", policy("long", &long)).await;
    let mut request = policy("nap", content);
    request["Type"] = json!("NAP_POLICY");
    script.call("create a policy of no type", "CreatePolicy", request).await;
    let created = script.call("create another", "CreatePolicy", policy("weekly", content)).await;
    script.name("other", &created["Policy"]["PolicySummary"]["Id"]);
    let this = json!({ "PolicyId": "$policy" });
    script.call("describe the policy", "DescribePolicy", this.clone()).await;
    let missing = json!({ "PolicyId": "p-0123456789" });
    script.call("describe no policy", "DescribePolicy", missing.clone()).await;
    let request = json!({ "PolicyId": "$policy", "Content": r#"{"plans":{}}"# });
    script.call("update the content", "UpdatePolicy", request).await;
    let request = json!({ "PolicyId": "$policy", "Content": "plans" });
    script.call("update it to no JSON", "UpdatePolicy", request).await;
    let request = json!({ "PolicyId": "$policy", "Name": "weekly" });
    script.call("update it to a name taken", "UpdatePolicy", request).await;
    script.call("update no policy", "UpdatePolicy", missing.clone()).await;
    let filter = json!({ "Filter": "BACKUP_POLICY" });
    script.call("list the policies", "ListPolicies", filter).await;
    script.call("list without a filter", "ListPolicies", json!({})).await;
    let filter = json!({ "Filter": "SERVICE_CONTROL_POLICY" });
    script.call("list the policies of AWS", "ListPolicies", filter).await;
    script.call("delete no policy", "DeletePolicy", missing).await;
    script.call("delete the other", "DeletePolicy", json!({ "PolicyId": "$other" })).await;
    script.call("delete it again", "DeletePolicy", json!({ "PolicyId": "$other" })).await;
    let request = json!({ "PolicyId": "p-FullAWSAccess" });
    script.call("delete a policy of AWS", "DeletePolicy", request).await;
}

async fn attachments(script: &mut Script<'_>) {
    let at = |target: &str| json!({ "PolicyId": "$policy", "TargetId": target });
    script.call("attach while the type is off", "AttachPolicy", at("$root")).await;
    let request = json!({ "RootId": "$root", "PolicyType": "BACKUP_POLICY" });
    script.call("enable backup policies once more", "EnablePolicyType", request.clone()).await;
    script.call("attach to the root", "AttachPolicy", at("$root")).await;
    script.call("attach to the root again", "AttachPolicy", at("$root")).await;
    script.call("attach to the unit", "AttachPolicy", at("$unit")).await;
    script.call("attach to nothing", "AttachPolicy", at("ou-zzzz-00000000")).await;
    let nothing = json!({ "PolicyId": "p-0123456789", "TargetId": "$root" });
    script.call("attach nothing", "AttachPolicy", nothing.clone()).await;
    let filter = json!({ "TargetId": "$root", "Filter": "BACKUP_POLICY" });
    script.call("list what is attached", "ListPoliciesForTarget", filter).await;
    let filter = json!({ "TargetId": "ou-zzzz-00000000", "Filter": "BACKUP_POLICY" });
    script.call("list what is attached to nothing", "ListPoliciesForTarget", filter).await;
    let this = json!({ "PolicyId": "$policy" });
    script.call("list the targets", "ListTargetsForPolicy", this.clone()).await;
    let missing = json!({ "PolicyId": "p-0123456789" });
    script.call("list the targets of nothing", "ListTargetsForPolicy", missing).await;
    script.call("delete what is attached", "DeletePolicy", this.clone()).await;
    script.call("detach from the unit", "DetachPolicy", at("$unit")).await;
    script.call("detach from the unit again", "DetachPolicy", at("$unit")).await;
    script.call("detach from nothing", "DetachPolicy", at("ou-zzzz-00000000")).await;
    script.call("detach nothing", "DetachPolicy", nothing).await;
    script.call("disable with a policy attached", "DisablePolicyType", request).await;
    script.call("list the targets afterwards", "ListTargetsForPolicy", this.clone()).await;
    script.call("delete what was detached", "DeletePolicy", this).await;
}

async fn tags(script: &mut Script<'_>) {
    let tags = json!([{ "Key": "team", "Value": "storage" }]);
    let request = json!({ "ResourceId": "$unit", "Tags": tags });
    script.call("tag the unit", "TagResource", request).await;
    let this = json!({ "ResourceId": "$unit" });
    script.call("list the tags", "ListTagsForResource", this.clone()).await;
    let request = json!({ "ResourceId": "$unit", "TagKeys": ["team"] });
    script.call("untag the unit", "UntagResource", request).await;
    script.call("list no tags", "ListTagsForResource", this).await;
    let request = json!({ "ResourceId": "ou-zzzz-00000000", "Tags": tags });
    script.call("tag nothing", "TagResource", request).await;
    let request = json!({ "ResourceId": "ou-zzzz-00000000" });
    script.call("list the tags of nothing", "ListTagsForResource", request).await;
}

async fn accounts(script: &mut Script<'_>) {
    let request = json!({ "Email": "vault@example.com", "AccountName": "vault" });
    let created = script.call("create an account", "CreateAccount", request).await;
    script.name("request", &created["CreateAccountStatus"]["Id"]);
    let request = json!({ "CreateAccountRequestId": "$request" });
    let status = script.call("look at its state", "DescribeCreateAccountStatus", request).await;
    script.name("account", &status["CreateAccountStatus"]["AccountId"]);
    script.call("list the accounts", "ListAccounts", json!({})).await;
    let request = json!({ "AccountId": "$account" });
    script.call("describe the account", "DescribeAccount", request).await;
    let request = json!({ "AccountId": "999999999999" });
    script.call("describe no account", "DescribeAccount", request).await;
    let to = |from: &str, to: &str| json!({ "AccountId": "$account", "SourceParentId": from, "DestinationParentId": to });
    script.call("move from where it is not", "MoveAccount", to("$unit", "$elsewhere")).await;
    script.call("move to nowhere", "MoveAccount", to("$root", "r-zzzz")).await;
    script.call("move the account", "MoveAccount", to("$root", "$unit")).await;
    let request = json!({ "ParentId": "$unit" });
    script.call("list the accounts of the unit", "ListAccountsForParent", request).await;
    let request = json!({ "ParentId": "r-zzzz" });
    script.call("list the accounts of nothing", "ListAccountsForParent", request).await;
    let request = json!({ "ChildId": "$account" });
    script.call("list the parents of the account", "ListParents", request).await;
}
