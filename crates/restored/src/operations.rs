//! The operations of the services that hold data: what each is asked, and what is read of its answer.
//!
//! The names of fields and members are those of the services' models, against which
//! `tests/models.rs` holds them.

use aws::api::{BoxError, Question, Service};
use plan::restore_validation::Facts;
use roxmltree::{Document, Node};
use serde_json::{Value, json};

/// How many items of a table are looked for. One would do, but a page of none can have a next one.
const ITEMS: u8 = 100;

const EC2: Service = Service { id: "EC2", name: "ec2" };
const RDS: Service = Service { id: "RDS", name: "rds" };
const DYNAMODB: Service = Service { id: "DynamoDB", name: "dynamodb" };
const EFS: Service = Service { id: "EFS", name: "elasticfilesystem" };
const FSX: Service = Service { id: "FSx", name: "fsx" };

/// An operation that reads one thing.
#[derive(Debug)]
pub(crate) struct Operation<T> {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    /// The action that IAM has for it.
    pub(crate) permission: &'static str,
    pub(crate) question: Question,
    /// What an answer says.
    pub(crate) read: fn(&str) -> Result<T, BoxError>,
}

/// A volume, as EC2 describes it.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) state: String,
    /// In GiB.
    pub(crate) size: Option<i32>,
    /// The snapshot that it was made of.
    pub(crate) snapshot: Option<String>,
}

/// A table, as DynamoDB describes it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) status: String,
    /// How many items it had when they were last counted.
    pub(crate) items: u64,
}

