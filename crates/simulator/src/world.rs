//! The complete state of a simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::backup::Backup;
use crate::backup_engine::{
    BackedUp, BackupQuotas, FROM_COLD, Injected, Jobs, PER_GIGABYTE, PER_JOB, Works,
};
use crate::event_bus::EventBus;
use crate::explorer::Explorer;
use crate::hub::Hub;
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
    pub(crate) bus: EventBus,
    pub(crate) hub: Hub,
    /// The work of AWS Backup.
    pub(crate) works: Works,
    pub(crate) pace: Pace,
    pub(crate) backup_quotas: BackupQuotas,
    /// The buckets that keep no versions.
    pub(crate) unversioned: BTreeSet<String>,
    /// The publication time of the effective policy that AWS Backup follows, by account.
    followed: BTreeMap<String, Option<Duration>>,
    /// The time at AWS, counted from the simulator's start.
    now: Duration,
    /// The real time that has passed since then.
    passed: Duration,
    /// The amount by which the time at AWS is ahead of it.
    ahead: Duration,
    /// True if StackSets has organizations access.
    pub(crate) stack_sets: bool,
    pub(crate) page_size: usize,
    pub(crate) empty_pages: bool,
}

/// The time that jobs of AWS Backup take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_job: Duration,
    pub(crate) per_gigabyte: Duration,
    pub(crate) cold_retrieval: Duration,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let organization = Organization::sample(settings);
        Self {
            works: Works::new(&organization.partition().to_string(), clock(Duration::ZERO)),
            pace: Pace { per_job: PER_JOB, per_gigabyte: PER_GIGABYTE, cold_retrieval: FROM_COLD },
            backup_quotas: BackupQuotas::default(),
            unversioned: BTreeSet::new(),
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
            bus: EventBus::default(),
            hub: Hub::default(),
            followed: BTreeMap::new(),
            now: Duration::ZERO,
            passed: Duration::ZERO,
            ahead: Duration::ZERO,
            stack_sets: false,
            page_size: settings.page_size.clamp(1, 20),
            empty_pages: settings.empty_pages,
        }
    }

    /// Turns organizations access of StackSets on or off.
    pub(crate) fn set_stack_sets(&mut self, on: bool) {
        self.stack_sets = on;
        self.organization.set_stack_sets(on);
    }

    /// Sets the clocks of all services, given the time that has `passed` since the simulator's
    /// start.
    pub(crate) fn set_time(&mut self, passed: Duration) {
        self.passed = passed;
        self.now = passed + self.ahead;
        self.organization.set_time(self.now);
        self.backup.set_time(self.now);
        self.state_machines.set_time(self.now);
    }

    /// Returns the time at AWS, counted from the simulator's start.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Lets additional time pass, with the work that AWS Backup does in it. Changes of policies are
    /// published before.
    pub(crate) fn let_go_by(&mut self, time: Duration) {
        self.organization.publish();
        self.settle();
        self.ahead += time;
        self.set_time(self.passed);
        self.settle();
    }

    /// Lets time pass until `moment`. Does nothing if `moment` is in the past.
    pub(crate) fn let_go_by_until(&mut self, moment: SystemTime) {
        self.let_go_by(moment.duration_since(clock(self.now)).unwrap_or_default());
    }

    /// Lets AWS Backup do the work that is due by now, and passes on the changes around it.
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
        for (bucket, paths) in self.works.take_filled() {
            self.fill(&bucket, &paths);
        }
    }

    /// Puts what was restored into a bucket.
    fn fill(&mut self, bucket: &str, paths: &[String]) {
        let usual = ["restored".to_owned()];
        let paths = if paths.is_empty() { &usual } else { paths };
        self.buckets.create_bucket(bucket);
        for path in paths {
            let path = path.trim_start_matches("s3://").trim_start_matches(bucket);
            self.buckets.put(bucket, path.trim_start_matches('/'), "restored");
        }
    }

    /// Asks AWS Backup for something, and lets it do what is due.
    pub(crate) fn ask<T>(&mut self, ask: impl FnOnce(&mut Works, &Self) -> T) -> T {
        self.settle();
        let mut works = std::mem::take(&mut self.works);
        let answer = ask(&mut works, self);
        self.works = works;
        answer
    }

    /// Returns the publication time and the document of the policy that AWS Backup follows for an
    /// account.
    fn policy_in_force(&self, account: &str) -> (Option<Duration>, Value) {
        let is_active = |it: &crate::organization::Account| it.state == AccountState::Active;
        let is_active = self.organization.account(account).is_ok_and(is_active);
        let policy = self.organization.effective_policy(account).ok().filter(|_| is_active);
        match policy {
            Some(it) => (Some(it.updated), serde_json::from_str(&it.content).unwrap_or_default()),
            None => (None, json!({})),
        }
    }

    /// Creates a resource, or replaces the one with its ARN.
    pub(crate) fn put_resource(&mut self, resource: BackedUp) {
        self.settle();
        self.works.put_resource(resource);
        // Its account may be a new one.
        self.settle();
    }

    /// Deletes a resource, and returns `true` if it existed.
    pub(crate) fn delete_resource(&mut self, arn: &str) -> bool {
        self.settle();
        self.works.delete_resource(arn)
    }

    /// Makes jobs of a resource fail for some time from now on.
    pub(crate) fn fail_jobs(&mut self, jobs: Jobs, resource: &str, time: Duration) {
        self.settle();
        let from = self.works.now();
        let until = from + time;
        self.works.inject(jobs, Injected { resource: resource.to_owned(), from, until });
    }

    /// Loses an account: what is in it, its vaults, and its place in the organization.
    pub(crate) fn lose_account(&mut self, account: &str) {
        self.settle();
        self.works.lose_account(account);
        self.backup.vaults_mut().lose(account);
        self.organization.set_account_state(account, AccountState::Suspended);
        self.organization.publish();
    }

    /// Returns the account of who has an access key.
    pub(crate) fn account_of(&self, access_key: &str) -> String {
        let session = self.sts.session(access_key);
        session.map_or(&self.organization.management_account, |it| &it.account).clone()
    }

    /// Returns `true` if an account may read the jobs of the whole organization.
    pub(crate) fn sees_all_backups(&self, account: &str) -> bool {
        let organization = &self.organization;
        let administrators = organization.administrators(Some("backup.amazonaws.com"));
        account == organization.management_account
            || administrators.iter().any(|it| it.0.id == account)
    }

    /// Returns the revision. Two equal revisions mean the same state.
    pub(crate) fn revision(&self) -> (u64, bool) {
        let services =
            self.organization.revision() + self.backup.revision() + self.buckets.revision();
        let made = self.topics.messages().len()
            + self.state_machines.executions().len()
            + self.works.ordered();
        (services + u64::try_from(made).unwrap_or(u64::MAX), self.stack_sets)
    }

    /// Returns the page size of a service other than AWS Organizations, whose pages are larger:
    /// `usual`, or less if the settings ask for small pages.
    pub(crate) fn largest_page(&self, usual: usize) -> usize {
        if self.page_size < 20 { usual.min(self.page_size) } else { usual }
    }
}
