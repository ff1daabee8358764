//! What was restored.

use std::collections::BTreeMap;
use std::fmt;

use policy::arn::Arn;

/// Something restored that there is a check for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// An EC2 instance.
    Instance(String),
    /// An EBS volume, and the snapshot that it was restored from, if that has an ID of its own.
    Volume {
        /// The volume.
        id: String,
        /// The snapshot.
        snapshot: Option<String>,
    },
    /// An RDS database instance.
    Database(String),
    /// An RDS or Aurora cluster.
    Cluster(String),
    /// A DynamoDB table.
    Table(String),
    /// An S3 bucket.
    Bucket(String),
    /// An EFS file system.
    FileSystem(String),
    /// An FSx file system.
    FsxFileSystem(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(it) => write!(f, "instance {it}"),
            Self::Volume { id, .. } => write!(f, "volume {id}"),
            Self::Database(it) => write!(f, "database {it}"),
            Self::Cluster(it) => write!(f, "cluster {it}"),
            Self::Table(it) => write!(f, "table {it}"),
            Self::Bucket(it) => write!(f, "bucket {it}"),
            Self::FileSystem(it) | Self::FsxFileSystem(it) => write!(f, "file system {it}"),
        }
    }
}

/// What `arn` names, if there is a check for it and it is what `resource_type` says.
pub fn parse(resource_type: &str, arn: &str, recovery_point: Option<&str>) -> Option<Resource> {
    let arn = Arn::parse(arn).ok()?;
    let id = |prefix: &str| {
        let id = arn.resource.strip_prefix(prefix)?;
        (!id.is_empty() && !id.contains(['/', ':'])).then(|| id.to_owned())
    };
    match (resource_type, arn.service) {
        ("EC2", "ec2") => id("instance/").map(Resource::Instance),
        ("EBS", "ec2") => {
            let snapshot = recovery_point.and_then(|it| Arn::parse(it).ok());
            let snapshot = snapshot.filter(|it| it.service == "ec2");
            let snapshot = snapshot.and_then(|it| it.resource.strip_prefix("snapshot/"));
            let snapshot = snapshot.map(ToOwned::to_owned);
            id("volume/").map(|id| Resource::Volume { id, snapshot })
        }
        ("RDS" | "Aurora", "rds") => {
            id("db:").map(Resource::Database).or_else(|| id("cluster:").map(Resource::Cluster))
        }
        ("DynamoDB", "dynamodb") => id("table/").map(Resource::Table),
        ("S3", "s3") => id("").map(Resource::Bucket),
        ("EFS", "elasticfilesystem") => id("file-system/").map(Resource::FileSystem),
        ("FSx", "fsx") => id("file-system/").map(Resource::FsxFileSystem),
        _ => None,
    }
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
    // AWS Backup does not care for the case of these names.
    let get = |name: &str| {
        let found = metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|it| !it.is_empty())
    };
    // The paths are a list in JSON, and go on in a second one.
    let paths = ["ItemsToRestore", "ItemsToRestore2"].into_iter().filter_map(get);
    let paths = paths.flat_map(|it| {
        serde_json::from_str::<Vec<String>>(it).unwrap_or_else(|_| vec![it.to_owned()])
    });
    let mut prefixes: Vec<_> = paths.filter(|it| !it.is_empty()).collect();
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    let bucket = get("DestinationBucketName").unwrap_or(bucket).to_owned();
    Sample { bucket, prefixes }
}
