//! Restores: the needs of each type, the results and the failures.

use super::*;

/// Metadata, as a test writes it.
type Pairs<'a> = &'a [(&'a str, &'a str)];

fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn order(account: &str, point: usize, pairs: &[(&str, &str)]) -> RestoreOrder {
    let metadata = metadata(pairs);
    RestoreOrder { asker: asker(account), point, metadata, kind: None, copies_tags: false }
}

/// Returns an engine with a backup of a resource of this type.
fn backed_up(arn: &str, kind: &str) -> (BackupEngine, EnginePoint) {
    let mut engine = idle();
    engine.put_resource(resource(arn, kind));
    engine.opt_in(REGION, kind, true);
    engine.back_up(&backup_of(arn)).unwrap();
    wait(&mut engine);
    let point = newest(&engine, KEEP);
    (engine, point)
}

/// Restores it and returns the ARN of the result, or the trouble.
fn went(engine: &mut BackupEngine, order: &RestoreOrder) -> Result<String, RestoreTrouble> {
    let id = engine.restore(order).unwrap();
    wait(engine);
    let job = engine.restore_jobs()[id].clone();
    job.made.ok_or_else(|| job.trouble.expect("it failed"))
}

const ZONE: (&str, &str) = ("availabilityZone", "eu-west-1b");
const DATABASE: &str = "arn:aws:rds:eu-west-1:200000000001:db:orders";
const CLUSTER: &str = "arn:aws:rds:eu-west-1:200000000001:cluster:orders";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:200000000001:table/orders";
const FILES: &str = "arn:aws:elasticfilesystem:eu-west-1:200000000001:file-system/fs-1";
const FSX: &str = "arn:aws:fsx:eu-west-1:200000000001:file-system/fs-2";
const ONTAP: &str = "arn:aws:fsx:eu-west-1:200000000001:volume/fs-3/fsvol-1";
const STACK: &str = "arn:aws:cloudformation:eu-west-1:200000000001:stack/web/1";
const GATEWAY: &str = "arn:aws:storagegateway:eu-west-1:200000000001:gateway/sgw-1/volume/vol-7";
const SPREAD: &str = "arn:aws:rds:eu-west-1:200000000001:cluster:spread";
const SERIES: &str = "arn:aws:timestream:eu-west-1:200000000001:database/metrics/table/cpu";
const DISTRIBUTED: &str = "arn:aws:dsql:eu-west-1:200000000001:cluster/abcdef";
const PODS: &str = "arn:aws:eks:eu-west-1:200000000001:cluster/prod";
const MACHINE: &str = "arn:aws:backup-gateway:eu-west-1:200000000001:vm/vm-1";
const NAMESPACE: &str = "arn:aws:redshift-serverless:eu-west-1:200000000001:namespace/facts";
const NEW_SPREAD: [(&str, &str); 4] = [
    ("DBClusterIdentifier", "again"),
    ("Engine", "postgres"),
    ("DBClusterInstanceClass", "db.m6gd.large"),
    ("StorageType", "gp3"),
];
const NEW_SERIES: [(&str, &str); 4] = [
    ("TableName", "again"),
    ("DestinationDatabase", "default.metrics"),
    ("MemoryStoreRetentionPeriodInHours", "24"),
    ("MagneticStoreRetentionPeriodInDays", "365"),
];
const NEW_PODS: [(&str, &str); 2] = [("clusterName", "again"), ("newCluster", "true")];
const OF_VMWARE: [(&str, &str); 6] = [
    ("RestoreTo", "VMware"),
    ("HypervisorArn", "arn:aws:backup-gateway:eu-west-1:200000000001:hypervisor/hype-1"),
    ("VMName", "again"),
    ("VMPath", "/lab/vm"),
    ("ComputeResourceName", "Cluster"),
    ("VMDatastore", "store"),
];
const NEW_FILES: [(&str, &str); 4] = [
    ("newFileSystem", "true"),
    ("Encrypted", "true"),
    ("PerformanceMode", "generalPurpose"),
    ("CreationToken", "once"),
];

