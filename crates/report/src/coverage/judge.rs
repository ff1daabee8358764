//! The judgement of resources, one after the other.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use plan::id::ResourceType;
use plan::member_accounts::{Objective, ResourceScope};

use super::copies::{CopyOwed, Target};
use super::due::{Runs, Timetable};
use super::evidence::{
    Creator, Evidence, Job, JobState, NEW_WORD, PointStatus, RecoveryPoint, Resource, RestoreTest,
    newest_of, newest_unclear,
};
use super::inventory::Tags;
use super::kept::Kept;
use super::kind::Kind;
use super::place::{LocalPlan, Obstacle, Obstacles, Place, refused};
use super::plans::{BackupPlan, Rule};
use super::selection::{Difference, Match, Selection};
use super::state::State;
use crate::wanted::Asks;

/// Judges the resources of one account in one Region.
///
/// Facts that are the same for all of them are found out once.
#[derive(Debug)]
pub struct Judge<'a> {
    place: &'a Place,
    asks: &'a Asks,
    plans: Result<&'a [BackupPlan], &'a str>,
    now: SystemTime,
    here: Vec<Here<'a>>,
}

/// A plan that makes backups here.
#[derive(Debug)]
struct Here<'a> {
    index: usize,
    plan: &'a BackupPlan,
    /// The obstacle to each selection, if there is one.
    roles: Vec<Option<Obstacle>>,
    refused: Option<Obstacle>,
    rules: Vec<RuleHere<'a>>,
}

/// A rule of such a plan.
#[derive(Debug)]
struct RuleHere<'a> {
    /// The plan and the rule itself, by their indices.
    at: (usize, usize),
    plan: &'a BackupPlan,
    rule: &'a Rule,
    vault: String,
    obstacles: Obstacles,
    air_gapped: Option<Target>,
    copies: Vec<Target>,
    /// Its runs for types without continuous backups, and for those with them.
    tables: [(Timetable<'a>, Runs); 2],
    /// True if another rule makes the continuous backups of the plan.
    is_disregarded: bool,
}

/// The judgement of one resource.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// The overall state.
    pub state: State,
    /// The type, if AWS Backup has one for the resource.
    pub kind: Option<&'static Kind>,
    /// The selections that take it, or would take it if its type were opted in to.
    pub taken: Vec<Taken>,
    /// The backups that the rules of these plans owe it.
    pub owed: Vec<Owed>,
    /// The selection that nearly takes it, if none does.
    pub nearest: Option<Nearest>,
    /// The retention of its backups.
    pub kept: Kept,
    /// Its last restore test.
    pub test: Option<RestoreTest>,
    /// The plans of the account itself that take it as well.
    pub local: Vec<String>,
}

/// A selection that takes a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    /// The plan, by its index.
    pub plan: usize,
    /// The selection, by its index in the plan.
    pub selection: usize,
    /// True if the opt-ins allow it.
    pub is_opted_in: bool,
}

/// The selection that nearly takes a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Nearest {
    /// The plan, by its index.
    pub plan: usize,
    /// The selection, by its index in the plan.
    pub selection: usize,
    /// The differences that keep it from taking the resource.
    pub differences: Vec<Difference>,
}

/// The backups that a rule owes a resource.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The plan, by its index.
    pub plan: usize,
    /// The rule, by its index in the plan.
    pub rule: usize,
    /// The state of the backups.
    pub state: State,
    /// The last run whose backup should be there.
    pub due: Option<SystemTime>,
    /// The first run whose backup does not have to be there yet.
    pub next: Option<SystemTime>,
    /// The time at which the newest backup that counts for the rule was begun.
    pub newest: Option<SystemTime>,
    /// True if there is a continuous backup that goes on.
    pub is_continuous: bool,
    /// The newest job.
    pub job: Option<Job>,
    /// The reasons why the next backup will fail, or may fail.
    pub obstacles: Vec<Obstacle>,
    /// The copies.
    pub copies: Vec<CopyOwed>,
}

impl Coverage {
    /// Returns `true` if the next run of every rule makes a backup, as far as anybody can know.
    pub fn is_able(&self) -> bool {
        !self.owed.is_empty() && self.owed.iter().all(|it| it.obstacles.is_empty())
    }

