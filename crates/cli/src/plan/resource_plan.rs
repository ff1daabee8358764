//! The plan of one resource.

use std::collections::BTreeSet;

use aws::Management;
use errors::chain;
use plan::id::{PolicyId, PolicyName, TargetId};
use policy::document::Document;
use resources::Error;

use super::report::Found;

/// A policy that would be made or changed, for the effect of that on accounts.
pub(super) struct PlannedPolicy {
    pub(super) id: Option<PolicyId>,
    pub(super) name: PolicyName,
    pub(super) document: Document,
    pub(super) targets: BTreeSet<TargetId>,
    /// The targets to which it is attached now.
    pub(super) attached: BTreeSet<TargetId>,
    /// True if the function refuses a policy that AWS would withhold.
    pub(super) is_enforced: bool,
    pub(super) management: Management,
}

/// The plan of one resource.
#[derive(Default)]
pub(super) struct ResourcePlan {
    pub(super) steps: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) policy: Option<PlannedPolicy>,
    /// True if backup policies can be attached after these steps.
    pub(super) enables_policies: bool,
    /// The reason why the run would fail even so.
    pub(super) refused: Option<String>,
    /// The number of accounts that could not be read.
    pub(super) barred: usize,
}

impl ResourcePlan {
    pub(super) fn at<S: ToString>(steps: &[S]) -> Self {
        let steps = steps.iter().map(ToString::to_string).collect();
        Self { steps, ..Self::default() }
    }
}

/// Returns the outcome for an error. An error of AWS says nothing about the resource. Every other
/// error is one that a deployment would meet too.
pub(super) fn judged(error: &Error) -> Found {
    let reason = chain(error);
    if error.of_aws().is_some() { Found::Failed(reason) } else { Found::Refused(reason) }
}

pub(super) const UNCHANGED: &str = "its properties are those of the last deployment, so \
                                    CloudFormation may not call its function; `reattach` puts this \
                                    back";
