//! Roles and policies, as far as the project's templates use them.
//!
//! A policy with an unknown element is never read as if the element were missing. The simulator
//! rejects it at once.

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

/// The reasons for which a policy cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not a policy.
    Malformed(String),
    /// It has an element that the simulator does not know.
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
