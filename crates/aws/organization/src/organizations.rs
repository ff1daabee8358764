//! Reads of AWS Organizations that several resources need.

use std::collections::{BTreeMap, BTreeSet};

use aws::operation::{
    DESCRIBE_ORGANIZATION, DESCRIBE_POLICY, LIST_ADMINISTRATORS, LIST_POLICIES,
    LIST_POLICIES_FOR_TARGET, LIST_ROOTS, LIST_TAGS, LIST_TARGETS, TAG, UNTAG,
};
use aws::{Advice, Error, Kind, Management, Memo, Need, Useless, log_left_out, patience};
use aws_sdk_organizations::types::{
    AccountState as WireState, AccountStatus, DelegatedAdministrator, OrganizationFeatureSet,
    Policy, PolicyType as WireType, PolicyTypeStatus, Tag,
};
use plan::account_state::AccountState;
use plan::id::{AccountId, PolicyId, PolicyType, TagKey, TagValue, TargetId};
use plan::owner::Owner;
use plan::policy_types::Status;
use policy::arn::Arn;
use tracing::warn;

/// The organization, as every account in it may describe it.
#[derive(Clone, Debug)]
pub struct OrganizationIds {
    /// The ID of the organization.
    pub id: String,
    /// Its management account.
    pub management_account: AccountId,
    /// True if all its features are enabled.
    pub all_features: bool,
    /// The partition in the organization's ARN.
    partition: Option<String>,
}

impl OrganizationIds {
    /// Returns the partition, for example `aws-cn`.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS did not say.
    pub fn partition(&self) -> Result<String, Error> {
        self.partition.clone().ok_or_else(|| Error::incomplete(DESCRIBE, "its ARN"))
    }
}

/// The action of describing the organization, for errors.
const DESCRIBE: &str = "describe the organization";

/// The organization's one root.
#[derive(Clone, Debug)]
pub struct Root {
    /// Its ID.
    pub id: TargetId,
    /// The organization and its management account, from the root's ARN.
    pub organization: Option<(String, AccountId)>,
    /// The policy types that AWS lists. The other types are disabled.
    pub types: BTreeMap<PolicyType, Status>,
}

/// The place where a resource keeps its record: tags on the root, under its own name.
#[derive(Clone, Debug)]
pub struct Record {
    /// The root.
    pub root_id: TargetId,
    /// The resource.
    pub owner: Owner,
}

impl Root {
    /// Returns the status of a policy type.
    pub fn status(&self, policy_type: &PolicyType) -> Status {
        self.types.get(policy_type).copied().unwrap_or(Status::Disabled)
    }
}

/// Returns the organization and its management account from the ARN of a root. In the service
/// model, the ARN is `arn:aws:organizations::<account>:root/<organization>/<root>`.
fn organization_of(arn: &str) -> Option<(String, AccountId)> {
    let arn = Arn::parse(arn).ok()?;
    let organization = arn.resource.strip_prefix("root/")?.split_once('/')?.0;
    Some((organization.to_owned(), arn.account.parse().ok()?))
}

/// Returns the client that acts in the management account, with twice the patience of others.
pub fn client(management: &Management) -> aws_sdk_organizations::Client {
    management.client(|config| {
        let mut config = config.to_builder();
        config.set_retry_config(Some(patience().with_max_attempts(24)));
        aws::client!(aws_sdk_organizations, &config.build())
    })
}

/// Reads the ID of the organization that the caller's account belongs to, and its management
/// account.
///
/// # Errors
///
/// Returns an error if AWS does not say, for example because the account is in no organization.
pub async fn whose(management: &Management) -> Result<(String, AccountId), Error> {
    let OrganizationIds { id, management_account, .. } = organization(management).await?;
    Ok((id, management_account))
}

