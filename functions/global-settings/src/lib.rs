//! `Custom::BackupGlobalSettings`: the settings of AWS Backup for the whole organization.

use aws::global_settings::{apply, observe};
use aws::{Session, removable};
use cfn::{Change, Failure, Flag, Reply, Request};
use plan::global_settings::{Desired, Setting, Step, Values, plan};
use plan::id::RoleArn;
use plan::owner::Owner;
use serde::Deserialize;

/// The properties of the resource. A setting that is absent is left alone.
#[derive(Debug, Deserialize)]
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
    #[serde(default, deserialize_with = "cfn::optional")]
    pub management_role_arn: Option<RoleArn>,
}

/// What deleting the resource does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum OnDelete {
    /// The settings stay as they are.
    #[default]
    Retain,
    /// The settings get the values that were found when the resource first said `Restore`.
    Restore,
}

impl Properties {
    fn values(&self) -> Values {
        let settings = [
            (Setting::CrossAccountBackup, self.cross_account_backup),
            (Setting::DelegatedAdministrator, self.delegated_administrator),
            (Setting::MultiPartyApproval, self.multi_party_approval),
        ];
        settings.into_iter().filter_map(|(it, on)| Some((it, on?.0))).collect()
    }
}

/// Brings the settings to what `request` asks for.
///
/// # Errors
///
/// When a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Reply, Failure> {
    let owner = Owner::new(&request.stack_id, &request.logical_id);
    let never_created = request.never_created();
    let (desired, role) = match request.change {
        Change::Apply { properties: it, .. } => {
            let restore = it.on_delete == OnDelete::Restore;
            (Desired::Present { values: it.values(), restore }, it.management_role_arn)
        }
        Change::Remove { properties: Some(it) } if it.on_delete == OnDelete::Restore => {
            (Desired::Restored(it.values().into_keys().collect()), it.management_role_arn)
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
    let steps = plan(&desired, &observed);
    apply(&management, record.as_ref(), &steps).await?;
    let mut now = observed.values;
    for step in steps {
        if let Step::Update(values) = step {
            now.extend(values);
        }
    }
    Ok(Reply {
        physical_id: request.physical_id.unwrap_or_else(|| "backup-global-settings".to_owned()),
        data: now.into_iter().map(|(it, on)| (it.property(), on.to_string())).collect(),
        no_echo: false,
    })
}
