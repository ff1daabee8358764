//! What the production settings make of the answers of AWS, on a clock that jumps.

mod models;

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use plan::restore_validation::{Facts, Job, Report, Resource, Status, ValidationOutcome};
use serde_json::{Value, json};
use simulator::script::{ENVIRONMENT, Script};

use super::*;

/// What a script is reached by.
trait Reached {
    fn services(&self) -> Services;

    async fn look(&self, resource: &Resource) -> Result<Facts, Error>;
}

impl Reached for Script {
    fn services(&self) -> Services {
        let connector = SharedHttpConnector::new(self.clone());
        let session = Session::from_variables(connector, ENVIRONMENT);
        Services::new(&session, Instant::now() + Duration::from_mins(15))
    }

    async fn look(&self, resource: &Resource) -> Result<Facts, Error> {
        self.services().look("job-1", resource).await
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

fn instance() -> Resource {
    Resource::Instance("i-1".to_owned())
}

fn volume(snapshot: Option<&str>) -> Resource {
    Resource::Volume { id: "vol-1".to_owned(), snapshot: snapshot.map(ToOwned::to_owned) }
}

fn database() -> Resource {
    Resource::Database("orders".to_owned())
}

fn table() -> Resource {
    Resource::Table("orders".to_owned())
}

fn bucket() -> Resource {
    Resource::Bucket("restored".to_owned())
}

fn checked(state: &str, system: &str, instance: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-1</instanceId>\
         <instanceState><name>{state}</name></instanceState>\
         <systemStatus><status>{system}</status></systemStatus>\
         <instanceStatus><status>{instance}</status></instanceStatus>\
         </item></instanceStatusSet></DescribeInstanceStatusResponse>"
    ))
}

fn volumes(state: &str, snapshot: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><size>8</size>\
         <snapshotId>{snapshot}</snapshotId><status>{state}</status></item></volumeSet>\
         </DescribeVolumesResponse>"
    ))
}

fn databases(status: &str) -> (u16, String) {
    xml(&format!(
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
         <DBInstanceIdentifier>orders</DBInstanceIdentifier>\
         <DBInstanceStatus>{status}</DBInstanceStatus></DBInstance></DBInstances>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>"
    ))
}

fn tables(status: &str, items: i64) -> (u16, String) {
    answer(json!({ "Table": { "TableStatus": status, "ItemCount": items } }))
}

fn listed(objects: &[(&str, u64)]) -> (u16, String) {
    let object = |(key, size): &(&str, u64)| {
        format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
    };
    let objects: Vec<_> = objects.iter().map(object).collect();
    xml(&format!("<ListBucketResult>{}</ListBucketResult>", objects.concat()))
}

