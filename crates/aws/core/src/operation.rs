//! The operations that are called, and the rate at which AWS accepts each from an account.

#![expect(missing_docs, reason = "the name of an operation is all there is to say of its constant")]

use std::time::Duration;

use leaky_bucket::RateLimiter;

/// The effect on a request if AWS does not answer one of its reads.
///
/// Writes are needed, and so is every read that decides what is written. The other reads go through
/// [`Management::for_what_is`](crate::Management::for_what_is).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// The request fails. The read may take all of the remaining time.
    Needed,
    /// The command fails, within about ten seconds of the first attempt. This is the first call of
    /// the operator's command, which finds out that something other than AWS answers, or nothing.
    First,
    /// The request does all of its work, but reports less. These are the reads of a preflight that
    /// only warns, of the accounts for the page of a sweep, and of the accounts from which AWS
    /// withholds the effective policy.
    Helpful,
    /// The request does all of its work, and a log line says what was left out. These are the reads
    /// of the management account after a denied call, of the account that is watched for a
    /// publication, and of the publication.
    Optional,
}

/// The limits of reads that are not needed, which leave the time to those that are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The maximum number of attempts of a call.
    pub(crate) attempts: u32,
    /// The maximum duration of one attempt.
    pub(crate) attempt: Duration,
    /// The maximum duration of a call.
    pub(crate) call: Duration,
    /// The maximum duration of all calls for one purpose.
    pub(crate) all: Duration,
}

impl Need {
    /// Returns the limits; `None` if only the deadline limits the reads.
    pub(crate) fn patience(self) -> Option<Patience> {
        let seconds = Duration::from_secs;
        match self {
            Self::Needed => None,
            // A person may have to log in before the first attempt, so the call itself may take long.
            Self::First => Some(Patience {
                attempts: u32::MAX,
                attempt: seconds(9),
                call: Duration::from_hours(1),
                all: Duration::from_hours(1),
            }),
            Self::Helpful => Some(Patience {
                attempts: 4,
                attempt: seconds(8),
                call: seconds(30),
                // At the published rate, a listing of ten thousand accounts takes more than a
                // minute.
                all: seconds(180),
            }),
            // A publication takes up to twenty reads, one a second.
            Self::Optional => Some(Patience {
                attempts: 2,
                attempt: seconds(4),
                call: seconds(10),
                all: seconds(30),
            }),
        }
    }
}

/// One operation of an AWS API.
///
/// The rates are the token buckets per account that the AWS Organizations user guide publishes
/// under "Throttling limits". An operation without a published rate is not paced. All callers in
/// the management account share these buckets, so a throttled call is retried all the same.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The name in the API.
    pub name: &'static str,
    /// The prefix of the actions of its service in IAM.
    service: &'static str,
    /// The name of its action in IAM.
    action: &'static str,
    /// True if the operation changes something.
    pub writes: bool,
    /// The calls per second, and the size of a burst.
    rate: Option<(usize, usize)>,
}

impl Operation {
    const fn read(
        service: &'static str,
        name: &'static str,
        per_second: usize,
        burst: usize,
    ) -> Self {
        let rate = Some((per_second, burst));
        Self { rate, ..Self::unpaced(service, name, false) }
    }

    const fn write(
        service: &'static str,
        name: &'static str,
        per_second: usize,
        burst: usize,
    ) -> Self {
        let rate = Some((per_second, burst));
        Self { rate, ..Self::unpaced(service, name, true) }
    }

    const fn unpaced(service: &'static str, name: &'static str, writes: bool) -> Self {
        Self { name, service, action: name, writes, rate: None }
    }

    /// Returns the same operation, whose action in IAM has another name.
    const fn granted_by(self, action: &'static str) -> Self {
        Self { action, ..self }
    }

    /// Returns the action that IAM has to allow for it, as in `s3:ListBucket`.
    pub(crate) fn permission(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }

