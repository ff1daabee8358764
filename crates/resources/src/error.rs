//! The reasons why a resource is not in its desired state.

use errors::advised;
use plan::properties::Misfit;
use plan::{backup_policy, member_accounts, policy_types, preflight, service_access};
use policy::document;
use thiserror::Error;

/// The reason why a resource is not in its desired state, or why the steps to it are unknown.
#[derive(Debug, Error)]
pub enum Error {
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// This version does not accept the properties of the resource.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The properties of a backup policy are not a valid combination.
    #[error("{}", advised(.0, .0.hint()))]
    PolicyProperties(backup_policy::Invalid),
    /// The text of a backup policy is not a policy document.
    #[error("{}", advised(.0, .0.hint()))]
    Document(document::Invalid),
    /// AWS would refuse a backup policy.
    #[error("{}", advised(.0, Some(preflight::Invalid::HINT)))]
    Preflight(preflight::Invalid),
    /// AWS would withhold the effective policy from an account.
    #[error("{}", advised(.0, Some(preflight::Withheld::HINT)))]
    Withheld(preflight::Withheld),
    /// The backup policy cannot be created or changed in the state that the organization is in.
    #[error("{}", advised(.0, .0.hint()))]
    BackupPolicy(backup_policy::Refusal),
    /// The properties of work in member accounts are not a valid combination.
    #[error("{}", advised(.0, .0.hint()))]
    MemberProperties(member_accounts::InvalidProperties),
    /// Work in member accounts did not succeed.
    #[error("{}", advised(.0, .0.hint()))]
    MemberAccounts(member_accounts::Refusal),
    /// The policy type cannot be enabled or disabled in the state that the organization is in.
    #[error("{}", advised(.0, Some(.0.hint())))]
    PolicyTypes(policy_types::Refusal),
    /// The service or feature cannot be turned on or off in the state that the organization is in.
    #[error("{}", advised(.0, .0.hint()))]
    ServiceAccess(service_access::Refusal),
}

/// Converts refusals. A refusal has no causes, and its message contains the hint.
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
    /// Returns the error of AWS, if that is the reason.
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
