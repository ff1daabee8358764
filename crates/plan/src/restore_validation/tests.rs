//! Which restore is good, and what is said of the others.

use std::time::Duration;

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
        plan: Some(PLAN.to_owned()),
        ..Job::default()
    }
}

const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";

const PLAN: &str = "arn:aws:backup:eu-west-1:111122223333:restore-testing-plan:x";

/// What is said of `facts` of a restore of so many bytes: the result, and why.
fn said(resource: &Resource, facts: &Facts, bytes: Option<u64>) -> (&'static str, String) {
    let report = Report::of(resource, judge(resource, facts, bytes));
    (report.status.as_str(), report.message)
}

fn own(text: &str) -> String {
    text.to_owned()
}

fn checks([system, instance, volumes]: [&str; 3]) -> Checks {
    Checks { system: own(system), instance: own(instance), volumes: own(volumes) }
}

fn instance(state: &str, all: [&str; 3]) -> Facts {
    Facts::Instance { state: own(state), checks: checks(all), disks: Vec::new(), source: None }
}

fn machine() -> Resource {
    Resource::Instance(own("i-1"))
}

fn disk() -> Resource {
    Resource::Volume(own("vol-1"))
}

fn volume(state: &str, size: i32, source: Option<i32>, asked: Option<i32>) -> Facts {
    Facts::Volume { state: own(state), size: Some(size), source, asked }
}

fn running(status: &str) -> Database {
    Database {
        status: own(status),
        has_endpoint: true,
        engine: Engine { name: own("postgres"), version: own("16.4"), storage: Some(20) },
    }
}

fn database(status: &str) -> Facts {
    Facts::Database { database: running(status), source: None }
}

fn cluster(status: &str, members: &[&str]) -> Facts {
    let member = |it: &&str| (own("orders-1"), running(it));
    Facts::Cluster {
        database: running(status),
        is_serverless: false,
        members: members.iter().map(member).collect(),
        source: None,
    }
}

fn table(status: &str, has_items: bool) -> Facts {
    Facts::Table { status: own(status), indexes: Vec::new(), counted: 0, has_items, source: None }
}

fn objects(counts: &[(&str, u64)]) -> Facts {
    let listed = |(prefix, objects): &(&str, u64)| Listed {
        prefix: own(prefix),
        objects: *objects,
        bytes: objects * 10,
        is_whole: true,
    };
    Facts::Objects {
        listed: counts.iter().map(listed).collect(),
        read: counts.len(),
        unreadable: None,
    }
}

/// The ten kinds of things that have states.
const STATEFUL: [Stateful; 10] = [
    Stateful::Instance,
    Stateful::Check,
    Stateful::Volume,
    Stateful::Database,
    Stateful::Cluster,
    Stateful::Table,
    Stateful::Index,
    Stateful::FileSystem,
    Stateful::FsxFileSystem,
    Stateful::FsxVolume,
];

#[test]
fn only_restore_tests_that_are_over_are_heeded() {
    assert_eq!(read(&event("COMPLETED")), Reading::Completed("0F3C".to_owned()));
    let Reading::Ended(ended) = read(&event("FAILED")) else { panic!("a failure is over") };
    assert_eq!((ended.status.as_str(), ended.message.as_str()), ("FAILED", "No."));
    for status in ["CREATED", "PENDING", "RUNNING"] {
        assert_eq!(read(&event(status)), Reading::Nothing("the restore is not over"), "{status}");
    }
    // Nobody knows this status: AWS Backup is asked about the job.
    assert_eq!(read(&event("STEWED")), Reading::Completed("0F3C".to_owned()));
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
    for status in ["PENDING", "RUNNING", "STEWED"] {
        assert_eq!(of(status), Next::Early(status.to_owned()));
    }
    let job = Job { deletion: Some("DELETING".to_owned()), ..job("EBS", VOLUME) };
    assert_eq!(next(&job), Next::TooLate);
}

#[test]
fn what_aws_backup_does_not_call_a_test_is_none_whatever_an_event_says() {
    for status in ["COMPLETED", "FAILED", "RUNNING"] {
        let ordinary = Job { plan: None, status: own(status), ..job("EBS", VOLUME) };
        assert_eq!(next(&ordinary), Next::Ordinary, "{status}");
    }
    // An answer that says nothing says nothing of that either.
    assert_eq!(next(&Job::default()), Next::Early(String::new()));
}

#[test]
fn what_is_elsewhere_is_not_looked_at_under_its_name_here() {
    let elsewhere = [
        ("EBS", "arn:aws:ec2:eu-west-1:444455556666:volume/vol-1", "account"),
        ("EBS", "arn:aws:ec2:eu-west-1::volume/vol-1", "account"),
        ("EBS", "arn:aws:ec2:eu-central-1:111122223333:volume/vol-1", "Region"),
        ("EBS", "arn:aws-cn:ec2:eu-west-1:111122223333:volume/vol-1", "partition"),
        ("S3", "arn:aws-cn:s3:::restored", "partition"),
        ("S3", "arn:aws:s3::444455556666:restored", "account"),
    ];
    for (kind, arn, place) in elsewhere {
        let Next::Report(report) = next(&job(kind, arn)) else { panic!("{arn} is looked at") };
        assert_eq!(report.status, Status::TimedOut);
        let why =
            format!("not validated: {arn} is in another {place} than its restore test ({PLAN})");
        assert_eq!(report.message, why);
    }
    let Next::Look(restored) = next(&job("S3", "arn:aws:s3:::restored")) else { panic!("no look") };
    assert_eq!(restored.owner, "111122223333");
}

