//! Every operation: its service, its permitted callers, its rate and its errors.

use crate::organization::Access;
use crate::refusal::Code;

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// AWS Organizations.
    Organizations,
    /// AWS Backup.
    Backup,
    /// AWS Security Token Service.
    Sts,
    /// AWS CloudFormation.
    CloudFormation,
    /// AWS CloudTrail.
    CloudTrail,
    /// Amazon EventBridge.
    EventBridge,
    /// AWS Identity and Access Management.
    Iam,
    /// AWS Key Management Service.
    Kms,
    /// AWS Resource Explorer.
    ResourceExplorer,
    /// AWS Security Hub.
    SecurityHub,
    /// Amazon S3.
    S3,
    /// Amazon Simple Notification Service.
    Sns,
    /// AWS Step Functions.
    StepFunctions,
    /// Resource Groups Tagging API.
    Tagging,
    /// The address to which custom resources send their answers.
    Response,
}

impl Service {
    /// Returns the beginning of the names of its actions in IAM.
    #[must_use]
    pub fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Organizations => Some("organizations"),
            Self::Backup => Some("backup"),
            Self::Sts => Some("sts"),
            Self::CloudFormation => Some("cloudformation"),
            Self::CloudTrail => Some("cloudtrail"),
            Self::EventBridge => Some("events"),
            Self::Iam => Some("iam"),
            Self::Kms => Some("kms"),
            Self::ResourceExplorer => Some("resource-explorer-2"),
            Self::SecurityHub => Some("securityhub"),
            Self::S3 => Some("s3"),
            Self::Sns => Some("sns"),
            Self::StepFunctions => Some("states"),
            Self::Tagging => Some("tag"),
            Self::Response => None,
        }
    }
}

/// The calls that are accepted, in a second and at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) account: (f64, f64),
    pub(crate) organization: Option<(f64, f64)>,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// Its service.
    pub service: Service,
    /// Its name.
    pub name: &'static str,
    /// True if it is meant to change something.
    pub write: bool,
    pub(crate) access: Access,
    pub(crate) all_features: bool,
    pub(crate) rate: Option<Rate>,
    pub(crate) errors: &'static [Code],
}

impl Operation {
    /// Returns the operation with this name.
    pub(crate) fn find(service: Service, name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|it| it.service == service && it.name == name)
    }

    /// Returns the number of calls in a second that AWS documents for one account, if it documents
    /// one.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        self.rate.map(|it| it.account.0)
    }

    /// Returns every error code that this operation may answer with.
    pub fn errors(&self) -> impl Iterator<Item = Code> {
        let common: &[Code] = match self.service {
            Service::Organizations => {
                &[Code::AccessDenied, Code::NotInUse, Code::Serialization, Code::TooManyRequests]
            }
            Service::Backup => &[Code::AccessDenied, Code::Serialization, Code::UnrecognizedClient],
            Service::CloudFormation => &[Code::Denied, Code::InvalidClientToken, Code::Validation],
            Service::Iam | Service::Sts => &[Code::Denied, Code::Validation],
            Service::CloudTrail
            | Service::EventBridge
            | Service::Kms
            | Service::ResourceExplorer
            | Service::SecurityHub
            | Service::StepFunctions
            | Service::Tagging => &[
                Code::AccessDenied,
                Code::Serialization,
                Code::UnrecognizedClient,
                Code::ValidationException,
            ],
            Service::S3 | Service::Response => &[Code::Denied],
            Service::Sns => &[Code::AuthorizationError, Code::InvalidClientToken],
        };
        common.iter().chain(self.errors).copied()
    }
}

const fn operation(
    service: Service,
    name: &'static str,
    access: Access,
    errors: &'static [Code],
) -> Operation {
    let write = matches!(access, Access::Write | Access::Management);
    Operation { service, name, write, access, all_features: false, rate: None, errors }
}

const fn read(name: &'static str, errors: &'static [Code]) -> Operation {
    operation(Service::Organizations, name, Access::Read, errors)
}

const fn write(name: &'static str, errors: &'static [Code]) -> Operation {
    operation(Service::Organizations, name, Access::Write, errors)
}

const fn manage(name: &'static str, errors: &'static [Code]) -> Operation {
    operation(Service::Organizations, name, Access::Management, errors)
}

impl Operation {
    const fn rate(self, rate: u8, burst: u8) -> Self {
        let account = (rate as f64, burst as f64);
        Self { rate: Some(Rate { account, organization: None }), ..self }
    }

    const fn shared(self, rate: u8, burst: u8) -> Self {
        match self.rate {
            Some(Rate { account, .. }) => {
                let organization = Some((rate as f64, burst as f64));
                Self { rate: Some(Rate { account, organization }), ..self }
            }
            None => self,
        }
    }

