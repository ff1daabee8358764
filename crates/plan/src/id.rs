//! Identifiers. A value of these types is always valid.
//!
//! The formats are those of the service models of AWS Organizations and AWS Backup, anchored at
//! both ends (the model's own pattern for a policy target is not).

use std::fmt;
use std::str::FromStr;

use policy::BACKUP_POLICY;
use policy::arn::Arn;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// Text that does not have the required format.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{given}` is not {expected}")]
pub struct Malformed {
    given: String,
    expected: &'static str,
}

macro_rules! identifier {
    ($(#[doc = $doc:literal])+ $name:ident: $expected:literal, $valid:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(given: String) -> Result<Self, Malformed> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&given) { Ok(Self(given)) } else { Err(Malformed { given, expected: $expected }) }
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(given: &str) -> Result<Self, Malformed> {
                given.to_owned().try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// An AWS account.
    AccountId: "an account ID (12 digits)", |it| it.len() == 12 && digits(it)
}

identifier! {
    /// The target of a policy: the root, an organizational unit (OU) or an account.
    TargetId:
        "the ID of a root (r-…), an OU (ou-…-…) or an account (12 digits)",
        |it| root(it) || unit(it) || AccountId::from_str(it).is_ok()
}

impl From<AccountId> for TargetId {
    fn from(account: AccountId) -> Self {
        Self(account.0)
    }
}

identifier! {
    /// The ID of a policy in AWS Organizations.
    PolicyId:
        "a policy ID (p-…)",
        |it| it.strip_prefix("p-").is_some_and(|it| {
            (8..=128).contains(&it.len()) && it.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        })
}

identifier! {
    /// The name of a policy, unique among those of the organization.
    PolicyName: "a policy name (1 to 128 characters)", |it| (1..=128).contains(&it.chars().count())
}

identifier! {
    /// A policy type as the API spells it, including types newer than this program.
    PolicyType:
        "a policy type such as BACKUP_POLICY",
        |it| {
            it.starts_with(|it: char| it.is_ascii_uppercase())
                && it.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_')
        }
}

identifier! {
    /// An AWS service, as named in trusted access and delegated administration.
    ///
    /// It is shorter than AWS would allow, so that it fits into the key of a tag.
    ServicePrincipal:
        "a service principal such as backup.amazonaws.com",
        |it| it.len() <= 94 && it.contains('.') && it.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
        })
}

identifier! {
    /// The ARN of the role that is assumed to act in the management account.
    RoleArn:
        "the ARN of a role (arn:…:iam::…:role/…)",
        |it| match Arn::parse(it) {
            Ok(Arn { service: "iam", region: "", account, resource, .. }) => {
                AccountId::from_str(account).is_ok()
                    && resource.strip_prefix("role/").is_some_and(|it| !it.is_empty())
            }
            _ => false,
        }
}

identifier! {
    /// The key of a tag.
    TagKey: "a tag key (1 to 128 letters, digits, spaces and _.:/=+-@)", |it| {
        (1..=128).contains(&it.chars().count()) && it.chars().all(taggable)
    }
}

identifier! {
    /// The value of a tag.
    TagValue: "a tag value (at most 256 letters, digits, spaces and _.:/=+-@)", |it| {
        it.chars().count() <= 256 && it.chars().all(taggable)
    }
}

identifier! {
    /// An AWS Region, including Regions newer than this program.
    Region: "a Region such as eu-west-1", |it| {
        (5..=32).contains(&it.len())
            && it.split('-').count() >= 3
            && it.split('-').all(|part| {
                !part.is_empty()
                    && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
            })
    }
}

identifier! {
    /// A resource type of AWS Backup, including types newer than this program.
    ResourceType: "a resource type of AWS Backup such as EBS or Storage Gateway", |it| {
        // The model's own pattern does not allow spaces, which real names contain.
        (1..=50).contains(&it.len())
            && it.trim() == it
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_. ".contains(&it))
    }
}

identifier! {
    /// The name of a backup vault, unique in its account and Region.
    VaultName: "the name of a backup vault (2 to 50 letters, digits, - and _)", |it| {
        (2..=50).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    }
}

identifier! {
    /// The name of an IAM role, without its path.
    RoleName: "the name of a role without its path (1 to 64 letters, digits and +=,.@-_)", |it| {
        (1..=64).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"+=,.@-_".contains(&it))
    }
}

