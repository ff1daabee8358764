//! A simulated organization, described in words that stay the same from run to run.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use expect_test::Expect;
use fastrand::Rng;
use plan::desired_state::{Entry as Kept, PREFIX};
use plan::reattach::{Lease, Sweep};
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, BackedUp, Entry, Role, Settings, Simulator, StackResource};

use crate::in_process::Wire;
use crate::role::STATE_BUCKET;
use crate::stack::Stack;

/// Text of every policy, which no log may show.
pub const POLICY_TEXT: &str = "vault-that-no-log-may-name";

/// An organization on loopback.
#[derive(Debug)]
pub struct Organization {
    simulator: Simulator,
    /// How many requests CloudFormation has sent.
    requests: AtomicU32,
    /// What policies were called when they were first seen, by ID.
    policies: Mutex<BTreeMap<String, String>>,
    /// What decides how long calls take, where functions run in the process of the test.
    in_process: Option<Latency>,
}

/// How long the calls of functions in the process of the test take.
#[derive(Clone, Debug)]
pub enum Latency {
    /// No time.
    None,
    /// Some milliseconds, as this decides.
    Random(Rng),
}

impl Deref for Organization {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl Organization {
    /// A bare organization: nothing is enabled.
    ///
    /// # Panics
    ///
    /// When the simulator does not start.
    pub async fn bare(settings: Settings) -> Self {
        let simulator = Simulator::start(settings).await.unwrap();
        Self {
            simulator,
            requests: AtomicU32::default(),
            policies: Mutex::default(),
            in_process: None,
        }
    }

    /// The same organization, whose functions run in the process of the test, on its clock.
    #[must_use]
    pub fn in_process(self, latency: Latency) -> Self {
        Self { in_process: Some(latency), ..self }
    }

    /// What carries the calls of a function that runs in the process of the test.
    #[must_use]
    pub fn wire(&self, name: &str) -> Option<Wire> {
        let latency = match self.in_process.as_ref()? {
            Latency::None => None,
            // Each function has its own, so that others do not change what it is.
            Latency::Random(rng) => {
                let mut rng = rng.clone();
                let name = name.bytes().fold(0, |sum: u64, it| sum * 31 + u64::from(it));
                Some(Rng::with_seed(rng.u64(..) ^ name))
            }
        };
        Some(Wire::new(self.direct(), latency))
    }

    /// An organization whose root takes backup policies.
    ///
    /// # Panics
    ///
    /// When the simulator does not start.
    pub async fn ready(settings: Settings) -> Self {
        let organization = Self::bare(settings).await;
        organization.organization(|it| {
            let root = it.root.clone();
            it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        });
        organization
    }

    /// A stack with one custom resource, whose function has this name.
    pub fn stack<'a>(&'a self, function: &'static str) -> Stack<'a> {
        Stack::new(self, function)
    }

    /// The number of a new request of CloudFormation.
    pub(crate) fn next_request(&self) -> u32 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes over what is kept of requests that were sent in another organization.
    pub(crate) fn skip_requests(&self) {
        self.requests.fetch_max(1_000, Ordering::Relaxed);
    }

    /// The ID of the root, or of the unit or account of this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn id(&self, name: &str) -> String {
        self.organization(|it| {
            let account = it.accounts().find(|it| it.name == name).map(|it| it.id.clone());
            let unit = it.unit_named(name).map(|it| it.id.clone());
            (name == "root").then(|| it.root.clone()).or(unit).or(account).unwrap()
        })
    }

    /// Makes the role `Bootstrap` in the management account, for functions in `account`, and returns
    /// its ARN.
    #[must_use]
    pub fn management_role(&self, account: &str) -> String {
        let management = self.organization(|it| it.management_account.clone());
        let role = Role::trusting_account("Bootstrap", account);
        self.iam(|it| it.create_role(&management, role));
        format!("arn:aws:iam::{management}:role/Bootstrap")
    }

    /// The accounts below these targets, given as `TargetIds` is.
    #[must_use]
    pub fn reached(&self, targets: &Value) -> BTreeSet<String> {
        let one = targets.as_str().into_iter();
        let many = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
        let targets: BTreeSet<_> = one.chain(many).collect();
        self.organization(|it| {
            let below = |account: &str| {
                let path = it.path(account);
                targets.contains("root") || path.iter().any(|it| targets.contains(it))
            };
            it.accounts().map(|it| it.id.clone()).filter(|it| below(it)).collect()
        })
    }

