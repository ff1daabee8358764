//! Amazon Resource Names.

use thiserror::Error;

use crate::partition::{Partition, UnknownPartition};

/// The parts of an ARN, as in "Amazon Resource Names (ARNs)" of the IAM User Guide.
///
/// The parts are text, because policies contain variables and wildcards, and a function does not
/// need to know the partition that it runs in. [`Arn::known_partition`] checks that the partition
/// is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arn<'a> {
    /// The partition, as in `aws-cn`.
    pub partition: &'a str,
    /// The service.
    pub service: &'a str,
    /// The Region. Empty if the service has none.
    pub region: &'a str,
    /// The account. Empty if the name alone is unique.
    pub account: &'a str,
    /// The resource, in the format of the service.
    pub resource: &'a str,
}

/// The words before the name of a vault in its ARN.
const VAULT: &str = "backup-vault:";

/// Returns the ARN of a vault of AWS Backup.
pub fn vault_arn(partition: &str, region: &str, account: &str, name: &str) -> String {
    format!("arn:{partition}:backup:{region}:{account}:{VAULT}{name}")
}

/// Text that is not an ARN.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("this is not an ARN (arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE)")]
pub struct NotArn;

impl<'a> Arn<'a> {
    /// Splits `text` into its parts. Only the last part may contain colons.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has fewer parts, or lacks a partition, a service or a resource.
    pub fn parse(text: &'a str) -> Result<Self, NotArn> {
        let mut parts = text.strip_prefix("arn:").ok_or(NotArn)?.splitn(5, ':');
        let mut next = || parts.next().ok_or(NotArn);
        let (partition, service, region, account) = (next()?, next()?, next()?, next()?);
        let resource = next()?;
        if partition.is_empty() || service.is_empty() || resource.is_empty() {
            return Err(NotArn);
        }
        Ok(Self { partition, service, region, account, resource })
    }

    /// Returns the account that `text` names, which is empty if it names none or is not an ARN.
    pub fn account_in(text: &'a str) -> &'a str {
        Self::parse(text).map_or("", |it| it.account)
    }

    /// Returns the name of the vault of AWS Backup that this is the ARN of, if it is one.
    pub fn vault(&self) -> Option<&'a str> {
        self.resource.strip_prefix(VAULT).filter(|_| self.service == "backup")
    }

    /// Returns the last part of the resource, behind its type and any path, as the name of a role.
    pub fn name(&self) -> &'a str {
        self.resource.rsplit([':', '/']).next().unwrap_or(self.resource)
    }

    /// Returns `true` if the parts behind the partition are these.
    pub fn is_in_any_partition(&self, rest: &str) -> bool {
        let parts = [self.service, self.region, self.account, self.resource];
        rest.splitn(4, ':').eq(parts)
    }

    /// Returns the partition.
    ///
    /// # Errors
    ///
    /// Returns an error if this release does not know the partition.
    pub fn known_partition(&self) -> Result<Partition, UnknownPartition> {
        self.partition.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_five_parts_behind_its_prefix() {
        let arn = Arn::parse("arn:aws-cn:rds:cn-north-1:111122223333:db:orders").unwrap();
        let Arn { partition, service, region, account, resource } = arn;
        assert_eq!((partition, service), ("aws-cn", "rds"));
        assert_eq!((region, account, resource), ("cn-north-1", "111122223333", "db:orders"));
        assert_eq!(arn.known_partition(), Ok(Partition::China));
    }

    #[test]
    fn the_region_and_the_account_may_be_empty() {
        let arn = Arn::parse("arn:aws:s3:::reports").unwrap();
        assert_eq!((arn.region, arn.account, arn.resource), ("", "", "reports"));
    }

    #[test]
    fn the_name_is_behind_the_type_and_the_path() {
        let name = |text| Arn::parse(text).unwrap().name();
        assert_eq!(name("arn:aws:iam::111122223333:role/teams/blue/maker"), "maker");
        assert_eq!(name("arn:aws:backup:eu-west-1:111122223333:backup-vault:keep"), "keep");
        assert_eq!(name("arn:aws:kms:eu-west-1:111122223333:key/mrk-7"), "mrk-7");
        assert_eq!(name("arn:aws:s3:::reports"), "reports");
    }

    #[test]
    fn the_arn_of_a_vault_has_its_name() {
        let keep = vault_arn("aws-cn", "cn-north-1", "111122223333", "keep");
        let vault = |text| Arn::parse(text).unwrap().vault();
        assert_eq!(vault(&keep), Some("keep"));
        assert_eq!(vault("arn:aws:backup:$region:$account:backup-vault:keep"), Some("keep"));
        assert_eq!(vault("arn:aws:backup:eu-west-1:111122223333:recovery-point:7"), None);
        assert_eq!(vault("arn:aws:s3:::backup-vault:keep"), None);
    }

    #[test]
    fn what_names_no_account_is_in_none() {
        assert_eq!(Arn::account_in("arn:aws:sns:eu-west-1:111122223333:news"), "111122223333");
        assert_eq!(Arn::account_in("arn:aws:s3:::reports"), "");
        assert_eq!(Arn::account_in("a:b:c:d:111122223333:f"), "");
    }

    #[test]
    fn the_same_arn_is_recognised_in_any_partition() {
        let volumes = "ec2:*:*:volume/*";
        let is_volumes = |text| Arn::parse(text).is_ok_and(|it| it.is_in_any_partition(volumes));
        assert!(is_volumes("arn:aws:ec2:*:*:volume/*"));
        assert!(is_volumes("arn:aws-cn:ec2:*:*:volume/*"));
        assert!(!is_volumes("arn:aws:ec2:*:*:instance/*"));
        assert!(!is_volumes("arn:aws:ec2:*:*:volume/*:more"));
    }

    #[test]
    fn an_arn_may_be_of_a_partition_that_is_newer() {
        let arn = Arn::parse("arn:aws-tea:iam::111122223333:root").unwrap();
        assert!(arn.known_partition().is_err());
    }

    #[test]
    fn what_lacks_a_part_is_no_arn() {
        for text in [
            "",
            "reports",
            "arn",
            "arn:aws:s3::reports",
            "arn::s3:::reports",
            "arn:aws::::reports",
            "arn:aws:s3:::",
            "ARN:aws:s3:::reports",
            " arn:aws:s3:::reports",
        ] {
            assert_eq!(Arn::parse(text), Err(NotArn), "{text}");
        }
    }
}
