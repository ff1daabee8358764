//! What is said of restore tests.

use std::time::{Duration, SystemTime};

use serde_json::json;
use simulator::{DataServices, Fault, Outcome, RestoreJob, Settings};
use tests::organization::Organization;
use tests::reattach::batch;
use tests::restored::{ACCOUNT, REGION, RestoreValidation, arn, completed, done, later, sample};
use tests::role::FunctionRole;

const GIB: u64 = 1 << 30;

async fn organization() -> Organization {
    Organization::bare(Settings::default()).await
}

/// The name of something that a restore test made.
fn name(end: &str) -> String {
    format!("awsbackup-restore-test-{end}")
}

/// A restore of something that was not empty.
fn job(resource_type: &str, created: &str) -> RestoreJob {
    RestoreJob { bytes: Some(8 * GIB), ..RestoreJob::test(resource_type, created) }
}

fn volume_job() -> RestoreJob {
    let snapshot = format!("arn:aws:ec2:{REGION}::snapshot/snap-1");
    let job = job("EBS", &arn("ec2", "volume/vol-1"));
    RestoreJob { recovery_point: Some(snapshot), ..job }
}

fn database_job() -> RestoreJob {
    let snapshot = arn("rds", "snapshot:awsbackup:job-1");
    let job = job("RDS", &arn("rds", &format!("db:{}", name("orders"))));
    RestoreJob { recovery_point: Some(snapshot), ..job }
}

fn cluster_job() -> RestoreJob {
    let snapshot = arn("rds", "cluster-snapshot:awsbackup:job-2");
    let job = job("Aurora", &arn("rds", &format!("cluster:{}", name("orders"))));
    RestoreJob { recovery_point: Some(snapshot), ..job }
}

fn table_backup() -> String {
    arn("dynamodb", "table/orders/backup/01700000000000-1a2b3c4d")
}

fn table_job() -> RestoreJob {
    let job = job("DynamoDB", &arn("dynamodb", &format!("table/{}", name("orders"))));
    RestoreJob { recovery_point: Some(table_backup()), ..job }
}

fn bucket_job() -> RestoreJob {
    job("S3", &format!("arn:aws:s3:::{}", name("orders")))
}

fn file_system_job() -> RestoreJob {
    job("EFS", &arn("elasticfilesystem", "file-system/fs-1"))
}

fn fsx_job() -> RestoreJob {
    job("FSx", &arn("fsx", "file-system/fs-2"))
}

fn fsx_volume_job() -> RestoreJob {
    let backup = arn("fsx", "backup/backup-1");
    let job = job("FSx", &arn("fsx", "volume/fs-3/fsvol-1"));
    RestoreJob { recovery_point: Some(backup), ..job }
}

/// A restore of a cluster of this type.
fn cluster_of(resource_type: &str) -> RestoreJob {
    RestoreJob { resource_type: resource_type.to_owned(), ..cluster_job() }
}

fn instance_job() -> RestoreJob {
    let image = format!("arn:aws:ec2:{REGION}::image/ami-1");
    let job = job("EC2", &arn("ec2", "instance/i-1"));
    RestoreJob { recovery_point: Some(image), ..job }
}

/// Everything as it should be.
async fn sound(organization: &Organization) -> DataServices {
    let services = DataServices::start(organization).await.unwrap();
    services.instance("i-1", "running", "ok", "ok");
    services.image("ami-1", &[("/dev/xvda", 8)]);
    services.volume("vol-1", "available", 8);
    services.snapshot("snap-1", 8);
    services.database(&name("orders"), "available");
    services.database_snapshot("awsbackup:job-1", ("postgres", 20));
    let member = name("orders-1");
    services.cluster_with(&name("orders"), "available", &[(&member, "available")]);
    services.database_snapshot("awsbackup:job-2", ("aurora-postgresql", 100));
    services.indexed_table(&name("orders"), "ACTIVE", 3, &[("by-day", "ACTIVE")]);
    services.table_backup(&table_backup(), 3, &["by-day"]);
    services.file_system("fs-1", "available");
    services.fsx_file_system("fs-2", "AVAILABLE");
    services.fsx_volume("fsvol-1", "CREATED", 1_024);
    services.fsx_backup("backup-1", 1_024);
    organization.buckets(|it| {
        it.create_bucket(&name("orders"));
        it.put(&name("orders"), "2026/10/04.csv", "id,total\n7,12\n".to_owned());
        it.put(&name("orders"), "empty", String::new());
    });
    services
}

