//! The services whose operations are called without an SDK.

/// An AWS service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Service {
    /// The service ID in the AWS models. It is the suffix of the service's own
    /// `AWS_ENDPOINT_URL_…`.
    pub id: &'static str,
    /// The prefix of most of its host names, and the name for which requests to it are signed.
    pub name: &'static str,
}

impl Service {
    /// AWS CloudTrail.
    pub const CLOUDTRAIL: Self = Self::new("CloudTrail", "cloudtrail");
    /// Amazon DynamoDB.
    pub const DYNAMODB: Self = Self::new("DynamoDB", "dynamodb");
    /// Amazon EC2.
    pub const EC2: Self = Self::new("EC2", "ec2");
    /// Amazon EFS.
    pub const EFS: Self = Self::new("EFS", "elasticfilesystem");
    /// Amazon EventBridge.
    pub const EVENTS: Self = Self::new("EventBridge", "events");
    /// Amazon FSx.
    pub const FSX: Self = Self::new("FSx", "fsx");
    /// IAM.
    pub const IAM: Self = Self::new("IAM", "iam");
    /// AWS KMS.
    pub const KMS: Self = Self::new("KMS", "kms");
    /// AWS Lambda.
    pub const LAMBDA: Self = Self::new("Lambda", "lambda");
    /// Amazon RDS, which also answers for Aurora, DocumentDB and Neptune.
    pub const RDS: Self = Self::new("RDS", "rds");
    /// AWS Resource Explorer.
    pub const RESOURCE_EXPLORER: Self = Self::new("Resource Explorer 2", "resource-explorer-2");
    /// AWS Security Hub.
    pub const SECURITY_HUB: Self = Self::new("SecurityHub", "securityhub");
    /// Amazon SNS.
    pub const SNS: Self = Self::new("SNS", "sns");
    /// AWS Step Functions.
    pub const STEP_FUNCTIONS: Self = Self::new("SFN", "states");
    /// The Resource Groups Tagging API, which lists the resources of a Region by their tags.
    pub const TAGGING: Self = Self::new("Resource Groups Tagging API", "tagging");

    /// All services whose operations are called without an SDK.
    pub const ALL: [Self; 15] = [
        Self::CLOUDTRAIL,
        Self::DYNAMODB,
        Self::EC2,
        Self::EFS,
        Self::EVENTS,
        Self::FSX,
        Self::IAM,
        Self::KMS,
        Self::LAMBDA,
        Self::RDS,
        Self::RESOURCE_EXPLORER,
        Self::SECURITY_HUB,
        Self::SNS,
        Self::STEP_FUNCTIONS,
        Self::TAGGING,
    ];

    const fn new(id: &'static str, name: &'static str) -> Self {
        Self { id, name }
    }
}
