//! The properties of the resource.

use serde::{Deserialize, Serialize};

use super::Desired;
use crate::id::{PolicyType, RoleArn};
use crate::scalar::{List, Optional};

/// The properties of the resource.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The types to enable. Others are left alone, also those that an update takes off the list.
    pub policy_types: List<PolicyType>,
    /// What deleting the resource does.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume where the function does not run in the management account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub management_role_arn: Optional<RoleArn>,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnDelete {
    /// The types stay enabled, and so everything that is attached keeps its effect.
    #[default]
    Retain,
    /// The types of the list are disabled, unless a policy is still attached.
    Disable,
}

impl Properties {
    /// What the resource is to reach.
    pub fn enabled(&self) -> Desired {
        Desired::Enabled(self.policy_types.0.iter().cloned().collect())
    }

    /// What deleting the resource is to reach, if anything.
    pub fn disabled(&self) -> Option<Desired> {
        let types = || self.policy_types.0.iter().cloned().collect();
        (self.on_delete == OnDelete::Disable).then(|| Desired::Disabled(types()))
    }
}
