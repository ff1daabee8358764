//! The metadata of the original resource, which a recovery point keeps and a restore begins with.

use std::collections::BTreeMap;

use super::facts::is_multi_az_cluster;
use super::parts;
use super::records::BackedUp;
use crate::ids::uuid_of;

/// Returns the metadata that such a resource usually has, which [`BackedUp`] does not contain.
pub(super) fn metadata(resource: &BackedUp) -> BTreeMap<String, String> {
    let BackedUp { arn, kind, account, region, gigabytes, .. } = resource;
    let id = arn.rsplit([':', '/']).next().unwrap_or_default();
    let usual = |what: &str| parts::usual(account, region, what);
    let list = |it: String| format!("[\"{it}\"]");
    let zone = format!("{region}a");
    let group = || list(usual("sg"));
    let request = uuid_of(&format!("request {arn}"));
    let is_volume = arn.contains(":volume/");
    let pairs: &[(&str, String)] = match kind.as_str() {
        "EBS" => &[("availabilityZone", zone), ("encrypted", no()), ("volumeId", id.to_owned())],
        "EC2" => &[
            ("CpuOptions", "{\"CoreCount\":1,\"ThreadsPerCore\":2}".to_owned()),
            ("CreditSpecification", "{\"CpuCredits\":\"standard\"}".to_owned()),
            ("DisableApiTermination", no()),
            ("EbsOptimized", no()),
            ("HibernationOptions", "{\"Configured\":false}".to_owned()),
            ("InstanceInitiatedShutdownBehavior", "stop".to_owned()),
            ("InstanceType", "t3.micro".to_owned()),
            ("KeyName", usual("key")),
            ("Monitoring", "{\"State\":\"disabled\"}".to_owned()),
            ("NetworkInterfaces", interface(&usual("subnet"), &usual("sg"), &usual("eni"))),
            ("Placement", format!("{{\"AvailabilityZone\":\"{zone}\",\"Tenancy\":\"default\"}}")),
            ("SecurityGroupIds", group()),
            ("SubnetId", usual("subnet")),
            ("VpcId", usual("vpc")),
            ("aws:backup:request-id", request),
        ],
        "RDS" if is_multi_az_cluster(kind, arn) => &cluster("postgres", "5432", &zone, group()),
        "RDS" => &[
            ("AutoMinorVersionUpgrade", "true".to_owned()),
            ("AvailabilityZone", zone),
            ("CopyTagsToSnapshot", no()),
            ("DBInstanceClass", "db.t3.micro".to_owned()),
            ("DBParameterGroupName", "default.postgres16".to_owned()),
            ("DBSnapshotIdentifier", format!("awsbackup:job-{request}")),
            ("DBSubnetGroupName", "default".to_owned()),
            ("EnableCloudwatchLogsExports", "[]".to_owned()),
            ("EnableIAMDatabaseAuthentication", no()),
            ("Engine", "postgres".to_owned()),
            ("MultiAZ", no()),
            ("OptionGroupName", "default:postgres-16".to_owned()),
            ("Port", "5432".to_owned()),
            ("PubliclyAccessible", no()),
            ("StorageType", "gp3".to_owned()),
            ("VpcSecurityGroupIds", group()),
        ],
        "Aurora" => &cluster("aurora-postgresql", "5432", &zone, group()),
        "DocumentDB" => &cluster("docdb", "27017", &zone, group()),
        "Neptune" => &cluster("neptune", "8182", &zone, group()),
        // Users say so.
        "Aurora DSQL" => &[("cluster_id", id.to_owned())],
        "DynamoDB" => &[("encryptionType", "Default".to_owned())],
        "EFS" => &[
            ("Encrypted", "true".to_owned()),
            ("PerformanceMode", "generalPurpose".to_owned()),
            ("file-system-id", id.to_owned()),
        ],
        "FSx" if is_volume => &[
            ("FileSystemType", "ONTAP".to_owned()),
            ("Name", "data".to_owned()),
            (
                "OntapConfiguration",
                format!(
                    "{{\"JunctionPath\":\"/data\",\"SizeInMegabytes\":{},\"StorageVirtualMachineId\":\
                     \"{}\"}}",
                    gigabytes * 1_024,
                    usual("svm")
                ),
            ),
        ],
        "FSx" => &[
            ("FileSystemId", id.to_owned()),
            ("FileSystemType", "LUSTRE".to_owned()),
            ("LustreConfiguration", "{\"DeploymentType\":\"PERSISTENT_2\"}".to_owned()),
            ("SecurityGroupIds", group()),
            ("StorageCapacity", gigabytes.max(&1_200).to_string()),
            ("StorageType", "SSD".to_owned()),
            ("SubnetIds", list(usual("subnet"))),
            ("VpcId", usual("vpc")),
        ],
        "Redshift" => &[("clusterIdentifier", id.to_owned()), ("port", "5439".to_owned())],
        "Storage Gateway" => &[
            ("gatewayArn", arn.split("/volume/").next().unwrap_or_default().to_owned()),
            ("gatewayType", "CACHED".to_owned()),
            ("volumeId", id.to_owned()),
        ],
        "VirtualMachine" => &[
            ("DisksToRestore", "[{\"DiskId\":\"2000\",\"Label\":\"Hard disk 1\"}]".to_owned()),
            ("vmId", "vm-101".to_owned()),
        ],
        _ => &[],
    };
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn no() -> String {
    "false".to_owned()
}

fn cluster(engine: &str, port: &str, zone: &str, group: String) -> [(&'static str, String); 9] {
    [
        ("AvailabilityZones", format!("[\"{zone}\"]")),
        ("CopyTagsToSnapshot", no()),
        ("DBClusterParameterGroupName", format!("default.{engine}")),
        ("DBSubnetGroupName", "default".to_owned()),
        ("EnableCloudwatchLogsExports", "[]".to_owned()),
        ("EnableIAMDatabaseAuthentication", no()),
        ("Engine", engine.to_owned()),
        ("Port", port.to_owned()),
        ("VpcSecurityGroupIds", group),
    ]
}

fn interface(subnet: &str, group: &str, interface: &str) -> String {
    format!(
        "[{{\"AssociatePublicIpAddress\":true,\"DeleteOnTermination\":true,\"DeviceIndex\":0,\
         \"Groups\":[\"{group}\"],\"NetworkInterfaceId\":\"{interface}\",\"SubnetId\":\"{subnet}\"}}]"
    )
}
