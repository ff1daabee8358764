//! A restore job, and the reason of its failure.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use super::records::JobProgress;
use crate::ids::uuid_of;

/// A restore job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineRestoreJob {
    /// Its number among all restore jobs that were asked for.
    pub id: usize,
    /// The account and the Region.
    pub place: (String, String),
    /// The recovery point, by its number.
    pub point: usize,
    /// The ARN of the recovery point.
    pub point_arn: String,
    /// The start of the backup.
    pub begun: SystemTime,
    /// The ARN of the vault that the recovery point is in.
    pub vault: String,
    /// The ARN of the source.
    pub source: String,
    /// The type of the source, as AWS Backup calls it.
    pub kind: String,
    /// The size of the source.
    pub bytes: u64,
    /// The ARN of the role.
    pub role: String,
    /// The place and the settings of the restore.
    pub metadata: BTreeMap<String, String>,
    /// True if the result gets the tags of the source.
    pub copies_tags: bool,
    /// The time of its creation.
    pub created: SystemTime,
    /// The times of its start and of its end, once it has started.
    pub at_work: Option<(SystemTime, SystemTime)>,
    /// The time of its end, if it has ended.
    pub ended: Option<SystemTime>,
    /// Its progress.
    pub progress: JobProgress,
    /// The reason of its failure.
    pub trouble: Option<RestoreTrouble>,
    /// The ARN of its result.
    pub made: Option<String>,
}

impl EngineRestoreJob {
    /// Returns its ID in AWS Backup.
    #[must_use]
    pub fn name(&self) -> String {
        uuid_of(&format!("restore job {}", self.id)).to_ascii_uppercase()
    }

    /// Returns its status in AWS Backup.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.progress {
            JobProgress::Created => "PENDING",
            other => other.as_str(),
        }
    }
}

/// The reason why a restore failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreTrouble {
    /// The recovery point is gone, or cannot be used any more.
    NoPoint,
    /// The role cannot be assumed.
    RoleNotAssumed,
    /// The role is not allowed an action.
    Denied(String),
    /// The key cannot be used.
    Key(String),
    /// The type does not get the tags of its source.
    TagsNotCopied,
    /// Something that the result is put into does not exist: the key that names it, and its name.
    NoPart(String, String),
    /// The Availability Zone is in another Region.
    NoZone(String),
    /// The volume would be smaller than its backup.
    TooSmall,
    /// Subnet or groups are named beside network interfaces.
    TwoNetworks,
    /// The snapshot is named beside the recovery point.
    SnapshotNamed,
    /// The name is taken.
    Taken(String),
    /// The bucket has no versioning.
    NotVersioned(String),
    /// A quota of the service of this type is used up.
    Quota(String),
    /// It was asked for.
    Injected,
    /// It was asked for that it is stopped.
    Aborted,
}

impl fmt::Display for RestoreTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPoint => f.write_str("The recovery point does not exist or cannot be used."),
            Self::RoleNotAssumed => f.write_str("IAM Role cannot be assumed by AWS Backup."),
            Self::Denied(action) => write!(
                f,
                "The role is not authorized to perform {action} because no identity-based policy \
                 allows the {action} action."
            ),
            Self::Key(key) => write!(
                f,
                "The specified AWS KMS key ARN does not exist, is not enabled or you do not have \
                 permissions to access it: {key}"
            ),
            Self::TagsNotCopied => f.write_str("Tags cannot be copied to this resource type."),
            Self::NoPart(what, name) => write!(f, "The {what} {name} does not exist."),
            Self::NoZone(zone) => write!(f, "The availability zone {zone} does not exist."),
            Self::TooSmall => f.write_str("The volume cannot be smaller than its snapshot."),
            Self::TwoNetworks => f.write_str(
                "Network interfaces and an instance-level subnet ID may not be specified on the \
                 same request.",
            ),
            Self::SnapshotNamed => {
                f.write_str("The snapshot is that of the recovery point and cannot be specified.")
            }
            Self::Taken(name) => write!(f, "{name} already exists."),
            Self::NotVersioned(bucket) => {
                write!(f, "Versioning is not enabled on the bucket {bucket}.")
            }
            Self::Quota(kind) => {
                let (service, code) = match kind.as_str() {
                    "EC2" => ("AmazonEC2", "VcpuLimitExceeded"),
                    "EBS" => ("AmazonEC2", "VolumeLimitExceeded"),
                    "EFS" => ("AmazonElasticFileSystem", "FileSystemLimitExceeded"),
                    "RDS" => ("AmazonRDS", "StorageQuotaExceeded"),
                    "S3" => ("Amazon S3", "TooManyBuckets"),
                    _ => ("AWS", "ServiceQuotaExceededException"),
                };
                write!(
                    f,
                    "It would be more than there may be. (Service: {service}; Error Code: {code})"
                )
            }
            Self::Injected => f.write_str("Something went wrong."),
            Self::Aborted => f.write_str("The restore job was stopped."),
        }
    }
}
