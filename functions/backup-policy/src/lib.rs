//! `Custom::BackupPolicy`: one backup policy and the targets it is attached to.

mod preflight;

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::{Kind, Management, Session, removable};
use cfn::{Failure, Outcome, Reply, Request};
use organization::backup_policy::{Identity, Wanted, apply, observe, observe_removal};
use plan::backup_policy::{
    Claim, Content, ContentSource, ContentUrl, Desired, Invalid, Observed, Preflight, Properties,
    Step, Tags, plan,
};
use plan::id::{PolicyId, PolicyName, TargetId};
use plan::owner::Owner;
use plan::policy_types::Status;
use plan::resource::ResourceKind;
use policy::document::Document;
use resources::Error;
use resources::slot::{Intent, Leftover, Slot};
use state::content;

use crate::preflight::{Outlook, judge};

/// The number of times that the organization is observed at most if it changes during the work.
const ROUNDS: usize = 3;

/// Brings the organization to the state that `request` asks for.
///
/// # Errors
///
/// Returns an error if the change is refused or a call to AWS fails. Sending the request again
/// resumes. A creation that made the policy but could not finish answers with the ID of the policy,
/// so that it can be removed.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Outcome, Failure> {
    let (physical_id, deadline) = (request.physical_id.as_deref(), request.deadline);
    let owner = &Owner::new(&request.stack_id, &request.logical_id);
    let apply = async |wanted: &Properties, previous: Option<&Properties>, slot: &mut Slot| {
        let physical_id = slot.name_of(physical_id).map(ToOwned::to_owned);
        let physical_id = physical_id.as_deref();
        let known = slot.entry().and_then(|it| it.id_of(physical_id)).or(physical_id);
        let id = known.and_then(policy_id);
        let role = wanted.management_role_arn.as_ref();
        let management = session.management(role, deadline).await?;
        let document = document(&management, wanted).await?;
        let properties = &wanted.with_document(&document);
        let goal = Goal {
            owner,
            properties,
            document,
            retired_tags: previous.map(|it| it.tags.clone()).unwrap_or_default(),
            preflight: properties.preflight,
            claim: properties.claim(),
            now: request.received,
        };
        let mut made = None;
        let present = goal.reach(&management, id, &mut made, Intent::Change { slot }).await;
        // An ID that CloudFormation knows is kept, even if the policy was created again under
        // another ID. With a new ID, CloudFormation would delete the policy of the old one, and on
        // a rollback that is the wrong policy.
        let is_kept = slot.entry().is_some();
        let physical_id = physical_id.filter(|it| is_kept && policy_id(it).is_some());
        let sha256 = goal.document.sha256();
        let present = present.map_err(|it| Failure::from(it).with_physical_id(made))?;
        let identity = present.identity.ok_or(Error::from(Invalid::Vanished))?;
        let id = identity.id.to_string();
        let physical_id = physical_id.map_or_else(|| id.clone(), ToOwned::to_owned);
        let settled = slot.settle(&physical_id, &id, properties).await;
        settled.map_err(|it| Failure::from(it).with_physical_id(Some(id.clone())))?;
        let data = [("PolicyId", id), ("PolicyArn", identity.arn), ("ContentSha256", sha256)];
        Ok(Reply { physical_id, data: data.into() }.into())
    };
    let remove = async |properties: Option<&Properties>, left: &Leftover, intent: Intent<'_>| {
        // No policy exists for an ID that CloudFormation generated.
        if left.is_former && left.physical_id.as_deref().and_then(policy_id).is_none() {
            return Ok(());
        }
        let role = properties.and_then(|it| it.management_role_arn.as_ref());
        let name = properties.map(|it| &it.name);
        let removal = async {
            let management = session.management(role, deadline).await?;
            let observed = leftover(&management, left, name).await?;
            Ok::<_, aws::Error>((management, observed))
        };
        if let Some((management, observed)) = removable(removal.await, request.never_created())? {
            absent(&management, owner, left, name, observed, intent).await?;
        }
        Ok(())
    };
    let is_issued = |id: &str| policy_id(id).is_some();
    resources::serve(session, ResourceKind::BackupPolicy, &request, is_issued, apply, remove).await
}

/// Returns the ID of a policy. IDs that CloudFormation generates for an unanswered Create do not
/// parse.
fn policy_id(id: &str) -> Option<PolicyId> {
    id.parse().ok()
}

