//! Why a resource is not what it should be.

use plan::properties::Misfit;
use plan::{backup_policy, member_accounts, policy_types, preflight, service_access};
use policy::document;
use thiserror::Error;

/// Why a resource is not what it should be, or why it is not known what that would take.
#[derive(Debug, Error)]
pub enum Error {
    /// AWS did not do something.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// This version does not take its properties.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The properties of a backup policy do not go together.
    #[error(transparent)]
    PolicyProperties(#[from] backup_policy::Invalid),
    /// The text of a backup policy is none.
    #[error(transparent)]
    Document(#[from] document::Invalid),
    /// AWS would refuse a backup policy.
    #[error(transparent)]
    Preflight(#[from] preflight::Invalid),
    /// AWS would withhold its effective policy from an account.
    #[error(transparent)]
    Withheld(#[from] preflight::Withheld),
    /// A backup policy is not made or changed as things are.
    #[error(transparent)]
    BackupPolicy(#[from] backup_policy::Refusal),
    /// The properties of work in member accounts do not go together.
    #[error(transparent)]
    MemberProperties(#[from] member_accounts::InvalidProperties),
    /// What came of work in member accounts is no success.
    #[error(transparent)]
    MemberAccounts(#[from] member_accounts::Refusal),
    /// A policy type is not enabled or disabled as things are.
    #[error(transparent)]
    PolicyTypes(#[from] policy_types::Refusal),
    /// Something is not turned on or off as things are.
    #[error(transparent)]
    ServiceAccess(#[from] service_access::Refusal),
}

impl Error {
    /// What AWS did not do, where that is the reason.
    pub fn of_aws(&self) -> Option<&aws::Error> {
        match self {
            Self::Aws(error) => Some(error),
            Self::Misfit(_)
            | Self::PolicyProperties(_)
            | Self::Document(_)
            | Self::Preflight(_)
            | Self::Withheld(_)
            | Self::BackupPolicy(_)
            | Self::MemberProperties(_)
            | Self::MemberAccounts(_)
            | Self::PolicyTypes(_)
            | Self::ServiceAccess(_) => None,
        }
    }
}
