//! `Custom::ServiceAccess`: trusted access, StackSets, and delegated administrators.

use std::collections::BTreeSet;

use aws::Management;
use cfn::Reply;
use organization::Record;
use plan::id::RoleArn;
use plan::owner::Owner;
use plan::resource::ResourceKind;
use plan::service_access::{
    Desired, Observed, OnDelete, Properties, Step, Switch, hand_over, plan,
};
use resources::{Error, Resource};
use stacks::service_access::{apply, observe};

/// The end of a physical ID, after the ID of the management account.
const SUFFIX: &str = "/service-access";

/// The resource.
#[derive(Debug)]
pub enum ServiceAccess {}

impl Resource for ServiceAccess {
    const KIND: ResourceKind = ResourceKind::ServiceAccess;
    const HAS_RECORD: bool = true;
    type Properties = Properties;
    type Desired = Desired;
    type Observed = (Option<Record>, Observed);
    type Step = Step;
    /// The switches that are being turned on.
    type Begun = BTreeSet<Switch>;

    fn is_issued(physical_id: &str) -> bool {
        physical_id.ends_with(SUFFIX)
    }

    fn management_role(properties: &Properties) -> Option<&RoleArn> {
        properties.management_role_arn.as_ref()
    }

    fn present(properties: &Properties, _: Option<&Properties>) -> Desired {
        properties.into()
    }

    fn absent(properties: &Properties) -> Option<Desired> {
        let reverted = Desired { revert: true, ..Desired::default() };
        (properties.on_delete == OnDelete::Revert).then_some(reverted)
    }

    async fn observe(
        management: &Management,
        desired: &Desired,
        owner: &Owner,
        begun: Self::Begun,
    ) -> Result<Self::Observed, aws::Error> {
        observe(management, desired, owner, begun).await
    }

    fn note(begun: &mut Self::Begun, desired: &Desired, (_, observed): &Self::Observed) {
        begun.extend(observed.turned_on.iter().cloned());
        // A refusal is ignored here, because it occurs again when the steps are carried out.
        for step in plan(desired, observed).unwrap_or_default() {
            if let Step::Record(more) = step {
                begun.extend(more);
            }
        }
    }

    fn recorded((_, observed): &Self::Observed) -> Self::Begun {
        observed.turned_on.clone()
    }

    fn unfinished(properties: &Properties, begun: &Self::Begun) -> Option<Desired> {
        let is_left = properties.on_delete == OnDelete::Revert && !begun.is_empty();
        is_left.then(|| Desired::to_look_at(begun))
    }

    fn hand_over(begun: &Self::Begun, (_, observed): &Self::Observed) -> Vec<Step> {
        hand_over(begun, observed)
    }

    fn plan(desired: &Desired, (_, observed): &Self::Observed) -> Result<Vec<Step>, Error> {
        Ok(plan(desired, observed)?)
    }

    async fn apply(
        management: &Management,
        (record, _): &Self::Observed,
        steps: &[Step],
    ) -> Result<(), aws::Error> {
        apply(management, record.as_ref(), steps).await
    }

    fn reply((_, observed): Self::Observed, _: Vec<Step>) -> Reply {
        let physical_id = format!("{}{SUFFIX}", observed.management_account);
        Reply { physical_id, ..Reply::default() }
    }
}
