//! Simulates the work of AWS Backup over time: rules run, jobs start and end, and recovery points
//! are created and deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::facts::{Feature, TypeFacts, is_multi_az_cluster};
use super::lifecycle::{DAY, PointLifecycle};
use super::orders::{Remembered, Token};
use super::parts::{self, Parts};
use super::plan::{self, Plan, Rule};
use super::records::{
    BackedUp, BackupJob, EngineCopyJob, EnginePoint, Flaw, JobProgress, PointForm, Skipped,
    Trouble, whereabouts,
};
use super::restore_job::EngineRestoreJob;
use super::{Injected, Jobs, Surroundings, original, select};

/// The interval between the attempts of a waiting job to start.
const RETRY: Duration = Duration::from_mins(10);

/// An event at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The retention of a recovery point ends.
    Expire(usize),
    /// A restore job is done.
    Restored(usize),
    /// A restore job begins.
    Restoring(usize),
    /// A copy job is done.
    Copied(usize),
    /// A copy job that was asked for begins.
    Copying(usize),
    /// A backup job is done.
    Done(usize),
    /// A backup job starts.
    Start(usize),
    /// A rule runs.
    Due(Due),
}

/// A rule that runs in a Region of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    account: String,
    /// Counts the policies that the account had, so that rules of an older one do not run.
    version: u64,
    plan: usize,
    region: String,
    rule: usize,
}

/// A resource that a plan selects, and the role that finds it or the reason why none does.
#[derive(Clone, Debug)]
struct Matched {
    resource: BackedUp,
    role: Result<String, Trouble>,
}

/// The facts about a resource that AWS Backup does not keep itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// The time at which it was created.
    pub(crate) created: SystemTime,
    /// True if it has or ever had a tag.
    pub(crate) was_tagged: bool,
}

/// The work of AWS Backup and its results. `Surroundings` gives it everything that it works with.
#[derive(Clone, Debug)]
pub(crate) struct Works {
    pub(super) now: SystemTime,
    pub(super) partition: String,
    policies: BTreeMap<String, (u64, Arc<[Plan]>)>,
    pub(super) resources: BTreeMap<String, BackedUp>,
    /// The facts about each resource that exists, by ARN.
    histories: BTreeMap<String, History>,
    /// The settings with which a test says a resource was created, by ARN.
    settings: BTreeMap<String, BTreeMap<String, String>>,
    /// The ARNs of the keys with which resources are encrypted, by the ARN of the resource.
    keys: BTreeMap<String, String>,
    pub(super) parts: Parts,
    injected: Vec<(Jobs, Injected)>,
    queue: BTreeSet<(SystemTime, Event)>,
    pub(super) jobs: Vec<BackupJob>,
    /// The rules of the jobs that were started on demand, and the tags of their recovery points, by
    /// the number of the job.
    pub(super) asked_for: BTreeMap<usize, (Rule, BTreeMap<String, String>)>,
    pub(super) copy_jobs: Vec<EngineCopyJob>,
    pub(super) restore_jobs: Vec<EngineRestoreJob>,
    pub(super) tokens: BTreeMap<Token, Remembered>,
    pub(super) ordered: usize,
    /// The buckets into which restores put objects, with the paths of these objects.
    pub(super) filled: Vec<(String, Vec<String>)>,
    pub(super) points: BTreeMap<usize, EnginePoint>,
    /// The numbers of the recovery points by ARN, also of those that are deleted by now.
    by_arn: BTreeMap<String, usize>,
    points_made: usize,
    skipped: Vec<Skipped>,
    pub(super) events: Vec<Value>,
    pub(super) events_told: u64,
}

impl Default for Works {
    fn default() -> Self {
        Self::new("aws", UNIX_EPOCH)
    }
}

impl Works {
    /// Returns an AWS Backup at `now` that has nothing to do.
    pub(crate) fn new(partition: &str, now: SystemTime) -> Self {
        Self {
            now,
            partition: partition.to_owned(),
            policies: BTreeMap::new(),
            resources: BTreeMap::new(),
            histories: BTreeMap::new(),
            settings: BTreeMap::new(),
            keys: BTreeMap::new(),
            parts: Parts::default(),
            injected: Vec::new(),
            queue: BTreeSet::new(),
            jobs: Vec::new(),
            asked_for: BTreeMap::new(),
            copy_jobs: Vec::new(),
            restore_jobs: Vec::new(),
            tokens: BTreeMap::new(),
            ordered: 0,
            filled: Vec::new(),
            points: BTreeMap::new(),
            by_arn: BTreeMap::new(),
            points_made: 0,
            skipped: Vec::new(),
            events: Vec::new(),
            events_told: 0,
        }
    }

