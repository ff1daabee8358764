//! The identity that makes calls.

use policy::partition::Partition;

/// The identity that makes the calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The ARN of the user, or of the session of a role.
    pub arn: String,
    /// The partition.
    pub partition: Partition,
}