#[test]
fn what_becomes_an_instance_or_a_volume_is_looked_at_as_one() {
    let of = |kind, arn| parse(kind, &Arn::parse(arn).unwrap());
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let volume = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
    let [i, v] = ["i-1", "vol-1"].map(ToOwned::to_owned);
    assert_eq!(of("VirtualMachine", instance), Some(Resource::Instance(i)));
    assert_eq!(of("VirtualMachine", volume), Some(Resource::Volume(v.clone())));
    assert_eq!(of("Storage Gateway", volume), Some(Resource::Volume(v)));
    assert_eq!(of("Storage Gateway", instance), None);
}

#[test]
fn a_type_without_a_check_is_not_validated_rather_than_good_or_broken() {
    let machine = "arn:aws:backup-gateway:eu-west-1:111122223333:vm/vm-1";
    let whole = "arn:aws:fsx:eu-west-1:111122223333:volume/fs-1";
    for (kind, arn) in
        [("VirtualMachine", machine), ("FSx", whole), ("EBS", "nothing"), ("RDS", VOLUME)]
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
    let cluster = "arn:aws:rds:eu-west-1:1:cluster:orders";
    let found = [
        ("EC2", "arn:aws-cn:ec2:cn-north-1:1:instance/i-1", machine()),
        ("EBS", "arn:aws:ec2:eu-west-1:1:volume/vol-1", disk()),
        ("RDS", "arn:aws:rds:eu-west-1:1:db:orders", Resource::Database(own("orders"))),
        ("RDS", cluster, Resource::Cluster(own("orders"))),
        ("Aurora", cluster, Resource::Cluster(own("orders"))),
        ("DocumentDB", cluster, Resource::Cluster(own("orders"))),
        ("Neptune", cluster, Resource::Cluster(own("orders"))),
        ("DynamoDB", "arn:aws:dynamodb:eu-west-1:1:table/t", Resource::Table(own("t"))),
        ("S3", "arn:aws:s3:::restored", Resource::Bucket(own("restored"))),
        (
            "EFS",
            "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1",
            Resource::FileSystem(own("fs-1")),
        ),
        ("FSx", "arn:aws:fsx:eu-west-1:1:file-system/fs-1", Resource::FsxFileSystem(own("fs-1"))),
        ("FSx", "arn:aws:fsx:eu-west-1:1:volume/fs-1/fsvol-1", Resource::FsxVolume(own("fsvol-1"))),
    ];
    for (kind, arn, resource) in &found {
        let arn = Arn::parse(arn).unwrap();
        assert_eq!(parse(kind, &arn).as_ref(), Some(resource), "{kind}");
    }
    let kinds: std::collections::BTreeSet<_> = found.iter().map(|it| it.0).collect();
    assert_eq!(kinds, TYPES.into());
}

#[test]
fn the_owners_function_is_asked_about_the_resource_and_its_backup() {
    let job = Job { recovery_point: Some(own("arn:point")), ..job("EBS", VOLUME) };
    let expected = json!({
        "restoreJobId": "0F3C", "resourceType": "EBS", "createdResourceArn": VOLUME,
        "recoveryPointArn": "arn:point",
    });
    assert_eq!(question(&job), expected);
}

#[test]
fn an_arn_that_names_nothing_or_something_inside_is_not_checked() {
    for (kind, resource) in [
        ("EBS", "volume/"),
        ("EBS", "volume/vol-1/x"),
        ("EC2", "instance/i-1:x"),
        ("FSx", "volume/fs-1/"),
        ("FSx", "volume/fs-1/fsvol-1/x"),
    ] {
        let service = if kind == "FSx" { "fsx" } else { "ec2" };
        let arn = format!("arn:aws:{service}:eu-west-1:1:{resource}");
        assert_eq!(parse(kind, &Arn::parse(&arn).unwrap()), None, "{arn}");
    }
}