    /// Sets the effective policy of an account from now on.
    pub(crate) fn set_policy(&mut self, account: &str, document: &Value) {
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

    /// Creates a resource, or replaces the one with the same ARN.
    pub(crate) fn put_resource(&mut self, resource: BackedUp) {
        let new = History { created: self.now, was_tagged: false };
        let history = self.histories.entry(resource.arn.clone()).or_insert(new);
        history.was_tagged |= !resource.tags.is_empty();
        self.put_parts(&resource);
        self.resources.insert(resource.arn.clone(), resource);
    }

    /// Deletes a resource, and returns `true` if it existed. Its recovery points stay, and its
    /// continuous ones are not continued.
    pub(crate) fn delete_resource(&mut self, arn: &str) -> bool {
        self.histories.remove(arn);
        let points = self.points.values_mut().filter(|it| it.resource == arn);
        for it in points.filter(|it| it.form == PointForm::Continuous) {
            it.form = PointForm::Stopped;
        }
        self.resources.remove(arn).is_some()
    }

    /// Deletes every resource of an account, and returns their ARNs.
    pub(crate) fn delete_resources_of(&mut self, account: &str) -> Vec<String> {
        let of = self.resources.values().filter(|it| it.account == account);
        let arns: Vec<_> = of.map(|it| it.arn.clone()).collect();
        for arn in &arns {
            self.delete_resource(arn);
        }
        arns
    }

    /// Deletes the contents of an account: its resources, the parts that they are in, and the
    /// recovery points in its vaults.
    pub(crate) fn lose_account(&mut self, account: &str) {
        self.delete_resources_of(account);
        self.parts.lose(account);
        self.points.retain(|_, it| whereabouts(&it.vault).is_none_or(|it| it.0 != account));
    }

    /// Sets the settings with which the resource with this ARN was created, in the terms of a
    /// restore.
    pub(crate) fn configure(&mut self, arn: &str, settings: BTreeMap<String, String>) {
        self.settings.entry(arn.to_owned()).or_default().extend(settings);
        if let Some(resource) = self.resources.get(arn).cloned() {
            self.put_parts(&resource);
        }
    }

    /// Sets the key with which the resource with this ARN is encrypted.
    pub(crate) fn encrypt(&mut self, arn: &str, key: &str) {
        self.keys.insert(arn.to_owned(), key.to_owned());
    }

    /// Creates a part that resources are put into, such as a subnet or a group.
    pub(crate) fn put_part(&mut self, account: &str, region: &str, name: &str) {
        self.parts.put(account, region, name);
    }

    /// Creates the parts that a resource is in.
    fn put_parts(&mut self, resource: &BackedUp) {
        // The interface that is in use by the resource itself is not such a part.
        let named = parts::named(&self.metadata_of(resource));
        for (_, name) in named.into_iter().filter(|it| it.0 != "networkinterfaceid") {
            self.parts.put(&resource.account, &resource.region, &name);
        }
    }

    fn metadata_of(&self, resource: &BackedUp) -> BTreeMap<String, String> {
        let mut metadata = original::metadata(resource);
        metadata.extend(self.settings.get(&resource.arn).cloned().unwrap_or_default());
        metadata
    }

    /// Gives a recovery point a flaw, or removes its flaw.
    pub(crate) fn flaw(&mut self, point: usize, flaw: Option<Flaw>) {
        if let Some(point) = self.points.get_mut(&point) {
            point.flaw = flaw;
        }
    }

    /// Removes all recovery points of a vault that is gone.
    pub(crate) fn empty_vault(&mut self, arn: &str) {
        self.points.retain(|_, it| it.vault != arn);
    }

    /// Makes jobs of a resource fail for some time.
    pub(crate) fn inject(&mut self, jobs: Jobs, injected: Injected) {
        self.injected.push((jobs, injected));
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> SystemTime {
        self.now
    }

    /// Returns every resource, with the facts about it.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&BackedUp, History)> {
        self.resources.values().filter_map(|it| Some((it, *self.histories.get(&it.arn)?)))
    }

    /// Returns the backup jobs.
    pub(crate) fn jobs(&self) -> &[BackupJob] {
        &self.jobs
    }

    /// Returns the copy jobs.
    pub(crate) fn copy_jobs(&self) -> &[EngineCopyJob] {
        &self.copy_jobs
    }

    /// Returns the recovery points that exist.
    pub(crate) fn points(&self) -> impl Iterator<Item = &EnginePoint> {
        self.points.values()
    }

    /// Returns the recovery point with this number.
    pub(crate) fn point(&self, id: usize) -> Option<&EnginePoint> {
        self.points.get(&id)
    }

    /// Returns the recovery point with this ARN.
    pub(crate) fn point_of(&self, arn: &str) -> Option<&EnginePoint> {
        self.point(*self.by_arn.get(arn)?)
    }

    /// Returns the runs that started no job for a resource although a plan selects it.
    pub(crate) fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns the events about jobs since the last call, as AWS Backup sends them to EventBridge.
    pub(crate) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// Returns the restore jobs that were started.
    pub(crate) fn restore_jobs(&self) -> &[EngineRestoreJob] {
        &self.restore_jobs
    }

    /// Returns the buckets into which restores put objects since the last call, with the paths.
    pub(crate) fn take_filled(&mut self) -> Vec<(String, Vec<String>)> {
        std::mem::take(&mut self.filled)
    }

    /// Returns `true` if a test wants such jobs of this resource to fail now.
    pub(super) fn is_to_fail(&self, jobs: Jobs, resource: &str) -> bool {
        let is_meant =
            |it: &Injected| it.resource == resource && (it.from..it.until).contains(&self.now);
        self.injected.iter().any(|it| it.0 == jobs && is_meant(&it.1))
    }

    /// Advances the time to `then`, and handles every event until then.
    pub(crate) fn advance(&mut self, then: SystemTime, around: &dyn Surroundings) {
        while let Some((at, event)) = self.next_until(then) {
            self.now = at;
            match event {
                Event::Due(due) => self.run(due, around),
                Event::Start(job) => self.start(job, around),
                Event::Done(job) => self.complete(job, around),
                Event::Copying(copy) => self.begin_copy(copy, around),
                Event::Copied(copy) => self.complete_copy(copy, around),
                Event::Restoring(restore) => self.begin_restore(restore, around),
                Event::Restored(restore) => self.complete_restore(restore, around),
                Event::Expire(point) => self.expire(point, around),
            }
        }
        self.now = then;
    }

    fn next_until(&mut self, then: SystemTime) -> Option<(SystemTime, Event)> {
        let is_then = self.queue.first().is_some_and(|it| it.0 <= then);
        if is_then { self.queue.pop_first() } else { None }
    }

    pub(super) fn at(&mut self, when: SystemTime, event: Event) {
        self.queue.insert((when, event));
    }

    fn schedule_next(&mut self, plans: &[Plan], due: Due) {
        let rule = plans.get(due.plan).and_then(|it| it.rules.get(due.rule));
        if let Some(next) = rule.and_then(|it| it.schedule.next(self.now)) {
            self.at(next, Event::Due(due));
        }
    }

    /// Runs a rule: finds its resources, and creates a job for each.
    fn run(&mut self, due: Due, around: &dyn Surroundings) {
        let Some((version, plans)) = self.policies.get(&due.account).cloned() else { return };
        let Some(plan) = plans.get(due.plan).filter(|_| version == due.version) else { return };
        let Some(rule) = plan.rules.get(due.rule) else { return };
        for found in self.discover(plan, &due, around) {
            let BackedUp { kind, arn, .. } = &found.resource;
            let has_continuous =
                TypeFacts::of(kind).has(Feature::Continuous) && !is_multi_az_cluster(kind, arn);
            let is_left_out = has_continuous && plan.is_continuous_left_out(due.rule);
            if is_left_out || plan.is_left_to_another(due.rule, self.now, has_continuous) {
                continue;
            }
            match found.role {
                Ok(_) if !plan.is_accepted() => {
                    self.skip(plan, rule, &found.resource, Trouble::PlanRejected);
                }
                Ok(arn) => {
                    let names = (plan.name.clone(), rule.name.clone());
                    self.create(names, rule, &found.resource, arn);
                }
                Err(trouble) => self.skip(plan, rule, &found.resource, trouble),
            }
        }
        self.schedule_next(&plans, due);
    }

    /// Returns the resources of a plan in a Region. The role of a selection finds the resources of
    /// the selection, so a role that cannot be assumed finds none.
    fn discover(&self, plan: &Plan, due: &Due, around: &dyn Surroundings) -> Vec<Matched> {
        let mut found = BTreeMap::<String, Matched>::new();
        for selection in &plan.selections {
            let name = selection.role_arn.replace("$account", &due.account);
            let role = match around.trusts(&name, &due.region) {
                Some(true) => Ok(name),
                Some(false) => Err(Trouble::RoleNotAssumed),
                None => Err(Trouble::NoRole),
            };
            for resource in self.resources.values() {
                let is_here = resource.account == due.account && resource.region == due.region;
                let is_supported = is_here && around.supports(&resource.kind, &due.region);
                if is_supported && select::assigns(selection, resource, around) {
                    let new = || Matched { resource: resource.clone(), role: role.clone() };
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

    /// Creates a backup job, and returns its number.
    pub(super) fn create(
        &mut self,
        names: (String, String),
        rule: &Rule,
        resource: &BackedUp,
        role_arn: String,
    ) -> usize {
        let id = self.jobs.len();
        self.jobs.push(BackupJob {
            id,
            resource: resource.arn.clone(),
            kind: resource.kind.clone(),
            bytes: resource.gigabytes.saturating_mul(1 << 30),
            place: (resource.account.clone(), resource.region.clone()),
            rule: names,
            run: self.now,
            created: self.now,
            start_by: self.now + rule.start_window,
            at_work: None,
            ended: None,
            vault: self.primary(rule, resource),
            role: role_arn,
            progress: JobProgress::Created,
            trouble: None,
            point: None,
        });
        self.tell_of_backup(id);
        self.at(self.now, Event::Start(id));
        id
    }

    /// Returns the vault in which a rule stores the backup of a resource. It is the air-gapped
    /// vault if the type is stored there directly.
    fn primary(&self, rule: &Rule, resource: &BackedUp) -> String {
        match air_gapped(rule, resource) {
            Some(vault) if TypeFacts::of(&resource.kind).has(Feature::FullyManaged) => vault,
            _ => self.vault_arn(&rule.vault_name, resource),
        }
    }

    pub(super) fn vault_arn(&self, name: &str, resource: &BackedUp) -> String {
        let BackedUp { region, account, .. } = resource;
        format!("arn:{}:backup:{region}:{account}:backup-vault:{name}", self.partition)
    }

    /// Returns the rule of a job, as long as the account has the plan.
    fn rule_of(&self, job: &BackupJob) -> Option<Rule> {
        if let Some((rule, _)) = self.asked_for.get(&job.id) {
            return Some(rule.clone());
        }
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

    /// Starts a job, leaves it to wait for room, or lets it fail.
    fn start(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(job) = self.jobs.get(id).cloned() else { return };
        let Some(rule) = self.rule_of(&job) else {
            return self.end(id, JobProgress::Failed, Some(Trouble::PlanRejected));
        };
        if self.now >= job.start_by {
            return self.end(id, JobProgress::Expired, Some(Trouble::NotStarted));
        }
        let Some(resource) = self.resources.get(&job.resource).cloned() else {
            return self.end(id, JobProgress::Failed, Some(Trouble::NoResource));
        };
        let quota = around.quotas().jobs;
        let at_work = self.jobs.iter().rev().take(4 * quota + 100);
        let at_work =
            at_work.filter(|it| it.place == job.place && it.progress == JobProgress::Running);
        if at_work.count() >= quota {
            return self.at(job.start_by.min(self.now + RETRY), Event::Start(id));
        }
        if let Err(trouble) = self.check_backup(&job, &rule, &resource, around) {
            return self.end(id, JobProgress::Failed, Some(trouble));
        }
        self.end(id, JobProgress::Running, None);
        let takes = takes(job.bytes, around).min(rule.completion_window);
        if let Some(job) = self.jobs.get_mut(id) {
            job.at_work = Some((self.now, self.now + takes));
        }
        self.at(self.now + takes, Event::Done(id));
    }

    /// Ends the work of a job: it created a recovery point, continued one, or did not complete.
    fn complete(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(job) = self.jobs.get(id).cloned() else { return };
        let (rule, resource) = (self.rule_of(&job), self.resources.get(&job.resource).cloned());
        let Some((rule, resource)) = rule.zip(resource) else {
            return self.end(id, JobProgress::Failed, Some(Trouble::NoResource));
        };
        if takes(job.bytes, around) > rule.completion_window {
            return self.end(id, JobProgress::Expired, Some(Trouble::NotCompleted));
        }
        if let Err(trouble) = self.check_room(&job.vault, around) {
            return self.end(id, JobProgress::Failed, Some(trouble));
        }
        let started = self.now - takes(job.bytes, around).min(rule.completion_window);
        // Only the first plan makes a continuous backup of a resource. The others make snapshots.
        let may_continue = rule.continuous
            && TypeFacts::of(&resource.kind).has(Feature::Continuous)
            && !is_multi_az_cluster(&resource.kind, &resource.arn);
        let is_continued =
            |it: &&EnginePoint| it.form == PointForm::Continuous && it.resource == resource.arn;
        let continued = if may_continue { self.points.values().find(is_continued) } else { None };
        let is_ours = |it: &EnginePoint| it.rule.0 == job.rule.0 && it.vault == job.vault;
        let is_continuous = may_continue && continued.is_none_or(is_ours);
        let going_on = continued.map(|it| it.id).filter(|_| is_continuous);
        let point = going_on.unwrap_or_else(|| {
            let is_on_its_way = air_gapped(&rule, &resource).is_some_and(|it| it != job.vault);
            let is_of_dynamodb = resource.kind == "DynamoDB"
                && !around.has_advanced_dynamodb(&resource.account, &resource.region);
            let form = match (is_continuous, is_on_its_way) {
                _ if is_of_dynamodb => PointForm::OfDynamoDb,
                (true, _) => PointForm::Continuous,
                (false, true) => PointForm::Temporary,
                (false, false) => PointForm::Snapshot,
            };
            // What is continued is neither moved nor deleted as a whole.
            let lifecycle = if is_continuous { PointLifecycle::default() } else { rule.lifecycle };
            let cold_at = lifecycle.cold_at(&resource.kind, started).filter(|_| !is_of_dynamodb);
            let key = if is_of_dynamodb {
                self.keys.get(&resource.arn).cloned()
            } else {
                self.key_of(&resource, &job.vault, around)
            };
            self.add(EnginePoint {
                id: 0,
                resource: resource.arn.clone(),
                kind: resource.kind.clone(),
                bytes: job.bytes,
                vault: job.vault.clone(),
                source_vault: None,
                tags: resource.tags.clone(),
                own_tags: self.asked_for.get(&id).map(|it| it.1.clone()).unwrap_or_default(),
                metadata: self.metadata_of(&resource),
                key,
                flaw: None,
                created: started,
                completed: self.now,
                rule: job.rule.clone(),
                form,
                lifecycle,
                cold_at,
                delete_at: lifecycle.delete_after_days.map(|it| started + DAY * it),
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
        self.copy_all(&job, point, &rule, &resource, started, around);
    }

    /// Returns the key of a backup. It is the key of its vault if the type is fully managed, and
    /// the key of the resource if not.
    fn key_of(
        &self,
        resource: &BackedUp,
        vault: &str,
        around: &dyn Surroundings,
    ) -> Option<String> {
        if TypeFacts::of(&resource.kind).has(Feature::FullyManaged) {
            return around.vault_key(vault);
        }
        self.keys.get(&resource.arn).cloned()
    }

    /// Adds a recovery point and returns its number.
    pub(super) fn add(&mut self, point: EnginePoint) -> usize {
        let id = self.points_made;
        self.points_made += 1;
        if let Some(at) = point.delete_at {
            self.at(at.max(self.now), Event::Expire(id));
        }
        let point = EnginePoint { id, ..point };
        self.by_arn.insert(point.arn(&self.partition), id);
        self.points.insert(id, point);
        id
    }

    /// Handles the end of a recovery point's retention. Recovery points of instances are deleted
    /// with the role of their backup, and all others with AWS Backup's own role.
    fn expire(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(point) = self.points.get_mut(&id) else { return };
        let is_instance = point.resource.contains(":instance/");
        let region = whereabouts(&point.vault).map_or("", |it| it.1);
        if is_instance && around.trusts(&point.role, region) != Some(true) {
            point.expired = true;
        } else {
            self.points.remove(&id);
        }
    }
}

/// Returns the air-gapped vault in which the backups of a resource are stored.
pub(super) fn air_gapped(rule: &Rule, resource: &BackedUp) -> Option<String> {
    let vault = rule.air_gapped.as_ref()?;
    // What goes there is copied.
    let is_taken = !TypeFacts::of(&resource.kind).has(Feature::NotAirGapped)
        && !is_multi_az_cluster(&resource.kind, &resource.arn);
    is_taken.then(|| in_place(vault, resource))
}

/// Returns a name from a plan with the account and the Region of the resource in it.
pub(super) fn in_place(name: &str, resource: &BackedUp) -> String {
    name.replace("$account", &resource.account).replace("$region", &resource.region)
}

/// Returns the time that a backup, copy or restore of this size takes.
pub(super) fn takes(bytes: u64, around: &dyn Surroundings) -> Duration {
    let gigabytes = u32::try_from(bytes >> 30).unwrap_or(u32::MAX);
    around.per_gigabyte().saturating_mul(gigabytes) + around.per_job()
}
