//! What would be done about one resource.

use std::collections::BTreeSet;

use aws::Management;
use errors::chain;
use plan::id::{PolicyId, PolicyName, TargetId};
use policy::document::Document;
use resources::Error;

use super::report::Found;

/// A policy that would be made or changed, for what that does to accounts.
pub(super) struct PlannedPolicy {
    pub(super) id: Option<PolicyId>,
    pub(super) name: PolicyName,
    pub(super) document: Document,
    pub(super) targets: BTreeSet<TargetId>,
    /// Where it is attached now.
    pub(super) attached: BTreeSet<TargetId>,
    /// Whether the function refuses what AWS would withhold.
    pub(super) is_enforced: bool,
    pub(super) management: Management,
}

/// What would be done about one resource.
#[derive(Default)]
pub(super) struct ResourcePlan {
    pub(super) steps: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) policy: Option<PlannedPolicy>,
    /// Whether backup policies can be attached after it.
    pub(super) enables_policies: bool,
    /// Why the run would fail all the same.
    pub(super) refused: Option<String>,
    /// How many accounts could not be looked at.
    pub(super) barred: usize,
}

impl ResourcePlan {
    pub(super) fn at<S: ToString>(steps: &[S]) -> Self {
        let steps = steps.iter().map(ToString::to_string).collect();
        Self { steps, ..Self::default() }
    }
}

/// A failure of AWS says nothing about the resource, and every other one is what a deployment would
/// meet.
pub(super) fn judged(error: &Error) -> Found {
    let reason = chain(error);
    if error.of_aws().is_some() { Found::Failed(reason) } else { Found::Refused(reason) }
}

pub(super) const UNCHANGED: &str = "its properties are those of the last deployment, so \
    CloudFormation may not ask its function; `reattach` puts this back";
