//! The properties of the resource.

use serde::{Deserialize, Serialize};

use super::{Desired, Setting, Values};
use crate::id::RoleArn;
use crate::scalar::{Flag, Optional};

/// The properties of the resource. A setting that is absent is left alone.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// True if recovery points may be copied to other accounts of the organization.
    pub cross_account_backup: Option<Flag>,
    /// True if AWS Backup keeps the permissions of its delegated administrators up to date.
    pub delegated_administrator: Option<Flag>,
    /// True if multi-party approval can protect logically air-gapped vaults.
    pub multi_party_approval: Option<Flag>,
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
    /// The settings stay as they are.
    #[default]
    Retain,
    /// The settings return to the values that they had when the resource first said `Restore`. The
    /// same applies to a setting that an update removes.
    Restore,
}

impl Properties {
    /// Returns the desired state of a resource that had the `previous` properties before.
    pub fn present(&self, previous: Option<&Self>) -> Desired {
        let restores = |it: &&Self| it.on_delete == OnDelete::Restore;
        let retired = previous.filter(restores).map(Self::values).unwrap_or_default();
        Desired::Present { values: self.values(), restore: restores(&self), retired }
    }

    /// Returns the state that deleting the resource has to reach if it restores.
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
