//! Everything a simulator has state of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::backup::Backup;
use crate::backup_engine::{BackedUp, Injected, Works};
use crate::explorer::Explorer;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::objects::Buckets;
use crate::organization::{AccountState, Organization, clock};
use crate::regions::Regions;
use crate::settings::Settings;
use crate::stacks::Stacks;
use crate::state_machines::StateMachines;
use crate::sts::Sts;
use crate::topics::Topics;
use crate::trails::Trails;

/// The state of all services.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) organization: Organization,
    pub(crate) backup: Backup,
    pub(crate) iam: Iam,
    pub(crate) kms: Kms,
    pub(crate) regions: Regions,
    pub(crate) state_machines: StateMachines,
    pub(crate) sts: Sts,
    pub(crate) topics: Topics,
    pub(crate) buckets: Buckets,
    pub(crate) stacks: Stacks,
    pub(crate) trails: Trails,
    pub(crate) explorer: Explorer,
    /// AWS Backup at work.
    pub(crate) works: Works,
    /// When the effective policy of an account was published that AWS Backup works by.
    followed: BTreeMap<String, Option<Duration>>,
    /// AWS's time, counted from the simulator's beginning.
    now: Duration,
    /// The time that passed since then.
    passed: Duration,
    /// How far AWS's time is ahead of it.
    ahead: Duration,
    /// Whether StackSets may act for the organization.
    pub(crate) stack_sets: bool,
    pub(crate) page_size: usize,
    pub(crate) empty_pages: bool,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let organization = Organization::sample(settings);
        Self {
            works: Works::new(&organization.partition().to_string(), clock(Duration::ZERO)),
            organization,
            backup: Backup::default(),
            iam: Iam::default(),
            kms: Kms::default(),
            regions: Regions::default(),
            state_machines: StateMachines::new(settings.seed),
            sts: Sts::new(settings.seed),
            topics: Topics::new(settings.seed),
            buckets: Buckets::default(),
            stacks: Stacks::default(),
            trails: Trails::default(),
            explorer: Explorer::default(),
            followed: BTreeMap::new(),
            now: Duration::ZERO,
            passed: Duration::ZERO,
            ahead: Duration::ZERO,
            stack_sets: false,
            page_size: settings.page_size.clamp(1, 20),
            empty_pages: settings.empty_pages,
        }
    }

    /// Lets StackSets act for the organization, or no longer.
    pub(crate) fn set_stack_sets(&mut self, on: bool) {
        self.stack_sets = on;
        self.organization.set_stack_sets(on);
    }

    /// Moves the clocks of all services, after this time has passed since the simulator's beginning.
    pub(crate) fn set_time(&mut self, passed: Duration) {
        self.passed = passed;
        self.now = passed + self.ahead;
        self.organization.set_time(self.now);
        self.backup.set_time(self.now);
        self.state_machines.set_time(self.now);
    }

    /// AWS's time, counted from the simulator's beginning.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Lets more time go by than passes, with everything that AWS Backup does in it. Changes of
    /// policies are published before.
    pub(crate) fn let_go_by(&mut self, time: Duration) {
        self.organization.publish();
        self.settle();
        self.ahead += time;
        self.set_time(self.passed);
        self.settle();
    }

    /// Lets time go by until a moment; nothing happens when that is over.
    pub(crate) fn let_go_by_until(&mut self, moment: SystemTime) {
        self.let_go_by(moment.duration_since(clock(self.now)).unwrap_or_default());
    }

    /// Lets AWS Backup do what is due by now, and shows it what changed around it.
    pub(crate) fn settle(&mut self) {
        let partition = self.organization.partition();
        for (account, region, name) in self.backup.vaults_mut().take_gone() {
            let arn = format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}");
            self.works.empty_vault(&arn);
        }
        let mut works = std::mem::take(&mut self.works);
        works.advance(clock(self.now), self);
        let owners = works.resources().map(|it| it.0.account.clone());
        let accounts: BTreeSet<_> = owners.chain(self.followed.keys().cloned()).collect();
        self.organization.publish_due();
        for account in accounts {
            let (published, document) = self.policy_in_force(&account);
            if self.followed.get(&account) != Some(&published) {
                works.set_policy(&account, &document);
                self.followed.insert(account, published);
            }
        }
        self.works = works;
    }

    /// When the policy that backups of an account are made by was published, and what it says.
    fn policy_in_force(&self, account: &str) -> (Option<Duration>, Value) {
        let is_active = |it: &crate::organization::Account| it.state == AccountState::Active;
        let is_active = self.organization.account(account).is_ok_and(is_active);
        let policy = self.organization.effective_policy(account).ok().filter(|_| is_active);
        match policy {
            Some(it) => (Some(it.updated), serde_json::from_str(&it.content).unwrap_or_default()),
            None => (None, json!({})),
        }
    }

    /// Makes a resource, or replaces the one with its ARN.
    pub(crate) fn put_resource(&mut self, resource: BackedUp) {
        self.settle();
        self.works.put_resource(resource);
        // Its account may be a new one.
        self.settle();
    }

    /// Deletes a resource, and says whether it was there.
    pub(crate) fn delete_resource(&mut self, arn: &str) -> bool {
        self.settle();
        self.works.delete_resource(arn)
    }

    /// Lets the backups of a resource fail for some time from now on.
    pub(crate) fn fail_backups(&mut self, resource: &str, time: Duration) {
        self.settle();
        let from = self.works.now();
        let until = from + time;
        self.works.inject(Injected { resource: resource.to_owned(), from, until });
    }

    /// Whether an account may see the jobs of the whole organization.
    pub(crate) fn sees_all_backups(&self, account: &str) -> bool {
        let organization = &self.organization;
        let administrators = organization.administrators(Some("backup.amazonaws.com"));
        account == organization.management_account
            || administrators.iter().any(|it| it.0.id == account)
    }

    /// Two equal revisions are the same state.
    pub(crate) fn revision(&self) -> (u64, bool) {
        let services =
            self.organization.revision() + self.backup.revision() + self.buckets.revision();
        let made = self.topics.messages().len() + self.state_machines.executions().len();
        (services + u64::try_from(made).unwrap_or(u64::MAX), self.stack_sets)
    }

    /// How much is on a page of a service other than AWS Organizations, whose pages are larger:
    /// `usual`, or as little as the settings say if they ask for small pages.
    pub(crate) fn largest_page(&self, usual: usize) -> usize {
        if self.page_size < 20 { usual.min(self.page_size) } else { usual }
    }
}
