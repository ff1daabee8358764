//! Requests that together make every kind of call, for facts about all of them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use simulator::Settings;

use crate::organization::{Organization, document};
use crate::role::STATE_BUCKET;
use crate::stack::{Answer, Stack};

/// A request, and what comes before it.
#[derive(Clone)]
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// The function that is asked.
    pub function: &'static str,
    /// What is done to a bare organization first.
    prepare: Prepare,
    /// The resource that is created first.
    before: Option<Properties>,
    /// The new properties, or `None` for a Delete.
    after: Option<Properties>,
    /// Whether the function runs in a member account and assumes a role.
    assumes_role: bool,
    /// Whether the function keeps in a bucket what should be.
    pub keeps_state: bool,
    /// What it was like once the resource was created, so that creating it once is enough.
    created: Arc<OnceLock<Created>>,
}

struct Created {
    organization: simulator::Organization,
    backup: simulator::Backup,
    buckets: simulator::Buckets,
    physical_id: Option<String>,
}

impl Case {
    /// The organization in which the request is to be sent.
    pub async fn organization(&self, settings: Settings) -> Organization {
        let organization = Organization::bare(settings).await;
        (self.prepare)(&organization);
        organization
    }

    /// The resource as the request finds it.
    pub async fn resource<'a>(&self, organization: &'a Organization) -> Stack<'a> {
        let mut stack = organization.stack(self.function);
        if self.keeps_state {
            organization.buckets(|it| it.create_bucket(STATE_BUCKET));
            stack = stack.kept();
        }
        if self.assumes_role {
            let member = organization.id("production-001");
            let _role = organization.management_role(&member);
            stack = stack.in_account(&member);
        }
        match (self.properties(self.before, organization), self.created.get()) {
            (Some(before), Some(created)) => {
                organization.organization(|it| it.clone_from(&created.organization));
                organization.backup(|it| it.clone_from(&created.backup));
                organization.buckets(|it| it.clone_from(&created.buckets));
                stack.resume(created.physical_id.clone(), before);
            }
            (Some(before), None) => {
                let _ = stack.create(before).await.ok();
                // Whether StackSets is activated cannot be carried over.
                if !organization.stack_sets_activated() {
                    self.created.get_or_init(|| Created {
                        organization: organization.organization(|it| it.clone()),
                        backup: organization.backup(|it| it.clone()),
                        buckets: organization.buckets(|it| it.clone()),
                        physical_id: stack.physical_id.clone(),
                    });
                }
            }
            (None, _) => {}
        }
        organization.clear_journal();
        stack
    }

    /// The resource as the request finds it, and the request.
    pub async fn begin<'a>(&self, organization: &'a Organization) -> (Stack<'a>, Value) {
        let mut stack = self.resource(organization).await;
        let before = self.properties(self.before, organization);
        let event = match (before, self.properties(self.after, organization)) {
            (None, Some(after)) => stack.event("Create", &after),
            (Some(before), Some(after)) => {
                let mut event = stack.event("Update", &after);
                let old = stack.event("Update", &before);
                event["OldResourceProperties"] = old["ResourceProperties"].clone();
                event
            }
            (before, None) => stack.event("Delete", &before.unwrap_or_default()),
        };
        (stack, event)
    }

    /// Has CloudFormation send the request, and what follows when it fails.
    pub async fn change(&self, stack: &mut Stack<'_>) -> Answer {
        match (stack.physical_id.is_some(), self.properties(self.after, stack.organization())) {
            (false, Some(after)) => stack.create(after).await,
            (true, Some(after)) => stack.update(after).await,
            (_, None) => stack.delete().await,
        }
    }

    /// Whether a rollback leaves all as it was. Policy types stay enabled, since nothing says which
    /// were found so, and a record of what was found is not looked at unless it is asked for. A policy
    /// that was adopted is released as it is by then.
    pub fn can_go_back(&self, organization: &Organization) -> bool {
        let [before, after] = [self.before, self.after].map(|it| self.properties(it, organization));
        let asks = |it: &Value| it.get("OnDelete").is_some_and(|it| it != "Retain");
        let is_set = |it: &Value| it.get("Adopt").is_some_and(|it| it != "false" && *it != false);
        let adopts = before.is_none() && after.as_ref().is_some_and(is_set);
        let stops = before.is_some_and(|it| !asks(&it)) && after.is_some_and(|it| asks(&it));
        self.function != "policy-types" && !stops && !adopts
    }

    /// Whether the resource exists before and after.
    pub fn is_update(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }

    /// Whether the resource is gone after.
    pub fn is_delete(&self) -> bool {
        self.after.is_none()
    }

    /// The properties of an update.
    pub fn after(&self, organization: &Organization) -> Value {
        self.properties(self.after, organization).unwrap_or_default()
    }

    /// The desired state for `reattach`, in words: a line for each resource, with
    /// what it is to be and whether that is still being changed.
    ///
    /// # Panics
    ///
    /// When something else is kept there.
    pub fn wanted(&self, organization: &Organization) -> String {
        let entries = organization.buckets(|it| {
            let keys = it.keys(STATE_BUCKET).into_iter().filter(|it| it.starts_with("desired/"));
            let entry = |key| it.get(STATE_BUCKET, key, None).unwrap().body.clone();
            keys.map(entry).collect::<Vec<_>>()
        });
        let line = |it: Vec<u8>| {
            let it: Value = serde_json::from_slice(&it).unwrap();
            let changing = !it["ChangingSince"].is_null();
            let deleted = !it["DeletedSince"].is_null();
            let wanted = if deleted { &Value::Null } else { &it["Properties"] };
            format!("{wanted}, changing: {changing}, deleted: {deleted}\n")
        };
        organization.named(&entries.into_iter().map(line).collect::<String>())
    }

    /// The accounts that a policy of the resource reaches both before and after, so that it has to
    /// reach them all the time.
    pub fn kept(&self, organization: &Organization) -> BTreeSet<String> {
        let [before, after] = [self.before, self.after].map(|it| self.properties(it, organization));
        let reached = |it: &Value| organization.reached(&it["TargetIds"]);
        match (before, after) {
            (Some(before), Some(after)) => &reached(&before) & &reached(&after),
            // What is taken over was there before, and is there after it is released.
            (Some(it), None) | (None, Some(it)) if it["Adopt"] == true => reached(&it),
            _ => BTreeSet::new(),
        }
    }

    fn properties(&self, of: Option<Properties>, organization: &Organization) -> Option<Value> {
        let mut properties = of?(organization);
        if self.assumes_role {
            let role = "arn:aws:iam::111122223333:role/Bootstrap";
            properties["ManagementRoleArn"] = json!(role);
        }
        Some(properties)
    }

    fn in_member(self, name: &'static str) -> Self {
        Self { name, assumes_role: true, created: Arc::default(), ..self }
    }

    fn with_state(self, name: &'static str) -> Self {
        Self { name, keeps_state: true, created: Arc::default(), ..self }
    }
}

