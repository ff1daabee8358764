//! The services that hold data, as far as restore tests look at them.
//!
//! What they say is written down beforehand, so that they can be in states that nothing here gets into
//! by itself. They ask the simulator what the caller may do.

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
        let checks = format!(
            "<item><instanceId>{id}</instanceId><instanceState><name>{state}</name></instanceState>\
             <systemStatus><status>{system}</status></systemStatus>\
             <instanceStatus><status>{instance}</status></instanceStatus></item>"
        );
        let of = |name, what: &str| format!("<{name}Response>{what}</{name}Response>");
        let checks = format!("<instanceStatusSet>{checks}</instanceStatusSet>");
        self.put("ec2:DescribeInstanceStatus", id, of("DescribeInstanceStatus", &checks));
    }

    /// Has a volume be in this state and have this many GiB.
    pub fn volume(&self, id: &str, state: &str, size: u32) {
        let volume = format!(
            "<DescribeVolumesResponse><volumeSet><item><volumeId>{id}</volumeId><size>{size}</size>\
             <status>{state}</status></item></volumeSet></DescribeVolumesResponse>"
        );
        self.put("ec2:DescribeVolumes", id, volume);
    }

    /// Has a snapshot be of a volume of this many GiB.
    pub fn snapshot(&self, id: &str, size: u32) {
        let snapshot = format!(
            "<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>{id}</snapshotId>\
             <volumeSize>{size}</volumeSize></item></snapshotSet></DescribeSnapshotsResponse>"
        );
        self.put("ec2:DescribeSnapshots", id, snapshot);
    }

    /// Has a database have this status.
    pub fn database(&self, id: &str, status: &str) {
        let database = format!(
            "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
             <DBInstanceIdentifier>{id}</DBInstanceIdentifier><DBInstanceStatus>{status}\
             </DBInstanceStatus></DBInstance></DBInstances></DescribeDBInstancesResult>\
             </DescribeDBInstancesResponse>"
        );
        self.put("rds:DescribeDBInstances", id, database);
    }

    /// Has a cluster have this status.
    pub fn cluster(&self, id: &str, status: &str) {
        let cluster = format!(
            "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
             <DBClusterIdentifier>{id}</DBClusterIdentifier><Status>{status}</Status></DBCluster>\
             </DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>"
        );
        self.put("rds:DescribeDBClusters", id, cluster);
    }

    /// Has a table have this status and so many items, which its description does not know yet.
    pub fn table(&self, name: &str, status: &str, items: u32) {
        let table = json!({ "Table": { "TableStatus": status, "ItemCount": 0 } });
        self.put("dynamodb:DescribeTable", name, table.to_string());
        let scanned = json!({ "Count": items, "ScannedCount": items });
        self.put("dynamodb:Scan", name, scanned.to_string());
    }

    /// Has an EFS file system be in this state.
    pub fn file_system(&self, id: &str, state: &str) {
        let file_system = json!({ "FileSystems": [{
            "OwnerId": OWNER, "CreationToken": id, "FileSystemId": id, "CreationTime": 0,
            "LifeCycleState": state, "NumberOfMountTargets": 0, "SizeInBytes": { "Value": 6144 },
            "PerformanceMode": "generalPurpose", "Tags": [],
        }] });
        self.put("elasticfilesystem:DescribeFileSystems", id, file_system.to_string());
    }

    /// Has an FSx file system be in this state.
    pub fn fsx_file_system(&self, id: &str, state: &str) {
        let file_system = json!({ "FileSystems": [{ "FileSystemId": id, "Lifecycle": state }] });
        self.put("fsx:DescribeFileSystems", id, file_system.to_string());
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
