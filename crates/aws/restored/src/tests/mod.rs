//! What the production settings make of the answers of AWS, on a clock that jumps.

mod hosts;
mod models;

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use plan::restore_validation::{
    BackedUp, Checks, Contents, Database, Disk, Engine, Facts, Job, Listed, Opinion, Reader,
    Report, Resource, Restored, Status, ValidationOutcome,
};
use serde_json::{Value, json};
use simulator::script::{ENVIRONMENT, Reply, Script};

use super::*;

/// What a script is reached by.
trait Reached {
    fn services(&self) -> Services;

    async fn look(&self, resource: &Resource) -> Result<Facts, Error>;

    async fn look_from(&self, resource: &Resource, from: BackedUp) -> Result<Facts, Error>;
}

impl Reached for Script {
    fn services(&self) -> Services {
        let connector = SharedHttpConnector::new(self.clone());
        let session = Session::from_variables(connector, aws::Reader::Log, ENVIRONMENT);
        Services::new(&session, Instant::now() + Duration::from_mins(15))
    }

    async fn look(&self, resource: &Resource) -> Result<Facts, Error> {
        let owner = "111122223333".to_owned();
        let restored = Restored { resource: resource.clone(), from: None, owner };
        self.services().look("job-1", &restored).await
    }

    async fn look_from(&self, resource: &Resource, from: BackedUp) -> Result<Facts, Error> {
        let owner = "111122223333".to_owned();
        let restored = Restored { resource: resource.clone(), from: Some(from), owner };
        self.services().look("job-1", &restored).await
    }
}

/// The operations that were asked for.
fn asked(script: &Script) -> Vec<String> {
    script.asked().into_iter().map(|it| it.operation).collect()
}

fn xml(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn answer(body: Value) -> (u16, String) {
    (200, body.to_string())
}

/// A refusal in the way of EC2.
fn ec2(code: &str) -> (u16, String) {
    let error =
        format!("<Errors><Error><Code>{code}</Code><Message>No.</Message></Error></Errors>");
    (400, format!("<Response>{error}<RequestID>1</RequestID></Response>"))
}

/// A refusal in the way of RDS.
fn query(code: &str) -> (u16, String) {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    (400, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

/// A refusal in the way of S3.
fn s3(status: u16, code: &str) -> (u16, String) {
    (status, format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"))
}

/// A refusal in JSON.
fn refusal(code: &str) -> (u16, String) {
    (400, json!({ "__type": code, "Code": code, "message": "No." }).to_string())
}

fn own(it: &str) -> String {
    it.to_owned()
}

fn instance() -> Resource {
    Resource::Instance(own("i-1"))
}

fn volume() -> Resource {
    Resource::Volume(own("vol-1"))
}

fn database() -> Resource {
    Resource::Database(own("orders"))
}

fn cluster() -> Resource {
    Resource::Cluster(own("orders"))
}

fn table() -> Resource {
    Resource::Table(own("orders"))
}

fn bucket() -> Resource {
    Resource::Bucket(own("restored"))
}

fn metadata(it: Value) -> (u16, String) {
    answer(json!({ "Metadata": it }))
}

fn checked(state: &str, system: &str, instance: &str, volumes: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-1</instanceId>\
         <instanceState><name>{state}</name></instanceState>\
         <systemStatus><status>{system}</status></systemStatus>\
         <instanceStatus><status>{instance}</status></instanceStatus>\
         <attachedEbsStatus><status>{volumes}</status></attachedEbsStatus>\
         </item></instanceStatusSet></DescribeInstanceStatusResponse>"
    ))
}

fn attached(device: &str, size: i32) -> (u16, String) {
    xml(&format!(
        "<DescribeVolumesResponse><volumeSet><item><size>{size}</size><attachmentSet><item>\
         <device>{device}</device></item></attachmentSet></item></volumeSet>\
         </DescribeVolumesResponse>"
    ))
}

fn image(device: &str, size: i32) -> (u16, String) {
    xml(&format!(
        "<DescribeImagesResponse><imagesSet><item><blockDeviceMapping><item>\
         <deviceName>{device}</deviceName><ebs><volumeSize>{size}</volumeSize></ebs></item>\
         <item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>\
         </blockDeviceMapping></item></imagesSet></DescribeImagesResponse>"
    ))
}

fn volumes(state: &str, snapshot: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><size>8</size>\
         <snapshotId>{snapshot}</snapshotId><status>{state}</status></item></volumeSet>\
         </DescribeVolumesResponse>"
    ))
}