/// Describes the organization.
///
/// # Errors
///
/// Returns an error if AWS does not say.
pub async fn organization(management: &Management) -> Result<OrganizationIds, Error> {
    if let Some(organization) = management.answers().and_then(Memo::get) {
        return Ok(organization);
    }
    let describe = client(management).describe_organization().send();
    let described = management.calls.call(DESCRIBE_ORGANIZATION, DESCRIBE, describe).await?;
    let incomplete = |what| Error::incomplete(DESCRIBE, what);
    let it = described.organization.ok_or_else(|| incomplete("the organization"))?;
    let account = it.master_account_id.and_then(|it| it.parse().ok());
    let arn = it.arn.as_deref().and_then(|it| Arn::parse(it).ok());
    let organization = OrganizationIds {
        partition: arn.map(|it| it.partition.to_owned()),
        id: it.id.ok_or_else(|| incomplete("its ID"))?,
        management_account: account.ok_or_else(|| incomplete("its management account"))?,
        // A set that is newer has more than consolidated billing, and AWS refuses what it lacks.
        all_features: it.feature_set != Some(OrganizationFeatureSet::ConsolidatedBilling),
    };
    Ok(match management.answers() {
        Some(answers) => answers.keep(organization),
        None => organization,
    })
}

/// Reads the root. An error describes the read as `action`.
///
/// This is the first call of most requests, so a denial names the account in which it would
/// work.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn root(management: &Management, action: &str) -> Result<Root, Error> {
    let client = client(management);
    let roots = management.calls.pages(LIST_ROOTS, action, async |token| {
        let page = client.list_roots().set_next_token(token).send().await?;
        Ok((page.roots, page.next_token))
    });
    let roots = match roots.await {
        Err(denied) if denied.kind() == Kind::Denied => {
            return Err(explain(management, denied).await);
        }
        roots => roots?,
    };
    let root = roots.into_iter().next().ok_or_else(|| Error::incomplete(action, "a root"))?;
    let id = root.id.and_then(|it| it.parse().ok());
    let types = root.policy_types.unwrap_or_default().into_iter().filter_map(|it| {
        let status = match it.status {
            Some(PolicyTypeStatus::Enabled) => Status::Enabled,
            Some(PolicyTypeStatus::PendingDisable) => Status::PendingDisable,
            Some(PolicyTypeStatus::PendingEnable) => Status::PendingEnable,
            // The `_` is a status that this release of the SDK does not know.
            status @ (Some(_) | None) => {
                let status = status.as_ref().map(PolicyTypeStatus::as_str);
                let policy_type = it.r#type.as_ref().map(WireType::as_str);
                warn!(policy_type, status, "AWS has a status that this release does not know");
                Status::Unknown
            }
        };
        Some((it.r#type?.as_str().parse().ok()?, status))
    });
    Ok(Root {
        id: id.ok_or_else(|| Error::incomplete(action, "the root's ID"))?,
        organization: root.arn.as_deref().and_then(organization_of),
        types: types.collect(),
    })
}

/// Reads the root until `policy_type` is neither being enabled nor being disabled. A status that this
/// program does not know ends the wait, since nobody knows whether another one follows.
pub(crate) async fn settled_root(
    management: &Management,
    policy_type: &PolicyType,
    action: &str,
) -> Result<Root, Error> {
    let settled = |it| !matches!(it, Status::PendingEnable | Status::PendingDisable);
    root_until(management, policy_type, action, settled).await
}

/// Reads the root until `policy_type` is enabled, which may happen after AWS says so.
///
/// # Errors
///
/// Returns an error if a read fails, or if AWS has a status for it that this program does not know.
pub(crate) async fn enabled_root(
    management: &Management,
    policy_type: &PolicyType,
    action: &str,
) -> Result<Root, Error> {
    const NEWER: Useless = Useless {
        why: "AWS has a status for it that this release does not know",
        advice: Advice::Same(
            "look at the root (`aws organizations list-roots`), or use a newer release",
        ),
    };
    let is_over = |it| matches!(it, Status::Enabled | Status::Unknown);
    let root = root_until(management, policy_type, action, is_over).await?;
    match root.status(policy_type) {
        Status::Unknown => Err(Error::unusable(action.to_owned(), NEWER)),
        Status::Enabled | Status::PendingEnable | Status::PendingDisable | Status::Disabled => {
            Ok(root)
        }
    }
}

/// Reads the root until the status of `policy_type` is `right`.
///
/// The published rate of `ListRoots` spaces the reads, and the deadline ends them.
async fn root_until(
    management: &Management,
    policy_type: &PolicyType,
    action: &str,
    right: impl Fn(Status) -> bool,
) -> Result<Root, Error> {
    loop {
        let root = root(management, action).await?;
        if right(root.status(policy_type)) {
            return Ok(root);
        }
    }
}

/// Adds the management account to a denial. Every account of the organization may ask for it.
pub async fn explain(management: &Management, denied: Error) -> Error {
    match organization(&management.for_what_is(Need::Optional)).await {
        Ok(it) => denied.explained(&format!("the management account is {}", it.management_account)),
        Err(error) => {
            log_left_out("the management account", &error);
            denied
        }
    }
}

/// A policy in a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedPolicy {
    /// Its ID.
    pub id: PolicyId,
    /// Its name.
    pub name: String,
}