    /// The ID of the policy of this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn policy_id(&self, name: &str) -> String {
        self.organization(|it| it.policy_named(name).unwrap().id.clone())
    }

    /// Makes a backup policy as somebody else would, and returns its ID.
    ///
    /// # Panics
    ///
    /// When the organization refuses it.
    pub fn foreign_policy(&self, name: &str, targets: &[&str]) -> String {
        let targets: Vec<_> = targets.iter().map(|it| self.id(it)).collect();
        self.organization(|it| {
            let tags = [("team".to_owned(), "storage".to_owned())];
            let content = document(1).to_string();
            let id = it.create_policy(BACKUP_POLICY, name, "Theirs", &content, &tags).unwrap();
            for target in targets {
                it.attach_policy(&id, &target).unwrap();
            }
            id
        })
    }

    /// The notifications, as subjects and texts, with names for IDs.
    #[must_use]
    pub fn notifications(&self) -> Vec<(String, String)> {
        let all = self.topics(|it| it.messages().to_vec());
        let told = all.into_iter().map(|it| (it.subject.unwrap_or_default(), it.text));
        told.map(|(subject, text)| (subject, self.named(&text))).collect()
    }

    /// The newest text of an object, if there is one.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<String> {
        let body = self.buckets(|it| it.get(bucket, key, None).map(|it| it.body.clone()).ok())?;
        String::from_utf8(body).ok()
    }

    /// Keeps this entry, whose resource CloudFormation has made.
    ///
    /// # Panics
    ///
    /// When it is no entry.
    pub fn keep(&self, entry: &Value) {
        let kept = Kept::read(&entry.to_string()).unwrap();
        self.stacks(|it| {
            let resource = StackResource {
                kind: "Custom::Resource".to_owned(),
                physical_id: kept.physical_id.clone().unwrap_or_default(),
                status: "CREATE_COMPLETE".to_owned(),
            };
            it.tell(&kept.stack_id, &kept.logical_id, resource);
        });
        self.buckets(|it| it.put(STATE_BUCKET, &kept.key(), entry.to_string()));
    }

    /// Lets time pass for what is kept in the state bucket.
    ///
    /// # Panics
    ///
    /// When something else is kept there.
    pub fn pass(&self, time: Duration) {
        self.buckets(|it| {
            let keys = it.keys(STATE_BUCKET).into_iter().filter(|it| it.starts_with(PREFIX));
            for key in keys.map(ToOwned::to_owned).collect::<Vec<_>>() {
                let body = it.get(STATE_BUCKET, &key, None).unwrap().body.clone();
                let mut entry: Value = serde_json::from_slice(&body).unwrap();
                for name in ["ChangingSince", "DeletedSince"] {
                    if let Some(since) = entry[name].as_u64() {
                        entry[name] = json!(since.saturating_sub(time.as_secs()));
                    }
                }
                it.put(STATE_BUCKET, &key, entry.to_string());
            }
            let Ok(lease) = it.get(STATE_BUCKET, Lease::KEY, None) else { return };
            let mut lease: Value = serde_json::from_slice(&lease.body).unwrap();
            lease["Until"] = json!(lease["Until"].as_u64().unwrap().saturating_sub(time.as_secs()));
            it.put(STATE_BUCKET, Lease::KEY, lease.to_string());
        });
    }

    /// The writes since the last look, one a line, with names for IDs.
    #[must_use]
    pub fn take_writes(&self) -> String {
        let telling = ["PutResponse", "Publish"];
        let kept = |it: &Entry| [Sweep::KEY, Lease::KEY].iter().any(|key| it.summary.contains(key));
        let changes = |it: &Entry| !telling.contains(&it.operation.as_str()) && !kept(it);
        let lines = self.lines(|it| it.is_successful_write() && changes(it));
        self.clear_journal();
        lines
    }

    /// Compares the writes since the last look.
    pub fn check_writes(&self, expect: Expect) {
        expect.assert_eq(&self.take_writes());
    }

    /// The calls of the journal that `wanted` picks, one a line, with names for IDs.
    #[must_use]
    pub fn lines(&self, wanted: impl Fn(&Entry) -> bool) -> String {
        let entries = self.journal().into_iter().filter(|it| wanted(it));
        entries.map(|it| self.named(&it.to_string()) + "\n").collect()
    }

    /// Compares everything that was ever changed.
    pub fn check_state(&self, expect: Expect) {
        expect.assert_eq(&self.state());
    }

    /// Everything that the functions may change, in words.
    #[must_use]
    pub fn state(&self) -> String {
        self.learn_policies();
        let mut text = String::new();
        let mut line = |it: String| text += &(it + "\n");
        self.organization(|it| {
            for (kind, status) in it.policy_types() {
                line(format!("{kind} is {}", status.as_str()));
            }
            for service in it.trusted_services() {
                line(format!("{service} is trusted"));
            }
            for (account, service) in it.delegated_administrators() {
                line(format!("{account} administers {service}"));
            }
            for (key, value) in it.tags(&it.root) {
                line(format!("{} has the tag {key} = {value}", it.root));
            }
        });
        if self.stack_sets_activated() {
            line("StackSets is activated".to_owned());
        }
        for (name, value) in self.backup(|it| it.global_settings()) {
            if value != "false" {
                line(format!("{name} is {value}"));
            }
        }
        let policies = self.organization(|it| {
            let mut policies: Vec<_> = it.policies(BACKUP_POLICY).cloned().collect();
            policies.sort_by(|a, b| a.name.cmp(&b.name));
            let describe = |policy: simulator::Policy| {
                let targets = match it.targets_of(&policy.id).join(" ") {
                    none if none.is_empty() => "nothing".to_owned(),
                    targets => targets,
                };
                (targets, it.tags(&policy.id), policy)
            };
            policies.into_iter().map(describe).collect::<Vec<_>>()
        });
        for (targets, tags, policy) in policies {
            line(format!("policy {} is attached to {targets}", policy.name));
            line(format!("  it is described as {}", policy.description));
            line(format!("  it runs at {}", schedule(&policy.content)));
            for (key, value) in tags {
                line(format!("  it has the tag {key} = {value}"));
            }
        }
        self.named(&text)
    }

    /// Remembers what policies are called, for when they are gone.
    pub(crate) fn learn_policies(&self) {
        let mut known = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        self.organization(|it| {
            for policy in it.policies(BACKUP_POLICY) {
                known.entry(policy.id.clone()).or_insert_with(|| policy.name.clone());
            }
        });
    }

    /// `text` with names for the IDs of this organization.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        let known = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = known.iter().map(|(id, it)| (id.clone(), it.clone())).collect();
        self.organization(|it| {
            names.push((it.root.clone(), "root".to_owned()));
            names.push((it.id.clone(), "organization".to_owned()));
            let parents = [it.root.clone()].into_iter();
            let units: Vec<_> = parents.flat_map(|parent| units(it, &parent)).collect();
            names.extend(units);
            names.extend(it.accounts().map(|it| (it.id.clone(), it.name.clone())));
        });
        // Units first: the ID of a unit holds that of the root.
        names.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
    }
}