#[test]
fn each_type_is_restored_with_what_it_needs() {
    let here = |rest: &str| format!("arn:aws:{}", rest.replace('@', ":eu-west-1:200000000001:"));
    let cluster = |engine| [("DBClusterIdentifier", "Again"), ("Engine", engine)];
    let gateway = "arn:aws:storagegateway:eu-west-1:200000000001:gateway/sgw-1";
    let cases: [(&str, &str, Pairs<'_>, &str); 19] = [
        (VOLUME, "EBS", &[ZONE], "ec2@volume/vol-0"),
        (INSTANCE, "EC2", &[], "ec2@instance/i-0"),
        (DATABASE, "RDS", &[("DBInstanceIdentifier", "again")], "rds@db:again"),
        (CLUSTER, "Aurora", &cluster("aurora-postgresql"), "rds@cluster:again"),
        (CLUSTER, "DocumentDB", &cluster("docdb"), "rds@cluster:again"),
        (CLUSTER, "Neptune", &cluster("neptune"), "rds@cluster:again"),
        (TABLE, "DynamoDB", &[("targetTableName", "again")], "dynamodb@table/again"),
        (FILES, "EFS", &NEW_FILES, "elasticfilesystem@file-system/fs-0"),
        (BUCKET, "S3", &[("DestinationBucketName", "again"), ("NewBucket", "true")], "s3:::again"),
        (FSX, "FSx", &[("SubnetIds", "SUBNET")], "fsx@file-system/fs-0"),
        (
            STACK,
            "CloudFormation",
            &[("StackName", "again"), ("ChangeSetName", "restore")],
            "cloudformation@stack/again/",
        ),
        (
            GATEWAY,
            "Storage Gateway",
            &[("gatewayArn", gateway), ("gatewayType", "CACHED"), ("targetName", "disk")],
            "storagegateway@gateway/sgw-1/volume/vol-0",
        ),
        (GATEWAY, "Storage Gateway", &[ZONE], "ec2@volume/vol-0"),
        (SPREAD, "RDS", &NEW_SPREAD, "rds@cluster:again"),
        (SERIES, "Timestream", &NEW_SERIES, "timestream@database/default.metrics/table/again"),
        (DISTRIBUTED, "Aurora DSQL", &[], "dsql@cluster/0"),
        (PODS, "EKS", &NEW_PODS, "eks@cluster/again"),
        (MACHINE, "VirtualMachine", &[("RestoreTo", "EC2Instance")], "ec2@instance/i-0"),
        (MACHINE, "VirtualMachine", &OF_VMWARE, "backup-gateway@vm/vm-0"),
    ];
    for (arn, kind, pairs, begins) in cases {
        let (mut engine, point) = backed_up(arn, kind);
        let mut order = order(ACCOUNT, point.id, pairs);
        for value in order.metadata.values_mut().filter(|it| *it == "SUBNET") {
            value.clone_from(&point.metadata["SubnetIds"]);
        }
        let made = went(&mut engine, &order).unwrap_or_else(|it| panic!("{kind}: {it}"));
        assert!(made.starts_with(&here(begins)), "{kind}: {made}");
        let found = engine.resources().find(|it| it.arn == made).unwrap();
        assert_eq!((found.account.as_str(), found.gigabytes), (ACCOUNT, 1), "{kind}");
        assert_eq!(
            refused(
                engine.restore(&RestoreOrder { kind: Some("Tea".to_owned()), ..order.clone() })
            ),
            Code::InvalidParameterValue
        );
    }
}

#[test]
fn a_cluster_is_restored_without_an_instance() {
    let (mut engine, point) = backed_up(CLUSTER, "Aurora");
    let before = engine.resources().count();
    let pairs = [("dbClusterIdentifier", "again"), ("engine", "aurora-mysql")];
    went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap();
    assert_eq!(engine.resources().count(), before + 1);
    assert!(!engine.resources().any(|it| it.arn.contains(":db:")));
}

#[test]
fn metadata_that_is_missing_or_unknown_is_refused() {
    // RDS chooses the zones of such a cluster.
    let zoned = [&NEW_SPREAD[..], &[("AvailabilityZones", "[\"eu-west-1a\"]")]].concat();
    let cases: [(&str, &str, Pairs<'_>); 21] = [
        (VOLUME, "EBS", &[]),
        (VOLUME, "EBS", &[("availabilityZone", "null")]),
        (VOLUME, "EBS", &[ZONE, ("colour", "red")]),
        (INSTANCE, "EC2", &[("DBInstanceIdentifier", "again")]),
        (DATABASE, "RDS", &[]),
        (CLUSTER, "Aurora", &[("dbClusterIdentifier", "again")]),
        (TABLE, "DynamoDB", &[("encryptionType", "Default")]),
        (FILES, "EFS", &[("newFileSystem", "true")]),
        (FILES, "EFS", &[("newFileSystem", "false")]),
        (BUCKET, "S3", &[("NewBucket", "true")]),
        (FSX, "FSx", &[("StorageType", "SSD")]),
        (GATEWAY, "Storage Gateway", &[]),
        (SPREAD, "RDS", &NEW_SPREAD[..3]),
        (SPREAD, "RDS", &zoned),
        (SERIES, "Timestream", &NEW_SERIES[..3]),
        (DISTRIBUTED, "Aurora DSQL", &[("cluster_id", "abcdef")]),
        (PODS, "EKS", &[("newCluster", "true")]),
        (MACHINE, "VirtualMachine", &[]),
        (MACHINE, "VirtualMachine", &OF_VMWARE[..5]),
        (MACHINE, "VirtualMachine", &[("RestoreTo", "EBSVolume")]),
        (NAMESPACE, "Redshift Serverless", &[("RestoreType", "NAMESPACE_RESTORE")]),
    ];
    for (arn, kind, pairs) in cases {
        let (mut engine, point) = backed_up(arn, kind);
        let answer = engine.restore(&order(ACCOUNT, point.id, pairs));
        assert_eq!(refused(answer), Code::InvalidParameterValue, "{kind} {pairs:?}");
    }
}

#[test]
fn the_case_of_keys_does_not_count() {
    let (mut engine, point) = backed_up(TABLE, "DynamoDB");
    let pairs = [("TARGETTABLENAME", "again")];
    assert!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).is_ok());
}

