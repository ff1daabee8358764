//! The times at which the rules of a plan are due.

use std::time::{Duration, SystemTime};

use super::plans::Rule;

/// The error of a clock that is tolerated before a backup is reported as late.
const SKEW: Duration = Duration::from_mins(5);

/// The most runs that are examined in the search for one that no other rule takes the place of.
const STEPS: usize = 64;

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
        std::iter::successors(run, before).take(STEPS)
    }

    /// Returns the time from which it is certain that the backup of this run will not come, if it
    /// has not begun by then.
    pub(super) fn end_of_start(&self, run: SystemTime) -> SystemTime {
        run + self.rule.start
    }

    /// Returns the last run at `at` or before.
    fn last(&self, at: SystemTime) -> Option<SystemTime> {
        let schedule = self.rule.schedule.as_ref()?;
        let before = |it: &SystemTime| schedule.last(it.checked_sub(Duration::from_secs(1))?);
        let mut runs = std::iter::successors(schedule.last(at), before).take(STEPS);
        runs.find(|it| self.stands(*it))
    }

    /// Returns the first run after `at`.
    pub(super) fn next(&self, at: SystemTime) -> Option<SystemTime> {
        let schedule = self.rule.schedule.as_ref()?;
        let mut runs =
            std::iter::successors(schedule.next(at), |it| schedule.next(*it)).take(STEPS);
        runs.find(|it| self.stands(*it))
    }

    /// Returns `true` if no run of another rule takes the place of this one.
    fn stands(&self, run: SystemTime) -> bool {
        let end = self.end_of_start(run) - Duration::from_secs(1);
        let overlaps = |rival: &&Rule| {
            let last = rival.schedule.as_ref().and_then(|it| it.last(end));
            last.is_some_and(|it| it + rival.start > run)
        };
        !self.rivals.iter().any(overlaps)
    }
}