#[test]
fn a_backup_of_the_services_own_tells_what_was_backed_up() {
    let table = "arn:aws:dynamodb:eu-west-1:1:table/t/backup/0170";
    let known = [
        ("arn:aws:ec2:eu-west-1::image/ami-1", BackedUp::Image(own("ami-1"))),
        ("arn:aws:ec2:eu-west-1::snapshot/snap-1", BackedUp::Snapshot(own("snap-1"))),
        (
            "arn:aws:rds:eu-west-1:1:snapshot:awsbackup:job-1",
            BackedUp::DatabaseSnapshot(own("awsbackup:job-1")),
        ),
        (
            "arn:aws:rds:eu-west-1:1:cluster-snapshot:awsbackup:job-1",
            BackedUp::ClusterSnapshot(own("awsbackup:job-1")),
        ),
        (table, BackedUp::TableBackup(own(table))),
        ("arn:aws:fsx:eu-west-1:1:backup/backup-1", BackedUp::FsxBackup(own("backup-1"))),
    ];
    let from = |point: &str| {
        let job = Job { recovery_point: Some(own(point)), ..job("EBS", VOLUME) };
        restored(&job).unwrap().from
    };
    for (point, backup) in known {
        assert_eq!(from(point), Some(backup));
    }
    assert_eq!(from("arn:aws:backup:eu-west-1:1:recovery-point:5B"), None);
    assert_eq!(from("nothing"), None);
}

#[test]
fn every_state_is_listed_once_and_one_that_nobody_knows_may_pass() {
    for of in STATEFUL {
        let mut names: Vec<_> = of.states().iter().map(|it| it.0).collect();
        assert!(names.is_sorted(), "{of:?}: {names:?}");
        names.dedup();
        assert_eq!(names.len(), of.states().len(), "{of:?}");
        assert!(of.states().iter().any(|it| it.1 == Outlook::Usable), "{of:?}");
        assert_eq!(of.outlook("brand-new"), Outlook::Passing);
    }
}

#[test]
fn nothing_is_waited_for_that_never_comes() {
    let lasting = [
        (Stateful::Cluster, "cloning-failed"),
        (Stateful::Cluster, "migration-failed"),
        (Stateful::Cluster, "upgrade_failed"),
        (Stateful::Database, "delete-precheck"),
        (Stateful::Database, "incompatible-create"),
        (Stateful::FsxFileSystem, "MISCONFIGURED_UNAVAILABLE"),
        (Stateful::FsxVolume, "MISCONFIGURED"),
        (Stateful::Table, "REPLICATION_NOT_AUTHORIZED"),
        (Stateful::Index, "DELETING"),
    ];
    for (of, state) in lasting {
        assert_eq!(of.outlook(state), Outlook::Lasting, "{state}");
    }
    // RDS and FSx write some of theirs in other letters.
    assert_eq!(Stateful::Cluster.outlook("Migration-failed"), Outlook::Lasting);
}

#[test]
fn an_instance_has_to_run_and_pass_its_checks() {
    let said = |facts: &Facts| said(&machine(), facts, None);
    let (good, why) = said(&instance("running", ["ok", "ok", "ok"]));
    assert_eq!(
        (good, why.as_str()),
        (
            "SUCCESSFUL",
            "instance i-1 is running and passed all three status checks, with 0 volumes, not \
             compared with its image; no connection was made"
        )
    );
    let (good, why) = said(&instance("running", ["ok", "ok", "not-applicable"]));
    assert!(good == "SUCCESSFUL" && why.contains("passed both status checks"), "{why}");
    let none = ["not-applicable"; 3];
    let (bad, why) = said(&instance("stopped", none));
    assert_eq!((bad, why.as_str()), ("FAILED", "instance i-1 is stopped, not running"));
    for (all, name) in [
        (["impaired", "ok", "ok"], "system"),
        (["ok", "impaired", "ok"], "instance"),
        (["impaired", "initializing", "ok"], "system"),
        (["ok", "ok", "impaired"], "attached EBS"),
    ] {
        let why = format!("instance i-1 is running, but its {name} status is impaired");
        assert_eq!(said(&instance("running", all)), ("FAILED", why));
    }
    for facts in [
        instance("pending", none),
        instance("running", ["initializing", "initializing", "initializing"]),
        instance("running", ["ok", "insufficient-data", "ok"]),
        instance("running", ["ok", "ok", "initializing"]),
    ] {
        let (late, why) = said(&facts);
        assert_eq!(late, "FAILED");
        assert!(why.starts_with("instance i-1 was not ready in time: it is still "), "{why}");
    }
}

#[test]
fn an_instance_has_the_volumes_of_its_image() {
    let disk = |(device, size): &(&str, i32)| Disk { device: own(device), size: Some(*size) };
    let facts = |has: &[(&str, i32)], had: &[(&str, i32)]| Facts::Instance {
        state: own("running"),
        checks: checks(["ok", "ok", "ok"]),
        disks: has.iter().map(disk).collect(),
        source: Some(had.iter().map(disk).collect()),
    };
    let said = |has: &[(&str, i32)], had: &[(&str, i32)]| said(&machine(), &facts(has, had), None);
    let (root, data) = (("/dev/xvda", 8), ("/dev/sdf", 100));
    let (good, why) = said(&[root, data], &[data, root]);
    assert_eq!(good, "SUCCESSFUL");
    assert!(why.contains("with 2 volumes, as its image has"), "{why}");
    let why = own("instance i-1 has no volume at /dev/sdf, which its image has");
    assert_eq!(said(&[root], &[root, data]), ("FAILED", why));
    let why = own("the volume of instance i-1 at /dev/sdf has 9 GiB, that of its image 100 GiB");
    assert_eq!(said(&[root, ("/dev/sdf", 9)], &[root, data]), ("FAILED", why));
}

