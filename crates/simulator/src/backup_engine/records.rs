//! The records of the engine: resources, vaults, jobs and recovery points.

use std::collections::BTreeMap;
use std::time::SystemTime;

use policy::arn::Arn;

use super::facts::{Feature, TypeFacts, is_multi_az_cluster};
use super::lifecycle::PointLifecycle;
use crate::ids::{hex_of, uuid_of};

/// Returns the account and the Region of a vault.
pub(crate) fn whereabouts(vault: &str) -> Option<(&str, &str)> {
    let Arn { account, region, .. } = Arn::parse(vault).ok()?;
    Some((account, region))
}

/// A resource that can be backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Its ARN.
    pub arn: String,
    /// The name of its type in AWS Backup.
    pub kind: String,
    /// The ID of its account.
    pub account: String,
    /// The code of its Region.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its size in GiB.
    pub gigabytes: u64,
}

/// A vault that stores backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineVault {
    /// The key that encrypts it.
    pub key: EngineKey,
    /// The least and the greatest number of days that its lock allows, if it is locked.
    pub lock: Option<(Option<u32>, Option<u32>)>,
    /// True if its access policy allows the organization to copy into it.
    pub admits_organization: bool,
    /// True if it is logically air-gapped.
    pub air_gapped: bool,
}

/// The key that encrypts a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKey {
    /// AWS Backup's own key.
    Default,
    /// A key of the customer.
    Customer,
    /// A key of the customer that is disabled.
    Disabled,
}

/// The reason why a job failed, or why there is none.
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
    /// The account of the destination is not in the organization.
    OtherOrganization,
    /// Copies between accounts are switched off.
    CrossAccountDisabled,
    /// The access policy of the destination does not allow the copy.
    VaultDenied,
    /// The destination is encrypted with a key of AWS.
    DefaultKey,
    /// The copy would leave its account and its Region at once.
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
    /// The role is not allowed something that the copy needs beside its vault.
    RoleDenied,
    /// The account of the destination may not use the Region.
    RegionDisabled,
    /// A test asked for it.
    Injected,
}

impl Trouble {
    /// Returns the message of the job.
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
            Self::RoleDenied => "The role does not have permission to make the copy.",
            Self::RegionDisabled => "The destination Region is not enabled.",
            Self::Injected => "Something went wrong.",
        }
    }
}

/// The progress of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobProgress {
    /// It waits for its start.
    Created,
    /// It is at work.
    Running,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// One of its windows ended before the job did.
    Expired,
    /// It was stopped.
    Aborted,
}

impl JobProgress {
    /// Returns the name of AWS Backup for it.
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
    /// The name of the type of the resource in AWS Backup.
    pub kind: String,
    /// The size of the resource in bytes.
    pub bytes: u64,
    /// The account and Region of the resource.
    pub place: (String, String),
    /// The plan, and the rule in it. Both names are empty if the job was started on demand.
    pub rule: (String, String),
    /// The time of the run of the rule.
    pub run: SystemTime,
    /// The time at which it was created.
    pub created: SystemTime,
    /// The time by which it has to start.
    pub start_by: SystemTime,
    /// The times of its start and of its end, once it has started.
    pub at_work: Option<(SystemTime, SystemTime)>,
    /// The time at which it was over, if it is over.
    pub ended: Option<SystemTime>,
    /// The ARN of the vault in which it stores the backup.
    pub vault: String,
    /// The ARN of its role.
    pub role: String,
    /// Its progress.
    pub progress: JobProgress,
    /// The reason why it failed.
    pub trouble: Option<Trouble>,
    /// The number of the recovery point that it created or continued.
    pub point: Option<usize>,
}

/// A copy job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineCopyJob {
    /// The ARN of the resource.
    pub resource: String,
    /// The name of the type of the resource in AWS Backup.
    pub kind: String,
    /// The size of the resource in bytes.
    pub bytes: u64,
    /// The account and the Region from which it copies.
    pub place: (String, String),
    /// The plan, and the rule in it. Both names are empty if the job was started on demand.
    pub rule: (String, String),
    /// The ARN of its role.
    pub role: String,
    /// The number of the backup job that created the recovery point, if a plan asks for the copy.
    pub job: Option<usize>,
    /// The number of the recovery point.
    pub source: usize,
    /// The ARN of the vault of the recovery point.
    pub source_vault: String,
    /// The time at which the backup that it copies was begun.
    pub begun: SystemTime,
    /// The ARN of the vault in which it stores the copy.
    pub destination: String,
    /// The lifecycle of the copy.
    pub lifecycle: PointLifecycle,
    /// The time at which it was created.
    pub created: SystemTime,
    /// The times of its start and of its end, once it has started.
    pub at_work: Option<(SystemTime, SystemTime)>,
    /// The time at which it was over, if it is over.
    pub ended: Option<SystemTime>,
    /// Its progress.
    pub progress: JobProgress,
    /// The reason why it failed.
    pub trouble: Option<Trouble>,
    /// The number of the recovery point that it created.
    pub point: Option<usize>,
}