#[test]
fn names_that_are_taken_are_not_overwritten() {
    let cases: [(&str, &str, Pairs<'_>); 4] = [
        (DATABASE, "RDS", &[("DBInstanceIdentifier", "orders")]),
        (CLUSTER, "Aurora", &[("DBClusterIdentifier", "ORDERS"), ("Engine", "aurora-mysql")]),
        (TABLE, "DynamoDB", &[("targetTableName", "orders")]),
        (BUCKET, "S3", &[("DestinationBucketName", "reports"), ("NewBucket", "true")]),
    ];
    for (arn, kind, pairs) in cases {
        let (mut engine, point) = backed_up(arn, kind);
        let trouble = went(&mut engine, &order(ACCOUNT, point.id, pairs)).unwrap_err();
        assert_eq!(trouble, RestoreTrouble::Taken(arn.to_owned()), "{kind}");
    }
}

#[test]
fn of_two_restores_to_one_name_one_is_made() {
    let (mut engine, point) = backed_up(TABLE, "DynamoDB");
    let order = order(ACCOUNT, point.id, &[("targetTableName", "again")]);
    engine.restore(&order).unwrap();
    engine.restore(&order).unwrap();
    wait(&mut engine);
    let made: Vec<_> = engine.restore_jobs().iter().map(|it| it.made.is_some()).collect();
    assert_eq!(made, [true, false]);
}

#[test]
fn a_bucket_that_is_there_is_filled_if_it_keeps_versions() {
    let (mut engine, point) = backed_up(BUCKET, "S3");
    let pairs = [("DestinationBucketName", "reports")];
    assert_eq!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).as_deref(), Ok(BUCKET));
    engine.suspend_versions("reports");
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert_eq!(trouble, RestoreTrouble::NotVersioned("reports".to_owned()));
    let pairs = [("DestinationBucketName", "nowhere")];
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{trouble}");
}

#[test]
fn a_namespace_that_is_there_is_replaced() {
    let (mut engine, point) = backed_up(NAMESPACE, "Redshift Serverless");
    let order = order(
        ACCOUNT,
        point.id,
        &[("RestoreType", "NAMESPACE_RESTORE"), ("NamespaceIdentifier", "facts")],
    );
    assert_eq!(went(&mut engine, &order).as_deref(), Ok(NAMESPACE));
    engine.delete_resource(NAMESPACE);
    let trouble = went(&mut engine, &order).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{trouble}");
}

