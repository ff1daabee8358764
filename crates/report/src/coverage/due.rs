//! The times at which the rules of a plan are due.

use std::time::{Duration, SystemTime};

use super::plans::Rule;

/// The error of a clock that is tolerated before a backup is reported as late.
const SKEW: Duration = Duration::from_mins(5);

/// The most runs that are examined in the search for one that no other rule takes the place of.
///
/// Each step leaves a run of a rival behind: an hourly rival at which every run of a week fails
/// takes 168 steps.
const STEPS: usize = 1_000;

/// The runs of a rule, without those that AWS Backup leaves out.
///
/// If the start windows of two rules of a plan overlap, AWS Backup makes only the backup that is
/// kept longer.
#[derive(Debug)]
pub(super) struct Timetable<'a> {
    rule: &'a Rule,
    /// The rules of the plan whose backups are kept longer.
    rivals: Vec<&'a Rule>,
}

/// The runs of a rule around now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Runs {
    /// The last run whose start window is over.
    pub(super) closed: Option<SystemTime>,
    /// The first run whose start window is not over.
    pub(super) open: Option<SystemTime>,
}

impl<'a> Timetable<'a> {
    /// Returns the timetable of a rule among the rules that make backups of the same kind.
    pub(super) fn new(rule: &'a Rule, all: impl Iterator<Item = &'a Rule>) -> Self {
        Self { rule, rivals: all.filter(|it| it.is_kept_longer(rule)).collect() }
    }

    /// Returns the runs around `now`.
    pub(super) fn around(&self, now: SystemTime) -> Runs {
        let over = now.checked_sub(self.rule.start + SKEW);
        let closed = over.and_then(|it| self.last(it));
        let open = over.and_then(|it| self.next(it));
        Runs { closed, open }
    }

    /// Returns `true` if other rules take the place of every run.
    pub(super) fn is_replaced(&self, runs: &Runs) -> bool {
        !self.rivals.is_empty() && runs.closed.is_none() && runs.open.is_none()
    }

    /// Returns this run, the one before, and so on.
    pub(super) fn back_from(
        &self,
        run: Option<SystemTime>,
    ) -> impl Iterator<Item = SystemTime> + '_ {
        let before = |it: &SystemTime| self.last(it.checked_sub(Duration::from_secs(1))?);
        std::iter::successors(run, before)
    }

    /// Returns the time from which it is certain that the backup of this run will not come, if it
    /// has not begun by then.
    pub(super) fn end_of_start(&self, run: SystemTime) -> SystemTime {
        run + self.rule.start
    }

    /// Returns the last run at `at` or before.
    fn last(&self, at: SystemTime) -> Option<SystemTime> {
        let schedule = self.rule.schedule.as_ref()?;
        let mut run = schedule.last(at)?;
        for _ in 0..STEPS {
            // An earlier run also meets this rival unless its start window is over by then.
            let Some(rival) = self.rivals_of(run).map(|(from, _)| from).min() else {
                return Some(run);
            };
            run = schedule.last(rival.checked_sub(self.rule.start)?)?;
        }
        None
    }

    /// Returns the first run after `at`.
    pub(super) fn next(&self, at: SystemTime) -> Option<SystemTime> {
        let schedule = self.rule.schedule.as_ref()?;
        let mut run = schedule.next(at)?;
        for _ in 0..STEPS {
            // A later run also meets this rival unless the rival's start window is over by then.
            let Some(over) = self.rivals_of(run).map(|(_, until)| until).max() else {
                return Some(run);
            };
            run = schedule.next(over.checked_sub(Duration::from_secs(1))?)?;
        }
        None
    }

    /// Returns the start windows of other rules' runs that take the place of this one.
    fn rivals_of(&self, run: SystemTime) -> impl Iterator<Item = (SystemTime, SystemTime)> + '_ {
        let end = self.end_of_start(run) - Duration::from_secs(1);
        self.rivals.iter().filter_map(move |rival| {
            let from = rival.schedule.as_ref()?.last(end)?;
            let until = from + rival.start;
            (until > run).then_some((from, until))
        })
    }
}
