//! The operations of the services that hold data: the request of each, and the values that are read
//! from its answer.
//!
//! The names of fields and members are those of the services' models. `tests/models.rs` compares
//! them. An answer without the expected content is an error, because a service reports a missing
//! resource with an error code.

use aws::api::answers::{each, find, first, found, items, member, number, required, text, within};
use aws::api::{BoxError, Question, Request, Service};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plan::restore_validation::{
    Checks, Contents, Database, Disk, Engine, Facts, READER_TAG, Reader,
};
use roxmltree::{Document, Node};
use serde_json::{Value, json};

/// The number of items of a table to look for. One would be enough, but a page without items may be
/// followed by others.
const ITEMS: u8 = 100;

/// An operation on one resource.
#[derive(Debug)]
pub(crate) struct Operation<T> {
    pub(crate) request: Request<T>,
    /// The IAM action for it.
    pub(crate) permission: &'static str,
}

/// A volume, as EC2 describes it.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) state: String,
    /// Its size in GiB.
    pub(crate) size: Option<i32>,
    /// The snapshot from which it was created.
    pub(crate) snapshot: Option<String>,
}

/// A cluster, as RDS describes it.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) database: Database,
    pub(crate) is_serverless: bool,
    /// The names of its instances.
    pub(crate) members: Vec<String>,
}

/// A table, as DynamoDB describes it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) status: String,
    /// Its global indexes by name, and their status.
    pub(crate) indexes: Vec<(String, String)>,
    /// The number of items in it when they were last counted.
    pub(crate) counted: u64,
}

/// The state and the size of a resource of FSx.
#[derive(Debug)]
pub(crate) struct Capacity {
    pub(crate) state: String,
    /// Its size, in the unit of its type.
    pub(crate) size: Option<u64>,
}