fn jobs() -> [RestoreJob; 11] {
    [
        instance_job(),
        volume_job(),
        database_job(),
        cluster_job(),
        cluster_of("DocumentDB"),
        cluster_of("Neptune"),
        table_job(),
        bucket_job(),
        file_system_job(),
        fsx_job(),
        fsx_volume_job(),
    ]
}

/// What AWS Backup was asked, or told.
fn calls(organization: &Organization) -> Vec<String> {
    organization.journal().into_iter().map(|it| it.operation).collect()
}

/// The result of a job, which has one.
fn result(validation: &RestoreValidation<'_>, id: &str) -> (String, String) {
    validation.result(id).unwrap_or_else(|| panic!("{id} has no result:\n{}", validation.logs()))
}

#[tokio::test]
async fn what_every_type_of_restore_brought_back_is_found_good() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let mut said = Vec::new();
    for (index, job) in jobs().into_iter().enumerate() {
        let id = format!("job-{index}");
        let resource_type = job.resource_type.clone();
        assert_eq!(validation.test(&id, job).await, done(), "{}", validation.logs());
        let (status, message) = result(&validation, &id);
        assert_eq!(status, "SUCCESSFUL", "{resource_type}: {message}");
        said.push((resource_type, message));
    }
    let cluster = "cluster awsbackup-restore-test-orders is available with an endpoint and 1 available \
                   instance, aurora-postgresql 16.4, the engine of its snapshot; no connection was made";
    let expected = [
        (
            "EC2",
            "instance i-1 is running and passed all three status checks, with 1 volume, as its image \
             has; no connection was made",
        ),
        ("EBS", "volume vol-1 is available and has 8 GiB, as its source; its data was not read"),
        (
            "RDS",
            "database awsbackup-restore-test-orders is available with an endpoint, postgres 16.4 and \
             20 GiB, the engine and at least the storage of its snapshot; no connection was made",
        ),
        ("Aurora", cluster),
        ("DocumentDB", cluster),
        ("Neptune", cluster),
        (
            "DynamoDB",
            "table awsbackup-restore-test-orders is active with 1 global index, as its backup, and has \
             items (not counted yet, its backup 3, not compared); one page at the most was looked at",
        ),
        (
            "S3",
            "bucket awsbackup-restore-test-orders has 2 objects of 14 bytes, not compared with the \
             8589934592 of its backup; the first KiB of 2 taken at random was read, and no more",
        ),
        (
            "EFS",
            "file system fs-1 is available and holds 8589934592 bytes, its backup 8589934592; it was \
             not mounted",
        ),
        (
            "FSx",
            "file system fs-2 is available; its size was not compared, since it or that of its \
             backup is unknown, and it was not mounted",
        ),
        ("FSx", "volume fsvol-1 is available and has 1024 MiB, as its source; it was not mounted"),
    ];
    assert_eq!(said, expected.map(|(kind, why)| (kind.to_owned(), why.to_owned())));
    let counted = validation.counted();
    assert_eq!(counted.len(), 11);
    assert!(counted.iter().all(|it| it.1 == "Successful"), "{counted:?}");
}

/// A name, a restore, its fault, and the message about it.
type Break = (&'static str, RestoreJob, fn(&DataServices, &Organization), &'static str);

/// Whether each of these is found broken in the words that it has.
async fn are_told(cases: impl IntoIterator<Item = Break>) {
    let organization = organization().await;
    for (id, job, breaks, why) in cases {
        let services = sound(&organization).await;
        breaks(&services, &organization);
        let validation = RestoreValidation::start(&organization, &services).await;
        let resource_type = job.resource_type.clone();
        assert_eq!(validation.test(id, job).await, done(), "{}", validation.logs());
        assert_eq!(result(&validation, id), ("FAILED".to_owned(), why.to_owned()));
        assert_eq!(validation.counted(), [(resource_type, "Failed".to_owned())]);
    }
}