/// Restores a policy that was created before. Returns the steps, and the current ID of the policy.
///
/// Checks that were made when the policy was deployed are not made again: leaving accounts without
/// the policy is no better than a problem that others may have caused since.
///
/// # Errors
///
/// Returns an error if the change is refused or a call to AWS fails. Calling this again resumes.
pub async fn restore(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    id: Option<PolicyId>,
    intent: Intent<'_>,
    now: SystemTime,
) -> Result<(Vec<Step>, Option<PolicyId>), Error> {
    let document = document(management, properties).await?;
    let goal = Goal {
        owner,
        properties,
        document,
        retired_tags: Tags::new(),
        preflight: Preflight::Off,
        claim: Claim::Restore,
        now,
    };
    let mut made = None;
    let present = goal.reach(management, id, &mut made, intent).await?;
    Ok((present.steps, made.and_then(|it| it.parse().ok())))
}

/// The reason for a preview of a policy.
#[derive(Clone, Copy, Debug)]
pub enum Occasion<'a> {
    /// The stack of the policy is deployed. Contains the previous properties, if there were any.
    Deployment(Option<&'a Properties>),
    /// `reattach` restores the policy.
    Restoration,
}

/// The steps for a policy, and its state after them.
#[derive(Debug)]
pub struct Preview {
    /// The current ID of the policy, if it exists.
    pub id: Option<PolicyId>,
    /// The steps that would be made.
    pub steps: Vec<Step>,
    /// The document that the policy would have.
    pub document: Document,
    /// All targets to which the policy would be attached.
    pub targets: BTreeSet<TargetId>,
    /// The targets to which the policy is attached now.
    pub attached: BTreeSet<TargetId>,
}

/// Returns the steps for the policy on this `occasion`. Nothing is changed.
///
/// The effect on effective policies is not judged here. The caller judges it, because it may know
/// of more than one policy. `is_type_enabled` means that another resource enables the policy type
/// first.
///
/// # Errors
///
/// Returns an error if the change would be refused or a call to AWS fails.
pub async fn preview(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    id: Option<&PolicyId>,
    occasion: Occasion<'_>,
    is_type_enabled: bool,
    now: SystemTime,
) -> Result<Preview, Error> {
    let document = document(management, properties).await?;
    let (previous, preflight, claim) = match occasion {
        Occasion::Deployment(previous) => (previous, properties.preflight, properties.claim()),
        Occasion::Restoration => (None, Preflight::Off, Claim::Restore),
    };
    let retired_tags = previous.map(|it| it.tags.clone()).unwrap_or_default();
    let goal = Goal { owner, properties, document, retired_tags, preflight, claim, now };
    judge(preflight, || plan::preflight::check(&goal.document, now))?;
    let (desired, mut observed) = goal.look(management, id).await?;
    if is_type_enabled {
        observed.policy_type = Status::Enabled;
    }
    let steps = plan(Some(&desired), &observed, owner, id)?;
    let (id, attached) = observed.policy.map(|it| (it.id, it.targets)).unzip();
    let (document, targets) = (desired.document, desired.targets);
    Ok(Preview { id, steps, document, targets, attached: attached.unwrap_or_default() })
}

/// The steps that delete a policy.
#[derive(Debug)]
pub struct Removal {
    /// The current ID of the policy, if it exists.
    pub id: Option<PolicyId>,
    /// The steps that would be made.
    pub steps: Vec<Step>,
    /// The targets to which the policy is attached now.
    pub attached: BTreeSet<TargetId>,
}

/// Returns the steps that delete the policy, which was created before and is known as `id`. Nothing
/// is changed.
///
/// # Errors
///
/// Returns an error if the deletion would be refused or a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    id: Option<&PolicyId>,
) -> Result<Removal, Error> {
    let current_id = id.map(ToString::to_string);
    let physical_id = current_id.clone();
    let left = Leftover { physical_id, current_id, is_kept: true, is_former: false };
    let observed = leftover(management, &left, Some(&properties.name)).await?;
    let steps = plan(None, &observed, owner, id)?;
    let (id, attached) = observed.policy.map(|it| (it.id, it.targets)).unzip();
    Ok(Removal { id, steps, attached: attached.unwrap_or_default() })
}

/// Reads the policy that is to be deleted.
async fn leftover(
    management: &Management,
    left: &Leftover,
    name: Option<&PolicyName>,
) -> Result<Observed, aws::Error> {
    let id = left.current_id.as_deref().and_then(policy_id);
    let observed = observe_removal(management, id.as_ref(), name).await?;
    // Someone else deleted the policy, and it may have been created again just now.
    if left.is_kept && observed.policy.is_none() {
        return observe_removal(management, None, name).await;
    }
    Ok(observed)
}

/// Removes the remains of a policy whose resource is deleted, and returns the steps.
///
/// # Errors
///
/// Returns an error if the removal is refused or a call to AWS fails. Trying again resumes.
pub async fn remove(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    left: &Leftover,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    let name = Some(&properties.name);
    let observed = leftover(management, left, name).await?;
    absent(management, owner, left, name, observed, intent).await
}