    /// Has the operation refused while the organization has consolidated billing only.
    const fn all_features(self) -> Self {
        Self { all_features: true, ..self }
    }

    const fn changing(self) -> Self {
        Self { write: true, ..self }
    }
}

use Code::{
    AccountAlreadyRegistered, AccountNotFound, AccountNotRegistered, ChildNotFound,
    ConcurrentModification, ConstraintViolation, CreateAccountStatusNotFound,
    DestinationParentNotFound, DuplicateAccount, DuplicateOrganizationalUnit, DuplicatePolicy,
    DuplicatePolicyAttachment, EffectivePolicyNotFound, ExecutionAlreadyExists,
    ExecutionDoesNotExist, InvalidAccess, InvalidArn, InvalidExecutionInput, InvalidInput,
    InvalidKeyArn, InvalidName, InvalidOperation, InvalidParameter, InvalidParameterValue,
    InvalidRequest, InvalidRoleInput, InvalidTagging, InvalidToken, KeyNotFound, LimitExceeded,
    MalformedPolicyDocument, MalformedSessionPolicy, MasterCannotLeave, MethodNotAllowed,
    MissingParameterValue, NoSuchBucket, NoSuchEntity, NoSuchKey, NoSuchVersion, NotImplemented,
    OrganizationalUnitNotEmpty, OrganizationalUnitNotFound, ParentNotFound,
    PolicyChangesInProgress, PolicyInUse, PolicyNotAttached, PolicyNotFound,
    PolicyTypeAlreadyEnabled, PolicyTypeNotEnabled, PreconditionFailed, ResourceNotFound,
    ResourcePolicyNotFound, RootNotFound, SourceParentNotFound, StateMachineDoesNotExist,
    TargetNotFound, TopicNotFound, TrailNotFound, Unauthorized,
};

