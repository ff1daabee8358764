//! `Custom::ServiceAccess`: trusted access, StackSets, and delegated administrators.

use aws::service_access::{apply, observe};
use aws::{Session, removable};
use cfn::{Change, Failure, Flag, List, Reply, Request};
use plan::id::{AccountId, RoleArn, ServicePrincipal};
use plan::owner::Owner;
use plan::service_access::{Administrator, Desired, plan};
use serde::Deserialize;

/// The properties of the resource.
#[derive(Debug, Deserialize)]
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
    #[serde(default, deserialize_with = "cfn::optional")]
    pub management_role_arn: Option<RoleArn>,
}

/// An account that administers a service for the organization.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DelegatedAdministrator {
    /// A member account.
    pub account_id: AccountId,
    /// The service.
    pub service_principal: ServicePrincipal,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum OnDelete {
    /// Everything stays on.
    #[default]
    Retain,
    /// What this resource turned on since it says `Revert` is turned off, and nothing else.
    Revert,
}

impl From<Properties> for Desired {
    fn from(it: Properties) -> Self {
        let administrator = |it: DelegatedAdministrator| Administrator {
            principal: it.service_principal,
            account: it.account_id,
        };
        Self {
            principals: it.service_principals.0.into_iter().collect(),
            stack_sets: it.stack_sets.is_some_and(|it| it.0),
            administrators: it.delegated_administrators.into_iter().map(administrator).collect(),
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
    let owner = Owner::new(&request.stack_id, &request.logical_id);
    let never_created = request.never_created();
    let (desired, role) = match request.change {
        Change::Apply { properties, .. } => {
            let role = properties.management_role_arn.clone();
            (Desired::from(properties), role)
        }
        Change::Remove { properties: Some(it) } if it.on_delete == OnDelete::Revert => {
            (Desired { revert: true, ..Desired::default() }, it.management_role_arn)
        }
        Change::Remove { .. } => return Ok(Reply::default()),
    };
    let look = async {
        let management = session.management(role.as_ref(), request.deadline).await?;
        let (record, observed) = observe(&management, &desired, &owner).await?;
        Ok::<_, aws::Error>((management, record, observed))
    };
    let Some((management, record, observed)) = removable(look.await, never_created)? else {
        return Ok(Reply::default());
    };
    let steps = plan(&desired, &observed)?;
    apply(&management, record.as_ref(), &steps).await?;
    let natural = || format!("{}/service-access", observed.management_account);
    let physical_id = request.physical_id.unwrap_or_else(natural);
    Ok(Reply { physical_id, ..Reply::default() })
}
