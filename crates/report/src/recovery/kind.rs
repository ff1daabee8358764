//! The needs of a restore, type by type, as AWS documents them.

use policy::arn::Arn;

use super::bound::{Bound, BoundSetting, SettingSubject};
use crate::coverage::Kind;

/// A type of resources, by how it is restored.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RestoredKind {
    /// A cluster of Aurora.
    Aurora,
    /// A cluster of Aurora DSQL.
    AuroraDsql,
    /// A stack of CloudFormation.
    CloudFormation,
    /// A cluster of `DocumentDB`.
    DocumentDb,
    /// A table of DynamoDB.
    DynamoDb,
    /// An EBS volume.
    Ebs,
    /// An EC2 instance.
    Ec2,
    /// An EFS file system.
    Efs,
    /// A cluster of EKS.
    Eks,
    /// A file system of FSx.
    FsxFileSystem,
    /// A volume of FSx for `NetApp` ONTAP.
    FsxVolume,
    /// A cluster of Neptune.
    Neptune,
    /// A database instance of RDS.
    Rds,
    /// A Multi-AZ DB cluster of RDS, which has the type of instances and the ARN of a cluster.
    RdsCluster,
    /// A cluster of Redshift.
    Redshift,
    /// A namespace of Redshift Serverless.
    RedshiftServerless,
    /// An S3 bucket.
    S3,
    /// A database of SAP HANA.
    SapHana,
    /// A volume of Storage Gateway.
    StorageGateway,
    /// A table of Timestream.
    Timestream,
    /// A virtual machine.
    VirtualMachine,
}

use RestoredKind as It;

/// The setting that has the Regions of a cluster of Aurora DSQL.
pub(super) const REGIONS: &str = "regionalConfig";

/// The way in which what is restored gets its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Naming {
    /// AWS gives it an ID.
    ById,
    /// By a name, in this setting, of so many characters at the most.
    Name {
        /// The setting.
        key: &'static str,
        /// The most characters.
        longest: usize,
        /// True if the name is unique in all of AWS, and not in an account and Region.
        is_global: bool,
    },
}

/// The setting for the moment of a continuous backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    /// The setting.
    pub(super) key: &'static str,
    /// True if somebody has to name one, since AWS takes none for the last.
    pub(super) is_required: bool,
}

/// The settings of clusters that live in a VPC as those of RDS do.
const CLUSTER: &[BoundSetting] = &[
    BoundSetting::required("DBSubnetGroupName", SettingSubject::Network, Bound::Account),
    BoundSetting::optional("VpcSecurityGroupIds", SettingSubject::Network, Bound::Account),
    BoundSetting::optional("AvailabilityZones", SettingSubject::Network, Bound::Region),
    BoundSetting::optional("KmsKeyId", SettingSubject::Encryption, Bound::Account),
    BoundSetting::optional(
        "DBClusterParameterGroupName",
        SettingSubject::Parameters,
        Bound::Account,
    ),
    BoundSetting::optional("OptionGroupName", SettingSubject::Parameters, Bound::Account),
    BoundSetting::optional("Domain", SettingSubject::Network, Bound::Account),
    BoundSetting::optional("DomainIAMRoleName", SettingSubject::Role, Bound::Account),
];

/// The setting of the Regions of a cluster of Aurora DSQL (`restore-auroradsql.html`).
const REGIONS_OF_DSQL: &[BoundSetting] =
    &[BoundSetting::always(REGIONS, SettingSubject::Place, Bound::Nothing)];

/// The setting of the template of a stack (`restore-application-stacks.html`).
const STACK: &[BoundSetting] =
    &[BoundSetting::always("ChangeSetName", SettingSubject::Parameters, Bound::Nothing)];

/// The settings of a new cluster of EKS (`restoring-eks.html`): it may have the network and the roles of
/// the source, where they are, and has to have all of its node groups and profiles.
const EKS: &[BoundSetting] = &[
    BoundSetting::required("clusterVpcConfig", SettingSubject::Network, Bound::Account),
    BoundSetting::required("clusterRole", SettingSubject::Role, Bound::Account),
    BoundSetting::replaced("nodeGroups", SettingSubject::Network, Bound::Account),
    BoundSetting::replaced("fargateProfiles", SettingSubject::Network, Bound::Account),
    BoundSetting::replaced("podIdentityAssociations", SettingSubject::Role, Bound::Account),
    BoundSetting::replaced(
        "encryptionConfigProviderKeyArn",
        SettingSubject::Encryption,
        Bound::Account,
    ),
];

