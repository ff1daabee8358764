//! The way back: which recovery point is restored where, with what, and what keeps it from that.
//!
//! A [`RestoreRequest`] and what was seen of a [`KeptPoint`] and of its way ([`WaySeen`]) make a
//! [`RestorePlan`], or the [`Hindrance`]s that are in its way. A plan is data: it is shown before it
//! is carried out, and the tokens with which jobs are begun are made of it, so that carrying it out
//! again joins the jobs that it began. [`Newest`] chooses what an account had out of any number of
//! recovery points.
//!
//! `docs/recovery.md` has what each type needs, and what to do by hand.

mod advice;
mod bound;
mod command;
mod hindrance;
mod job;
mod kind;
mod moment;
mod newest;
mod on_demand;
mod point;
mod proof;
mod restore;
mod settings;
mod shown;
#[cfg(test)]
mod tests;
mod way;

pub use advice::{JobTrouble, admits};
pub use command::{JobCommand, RestoringCommand};
pub use hindrance::Hindrance;
pub use job::JobSeen;
pub use kind::RestoredKind;
pub use moment::moment;
pub use newest::{Chosen, Newest};
pub use on_demand::{OnDemand, OpenBackup};
pub use point::KeptPoint;
pub use proof::Proofs;
pub use restore::{RestorePlan, RestoreRequest, WaySeen, plan};
pub use shown::{COLUMNS, fields, json, shown};
pub use way::{Hop, way};

/// The actions while nothing is confirmed, beside looking at roles.
pub const LOOKS_AT_POINTS: [&str; 8] = [
    "backup:DescribeRecoveryPoint",
    "backup:DescribeRegionSettings",
    "backup:GetBackupVaultAccessPolicy",
    "backup:GetRecoveryPointRestoreMetadata",
    "backup:ListBackupVaults",
    "backup:ListRecoveryPointsByBackupVault",
    "backup:ListRestoreJobs",
    "kms:DescribeKey",
];

/// The actions in the account that holds a recovery point, to copy it.
pub const COPIES: [&str; 3] =
    ["backup:DescribeCopyJob", "backup:ListCopyJobs", "backup:StartCopyJob"];

/// The actions in the account that something is restored in.
pub const RESTORES: [&str; 4] = [
    "backup:DescribeRestoreJob",
    "backup:GetRestoreJobMetadata",
    "backup:ListRestoreJobs",
    "backup:StartRestoreJob",
];

/// The actions in the account that something was restored in, to look at it.
///
/// They reveal the names, states, sizes and counts of things, and no data.
pub const LOOKS_AT_RESTORED: [&str; 18] = [
    "backup:DescribeRestoreJob",
    "backup:GetRestoreJobMetadata",
    "dynamodb:DescribeBackup",
    "dynamodb:DescribeTable",
    "dynamodb:Scan",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeSnapshots",
    "ec2:DescribeVolumes",
    "elasticfilesystem:DescribeFileSystems",
    "fsx:DescribeBackups",
    "fsx:DescribeFileSystems",
    "fsx:DescribeVolumes",
    "rds:DescribeDBClusterSnapshots",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "rds:DescribeDBSnapshots",
    "s3:ListBucket",
];

/// The actions in the account that something is backed up in.
pub const BACKS_UP: [&str; 3] =
    ["backup:DescribeBackupJob", "backup:ListBackupJobs", "backup:StartBackupJob"];