    /// Returns `true` if neither the resource nor the copies of its backups need action.
    pub fn is_fine(&self) -> bool {
        let mut copies = self.owed.iter().flat_map(|it| &it.copies);
        self.state.is_fine() && copies.all(|it| it.state.is_fine())
    }
}

impl<'a> Judge<'a> {
    /// Prepares to judge the resources of `place`, whose account gets `plans`. An error is the
    /// reason why the plans are unknown.
    pub fn new(
        place: &'a Place,
        plans: Result<&'a [BackupPlan], &'a str>,
        asks: &'a Asks,
        now: SystemTime,
    ) -> Self {
        let is_here = |plan: &BackupPlan| plan.regions.iter().any(|it| it == place.region.as_str());
        let all = plans.unwrap_or_default().iter().enumerate();
        let here = all.filter(|it| is_here(it.1));
        let here = here.map(|(index, plan)| Here {
            index,
            plan,
            roles: plan.selections.iter().map(|it| place.role(&it.role)).collect(),
            refused: refused(plan),
            rules: (0..plan.rules.len())
                .filter_map(|it| RuleHere::new((index, it), plan, place, now))
                .collect(),
        });
        let here = here.collect();
        Self { place, asks, plans, now, here }
    }

    /// Judges one resource by the observations of its backups.
    pub fn judge(&self, resource: &Resource, evidence: Evidence<'_>) -> Coverage {
        let kind = Kind::of(&resource.arn, resource.kind.as_ref().map(ResourceType::as_str));
        let mut coverage = Coverage {
            state: State::NotSupported,
            kind,
            taken: vec![],
            owed: vec![],
            nearest: None,
            kept: Kept::of(evidence.points, self.place),
            test: evidence.tests.iter().max_by_key(|it| it.at).cloned(),
            local: vec![],
        };
        let Some(kind) = kind.filter(|it| self.is_supported(it)) else { return coverage };
        if resource.kind.is_none() && kind.is_ambiguous() {
            coverage.state = State::NotKnown("its type could not be looked at".to_owned());
            return coverage;
        }
        coverage.local = self.local(resource, kind);
        if let Err(why) = self.plans {
            coverage.state = State::NotKnown(why.to_owned());
            return coverage;
        }
        coverage.state = match self.taken(resource, kind, &mut coverage.taken) {
            Ok(()) => self.owed(resource, kind, evidence, &mut coverage),
            Err(why) => State::NotKnown(why),
        };
        coverage
    }

    /// Returns the account and the Region whose resources are judged.
    pub fn place(&self) -> &Place {
        self.place
    }

    /// Returns the plan with this index, if the plans are known.
    pub fn plan(&self, index: usize) -> Option<&BackupPlan> {
        self.plans.ok()?.get(index)
    }

    fn is_supported(&self, kind: &Kind) -> bool {
        let is_one = |it: &ResourceType| it.as_str() == kind.name;
        self.place.supported.as_ref().is_none_or(|all| all.iter().any(is_one))
    }

