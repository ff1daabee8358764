//! Which restore is good, and what is said of the others.

use serde_json::{Value, json};

use super::*;

const GIB: u64 = 1 << 30;

fn event(status: &str) -> Value {
    json!({
        "source": "aws.backup",
        "detail-type": "Restore Job State Change",
        "detail": {
            "restoreJobId": "0F3C",
            "resourceType": "EBS",
            "status": status,
            "statusMessage": "No.",
            "restoreTestingPlanArn": "arn:aws:backup:eu-west-1:111122223333:restore-testing-plan:x",
        },
    })
}

fn job(resource_type: &str, created: &str) -> Job {
    Job {
        id: "0F3C".to_owned(),
        status: "COMPLETED".to_owned(),
        resource_type: resource_type.to_owned(),
        created: Some(created.to_owned()),
        ..Job::default()
    }
}

const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";

/// What is said of `facts` of a restore of so many bytes: the result, and why.
fn said(resource: Resource, facts: Facts, bytes: Option<u64>) -> (&'static str, String) {
    let report = Report::of(&resource, judge(&resource, &facts, bytes));
    (report.status.as_str(), report.message)
}

fn status(text: &str) -> Facts {
    Facts::Status(text.to_owned())
}

fn instance(state: &str, system: &str, instance: &str) -> Facts {
    let [state, system, instance] = [state, system, instance].map(ToOwned::to_owned);
    Facts::Instance { state, system, instance }
}

fn machine() -> Resource {
    Resource::Instance("i-1".to_owned())
}

fn disk() -> Resource {
    Resource::Volume { id: "vol-1".to_owned(), snapshot: None }
}

fn table(status: &str, has_items: bool) -> Facts {
    Facts::Table { status: status.to_owned(), has_items }
}

#[test]
fn only_restore_tests_that_are_over_are_heeded() {
    assert_eq!(read(&event("COMPLETED")), Reading::Completed("0F3C".to_owned()));
    let Reading::Ended(ended) = read(&event("FAILED")) else { panic!("a failure is over") };
    assert_eq!((ended.status.as_str(), ended.message.as_str()), ("FAILED", "No."));
    assert!(matches!(read(&event("RUNNING")), Reading::Nothing(_)));
    let created = json!({ "state": "CREATED", "restoreJobId": "0F3C" });
    let mut other = event("COMPLETED");
    other["detail"] = created;
    assert_eq!(read(&other), Reading::Nothing("the restore is no test"));
}

#[test]
fn an_ordinary_restore_is_nothing_whatever_became_of_it() {
    for status in ["COMPLETED", "FAILED", "ABORTED"] {
        let mut event = event(status);
        event["detail"].as_object_mut().unwrap().remove("restoreTestingPlanArn");
        assert_eq!(read(&event), Reading::Nothing("the restore is no test"));
    }
    assert!(matches!(read(&json!([1])), Reading::Nothing(_)));
    let mut copy = event("COMPLETED");
    copy["detail-type"] = json!("Copy Job State Change");
    assert_eq!(read(&copy), Reading::Nothing("it is not about a restore job"));
}

#[test]
fn what_was_said_once_is_not_said_again() {
    for result in ["SUCCESSFUL", "FAILED", "TIMED_OUT"] {
        let job = Job { validation: Some(result.to_owned()), ..job("EBS", VOLUME) };
        assert_eq!(next(&job), Next::Done(result.to_owned()));
    }
    let job = Job { validation: Some("VALIDATING".to_owned()), ..job("EBS", VOLUME) };
    assert!(matches!(next(&job), Next::Look(_)));
}

#[test]
fn only_what_was_restored_and_is_still_there_is_looked_at() {
    let of = |status: &str| next(&Job { status: status.to_owned(), ..job("EBS", VOLUME) });
    assert_eq!([of("FAILED"), of("ABORTED")], [Next::Ended, Next::Ended]);
    assert_eq!([of("PENDING"), of("RUNNING")], [Next::Early, Next::Early]);
    let job = Job { deletion: Some("DELETING".to_owned()), ..job("EBS", VOLUME) };
    assert_eq!(next(&job), Next::TooLate);
}