type Prepare = fn(&Organization);
type Properties = fn(&Organization) -> Value;

/// Every kind of request to every function.
pub fn all() -> Vec<Case> {
    use self::properties as of;
    vec![
        case("enable policy types", "policy-types", nothing, None, Some(of::types)),
        case("disable policy types", "policy-types", nothing, Some(of::types), None),
        case("give service access", "service-access", nothing, None, Some(of::access)),
        case("revert service access", "service-access", nothing, Some(of::access), None),
        case("set global settings", "global-settings", nothing, None, Some(of::settings)),
        case("restore global settings", "global-settings", nothing, Some(of::settings), None),
        case("create a policy", "backup-policy", enabled, None, Some(of::daily)),
        case("update a policy", "backup-policy", enabled, Some(of::daily), Some(of::nightly)),
        case("delete a policy", "backup-policy", enabled, Some(of::daily), None),
        case("adopt a policy", "backup-policy", namesake, None, Some(of::adopted)),
        case("release a policy", "backup-policy", namesake, Some(of::adopted), None),
    ]
}

/// More requests, which make no call that those of [`all`] do not make.
pub fn more() -> Vec<Case> {
    use self::properties as of;
    let [types, access, settings, policy] =
        ["policy-types", "service-access", "global-settings", "backup-policy"];
    let update = |name, function, prepare: Prepare, before: Properties, after: Properties| {
        case(name, function, prepare, Some(before), Some(after))
    };
    let create =
        |name, prepare: Prepare, after: Properties| case(name, policy, prepare, None, Some(after));
    let mut cases = vec![
        update("leave policy types", types, nothing, of::types, of::types),
        update("add a policy type", types, enabled, of::fewer_types, of::types),
        case("retain policy types", types, nothing, Some(of::fewer_types), None),
        update("leave service access", access, nothing, of::access, of::access),
        update("take service access back", access, nothing, of::access, of::less_access),
        update("give more service access", access, nothing, of::less_access, of::access),
        update("revert service access from now on", access, nothing, of::retained, of::access),
        update("change global settings", settings, nothing, of::settings, of::other_settings),
        update("restore settings from now on", settings, nothing, of::kept_settings, of::settings),
        update("restore settings no more", settings, nothing, of::settings, of::kept_settings),
        update("leave a policy", policy, enabled, of::daily, of::daily),
        update("rename a policy", policy, enabled, of::daily, of::renamed),
        update("move a policy up", policy, enabled, of::by_account, of::daily),
        update("move a policy down", policy, enabled, of::nightly, of::by_account),
        update("read a policy from a bucket", policy, bucket, of::daily, of::from_bucket),
        create("create a policy from a bucket", bucket, of::from_bucket),
        create("create a policy with a warning", enabled, of::warned),
        create("create a policy unseen", enabled, of::unseen),
        update("change an adopted policy", policy, namesake, of::adopted, of::adopted_elsewhere),
        update("adopt what is ours", policy, enabled, of::daily, of::adopted_elsewhere),
    ];
    for (it, name) in all().into_iter().zip([
        "enable policy types from a member account",
        "disable policy types from a member account",
        "give service access from a member account",
        "revert service access from a member account",
        "set global settings from a member account",
        "restore global settings from a member account",
        "create a policy from a member account",
        "update a policy from a member account",
        "delete a policy from a member account",
    ]) {
        cases.push(it.in_member(name));
    }
    for (it, name) in all().into_iter().zip([
        "enable policy types and keep that",
        "disable policy types and keep that no more",
        "give service access and keep that",
        "revert service access and keep that no more",
        "set global settings and keep that",
        "restore global settings and keep that no more",
        "create a policy and keep that",
        "update a policy and keep that",
        "delete a policy and keep that no more",
    ]) {
        cases.push(it.with_state(name));
    }
    cases
}