#[tokio::test]
async fn what_machines_and_databases_can_be_found_broken_by_is_told() {
    let cases: [Break; 12] = [
        (
            "stopped",
            instance_job(),
            |it, _| it.instance("i-1", "stopped", "not-applicable", "not-applicable"),
            "instance i-1 is stopped, not running",
        ),
        (
            "system",
            instance_job(),
            |it, _| it.instance("i-1", "running", "impaired", "ok"),
            "instance i-1 is running, but its system status is impaired",
        ),
        (
            "instance",
            instance_job(),
            |it, _| it.instance("i-1", "running", "ok", "impaired"),
            "instance i-1 is running, but its instance status is impaired",
        ),
        (
            "volumes",
            instance_job(),
            |it, _| it.checked_instance("i-1", "running", ["ok", "ok", "impaired"]),
            "instance i-1 is running, but its attached EBS status is impaired",
        ),
        (
            "lost",
            instance_job(),
            |it, _| it.image("ami-1", &[("/dev/xvda", 8), ("/dev/sdf", 100)]),
            "instance i-1 has no volume at /dev/sdf, which its image has",
        ),
        (
            "size",
            volume_job(),
            |it, _| it.volume("vol-1", "available", 7),
            "volume vol-1 has 7 GiB, but the volume that was backed up has 8 GiB",
        ),
        (
            "error",
            volume_job(),
            |it, _| it.volume("vol-1", "error", 8),
            "volume vol-1 is error, not available",
        ),
        (
            "database",
            database_job(),
            |it, _| it.database(&name("orders"), "incompatible-restore"),
            "database awsbackup-restore-test-orders is incompatible-restore, not available",
        ),
        (
            "cluster",
            cluster_job(),
            |it, _| it.cluster(&name("orders"), "inaccessible-encryption-credentials"),
            "cluster awsbackup-restore-test-orders is inaccessible-encryption-credentials, not \
             available",
        ),
        (
            "engine",
            database_job(),
            |it, _| it.database_snapshot("awsbackup:job-1", ("mysql", 20)),
            "database awsbackup-restore-test-orders runs postgres, but its snapshot is one of mysql",
        ),
        (
            "storage",
            database_job(),
            |it, _| it.database_snapshot("awsbackup:job-1", ("postgres", 100)),
            "database awsbackup-restore-test-orders has 20 GiB of storage, but its snapshot was of 100 \
             GiB",
        ),
        (
            "migration",
            cluster_of("DocumentDB"),
            |it, _| it.cluster(&name("orders"), "migration-failed"),
            "cluster awsbackup-restore-test-orders is migration-failed, not available",
        ),
    ];
    are_told(cases).await;
}

#[tokio::test]
async fn what_tables_buckets_and_file_systems_can_be_found_broken_by_is_told() {
    let cases: [Break; 9] = [
        (
            "index",
            table_job(),
            |it, _| it.table(&name("orders"), "ACTIVE", 3),
            "table awsbackup-restore-test-orders has no index by-day, but its backup has",
        ),
        (
            "gone",
            job("DynamoDB", &arn("dynamodb", &format!("table/{}", name("gone")))),
            |_, _| {},
            "table awsbackup-restore-test-gone does not exist, though it was restored",
        ),
        (
            "items",
            table_job(),
            |it, _| it.indexed_table(&name("orders"), "ACTIVE", 0, &[("by-day", "ACTIVE")]),
            "table awsbackup-restore-test-orders has no items, but its backup has 3 by its last count",
        ),
        (
            "objects",
            job("S3", &format!("arn:aws:s3:::{}", name("bare"))),
            |_, it| it.buckets(|it| it.create_bucket(&name("bare"))),
            "bucket awsbackup-restore-test-bare has no objects, but its backup has 8589934592 bytes",
        ),
        (
            "bucket",
            job("S3", &format!("arn:aws:s3:::{}", name("nowhere"))),
            |_, _| {},
            "bucket awsbackup-restore-test-nowhere does not exist, though it was restored",
        ),
        (
            "efs",
            file_system_job(),
            |it, _| it.file_system("fs-1", "error"),
            "file system fs-1 is error, not available",
        ),
        (
            "fsx",
            fsx_job(),
            |it, _| it.fsx_file_system("fs-2", "MISCONFIGURED"),
            "file system fs-2 is MISCONFIGURED, not available",
        ),
        (
            "unavailable",
            fsx_job(),
            |it, _| it.fsx_file_system("fs-2", "MISCONFIGURED_UNAVAILABLE"),
            "file system fs-2 is MISCONFIGURED_UNAVAILABLE, not available",
        ),
        (
            "ontap",
            fsx_volume_job(),
            |it, _| it.fsx_volume("fsvol-1", "CREATED", 20),
            "volume fsvol-1 has 20 MiB, but the one that was backed up has 1024 MiB",
        ),
    ];
    are_told(cases).await;
}