identifier! {
    /// One run over member accounts. The execution of the state machine has the same name.
    RunId: "the ID of a run (1 to 80 letters, digits, - and _)", |it| {
        (1..=80).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    }
}

impl RoleArn {
    /// Returns the ARN of the role `name`, which has no path, in an account.
    pub fn of(partition: &str, account: &AccountId, name: &RoleName) -> Self {
        Self(format!("arn:{partition}:iam::{account}:role/{name}"))
    }
}

/// Returns the name of the role with this ARN, without its path, or `None` if that is not the ARN of
/// a role. The account in the ARN may be the variable `$account` of a policy.
pub fn role_name(arn: &str) -> Option<RoleName> {
    let arn = Arn::parse(arn).ok().filter(|it| it.resource.starts_with("role/"))?;
    arn.name().parse().ok()
}

/// Returns the name in an ARN, behind the type and any path, as the ID of a key. Text that is not an
/// ARN is the name itself.
pub fn name_in(arn: &str) -> &str {
    Arn::parse(arn).map_or(arn, |it| it.name())
}

impl PolicyType {
    /// Returns `BACKUP_POLICY`, the type that this program manages.
    pub fn backup() -> Self {
        Self(BACKUP_POLICY.to_owned())
    }
}

/// A target as a template names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// The root of the organization. A template does not need to know its ID.
    Root,
    /// The root, OU or account with this ID.
    Id(TargetId),
}

impl FromStr for Target {
    type Err = Malformed;

    fn from_str(given: &str) -> Result<Self, Malformed> {
        if given == "root" { Ok(Self::Root) } else { given.parse().map(Self::Id) }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Root => serializer.serialize_str("root"),
            Self::Id(id) => id.serialize(serializer),
        }
    }
}

impl Target {
    /// Returns the ID of the target in the organization with the root `root`.
    pub fn id(self, root: &TargetId) -> TargetId {
        match self {
            Self::Root => root.clone(),
            Self::Id(id) => id,
        }
    }
}

fn digits(it: &str) -> bool {
    it.bytes().all(|it| it.is_ascii_digit())
}

fn lower(it: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&it.len())
        && it.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_lowercase())
}

fn root(it: &str) -> bool {
    it.strip_prefix("r-").is_some_and(|it| lower(it, 4..=32))
}

fn unit(it: &str) -> bool {
    it.strip_prefix("ou-")
        .and_then(|it| it.split_once('-'))
        .is_some_and(|(root, unit)| lower(root, 4..=32) && lower(unit, 8..=32))
}