/// The units below `parent` by ID and name.
fn units(organization: &simulator::Organization, parent: &str) -> Vec<(String, String)> {
    let below = organization.units_in(parent).flat_map(|it| {
        let own = (it.id.clone(), it.name.clone());
        [own].into_iter().chain(units(organization, &it.id))
    });
    below.collect()
}

/// A resource of a gigabyte in a Region, with a tag if it has one.
#[must_use]
pub fn backed_up(
    arn: &str,
    kind: &str,
    account: &str,
    region: &str,
    tag: Option<(&str, &str)>,
) -> BackedUp {
    BackedUp {
        arn: arn.to_owned(),
        kind: kind.to_owned(),
        account: account.to_owned(),
        region: region.to_owned(),
        tags: tag.into_iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect(),
        gigabytes: 1,
    }
}

/// A backup policy that runs every day at this hour.
#[must_use]
pub fn document(hour: u8) -> Value {
    json!({ "plans": { "daily": {
        "regions": { "@@assign": ["eu-central-1"] },
        "rules": { "nightly": {
            "schedule_expression": { "@@assign": format!("cron(0 {hour} ? * * *)") },
            "target_backup_vault_name": { "@@assign": POLICY_TEXT },
            "lifecycle": { "delete_after_days": { "@@assign": "35" } },
        } },
        "selections": { "tags": { "tagged": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["daily"] },
        } } },
    } } })
}

/// The schedule of [`document`], or else the whole text.
fn schedule(content: &str) -> String {
    let document: Value = serde_json::from_str(content).unwrap_or_default();
    let schedule =
        document.pointer("/plans/daily/rules/nightly/schedule_expression/@@assign").cloned();
    schedule.and_then(|it| Some(it.as_str()?.to_owned())).unwrap_or_else(|| content.to_owned())
}
