use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use plan::id::AccountId;
use serde_json::{Value, json};

use super::settings::get;
use super::*;
use crate::coverage::{About, Key, Obstacle, PointStatus, RestoreTest, TestResult, Vault};
use crate::{Destination, Found, Lock};

const OWNER: &str = "111122223333";
const CENTRAL: &str = "444455556666";
const NEW: &str = "777788889999";
const HERE: &str = "eu-west-1";
const THERE: &str = "eu-north-1";
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A type, the ARN of a resource, and what AWS Backup remembers of it.
type Remembered = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Each type, with the ARN of a resource and what AWS Backup remembers of it.
const EACH: [Remembered; 21] = [
    (
        "Aurora",
        "arn:aws:rds:eu-west-1:111122223333:cluster:orders",
        &[("DBSubnetGroupName", "private"), ("Engine", "aurora-postgresql"), ("KmsKeyId", "mine")],
    ),
    (
        "DocumentDB",
        "arn:aws:rds:eu-west-1:111122223333:cluster:papers",
        &[("DBSubnetGroupName", "private"), ("Engine", "docdb")],
    ),
    (
        "DynamoDB",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/Carts",
        &[("encryptionType", "KMS"), ("kmsMasterKeyArn", "mine")],
    ),
    (
        "EBS",
        "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        &[("availabilityZone", "eu-west-1a"), ("encrypted", "true"), ("kmsKeyId", "mine")],
    ),
    (
        "EC2",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
        &[
            ("SubnetId", "subnet-1"),
            ("SecurityGroupIds", "[\"sg-1\"]"),
            ("VpcId", "vpc-1"),
            ("InstanceType", "m7g.large"),
            ("IamInstanceProfileName", "web"),
        ],
    ),
    (
        "EFS",
        "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1",
        &[("file-system-id", "fs-1"), ("Encrypted", "true"), ("KmsKeyId", "mine")],
    ),
    (
        "FSx",
        "arn:aws:fsx:eu-west-1:111122223333:file-system/fs-2",
        &[("SubnetIds", "[\"subnet-1\"]"), ("StorageCapacity", "1200")],
    ),
    (
        "FSx",
        "arn:aws:fsx:eu-west-1:111122223333:volume/fs-3/fsvol-1",
        &[("OntapConfiguration", "{\"StorageVirtualMachineId\":\"svm-1\"}")],
    ),
    (
        "Neptune",
        "arn:aws:rds:eu-west-1:111122223333:cluster:graph",
        &[("DBSubnetGroupName", "private"), ("Engine", "neptune")],
    ),
    (
        "RDS",
        "arn:aws:rds:eu-west-1:111122223333:db:ledger",
        &[("DBSubnetGroupName", "private"), ("DBParameterGroupName", "tuned"), ("MultiAZ", "true")],
    ),
    ("RDS", "arn:aws:rds:eu-west-1:111122223333:cluster:spread", &[]),
    (
        "Redshift",
        "arn:aws:redshift:eu-west-1:111122223333:cluster:facts",
        &[("clusterSubnetGroupName", "private")],
    ),
    (
        "S3",
        "arn:aws:s3:::reports",
        &[("EncryptionType", "SSE-KMS"), ("KMSKey", "mine"), ("BucketName", "reports")],
    ),
    ("Timestream", "arn:aws:timestream:eu-west-1:111122223333:database/d/table/t", &[]),
    (
        "Aurora DSQL",
        "arn:aws:dsql:eu-west-1:111122223333:cluster/abcdef",
        &[("cluster_id", "abcdef")],
    ),
    (
        "CloudFormation",
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/7a0c",
        &[("StackParameters", "[]")],
    ),
    ("EKS", "arn:aws:eks:eu-west-1:111122223333:cluster/prod", &[("clusterName", "prod")]),
    (
        "Redshift Serverless",
        "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/5b1e",
        &[("namespaceName", "facts")],
    ),
    (
        "Storage Gateway",
        "arn:aws:storagegateway:eu-west-1:111122223333:gateway/sgw-1/volume/vol-2",
        &[("gatewayArn", "mine"), ("gatewayType", "CACHED"), ("volumeId", "vol-2")],
    ),
    (
        "VirtualMachine",
        "arn:aws:backup-gateway:eu-west-1:111122223333:vm/vm-1",
        &[("vmId", "vm-101"), ("DisksToRestore", "[]")],
    ),
    ("SAP HANA on Amazon EC2", "arn:aws:ssm-sap:eu-west-1:111122223333:HANA/erp", &[]),
];

/// The settings that each type needs even where it was, and the name of what may be replaced.
fn needed(kind: RestoredKind) -> (BTreeMap<String, String>, Option<String>) {
    let set: &[(&str, &str)] = match kind.noun() {
        "CloudFormation stack" => &[("ChangeSetName", "back")],
        "Multi-AZ DB cluster of RDS" => &[
            ("Engine", "postgres"),
            ("DBClusterInstanceClass", "db.m6gd.large"),
            ("StorageType", "gp3"),
        ],
        "Storage Gateway volume" => &[("availabilityZone", "eu-west-1a")],
        "Timestream table" => &[
            ("MemoryStoreRetentionPeriodInHours", "24"),
            ("MagneticStoreRetentionPeriodInDays", "365"),
        ],
        "virtual machine" => &[("RestoreTo", "EC2Instance")],
        _ => &[],
    };
    (pairs(set), (kind == RestoredKind::RedshiftServerless).then(|| "facts".to_owned()))
}

fn now() -> SystemTime {
    // 2026-11-30 03:00 UTC.
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_891)
}

fn vault(account: &str, region: &str, name: &str) -> Destination {
    let (account, region) = (account.parse().unwrap(), region.parse().unwrap());
    Destination { account, region, name: name.parse().unwrap() }
}

fn own() -> Destination {
    vault(OWNER, HERE, "org-backup")
}

fn central() -> Destination {
    vault(CENTRAL, HERE, "central")
}

fn point(kind: &str, resource: &str, vault: Destination) -> KeptPoint {
    let id = resource.rsplit(['/', ':']).next().unwrap();
    KeptPoint {
        arn: format!("arn:aws:backup:{}:{}:recovery-point:{id}", vault.region, vault.account),
        resource: resource.to_owned(),
        resource_type: Some(kind.to_owned()),
        copied_from: (vault.account.as_str() == CENTRAL).then(|| own().arn("aws")),
        vault,
        created: now() - 23 * HOUR,
        status: PointStatus::Usable,
        told: String::new(),
        delete_at: Some(now() + 30 * DAY),
        cold_at: None,
        key: None,
        bytes: None,
        is_continuous: false,
        parent: None,
        is_parent: false,
    }
}

fn each(kind: &str) -> (KeptPoint, BTreeMap<String, String>) {
    let (name, resource, settings) = EACH.iter().find(|it| it.0 == kind).unwrap();
    (point(name, resource, own()), pairs(settings))
}

fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn wish(goal: Destination) -> RestoreRequest {
    RestoreRequest {
        goal,
        partition: "aws".to_owned(),
        role: "org-backup-restore".parse().unwrap(),
        copy_role: "org-backup-copy".parse().unwrap(),
        keep_days: None,
        name: None,
        set: BTreeMap::new(),
        overwrite: None,
        again: String::new(),
    }
}

/// Everything on the way to a goal is there and in order.
fn seen(point: &KeptPoint, wish: &RestoreRequest, metadata: BTreeMap<String, String>) -> WaySeen {
    let hops = way(point, &wish.goal, "aws", &wish.copy_role);
    let fine = Vault { key: Key::Customer, lock: None, admits: Some(true), is_air_gapped: false };
    let vaults = hops.iter().flat_map(|it| [&it.from, &it.to]).chain([&point.vault]);
    let role = plan::id::RoleArn::of("aws", &wish.goal.account, &wish.role).to_string();
    let roles = hops.iter().map(|it| it.role.to_string()).chain([role]);
    WaySeen {
        metadata,
        vaults: vaults.map(|it| (it.arn("aws"), Found::Here(fine.clone()))).collect(),
        roles: roles.map(|it| (it, Found::Here(true))).collect(),
        opt_ins: None,
        proofs: Proofs::default(),
    }
}

