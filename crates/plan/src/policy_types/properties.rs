//! The properties of the resource.

use serde::{Deserialize, Serialize};

use super::Desired;
use crate::id::{PolicyType, RoleArn};
use crate::scalar::{List, Optional};

/// The properties of the resource.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The types to enable. Other types are left alone, including those that an update removes.
    pub policy_types: List<PolicyType>,
    /// The effect of deleting the resource.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume if the function does not run in the management account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub management_role_arn: Optional<RoleArn>,
}

/// The effect of deleting the resource.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnDelete {
    /// The types stay enabled, so every attached policy keeps its effect.
    #[default]
    Retain,
    /// The types in the list are disabled, unless a policy is still attached.
    Disable,
}

impl Properties {
    /// Returns the state that the resource has to reach.
    pub fn enabled(&self) -> Desired {
        Desired::Enabled(self.policy_types.0.iter().cloned().collect())
    }

    /// Returns the state that deleting the resource has to reach, or `None` if nothing is to
    /// change.
    pub fn disabled(&self) -> Option<Desired> {
        let types = || self.policy_types.0.iter().cloned().collect();
        (self.on_delete == OnDelete::Disable).then(|| Desired::Disabled(types()))
    }
}
