//! The identity that makes calls, and the organization that it belongs to.

use std::sync::OnceLock;

use plan::id::AccountId;
use policy::partition::Partition;

use crate::error::Error;

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

/// The organization, as every account in it may describe it.
#[derive(Clone, Debug)]
pub(crate) struct OrganizationIds {
    pub(crate) id: String,
    pub(crate) management_account: AccountId,
    pub(crate) all_features: bool,
    /// The partition in the organization's ARN.
    pub(crate) partition: Option<String>,
}

/// The answers to the questions that the parts of one command ask in common.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) caller: OnceLock<Caller>,
    pub(crate) organization: OnceLock<OrganizationIds>,
}

impl OrganizationIds {
    /// Returns the partition, for example `aws-cn`.
    pub(crate) fn partition(&self) -> Result<String, Error> {
        self.partition.clone().ok_or_else(|| Error::incomplete(DESCRIBE, "its ARN"))
    }
}

/// The action of describing the organization, for errors.
pub(crate) const DESCRIBE: &str = "describe the organization";