/// The desired state of the policy, and the conditions for reaching it.
struct Goal<'a> {
    owner: &'a Owner,
    properties: &'a Properties,
    document: Document,
    retired_tags: Tags,
    preflight: Preflight,
    claim: Claim,
    now: SystemTime,
}

/// The policy in its desired state, with the steps to it. In a report, the steps are not made.
struct Present {
    identity: Option<Identity>,
    steps: Vec<Step>,
}

impl Goal<'_> {
    /// Reads everything that the policy has to be compared with. `id` is its ID, if that is known.
    async fn look(
        &self,
        management: &Management,
        id: Option<&PolicyId>,
    ) -> Result<(Desired, Observed), Error> {
        let properties = self.properties;
        let wanted = Wanted { name: properties.name.clone(), targets: properties.targets()? };
        let (targets, observed) = observe(management, &wanted, id, self.owner).await?;
        let desired = Desired {
            name: properties.name.clone(),
            description: properties.description.0.clone(),
            document: self.document.clone(),
            targets,
            tags: properties.tags.clone(),
            retired_tags: self.retired_tags.clone(),
            claim: self.claim,
        };
        Ok((desired, observed))
    }

    /// Brings the policy to its desired state, and stores its ID in `made`.
    async fn reach(
        &self,
        management: &Management,
        id: Option<PolicyId>,
        made: &mut Option<String>,
        mut intent: Intent<'_>,
    ) -> Result<Present, Error> {
        let Goal { document, now, preflight, .. } = self;
        judge(*preflight, || plan::preflight::check(document, *now))?;
        let mut known = id.clone();
        let mut all = Vec::new();
        for round in 1.. {
            let (desired, observed) = self.look(management, known.as_ref()).await?;
            let steps = plan(Some(&desired), &observed, self.owner, id.as_ref())?;
            let reaches_accounts = steps.iter().any(Step::reaches_accounts);
            let outlook = if *preflight != Preflight::Off && reaches_accounts {
                let existing = observed.policy.as_ref();
                let outlook =
                    Outlook::new(management, *preflight, &desired, existing, &steps, *now);
                let mut outlook = outlook.await?;
                judge(*preflight, || outlook.withheld.clone().map_or(Ok(()), Err))?;
                outlook.prepare(management).await;
                Some(outlook)
            } else {
                None
            };
            let mut policy = observed.policy.map(|it| Identity { id: it.id, arn: it.arn });
            let applied = if intent.proceeds(&steps).await? {
                apply(management, &mut policy, &steps).await
            } else {
                Ok(())
            };
            *made = policy.as_ref().map(|it| it.id.to_string());
            all.extend(steps);
            match applied {
                Ok(()) => {
                    if let Some(outlook) = outlook.filter(|_| !matches!(intent, Intent::Report)) {
                        outlook.report(management).await;
                    }
                    return Ok(Present { identity: policy, steps: all });
                }
                Err(error) if error.kind() == Kind::Outdated && round < ROUNDS => {
                    known = policy.map(|it| it.id).or(known);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Invalid::Vanished.into())
    }
}

/// Removes the policy of this resource, given its `observed` state, and returns the steps.
async fn absent(
    management: &Management,
    owner: &Owner,
    left: &Leftover,
    name: Option<&PolicyName>,
    mut observed: Observed,
    mut intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    let id = left.current_id.as_deref().and_then(policy_id);
    let mut all = Vec::new();
    for round in 1.. {
        let steps = plan(None, &observed, owner, id.as_ref())?;
        let proceeds = intent.proceeds(&steps).await?;
        let mut policy = observed.policy.map(|it| Identity { id: it.id, arn: it.arn });
        let applied = if proceeds { apply(management, &mut policy, &steps).await } else { Ok(()) };
        all.extend(steps);
        match applied {
            Ok(()) => break,
            Err(error) if error.kind() == Kind::Outdated && round < ROUNDS => {}
            Err(error) => return Err(error.into()),
        }
        observed = leftover(management, left, name).await?;
    }
    Ok(all)
}

/// Returns the policy document that `properties` describe, checked against the size limit of AWS.
async fn document(management: &Management, properties: &Properties) -> Result<Document, Error> {
    let document = match properties.source()? {
        ContentSource::Inline(Content(value)) => match value.as_str() {
            Some(text) => Document::parse(text)?,
            None => Document::new(value.clone())?,
        },
        ContentSource::Object(ContentUrl { bucket, key, version }) => {
            let text = content::read(management, bucket, key, version.as_deref()).await?;
            Document::parse(&text)?
        }
    };
    Ok(document.with_variables(&properties.variables)?.within_limit()?)
}