#[test]
fn a_cluster_of_eks_that_is_there_is_filled_and_one_elsewhere_needs_a_network() {
    let (mut engine, point) = backed_up(PODS, "EKS");
    let pairs = [("clusterName", "prod"), ("newCluster", "false")];
    assert_eq!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).as_deref(), Ok(PODS));
    let (mut engine, point) = elsewhere(PODS, "EKS");
    let answer = engine.restore(&order(NEW, point.id, &NEW_PODS));
    assert_eq!(refused(answer), Code::InvalidParameterValue);
    let network = "{\"subnetIds\":[\"subnet-1\"],\"securityGroupIds\":[\"sg-1\"]}";
    let role = ("clusterRole", "arn:aws:iam::200000000002:role/eks");
    let all = [&NEW_PODS[..], &[("clusterVpcConfig", network), role]].concat();
    let trouble = went(&mut engine, &order(NEW, point.id, &all)).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{trouble}");
    for part in ["subnet-1", "sg-1"] {
        engine.put_part(NEW, REGION, part);
    }
    assert!(went(&mut engine, &order(NEW, point.id, &all)).is_ok());
}

#[test]
fn a_table_needs_its_database() {
    let (mut engine, point) = backed_up(SERIES, "Timestream");
    let mut pairs = NEW_SERIES;
    pairs[1].1 = "metrics";
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{trouble}");
    engine.put_part(ACCOUNT, REGION, "metrics");
    assert!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).is_ok());
}

#[test]
fn a_file_system_that_is_there_gets_what_was_in_it() {
    let (mut engine, point) = backed_up(FILES, "EFS");
    let pairs = [("newFileSystem", "false"), ("file-system-id", "fs-1")];
    assert_eq!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).as_deref(), Ok(FILES));
    engine.delete_resource(FILES);
    assert!(went(&mut engine, &order(ACCOUNT, point.id, &pairs)).is_err());
}

/// Returns an engine with a copy of the backup in another account.
fn elsewhere(arn: &str, kind: &str) -> (BackupEngine, EnginePoint) {
    let (mut engine, point) = backed_up(arn, kind);
    let destination = NEW_KEEP.to_owned();
    let asker = asker(ACCOUNT);
    let copy =
        CopyOrder { asker, point: point.id, destination, lifecycle: PointLifecycle::default() };
    engine.copy(&copy).unwrap();
    wait(&mut engine);
    let point = newest(&engine, NEW_KEEP);
    (engine, point)
}

#[test]
fn a_copy_is_restored_in_its_account_and_not_where_its_network_was() {
    let (mut engine, point) = elsewhere(INSTANCE, "EC2");
    let made = went(&mut engine, &order(NEW, point.id, &[])).unwrap();
    assert!(made.contains(NEW), "{made}");
    for key in ["SubnetId", "SecurityGroupIds", "KeyName"] {
        let pairs = [(key, point.metadata[key].as_str())];
        let trouble = went(&mut engine, &order(NEW, point.id, &pairs)).unwrap_err();
        assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{key}: {trouble}");
    }
    engine.put_part(NEW, REGION, "subnet-1");
    assert!(went(&mut engine, &order(NEW, point.id, &[("SubnetId", "subnet-1")])).is_ok());
}

#[test]
fn all_that_was_backed_up_of_an_instance_is_not_taken_back_together() {
    let (mut engine, point) = backed_up(INSTANCE, "EC2");
    let all: Vec<_> = point.metadata.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &all)).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "the interface is in use: {trouble}");
    let pairs = [("SubnetId", point.metadata["SubnetId"].as_str()), ("NetworkInterfaces", "[{}]")];
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert_eq!(trouble, RestoreTrouble::TwoNetworks);
}

#[test]
fn the_snapshot_of_a_database_is_not_named_twice() {
    let (mut engine, point) = backed_up(DATABASE, "RDS");
    let pairs = [("DBInstanceIdentifier", "again"), ("DBSnapshotIdentifier", "awsbackup:job-1")];
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert_eq!(trouble, RestoreTrouble::SnapshotNamed);
}

#[test]
fn an_instance_profile_has_to_be_there_and_its_role_has_to_be_passed() {
    let (mut engine, point) = backed_up(INSTANCE, "EC2");
    let restore = order(ACCOUNT, point.id, &[("IamInstanceProfileName", "web")]);
    assert!(matches!(went(&mut engine, &restore), Err(RestoreTrouble::NoPart(_, _))));
    engine.put_part(ACCOUNT, REGION, "web");
    assert!(went(&mut engine, &restore).is_ok());
    engine.deny(ROLE, "iam:PassRole");
    let denied = RestoreTrouble::Denied("iam:PassRole".to_owned());
    assert_eq!(went(&mut engine, &restore), Err(denied));
    // Nothing was backed up, so nothing is passed.
    let backed_up = order(ACCOUNT, point.id, &[("IamInstanceProfileName", "UseBackedUpValue")]);
    assert!(went(&mut engine, &backed_up).is_ok());
}

