//! Resource types as AWS's pages describe them: the tables of features, of encryption and of opt-ins,
//! and the metadata on the page on restoring each type.

use Feature::{
    AlwaysTagged, Archived, Cold, Continuous, CopiedPlain, FullyManaged, NotAirGapped, NotCopied,
    NotTagged, OneBorder,
};

/// A type of resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeFacts {
    /// Its name in AWS Backup.
    name: &'static str,
    features: &'static [Feature],
    /// Its restore, if that needs nothing outside AWS.
    pub(super) restore: Option<Restore>,
}

/// A property of some types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// Its backups are managed fully, and so encrypted with the key of their vault.
    FullyManaged,
    /// There are continuous backups of it.
    Continuous,
    /// One copy action cannot cross both an account and a Region.
    OneBorder,
    /// Its backups are not copied.
    NotCopied,
    /// A logically air-gapped vault does not take it.
    NotAirGapped,
    /// A copy of what is not encrypted is not encrypted either.
    CopiedPlain,
    /// A restore cannot give what it makes the tags of its source.
    NotTagged,
    /// A restore always gives what it makes the tags of its source.
    AlwaysTagged,
    /// Its lifecycle moves it to cold storage.
    Cold,
    /// Its lifecycle moves it to cold storage if that opts in to archives.
    Archived,
}

/// The restore of a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restore {
    /// The metadata without which there is no restore, in lower case: their case does not count.
    pub(super) required: &'static [&'static str],
    /// The other metadata that a restore takes.
    pub(super) optional: &'static [&'static str],
    /// The action that the role needs.
    pub(super) action: &'static str,
    /// The result.
    pub(super) makes: Makes,
}

/// The result of a restore: a service, and the beginning of the resource in its ARN.
#[derive(Clone, Copy, Debug)]
pub(super) enum Makes {
    /// Something that gets an ID.
    Numbered(&'static str, &'static str),
    /// Something that has the name which a key of the metadata gives.
    Named(&'static str, &'static str, &'static str),
    /// Something that has such a name and an ID.
    Both(&'static str, &'static str, &'static str),
    /// A file system of EFS, or what is put into one that is there.
    FileSystem,
    /// A file system of FSx, or a volume of one.
    FsxSystem,
    /// A volume of a gateway, or of EBS.
    GatewayVolume,
    /// A bucket, or what is put into one that is there.
    Bucket,
    /// A table in a database that is there.
    DatabaseTable,
    /// A namespace that is there, whose data is replaced.
    Namespace,
    /// A virtual machine or an instance.
    Machine,
}

const fn kind(name: &'static str, features: &'static [Feature]) -> TypeFacts {
    TypeFacts { name, features, restore: None }
}

impl TypeFacts {
    const fn restored(
        self,
        required: &'static [&'static str],
        optional: &'static [&'static str],
        action: &'static str,
        makes: Makes,
    ) -> Self {
        Self { restore: Some(Restore { required, optional, action, makes }), ..self }
    }

    /// Returns the type with this name in AWS Backup, without any property if no table has it.
    pub(super) fn of(name: &str) -> Self {
        KINDS.iter().find(|it| it.name == name).copied().unwrap_or(kind("", &[]))
    }

    /// Returns the restore of a resource of this type. A Multi-AZ DB cluster has the type of instances.
    pub(super) fn restore_of(kind: &str, arn: &str) -> Option<Restore> {
        if is_multi_az_cluster(kind, arn) { Some(MULTI_AZ) } else { Self::of(kind).restore }
    }

