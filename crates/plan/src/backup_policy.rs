//! One backup policy and its targets.

mod properties;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use policy::BACKUP_POLICY;
use policy::document::Document;
use thiserror::Error;

use crate::id::{PolicyId, PolicyName, TagKey, TagValue, TargetId};
use crate::owner::{OWNER_TAG, Owner, TAG_PREFIX, our_tag};
use crate::policy_types::Status;

pub use properties::{
    Content, ContentSource, ContentUrl, Description, Invalid, Preflight, Properties,
};

/// The most policies of this type that AWS attaches to one root, OU or account.
pub const MAX_POLICIES_PER_TARGET: usize = 10;

/// The tags of a policy.
pub type Tags = BTreeMap<TagKey, TagValue>;

/// The state that a template asks for.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The name shown in the Organizations console.
    pub name: PolicyName,
    /// The description shown in the Organizations console.
    pub description: String,
    /// The policy itself.
    pub document: Document,
    /// All roots, OUs and accounts that it is attached to.
    pub targets: BTreeSet<TargetId>,
    /// The tags of the policy, in addition to those that others add.
    pub tags: Tags,
    /// Tags that an earlier version of the template added or wanted to add. If a tag has another
    /// value, it belongs to somebody else.
    pub retired_tags: Tags,
    /// The policies that may become this one, in addition to those with its ownership tag.
    pub claim: Claim,
}

/// The policies without its ownership tag that a resource may take.
///
/// Only a deployment may adopt a policy. `reattach` leaves a policy to the resource that has
/// adopted it since. If two resources could adopt the same policy, they would take it from each
/// other forever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claim {
    /// No other policy.
    Own,
    /// Any policy with the same name, regardless of its creator.
    Adopt,
    /// No other policy, on behalf of `reattach`. Its refusals have other hints than those for a
    /// deployment.
    Restore,
}

/// An existing policy.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its ID.
    pub id: PolicyId,
    /// Its ARN.
    pub arn: String,
    /// The name, as text, because only names that we assign are validated.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The content, unless it is not a JSON object.
    pub document: Option<Document>,
    /// The targets that it is attached to.
    pub targets: BTreeSet<TargetId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The number of policies at a target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Room {
    /// The target does not exist.
    Missing,
    /// This number of backup policies is attached directly.
    Attached(usize),
}

/// The state of the organization.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The status of the policy type. Backup policies can only be attached if it is enabled.
    pub policy_type: Status,
    /// The policy with the ID of the resource, or else the one with its name.
    pub policy: Option<Existing>,
    /// Another policy that has the desired name.
    pub namesake: Option<PolicyId>,
    /// The targets to which the policy is not attached yet.
    pub room: BTreeMap<TargetId, Room>,
}

/// One write to AWS Organizations.
#[derive(Clone, Debug)]
pub enum Step {
    /// Create the policy together with its tags.
    Create {
        /// Its name.
        name: PolicyName,
        /// Its description.
        description: String,
        /// Its content.
        document: Document,
        /// Its tags, including the ownership tag.
        tags: Tags,
    },
    /// Change the policy in place. Its ID and attachments stay, and so does everything that is
    /// `None`.
    Update {
        /// The new name.
        name: Option<PolicyName>,
        /// The new description.
        description: Option<String>,
        /// The new content.
        document: Option<Document>,
    },
    /// Add these tags to the policy.
    Tag(Tags),
    /// Remove these tags from the policy.
    Untag(BTreeSet<TagKey>),
    /// Attach the policy.
    Attach(TargetId),
    /// Detach the policy.
    Detach(TargetId),
    /// Delete the policy, which has no targets at this point.
    Delete,
}

impl Step {
    /// Returns `true` if the step can change the effective policy of an account.
    pub fn reaches_accounts(&self) -> bool {
        match self {
            Self::Update { document, .. } => document.is_some(),
            Self::Create { .. } | Self::Attach(_) | Self::Detach(_) | Self::Delete => true,
            Self::Tag(_) | Self::Untag(_) => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, .. } => write!(f, "create policy `{name}`"),
            Self::Update { name, description, document } => {
                let parts = [
                    name.is_some().then_some("name"),
                    description.is_some().then_some("description"),
                    document.is_some().then_some("content"),
                ];
                let parts = parts.into_iter().flatten().collect::<Vec<_>>();
                write!(f, "update the policy's {}", parts.join(", "))
            }
            Self::Tag(tags) => write!(f, "tag the policy with {}", keys(tags.keys())),
            Self::Untag(tags) => write!(f, "untag the policy of {}", keys(tags.iter())),
            Self::Attach(target) => write!(f, "attach to {target}"),
            Self::Detach(target) => write!(f, "detach from {target}"),
            Self::Delete => write!(f, "delete the policy"),
        }
    }
}

