//! What is owed of copies.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::evidence::{Creator, Evidence, Job, JobState, PointStatus, RecoveryPoint, newest_of};
use super::kind::Kind;
use super::place::{Obstacle, Obstacles, Place};
use super::state::CopyState;

/// How long AWS Backup tries to begin a copy, after which it gives up.
const BEGIN: Duration = Duration::from_hours(2);

/// Where a rule copies its backups to.
#[derive(Debug)]
pub(super) struct Target {
    /// The ARN of the vault.
    pub(super) vault: String,
    /// What is in the way.
    pub(super) obstacles: Obstacles,
}

/// What is owed to a resource of the copies in one vault.
#[derive(Clone, Debug)]
pub struct CopyOwed {
    /// The ARN of the vault.
    pub vault: String,
    /// How well it is met.
    pub state: CopyState,
    /// When the newest backup was begun of which there is a copy.
    pub newest: Option<SystemTime>,
    /// The newest copy job.
    pub job: Option<Job>,
    /// Why the next copy will fail, or may.
    pub obstacles: Vec<Obstacle>,
}

impl Target {
    /// The vault with this ARN, for copies from `place` that are kept for so many days.
    pub(super) fn new(vault: String, keep: Option<i64>, place: &Place) -> Self {
        Self { obstacles: place.copies(&vault, keep), vault }
    }

    /// Judges the copies of the backups of a rule, of each of which `sources` has the beginning and the
    /// end.
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
        let counts = |it: &RecoveryPoint| {
            it.status == PointStatus::Usable && *it.vault == self.vault && is_ours(it.by.as_ref())
        };
        let newest = newest_of(evidence.points, |it| it.created, counts).map(|it| it.created);
        let is_one = |it: &Job| *it.vault == self.vault && is_ours(it.by.as_ref());
        let jobs = || evidence.copy_jobs.iter().filter(|it| is_one(it));
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