#[test]
fn what_is_not_ready_in_time_has_failed_and_is_counted_apart() {
    let database = Resource::Database(own("orders"));
    let report = Report::of(&database, judge(&database, &self::database("creating"), None));
    assert_eq!((report.status, report.outcome), (Status::Failed, ValidationOutcome::TimedOut));
    let why = "database orders was not ready in time: it is still creating, and was waited for to \
               be available";
    assert_eq!(report.message, why);
}

#[test]
fn what_could_not_be_looked_at_has_failed_but_does_not_count_as_broken() {
    let report = Report::of(
        &Resource::Volume(own("vol-1")),
        Judgment::Unseen(own("the role lacks ec2:DescribeVolumes")),
    );
    assert_eq!((report.status, report.outcome), (Status::Failed, ValidationOutcome::NotValidated));
    let why = "could not be looked at: the role lacks ec2:DescribeVolumes";
    assert_eq!(report.message, why);
}

#[test]
fn a_volume_has_at_least_the_size_of_its_source() {
    for state in ["available", "in-use"] {
        let (good, why) = said(&disk(), &volume(state, 8, Some(8), None), None);
        assert!(good == "SUCCESSFUL" && why.contains("has 8 GiB, as its source;"), "{why}");
    }
    let (bad, why) = said(&disk(), &volume("available", 7, Some(8), None), None);
    let expected = "volume vol-1 has 7 GiB, but the volume that was backed up has 8 GiB";
    assert_eq!((bad, why.as_str()), ("FAILED", expected));
    for state in ["deleted", "deleting", "error"] {
        assert_eq!(said(&disk(), &volume(state, 8, Some(8), None), None).0, "FAILED");
    }
    let (late, why) = said(&disk(), &volume("creating", 8, Some(8), None), None);
    assert!(late == "FAILED" && why.contains("was not ready in time"), "{why}");
}

#[test]
fn a_volume_may_be_larger_than_its_source_and_has_the_size_that_was_asked_for() {
    let (good, why) = said(&disk(), &volume("available", 20, Some(8), Some(20)), None);
    let expected = "volume vol-1 is available and has 20 GiB, as it was to be restored with; its \
                    data was not read";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    let (good, why) = said(&disk(), &volume("available", 9, Some(8), None), None);
    assert!(good == "SUCCESSFUL" && why.contains("more than the 8 GiB of its source"), "{why}");
    let (bad, why) = said(&disk(), &volume("available", 8, Some(8), Some(20)), None);
    let expected = "volume vol-1 has 8 GiB, but was to be restored with 20 GiB";
    assert_eq!((bad, why.as_str()), ("FAILED", expected));
    let metadata = |name: &str, value: &str| [(own(name), own(value))].into();
    assert_eq!(asked_size(&metadata("volumesize", "20")), Some(20));
    assert_eq!(asked_size(&metadata("volumeSize", "")), None);
    assert_eq!(asked_size(&metadata("availabilityZone", "eu-west-1a")), None);
}

#[test]
fn without_a_snapshot_the_bytes_of_the_backup_tell_the_size_if_they_are_whole_gibibytes() {
    let facts = volume("available", 8, None, None);
    assert_eq!(said(&disk(), &facts, Some(8 * GIB)).0, "SUCCESSFUL");
    assert_eq!(said(&disk(), &facts, Some(10 * GIB)).0, "FAILED");
    for bytes in [None, Some(0), Some(36_048)] {
        let (good, why) = said(&disk(), &facts, bytes);
        assert_eq!(good, "SUCCESSFUL");
        assert!(why.contains("was not compared"), "{why}");
    }
    assert_eq!(
        said(&disk(), &volume("available", 8, Some(8), None), Some(9 * GIB)).0,
        "SUCCESSFUL"
    );
}

#[test]
fn databases_and_file_systems_have_to_be_available() {
    type Seen = fn(&str) -> Facts;
    let efs: Seen = |it| Facts::FileSystem { state: own(it), bytes: Some(9) };
    let fsx: Seen = |it| Facts::Fsx { state: own(it), size: None, source: None };
    let all: [(Resource, Seen); 5] = [
        (Resource::Database(own("x")), database),
        (Resource::Cluster(own("x")), |it| cluster(it, &["available"])),
        (Resource::FileSystem(own("x")), efs),
        (Resource::FsxFileSystem(own("x")), fsx),
        (Resource::FsxVolume(own("x")), fsx),
    ];
    for (resource, facts) in all {
        let said = |state: &str| said(&resource, &facts(state), None);
        // FSx writes its states in capitals.
        for it in ["available", "AVAILABLE"] {
            assert_eq!(said(it).0, "SUCCESSFUL", "{resource}: {it}");
        }
        assert_eq!(said("deleting"), ("FAILED", format!("{resource} is deleting, not available")));
        for it in ["creating", "CREATING"] {
            let (late, why) = said(it);
            assert_eq!(late, "FAILED", "{resource}: {it}");
            assert!(why.contains("was not ready in time"), "{why}");
        }
    }
}

