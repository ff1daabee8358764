//! AWS Backup at work: it makes jobs from effective policies on schedule, and recovery points from
//! jobs, by a clock that a test advances.
//!
//! It is written from AWS's documentation and decides as that says: selections, opt-ins, windows,
//! overlapping rules, roles, vaults, keys, locks, quotas, copies, continuous backups and expiry. A
//! program that judges backups is held against it, so it shares nothing with one but the language
//! of policies.

mod checks;
mod events;
mod facts;
mod plan;
mod records;
mod select;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use policy::arn::Arn;
use serde_json::Value;

use self::plan::{Plan, Rule};
pub use self::records::{
    BackedUp, BackupJob, EngineCopyJob, EngineKey, EnginePoint, EngineVault, JobProgress,
    PointForm, Skipped, Trouble,
};

/// How often a job that waits tries to start.
const RETRY: Duration = Duration::from_mins(10);

const DAY: Duration = Duration::from_hours(24);

/// What happens at a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A recovery point's time is over.
    Expire(usize),
    /// A copy job is done.
    Copied(usize),
    /// A backup job is done.
    Done(usize),
    /// A backup job starts.
    Start(usize),
    /// A rule runs.
    Due(Due),
}

/// A rule that runs in a Region of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    account: String,
    /// Counts the policies that the account had, so that rules of an older one do not run.
    version: u64,
    plan: usize,
    region: String,
    rule: usize,
}

/// A resource that a plan selects, and the role that finds it or why none does.
#[derive(Clone, Debug)]
struct Found {
    resource: BackedUp,
    role: Result<String, Trouble>,
}

/// Trouble that a test asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// The ARN of the resource whose jobs fail.
    pub resource: String,
    /// From when.
    pub from: SystemTime,
    /// Until when.
    pub until: SystemTime,
}

/// The quotas of AWS Backup that a test may lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupQuotas {
    /// Backup jobs at work at a time in an account and Region.
    pub jobs: usize,
    /// Recovery points in a vault.
    pub points: usize,
}

/// AWS Backup in the accounts of an organization.
#[derive(Clone, Debug)]
pub struct BackupEngine {
    now: SystemTime,
    partition: String,
    organization: BTreeSet<String>,
    /// Whether backups may be copied to other accounts.
    pub cross_account: bool,
    /// The quotas.
    pub quotas: BackupQuotas,
    /// How long it takes to back up or copy a gigabyte.
    pub per_gigabyte: Duration,
    /// The types that the management account has opted in to, by Region.
    opt_ins: BTreeSet<(String, String)>,
    /// The types that a Region does not support.
    unsupported: BTreeSet<(String, String)>,
    policies: BTreeMap<String, (u64, Arc<[Plan]>)>,
    resources: BTreeMap<String, BackedUp>,
    /// By ARN.
    vaults: BTreeMap<String, EngineVault>,
    /// By ARN: whether the role trusts AWS Backup.
    roles: BTreeMap<String, bool>,
    injected: Vec<Injected>,
    queue: BTreeSet<(SystemTime, Event)>,
    jobs: Vec<BackupJob>,
    copy_jobs: Vec<EngineCopyJob>,
    points: BTreeMap<usize, EnginePoint>,
    points_made: usize,
    skipped: Vec<Skipped>,
    events: Vec<Value>,
    events_told: u64,
}

impl BackupEngine {
    /// AWS Backup in these accounts at `now`, without anything to do.
    #[must_use]
    pub fn new(partition: &str, accounts: &[&str], now: SystemTime) -> Self {
        Self {
            now,
            partition: partition.to_owned(),
            organization: accounts.iter().map(|it| (*it).to_owned()).collect(),
            cross_account: false,
            quotas: BackupQuotas { jobs: 1_000, points: 1_000_000 },
            per_gigabyte: Duration::from_secs(10),
            opt_ins: BTreeSet::new(),
            unsupported: BTreeSet::new(),
            policies: BTreeMap::new(),
            resources: BTreeMap::new(),
            vaults: BTreeMap::new(),
            roles: BTreeMap::new(),
            injected: Vec::new(),
            queue: BTreeSet::new(),
            jobs: Vec::new(),
            copy_jobs: Vec::new(),
            points: BTreeMap::new(),
            points_made: 0,
            skipped: Vec::new(),
            events: Vec::new(),
            events_told: 0,
        }
    }