/// Every operation, by service.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    operation(Service::Organizations, "DescribeOrganization", Access::Any, &[]).rate(1, 2),
    read("ListRoots", &[InvalidInput]).rate(1, 2).shared(1, 3),
    write("EnablePolicyType", &[ConcurrentModification, ConstraintViolation, InvalidInput, PolicyChangesInProgress, PolicyTypeAlreadyEnabled, RootNotFound]).all_features().rate(1, 1),
    write("DisablePolicyType", &[ConcurrentModification, ConstraintViolation, InvalidInput, PolicyChangesInProgress, PolicyTypeNotEnabled, RootNotFound]).all_features().rate(1, 1),

    write("CreatePolicy", &[ConcurrentModification, ConstraintViolation, DuplicatePolicy, InvalidInput, MalformedPolicyDocument]).all_features().rate(2, 3),
    write("UpdatePolicy", &[ConcurrentModification, ConstraintViolation, DuplicatePolicy, InvalidInput, MalformedPolicyDocument, PolicyNotFound]).all_features().rate(2, 3),
    write("DeletePolicy", &[ConcurrentModification, InvalidInput, PolicyInUse, PolicyNotFound]).rate(2, 3),
    read("DescribePolicy", &[InvalidInput, PolicyNotFound]).rate(2, 2).shared(2, 3),
    read("ListPolicies", &[InvalidInput]).rate(5, 8).shared(6, 10),
    read("ListPoliciesForTarget", &[InvalidInput, TargetNotFound]).rate(5, 8).shared(6, 10),
    read("ListTargetsForPolicy", &[InvalidInput, PolicyNotFound]).rate(5, 8).shared(6, 10),
    write("AttachPolicy", &[ConcurrentModification, ConstraintViolation, DuplicatePolicyAttachment, InvalidInput, PolicyNotFound, PolicyTypeNotEnabled, TargetNotFound]).all_features().rate(2, 3),
    write("DetachPolicy", &[ConcurrentModification, ConstraintViolation, InvalidInput, PolicyNotAttached, PolicyNotFound, TargetNotFound]).all_features().rate(2, 3),

    operation(Service::Organizations, "DescribeEffectivePolicy", Access::Any, &[ConstraintViolation, EffectivePolicyNotFound, InvalidInput, TargetNotFound]).all_features(),
    read("ListAccountsWithInvalidEffectivePolicy", &[ConstraintViolation, EffectivePolicyNotFound, InvalidInput]).all_features(),
    read("ListEffectivePolicyValidationErrors", &[AccountNotFound, ConstraintViolation, EffectivePolicyNotFound, InvalidInput]).all_features(),

    write("TagResource", &[ConcurrentModification, ConstraintViolation, InvalidInput, TargetNotFound]).rate(4, 6),
    write("UntagResource", &[ConcurrentModification, InvalidInput, TargetNotFound]).rate(4, 6),
    read("ListTagsForResource", &[InvalidInput, TargetNotFound]).rate(10, 15),

    manage("EnableAWSServiceAccess", &[ConcurrentModification, ConstraintViolation, InvalidInput]).all_features().rate(1, 2),
    manage("DisableAWSServiceAccess", &[ConcurrentModification, ConstraintViolation, InvalidInput]).all_features().rate(1, 2),
    read("ListAWSServiceAccessForOrganization", &[ConstraintViolation, InvalidInput]).all_features().rate(1, 3).shared(1, 4),
    manage("RegisterDelegatedAdministrator", &[AccountAlreadyRegistered, AccountNotFound, ConcurrentModification, ConstraintViolation, InvalidInput]).all_features().rate(1, 2),
    manage("DeregisterDelegatedAdministrator", &[AccountNotFound, AccountNotRegistered, ConcurrentModification, ConstraintViolation, InvalidInput]).all_features().rate(1, 2),
    read("ListDelegatedAdministrators", &[ConstraintViolation, InvalidInput]).all_features().rate(5, 8),
    read("ListDelegatedServicesForAccount", &[AccountNotFound, AccountNotRegistered, ConstraintViolation, InvalidInput]).all_features().rate(1, 3).shared(1, 4),

    read("ListAccounts", &[InvalidInput]).rate(8, 12).shared(9, 15),
    read("ListAccountsForParent", &[InvalidInput, ParentNotFound]).rate(5, 8).shared(6, 10),
    read("ListOrganizationalUnitsForParent", &[InvalidInput, ParentNotFound]).rate(5, 8).shared(6, 10),
    read("ListChildren", &[InvalidInput, ParentNotFound]).rate(6, 10).shared(7, 12),
    read("ListParents", &[ChildNotFound, InvalidInput]).rate(5, 8).shared(6, 10),
    read("DescribeAccount", &[AccountNotFound, InvalidInput]).rate(20, 30).shared(24, 36),
    read("DescribeOrganizationalUnit", &[InvalidInput, OrganizationalUnitNotFound]).rate(2, 2),
    manage("CreateOrganizationalUnit", &[ConcurrentModification, ConstraintViolation, DuplicateOrganizationalUnit, InvalidInput, ParentNotFound]).rate(1, 2),
    manage("DeleteOrganizationalUnit", &[ConcurrentModification, InvalidInput, OrganizationalUnitNotEmpty, OrganizationalUnitNotFound]).rate(1, 2),
    manage("MoveAccount", &[AccountNotFound, ConcurrentModification, DestinationParentNotFound, DuplicateAccount, InvalidInput, SourceParentNotFound]).rate(2, 3),
    manage("RemoveAccountFromOrganization", &[AccountNotFound, ConcurrentModification, ConstraintViolation, InvalidInput, MasterCannotLeave]),
    manage("CreateAccount", &[ConcurrentModification, ConstraintViolation, InvalidInput]),
    read("DescribeCreateAccountStatus", &[CreateAccountStatusNotFound, InvalidInput]),

    manage("PutResourcePolicy", &[ConcurrentModification, ConstraintViolation, InvalidInput]).all_features(),
    read("DescribeResourcePolicy", &[ConstraintViolation, ResourcePolicyNotFound]).all_features(),

    operation(Service::Backup, "DescribeGlobalSettings", Access::Any, &[InvalidRequest]),
    operation(Service::Backup, "UpdateGlobalSettings", Access::Management, &[InvalidParameterValue, InvalidRequest, MissingParameterValue]),
    operation(Service::Backup, "DescribeRegionSettings", Access::Any, &[]),
    operation(Service::Backup, "UpdateRegionSettings", Access::Any, &[InvalidParameterValue, MissingParameterValue]).changing(),
    operation(Service::Backup, "GetSupportedResourceTypes", Access::Any, &[]),
    operation(Service::Backup, "DescribeBackupVault", Access::Any, &[]),
    operation(Service::Backup, "GetBackupVaultAccessPolicy", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "DescribeRestoreJob", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "GetRestoreJobMetadata", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "DescribeBackupJob", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "DescribeCopyJob", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "DescribeRecoveryPoint", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "GetRecoveryPointRestoreMetadata", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "StartBackupJob", Access::Any, &[InvalidParameterValue, InvalidRequest, LimitExceeded, MissingParameterValue, ResourceNotFound]).changing(),
    operation(Service::Backup, "StartCopyJob", Access::Any, &[InvalidParameterValue, InvalidRequest, LimitExceeded, MissingParameterValue, ResourceNotFound]).changing(),
    operation(Service::Backup, "StartRestoreJob", Access::Any, &[InvalidParameterValue, InvalidRequest, MissingParameterValue, ResourceNotFound]).changing(),
    operation(Service::Backup, "ListBackupJobs", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListCopyJobs", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListRestoreJobs", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListProtectedResources", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListRecoveryPointsByBackupVault", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListRecoveryPointsByResource", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListBackupVaults", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "ListBackupPlans", Access::Any, &[InvalidParameterValue]),
    operation(Service::Backup, "GetBackupPlan", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "ListBackupSelections", Access::Any, &[InvalidParameterValue, ResourceNotFound]),
    operation(Service::Backup, "GetBackupSelection", Access::Any, &[ResourceNotFound]),
    operation(Service::Backup, "PutRestoreValidationResult", Access::Any, &[InvalidParameterValue, InvalidRequest, MissingParameterValue, ResourceNotFound]).changing(),

    operation(Service::Iam, "CreateServiceLinkedRole", Access::Any, &[InvalidRoleInput]).changing(),
    operation(Service::Iam, "GetRole", Access::Any, &[NoSuchEntity]),
    operation(Service::Iam, "GetRolePolicy", Access::Any, &[NoSuchEntity]),
    operation(Service::Iam, "ListAttachedRolePolicies", Access::Any, &[NoSuchEntity]),
    operation(Service::Iam, "ListRolePolicies", Access::Any, &[NoSuchEntity]),
    operation(Service::Kms, "DescribeKey", Access::Any, &[InvalidKeyArn, KeyNotFound]),

    operation(Service::Sts, "AssumeRole", Access::Any, &[MalformedSessionPolicy]),
    operation(Service::Sts, "GetCallerIdentity", Access::Any, &[]),

    operation(Service::CloudFormation, "ActivateOrganizationsAccess", Access::Management, &[InvalidOperation]),
    operation(Service::CloudFormation, "DeactivateOrganizationsAccess", Access::Management, &[InvalidOperation]),
    operation(Service::CloudFormation, "DescribeOrganizationsAccess", Access::Any, &[InvalidOperation]),
    operation(Service::CloudFormation, "DescribeStackResource", Access::Any, &[]),
    operation(Service::CloudFormation, "DescribeStacks", Access::Any, &[]),
    operation(Service::CloudFormation, "GetTemplate", Access::Any, &[]),
    operation(Service::CloudFormation, "ListExports", Access::Any, &[]),

    operation(Service::CloudTrail, "DescribeTrails", Access::Any, &[]),
    operation(Service::CloudTrail, "GetEventSelectors", Access::Any, &[TrailNotFound]),
    operation(Service::CloudTrail, "GetTrailStatus", Access::Any, &[TrailNotFound]),

    operation(Service::EventBridge, "PutEvents", Access::Any, &[]).changing(),

    operation(Service::SecurityHub, "BatchImportFindings", Access::Any, &[InvalidAccess, InvalidInput]).changing(),

    operation(Service::S3, "GetObject", Access::Any, &[MethodNotAllowed, NoSuchBucket, NoSuchKey, NoSuchVersion]),
    operation(Service::S3, "HeadObject", Access::Any, &[MethodNotAllowed, NoSuchBucket, NoSuchKey, NoSuchVersion]),
    operation(Service::S3, "PutObject", Access::Any, &[NoSuchBucket, NoSuchKey, NotImplemented, PreconditionFailed]).changing(),
    operation(Service::S3, "DeleteObject", Access::Any, &[NoSuchBucket, PreconditionFailed]).changing(),
    operation(Service::S3, "GetBucketEncryption", Access::Any, &[NoSuchBucket]),
    operation(Service::S3, "ListObjectsV2", Access::Any, &[NoSuchBucket]),

    operation(Service::Sns, "Publish", Access::Any, &[InvalidParameter, TopicNotFound]).changing(),

    operation(Service::StepFunctions, "StartExecution", Access::Any, &[ExecutionAlreadyExists, InvalidArn, InvalidExecutionInput, InvalidName, StateMachineDoesNotExist]).changing(),
    operation(Service::StepFunctions, "DescribeExecution", Access::Any, &[ExecutionDoesNotExist, InvalidArn]),
    operation(Service::StepFunctions, "ListExecutions", Access::Any, &[InvalidArn, InvalidToken, StateMachineDoesNotExist]),

    operation(Service::Tagging, "GetResources", Access::Any, &[InvalidTagging]),

    operation(Service::ResourceExplorer, "GetDefaultView", Access::Any, &[ResourceNotFound]),
    operation(Service::ResourceExplorer, "GetView", Access::Any, &[ResourceNotFound]),
    operation(Service::ResourceExplorer, "ListResources", Access::Any, &[ResourceNotFound, Unauthorized]),
    operation(Service::ResourceExplorer, "ListViews", Access::Any, &[]),

    operation(Service::Response, "PutResponse", Access::Any, &[]).changing(),
];
