//! One backup policy and the targets to which it is attached.

use std::collections::{BTreeMap, BTreeSet};

use aws::operation::{ATTACH_POLICY, CREATE_POLICY, DELETE_POLICY, DETACH_POLICY, UPDATE_POLICY};
use aws::{Error, Management, already, log_plan};
use aws_sdk_organizations::types::PolicyType as WireType;
use plan::backup_policy::{Existing, Observed, Room, Step};
use plan::id::{PolicyId, PolicyName, PolicyType, Target, TargetId};
use plan::owner::{OWNER_TAG, Owner};
use policy::document::Document;
use tracing::info;

use crate::organizations::{self, ListedPolicy, READ_ROOT, wire_tag};

/// The identifiers of a policy to which a template can refer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// Its ID.
    pub id: PolicyId,
    /// Its ARN.
    pub arn: String,
}

/// The name and targets of a policy that must exist.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The desired name.
    pub name: PolicyName,
    /// The desired targets.
    pub targets: Vec<Target>,
}

/// Reads the observed state of a policy that must exist, and the IDs of its targets.
///
/// The policy is the one with the ID `id`. If there is no `id`, it is the one with the name. If the
/// policy with the ID `id` is gone, an update that failed may have created it again under another
/// name without reporting the new ID. In that case it is the policy that `owner` created.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe(
    management: &Management,
    wanted: &Wanted,
    id: Option<&PolicyId>,
    owner: &Owner,
) -> Result<(BTreeSet<TargetId>, Observed), Error> {
    let root = organizations::settled_root(management, &PolicyType::backup(), READ_ROOT).await?;
    let policy_type = root.status(&PolicyType::backup());
    let targets: BTreeSet<_> = wanted.targets.iter().map(|it| it.clone().id(&root.id)).collect();
    let known = match id {
        Some(id) => existing(management, id).await?,
        None => None,
    };
    let named = match &known {
        Some(known) if known.name == wanted.name.as_str() => None,
        _ => named(management, &wanted.name).await?,
    };
    let (policy, namesake) = match (known, named) {
        (None, Some(named)) => (existing(management, &named).await?, None),
        (None, None) if id.is_some() => (made_by(management, owner).await?, None),
        (known, named) => (known, named),
    };
    let attached = policy.iter().flat_map(|it| &it.targets).collect::<BTreeSet<_>>();
    let mut rooms = BTreeMap::new();
    for target in targets.iter().filter(|it| !attached.contains(it)) {
        rooms.insert(target.clone(), room_at(management, target).await?);
    }
    Ok((targets, Observed { policy_type, policy, namesake, room: rooms }))
}

/// Reads the policy that a resource may have left. With `id`, it is the policy with that ID and no
/// other. Without it, it is the policy called `name`, which a creation without an answer may have
/// made.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe_removal(
    management: &Management,
    id: Option<&PolicyId>,
    name: Option<&PolicyName>,
) -> Result<Observed, Error> {
    let id = match (id, name) {
        (Some(id), _) => Some(id.clone()),
        (None, Some(name)) => named(management, name).await?,
        (None, None) => None,
    };
    let policy = match id {
        Some(id) => existing(management, &id).await?,
        None => None,
    };
    let policy_type = plan::policy_types::Status::Enabled;
    Ok(Observed { policy_type, policy, namesake: None, room: BTreeMap::new() })
}

/// Finds the ID of the policy called `name`. There is at most one.
async fn named(management: &Management, name: &PolicyName) -> Result<Option<PolicyId>, Error> {
    let listed = organizations::policies(management, &WireType::BackupPolicy).await?;
    Ok(listed.into_iter().find(|it| it.name == name.as_str()).map(|it| it.id))
}

/// Finds a policy that `owner` created, under any current name.
async fn made_by(management: &Management, owner: &Owner) -> Result<Option<Existing>, Error> {
    for ListedPolicy { id, .. } in
        organizations::policies(management, &WireType::BackupPolicy).await?
    {
        let tags = organizations::tags(management, id.as_str()).await?;
        if tags.get(OWNER_TAG).is_some_and(|it| it == owner.tag_value().as_str()) {
            return existing(management, &id).await;
        }
    }
    Ok(None)
}

