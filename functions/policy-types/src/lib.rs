//! `Custom::PolicyTypes`: the policy types that are enabled on the organization's root.

use std::collections::BTreeSet;

use aws::policy_types::{Identity, apply, observe};
use aws::state::{Intent, Leftover, Slot};
use aws::{Management, Session};
use cfn::{Failure, Outcome, Reply, Request};
use plan::id::PolicyId;
use plan::policy_types::{Desired, OnDelete, Properties, Step, plan};
use plan::resource::ResourceKind;
use resources::Error;

/// What a physical ID ends with, after the ID of the root.
const SUFFIX: &str = "/policy-types";

/// Brings the root to what `request` asks for.
///
/// # Errors
///
/// When the change is refused or a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Outcome, Failure> {
    let (physical_id, deadline) = (request.physical_id.as_ref(), request.deadline);
    let apply = async |properties: &Properties, _: Option<&Properties>, slot: &mut Slot| {
        let role = properties.management_role_arn.as_ref();
        let management = session.management(role, deadline).await?;
        let intent = Intent::Change { slot };
        let (identity, _) = reconcile(&management, &properties.enabled(), intent).await?;
        let natural = || format!("{}{SUFFIX}", identity.root_id);
        let physical_id = physical_id.cloned().unwrap_or_else(natural);
        slot.settle(&physical_id, &physical_id, properties).await?;
        let data = [
            ("RootId", identity.root_id.to_string()),
            ("OrganizationId", identity.organization_id),
            ("ManagementAccountId", identity.management_account.to_string()),
        ];
        Ok(Reply { physical_id, data: data.into() }.into())
    };
    let remove = async |properties: Option<&Properties>, left: &Leftover, intent: Intent<'_>| {
        let properties = properties.filter(|_| !left.is_former);
        let Some(properties) = properties else { return Ok(()) };
        // A creation that failed does not say which types it found enabled, so all are left on.
        if left.physical_id.is_some() && properties.on_delete == OnDelete::Disable {
            let role = properties.management_role_arn.as_ref();
            let management = session.management(role, deadline).await?;
            remove(&management, properties, intent).await?;
        }
        Ok(())
    };
    let is_issued = |id: &str| id.ends_with(SUFFIX);
    resources::serve(session, ResourceKind::PolicyTypes, &request, is_issued, apply, remove).await
}

/// Takes away what is left of a resource that is gone, and returns what that takes.
///
/// # Errors
///
/// When it is refused or a call to AWS fails. Trying again resumes.
pub async fn remove(
    management: &Management,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    let Some(desired) = properties.disabled() else { return Ok(vec![]) };
    Ok(reconcile(management, &desired, intent).await?.1)
}

/// Looks after types that were enabled before, and returns what that takes.
///
/// # Errors
///
/// When it is refused or a call to AWS fails. Looking again resumes.
pub async fn restore(
    management: &Management,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    Ok(reconcile(management, &properties.enabled(), intent).await?.1)
}

/// Says what deleting the resource would take, once the policies that are `gone` are deleted. Nothing
/// is changed.
///
/// # Errors
///
/// When it would be refused or a call to AWS fails.
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

/// Observes, plans and, where that is the `intent`, applies.
async fn reconcile(
    management: &Management,
    desired: &Desired,
    mut intent: Intent<'_>,
) -> Result<(Identity, Vec<Step>), Error> {
    let (identity, observed) = observe(management, desired).await?;
    let steps = plan(desired, &observed)?;
    if intent.proceeds(&steps).await? {
        apply(management, &identity, &steps).await?;
    }
    Ok((identity, steps))
}