/// Returns `true` if a tag may contain the character. Organizations accepts letters and spaces of
/// any script in tags.
fn taggable(it: char) -> bool {
    it.is_alphanumeric()
        || it == ' '
        || (!it.is_ascii() && it.is_whitespace())
        || "_.:/=+-@".contains(it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_role_is_behind_its_path() {
        let name = |arn| role_name(arn).map(|it| it.to_string());
        assert_eq!(name("arn:aws:iam::111122223333:role/maker").unwrap(), "maker");
        assert_eq!(name("arn:aws-cn:iam::$account:role/a/b/maker").unwrap(), "maker");
        assert_eq!(name("arn:aws:iam::111122223333:user/maker"), None);
        assert_eq!(name("maker"), None);
        assert_eq!(name_in("arn:aws:kms:eu-west-1:111122223333:key/mrk-7"), "mrk-7");
        assert_eq!(name_in("mrk-7"), "mrk-7");
    }

    /// Checks that `T` accepts every one of `good` and refuses every one of `bad`.
    fn check<T: FromStr>(good: &[&str], bad: &[&str]) {
        for it in good {
            assert!(it.parse::<T>().is_ok(), "{it}");
        }
        for it in bad {
            assert!(it.parse::<T>().is_err(), "{it}");
        }
    }

    #[test]
    fn a_target_is_a_root_an_ou_or_an_account() {
        check::<TargetId>(
            &["r-ab12", "ou-ab12-12345678", "123456789012"],
            &[
                "",
                "root",
                "r-",
                "r-AB12",
                "ou-ab12",
                "ou-ab12-1234567",
                "12345678901",
                "x123456789012",
                "x23456789012",
                "r-ab12,",
            ],
        );
        let root = "r-ab12".parse().unwrap();
        assert_eq!("root".parse::<Target>().unwrap().id(&root), root);
    }

    #[test]
    fn a_policy_id_is_what_the_service_gave() {
        check::<PolicyId>(
            &["p-a1b2c3d4", "p-A_b2c3d4e5"],
            &["p-", "p-a1b2c3d", "p-a1b2c3-4", "daily", "q-a1b2c3d4"],
        );
    }

    #[test]
    fn a_policy_type_may_be_newer_than_this_program() {
        check::<PolicyType>(
            &["BACKUP_POLICY", "TEA_POLICY_2"],
            &["", "backup_policy", "BACKUP POLICY", "5"],
        );
    }

    #[test]
    fn a_service_principal_is_a_lower_case_domain() {
        check::<ServicePrincipal>(
            &["backup.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"],
            &["", "backup", "Backup.amazonaws.com", "backup..com", "backup amazonaws.com"],
        );
    }

    #[test]
    fn a_role_is_named_in_full_and_in_any_partition() {
        check::<RoleArn>(
            &["arn:aws:iam::123456789012:role/a", "arn:aws-cn:iam::123456789012:role/path/a"],
            &[
                "a",
                "arn:aws:iam::123456789012:user/a",
                "arn:aws:iam::1:role/a",
                "arn:aws:iam::123456789012:role/",
            ],
        );
    }

    #[test]
    fn a_region_may_be_newer_than_this_program() {
        check::<Region>(
            &["eu-west-1", "us-gov-west-1", "ap-southeast-12"],
            &["", "eu", "eu-west", "EU-WEST-1", "eu-west-1 ", "eu--1", "eu-west-1/x"],
        );
    }

    #[test]
    fn a_resource_type_may_have_spaces_inside() {
        check::<ResourceType>(
            &["EBS", "SAP HANA on Amazon EC2", "Storage Gateway"],
            &["", " EBS", "EBS ", "EBS,EFS", &"x".repeat(51)],
        );
    }

    #[test]
    fn vaults_and_roles_are_named_as_aws_lets_them_be() {
        check::<VaultName>(&["ab", "org-backup_1"], &["a", "a b", "a/b", &"x".repeat(51)]);
        check::<RoleName>(&["a", "org-backup+=,.@-_"], &["", "a/b", "a b", &"x".repeat(65)]);
        check::<RunId>(&["5d3c", "a-b_C"], &["", "a/b", "a:b", &"x".repeat(81)]);
    }

    #[test]
    fn a_tag_may_have_letters_of_any_script() {
        check::<TagKey>(
            &["größe", "a b", "team:cost/centre=1+2-3@4"],
            &["", "a;b", "a\tb", &"x".repeat(129)],
        );
        check::<TagValue>(&["", "日本"], &["a,b", &"x".repeat(257)]);
    }

    #[test]
    fn a_malformed_identifier_is_named_with_what_was_expected() {
        let error = "ou-1".parse::<TargetId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`ou-1` is not the ID of a root (r-…), an OU (ou-…-…) or an account (12 digits)"
        );
    }
}
