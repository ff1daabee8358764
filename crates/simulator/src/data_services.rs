//! The services that hold data, as far as restore tests read from them.
//!
//! Tests prepare their answers, so that resources can be in states that they would not reach here
//! by themselves. Only the instances of clusters are created and deleted by calls. About a resource
//! that no test prepared, the services ask the simulator, whose resources are in good order. They
//! also ask it about the caller's permissions.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "other requests are not of this suite, and a member that JSON lacks is null"
)]

mod databases;

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
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::databases::{Answered, Databases};
use crate::server::Direct;
use crate::simulator::Simulator;

/// The account that owns the resources.
const OWNER: &str = "111122223333";

/// EC2, RDS, DynamoDB, EFS, FSx and Lambda on loopback.
pub struct DataServices {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    simulator: Direct,
    /// The prepared answers, by action and subject.
    answers: Mutex<BTreeMap<(String, String), String>>,
    databases: Mutex<Databases>,
    /// The actions that were requested and allowed, followed by those that were denied.
    allowed: Mutex<BTreeSet<String>>,
    denied: Mutex<BTreeSet<String>>,
}

/// A request: the action in the terms of IAM, its subject, and the fields with it.
struct Question {
    action: String,
    subject: String,
    /// The fields of a form, and what a scan selects.
    fields: BTreeMap<String, String>,
}

/// The permission that a request needs: an action on a resource, with the condition keys.
struct Needed {
    action: String,
    resource: String,
    keys: Vec<(String, String)>,
}

