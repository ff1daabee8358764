//! `org-backup backup`.

use std::time::SystemTime;

use clap::Args;
use plan::id::{AccountId, Region, RoleArn, RoleName, VaultName, role_name};
use plan::member_accounts::handing;
use policy::arn::Arn;
use report::recovery::{BACKS_UP, JobCommand, JobTrouble, OnDemand, OpenBackup};
use serde_json::json;

use super::carry::{Ending, follow, refused};
use super::reach::{Begun, Reach};
use super::{Ways, is_confirmed, told_of_interrupts};
use crate::coverage;
use crate::output::{Output, note};
use crate::{CommandError, Exit};

/// Back a resource up now
///
/// Uses the vault, the role and the retention of the effective policy of the account, or those that
/// you name. Shows them, asks for confirmation, and follows the job. If the same backup is under way,
/// the command follows that one.
///
/// Exits with 1 if the job failed or another backup of the resource is under way, and with 2 if it could not be followed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup backup arn:aws:rds:eu-west-1:111122223333:db:orders
  org-backup backup arn:aws:s3:::reports --account 111122223333 \\
    --region eu-west-1 --vault org-backup --role org-backup --keep-days 7 --yes")]
pub(crate) struct BackupArguments {
    /// The ARN of the resource
    #[arg(value_name = "RESOURCE-ARN")]
    resource: String,
    /// The account of the resource, if its ARN does not name one
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountId>,
    /// The Region of the resource, if its ARN does not name one
    #[arg(long, value_name = "REGION")]
    region: Option<Region>,
    /// The vault to back up into [default: the one of the policy; org-backup with --role]
    #[arg(long, value_name = "NAME")]
    vault: Option<VaultName>,
    /// The role that AWS Backup makes the backup with [default: the one of the policy; org-backup with
    /// --vault]
    #[arg(long, value_name = "NAME")]
    role: Option<RoleName>,
    /// The number of days after which the backup is deleted [default: as the policy says; never with
    /// --vault or --role]
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<i64>,
    #[command(flatten)]
    ways: Ways,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The default name of a vault and of a role where one of them is named.
const USUAL: &str = "org-backup";

/// Backs a resource up.
pub(crate) async fn backup(
    arguments: &BackupArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let resource = &arguments.resource;
    let arn = Arn::parse(resource).map_err(|_| CommandError::NoResource(resource.clone()))?;
    let account = arn.account.parse().ok().or_else(|| arguments.account.clone());
    let account = account.ok_or_else(|| CommandError::NoAccount(resource.clone()))?;
    let region = arn.region.parse().ok().or_else(|| arguments.region.clone());
    let region = region.ok_or_else(|| CommandError::NoRegionOf(resource.clone()))?;
    let begun = Begun::new(&arguments.ways, now).await?;
    let reach = Reach::new(&begun.management, &arguments.ways).await?;
    let BackupArguments { vault, role, .. } = arguments;
    let machine = now;
    let now = begun.now();
    let mut wanted = if vault.is_some() || role.is_some() {
        let role = role.clone().or_else(|| USUAL.parse().ok());
        let vault = vault.clone().or_else(|| USUAL.parse().ok());
        let (Some(role), Some(vault)) = (role, vault) else { unreachable!("it names both") };
        OnDemand {
            resource: resource.clone(),
            region: region.clone(),
            vault,
            role: RoleArn::of(&reach.partition, &account, &role),
            keep_days: None,
            by: "what was named".to_owned(),
        }
    } else {
        let looks = coverage::Looks::of_resource(
            arguments.ways.live(),
            account.clone(),
            region.clone(),
            arguments.ways.member_role(),
        );
        let (found, told) = coverage::on_demand(begun.by(), &looks, resource, machine).await?;
        found.ok_or(CommandError::NotSelected { resource: resource.clone(), told })?
    };
    if arguments.keep_days.is_some() {
        wanted.keep_days = arguments.keep_days;
    }
    let mut output = Output::new();
    if arguments.json {
        output.json(&json!({ "plan": wanted.json() }))?;
    } else {
        wanted.lines().iter().try_for_each(|it| output.line(it))?;
    }
    output.flush()?;
    if !is_confirmed(arguments.yes, "AWS Backup makes a backup.") {
        return Ok(Exit::Fine);
    }
    told_of_interrupts(false);
    let ending = match make(&reach, &account, &wanted, now).await {
        Ok(ending) | Err(ending) => ending,
    };
    if arguments.json {
        output.json(&json!({ "resource": resource, "ending": ending.json(JobCommand::Backup) }))?;
    } else {
        let words = match &ending {
            Ending::Restored { made, job } => {
                let made = made.as_deref().unwrap_or("a recovery point that AWS does not name");
                format!("backed up as {made} by the job {job}")
            }
            other @ (Ending::Failed { .. } | Ending::Unfollowed(_) | Ending::Unclear(_)) => {
                other.words(JobCommand::Backup).replacen("restored", "backed up", 1)
            }
        };
        output.line(&format!("{resource}: {words}"))?;
    }
    output.flush()?;
    Ok(match ending {
        Ending::Restored { .. } => Exit::Fine,
        Ending::Failed { .. } => Exit::Findings,
        Ending::Unfollowed(_) | Ending::Unclear(_) => Exit::Unfinished,
    })
}

/// Begins the backup or joins the one that is under way, and follows it.
async fn make(
    reach: &Reach<'_>,
    account: &AccountId,
    wanted: &OnDemand,
    now: SystemTime,
) -> Result<Ending, Ending> {
    let role = role_name(wanted.role.as_str());
    let regions = [wanted.region.clone()].into();
    let policy = handing(&BACKS_UP, &regions, role.iter(), &reach.partition, account);
    let enter = async || reach.enter(account, &policy).await.map_err(Ending::Unfollowed);
    let unread = |it: aws::Error| Ending::Unfollowed(it.problem());
    let open = enter().await?.open_backup(wanted).await.map_err(unread)?;
    let job = if let Some(open) = open {
        if !wanted.is_made_by(&open) {
            let OpenBackup { id, vault, keep_days } = open;
            let vault = vault.unwrap_or_else(|| wanted.vault.to_string());
            let kept = keep_days.map(|it| format!(", kept for {it} days")).unwrap_or_default();
            return Err(Ending::Failed {
                what: "another backup of it is under way".to_owned(),
                why: format!("the backup job {id} backs it up into the vault `{vault}`{kept}"),
                trouble: JobTrouble::Busy,
            });
        }
        note("progress", &format!("{}: joins the backup job {}", wanted.resource, open.id));
        open.id
    } else {
        let moment = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let started = enter().await?.start_backup(wanted, wanted.token(moment)).await;
        started.map_err(|it| refused(&it))?
    };
    let look = async || Ok(enter().await?.backup_job(&wanted.region, &job).await);
    let made = follow(&format!("{}: backup job {job}", wanted.resource), look).await?;
    Ok(Ending::Restored { job, made })
}
