//! What was restored, and from what.

use std::collections::BTreeMap;
use std::fmt;

use policy::arn::Arn;

/// Something restored that there is a check for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// An EC2 instance.
    Instance(String),
    /// An EBS volume.
    Volume(String),
    /// An RDS database instance.
    Database(String),
    /// A cluster of RDS, Aurora, DocumentDB or Neptune.
    Cluster(String),
    /// A DynamoDB table.
    Table(String),
    /// An S3 bucket.
    Bucket(String),
    /// An EFS file system.
    FileSystem(String),
    /// An FSx file system.
    FsxFileSystem(String),
    /// A volume of an FSx file system.
    FsxVolume(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(it) => write!(f, "instance {it}"),
            Self::Volume(it) | Self::FsxVolume(it) => write!(f, "volume {it}"),
            Self::Database(it) => write!(f, "database {it}"),
            Self::Cluster(it) => write!(f, "cluster {it}"),
            Self::Table(it) => write!(f, "table {it}"),
            Self::Bucket(it) => write!(f, "bucket {it}"),
            Self::FileSystem(it) | Self::FsxFileSystem(it) => write!(f, "file system {it}"),
        }
    }
}

/// The backup that something was restored from, where it is one of the service's own, which tells
/// what was backed up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BackedUp {
    /// A machine image.
    Image(String),
    /// A snapshot of a volume.
    Snapshot(String),
    /// A snapshot of a database.
    DatabaseSnapshot(String),
    /// A snapshot of a cluster.
    ClusterSnapshot(String),
    /// The ARN of a backup of a table.
    TableBackup(String),
    /// A backup of FSx.
    FsxBackup(String),
}

/// What a restore test restored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Restored {
    /// What it is.
    pub resource: Resource,
    /// What it was restored from, where its service knows that.
    pub from: Option<BackedUp>,
    /// The account that it is in.
    pub owner: String,
}

/// What `arn` names, if there is a check for it and it is what `resource_type` says.
pub fn parse(resource_type: &str, arn: &Arn<'_>) -> Option<Resource> {
    let is_id = |it: &&str| !it.is_empty() && !it.contains(['/', ':']);
    let id = |prefix: &str| {
        let id = arn.resource.strip_prefix(prefix)?;
        Some(id).filter(is_id).map(ToOwned::to_owned)
    };
    match (resource_type, arn.service) {
        ("EC2", "ec2") => id("instance/").map(Resource::Instance),
        ("EBS", "ec2") => id("volume/").map(Resource::Volume),
        ("RDS" | "Aurora", "rds") => {
            id("db:").map(Resource::Database).or_else(|| id("cluster:").map(Resource::Cluster))
        }
        ("DocumentDB" | "Neptune", "rds") => id("cluster:").map(Resource::Cluster),
        ("DynamoDB", "dynamodb") => id("table/").map(Resource::Table),
        ("S3", "s3") => id("").map(Resource::Bucket),
        ("EFS", "elasticfilesystem") => id("file-system/").map(Resource::FileSystem),
        ("FSx", "fsx") => {
            let volume = || {
                let (_, id) = arn.resource.strip_prefix("volume/")?.split_once('/')?;
                Some(id).filter(is_id).map(|it| Resource::FsxVolume(it.to_owned()))
            };
            id("file-system/").map(Resource::FsxFileSystem).or_else(volume)
        }
        _ => None,
    }
}

/// What the ARN of a recovery point names, where it is a backup of the service's own.
pub(super) fn backed_up(recovery_point: &str) -> Option<BackedUp> {
    let arn = Arn::parse(recovery_point).ok()?;
    let id = |prefix: &str| arn.resource.strip_prefix(prefix).map(ToOwned::to_owned);
    match arn.service {
        "ec2" => {
            id("snapshot/").map(BackedUp::Snapshot).or_else(|| id("image/").map(BackedUp::Image))
        }
        "rds" => id("snapshot:")
            .map(BackedUp::DatabaseSnapshot)
            .or_else(|| id("cluster-snapshot:").map(BackedUp::ClusterSnapshot)),
        "dynamodb" => Some(BackedUp::TableBackup(recovery_point.to_owned())),
        "fsx" => id("backup/").map(BackedUp::FsxBackup),
        _ => None,
    }
}

/// What the metadata of a restore says under `name`, for whose case AWS Backup does not care.
fn told<'a>(metadata: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let found = metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim()).filter(|it| !it.is_empty())
}

/// The size in GiB that a volume was to be restored with, where the metadata of the restore tells.
pub fn asked_size(metadata: &BTreeMap<String, String>) -> Option<i32> {
    told(metadata, "volumeSize")?.parse().ok()
}

/// Where the objects of a restore are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sample {
    /// The bucket.
    pub bucket: String,
    /// What their keys begin with: one restore may bring back several parts of a bucket.
    pub prefixes: Vec<String>,
}

/// Where the objects are that were restored into `bucket`, as the metadata of the restore tells.
///
/// A restore may go into a bucket that has other objects too, and bring back some paths only. What it
/// did not bring back says nothing about it.
pub fn sample(bucket: &str, metadata: &BTreeMap<String, String>) -> Sample {
    // The paths are a list in JSON, and go on in a second one.
    let paths =
        ["ItemsToRestore", "ItemsToRestore2"].into_iter().filter_map(|it| told(metadata, it));
    let paths = paths.flat_map(|it| {
        serde_json::from_str::<Vec<String>>(it).unwrap_or_else(|_| vec![it.to_owned()])
    });
    let mut prefixes: Vec<_> = paths.filter(|it| !it.is_empty()).collect();
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    let bucket = told(metadata, "DestinationBucketName").unwrap_or(bucket).to_owned();
    Sample { bucket, prefixes }
}
