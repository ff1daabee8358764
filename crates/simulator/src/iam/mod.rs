//! Roles and policies: who may do what, as far as the project's templates go.
//!
//! A policy that has what is not known here is never read as if it had not: whoever gives one to a
//! simulator is told at once.

mod account;
mod asked;
mod condition;
mod policy;
mod roles;

pub use self::asked::Asked;
pub(crate) use self::condition::Keys;
pub use self::policy::Verdict;
pub(crate) use self::policy::{Need, Policy, Principal};
pub use self::roles::{Iam, Role};

/// Why a policy cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is no policy.
    Malformed(String),
    /// It has what the simulator does not know.
    Unknown(String),
}

#[expect(clippy::panic, reason = "a test whose policy is not understood has failed")]
fn expect_readable(policy: Result<Policy, Unreadable>) -> Policy {
    match policy {
        Ok(policy) => policy,
        Err(Unreadable::Malformed(why)) => panic!("this is no policy: {why}"),
        Err(Unreadable::Unknown(what)) => panic!("the simulator does not know {what}"),
    }
}
