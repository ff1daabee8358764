//! The resources of the random schedules, each of a stack of its own, and the properties that they
//! are given. None wants what another one does not want.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::Role;
use tests::organization::{Organization, document};
use tests::reattach::TOPIC;
use tests::role::STATE_BUCKET;

/// The Region of the member accounts' settings.
const REGION: &str = "eu-west-1";

/// A resource: a row of the table.
pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    /// Whether the function runs in a member account and assumes a role.
    pub(crate) assumes_role: bool,
    /// What its policy may be called, if it has one.
    pub(crate) names: &'static [&'static str],
    /// Whether somebody else may interfere with its policy.
    has_policy: bool,
    variants: &'static [fn(&Organization) -> Value],
}

impl Resource {
    /// How many properties it has to choose from.
    pub(crate) fn count(&self) -> usize {
        self.variants.len()
    }

    /// Its properties of this number.
    pub(crate) fn properties(&self, number: usize, organization: &Organization) -> Value {
        let properties = self.variants[number](organization);
        let role = "arn:aws:iam::111122223333:role/Bootstrap";
        if self.assumes_role {
            with(properties, "ManagementRoleArn", json!(role))
        } else {
            properties
        }
    }
}

pub(crate) const RESOURCES: &[Resource] = &[
    Resource {
        name: "Types",
        function: "policy-types",
        assumes_role: false,
        names: &[],
        has_policy: false,
        variants: &[
            |_| json!({ "PolicyTypes": ["BACKUP_POLICY", "TAG_POLICY"] }),
            |_| json!({ "PolicyTypes": ["CHATBOT_POLICY", "TAG_POLICY"], "OnDelete": "Disable" }),
            |_| json!({ "PolicyTypes": ["TAG_POLICY"], "OnDelete": "Disable" }),
        ],
    },
    Resource {
        name: "Access",
        function: "service-access",
        assumes_role: false,
        names: &[],
        has_policy: false,
        variants: &[
            |it| access(it, &["backup.amazonaws.com"], &["security-000"], true),
            |it| access(it, &["backup.amazonaws.com"], &[], false),
            |it| access(it, &["backup.amazonaws.com", "ram.amazonaws.com"], &[], true),
            |_| json!({ "ServicePrincipals": ["backup.amazonaws.com"] }),
        ],
    },
    Resource {
        name: "OtherAccess",
        function: "service-access",
        assumes_role: true,
        names: &[],
        has_policy: false,
        variants: &[
            |it| access(it, &["config.amazonaws.com"], &["sandbox-008"], false),
            |it| access(it, &["config.amazonaws.com"], &[], false),
        ],
    },
    Resource {
        name: "Settings",
        function: "global-settings",
        assumes_role: false,
        names: &[],
        has_policy: false,
        variants: &[
            |_| json!({ "CrossAccountBackup": true, "OnDelete": "Restore" }),
            |_| {
                json!({
                    "CrossAccountBackup": false, "MultiPartyApproval": true,
                    "OnDelete": "Restore",
                })
            },
            |_| json!({ "DelegatedAdministrator": true }),
        ],
    },
    Resource {
        name: "Daily",
        function: "backup-policy",
        assumes_role: false,
        names: &["daily", "nightly"],
        has_policy: true,
        variants: &[
            |it| policy(it, "daily", 3, &["Security", "Sandbox"]),
            |it| policy(it, "daily", 3, &["root"]),
            |it| policy(it, "nightly", 4, &["Production", "Security"]),
            |it| with(policy(it, "daily", 4, &["Security"]), "Preflight", json!("Off")),
            |it| with(policy(it, "daily", 3, &["Sandbox", "root"]), "Tags", json!({ "tier": "1" })),
        ],
    },
    Resource {
        name: "Weekly",
        function: "backup-policy",
        assumes_role: true,
        names: &["weekly", "from-bucket"],
        has_policy: true,
        variants: &[
            |it| with(policy(it, "weekly", 5, &["root"]), "Preflight", json!("Warn")),
            |it| policy(it, "weekly", 6, &["Workloads", "security-000"]),
            |it| {
                json!({
                    "Name": "from-bucket", "ContentUrl": "s3://documents/weekly.json",
                    "TargetIds": [it.id("Workloads")], "Description": "",
                })
            },
        ],
    },
    Resource {
        name: "Adopted",
        function: "backup-policy",
        assumes_role: false,
        names: &["inherited"],
        has_policy: false,
        variants: &[
            |it| with(policy(it, "inherited", 1, &["Development"]), "Adopt", json!(true)),
            |it| with(policy(it, "inherited", 7, &["Development"]), "Adopt", json!(true)),
        ],
    },
    Resource {
        name: "Members",
        function: "member-accounts",
        assumes_role: false,
        names: &[],
        has_policy: false,
        variants: &[
            |_| members(json!({ "EBS": true, "S3": true })),
            |_| members(json!({ "EFS": true, "S3": false })),
        ],
    },
];

