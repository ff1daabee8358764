//! `Custom::ServiceAccess`: trusted access, StackSets, and delegated administrators.

use aws::service_access::{apply, observe};
use aws::state::{Intent, Slot};
use aws::{Management, Record, Session, removable};
use cfn::{Change, Failure, Flag, List, Reply, Request};
use plan::id::{AccountId, RoleArn, ServicePrincipal};
use plan::owner::Owner;
use plan::service_access::{Administrator, Desired, Observed, Step, plan};
use serde::{Deserialize, Serialize};

/// The properties of the resource.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The services that get trusted access. Others are left alone.
    pub service_principals: List<ServicePrincipal>,
    /// Whether CloudFormation StackSets gets organizations access; `false` leaves it alone.
    pub stack_sets: Option<Flag>,
    /// The accounts that administer a service for the organization. Others are left alone.
    #[serde(default)]
    pub delegated_administrators: Vec<DelegatedAdministrator>,
    /// What deleting the resource does, and taking something off its lists.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume where the function does not run in the management account.
    #[serde(default, deserialize_with = "cfn::optional", skip_serializing_if = "Option::is_none")]
    pub management_role_arn: Option<RoleArn>,
}

/// An account that administers a service for the organization.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DelegatedAdministrator {
    /// A member account.
    pub account_id: AccountId,
    /// The service.
    pub service_principal: ServicePrincipal,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnDelete {
    /// Everything stays on.
    #[default]
    Retain,
    /// What this resource turned on since it says `Revert` is turned off, and nothing else.
    Revert,
}

/// The name of the function, under which the state of its resources is kept.
pub const FUNCTION: &str = "service-access";

impl From<&Properties> for Desired {
    fn from(it: &Properties) -> Self {
        let administrator = |it: &DelegatedAdministrator| Administrator {
            principal: it.service_principal.clone(),
            account: it.account_id.clone(),
        };
        Self {
            principals: it.service_principals.0.iter().cloned().collect(),
            stack_sets: it.stack_sets.is_some_and(|it| it.0),
            administrators: it.delegated_administrators.iter().map(administrator).collect(),
            revert: it.on_delete == OnDelete::Revert,
        }
    }
}

/// Brings the organization to what `request` asks for.
///
/// # Errors
///
/// When the change is refused or a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Reply, Failure> {
    let never_created = request.never_created();
    let Request { change, physical_id, stack_id, logical_id, received: now, deadline } = request;
    let owner = Owner::new(&stack_id, &logical_id);
    let is_removed = matches!(change, Change::Remove { .. });
    let slot = Slot::open(session, FUNCTION, &stack_id, &logical_id, is_removed, deadline).await;
    let Some(mut slot) = removable(slot, never_created)? else { return Ok(Reply::default()) };
    match change {
        Change::Apply { properties, .. } => {
            let role = properties.management_role_arn.as_ref();
            let management = session.management(role, deadline).await?;
            let found = look(&management, Desired::from(&properties), &owner).await?;
            let natural = format!("{}/service-access", found.observed.management_account);
            found.reconcile(&management, Intent::Change { slot: &mut slot, now }).await?;
            let physical_id = physical_id.unwrap_or(natural);
            slot.settle(&physical_id, &physical_id, &properties).await?;
            Ok(Reply { physical_id, ..Reply::default() })
        }
        Change::Remove { properties } => {
            if let Some(it) = properties.filter(|it| it.on_delete == OnDelete::Revert) {
                let role = it.management_role_arn.as_ref();
                let looked = async {
                    let management = session.management(role, deadline).await?;
                    let found = look(&management, reverted(), &owner).await?;
                    Ok::<_, aws::Error>((management, found))
                };
                if let Some((management, found)) = removable(looked.await, never_created)? {
                    found.reconcile(&management, Intent::Change { slot: &mut slot, now }).await?;
                }
            }
            slot.forget(physical_id.as_deref()).await?;
            Ok(Reply::default())
        }
    }
}

/// Looks after what was turned on before, and returns what that takes.
///
/// # Errors
///
/// When it is refused or a call to AWS fails. Looking again resumes.
pub async fn restore(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Failure> {
    let found = look(management, Desired::from(properties), owner).await?;
    found.reconcile(management, intent).await
}

/// Says what deleting the resource would take. Nothing is changed.
///
/// # Errors
///
/// When it would be refused or a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
) -> Result<Vec<Step>, Failure> {
    match properties.on_delete {
        OnDelete::Retain => Ok(vec![]),
        OnDelete::Revert => {
            let found = look(management, reverted(), owner).await?;
            found.reconcile(management, Intent::Report).await
        }
    }
}

/// Nothing is desired, and what the resource turned on is turned off.
fn reverted() -> Desired {
    Desired { revert: true, ..Desired::default() }
}

/// What is desired, and what there is.
struct Found {
    desired: Desired,
    record: Option<Record>,
    observed: Observed,
}

async fn look(
    management: &Management,
    desired: Desired,
    owner: &Owner,
) -> Result<Found, aws::Error> {
    let (record, observed) = observe(management, &desired, owner).await?;
    Ok(Found { desired, record, observed })
}

impl Found {
    /// Plans and, where that is the `intent`, applies.
    async fn reconcile(
        &self,
        management: &Management,
        mut intent: Intent<'_>,
    ) -> Result<Vec<Step>, Failure> {
        let steps = plan(&self.desired, &self.observed)?;
        if intent.proceeds(&steps).await? {
            apply(management, self.record.as_ref(), &steps).await?;
        }
        Ok(steps)
    }
}
