//! Why a resource is not what it should be.

use errors::advised;
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
    #[error("{}", advised(.0, .0.hint()))]
    PolicyProperties(backup_policy::Invalid),
    /// The text of a backup policy is none.
    #[error("{}", advised(.0, .0.hint()))]
    Document(document::Invalid),
    /// AWS would refuse a backup policy.
    #[error("{}", advised(.0, Some(preflight::Invalid::HINT)))]
    Preflight(preflight::Invalid),
    /// AWS would withhold its effective policy from an account.
    #[error("{}", advised(.0, Some(preflight::Withheld::HINT)))]
    Withheld(preflight::Withheld),
    /// A backup policy is not made or changed as things are.
    #[error("{}", advised(.0, .0.hint()))]
    BackupPolicy(backup_policy::Refusal),
    /// The properties of work in member accounts do not go together.
    #[error("{}", advised(.0, .0.hint()))]
    MemberProperties(member_accounts::InvalidProperties),
    /// What came of work in member accounts is no success.
    #[error("{}", advised(.0, .0.hint()))]
    MemberAccounts(member_accounts::Refusal),
    /// A policy type is not enabled or disabled as things are.
    #[error("{}", advised(.0, Some(.0.hint())))]
    PolicyTypes(policy_types::Refusal),
    /// Something is not turned on or off as things are.
    #[error("{}", advised(.0, .0.hint()))]
    ServiceAccess(service_access::Refusal),
}

/// What is refused has no causes, and its message says what helps.
macro_rules! refusals {
    ($($variant:ident: $refusal:ty,)+) => {
        $(impl From<$refusal> for Error {
            fn from(refusal: $refusal) -> Self {
                Self::$variant(refusal)
            }
        })+
    };
}

refusals! {
    PolicyProperties: backup_policy::Invalid,
    Document: document::Invalid,
    Preflight: preflight::Invalid,
    Withheld: preflight::Withheld,
    BackupPolicy: backup_policy::Refusal,
    MemberProperties: member_accounts::InvalidProperties,
    MemberAccounts: member_accounts::Refusal,
    PolicyTypes: policy_types::Refusal,
    ServiceAccess: service_access::Refusal,
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