#[test]
fn a_database_has_an_endpoint_and_the_engine_and_the_storage_of_its_snapshot() {
    let resource = Resource::Database(own("x"));
    let of = |database: Database, name: &str, storage| {
        let source = Engine { name: own(name), version: own("16.3"), storage: Some(storage) };
        said(&resource, &Facts::Database { database, source: Some(source) }, None)
    };
    let why = "database x is available with an endpoint, postgres 16.4 and 20 GiB, the engine and at \
               least the storage of its snapshot; no connection was made";
    assert_eq!(of(running("available"), "postgres", 20), ("SUCCESSFUL", own(why)));
    let why = "database x runs postgres, but its snapshot is one of mysql";
    assert_eq!(of(running("available"), "mysql", 20), ("FAILED", own(why)));
    let why = "database x has 20 GiB of storage, but its snapshot was of 100 GiB";
    assert_eq!(of(running("available"), "postgres", 100), ("FAILED", own(why)));
    let (late, why) = of(Database { has_endpoint: false, ..running("available") }, "postgres", 20);
    assert!(late == "FAILED" && why.contains("still available without an endpoint"), "{why}");
    // Engines are compared if both are known.
    let (good, why) = of(running("available"), "", 20);
    assert!(
        good == "SUCCESSFUL" && why.contains("20 GiB, at least the storage of its snap"),
        "{why}"
    );
    let mut nameless = running("available");
    nameless.engine.name.clear();
    assert_eq!(of(nameless, "postgres", 20).0, "SUCCESSFUL");
}

#[test]
fn a_cluster_of_instances_has_the_storage_of_its_snapshot_and_one_that_grows_any() {
    let resource = Resource::Cluster(own("x"));
    let of = |name: &str, storage| {
        let engine = |storage| Engine { name: own(name), version: own("16.4"), storage };
        let database = Database { engine: engine(storage), ..running("available") };
        let members = vec![(own("x-1"), running("available"))];
        let source = Some(engine(Some(100)));
        said(&resource, &Facts::Cluster { database, is_serverless: false, members, source }, None)
    };
    let why = "cluster x has 20 GiB of storage, but its snapshot was of 100 GiB";
    assert_eq!(of("postgres", Some(20)), ("FAILED", own(why)));
    let same = |of: (&'static str, String), what: &str| {
        assert!(of.0 == "SUCCESSFUL" && of.1.contains(what), "{}", of.1);
    };
    same(of("postgres", Some(100)), "the engine and at least the storage of its snapshot");
    same(of("postgres", None), "the engine of its snapshot");
    same(of("aurora-postgresql", Some(1)), "the engine of its snapshot");
    same(of("", None), "not compared, since its snapshot tells too little");
}

#[test]
fn a_restored_database_that_still_loads_its_storage_is_available() {
    let resource = Resource::Database(own("x"));
    for it in ["storage-initialization", "storage-optimization"] {
        let (good, why) = said(&resource, &database(it), None);
        assert_eq!(good, "SUCCESSFUL");
        let begin = format!("database x is available, with the status {it}, with an endpoint");
        assert!(why.starts_with(&begin), "{why}");
    }
}

#[test]
fn a_cluster_without_an_instance_is_neither_good_nor_broken() {
    let resource = Resource::Cluster(own("x"));
    let judged = |facts: &Facts| judge(&resource, facts, None);
    // One that is being deleted is none.
    for members in [&[][..], &["deleting"]] {
        let judgment = judged(&cluster("available", members));
        assert!(matches!(judgment, Judgment::Unreachable(_)), "{judgment:?}");
        let report = Report::of(&resource, judgment);
        let outcome = (report.status, report.outcome);
        assert_eq!(outcome, (Status::TimedOut, ValidationOutcome::NotValidated));
        let why = "not validated: cluster x is available, but has no instance, and nothing can \
                   connect to it without one; ClusterInstanceClass has one made for the test";
        assert_eq!(report.message, why);
    }
    let (good, why) = said(&resource, &cluster("available", &["available"]), None);
    let expected = "cluster x is available with an endpoint and 1 available instance, postgres \
                    16.4, not compared, since its snapshot is unknown; no connection was made";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    assert_eq!(said(&resource, &cluster("available", &["available", "failed"]), None).0, "FAILED");
    let late = judged(&cluster("available", &["creating"]));
    assert!(matches!(late, Judgment::Unsettled { .. }), "{late:?}");
    // Before it is available itself, nothing is said of its instances.
    let late = judged(&cluster("creating", &[]));
    assert!(matches!(late, Judgment::Unsettled { .. }), "{late:?}");
    let Facts::Cluster { database, members, source, .. } = cluster("available", &[]) else {
        panic!("this is no cluster")
    };
    let serverless = Facts::Cluster { database, is_serverless: true, members, source };
    assert_eq!(said(&resource, &serverless, None).0, "SUCCESSFUL");
}