    /// Returns whether the type has a feature.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

const CLUSTER: &[&str] = &["dbclusteridentifier", "engine"];

const CLUSTER_OPTIONS: &[&str] = &[
    "availabilityzones",
    "backtrackwindow",
    "copytagstosnapshot",
    "databasename",
    "dbclusterparametergroupname",
    "dbsubnetgroupname",
    "deletionprotection",
    "enablecloudwatchlogsexports",
    "enableiamdatabaseauthentication",
    "enginemode",
    "engineversion",
    "kmskeyid",
    "optiongroupname",
    "port",
    "restoretotime",
    "scalingconfiguration",
    "uselatestrestorabletime",
    "vpcsecuritygroupids",
];

const DATABASE_OPTIONS: &[&str] = &[
    "allocatedstorage",
    "autominorversionupgrade",
    "availabilityzone",
    "backuptarget",
    "cacertificateidentifier",
    "copytagstosnapshot",
    "dbinstanceclass",
    "dbname",
    "dbparametergroupname",
    "dbsnapshotidentifier",
    "dbsubnetgroupname",
    "dedicatedlogvolume",
    "deletionprotection",
    "domain",
    "domainiamrolename",
    "enablecloudwatchlogsexports",
    "enablecustomerownedip",
    "enableiamdatabaseauthentication",
    "encrypted",
    "engine",
    "enginelifecyclesupport",
    "engineversion",
    "iops",
    "kmskeyid",
    "licensemodel",
    "multiaz",
    "networktype",
    "optiongroupname",
    "port",
    "processorfeatures",
    "publiclyaccessible",
    "restoretime",
    "storagethroughput",
    "storagetype",
    "tags",
    "tdecredentialarn",
    "tdecredentialpassword",
    "usedefaultprocessorfeatures",
    "uselatestrestorabletime",
    "vpcid",
    "vpcsecuritygroupids",
];

const INSTANCE_OPTIONS: &[&str] = &[
    "architecture",
    "blockdevicemappings",
    "capacityreservationspecification",
    "cpuoptions",
    "creditspecification",
    "disableapitermination",
    "ebsoptimized",
    "elasticgpuspecification",
    "enasupport",
    "hibernationoptions",
    "iaminstanceprofilename",
    "instanceinitiatedshutdownbehavior",
    "instancemarketoptions",
    "instancetype",
    "kernelid",
    "keyname",
    "licensespecifications",
    "monitoring",
    "networkinterfaces",
    "placement",
    "platform",
    "ramdiskid",
    "requireimdsv2",
    "rootdevicetype",
    "securitygroupids",
    "subnetid",
    "userdata",
    "virtualizationtype",
    "vpcid",
];

const VOLUME_OPTIONS: &[&str] = &[
    "encrypted",
    "iops",
    "kmskeyid",
    "temporaryrestoredays",
    "throughput",
    "volumeid",
    "volumesize",
    "volumetype",
];

const CLUSTERS: Makes = Makes::Named("rds", "cluster:", "dbclusteridentifier");
const RESTORE_CLUSTER: &str = "rds:RestoreDBClusterFromSnapshot";

/// The options of a virtual machine, in EC2 and in `VMware`.
const MACHINE_OPTIONS: &[&str] = &[
    "availabilityzone",
    "computeresourcename",
    "creditspecification",
    "disableapitermination",
    "diskstorestore",
    "ebsoptimized",
    "hibernationoptions",
    "hypervisorarn",
    "iaminstanceprofilename",
    "instanceinitiatedshutdownbehavior",
    "instancetype",
    "isencrypted",
    "itemstorestore",
    "kernelid",
    "kmskeyid",
    "licensespecifications",
    "networkinterfaces",
    "placement",
    "ramdiskid",
    "requireimdsv2",
    "securitygroupids",
    "subnetid",
    "userdata",
    "vmdatastore",
    "vmid",
    "vmname",
    "vmpath",
    "vpcid",
];

/// The restore of a Multi-AZ DB cluster, with its instances: RDS asks for the class of these.
const MULTI_AZ: Restore = Restore {
    required: &["dbclusteridentifier", "dbclusterinstanceclass", "engine"],
    optional: &[
        "copytagstosnapshot",
        "databasename",
        "dbclusterparametergroupname",
        "dbsubnetgroupname",
        "deletionprotection",
        "enablecloudwatchlogsexports",
        "enableiamdatabaseauthentication",
        "engineversion",
        "iops",
        "kmskeyid",
        "networktype",
        "optiongroupname",
        "port",
        "publiclyaccessible",
        "storagetype",
        "vpcsecuritygroupids",
    ],
    action: RESTORE_CLUSTER,
    makes: CLUSTERS,
};

/// The types.
static KINDS: [TypeFacts; 19] = [
    kind("Aurora", &[Continuous, OneBorder, CopiedPlain, AlwaysTagged]).restored(
        CLUSTER,
        CLUSTER_OPTIONS,
        RESTORE_CLUSTER,
        CLUSTERS,
    ),
    kind("Aurora DSQL", &[FullyManaged]).restored(
        &[],
        &["peerregion", "regionalconfig", "usemultiregionorchestration", "witnessregion"],
        "dsql:StartRestoreJob",
        Makes::Numbered("dsql", "cluster/"),
    ),
    kind("CloudFormation", &[FullyManaged]).restored(
        &["changesetname", "stackname"],
        &["changesetdescription", "stackparameters"],
        "cloudformation:CreateChangeSet",
        Makes::Both("cloudformation", "stack/", "stackname"),
    ),
    kind("DocumentDB", &[OneBorder, CopiedPlain]).restored(
        CLUSTER,
        CLUSTER_OPTIONS,
        RESTORE_CLUSTER,
        CLUSTERS,
    ),
    kind("DynamoDB", &[FullyManaged, NotTagged, Cold]).restored(
        &["targettablename"],
        &["deletionprotection", "encryptiontype", "kmsmasterkeyarn"],
        "dynamodb:RestoreTableFromAwsBackup",
        Makes::Named("dynamodb", "table/", "targettablename"),
    ),
    kind("EBS", &[Archived]).restored(
        &["availabilityzone"],
        VOLUME_OPTIONS,
        "ec2:CreateVolume",
        Makes::Numbered("ec2", "volume/vol-"),
    ),
    kind("EC2", &[]).restored(
        &[],
        INSTANCE_OPTIONS,
        "ec2:RunInstances",
        Makes::Numbered("ec2", "instance/i-"),
    ),
    kind("EFS", &[FullyManaged, Cold]).restored(
        &["newfilesystem"],
        &[
            "availabilityzonename",
            "creationtoken",
            "encrypted",
            "file-system-id",
            "itemstorestore",
            "kmskeyid",
            "performancemode",
            "singleazfilesystem",
        ],
        "elasticfilesystem:Restore",
        Makes::FileSystem,
    ),
    kind("EKS", &[FullyManaged]).restored(
        &["clustername"],
        &[
            "clusterrole",
            "clustervpcconfig",
            "controlplanescalingtier",
            "eksclusterversion",
            "encryptionconfigproviderkeyarn",
            "fargateprofiles",
            "kubernetesrestoreorder",
            "namespacelevelrestore",
            "namespaces",
            "nestedrestorejobs",
            "newcluster",
            "nodegroups",
            "podidentityassociations",
            "restorekubernetesmanifestsonly",
        ],
        "eks:CreateCluster",
        Makes::Named("eks", "cluster/", "clustername"),
    ),
    kind("FSx", &[]).restored(
        &[],
        &[
            "automaticbackupretentiondays",
            "copytagstobackups",
            "dailyautomaticbackupstarttime",
            "deploymenttype",
            "filesystemid",
            "filesystemtype",
            "kmskeyid",
            "lustreconfiguration",
            "name",
            "ontapconfiguration",
            "openzfsconfiguration",
            "securitygroupids",
            "storagecapacity",
            "storagetype",
            "subnetids",
            "vpcid",
            "weeklymaintenancestarttime",
            "windowsconfiguration",
        ],
        "fsx:CreateFileSystemFromBackup",
        Makes::FsxSystem,
    ),
    kind("Neptune", &[OneBorder, CopiedPlain]).restored(
        CLUSTER,
        CLUSTER_OPTIONS,
        RESTORE_CLUSTER,
        CLUSTERS,
    ),
    kind("RDS", &[Continuous, OneBorder, AlwaysTagged]).restored(
        &["dbinstanceidentifier"],
        DATABASE_OPTIONS,
        "rds:RestoreDBInstanceFromDBSnapshot",
        Makes::Named("rds", "db:", "dbinstanceidentifier"),
    ),
    kind("Redshift", &[NotCopied, NotAirGapped, AlwaysTagged]).restored(
        &["clusteridentifier"],
        &["clustersubnetgroupname", "clusterparametergroupname", "vpcsecuritygroupids", "port"],
        "redshift:RestoreFromClusterSnapshot",
        Makes::Named("redshift", "cluster:", "clusteridentifier"),
    ),
    kind("Redshift Serverless", &[NotCopied, NotAirGapped]).restored(
        &["restoretype", "namespaceidentifier"],
        &[],
        "redshift-serverless:RestoreFromSnapshot",
        Makes::Namespace,
    ),
    kind("S3", &[FullyManaged, Continuous, NotTagged]).restored(
        &["destinationbucketname"],
        &[
            "creationtoken",
            "encrypted",
            "encryptiontype",
            "itemstorestore",
            "kmskey",
            "newbucket",
            "restoreacls",
            "restorelatestversionsupto",
            "restoretime",
        ],
        "s3:PutObject",
        Makes::Bucket,
    ),
    kind("SAP HANA on Amazon EC2", &[FullyManaged, Continuous, NotTagged, Cold]),
    kind("Storage Gateway", &[]).restored(
        &[],
        &[
            "availabilityzone",
            "diskid",
            "encrypted",
            "gatewayarn",
            "gatewaytype",
            "iops",
            "kmskey",
            "kmskeyid",
            "targetname",
            "throughput",
            "volumeid",
            "volumesize",
            "volumesizeinbytes",
            "volumetype",
        ],
        "storagegateway:CreateStorediSCSIVolume",
        Makes::GatewayVolume,
    ),
    kind("Timestream", &[FullyManaged, NotTagged, Cold]).restored(
        &["tablename", "destinationdatabase"],
        &[
            "enablemagneticstorewrites",
            "magneticstoreretentionperiodindays",
            "magneticstorewriteproperties",
            "memorystoreretentionperiodinhours",
        ],
        "timestream:StartAwsRestoreJob",
        Makes::DatabaseTable,
    ),
    kind("VirtualMachine", &[FullyManaged, NotTagged, Cold]).restored(
        &["restoreto"],
        MACHINE_OPTIONS,
        "ec2:ImportImage",
        Makes::Machine,
    ),
];

/// Returns whether this is a Multi-AZ DB cluster, which has the type of instances and the ARN of a
/// cluster. There are snapshots of it, and no copies of them.
pub(super) fn is_multi_az_cluster(kind: &str, arn: &str) -> bool {
    kind == "RDS" && arn.contains(":cluster:")
}

/// Returns whether no backup of this resource is copied, though those of others of its type are: a
/// Multi-AZ DB cluster, and a volume of FSx, which is one of ONTAP.
pub(super) fn is_not_copied(kind: &str, arn: &str) -> bool {
    is_multi_az_cluster(kind, arn) || kind == "FSx" && arn.contains(":volume/")
}

/// Returns whether the opt-in decides also where a selection names the type.
pub(super) fn opt_in_always_decides(kind: &str, arn: &str) -> bool {
    // Database clusters share one form of ARN, and file systems of FSx another.
    matches!(kind, "Aurora" | "DocumentDB" | "Neptune")
        || arn.contains(":file-system/fs-") && kind == "FSx"
}
