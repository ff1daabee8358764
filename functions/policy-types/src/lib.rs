//! `Custom::PolicyTypes`: the policy types that are enabled on the organization's root.

use aws::Session;
use aws::policy_types::{apply, observe};
use cfn::{Change, Failure, List, Reply, Request};
use plan::id::{PolicyType, RoleArn};
use plan::policy_types::{Desired, plan};
use serde::Deserialize;

/// The properties of the resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The types to enable. Others are left alone, also those that an update takes off the list.
    pub policy_types: List<PolicyType>,
    /// What deleting the resource does.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume where the function does not run in the management account.
    #[serde(default, deserialize_with = "cfn::optional")]
    pub management_role_arn: Option<RoleArn>,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum OnDelete {
    /// The types stay enabled, and so everything that is attached keeps its effect.
    #[default]
    Retain,
    /// The types of the list are disabled, unless a policy is still attached.
    Disable,
}

/// Brings the root to what `request` asks for.
///
/// # Errors
///
/// When the change is refused or a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Reply, Failure> {
    let (desired, role) = match request.change {
        Change::Apply { properties: it, .. } => {
            (Desired::Enabled(it.policy_types.0.into_iter().collect()), it.management_role_arn)
        }
        // A creation that failed does not say which types it found enabled, so all are left on.
        Change::Remove { properties: Some(it) }
            if it.on_delete == OnDelete::Disable && request.physical_id.is_some() =>
        {
            (Desired::Disabled(it.policy_types.0.into_iter().collect()), it.management_role_arn)
        }
        Change::Remove { .. } => return Ok(Reply::default()),
    };
    let management = session.management(role.as_ref(), request.deadline).await?;
    let (identity, observed) = observe(&management, &desired).await?;
    let steps = plan(&desired, &observed)?;
    apply(&management, &identity, &steps).await?;
    Ok(Reply {
        physical_id: request
            .physical_id
            .unwrap_or_else(|| format!("{}/policy-types", identity.root_id)),
        data: [
            ("RootId", identity.root_id.to_string()),
            ("OrganizationId", identity.organization_id),
            ("ManagementAccountId", identity.management_account.to_string()),
        ]
        .into(),
        no_echo: false,
    })
}
