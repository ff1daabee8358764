//! What the engine keeps: resources, vaults, jobs and recovery points.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::facts::{Feature, TypeFacts};
use super::works::{DAY, whereabouts};
use crate::ids::{hex_of, uuid_of};

/// A resource that can be backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Its ARN.
    pub arn: String,
    /// What AWS Backup calls its type.
    pub kind: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// How large it is.
    pub gigabytes: u64,
}

/// A vault that backups go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineVault {
    /// What encrypts it.
    pub key: EngineKey,
    /// The least and the most days that its lock allows, where it is locked.
    pub lock: Option<(Option<u32>, Option<u32>)>,
    /// Whether its access policy lets the organization copy into it.
    pub admits_organization: bool,
    /// Whether it is logically air-gapped.
    pub air_gapped: bool,
}

/// What encrypts a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKey {
    /// The key that AWS Backup has of its own.
    Default,
    /// A key of the customer.
    Customer,
    /// A key of the customer that is disabled.
    Disabled,
}

/// Why a job failed, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The vault does not exist.
    NoVault,
    /// The lock of the vault does not allow the retention.
    Retention,
    /// The key of the vault cannot be used.
    Key,
    /// The role does not exist.
    NoRole,
    /// The role cannot be assumed.
    RoleNotAssumed,
    /// AWS Backup rejected the plan.
    PlanRejected,
    /// The resource is gone.
    NoResource,
    /// There was no room for the job while its start window was open.
    NotStarted,
    /// The job took longer than its completion window.
    NotCompleted,
    /// The vault is full.
    Quota,
    /// The destination is in no account of the organization.
    OtherOrganization,
    /// Copies between accounts are switched off.
    CrossAccountDisabled,
    /// The access policy of the destination does not allow the copy.
    VaultDenied,
    /// The destination has a key of AWS.
    DefaultKey,
    /// The copy would cross an account and a Region at once.
    TwoBorders,
    /// Recovery points of this type are not copied.
    NotCopied,
    /// The recovery point to copy is gone.
    NoSource,
    /// The recovery point is encrypted with a key of AWS, which cannot be shared.
    AwsKey,
    /// The account of the destination may not use the key of the recovery point.
    KeyNotShared,
    /// The role, or the access policy of the vault that the recovery point is in, does not allow the copy.
    SourceDenied,
    /// The account of the destination may not use the Region.
    RegionDisabled,
    /// It was asked for.
    Injected,
}

impl Trouble {
    /// What the job says.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NoVault => "Backup vault does not exist.",
            Self::Retention => "The retention period is outside what the lock of the vault allows.",
            Self::Key => "The encryption key of the vault cannot be used.",
            Self::NoRole | Self::RoleNotAssumed => "The role cannot be assumed by AWS Backup.",
            Self::PlanRejected => "The backup plan is not valid.",
            Self::NoResource => "The resource does not exist.",
            Self::NotStarted => "Backup job expired before start.",
            Self::NotCompleted => "Backup job expired before completion.",
            Self::Quota => "The vault has as many recovery points as it can have.",
            Self::OtherOrganization => {
                "Both source and destination account must be a member of the same organization."
            }
            Self::CrossAccountDisabled => "Cross-account backup is not enabled.",
            Self::VaultDenied => "Access denied by the access policy of the destination vault.",
            Self::DefaultKey => "The destination vault must not have the default key.",
            Self::TwoBorders => {
                "A copy of this resource type cannot cross both an account and a Region."
            }
            Self::NotCopied => "Copies of this resource type are not supported.",
            Self::NoSource => "The recovery point does not exist.",
            Self::AwsKey => "A copy encrypted with an AWS managed key cannot cross accounts.",
            Self::KeyNotShared => "The key of the recovery point is not shared with the account.",
            Self::SourceDenied => "Access denied trying to call AWS Backup service.",
            Self::RegionDisabled => "The destination Region is not enabled.",
            Self::Injected => "Something went wrong.",
        }
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobProgress {
    /// It waits.
    Created,
    /// It is at work.
    Running,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// A window ended before it did.
    Expired,
    /// It was stopped.
    Aborted,
}

impl JobProgress {
    /// What AWS Backup calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// A backup job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupJob {
    /// Its number among all jobs.
    pub id: usize,
    /// The ARN of the resource.
    pub resource: String,
    /// What AWS Backup calls the type of the resource.
    pub kind: String,
    /// How large the resource is.
    pub bytes: u64,
    /// The account and Region of the resource.
    pub place: (String, String),
    /// The plan, and the rule in it; neither has a name where the job was asked for.
    pub rule: (String, String),
    /// The run of the rule.
    pub run: SystemTime,
    /// When it was created.
    pub created: SystemTime,
    /// When it has to be started, if at all.
    pub start_by: SystemTime,
    /// The times of its start and of its end, once it has started.
    pub at_work: Option<(SystemTime, SystemTime)>,
    /// When it was over, if it is.
    pub ended: Option<SystemTime>,
    /// The ARN of the vault it writes to.
    pub vault: String,
    /// The ARN of the role it works with.
    pub role: String,
    /// How far it is.
    pub progress: JobProgress,
    /// Why it failed.
    pub trouble: Option<Trouble>,
    /// The recovery point that it made or went on with, by its number.
    pub point: Option<usize>,
}