    /// Returns the time from one call to the next, after the burst.
    ///
    /// It is a little longer than AWS's interval. A call that waited for its turn may be faster on the
    /// network than the call before it, and would arrive too early.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let (per_second, _) = self.rate?;
        Some(Duration::from_millis(1_050) / u32::try_from(per_second).unwrap_or(1))
    }

    /// Returns a bucket that starts full, as AWS's bucket is for a caller that has not called for a
    /// while.
    pub(crate) fn bucket(&self) -> Option<RateLimiter> {
        let (_, burst) = self.rate?;
        let interval = self.interval()?;
        let bucket = &mut RateLimiter::builder();
        Some(bucket.initial(burst).max(burst).refill(1).interval(interval).build())
    }
}

// The prefixes of the actions of services in IAM.
const BACKUP: &str = "backup";
const CLOUDFORMATION: &str = "cloudformation";
const CLOUDTRAIL: &str = "cloudtrail";
const EVENTS: &str = "events";
const IAM: &str = "iam";
const KMS: &str = "kms";
const ORGANIZATIONS: &str = "organizations";
const RESOURCE_EXPLORER: &str = "resource-explorer-2";
const S3: &str = "s3";
const SECURITY_HUB: &str = "securityhub";
const SNS: &str = "sns";
const STATES: &str = "states";
const STS: &str = "sts";
const TAGGING: &str = "tag";

pub const ATTACH_POLICY: Operation = Operation::write(ORGANIZATIONS, "AttachPolicy", 2, 3);
pub const CREATE_POLICY: Operation = Operation::write(ORGANIZATIONS, "CreatePolicy", 2, 3);
pub const DELETE_POLICY: Operation = Operation::write(ORGANIZATIONS, "DeletePolicy", 2, 3);
pub const DEREGISTER: Operation =
    Operation::write(ORGANIZATIONS, "DeregisterDelegatedAdministrator", 1, 2);
pub const DESCRIBE_ACCOUNT: Operation = Operation::read(ORGANIZATIONS, "DescribeAccount", 20, 30);
/// The rate of checks for a publication. AWS publishes no rate, so this one is ours.
pub const DESCRIBE_EFFECTIVE_POLICY: Operation =
    Operation::read(ORGANIZATIONS, "DescribeEffectivePolicy", 1, 3);
pub const DESCRIBE_ORGANIZATION: Operation =
    Operation::read(ORGANIZATIONS, "DescribeOrganization", 1, 2);
pub const DESCRIBE_POLICY: Operation = Operation::read(ORGANIZATIONS, "DescribePolicy", 2, 2);
pub const DETACH_POLICY: Operation = Operation::write(ORGANIZATIONS, "DetachPolicy", 2, 3);
pub const DISABLE_ACCESS: Operation =
    Operation::write(ORGANIZATIONS, "DisableAWSServiceAccess", 1, 2);
pub const DISABLE_POLICY_TYPE: Operation =
    Operation::write(ORGANIZATIONS, "DisablePolicyType", 1, 1);
pub const ENABLE_ACCESS: Operation =
    Operation::write(ORGANIZATIONS, "EnableAWSServiceAccess", 1, 2);
pub const ENABLE_POLICY_TYPE: Operation = Operation::write(ORGANIZATIONS, "EnablePolicyType", 1, 1);
pub const LIST_ACCOUNTS: Operation = Operation::read(ORGANIZATIONS, "ListAccounts", 8, 12);
pub const LIST_ACCESS: Operation =
    Operation::read(ORGANIZATIONS, "ListAWSServiceAccessForOrganization", 1, 3);
pub const LIST_ADMINISTRATORS: Operation =
    Operation::read(ORGANIZATIONS, "ListDelegatedAdministrators", 5, 8);
pub const LIST_ACCOUNTS_FOR_PARENT: Operation =
    Operation::read(ORGANIZATIONS, "ListAccountsForParent", 5, 8);
pub const LIST_PARENTS: Operation = Operation::read(ORGANIZATIONS, "ListParents", 5, 8);
pub const LIST_POLICIES: Operation = Operation::read(ORGANIZATIONS, "ListPolicies", 5, 8);
pub const LIST_POLICIES_FOR_TARGET: Operation =
    Operation::read(ORGANIZATIONS, "ListPoliciesForTarget", 5, 8);
