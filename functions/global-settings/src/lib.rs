//! `Custom::BackupGlobalSettings`: the settings of AWS Backup for the whole organization.

use aws::global_settings::{apply, observe};
use aws::state::{Intent, Slot};
use aws::{Management, Record, Session, removable};
use cfn::{Change, Failure, Flag, Reply, Request};
use plan::global_settings::{Desired, Observed, Setting, Step, Values, plan};
use plan::id::RoleArn;
use plan::owner::Owner;
use serde::{Deserialize, Serialize};

/// The properties of the resource. A setting that is absent is left alone.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// Whether recovery points may be copied to other accounts of the organization.
    pub cross_account_backup: Option<Flag>,
    /// Whether AWS Backup keeps its delegated administrators' permissions up to date.
    pub delegated_administrator: Option<Flag>,
    /// Whether multi-party approval can protect logically air-gapped vaults.
    pub multi_party_approval: Option<Flag>,
    /// What deleting the resource does.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// The role to assume where the function does not run in the management account.
    #[serde(default, deserialize_with = "cfn::optional", skip_serializing_if = "Option::is_none")]
    pub management_role_arn: Option<RoleArn>,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnDelete {
    /// The settings stay as they are.
    #[default]
    Retain,
    /// The settings get the values that were found when the resource first said `Restore`, and so
    /// does a setting that an update takes off.
    Restore,
}

impl Properties {
    fn present(&self, previous: Option<&Self>) -> Desired {
        let restores = |it: &&Self| it.on_delete == OnDelete::Restore;
        let retired = previous.filter(restores).map(Self::values).unwrap_or_default();
        Desired::Present { values: self.values(), restore: restores(&self), retired }
    }

    fn restored(&self) -> Desired {
        Desired::Restored(self.values().into_keys().collect())
    }

    fn values(&self) -> Values {
        let settings = [
            (Setting::CrossAccountBackup, self.cross_account_backup),
            (Setting::DelegatedAdministrator, self.delegated_administrator),
            (Setting::MultiPartyApproval, self.multi_party_approval),
        ];
        settings.into_iter().filter_map(|(it, on)| Some((it, on?.0))).collect()
    }
}

/// The name of the function, under which the state of its resources is kept.
pub const FUNCTION: &str = "global-settings";

/// Brings the settings to what `request` asks for.
///
/// # Errors
///
/// When a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Reply, Failure> {
    let never_created = request.never_created();
    let Request { change, physical_id, stack_id, logical_id, received: now, deadline } = request;
    let owner = Owner::new(&stack_id, &logical_id);
    let is_removed = matches!(change, Change::Remove { .. });
    let slot = Slot::open(session, FUNCTION, &stack_id, &logical_id, is_removed, deadline).await;
    let Some(mut slot) = removable(slot, never_created)? else { return Ok(Reply::default()) };
    match change {
        Change::Apply { properties, previous } => {
            let role = properties.management_role_arn.as_ref();
            let management = session.management(role, deadline).await?;
            let found = look(&management, properties.present(previous.as_ref()), &owner).await?;
            let intent = Intent::Change { slot: &mut slot, now };
            let steps = found.reconcile(&management, intent).await?;
            let mut values = found.observed.values;
            for step in steps {
                if let Step::Update(changed) = step {
                    values.extend(changed);
                }
            }
            let physical_id = physical_id.unwrap_or_else(|| "backup-global-settings".to_owned());
            slot.settle(&physical_id, &physical_id, &properties).await?;
            let data = values.into_iter().map(|(it, on)| (it.property(), on.to_string()));
            Ok(Reply { physical_id, data: data.collect(), no_echo: false })
        }
        Change::Remove { properties } => {
            if let Some(it) = properties.filter(|it| it.on_delete == OnDelete::Restore) {
                let role = it.management_role_arn.as_ref();
                let looked = async {
                    let management = session.management(role, deadline).await?;
                    let found = look(&management, it.restored(), &owner).await?;
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

/// Looks after settings that were made before, and returns what that takes.
///
/// # Errors
///
/// When a call to AWS fails. Looking again resumes.
pub async fn restore(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Failure> {
    let found = look(management, properties.present(None), owner).await?;
    found.reconcile(management, intent).await
}

/// Says what a deployment would take, where the resource had the properties `previous` before, if it
/// was there. Nothing is changed.
///
/// # Errors
///
/// When a call to AWS fails.
pub async fn preview(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    previous: Option<&Properties>,
) -> Result<Vec<Step>, Failure> {
    let found = look(management, properties.present(previous), owner).await?;
    found.reconcile(management, Intent::Report).await
}

/// Says what deleting the resource would take. Nothing is changed.
///
/// # Errors
///
/// When a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
) -> Result<Vec<Step>, Failure> {
    match properties.on_delete {
        OnDelete::Retain => Ok(vec![]),
        OnDelete::Restore => {
            let found = look(management, properties.restored(), owner).await?;
            found.reconcile(management, Intent::Report).await
        }
    }
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
        let steps = plan(&self.desired, &self.observed);
        if intent.proceeds(&steps).await? {
            apply(management, self.record.as_ref(), &steps).await?;
        }
        Ok(steps)
    }
}