fn case(
    name: &'static str,
    function: &'static str,
    prepare: Prepare,
    before: Option<Properties>,
    after: Option<Properties>,
) -> Case {
    let created = Arc::default();
    let (assumes_role, keeps_state) = (false, false);
    Case { name, function, prepare, before, after, assumes_role, keeps_state, created }
}

fn nothing(_: &Organization) {}

fn enabled(organization: &Organization) {
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, simulator::BACKUP_POLICY).unwrap();
    });
    // Something that protects all accounts but one, independently of ours.
    organization.foreign_policy("theirs", &["Workloads"]);
}

fn namesake(organization: &Organization) {
    enabled(organization);
    organization.foreign_policy("daily", &["root"]);
}

fn bucket(organization: &Organization) {
    enabled(organization);
    let document = document(5).to_string();
    organization.buckets(|it| it.put("documents", "nightly.json", document));
}

/// Properties of the resources.
mod properties {
    use super::{Organization, Value, document, json};

    pub(super) fn types(_: &Organization) -> Value {
        json!({ "PolicyTypes": ["BACKUP_POLICY", "TAG_POLICY"], "OnDelete": "Disable" })
    }

    pub(super) fn fewer_types(_: &Organization) -> Value {
        json!({ "PolicyTypes": "BACKUP_POLICY" })
    }

    pub(super) fn access(organization: &Organization) -> Value {
        json!({
            "ServicePrincipals": ["backup.amazonaws.com"],
            "StackSets": true,
            "DelegatedAdministrators": [{
                "AccountId": organization.id("security-000"),
                "ServicePrincipal": "backup.amazonaws.com",
            }],
            "OnDelete": "Revert",
        })
    }

    pub(super) fn less_access(_: &Organization) -> Value {
        json!({ "ServicePrincipals": ["backup.amazonaws.com"], "OnDelete": "Revert" })
    }

    pub(super) fn retained(_: &Organization) -> Value {
        json!({ "ServicePrincipals": ["backup.amazonaws.com"] })
    }

    pub(super) fn settings(_: &Organization) -> Value {
        json!({ "CrossAccountBackup": true, "MultiPartyApproval": true, "OnDelete": "Restore" })
    }

    pub(super) fn other_settings(_: &Organization) -> Value {
        json!({
            "CrossAccountBackup": true, "MultiPartyApproval": false, "OnDelete": "Restore",
            "DelegatedAdministrator": true,
        })
    }

    pub(super) fn kept_settings(_: &Organization) -> Value {
        json!({ "CrossAccountBackup": true })
    }

    pub(super) fn daily(organization: &Organization) -> Value {
        json!({
            "Name": "daily", "Content": document(3), "Tags": { "team": "storage" },
            "TargetIds": [organization.id("Security"), organization.id("Sandbox")],
        })
    }

    pub(super) fn nightly(organization: &Organization) -> Value {
        json!({
            "Name": "nightly", "Content": document(4), "Tags": { "tier": "1" },
            "TargetIds": [organization.id("Security"), "root"],
        })
    }

    pub(super) fn renamed(organization: &Organization) -> Value {
        let mut properties = daily(organization);
        properties["Name"] = json!("weekly");
        properties["Description"] = json!("Once a week");
        properties
    }

    pub(super) fn by_account(organization: &Organization) -> Value {
        let accounts = ["security-000", "sandbox-008", "sandbox-009", "management"];
        let accounts = accounts.map(|it| organization.id(it));
        json!({ "Name": "daily", "Content": document(3), "TargetIds": accounts })
    }

    pub(super) fn from_bucket(organization: &Organization) -> Value {
        json!({
            "Name": "daily", "ContentUrl": "s3://documents/nightly.json",
            "TargetIds": organization.id("Security"),
        })
    }

    pub(super) fn warned(organization: &Organization) -> Value {
        let mut properties = daily(organization);
        properties["Preflight"] = json!("Warn");
        properties
    }

    pub(super) fn unseen(organization: &Organization) -> Value {
        let mut properties = daily(organization);
        properties["Preflight"] = json!("Off");
        properties
    }

    pub(super) fn adopted(_: &Organization) -> Value {
        json!({ "Name": "daily", "Content": document(4), "TargetIds": "root", "Adopt": true })
    }

    pub(super) fn adopted_elsewhere(organization: &Organization) -> Value {
        let mut properties = adopted(organization);
        properties["TargetIds"] =
            json!([organization.id("Security"), organization.id("Workloads")]);
        properties["Tags"] = json!({ "tier": "1" });
        properties
    }
}