/// The numbers of those that have a policy with which somebody else may interfere.
pub(crate) fn with_policy() -> Vec<usize> {
    (0..RESOURCES.len()).filter(|it| RESOURCES[*it].has_policy).collect()
}

/// What there is before the first request.
pub(crate) async fn prepare(organization: &Organization) {
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, simulator::BACKUP_POLICY).unwrap();
    });
    // Until it is.
    pass(Duration::from_mins(1)).await;
    organization.organization(|it| {
        let root = it.root.clone();
        let tags = [("cost-centre".to_owned(), "17".to_owned())];
        it.tag(&root, &tags).unwrap();
    });
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let anything = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let role = Role::trusting_account("org-backup-member", "111122223333").allowing(&anything);
    organization.iam(|it| it.create_role_everywhere(role));
    // The functions of a member account assume it, and so does `reattach` in their place.
    let management = organization.organization(|it| it.management_account.clone());
    let trusted = json!([organization.id("production-001"), management]);
    let statement = json!({
        "Effect": "Allow", "Principal": { "AWS": trusted }, "Action": "sts:AssumeRole",
    });
    let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
    organization.iam(|it| it.create_role(&management, Role::new("Bootstrap", &trust)));
    organization.topics(|it| it.create(TOPIC));
    organization.foreign_policy("theirs", &["Workloads"]);
    organization.foreign_policy("inherited", &["Development"]);
    organization.buckets(|it| it.put("documents", "weekly.json", document(8).to_string()));
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
}

/// What the simulator tells of an organization, in words that stay the same from run to run.
pub(crate) fn state(organization: &Organization) -> String {
    let mut state = organization.state();
    let accounts = organization.organization(|it| {
        it.accounts().map(|it| (it.id.clone(), it.name.clone())).collect::<Vec<_>>()
    });
    for (id, name) in accounts {
        let settings = organization.backup(|it| it.region_settings(&id, REGION));
        let on = settings.opt_in.into_iter().filter(|it| it.1);
        state += &on.map(|it| name.clone() + " is opted in to " + &it.0 + "\n").collect::<String>();
    }
    state
}

#[expect(clippy::disallowed_methods, reason = "the order of events is tried out here")]
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

fn access(it: &Organization, services: &[&str], accounts: &[&str], stack_sets: bool) -> Value {
    let administrator =
        |account: &&str| json!({ "AccountId": it.id(account), "ServicePrincipal": services[0] });
    json!({
        "ServicePrincipals": services, "StackSets": stack_sets, "OnDelete": "Revert",
        "DelegatedAdministrators": accounts.iter().map(administrator).collect::<Value>(),
    })
}

fn policy(organization: &Organization, name: &str, hour: u8, targets: &[&str]) -> Value {
    let targets: Value = targets.iter().map(|it| json!(organization.id(it))).collect();
    json!({ "Name": name, "Content": document(hour), "TargetIds": targets })
}

fn members(types: Value) -> Value {
    json!({ "RoleName": "org-backup-member", "Regions": REGION, "OptIn": types })
}

fn with(mut properties: Value, name: &str, value: Value) -> Value {
    properties[name] = value;
    properties
}
