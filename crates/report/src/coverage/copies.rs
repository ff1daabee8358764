//! The copies that rules owe to resources.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::evidence::{
    Creator, Evidence, Job, JobState, NEW_WORD, PointStatus, RecoveryPoint, newest_of,
    newest_unclear,
};
use super::kind::Kind;
use super::place::{Obstacle, Obstacles, Place};
use super::state::CopyState;

/// The time for which AWS Backup tries to begin a copy before it gives up.
const BEGIN: Duration = Duration::from_hours(2);

/// The vault that a rule copies its backups to.
#[derive(Debug)]
pub(super) struct Target {
    /// The ARN of the vault.
    pub(super) vault: String,
    /// The obstacles to the copies.
    pub(super) obstacles: Obstacles,
}

/// The copies in one vault that are owed to a resource.
#[derive(Clone, Debug)]
pub struct CopyOwed {
    /// The ARN of the vault.
    pub vault: String,
    /// The state of the copies.
    pub state: CopyState,
    /// The time at which the newest backup that has a copy was begun.
    pub newest: Option<SystemTime>,
    /// The newest copy job.
    pub job: Option<Job>,
    /// The reasons why the next copy will fail, or may fail.
    pub obstacles: Vec<Obstacle>,
}

impl Target {
    /// Returns the vault with this ARN, for copies from `place` that are kept for so many days.
    pub(super) fn new(vault: String, keep: Option<i64>, place: &Place) -> Self {
        Self { obstacles: place.copies(&vault, keep), vault }
    }

    /// Judges the copies of the backups of a rule. `sources` has the times at which each of these
    /// backups was begun and was complete.
    pub(super) fn owed<I>(
        &self,
        kind: &Kind,
        is_ours: impl Fn(Option<&Arc<Creator>>) -> bool,
        sources: I,
        evidence: Evidence<'_>,
        place: &Place,
        now: SystemTime,
    ) -> CopyOwed
    where
        I: Iterator<Item = (SystemTime, SystemTime)>,
    {
        let is_its = |it: &RecoveryPoint| *it.vault == self.vault && is_ours(it.by.as_ref());
        let counts = |it: &RecoveryPoint| it.status == PointStatus::Usable && is_its(it);
        let newest = newest_of(evidence.points, |it| it.created, counts).map(|it| it.created);
        let is_one = |it: &Job| *it.vault == self.vault && is_ours(it.by.as_ref());
        let points = evidence.points.iter().filter(|it| is_its(it));
        let jobs = || evidence.copy_jobs.iter().filter(|it| is_one(it));
        let unclear = newest_unclear(points, jobs());
        let obstacles: Vec<_> = self.obstacles.of(kind).cloned().collect();
        let has_no_vault = obstacles.iter().any(|it| matches!(it, Obstacle::NoVault(_)));
        let is_due = |(_, completed): &(SystemTime, SystemTime)| {
            let begin = *completed..=*completed + BEGIN;
            let is_its = |it: &Job| it.state == JobState::Open && begin.contains(&it.created);
            *completed + BEGIN <= now && !jobs().any(is_its)
        };
        let is_missing = |it: &(SystemTime, SystemTime)| newest.is_none_or(|newest| newest < it.0);
        let missed = sources.filter(is_due).filter(is_missing).min();
        let state = match missed {
            _ if has_no_vault => CopyState::NoDestination,
            _ if place.unread.contains_key(&self.vault) => {
                let why = place.unread.get(&self.vault).cloned().unwrap_or_default();
                CopyState::NotKnown(why)
            }
            None if newest.is_none() => CopyState::NotDue,
            None => CopyState::Fresh,
            Some((begun, _)) if unclear.is_some_and(|it| it >= begun) => {
                CopyState::NotKnown(NEW_WORD.to_owned())
            }
            Some(_) if newest.is_none() => CopyState::Missing,
            Some((_, completed)) => CopyState::Late(completed + BEGIN),
        };
        CopyOwed {
            vault: self.vault.clone(),
            state,
            newest,
            job: newest_of(evidence.copy_jobs, |it| it.created, is_one).cloned(),
            obstacles,
        }
    }
}
