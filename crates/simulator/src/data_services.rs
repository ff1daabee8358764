//! The services that hold data, as far as restore tests look at them.
//!
//! What they say is written down beforehand, so that they can be in states that nothing here gets into
//! by itself. Of what is not, they ask the simulator, whose resources are well. They ask it as well what
//! the caller may do.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what asks otherwise is not this suite, and a member that JSON lacks is null"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::Direct;
use crate::simulator::Simulator;

/// The account that owns what is looked at.
const OWNER: &str = "111122223333";

/// EC2, RDS, DynamoDB, EFS and FSx on loopback.
pub struct DataServices {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    simulator: Direct,
    /// By action and what it is asked about.
    answers: Mutex<BTreeMap<(String, String), String>>,
    /// The actions that were asked for and allowed, and those that were not.
    allowed: Mutex<BTreeSet<String>>,
    denied: Mutex<BTreeSet<String>>,
}

/// A question: the action in the words of IAM, what it is about, and the ARN of that.
struct Question {
    action: String,
    subject: String,
    resource: String,
}

impl DataServices {
    /// Starts services that know of nothing, and ask `simulator` what the caller may do.
    ///
    /// # Errors
    ///
    /// When there is no address to listen on.
    pub async fn start(simulator: &Simulator) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            simulator: simulator.direct(),
            answers: Mutex::default(),
            allowed: Mutex::default(),
            denied: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { url, shared, server })
    }

    /// Where they are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The actions that were asked for and allowed.
    ///
    /// # Panics
    ///
    /// When a question could not be answered.
    #[must_use]
    pub fn allowed(&self) -> BTreeSet<String> {
        self.shared.allowed.lock().unwrap().clone()
    }

    /// The actions that were denied.
    ///
    /// # Panics
    ///
    /// When a question could not be answered.
    #[must_use]
    pub fn denied(&self) -> BTreeSet<String> {
        self.shared.denied.lock().unwrap().clone()
    }

    fn put(&self, action: &str, subject: &str, answer: String) {
        let key = (action.to_owned(), subject.to_owned());
        self.shared.answers.lock().unwrap().insert(key, answer);
    }

    /// Has an instance be in this state, with these status checks.
    pub fn instance(&self, id: &str, state: &str, system: &str, instance: &str) {
        self.put("ec2:DescribeInstanceStatus", id, instance_of(id, state, system, instance));
    }

    /// Has a volume be in this state and have this many GiB.
    pub fn volume(&self, id: &str, state: &str, size: u32) {
        self.put("ec2:DescribeVolumes", id, volume_of(id, state, size.into()));
    }

    /// Has a snapshot be of a volume of this many GiB.
    pub fn snapshot(&self, id: &str, size: u32) {
        self.put("ec2:DescribeSnapshots", id, snapshot_of(id, size.into()));
    }

    /// Has a database have this status.
    pub fn database(&self, id: &str, status: &str) {
        self.put("rds:DescribeDBInstances", id, database_of(id, status));
    }

    /// Has a cluster have this status.
    pub fn cluster(&self, id: &str, status: &str) {
        self.put("rds:DescribeDBClusters", id, cluster_of(id, status));
    }

    /// Has a table have this status and so many items, which its description does not know yet.
    pub fn table(&self, name: &str, status: &str, items: u32) {
        self.put("dynamodb:DescribeTable", name, table_of(status));
        self.put("dynamodb:Scan", name, scan_of(items));
    }

    /// Has an EFS file system be in this state.
    pub fn file_system(&self, id: &str, state: &str) {
        self.put("elasticfilesystem:DescribeFileSystems", id, file_system_of(id, state, 6_144));
    }

    /// Has an FSx file system be in this state.
    pub fn fsx_file_system(&self, id: &str, state: &str) {
        self.put("fsx:DescribeFileSystems", id, fsx_file_system_of(id, state));
    }
}