    /// Gives an account this effective policy from now on.
    pub fn set_policy(&mut self, account: &str, document: &Value) {
        let version = self.policies.get(account).map_or(0, |it| it.0 + 1);
        let plans = plan::plans(document);
        for (plan, it) in plans.iter().enumerate() {
            for (region, rule) in
                it.regions.iter().flat_map(|region| (0..it.rules.len()).map(move |it| (region, it)))
            {
                let due = Due {
                    account: account.to_owned(),
                    version,
                    plan,
                    region: region.clone(),
                    rule,
                };
                self.schedule_next(&plans, due);
            }
        }
        self.policies.insert(account.to_owned(), (version, plans.into()));
    }

    /// Makes a resource, or replaces the one with its ARN.
    pub fn put_resource(&mut self, resource: BackedUp) {
        self.resources.insert(resource.arn.clone(), resource);
    }

    /// Deletes a resource; its recovery points stay, and continuous ones are not continued.
    pub fn delete_resource(&mut self, arn: &str) {
        self.resources.remove(arn);
        let points = self.points.values_mut().filter(|it| it.resource == arn);
        for it in points.filter(|it| it.form == PointForm::Continuous) {
            it.form = PointForm::Stopped;
        }
    }

    /// Makes a vault, or changes it.
    pub fn put_vault(&mut self, arn: &str, vault: EngineVault) {
        self.vaults.insert(arn.to_owned(), vault);
    }

    /// Deletes a vault with everything in it.
    pub fn delete_vault(&mut self, arn: &str) {
        self.vaults.remove(arn);
        self.points.retain(|_, it| it.vault != arn);
    }

    /// Makes a role that trusts AWS Backup, or one that does not.
    pub fn put_role(&mut self, arn: &str, trusts: bool) {
        self.roles.insert(arn.to_owned(), trusts);
    }

    /// Deletes a role.
    pub fn delete_role(&mut self, arn: &str) {
        self.roles.remove(arn);
    }

    /// Opts the management account in to a type in a Region, or out.
    pub fn opt_in(&mut self, region: &str, kind: &str, is_in: bool) {
        let key = (region.to_owned(), kind.to_owned());
        if is_in {
            self.opt_ins.insert(key);
        } else {
            self.opt_ins.remove(&key);
        }
    }

    /// Lets a Region not support a type.
    pub fn unsupport(&mut self, region: &str, kind: &str) {
        self.unsupported.insert((region.to_owned(), kind.to_owned()));
    }

    /// Lets the jobs of a resource fail for some time.
    pub fn inject(&mut self, injected: Injected) {
        self.injected.push(injected);
    }

    /// The vault with this ARN.
    #[must_use]
    pub fn vault(&self, arn: &str) -> Option<&EngineVault> {
        self.vaults.get(arn)
    }