/// A copy job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineCopyJob {
    /// The ARN of the resource.
    pub resource: String,
    /// What AWS Backup calls the type of the resource.
    pub kind: String,
    /// How large the resource is.
    pub bytes: u64,
    /// The account and Region that it copies from.
    pub place: (String, String),
    /// The plan, and the rule in it; neither has a name where the job was asked for.
    pub rule: (String, String),
    /// The ARN of the role it works with.
    pub role: String,
    /// The backup job that made what it copies, by its number, where a plan asks for the copy.
    pub job: Option<usize>,
    /// The recovery point, by its number.
    pub source: usize,
    /// The ARN of the vault that the recovery point is in.
    pub source_vault: String,
    /// When the backup that it copies was begun.
    pub begun: SystemTime,
    /// The ARN of the vault it writes to.
    pub destination: String,
    /// After how many days the copy is deleted.
    pub delete_after_days: Option<u32>,
    /// When it was created.
    pub created: SystemTime,
    /// The times of its start and of its end, once it has started.
    pub at_work: Option<(SystemTime, SystemTime)>,
    /// When it was over, if it is.
    pub ended: Option<SystemTime>,
    /// How far it is.
    pub progress: JobProgress,
    /// Why it failed.
    pub trouble: Option<Trouble>,
    /// The recovery point that it made, by its number.
    pub point: Option<usize>,
}

/// A recovery point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnginePoint {
    /// Its number among all recovery points.
    pub id: usize,
    /// The ARN of the resource.
    pub resource: String,
    /// What AWS Backup calls the type of the resource.
    pub kind: String,
    /// How large the resource was.
    pub bytes: u64,
    /// The ARN of the vault it is in.
    pub vault: String,
    /// The ARN of the vault that it was copied from, if it is a copy.
    pub source_vault: Option<String>,
    /// The tags that the resource had.
    pub tags: BTreeMap<String, String>,
    /// The tags of its own.
    pub own_tags: BTreeMap<String, String>,
    /// The settings of the resource, as restore metadata.
    pub metadata: BTreeMap<String, String>,
    /// The ARN of the key that it is encrypted with, if that is known.
    pub key: Option<String>,
    /// Its flaw, if it has one.
    pub flaw: Option<Flaw>,
    /// When its backup was begun; a copy has the time of its source.
    pub created: SystemTime,
    /// When it was complete.
    pub completed: SystemTime,
    /// The plan, and the rule in it, that it was made by.
    pub rule: (String, String),
    /// What it is.
    pub form: PointForm,
    /// When it is deleted.
    pub delete_at: Option<SystemTime>,
    /// Whether its time is over and it could not be deleted.
    pub expired: bool,
    /// The ARN of the role of its backup.
    pub role: String,
}

impl EnginePoint {
    /// Returns its ARN, which other services give to the backups that are theirs.
    #[must_use]
    pub fn arn(&self, partition: &str) -> String {
        let (account, region) = whereabouts(&self.vault).unwrap_or_default();
        let name = format!("recovery point {}", self.id);
        let hex = hex_of(&name);
        let uuid = uuid_of(&name);
        let of = |service: &str, account: &str, resource: &str| {
            format!("arn:{partition}:{service}:{region}:{account}:{resource}")
        };
        let is_continuous = matches!(self.form, PointForm::Continuous | PointForm::Stopped);
        match self.kind.as_str() {
            "RDS" | "Aurora" if is_continuous => {
                of("backup", account, &format!("recovery-point:continuous:{uuid}"))
            }
            "EBS" | "Storage Gateway" => of("ec2", "", &format!("snapshot/snap-{hex}")),
            "EC2" => of("ec2", "", &format!("image/ami-{hex}")),
            "RDS" => of("rds", account, &format!("snapshot:awsbackup:job-{uuid}")),
            "Aurora" | "DocumentDB" | "Neptune" => {
                of("rds", account, &format!("cluster-snapshot:awsbackup:job-{uuid}"))
            }
            "FSx" => of("fsx", account, &format!("backup/backup-{hex}")),
            "Redshift" => {
                of("redshift", account, &format!("snapshot:cluster/awsbackup:job-{uuid}"))
            }
            _ => of("backup", account, &format!("recovery-point:{uuid}")),
        }
    }

    /// Returns its status in AWS Backup.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (self.flaw, self.form) {
            (Some(Flaw::Deleting), _) => "DELETING",
            (Some(Flaw::Partial), _) => "PARTIAL",
            (None, _) if self.expired => "EXPIRED",
            (None, PointForm::Stopped) => "STOPPED",
            (None, PointForm::Continuous) => "AVAILABLE",
            (None, PointForm::Snapshot | PointForm::Temporary) => "COMPLETED",
        }
    }

    /// Returns whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.key.is_some() || TypeFacts::of(&self.kind).has(Feature::FullyManaged)
    }

    /// Returns the reason why it can be neither copied nor restored, if there is one.
    pub(super) fn unusable(&self) -> Option<&'static str> {
        match self.flaw {
            Some(Flaw::Deleting) => Some("is being deleted"),
            Some(Flaw::Partial) => Some("is partial"),
            None if self.expired => Some("has expired"),
            None => None,
        }
    }

    /// After how many days it is deleted.
    #[must_use]
    pub fn kept_days(&self) -> Option<u32> {
        let time = self.delete_at?.duration_since(self.created).unwrap_or_default();
        u32::try_from(time.as_secs() / DAY.as_secs()).ok()
    }
}

/// A flaw of a recovery point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Not everything is in it.
    Partial,
    /// It is being deleted.
    Deleting,
}

/// What a recovery point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointForm {
    /// A snapshot.
    Snapshot,
    /// A snapshot that is only there to be copied to an air-gapped vault.
    Temporary,
    /// A continuous backup that goes on.
    Continuous,
    /// A continuous backup that does not go on any more.
    Stopped,
}

/// A run of a rule from which no job came for a resource that the plan selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The ARN of the resource.
    pub resource: String,
    /// The plan, and the rule in it.
    pub rule: (String, String),
    /// The run.
    pub run: SystemTime,
    /// Why.
    pub trouble: Trouble,
}
