//! Reads what is necessary to predict the effect of a change on effective policies.
//!
//! The number of reads grows with the policies and their targets, but not with the accounts.

use std::collections::{BTreeMap, BTreeSet};

use aws::operation::LIST_PARENTS;
use aws::{Error, Management};
use aws_sdk_organizations::types::{Account, PolicyType as WireType};
use plan::id::{AccountId, TargetId};
use plan::member_accounts::{Listed, ids_in};
use plan::outlook::Place;
use plan::preflight::Organization;
use report::Unit;

use crate::accounts::accounts_below;
use crate::organizations;
use crate::tree::listed;
use crate::walk::{Vanished, Walk};

/// Reads the backup policies that AWS merges with those attached to `targets`.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe(
    management: &Management,
    targets: &BTreeSet<TargetId>,
) -> Result<Organization, Error> {
    let mut organization = Organization::default();
    for policy in organizations::policies(management, &WireType::BackupPolicy).await? {
        for target in organizations::targets(management, &policy.id).await? {
            organization.attached.entry(target).or_default().push(policy.id.clone());
        }
    }
    let attached: Vec<_> = organization.attached.keys().chain(targets).cloned().collect();
    for target in attached {
        parents(management, target, &mut organization.parents).await?;
    }
    let attached = std::mem::take(&mut organization.attached);
    let related = |it: &TargetId| targets.iter().any(|target| organization.related(it, target));
    let related: Vec<_> = attached.into_iter().filter(|(it, _)| related(it)).collect();
    for (target, mut policies) in related {
        if policies.len() > 1 {
            policies = organizations::policies_at(management, &target).await?;
        }
        for id in &policies {
            if !organization.documents.contains_key(id)
                && let Some(text) =
                    organizations::policy(management, id).await?.and_then(|it| it.content)
            {
                organization.documents.insert(id.clone(), text);
            }
        }
        organization.attached.insert(target, policies);
    }
    Ok(organization)
}

/// Adds the parents of `target` up to the root.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn parents(
    management: &Management,
    mut target: TargetId,
    known: &mut BTreeMap<TargetId, TargetId>,
) -> Result<(), Error> {
    let client = organizations::client(management);
    while !target.as_str().starts_with("r-") && !known.contains_key(&target) {
        let action = format!("find the parent of {target}");
        let list = client.list_parents().child_id(target.as_str());
        let parents = management.calls.pages(LIST_PARENTS, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.parents, page.next_token))
        });
        // Every target except the root has exactly one parent.
        let parent = parents.await?.into_iter().next().and_then(|it| it.id?.parse().ok());
        let parent: TargetId = parent.ok_or_else(|| Error::incomplete(&action, "the parent"))?;
        known.insert(target, parent.clone());
        target = parent;
    }
    Ok(())
}

/// Reads the path of every account of the organization, as far as it matters to the policies that
/// are attached to the targets of `organization` and to `targets`.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn places(
    management: &Management,
    organization: &Organization,
    targets: &BTreeSet<TargetId>,
) -> Result<Vec<Place>, Error> {
    let all = listed(management).await?;
    // If AWS does not report the paths of accounts, the accounts below each target are listed.
    let mut below = Vec::new();
    if all.iter().any(|it| it.paths.is_empty()) {
        let attached: BTreeSet<_> = organization.attached.keys().chain(targets).collect();
        let mut places: Vec<_> =
            attached.into_iter().filter(|it| it.as_str().contains('-')).collect();
        places.sort_by_key(|it| organization.depth(it));
        for place in places {
            below.push((place, accounts_below(management, place).await?));
        }
    }
    let place = |it: Listed| {
        let account = it.account.id;
        let path = it.paths.first().map_or_else(
            || {
                let above = below.iter().filter(|(_, accounts)| accounts.contains(&account));
                above.map(|(place, _)| (*place).clone()).collect::<Vec<_>>()
            },
            |path| ids_in(path).filter_map(|it| it.parse().ok()).collect(),
        );
        // The path from AWS ends with the account or with its parent.
        let own = account.as_str().parse::<TargetId>().ok().filter(|it| !path.contains(it));
        Place { path: path.into_iter().chain(own).collect(), account }
    };
    Ok(all.into_iter().map(place).collect())
}

/// Finds an account that gets the policies of `target` and no policies attached further down.
/// `attached` is the set of targets that have policies.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn account_under(
    management: &Management,
    target: &TargetId,
    attached: &BTreeSet<TargetId>,
) -> Result<Option<AccountId>, Error> {
    if let Ok(account) = target.as_str().parse() {
        return Ok(Some(account));
    }
    let start = Unit { id: target.clone(), name: String::new(), parent: None };
    let mut walk = Walk::from(management, start, Vanished::Fails).without(attached);
    while let Some((_, parent)) = walk.next().await? {
        let bare = |it: &String| !attached.iter().any(|target| target.as_str() == it);
        let pick = |it: Account| it.id.filter(bare)?.parse().ok();
        let found = walk.find_account_in(&parent, pick).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
