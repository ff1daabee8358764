//! The restored resource, and the backup that it was restored from.

use std::collections::BTreeMap;
use std::fmt;

use policy::arn::Arn;

/// A restored resource for which there is a check.
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

/// The backup that a resource was restored from, if it is a backup of the resource's own service,
/// which can describe the original.
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

/// The result of a restore.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Restored {
    /// The restored resource.
    pub resource: Resource,
    /// The backup that it was restored from, if it is one that its service knows.
    pub from: Option<BackedUp>,
    /// The ID of its account.
    pub owner: String,
}

/// Returns the resource that `arn` names. Returns `None` if there is no check for it or if it is
/// not of the type `resource_type`.
pub fn parse(resource_type: &str, arn: &Arn<'_>) -> Option<Resource> {
    let is_id = |it: &&str| !it.is_empty() && !it.contains(['/', ':']);
    let id = |prefix: &str| {
        let id = arn.resource.strip_prefix(prefix)?;
        Some(id).filter(is_id).map(ToOwned::to_owned)
    };
    match (resource_type, arn.service) {
        ("EC2", "ec2") => id("instance/").map(Resource::Instance),
        // A volume of a gateway is restored as one of EBS.
        ("EBS" | "Storage Gateway", "ec2") => id("volume/").map(Resource::Volume),
        // A virtual machine is restored as an instance, or a disk of it as a volume.
        ("VirtualMachine", "ec2") => {
            id("instance/").map(Resource::Instance).or_else(|| id("volume/").map(Resource::Volume))
        }
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

/// Returns the backup that the ARN of a recovery point names, if it is one of the service's own.
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

/// Returns the value of `name` in the metadata of a restore. AWS Backup ignores the case of names
/// there.
fn told<'a>(metadata: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let found = metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim()).filter(|it| !it.is_empty())
}

/// Returns the size in GiB that a volume was to be restored with, if the metadata of the restore
/// has it.
pub fn asked_size(metadata: &BTreeMap<String, String>) -> Option<i32> {
    told(metadata, "volumeSize")?.parse().ok()
}

/// The place of the objects of a restore.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sample {
    /// The bucket.
    pub bucket: String,
    /// The beginnings of their keys. One restore may restore several parts of a bucket.
    pub prefixes: Vec<String>,
}

/// Returns the place of the objects that were restored into `bucket`, according to the metadata of
/// the restore.
///
/// A restore may go into a bucket that has other objects, and may restore only some paths. The
/// other objects prove nothing about the restore.
pub fn sample(bucket: &str, metadata: &BTreeMap<String, String>) -> Sample {
    // The paths are a list in JSON, which a second one continues.
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