impl DataServices {
    /// Starts services without resources, which ask `simulator` about the caller's permissions.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no address to listen on.
    pub async fn start(simulator: &Simulator) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            simulator: simulator.direct(),
            answers: Mutex::default(),
            databases: Mutex::default(),
            allowed: Mutex::default(),
            denied: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { url, shared, server })
    }

    /// Returns the address of the services.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the actions that were requested and allowed.
    ///
    /// # Panics
    ///
    /// Panics if an earlier request could not be answered.
    #[must_use]
    pub fn allowed(&self) -> BTreeSet<String> {
        self.shared.allowed.lock().unwrap().clone()
    }

    /// Returns the actions that were denied.
    ///
    /// # Panics
    ///
    /// Panics if an earlier request could not be answered.
    #[must_use]
    pub fn denied(&self) -> BTreeSet<String> {
        self.shared.denied.lock().unwrap().clone()
    }

    fn put(&self, action: &str, subject: &str, answer: String) {
        let key = (action.to_owned(), subject.to_owned());
        self.shared.answers.lock().unwrap().insert(key, answer);
    }

    /// Prepares an instance in this state, with these status checks. Its volumes are in good order.
    pub fn instance(&self, id: &str, state: &str, system: &str, instance: &str) {
        self.checked_instance(id, state, [system, instance, "ok"]);
    }

    /// Prepares an instance in this state, with these status checks: that of its host, its own, and
    /// that of its volumes.
    pub fn checked_instance(&self, id: &str, state: &str, checks: [&str; 3]) {
        self.put("ec2:DescribeInstanceStatus", id, instance_of(id, state, checks));
        self.attached(id, &[("/dev/xvda", 8)]);
    }

    /// Prepares the volumes of an instance, with their device names and their sizes in GiB.
    pub fn attached(&self, instance: &str, disks: &[(&str, u32)]) {
        self.put("ec2:DescribeVolumes", instance, attached_of(instance, disks));
    }

    /// Prepares an image of a machine, with the device names of its volumes and their sizes in GiB.
    pub fn image(&self, id: &str, disks: &[(&str, u32)]) {
        let disk = |(device, size): &(&str, u32)| {
            format!(
                "<item><deviceName>{device}</deviceName><ebs><volumeSize>{size}</volumeSize></ebs>\
                 </item>"
            )
        };
        let disks: String = disks.iter().map(disk).collect();
        let image = format!(
            "<DescribeImagesResponse><imagesSet><item><imageId>{id}</imageId><blockDeviceMapping>\
             {disks}</blockDeviceMapping></item></imagesSet></DescribeImagesResponse>"
        );
        self.put("ec2:DescribeImages", id, image);
    }

    /// Prepares a volume in this state, with this size in GiB.
    pub fn volume(&self, id: &str, state: &str, size: u32) {
        self.put("ec2:DescribeVolumes", id, volume_of(id, state, size.into()));
    }

    /// Prepares a snapshot of a volume with this size in GiB.
    pub fn snapshot(&self, id: &str, size: u32) {
        self.put("ec2:DescribeSnapshots", id, snapshot_of(id, size.into()));
    }

    /// Prepares a database with this status, which runs `postgres` with 20 GiB.
    pub fn database(&self, id: &str, status: &str) {
        self.databases().put(id, status, "postgres", 20);
    }

    /// Prepares a database with this status, which runs `engine` with this size in GiB.
    pub fn database_of(&self, id: &str, status: &str, (engine, storage): (&str, u32)) {
        self.databases().put(id, status, engine, storage);
    }

    /// Prepares a cluster with this status and without an instance, as AWS Backup restores it.
    pub fn cluster(&self, id: &str, status: &str) {
        self.databases().put_cluster(id, status, &[]);
    }

    /// Prepares a cluster with this status and these instances, each with its own status.
    pub fn cluster_with(&self, id: &str, status: &str, members: &[(&str, &str)]) {
        self.databases().put_cluster(id, status, members);
    }

    /// Prepares a snapshot of a database or a cluster that ran `engine` with this size in GiB.
    pub fn database_snapshot(&self, id: &str, (engine, storage): (&str, u32)) {
        self.databases().put_snapshot(id, engine, storage);
    }

    /// Returns the names of the instances of a cluster, without those that are being deleted.
    #[must_use]
    pub fn instances_of(&self, cluster: &str) -> Vec<String> {
        self.databases().members(cluster)
    }

    fn databases(&self) -> std::sync::MutexGuard<'_, Databases> {
        self.shared.databases.lock().unwrap()
    }

    /// Prepares a table with this status and this number of items, which its description does not
    /// show yet.
    pub fn table(&self, name: &str, status: &str, items: u32) {
        self.indexed_table(name, status, items, &[]);
    }

    /// Prepares such a table with these global indexes, each with its own status.
    pub fn indexed_table(&self, name: &str, status: &str, items: u32, indexes: &[(&str, &str)]) {
        self.put("dynamodb:DescribeTable", name, table_of(status, indexes));
        self.put("dynamodb:Scan", name, scan_of(items));
    }

    /// Prepares a backup of a table with this number of items and these global indexes.
    pub fn table_backup(&self, arn: &str, items: u32, indexes: &[&str]) {
        let indexes: Vec<_> = indexes.iter().map(|it| json!({ "IndexName": it })).collect();
        let backup = json!({ "BackupDescription": {
            "SourceTableDetails": { "ItemCount": items },
            "SourceTableFeatureDetails": { "GlobalSecondaryIndexes": indexes },
        } });
        self.put("dynamodb:DescribeBackup", arn, backup.to_string());
    }

    /// Prepares an EFS file system in this state, which holds as much as every backup in these
    /// tests.
    pub fn file_system(&self, id: &str, state: &str) {
        self.metered_file_system(id, state, 8 << 30);
    }

    /// Prepares an EFS file system in this state, which reports this number of bytes.
    pub fn metered_file_system(&self, id: &str, state: &str, bytes: u64) {
        self.put("elasticfilesystem:DescribeFileSystems", id, file_system_of(id, state, bytes));
    }

    /// Prepares an FSx file system in this state, with 32 GiB.
    pub fn fsx_file_system(&self, id: &str, state: &str) {
        self.put("fsx:DescribeFileSystems", id, fsx_file_system_of(id, state));
    }

    /// Prepares a volume of FSx for ONTAP in this state, with this size in MiB.
    pub fn fsx_volume(&self, id: &str, state: &str, size: u32) {
        self.put("fsx:DescribeVolumes", id, fsx_volume_of(id, state, size));
    }

    /// Prepares a backup of a volume of FSx for ONTAP with this size in MiB.
    pub fn fsx_backup(&self, id: &str, size: u32) {
        let volume = json!({ "OntapConfiguration": { "SizeInMegabytes": size } });
        let backup = json!({ "BackupId": id, "Volume": volume });
        self.put("fsx:DescribeBackups", id, json!({ "Backups": [backup] }).to_string());
    }

    /// Prepares the answer of the function with this ARN.
    pub fn function(&self, arn: &str, answer: &str) {
        self.put("lambda:InvokeFunction", arn, answer.to_owned());
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

fn instance_of(id: &str, state: &str, checks: [&str; 3]) -> String {
    let names = ["systemStatus", "instanceStatus", "attachedEbsStatus"];
    let check = |(name, it): (&str, &str)| format!("<{name}><status>{it}</status></{name}>");
    let checks: String = names.into_iter().zip(checks).map(check).collect();
    format!(
        "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>{id}</instanceId>\
         <instanceState><name>{state}</name></instanceState>{checks}</item></instanceStatusSet>\
         </DescribeInstanceStatusResponse>"
    )
}

fn attached_of(instance: &str, disks: &[(&str, u32)]) -> String {
    let disk = |(device, size): &(&str, u32)| {
        format!(
            "<item><size>{size}</size><status>in-use</status><attachmentSet><item>\
             <instanceId>{instance}</instanceId><device>{device}</device>\
             <status>attached</status></item></attachmentSet></item>"
        )
    };
    let disks: String = disks.iter().map(disk).collect();
    format!("<DescribeVolumesResponse><volumeSet>{disks}</volumeSet></DescribeVolumesResponse>")
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

fn table_of(status: &str, indexes: &[(&str, &str)]) -> String {
    let index = |(name, status): &(&str, &str)| json!({ "IndexName": name, "IndexStatus": status });
    let indexes: Vec<_> = indexes.iter().map(index).collect();
    let table = json!({ "TableStatus": status, "ItemCount": 0, "GlobalSecondaryIndexes": indexes });
    json!({ "Table": table }).to_string()
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
    let file_system = json!({ "FileSystemId": id, "Lifecycle": state, "StorageCapacity": 32 });
    json!({ "FileSystems": [file_system] }).to_string()
}

fn fsx_volume_of(id: &str, state: &str, size: u32) -> String {
    let ontap = json!({ "SizeInMegabytes": size });
    let volume = json!({ "VolumeId": id, "Lifecycle": state, "OntapConfiguration": ontap });
    json!({ "Volumes": [volume] }).to_string()
}

/// Answers about a resource or a snapshot of the simulator that no test prepared. It is in good
/// order.
fn simulated(simulator: &Direct, key: &str, region: &str, question: &Question) -> Option<String> {
    let Question { action, subject, .. } = question;
    if action == "ec2:DescribeSnapshots" {
        let bytes = simulator.snapshot(key, region, subject)?;
        return Some(snapshot_of(subject, bytes >> 30));
    }
    let gigabytes = simulator.resource(key, region, subject)?.gigabytes;
    Some(match action.as_str() {
        "ec2:DescribeInstanceStatus" => instance_of(subject, "running", ["ok"; 3]),
        "ec2:DescribeVolumes" if subject.starts_with("i-") => {
            attached_of(subject, &[("/dev/xvda", 8)])
        }
        "ec2:DescribeVolumes" => volume_of(subject, "available", gigabytes),
        "rds:DescribeDBInstances" => databases::available(subject),
        // The cluster got an instance after its restore.
        "rds:DescribeDBClusters" => databases::available_cluster(subject),
        "dynamodb:DescribeTable" => table_of("ACTIVE", &[]),
        "dynamodb:Scan" => scan_of(1),
        "elasticfilesystem:DescribeFileSystems" => {
            file_system_of(subject, "available", gigabytes << 30)
        }
        "fsx:DescribeFileSystems" => fsx_file_system_of(subject, "AVAILABLE"),
        "fsx:DescribeVolumes" => fsx_volume_of(subject, "CREATED", 1_024),
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
    let question = question(service, target, &path, &body);
    for Needed { action, resource, keys } in needed(shared, (key, region), &question) {
        if !shared.simulator.permits(key, region, (&action, &resource), &keys) {
            shared.denied.lock().unwrap().insert(action);
            let code = match service {
                "ec2" => "UnauthorizedOperation",
                "rds" => "AccessDenied",
                _ => "AccessDeniedException",
            };
            return refusal(service, 403, code);
        }
        shared.allowed.lock().unwrap().insert(action);
    }
    let simulated = || simulated(&shared.simulator, key, region, &question);
    let Question { action, subject, fields } = &question;
    if service == "rds" {
        let answered = shared.databases.lock().unwrap().answer(action, subject, fields);
        let said = match answered {
            Answered::Said(it) => Ok(it),
            Answered::Refused(code) => simulated().ok_or(code),
        };
        let answer = said.map(|it| Response::new(Full::new(Bytes::from(it))));
        return answer.unwrap_or_else(|code| refusal(service, 400, code));
    }
    let answer = shared.answers.lock().unwrap().get(&(action.clone(), subject.clone())).cloned();
    let answer = answer.or_else(simulated);
    let code = match (service, action.as_str()) {
        ("ec2", "ec2:DescribeVolumes") => "InvalidVolume.NotFound",
        ("ec2", "ec2:DescribeSnapshots") => "InvalidSnapshot.NotFound",
        ("ec2", "ec2:DescribeImages") => "InvalidAMIID.NotFound",
        ("ec2", _) => "InvalidInstanceID.NotFound",
        ("dynamodb", "dynamodb:DescribeBackup") => "BackupNotFoundException",
        ("dynamodb" | "lambda", _) => "ResourceNotFoundException",
        ("fsx", "fsx:DescribeVolumes") => "VolumeNotFound",
        ("fsx", "fsx:DescribeBackups") => "BackupNotFound",
        _ => "FileSystemNotFound",
    };
    let found = answer.map(|it| Response::new(Full::new(Bytes::from(it))));
    found.unwrap_or_else(|| refusal(service, 400, code))
}

/// Reads a request in the protocol of its service.
fn question(service: &str, target: Option<&str>, path: &str, body: &[u8]) -> Question {
    let pairs = |text: &str| -> BTreeMap<String, String> {
        let decoded = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
        let pairs = text.split(['?', '&']).filter_map(|it| it.split_once('='));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    };
    let mut fields = pairs(std::str::from_utf8(body).unwrap());
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let select = json["Select"].as_str().map(|it| ("Select".to_owned(), it.to_owned()));
    fields.extend(select);
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let field = |names: &[&str]| names.iter().find_map(|it| fields.get(*it)).unwrap().clone();
    let operation = target.map(ToOwned::to_owned).or_else(|| fields.get("Action").cloned());
    let (operation, subject) = match (service, operation) {
        ("rds", Some(operation)) => {
            let of_cluster = "DBClusterIdentifier";
            let names = match operation.as_str() {
                "DescribeDBClusters" => [of_cluster],
                "DescribeDBSnapshots" => ["DBSnapshotIdentifier"],
                "DescribeDBClusterSnapshots" => ["DBClusterSnapshotIdentifier"],
                _ => ["DBInstanceIdentifier"],
            };
            (operation, field(&names))
        }
        ("dynamodb", Some(operation)) => {
            let is_backup = operation == "DescribeBackup";
            let name = if is_backup { "BackupArn" } else { "TableName" };
            (operation, text(&json[name]))
        }
        ("fsx", Some(operation)) => {
            let name = match operation.as_str() {
                "DescribeVolumes" => "VolumeIds",
                "DescribeBackups" => "BackupIds",
                _ => "FileSystemIds",
            };
            (operation, text(&json[name][0]))
        }
        ("elasticfilesystem", _) => {
            ("DescribeFileSystems".to_owned(), pairs(path)["FileSystemId"].clone())
        }
        ("lambda", _) => {
            let function = path.split('/').nth(3).unwrap_or_default();
            let function = percent_decode_str(function).decode_utf8_lossy().into_owned();
            ("InvokeFunction".to_owned(), function)
        }
        (_, operation) => {
            let names =
                ["InstanceId.1", "VolumeId.1", "SnapshotId.1", "ImageId.1", "Filter.1.Value.1"];
            (operation.unwrap(), field(&names))
        }
    };
    Question { action: format!("{service}:{operation}"), subject, fields }
}

/// Returns the permissions that a request needs, according to the Service Authorization Reference.
fn needed(shared: &Shared, (key, region): (&str, &str), question: &Question) -> Vec<Needed> {
    let Question { action, subject, fields } = question;
    let (service, operation) = action.split_once(':').unwrap();
    let account = shared.simulator.account_of(key);
    let arn = |what: String| format!("arn:aws:{service}:{region}:{account}:{what}");
    let need = |action: &str, resource: String, keys: Vec<(String, String)>| Needed {
        action: action.to_owned(),
        resource,
        keys,
    };
    let resource = match (service, operation) {
        ("rds", "DescribeDBClusters") => arn(format!("cluster:{subject}")),
        ("rds", "DescribeDBSnapshots") => arn(format!("snapshot:{subject}")),
        ("rds", "DescribeDBClusterSnapshots") => arn(format!("cluster-snapshot:{subject}")),
        ("rds", _) => arn(format!("db:{subject}")),
        ("dynamodb", "DescribeBackup") | ("lambda", _) => subject.clone(),
        ("dynamodb", _) => arn(format!("table/{subject}")),
        ("elasticfilesystem", _) => arn(format!("file-system/{subject}")),
        // The actions of these two services do not support permissions for single resources.
        _ => "*".to_owned(),
    };
    let databases = shared.databases.lock().unwrap();
    let tagged = |prefix: &str, tags: BTreeMap<String, String>| -> Vec<_> {
        tags.into_iter().map(|(key, value)| (format!("{prefix}/{key}"), value)).collect()
    };
    match operation {
        "CreateDBInstance" => {
            let tags = || tagged("aws:requesttag", databases::tags(fields));
            let cluster = fields.get("DBClusterIdentifier").cloned().unwrap_or_default();
            let of = ["pg:default.aurora-postgresql16", "subgrp:default"].map(ToOwned::to_owned);
            let beside = of.into_iter().chain([format!("cluster:{cluster}")]);
            let beside = beside.map(|it| need(action, arn(it), tags()));
            let mut all: Vec<_> =
                [need(action, resource.clone(), tags())].into_iter().chain(beside).collect();
            all.push(need("rds:AddTagsToResource", resource, tags()));
            if let Some(key) = databases.key_of(&cluster) {
                let through = ("kms:viaservice".to_owned(), format!("rds.{region}.amazonaws.com"));
                let for_aws = ("kms:grantisforawsresource".to_owned(), "true".to_owned());
                all.push(need("kms:DescribeKey", key.clone(), vec![through.clone()]));
                all.push(need("kms:CreateGrant", key, vec![through, for_aws]));
            }
            all
        }
        "DeleteDBInstance" => {
            vec![need(action, resource, tagged("aws:resourcetag", databases.tags_of(subject)))]
        }
        "Scan" => {
            let select = fields.get("Select").cloned().unwrap_or_default();
            vec![need(action, resource, vec![("dynamodb:select".to_owned(), select)])]
        }
        _ => vec![need(action, resource, Vec::new())],
    }
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