fn ec2<T>(
    name: &'static str,
    permission: &'static str,
    fields: Vec<(&'static str, String)>,
    read: fn(&str) -> Result<T, BoxError>,
) -> Operation<T> {
    let question = Question::Form { version: "2016-11-15", fields };
    let request = Request { service: Service::EC2, operation: name, question, read };
    Operation { request, permission }
}

/// Asks for the status checks of an instance, and its state.
pub(crate) fn instance_status(id: &str) -> Operation<(String, Checks)> {
    // EC2 reports an instance that is not running only if the request asks for all of them.
    let fields = vec![("InstanceId.1", id.to_owned()), ("IncludeAllInstances", "true".to_owned())];
    ec2("DescribeInstanceStatus", "ec2:DescribeInstanceStatus", fields, |answer| {
        let xml = Document::parse(answer)?;
        let path = ["DescribeInstanceStatusResponse", "instanceStatusSet", "item"];
        let it = found(xml.root(), &path)?;
        let check =
            |name, none: &str| text(it, &[name, "status"]).unwrap_or_else(|| none.to_owned());
        let checks = Checks {
            system: check("systemStatus", "unknown"),
            instance: check("instanceStatus", "unknown"),
            // Only newer instance types have this check.
            volumes: check("attachedEbsStatus", "not-applicable"),
        };
        Ok((required(it, &["instanceState", "name"])?, checks))
    })
}

/// Requests the volumes that are attached to an instance.
pub(crate) fn attached(instance: &str) -> Operation<Vec<Disk>> {
    let fields = vec![
        ("Filter.1.Name", "attachment.instance-id".to_owned()),
        ("Filter.1.Value.1", instance.to_owned()),
    ];
    ec2("DescribeVolumes", "ec2:DescribeVolumes", fields, |answer| {
        let xml = Document::parse(answer)?;
        let volumes = found(xml.root(), &["DescribeVolumesResponse", "volumeSet"])?;
        let disk = |it: Node<'_, '_>| {
            let device = text(it, &["attachmentSet", "item", "device"])?;
            Some(Disk { device, size: number(it, &["size"]) })
        };
        Ok(items(volumes, "item").filter_map(disk).collect())
    })
}

/// Requests the volumes of an image.
pub(crate) fn image(id: &str) -> Operation<Vec<Disk>> {
    let fields = vec![("ImageId.1", id.to_owned())];
    ec2("DescribeImages", "ec2:DescribeImages", fields, |answer| {
        let xml = Document::parse(answer)?;
        let image = found(xml.root(), &["DescribeImagesResponse", "imagesSet", "item"])?;
        let mappings = find(image, &["blockDeviceMapping"]).into_iter();
        let disk = |it: Node<'_, '_>| {
            // A device without a volume is a disk of the host, or the image leaves it out.
            let size = number(find(it, &["ebs"])?, &["volumeSize"]);
            Some(Disk { device: text(it, &["deviceName"])?, size })
        };
        Ok(mappings.flat_map(|it| items(it, "item")).filter_map(disk).collect())
    })
}

/// Requests a volume.
pub(crate) fn volume(id: &str) -> Operation<Volume> {
    let fields = vec![("VolumeId.1", id.to_owned())];
    ec2("DescribeVolumes", "ec2:DescribeVolumes", fields, |answer| {
        let xml = Document::parse(answer)?;
        let it = found(xml.root(), &["DescribeVolumesResponse", "volumeSet", "item"])?;
        Ok(Volume {
            state: required(it, &["status"])?,
            size: number(it, &["size"]),
            snapshot: text(it, &["snapshotId"]),
        })
    })
}

/// Requests the size in GiB of the volume from which a snapshot was made.
pub(crate) fn snapshot_size(id: &str) -> Operation<i32> {
    let fields = vec![("SnapshotId.1", id.to_owned())];
    ec2("DescribeSnapshots", "ec2:DescribeSnapshots", fields, |answer| {
        let xml = Document::parse(answer)?;
        let size = ["DescribeSnapshotsResponse", "snapshotSet", "item", "volumeSize"];
        Ok(required(xml.root(), &size)?.parse()?)
    })
}

fn rds<T>(
    name: &'static str,
    permission: &'static str,
    fields: Vec<(&'static str, String)>,
    read: fn(&str) -> Result<T, BoxError>,
) -> Operation<T> {
    let question = Question::Form { version: "2014-10-31", fields };
    let request = Request { service: Service::RDS, operation: name, question, read };
    Operation { request, permission }
}

/// Requests a database.
pub(crate) fn database(id: &str) -> Operation<Database> {
    let fields = vec![("DBInstanceIdentifier", id.to_owned())];
    rds("DescribeDBInstances", "rds:DescribeDBInstances", fields, |answer| {
        let xml = Document::parse(answer)?;
        let path = ["DescribeDBInstancesResponse", "DescribeDBInstancesResult", "DBInstances"];
        let it = found(found(xml.root(), &path)?, &["DBInstance"])?;
        Ok(Database {
            status: required(it, &["DBInstanceStatus"])?,
            has_endpoint: text(it, &["Endpoint", "Address"]).is_some(),
            engine: engine(it),
        })
    })
}

/// Requests a database cluster.
pub(crate) fn cluster(id: &str) -> Operation<Cluster> {
    let fields = vec![("DBClusterIdentifier", id.to_owned())];
    rds("DescribeDBClusters", "rds:DescribeDBClusters", fields, |answer| {
        let xml = Document::parse(answer)?;
        let path = ["DescribeDBClustersResponse", "DescribeDBClustersResult", "DBClusters"];
        let it = found(found(xml.root(), &path)?, &["DBCluster"])?;
        let members = find(it, &["DBClusterMembers"]).into_iter();
        let members = members.flat_map(|it| items(it, "DBClusterMember"));
        Ok(Cluster {
            database: Database {
                status: required(it, &["Status"])?,
                has_endpoint: text(it, &["Endpoint"]).is_some(),
                engine: engine(it),
            },
            // Serverless clusters of later versions have instances.
            is_serverless: text(it, &["EngineMode"]).is_some_and(|it| it == "serverless"),
            members: members.filter_map(|it| text(it, &["DBInstanceIdentifier"])).collect(),
        })
    })
}

/// Requests the engine of a database when it was backed up.
pub(crate) fn database_snapshot(id: &str) -> Operation<Engine> {
    let fields = vec![("DBSnapshotIdentifier", id.to_owned())];
    rds("DescribeDBSnapshots", "rds:DescribeDBSnapshots", fields, |answer| {
        let xml = Document::parse(answer)?;
        let path = ["DescribeDBSnapshotsResponse", "DescribeDBSnapshotsResult", "DBSnapshots"];
        Ok(engine(found(found(xml.root(), &path)?, &["DBSnapshot"])?))
    })
}

/// Requests the engine of a cluster when it was backed up.
pub(crate) fn cluster_snapshot(id: &str) -> Operation<Engine> {
    let fields = vec![("DBClusterSnapshotIdentifier", id.to_owned())];
    rds("DescribeDBClusterSnapshots", "rds:DescribeDBClusterSnapshots", fields, |answer| {
        let xml = Document::parse(answer)?;
        let result = ["DescribeDBClusterSnapshotsResponse", "DescribeDBClusterSnapshotsResult"];
        let snapshots = found(found(xml.root(), &result)?, &["DBClusterSnapshots"])?;
        Ok(engine(found(snapshots, &["DBClusterSnapshot"])?))
    })
}

/// Reads the engine of a database, a cluster or a snapshot.
fn engine(it: Node<'_, '_>) -> Engine {
    Engine {
        name: text(it, &["Engine"]).unwrap_or_default(),
        version: text(it, &["EngineVersion"]).unwrap_or_default(),
        storage: number(it, &["AllocatedStorage"]),
    }
}

/// Creates an instance of a cluster.
pub(crate) fn make_instance(reader: &Reader) -> Operation<()> {
    let Reader { name, cluster, engine, class } = reader;
    let fields = vec![
        ("DBInstanceIdentifier", name.clone()),
        ("DBClusterIdentifier", cluster.clone()),
        ("Engine", engine.clone()),
        ("DBInstanceClass", class.clone()),
        ("PubliclyAccessible", "false".to_owned()),
        ("Tags.Tag.1.Key", READER_TAG.0.to_owned()),
        ("Tags.Tag.1.Value", READER_TAG.1.to_owned()),
    ];
    rds("CreateDBInstance", "rds:CreateDBInstance", fields, |_| Ok(()))
}

/// Deletes an instance of a cluster, which holds no data of its own.
pub(crate) fn delete_instance(name: &str) -> Operation<()> {
    let fields =
        vec![("DBInstanceIdentifier", name.to_owned()), ("SkipFinalSnapshot", "true".to_owned())];
    rds("DeleteDBInstance", "rds:DeleteDBInstance", fields, |_| Ok(()))
}

fn dynamodb<T>(
    name: &'static str,
    permission: &'static str,
    body: Value,
    read: fn(&str) -> Result<T, BoxError>,
) -> Operation<T> {
    let question = Question::Json { protocol: "1.0", target: "DynamoDB_20120810", body };
    let request = Request { service: Service::DYNAMODB, operation: name, question, read };
    Operation { request, permission }
}

/// Requests a table.
pub(crate) fn table(name: &str) -> Operation<Table> {
    let body = json!({ "TableName": name });
    dynamodb("DescribeTable", "dynamodb:DescribeTable", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let it = within(&answer, "Table")?;
        let index = |it: &Value| Some((member(it, "IndexName")?, member(it, "IndexStatus")?));
        Ok(Table {
            status: member(it, "TableStatus").ok_or("the answer lacks TableStatus")?,
            indexes: each(it, "GlobalSecondaryIndexes").filter_map(index).collect(),
            counted: it.get("ItemCount").and_then(Value::as_u64).unwrap_or_default(),
        })
    })
}

/// Requests the first page of a table, and returns `true` if it has an item.
pub(crate) fn has_items(name: &str) -> Operation<bool> {
    let body = json!({
        "TableName": name, "Select": "COUNT", "Limit": ITEMS, "ConsistentRead": true,
    });
    dynamodb("Scan", "dynamodb:Scan", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let count = answer.get("Count").and_then(Value::as_u64);
        let count = count.ok_or("the answer lacks Count")?;
        // The end of a page is the key of an item, so the table has one.
        let end = answer.get("LastEvaluatedKey").and_then(Value::as_object);
        Ok(count > 0 || end.is_some_and(|it| !it.is_empty()))
    })
}