#[test]
fn a_type_without_a_check_is_not_validated_rather_than_good_or_broken() {
    let neptune = "arn:aws:rds:eu-west-1:111122223333:cluster:graph";
    let volume = "arn:aws:fsx:eu-west-1:111122223333:volume/fs-1/fsvol-1";
    for (kind, arn) in [("Neptune", neptune), ("FSx", volume), ("EBS", "nothing"), ("RDS", VOLUME)]
    {
        let Next::Report(report) = next(&job(kind, arn)) else { panic!("{kind} has a check") };
        assert_eq!(
            (report.status, report.outcome),
            (Status::TimedOut, ValidationOutcome::NotValidated)
        );
        assert_eq!(report.message, format!("not validated: there is no check for {kind} ({arn})"));
    }
    let unnamed = Job { created: None, ..job("EBS", VOLUME) };
    let Next::Report(report) = next(&unnamed) else { panic!("it has no name") };
    assert_eq!(report.message, "not validated: AWS Backup does not name what was restored");
}

#[test]
fn every_type_is_found_by_its_arn_in_any_partition() {
    let own = |it: &str| it.to_owned();
    let found = [
        ("EC2", "arn:aws-cn:ec2:cn-north-1:1:instance/i-1", machine()),
        ("EBS", "arn:aws:ec2:eu-west-1:1:volume/vol-1", disk()),
        ("RDS", "arn:aws:rds:eu-west-1:1:db:orders", Resource::Database(own("orders"))),
        ("RDS", "arn:aws:rds:eu-west-1:1:cluster:orders", Resource::Cluster(own("orders"))),
        ("Aurora", "arn:aws:rds:eu-west-1:1:cluster:orders", Resource::Cluster(own("orders"))),
        ("DynamoDB", "arn:aws:dynamodb:eu-west-1:1:table/t", Resource::Table(own("t"))),
        ("S3", "arn:aws:s3:::restored", Resource::Bucket(own("restored"))),
        (
            "EFS",
            "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1",
            Resource::FileSystem(own("fs-1")),
        ),
        ("FSx", "arn:aws:fsx:eu-west-1:1:file-system/fs-1", Resource::FsxFileSystem(own("fs-1"))),
    ];
    for (kind, arn, resource) in found {
        assert_eq!(parse(kind, arn, None), Some(resource), "{kind}");
    }
}

#[test]
fn a_backup_of_a_volume_may_be_a_snapshot() {
    let snapshot = |arn| match parse("EBS", VOLUME, Some(arn)) {
        Some(Resource::Volume { snapshot, .. }) => snapshot,
        other => panic!("{other:?}"),
    };
    assert_eq!(snapshot("arn:aws:ec2:eu-west-1::snapshot/snap-1"), Some("snap-1".to_owned()));
    assert_eq!(snapshot("arn:aws:backup:eu-west-1:1:recovery-point:5B"), None);
}

#[test]
fn an_instance_has_to_run_and_pass_both_checks() {
    let said = |facts| said(machine(), facts, None);
    let (good, why) = said(instance("running", "ok", "ok"));
    assert_eq!(
        (good, why.as_str()),
        ("SUCCESSFUL", "instance i-1 is running and passed both status checks")
    );
    let (bad, why) = said(instance("stopped", "not-applicable", "not-applicable"));
    assert_eq!((bad, why.as_str()), ("FAILED", "instance i-1 is stopped, not running"));
    for (system, own) in [("impaired", "ok"), ("ok", "impaired"), ("impaired", "initializing")] {
        assert_eq!(said(instance("running", system, own)).0, "FAILED");
    }
    for facts in [
        instance("pending", "not-applicable", "not-applicable"),
        instance("running", "initializing", "initializing"),
        instance("running", "ok", "insufficient-data"),
    ] {
        let (late, why) = said(facts);
        assert_eq!(late, "FAILED");
        assert!(why.starts_with("instance i-1 was not ready in time: it is still "), "{why}");
    }
}

