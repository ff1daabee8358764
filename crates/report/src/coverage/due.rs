//! The times at which the rules of a plan are due.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::plans::Rule;

/// The error of a clock that is tolerated before a backup is reported as late.
const SKEW: Duration = Duration::from_mins(5);

/// The least number of runs that are examined in the search for one that no other rule takes the
/// place of.
const STEPS: usize = 64;

/// The least time that is searched. The most frequent schedule is hourly, and most schedules repeat
/// after a week.
const SEARCH: Duration = Duration::from_hours(8 * 24);

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
        // An earlier run meets the same rivals unless its start window is over before theirs begin.
        self.first_that_stands(at, schedule.last(at), |rivals| {
            schedule.last(rivals.start.checked_sub(self.rule.start)?)
        })
    }

    /// Returns the first run after `at`.
    pub(super) fn next(&self, at: SystemTime) -> Option<SystemTime> {
        let schedule = self.rule.schedule.as_ref()?;
        // A later run meets the same rivals unless their start windows are over.
        self.first_that_stands(at, schedule.next(at), |rivals| {
            schedule.next(rivals.end.checked_sub(Duration::from_secs(1))?)
        })
    }

    /// Returns the first of a series of runs that no other rule takes the place of. `leap` returns
    /// the next run of the series that does not meet these rivals.
    fn first_that_stands(
        &self,
        at: SystemTime,
        first: Option<SystemTime>,
        leap: impl Fn(Range<SystemTime>) -> Option<SystemTime>,
    ) -> Option<SystemTime> {
        let distance = |run: SystemTime| run.duration_since(at).unwrap_or_else(|it| it.duration());
        let mut run = first?;
        let mut steps = 0;
        while let Some(rivals) = self.rivals_of(run) {
            if steps >= STEPS && distance(run) > SEARCH {
                return None;
            }
            run = leap(rivals)?;
            steps += 1;
        }
        Some(run)
    }

    /// Returns the time that is covered by the start windows of the other rules' runs that take the
    /// place of this one, if there are any.
    fn rivals_of(&self, run: SystemTime) -> Option<Range<SystemTime>> {
        let end = self.end_of_start(run) - Duration::from_secs(1);
        let windows = self.rivals.iter().filter_map(|rival| {
            let start = rival.schedule.as_ref()?.last(end)?;
            let end = start + rival.start;
            (end > run).then_some(start..end)
        });
        windows.reduce(|one, it| one.start.min(it.start)..one.end.max(it.end))
    }
}