#[tokio::test]
async fn an_empty_table_or_bucket_is_good_where_the_backup_is_empty() {
    let organization = organization().await;
    let services = sound(&organization).await;
    services.indexed_table(&name("orders"), "ACTIVE", 0, &[("by-day", "ACTIVE")]);
    organization.buckets(|it| it.create_bucket(&name("bare")));
    let validation = RestoreValidation::start(&organization, &services).await;
    let bucket = job("S3", &format!("arn:aws:s3:::{}", name("bare")));
    for (id, job) in [("table", table_job()), ("bucket", bucket)] {
        assert_eq!(validation.test(id, RestoreJob { bytes: Some(0), ..job }).await, done());
        assert_eq!(result(&validation, id).0, "SUCCESSFUL");
    }
}

#[tokio::test]
async fn objects_are_looked_at_where_they_were_restored_and_nowhere_else() {
    let organization = organization().await;
    let services = sound(&organization).await;
    organization.buckets(|it| {
        it.create_bucket(&name("shared"));
        it.put(&name("shared"), "theirs/1", "theirs".to_owned());
    });
    let validation = RestoreValidation::start(&organization, &services).await;
    let metadata = [
        ("destinationBucketName".to_owned(), name("shared")),
        ("itemsToRestore".to_owned(), r#"["ours/"]"#.to_owned()),
    ];
    let job = RestoreJob { metadata: metadata.into(), ..bucket_job() };
    assert_eq!(validation.test("none", job.clone()).await, done());
    assert_eq!(result(&validation, "none").0, "FAILED");
    organization.buckets(|it| it.put(&name("shared"), "ours/1", "ours".to_owned()));
    assert_eq!(validation.test("some", job).await, done());
    assert_eq!(result(&validation, "some").0, "SUCCESSFUL");
    assert!(!organization.lines(|it| it.operation == "GetObject").contains("theirs"));
}

#[tokio::test]
async fn every_path_that_was_restored_has_objects() {
    let organization = organization().await;
    let services = sound(&organization).await;
    organization.buckets(|it| it.put(&name("orders"), "theirs/1", "theirs".to_owned()));
    let validation = RestoreValidation::start(&organization, &services).await;
    let paths = ("itemsToRestore".to_owned(), r#"["2026/","gone/"]"#.to_owned());
    let job = RestoreJob { metadata: [paths].into(), ..bucket_job() };
    assert_eq!(validation.test("paths", job).await, done());
    let why =
        "bucket awsbackup-restore-test-orders has no objects under `gone/`, which was restored";
    assert_eq!(result(&validation, "paths"), ("FAILED".to_owned(), why.to_owned()));
}

#[tokio::test]
async fn a_volume_may_be_larger_than_its_snapshot_where_the_plan_says_so() {
    let organization = organization().await;
    let services = sound(&organization).await;
    services.volume("vol-1", "available", 20);
    let validation = RestoreValidation::start(&organization, &services).await;
    let size = ("volumesize".to_owned(), "20".to_owned());
    let job = RestoreJob { metadata: [size].into(), ..volume_job() };
    assert_eq!(validation.test("larger", job).await, done());
    let why = "volume vol-1 is available and has 20 GiB, as it was to be restored with; its data was \
               not read";
    assert_eq!(result(&validation, "larger"), ("SUCCESSFUL".to_owned(), why.to_owned()));
}

#[tokio::test]
async fn what_is_in_another_account_region_or_partition_is_not_looked_at_here() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let elsewhere = [
        ("account", "arn:aws:ec2:us-east-1:444455556666:volume/vol-1"),
        ("Region", "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"),
        ("partition", "arn:aws-cn:ec2:us-east-1:111122223333:volume/vol-1"),
    ];
    for (place, created) in elsewhere {
        assert_eq!(validation.test(place, job("EBS", created)).await, done());
        let (status, message) = result(&validation, place);
        assert_eq!(status, "TIMED_OUT");
        assert!(message.contains(&format!("is in another {place} than its restore test")));
    }
    assert!(services.allowed().is_empty());
}

#[tokio::test]
async fn a_cluster_is_given_an_instance_which_is_gone_afterwards() {
    let organization = organization().await;
    let services = sound(&organization).await;
    services.cluster(&name("orders"), "available");
    let without = RestoreValidation::start(&organization, &services).await;
    assert_eq!(without.test("without", cluster_job()).await, done());
    let (status, message) = result(&without, "without");
    assert_eq!(status, "TIMED_OUT");
    assert!(message.contains("has no instance, and nothing can connect to it"), "{message}");
    let class = [("CLUSTER_INSTANCE_CLASS", "db.t4g.medium")];
    let validation = RestoreValidation::set_up(&organization, &services, &class).await;
    let event = completed("with", &cluster_job());
    let with = cluster_job();
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, "with", with));
    // It is looked at twice.
    let heard = validation.hear(&event, Duration::from_secs(6)).await;
    assert_eq!(heard, done(), "{}", validation.logs());
    assert_eq!(result(&validation, "with").0, "SUCCESSFUL", "{}", validation.logs());
    assert!(services.allowed().contains("rds:DeleteDBInstance"));
    assert_eq!(services.instances_of(&name("orders")), [""; 0]);
}