#[test]
fn zones_and_sizes_have_to_fit() {
    let (mut engine, point) = backed_up(VOLUME, "EBS");
    let pairs = [("availabilityZone", "us-east-1a")];
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &pairs)).unwrap_err();
    assert_eq!(trouble, RestoreTrouble::NoZone("us-east-1a".to_owned()));
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &[ZONE, ("volumesize", "0")]));
    assert_eq!(trouble, Err(RestoreTrouble::TooSmall));
    let made = went(&mut engine, &order(ACCOUNT, point.id, &[ZONE, ("volumesize", "9")])).unwrap();
    assert_eq!(engine.resources().find(|it| it.arn == made).unwrap().gigabytes, 9);
}

#[test]
fn keys_that_cannot_be_used_keep_it_from_being_restored() {
    let (mut engine, point) = elsewhere(VOLUME, "EBS");
    let restore = order(NEW, point.id, &[ZONE]);
    let own = format!("{NEW_KEEP}/key");
    assert!(went(&mut engine, &restore).is_ok());
    engine.put_vault(NEW_KEEP, EngineVault { key: EngineKey::Disabled, ..vault() });
    assert_eq!(went(&mut engine, &restore), Err(RestoreTrouble::Key(own)));
    engine.put_vault(NEW_KEEP, vault());
    let key = "arn:aws:kms:eu-west-1:200000000009:key/other";
    let named = order(NEW, point.id, &[ZONE, ("encrypted", "true"), ("kmsKeyId", key)]);
    assert_eq!(went(&mut engine, &named), Err(RestoreTrouble::Key(key.to_owned())));
    engine.put_key(key, EngineKey::Customer);
    assert!(went(&mut engine, &named).is_ok());
    engine.keep_key_from(key, NEW);
    assert_eq!(went(&mut engine, &named), Err(RestoreTrouble::Key(key.to_owned())));
}

#[test]
fn the_role_has_to_be_assumed_and_allowed() {
    let (mut engine, point) = backed_up(VOLUME, "EBS");
    let restore = order(ACCOUNT, point.id, &[ZONE]);
    engine.deny(ROLE, "ec2:CreateVolume");
    let denied = RestoreTrouble::Denied("ec2:CreateVolume".to_owned());
    assert_eq!(went(&mut engine, &restore), Err(denied));
    engine.put_role(ROLE, false);
    assert_eq!(refused(engine.restore(&restore)), Code::InvalidParameterValue);
}

#[test]
fn it_is_refused_where_point_or_opt_in_say_no() {
    let went = |change: &dyn Fn(&mut BackupEngine, usize)| {
        let (mut engine, point) = backed_up(VOLUME, "EBS");
        change(&mut engine, point.id);
        refused(engine.restore(&order(ACCOUNT, point.id, &[ZONE])))
    };
    assert_eq!(went(&|it, _| it.opt_in(REGION, "EBS", false)), Code::InvalidRequest);
    assert_eq!(went(&|it, _| it.delete_vault(KEEP)), Code::ResourceNotFound);
    assert_eq!(went(&|it, point| it.flaw(point, Some(Flaw::Deleting))), Code::InvalidRequest);
    assert_eq!(went(&|it, point| it.flaw(point, Some(Flaw::Partial))), Code::InvalidRequest);
}

#[test]
fn tags_come_along_where_they_are_asked_for_and_the_type_has_them() {
    let tags = |arn: &str,
                kind: &str,
                pairs: &[(&str, &str)],
                copies_tags: bool|
     -> Result<usize, RestoreTrouble> {
        let (mut engine, point) = backed_up(arn, kind);
        let restore = RestoreOrder { copies_tags, ..order(ACCOUNT, point.id, pairs) };
        let made = went(&mut engine, &restore)?;
        Ok(engine.resources().find(|it| it.arn == made).unwrap().tags.len())
    };
    assert_eq!(tags(VOLUME, "EBS", &[ZONE], false), Ok(0));
    assert_eq!(tags(VOLUME, "EBS", &[ZONE], true), Ok(1));
    assert_eq!(tags(DATABASE, "RDS", &[("DBInstanceIdentifier", "again")], false), Ok(1));
    let table = tags(TABLE, "DynamoDB", &[("targetTableName", "again")], true);
    assert_eq!(table, Err(RestoreTrouble::TagsNotCopied));
}