fn ec2<T>(
    name: &'static str,
    permission: &'static str,
    fields: Vec<(&'static str, String)>,
    read: fn(&str) -> Result<T, BoxError>,
) -> Operation<T> {
    let question = Question::Form { version: "2016-11-15", fields };
    Operation { service: EC2, name, permission, question, read }
}

/// Asks for the two status checks of an instance, and its state.
pub(crate) fn instance_status(id: &str) -> Operation<Option<Facts>> {
    // EC2 reports an instance that does not run only when it is asked for all.
    let fields = vec![("InstanceId.1", id.to_owned()), ("IncludeAllInstances", "true".to_owned())];
    ec2("DescribeInstanceStatus", "ec2:DescribeInstanceStatus", fields, |answer| {
        let xml = Document::parse(answer)?;
        let instance =
            find(xml.root(), &["DescribeInstanceStatusResponse", "instanceStatusSet", "item"]);
        Ok(instance.map(|it| {
            let check = |name| text(it, &[name, "status"]).unwrap_or_else(|| "unknown".to_owned());
            Facts::Instance {
                state: text(it, &["instanceState", "name"]).unwrap_or_default(),
                system: check("systemStatus"),
                instance: check("instanceStatus"),
            }
        }))
    })
}

/// Asks for a volume.
pub(crate) fn volume(id: &str) -> Operation<Option<Volume>> {
    let fields = vec![("VolumeId.1", id.to_owned())];
    ec2("DescribeVolumes", "ec2:DescribeVolumes", fields, |answer| {
        let xml = Document::parse(answer)?;
        let volume = find(xml.root(), &["DescribeVolumesResponse", "volumeSet", "item"]);
        Ok(volume.map(|it| Volume {
            state: text(it, &["status"]).unwrap_or_default(),
            size: text(it, &["size"]).and_then(|it| it.parse().ok()),
            snapshot: text(it, &["snapshotId"]),
        }))
    })
}

/// Asks for the size in GiB of the volume that a snapshot was made of.
pub(crate) fn snapshot_size(id: &str) -> Operation<Option<i32>> {
    let fields = vec![("SnapshotId.1", id.to_owned())];
    ec2("DescribeSnapshots", "ec2:DescribeSnapshots", fields, |answer| {
        let xml = Document::parse(answer)?;
        let size = ["DescribeSnapshotsResponse", "snapshotSet", "item", "volumeSize"];
        Ok(text(xml.root(), &size).and_then(|it| it.parse().ok()))
    })
}

/// Asks for the status of a database.
pub(crate) fn database_status(id: &str) -> Operation<Option<Facts>> {
    Operation {
        service: RDS,
        name: "DescribeDBInstances",
        permission: "rds:DescribeDBInstances",
        question: rds("DBInstanceIdentifier", id),
        read: |answer| {
            let xml = Document::parse(answer)?;
            let path = ["DescribeDBInstancesResponse", "DescribeDBInstancesResult", "DBInstances"];
            let database = find(xml.root(), &path).and_then(|it| find(it, &["DBInstance"]));
            Ok(database
                .map(|it| Facts::Status(text(it, &["DBInstanceStatus"]).unwrap_or_default())))
        },
    }
}

/// Asks for the status of a database cluster.
pub(crate) fn cluster_status(id: &str) -> Operation<Option<Facts>> {
    Operation {
        service: RDS,
        name: "DescribeDBClusters",
        permission: "rds:DescribeDBClusters",
        question: rds("DBClusterIdentifier", id),
        read: |answer| {
            let xml = Document::parse(answer)?;
            let path = ["DescribeDBClustersResponse", "DescribeDBClustersResult", "DBClusters"];
            let cluster = find(xml.root(), &path).and_then(|it| find(it, &["DBCluster"]));
            Ok(cluster.map(|it| Facts::Status(text(it, &["Status"]).unwrap_or_default())))
        },
    }
}

fn rds(field: &'static str, id: &str) -> Question {
    Question::Form { version: "2014-10-31", fields: vec![(field, id.to_owned())] }
}

/// Asks for a table.
pub(crate) fn table(name: &str) -> Operation<Option<Table>> {
    Operation {
        service: DYNAMODB,
        name: "DescribeTable",
        permission: "dynamodb:DescribeTable",
        question: dynamodb(json!({ "TableName": name })),
        read: |answer| {
            let answer: Value = serde_json::from_str(answer)?;
            Ok(answer.get("Table").map(|it| Table {
                status: member(it, "TableStatus").unwrap_or_default(),
                items: it.get("ItemCount").and_then(Value::as_u64).unwrap_or_default(),
            }))
        },
    }
}

/// Asks whether the first page of a table has an item.
pub(crate) fn has_items(name: &str) -> Operation<bool> {
    Operation {
        service: DYNAMODB,
        name: "Scan",
        permission: "dynamodb:Scan",
        question: dynamodb(json!({ "TableName": name, "Select": "COUNT", "Limit": ITEMS })),
        read: |answer| {
            let answer: Value = serde_json::from_str(answer)?;
            let count = answer.get("Count").and_then(Value::as_u64).unwrap_or_default();
            // Where the page ends is an item as well.
            let end = answer.get("LastEvaluatedKey").and_then(Value::as_object);
            Ok(count > 0 || end.is_some_and(|it| !it.is_empty()))
        },
    }
}

fn dynamodb(body: Value) -> Question {
    Question::Json { protocol: "1.0", target: "DynamoDB_20120810", body }
}

/// Asks for the state of an EFS file system.
pub(crate) fn file_system_state(id: &str) -> Operation<Option<Facts>> {
    Operation {
        service: EFS,
        name: "DescribeFileSystems",
        permission: "elasticfilesystem:DescribeFileSystems",
        question: Question::Path {
            path: "/2015-02-01/file-systems",
            query: vec![("FileSystemId", id.to_owned())],
        },
        read: |answer| first_file_system(answer, "LifeCycleState"),
    }
}

/// Asks for the state of an FSx file system.
pub(crate) fn fsx_file_system_state(id: &str) -> Operation<Option<Facts>> {
    Operation {
        service: FSX,
        name: "DescribeFileSystems",
        permission: "fsx:DescribeFileSystems",
        question: Question::Json {
            protocol: "1.1",
            target: "AWSSimbaAPIService_v20180301",
            body: json!({ "FileSystemIds": [id] }),
        },
        read: |answer| first_file_system(answer, "Lifecycle"),
    }
}

/// Returns the first file system of an answer, whose state is its member `state`.
fn first_file_system(answer: &str, state: &str) -> Result<Option<Facts>, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    let first = answer.get("FileSystems").and_then(|it| it.get(0));
    Ok(first.map(|it| Facts::Status(member(it, state).unwrap_or_default())))
}

/// Returns the text of a member.
fn member(json: &Value, name: &str) -> Option<String> {
    json.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// Returns the first element below `node` at the end of `path`, each name being one level.
fn find<'a, 'input>(node: Node<'a, 'input>, path: &[&str]) -> Option<Node<'a, 'input>> {
    path.iter()
        .try_fold(node, |node, name| node.children().find(|it| it.tag_name().name() == *name))
}

/// Returns the text at the end of `path`, unless it is empty.
fn text(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    find(node, path)?.text().map(ToOwned::to_owned)
}