#[tokio::test]
async fn an_instance_of_somebody_else_is_not_deleted_though_it_has_the_name_of_ours() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let class = [("CLUSTER_INSTANCE_CLASS", "db.t4g.medium")];
    let validation = RestoreValidation::set_up(&organization, &services, &class).await;
    services.database("org-backup-restore-test-job", "available");
    let failed = validation.test("job", cluster_job()).await;
    let Outcome::Failed(error) = failed else { panic!("{failed:?}") };
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("the role lacks rds:DeleteDBInstance"), "{message}");
    assert!(services.denied().contains("rds:DeleteDBInstance"));
}

/// The function that the role may invoke for databases.
const OWN: &str = "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-rds";

#[tokio::test]
async fn a_function_of_the_owner_has_the_last_word_on_what_is_good() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let checks = [("CHECK_RDS", OWN)];
    let validation = RestoreValidation::set_up(&organization, &services, &checks).await;
    let says = |status: &str| json!({ "status": status, "message": "7 invoices\nadd up" });
    for status in ["SUCCESSFUL", "FAILED"] {
        services.function(OWN, &says(status).to_string());
        assert_eq!(validation.test(status, database_job()).await, done(), "{}", validation.logs());
        let (told, message) = result(&validation, status);
        assert_eq!(told, status);
        assert!(message.ends_with(": 7 invoices add up"), "{message}");
    }
    // What it does not say well is no word, and what crashed may do better the next time.
    for (id, answer) in [("hostile", "::error::FORGED"), ("crash", r#"{"errorMessage":"No."}"#)] {
        services.function(OWN, answer);
        let job = RestoreJob { begun: Some(just_now(&organization)), ..database_job() };
        let event = completed(id, &job);
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, id, job));
        assert_eq!(validation.hear(&event, Duration::from_secs(6)).await, later());
        assert_eq!(validation.result(id), None);
    }
    // Other types have none.
    assert_eq!(validation.test("volume", volume_job()).await, done());
    assert_eq!(result(&validation, "volume").0, "SUCCESSFUL");
}

/// This moment, on the clock of the simulator.
fn just_now(organization: &Organization) -> Duration {
    SystemTime::now().duration_since(organization.clock()).unwrap_or_default()
}

