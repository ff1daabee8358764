//! The wanted resources, from the state bucket or from a template.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aws::{Caller, Management};
use errors::chain;
use organization::policy_types;
use plan::deployment::Disposal;
use plan::desired_state::{Entry, PREFIX};
use plan::id::PolicyId;
use plan::owner::{Owner, stack_path};
use plan::policy_types::Desired;
use plan::resource::ResourceKind;
use policy::Node;
use serde_json::Value;
use state::State;
use template::{Evaluator, Given, Taken, Unknown, expand, is_template, section};

use super::deployed::Deployed;
use super::native::{Native, Side, natives};
use super::resources::{Custom, Surroundings, kind_of, resolve};
use super::{PlanArguments, PlanContext, parameters};
use crate::{CommandError, input};

/// A resource and its desired state.
#[derive(Debug)]
pub(super) struct WantedResource {
    /// The name of its stack; empty if it is not known.
    pub(super) stack: String,
    /// Its name in the template.
    pub(super) logical_id: String,
    /// The kind of the resource.
    pub(super) kind: ResourceKind,
    pub(super) owner: Owner,
    /// The desired properties; `None` if a part of them is not known.
    pub(super) properties: Option<Value>,
    /// The entry of the state bucket, if there is one.
    pub(super) kept: Option<Entry>,
    /// True if the stack is to be deployed. Otherwise the resource is to be restored by `reattach`.
    pub(super) is_deployed: bool,
}

/// All wanted resources.
#[derive(Debug, Default)]
pub(super) struct WantedResources {
    pub(super) all: Vec<WantedResource>,
    /// The places of the template that are not known yet.
    pub(super) unknown: Vec<Unknown>,
    /// The parameters that have the values of the deployed stack.
    pub(super) taken: BTreeSet<Taken>,
    /// Further notes.
    pub(super) notes: Vec<String>,
    /// The resources that the template no longer has, each with its disposal.
    pub(super) dropped: Vec<(WantedResource, Disposal)>,
    /// The number of resources that could not be read.
    pub(super) unread: usize,
    /// The changes of CloudFormation to the resources that it makes itself.
    pub(super) natives: Vec<Native>,
}

/// Reads the wanted resources.
pub(super) async fn wanted_resources(
    arguments: &PlanArguments,
    context: PlanContext<'_>,
) -> Result<WantedResources, CommandError> {
    let mut wanted_resources = WantedResources::default();
    let state = State::of(context.session, context.deadline);
    let kept = match &state {
        Some(state) => kept(state, arguments.stack.as_deref(), &mut wanted_resources).await?,
        None => Vec::new(),
    };
    match &arguments.template {
        Some(file) => {
            let file = input::read(file)?;
            planned(arguments, &file, kept, state.is_some(), context, &mut wanted_resources)
                .await?;
        }
        None if state.is_none() => return Err(CommandError::NoStateBucket),
        None => {
            let is_empty = kept.is_empty() && wanted_resources.unread == 0;
            if let Some(stack) = arguments.stack.as_ref().filter(|_| is_empty) {
                return Err(CommandError::NoStack(stack.clone()));
            }
            if is_empty {
                wanted_resources.notes.push("the state bucket has no desired state yet".to_owned());
            }
            wanted_resources.all = kept.into_iter().map(WantedResource::of).collect();
        }
    }
    wanted_resources.all.sort_by_key(|it| it.kind);
    Ok(wanted_resources)
}

/// Reads the entries of the state bucket for the resources of `stack`, or for all.
async fn kept(
    state: &State,
    stack: Option<&str>,
    wanted_resources: &mut WantedResources,
) -> Result<Vec<Entry>, CommandError> {
    let mut kept = Vec::new();
    for key in state.list(PREFIX).await? {
        // The key is `desired/<function>/<stack name>/<stack ID>/<logical ID>.json`, unless that is
        // too long.
        let parts: Vec<_> = key.split('/').collect();
        if let (Some(stack), [_, _, name, _, _]) = (stack, parts.as_slice())
            && stack != *name
        {
            continue;
        }
        match state.entry(&key).await {
            Ok(Some((entry, _))) if !entry.is_deleted() => kept.push(entry),
            // The entry was deleted, perhaps after it was listed.
            Ok(_) => {}
            Err(error) => {
                wanted_resources.unread += 1;
                wanted_resources.notes.push(chain(&error));
            }
        }
    }
    kept.retain(|it| stack.is_none_or(|stack| stack_name(&it.stack_id) == stack));
    Ok(kept)
}

impl WantedResource {
    /// Returns the ID of the policy in the state bucket. The policy may have been made again under
    /// another ID.
    pub(super) fn policy_id(&self) -> Option<PolicyId> {
        let kept = self.kept.as_ref().and_then(|it| it.id_of(it.physical_id.as_deref()));
        kept.and_then(|it| it.parse().ok())
    }

