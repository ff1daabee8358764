//! The properties of the resource.

use serde::{Deserialize, Serialize};

use super::{Administrator, Desired};
use crate::id::{AccountId, RoleArn, ServicePrincipal};
use crate::scalar::{Flag, List, Optional};

/// The properties of the resource.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The services that get trusted access. Others are left alone.
    pub service_principals: List<ServicePrincipal>,
    /// True if CloudFormation StackSets gets organizations access. `false` leaves it alone.
    pub stack_sets: Option<Flag>,
    /// The accounts that administer a service for the organization. Others are left alone.
    #[serde(default)]
    pub delegated_administrators: Vec<DelegatedAdministrator>,
    /// The effect of deleting the resource, and of removing an entry from its lists.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume if the function does not run in the management account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub management_role_arn: Optional<RoleArn>,
}

/// The accounts that administer a service for the organization.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DelegatedAdministrator {
    /// A member account, or several.
    pub account_id: List<AccountId>,
    /// The service.
    pub service_principal: ServicePrincipal,
}

/// The effect of deleting the resource.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnDelete {
    /// Everything stays on.
    #[default]
    Retain,
    /// Everything that this resource turned on since it says `Revert` is turned off, and nothing
    /// else.
    Revert,
}

impl From<&Properties> for Desired {
    fn from(it: &Properties) -> Self {
        let administrators = |it: &DelegatedAdministrator| {
            let principal = it.service_principal.clone();
            let accounts = it.account_id.0.clone().into_iter();
            accounts.map(move |account| Administrator { principal: principal.clone(), account })
        };
        Self {
            principals: it.service_principals.0.iter().cloned().collect(),
            stack_sets: it.stack_sets.is_some_and(|it| it.0),
            administrators: it.delegated_administrators.iter().flat_map(administrators).collect(),
            declared: None,
            revert: it.on_delete == OnDelete::Revert,
        }
    }
}