const ENGINE: &str = "<Engine>postgres</Engine><EngineVersion>16.4</EngineVersion>\
                      <AllocatedStorage>20</AllocatedStorage>";

fn engine() -> Engine {
    Engine { name: own("postgres"), version: own("16.4"), storage: Some(20) }
}

fn databases(status: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
         <DBInstanceIdentifier>orders</DBInstanceIdentifier>\
         <DBInstanceStatus>{status}</DBInstanceStatus><Endpoint><Address>orders.rds</Address>\
         </Endpoint>{ENGINE}</DBInstance></DBInstances></DescribeDBInstancesResult>\
         </DescribeDBInstancesResponse>"
    ))
}

fn available() -> Database {
    Database { status: own("available"), has_endpoint: true, engine: engine() }
}

fn clusters(status: &str, members: &[&str]) -> (u16, String) {
    let member = |it: &&str| {
        let id = format!("<DBInstanceIdentifier>{it}</DBInstanceIdentifier>");
        format!("<DBClusterMember>{id}</DBClusterMember>")
    };
    let members: String = members.iter().map(member).collect();
    xml(&format!(
        "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
         <Status>{status}</Status><Endpoint>orders.rds</Endpoint>{ENGINE}\
         <DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>\
         </DescribeDBClustersResult></DescribeDBClustersResponse>"
    ))
}

fn tables(status: &str, items: i64) -> (u16, String) {
    let index = json!({ "IndexName": "by-day", "IndexStatus": "ACTIVE" });
    answer(json!({ "Table": {
        "TableStatus": status, "ItemCount": items, "GlobalSecondaryIndexes": [index],
    } }))
}

fn listed(objects: &[(&str, u64)], next: Option<&str>) -> (u16, String) {
    let object = |(key, size): &(&str, u64)| {
        format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
    };
    let objects: String = objects.iter().map(object).collect();
    let next = next.map(|it| {
        let token = format!("<NextContinuationToken>{it}</NextContinuationToken>");
        format!("<IsTruncated>true</IsTruncated>{token}")
    });
    let next = next.unwrap_or_else(|| "<IsTruncated>false</IsTruncated>".to_owned());
    xml(&format!("<ListBucketResult>{next}{objects}</ListBucketResult>"))
}

fn seen(prefix: &str, objects: u64, bytes: u64) -> Listed {
    Listed { prefix: own(prefix), objects, bytes, is_whole: true }
}