pub const LIST_ROOTS: Operation = Operation::read(ORGANIZATIONS, "ListRoots", 1, 2);
pub const LIST_TAGS: Operation = Operation::read(ORGANIZATIONS, "ListTagsForResource", 10, 15);
pub const LIST_TARGETS: Operation = Operation::read(ORGANIZATIONS, "ListTargetsForPolicy", 5, 8);
pub const LIST_UNITS: Operation =
    Operation::read(ORGANIZATIONS, "ListOrganizationalUnitsForParent", 5, 8);
pub const REGISTER: Operation =
    Operation::write(ORGANIZATIONS, "RegisterDelegatedAdministrator", 1, 2);
pub const TAG: Operation = Operation::write(ORGANIZATIONS, "TagResource", 4, 6);
pub const UNTAG: Operation = Operation::write(ORGANIZATIONS, "UntagResource", 4, 6);
pub const UPDATE_POLICY: Operation = Operation::write(ORGANIZATIONS, "UpdatePolicy", 2, 3);

// The rates are ours, as none is published: how often jobs are asked for that somebody waits for.
pub const DESCRIBE_BACKUP_JOB: Operation = Operation::read(BACKUP, "DescribeBackupJob", 1, 1);
pub const DESCRIBE_COPY_JOB: Operation = Operation::read(BACKUP, "DescribeCopyJob", 1, 1);
pub const DESCRIBE_RESTORE_JOB: Operation = Operation::read(BACKUP, "DescribeRestoreJob", 1, 1);
pub const DESCRIBE_POINT: Operation = Operation::unpaced(BACKUP, "DescribeRecoveryPoint", false);
pub const GET_RESTORE_METADATA: Operation =
    Operation::unpaced(BACKUP, "GetRecoveryPointRestoreMetadata", false);
pub const GET_RESTORE_SETTINGS: Operation =
    Operation::unpaced(BACKUP, "GetRestoreJobMetadata", false);
pub const START_BACKUP: Operation = Operation::unpaced(BACKUP, "StartBackupJob", true);
pub const START_COPY: Operation = Operation::unpaced(BACKUP, "StartCopyJob", true);
pub const START_RESTORE: Operation = Operation::unpaced(BACKUP, "StartRestoreJob", true);
pub const ACTIVATE_STACK_SETS: Operation =
    Operation::unpaced(CLOUDFORMATION, "ActivateOrganizationsAccess", true);
pub const ASSUME_ROLE: Operation = Operation::unpaced(STS, "AssumeRole", false);
pub const DEACTIVATE_STACK_SETS: Operation =
    Operation::unpaced(CLOUDFORMATION, "DeactivateOrganizationsAccess", true);
pub const DELETE_OBJECT: Operation = Operation::unpaced(S3, "DeleteObject", true);
pub const DESCRIBE_KEY: Operation = Operation::unpaced(KMS, "DescribeKey", false);
pub const DESCRIBE_REGION_SETTINGS: Operation =
    Operation::unpaced(BACKUP, "DescribeRegionSettings", false);
pub const DESCRIBE_SETTINGS: Operation =
    Operation::unpaced(BACKUP, "DescribeGlobalSettings", false);
pub const DESCRIBE_STACK_SETS: Operation =
    Operation::unpaced(CLOUDFORMATION, "DescribeOrganizationsAccess", false);
pub const DESCRIBE_STACK_RESOURCE: Operation =
    Operation::unpaced(CLOUDFORMATION, "DescribeStackResource", false);
pub const DESCRIBE_STACKS: Operation = Operation::unpaced(CLOUDFORMATION, "DescribeStacks", false);
pub const CREATE_SERVICE_ROLE: Operation = Operation::unpaced(IAM, "CreateServiceLinkedRole", true);
pub const DESCRIBE_TRAILS: Operation = Operation::unpaced(CLOUDTRAIL, "DescribeTrails", false);
pub const DESCRIBE_VAULT: Operation = Operation::unpaced(BACKUP, "DescribeBackupVault", false);
pub const GET_ACCESS_POLICY: Operation =
    Operation::unpaced(BACKUP, "GetBackupVaultAccessPolicy", false);