impl fmt::Debug for DataServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataServices").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for DataServices {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn instance_of(id: &str, state: &str, system: &str, instance: &str) -> String {
    let checks = format!(
        "<item><instanceId>{id}</instanceId><instanceState><name>{state}</name></instanceState>\
         <systemStatus><status>{system}</status></systemStatus>\
         <instanceStatus><status>{instance}</status></instanceStatus></item>"
    );
    let of = |name, what: &str| format!("<{name}Response>{what}</{name}Response>");
    let checks = format!("<instanceStatusSet>{checks}</instanceStatusSet>");
    of("DescribeInstanceStatus", &checks)
}

fn volume_of(id: &str, state: &str, size: u64) -> String {
    format!(
        "<DescribeVolumesResponse><volumeSet><item><volumeId>{id}</volumeId><size>{size}</size>\
         <status>{state}</status></item></volumeSet></DescribeVolumesResponse>"
    )
}

fn snapshot_of(id: &str, size: u64) -> String {
    format!(
        "<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>{id}</snapshotId>\
         <volumeSize>{size}</volumeSize></item></snapshotSet></DescribeSnapshotsResponse>"
    )
}

fn database_of(id: &str, status: &str) -> String {
    format!(
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
         <DBInstanceIdentifier>{id}</DBInstanceIdentifier><DBInstanceStatus>{status}\
         </DBInstanceStatus></DBInstance></DBInstances></DescribeDBInstancesResult>\
         </DescribeDBInstancesResponse>"
    )
}

fn cluster_of(id: &str, status: &str) -> String {
    format!(
        "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
         <DBClusterIdentifier>{id}</DBClusterIdentifier><Status>{status}</Status></DBCluster>\
         </DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>"
    )
}

fn table_of(status: &str) -> String {
    json!({ "Table": { "TableStatus": status, "ItemCount": 0 } }).to_string()
}

fn scan_of(items: u32) -> String {
    json!({ "Count": items, "ScannedCount": items }).to_string()
}

fn file_system_of(id: &str, state: &str, bytes: u64) -> String {
    json!({ "FileSystems": [{
        "OwnerId": OWNER, "CreationToken": id, "FileSystemId": id, "CreationTime": 0,
        "LifeCycleState": state, "NumberOfMountTargets": 0, "SizeInBytes": { "Value": bytes },
        "PerformanceMode": "generalPurpose", "Tags": [],
    }] })
    .to_string()
}

fn fsx_file_system_of(id: &str, state: &str) -> String {
    json!({ "FileSystems": [{ "FileSystemId": id, "Lifecycle": state }] }).to_string()
}

