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
        let is_namesake = |it: &Self| *it != self && it.name() == self.name();
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

    /// The reason why this command does not restore it, if it does not: it needs something that no setting
    /// says.
    pub fn by_hand(self) -> Option<&'static str> {
        match self {
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
            | It::Redshift
            | It::S3 => None,
            It::AuroraDsql => Some("its clusters of several Regions are joined by hand"),
            It::CloudFormation => Some(
                "AWS Backup makes a change set of it, which somebody has to look at and execute",
            ),
            It::Eks => Some("it is restored into a cluster that is there, namespace by namespace"),
            It::RdsCluster => {
                Some("it is not copied, and needs the class and the storage of its instances")
            }
            It::RedshiftServerless => Some("it replaces all that is in an existing namespace"),
            It::SapHana => {
                Some("it is restored into a system of SAP that is registered and stopped")
            }
            It::StorageGateway => Some("it needs a gateway that is activated, and a disk of it"),
            It::Timestream => Some("it needs a database that is there"),
            It::VirtualMachine => Some("it needs a hypervisor, or the settings of an instance"),
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
            | It::RedshiftServerless
            | It::StorageGateway => true,
            It::DynamoDb | It::S3 | It::SapHana | It::Timestream | It::VirtualMachine => false,
        }
    }

    /// The way in which what is restored gets its name.
    pub(super) fn naming(self) -> Naming {
        match self {
            It::Aurora | It::DocumentDb | It::Neptune => named("DBClusterIdentifier", 63),
            It::DynamoDb => named("targetTableName", 255),
            It::FsxVolume => named("Name", 203),
            It::Rds => named("DBInstanceIdentifier", 63),
            It::Redshift => named("clusterIdentifier", 63),
            It::S3 => Naming::Name { key: "DestinationBucketName", longest: 63, is_global: true },
            It::AuroraDsql
            | It::CloudFormation
            | It::Ebs
            | It::Ec2
            | It::Efs
            | It::Eks
            | It::FsxFileSystem
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => Naming::ById,
        }
    }

    /// The setting that says whether something new is made, where the type can also be restored into
    /// something that is there.
    pub(super) fn newness(self) -> Option<&'static str> {
        match self {
            It::Efs => Some("newFileSystem"),
            It::S3 => Some("NewBucket"),
            It::Aurora
            | It::AuroraDsql
            | It::CloudFormation
            | It::DocumentDb
            | It::DynamoDb
            | It::Ebs
            | It::Ec2
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
            It::AuroraDsql
            | It::CloudFormation
            | It::Eks
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => &[],
        }
    }

    /// The settings that AWS Backup remembers and does not take: network interfaces beside a subnet, and
    /// the snapshot that the recovery point is.
    pub(super) fn refused(self) -> &'static [&'static str] {
        match self {
            It::Ec2 => &["NetworkInterfaces"],
            It::Rds => &["DBSnapshotIdentifier"],
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
            | It::RdsCluster
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
            It::Aurora | It::DocumentDb | It::Neptune | It::Rds | It::Redshift => {
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
            It::AuroraDsql
            | It::CloudFormation
            | It::Eks
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => "as AWS documents of the type",
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
            It::AuroraDsql
            | It::CloudFormation
            | It::Eks
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => &[],
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
            It::AuroraDsql
            | It::CloudFormation
            | It::Eks
            | It::RdsCluster
            | It::RedshiftServerless
            | It::SapHana
            | It::StorageGateway
            | It::Timestream
            | It::VirtualMachine => &["it is there, and can be used"],
        }
    }
}
