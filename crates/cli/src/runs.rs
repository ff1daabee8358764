//! When the rules of an effective policy run next, and what becomes of the backups.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use policy::cron::Schedule;
use report::utc;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_hours(24);

/// For how long the number of backups is looked at: a year has every kind of month.
const SPAN: Duration = Duration::from_hours(366 * 24);

/// The longest that AWS Backup keeps a backup. What is kept for longer is never deleted.
const MOST_DAYS: u32 = 36_500;

/// How many runs are looked at.
const MOST_RUNS: usize = 200_000;

/// The next runs of a rule.
pub(crate) struct Runs {
    path: String,
    schedule: Option<String>,
    /// What keeps them from being known.
    problem: Option<String>,
    times: Vec<SystemTime>,
    kept: Vec<Kept>,
}

/// What becomes of the backups of a rule in one place.
struct Kept {
    /// The vault that they are made in, or copied to.
    place: String,
    cold: Option<Duration>,
    deleted: Option<Duration>,
    at_once: AtOnce,
}

/// How many backups of one resource exist at once, once the first ones are deleted.
enum AtOnce {
    UpTo(usize),
    MoreThan(usize),
    /// None is ever deleted.
    Growing,
    /// One recovery point goes on for as long as backups are kept.
    Continuous,
}

/// The next `count` runs of each rule of an effective policy.
pub(crate) fn next_runs(policy: &Value, count: usize, now: SystemTime) -> Vec<Runs> {
    let members = |it: &Value, key: &str| it[key].as_object().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for (plan, it) in members(policy, "plans") {
        for (rule, it) in members(&it, "rules") {
            all.push(Runs::of(format!("plans/{plan}/rules/{rule}"), &it, count, now));
        }
    }
    all
}

impl Runs {
    fn of(path: String, rule: &Value, count: usize, now: SystemTime) -> Self {
        let schedule = rule["schedule_expression"].as_str().map(ToOwned::to_owned);
        let parsed = match &schedule {
            Some(it) => Schedule::parse(it),
            None => Err("the rule has no schedule".to_owned()),
        };
        let (parsed, problem) = match parsed {
            Ok(it) => (Some(it), None),
            Err(why) => (None, Some(why)),
        };
        let after = |it: &SystemTime| parsed.as_ref()?.next(*it);
        let times = std::iter::successors(after(&now), after).take(count).collect();
        let is_continuous = rule["enable_continuous_backup"] == "true";
        let kept = |place: String, lifecycle: &Value, is_continuous: bool| {
            let days = |key: &str| {
                let days = lifecycle[key].as_str().and_then(|it| it.parse::<u32>().ok());
                days.filter(|it| *it <= MOST_DAYS).map(|it| DAY.saturating_mul(it))
            };
            let deleted = days("delete_after_days");
            let at_once = match (&parsed, deleted) {
                _ if is_continuous => AtOnce::Continuous,
                (_, None) => AtOnce::Growing,
                (None, _) => AtOnce::UpTo(0),
                (Some(parsed), Some(deleted)) => at_once(parsed, deleted, now),
            };
            Kept { place, cold: days("move_to_cold_storage_after_days"), deleted, at_once }
        };
        let vault = rule["target_backup_vault_name"].as_str().unwrap_or_default();
        let mut places = vec![kept(vault.to_owned(), &rule["lifecycle"], is_continuous)];
        for (key, copy) in rule["copy_actions"].as_object().into_iter().flatten() {
            let target = copy["target_backup_vault_arn"].as_str().unwrap_or(key);
            // AWS copies snapshots, also of continuous backups.
            places.push(kept(target.to_owned(), &copy["lifecycle"], false));
        }
        Self { path, schedule, problem, times, kept: places }
    }

    /// The runs in lines, for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let schedule = self.schedule.as_deref().unwrap_or("no schedule");
        let mut lines = vec![format!("{}: {schedule}", self.path)];
        lines.extend(self.problem.iter().map(|it| format!("  not known: {it}")));
        if self.problem.is_none() && self.times.is_empty() {
            lines.push("  it never runs again".to_owned());
        }
        for time in &self.times {
            let fates = self.kept.iter().map(|it| it.fate(*time)).collect::<Vec<_>>().join("; ");
            lines.push(format!("  {}: {fates}", utc(*time)));
        }
        if self.problem.is_none() {
            lines.extend(self.kept.iter().map(|it| format!("  `{}`: {}", it.place, it.at_once)));
        }
        lines
    }

    /// The same for programs.
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
            "path": self.path, "schedule": self.schedule, "problem": self.problem,
            "runs": runs.collect::<Vec<_>>(), "atOnce": kept.collect::<Vec<_>>(),
        })
    }
}

impl Kept {
    /// What becomes of the backup of one run.
    fn fate(&self, time: SystemTime) -> String {
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

/// The most runs within the time that backups are kept, from any run of a year on.
fn at_once(schedule: &Schedule, kept: Duration, now: SystemTime) -> AtOnce {
    let Some(end) = now.checked_add(SPAN).and_then(|it| it.checked_add(kept)) else {
        return AtOnce::Growing;
    };
    let mut living = VecDeque::new();
    let mut most = 0;
    let mut next = schedule.next(now);
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