/// The settings of a Multi-AZ DB cluster (`API_RestoreDBClusterFromSnapshot.html`).
const MULTI_AZ: &[BoundSetting] = &[
    BoundSetting::required("DBSubnetGroupName", SettingSubject::Network, Bound::Account),
    BoundSetting::optional("VpcSecurityGroupIds", SettingSubject::Network, Bound::Account),
    BoundSetting::always("Engine", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("DBClusterInstanceClass", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("StorageType", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("Iops", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::optional("KmsKeyId", SettingSubject::Encryption, Bound::Account),
    BoundSetting::optional(
        "DBClusterParameterGroupName",
        SettingSubject::Parameters,
        Bound::Account,
    ),
    BoundSetting::optional("OptionGroupName", SettingSubject::Parameters, Bound::Account),
];

/// The settings of a volume of EBS or of a gateway (`restoring-storage-gateway.html`).
const GATEWAY: &[BoundSetting] = &[
    BoundSetting::always("availabilityZone", SettingSubject::Place, Bound::Region),
    BoundSetting::optional("kmsKeyId", SettingSubject::Encryption, Bound::Account),
    BoundSetting::optional("encrypted", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::optional("iops", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::optional("throughput", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::optional("volumeType", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("gatewayType", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("targetName", SettingSubject::Parameters, Bound::Nothing),
];

/// The settings of a table of Timestream (`timestream-restore.html`): a shorter retention than the one of
/// the source loses data.
const TIMESTREAM: &[BoundSetting] = &[
    BoundSetting::always("DestinationDatabase", SettingSubject::Place, Bound::Account),
    BoundSetting::always(
        "MemoryStoreRetentionPeriodInHours",
        SettingSubject::Parameters,
        Bound::Nothing,
    ),
    BoundSetting::always(
        "MagneticStoreRetentionPeriodInDays",
        SettingSubject::Parameters,
        Bound::Nothing,
    ),
    BoundSetting::optional(
        "MagneticStoreWriteProperties",
        SettingSubject::Parameters,
        Bound::Account,
    ),
];

/// The settings of a virtual machine (`restoring-vm.html`).
const MACHINE: &[BoundSetting] = &[
    BoundSetting::always("RestoreTo", SettingSubject::Place, Bound::Nothing),
    BoundSetting::always("HypervisorArn", SettingSubject::Place, Bound::Account),
    BoundSetting::always("VMName", SettingSubject::Parameters, Bound::Nothing),
    BoundSetting::always("VMPath", SettingSubject::Place, Bound::Nothing),
    BoundSetting::always("ComputeResourceName", SettingSubject::Place, Bound::Nothing),
    BoundSetting::always("VMDatastore", SettingSubject::Place, Bound::Nothing),
];

const fn named(key: &'static str, longest: usize) -> Naming {
    Naming::Name { key, longest, is_global: false }
}

impl RestoredKind {
    /// Every type.
    pub const ALL: [Self; 21] = [
        It::Aurora,
        It::AuroraDsql,
        It::CloudFormation,
        It::DocumentDb,
        It::DynamoDb,
        It::Ebs,
        It::Ec2,
        It::Efs,
        It::Eks,
        It::FsxFileSystem,
        It::FsxVolume,
        It::Neptune,
        It::Rds,
        It::RdsCluster,
        It::Redshift,
        It::RedshiftServerless,
        It::S3,
        It::SapHana,
        It::StorageGateway,
        It::Timestream,
        It::VirtualMachine,
    ];

    /// The type of the resource with this ARN, which AWS Backup says is called `name`.
    pub fn of(arn: &str, name: Option<&str>) -> Option<Self> {
        let begins = |with: &str| Arn::parse(arn).is_ok_and(|it| it.resource.starts_with(with));
        // Of the clusters in RDS, only this one has the type of instances.
        if name == Some(It::RdsCluster.name()) && begins("cluster:") {
            return Some(It::RdsCluster);
        }
        let kind = Kind::of(arn, name)?;
        let is_volume = begins("volume/");
        let found = Self::ALL.into_iter().find(|it| it.name() == kind.name)?;
        Some(if is_volume && found == It::FsxFileSystem { It::FsxVolume } else { found })
    }

    /// Returns `true` if a setting that somebody names for all types called `name` is meant for this one.
    /// Of two types with one name, such as file systems and volumes of FSx, each gets its own.
    pub fn is_meant(self, name: &str, key: &str) -> bool {
        let has = |it: Self| it.settings().iter().any(|it| it.key.eq_ignore_ascii_case(key));
        // A Multi-AZ DB cluster has no copies, so nobody names a setting for several of them.
        let is_namesake =
            |it: &Self| *it != self && *it != It::RdsCluster && it.name() == self.name();
        let is_of_namesake = Self::ALL.into_iter().filter(is_namesake).any(has);
        self.name().eq_ignore_ascii_case(name) && (has(self) || !is_of_namesake)
    }

    /// The name that AWS Backup has for it.
    pub fn name(self) -> &'static str {
        match self {
            It::Aurora => "Aurora",
            It::AuroraDsql => "Aurora DSQL",
            It::CloudFormation => "CloudFormation",
            It::DocumentDb => "DocumentDB",
            It::DynamoDb => "DynamoDB",
            It::Ebs => "EBS",
            It::Ec2 => "EC2",
            It::Efs => "EFS",
            It::Eks => "EKS",
            It::FsxFileSystem | It::FsxVolume => "FSx",
            It::Neptune => "Neptune",
            It::Rds | It::RdsCluster => "RDS",
            It::Redshift => "Redshift",
            It::RedshiftServerless => "Redshift Serverless",
            It::S3 => "S3",
            It::SapHana => "SAP HANA on Amazon EC2",
            It::StorageGateway => "Storage Gateway",
            It::Timestream => "Timestream",
            It::VirtualMachine => "VirtualMachine",
        }
    }

    /// The type in a request to restore one, which is optional: of the types that the reference
    /// (`API_StartRestoreJob.html`) does not list, a request has none.
    pub fn requested_as(self) -> Option<&'static str> {
        match self {
            It::AuroraDsql | It::RedshiftServerless => None,
            It::Aurora
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::RdsCluster
            | It::Redshift
            | It::S3
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => Some(self.name()),
        }
    }

    /// The name of one of it in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            It::Aurora => "Aurora cluster",
            It::AuroraDsql => "Aurora DSQL cluster",
            It::CloudFormation => "CloudFormation stack",
            It::DocumentDb => "DocumentDB cluster",
            It::DynamoDb => "DynamoDB table",
            It::Ebs => "EBS volume",
            It::Ec2 => "EC2 instance",
            It::Efs => "EFS file system",
            It::Eks => "EKS cluster",
            It::FsxFileSystem => "FSx file system",
            It::FsxVolume => "FSx volume",
            It::Neptune => "Neptune cluster",
            It::Rds => "RDS database",
            It::RdsCluster => "Multi-AZ DB cluster of RDS",
            It::Redshift => "Redshift cluster",
            It::RedshiftServerless => "Redshift Serverless namespace",
            It::S3 => "S3 bucket",
            It::SapHana => "SAP HANA database",
            It::StorageGateway => "Storage Gateway volume",
            It::Timestream => "Timestream table",
            It::VirtualMachine => "virtual machine",
        }
    }

    /// The reason why this command does not restore it, if it does not.
    ///
    /// A restore of SAP HANA overwrites the database, which has to be stopped, and AWS has the one who
    /// begins it use rights of Systems Manager for SAP (`saphana-restore.html`,
    /// `AWSBackupRestoreAccessForSAPHANA`), which no role of this program has.
    pub fn by_hand(self) -> Option<&'static str> {
        match self {
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::RdsCluster
            | It::Redshift
            | It::RedshiftServerless
            | It::S3
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => None,
            It::SapHana => Some(
                "it overwrites a database that is registered and stopped, with rights of Systems Manager \
                 for SAP that the roles here do not have",
            ),
        }
    }

    /// In which turn it is restored when an account is: what others mount or ask comes first.
    pub fn turn(self) -> usize {
        match self {
            It::DynamoDb | It::Efs | It::FsxFileSystem | It::S3 | It::Timestream => 0,
            It::Aurora
            | It::AuroraDsql
            | It::DocumentDb
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::Redshift
            | It::RdsCluster
            | It::RedshiftServerless => 1,
            It::Ebs | It::StorageGateway => 2,
            It::Ec2 | It::Eks | It::SapHana | It::VirtualMachine => 3,
            It::CloudFormation => 4,
        }
    }

    /// Returns `true` if its tags are restored with it where they are asked for.
    pub(super) fn keeps_tags(self) -> bool {
        match self {
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::Redshift
            | It::RdsCluster
            | It::StorageGateway => true,
            // AWS's example for a namespace asks for no tags, and the role for restores may not set them.
            It::DynamoDb
            | It::RedshiftServerless
            | It::S3
            | It::SapHana
            | It::Timestream
            | It::VirtualMachine => false,
        }
    }

    /// The way in which what is restored gets its name.
    pub(super) fn naming(self) -> Naming {
        match self {
            It::Aurora | It::DocumentDb | It::Neptune => named("DBClusterIdentifier", 63),
            // `API_CreateDBCluster.html` has this for Multi-AZ DB clusters.
            It::RdsCluster => named("DBClusterIdentifier", 52),
            It::CloudFormation => named("StackName", 128),
            It::DynamoDb => named("targetTableName", 255),
            It::Eks => named("clusterName", 100),
            It::FsxVolume => named("Name", 203),
            It::Rds => named("DBInstanceIdentifier", 63),
            It::Redshift => named("clusterIdentifier", 63),
            It::S3 => Naming::Name { key: "DestinationBucketName", longest: 63, is_global: true },
            It::Timestream => named("TableName", 256),
            It::AuroraDsql
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::FsxFileSystem
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::VirtualMachine => Naming::ById,
        }
    }

    /// The setting that says whether something new is made, where the type can also be restored into
    /// something that is there.
    pub(super) fn newness(self) -> Option<&'static str> {
        match self {
            It::Efs => Some("newFileSystem"),
            It::Eks => Some("newCluster"),
            It::S3 => Some("NewBucket"),
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::Redshift
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => None,
        }
    }

    /// The setting that names what is replaced, where the type is restored into nothing new.
    pub(super) fn replaces(self) -> Option<&'static str> {
        match self {
            // `redshift-serverless-restore.html`: a restore overwrites the data of a namespace.
            It::RedshiftServerless => Some("NamespaceIdentifier"),
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::RdsCluster
            | It::Redshift
            | It::S3
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => None,
        }
    }

    /// A setting that AWS Backup needs and that follows from the type, unless somebody says otherwise.
    pub(super) fn given(self) -> Option<(&'static str, &'static str)> {
        self.replaces().map(|_| ("RestoreType", "NAMESPACE_RESTORE"))
    }

    /// The settings that AWS Backup may remember and takes back, of a type whose page lists what it takes:
    /// it refuses others, such as the `cluster_id` that it remembers of Aurora DSQL.
    pub(super) fn taken(self) -> Option<&'static [&'static str]> {
        match self {
            It::AuroraDsql | It::RedshiftServerless | It::VirtualMachine => Some(&[]),
            It::CloudFormation => Some(&["StackParameters"]),
            It::Eks => Some(&[
                "clusterRole",
                "clusterVpcConfig",
                "controlPlaneScalingTier",
                "eksClusterVersion",
                "encryptionConfigProviderKeyArn",
                "fargateProfiles",
                "kubernetesRestoreOrder",
                "nodeGroups",
                "podIdentityAssociations",
            ]),
            // Those of a volume of EBS, and not those of the gateway that it was in.
            It::StorageGateway => Some(&[
                "availabilityZone",
                "encrypted",
                "iops",
                "kmsKeyId",
                "throughput",
                "volumeSize",
                "volumeType",
            ]),
            It::Timestream => Some(&[
                "DestinationDatabase",
                "EnableMagneticStoreWrites",
                "MagneticStoreRetentionPeriodInDays",
                "MagneticStoreWriteProperties",
                "MemoryStoreRetentionPeriodInHours",
            ]),
            It::Aurora
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::RdsCluster
            | It::Redshift
            | It::S3
            | It::SapHana => None,
        }
    }

    /// The setting that the ARN of the source says, which is there where it was.
    pub(super) fn in_arn(self, resource: &str) -> Option<(&'static str, &str)> {
        let database = || Arn::parse(resource).ok()?.resource.split('/').nth(1);
        (self == It::Timestream).then(database)?.map(|it| ("DestinationDatabase", it))
    }

    /// Returns `true` if a setting counts in this restore, by the `value` of others: a volume of a gateway
    /// becomes one of EBS or one of a gateway, a virtual machine comes back in `VMware` or in EC2, only a new
    /// cluster of EKS has a network to choose, and only a cluster of Aurora DSQL in several Regions has
    /// Regions that nobody but its owner knows.
    pub(super) fn asks_for<'a>(
        self,
        key: &str,
        is_into_existing: bool,
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        let is =
            |key: &str, wanted: &str| value(key).is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        match self {
            It::AuroraDsql => is("useMultiRegionOrchestration", "true"),
            It::Eks => !is_into_existing,
            It::RdsCluster => key != "Iops" || !is("StorageType", "gp3"),
            It::StorageGateway => {
                let is_of_gateway = ["gatewayType", "targetName"].contains(&key);
                is_of_gateway == value("gatewayArn").is_some()
            }
            It::VirtualMachine => key == "RestoreTo" || is("RestoreTo", "VMware"),
            It::Aurora
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::Redshift
            | It::RedshiftServerless
            | It::S3
            | It::SapHana
            | It::Timestream => true,
        }
    }

    /// The settings that name something of an account or a Region.
    pub(super) fn settings(self) -> &'static [BoundSetting] {
        use Bound::{Account, Region};
        use SettingSubject::{Encryption, KeyPair, Network, Parameters, Role};
        const fn needed(key: &'static str, subject: SettingSubject, bound: Bound) -> BoundSetting {
            BoundSetting::required(key, subject, bound)
        }
        const fn left_out(
            key: &'static str,
            subject: SettingSubject,
            bound: Bound,
        ) -> BoundSetting {
            BoundSetting::optional(key, subject, bound)
        }
        match self {
            It::Aurora | It::DocumentDb | It::Neptune => CLUSTER,
            It::CloudFormation => STACK,
            It::DynamoDb => const { &[left_out("kmsMasterKeyArn", Encryption, Account)] },
            It::Ebs => {
                const {
                    &[
                        needed("availabilityZone", Network, Region),
                        left_out("kmsKeyId", Encryption, Account),
                    ]
                }
            }
            It::Ec2 => {
                const {
                    &[
                        needed("SubnetId", Network, Account),
                        needed("SecurityGroupIds", Network, Account),
                        left_out("VpcId", Network, Account),
                        left_out("KeyName", KeyPair, Account),
                        left_out("IamInstanceProfileName", Role, Account),
                        left_out("Placement", Network, Account),
                        left_out("CapacityReservationSpecification", Parameters, Account),
                    ]
                }
            }
            It::Efs => const { &[left_out("KmsKeyId", Encryption, Account)] },
            It::Eks => EKS,
            It::FsxFileSystem => {
                const {
                    &[
                        needed("SubnetIds", Network, Account),
                        left_out("SecurityGroupIds", Network, Account),
                        left_out("KmsKeyId", Encryption, Account),
                        left_out("WindowsConfiguration", Network, Account),
                    ]
                }
            }
            It::FsxVolume => const { &[needed("OntapConfiguration", Network, Account)] },
            It::Rds => {
                const {
                    &[
                        needed("DBSubnetGroupName", Network, Account),
                        left_out("VpcSecurityGroupIds", Network, Account),
                        left_out("AvailabilityZone", Network, Region),
                        left_out("KmsKeyId", Encryption, Account),
                        left_out("DBParameterGroupName", Parameters, Account),
                        left_out("OptionGroupName", Parameters, Account),
                        left_out("Domain", Network, Account),
                        left_out("DomainIAMRoleName", Role, Account),
                    ]
                }
            }
            It::RdsCluster => MULTI_AZ,
            It::Redshift => {
                const {
                    &[
                        needed("clusterSubnetGroupName", Network, Account),
                        left_out("vpcSecurityGroupIds", Network, Account),
                        left_out("availabilityZone", Network, Region),
                        left_out("kmsKeyId", Encryption, Account),
                        left_out("clusterParameterGroupName", Parameters, Account),
                        left_out("iamRoles", Role, Account),
                    ]
                }
            }
            It::S3 => const { &[left_out("KMSKey", Encryption, Account)] },
            It::StorageGateway => GATEWAY,
            It::Timestream => TIMESTREAM,
            It::VirtualMachine => MACHINE,
            It::AuroraDsql => REGIONS_OF_DSQL,
            It::RedshiftServerless | It::SapHana => &[],
        }
    }

    /// The settings that AWS Backup remembers and does not take: network interfaces beside a subnet, the
    /// snapshot that the recovery point is, and the zones of a Multi-AZ DB cluster, which RDS chooses.
    pub(super) fn refused(self) -> &'static [&'static str] {
        match self {
            It::Ec2 => &["NetworkInterfaces"],
            It::Rds => &["DBSnapshotIdentifier"],
            It::RdsCluster => &["AvailabilityZones"],
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Redshift
            | It::RedshiftServerless
            | It::S3
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => &[],
        }
    }

    /// The setting that names the moment of a continuous backup.
    pub(super) fn moment(self) -> Option<Moment> {
        match self {
            It::Aurora => Some(Moment { key: "RestoreToTime", is_required: false }),
            It::Rds => Some(Moment { key: "RestoreTime", is_required: false }),
            It::S3 => Some(Moment { key: "RestoreTime", is_required: true }),
            It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Redshift
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => None,
        }
    }

    /// The setting that has to change with it when a key of the customer is left out.
    pub(super) fn without_key(self) -> Option<(&'static str, &'static str)> {
        match self {
            It::DynamoDb => Some(("encryptionType", "Default")),
            It::S3 => Some(("EncryptionType", "SSE-S3")),
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::FsxVolume
            | It::Neptune
            | It::Rds
            | It::Redshift
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => None,
        }
    }

    /// The key of what is restored where no setting names one, in words.
    pub(super) fn encryption(self) -> &'static str {
        match self {
            It::Aurora | It::DocumentDb | It::Neptune | It::Rds | It::RdsCluster | It::Redshift => {
                "the key of the snapshot, which is that of the vault if it was copied"
            }
            It::Ec2 => {
                "the keys of the snapshots in its image, which are that of the vault if it was copied"
            }
            It::DynamoDb => "a key that DynamoDB owns",
            It::Ebs => "as the volume was, with the default key of EBS in the account",
            It::Efs => "as the file system was, with the default key of EFS in the account",
            It::FsxFileSystem => "the default key of FSx in the account",
            It::FsxVolume => "the key of its file system",
            It::S3 => "as the objects were, with the key that S3 manages where theirs is left out",
            It::AuroraDsql => "a key of AWS, unless regionalConfig names one",
            It::CloudFormation => "as its template says",
            It::Eks => "as the cluster was, if it is one",
            It::RedshiftServerless => "the key of the namespace",
            It::SapHana => "as the database is",
            It::StorageGateway => {
                "as its snapshot is, or with the default key of EBS in the account"
            }
            It::Timestream => "the key of its database",
            It::VirtualMachine => "as EBS encrypts by default in the account, or as VMware does",
        }
    }

    /// The facts to know before it is restored.
    pub(super) fn remarks(self) -> &'static [&'static str] {
        match self {
            It::Aurora | It::DocumentDb | It::Neptune => {
                &["AWS Backup restores the cluster alone, without an instance"]
            }
            It::DynamoDb => &[
                "it is a new table: scaling, point-in-time recovery, streams, TTL, alarms and policies \
                 are set up again",
            ],
            It::Ebs => &["the volume is attached to nothing"],
            It::Ec2 => &[
                "the key pair is the one inside the image, even if the account has another one",
                "the private and the public address are new; the subnet decides whether there is a \
                 public one",
                "user data is not restored",
            ],
            It::Efs => &[
                "the files are in a folder `aws-backup-restore_…`, or where they were if they are \
                 restored into the same file system",
                "a new file system has no mount targets, access points and policy",
            ],
            It::FsxFileSystem => &["a file system of Windows joins the directory of its settings"],
            It::FsxVolume => &["it needs a storage virtual machine of a file system that is there"],
            It::Rds => &[
                "the settings of the source decide on subnet group, security groups and parameter group",
                "read replicas and the master password's secret are set up again",
            ],
            It::Redshift => &["snapshots are restored into a new cluster"],
            It::S3 => &[
                "the newest version of each object at that time is restored, with versioning switched on \
                 in the bucket",
                "an object that is there already is skipped, and the policy of a bucket is not restored",
            ],
            It::AuroraDsql => &[
                "it is a cluster of one Region: one of several needs useMultiRegionOrchestration, \
                 witnessRegion, peerRegion and regionalConfig, and the same copy in the other Region",
            ],
            It::CloudFormation => &[
                "AWS Backup makes a stack that is only reviewed, with a change set, and changes nothing",
                "the change set fails where the template names something that exists, such as a table \
                 with a fixed name that `recover` restores under that name",
                "a restore that fails leaves a stack in REVIEW_IN_PROGRESS: delete it before its name is \
                 used again",
            ],
            It::Eks => &[
                "objects that exist are skipped, and roles of service accounts have to be there",
                "the role for restores has to be allowed to pass its roles (RestoreInstanceRoleNames)",
                "volumes, file systems and buckets need their settings in nestedRestoreJobs, by the ARNs \
                 that they have in the vault that it is restored from, a volume its availabilityZone: \
                 if it is restored elsewhere, copy it first, look at that vault with `org-backup points`, \
                 and restore the copy there",
            ],
            It::RdsCluster => {
                &["the source's settings decide on its groups, which others may name"]
            }
            It::RedshiftServerless => &[
                "all databases of the namespace are replaced by those of the snapshot",
                "it is restored into a cluster of Redshift by hand",
            ],
            It::StorageGateway => &[
                "it becomes a volume of EBS, unless gatewayArn names a gateway that runs",
                "with diskId, it fills that disk of the gateway",
            ],
            It::Timestream => &[
                "data that is older than the retention of the magnetic store is lost: let it be no shorter \
                 than that of the source",
            ],
            It::VirtualMachine => &[
                "it is a new machine, without VMware Tools; in EC2 it has a license of AWS that is paid for",
            ],
            It::SapHana => &[],
        }
    }

    /// The looks to take and the things to do after it was restored: the looks are those of
    /// `restore-validation`.
    pub(super) fn afterwards(self) -> &'static [&'static str] {
        match self {
            It::Aurora => &[
                "the status of the cluster is available",
                "make its instances: aws rds create-db-instance --db-cluster-identifier …",
            ],
            It::DocumentDb => &[
                "the status of the cluster is available",
                "make its instances: aws docdb create-db-instance --db-cluster-identifier …",
            ],
            It::Neptune => &[
                "the status of the cluster is available",
                "make its instances: aws neptune create-db-instance --db-cluster-identifier …",
            ],
            It::DynamoDb => &["the table is ACTIVE and has items, and its indexes are there"],
            It::Ebs => &["the volume is available and as large as its source"],
            It::Ec2 => &[
                "the instance is running and passes all status checks",
                "its volumes are attached, and its name in DNS follows its new address",
            ],
            It::Efs => &[
                "the file system is available and not empty",
                "make mount targets in the subnets of its clients",
            ],
            It::FsxFileSystem | It::FsxVolume => &["its lifecycle is AVAILABLE or CREATED"],
            It::Rds => &[
                "the status of the database is available, and a client can log in",
                "its clients know its new endpoint",
            ],
            It::Redshift => &["the status of the cluster is available"],
            It::S3 => &["the bucket has its objects, and some of them can be read"],
            It::AuroraDsql => &[
                "the cluster is ACTIVE, and a client can query it",
                "its clients know its new endpoint",
            ],
            It::CloudFormation => &[
                "read the change set of the stack, which is in REVIEW_IN_PROGRESS, and execute it",
                "its volumes, file systems and tables are empty: restore the other parts of its backup",
            ],
            It::Eks => &[
                "the cluster is ACTIVE, its nodes are ready, and its pods run",
                "make access points and mount targets for what was restored of EFS",
            ],
            It::RdsCluster => &[
                "the status of the cluster and of its instances is available, and a client can log in",
                "its clients know its new endpoint",
            ],
            It::RedshiftServerless => {
                &["the namespace is AVAILABLE, and a query finds the tables of the snapshot"]
            }
            It::StorageGateway => &[
                "the volume is available and as large as its source",
                "its clients use it instead of the volume of the gateway",
            ],
            It::Timestream => {
                &["the table is ACTIVE, and a query finds the oldest and the newest records"]
            }
            It::VirtualMachine => &["the machine runs, and somebody can log in"],
            It::SapHana => &["it is there, and can be used"],
        }
    }
}
