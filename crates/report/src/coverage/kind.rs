//! The facts that AWS documents about the types of resources that it backs up.

use policy::arn::Arn;

/// A type of resources, by the name that AWS Backup has for it.
#[derive(Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of a table of AWS")]
pub struct Kind {
    /// The name, as in the opt-ins of a Region.
    pub name: &'static str,
    /// The service in an ARN, and the beginning of the part behind the account.
    arn: (&'static str, &'static str),
    /// True if AWS Backup manages its backups fully: they are encrypted with the key of their
    /// vault.
    pub is_managed: bool,
    /// True if it can be restored to any second.
    pub is_continuous: bool,
    /// True if it has to be opted in to even where a selection names it, because other types have
    /// ARNs of the same form.
    pub always_needs_opt_in: bool,
    /// The places that its backups can be copied to.
    pub copied: Copied,
    /// True if a logically air-gapped vault takes it.
    pub fits_air_gapped: bool,
}

/// The places that the backups of a type can be copied to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Copied {
    /// To another account and Region.
    Anywhere,
    /// With one copy, to another account or to another Region.
    OneWay,
    /// Nowhere.
    Never,
}

const fn kind(name: &'static str, service: &'static str, resource: &'static str) -> Kind {
    Kind {
        name,
        arn: (service, resource),
        is_managed: false,
        is_continuous: false,
        always_needs_opt_in: false,
        copied: Copied::Anywhere,
        fits_air_gapped: true,
    }
}

const fn managed(kind: Kind) -> Kind {
    Kind { is_managed: true, ..kind }
}

const fn continuous(kind: Kind) -> Kind {
    Kind { is_continuous: true, ..kind }
}

const fn shared(kind: Kind) -> Kind {
    Kind { always_needs_opt_in: true, ..kind }
}

const fn one_way(kind: Kind) -> Kind {
    Kind { copied: Copied::OneWay, ..kind }
}

const fn not_copied(kind: Kind) -> Kind {
    Kind { copied: Copied::Never, ..kind }
}

const fn not_air_gapped(kind: Kind) -> Kind {
    Kind { fits_air_gapped: false, ..kind }
}

/// Every type, as of 29 November 2026. If types share ARNs, an ARN alone stands for the first of
/// them.
const KINDS: &[Kind] = &[
    shared(one_way(continuous(kind("Aurora", "rds", "cluster:")))),
    managed(kind("Aurora DSQL", "dsql", "cluster/")),
    managed(kind("CloudFormation", "cloudformation", "stack/")),
    shared(one_way(kind("DocumentDB", "rds", "cluster:"))),
    managed(kind("DynamoDB", "dynamodb", "table/")),
    kind("EBS", "ec2", "volume/"),
    kind("EC2", "ec2", "instance/"),
    managed(kind("EFS", "elasticfilesystem", "file-system/")),
    managed(kind("EKS", "eks", "cluster/")),
    shared(kind("FSx", "fsx", "file-system/")),
    // A volume of ONTAP. FSx makes backups of no other volumes.
    not_copied(kind("FSx", "fsx", "volume/")),
    shared(one_way(kind("Neptune", "rds", "cluster:"))),
    one_way(continuous(kind("RDS", "rds", "db:"))),
    // A Multi-AZ DB cluster.
    not_copied(not_air_gapped(kind("RDS", "rds", "cluster:"))),
    not_copied(not_air_gapped(kind("Redshift", "redshift", "cluster:"))),
    not_copied(not_air_gapped(kind("Redshift Serverless", "redshift-serverless", "namespace/"))),
    managed(continuous(kind("S3", "s3", ""))),
    managed(continuous(kind("SAP HANA on Amazon EC2", "ssm-sap", "HANA/"))),
    kind("Storage Gateway", "storagegateway", "gateway/"),
    managed(kind("Timestream", "timestream", "database/")),
    managed(kind("VirtualMachine", "backup-gateway", "vm/")),
];

impl Kind {
    /// Returns the type of the resource with this ARN, which AWS Backup calls `name`.
    pub fn of(arn: &str, name: Option<&str>) -> Option<&'static Self> {
        let arn = Arn::parse(arn).ok()?;
        let fits = |it: &&Self| it.arn.0 == arn.service && arn.resource.starts_with(it.arn.1);
        KINDS.iter().filter(fits).find(|it| name.is_none_or(|name| name == it.name))
    }

    /// Returns `true` if an ARN of this form can be of several types, so that the name of the type
    /// is needed.
    pub fn is_ambiguous(&self) -> bool {
        KINDS.iter().any(|it| it.arn == self.arn && it.name != self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_the_type_but_for_clusters_of_databases() {
        let name = |arn: &str, name| Kind::of(arn, name).map(|it| it.name);
        let volume = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
        assert_eq!(name(volume, None), Some("EBS"));
        assert_eq!(name("arn:aws:s3:::reports", Some("S3")), Some("S3"));
        let cluster = "arn:aws:rds:eu-west-1:111122223333:cluster:graph";
        assert_eq!(name(cluster, Some("Neptune")), Some("Neptune"));
        assert_eq!(Kind::of(cluster, Some("RDS")).map(|it| it.copied), Some(Copied::Never));
        assert!(Kind::of(cluster, None).is_some_and(Kind::is_ambiguous));
        assert!(!Kind::of(volume, None).is_some_and(Kind::is_ambiguous));
        let copied = |arn: &str| Kind::of(arn, Some("FSx")).map(|it| it.copied);
        let of = |it: &str| format!("arn:aws:fsx:eu-west-1:111122223333:{it}");
        assert_eq!(copied(&of("volume/fs-1/fsvol-1")), Some(Copied::Never));
        assert_eq!(copied(&of("file-system/fs-2")), Some(Copied::Anywhere));
        let namespace = "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/5b1e";
        assert_eq!(Kind::of(namespace, None).map(|it| it.copied), Some(Copied::Never));
        assert_eq!(name("arn:aws:sqs:eu-west-1:111122223333:queue", None), None);
        assert_eq!(name(volume, Some("EC2")), None, "another type than its ARN has");
    }
}