/// Requests the contents of a table when it was backed up.
pub(crate) fn table_backup(arn: &str) -> Operation<Contents> {
    let body = json!({ "BackupArn": arn });
    dynamodb("DescribeBackup", "dynamodb:DescribeBackup", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let it = within(&answer, "BackupDescription")?;
        let count = it.pointer("/SourceTableDetails/ItemCount").and_then(Value::as_u64);
        let features = it.get("SourceTableFeatureDetails").unwrap_or(&Value::Null);
        let indexes = each(features, "GlobalSecondaryIndexes");
        let indexes = indexes.filter_map(|it| member(it, "IndexName")).collect();
        Ok(Contents { counted: count, indexes })
    })
}

/// Requests an EFS file system.
pub(crate) fn file_system(id: &str) -> Operation<Facts> {
    let request = Request {
        service: Service::EFS,
        operation: "DescribeFileSystems",
        question: Question::Path {
            path: "/2015-02-01/file-systems",
            query: vec![("FileSystemId", id.to_owned())],
        },
        read: |answer| {
            let answer: Value = serde_json::from_str(answer)?;
            let it = first(&answer, "FileSystems")?;
            let state = member(it, "LifeCycleState").ok_or("the answer lacks LifeCycleState")?;
            let bytes = it.pointer("/SizeInBytes/Value").and_then(Value::as_u64);
            Ok(Facts::FileSystem { state, bytes })
        },
    };
    Operation { request, permission: "elasticfilesystem:DescribeFileSystems" }
}

