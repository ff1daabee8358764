//! The policy types of the organization's root.

use std::collections::{BTreeMap, BTreeSet};

use aws::operation::{DISABLE_POLICY_TYPE, ENABLE_POLICY_TYPE};
use aws::{Error, Management, already, log_plan};
use aws_sdk_organizations::types::PolicyType as WireType;
use plan::id::{AccountId, PolicyId, PolicyType, TargetId};
use plan::policy_types::{Desired, Observed, Status, Step};
use tracing::info;

use crate::organizations::{self, ListedPolicy, READ_ROOT};

/// The organization that was observed, as IDs to which a template can refer.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The root.
    pub root_id: TargetId,
    /// The organization.
    pub organization_id: String,
    /// The management account.
    pub management_account: AccountId,
}

/// Reads the observed state to compare with `desired`.
///
/// The features of the organization are read only if a type has to be enabled. Enabled types prove
/// that the organization can have policies.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe(
    management: &Management,
    desired: &Desired,
) -> Result<(Identity, Observed), Error> {
    let root = organizations::root(management, READ_ROOT).await?;
    let mut attached = BTreeMap::new();
    let needs_features = match desired {
        Desired::Enabled(types) => types.iter().any(|it| root.status(it) != Status::Enabled),
        Desired::Disabled(types) => {
            for it in types.iter().filter(|it| root.status(it) != Status::Disabled) {
                attached.insert(it.clone(), in_use(management, it).await?);
            }
            false
        }
    };
    let (organization_id, management_account, all_features) = match root.organization {
        Some((id, management_account)) if !needs_features => (id, management_account, true),
        _ => {
            let it = organizations::organization(management).await?;
            (it.id, it.management_account, it.all_features)
        }
    };
    let identity = Identity { root_id: root.id, organization_id, management_account };
    Ok((identity, Observed { all_features, types: root.types, attached }))
}

/// Lists the policies of a type that are attached to a target and that AWS does not manage.
async fn in_use(
    management: &Management,
    policy_type: &PolicyType,
) -> Result<BTreeSet<PolicyId>, Error> {
    let wire = WireType::from(policy_type.as_str());
    let mut in_use = BTreeSet::new();
    for ListedPolicy { id, .. } in organizations::policies(management, &wire).await? {
        if !organizations::targets(management, &id).await?.is_empty() {
            in_use.insert(id);
        }
    }
    Ok(in_use)
}

/// Carries out `steps` in order.
///
/// # Errors
///
/// Returns an error at the first step that fails. The steps before it stay done, and planning again
/// resumes.
pub async fn apply(
    management: &Management,
    identity: &Identity,
    steps: &[Step],
) -> Result<(), Error> {
    let client = organizations::client(management);
    let root = identity.root_id.as_str();
    log_plan(steps);
    for step in steps {
        match step {
            Step::Enable(it) => {
                let wire = WireType::from(it.as_str());
                let enable = client.enable_policy_type().root_id(root).policy_type(wire).send();
                let enabled = management.calls.call(ENABLE_POLICY_TYPE, step, enable).await;
                already(enabled, "PolicyTypeAlreadyEnabledException")?;
            }
            Step::AwaitEnabled(it) => {
                organizations::enabled_root(management, it, &step.to_string()).await?;
            }
            Step::Disable(it) => {
                let wire = WireType::from(it.as_str());
                let disable = client.disable_policy_type().root_id(root).policy_type(wire).send();
                let disabled = management.calls.call(DISABLE_POLICY_TYPE, step, disable).await;
                already(disabled, "PolicyTypeNotEnabledException")?;
            }
        }
        info!(%step, "done");
    }
    Ok(())
}
