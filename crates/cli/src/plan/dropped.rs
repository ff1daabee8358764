//! The effects of a deployment on resources that its template no longer has.
//!
//! CloudFormation deletes them at the end of an update, after all other steps have succeeded.

use std::collections::BTreeSet;

use aws::Management;
use global_settings::GlobalSettings;
use plan::backup_policy::Step;
use plan::deployment::Disposal;
use plan::id::{PolicyId, TargetId};
use plan::owner::Owner;
use plan::properties::Properties;
use resources::slot::Intent;
use resources::{Error, reach};
use service_access::ServiceAccess;

use super::PlanContext;
use super::report::{Found, PlannedResource};
use super::resource_plan::judged;
use super::wanted::WantedResource;

/// A policy that would be deleted, for the effect of that on accounts.
pub(super) struct Removed {
    pub(super) id: PolicyId,
    /// The targets to which it is attached now.
    pub(super) attached: BTreeSet<TargetId>,
    pub(super) management: Management,
}

/// The plan of one deletion.
#[derive(Default)]
struct RemovalPlan {
    steps: Vec<String>,
    notes: Vec<String>,
    removed: Option<Removed>,
}

/// Plans one resource, on the assumption that the policies in `gone` are deleted before.
pub(super) async fn look(
    wanted: &WantedResource,
    disposal: &Disposal,
    gone: &BTreeSet<PolicyId>,
    context: PlanContext<'_>,
) -> (PlannedResource, Option<Removed>) {
    let mut resource = PlannedResource::of(wanted);
    resource.is_dropped = true;
    if wanted.kept.as_ref().is_some_and(|it| it.is_changing(context.now)) {
        resource.found = Found::Changing;
        return (resource, None);
    }
    if let Disposal::Retained(policy) = disposal {
        resource.found =
            Found::Stays(format!("the deployed template has `DeletionPolicy: {policy}` for it"));
        resource.notes.push(STAYS_KEPT.to_owned());
        return (resource, None);
    }
    let look = match removal(wanted, gone, context).await {
        Ok(look) => look,
        Err(failure) => {
            resource.found = judged(&failure);
            return (resource, None);
        }
    };
    resource.notes = look.notes;
    if let Disposal::Unknown(why) = disposal {
        resource.found =
            Found::LeftOut(format!("it is unknown if it is deleted or retained: {why}"));
        if !look.steps.is_empty() {
            resource.notes.push(format!("if it is deleted: {}", look.steps.join(", ")));
        }
        return (resource, None);
    }
    resource.steps = look.steps;
    (resource, look.removed)
}

/// The note on every resource that leaves its stack and is retained.
const STAYS_KEPT: &str =
    "its desired state stays too, so `reattach` continues to put its drift back";

/// Plans one deletion as the function of the resource does.
async fn removal(
    wanted: &WantedResource,
    gone: &BTreeSet<PolicyId>,
    context: PlanContext<'_>,
) -> Result<RemovalPlan, Error> {
    // A resource without properties was never made.
    let Some(properties) = &wanted.properties else { return Ok(RemovalPlan::default()) };
    let owner = &wanted.owner;
    let properties = Properties::read(wanted.kind, properties)?;
    let enter = context.management(properties.management_role());
    match &properties {
        Properties::PolicyTypes(it) => {
            let steps = policy_types::preview_removal(&enter.await?, it, gone).await?;
            Ok(RemovalPlan::at(&steps))
        }
        Properties::ServiceAccess(it) => preview::<ServiceAccess>(owner, &enter.await?, it).await,
        Properties::GlobalSettings(it) => preview::<GlobalSettings>(owner, &enter.await?, it).await,
        Properties::BackupPolicy(it) => {
            let management = enter.await?;
            let id = wanted.policy_id();
            let removal = backup_policy::preview_removal(&management, owner, it, id.as_ref());
            let backup_policy::Removal { id, steps, attached } = removal.await?;
            let mut look = RemovalPlan::at(&steps);
            if steps.iter().any(Step::reaches_accounts) {
                look.removed = id.map(|id| Removed { id, attached, management });
            } else if !steps.is_empty() {
                look.notes.push("it existed before it was adopted, so it stays".to_owned());
            }
            Ok(look)
        }
        // Its deletion leaves the accounts as they are.
        Properties::MemberAccounts(_) => Ok(RemovalPlan::default()),
    }
}

async fn preview<R: resources::Resource>(
    owner: &Owner,
    management: &Management,
    properties: &R::Properties,
) -> Result<RemovalPlan, Error> {
    let Some(desired) = R::absent(properties) else { return Ok(RemovalPlan::default()) };
    Ok(RemovalPlan::at(&reach::<R>(management, owner, desired, Intent::Report).await?))
}

impl RemovalPlan {
    fn at<S: ToString>(steps: &[S]) -> Self {
        Self { steps: steps.iter().map(ToString::to_string).collect(), ..Self::default() }
    }
}
