//! The observations of a resource and of its backups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use plan::id::ResourceType;
use serde::{Deserialize, Serialize};

/// The number of days for which AWS Backup reports jobs and restore tests.
pub const JOBS_DAYS: u64 = 30;

/// A resource of an inventory.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its ARN.
    pub arn: String,
    /// The name that AWS Backup has for its type. If it is `None`, nothing reported the name, and
    /// the ARN decides.
    pub kind: Option<ResourceType>,
    /// Its tags; `None` when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
    /// The time at which it was created, if AWS reports it. Older backups under its name are of
    /// another resource.
    pub created: Option<SystemTime>,
    /// The time at which an earlier inventory first saw it with its present tags. It is owed every
    /// run since then. `None` if no earlier inventory reported it with these tags. Then it is owed
    /// every run since its newest backup.
    pub first_seen: Option<SystemTime>,
}

/// The observations of the backups of one resource, in its account and wherever they are copied to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// Its recovery points, in every vault that was looked at.
    pub points: &'a [RecoveryPoint],
    /// Its backup jobs. AWS reports those of the last thirty days.
    pub jobs: &'a [Job],
    /// Its copy jobs. AWS reports those of the last thirty days.
    pub copy_jobs: &'a [Job],
    /// The restore tests of its recovery points.
    pub tests: &'a [RestoreTest],
}

/// A recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecoveryPoint {
    /// The ARN of the vault that it is in, which many share.
    pub vault: Arc<str>,
    /// The time at which the backup was begun. A copy has the time of the backup that it is a copy
    /// of.
    pub created: SystemTime,
    /// The time at which the backup was complete. A copy has the time of the backup that it is a
    /// copy of.
    pub completed: SystemTime,
    /// The status.
    pub status: PointStatus,
    /// True if it is a continuous backup, which can be restored to any second.
    pub is_continuous: bool,
    /// The time at which its lifecycle deletes it. `None` if it is never deleted.
    pub delete_at: Option<SystemTime>,
    /// The rule that made it, if AWS reports it.
    pub by: Option<Arc<Creator>>,
}

/// The rule that made a job or a recovery point.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Creator {
    /// The name of the plan.
    pub plan: String,
    /// The name of the rule in it.
    pub rule: String,
}

impl Creator {
    /// Returns `true` if this is the rule. Case is ignored, because the names from policies are in
    /// lower case.
    pub(super) fn is(&self, plan: &str, rule: &str) -> bool {
        self.plan.eq_ignore_ascii_case(plan) && self.rule.eq_ignore_ascii_case(rule)
    }
}

/// The status of a recovery point.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum PointStatus {
    /// It can be restored.
    Usable,
    /// It is being made or deleted.
    Changing,
    /// Parts of it are missing.
    Partial,
    /// It is a continuous backup that has been stopped.
    Stopped,
    /// Its retention is over, but AWS Backup could not delete it.
    Expired,
    /// AWS has a status for it that this program does not know, or none. So it does not count as a
    /// backup, and what follows from it is not known either.
    Unknown,
}

/// A backup job or a copy job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    /// The ARN of the vault that it writes to, which many share.
    pub vault: Arc<str>,
    /// The time at which it was created.
    pub created: SystemTime,
    /// The time at which it ended, if it has ended.
    pub ended: Option<SystemTime>,
    /// The state.
    pub state: JobState,
    /// The message that AWS has for it.
    pub message: Arc<str>,
    /// The rule that made it, if AWS reports it.
    pub by: Option<Arc<Creator>>,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobState {
    /// It is waiting or running.
    Open,
    /// It is complete.
    Completed,
    /// It failed.
    Failed,
    /// Its window ended before the job did.
    Expired,
    /// Somebody stopped it.
    Aborted,
    /// Parts of it failed.
    Partial,
    /// AWS has a state for it that this program does not know, or none.
    Unknown,
}

/// The reason why a state is not known, where AWS has a word that is newer than this program.
pub(super) const NEW_WORD: &str =
    "AWS Backup has a status that this release does not know for a newer backup or job";

/// Returns the time of the newest of the recovery points and jobs of which nobody knows what their
/// status means. It may be the backup of every run that was due by then, and of no later one.
pub(super) fn newest_unclear<'a>(
    points: impl Iterator<Item = &'a RecoveryPoint>,
    jobs: impl Iterator<Item = &'a Job>,
) -> Option<SystemTime> {
    let points = points.filter(|it| it.status == PointStatus::Unknown).map(|it| it.created);
    let jobs = jobs.filter(|it| it.state == JobState::Unknown).map(|it| it.created);
    points.chain(jobs).max()
}

/// Returns the newest item for which `counts` returns `true`. `counts` is not called for an item
/// that is older than one that counts.
pub(super) fn newest_of<T>(
    all: &[T],
    at: impl Fn(&T) -> SystemTime,
    counts: impl Fn(&T) -> bool,
) -> Option<&T> {
    let mut newest: Option<&T> = None;
    for it in all {
        if newest.is_none_or(|newest| at(newest) < at(it)) && counts(it) {
            newest = Some(it);
        }
    }
    newest
}

impl JobState {
    /// Returns `true` if it ended without a backup that can be restored as a whole.
    pub(super) fn is_bad(self) -> bool {
        match self {
            Self::Open | Self::Completed | Self::Unknown => false,
            Self::Failed | Self::Expired | Self::Aborted | Self::Partial => true,
        }
    }

    /// Returns the word for programs and people.
    pub fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Aborted => "aborted",
            Self::Partial => "partial",
            Self::Unknown => "unknown",
        }
    }
}

/// A restore test of a recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestoreTest {
    /// The time at which it was started.
    pub at: SystemTime,
    /// The result. `None` while the test is running.
    pub result: Option<TestResult>,
    /// The message for the result.
    pub message: String,
}

/// The result of a restore test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestResult {
    /// The recovery point was restored and passed its validation.
    Successful,
    /// The recovery point was restored, but the result was not validated.
    NotValidated,
    /// The recovery point could not be restored, or failed its validation.
    Failed,
    /// AWS has a result that this program does not know, or none. It proves nothing.
    Unknown,
}

impl TestResult {
    /// Returns the word for programs and people.
    pub fn key(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::NotValidated => "not-validated",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}