#[tokio::test]
async fn a_file_system_that_is_not_metered_yet_is_neither_good_nor_broken() {
    let organization = organization().await;
    let services = sound(&organization).await;
    services.metered_file_system("fs-1", "available", 0);
    let validation = RestoreValidation::start(&organization, &services).await;
    let fresh = RestoreJob { begun: Some(just_now(&organization)), ..file_system_job() };
    let event = completed("fresh", &fresh);
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, "fresh", fresh));
    assert_eq!(validation.hear(&event, Duration::from_secs(6)).await, later());
    assert_eq!(validation.result("fresh"), None);
    // One whose window is nearly over gets a word.
    let old = file_system_job();
    let event = completed("old", &old);
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, "old", old));
    assert_eq!(validation.hear(&event, Duration::from_secs(6)).await, done());
    let why = "not validated: file system fs-1 is available, but EFS says that it holds 0 of the \
               8589934592 bytes of its backup; it meters them within hours";
    assert_eq!(result(&validation, "old"), ("TIMED_OUT".to_owned(), why.to_owned()));
}

#[tokio::test]
async fn an_event_alone_makes_no_restore_a_test() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let event = completed("job", &volume_job());
    let ordinary = RestoreJob { plan: None, ..volume_job() };
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, "job", ordinary));
    assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, done());
    assert_eq!(validation.result("job"), None);
    assert!(services.allowed().is_empty());
    assert_eq!(calls(&organization), ["DescribeRestoreJob"]);
}

#[tokio::test]
async fn an_ordinary_restore_is_not_touched() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    for event in ["ordinary-restore", "created", "running", "failed", "aborted"] {
        assert_eq!(
            validation.hear(&sample(event), Duration::from_mins(1)).await,
            done(),
            "{event}"
        );
    }
    let ordinary = RestoreJob { plan: None, ..volume_job() };
    assert_eq!(validation.test("ordinary", ordinary).await, done());
    assert_eq!(calls(&organization), [""; 0]);
    assert!(services.allowed().is_empty());
    // Those that failed by themselves are counted, so that somebody hears of them.
    let failed = |kind: &str| (kind.to_owned(), "RestoreFailed".to_owned());
    assert_eq!(validation.counted(), [failed("EC2"), failed("EBS")]);
    assert!(validation.logs().contains("has no subnet to restore into"));
}

#[tokio::test]
async fn a_type_without_a_check_is_told_to_be_not_validated() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let table = arn("timestream", "database/metrics/table/cpu");
    assert_eq!(validation.test("table", job("Timestream", &table)).await, done());
    let why = format!("not validated: there is no check for Timestream ({table})");
    assert_eq!(result(&validation, "table"), ("TIMED_OUT".to_owned(), why));
    assert_eq!(validation.counted(), [("Timestream".to_owned(), "NotValidated".to_owned())]);
}

#[tokio::test]
async fn the_same_event_again_does_no_harm() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    assert_eq!(validation.test("job", volume_job()).await, done());
    // By now AWS Backup has deleted it.
    services.volume("vol-1", "deleting", 8);
    let event = completed("job", &volume_job());
    assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, done());
    assert_eq!(result(&validation, "job").0, "SUCCESSFUL");
    let puts = calls(&organization).into_iter().filter(|it| it == "PutRestoreValidationResult");
    assert_eq!(puts.count(), 1);
    assert_eq!(validation.counted().len(), 1);
}

#[tokio::test]
async fn a_result_that_came_meanwhile_stays() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    // It gets there, and the answer says that there is one.
    let put = Fault::new(
        "PutRestoreValidationResult",
        simulator::Kind::ErrorAfter(simulator::Failure::new("InvalidRequestException")),
    );
    organization.fail(put);
    assert_eq!(validation.test("job", volume_job()).await, done(), "{}", validation.logs());
    assert_eq!(result(&validation, "job").0, "SUCCESSFUL");
    assert!(validation.logs().contains("there is a result already"));
}