pub const GET_BUCKET_ENCRYPTION: Operation =
    Operation::unpaced(S3, "GetBucketEncryption", false).granted_by("GetEncryptionConfiguration");
pub const GET_CALLER: Operation = Operation::unpaced(STS, "GetCallerIdentity", false);
pub const GET_EVENT_SELECTORS: Operation =
    Operation::unpaced(CLOUDTRAIL, "GetEventSelectors", false);
pub const GET_OBJECT: Operation = Operation::unpaced(S3, "GetObject", false);
pub const GET_ROLE: Operation = Operation::unpaced(IAM, "GetRole", false);
pub const GET_ROLE_POLICY: Operation = Operation::unpaced(IAM, "GetRolePolicy", false);
pub const GET_SUPPORTED_TYPES: Operation =
    Operation::unpaced(BACKUP, "GetSupportedResourceTypes", false);
pub const GET_TEMPLATE: Operation = Operation::unpaced(CLOUDFORMATION, "GetTemplate", false);
pub const GET_TRAIL_STATUS: Operation = Operation::unpaced(CLOUDTRAIL, "GetTrailStatus", false);
pub const LIST_ATTACHED_ROLE_POLICIES: Operation =
    Operation::unpaced(IAM, "ListAttachedRolePolicies", false);
pub const LIST_EXPORTS: Operation = Operation::unpaced(CLOUDFORMATION, "ListExports", false);
pub const LIST_EFFECTIVE_ERRORS: Operation =
    Operation::unpaced(ORGANIZATIONS, "ListEffectivePolicyValidationErrors", false);
pub const LIST_INVALID_ACCOUNTS: Operation =
    Operation::unpaced(ORGANIZATIONS, "ListAccountsWithInvalidEffectivePolicy", false);
pub const LIST_OBJECTS: Operation =
    Operation::unpaced(S3, "ListObjectsV2", false).granted_by("ListBucket");
pub const LIST_ROLE_POLICIES: Operation = Operation::unpaced(IAM, "ListRolePolicies", false);
pub const GET_DEFAULT_VIEW: Operation =
    Operation::unpaced(RESOURCE_EXPLORER, "GetDefaultView", false);
pub const GET_RESOURCES: Operation = Operation::unpaced(TAGGING, "GetResources", false);
pub const GET_SELECTION: Operation = Operation::unpaced(BACKUP, "GetBackupSelection", false);
pub const LIST_BACKUP_JOBS: Operation = Operation::unpaced(BACKUP, "ListBackupJobs", false);
pub const LIST_COPY_JOBS: Operation = Operation::unpaced(BACKUP, "ListCopyJobs", false);
pub const LIST_PLANS: Operation = Operation::unpaced(BACKUP, "ListBackupPlans", false);
pub const LIST_POINTS: Operation =
    Operation::unpaced(BACKUP, "ListRecoveryPointsByBackupVault", false);
pub const LIST_RESOURCES: Operation = Operation::unpaced(RESOURCE_EXPLORER, "ListResources", false);
pub const LIST_RESTORE_JOBS: Operation = Operation::unpaced(BACKUP, "ListRestoreJobs", false);
pub const LIST_SELECTIONS: Operation = Operation::unpaced(BACKUP, "ListBackupSelections", false);
pub const LIST_VAULTS: Operation = Operation::unpaced(BACKUP, "ListBackupVaults", false);
// A message does not change anything that the functions manage.
pub const IMPORT_FINDINGS: Operation =
    Operation::unpaced(SECURITY_HUB, "BatchImportFindings", false);
pub const PUT_EVENTS: Operation = Operation::unpaced(EVENTS, "PutEvents", false);
pub const PUBLISH: Operation = Operation::unpaced(SNS, "Publish", false);
pub const PUT_OBJECT: Operation = Operation::unpaced(S3, "PutObject", true);
pub const START_EXECUTION: Operation = Operation::unpaced(STATES, "StartExecution", true);
pub const UPDATE_REGION_SETTINGS: Operation =
    Operation::unpaced(BACKUP, "UpdateRegionSettings", true);
pub const UPDATE_SETTINGS: Operation = Operation::unpaced(BACKUP, "UpdateGlobalSettings", true);