#[test]
fn a_cluster_is_given_an_instance_with_a_name_that_rds_takes() {
    let name = reader_name("8E1F6B70-3C2D-4A95-B7E4-91D0C5A2F386").unwrap();
    assert_eq!(name, "org-backup-restore-test-8e1f6b70-3c2d-4a95-b7e4-91d0c5a2f386");
    for job in ["", "a--b", "a-", "a/b", &"a".repeat(64)] {
        assert_eq!(reader_name(job), None, "{job}");
    }
}

#[test]
fn a_file_system_that_does_not_hold_its_backup_yet_proves_nothing() {
    let resource = Resource::FileSystem(own("fs-1"));
    let facts = |bytes| Facts::FileSystem { state: own("available"), bytes };
    for bytes in [Some(0), Some(6_144), None] {
        let judgment = judge(&resource, &facts(bytes), Some(5 * GIB));
        assert!(matches!(judgment, Judgment::Doubtful(_)), "{judgment:?}");
        assert_eq!(Report::of(&resource, judgment).status, Status::TimedOut);
    }
    let (good, why) = said(&resource, &facts(Some(5 * GIB + 6_144)), Some(5 * GIB));
    let expected = "file system fs-1 is available and holds 5368715264 bytes, its backup 5368709120; \
                    it was not mounted";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    // EFS meters less than the backup has; half of it is enough.
    assert_eq!(said(&resource, &facts(Some(2 * GIB)), Some(4 * GIB)).0, "SUCCESSFUL");
    assert_eq!(said(&resource, &facts(Some(2 * GIB - 1)), Some(4 * GIB)).0, "TIMED_OUT");
    for bytes in [None, Some(0)] {
        let (good, why) = said(&resource, &facts(Some(6_144)), bytes);
        assert!(good == "SUCCESSFUL" && why.contains("not compared"), "{why}");
    }
}

#[test]
fn what_fsx_restored_has_at_least_the_size_of_its_source() {
    let volume = Resource::FsxVolume(own("fsvol-1"));
    let facts = |size, source| Facts::Fsx { state: own("CREATED"), size: Some(size), source };
    let (good, why) = said(&volume, &facts(1_024, Some(1_024)), None);
    let expected =
        "volume fsvol-1 is available and has 1024 MiB, as its source; it was not mounted";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    let (bad, why) = said(&volume, &facts(20, Some(1_024)), None);
    let expected = "volume fsvol-1 has 20 MiB, but the one that was backed up has 1024 MiB";
    assert_eq!((bad, why.as_str()), ("FAILED", expected));
    let (good, why) = said(&volume, &facts(20, None), None);
    assert!(good == "SUCCESSFUL" && why.contains("was not compared"), "{why}");
}

#[test]
fn an_object_is_lost_only_if_nobody_can_have_it() {
    assert!(["InvalidObjectState", "KMS.DisabledException", "NoSuchKey"].into_iter().all(is_lost));
    let others = ["AccessDenied", "ExpiredToken", "KMS.ThrottlingException", "RequestTimeout"];
    assert!(!others.into_iter().any(is_lost));
}

#[test]
fn an_empty_table_is_broken_only_if_its_backup_is_not_empty() {
    let said = |facts: Facts, bytes| said(&Resource::Table(own("t")), &facts, bytes);
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
    // The last count of a table may be hours old, and the size of its backup is not.
    let source = Some(Contents { counted: Some(3), indexes: Vec::new() });
    let (status, indexes) = (own("ACTIVE"), Vec::new());
    let emptied = Facts::Table { status, indexes, counted: 0, has_items: false, source };
    assert_eq!(said(emptied, Some(0)).0, "SUCCESSFUL");
}

#[test]
fn a_table_says_how_many_items_and_indexes_it_has() {
    let (status, indexes) = (own("ACTIVE"), Vec::new());
    let facts = Facts::Table { status, indexes, counted: 5, has_items: true, source: None };
    let (_, why) = said(&Resource::Table(own("t")), &facts, None);
    let expected = "table t is active with 0 global indexes, and has items (5 by its last count); one page \
                    at the most was looked at";
    assert_eq!(why, expected);
}

#[test]
fn a_table_has_the_indexes_and_the_items_of_its_backup() {
    let resource = Resource::Table(own("t"));
    let of = |indexes: &[(&str, &str)], has_items, source| {
        let facts = Facts::Table {
            status: own("ACTIVE"),
            indexes: indexes.iter().map(|it| (own(it.0), own(it.1))).collect(),
            counted: 0,
            has_items,
            source,
        };
        said(&resource, &facts, Some(512))
    };
    let backup = |counted, index: &str| Some(Contents { counted, indexes: vec![own(index)] });
    let (good, why) = of(&[("by-day", "ACTIVE")], true, backup(Some(3), "by-day"));
    let expected = "table t is active with 1 global index, as its backup, and has items (not \
                    counted yet, its backup 3, not compared); one page at the most was looked at";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    let why = own("table t has no index by-day, but its backup has");
    assert_eq!(of(&[], true, backup(Some(3), "by-day")), ("FAILED", why));
    let (late, why) = of(&[("by-day", "CREATING")], true, None);
    assert!(late == "FAILED" && why.contains("index by-day, which is CREATING"), "{why}");
    assert_eq!(of(&[("by-day", "DELETING")], true, None).0, "FAILED");
    let why = own("table t has no items, but its backup has 3 by its last count");
    assert_eq!(of(&[("by-day", "ACTIVE")], false, backup(Some(3), "by-day")), ("FAILED", why));
}