#[test]
fn what_is_not_ready_in_time_has_failed_and_is_counted_apart() {
    let database = Resource::Database("orders".to_owned());
    let report = Report::of(&database, judge(&database, &status("creating"), None));
    assert_eq!((report.status, report.outcome), (Status::Failed, ValidationOutcome::TimedOut));
    let why = "database orders was not ready in time: it is still creating, and was waited for to \
               be available";
    assert_eq!(report.message, why);
}

#[test]
fn what_could_not_be_looked_at_has_failed_but_does_not_count_as_broken() {
    let report = Report::unseen("the function's role lacks ec2:DescribeVolumes");
    assert_eq!((report.status, report.outcome), (Status::Failed, ValidationOutcome::NotValidated));
    let why = "could not be looked at: the function's role lacks ec2:DescribeVolumes";
    assert_eq!(report.message, why);
}

#[test]
fn a_volume_has_the_size_of_its_source() {
    let facts = |state: &str, size, source| Facts::Volume {
        state: state.to_owned(),
        size: Some(size),
        source,
    };
    for state in ["available", "in-use"] {
        assert_eq!(said(disk(), facts(state, 8, Some(8)), None).0, "SUCCESSFUL");
    }
    let (bad, why) = said(disk(), facts("available", 9, Some(8)), None);
    let expected = "volume vol-1 has 9 GiB, but the volume that was backed up has 8 GiB";
    assert_eq!((bad, why.as_str()), ("FAILED", expected));
    for state in ["deleted", "deleting", "error"] {
        assert_eq!(said(disk(), facts(state, 8, Some(8)), None).0, "FAILED");
    }
    assert_eq!(said(disk(), facts("creating", 8, Some(8)), None).0, "FAILED");
}

#[test]
fn without_a_snapshot_the_bytes_of_the_backup_tell_the_size_if_they_are_whole_gibibytes() {
    let facts = Facts::Volume { state: "available".to_owned(), size: Some(8), source: None };
    assert_eq!(said(disk(), facts.clone(), Some(8 * GIB)).0, "SUCCESSFUL");
    assert_eq!(said(disk(), facts.clone(), Some(10 * GIB)).0, "FAILED");
    for bytes in [None, Some(0), Some(36_048)] {
        let (good, why) = said(disk(), facts.clone(), bytes);
        assert_eq!(good, "SUCCESSFUL");
        assert!(why.contains("was not compared"), "{why}");
    }
    let snapshot = Facts::Volume { state: "available".to_owned(), size: Some(8), source: Some(8) };
    assert_eq!(said(disk(), snapshot, Some(GIB)).0, "SUCCESSFUL");
}

#[test]
fn databases_and_file_systems_have_to_be_available() {
    let all = [
        Resource::Database("x".to_owned()),
        Resource::Cluster("x".to_owned()),
        Resource::FileSystem("x".to_owned()),
        Resource::FsxFileSystem("x".to_owned()),
    ];
    for resource in all {
        let said = |facts| said(resource.clone(), facts, None);
        // FSx writes its states in capitals.
        for it in ["available", "AVAILABLE"] {
            assert_eq!(said(status(it)).0, "SUCCESSFUL", "{resource}: {it}");
        }
        for it in ["incompatible-restore", "incompatible-network", "failed", "FAILED", "deleting"] {
            assert_eq!(said(status(it)).0, "FAILED", "{resource}: {it}");
        }
        for it in ["creating", "backing-up", "CREATING"] {
            let (late, why) = said(status(it));
            assert_eq!(late, "FAILED", "{resource}: {it}");
            assert!(why.contains("was not ready in time"), "{why}");
        }
    }
}

#[test]
fn a_restored_database_that_still_loads_its_storage_is_available() {
    let database = Resource::Database("x".to_owned());
    for it in ["storage-initialization", "storage-optimization"] {
        let (good, why) = said(database.clone(), status(it), None);
        assert_eq!(
            (good, why),
            ("SUCCESSFUL", format!("database x is available, with the status {it}"))
        );
    }
}

