//! Compares every resource with the organization, by the plans of the functions.

use std::collections::BTreeSet;

use aws::Management;
use backup_policy::Occasion;
use errors::chain;
use global_settings::GlobalSettings;
use plan::backup_policy::Preflight;
use plan::id::PolicyType;
use plan::outlook::Outlook;
use plan::policy_types::Step as TypeStep;
use plan::preflight::{Edit, Withheld};
use plan::properties::Properties;
use policy_types::PolicyTypes;
use resources::slot::Intent;
use resources::{Error, reach};
use serde::Serialize;
use serde_json::Value;
use service_access::ServiceAccess;

use super::dropped::{self, Removed};
use super::report::{Found, PlanReport, PlannedResource};
use super::resource_plan::{PlannedPolicy, ResourcePlan, UNCHANGED, judged};
use super::wanted::{WantedResource, WantedResources};
use super::{PlanContext, members};

/// Plans every wanted resource. Resources that others need come first.
pub(super) async fn look(
    wanted_resources: WantedResources,
    context: PlanContext<'_>,
) -> PlanReport {
    let WantedResources { all, unknown, taken, notes, dropped, unread, natives } = wanted_resources;
    let mut report = PlanReport { unknown, taken, notes, unread, natives, ..PlanReport::default() };
    let mut policies = Vec::new();
    let mut is_type_enabled = false;
    for wanted in all {
        let mut resource = PlannedResource::of(&wanted);
        resource.found = if wanted.properties.is_none() && wanted.is_deployed {
            Found::LeftOut("some of its properties are known only after deployment".to_owned())
        } else if wanted.kept.as_ref().is_some_and(|it| it.is_changing(context.now)) {
            Found::Changing
        } else if let Some(properties) = &wanted.properties {
            match one(&wanted, properties, is_type_enabled, context).await {
                Ok(look) => {
                    is_type_enabled |= look.enables_policies;
                    policies.extend(look.policy.map(|it| (report.resources.len(), it)));
                    resource.steps = look.steps;
                    resource.notes = look.notes;
                    resource.barred = look.barred;
                    look.refused.map_or(Found::Planned, Found::Refused)
                }
                Err(failure) => judged(&failure),
            }
        } else {
            // It was never made, because its creation was interrupted.
            Found::Planned
        };
        report.resources.push(resource);
    }
    let mut removed = Vec::new();
    let mut gone = BTreeSet::new();
    for (wanted, disposal) in dropped {
        let (resource, policy) = dropped::look(&wanted, &disposal, &gone, context).await;
        gone.extend(policy.as_ref().map(|it| it.id.clone()));
        removed.extend(policy);
        report.resources.push(resource);
    }
    report.keep_dropped();
    if let Err(error) = effects(&policies, &removed, context, &mut report).await {
        report.unread += 1;
        report
            .notes
            .push(format!("{}; the effective policies of accounts are unknown", chain(&error)));
    }
    report
}

/// Plans one resource as its function does.
async fn one(
    wanted: &WantedResource,
    properties: &Value,
    is_type_enabled: bool,
    context: PlanContext<'_>,
) -> Result<ResourcePlan, Error> {
    let properties = Properties::read(wanted.kind, properties)?;
    let management = context.management(properties.management_role()).await?;
    match properties {
        Properties::PolicyTypes(it) => {
            let (mut look, steps) = preview::<PolicyTypes>(wanted, &management, &it, None).await?;
            let enables = |it: &TypeStep| match it {
                TypeStep::Enable(it) | TypeStep::AwaitEnabled(it) => *it == PolicyType::backup(),
                TypeStep::Disable(_) => false,
            };
            look.enables_policies = steps.iter().any(enables);
            Ok(look)
        }
        Properties::ServiceAccess(it) => {
            Ok(preview::<ServiceAccess>(wanted, &management, &it, None).await?.0)
        }
        Properties::GlobalSettings(it) => {
            let previous = match previous(wanted) {
                Some(Properties::GlobalSettings(it)) => Some(it),
                Some(_) | None => None,
            };
            Ok(preview::<GlobalSettings>(wanted, &management, &it, previous.as_ref()).await?.0)
        }
        Properties::BackupPolicy(it) => {
            policy(wanted, management, *it, is_type_enabled, context).await
        }
        Properties::MemberAccounts(it) => members::look(wanted, &management, *it, context).await,
    }
}