#[test]
fn a_bucket_has_objects_under_every_path_that_was_restored() {
    let bucket = Resource::Bucket(own("b"));
    let said = |facts: &Facts, bytes| said(&bucket, facts, bytes);
    let (good, why) = said(&objects(&[("", 100_000)]), Some(9));
    let expected = "bucket b has 100000 objects of 1000000 bytes, not compared with the 9 of its \
                    backup; the first KiB of 1 taken at random was read, and no more";
    assert_eq!((good, why.as_str()), ("SUCCESSFUL", expected));
    let why = own("bucket b has no objects, but its backup has 9 bytes");
    assert_eq!(said(&objects(&[("", 0)]), Some(9)), ("FAILED", why));
    assert_eq!(said(&objects(&[("", 0)]), Some(0)).0, "SUCCESSFUL");
    let why = own("bucket b has no objects under `b/`, which was restored");
    assert_eq!(said(&objects(&[("a/", 3), ("b/", 0)]), Some(9)), ("FAILED", why));
}

#[test]
fn what_is_not_listed_to_its_end_is_neither_empty_nor_counted() {
    let listed = |objects| Listed { objects, is_whole: false, ..Listed::default() };
    let facts =
        |objects| Facts::Objects { listed: vec![listed(objects)], read: 1, unreadable: None };
    let bucket = Resource::Bucket(own("b"));
    let judgment = judge(&bucket, &facts(0), Some(9));
    assert!(matches!(judgment, Judgment::Unsettled { .. }), "{judgment:?}");
    let (good, why) = said(&bucket, &facts(5), Some(9));
    assert!(good == "SUCCESSFUL" && why.contains("has at least 5 objects"), "{why}");
}

#[test]
fn an_object_that_cannot_be_had_is_named() {
    let unreadable = Some((own("a/b"), own("InvalidObjectState")));
    let facts = Facts::Objects { listed: Vec::new(), read: 0, unreadable };
    let why = own("the object a/b of bucket b cannot be read: InvalidObjectState");
    assert_eq!(said(&Resource::Bucket(own("b")), &facts, Some(9)), ("FAILED", why));
}

#[test]
fn what_is_gone_is_broken() {
    let (bad, why) = said(&Resource::Table(own("t")), &Facts::Missing, None);
    assert_eq!((bad, why.as_str()), ("FAILED", "table t does not exist, though it was restored"));
}

fn window(kept: u64, passed: u64) -> Window {
    let minutes = Duration::from_mins;
    Window {
        kept: minutes(kept),
        began: minutes(passed),
        passed: minutes(passed),
        run: minutes(15),
    }
}

#[test]
fn a_run_is_the_last_one_if_the_next_would_come_too_late() {
    // Runs of a quarter of an hour in a window of an hour: the next begins 16 minutes after this one.
    for began in [0, 16, 32, 40] {
        assert!(!window(60, began).is_last(), "{began}");
    }
    assert!(window(60, 41).is_last());
    assert!(!window(240, 48).is_last());
    // However early a run ends, its event is hidden for as long.
    let failed = Window { passed: Duration::from_mins(49), ..window(60, 48) };
    assert!(failed.is_last());
    // Short runs are eleven minutes apart.
    let short = |began| Window { run: Duration::from_mins(5), ..window(60, began) };
    assert!(!short(45).is_last() && short(46).is_last());
    assert!(window(0, 0).is_last());
    assert_eq!(window(60, 48).left(), Duration::from_mins(12));
    assert_eq!(window(60, 61).left(), Duration::ZERO);
}

#[test]
fn a_judgment_may_change_while_aws_may_describe_something_else() {
    let text = || own("x");
    let may_change = |it: &Judgment, passed| it.may_change(window(240, passed), false);
    for clear in [Judgment::Sound(text()), Judgment::Broken(text()), Judgment::Unknown(text())] {
        assert!(!may_change(&clear, 0), "{clear:?}");
    }
    for late in [Judgment::Failing(text()), Judgment::Unseen(text())] {
        assert!(may_change(&late, 29), "{late:?}");
        assert!(!may_change(&late, 30), "two runs are over: {late:?}");
    }
    for open in [Judgment::Unsettled { now: text(), awaited: text() }, Judgment::Doubtful(text())] {
        assert!(may_change(&open, 230), "{open:?}");
    }
    let without = Judgment::Unreachable(text());
    assert!(!may_change(&without, 0));
    assert!(without.may_change(window(240, 0), true), "it gets an instance");
}