/// Reads the policy with the ID `id`, if it exists.
async fn existing(management: &Management, id: &PolicyId) -> Result<Option<Existing>, Error> {
    let Some(policy) = organizations::policy(management, id).await? else { return Ok(None) };
    let incomplete = || Error::incomplete("describe the policy", "its summary");
    let summary = policy.policy_summary.ok_or_else(incomplete)?;
    Ok(Some(Existing {
        id: id.clone(),
        arn: summary.arn.unwrap_or_default(),
        name: summary.name.unwrap_or_default(),
        description: summary.description.unwrap_or_default(),
        document: policy.content.and_then(|it| Document::parse(&it).ok()),
        targets: organizations::targets(management, id).await?,
        tags: organizations::tags(management, id.as_str()).await?,
    }))
}

/// Reads the number of policies that are attached to `target`.
async fn room_at(management: &Management, target: &TargetId) -> Result<Room, Error> {
    match organizations::policies_at(management, target).await {
        Err(error) if error.code() == Some("TargetNotFoundException") => Ok(Room::Missing),
        policies => Ok(Room::Attached(policies?.len())),
    }
}

/// Carries out `steps` in order on `policy`, which is `None` until one is created.
///
/// # Errors
///
/// Returns an error at the first step that fails. The steps before it stay done, `policy` names the
/// policy that they changed, and planning again resumes.
pub async fn apply(
    management: &Management,
    policy: &mut Option<Identity>,
    steps: &[Step],
) -> Result<(), Error> {
    log_plan(steps);
    for step in steps {
        let id = policy.as_ref().map(|it| it.id.clone());
        if let Some(created) = run(management, id.as_ref(), step).await? {
            *policy = Some(created);
        }
        info!(%step, policy = policy.as_ref().map(|it| it.id.as_str()), "done");
    }
    Ok(())
}

/// Carries out one step on the policy `id`, and returns the policy if the step created one.
async fn run(
    management: &Management,
    id: Option<&PolicyId>,
    step: &Step,
) -> Result<Option<Identity>, Error> {
    let client = organizations::client(management);
    let calls = &management.calls;
    let action = step.to_string();
    let no_id = || Error::incomplete(&action, "the policy's ID");
    let id = || id.map(ToString::to_string).ok_or_else(no_id);
    match step {
        Step::Create { name, description, document, tags } => {
            let create = client
                .create_policy()
                .name(name.as_str())
                .description(description)
                .content(document.minified())
                .r#type(WireType::BackupPolicy)
                .set_tags(Some(tags.iter().map(|(key, value)| wire_tag(key, value)).collect()));
            let created = calls.call(CREATE_POLICY, step, create.send()).await?;
            let summary = created.policy.and_then(|it| it.policy_summary).ok_or_else(no_id)?;
            let id = summary.id.and_then(|it| it.parse().ok()).ok_or_else(no_id)?;
            return Ok(Some(Identity { id, arn: summary.arn.unwrap_or_default() }));
        }
        Step::Update { name, description, document } => {
            let update = client
                .update_policy()
                .policy_id(id()?)
                .set_name(name.as_ref().map(ToString::to_string))
                .set_description(description.clone())
                .set_content(document.as_ref().map(Document::minified));
            calls.call(UPDATE_POLICY, step, update.send()).await?;
        }
        Step::Tag(tags) => organizations::tag(management, &id()?, tags, &action).await?,
        Step::Untag(keys) => organizations::untag(management, &id()?, keys, &action).await?,
        Step::Attach(target) => {
            let attach = client.attach_policy().policy_id(id()?).target_id(target.as_str());
            let attached = calls.call(ATTACH_POLICY, step, attach.send()).await;
            already(attached, "DuplicatePolicyAttachmentException")?;
        }
        Step::Detach(target) => {
            let detach = client.detach_policy().policy_id(id()?).target_id(target.as_str());
            let detached = calls.call(DETACH_POLICY, step, detach.send()).await;
            // A target that no longer exists has no policies.
            let detached = already(detached, "PolicyNotAttachedException");
            already(detached, "TargetNotFoundException")?;
        }
        Step::Delete => {
            let delete = client.delete_policy().policy_id(id()?).send();
            let deleted = calls.call(DELETE_POLICY, step, delete).await;
            already(deleted, "PolicyNotFoundException")?;
        }
    }
    Ok(None)
}
