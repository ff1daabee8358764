//! Failures in accounts, as a report tells them.

use plan::id::Region;
use plan::member_accounts::{ENABLE_REGION, Failure};

use crate::advice::Advice;
use crate::error::{Error, Kind};

/// Returns the failure in an account that `error` caused.
pub fn failure(region: Option<&Region>, error: &Error) -> Failure {
    let hint = error.hint_in_member(advice(region, error)).into_owned();
    Failure { region: region.cloned(), problem: error.problem(), hint }
}

/// Returns the advice, which differs from the one for a failure in the management account.
fn advice(region: Option<&Region>, error: &Error) -> Advice {
    match (region, error.kind()) {
        _ if is_disabled(error) => Advice::Same(ENABLE_REGION),
        (None, Kind::Denied) => Advice::MemberRole,
        (Some(_), Kind::Denied) => Advice::MemberRegion,
        (_, Kind::Transient) => Advice::MemberAgain,
        (_, Kind::Rejected | Kind::Outdated) => Advice::MemberOther,
    }
}

/// Returns `true` if AWS does not know the account in the Region of the call, for example because
/// the account has not enabled the Region.
pub fn is_disabled(error: &Error) -> bool {
    error.code().is_some_and(|it| DISABLED.contains(&it))
}

/// The error codes of AWS for credentials in a Region that their account has not enabled.
const DISABLED: [&str; 5] = [
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "RegionDisabledException",
    "UnrecognizedClientException",
];