/// A recovery point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnginePoint {
    /// Its number among all recovery points.
    pub id: usize,
    /// The ARN of the resource.
    pub resource: String,
    /// The name of the type of the resource in AWS Backup.
    pub kind: String,
    /// The size of the resource in bytes at that time.
    pub bytes: u64,
    /// The ARN of its vault.
    pub vault: String,
    /// The ARN of the vault from which it was copied, if it is a copy.
    pub source_vault: Option<String>,
    /// The tags of the resource at that time.
    pub tags: BTreeMap<String, String>,
    /// Its own tags.
    pub own_tags: BTreeMap<String, String>,
    /// The settings of the resource, in the form of restore metadata.
    pub metadata: BTreeMap<String, String>,
    /// The ARN of the key that encrypts it, if known.
    pub key: Option<String>,
    /// Its flaw, if it has one.
    pub flaw: Option<Flaw>,
    /// The time at which its backup was begun. A copy has the time of its source.
    pub created: SystemTime,
    /// The time at which it was complete.
    pub completed: SystemTime,
    /// The plan that created it, and the rule in the plan.
    pub rule: (String, String),
    /// Its form.
    pub form: PointForm,
    /// Its lifecycle.
    pub lifecycle: PointLifecycle,
    /// The time at which it moves to cold storage.
    pub cold_at: Option<SystemTime>,
    /// The time at which it is deleted.
    pub delete_at: Option<SystemTime>,
    /// True if its retention is over and it could not be deleted.
    pub expired: bool,
    /// The ARN of the role of its backup.
    pub role: String,
}

impl EnginePoint {
    /// Returns its ARN. Backups that belong to another service have an ARN of that service.
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
        if self.form == PointForm::OfDynamoDb {
            let table = self.resource.rsplit('/').next().unwrap_or_default();
            return of("dynamodb", account, &format!("table/{table}/backup/01700000000000-{hex}"));
        }
        match self.kind.as_str() {
            "RDS" | "Aurora" if is_continuous => {
                of("backup", account, &format!("recovery-point:continuous:{uuid}"))
            }
            "EBS" | "Storage Gateway" => of("ec2", "", &format!("snapshot/snap-{hex}")),
            "EC2" => of("ec2", "", &format!("image/ami-{hex}")),
            "RDS" if !is_multi_az_cluster("RDS", &self.resource) => {
                of("rds", account, &format!("snapshot:awsbackup:job-{uuid}"))
            }
            "RDS" | "Aurora" | "DocumentDB" | "Neptune" => {
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
            (None, PointForm::Snapshot | PointForm::Temporary | PointForm::OfDynamoDb) => {
                "COMPLETED"
            }
        }
    }

    /// Returns `true` if it is encrypted.
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

    /// Returns `true` if it is in cold storage at that time.
    #[must_use]
    pub fn is_cold(&self, at: SystemTime) -> bool {
        self.cold_at.is_some_and(|it| it <= at)
    }
}

/// A flaw of a recovery point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is incomplete.
    Partial,
    /// It is being deleted.
    Deleting,
}

/// The form of a recovery point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointForm {
    /// A snapshot.
    Snapshot,
    /// A snapshot that exists only to be copied to an air-gapped vault.
    Temporary,
    /// A backup of a table that DynamoDB itself has, in an account without the advanced features of AWS
    /// Backup. It is neither copied nor moved to cold storage (`advanced-ddb-backup.html`).
    OfDynamoDb,
    /// A continuous backup that is being continued.
    Continuous,
    /// A continuous backup that is not continued any more.
    Stopped,
}

/// A run of a rule that started no job for a resource, although the plan selects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The ARN of the resource.
    pub resource: String,
    /// The plan, and the rule in it.
    pub rule: (String, String),
    /// The time of the run.
    pub run: SystemTime,
    /// The reason.
    pub trouble: Trouble,
}