#[tokio::test]
async fn what_is_being_deleted_is_not_looked_at() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let job = RestoreJob { deletion: Some("DELETING".to_owned()), ..volume_job() };
    assert_eq!(validation.test("job", job).await, done());
    assert_eq!(validation.result("job"), None);
    assert_eq!(validation.counted(), [("EBS".to_owned(), "NotValidated".to_owned())]);
}

#[tokio::test]
async fn a_throttled_report_is_made_again() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    organization.fail(Fault::error("PutRestoreValidationResult", "ThrottlingException").times(2));
    assert_eq!(validation.test("job", volume_job()).await, done());
    assert_eq!(result(&validation, "job").0, "SUCCESSFUL");
}

#[tokio::test]
async fn what_cannot_be_reported_fails_the_invocation_so_that_it_is_not_lost() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    organization.fail(Fault::error("PutRestoreValidationResult", "AccessDeniedException"));
    let failed = validation.test("job", volume_job()).await;
    let Outcome::Failed(error) = failed else { panic!("{failed:?}") };
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("the role lacks backup:PutRestoreValidationResult"));
    assert_eq!(validation.result("job"), None);
    // SQS delivers it again.
    let event = completed("job", &volume_job());
    assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, done());
    assert_eq!(result(&validation, "job").0, "SUCCESSFUL");
}

#[tokio::test]
async fn what_may_not_be_looked_at_has_failed_with_the_permission_that_is_missing() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let mut role = FunctionRole::of("restore-validation");
    role.statements.retain(|it| !it["Action"].to_string().contains("ec2:DescribeVolumes"));
    let validation = RestoreValidation::with_role(&organization, services.url(), &role).await;
    assert_eq!(validation.test("job", volume_job()).await, done(), "{}", validation.logs());
    let expected = "could not be looked at: the role lacks ec2:DescribeVolumes: \
                    UnauthorizedOperation (HTTP 403): No. (cannot look at the volume vol-1)";
    assert_eq!(result(&validation, "job"), ("FAILED".to_owned(), expected.to_owned()));
    // Nobody has to take it for a broken backup.
    assert_eq!(validation.counted(), [("EBS".to_owned(), "NotValidated".to_owned())]);
}

#[tokio::test]
async fn what_aws_refuses_to_show_has_failed_in_the_words_of_aws() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    organization.fail(Fault::error("GetRestoreJobMetadata", "InvalidParameterValueException"));
    assert_eq!(validation.test("job", bucket_job()).await, done(), "{}", validation.logs());
    let (status, message) = result(&validation, "job");
    assert_eq!(status, "FAILED");
    let why = "could not be looked at: InvalidParameterValueException (HTTP 400): ";
    assert!(message.starts_with(why), "{message}");
    assert_eq!(validation.counted(), [("S3".to_owned(), "NotValidated".to_owned())]);
}

#[tokio::test]
async fn a_job_that_may_not_be_looked_at_fails_the_invocation_since_it_may_be_no_test() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    organization.fail(Fault::error("DescribeRestoreJob", "AccessDeniedException"));
    let failed = validation.test("job", volume_job()).await;
    let Outcome::Failed(error) = failed else { panic!("{failed:?}") };
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("the role lacks backup:DescribeRestoreJob: "), "{message}");
    assert_eq!(validation.result("job"), None);
    assert_eq!(validation.counted(), []);
}

#[tokio::test]
async fn what_cannot_be_reached_is_not_told_but_tried_again() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let busy = ["ThrottlingException", "ServiceUnavailableException"];
    for (told, code) in busy.into_iter().enumerate() {
        organization.fail(Fault::error("DescribeRestoreJob", code).status(503).forever());
        let (job, event) = (volume_job(), completed(code, &volume_job()));
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, code, job));
        let failed = validation.hear(&event, Duration::from_secs(3)).await;
        assert!(matches!(failed, Outcome::Failed(_)), "{failed:?}");
        assert_eq!(validation.result(code), None);
        assert_eq!(validation.counted().len(), told);
        // SQS delivers it again.
        organization.clear_faults();
        assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, done());
        assert_eq!(result(&validation, code).0, "SUCCESSFUL");
    }
}

