//! One fault at a time while something is put back: at every call, everything that can go wrong
//! with it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Entry, Settings};
use tests::in_process::Wire;
use tests::organization::{Latency, Organization, document};
use tests::reattach::{TOPIC, told};
use tests::role::STATE_BUCKET;

use crate::deliveries::{FULL_TIME, batch, deliver, schedule};
use crate::extent::few;
use crate::pool::{attempt, deep};
use crate::trouble::{Trouble, survived, troubles};

/// What somebody did, and what CloudTrail tells of it.
struct Damage {
    name: &'static str,
    /// Does it, and returns what the function is invoked with.
    how: fn(&Organization) -> Value,
}

const DAMAGES: &[Damage] = &[
    Damage { name: "a policy is detached", how: |it| batch(&[detach(it)]) },
    Damage { name: "a policy is deleted", how: |it| batch(&delete(it)) },
    Damage { name: "a policy type is disabled", how: |it| batch(&[disable(it)]) },
    Damage {
        name: "the switches are turned off",
        how: |it| {
            let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
            it.backup(|it| it.update_global_settings(&off).unwrap());
            schedule()
        },
    },
];

fn detach(organization: &Organization) -> Value {
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    told("DetachPolicy", &json!({ "policyId": policy, "targetId": root }))
}

fn delete(organization: &Organization) -> [Value; 2] {
    let policy = organization.policy_id("daily");
    let detached = detach(organization);
    organization.organization(|it| it.delete_policy(&policy).unwrap());
    [detached, told("DeletePolicy", &json!({ "policyId": policy }))]
}

fn disable(organization: &Organization) -> Value {
    let root = organization.id("root");
    organization.organization(|it| it.disable_policy_type(&root, BACKUP_POLICY).unwrap());
    told("DisablePolicyType", &json!({ "rootId": root, "policyType": BACKUP_POLICY }))
}

/// What an organization is like once everything is deployed.
struct Deployed {
    organization: simulator::Organization,
    backup: simulator::Backup,
    buckets: simulator::Buckets,
    stacks: simulator::Stacks,
}

/// An organization in which everything is deployed. Deploying it once is enough.
async fn deployed() -> Organization {
    static DEPLOYED: OnceLock<Deployed> = OnceLock::new();
    let organization = Organization::bare(Settings::default()).await.in_process(Latency::None);
    organization.topics(|it| it.create(TOPIC));
    if let Some(deployed) = DEPLOYED.get() {
        organization.organization(|it| it.clone_from(&deployed.organization));
        organization.backup(|it| it.clone_from(&deployed.backup));
        organization.buckets(|it| it.clone_from(&deployed.buckets));
        organization.stacks(|it| it.clone_from(&deployed.stacks));
        return organization;
    }
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    for (function, properties) in [
        ("policy-types", json!({ "PolicyTypes": [BACKUP_POLICY] })),
        ("service-access", json!({ "ServicePrincipals": ["backup.amazonaws.com"] })),
        ("global-settings", json!({ "CrossAccountBackup": true })),
        ("backup-policy", json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" })),
    ] {
        let mut stack = organization.stack(function).named(function).kept();
        let _ = stack.create(properties).await.ok();
    }
    organization.clear_journal();
    DEPLOYED.get_or_init(|| Deployed {
        organization: organization.organization(|it| it.clone()),
        backup: organization.backup(|it| it.clone()),
        buckets: organization.buckets(|it| it.clone()),
        stacks: organization.stacks(|it| it.clone()),
    });
    organization
}

fn wire(organization: &Organization) -> Wire {
    Wire::new(organization.direct(), None)
}

/// A damage, and the calls that it takes to put right.
struct Undisturbed {
    damage: &'static Damage,
    calls: Vec<Entry>,
}

fn undisturbed(damage: &'static Damage) -> Undisturbed {
    let run = attempt(1, async {
        let organization = deployed().await;
        let before = organization.state();
        let payload = (damage.how)(&organization);
        assert_ne!(organization.state(), before, "nothing is damaged");
        organization.clear_journal();
        let delivered = deliver(&organization, &wire(&organization), payload, FULL_TIME).await;
        assert_eq!(delivered, Ok(1));
        assert_eq!(organization.state(), before);
        organization.journal()
    });
    let calls = run.unwrap_or_else(|why| panic!("{}: {why}", damage.name));
    Undisturbed { damage, calls }
}

/// Something that goes wrong with one call.
struct Injection<'a> {
    of: &'a Undisturbed,
    nth: u64,
    trouble: Trouble,
}

impl Injection<'_> {
    fn call(&self) -> &Entry {
        &self.of.calls[usize::try_from(self.nth).unwrap() - 1]
    }

    /// What goes wrong, whichever call of the operation it is, and whatever is put back.
    fn kind(&self) -> String {
        format!("{:?} of {}", self.trouble, self.call().operation)
    }
}

impl fmt::Display for Injection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call();
        let (name, nth, trouble) = (self.of.damage.name, self.nth, &self.trouble);
        write!(f, "{name}, {trouble:?} at call {nth} ({})", call.operation)
    }
}

async fn survive(injection: &Injection<'_>) {
    let Injection { of, nth, trouble } = injection;
    let organization = deployed().await;
    let before = organization.state();
    let payload = (of.damage.how)(&organization);
    organization.clear_journal();
    let wire = wire(&organization);
    trouble.inject(*nth, &organization, &wire);
    let late = matches!(trouble, Trouble::Late);
    let deadline = if late { Duration::from_secs(15) } else { FULL_TIME };
    deliver(&organization, &wire, payload.clone(), deadline).await.unwrap();
    assert!(!wire.spare(), "the call never came");
    organization.clear_faults();
    // What was given up for the next time is done by the next time.
    deliver(&organization, &wire, schedule(), FULL_TIME).await.unwrap();
    assert_eq!(organization.state(), before, "in the end");
    let lost: Vec<_> = organization.journal().into_iter().flat_map(|it| it.lost).collect();
    assert!(lost.is_empty(), "{lost:?}");
    organization.clear_journal();
    deliver(&organization, &wire, payload, FULL_TIME).await.unwrap();
    let writes = organization.take_writes();
    // The schedule always writes a new page.
    let writes: Vec<_> = writes.lines().filter(|it| !it.contains("organization.html")).collect();
    assert!(writes.is_empty(), "the second time: {writes:?}");
}

#[test]
fn whatever_goes_wrong_while_something_is_put_back_it_is_put_back_in_the_end() {
    let all: Vec<_> = deep(|| DAMAGES.iter().map(undisturbed).collect());
    let mut injections = Vec::new();
    for of in &all {
        let mut seen = BTreeSet::new();
        for (nth, call) in (1..).zip(&of.calls) {
            // The second read of a kind breaks in the same ways as the first.
            let again = !seen.insert(&call.operation) && !call.write;
            let troubles = troubles(call).into_iter().take(if again { 2 } else { usize::MAX });
            injections.extend(troubles.map(|trouble| Injection { of, nth, trouble }));
        }
    }
    let injections = few(injections, Injection::kind);
    println!("{} faults while something is put back", injections.len());
    survived(&injections, survive);
}
