//! The next runs of the rules of an effective policy, and the lifecycle of their backups.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use policy::cron::Schedule;
use policy::{EffectiveLifecycle, EffectivePlan, EffectiveRule};
use report::utc;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_hours(24);

/// The time from the first run for which backups are counted. A year has every kind of month.
const SPAN: Duration = Duration::from_hours(366 * 24);

/// The longest time in days that AWS Backup keeps a backup. A longer one means that it is never
/// deleted.
const MOST_DAYS: i64 = 36_500;

/// The most runs that are evaluated.
const MOST_RUNS: usize = 200_000;

/// The next runs of a rule.
pub(crate) struct Runs {
    path: String,
    schedule: String,
    /// True if the schedule is the default of AWS Backup, because the rule has none.
    is_default: bool,
    /// The reason why the runs are not known.
    problem: Option<String>,
    times: Vec<SystemTime>,
    kept: Vec<Kept>,
}

/// The lifecycle of the backups of a rule in one place.
struct Kept {
    /// The vault in which they are made, or to which they are copied.
    place: String,
    cold: Option<Duration>,
    deleted: Option<Duration>,
    at_once: AtOnce,
}

/// The number of backups of one resource at the same time, once the first ones are deleted.
enum AtOnce {
    UpTo(usize),
    MoreThan(usize),
    /// No backup is ever deleted.
    Growing,
    /// There is one recovery point, which is continued for as long as backups are kept.
    Continuous,
}

/// Returns the next `count` runs of each rule of an effective policy.
pub(crate) fn next_runs(policy: &Value, count: usize, now: SystemTime) -> Vec<Runs> {
    let plans = EffectivePlan::all(policy);
    let rules = plans.iter().flat_map(|plan| plan.rules.iter().map(move |it| (plan, it)));
    let path = |plan: &str, rule: &str| format!("plans/{plan}/rules/{rule}");
    rules.map(|(plan, it)| Runs::of(path(&plan.name, &it.name), it, count, now)).collect()
}

impl Runs {
    fn of(path: String, rule: &EffectiveRule, count: usize, now: SystemTime) -> Self {
        let (parsed, problem) = match rule.runs() {
            Ok(it) => (Some(it), None),
            Err(why) => (None, Some(why)),
        };
        let after = |it: &SystemTime| parsed.as_ref()?.next(*it);
        let times = std::iter::successors(after(&now), after).take(count).collect();
        let kept = |place: String, lifecycle: EffectiveLifecycle, is_continuous: bool| {
            let days = |days: Option<i64>| {
                let days = days.filter(|it| *it <= MOST_DAYS).and_then(|it| u32::try_from(it).ok());
                days.map(|it| DAY.saturating_mul(it))
            };
            let deleted = days(lifecycle.delete_after_days);
            let at_once = match (&parsed, deleted) {
                _ if is_continuous => AtOnce::Continuous,
                (_, None) => AtOnce::Growing,
                (None, _) => AtOnce::UpTo(0),
                (Some(parsed), Some(deleted)) => at_once(parsed, deleted, now),
            };
            Kept { place, cold: days(lifecycle.cold_after_days), deleted, at_once }
        };
        let vault = rule.vault.clone().unwrap_or_default();
        let mut places = vec![kept(vault, rule.lifecycle, rule.is_continuous)];
        for it in &rule.copies {
            // A copy is a snapshot, even if it is one of a continuous backup.
            places.push(kept(it.vault.clone(), it.lifecycle, false));
        }
        let schedule = rule.schedule_expression().to_owned();
        let is_default = rule.schedule.is_none();
        Self { path, schedule, is_default, problem, times, kept: places }
    }

    /// Returns the runs in lines, for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let default = if self.is_default { ", since it does not say when" } else { "" };
        let mut lines = vec![format!("{}: {}{default}", self.path, self.schedule)];
        lines.extend(self.problem.iter().map(|it| format!("  not known: {it}")));
        if self.problem.is_none() && self.times.is_empty() {
            lines.push("  it never runs again".to_owned());
        }
        for time in &self.times {
            let lifecycles =
                self.kept.iter().map(|it| it.lifecycle(*time)).collect::<Vec<_>>().join("; ");
            lines.push(format!("  {}: {lifecycles}", utc(*time)));
        }
        if self.problem.is_none() {
            lines.extend(self.kept.iter().map(|it| format!("  `{}`: {}", it.place, it.at_once)));
        }
        lines
    }

    /// Returns the runs as JSON, for programs.
    pub(crate) fn json(&self) -> Value {
        let runs = self.times.iter().map(|time| {
            let places = self.kept.iter().map(|it| {
                let then = |after: Option<Duration>| Some(utc(time.checked_add(after?)?));
                json!({
                    "vault": it.place, "movedToColdStorage": then(it.cold),
                    "deleted": then(it.deleted),
                })
            });
            json!({ "at": utc(*time), "backups": places.collect::<Vec<_>>() })
        });
        let kept = self.kept.iter().map(|it| {
            let most = match it.at_once {
                AtOnce::UpTo(it) => Some(it),
                AtOnce::MoreThan(_) | AtOnce::Growing | AtOnce::Continuous => None,
            };
            json!({ "vault": it.place, "most": most, "words": it.at_once.to_string() })
        });
        json!({
            "path": self.path, "schedule": self.schedule, "isDefault": self.is_default,
            "problem": self.problem,
            "runs": runs.collect::<Vec<_>>(), "atOnce": kept.collect::<Vec<_>>(),
        })
    }
}

impl Kept {
    /// Returns the lifecycle of the backup of one run.
    fn lifecycle(&self, time: SystemTime) -> String {
        let then = |after: Option<Duration>| Some(utc(time.checked_add(after?)?));
        let cold = then(self.cold).map(|it| format!(" to cold storage {it},"));
        let deleted = then(self.deleted)
            .map_or_else(|| " never deleted".to_owned(), |it| format!(" deleted {it}"));
        format!("`{}`:{}{deleted}", self.place, cold.unwrap_or_default())
    }
}

impl std::fmt::Display for AtOnce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UpTo(0) => f.write_str("no backup at all"),
            Self::UpTo(1) => f.write_str("1 backup of each resource at once"),
            Self::UpTo(most) => write!(f, "up to {most} backups of each resource at once"),
            Self::MoreThan(most) => write!(f, "more than {most} backups of each resource at once"),
            Self::Growing => f.write_str("one backup more of each resource with every run"),
            Self::Continuous => {
                f.write_str("one continuous backup of each resource that supports it")
            }
        }
    }
}

/// Returns the greatest number of runs within the time that backups are kept, counted from any run
/// in a year.
fn at_once(schedule: &Schedule, kept: Duration, now: SystemTime) -> AtOnce {
    let mut next = schedule.next(now);
    // The first run may be years away, as on every 29th of February.
    let first = next.unwrap_or(now);
    let Some(end) = first.checked_add(SPAN).and_then(|it| it.checked_add(kept)) else {
        return AtOnce::Growing;
    };
    let mut living = VecDeque::new();
    let mut most = 0;
    let mut count = 0;
    while let Some(run) = next.filter(|it| *it <= end) {
        count += 1;
        if count > MOST_RUNS {
            return AtOnce::MoreThan(most);
        }
        let is_gone = |it: &SystemTime| it.checked_add(kept).is_some_and(|it| it <= run);
        while living.front().is_some_and(is_gone) {
            living.pop_front();
        }
        living.push_back(run);
        most = most.max(living.len());
        next = schedule.next(run);
    }
    AtOnce::UpTo(most)
}