/// Lists the policies of a type that somebody made. Those of AWS, which allow everything, are left out.
///
/// # Errors
///
/// Returns an error if a read fails, or if a policy has no usable ID or no name.
pub async fn policies(
    management: &Management,
    policy_type: &WireType,
) -> Result<Vec<ListedPolicy>, Error> {
    let client = client(management);
    let action = format!("list the policies of type {policy_type}");
    let list = client.list_policies().filter(policy_type.clone());
    let policies = management.calls.pages(LIST_POLICIES, &action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.policies, page.next_token))
    });
    let made = policies.await?.into_iter().filter(|it| !it.aws_managed);
    let listed = made.map(|it| {
        let id = it.id.and_then(|it| it.parse().ok());
        let id = id.ok_or_else(|| Error::incomplete(&action, "a policy's ID"))?;
        let name = it.name.ok_or_else(|| Error::incomplete(&action, "a policy's name"))?;
        Ok(ListedPolicy { id, name })
    });
    listed.collect()
}

/// Lists the delegated administrators of a service. An error describes the read as `action`.
///
/// # Errors
///
/// Returns an error if a read fails, or if an administrator has no usable ID.
pub async fn administrators(
    management: &Management,
    principal: &str,
    action: &str,
) -> Result<Vec<(AccountId, AccountState)>, Error> {
    let list = client(management).list_delegated_administrators().service_principal(principal);
    let administrators = management.calls.pages(LIST_ADMINISTRATORS, action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.delegated_administrators, page.next_token))
    });
    let administrator = |it: DelegatedAdministrator| {
        Some((it.id?.parse().ok()?, state(it.state.as_ref(), it.status.as_ref())))
    };
    let all: Option<_> = administrators.await?.into_iter().map(administrator).collect();
    all.ok_or_else(|| Error::incomplete(action, "an account's ID"))
}

/// Returns the state of an account. `status` is the older field for `state`. AWS is removing it, and
/// not every endpoint sends the newer one.
pub fn state(state: Option<&WireState>, status: Option<&AccountStatus>) -> AccountState {
    let told = state.map(WireState::as_str).or(status.map(AccountStatus::as_str));
    told.map_or(AccountState::NotTold, AccountState::read)
}

/// Lists the targets to which a policy is attached.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn targets(management: &Management, id: &PolicyId) -> Result<BTreeSet<TargetId>, Error> {
    let client = client(management);
    let action = format!("list the targets of {id}");
    let list = client.list_targets_for_policy().policy_id(id.as_str());
    let targets = management.calls.pages(LIST_TARGETS, &action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.targets, page.next_token))
    });
    let targets = targets.await?.into_iter().map(|it| it.target_id?.parse().ok());
    let targets: Option<_> = targets.collect();
    targets.ok_or_else(|| Error::incomplete(&action, "a target's ID"))
}