fn good() -> Report {
    Report {
        status: Status::Successful,
        outcome: ValidationOutcome::Successful,
        message: "Fine.".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_what_aws_backup_tells() {
    let script = Script::new([answer(json!({
        "Status": "COMPLETED",
        "ResourceType": "EBS",
        "CreatedResourceArn": "arn:aws:ec2:eu-west-1:1:volume/vol-1",
        "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1",
        "BackupSizeInBytes": 512,
        "ValidationStatus": "VALIDATING",
        "DeletionStatus": "DELETING",
        "CreatedBy": { "RestoreTestingPlanArn": "arn:aws:backup:eu-west-1:1:restore-testing-plan:x" },
        "CompletionDate": 1_790_000_000.5,
    }))]);
    let text = |it: &str| Some(it.to_owned());
    let expected = Job {
        id: "job-1".to_owned(),
        status: "COMPLETED".to_owned(),
        status_message: String::new(),
        resource_type: "EBS".to_owned(),
        created: text("arn:aws:ec2:eu-west-1:1:volume/vol-1"),
        recovery_point: text("arn:aws:ec2:eu-west-1::snapshot/snap-1"),
        bytes: Some(512),
        validation: text("VALIDATING"),
        deletion: text("DELETING"),
        plan: text("arn:aws:backup:eu-west-1:1:restore-testing-plan:x"),
        completed: Some(1_790_000_000),
    };
    assert_eq!(script.services().job("job-1").await.unwrap(), expected);
    assert_eq!(asked(&script), ["GET /restore-jobs/job-1"]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_seen_with_its_checks_and_its_volumes() {
    let checks = |volumes: &str| Checks {
        system: own("ok"),
        instance: own("impaired"),
        volumes: own(volumes),
    };
    let disks = |size| vec![Disk { device: own("/dev/xvda"), size: Some(size) }];
    let replies = [
        checked("running", "ok", "impaired", "ok"),
        attached("/dev/xvda", 9),
        image("/dev/xvda", 8),
    ];
    let script = Script::new(replies);
    let from = BackedUp::Image(own("ami-1"));
    let facts = Facts::Instance {
        state: own("running"),
        checks: checks("ok"),
        disks: disks(9),
        source: Some(disks(8)),
    };
    assert_eq!(script.look_from(&instance(), from).await.unwrap(), facts);
    assert_eq!(asked(&script), ["DescribeInstanceStatus", "DescribeVolumes", "DescribeImages"]);
    // An image that is gone tells nothing, and what does not run is not looked at any further.
    let replies = [
        checked("running", "ok", "impaired", "ok"),
        attached("/dev/xvda", 9),
        ec2("InvalidAMIID.NotFound"),
    ];
    let script = Script::new(replies);
    let seen = script.look_from(&instance(), BackedUp::Image(own("ami-1"))).await.unwrap();
    assert!(matches!(seen, Facts::Instance { source: None, .. }), "{seen:?}");
    let script = Script::new([checked("pending", "ok", "impaired", "initializing")]);
    let facts = Facts::Instance {
        state: own("pending"),
        checks: checks("initializing"),
        disks: Vec::new(),
        source: None,
    };
    assert_eq!(script.look(&instance()).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn the_source_of_a_volume_is_the_snapshot_of_the_backup_or_else_its_own() {
    let snapshot = "<DescribeSnapshotsResponse><snapshotSet><item><volumeSize>9</volumeSize>\
                    </item></snapshotSet></DescribeSnapshotsResponse>";
    let facts = |state: &str, source, asked| Facts::Volume {
        state: own(state),
        size: Some(8),
        source,
        asked,
    };
    for (snap, from) in [("snap-2", Some("snap-1")), ("snap-2", None), ("", None)] {
        let asks = from.is_some() || !snap.is_empty();
        let replies = [metadata(json!({})), volumes("available", snap), xml(snapshot)];
        let script = Script::new(replies.into_iter().take(if asks { 3 } else { 2 }));
        let source = asks.then_some(9);
        let seen = match from {
            Some(from) => script.look_from(&volume(), BackedUp::Snapshot(own(from))).await,
            None => script.look(&volume()).await,
        };
        assert_eq!(seen.unwrap(), facts("available", source, None));
        assert!(script.is_over());
    }
    // A backup in another account's vault has no snapshot here. The metadata may ask for a size.
    let asked = metadata(json!({ "volumesize": "8" }));
    let replies = [asked, volumes("in-use", "snap-2"), ec2("InvalidSnapshot.NotFound")];
    let script = Script::new(replies);
    assert_eq!(script.look(&volume()).await.unwrap(), facts("in-use", None, Some(8)));
}

#[tokio::test(start_paused = true)]
async fn a_database_is_seen_with_its_engine_and_that_of_its_snapshot() {
    let snapshot = format!(
        "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><DBSnapshots><DBSnapshot>{ENGINE}\
         </DBSnapshot></DBSnapshots></DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>"
    );
    let script = Script::new([databases("available"), xml(&snapshot)]);
    let from = BackedUp::DatabaseSnapshot(own("awsbackup:job-1"));
    let facts = Facts::Database { database: available(), source: Some(engine()) };
    assert_eq!(script.look_from(&database(), from.clone()).await.unwrap(), facts);
    // What cannot be used yet is compared with nothing.
    let script = Script::new([databases("creating")]);
    let creating = Database { status: own("creating"), ..available() };
    let facts = Facts::Database { database: creating, source: None };
    assert_eq!(script.look_from(&database(), from.clone()).await.unwrap(), facts);
    let script = Script::new([databases("available"), query("DBSnapshotNotFound")]);
    let facts = Facts::Database { database: available(), source: None };
    assert_eq!(script.look_from(&database(), from).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_seen_with_its_instances() {
    let snapshot = format!(
        "<DescribeDBClusterSnapshotsResponse><DescribeDBClusterSnapshotsResult><DBClusterSnapshots>\
         <DBClusterSnapshot>{ENGINE}</DBClusterSnapshot></DBClusterSnapshots>\
         </DescribeDBClusterSnapshotsResult></DescribeDBClusterSnapshotsResponse>"
    );
    let replies = [
        clusters("available", &["orders-1", "orders-2"]),
        databases("available"),
        query("DBInstanceNotFound"),
        xml(&snapshot),
    ];
    let script = Script::new(replies);
    let facts = Facts::Cluster {
        database: available(),
        is_serverless: false,
        members: vec![(own("orders-1"), available())],
        source: Some(engine()),
    };
    let from = BackedUp::ClusterSnapshot(own("awsbackup:job-1"));
    assert_eq!(script.look_from(&cluster(), from).await.unwrap(), facts);
    let script = Script::new([clusters("creating", &[])]);
    let facts = Facts::Cluster {
        database: Database { status: own("creating"), ..available() },
        is_serverless: false,
        members: Vec::new(),
        source: None,
    };
    assert_eq!(script.look(&cluster()).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn file_systems_are_seen_with_their_state_and_size() {
    let efs = json!({ "FileSystems": [{
        "OwnerId": "1", "CreationToken": "x", "FileSystemId": "fs-1", "CreationTime": 0,
        "LifeCycleState": "available", "NumberOfMountTargets": 0, "SizeInBytes": { "Value": 1 },
        "PerformanceMode": "generalPurpose", "Tags": [],
    }] });
    let script = Script::new([answer(efs)]);
    let facts = Facts::FileSystem { state: own("available"), bytes: Some(1) };
    assert_eq!(script.look(&Resource::FileSystem(own("fs-1"))).await.unwrap(), facts);

    let fsx = json!({ "FileSystems": [{ "Lifecycle": "AVAILABLE", "StorageCapacity": 32 }] });
    let backup = json!({ "Backups": [{ "FileSystem": { "StorageCapacity": 64 } }] });
    let script = Script::new([answer(fsx), answer(backup)]);
    let from = BackedUp::FsxBackup(own("backup-1"));
    let facts = Facts::Fsx { state: own("AVAILABLE"), size: Some(32), source: Some(64) };
    let resource = Resource::FsxFileSystem(own("fs-1"));
    assert_eq!(script.look_from(&resource, from.clone()).await.unwrap(), facts);

    let ontap = json!({ "SizeInMegabytes": 1024 });
    let volume = json!({ "Volumes": [{ "Lifecycle": "CREATED", "OntapConfiguration": ontap }] });
    let script = Script::new([answer(volume), refusal("BackupNotFound")]);
    let facts = Facts::Fsx { state: own("CREATED"), size: Some(1024), source: None };
    let resource = Resource::FsxVolume(own("fsvol-1"));
    assert_eq!(script.look_from(&resource, from).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn items_are_looked_for_only_where_the_count_says_that_there_are_none() {
    let facts = |status: &str, counted, has_items| Facts::Table {
        status: own(status),
        indexes: vec![(own("by-day"), own("ACTIVE"))],
        counted,
        has_items,
        source: None,
    };
    let script = Script::new([tables("ACTIVE", 3)]);
    assert_eq!(script.look(&table()).await.unwrap(), facts("ACTIVE", 3, true));
    let pages = [
        (json!({ "Count": 1, "ScannedCount": 1 }), true),
        (json!({ "Count": 0, "ScannedCount": 0 }), false),
        (json!({ "Count": 0, "LastEvaluatedKey": { "id": { "S": "7" } } }), true),
    ];
    for (page, has_items) in pages {
        let script = Script::new([tables("ACTIVE", 0), answer(page)]);
        assert_eq!(script.look(&table()).await.unwrap(), facts("ACTIVE", 0, has_items));
        assert_eq!(asked(&script), ["DescribeTable", "Scan"]);
    }
    // What is still made cannot be scanned.
    let script = Script::new([tables("CREATING", 0)]);
    assert_eq!(script.look(&table()).await.unwrap(), facts("CREATING", 0, false));
}

#[tokio::test(start_paused = true)]
async fn a_table_is_compared_with_its_backup_where_that_is_one_of_dynamodb() {
    let backup = json!({ "BackupDescription": {
        "SourceTableDetails": { "ItemCount": 7 },
        "SourceTableFeatureDetails": { "GlobalSecondaryIndexes": [{ "IndexName": "by-day" }] },
    } });
    let script = Script::new([tables("ACTIVE", 3), answer(backup)]);
    let arn = own("arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/0170");
    let seen = script.look_from(&table(), BackedUp::TableBackup(arn)).await.unwrap();
    let Facts::Table { source, .. } = seen else { panic!("{seen:?}") };
    assert_eq!(source, Some(Contents { counted: Some(7), indexes: vec![own("by-day")] }));
}

#[tokio::test(start_paused = true)]
async fn objects_are_counted_and_read_where_the_metadata_of_the_job_says() {
    let told = metadata(json!({
        "DestinationBucketName": "shared", "ItemsToRestore": r#"["a/","b/"]"#,
    }));
    let replies = [
        told,
        // A page may be empty and have a next one.
        listed(&[], Some("more")),
        listed(&[("a/1", 5), ("a/empty", 0)], None),
        listed(&[], None),
        xml("words"),
        xml(""),
    ];
    let script = Script::new(replies);
    let listed = vec![seen("a/", 2, 5), seen("b/", 0, 0)];
    let facts = Facts::Objects { listed, read: 2, unreadable: None };
    assert_eq!(script.look(&bucket()).await.unwrap(), facts);
    let asked = asked(&script);
    assert_eq!(asked[0], "GET /restore-jobs/job-1/metadata");
    assert_eq!(asked[1], "GET /?list-type=2&prefix=a%2F");
    assert_eq!(asked[2], "GET /?list-type=2&prefix=a%2F&continuation-token=more");
    assert_eq!(asked[3], "GET /?list-type=2&prefix=b%2F");
    assert_eq!(asked[4], "GET /a/1?x-id=GetObject bytes=0-1023");
    assert_eq!(asked[5], "GET /a/empty?x-id=GetObject");
}

#[tokio::test(start_paused = true)]
async fn of_many_objects_all_are_counted_and_some_are_read() {
    let keys: Vec<_> = (0..300).map(|it| format!("{it:03}")).collect();
    let pages = keys.chunks(100).enumerate().map(|(page, keys)| {
        let objects: Vec<_> = keys.iter().map(|it| (it.as_str(), 2)).collect();
        listed(&objects, Some("more").filter(|_| page < 2))
    });
    let reads = std::iter::repeat_n(xml("ok"), 20);
    let script = Script::new([metadata(json!({}))].into_iter().chain(pages).chain(reads));
    let facts = Facts::Objects { listed: vec![seen("", 300, 600)], read: 20, unreadable: None };
    assert_eq!(script.look(&bucket()).await.unwrap(), facts);
    assert!(script.is_over());
    // Not those that come first.
    let read = asked(&script).split_off(4);
    assert!(read.iter().any(|it| it.as_str() > "GET /020"), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_came_empty_and_is_not_is_no_object_that_was_read() {
    let nothing = Reply::Raw(200, &[("etag", "\"1\"")], Vec::new());
    let replies = [metadata(json!({})), listed(&[("1", 5)], None)].into_iter().map(Reply::from);
    let script = Script::new(replies.chain([nothing]));
    let failed = script.look(&bucket()).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Transient);
    assert_eq!(
        failed.why(),
        "AWS answered with nothing (cannot read the object 1 of the bucket restored)"
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_had_is_seen_and_one_that_may_not_be_read_is_an_error() {
    let replies = |last| [metadata(json!({})), listed(&[("1", 5)], None), last];
    for code in ["InvalidObjectState", "KMS.DisabledException", "NoSuchKey"] {
        let script = Script::new(replies(s3(400, code)));
        let unreadable = Some(("1".to_owned(), code.to_owned()));
        let facts = Facts::Objects { listed: vec![seen("", 1, 5)], read: 0, unreadable };
        assert_eq!(script.look(&bucket()).await.unwrap(), facts);
    }
    let script = Script::new(replies(s3(403, "AccessDenied")));
    let denied = script.look(&bucket()).await.unwrap_err();
    assert_eq!((denied.kind(), denied.permission()), (ErrorKind::Denied, Some("s3:GetObject")));
    let script = Script::new(replies(s3(400, "InvalidArgument")));
    let rejected = script.look(&bucket()).await.unwrap_err();
    assert_eq!((rejected.kind(), rejected.permission()), (ErrorKind::Rejected, None));
    assert_eq!(
        rejected.why(),
        "InvalidArgument (HTTP 400): No. (cannot read the object 1 of the bucket restored)"
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_missing_in_the_words_of_every_service() {
    let cases = [
        (instance(), vec![ec2("InvalidInstanceID.NotFound")]),
        (volume(), vec![metadata(json!({})), ec2("InvalidVolume.NotFound")]),
        (database(), vec![query("DBInstanceNotFound")]),
        (cluster(), vec![query("DBClusterNotFoundFault")]),
        (table(), vec![refusal("ResourceNotFoundException")]),
        (bucket(), vec![metadata(json!({})), s3(404, "NoSuchBucket")]),
        (Resource::FileSystem(own("fs-1")), vec![refusal("FileSystemNotFound")]),
        (Resource::FsxFileSystem(own("fs-1")), vec![refusal("FileSystemNotFound")]),
        (Resource::FsxVolume(own("fsvol-1")), vec![refusal("VolumeNotFound")]),
    ];
    for (resource, replies) in cases {
        let found = Script::new(replies).look(&resource).await;
        assert_eq!(found.unwrap(), Facts::Missing, "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_what_was_asked_for_is_no_answer() {
    let none = |it: &str| xml(&format!("<{it}Response><{it}Result/></{it}Response>"));
    let cases = [
        (instance(), xml("<DescribeInstanceStatusResponse/>")),
        (volume(), xml("<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>")),
        (database(), none("DescribeDBInstances")),
        (cluster(), none("DescribeDBClusters")),
        (table(), answer(json!({}))),
        (Resource::FileSystem(own("fs-1")), answer(json!({ "FileSystems": [] }))),
        (Resource::FsxFileSystem(own("fs-1")), answer(json!({}))),
        (Resource::FsxVolume(own("fsvol-1")), answer(json!({ "Volumes": [{}] }))),
    ];
    for (resource, reply) in cases {
        let first = matches!(resource, Resource::Volume(_)).then(|| metadata(json!({})));
        for reply in [reply, (200, String::new())] {
            let replies = std::iter::repeat_n(reply, 12);
            let script = Script::new(first.clone().into_iter().chain(replies));
            let failed = script.look(&resource).await.unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Transient, "{resource}: {failed:?}");
        }
    }
    let nothing = std::iter::repeat_n((200, String::new()), 12);
    let failed = Script::new(nothing).services().job("job-1").await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Transient, "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_denied_look_names_the_permission_and_is_not_repeated() {
    let denied = || refusal("AccessDeniedException");
    let running = || checked("running", "ok", "ok", "ok");
    let cases = [
        (instance(), vec![ec2("UnauthorizedOperation")], "ec2:DescribeInstanceStatus"),
        (instance(), vec![running(), ec2("UnauthorizedOperation")], "ec2:DescribeVolumes"),
        (volume(), vec![denied()], "backup:GetRestoreJobMetadata"),
        (volume(), vec![metadata(json!({})), ec2("UnauthorizedOperation")], "ec2:DescribeVolumes"),
        (database(), vec![query("AccessDenied")], "rds:DescribeDBInstances"),
        (cluster(), vec![query("AccessDenied")], "rds:DescribeDBClusters"),
        (table(), vec![denied()], "dynamodb:DescribeTable"),
        (bucket(), vec![denied()], "backup:GetRestoreJobMetadata"),
        (
            Resource::FileSystem(own("fs-1")),
            vec![denied()],
            "elasticfilesystem:DescribeFileSystems",
        ),
        (Resource::FsxFileSystem(own("fs-1")), vec![denied()], "fsx:DescribeFileSystems"),
        (Resource::FsxVolume(own("fsvol-1")), vec![denied()], "fsx:DescribeVolumes"),
    ];
    for (resource, replies, permission) in cases {
        let script = Script::new(replies);
        let denied = script.look(&resource).await.unwrap_err();
        assert_eq!((denied.kind(), denied.permission()), (ErrorKind::Denied, Some(permission)));
        // First of all, so that it is not cut off.
        let why = denied.why();
        assert!(why.starts_with(&format!("the role lacks {permission}: ")), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_known_yet_are_no_answer() {
    let codes = [
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ];
    for code in codes {
        let script = Script::new(std::iter::repeat_n(ec2(code), 12));
        let failed = script.look(&instance()).await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Transient, "{failed:?}");
    }
}

fn reader() -> Reader {
    Reader {
        name: own("org-backup-restore-test-1"),
        cluster: own("orders"),
        engine: own("aurora-postgresql"),
        class: own("db.t4g.medium"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_given_an_instance_with_a_tag_once() {
    let made =
        xml("<CreateDBInstanceResponse><CreateDBInstanceResult/></CreateDBInstanceResponse>");
    let script = Script::new([made, query("DBInstanceAlreadyExists")]);
    assert!(script.services().make_reader(&reader()).await.unwrap());
    assert!(!script.services().make_reader(&reader()).await.unwrap());
    let body = &script.asked()[0].body;
    for field in [
        "DBClusterIdentifier=orders",
        "DBInstanceClass=db.t4g.medium",
        "PubliclyAccessible=false",
        "Tags.Tag.1.Key=org-backup%3Amade-by",
        "Tags.Tag.1.Value=restore-validation",
    ] {
        assert!(body.contains(field), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_instance_of_a_cluster_is_deleted_and_one_that_is_gone_is_as_good() {
    let deleted = xml("<DeleteDBInstanceResponse/>");
    let name = reader().name;
    let cases = [
        (vec![databases("available"), deleted], true),
        (vec![databases("available"), query("DBInstanceNotFound")], false),
        (vec![databases("deleting")], false),
        (vec![query("DBInstanceNotFound")], false),
        (
            vec![databases("available"), query("InvalidDBInstanceState"), databases("deleting")],
            true,
        ),
    ];
    for (replies, was_there) in cases {
        let script = Script::new(replies);
        assert_eq!(script.services().delete_reader(&name).await.unwrap(), was_there);
        assert!(script.is_over());
    }
    let replies = [databases("creating"), query("InvalidDBInstanceState"), databases("creating")];
    let stays = Script::new(replies).services().delete_reader(&name).await.unwrap_err();
    assert_eq!(stays.code(), Some("InvalidDBInstanceState"));
}

#[tokio::test(start_paused = true)]
async fn the_owners_function_is_asked_by_its_arn() {
    let script = Script::new([answer(json!({ "status": "FAILED", "message": "No." }))]);
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:looks";
    let job = Job { id: own("job-1"), resource_type: own("RDS"), ..Job::default() };
    let said = script.services().ask_owner(function, &job).await.unwrap();
    assert_eq!(said, Opinion::Bad(own("No.")));
    let asked = &script.asked()[0];
    let path = "POST /2015-03-31/functions/\
                arn%3Aaws%3Alambda%3Aeu%2Dwest%2D1%3A111122223333%3Afunction%3Alooks/invocations";
    assert_eq!(asked.operation, path);
    let sent: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!((&sent["restoreJobId"], &sent["resourceType"]), (&json!("job-1"), &json!("RDS")));
    let script = Script::new([refusal("AccessDeniedException")]);
    let denied = script.services().ask_owner(function, &job).await.unwrap_err();
    assert_eq!(denied.permission(), Some("lambda:InvokeFunction"));
}

#[tokio::test(start_paused = true)]
async fn what_another_try_may_see_is_not_taken_for_an_answer() {
    // Of credentials that are renewed, and of something on the way that is not AWS.
    let none = (400, "<html>Bad Request</html>".to_owned());
    for reply in [ec2("ExpiredToken"), ec2("RequestExpired"), ec2("RequestTimeout"), none] {
        let script = Script::new(std::iter::repeat_n(reply, 12));
        let failed = script.look(&instance()).await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Transient, "{failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_called_that_and_not_kept_in_memory() {
    let script = Script::new([(200, " ".repeat((32 << 20) + 1))]);
    let why = script.look(&table()).await.unwrap_err().why();
    let expected = "AWS answered 200 with more than 32 MiB (cannot look at the table orders)";
    assert_eq!(why, expected);
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_report_is_made_again() {
    let throttled = || (429, refusal("ThrottlingException").1);
    let script = Script::new([throttled(), throttled(), (204, String::new())]);
    assert!(script.services().report("job-1", &good()).await.unwrap());
    assert_eq!(asked(&script), ["PUT /restore-jobs/job-1/validations"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_there_already_is_as_good() {
    let refused = || refusal("InvalidRequestException");
    let script = Script::new([refused(), answer(json!({ "ValidationStatus": "FAILED" }))]);
    assert!(!script.services().report("job-1", &good()).await.unwrap());
    for status in [json!({ "ValidationStatus": "VALIDATING" }), json!({})] {
        let script = Script::new([refused(), answer(status)]);
        let refused = script.services().report("job-1", &good()).await.unwrap_err();
        assert_eq!(refused.code(), Some("InvalidRequestException"));
        let told = "cannot tell AWS Backup that the restore job job-1 is SUCCESSFUL: Fine.";
        assert_eq!(refused.to_string(), told);
    }
}