    /// Finds the selections that take the resource. An error is the reason why they are unknown.
    fn taken(
        &self,
        resource: &Resource,
        kind: &Kind,
        taken: &mut Vec<Taken>,
    ) -> Result<(), String> {
        let mut unknown = None;
        for here in &self.here {
            for (selection, it) in here.plan.selections.iter().enumerate() {
                let is_opted_in = match it.takes(resource, kind, self.place.account.as_str()) {
                    Match::No => continue,
                    Match::Yes => true,
                    Match::IfOptedIn => match self.opt_in(kind) {
                        Ok(is_opted_in) => is_opted_in,
                        Err(why) => {
                            unknown = Some(why);
                            continue;
                        }
                    },
                    Match::Unknown => {
                        unknown = Some("its tags could not be read".to_owned());
                        continue;
                    }
                };
                taken.push(Taken { plan: here.index, selection, is_opted_in });
            }
        }
        match unknown.filter(|_| !taken.iter().any(|it| it.is_opted_in)) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    fn opt_in(&self, kind: &Kind) -> Result<bool, String> {
        let opt_ins = self.place.opt_ins.as_ref().map_err(Clone::clone)?;
        let opt_in = opt_ins.iter().find(|it| it.0.as_str() == kind.name).map(|it| *it.1);
        opt_in.ok_or_else(|| format!("the opt-ins do not name {}", kind.name))
    }

    fn local(&self, resource: &Resource, kind: &Kind) -> Vec<String> {
        let takes = |plan: &&LocalPlan| {
            let opted_in = || plan.opt_ins.iter().any(|it| it.0.as_str() == kind.name && *it.1);
            plan.selections.iter().any(|it| {
                match it.takes(resource, kind, self.place.account.as_str()) {
                    Match::No | Match::Unknown => false,
                    Match::IfOptedIn => opted_in(),
                    Match::Yes => true,
                }
            })
        };
        self.place.local.iter().filter(takes).map(|it| it.name.clone()).collect()
    }

    /// Judges the backups that are owed, and returns the overall state.
    fn owed(
        &self,
        resource: &Resource,
        kind: &'static Kind,
        evidence: Evidence<'_>,
        coverage: &mut Coverage,
    ) -> State {
        for here in &self.here {
            let is_one = |it: &&Taken| it.plan == here.index && it.is_opted_in;
            let mut takers = coverage.taken.iter().filter(is_one).peekable();
            if takers.peek().is_none() {
                continue;
            }
            let mut obstacles: Vec<_> = here.refused.iter().cloned().collect();
            // One selection without an obstacle is enough.
            let in_the_way: Vec<_> = takers.map(|it| here.roles.get(it.selection)).collect();
            if !in_the_way.contains(&Some(&None)) {
                obstacles.extend(in_the_way.into_iter().flatten().flatten().cloned());
            }
            let rules = here.rules.iter().filter(|it| it.is_owed(kind));
            coverage.owed.extend(rules.map(|it| {
                let mut owed = it.owed(resource, kind, evidence, self.place, self.now);
                owed.obstacles.extend(obstacles.iter().cloned());
                owed
            }));
        }
        let states = coverage.owed.iter().map(|it| it.state.clone());
        let state = states.reduce(State::worse);
        let Some(state) = state else { return self.untaken(resource, coverage) };
        match self.objective(resource, kind, coverage.owed.iter().filter_map(|it| it.newest).max())
        {
            Some(late) => state.worse(late),
            None => state,
        }
    }

    /// Returns the state of a resource that is owed nothing, and finds the nearest selection if
    /// there is no other reason.
    fn untaken(&self, resource: &Resource, coverage: &mut Coverage) -> State {
        let is_excluded = |tags: &Tags| self.asks.excluded.iter().any(|it| it.fits(tags));
        if !coverage.taken.is_empty() {
            return State::OptedOut;
        }
        if resource.tags.as_ref().is_some_and(is_excluded) {
            return State::Excluded;
        }
        coverage.nearest = self.nearest(resource);
        State::NotSelected
    }

    /// Returns the selection whose differences weigh least.
    fn nearest(&self, resource: &Resource) -> Option<Nearest> {
        let account = self.place.account.as_str();
        let all = self.plans.ok()?.iter().enumerate().flat_map(|(plan, it)| {
            let is_here = self.here.iter().any(|it| it.index == plan);
            it.selections.iter().enumerate().map(move |(selection, it)| {
                let region = (!is_here).then_some(Difference::Region);
                let mut differences = Selection::differences(it, resource, account);
                differences.extend(region);
                Nearest { plan, selection, differences }
            })
        });
        all.min_by_key(|it| it.differences.iter().map(Difference::weight).sum::<u32>())
    }

    /// Returns the time since which the newest backup is older than a template allows, if it is.
    /// Without a backup, the time counts from the first sight of the resource.
    fn objective(
        &self,
        resource: &Resource,
        kind: &Kind,
        newest: Option<SystemTime>,
    ) -> Option<State> {
        let is_about = |it: &&Objective| match &it.of {
            ResourceScope::Kind(it) => it.as_str() == kind.name,
            ResourceScope::Tag(key, value) => {
                resource.tags.as_ref().and_then(|it| it.get(key)) == Some(value)
            }
        };
        let hours = self.asks.objectives.iter().filter(is_about).map(|it| it.hours).min()?;
        let since = newest.or(resource.first_seen)? + Duration::from_hours(hours);
        (since < self.now).then_some(State::Late(since))
    }
}

impl<'a> RuleHere<'a> {
    fn new(
        at: (usize, usize),
        plan: &'a BackupPlan,
        place: &Place,
        now: SystemTime,
    ) -> Option<Self> {
        let rule = plan.rules.get(at.1)?;
        let vault = place.vault(&rule.vault);
        let table = |is_continuous_type: bool| {
            // Continuous backups and snapshots do not take each other's place.
            let same = |it: &&Rule| !is_continuous_type || it.is_continuous == rule.is_continuous;
            let table = Timetable::new(rule, plan.rules.iter().filter(same));
            let runs = table.around(now);
            (table, runs)
        };
        let rivals = plan.rules.iter().filter(|it| it.is_continuous && it.vault == rule.vault);
        let first = rivals.reduce(|one, it| if it.is_kept_longer(one) { it } else { one });
        let copies = rule
            .copies
            .iter()
            .map(|it| Target::new(place.here(&it.vault), it.keep.or(rule.keep), place));
        let air_gapped = rule.air_gapped.as_ref().map(|it| place.here(it));
        Some(Self {
            at,
            plan,
            obstacles: place.backups(&vault, rule.keep),
            vault,
            air_gapped: air_gapped.map(|it| Target::new(it, rule.keep, place)),
            copies: copies.collect(),
            tables: [table(false), table(true)],
            is_disregarded: rule.is_continuous && first.is_some_and(|it| !std::ptr::eq(it, rule)),
            rule,
        })
    }