    /// Returns the resource of an entry of the state bucket, which is to be restored.
    fn of(entry: Entry) -> Self {
        Self {
            stack: stack_name(&entry.stack_id).to_owned(),
            logical_id: entry.logical_id.clone(),
            kind: entry.kind,
            owner: entry.owner(),
            properties: entry.properties.clone(),
            kept: Some(entry),
            is_deployed: false,
        }
    }
}

/// Adds the resources that a deployment of a template asks for.
async fn planned(
    arguments: &PlanArguments,
    file: &input::Input,
    kept: Vec<Entry>,
    has_state: bool,
    context: PlanContext<'_>,
    wanted_resources: &mut WantedResources,
) -> Result<(), CommandError> {
    let (document, findings) = input::parse(file);
    let document = document.filter(is_template);
    let Some(document) = document else {
        let findings = findings.iter().map(ToString::to_string).collect();
        return Err(CommandError::NotTemplate { file: file.name.clone(), findings });
    };
    let given = Given::from(parameters::read(&arguments.parameters)?);
    let stack = arguments.stack.clone().unwrap_or_default();
    let management = context.session.management(None, context.deadline).await?;
    let deployed = Deployed::read(&management, arguments.stack.as_deref()).await;
    let region = context.session.region();
    let kept = of_stack(kept, (&stack, &region), &deployed, has_state, wanted_resources);
    let stack_id = stack_id(&stack, &deployed, &kept);
    let caller = management.caller().await?;
    let partition = caller.partition;
    let surroundings =
        surroundings(&management, &stack, stack_id.as_deref(), &document, &kept, caller, context)
            .await?;
    let before = deployed.stack().map(|it| it.parameters.clone()).unwrap_or_default();
    let given = given.or(before.clone());
    let document = expand(&document, &given);
    let resolved = resolve(&document, &given, &surroundings);
    if !resolved.mistakes.is_empty() {
        let why = match &deployed {
            Deployed::Unread(why) => Some(format!("the resources of the stack are unknown: {why}")),
            Deployed::Nothing if !stack.is_empty() => {
                Some(format!("there is no stack `{stack}` in {region} yet"))
            }
            Deployed::Nothing | Deployed::There(_) => None,
        };
        return Err(CommandError::Parameters(resolved.mistakes.into_iter().chain(why).collect()));
    }
    wanted_resources.taken = resolved.taken;
    if resolved.resources.is_empty() {
        wanted_resources.notes.push(format!("`{}` has no resources of org-backup", file.name));
    }
    let is_understood = resolved.not_understood.is_empty();
    wanted_resources.unread += resolved.not_understood.len();
    wanted_resources.unknown = resolved.not_understood;
    wanted_resources.unknown.extend(resolved.unknown);
    let given = Side { template: &document, given: &given };
    natives_of(given, before, &management, &deployed, &surroundings, wanted_resources).await;
    // A stack that does not exist yet owns nothing.
    let planned = || format!("arn:{partition}:cloudformation:::stack/{stack}/planned");
    let stack_id = stack_id.unwrap_or_else(planned);
    let mut kept = kept;
    for Custom { logical_id, kind, properties } in resolved.resources {
        let own = kept.iter().position(|it| it.logical_id == logical_id && it.kind == kind);
        let own = own.map(|index| kept.remove(index));
        let owner = Owner::new(&stack_id, &logical_id);
        let (stack, is_deployed) = (stack.clone(), true);
        let kept = own;
        wanted_resources.all.push(WantedResource {
            stack,
            logical_id,
            kind,
            owner,
            properties,
            kept,
            is_deployed,
        });
    }
    kept.retain(|it| it.physical_id.is_some());
    let names: Vec<_> = kept.iter().map(|it| it.logical_id.as_str()).collect();
    let disposals = if is_understood {
        deployed.disposals(&management, &names).await
    } else {
        let why = "a transform of the new template may make it";
        names.iter().map(|_| Disposal::Unknown(why.to_owned())).collect()
    };
    for (entry, disposal) in kept.into_iter().zip(disposals) {
        if disposal == Disposal::Gone {
            wanted_resources.notes.push(format!(
                "`{}` has a desired state in the state bucket, and the stack no longer has it: an \
                 earlier deployment retained it",
                entry.logical_id
            ));
        } else {
            wanted_resources.dropped.push((WantedResource::of(entry), disposal));
        }
    }
    // Resources that others need were made first, and are deleted last.
    wanted_resources.dropped.sort_by_key(|(it, _)| Reverse(it.kind));
    Ok(())
}

