//! The properties of a resource, as in its template and as stored.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::id::{PolicyName, RoleArn};
use crate::resource::ResourceKind;
use crate::{backup_policy, global_settings, member_accounts, policy_types, service_access};

/// The properties of a resource, by its kind.
#[derive(Debug)]
pub enum Properties {
    /// The properties of the policy types that are enabled on the root.
    PolicyTypes(policy_types::Properties),
    /// The properties of trusted access, StackSets and delegated administrators.
    ServiceAccess(service_access::Properties),
    /// The properties of the settings of AWS Backup for the organization.
    GlobalSettings(global_settings::Properties),
    /// The properties of one backup policy and its targets.
    BackupPolicy(Box<backup_policy::Properties>),
    /// The properties of AWS Backup in every account and Region.
    MemberAccounts(Box<member_accounts::Properties>),
}

/// The name of a policy, as people know it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: PolicyName,
}

/// Properties that this version does not accept: one is unknown, missing, or has an invalid value.
#[derive(Debug, Error)]
pub enum Misfit {
    /// The invalid property is not known.
    #[error(transparent)]
    Whole(serde_json::Error),
    /// The invalid property is known.
    #[error("property `{path}`")]
    At {
        /// The keys that lead to it.
        path: String,
        /// The error.
        source: serde_json::Error,
    },
}

impl Properties {
    /// Reads the properties of a resource of this `kind`.
    ///
    /// # Errors
    ///
    /// Returns an error if the function of the resource would not accept them.
    pub fn read(kind: ResourceKind, properties: &Value) -> Result<Self, Misfit> {
        Ok(match kind {
            ResourceKind::PolicyTypes => Self::PolicyTypes(read(properties)?),
            ResourceKind::ServiceAccess => Self::ServiceAccess(read(properties)?),
            ResourceKind::GlobalSettings => Self::GlobalSettings(read(properties)?),
            ResourceKind::BackupPolicy => Self::BackupPolicy(Box::new(read(properties)?)),
            ResourceKind::MemberAccounts => Self::MemberAccounts(Box::new(read(properties)?)),
        })
    }

    /// Returns the name of a resource for people. A policy has its own name, even if this version
    /// does not accept its other properties.
    pub fn title(kind: ResourceKind, properties: Option<&Value>) -> String {
        let title = kind.title();
        let named = || Named::deserialize(properties?).ok();
        match kind {
            ResourceKind::BackupPolicy => match named() {
                Some(Named { name }) => format!("{title} `{name}`"),
                None => title.to_owned(),
            },
            ResourceKind::PolicyTypes
            | ResourceKind::ServiceAccess
            | ResourceKind::GlobalSettings
            | ResourceKind::MemberAccounts => title.to_owned(),
        }
    }

    /// Returns the role to assume if the caller does not run in the management account.
    pub fn management_role(&self) -> Option<&RoleArn> {
        match self {
            Self::PolicyTypes(it) => it.management_role_arn.as_ref(),
            Self::ServiceAccess(it) => it.management_role_arn.as_ref(),
            Self::GlobalSettings(it) => it.management_role_arn.as_ref(),
            Self::BackupPolicy(it) => it.management_role_arn.as_ref(),
            Self::MemberAccounts(it) => it.management_role_arn.as_ref(),
        }
    }
}

fn read<P: DeserializeOwned>(properties: &Value) -> Result<P, Misfit> {
    serde_path_to_error::deserialize(properties).map_err(|it| match it.path().to_string() {
        path if path == "." => Misfit::Whole(it.into_inner()),
        path => Misfit::At { path, source: it.into_inner() },
    })
}

#[cfg(test)]
mod tests {
    use errors::chain;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_called_by_its_name() {
        let title = |it: Option<&Value>| Properties::title(ResourceKind::BackupPolicy, it);
        let named = json!({ "Name": "daily", "Tea": "of another version" });
        assert_eq!(title(Some(&named)), "backup policy `daily`");
        assert_eq!(title(Some(&json!({ "Name": 7 }))), "backup policy");
        assert_eq!(title(None), "backup policy");
    }

    #[test]
    fn every_resource_may_name_the_role_of_the_management_account() {
        for kind in ResourceKind::ALL {
            let mut properties = match kind {
                ResourceKind::PolicyTypes => json!({ "PolicyTypes": "BACKUP_POLICY" }),
                ResourceKind::ServiceAccess => json!({ "ServicePrincipals": [] }),
                ResourceKind::GlobalSettings => json!({}),
                ResourceKind::BackupPolicy => json!({ "Name": "daily", "TargetIds": "root" }),
                ResourceKind::MemberAccounts => json!({ "RoleName": "m", "Regions": "eu-west-1" }),
            };
            let role = |it: &Value| {
                let read = Properties::read(kind, it).unwrap();
                read.management_role().map(ToString::to_string)
            };
            assert_eq!(role(&properties), None, "{kind}");
            let arn = "arn:aws:iam::111122223333:role/org-backup";
            properties["ManagementRoleArn"] = json!(arn);
            assert_eq!(role(&properties).as_deref(), Some(arn), "{kind}");
        }
    }

    #[test]
    fn a_property_that_is_not_known_is_named_and_so_is_one_that_is_missing() {
        let why = |properties: Value| {
            chain(&Properties::read(ResourceKind::PolicyTypes, &properties).unwrap_err())
        };
        let unknown = why(json!({ "PolicyTypes": ["BACKUP_POLICY"], "Tea": "green" }));
        assert!(unknown.contains("unknown field `Tea`"), "{unknown}");
        let missing = why(json!({}));
        assert_eq!(missing, "missing field `PolicyTypes`");
        let other = why(json!({ "PolicyTypes": "BACKUP_POLICY", "OnDelete": "Boil" }));
        assert!(other.starts_with("property `OnDelete`: unknown variant `Boil`"), "{other}");
    }
}
