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
    /// True if the operation changes something.
    pub writes: bool,
    /// The calls per second, and the size of a burst.
    rate: Option<(usize, usize)>,
}

impl Operation {
    const fn read(name: &'static str, per_second: usize, burst: usize) -> Self {
        Self { name, writes: false, rate: Some((per_second, burst)) }
    }

    const fn write(name: &'static str, per_second: usize, burst: usize) -> Self {
        Self { name, writes: true, rate: Some((per_second, burst)) }
    }

    const fn unpaced(name: &'static str, writes: bool) -> Self {
        Self { name, writes, rate: None }
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

pub const ATTACH_POLICY: Operation = Operation::write("AttachPolicy", 2, 3);
pub const CREATE_POLICY: Operation = Operation::write("CreatePolicy", 2, 3);
pub const DELETE_POLICY: Operation = Operation::write("DeletePolicy", 2, 3);
pub const DEREGISTER: Operation = Operation::write("DeregisterDelegatedAdministrator", 1, 2);
pub const DESCRIBE_ACCOUNT: Operation = Operation::read("DescribeAccount", 20, 30);
/// The rate of checks for a publication. AWS publishes no rate, so this one is ours.
pub const DESCRIBE_EFFECTIVE_POLICY: Operation = Operation::read("DescribeEffectivePolicy", 1, 3);
pub const DESCRIBE_ORGANIZATION: Operation = Operation::read("DescribeOrganization", 1, 2);
pub const DESCRIBE_POLICY: Operation = Operation::read("DescribePolicy", 2, 2);
pub const DETACH_POLICY: Operation = Operation::write("DetachPolicy", 2, 3);
pub const DISABLE_ACCESS: Operation = Operation::write("DisableAWSServiceAccess", 1, 2);
pub const DISABLE_POLICY_TYPE: Operation = Operation::write("DisablePolicyType", 1, 1);
pub const ENABLE_ACCESS: Operation = Operation::write("EnableAWSServiceAccess", 1, 2);
pub const ENABLE_POLICY_TYPE: Operation = Operation::write("EnablePolicyType", 1, 1);
pub const LIST_ACCOUNTS: Operation = Operation::read("ListAccounts", 8, 12);
pub const LIST_ACCESS: Operation = Operation::read("ListAWSServiceAccessForOrganization", 1, 3);
pub const LIST_ADMINISTRATORS: Operation = Operation::read("ListDelegatedAdministrators", 5, 8);
pub const LIST_ACCOUNTS_FOR_PARENT: Operation = Operation::read("ListAccountsForParent", 5, 8);
pub const LIST_PARENTS: Operation = Operation::read("ListParents", 5, 8);
pub const LIST_POLICIES: Operation = Operation::read("ListPolicies", 5, 8);
pub const LIST_POLICIES_FOR_TARGET: Operation = Operation::read("ListPoliciesForTarget", 5, 8);
pub const LIST_ROOTS: Operation = Operation::read("ListRoots", 1, 2);
pub const LIST_TAGS: Operation = Operation::read("ListTagsForResource", 10, 15);
pub const LIST_TARGETS: Operation = Operation::read("ListTargetsForPolicy", 5, 8);
pub const LIST_UNITS: Operation = Operation::read("ListOrganizationalUnitsForParent", 5, 8);
pub const REGISTER: Operation = Operation::write("RegisterDelegatedAdministrator", 1, 2);
pub const TAG: Operation = Operation::write("TagResource", 4, 6);
pub const UNTAG: Operation = Operation::write("UntagResource", 4, 6);
pub const UPDATE_POLICY: Operation = Operation::write("UpdatePolicy", 2, 3);

// The rates are ours, as none is published: how often jobs are asked for that somebody waits for.
pub const DESCRIBE_BACKUP_JOB: Operation = Operation::read("DescribeBackupJob", 1, 1);
pub const DESCRIBE_COPY_JOB: Operation = Operation::read("DescribeCopyJob", 1, 1);
pub const DESCRIBE_RESTORE_JOB: Operation = Operation::read("DescribeRestoreJob", 1, 1);
pub const DESCRIBE_POINT: Operation = Operation::unpaced("DescribeRecoveryPoint", false);
pub const GET_RESTORE_METADATA: Operation =
    Operation::unpaced("GetRecoveryPointRestoreMetadata", false);
pub const GET_RESTORE_SETTINGS: Operation = Operation::unpaced("GetRestoreJobMetadata", false);
pub const START_BACKUP: Operation = Operation::unpaced("StartBackupJob", true);
pub const START_COPY: Operation = Operation::unpaced("StartCopyJob", true);
pub const START_RESTORE: Operation = Operation::unpaced("StartRestoreJob", true);
pub const ACTIVATE_STACK_SETS: Operation = Operation::unpaced("ActivateOrganizationsAccess", true);
pub const ASSUME_ROLE: Operation = Operation::unpaced("AssumeRole", false);
pub const DEACTIVATE_STACK_SETS: Operation =
    Operation::unpaced("DeactivateOrganizationsAccess", true);
pub const DELETE_OBJECT: Operation = Operation::unpaced("DeleteObject", true);
pub const DESCRIBE_KEY: Operation = Operation::unpaced("DescribeKey", false);
pub const DESCRIBE_REGION_SETTINGS: Operation = Operation::unpaced("DescribeRegionSettings", false);
pub const DESCRIBE_SETTINGS: Operation = Operation::unpaced("DescribeGlobalSettings", false);
pub const DESCRIBE_STACK_SETS: Operation = Operation::unpaced("DescribeOrganizationsAccess", false);
pub const DESCRIBE_STACK_RESOURCE: Operation = Operation::unpaced("DescribeStackResource", false);
pub const DESCRIBE_STACKS: Operation = Operation::unpaced("DescribeStacks", false);
pub const CREATE_SERVICE_ROLE: Operation = Operation::unpaced("CreateServiceLinkedRole", true);
pub const DESCRIBE_TRAILS: Operation = Operation::unpaced("DescribeTrails", false);
pub const DESCRIBE_VAULT: Operation = Operation::unpaced("DescribeBackupVault", false);
pub const GET_ACCESS_POLICY: Operation = Operation::unpaced("GetBackupVaultAccessPolicy", false);
pub const GET_BUCKET_ENCRYPTION: Operation = Operation::unpaced("GetBucketEncryption", false);
pub const GET_CALLER: Operation = Operation::unpaced("GetCallerIdentity", false);
pub const GET_EVENT_SELECTORS: Operation = Operation::unpaced("GetEventSelectors", false);
pub const GET_OBJECT: Operation = Operation::unpaced("GetObject", false);
pub const GET_ROLE: Operation = Operation::unpaced("GetRole", false);
pub const GET_ROLE_POLICY: Operation = Operation::unpaced("GetRolePolicy", false);
pub const GET_SUPPORTED_TYPES: Operation = Operation::unpaced("GetSupportedResourceTypes", false);
pub const GET_TEMPLATE: Operation = Operation::unpaced("GetTemplate", false);
pub const GET_TRAIL_STATUS: Operation = Operation::unpaced("GetTrailStatus", false);
pub const LIST_ATTACHED_ROLE_POLICIES: Operation =
    Operation::unpaced("ListAttachedRolePolicies", false);
pub const LIST_EXPORTS: Operation = Operation::unpaced("ListExports", false);
pub const LIST_EFFECTIVE_ERRORS: Operation =
    Operation::unpaced("ListEffectivePolicyValidationErrors", false);
pub const LIST_INVALID_ACCOUNTS: Operation =
    Operation::unpaced("ListAccountsWithInvalidEffectivePolicy", false);
pub const LIST_OBJECTS: Operation = Operation::unpaced("ListObjectsV2", false);
pub const LIST_ROLE_POLICIES: Operation = Operation::unpaced("ListRolePolicies", false);
pub const GET_DEFAULT_VIEW: Operation = Operation::unpaced("GetDefaultView", false);
pub const GET_RESOURCES: Operation = Operation::unpaced("GetResources", false);
pub const GET_SELECTION: Operation = Operation::unpaced("GetBackupSelection", false);
pub const LIST_BACKUP_JOBS: Operation = Operation::unpaced("ListBackupJobs", false);
pub const LIST_COPY_JOBS: Operation = Operation::unpaced("ListCopyJobs", false);
pub const LIST_PLANS: Operation = Operation::unpaced("ListBackupPlans", false);
pub const LIST_POINTS: Operation = Operation::unpaced("ListRecoveryPointsByBackupVault", false);
pub const LIST_RESOURCES: Operation = Operation::unpaced("ListResources", false);
pub const LIST_RESTORE_JOBS: Operation = Operation::unpaced("ListRestoreJobs", false);
pub const LIST_SELECTIONS: Operation = Operation::unpaced("ListBackupSelections", false);
pub const LIST_VAULTS: Operation = Operation::unpaced("ListBackupVaults", false);
// A message does not change anything that the functions manage.
pub const IMPORT_FINDINGS: Operation = Operation::unpaced("BatchImportFindings", false);
pub const PUT_EVENTS: Operation = Operation::unpaced("PutEvents", false);
pub const PUBLISH: Operation = Operation::unpaced("Publish", false);
pub const PUT_OBJECT: Operation = Operation::unpaced("PutObject", true);
pub const START_EXECUTION: Operation = Operation::unpaced("StartExecution", true);
pub const UPDATE_REGION_SETTINGS: Operation = Operation::unpaced("UpdateRegionSettings", true);
pub const UPDATE_SETTINGS: Operation = Operation::unpaced("UpdateGlobalSettings", true);

/// Returns the IAM action for the operation with this name.
pub(crate) fn permission(operation: &str) -> String {
    let service = match operation {
        "ListObjectsV2" => return "s3:ListBucket".to_owned(),
        "GetBucketEncryption" => return "s3:GetEncryptionConfiguration".to_owned(),
        "DeleteObject" | "GetObject" | "PutObject" => "s3",
        "AssumeRole" | "GetCallerIdentity" => "sts",
        "ActivateOrganizationsAccess"
        | "DeactivateOrganizationsAccess"
        | "DescribeOrganizationsAccess"
        | "DescribeStackResource"
        | "DescribeStacks"
        | "GetTemplate"
        | "ListExports" => "cloudformation",
        "DescribeTrails" | "GetEventSelectors" | "GetTrailStatus" => "cloudtrail",
        "DescribeBackupJob"
        | "DescribeBackupVault"
        | "DescribeCopyJob"
        | "DescribeGlobalSettings"
        | "DescribeRecoveryPoint"
        | "DescribeRegionSettings"
        | "DescribeRestoreJob"
        | "GetBackupSelection"
        | "GetBackupVaultAccessPolicy"
        | "GetRecoveryPointRestoreMetadata"
        | "GetRestoreJobMetadata"
        | "GetSupportedResourceTypes"
        | "ListBackupJobs"
        | "ListBackupPlans"
        | "ListBackupSelections"
        | "ListBackupVaults"
        | "ListCopyJobs"
        | "ListRecoveryPointsByBackupVault"
        | "ListRestoreJobs"
        | "StartBackupJob"
        | "StartCopyJob"
        | "StartRestoreJob"
        | "UpdateGlobalSettings"
        | "UpdateRegionSettings" => "backup",
        "DescribeKey" => "kms",
        "CreateServiceLinkedRole"
        | "GetRole"
        | "GetRolePolicy"
        | "ListAttachedRolePolicies"
        | "ListRolePolicies" => "iam",
        "GetDefaultView" | "ListResources" => "resource-explorer-2",
        "BatchImportFindings" => "securityhub",
        "GetResources" => "tag",
        "Publish" => "sns",
        "PutEvents" => "events",
        "StartExecution" => "states",
        _ => "organizations",
    };
    format!("{service}:{operation}")
}