#[test]
fn what_aws_may_describe_late_is_not_called_broken() {
    let table = Resource::Table(own("t"));
    let gone = judge(&table, &Facts::Missing, None);
    assert!(matches!(gone, Judgment::Failing(_)), "{gone:?}");
    let checks = |system: &str, volumes: &str| Checks {
        system: own(system),
        instance: own("ok"),
        volumes: own(volumes),
    };
    let disk = |device: &str| Disk { device: own(device), size: Some(8) };
    let judged = |checks: Checks| {
        let (disks, source) = (vec![disk("/dev/xvda")], Some(vec![disk("/dev/sdf")]));
        let facts = Facts::Instance { state: own("running"), checks, disks, source };
        judge(&Resource::Instance(own("i-1")), &facts, None)
    };
    for checks in [checks("impaired", "ok"), checks("ok", "impaired"), checks("ok", "ok")] {
        let judgment = judged(checks.clone());
        assert!(matches!(judgment, Judgment::Failing(_)), "{checks:?}: {judgment:?}");
    }
}

#[test]
fn the_owners_function_says_one_of_three_words_and_nothing_else_is_heeded() {
    let why = own("7 invoices add up");
    let answer = |status: &str| json!({ "status": status, "message": "7 invoices add up" });
    let said = |status: &str| opinion(&answer(status).to_string());
    assert_eq!(said("SUCCESSFUL"), Opinion::Good(why.clone()));
    assert_eq!(said("FAILED"), Opinion::Bad(why.clone()));
    assert_eq!(said("WAIT"), Opinion::Later(why));
    let crash = r#"{"errorMessage":"boom","errorType":"Error"}"#;
    for other in ["", "null", "[]", crash, r#""SUCCESSFUL""#, r#"{"status":["SUCCESSFUL"]}"#] {
        assert_eq!(opinion(other), Opinion::Unclear, "{other}");
    }
    assert_eq!(opinion(r#"{"status":"FAILED"}"#), Opinion::Bad(own("it gives no reason")));
}

#[test]
fn the_owners_function_makes_nothing_good_that_is_not() {
    let resource = Resource::Database(own("x"));
    let with =
        |judgment: Judgment, opinion| Report::of(&resource, with_own(&resource, judgment, opinion));
    let sound = || Judgment::Sound(own("database x is available"));
    let good = || Opinion::Good(own("7 invoices\nadd up"));
    let report = with(sound(), good());
    let why = "database x is available; its own check: 7 invoices add up";
    assert_eq!((report.status, report.message.as_str()), (Status::Successful, why));
    let report = with(Judgment::Broken(own("No.")), good());
    assert_eq!((report.status, report.message.as_str()), (Status::Failed, "No."));
    let report = with(sound(), Opinion::Bad(own("no invoices")));
    let why = "your check function reports for database x: no invoices";
    assert_eq!((report.status, report.message.as_str()), (Status::Failed, why));
    assert_eq!(with(sound(), Opinion::Unclear).status, Status::TimedOut);
    let later = with_own(&resource, sound(), Opinion::Later(own("still counting")));
    assert!(matches!(later, Judgment::Unsettled { .. }), "{later:?}");
}

#[test]
fn a_look_at_what_somebody_restored_says_what_to_make_of_it() {
    let bucket = Resource::Bucket(own("b"));
    let told = |judgment| {
        let it = Inspection::of(&bucket, judgment);
        (it.words(), it.json()["state"].as_str().unwrap().to_owned(), it.json()["message"].clone())
    };
    let it = || own("it");
    for bad in [Judgment::Broken(it()), Judgment::Failing(it()), Judgment::Unreachable(it())] {
        assert_eq!(told(bad), (own("looked at, and not usable: it"), own("unusable"), json!("it")));
    }
    assert_eq!(told(Judgment::Sound(it())), (own("looked at: it"), own("good"), json!("it")));
    for open in [Judgment::Doubtful(it()), Judgment::Unknown(it())] {
        assert_eq!(told(open), (own("not proven: it"), own("unproven"), json!("it")));
    }
    let again = "not looked at: it; hint: run the same command again, which only looks again";
    assert_eq!(told(Judgment::Unseen(it())), (own(again), own("unknown"), json!("it")));
    let late = Judgment::Unsettled { now: own("creating"), awaited: own("ready") };
    let (words, state, _) = told(late);
    assert!(words.contains("bucket b was not ready in time") && state == "unknown", "{words}");
}

#[test]
fn a_message_is_one_line() {
    let why = own("AccessDenied:\n  User is not\r\n\tauthorized\u{2028}to look\u{1b}[2J");
    let report = Report::of(&Resource::Bucket(own("b")), Judgment::Unseen(why));
    let expected = "could not be looked at: AccessDenied: User is not authorized to look\\u{1b}[2J";
    assert_eq!(report.message, expected);
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
    let key = "ü".repeat(1_000);
    let unreadable = Some((key, own("No.")));
    let facts = Facts::Objects { listed: Vec::new(), read: 0, unreadable };
    let (_, message) = said(&Resource::Bucket(own("b")), &facts, None);
    assert_eq!(message.chars().count(), LIMIT);
    assert!(message.ends_with("..."));
}