fn keys<'a>(keys: impl Iterator<Item = &'a TagKey>) -> String {
    keys.map(TagKey::as_str).collect::<Vec<_>>().join(", ")
}

/// The reason why nothing is done.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// A policy with the name exists and does not belong to this resource.
    #[error("a policy named `{name}` already exists ({id}) and {made}")]
    NameTaken {
        /// The name.
        name: PolicyName,
        /// The policy that has it.
        id: PolicyId,
        /// The creator, as far as its tags say.
        made: String,
    },
    /// The policy that this resource made no longer has its ownership tag.
    #[error("policy {id} no longer carries this resource's ownership tag ({made})")]
    NotOurs {
        /// The policy.
        id: PolicyId,
        /// The creator, as far as its tags say.
        made: String,
    },
    /// The policy to restore has no ownership tag: somebody removed it, or somebody else made the
    /// policy.
    #[error("policy {id} has no ownership tag")]
    Untagged {
        /// The policy.
        id: PolicyId,
        /// The expected value of the tag.
        owner: TagValue,
    },
    /// Another resource has adopted the policy that is to be restored.
    #[error("policy {id} {made} by now")]
    TakenOver {
        /// The policy.
        id: PolicyId,
        /// The resource that adopted it.
        made: String,
    },
    /// The policy type is off.
    #[error("policy type {BACKUP_POLICY} is not enabled on the organization's root")]
    TypeNotEnabled,
    /// AWS has a status for the policy type that this program does not know, or none.
    #[error(
        "AWS has a status for policy type {BACKUP_POLICY} on the organization's root that this \
         release does not know"
    )]
    TypeUnclear,
    /// A target does not exist.
    #[error("`TargetIds` names {0}, which is not in this organization")]
    NoTarget(TargetId),
    /// A target has the maximum number of policies already.
    #[error(
        "{0} has {MAX_POLICIES_PER_TARGET} backup policies attached already, the most AWS allows"
    )]
    TargetFull(TargetId),
    /// A tag of the template has a name that is reserved for this program.
    #[error(
        "`Tags` names `{0}`, and keys that begin with `{TAG_PREFIX}` are for org-backup itself"
    )]
    ReservedTag(TagKey),
}

impl Refusal {
    /// Returns the hint, if there is one.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::NameTaken { .. } => {
                "choose another name, or set `Adopt: true` on a new resource to take it over"
            }
            Self::NotOurs { .. } => "set `Adopt: true` to take it over",
            Self::Untagged { owner, .. } => {
                let tag = format!("the tag `{OWNER_TAG}` with the value `{owner}`");
                let it = format!("if it is this resource's, give it {tag}");
                return Some(format!("{it}, or deploy its stack with `Adopt: true`").into());
            }
            Self::TakenOver { .. } => {
                "take this resource out of its stack, with `DeletionPolicy: Retain`, or delete its \
                 desired state under `desired/` in the state bucket if its stack is gone"
            }
            Self::TypeNotEnabled => "deploy `Custom::PolicyTypes` first",
            Self::TypeUnclear => {
                "look at the root (`aws organizations list-roots`), or use a newer release"
            }
            Self::TargetFull(_) => "attach this one to its children, or merge some of the others",
            Self::NoTarget(_) | Self::ReservedTag(_) => return None,
        };
        Some(hint.into())
    }
}

/// Returns the tag of a policy that existed before this resource adopted it.
///
/// Such a policy is not deleted with the resource.
fn adopted_tag() -> TagKey {
    our_tag("adopted")
}

fn owner_tag() -> TagKey {
    OWNER_TAG.parse().unwrap_or_else(|_| unreachable!("the ownership tag is a tag key"))
}

impl Existing {
    /// Returns `true` if `owner` made or adopted the policy.
    pub fn belongs_to(&self, owner: &Owner) -> bool {
        self.tags.get(OWNER_TAG).is_some_and(|it| it == owner.tag_value().as_str())
    }

    fn made(&self) -> String {
        match self.tags.get(OWNER_TAG) {
            Some(other) => format!("belongs to {other}"),
            None => "was not made by this stack".to_owned(),
        }
    }

    fn adopted(&self) -> bool {
        self.tags.contains_key(adopted_tag().as_str())
    }
}

