//! One backup policy and the targets it is attached to.

mod properties;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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

/// What a template asks for.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The name shown in the Organizations console.
    pub name: PolicyName,
    /// The description shown in the Organizations console.
    pub description: String,
    /// The policy itself.
    pub document: Document,
    /// Every root, OU and account it is attached to, and no other.
    pub targets: BTreeSet<TargetId>,
    /// The tags it has, besides those that others give it.
    pub tags: Tags,
    /// Tags that an earlier version of the template gave it, or was to give it: a tag with another
    /// value is somebody else's.
    pub retired_tags: Tags,
    /// Which policies may become this one, besides those that carry its ownership tag.
    pub claim: Claim,
}

/// Which policies a resource may take that do not carry its ownership tag.
///
/// It is one or the other: to adopt is for a deployment to decide, and what only looks after a policy
/// leaves it to whoever has adopted it since. Two who adopt the same would go on for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claim {
    /// None.
    Own,
    /// One of its name, whoever made it.
    Adopt,
    /// None, for whoever looks after a policy: what helps is not for a deployment to decide.
    Restore,
}

/// A policy as it is.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its ID.
    pub id: PolicyId,
    /// Its ARN.
    pub arn: String,
    /// Its name; text, since only names that we give are checked.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its content, unless that is no JSON object.
    pub document: Option<Document>,
    /// Where it is attached.
    pub targets: BTreeSet<TargetId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// How full a target is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Room {
    /// There is no such target.
    Missing,
    /// So many backup policies are attached directly.
    Attached(usize),
}

/// What the organization has.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Whether backup policies can be attached at all.
    pub policy_type: Status,
    /// The policy: the one that has the resource's ID, or else the one that has its name.
    pub policy: Option<Existing>,
    /// Another policy that has the name which the policy is to get.
    pub namesake: Option<PolicyId>,
    /// Each target to which the policy is not attached yet.
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
        /// Its tags, the ownership tag among them.
        tags: Tags,
    },
    /// Change the policy in place, which keeps its ID and its attachments. What is `None` stays.
    Update {
        /// A new name.
        name: Option<PolicyName>,
        /// A new description.
        description: Option<String>,
        /// New content.
        document: Option<Document>,
    },
    /// Give the policy these tags.
    Tag(Tags),
    /// Take these tags off the policy.
    Untag(BTreeSet<TagKey>),
    /// Attach the policy.
    Attach(TargetId),
    /// Detach the policy.
    Detach(TargetId),
    /// Delete the policy, which is attached nowhere by now.
    Delete,
}

impl Step {
    /// Whether the step can change what an account gets.
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

/// Why nothing is done.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// A policy of the name exists and is not this resource's.
    #[error("a policy named `{name}` already exists ({id}) and {made}")]
    NameTaken {
        /// The name.
        name: PolicyName,
        /// The policy that has it.
        id: PolicyId,
        /// Who made it, as far as its tags say.
        made: String,
    },
    /// The policy that this resource made no longer says so.
    #[error("policy {id} no longer carries this resource's ownership tag ({made})")]
    NotOurs {
        /// The policy.
        id: PolicyId,
        /// Who made it, as far as its tags say.
        made: String,
    },
    /// The policy that is to be restored carries nobody's tag: somebody took it off, or somebody else
    /// made the policy.
    #[error("policy {id} has no ownership tag")]
    Untagged {
        /// The policy.
        id: PolicyId,
        /// What the tag would say.
        owner: TagValue,
    },
    /// Another resource has adopted the policy that is to be restored.
    #[error("policy {id} {made} by now")]
    TakenOver {
        /// The policy.
        id: PolicyId,
        /// Who adopted it.
        made: String,
    },
    /// The policy type is off.
    #[error("policy type BACKUP_POLICY is not enabled on the organization's root")]
    TypeNotEnabled,
    /// A target does not exist.
    #[error("`TargetIds` names {0}, which is not in this organization")]
    NoTarget(TargetId),
    /// A target has as many policies as AWS allows.
    #[error(
        "{0} has {MAX_POLICIES_PER_TARGET} backup policies attached already, the most AWS allows"
    )]
    TargetFull(TargetId),
    /// A tag of the template has a name that this program keeps for itself.
    #[error(
        "`Tags` names `{0}`, and keys that begin with `{TAG_PREFIX}` are for org-backup itself"
    )]
    ReservedTag(TagKey),
}

impl Refusal {
    /// What to do about it, if that is known.
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
                "take this resource out of its stack, with `DeletionPolicy: Retain`, or delete what \
                 the state bucket still keeps of it under `desired/` if its stack is gone"
            }
            Self::TypeNotEnabled => "deploy `Custom::PolicyTypes` first",
            Self::TargetFull(_) => "attach this one to its children, or merge some of the others",
            Self::NoTarget(_) | Self::ReservedTag(_) => return None,
        };
        Some(hint.into())
    }
}

/// The tag of a policy that somebody made before this resource took it over.
///
/// Such a policy outlives the resource.
fn adopted_tag() -> TagKey {
    our_tag("adopted")
}

fn owner_tag() -> TagKey {
    OWNER_TAG.parse().unwrap_or_else(|_| unreachable!("the ownership tag is a tag key"))
}

impl Existing {
    /// Whether `owner` made or adopted the policy.
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

/// Returns the steps from `observed` to `desired`, where `None` means the policy must not exist.
///
/// The policy is changed in place and attached to new targets before it is detached from old ones,
/// so no account is left without it in between. Running some of the steps and planning again ends
/// in the same state. `id` is the policy that the resource is known by, if it is known by one.
///
/// # Errors
///
/// When reaching `desired` would mean changing a policy that is not this resource's, or when AWS
/// would refuse one of the steps and that can be known before the first.
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

/// The steps that make `existing`, which is ours or about to be, what `desired` says.
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

    // Tags come first: from then on the policy is ours, whatever happens next.
    let tag = (!tag.is_empty()).then_some(Step::Tag(tag));
    let untag = (!untag.is_empty()).then_some(Step::Untag(untag));
    let update = changed.then_some(Step::Update { name, description, document });
    let attach = desired.targets.difference(&existing.targets).cloned().map(Step::Attach);
    let detach = existing.targets.difference(&desired.targets).cloned().map(Step::Detach);
    [tag, untag, update].into_iter().flatten().chain(attach).chain(detach).collect()
}

/// The steps after which this resource has no policy.
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

/// Checks what AWS would refuse only after the policy was created or changed.
fn attachable(desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
    if observed.policy_type != Status::Enabled {
        return Err(Refusal::TypeNotEnabled);
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