fn planned(
    point: &KeptPoint,
    wish: &RestoreRequest,
    metadata: BTreeMap<String, String>,
) -> Result<RestorePlan, Vec<Hindrance>> {
    plan(point, wish, &seen(point, wish, metadata), now())
}

fn told(outcome: Result<RestorePlan, Vec<Hindrance>>) -> String {
    match outcome {
        Ok(plan) => plan.lines().join("\n"),
        Err(all) => {
            let told = all.iter().map(|it| it.advised(RestoringCommand::Restore));
            told.collect::<Vec<_>>().join("\n")
        }
    }
}

fn check(kind: &str, goal: Destination, set: &[(&str, &str)], expect: Expect) {
    let (point, metadata) = each(kind);
    let wish = RestoreRequest { set: pairs(set), ..wish(goal) };
    expect.assert_eq(&told(planned(&point, &wish, metadata)));
}

#[test]
fn where_it_was_a_table_gets_a_new_name_and_keeps_its_settings() {
    check(
        "DynamoDB",
        own(),
        &[],
        expect![[r"
            DynamoDB table of arn:aws:dynamodb:eu-west-1:111122223333:table/Carts
              from the recovery point arn:aws:backup:eu-west-1:111122223333:recovery-point:Carts of 2026-11-29 04:00 UTC
              makes the DynamoDB table `Carts-restored-202611290400` in 111122223333 in eu-west-1, with arn:aws:iam::111122223333:role/org-backup-restore
              encrypted with mine
              encryptionType = KMS
              kmsMasterKeyArn = mine
              targetTableName = Carts-restored-202611290400
              note: it is a new table: scaling, point-in-time recovery, streams, TTL, alarms and policies are set up again
              note: its tags are not restored: give it those that a backup policy selects, or it is not backed up
              note: no restore test of the last 30 days is known to have proved a backup of it"]],
    );
}

#[test]
fn in_another_account_a_table_keeps_its_name_and_loses_its_key() {
    let (mut point, metadata) = each("DynamoDB");
    point.vault = central();
    let wish = wish(vault(NEW, HERE, "org-backup"));
    expect![[r"
        DynamoDB table of arn:aws:dynamodb:eu-west-1:111122223333:table/Carts
          from the recovery point arn:aws:backup:eu-west-1:111122223333:recovery-point:Carts of 2026-11-29 04:00 UTC
          copies it from `central` in 444455556666 in eu-west-1 to `org-backup` in 777788889999 in eu-west-1, with arn:aws:iam::444455556666:role/org-backup-copy, kept as long as the original
          makes the DynamoDB table `Carts` in 777788889999 in eu-west-1, with arn:aws:iam::777788889999:role/org-backup-restore
          encrypted with a key that DynamoDB owns
          encryptionType = Default
          targetTableName = Carts
          note: kmsMasterKeyArn was mine, which is not there: it is left out, and another key is used
          note: it is a new table: scaling, point-in-time recovery, streams, TTL, alarms and policies are set up again
          note: its tags are not restored: give it those that a backup policy selects, or it is not backed up
          note: no restore test of the last 30 days is known to have proved a backup of it"]]
    .assert_eq(&told(planned(&point, &wish, metadata)));
}

#[test]
fn an_instance_goes_to_another_account_with_a_network_of_that_account_only() {
    let elsewhere = vault(NEW, HERE, "org-backup");
    check(
        "EC2",
        elsewhere.clone(),
        &[],
        expect![[r#"
            a EC2 instance needs SubnetId, and subnet-1 is not there; hint: name one with --set SubnetId=…
            a EC2 instance needs SecurityGroupIds, and ["sg-1"] is not there; hint: name one with --set SecurityGroupIds=…"#]],
    );
    check(
        "EC2",
        elsewhere,
        &[("subnetid", "subnet-9"), ("securitygroupids", "[\"sg-9\"]")],
        expect![[r#"
            EC2 instance of arn:aws:ec2:eu-west-1:111122223333:instance/i-1
              from the recovery point arn:aws:backup:eu-west-1:111122223333:recovery-point:i-1 of 2026-11-29 04:00 UTC
              copies it from `org-backup` in 111122223333 in eu-west-1 to `org-backup` in 777788889999 in eu-west-1, with arn:aws:iam::111122223333:role/org-backup-copy, kept as long as the original
              makes a new EC2 instance in 777788889999 in eu-west-1, with arn:aws:iam::777788889999:role/org-backup-restore
              encrypted with the keys of the snapshots in its image, which are that of the vault if it was copied
              InstanceType = m7g.large
              securitygroupids = ["sg-9"]
              subnetid = subnet-9
              note: VpcId was vpc-1, which is not there: it is left out, and AWS chooses what is the default in the account
              note: IamInstanceProfileName was web, which is not there: it is left out, and it gets none
              note: the key pair is the one inside the image, even if the account has another one
              note: the private and the public address are new; the subnet decides whether there is a public one
              note: user data is not restored
              note: no restore test of the last 30 days is known to have proved a backup of it"#]],
    );
}

#[test]
fn what_recover_advises_has_its_own_options() {
    let goal = vault(NEW, HERE, "org-backup");
    let (instance, metadata) = each("EC2");
    let hindrances = planned(&instance, &wish(goal.clone()), metadata).unwrap_err();
    let by = RestoringCommand::Recover { point: &instance.arn, goal: &goal };
    expect![[r#"
        a EC2 instance needs SubnetId, and subnet-1 is not there; hint: name one with --set EC2.SubnetId=…
        a EC2 instance needs SecurityGroupIds, and ["sg-1"] is not there; hint: name one with --set EC2.SecurityGroupIds=…"#]]
    .assert_eq(&hindrances.iter().map(|it| it.advised(by)).collect::<Vec<_>>().join("\n"));
    let taken = Hindrance::NameTaken { kind: RestoredKind::S3, name: "reports".to_owned() };
    expect!["restore it alone: `org-backup restore arn:aws:backup:eu-west-1:111122223333:recovery-point:i-1 --account 777788889999 --region eu-west-1 --name …`"]
        .assert_eq(&taken.hint(by));
}

#[test]
fn where_it_was_an_instance_keeps_its_network_and_its_profile_and_who_may_pass_it_is_told() {
    let (point, metadata) = each("EC2");
    let plan = planned(&point, &wish(own()), metadata.clone()).unwrap();
    assert_eq!(plan.settings, metadata);
    let told = plan.lines().join("\n");
    assert!(told.contains("IamInstanceProfileName is web: the role for restores"), "{told}");
}

#[test]
fn what_aws_backup_remembers_and_does_not_take_is_left_out() {
    let (instance, mut metadata) = each("EC2");
    metadata.insert("NetworkInterfaces".to_owned(), "[{}]".to_owned());
    metadata.insert("KeyName".to_owned(), "laptop".to_owned());
    metadata.insert("InformationalOnly:Tenancy".to_owned(), "default".to_owned());
    let here = planned(&instance, &wish(own()), metadata.clone()).unwrap().settings;
    assert_eq!(get(&here, "NetworkInterfaces"), None);
    assert!(here.keys().all(|it| !it.starts_with("Informational")));
    assert_eq!((get(&here, "SubnetId"), get(&here, "KeyName")), (Some("subnet-1"), Some("laptop")));
    // Interfaces that somebody names have subnet and groups inside, and no other account has the key pair.
    let set = pairs(&[("NetworkInterfaces", "[{\"SubnetId\":\"subnet-9\"}]")]);
    let wish_there = RestoreRequest { set, ..wish(vault(NEW, HERE, "org-backup")) };
    let there = planned(&instance, &wish_there, metadata).unwrap().settings;
    assert!(["SubnetId", "SecurityGroupIds", "KeyName"].iter().all(|it| get(&there, it).is_none()));

    let (database, mut metadata) = each("RDS");
    metadata.insert("DBSnapshotIdentifier".to_owned(), "awsbackup:job-1".to_owned());
    metadata.insert("DBParameterGroupName".to_owned(), "default.postgres16".to_owned());
    let set = pairs(&[("DBSubnetGroupName", "new")]);
    let wish = RestoreRequest { set, ..wish(vault(NEW, HERE, "org-backup")) };
    let there = planned(&database, &wish, metadata).unwrap().settings;
    assert_eq!(get(&there, "DBSnapshotIdentifier"), None);
    assert_eq!(
        get(&there, "DBParameterGroupName"),
        Some("default.postgres16"),
        "every account has it"
    );
}

#[test]
fn a_database_takes_two_copies_to_another_account_and_region_and_the_first_stays_in_the_account() {
    let (mut point, metadata) = each("RDS");
    point.vault = central();
    let goal = vault(NEW, THERE, "org-backup");
    let wish = RestoreRequest { set: pairs(&[("DBSubnetGroupName", "new")]), ..wish(goal.clone()) };
    let plan = planned(&point, &wish, metadata).unwrap();
    let hops: Vec<_> = plan.hops.iter().map(|it| (it.from.clone(), it.to.clone())).collect();
    let between = vault(CENTRAL, THERE, "central");
    assert_eq!(hops, [(central(), between.clone()), (between, goal)]);
    assert!(plan.hops.iter().all(|it| it.role.as_str().contains(CENTRAL)));
    assert_ne!(plan.copy_token(&plan.hops[0]), plan.copy_token(&plan.hops[1]));
    assert_eq!(get(&plan.settings, "DBParameterGroupName"), None);
    // What anybody may copy both ways at once takes one.
    let (mut volume, _) = each("EBS");
    volume.vault = central();
    let set = pairs(&[("availabilityZone", "eu-north-1a")]);
    let wish = RestoreRequest { set, ..wish };
    assert_eq!(planned(&volume, &wish, BTreeMap::new()).unwrap().hops.len(), 1);
}

#[test]
fn every_type_is_restored_from_its_own_vault_and_from_the_central_copy_or_says_why_not() {
    let elsewhere = pairs(&[
        ("DBSubnetGroupName", "new"),
        ("SubnetId", "subnet-9"),
        ("SecurityGroupIds", "[\"sg-9\"]"),
        ("SubnetIds", "[\"subnet-9\"]"),
        ("DestinationDatabase", "archive"),
        ("clusterVpcConfig", "{}"),
        ("clusterRole", "arn:aws:iam::777788889999:role/eks"),
    ]);
    for (kind, resource, settings) in EACH {
        let local = point(kind, resource, own());
        let (set, overwrite) = needed(local.kind().unwrap());
        let wished = RestoreRequest { set: set.clone(), overwrite, ..wish(own()) };
        let here = planned(&local, &wished, pairs(settings));
        if local.kind() == Some(RestoredKind::SapHana) {
            assert!(matches!(&here.unwrap_err()[..], [Hindrance::ByHand(_)]), "{kind}");
            continue;
        }
        let here = here.unwrap_or_else(|it| panic!("{kind}: {it:?}"));
        assert_eq!(here.hops, [], "{kind}");
        let copied = point(kind, resource, central());
        let set = elsewhere.clone().into_iter().chain(set).collect();
        let goal = vault(NEW, HERE, "org-backup");
        let there = planned(&copied, &RestoreRequest { goal, set, ..wished }, pairs(settings));
        let is_never = |it: &&str| resource.ends_with(it);
        if ["cluster:facts", "/fsvol-1", "cluster:spread", "namespace/5b1e"].iter().any(is_never) {
            let [Hindrance::Copy(_), ..] = &there.unwrap_err()[..] else { panic!("{kind}") };
            continue;
        }
        let there = there.unwrap_or_else(|it| panic!("{kind}: {it:?}"));
        assert_eq!(there.hops.len(), 1, "{kind}");
        for (key, value) in &there.settings {
            assert!(
                !["mine", "private", "subnet-1", "[\"sg-1\"]"].contains(&value.as_str()),
                "{key}"
            );
        }
        assert!(!there.afterwards().is_empty(), "{kind}");
        assert_ne!(here.restore_token(), there.restore_token(), "{kind}");
    }
}

/// The settings of a restore that succeeds.
fn chosen(kind: &str, goal: Destination, set: &[(&str, &str)]) -> Vec<(String, String)> {
    let (point, metadata) = each(kind);
    let wish = RestoreRequest { set: pairs(set), ..wish(goal) };
    planned(&point, &wish, metadata).unwrap().settings.into_iter().collect()
}

fn texts(all: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs(all).into_iter().collect()
}

#[test]
fn a_table_of_timestream_needs_a_database_that_is_there_and_a_time_for_which_it_keeps_data() {
    let kept = [
        ("MemoryStoreRetentionPeriodInHours", "24"),
        ("MagneticStoreRetentionPeriodInDays", "365"),
    ];
    check(
        "Timestream",
        own(),
        &kept,
        expect![[r"
            Timestream table of arn:aws:timestream:eu-west-1:111122223333:database/d/table/t
              from the recovery point arn:aws:backup:eu-west-1:111122223333:recovery-point:t of 2026-11-29 04:00 UTC
              makes the Timestream table `t-restored-202611290400` in 111122223333 in eu-west-1, with arn:aws:iam::111122223333:role/org-backup-restore
              encrypted with the key of its database
              DestinationDatabase = d
              MagneticStoreRetentionPeriodInDays = 365
              MemoryStoreRetentionPeriodInHours = 24
              TableName = t-restored-202611290400
              note: data that is older than the retention of the magnetic store is lost: let it be no shorter than that of the source
              note: its tags are not restored: give it those that a backup policy selects, or it is not backed up
              note: no restore test of the last 30 days is known to have proved a backup of it"]],
    );
    check(
        "Timestream",
        vault(NEW, HERE, "org-backup"),
        &[],
        expect![[r"
            a Timestream table needs DestinationDatabase; hint: name one with --set DestinationDatabase=…
            a Timestream table needs MemoryStoreRetentionPeriodInHours; hint: name one with --set MemoryStoreRetentionPeriodInHours=…
            a Timestream table needs MagneticStoreRetentionPeriodInDays; hint: name one with --set MagneticStoreRetentionPeriodInDays=…"]],
    );
    // What AWS Backup remembers of these is kept, and what else it remembers is not handed back.
    let remembered = pairs(&kept).into_iter().chain(pairs(&[("SourceTable", "t")])).collect();
    let plan = planned(&each("Timestream").0, &wish(own()), remembered).unwrap();
    assert_eq!(get(&plan.settings, "MagneticStoreRetentionPeriodInDays"), Some("365"));
    assert_eq!(get(&plan.settings, "SourceTable"), None);
}

#[test]
fn a_cluster_of_aurora_dsql_is_restored_in_one_region_unless_several_are_named() {
    let one = texts(&[("regionalConfig", "[{\"region\":\"eu-west-1\"}]")]);
    assert_eq!(chosen("Aurora DSQL", own(), &[]), one, "it does not hand back `cluster_id`");
    assert_eq!(chosen("Aurora DSQL", vault(NEW, HERE, "org-backup"), &[]), one);
    let there = texts(&[("regionalConfig", "[{\"region\":\"eu-north-1\"}]")]);
    assert_eq!(chosen("Aurora DSQL", vault(NEW, THERE, "org-backup"), &[]), there);
    let several = [
        ("peerRegion", "[\"eu-west-2\"]"),
        ("regionalConfig", "[]"),
        ("useMultiRegionOrchestration", "true"),
        ("witnessRegion", "eu-west-3"),
    ];
    assert_eq!(chosen("Aurora DSQL", own(), &several), texts(&several));
    // Its own Region is not the answer to which Regions a cluster in several is in.
    check(
        "Aurora DSQL",
        own(),
        &[("usemultiregionorchestration", "True")],
        expect![
            "a Aurora DSQL cluster needs regionalConfig; hint: name one with --set regionalConfig=…"
        ],
    );
    let alone = ("useMultiRegionOrchestration", "false");
    let settings = chosen("Aurora DSQL", own(), &[alone]);
    assert_eq!(settings, [one, texts(&[alone])].concat());
}

#[test]
fn a_volume_of_a_gateway_becomes_one_of_ebs_or_of_a_gateway_that_is_named() {
    let zone = [("availabilityZone", "eu-west-1a")];
    assert_eq!(chosen("Storage Gateway", own(), &zone), texts(&zone));
    let (point, metadata) = each("Storage Gateway");
    let goal = own();
    let by = RestoringCommand::Recover { point: &point.arn, goal: &goal };
    let unsaid = planned(&point, &wish(own()), metadata).unwrap_err();
    assert_eq!(unsaid[0].hint(by), "name one with --set 'Storage Gateway.availabilityZone=…'");
    check(
        "Storage Gateway",
        own(),
        &[],
        expect![
            "a Storage Gateway volume needs availabilityZone; hint: name one with --set availabilityZone=…"
        ],
    );
    let gateway = ("gatewayArn", "sgw-9");
    check(
        "Storage Gateway",
        own(),
        &[gateway],
        expect![[r"
            a Storage Gateway volume needs gatewayType; hint: name one with --set gatewayType=…
            a Storage Gateway volume needs targetName; hint: name one with --set targetName=…"]],
    );
    let all = [gateway, ("gatewayType", "BACKUP_VM"), ("targetName", "disk")];
    assert_eq!(chosen("Storage Gateway", own(), &all), texts(&all));
    // What a volume of EBS has is nothing that a gateway takes.
    let of_ebs = [("encrypted", "true"), ("iops", "3000"), ("throughput", "125")];
    let of_ebs = [&of_ebs[..], &[("volumeType", "gp3")]].concat();
    let settings = |set: &[(&str, &str)]| {
        let wish = RestoreRequest { set: pairs(set), ..wish(own()) };
        planned(&point, &wish, pairs(&of_ebs)).unwrap().settings
    };
    assert_eq!(settings(&all), pairs(&all));
    assert_eq!(settings(&zone), pairs(&[&zone[..], &of_ebs].concat()));
}

#[test]
fn a_cluster_with_instances_of_its_own_needs_their_class_and_their_storage() {
    let arn = "arn:aws:rds:eu-west-1:111122223333:cluster:spread";
    let told = |set: &[(&str, &str)]| {
        let wish = RestoreRequest { set: pairs(set), ..wish(own()) };
        told(planned(&point("RDS", arn, own()), &wish, BTreeMap::new()))
    };
    expect![[r"
        a Multi-AZ DB cluster of RDS needs Engine; hint: name one with --set Engine=…
        a Multi-AZ DB cluster of RDS needs DBClusterInstanceClass; hint: name one with --set DBClusterInstanceClass=…
        a Multi-AZ DB cluster of RDS needs StorageType; hint: name one with --set StorageType=…
        a Multi-AZ DB cluster of RDS needs Iops; hint: name one with --set Iops=…"]]
    .assert_eq(&told(&[]));
    let set = [("Engine", "mysql"), ("DBClusterInstanceClass", "db.r6gd.large")];
    let slow = told(&[&set[..], &[("StorageType", "io1")]].concat());
    assert!(slow.ends_with("needs Iops; hint: name one with --set Iops=…"), "{slow}");
    let plan = told(&[&set[..], &[("StorageType", "gp3")]].concat());
    assert!(plan.contains("DBClusterIdentifier = spread-restored-202611290400"), "{plan}");
    let wished = RestoreRequest { set: pairs(&set), ..wish(vault(NEW, HERE, "org-backup")) };
    let there = planned(&point("RDS", arn, central()), &wished, BTreeMap::new()).unwrap_err();
    assert!(matches!(&there[..], [Hindrance::Copy(_), ..]), "{there:?}");
    assert!(RestoredKind::Rds.is_meant("RDS", "StorageType"), "it takes no setting from instances");
    // What AWS Backup remembers is not asked for, and RDS chooses the zones.
    let remembered = pairs(&[
        ("AvailabilityZones", "[\"eu-west-1a\"]"),
        ("DBClusterInstanceClass", "db.r6gd.large"),
        ("Engine", "mysql"),
        ("StorageType", "gp3"),
    ]);
    let long = format!("{}-{}", arn, "d".repeat(50));
    let plan = planned(&point("RDS", &long, own()), &wish(own()), remembered).unwrap();
    assert_eq!(get(&plan.settings, "AvailabilityZones"), None);
    assert_eq!(plan.name.map(|it| it.len()), Some(52));
}

#[test]
fn a_request_has_the_type_where_aws_documents_one() {
    for (name, resource, _) in EACH {
        let kind = RestoredKind::of(resource, Some(name)).unwrap();
        let is_listed = !["Aurora DSQL", "Redshift Serverless"].contains(&name);
        assert_eq!(kind.requested_as(), is_listed.then_some(name));
    }
}

#[test]
fn the_template_of_a_stack_makes_a_change_set_that_somebody_names() {
    check(
        "CloudFormation",
        vault(NEW, HERE, "org-backup"),
        &[],
        expect![
            "a CloudFormation stack needs ChangeSetName; hint: name one with --set ChangeSetName=…"
        ],
    );
    let set = ("ChangeSetName", "back");
    let there = [set, ("StackName", "web"), ("StackParameters", "[]")];
    assert_eq!(chosen("CloudFormation", vault(NEW, HERE, "org-backup"), &[set]), texts(&there));
    let here = [set, ("StackName", "web-restored-202611290400"), ("StackParameters", "[]")];
    assert_eq!(chosen("CloudFormation", own(), &[set]), texts(&here));
}

#[test]
fn of_a_stack_the_parts_are_restored_and_not_the_whole() {
    let (template, metadata) = each("CloudFormation");
    let template = KeptPoint { copied_from: Some(own().arn("aws")), vault: central(), ..template };
    let whole = KeptPoint { arn: "whole".to_owned(), is_parent: true, ..template.clone() };
    expect!["it is the whole backup of a stack, of which AWS restores the parts only; hint: restore its parts that `org-backup points` shows: the one of the stack is its template"]
        .assert_eq(&told(planned(&whole, &wish(central()), metadata)));
    assert!(whole.restorable(now()).starts_with("nowhere: it is the whole backup"));
    let part = |it: KeptPoint| KeptPoint { parent: Some("whole".to_owned()), ..it };
    let all = newest([whole, part(template), part(volume("a", 2))], None);
    let arns: Vec<_> = all.iter().map(|it| it.point.arn.as_str()).collect();
    assert_eq!(arns, ["a-2", "arn:aws:backup:eu-west-1:111122223333:recovery-point:7a0c"]);
    assert!(all.iter().all(|it| it.hindrance.is_none() && it.passed_over.is_none()));
}

#[test]
fn a_namespace_is_replaced_only_if_its_name_is_typed() {
    let (point, metadata) = each("Redshift Serverless");
    let outcome = |overwrite: Option<&str>, set: &[(&str, &str)]| {
        let overwrite = overwrite.map(ToOwned::to_owned);
        let wish = RestoreRequest { overwrite, set: pairs(set), ..wish(own()) };
        planned(&point, &wish, metadata.clone())
    };
    let named = [("NamespaceIdentifier", "facts")];
    expect!["a Redshift Serverless namespace is restored into one that exists, and replaces all that is in it; hint: make an empty namespace with a workgroup and type its name, or that of one that may be replaced: --overwrite …"]
        .assert_eq(&told(outcome(None, &[])));
    expect!["a Redshift Serverless namespace is restored into one that exists, and replaces all that is in it, here in `facts`; hint: make an empty namespace with a workgroup and type its name, or that of one that may be replaced: --overwrite facts"]
        .assert_eq(&told(outcome(None, &named)));
    let other = outcome(Some("sales"), &named).unwrap_err();
    assert!(matches!(&other[..], [Hindrance::NotTyped { name, .. }] if name == "facts"));
    let plan = outcome(Some("facts"), &[]).unwrap();
    let settings = [named[0], ("RestoreType", "NAMESPACE_RESTORE")];
    assert_eq!(plan.settings, pairs(&settings), "it does not hand back `namespaceName`");
    assert_eq!(plan.overwrites.as_deref(), Some("facts"));
    assert!(!plan.copies_tags, "AWS has no example of that");
    let words = "replaces all that is in the Redshift Serverless namespace `facts`, which exists";
    assert_eq!(plan.makes(), words);
    // Nobody types that for a whole account.
    let goal = own();
    let by = RestoringCommand::Recover { point: "POINT", goal: &goal };
    expect!["restore it alone: `org-backup restore POINT --account 111122223333 --region eu-west-1 --overwrite …`"]
        .assert_eq(&outcome(None, &[]).unwrap_err()[0].hint(by));
}

#[test]
fn a_cluster_of_eks_is_made_anew_or_gets_what_it_lacks_if_its_name_is_typed() {
    let (point, metadata) = each("EKS");
    let outcome = |goal: Destination, overwrite: Option<&str>, metadata: &BTreeMap<_, _>| {
        let wish = RestoreRequest { overwrite: overwrite.map(ToOwned::to_owned), ..wish(goal) };
        planned(&point, &wish, metadata.clone())
    };
    let there = || vault(NEW, HERE, "org-backup");
    let new = outcome(own(), None, &metadata).unwrap().settings;
    assert_eq!(
        new,
        pairs(&[("clusterName", "prod-restored-202611290400"), ("newCluster", "true")])
    );
    let typed = outcome(own(), Some("prod"), &metadata).unwrap();
    assert_eq!(typed.settings, pairs(&[("clusterName", "prod"), ("newCluster", "false")]));
    assert_eq!(typed.overwrites.as_deref(), Some("prod"));
    let other = outcome(there(), Some("stage"), &metadata).unwrap().settings;
    assert_eq!(other, pairs(&[("clusterName", "stage"), ("newCluster", "false")]));
    expect![[r"
        a EKS cluster needs clusterVpcConfig; hint: name one with --set clusterVpcConfig=…
        a EKS cluster needs clusterRole; hint: name one with --set clusterRole=…"]]
    .assert_eq(&told(outcome(there(), None, &metadata)));
    // A cluster with node groups needs them again.
    let nodes = pairs(&[("nodeGroups", "[1]")]);
    let with = told(outcome(there(), None, &nodes));
    assert!(with.contains("needs nodeGroups, and [1] is not there"), "{with}");
    assert_eq!(get(&outcome(own(), None, &nodes).unwrap().settings, "nodeGroups"), Some("[1]"));
}

#[test]
fn a_virtual_machine_comes_back_where_somebody_says() {
    let ec2 = [("RestoreTo", "EC2Instance")];
    check(
        "VirtualMachine",
        own(),
        &[],
        expect!["a virtual machine needs RestoreTo; hint: name one with --set RestoreTo=…"],
    );
    assert_eq!(chosen("VirtualMachine", own(), &ec2), texts(&ec2));
    check(
        "VirtualMachine",
        own(),
        &[("RestoreTo", "VMware")],
        expect![[r"
            a virtual machine needs HypervisorArn; hint: name one with --set HypervisorArn=…
            a virtual machine needs VMName; hint: name one with --set VMName=…
            a virtual machine needs VMPath; hint: name one with --set VMPath=…
            a virtual machine needs ComputeResourceName; hint: name one with --set ComputeResourceName=…
            a virtual machine needs VMDatastore; hint: name one with --set VMDatastore=…"]],
    );
}

#[test]
fn a_database_of_sap_hana_is_restored_by_hand() {
    check(
        "SAP HANA on Amazon EC2",
        own(),
        &[],
        expect![
            "a SAP HANA database is restored by hand: it overwrites a database that is registered and stopped, with rights of Systems Manager for SAP that the roles here do not have; hint: restore it in the console of AWS Backup, as docs/recovery.md says"
        ],
    );
}

#[test]
fn nothing_that_exists_is_written_into_unless_its_name_is_typed() {
    let (point, metadata) = each("S3");
    let outcome = |name: Option<&str>, overwrite: Option<&str>, set: &[(&str, &str)]| {
        let wish = RestoreRequest {
            name: name.map(ToOwned::to_owned),
            overwrite: overwrite.map(ToOwned::to_owned),
            set: pairs(set),
            ..wish(own())
        };
        planned(&point, &wish, metadata.clone())
    };
    let new = outcome(None, None, &[]).unwrap();
    assert_eq!(new.name.as_deref(), Some("reports-restored-202611290400"));
    assert_eq!(get(&new.settings, "NewBucket"), Some("true"));
    let taken = outcome(Some("reports"), None, &[]).unwrap_err();
    assert!(matches!(&taken[..], [Hindrance::NameTaken { .. }]), "{taken:?}");
    let sly = outcome(None, None, &[("newbucket", "false")]).unwrap_err();
    assert!(matches!(&sly[..], [Hindrance::NotTyped { .. }]), "{sly:?}");
    let typed = outcome(None, Some("reports"), &[]).unwrap();
    assert_eq!(typed.overwrites.as_deref(), Some("reports"));
    assert_eq!(get(&typed.settings, "NewBucket"), Some("false"));
    assert_eq!(get(&typed.settings, "DestinationBucketName"), Some("reports"));
    // The name that is typed has to be the one that is written into.
    let destination = [("destinationbucketname", "archive")];
    for other in [
        outcome(Some("archive"), Some("reports"), &[]),
        outcome(None, Some("reports"), &destination),
        outcome(Some("reports"), Some("reports"), &destination),
    ] {
        let told = other.unwrap_err();
        assert!(
            matches!(&told[..], [Hindrance::NotTyped { name, .. }] if name == "archive"),
            "{told:?}"
        );
    }
    let same = outcome(None, Some("archive"), &destination).unwrap();
    assert_eq!(same.overwrites.as_deref(), Some("archive"));
    let named = outcome(Some("reports-2"), None, &destination).unwrap();
    assert_eq!(named.name.as_deref(), Some("archive"), "the plan shows what AWS gets");
}

#[test]
fn a_setting_that_is_named_twice_is_refused_whichever_of_the_two_says_what() {
    let told = |kind: &str, set: &[(&str, &str)], overwrite: Option<&str>| {
        let (point, metadata) = each(kind);
        let overwrite = overwrite.map(ToOwned::to_owned);
        let wish = RestoreRequest { set: pairs(set), overwrite, ..wish(own()) };
        planned(&point, &wish, metadata).unwrap_err()
    };
    let twice = |first: &str, second: &str| Hindrance::NamedTwice {
        first: first.to_owned(),
        second: second.to_owned(),
    };
    let new = twice("NewBucket", "newbucket");
    let sly = told("S3", &[("NewBucket", "true"), ("newbucket", "false")], None);
    assert_eq!(sly, std::slice::from_ref(&new));
    let other = told("S3", &[("NewBucket", "false"), ("newbucket", "true")], None);
    assert!(other.contains(&new), "{other:?}");
    let typed = [("NamespaceIdentifier", "facts"), ("namespaceidentifier", "sales")];
    let namespace = told("Redshift Serverless", &typed, Some("facts"));
    assert_eq!(namespace, [twice("NamespaceIdentifier", "namespaceidentifier")]);
    expect!["one setting is named twice, as `NewBucket` and as `newbucket`; hint: name it once: the case of its letters does not count"]
        .assert_eq(&new.advised(RestoringCommand::Restore));
}

#[test]
fn no_part_of_a_cluster_is_written_into_something_that_exists() {
    let part = "arn:aws:backup:eu-west-1:111122223333:recovery-point:1";
    let outcome = |settings: &Value| {
        let (point, metadata) = each("EKS");
        let nested = json!({ part: settings }).to_string();
        let set = pairs(&[("NestedRestoreJobs", nested.as_str())]);
        planned(&point, &RestoreRequest { set, ..wish(own()) }, metadata)
    };
    for (key, settings) in [
        ("NewBucket", json!({ "DestinationBucketName": "reports", "NewBucket": false })),
        ("NewBucket", json!({ "newbucket": "False" })),
        ("NewBucket", json!({ "destinationBucketName": "reports" })),
        ("newFileSystem", json!([{ "NEWFILESYSTEM": "false", "file-system-id": "fs-1" }])),
        // Scripts hand over the settings of a part as a text.
        ("newFileSystem", json!("{\"newFileSystem\":\"false\"}")),
        ("newCluster", json!({ "more": { "newCluster": null } })),
    ] {
        let hindrance = Hindrance::PartNotNew { part: part.to_owned(), key };
        assert_eq!(outcome(&settings).unwrap_err(), [hindrance], "{settings}");
    }
    for settings in [
        json!({ "DestinationBucketName": "reports-2", "NewBucket": true }),
        json!("{\"newFileSystem\":\"true\",\"Encrypted\":\"true\"}"),
        json!({ "availabilityZone": "eu-west-1a" }),
    ] {
        assert!(outcome(&settings).is_ok(), "{settings}");
    }
    expect!["`arn:aws:backup:eu-west-1:111122223333:recovery-point:1` would be written into something that exists, as NewBucket is not true there; hint: say there that NewBucket is true, or restore that part alone and type the name"]
        .assert_eq(&told(outcome(&json!({ "NewBucket": "false" }))));
}

#[test]
fn a_file_system_is_restored_into_itself_only_and_a_new_one_is_made_once() {
    let (point, metadata) = each("EFS");
    let overwriting = |name: &str, goal: Destination| {
        let wish = RestoreRequest { overwrite: Some(name.to_owned()), ..wish(goal) };
        planned(&point, &wish, metadata.clone())
    };
    let same = overwriting("fs-1", own()).unwrap();
    assert_eq!(get(&same.settings, "newFileSystem"), Some("false"));
    assert!(overwriting("fs-9", own()).is_err());
    assert!(overwriting("fs-1", vault(NEW, HERE, "org-backup")).is_err());
    let new = |again: &str| {
        let wish = RestoreRequest { again: again.to_owned(), ..wish(own()) };
        let plan = planned(&point, &wish, metadata.clone()).unwrap();
        get(&plan.settings, "CreationToken").unwrap().to_owned()
    };
    assert_eq!(new(""), new(""));
    assert_ne!(new(""), new("2"));
    assert!(new("").len() <= 64);
}

#[test]
fn what_has_a_name_does_not_take_that_of_what_is_there() {
    let (point, metadata) = each("RDS");
    let named = |name: &str| {
        let wish = RestoreRequest { name: Some(name.to_owned()), ..wish(own()) };
        planned(&point, &wish, metadata.clone())
    };
    assert!(matches!(&named("Ledger").unwrap_err()[..], [Hindrance::NameTaken { .. }]));
    assert!(matches!(&named(&"l".repeat(64)).unwrap_err()[..], [Hindrance::NameUnfit { .. }]));
    assert_eq!(named("ledger-2").unwrap().name.as_deref(), Some("ledger-2"));
    let (volume, metadata) = each("EBS");
    let wish = RestoreRequest { name: Some("data".to_owned()), ..wish(own()) };
    let nameless = planned(&volume, &wish, metadata).unwrap_err();
    assert!(matches!(&nameless[..], [Hindrance::Nameless { .. }]), "{nameless:?}");
}

#[test]
fn a_long_name_is_cut_so_that_the_moment_fits() {
    let resource = format!("arn:aws:rds:eu-west-1:111122223333:db:{}", "a".repeat(63));
    let plan = planned(&point("RDS", &resource, own()), &wish(own()), BTreeMap::new()).unwrap();
    let name = plan.name.unwrap();
    assert_eq!(name.len(), 63);
    assert!(name.ends_with("a-restored-202611290400"), "{name}");
}

#[test]
fn what_is_over_partial_or_changing_is_neither_restored_nor_copied() {
    let (fine, metadata) = each("EBS");
    let outcome = |point: KeptPoint| told(planned(&point, &wish(own()), metadata.clone()));
    let with = |status| KeptPoint { status, told: "no space".to_owned(), ..fine.clone() };
    assert!(outcome(with(PointStatus::Partial)).starts_with("parts of it are missing (no space)"));
    assert!(outcome(with(PointStatus::Changing)).starts_with("it is being made or deleted"));
    assert!(outcome(with(PointStatus::Expired)).contains("take another one"));
    let over = KeptPoint { delete_at: Some(now() - HOUR), ..fine.clone() };
    expect![
        "its retention ended at 2026-11-30 02:00 UTC; hint: take another one that `org-backup \
             points` shows"
    ]
    .assert_eq(&outcome(over));
    let soon = KeptPoint { delete_at: Some(now() + HOUR), ..fine.clone() };
    assert!(outcome(soon).contains("is deleted at 2026-11-30 04:00 UTC: restore it before"));
}

#[test]
fn a_backup_that_dynamodb_itself_has_is_restored_where_it_is_and_not_copied() {
    let (table, metadata) = each("DynamoDB");
    let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/carts/backup/01733000000000-9f3b21c4";
    let of_dynamodb = KeptPoint { arn: arn.to_owned(), ..table };
    assert_eq!(of_dynamodb.restorable(now()), "in 111122223333 in eu-west-1");
    assert!(planned(&of_dynamodb, &wish(own()), metadata.clone()).is_ok());
    let elsewhere = planned(&of_dynamodb, &wish(vault(NEW, HERE, "org-backup")), metadata);
    assert_eq!(elsewhere, Err(vec![Hindrance::Copy(Obstacle::NotCopied)]));
}

#[test]
fn nothing_is_copied_from_cold_storage_nor_a_continuous_backup() {
    let goal = vault(NEW, HERE, "org-backup");
    let (volume, metadata) = each("EBS");
    let cold = KeptPoint { cold_at: Some(now() - DAY), ..volume };
    assert_eq!(planned(&cold, &wish(goal.clone()), metadata.clone()), Err(vec![cold.coldness()]));
    assert!(told(planned(&cold, &wish(own()), metadata)).contains("about 4 hours more"));
    let (bucket, metadata) = each("S3");
    let continuous = KeptPoint { is_continuous: true, ..bucket };
    let set = pairs(&[("RestoreTime", "2026-11-29T10:00:00Z")]);
    let outcome = |goal| {
        let wish = RestoreRequest { set: set.clone(), ..wish(goal) };
        planned(&continuous, &wish, metadata.clone())
    };
    assert_eq!(outcome(goal), Err(vec![Hindrance::Continuous]));
    assert!(outcome(own()).is_ok());
    let unsaid = told(planned(&continuous, &wish(own()), metadata.clone()));
    assert_eq!(unsaid, "a S3 bucket needs RestoreTime; hint: name one with --set RestoreTime=…");
}

#[test]
fn a_continuous_backup_of_a_database_is_restored_to_its_last_moment_or_to_the_one_that_is_named() {
    let (database, metadata) = each("RDS");
    let continuous = KeptPoint { is_continuous: true, ..database };
    let plan = |set: &[(&str, &str)]| {
        let wish = RestoreRequest { set: pairs(set), ..wish(own()) };
        planned(&continuous, &wish, metadata.clone()).unwrap().settings
    };
    assert_eq!(get(&plan(&[]), "UseLatestRestorableTime"), Some("true"));
    let named = plan(&[("RestoreTime", "2026-11-29T10:00:00Z")]);
    assert_eq!(get(&named, "UseLatestRestorableTime"), None);
    let told = planned(&continuous, &wish(own()), metadata.clone()).unwrap().remarks.join(" ");
    assert!(told.contains("restored to the last moment"), "{told}");
    assert_eq!(get(&named, "RestoreTime"), Some("2026-11-29T10:00:00Z"));
}

/// What is said when a vault on the way is like this.
fn with_vault(change: impl Fn(&mut Found<Vault>)) -> Vec<String> {
    let (point, metadata) = each("EBS");
    let wish = wish(vault(NEW, HERE, "org-backup"));
    let mut seen = seen(&point, &wish, metadata);
    change(seen.vaults.get_mut(&wish.goal.arn("aws")).unwrap());
    let all = plan(&point, &wish, &seen, now()).err().unwrap_or_default();
    all.iter().map(|it| it.advised(RestoringCommand::Restore)).collect()
}

fn here(found: &mut Found<Vault>) -> &mut Vault {
    let Found::Here(vault) = found else { panic!("{found:?}") };
    vault
}

#[test]
fn what_is_in_the_way_of_a_copy_says_what_to_do() {
    let one = |change: &dyn Fn(&mut Found<Vault>)| {
        let [told] = with_vault(change).try_into().unwrap();
        told
    };
    let absent = one(&|it| *it = Found::Absent);
    assert!(absent.starts_with("there is no vault `arn:aws:backup:eu-west-1:777788889999"));
    assert!(one(&|it| *it = Found::Unknown).contains("could not be looked at"));
    assert!(one(&|it| here(it).admits = Some(false)).contains("CopyIntoBackupVault"));
    assert!(one(&|it| here(it).key = Key::Aws).contains("a key of AWS"));
    let unusable = one(&|it| here(it).key = Key::Unusable("is pending deletion".to_owned()));
    assert!(unusable.contains("is pending deletion") && unusable.contains("cancel the deletion"));
    let lock = Lock { is_compliance: true, min_days: Some(90), max_days: None };
    let locked = one(&move |it| here(it).lock = Some(lock.clone()));
    assert!(locked.contains("--keep-days"), "{locked}");
    assert_eq!(with_vault(|_| ()), Vec::<String>::new());
}

#[test]
fn a_key_that_cannot_be_used_keeps_what_it_encrypts_from_being_read() {
    let (point, metadata) = each("EBS");
    let wish = wish(own());
    let mut seen = seen(&point, &wish, metadata);
    let vault = here(seen.vaults.get_mut(&own().arn("aws")).unwrap());
    vault.key = Key::Unusable("is disabled".to_owned());
    let all = plan(&point, &wish, &seen, now()).unwrap_err();
    assert!(matches!(&all[..], [Hindrance::Copy(_)]), "{all:?}");
}

#[test]
fn roles_that_are_missing_and_types_that_are_out_are_all_named_at_once() {
    let (point, metadata) = each("EBS");
    let wish = wish(vault(NEW, HERE, "org-backup"));
    let mut seen = seen(&point, &wish, metadata);
    seen.roles.values_mut().for_each(|it| *it = Found::Absent);
    seen.opt_ins = Some([("EBS".parse().unwrap(), false)].into());
    expect![[r"
        there is no role `arn:aws:iam::111122223333:role/org-backup-copy`; hint: roll out the template there, or name a role with --copy-role
        there is no role `arn:aws:iam::777788889999:role/org-backup-restore`; hint: roll out the template to this account, or name another role with --role; in the account that receives copies, it needs CentralRestores
        AWS Backup is not opted in to EBS there; hint: aws backup update-region-settings --resource-type-opt-in-preference 'EBS=true'"]]
    .assert_eq(&told(plan(&point, &wish, &seen, now())));
    // What nobody could judge may be as it should.
    seen.roles.values_mut().for_each(|it| *it = Found::Unknown);
    seen.opt_ins = None;
    assert!(plan(&point, &wish, &seen, now()).is_ok());
}

#[test]
fn the_same_plan_has_the_same_tokens_whenever_it_is_made_and_another_has_others() {
    let (mut point, metadata) = each("EBS");
    point.vault = central();
    let goal = vault(NEW, HERE, "org-backup");
    let wish = wish(goal);
    let seen = seen(&point, &wish, metadata);
    let at = |wish: &RestoreRequest, now| {
        let plan = plan(&point, wish, &seen, now).unwrap();
        (plan.copy_token(&plan.hops[0]), plan.restore_token())
    };
    let first = at(&wish, now());
    assert_eq!(first, at(&wish, now() + 5 * DAY));
    let again = RestoreRequest { again: "2".to_owned(), ..wish.clone() };
    let other = at(&again, now());
    assert!(first.0 != other.0 && first.1 != other.1);
    let set = pairs(&[("volumeType", "gp3")]);
    let other = at(&RestoreRequest { set, ..wish }, now());
    assert!(first.0 == other.0 && first.1 != other.1, "the copy serves both");
}

#[test]
fn a_restore_is_known_again_by_its_settings() {
    let (point, metadata) = each("EBS");
    let plan = planned(&point, &wish(own()), metadata).unwrap();
    let mut theirs = plan.settings.clone();
    theirs.insert("aws:backup:request-id".to_owned(), "1".to_owned());
    assert!(plan.is_restore(&theirs));
    theirs.insert("availabilityZone".to_owned(), "eu-west-1c".to_owned());
    assert!(!plan.is_restore(&theirs));
}

#[test]
fn a_restore_that_only_again_tells_apart_is_known_again() {
    let (point, metadata) = each("EFS");
    let with = |again: &str| {
        let wish = RestoreRequest { again: again.to_owned(), ..wish(own()) };
        planned(&point, &wish, metadata.clone()).unwrap()
    };
    let (first, again) = (with(""), with("2"));
    assert_ne!(first.settings, again.settings, "each has a token of its own");
    assert!(first.is_restore(&again.settings) && again.is_restore(&first.settings));
}

fn newest(points: impl IntoIterator<Item = KeptPoint>, before: Option<SystemTime>) -> Vec<Chosen> {
    newest_into(NEW, points, before)
}

fn newest_into(
    into: &str,
    points: impl IntoIterator<Item = KeptPoint>,
    before: Option<SystemTime>,
) -> Vec<Chosen> {
    let [lost, into] = [OWNER, into].map(|it| it.parse().unwrap());
    let mut newest = Newest::new(lost, into, before, now());
    points.into_iter().for_each(|it| newest.add(it));
    newest.chosen()
}

fn volume(name: &str, hours: u32) -> KeptPoint {
    let resource = format!("arn:aws:ec2:eu-west-1:111122223333:volume/{name}");
    let created = now() - HOUR * hours;
    KeptPoint { created, arn: format!("{name}-{hours}"), ..point("EBS", &resource, central()) }
}

#[test]
fn of_each_resource_the_newest_usable_one_is_taken_or_the_newest_before_a_moment() {
    let all = || [volume("a", 50), volume("a", 2), volume("a", 26), volume("b", 80)];
    let arns = |all: Vec<Chosen>| all.into_iter().map(|it| it.point.arn).collect::<Vec<_>>();
    assert_eq!(arns(newest(all(), None)), ["a-2", "b-80"]);
    assert_eq!(arns(newest(all(), Some(now() - 30 * HOUR))), ["a-50", "b-80"]);
    let partial = KeptPoint { status: PointStatus::Partial, ..volume("a", 1) };
    let [chosen] = newest([partial, volume("a", 3)], None).try_into().unwrap();
    assert_eq!((chosen.point.arn.as_str(), chosen.hindrance), ("a-3", None));
    assert_eq!(chosen.passed_over.unwrap().0.arn, "a-1");
}

#[test]
fn a_cold_copy_is_passed_over_for_a_warm_one_but_in_the_account_that_holds_it() {
    let cold = |hours| KeptPoint { cold_at: Some(now() - HOUR), ..volume("a", hours) };
    let continuous = KeptPoint { is_continuous: true, ..volume("a", 1) };
    let all = || [cold(20), volume("a", 22), cold(21), continuous.clone()];
    let [chosen] = newest(all(), None).try_into().unwrap();
    assert_eq!((chosen.point.arn.as_str(), chosen.hindrance), ("a-22", None));
    let (newer, why) = chosen.passed_over.unwrap();
    assert_eq!((newer.arn.as_str(), why), ("a-20", newer.coldness()));
    let [none] = newest([cold(20)], None).try_into().unwrap();
    assert_eq!(none.point.arn, "a-20");
    assert_eq!(none.hindrance, Some(none.point.coldness()));
    let [held] = newest_into(CENTRAL, all(), None).try_into().unwrap();
    assert_eq!((held.point.arn.as_str(), held.hindrance), ("a-20", None));
    assert_eq!(held.passed_over, None, "snapshots are beside a continuous backup as a rule");
}

#[test]
fn what_cannot_be_restored_is_named_with_its_reason() {
    let over = KeptPoint { delete_at: Some(now() - DAY), ..volume("a", 900) };
    let [chosen] = newest([over], None).try_into().unwrap();
    assert!(matches!(chosen.hindrance, Some(Hindrance::Over { .. })));
}

#[test]
fn the_resources_of_others_and_parts_of_what_is_restored_as_a_whole_are_left_out() {
    let mut other = volume("a", 1);
    other.resource = other.resource.replace(OWNER, NEW);
    let whole = "arn:aws:backup:eu-west-1:111122223333:recovery-point:composite:eks/prod-1";
    let part = KeptPoint { parent: Some(whole.to_owned()), ..volume("b", 1) };
    let bucket = point("S3", "arn:aws:s3:::reports", central());
    let nobodys = KeptPoint { copied_from: None, ..bucket.clone() };
    let mut all = Newest::new(OWNER.parse().unwrap(), NEW.parse().unwrap(), None, now());
    for it in [other, part, nobodys] {
        all.add(it);
    }
    assert_eq!(all.unowned(), 1);
    assert_eq!(all.chosen(), []);
    assert_eq!(newest([bucket], None).len(), 1, "the vault that it was copied from tells");
}

#[test]
fn what_others_mount_or_ask_comes_first() {
    let kinds = ["EC2", "EBS", "RDS", "EFS", "S3", "Aurora", "DynamoDB"];
    let points = kinds.map(|kind| {
        let (mut point, _) = each(kind);
        point.vault = central();
        point.copied_from = Some(own().arn("aws"));
        point
    });
    let order = newest(points, None).into_iter().map(|it| it.point.kind().unwrap().name());
    assert_eq!(order.collect::<Vec<_>>(), ["DynamoDB", "EFS", "S3", "Aurora", "RDS", "EBS", "EC2"]);
}

#[test]
fn every_type_is_known_by_the_arn_of_one() {
    assert_eq!(RestoredKind::ALL.len(), RestoredKind::VirtualMachine as usize + 1);
    for (name, resource, _) in EACH {
        let kind = RestoredKind::of(resource, Some(name)).unwrap();
        assert!(kind.name() == name && RestoredKind::ALL.contains(&kind), "{kind:?}");
    }
}

#[test]
fn of_two_types_with_one_name_each_gets_its_own_settings() {
    use RestoredKind::{Ebs, FsxFileSystem, FsxVolume};
    let meant = |name, key| [FsxFileSystem, FsxVolume, Ebs].map(|it| it.is_meant(name, key));
    assert_eq!(meant("fsx", "subnetIds"), [true, false, false]);
    assert_eq!(meant("FSx", "OntapConfiguration"), [false, true, false]);
    assert_eq!(meant("FSx", "StorageCapacity"), [true, true, false], "nobody knows whose it is");
    assert_eq!(meant("EBS", "volumeType"), [false, false, true]);
}

/// A restore test of a resource some hours ago.
fn tested(resource: &str, hours: u32, result: TestResult) -> About<RestoreTest> {
    let it = RestoreTest { at: now() - HOUR * hours, result: Some(result), message: String::new() };
    About { resource: resource.to_owned(), kind: None, it }
}

#[test]
fn a_backup_is_proved_by_the_last_test_that_was_successful_of_it_or_else_of_its_type() {
    use TestResult::{Failed, NotValidated, Successful};
    let mut proofs = Proofs::default();
    let [first, second] = [volume("a", 2), volume("b", 2)];
    let told = |proofs: &Proofs| [&first, &second].map(|it| proofs.words(it)).join("\n");
    expect![[r"
        no restore test of the last 30 days is known to have proved a backup of it
        no restore test of the last 30 days is known to have proved a backup of it"]]
    .assert_eq(&told(&proofs));
    let of = |hours, result| tested(&first.resource, hours, result);
    // One account has them in one Region, and another in another.
    proofs.add(&[of(49, Successful), of(1, Failed), of(2, NotValidated)].into_iter().collect());
    proofs.add(&[of(73, Successful)].into_iter().collect());
    expect![[r"
        a restore test last proved a backup of it at 2026-11-28 02:00 UTC
        no restore test of the last 30 days is known to have proved a backup of it; one of another EBS volume was proved at 2026-11-28 02:00 UTC"]]
    .assert_eq(&told(&proofs));
    let database = each("RDS").0;
    assert_eq!(proofs.words(&database), Proofs::default().words(&database));
    let json = json(&second, None, &proofs, now());
    assert_eq!(json["proved"], Value::Null);
    assert_eq!(json["typeProved"], "2026-11-28 02:00 UTC");
}

#[test]
fn ten_thousand_recovery_points_leave_one_of_each_resource() {
    let points = (0..10_000).map(|it| volume(&format!("vol-{}", it % 100), it));
    let chosen = newest(points, None);
    assert_eq!(chosen.len(), 100);
    assert!(chosen.iter().all(|it| it.point.created > now() - 100 * HOUR));
}

#[test]
fn a_listed_point_says_where_it_can_be_restored() {
    let where_to = |point: KeptPoint| point.restorable(now());
    let volume = each("EBS").0;
    assert!(where_to(volume.clone()).ends_with("in other accounts and Regions after a copy"));
    assert!(where_to(each("RDS").0).ends_with("in both after two"));
    assert_eq!(where_to(each("Redshift").0), "in 111122223333 in eu-west-1");
    assert_eq!(where_to(each("Redshift Serverless").0), "in 111122223333 in eu-west-1");
    assert!(where_to(each("SAP HANA on Amazon EC2").0).starts_with("by hand: "));
    assert!(where_to(KeptPoint { cold_at: Some(now()), ..volume.clone() }).contains("cold"));
    let partial = KeptPoint { status: PointStatus::Partial, ..volume.clone() };
    assert_eq!(where_to(partial), "nowhere: parts of it are missing");
    let lock = Lock { is_compliance: false, min_days: None, max_days: None };
    let proofs = Proofs::default();
    let row = fields(&volume, Some(&lock), &proofs, now());
    assert_eq!(row.len(), COLUMNS.len());
    assert_eq!((&row[9], &row[10]), (&row[9], &row[9]), "nobody deletes it before its time");
    let json = json(&volume, None, &proofs, now());
    assert_eq!((&json["lockedUntil"], &json["ageHours"]), (&Value::Null, &json!(23)));
    let owner: AccountId = OWNER.parse().unwrap();
    assert_eq!(volume.owner(), Some(owner));
}
