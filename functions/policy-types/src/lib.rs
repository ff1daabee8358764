//! `Custom::PolicyTypes`: the policy types that are enabled on the organization's root.

use std::collections::BTreeSet;

use aws::Management;
use cfn::Reply;
use organization::policy_types::{Identity, apply, observe};
use plan::id::{PolicyId, RoleArn};
use plan::owner::Owner;
use plan::policy_types::{Desired, Observed, Properties, Step, plan};
use plan::resource::ResourceKind;
use resources::{Error, Resource};

/// The end of a physical ID, after the ID of the root.
const SUFFIX: &str = "/policy-types";

/// The resource.
#[derive(Debug)]
pub enum PolicyTypes {}

impl Resource for PolicyTypes {
    const KIND: ResourceKind = ResourceKind::PolicyTypes;
    /// A failed creation does not record which types it found enabled, so all of them stay enabled.
    const HAS_RECORD: bool = false;
    type Properties = Properties;
    type Desired = Desired;
    type Observed = (Identity, Observed);
    type Step = Step;
    type Begun = ();

    fn is_issued(physical_id: &str) -> bool {
        physical_id.ends_with(SUFFIX)
    }

    fn management_role(properties: &Properties) -> Option<&RoleArn> {
        properties.management_role_arn.as_ref()
    }

    fn present(properties: &Properties, _: Option<&Properties>) -> Desired {
        properties.enabled()
    }

    fn absent(properties: &Properties) -> Option<Desired> {
        properties.disabled()
    }

    async fn observe(
        management: &Management,
        desired: &Desired,
        _: &Owner,
        (): (),
    ) -> Result<Self::Observed, aws::Error> {
        observe(management, desired).await
    }

    fn note((): &mut (), _: &Desired, _: &Self::Observed) {}

    fn recorded(_: &Self::Observed) {}

    fn unfinished(_: &Properties, (): &()) -> Option<Desired> {
        None
    }

    fn hand_over((): &(), _: &Self::Observed) -> Vec<Step> {
        Vec::new()
    }

    fn plan(desired: &Desired, (_, observed): &Self::Observed) -> Result<Vec<Step>, Error> {
        Ok(plan(desired, observed)?)
    }

    async fn apply(
        management: &Management,
        (identity, _): &Self::Observed,
        steps: &[Step],
    ) -> Result<(), aws::Error> {
        apply(management, identity, steps).await
    }

    fn reply((identity, _): Self::Observed, _: Vec<Step>) -> Reply {
        let physical_id = format!("{}{SUFFIX}", identity.root_id);
        let data = [
            ("RootId", identity.root_id.to_string()),
            ("OrganizationId", identity.organization_id),
            ("ManagementAccountId", identity.management_account.to_string()),
        ];
        Reply { physical_id, data: data.into() }
    }
}

/// Returns the steps that deleting the resource would take after the policies in `gone` are
/// deleted. Nothing is changed.
///
/// # Errors
///
/// Returns an error if the deletion would be refused or a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    properties: &Properties,
    gone: &BTreeSet<PolicyId>,
) -> Result<Vec<Step>, Error> {
    let Some(desired) = properties.disabled() else { return Ok(vec![]) };
    let (_, mut observed) = observe(management, &desired).await?;
    for attached in observed.attached.values_mut() {
        attached.retain(|it| !gone.contains(it));
    }
    Ok(plan(&desired, &observed)?)
}