/// Returns the steps from `observed` to `desired`, where `None` means that the policy must not
/// exist.
///
/// The policy is changed in place and attached to new targets before it is detached from old ones,
/// so that no account is without it in between. Running some of the steps and planning again ends
/// in the same state. `id` is the known ID of the policy of the resource, if there is one.
///
/// # Errors
///
/// Returns an error if reaching `desired` would change a policy of another owner, or if it is known
/// in advance that AWS would refuse one of the steps.
pub fn plan(
    desired: Option<&Desired>,
    observed: &Observed,
    owner: &Owner,
    id: Option<&PolicyId>,
) -> Result<Vec<Step>, Refusal> {
    let Some(desired) = desired else { return Ok(removal(observed, owner)) };
    if let Some(reserved) = desired.tags.keys().find(|it| it.as_str().starts_with(TAG_PREFIX)) {
        return Err(Refusal::ReservedTag(reserved.clone()));
    }
    if let Some(existing) = &observed.policy
        && !existing.belongs_to(owner)
    {
        let (made, taken) = (existing.made(), existing.id.clone());
        let is_nobodys = !existing.tags.contains_key(OWNER_TAG);
        match desired.claim {
            Claim::Adopt => {}
            Claim::Own | Claim::Restore if id != Some(&existing.id) => {
                return Err(Refusal::NameTaken { name: desired.name.clone(), id: taken, made });
            }
            Claim::Own => return Err(Refusal::NotOurs { id: taken, made }),
            Claim::Restore if is_nobodys => {
                return Err(Refusal::Untagged { id: taken, owner: owner.tag_value().clone() });
            }
            Claim::Restore => return Err(Refusal::TakenOver { id: taken, made }),
        }
    }
    if let Some(id) = observed.namesake.clone() {
        let (name, made) = (desired.name.clone(), "is another policy".to_owned());
        return Err(Refusal::NameTaken { name, id, made });
    }
    attachable(desired, observed)?;

    let mut tags = desired.tags.clone();
    tags.insert(owner_tag(), owner.tag_value().clone());
    let Some(existing) = &observed.policy else {
        let Desired { name, description, document, targets, .. } = desired.clone();
        let create = Step::Create { name, description, document, tags };
        return Ok([create].into_iter().chain(targets.into_iter().map(Step::Attach)).collect());
    };
    if !existing.belongs_to(owner) {
        tags.insert(adopted_tag(), owner.tag_value().clone());
    }
    Ok(change(desired, existing, &tags))
}

/// Returns the steps that bring `existing`, which is or becomes ours, to `desired`.
fn change(desired: &Desired, existing: &Existing, tags: &Tags) -> Vec<Step> {
    let differs = |(key, value): &(&TagKey, &TagValue)| {
        existing.tags.get(key.as_str()).is_none_or(|it| it != value.as_str())
    };
    let tag: Tags =
        tags.iter().filter(differs).map(|(key, it)| (key.clone(), it.clone())).collect();
    let untag: BTreeSet<_> = desired
        .retired_tags
        .iter()
        .filter(|(key, _)| !tags.contains_key(key) && !key.as_str().starts_with(TAG_PREFIX))
        .filter(|it| !differs(it))
        .map(|(key, _)| key.clone())
        .collect();
    let name = (existing.name != desired.name.as_str()).then(|| desired.name.clone());
    let description =
        (existing.description != desired.description).then(|| desired.description.clone());
    let document =
        (existing.document.as_ref() != Some(&desired.document)).then(|| desired.document.clone());
    let changed = name.is_some() || description.is_some() || document.is_some();

    // Tags come first: from then on the policy is ours, even if a later step fails.
    let tag = (!tag.is_empty()).then_some(Step::Tag(tag));
    let untag = (!untag.is_empty()).then_some(Step::Untag(untag));
    let update = changed.then_some(Step::Update { name, description, document });
    let attach = desired.targets.difference(&existing.targets).cloned().map(Step::Attach);
    let detach = existing.targets.difference(&desired.targets).cloned().map(Step::Detach);
    [tag, untag, update].into_iter().flatten().chain(attach).chain(detach).collect()
}

/// Returns the steps after which this resource has no policy.
fn removal(observed: &Observed, owner: &Owner) -> Vec<Step> {
    match &observed.policy {
        Some(existing) if existing.belongs_to(owner) && existing.adopted() => {
            vec![Step::Untag([owner_tag(), adopted_tag()].into())]
        }
        Some(existing) if existing.belongs_to(owner) => {
            existing.targets.iter().cloned().map(Step::Detach).chain([Step::Delete]).collect()
        }
        Some(_) | None => vec![],
    }
}

/// Checks the conditions that AWS would check only after the policy was created or changed.
fn attachable(desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
    match observed.policy_type {
        Status::Enabled => {}
        Status::Unknown => return Err(Refusal::TypeUnclear),
        Status::PendingEnable | Status::PendingDisable | Status::Disabled => {
            return Err(Refusal::TypeNotEnabled);
        }
    }
    let attached = observed.policy.iter().flat_map(|it| &it.targets).collect::<BTreeSet<_>>();
    for target in desired.targets.iter().filter(|it| !attached.contains(it)) {
        match observed.room.get(target) {
            None | Some(Room::Missing) => return Err(Refusal::NoTarget(target.clone())),
            Some(Room::Attached(MAX_POLICIES_PER_TARGET..)) => {
                return Err(Refusal::TargetFull(target.clone()));
            }
            Some(Room::Attached(_)) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
