//! The properties of the resource.

use serde::{Deserialize, Serialize};

use super::{Desired, Setting, Values};
use crate::id::RoleArn;
use crate::scalar::{Flag, Optional};

/// The properties of the resource. A setting that is absent is left alone.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// Whether recovery points may be copied to other accounts of the organization.
    pub cross_account_backup: Option<Flag>,
    /// Whether AWS Backup keeps its delegated administrators' permissions up to date.
    pub delegated_administrator: Option<Flag>,
    /// Whether multi-party approval can protect logically air-gapped vaults.
    pub multi_party_approval: Option<Flag>,
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
    /// The settings stay as they are.
    #[default]
    Retain,
    /// The settings get the values that were found when the resource first said `Restore`, and so
    /// does a setting that an update takes off.
    Restore,
}

impl Properties {
    /// What the settings are to be, where the resource had other properties before.
    pub fn present(&self, previous: Option<&Self>) -> Desired {
        let restores = |it: &&Self| it.on_delete == OnDelete::Restore;
        let retired = previous.filter(restores).map(Self::values).unwrap_or_default();
        Desired::Present { values: self.values(), restore: restores(&self), retired }
    }

    /// What deleting the resource is to reach, where it restores.
    pub fn restored(&self) -> Desired {
        Desired::Restored(self.values().into_keys().collect())
    }

    fn values(&self) -> Values {
        let settings = [
            (Setting::CrossAccountBackup, self.cross_account_backup),
            (Setting::DelegatedAdministrator, self.delegated_administrator),
            (Setting::MultiPartyApproval, self.multi_party_approval),
        ];
        settings.into_iter().filter_map(|(it, on)| Some((it, on?.0))).collect()
    }
}