/// Answers for a resource or snapshot of the simulator that no test has described: it is in good order.
fn simulated(simulator: &Direct, key: &str, region: &str, question: &Question) -> Option<String> {
    let Question { action, subject, .. } = question;
    if action == "ec2:DescribeSnapshots" {
        let bytes = simulator.snapshot(key, region, subject)?;
        return Some(snapshot_of(subject, bytes >> 30));
    }
    let gigabytes = simulator.resource(key, region, subject)?.gigabytes;
    Some(match action.as_str() {
        "ec2:DescribeInstanceStatus" => instance_of(subject, "running", "ok", "ok"),
        "ec2:DescribeVolumes" => volume_of(subject, "available", gigabytes),
        "rds:DescribeDBInstances" => database_of(subject, "available"),
        "rds:DescribeDBClusters" => cluster_of(subject, "available"),
        "dynamodb:DescribeTable" => table_of("ACTIVE"),
        "dynamodb:Scan" => scan_of(1),
        "elasticfilesystem:DescribeFileSystems" => {
            file_system_of(subject, "available", gigabytes << 30)
        }
        "fsx:DescribeFileSystems" => fsx_file_system_of(subject, "AVAILABLE"),
        _ => return None,
    })
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("loopback works");
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(respond(&shared, request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let header = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
    // `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
    let credential = header("authorization").and_then(|it| it.split_once("Credential="));
    let scope: Vec<_> = credential.unwrap().1.split('/').take(4).collect();
    let (key, region, service) = (scope[0], scope[2], scope[3]);
    let target = header("x-amz-target").and_then(|it| it.rsplit('.').next());
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let question = question((service, region), target, &path, &body);
    let Question { action, subject, resource } = &question;
    if !shared.simulator.permits(key, region, action, resource) {
        shared.denied.lock().unwrap().insert(action.clone());
        let code = match service {
            "ec2" => "UnauthorizedOperation",
            "rds" => "AccessDenied",
            _ => "AccessDeniedException",
        };
        return refusal(service, 403, code);
    }
    shared.allowed.lock().unwrap().insert(action.clone());
    let answer = shared.answers.lock().unwrap().get(&(action.clone(), subject.clone())).cloned();
    let answer = answer.or_else(|| simulated(&shared.simulator, key, region, &question));
    let code = match (service, action.as_str()) {
        ("ec2", "ec2:DescribeVolumes") => "InvalidVolume.NotFound",
        ("ec2", "ec2:DescribeSnapshots") => "InvalidSnapshot.NotFound",
        ("ec2", _) => "InvalidInstanceID.NotFound",
        ("rds", "rds:DescribeDBClusters") => "DBClusterNotFoundFault",
        ("rds", _) => "DBInstanceNotFound",
        ("dynamodb", _) => "ResourceNotFoundException",
        _ => "FileSystemNotFound",
    };
    let found = answer.map(|it| Response::new(Full::new(Bytes::from(it))));
    found.unwrap_or_else(|| refusal(service, 400, code))
}

/// What is asked, in whichever way its service is asked.
fn question(
    (service, region): (&str, &str),
    target: Option<&str>,
    path: &str,
    body: &[u8],
) -> Question {
    let form = std::str::from_utf8(body).unwrap();
    let member = |text: &str, names: &[&str]| {
        let pairs = text.split(['?', '&']).filter_map(|it| it.split_once('='));
        pairs.filter(|it| names.contains(&it.0)).map(|it| it.1.to_owned()).next()
    };
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let operation = target.map(ToOwned::to_owned).or_else(|| member(form, &["Action"]));
    let operation = operation.unwrap_or_else(|| "DescribeFileSystems".to_owned());
    let ids = ["InstanceId.1", "VolumeId.1", "SnapshotId.1"];
    let names = ["DBInstanceIdentifier", "DBClusterIdentifier"];
    let arn = |what: String| format!("arn:aws:{service}:{region}:{OWNER}:{what}");
    let (subject, resource) = match service {
        "rds" => {
            let kind = if operation == "DescribeDBClusters" { "cluster" } else { "db" };
            let name = member(form, &names).unwrap();
            (name.clone(), arn(format!("{kind}:{name}")))
        }
        "dynamodb" => {
            let name = text(&json["TableName"]);
            (name.clone(), arn(format!("table/{name}")))
        }
        "elasticfilesystem" => {
            let id = member(path, &["FileSystemId"]).unwrap();
            (id.clone(), arn(format!("file-system/{id}")))
        }
        // These two say of nothing what may be looked at.
        "fsx" => (text(&json["FileSystemIds"][0]), "*".to_owned()),
        _ => (member(form, &ids).unwrap(), "*".to_owned()),
    };
    Question { action: format!("{service}:{operation}"), subject, resource }
}

fn refusal(service: &str, status: u16, code: &str) -> Response<Full<Bytes>> {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let body = match service {
        "ec2" => format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"),
        "rds" => format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"),
        _ => json!({ "__type": code, "ErrorCode": code, "Message": "No." }).to_string(),
    };
    let response = Response::builder().status(status).header("x-amzn-errortype", code);
    response.body(Full::new(Bytes::from(body))).unwrap()
}