fn status(text: &str) -> Facts {
    Facts::Status(text.to_owned())
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
    };
    assert_eq!(script.services().job("job-1").await.unwrap(), expected);
    assert_eq!(asked(&script), ["GET /restore-jobs/job-1"]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_seen_with_both_status_checks() {
    let script = Script::new([checked("running", "ok", "impaired")]);
    let [state, system, own] = ["running", "ok", "impaired"].map(ToOwned::to_owned);
    let facts = Facts::Instance { state, system, instance: own };
    assert_eq!(script.look(&instance()).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn the_source_of_a_volume_is_the_snapshot_of_the_backup_or_else_its_own() {
    for (known, own, asks) in
        [(Some("snap-1"), "snap-2", true), (None, "snap-2", true), (None, "", false)]
    {
        let snapshot = "<DescribeSnapshotsResponse><snapshotSet><item><volumeSize>9</volumeSize>\
                        </item></snapshotSet></DescribeSnapshotsResponse>";
        let replies = [volumes("available", own), xml(snapshot)];
        let script = Script::new(replies.into_iter().take(if asks { 2 } else { 1 }));
        let source = asks.then_some(9);
        let facts = Facts::Volume { state: "available".to_owned(), size: Some(8), source };
        assert_eq!(script.look(&volume(known)).await.unwrap(), facts);
        assert!(script.is_over());
    }
    // A backup in another account's vault has no snapshot here.
    let script = Script::new([volumes("in-use", "snap-2"), ec2("InvalidSnapshot.NotFound")]);
    let facts = Facts::Volume { state: "in-use".to_owned(), size: Some(8), source: None };
    assert_eq!(script.look(&volume(None)).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn databases_and_file_systems_are_seen_with_their_status() {
    let clusters = "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
                    <Status>creating</Status></DBCluster></DBClusters></DescribeDBClustersResult>\
                    </DescribeDBClustersResponse>";
    let efs = json!({ "FileSystems": [{
        "OwnerId": "1", "CreationToken": "x", "FileSystemId": "fs-1", "CreationTime": 0,
        "LifeCycleState": "available", "NumberOfMountTargets": 0, "SizeInBytes": { "Value": 1 },
        "PerformanceMode": "generalPurpose", "Tags": [],
    }] });
    let fsx = json!({ "FileSystems": [{ "FileSystemId": "fs-1", "Lifecycle": "AVAILABLE" }] });
    let own = |it: &str| it.to_owned();
    let cases = [
        (database(), databases("incompatible-restore"), "incompatible-restore"),
        (Resource::Cluster(own("orders")), xml(clusters), "creating"),
        (Resource::FileSystem(own("fs-1")), answer(efs), "available"),
        (Resource::FsxFileSystem(own("fs-1")), answer(fsx), "AVAILABLE"),
    ];
    for (resource, reply, seen) in cases {
        let script = Script::new([reply]);
        assert_eq!(script.look(&resource).await.unwrap(), status(seen), "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_looked_for_only_where_the_count_says_that_there_are_none() {
    let active = |has_items| Facts::Table { status: "ACTIVE".to_owned(), has_items };
    let script = Script::new([tables("ACTIVE", 3)]);
    assert_eq!(script.look(&table()).await.unwrap(), active(true));
    let pages = [
        (json!({ "Count": 1, "ScannedCount": 1 }), true),
        (json!({ "Count": 0, "ScannedCount": 0 }), false),
        (json!({ "Count": 0, "LastEvaluatedKey": { "id": { "S": "7" } } }), true),
    ];
    for (page, has_items) in pages {
        let script = Script::new([tables("ACTIVE", 0), answer(page)]);
        assert_eq!(script.look(&table()).await.unwrap(), active(has_items));
        assert_eq!(asked(&script), ["DescribeTable", "Scan"]);
    }
    // What is still made cannot be scanned.
    let script = Script::new([tables("CREATING", 0)]);
    let facts = Facts::Table { status: "CREATING".to_owned(), has_items: false };
    assert_eq!(script.look(&table()).await.unwrap(), facts);
}

#[tokio::test(start_paused = true)]
async fn objects_are_read_where_the_metadata_of_the_job_says() {
    let metadata = json!({ "Metadata": {
        "DestinationBucketName": "shared", "ItemsToRestore": r#"["a/"]"#,
    } });
    let objects = listed(&[("a/1", 5), ("a/empty", 0)]);
    let script = Script::new([answer(metadata), objects, xml("words"), xml("")]);
    let facts = Facts::Objects { listed: 2, read: 2, unreadable: None };
    assert_eq!(script.look(&bucket()).await.unwrap(), facts);
    let asked = asked(&script);
    assert_eq!(asked[0], "GET /restore-jobs/job-1/metadata");
    assert_eq!(asked[1], "GET /?list-type=2&max-keys=10&prefix=a%2F");
    assert_eq!(asked[2], "GET /a/1?x-id=GetObject bytes=0-1023");
    assert_eq!(asked[3], "GET /a/empty?x-id=GetObject");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_had_is_seen_and_one_that_may_not_be_read_is_an_error() {
    let replies = |last| [answer(json!({ "Metadata": {} })), listed(&[("1", 5)]), last];
    for code in ["InvalidObjectState", "KMS.DisabledException", "NoSuchKey"] {
        let script = Script::new(replies(s3(400, code)));
        let unreadable = Some(("1".to_owned(), code.to_owned()));
        let facts = Facts::Objects { listed: 1, read: 0, unreadable };
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
    let own = |it: &str| it.to_owned();
    let none = "<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>";
    let cases = [
        (instance(), vec![ec2("InvalidInstanceID.NotFound")]),
        (volume(None), vec![ec2("InvalidVolume.NotFound")]),
        (volume(None), vec![xml(none)]),
        (database(), vec![query("DBInstanceNotFound")]),
        (Resource::Cluster(own("orders")), vec![query("DBClusterNotFoundFault")]),
        (table(), vec![refusal("ResourceNotFoundException")]),
        (bucket(), vec![answer(json!({ "Metadata": {} })), s3(404, "NoSuchBucket")]),
        (Resource::FileSystem(own("fs-1")), vec![refusal("FileSystemNotFound")]),
        (Resource::FsxFileSystem(own("fs-1")), vec![refusal("FileSystemNotFound")]),
    ];
    for (resource, replies) in cases {
        let script = Script::new(replies);
        assert_eq!(script.look(&resource).await.unwrap(), Facts::Missing, "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_look_names_the_permission_and_is_not_repeated() {
    let own = |it: &str| it.to_owned();
    let cases = [
        (instance(), ec2("UnauthorizedOperation"), "ec2:DescribeInstanceStatus"),
        (volume(None), ec2("UnauthorizedOperation"), "ec2:DescribeVolumes"),
        (database(), query("AccessDenied"), "rds:DescribeDBInstances"),
        (Resource::Cluster(own("orders")), query("AccessDenied"), "rds:DescribeDBClusters"),
        (table(), refusal("AccessDeniedException"), "dynamodb:DescribeTable"),
        (bucket(), refusal("AccessDeniedException"), "backup:GetRestoreJobMetadata"),
        (
            Resource::FileSystem(own("fs-1")),
            refusal("AccessDeniedException"),
            "elasticfilesystem:DescribeFileSystems",
        ),
        (
            Resource::FsxFileSystem(own("fs-1")),
            refusal("AccessDeniedException"),
            "fsx:DescribeFileSystems",
        ),
    ];
    for (resource, reply, permission) in cases {
        let script = Script::new([reply]);
        let denied = script.look(&resource).await.unwrap_err();
        assert_eq!((denied.kind(), denied.permission()), (ErrorKind::Denied, Some(permission)));
        // First of all, so that it is not cut off.
        let why = denied.why();
        assert!(why.starts_with(&format!("the function's role lacks {permission}: ")), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_try_may_see_is_not_taken_for_an_answer() {
    // Of credentials that are renewed, and of something on the way that is not AWS.
    let none = (400, "<html>Bad Request</html>".to_owned());
    for reply in [ec2("ExpiredToken"), ec2("RequestExpired"), ec2("RequestTimeout"), none] {
        let script = Script::new(std::iter::repeat_n(reply, 12));
        let failed = script.look(&volume(None)).await.unwrap_err();
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