/// Lists the backup policies that are attached directly to a target, in AWS's order. This order
/// is assumed to be the order of attachment.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn policies_at(
    management: &Management,
    target: &TargetId,
) -> Result<Vec<PolicyId>, Error> {
    let client = client(management);
    let action = format!("list the backup policies attached to {target}");
    let list = client.list_policies_for_target().target_id(target.as_str());
    let list = list.filter(WireType::BackupPolicy);
    let policies = management.calls.pages(LIST_POLICIES_FOR_TARGET, &action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.policies, page.next_token))
    });
    let policies: Option<_> = policies.await?.into_iter().map(|it| it.id?.parse().ok()).collect();
    policies.ok_or_else(|| Error::incomplete(&action, "a policy's ID"))
}

/// Reads a policy; returns `None` if no policy has this ID.
///
/// # Errors
///
/// Returns an error if the read fails.
pub async fn policy(management: &Management, id: &PolicyId) -> Result<Option<Policy>, Error> {
    let action = format!("describe policy {id}");
    let describe = client(management).describe_policy().policy_id(id.as_str()).send();
    match management.calls.call(DESCRIBE_POLICY, &action, describe).await {
        Err(error) if error.code() == Some("PolicyNotFoundException") => Ok(None),
        described => {
            let policy = described?.policy;
            policy.ok_or_else(|| Error::incomplete(&action, "the policy")).map(Some)
        }
    }
}

/// Reads the place of the record of `owner`, and the tags there.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn record(
    management: &Management,
    owner: &Owner,
) -> Result<(Record, BTreeMap<String, String>), Error> {
    let root_id = root(management, READ_ROOT).await?.id;
    let tags = tags(management, root_id.as_str()).await?;
    Ok((Record { root_id, owner: owner.clone() }, tags))
}

/// Reads the tags of a policy, root, OU or account.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn tags(
    management: &Management,
    resource: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let client = client(management);
    let action = format!("read the tags of {resource}");
    let tags = management.calls.pages(LIST_TAGS, &action, async |token| {
        let list = client.list_tags_for_resource().resource_id(resource);
        let page = list.set_next_token(token).send().await?;
        Ok((page.tags, page.next_token))
    });
    Ok(tags.await?.into_iter().map(|it| (it.key, it.value)).collect())
}

/// Tags a policy, root, OU or account.
///
/// # Errors
///
/// Returns an error if AWS refuses.
pub async fn tag(
    management: &Management,
    resource: &str,
    tags: impl IntoIterator<Item = (&TagKey, &TagValue)>,
    action: &str,
) -> Result<(), Error> {
    let tags = tags.into_iter().map(|(key, value)| wire_tag(key, value)).collect();
    let tag = client(management).tag_resource().resource_id(resource).set_tags(Some(tags));
    management.calls.call(TAG, action, tag.send()).await.map(drop)
}

/// Removes tags from a policy, root, OU or account.
///
/// # Errors
///
/// Returns an error if AWS refuses.
pub async fn untag(
    management: &Management,
    resource: &str,
    keys: impl IntoIterator<Item = &TagKey>,
    action: &str,
) -> Result<(), Error> {
    let keys = keys.into_iter().map(ToString::to_string).collect();
    let untag = client(management).untag_resource().resource_id(resource);
    let untag = untag.set_tag_keys(Some(keys));
    management.calls.call(UNTAG, action, untag.send()).await.map(drop)
}

/// The action of reading the root, for errors.
pub const READ_ROOT: &str = "read the organization's root";

/// Builds a tag in the form of the API.
pub(crate) fn wire_tag(key: &TagKey, value: &TagValue) -> Tag {
    // Building a tag only fails if a member is missing, and both members are set.
    let built = Tag::builder().key(key.as_str()).value(value.as_str()).build();
    built.unwrap_or_else(|_| unreachable!("the key and the value of the tag are set"))
}