    /// Returns `true` if the rule makes backups of this type and no other rule takes its place.
    fn is_owed(&self, kind: &Kind) -> bool {
        let (table, runs) = self.table(kind);
        !(kind.is_continuous && self.is_disregarded || table.is_replaced(runs))
    }

    fn table(&self, kind: &Kind) -> &(Timetable<'a>, Runs) {
        let [snapshots, continuous] = &self.tables;
        if kind.is_continuous { continuous } else { snapshots }
    }

    fn owed(
        &self,
        resource: &Resource,
        kind: &Kind,
        evidence: Evidence<'_>,
        place: &Place,
        now: SystemTime,
    ) -> Owed {
        let air_gapped = self.air_gapped.as_ref().filter(|_| kind.fits_air_gapped);
        // Backups of a type that AWS Backup manages fully go there directly.
        let is_direct = air_gapped.is_some() && kind.is_managed;
        let is_home = |vault: &str| {
            vault == self.vault && !is_direct || air_gapped.is_some_and(|it| it.vault == vault)
        };
        let is_ours =
            |by: Option<&Arc<Creator>>| by.is_none_or(|it| it.is(&self.plan.name, &self.rule.name));
        let is_its = |it: &RecoveryPoint| {
            is_home(&it.vault)
                && is_ours(it.by.as_ref())
                && resource.created.is_none_or(|made| made <= it.created)
        };
        let counts = |it: &RecoveryPoint| it.status == PointStatus::Usable && is_its(it);
        let points = || evidence.points.iter().filter(|it| counts(it));
        let newest = newest_of(evidence.points, |it| it.created, counts).map(|it| it.created);
        let wants_continuous = self.rule.is_continuous && kind.is_continuous;
        let is_continuous = wants_continuous && points().any(|it| it.is_continuous);
        let is_one = |it: &Job| is_home(&it.vault) && is_ours(it.by.as_ref());
        let jobs = || evidence.jobs.iter().filter(|it| is_one(it));
        let (table, runs) = self.table(kind);
        let since = resource.first_seen.or(newest).unwrap_or(now);
        let since = place.since.map_or(since, |it| it.max(since));
        let its = evidence.points.iter().filter(|it| is_its(it));
        let unclear = newest_unclear(its, jobs());
        let run = Run { table, runs: *runs, newest, since, is_continuous, unclear };
        let unread = place.unread.iter().find(|it| is_home(it.0));
        let state = match unread {
            Some((_, why)) => State::NotKnown(why.clone()),
            None => run.state(evidence.jobs, is_one, self.rule, place, now),
        };
        let obstacles = if is_direct { None } else { Some(self.obstacles.of(kind)) };
        let direct = air_gapped.filter(|_| is_direct);
        let direct = direct.map(|it| it.obstacles.of(kind)).into_iter().flatten();
        let copied = air_gapped.filter(|_| !is_direct).into_iter().chain(&self.copies);
        let sources = || {
            let snapshots = points().filter(|it| !it.is_continuous);
            let snapshots = snapshots.map(|it| (it.created, it.completed));
            // A continuous backup goes on with every job, and each is copied as a snapshot.
            let gone_on = jobs().filter(|it| is_continuous && it.state == JobState::Completed);
            snapshots.chain(gone_on.filter_map(|it| Some((it.created, it.ended?))))
        };
        Owed {
            plan: self.at.0,
            rule: self.at.1,
            due: runs.closed.filter(|it| *it > since),
            next: runs.open.and_then(|it| if it > since { Some(it) } else { table.next(since) }),
            newest,
            is_continuous,
            job: newest_of(evidence.jobs, |it| it.created, is_one).cloned(),
            obstacles: obstacles.into_iter().flatten().chain(direct).cloned().collect(),
            copies: copied
                .map(|it| it.owed(kind, is_ours, sources(), evidence, place, now))
                .collect(),
            state,
        }
    }
}

/// The facts from which the state of one rule follows.
struct Run<'a> {
    table: &'a Timetable<'a>,
    runs: Runs,
    newest: Option<SystemTime>,
    /// The time since which runs are owed.
    since: SystemTime,
    is_continuous: bool,
    /// The time of the newest backup or job whose status is not known.
    unclear: Option<SystemTime>,
}

