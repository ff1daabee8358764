//! Comparing every resource with what there is, by the functions' own plans.

use std::collections::BTreeSet;

use aws::Management;
use aws::state::Intent;
use backup_policy::Occasion;
use errors::chain;
use global_settings::GlobalSettings;
use plan::backup_policy::Preflight;
use plan::id::{PolicyId, PolicyName, PolicyType, RoleArn, TargetId};
use plan::outlook::Outlook;
use plan::policy_types::Step as TypeStep;
use plan::preflight::{Change, Withheld};
use plan::properties::Properties;
use policy::document::Document;
use policy_types::PolicyTypes;
use resources::{Error, reach};
use serde::Serialize;
use serde_json::Value;
use service_access::ServiceAccess;

use super::dropped::{self, Removed};
use super::report::{Found, Report, Resource};
use super::wish::{Wish, Wishes};
use super::{Sight, members};

/// A policy that would be made or changed, for what that does to accounts.
struct Policy {
    id: Option<PolicyId>,
    name: PolicyName,
    document: Document,
    targets: BTreeSet<TargetId>,
    /// Where it is attached now.
    attached: BTreeSet<TargetId>,
    /// Whether the function refuses what AWS would withhold.
    is_enforced: bool,
    management: Management,
}

/// What one look found.
#[derive(Default)]
pub(super) struct Look {
    pub(super) steps: Vec<String>,
    pub(super) notes: Vec<String>,
    policy: Option<Policy>,
    /// Whether backup policies can be attached after it.
    enables_policies: bool,
    /// Why the run would fail all the same.
    pub(super) refused: Option<String>,
    /// How many accounts could not be looked at.
    pub(super) barred: usize,
}

impl Look {
    pub(super) fn at<S: ToString>(steps: &[S]) -> Self {
        let steps = steps.iter().map(ToString::to_string).collect();
        Self { steps, ..Self::default() }
    }
}