    /// Whether the role with this ARN trusts AWS Backup, if there is one.
    #[must_use]
    pub fn role(&self, arn: &str) -> Option<bool> {
        self.roles.get(arn).copied()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// The backup jobs.
    #[must_use]
    pub fn jobs(&self) -> &[BackupJob] {
        &self.jobs
    }

    /// The copy jobs.
    #[must_use]
    pub fn copy_jobs(&self) -> &[EngineCopyJob] {
        &self.copy_jobs
    }

    /// The recovery points that are there.
    pub fn points(&self) -> impl Iterator<Item = &EnginePoint> {
        self.points.values()
    }

    /// The runs from which no jobs came although a plan selects the resources.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The events of jobs since this was last asked, as AWS Backup sends them to EventBridge.
    pub fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// Lets time go by until `then`, with everything that happens.
    pub fn advance(&mut self, then: SystemTime) {
        while let Some((at, event)) = self.next_until(then) {
            self.now = at;
            match event {
                Event::Due(due) => self.run(due),
                Event::Start(job) => self.start(job),
                Event::Done(job) => self.complete(job),
                Event::Copied(copy) => self.complete_copy(copy),
                Event::Expire(point) => self.expire(point),
            }
        }
        self.now = then;
    }

    fn next_until(&mut self, then: SystemTime) -> Option<(SystemTime, Event)> {
        let is_then = self.queue.first().is_some_and(|it| it.0 <= then);
        if is_then { self.queue.pop_first() } else { None }
    }

    fn at(&mut self, when: SystemTime, event: Event) {
        self.queue.insert((when, event));
    }

    fn is_opted_in(&self, kind: &str, region: &str) -> bool {
        self.opt_ins.contains(&(region.to_owned(), kind.to_owned()))
    }

    fn schedule_next(&mut self, plans: &[Plan], due: Due) {
        let rule = plans.get(due.plan).and_then(|it| it.rules.get(due.rule));
        if let Some(next) = rule.and_then(|it| it.schedule.next(self.now)) {
            self.at(next, Event::Due(due));
        }
    }

    /// A rule runs: it finds its resources and makes a job for each.
    fn run(&mut self, due: Due) {
        let Some((version, plans)) = self.policies.get(&due.account).cloned() else { return };
        let Some(plan) = plans.get(due.plan).filter(|_| version == due.version) else { return };
        let Some(rule) = plan.rules.get(due.rule) else { return };
        for found in self.discover(plan, &due) {
            let has_continuous = facts::has_continuous_backups(&found.resource.kind);
            let is_left_out = has_continuous && plan.is_continuous_left_out(due.rule);
            if is_left_out || plan.is_left_to_another(due.rule, self.now, has_continuous) {
                continue;
            }
            match found.role {
                Ok(_) if !plan.is_accepted() => {
                    self.skip(plan, rule, &found.resource, Trouble::PlanRejected);
                }
                Ok(arn) => self.create(plan, rule, &found.resource, arn),
                Err(trouble) => self.skip(plan, rule, &found.resource, trouble),
            }
        }
        self.schedule_next(&plans, due);
    }

    /// The resources of a plan in a Region. The role of a selection finds what the selection assigns,
    /// so nothing is found with one that cannot be assumed.
    fn discover(&self, plan: &Plan, due: &Due) -> Vec<Found> {
        let mut found = BTreeMap::<String, Found>::new();
        for selection in &plan.selections {
            let name = selection.role_arn.replace("$account", &due.account);
            let role = match self.roles.get(&name) {
                Some(true) => Ok(name),
                Some(false) => Err(Trouble::RoleNotAssumed),
                None => Err(Trouble::NoRole),
            };
            for resource in self.resources.values() {
                let is_here = resource.account == due.account && resource.region == due.region;
                let key = (resource.region.clone(), resource.kind.clone());
                let is_supported = !self.unsupported.contains(&key);
                if is_here && is_supported && self.assigns(selection, resource) {
                    let new = || Found { resource: resource.clone(), role: role.clone() };
                    let found = found.entry(resource.arn.clone()).or_insert_with(new);
                    if found.role.is_err() {
                        found.role.clone_from(&role);
                    }
                }
            }
        }
        found.into_values().collect()
    }

    fn skip(&mut self, plan: &Plan, rule: &Rule, resource: &BackedUp, trouble: Trouble) {
        self.skipped.push(Skipped {
            resource: resource.arn.clone(),
            rule: (plan.name.clone(), rule.name.clone()),
            run: self.now,
            trouble,
        });
    }

    fn create(&mut self, plan: &Plan, rule: &Rule, resource: &BackedUp, role_arn: String) {
        let id = self.jobs.len();
        self.jobs.push(BackupJob {
            id,
            resource: resource.arn.clone(),
            place: (resource.account.clone(), resource.region.clone()),
            rule: (plan.name.clone(), rule.name.clone()),
            run: self.now,
            created: self.now,
            ended: None,
            vault: self.primary(rule, resource),
            role: role_arn,
            progress: JobProgress::Created,
            trouble: None,
            point: None,
        });
        self.tell_of_backup(id);
        self.at(self.now, Event::Start(id));
    }

    /// The vault that a rule backs up into: the air-gapped one where the type goes there directly.
    fn primary(&self, rule: &Rule, resource: &BackedUp) -> String {
        match air_gapped(rule, resource) {
            Some(vault) if facts::is_fully_managed(&resource.kind) => vault,
            _ => self.vault_arn(&rule.vault_name, resource),
        }
    }

    fn vault_arn(&self, name: &str, resource: &BackedUp) -> String {
        let BackedUp { region, account, .. } = resource;
        format!("arn:{}:backup:{region}:{account}:backup-vault:{name}", self.partition)
    }

    /// The rule of a job, as long as the account has the plan.
    fn rule_of(&self, job: &BackupJob) -> Option<Rule> {
        let plans = &self.policies.get(&job.place.0)?.1;
        let plan = plans.iter().find(|it| it.name == job.rule.0)?;
        plan.rules.iter().find(|it| it.name == job.rule.1).cloned()
    }

    fn end(&mut self, id: usize, progress: JobProgress, trouble: Option<Trouble>) {
        if let Some(job) = self.jobs.get_mut(id) {
            (job.progress, job.trouble) = (progress, trouble);
            let is_over = !matches!(progress, JobProgress::Created | JobProgress::Running);
            job.ended = is_over.then_some(self.now);
        }
        self.tell_of_backup(id);
    }

    /// A job starts, waits for room, or fails.
    fn start(&mut self, id: usize) {
        let Some(job) = self.jobs.get(id).cloned() else { return };
        let Some(rule) = self.rule_of(&job) else {
            return self.end(id, JobProgress::Failed, Some(Trouble::PlanRejected));
        };
        let start_by = job.run + rule.start_window;
        if self.now >= start_by {
            return self.end(id, JobProgress::Expired, Some(Trouble::NotStarted));
        }
        let Some(resource) = self.resources.get(&job.resource).cloned() else {
            return self.end(id, JobProgress::Failed, Some(Trouble::NoResource));
        };
        let at_work = self.jobs.iter().rev().take(4 * self.quotas.jobs + 100);
        let at_work =
            at_work.filter(|it| it.place == job.place && it.progress == JobProgress::Running);
        if at_work.count() >= self.quotas.jobs {
            return self.at(start_by.min(self.now + RETRY), Event::Start(id));
        }
        if let Err(trouble) = self.check_backup(&job, &rule, &resource) {
            return self.end(id, JobProgress::Failed, Some(trouble));
        }
        self.end(id, JobProgress::Running, None);
        let takes = self.takes(&resource).min(rule.completion_window);
        self.at(self.now + takes, Event::Done(id));
    }

    fn takes(&self, resource: &BackedUp) -> Duration {
        let gigabytes = u32::try_from(resource.gigabytes).unwrap_or(u32::MAX);
        self.per_gigabyte.saturating_mul(gigabytes) + Duration::from_mins(1)
    }

    /// A job has had its time: it made a recovery point, went on with one, or was not done.
    fn complete(&mut self, id: usize) {
        let Some(job) = self.jobs.get(id).cloned() else { return };
        let (rule, resource) = (self.rule_of(&job), self.resources.get(&job.resource).cloned());
        let Some((rule, resource)) = rule.zip(resource) else {
            return self.end(id, JobProgress::Failed, Some(Trouble::NoResource));
        };
        if self.takes(&resource) > rule.completion_window {
            return self.end(id, JobProgress::Expired, Some(Trouble::NotCompleted));
        }
        if let Err(trouble) = self.check_room(&job.vault) {
            return self.end(id, JobProgress::Failed, Some(trouble));
        }
        let started = self.now - self.takes(&resource).min(rule.completion_window);
        // Only the first plan makes a continuous backup of a resource; the others make snapshots.
        let continued = self
            .points
            .values()
            .find(|it| it.form == PointForm::Continuous && it.resource == resource.arn);
        let is_ours = continued.is_none_or(|it| it.rule.0 == job.rule.0 && it.vault == job.vault);
        let is_continuous =
            rule.continuous && facts::has_continuous_backups(&resource.kind) && is_ours;
        let going_on = continued.map(|it| it.id).filter(|_| is_continuous);
        let point = going_on.unwrap_or_else(|| {
            let keep = rule.delete_after_days.filter(|_| !is_continuous);
            let is_on_its_way = air_gapped(&rule, &resource).is_some_and(|it| it != job.vault);
            let form = match (is_continuous, is_on_its_way) {
                (true, _) => PointForm::Continuous,
                (false, true) => PointForm::Temporary,
                (false, false) => PointForm::Snapshot,
            };
            self.add(EnginePoint {
                id: 0,
                resource: resource.arn.clone(),
                vault: job.vault.clone(),
                created: started,
                completed: self.now,
                rule: job.rule.clone(),
                form,
                delete_at: keep.map(|it| started + DAY * it),
                expired: false,
                role: job.role.clone(),
            })
        });
        if let Some(it) = self.points.get_mut(&point) {
            it.rule.clone_from(&job.rule);
        }
        if let Some(job) = self.jobs.get_mut(id) {
            job.point = Some(point);
        }
        self.end(id, JobProgress::Completed, None);
        self.copy_all(&job, point, &rule, &resource, started);
    }

    /// Adds a recovery point and returns its number.
    fn add(&mut self, point: EnginePoint) -> usize {
        let id = self.points_made;
        self.points_made += 1;
        if let Some(at) = point.delete_at {
            self.at(at.max(self.now), Event::Expire(id));
        }
        self.points.insert(id, EnginePoint { id, ..point });
        id
    }

    /// The copy actions of a rule, and the way to an air-gapped vault that is not direct.
    fn copy_all(
        &mut self,
        job: &BackupJob,
        source: usize,
        rule: &Rule,
        resource: &BackedUp,
        begun: SystemTime,
    ) {
        let air_gapped = air_gapped(rule, resource);
        let air_gapped = air_gapped.filter(|_| !facts::is_fully_managed(&resource.kind));
        let air_gapped = air_gapped.into_iter().map(|it| (it, rule.delete_after_days));
        let actions = rule.copy_actions.iter();
        // A copy without a time of its own has that of its source.
        let actions = actions.map(|it| {
            let days = it.delete_after_days.or(rule.delete_after_days);
            (in_place(&it.vault_arn, resource), days)
        });
        for (destination, days) in air_gapped.chain(actions).collect::<Vec<_>>() {
            let id = self.copy_jobs.len();
            let trouble = self.check_copy(resource, &destination, days).err();
            self.copy_jobs.push(EngineCopyJob {
                resource: resource.arn.clone(),
                place: job.place.clone(),
                rule: job.rule.clone(),
                source,
                begun,
                destination,
                delete_after_days: days,
                created: self.now,
                progress: JobProgress::Running,
                trouble: None,
                point: None,
            });
            match trouble {
                Some(trouble) => self.end_copy(id, Err(trouble)),
                None => self.at(self.now + self.takes(resource), Event::Copied(id)),
            }
        }
    }

    /// A copy job is done, if source and destination are still there.
    fn complete_copy(&mut self, id: usize) {
        let Some(copy) = self.copy_jobs.get(id).cloned() else { return };
        let source = self.points.get(&copy.source).cloned().ok_or(Trouble::NoSource);
        let room = self.check_room(&copy.destination);
        let made = source.and_then(|it| room.map(|()| it)).map(|source| {
            let delete_at = copy.delete_after_days.map(|it| copy.begun + DAY * it);
            self.add(EnginePoint {
                vault: copy.destination.clone(),
                created: copy.begun,
                rule: copy.rule.clone(),
                form: PointForm::Snapshot,
                delete_at,
                ..source
            })
        });
        self.end_copy(id, made);
        let is_copied =
            |it: &EngineCopyJob| it.source == copy.source && it.progress == JobProgress::Running;
        let is_temporary =
            self.points.get(&copy.source).is_some_and(|it| it.form == PointForm::Temporary);
        if is_temporary && made.is_ok() && !self.copy_jobs.iter().any(is_copied) {
            self.points.remove(&copy.source);
        }
    }

    fn end_copy(&mut self, id: usize, made: Result<usize, Trouble>) {
        if let Some(copy) = self.copy_jobs.get_mut(id) {
            let is_made = made.is_ok();
            copy.progress = if is_made { JobProgress::Completed } else { JobProgress::Failed };
            (copy.point, copy.trouble) = (made.ok(), made.err());
        }
        self.tell_of_copy(id);
    }

    /// A recovery point's time is over. Those of instances are deleted with the role of their backup,
    /// all others with the role that AWS Backup has of its own.
    fn expire(&mut self, id: usize) {
        let Some(point) = self.points.get_mut(&id) else { return };
        let is_instance = point.resource.contains(":instance/");
        if is_instance && self.roles.get(&point.role) != Some(&true) {
            point.expired = true;
        } else {
            self.points.remove(&id);
        }
    }
}

/// The air-gapped vault that the backups of a resource go to.
fn air_gapped(rule: &Rule, resource: &BackedUp) -> Option<String> {
    let vault = rule.air_gapped.as_ref()?;
    facts::goes_to_air_gapped(&resource.kind).then(|| in_place(vault, resource))
}

/// What a name of a plan is where the resource is.
fn in_place(name: &str, resource: &BackedUp) -> String {
    name.replace("$account", &resource.account).replace("$region", &resource.region)
}

/// The account and the Region of a vault.
fn whereabouts(vault: &str) -> Option<(&str, &str)> {
    let Arn { account, region, .. } = Arn::parse(vault).ok()?;
    Some((account, region))
}
