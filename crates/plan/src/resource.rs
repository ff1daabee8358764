//! The custom resources of org-backup, and their names in different places.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A custom resource. The order is the order of work: resources that others need come first.
///
/// In JSON, it is the name of its function. Code that depends on the kind of resource matches on
/// this enum without a `_`, so that the compiler reports every place that has to handle a new one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub enum ResourceKind {
    /// The policy types that are enabled on the root.
    PolicyTypes,
    /// Trusted access, StackSets and delegated administrators.
    ServiceAccess,
    /// The settings of AWS Backup for the organization.
    GlobalSettings,
    /// One backup policy and its targets.
    BackupPolicy,
    /// AWS Backup in every account and Region.
    MemberAccounts,
}

/// No function has this name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("its function `{0}` is not known")]
pub struct UnknownFunction(String);

impl ResourceKind {
    /// All resources, in the order of work.
    pub const ALL: [Self; 5] = [
        Self::PolicyTypes,
        Self::ServiceAccess,
        Self::GlobalSettings,
        Self::BackupPolicy,
        Self::MemberAccounts,
    ];

    /// Returns the name of the function that serves it, of its crate, and of its folder in the
    /// state bucket.
    pub fn function(self) -> &'static str {
        match self {
            Self::PolicyTypes => "policy-types",
            Self::ServiceAccess => "service-access",
            Self::GlobalSettings => "global-settings",
            Self::BackupPolicy => "backup-policy",
            Self::MemberAccounts => "member-accounts",
        }
    }

    /// Returns the logical ID of its function in a template, as in `BackupPolicyFunction`.
    pub fn function_resource(self) -> &'static str {
        match self {
            Self::PolicyTypes => "PolicyTypesFunction",
            Self::ServiceAccess => "ServiceAccessFunction",
            Self::GlobalSettings => "GlobalSettingsFunction",
            Self::BackupPolicy => "BackupPolicyFunction",
            Self::MemberAccounts => "MemberAccountsFunction",
        }
    }

    /// Returns its type in a template, as in `Custom::BackupPolicy`.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::PolicyTypes => "Custom::PolicyTypes",
            Self::ServiceAccess => "Custom::ServiceAccess",
            Self::GlobalSettings => "Custom::BackupGlobalSettings",
            Self::BackupPolicy => "Custom::BackupPolicy",
            Self::MemberAccounts => "Custom::MemberAccounts",
        }
    }

    /// Returns the resource with this type in a template, or `None` if the type is not one of ours.
    pub fn of_type(resource_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.resource_type() == resource_type)
    }

    /// Returns the name of such a resource for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::PolicyTypes => "policy types",
            Self::ServiceAccess => "trusted access and delegated administrators",
            Self::GlobalSettings => "global settings of AWS Backup",
            Self::BackupPolicy => "backup policy",
            Self::MemberAccounts => "member accounts",
        }
    }

    /// Returns `true` if it enables policy types, without which AWS attaches no policy.
    pub fn enables_types(self) -> bool {
        match self {
            Self::PolicyTypes => true,
            Self::ServiceAccess
            | Self::GlobalSettings
            | Self::BackupPolicy
            | Self::MemberAccounts => false,
        }
    }

    /// Returns `true` if it can only be made while its policy type is enabled.
    pub fn needs_types(self) -> bool {
        match self {
            Self::BackupPolicy => true,
            Self::PolicyTypes
            | Self::ServiceAccess
            | Self::GlobalSettings
            | Self::MemberAccounts => false,
        }
    }

    /// Returns `true` if its work is a run over the member accounts, which may outlast an
    /// invocation.
    pub fn is_run(self) -> bool {
        match self {
            Self::MemberAccounts => true,
            Self::PolicyTypes | Self::ServiceAccess | Self::GlobalSettings | Self::BackupPolicy => {
                false
            }
        }
    }

    /// Returns `true` if it can be known of everything that it left behind that no one else made
    /// it. An enabled policy type has no mark of who enabled it.
    pub fn marks_its_own(self) -> bool {
        match self {
            Self::PolicyTypes => false,
            Self::ServiceAccess
            | Self::GlobalSettings
            | Self::BackupPolicy
            | Self::MemberAccounts => true,
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function())
    }
}

impl FromStr for ResourceKind {
    type Err = UnknownFunction;

    /// Reads the name of a function.
    fn from_str(function: &str) -> Result<Self, UnknownFunction> {
        let found = Self::ALL.into_iter().find(|it| it.function() == function);
        found.ok_or_else(|| UnknownFunction(function.to_owned()))
    }
}

impl TryFrom<String> for ResourceKind {
    type Error = UnknownFunction;

    fn try_from(function: String) -> Result<Self, UnknownFunction> {
        function.parse()
    }
}

impl From<ResourceKind> for String {
    fn from(kind: ResourceKind) -> Self {
        kind.function().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_resource_is_found_by_each_of_its_names() {
        for kind in ResourceKind::ALL {
            assert_eq!(kind.function().parse(), Ok(kind));
            assert_eq!(ResourceKind::of_type(kind.resource_type()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.function()));
            assert_eq!(
                serde_json::from_value::<ResourceKind>(json!(kind.function())).unwrap(),
                kind
            );
        }
    }

    #[test]
    fn what_others_need_comes_first() {
        assert!(ResourceKind::ALL.is_sorted());
        assert!(ResourceKind::PolicyTypes < ResourceKind::BackupPolicy);
        assert!(ResourceKind::ServiceAccess < ResourceKind::BackupPolicy);
        assert!(ResourceKind::BackupPolicy < ResourceKind::MemberAccounts);
    }

    #[test]
    fn each_resource_differs_in_what_it_needs_and_leaves() {
        let which = |of: fn(ResourceKind) -> bool| -> Vec<_> {
            ResourceKind::ALL.into_iter().filter(|it| of(*it)).collect()
        };
        assert_eq!(which(ResourceKind::enables_types), [ResourceKind::PolicyTypes]);
        assert_eq!(which(ResourceKind::needs_types), [ResourceKind::BackupPolicy]);
        assert_eq!(which(ResourceKind::is_run), [ResourceKind::MemberAccounts]);
        let unmarked = |it: ResourceKind| !it.marks_its_own();
        assert_eq!(which(unmarked), [ResourceKind::PolicyTypes]);
    }

    #[test]
    fn a_function_that_is_not_known_is_named() {
        let unknown = "vault-lock".parse::<ResourceKind>().unwrap_err().to_string();
        assert_eq!(unknown, "its function `vault-lock` is not known");
        assert_eq!(ResourceKind::of_type("Custom::VaultLock"), None);
    }
}
