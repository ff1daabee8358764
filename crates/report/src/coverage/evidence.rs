//! What was seen of a resource and of its backups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use plan::id::ResourceType;

/// How many days back AWS Backup tells of jobs and restore tests.
pub const JOBS_DAYS: u64 = 30;

/// A resource of an inventory.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its ARN.
    pub arn: String,
    /// What AWS Backup calls its type; `None` when nobody told, so that the ARN decides.
    pub kind: Option<ResourceType>,
    /// Its tags; `None` when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
    /// When it was made, where AWS tells. What was backed up under its name before was another one.
    pub created: Option<SystemTime>,
    /// When an inventory first saw it with the tags it has, so that it is owed every run since; `None`
    /// when this inventory is the first one, so that it is owed every run since its newest backup.
    pub first_seen: Option<SystemTime>,
}

/// What was seen of the backups of one resource, in its account and wherever they are copied to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// Its recovery points, in every vault that was looked at.
    pub points: &'a [RecoveryPoint],
    /// Its backup jobs. AWS tells of the last thirty days.
    pub jobs: &'a [Job],
    /// Its copy jobs. AWS tells of the last thirty days.
    pub copy_jobs: &'a [Job],
    /// The restore tests of its recovery points.
    pub tests: &'a [RestoreTest],
}

/// A recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecoveryPoint {
    /// The ARN of the vault that it is in, which many share.
    pub vault: Arc<str>,
    /// When the backup was begun. A copy has the time of what it is a copy of.
    pub created: SystemTime,
    /// When it was complete; for a copy, when the backup that it is a copy of was.
    pub completed: SystemTime,
    /// How it is.
    pub status: PointStatus,
    /// Whether it is a continuous backup, which can be restored to any second.
    pub is_continuous: bool,
    /// When its lifecycle deletes it; `None` when never.
    pub delete_at: Option<SystemTime>,
    /// What it was made by, where AWS tells.
    pub by: Option<Arc<Creator>>,
}

/// The rule that a job or a recovery point was made by.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Creator {
    /// The name of the plan.
    pub plan: String,
    /// The name of the rule in it.
    pub rule: String,
}

impl Creator {
    /// Whether this is the rule; the names that policies have are in lower case.
    pub(super) fn is(&self, plan: &str, rule: &str) -> bool {
        self.plan.eq_ignore_ascii_case(plan) && self.rule.eq_ignore_ascii_case(rule)
    }
}

/// How a recovery point is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PointStatus {
    /// It can be restored.
    Usable,
    /// It is being made or deleted.
    Changing,
    /// Parts of it are missing.
    Partial,
    /// It is a continuous backup that is not continued.
    Stopped,
    /// Its time is over, and AWS Backup could not delete it.
    Expired,
}

/// A backup job or a copy job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    /// The ARN of the vault that it writes to, which many share.
    pub vault: Arc<str>,
    /// When it was created.
    pub created: SystemTime,
    /// When it was over, if it is.
    pub ended: Option<SystemTime>,
    /// How far it is.
    pub state: JobState,
    /// What AWS says of it.
    pub message: Arc<str>,
    /// What it was made by, where AWS tells.
    pub by: Option<Arc<Creator>>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobState {
    /// It waits, or is at work.
    Open,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// Its window ended before it did.
    Expired,
    /// Somebody ended it.
    Aborted,
    /// Parts of it failed.
    Partial,
}

/// The newest of those that count. What is older than another one is not asked whether it does.
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
    /// Whether it ended without a backup that can be restored as a whole.
    pub(super) fn is_bad(self) -> bool {
        match self {
            Self::Open | Self::Completed => false,
            Self::Failed | Self::Expired | Self::Aborted | Self::Partial => true,
        }
    }

    /// The word for programs and people.
    pub fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Aborted => "aborted",
            Self::Partial => "partial",
        }
    }
}

/// A restore test of a recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestoreTest {
    /// When it was started.
    pub at: SystemTime,
    /// What came of it; `None` while it is under way.
    pub result: Option<TestResult>,
    /// What was said of it.
    pub message: String,
}

/// What came of a restore test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestResult {
    /// It was restored, and looked right.
    Successful,
    /// It was restored, and nobody looked whether it is right.
    NotValidated,
    /// It could not be restored, or did not look right.
    Failed,
}

impl TestResult {
    /// The word for programs and people.
    pub fn key(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::NotValidated => "not-validated",
            Self::Failed => "failed",
        }
    }
}