#[test]
fn an_object_is_lost_only_if_nobody_can_have_it() {
    assert!(["InvalidObjectState", "KMS.DisabledException", "NoSuchKey"].into_iter().all(is_lost));
    let others = ["AccessDenied", "ExpiredToken", "KMS.ThrottlingException", "RequestTimeout"];
    assert!(!others.into_iter().any(is_lost));
}

#[test]
fn an_empty_table_is_broken_only_if_its_backup_is_not_empty() {
    let said = |facts, bytes| said(Resource::Table("t".to_owned()), facts, bytes);
    assert_eq!(said(table("ACTIVE", true), Some(0)).0, "SUCCESSFUL");
    assert_eq!(said(table("ACTIVE", false), Some(0)).0, "SUCCESSFUL");
    let (bad, why) = said(table("ACTIVE", false), Some(512));
    assert_eq!(
        (bad, why.as_str()),
        ("FAILED", "table t has no items, but its backup has 512 bytes")
    );
    let (unknown, why) = said(table("ACTIVE", false), None);
    assert_eq!(unknown, "TIMED_OUT");
    assert!(why.starts_with("not validated: "), "{why}");
    let (late, why) = said(table("CREATING", false), Some(512));
    assert_eq!(late, "FAILED");
    assert!(why.contains("was not ready in time"), "{why}");
    let lost = "INACCESSIBLE_ENCRYPTION_CREDENTIALS";
    assert_eq!(said(table(lost, false), Some(512)).0, "FAILED");
}

#[test]
fn a_bucket_has_objects_that_can_be_read() {
    let bucket = || Resource::Bucket("b".to_owned());
    let facts = |listed, unreadable| Facts::Objects { listed, read: listed, unreadable };
    assert_eq!(said(bucket(), facts(3, None), Some(9)).0, "SUCCESSFUL");
    let (bad, why) = said(bucket(), facts(0, None), Some(9));
    assert_eq!(
        (bad, why.as_str()),
        ("FAILED", "bucket b has no objects, but its backup has 9 bytes")
    );
    assert_eq!(said(bucket(), facts(0, None), Some(0)).0, "SUCCESSFUL");
    let unreadable = Some(("a/b".to_owned(), "InvalidObjectState".to_owned()));
    let (bad, why) = said(bucket(), facts(3, unreadable), Some(9));
    let expected = "the object a/b of bucket b cannot be read: InvalidObjectState";
    assert_eq!((bad, why.as_str()), ("FAILED", expected));
}

#[test]
fn what_is_gone_is_broken() {
    let (bad, why) = said(Resource::Table("t".to_owned()), Facts::Missing, None);
    assert_eq!((bad, why.as_str()), ("FAILED", "table t does not exist, though it was restored"));
}

#[test]
fn the_objects_of_a_restore_are_where_its_metadata_says() {
    let metadata = |pairs: &[(&str, &str)]| {
        let own = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        sample("created", &pairs.iter().map(own).collect())
    };
    let of = |bucket: &str, prefixes: &[&str]| Sample {
        bucket: bucket.to_owned(),
        prefixes: prefixes.iter().map(|it| (*it).to_owned()).collect(),
    };
    assert_eq!(metadata(&[]), of("created", &[""]));
    assert_eq!(metadata(&[("destinationBucketName", "shared")]), of("shared", &[""]));
    let some = [("DestinationBucketName", "shared"), ("ItemsToRestore", r#"["a/","b/c"]"#)];
    assert_eq!(metadata(&some), of("shared", &["a/", "b/c"]));
    let more = [("itemsToRestore", "[]"), ("itemsToRestore2", "whole/path")];
    assert_eq!(metadata(&more), of("created", &["whole/path"]));
}

#[test]
fn a_message_is_no_longer_than_aws_takes() {
    let resource = Resource::Bucket("b".to_owned());
    let key = "ü".repeat(1_000);
    let facts = Facts::Objects { listed: 1, read: 0, unreadable: Some((key, "No.".to_owned())) };
    let (_, message) = said(resource, facts, None);
    assert_eq!(message.chars().count(), LIMIT);
    assert!(message.ends_with("..."));
}