/// Adds the changes of CloudFormation to the resources that it makes itself.
async fn natives_of(
    new: Side<'_>,
    before: BTreeMap<String, String>,
    management: &Management,
    deployed: &Deployed,
    surroundings: &Surroundings,
    wanted_resources: &mut WantedResources,
) {
    let before = Given::default().or(before);
    let is_native = |it: &Node| {
        let evaluator = Evaluator::new(new.template, new.given, surroundings);
        kind_of(it, &evaluator, "").is_none()
    };
    let old = match deployed {
        Deployed::Nothing => None,
        // The stack that could not be read is already in the report.
        Deployed::Unread(_) => return,
        Deployed::There(_) => match deployed.template(management).await {
            Ok(template) => Some(template),
            Err(why) => {
                wanted_resources.unread += 1;
                let note =
                    format!("the changes that CloudFormation would make itself are unknown: {why}");
                wanted_resources.notes.push(note);
                return;
            }
        },
    };
    let old = old.as_ref().map(|template| Side { template, given: &before });
    wanted_resources.natives = natives(new, old, surroundings, &is_native);
}

/// Returns the entries of the stack that is to be deployed, without those of an earlier stack with
/// the same name.
fn of_stack(
    mut kept: Vec<Entry>,
    (name, region): (&str, &str),
    deployed: &Deployed,
    has_state: bool,
    wanted_resources: &mut WantedResources,
) -> Vec<Entry> {
    let mut note = |it: String| wanted_resources.notes.push(it);
    match deployed {
        Deployed::Nothing if name.is_empty() => {
            kept.clear();
            note("without --stack this is planned as the first deployment of a stack".to_owned());
        }
        Deployed::Nothing => {
            note(format!(
                "there is no stack `{name}` in {region} yet, so this is its first deployment"
            ));
            if !kept.is_empty() {
                kept.clear();
                note(format!(
                    "the desired state in the state bucket is of an earlier stack `{name}`"
                ));
            }
        }
        Deployed::Unread(why) => {
            wanted_resources.unread += 1;
            note(format!("{why}; the deployed resources are taken from the state bucket alone"));
        }
        Deployed::There(stack) => {
            kept.retain(|it| it.stack_id == stack.id);
            if !has_state {
                wanted_resources.unread += 1;
                note(
                    "without --state-bucket, the resources that the stack made or would delete are \
                     unknown"
                        .to_owned(),
                );
            }
        }
    }
    kept
}

/// Returns the ARN of the stack, if it is known.
fn stack_id(name: &str, deployed: &Deployed, kept: &[Entry]) -> Option<String> {
    let there = deployed.stack().map(|it| it.id.clone());
    there.or_else(|| kept.first().map(|it| it.stack_id.clone())).filter(|_| !name.is_empty())
}

/// Reads the facts about the place where the template is deployed.
async fn surroundings(
    management: &Management,
    stack: &str,
    stack_id: Option<&str>,
    template: &Node,
    kept: &[Entry],
    caller: Caller,
    context: PlanContext<'_>,
) -> Result<Surroundings, CommandError> {
    let none = Desired::Enabled([].into());
    let (identity, _) = policy_types::observe(management, &none).await?;
    let mut pseudo = BTreeMap::from([
        ("AWS::AccountId", caller.account),
        ("AWS::Partition", caller.partition.to_string()),
        ("AWS::Region", context.session.region()),
        ("AWS::URLSuffix", caller.partition.url_suffix().to_owned()),
    ]);
    if !stack.is_empty() {
        pseudo.insert("AWS::StackName", stack.to_owned());
    }
    pseudo.extend(stack_id.map(|it| ("AWS::StackId", it.to_owned())));
    let mut attributes = BTreeMap::new();
    for entry in kept {
        if let Some(id) = &entry.physical_id {
            attributes.insert(entry.logical_id.clone(), id.clone());
            match entry.kind {
                ResourceKind::BackupPolicy => {
                    attributes.insert(format!("{}.PolicyId", entry.logical_id), id.clone());
                }
                ResourceKind::PolicyTypes
                | ResourceKind::ServiceAccess
                | ResourceKind::GlobalSettings
                | ResourceKind::MemberAccounts => {}
            }
        }
    }
    for it in section(template, "Resources") {
        let kind = it.value.member("Type").and_then(|it| it.scalar());
        match kind.and_then(ResourceKind::of_type) {
            Some(ResourceKind::PolicyTypes) => {
                let name = &it.key;
                let account = identity.management_account.to_string();
                attributes.extend([
                    (format!("{name}.RootId"), identity.root_id.to_string()),
                    (format!("{name}.OrganizationId"), identity.organization_id.clone()),
                    (format!("{name}.ManagementAccountId"), account),
                ]);
            }
            // Their attributes are known after a deployment only.
            Some(
                ResourceKind::ServiceAccess
                | ResourceKind::GlobalSettings
                | ResourceKind::BackupPolicy
                | ResourceKind::MemberAccounts,
            )
            | None => {}
        }
    }
    Ok(Surroundings { pseudo, attributes })
}

/// Returns the name in the ARN of a stack.
fn stack_name(stack_id: &str) -> &str {
    stack_path(stack_id).split('/').next().unwrap_or_default()
}