#[test]
fn a_continuous_backup_is_restored_to_a_time() {
    let mut engine =
        engine(json!({ "night": rule(json!({ "enable_continuous_backup": "true" })) }));
    engine.advance(hour(6));
    let point = engine.points().find(|it| it.form == PointForm::Continuous).unwrap().id;
    let new = [("DestinationBucketName", "again"), ("NewBucket", "true")];
    let answer = engine.restore(&order(ACCOUNT, point, &new));
    assert_eq!(refused(answer), Code::InvalidParameterValue);
    let [name, is_new] = new;
    let pairs = [name, is_new, ("RestoreTime", "2026-11-20T05:30:00Z")];
    assert!(went(&mut engine, &order(ACCOUNT, point, &pairs)).is_ok());
}

#[test]
fn it_waits_works_and_is_told_of() {
    let (mut engine, point) = backed_up(VOLUME, "EBS");
    let _of_the_backup = engine.take_events();
    let id = engine.restore(&order(ACCOUNT, point.id, &[ZONE])).unwrap();
    assert_eq!(engine.restore_jobs()[id].status(), "PENDING");
    let now = engine.now();
    engine.advance(now + Duration::from_secs(1));
    assert_eq!(engine.restore_jobs()[id].status(), "RUNNING");
    wait(&mut engine);
    let events = engine.take_events();
    let states: Vec<_> = events.iter().map(|it| it["detail"]["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["PENDING", "RUNNING", "COMPLETED"]);
    let (last, job) = (&events[2], &engine.restore_jobs()[id]);
    assert_eq!(last["detail-type"], "Restore Job State Change");
    assert_eq!(last["resources"][0], json!(job.point_arn));
    assert_eq!(last["detail"]["createdResourceArn"], json!(job.made));
    assert_eq!(last["detail"]["restoreJobId"], json!(job.name()));
}

#[test]
fn it_goes_wrong_or_is_stopped_when_asked() {
    for (jobs, trouble, status) in [
        (Jobs::Restores, RestoreTrouble::Injected, "FAILED"),
        (Jobs::StoppedRestores, RestoreTrouble::Aborted, "ABORTED"),
        (Jobs::RestoresBeyondQuota, RestoreTrouble::Quota("EBS".to_owned()), "FAILED"),
    ] {
        let (mut engine, point) = backed_up(VOLUME, "EBS");
        let (from, until) = (engine.now(), engine.now() + Duration::from_hours(2));
        engine.inject_into(jobs, Injected { resource: VOLUME.to_owned(), from, until });
        let restore = order(ACCOUNT, point.id, &[ZONE]);
        assert_eq!(went(&mut engine, &restore), Err(trouble));
        assert_eq!(engine.restore_jobs()[0].status(), status);
    }
}

#[test]
fn the_same_request_with_the_same_token_restores_once() {
    let (mut engine, point) = backed_up(VOLUME, "EBS");
    let asker = Asker { token: Some("plan-1".to_owned()), ..asker(ACCOUNT) };
    let restore = RestoreOrder { asker, ..order(ACCOUNT, point.id, &[ZONE]) };
    let first = engine.restore(&restore).unwrap();
    assert_eq!(engine.restore(&restore).unwrap(), first);
    let other = RestoreOrder { copies_tags: true, ..restore };
    assert_eq!(refused(engine.restore(&other)), Code::InvalidParameterValue);
}

#[test]
fn an_ontap_volume_needs_its_virtual_machine_in_the_account() {
    let (mut engine, point) = backed_up(ONTAP, "FSx");
    let config = "{\"storageVirtualMachineId\":\"svm-new\",\"junctionPath\":\"/data\"}";
    let settings = [("Name", "data"), ("OntapConfiguration", config)];
    let trouble = went(&mut engine, &order(ACCOUNT, point.id, &settings)).unwrap_err();
    assert!(matches!(trouble, RestoreTrouble::NoPart(_, _)), "{trouble}");
    engine.put_part(ACCOUNT, REGION, "svm-new");
    assert!(went(&mut engine, &order(ACCOUNT, point.id, &settings)).is_ok());
}