fn fsx<T>(
    name: &'static str,
    permission: &'static str,
    body: Value,
    read: fn(&str) -> Result<T, BoxError>,
) -> Operation<T> {
    let target = "AWSSimbaAPIService_v20180301";
    let question = Question::Json { protocol: "1.1", target, body };
    let request = Request { service: Service::FSX, operation: name, question, read };
    Operation { request, permission }
}

/// Requests an FSx file system.
pub(crate) fn fsx_file_system(id: &str) -> Operation<Capacity> {
    let body = json!({ "FileSystemIds": [id] });
    fsx("DescribeFileSystems", "fsx:DescribeFileSystems", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        sized(first(&answer, "FileSystems")?)
    })
}

/// Requests a volume of an FSx file system.
pub(crate) fn fsx_volume(id: &str) -> Operation<Capacity> {
    let body = json!({ "VolumeIds": [id] });
    fsx("DescribeVolumes", "fsx:DescribeVolumes", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        sized(first(&answer, "Volumes")?)
    })
}

/// Requests the size of a file system or a volume when it was backed up, in the unit of its type.
pub(crate) fn fsx_backup_size(id: &str) -> Operation<Option<u64>> {
    let body = json!({ "BackupIds": [id] });
    fsx("DescribeBackups", "fsx:DescribeBackups", body, |answer| {
        let answer: Value = serde_json::from_str(answer)?;
        let it = first(&answer, "Backups")?;
        let own = ["Volume", "FileSystem"].iter().find_map(|name| it.get(name));
        Ok(own.and_then(size))
    })
}

fn sized(it: &Value) -> Result<Capacity, BoxError> {
    let state = member(it, "Lifecycle").ok_or("the answer lacks Lifecycle")?;
    Ok(Capacity { state, size: size(it) })
}

/// Returns the size of a file system in GiB, or that of a volume for ONTAP in MiB.
fn size(it: &Value) -> Option<u64> {
    let of_volume = it.pointer("/OntapConfiguration/SizeInMegabytes");
    of_volume.or_else(|| it.get("StorageCapacity")).and_then(Value::as_u64)
}

/// Invokes a function with `payload`, and returns its answer.
pub(crate) fn invoke(function: &str, payload: Value) -> Operation<String> {
    let function = utf8_percent_encode(function, NON_ALPHANUMERIC);
    let request = Request {
        service: Service::LAMBDA,
        operation: "Invoke",
        question: Question::Post {
            path: format!("/2015-03-31/functions/{function}/invocations").into(),
            body: payload,
        },
        // No answer is refused here, so the function is not asked again because of its answer.
        read: |answer| Ok(answer.to_owned()),
    };
    Operation { request, permission: "lambda:InvokeFunction" }
}