/// Plans a resource of one kind. Returns the steps of its function as well.
async fn preview<R: resources::Resource>(
    wanted: &WantedResource,
    management: &Management,
    properties: &R::Properties,
    previous: Option<&R::Properties>,
) -> Result<(ResourcePlan, Vec<R::Step>), Error> {
    let desired = R::present(properties, previous);
    let steps = reach::<R>(management, &wanted.owner, desired, Intent::Report).await?;
    Ok((
        ResourcePlan { notes: unchanged(wanted, properties, &steps), ..ResourcePlan::at(&steps) },
        steps,
    ))
}

async fn policy(
    wanted: &WantedResource,
    management: Management,
    it: plan::backup_policy::Properties,
    is_type_enabled: bool,
    context: PlanContext<'_>,
) -> Result<ResourcePlan, Error> {
    let id = wanted.policy_id();
    let previous = match previous(wanted) {
        Some(Properties::BackupPolicy(it)) => Some(it),
        Some(_) | None => None,
    };
    let (occasion, preflight) = if wanted.is_deployed {
        (Occasion::Deployment(previous.as_deref()), it.preflight)
    } else {
        (Occasion::Restoration, Preflight::Off)
    };
    let preview = backup_policy::preview(
        &management,
        &wanted.owner,
        &it,
        id.as_ref(),
        occasion,
        is_type_enabled,
        context.now,
    );
    let preview = preview.await?;
    let mut look = ResourcePlan::at(&preview.steps);
    // The kept properties have the document in place of its source.
    let now = it.with_document(&preview.document);
    look.notes = unchanged(wanted, &now, &preview.steps);
    if preview.steps.iter().any(plan::backup_policy::Step::reaches_accounts) {
        look.policy = Some(PlannedPolicy {
            id: preview.id,
            name: it.name.clone(),
            document: preview.document,
            targets: preview.targets,
            attached: preview.attached,
            is_enforced: preflight == Preflight::Enforce,
            management,
        });
    }
    Ok(look)
}

/// Returns the previous properties, if this version accepts them.
fn previous(wanted: &WantedResource) -> Option<Properties> {
    wanted.kept.as_ref().filter(|_| wanted.is_deployed)?.wanted().ok()?
}

/// Returns a note if the properties are unchanged: CloudFormation does not call the function of
/// such a resource again.
fn unchanged<S>(wanted: &WantedResource, now: &impl Serialize, steps: &[S]) -> Vec<String> {
    let kept = wanted.kept.as_ref().filter(|_| wanted.is_deployed && !steps.is_empty());
    let kept = kept.and_then(|it| it.properties.as_ref());
    let same = kept.is_some_and(|it| serde_json::to_value(now).is_ok_and(|now| now == *it));
    same.then(|| UNCHANGED.to_owned()).into_iter().collect()
}

/// Adds the effects on accounts to the report, and refuses the policies that their functions would
/// refuse. Each policy comes with the index of its resource in the report. Those that are `removed`
/// are applied last.
async fn effects(
    policies: &[(usize, PlannedPolicy)],
    removed: &[Removed],
    context: PlanContext<'_>,
    report: &mut PlanReport,
) -> Result<(), aws::Error> {
    let first = policies.first().map(|(_, it)| &it.management);
    let first = first.or(removed.first().map(|it| &it.management));
    let Some(management) = first else { return Ok(()) };
    let targets = policies.iter().flat_map(|(_, it)| it.targets.iter().chain(&it.attached));
    let targets = targets.chain(removed.iter().flat_map(|it| &it.attached));
    let targets: BTreeSet<_> = targets.cloned().collect();
    let organization = organization::preflight::observe(management, &targets).await?;
    let places = organization::preflight::places(management, &organization, &targets).await?;
    let mut outlook = Outlook::new(&organization, &places);
    for (resource, it) in policies {
        let PlannedPolicy { name, document, targets, .. } = it;
        let change = Edit { id: it.id.as_ref(), name, document, targets };
        let before = outlook.clone();
        let withheld: Result<(), Withheld> = outlook.take(&change, context.now);
        if let (Err(withheld), true) = (withheld, it.is_enforced) {
            outlook = before;
            if let Some(resource) = report.resources.get_mut(*resource) {
                resource.steps.clear();
                resource.found = Found::Refused(resources::Error::from(withheld).to_string());
            }
        }
    }
    if !report.keep_dropped() {
        for it in removed {
            outlook.delete(&it.id);
        }
    }
    report.effects = outlook.effects(context.now);
    Ok(())
}