#[tokio::test]
async fn what_is_not_ready_in_time_has_failed_and_it_is_told_what_was_waited_for() {
    let organization = organization().await;
    let services = sound(&organization).await;
    services.database(&name("orders"), "creating");
    services.file_system("fs-1", "creating");
    services.instance("i-1", "running", "ok", "initializing");
    let validation = RestoreValidation::start(&organization, &services).await;
    let cases = [
        (
            "database",
            database_job(),
            "database awsbackup-restore-test-orders was not ready in time: it is still creating, and \
             was waited for to be available",
        ),
        (
            "file-system",
            file_system_job(),
            "file system fs-1 was not ready in time: it is still creating, and was waited for to be \
             available",
        ),
        (
            "instance",
            instance_job(),
            "instance i-1 was not ready in time: it is still running with system status ok and \
             instance status initializing and attached EBS status ok, and was waited for to be \
             through its status checks",
        ),
    ];
    for (id, job, why) in cases {
        let event = completed(id, &job);
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, id, job));
        let heard = validation.hear(&event, Duration::from_secs(6)).await;
        assert_eq!(heard, done(), "{}", validation.logs());
        assert_eq!(result(&validation, id), ("FAILED".to_owned(), why.to_owned()));
    }
    assert!(validation.counted().iter().all(|it| it.1 == "TimedOut"));
}

#[tokio::test]
async fn a_job_that_aws_backup_does_not_know_fails_the_invocation() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let unknown = completed("unknown", &volume_job());
    let failed = validation.hear(&unknown, Duration::from_mins(1)).await;
    assert!(matches!(failed, Outcome::Failed(_)), "{failed:?}");
}

#[tokio::test]
async fn an_event_that_comes_before_the_end_of_its_job_is_delivered_again() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let early = RestoreJob { status: "RUNNING".to_owned(), ..volume_job() };
    assert_eq!(validation.test("early", early.clone()).await, later());
    // An event that somebody sends directly is in no queue.
    let failed = validation.invoke(&completed("early", &early), Duration::from_mins(1)).await;
    let Outcome::Failed(error) = failed else { panic!("{failed:?}") };
    let expected = json!(
        "the restore job early is not over, as far as this release knows: its status is RUNNING"
    );
    assert_eq!(error["errorMessage"], expected);
}

#[tokio::test]
async fn an_event_with_a_status_that_is_new_is_delivered_again_until_the_job_has_one_that_is_known()
{
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let strange = RestoreJob { status: "STEWED".to_owned(), ..volume_job() };
    let mut event = completed("strange", &strange);
    event["detail"]["status"] = json!("STEWED");
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, "strange", strange));
    assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, later());
    assert!(validation.logs().contains("its status is STEWED"), "{}", validation.logs());
    organization.backup(|it| {
        it.restore_jobs_mut().create(ACCOUNT, REGION, "strange", volume_job());
    });
    assert_eq!(validation.hear(&event, Duration::from_mins(1)).await, done());
    assert_eq!(result(&validation, "strange").0, "SUCCESSFUL");
}

#[tokio::test]
async fn of_a_batch_only_what_waits_is_delivered_again_and_an_error_repeats_all() {
    let organization = organization().await;
    let services = sound(&organization).await;
    let validation = RestoreValidation::start(&organization, &services).await;
    let early = RestoreJob { status: "RUNNING".to_owned(), ..volume_job() };
    let jobs = [("early", early), ("volume", volume_job()), ("bucket", bucket_job())];
    let mut events: Vec<_> = jobs.iter().map(|(id, job)| completed(id, job)).collect();
    organization.backup(|it| {
        for (id, job) in jobs {
            it.restore_jobs_mut().create(ACCOUNT, REGION, id, job);
        }
    });
    let outcome = validation.invoke(&batch(1, &events), Duration::from_mins(1)).await;
    assert_eq!(outcome, later());
    for id in ["volume", "bucket"] {
        assert_eq!(result(&validation, id).0, "SUCCESSFUL", "{id}");
    }
    // Nobody knows this job, which somebody has to look at. What has a result keeps it.
    events.push(completed("unknown", &volume_job()));
    let outcome = validation.invoke(&batch(2, &events), Duration::from_mins(1)).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(result(&validation, "volume").0, "SUCCESSFUL");
}
