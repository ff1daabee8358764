//! The roles of the functions, as the templates have them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use simulator::{POLICY_TYPES, Role};

use crate::organization::Organization;
use crate::reattach::TOPIC;
use crate::sweeps::CHAT_TOPIC;
use crate::template::{EVERYTHING, REQUIRED, Template};

/// The bucket that is the state bucket where there is one.
pub const STATE_BUCKET: &str = "state";
/// The key that encrypts it.
pub const STATE_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a6f9d1c-state";

/// The key that encrypts the topic.
pub const TOPIC_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a6f9d1c-topic";

/// The state machine that runs `member-accounts` in batches, which is named after its stack.
pub const STATE_MACHINE: &str = "arn:aws:states:us-east-1:111122223333:stateMachine:members";

/// A role of a function.
#[derive(Clone, Debug)]
pub struct FunctionRole {
    /// Its name.
    pub name: String,
    /// The account that it is in, where that is not the management account.
    pub account: Option<String>,
    /// What it allows, one policy each.
    pub statements: Vec<Value>,
}

/// Values that leave everything as it is when a stack is deleted.
const RETAINING: &[(&str, &str)] = &[
    ("GlobalSettingsOnDelete", "Retain"),
    ("PolicyTypesOnDelete", "Retain"),
    ("ServiceAccessOnDelete", "Retain"),
];

/// The role of every function, by function, of stacks that can do everything.
static ROLES: LazyLock<BTreeMap<String, FunctionRole>> = LazyLock::new(|| all(&[]));

/// The same of stacks that can do everything but take it back.
static RETAINING_ROLES: LazyLock<BTreeMap<String, FunctionRole>> = LazyLock::new(|| all(RETAINING));

fn all(parameters: &'static [(&str, &str)]) -> BTreeMap<String, FunctionRole> {
    let templates = Template::all();
    // The function of the management account has the same name in the account that it delegates to.
    let templates = templates.iter().filter(|it| it.name != "delegated-policies.yaml");
    templates.flat_map(|it| roles(it, parameters)).collect()
}

impl FunctionRole {
    /// The role that the template of `function` gives it when its stack can do everything.
    ///
    /// # Panics
    ///
    /// When no template has such a function.
    #[must_use]
    pub fn of(function: &str) -> Self {
        ROLES[function].clone()
    }

    /// The role that the template of `function` gives it when its stack takes nothing back.
    ///
    /// # Panics
    ///
    /// When no template has such a function.
    #[must_use]
    pub fn retaining(function: &str) -> Self {
        RETAINING_ROLES[function].clone()
    }

    /// The role that this template gives `function` with these parameters.
    ///
    /// # Panics
    ///
    /// When it has no such function.
    #[must_use]
    pub fn given(function: &str, template: &Template, parameters: &[(&str, &str)]) -> Self {
        let mut roles = roles(template, parameters).into_iter();
        roles.find(|(name, _)| name == function).unwrap().1
    }

    /// Every function with a role.
    #[must_use]
    pub fn functions() -> Vec<&'static str> {
        ROLES.keys().map(String::as_str).collect()
    }

    /// This role without one of its statements.
    #[must_use]
    pub fn without(mut self, statement: usize) -> Self {
        self.statements.remove(statement);
        self
    }

    /// Makes the role in the management account, and returns the access key of a session of it.
    ///
    /// # Panics
    ///
    /// When the role has what the simulator does not know.
    #[must_use]
    pub fn session(&self, organization: &Organization) -> String {
        let (management, id) =
            organization.organization(|it| (it.management_account.clone(), it.id.clone()));
        let account = self.account.clone().unwrap_or(management);
        // Lambda assumes it, which is no call.
        let role = Role::trusting_account(&self.name, &account);
        let policy = |it: &Value| {
            let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": it });
            serde_json::from_str(&policy.to_string().replace("organization-of-ours", &id)).unwrap()
        };
        let role = self.statements.iter().fold(role, |role, it| role.allowing(&policy(it)));
        organization.iam(|it| it.create_role(&account, role));
        let arn = format!("arn:aws:iam::{account}:role/{}", self.name);
        organization.session(&arn, "function")
    }
}

/// Parameters with a name or an ID that stand for every one, so that they get a wildcard.
const ANY: [&str; 4] = [
    "BackupAdministratorAccountIds",
    "CentralAccountId",
    "PolicyBucket",
    "StackSetsAdministratorAccountId",
];

/// The roles of the functions of a template.
fn roles(template: &Template, own: &[(&str, &str)]) -> Vec<(String, FunctionRole)> {
    let types = POLICY_TYPES.join(",");
    let here = [
        ("AWS::AccountId", "111122223333"),
        ("AWS::Partition", "aws"),
        ("AWS::Region", "us-east-1"),
        ("AWS::StackName", "members"),
        ("AWS::URLSuffix", "amazonaws.com"),
        ("PolicyTypes", &types),
    ];
    let any = ANY.map(|name| (name, "*"));
    let mut template = template.clone();
    for name in ANY {
        if let Some(Value::Object(declared)) = template.body["Parameters"].get_mut(name) {
            declared.remove("AllowedPattern");
        }
    }
    let stack = template.with(&[REQUIRED, EVERYTHING, &here, &any, own].concat());
    let functions = template.resources("AWS::Lambda::Function").into_iter();
    let role = |(_, function): (&str, &Value)| {
        let function = &function["Properties"];
        let key = stack.resolve(&function["Code"]["S3Key"]).unwrap();
        let name = key.as_str().unwrap().rsplit('/').next().unwrap().replace(".zip", "");
        let role = function["Role"]["Fn::GetAtt"][0].as_str().unwrap();
        let role = &template.body["Resources"][role]["Properties"];
        let policies = located(stack.resolve(&role["Policies"]).unwrap());
        let statements = policies.as_array().unwrap().iter();
        let statements =
            statements.flat_map(|it| it["PolicyDocument"]["Statement"].as_array().unwrap().clone());
        let own = role.get("RoleName").map(|it| stack.resolve(it).unwrap());
        let own = own.map_or_else(|| name.clone(), |it| it.as_str().unwrap().to_owned());
        (name, FunctionRole { name: own, account: None, statements: statements.collect() })
    };
    functions.map(role).collect()
}

/// Puts what other resources and stacks have in place of their names.
fn located(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(located).collect(),
        Value::Object(map) => map.into_iter().map(|(key, it)| (key, located(it))).collect(),
        Value::String(text) => {
            let (start, rest) = text.split_at(text.find('/').unwrap_or(text.len()));
            let bucket = format!("arn:aws:s3:::{STATE_BUCKET}");
            let known = match start {
                it if it == "StateBucket.Arn" || it.ends_with("-StateBucketArn") => &bucket,
                it if it == "StateKey.Arn" || it.ends_with("-StateKeyArn") => STATE_KEY,
                "ChatTopic" => CHAT_TOPIC,
                "Topic" => TOPIC,
                "TopicKey.Arn" => TOPIC_KEY,
                it if it.ends_with("-StateMachineArn") => STATE_MACHINE,
                it if it.ends_with("-OrganizationId") => "organization-of-ours",
                other => other,
            };
            Value::String(format!("{known}{rest}"))
        }
        other => other,
    }
}