/// Looks at everything that is wanted, those resources first that others need.
pub(super) async fn look(wishes: Wishes, sight: Sight<'_>) -> Report {
    let Wishes { all, unknown, taken, notes, dropped, unread } = wishes;
    let mut report = Report { unknown, taken, notes, unread, ..Report::default() };
    let mut policies = Vec::new();
    let mut is_type_enabled = false;
    for wish in all {
        let mut resource = Resource::of(&wish);
        resource.found = if wish.properties.is_none() && wish.is_deployed {
            Found::LeftOut("something of it is known only once it is deployed".to_owned())
        } else if wish.kept.as_ref().is_some_and(|it| it.is_changing(sight.now)) {
            Found::Changing
        } else if let Some(properties) = &wish.properties {
            match one(&wish, properties, is_type_enabled, sight).await {
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
            // Nothing was ever made of it: its creation was cut off.
            Found::Planned
        };
        report.resources.push(resource);
    }
    let mut removed = Vec::new();
    let mut gone = BTreeSet::new();
    for (wish, fate) in dropped {
        let (resource, policy) = dropped::look(&wish, &fate, &gone, sight).await;
        gone.extend(policy.as_ref().map(|it| it.id.clone()));
        removed.extend(policy);
        report.resources.push(resource);
    }
    report.keep_dropped();
    if let Err(error) = effects(&policies, &removed, sight, &mut report).await {
        report.unread += 1;
        report.notes.push(format!("{}; what accounts get is not known", chain(&error)));
    }
    report
}

/// A failure of AWS says nothing about the resource, and every other one is what a deployment would
/// meet.
pub(super) fn judged(error: &Error) -> Found {
    let reason = chain(error);
    if error.of_aws().is_some() { Found::Failed(reason) } else { Found::Refused(reason) }
}

/// Plans one resource as its function does.
async fn one(
    wish: &Wish,
    properties: &Value,
    is_type_enabled: bool,
    sight: Sight<'_>,
) -> Result<Look, Error> {
    let properties = Properties::read(wish.kind, properties)?;
    let management = enter(properties.management_role(), sight).await?;
    match properties {
        Properties::PolicyTypes(it) => {
            let (mut look, steps) = preview::<PolicyTypes>(wish, &management, &it, None).await?;
            let enables = |it: &TypeStep| match it {
                TypeStep::Enable(it) | TypeStep::AwaitEnabled(it) => *it == PolicyType::backup(),
                TypeStep::Disable(_) => false,
            };
            look.enables_policies = steps.iter().any(enables);
            Ok(look)
        }
        Properties::ServiceAccess(it) => {
            Ok(preview::<ServiceAccess>(wish, &management, &it, None).await?.0)
        }
        Properties::GlobalSettings(it) => {
            let previous = match previous(wish) {
                Some(Properties::GlobalSettings(it)) => Some(it),
                Some(_) | None => None,
            };
            Ok(preview::<GlobalSettings>(wish, &management, &it, previous.as_ref()).await?.0)
        }
        Properties::BackupPolicy(it) => policy(wish, management, *it, is_type_enabled, sight).await,
        Properties::MemberAccounts(it) => members::look(wish, &management, *it, sight).await,
    }
}

/// Looks at a resource of one kind, and returns what its function would do as well.
async fn preview<R: resources::Resource>(
    wish: &Wish,
    management: &Management,
    properties: &R::Properties,
    previous: Option<&R::Properties>,
) -> Result<(Look, Vec<R::Step>), Error> {
    let desired = R::present(properties, previous);
    let steps = reach::<R>(management, &wish.owner, desired, Intent::Report).await?;
    Ok((Look { notes: unchanged(wish, properties, &steps), ..Look::at(&steps) }, steps))
}

async fn policy(
    wish: &Wish,
    management: Management,
    it: plan::backup_policy::Properties,
    is_type_enabled: bool,
    sight: Sight<'_>,
) -> Result<Look, Error> {
    let id = wish.policy_id();
    let previous = match previous(wish) {
        Some(Properties::BackupPolicy(it)) => Some(it),
        Some(_) | None => None,
    };
    let (occasion, preflight) = if wish.is_deployed {
        (Occasion::Deployment(previous.as_deref()), it.preflight)
    } else {
        (Occasion::Restoration, Preflight::Off)
    };
    let preview = backup_policy::preview(
        &management,
        &wish.owner,
        &it,
        id.as_ref(),
        occasion,
        is_type_enabled,
        sight.now,
    );
    let preview = preview.await?;
    let mut look = Look::at(&preview.steps);
    // What is kept has the document in place of where it comes from.
    let now = it.with_document(&preview.document);
    look.notes = unchanged(wish, &now, &preview.steps);
    if preview.steps.iter().any(plan::backup_policy::Step::reaches_accounts) {
        look.policy = Some(Policy {
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

pub(super) async fn enter(
    role: Option<&RoleArn>,
    sight: Sight<'_>,
) -> Result<Management, aws::Error> {
    sight.session.management(role, sight.deadline).await
}

/// The properties before, where this version takes them.
fn previous(wish: &Wish) -> Option<Properties> {
    wish.kept.as_ref().filter(|_| wish.is_deployed)?.wanted().ok()?
}

/// CloudFormation does not ask a function again whose properties are the same.
fn unchanged<S>(wish: &Wish, now: &impl Serialize, steps: &[S]) -> Vec<String> {
    let kept = wish.kept.as_ref().filter(|_| wish.is_deployed && !steps.is_empty());
    let kept = kept.and_then(|it| it.properties.as_ref());
    let same = kept.is_some_and(|it| serde_json::to_value(now).is_ok_and(|now| now == *it));
    same.then(|| UNCHANGED.to_owned()).into_iter().collect()
}

pub(super) const UNCHANGED: &str = "its properties are those of the last deployment, so \
    CloudFormation may not ask its function; `reattach` puts this back";

/// Adds to the report what accounts would get, and refuses what their functions would refuse. Each
/// policy comes with the place of its resource in the report; those that are `removed` come last.
async fn effects(
    policies: &[(usize, Policy)],
    removed: &[Removed],
    sight: Sight<'_>,
    report: &mut Report,
) -> Result<(), aws::Error> {
    let first = policies.first().map(|(_, it)| &it.management);
    let first = first.or(removed.first().map(|it| &it.management));
    let Some(management) = first else { return Ok(()) };
    let targets = policies.iter().flat_map(|(_, it)| it.targets.iter().chain(&it.attached));
    let targets = targets.chain(removed.iter().flat_map(|it| &it.attached));
    let targets: BTreeSet<_> = targets.cloned().collect();
    let organization = aws::preflight::observe(management, &targets).await?;
    let places = aws::preflight::places(management, &organization, &targets).await?;
    let mut outlook = Outlook::new(&organization, &places);
    for (resource, it) in policies {
        let Policy { name, document, targets, .. } = it;
        let change = Change { id: it.id.as_ref(), name, document, targets };
        let before = outlook.clone();
        let withheld: Result<(), Withheld> = outlook.take(&change, sight.now);
        if let (Err(withheld), true) = (withheld, it.is_enforced) {
            outlook = before;
            if let Some(resource) = report.resources.get_mut(*resource) {
                resource.steps.clear();
                resource.found = Found::Refused(withheld.to_string());
            }
        }
    }
    if !report.keep_dropped() {
        for it in removed {
            outlook.delete(&it.id);
        }
    }
    report.effects = outlook.effects(sight.now);
    Ok(())
}