impl Run<'_> {
    fn state(
        &self,
        jobs: &[Job],
        is_one: impl Fn(&Job) -> bool,
        rule: &Rule,
        place: &Place,
        now: SystemTime,
    ) -> State {
        // A job belongs to the run at which it was created, and not to the next one.
        let may_come = |run: SystemTime| {
            let next = self.table.next(run);
            let is_its = |it: &Job| it.created >= run && next.is_none_or(|next| it.created < next);
            let is_open = |it: &Job| it.state == JobState::Open && is_its(it) && is_one(it);
            now < run + rule.start + rule.complete
                && (place.jobs_unread.is_some() || jobs.iter().any(is_open))
        };
        let has = |run: SystemTime| self.newest.is_some_and(|it| it >= run);
        let is_decided = |it: &SystemTime| *it <= self.since || has(*it) || !may_come(*it);
        let due = self.table.back_from(self.runs.closed).find(is_decided);
        let state = match due.filter(|it| *it > self.since || has(*it)) {
            _ if self.is_continuous => State::Fresh,
            Some(run) if has(run) => State::Fresh,
            Some(run) if self.unclear.is_some_and(|it| it >= run) => {
                return State::NotKnown(NEW_WORD.to_owned());
            }
            Some(run) => {
                let from = self.newest.map_or(self.since, |it| it.max(self.since));
                let missed = self.table.next(from).unwrap_or(run);
                return State::Late(self.table.end_of_start(missed));
            }
            None => match self.table.next(self.since) {
                Some(first) => State::FirstDue(first),
                None => return State::NotKnown("no run is due any more".to_owned()),
            },
        };
        // A job whose state is not known may be at work, and does not undo the failure before it.
        let is_over =
            |it: &Job| !matches!(it.state, JobState::Open | JobState::Unknown) && is_one(it);
        let last = newest_of(jobs, |it| it.created, is_over);
        let is_newer = |it: &&Job| self.newest.is_none_or(|newest| newest < it.created);
        match last.filter(is_newer).filter(|it| it.state.is_bad()) {
            Some(_) => State::Failing,
            None => state,
        }
    }
}
