//! Requests that together make every kind of call, for facts about all of them.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use simulator::{Entry, Settings};
use tests::organization::{Organization, document};
use tests::stack::{Answer, Stack};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// A request, and what comes before it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    /// What is done to a bare organization first.
    prepare: Prepare,
    /// The resource that is created first.
    before: Option<Properties>,
    /// The new properties, or `None` for a Delete.
    after: Option<Properties>,
    /// What it was like once the resource was created, so that creating it once is enough.
    created: Arc<OnceLock<Created>>,
}

struct Created {
    organization: simulator::Organization,
    backup: simulator::Backup,
    physical_id: Option<String>,
}

impl Case {
    /// The organization in which the request is to be sent.
    pub(crate) async fn organization(&self, settings: Settings) -> Organization {
        let organization = Organization::bare(settings).await;
        (self.prepare)(&organization);
        organization
    }

    /// The resource as the request finds it, and the request.
    pub(crate) async fn begin<'a>(&self, organization: &'a Organization) -> (Stack<'a>, Value) {
        let mut stack = organization.stack(self.function);
        let before = self.before.map(|it| it(organization));
        match (before.clone(), self.created.get()) {
            (Some(before), Some(created)) => {
                organization.organization(|it| it.clone_from(&created.organization));
                organization.backup(|it| it.clone_from(&created.backup));
                stack.resume(created.physical_id.clone(), before);
            }
            (Some(before), None) => {
                let _ = stack.create(before).await.ok();
                // Whether StackSets is activated cannot be carried over.
                if !organization.stack_sets_activated() {
                    self.created.get_or_init(|| Created {
                        organization: organization.organization(|it| it.clone()),
                        backup: organization.backup(|it| it.clone()),
                        physical_id: stack.physical_id.clone(),
                    });
                }
            }
            (None, _) => {}
        }
        let after = self.after.map(|it| it(organization));
        let event = match (before, after) {
            (None, Some(after)) => stack.event("Create", &after),
            (Some(before), Some(after)) => {
                let mut event = stack.event("Update", &after);
                let old = stack.event("Update", &before);
                event["OldResourceProperties"] = old["ResourceProperties"].clone();
                event
            }
            (before, None) => stack.event("Delete", &before.unwrap_or_default()),
        };
        organization.clear_journal();
        (stack, event)
    }

    /// Whether the resource exists before and after.
    pub(crate) fn is_update(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }

    /// Whether the resource is gone after.
    pub(crate) fn is_delete(&self) -> bool {
        self.after.is_none()
    }

    /// The properties of an update.
    pub(crate) fn after(&self, organization: &Organization) -> Value {
        self.after.map(|it| it(organization)).unwrap_or_default()
    }
}

type Prepare = fn(&Organization);
type Properties = fn(&Organization) -> Value;

/// Every kind of request to every function.
pub(crate) fn all() -> Vec<Case> {
    fn nothing(_: &Organization) {}
    fn enabled(organization: &Organization) {
        organization.organization(|it| {
            let root = it.root.clone();
            it.enable_policy_type(&root, simulator::BACKUP_POLICY).unwrap();
        });
        // Something that protects the accounts whatever happens to ours, but for one.
        organization.foreign_policy("theirs", &["Workloads"]);
    }
    fn namesake(organization: &Organization) {
        enabled(organization);
        organization.foreign_policy("daily", &["root"]);
    }
    fn types(_: &Organization) -> Value {
        json!({ "PolicyTypes": ["BACKUP_POLICY", "TAG_POLICY"], "OnDelete": "Disable" })
    }
    fn access(organization: &Organization) -> Value {
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
    fn settings(_: &Organization) -> Value {
        json!({ "CrossAccountBackup": true, "MultiPartyApproval": true, "OnDelete": "Restore" })
    }
    fn daily(organization: &Organization) -> Value {
        json!({
            "Name": "daily", "Content": document(3), "Tags": { "team": "storage" },
            "TargetIds": [organization.id("Security"), organization.id("Sandbox")],
        })
    }
    fn nightly(organization: &Organization) -> Value {
        json!({
            "Name": "nightly", "Content": document(4), "Tags": { "tier": "1" },
            "TargetIds": [organization.id("Security"), "root"],
        })
    }
    fn adopted(_: &Organization) -> Value {
        json!({ "Name": "daily", "Content": document(4), "TargetIds": "root", "Adopt": true })
    }
    let case = |name, function, prepare, before, after| {
        let created = Arc::default();
        Case { name, function, prepare, before, after, created }
    };
    let (nothing, enabled, namesake) =
        (nothing as Prepare, enabled as Prepare, namesake as Prepare);
    let [types, access, settings, daily, nightly, adopted] =
        [types as Properties, access, settings, daily, nightly, adopted];
    vec![
        case("enable policy types", "policy-types", nothing, None, Some(types)),
        case("disable policy types", "policy-types", nothing, Some(types), None),
        case("give service access", "service-access", nothing, None, Some(access)),
        case("revert service access", "service-access", nothing, Some(access), None),
        case("set global settings", "global-settings", nothing, None, Some(settings)),
        case("restore global settings", "global-settings", nothing, Some(settings), None),
        case("create a policy", "backup-policy", enabled, None, Some(daily)),
        case("update a policy", "backup-policy", enabled, Some(daily), Some(nightly)),
        case("delete a policy", "backup-policy", enabled, Some(daily), None),
        case("adopt a policy", "backup-policy", namesake, None, Some(adopted)),
        case("release a policy", "backup-policy", namesake, Some(adopted), None),
    ]
}

/// A case, and what comes of it when nothing goes wrong.
#[derive(Clone)]
pub(crate) struct Undisturbed {
    pub(crate) case: Case,
    pub(crate) calls: Vec<Entry>,
    pub(crate) answer: Answer,
    pub(crate) end: String,
}

/// Every case, run once for all tests.
pub(crate) async fn undisturbed() -> Vec<Undisturbed> {
    static ALL: OnceCell<Vec<Undisturbed>> = OnceCell::const_new();
    let all = ALL.get_or_init(|| async {
        let mut running = JoinSet::new();
        for case in all() {
            running.spawn(async move {
                let organization = case.organization(Settings::default()).await;
                let (mut stack, event) = case.begin(&organization).await;
                let answer = stack.send(&event).await.ok();
                let (calls, end) = (organization.journal(), organization.state());
                Undisturbed { case, calls, answer, end }
            });
        }
        running.join_all().await
    });
    all.await.clone()
}

/// Runs `check` for everything in `items`, many at a time, since most of the time they wait.
pub(crate) async fn for_each<T, F>(items: Vec<T>, check: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for item in items {
        if running.len() >= 24 {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(check(item));
    }
    running.join_all().await;
}
