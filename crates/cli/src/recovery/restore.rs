//! `org-backup restore`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use clap::Args;
use plan::id::{AccountId, Region};
use plan::restore_validation::Inspection;
use policy::arn::Arn;
use report::Destination;
use report::recovery::{
    Hindrance, JobCommand, KeptPoint, RestorePlan, RestoreRequest, RestoringCommand, plan,
};
use serde_json::json;

use super::carry::{Carrier, Ending};
use super::reach::{Begun, Reach};
use super::see::Looker;
use super::{Manner, Ways, is_confirmed, not_looked_at, question, told_of_interrupts};
use crate::output::Output;
use crate::{CommandError, Exit};

/// Restore a recovery point, here or in another account or Region
///
/// Shows the resource to create with its role, network and key, and asks for confirmation. A recovery
/// point of another account or Region is copied first. Existing resources are not changed, except one
/// that you name with --overwrite. If you run the command again, it follows the jobs that it started. With
/// --again, it follows those that are at work, and repeats a restore that ended.
///
/// Looks at what was restored, as restore tests do, and reads no data.
///
/// Exits with 1 if it cannot be restored, a job failed or what was restored cannot be used, and with 2
/// if something could not be looked at or followed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup restore RECOVERY-POINT-ARN --account 111122223333 \\
    --region eu-west-1
  org-backup restore RECOVERY-POINT-ARN --name orders-2 \\
    --set DBSubnetGroupName=private --yes")]
pub(crate) struct RestoreArguments {
    /// The ARN of the recovery point, which `org-backup points` shows
    #[arg(value_name = "RECOVERY-POINT-ARN")]
    point: String,
    /// The account to restore in [default: the one of the resource]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountId>,
    /// The Region to restore in [default: the one of the resource]
    #[arg(long, value_name = "REGION")]
    region: Option<Region>,
    /// The vault of the recovery point [default: the command looks for it]
    #[arg(long, value_name = "VAULT-ARN", value_parser = super::vault)]
    from: Option<Destination>,
    /// The name of the new resource, for types with names [default: AWS Backup chooses it]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A setting to change, with a key that AWS documents for the type
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::pair)]
    set: Vec<(String, String)>,
    /// The existing bucket or file system to restore into [default: a new one]
    #[arg(long, value_name = "NAME")]
    overwrite: Option<String>,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    ways: Ways,
}

/// The command whose options hints have.
const BY: JobCommand<'static> = JobCommand::Restoring(RestoringCommand::Restore);

/// Restores a recovery point.
pub(crate) async fn restore(
    arguments: &RestoreArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let begun = Begun::new(&arguments.ways, now).await?;
    let reach = Reach::new(&begun.management, &arguments.ways).await?;
    let mut centrals = vec![];
    let reach = if let Some(vault) = &arguments.from {
        reach.unsure_of(vault)
    } else {
        let copies = begun.central(&[]).await;
        centrals.extend(copies.vaults.iter().map(|it| it.account.clone()));
        reach.with(&copies)
    };
    let now = begun.now();
    let unknown = || CommandError::NoPoint(arguments.point.clone());
    let arn = Arn::parse(&arguments.point).map_err(|_| unknown())?;
    let region: Region = arn.region.parse().map_err(|_| unknown())?;
    let mut regions: BTreeSet<_> = [region.clone()].into();
    regions.extend(arguments.region.clone());
    let looker = Looker::new(&reach, regions, arguments.manner.roles());

    // An image and a snapshot name no account: they are looked for where they may be.
    let mut holders: Vec<AccountId> = arguments.from.iter().map(|it| it.account.clone()).collect();
    if holders.is_empty() {
        holders.extend(arn.account.parse::<AccountId>());
    }
    if holders.is_empty() {
        holders.extend(arguments.account.clone());
        holders.extend(centrals);
        holders.push(reach.account.clone());
    }
    holders.dedup();
    let mut unread = BTreeSet::new();
    let mut point = None;
    for holder in &holders {
        match looker.find(holder, &region, &arguments.point).await {
            Ok(found) => point = found,
            Err(why) => drop(unread.insert(why)),
        }
        if point.is_some() {
            break;
        }
    }
    let Some(point) = point else {
        not_looked_at(&unread);
        return Err(unknown());
    };
    unread.clear();

    let account = arguments.account.clone().or_else(|| point.owner());
    let account = account.unwrap_or_else(|| point.vault.account.clone());
    let own = Arn::parse(&point.resource).ok().and_then(|it| it.region.parse().ok());
    let region = arguments.region.clone().or(own).unwrap_or(region);
    let goal = Destination { account, region, name: arguments.manner.vault.clone() };
    let set = arguments.set.iter().cloned().collect();
    let request = RestoreRequest {
        name: arguments.name.clone(),
        overwrite: arguments.overwrite.clone(),
        ..arguments.manner.request(&reach, &point, goal, set)
    };
    let looker = looker.also(&request.goal.region);
    let outcome = planned(&looker, &point, &request, &mut unread, now).await;
    not_looked_at(&unread);
    let plan = match outcome {
        Ok(plan) => plan,
        Err(hindrances) => return refuse(arguments, &point, &hindrances),
    };
    let mut output = Output::new();
    if arguments.manner.json {
        output.json(&json!({ "plan": plan.json() }))?;
    } else {
        plan.lines().iter().try_for_each(|it| output.line(it))?;
    }
    output.flush()?;
    if !is_confirmed(arguments.manner.yes, &question(1, Some(&plan))) {
        return Ok(Exit::Fine);
    }
    told_of_interrupts(!arguments.manner.again.is_empty());
    let carrier = Carrier { reach: &reach, repeats: true };
    let ending = carrier.carry(&plan).await;
    let look = match &ending {
        Ending::Restored { job, .. } => Some(carrier.look(&plan, job).await),
        Ending::Failed { .. } | Ending::Unfollowed(_) | Ending::Unclear(_) => None,
    };
    if arguments.manner.json {
        let look = look.as_ref().map(Inspection::json);
        let (resource, ending) = (&plan.point.resource, ending.json(BY));
        output.json(&json!({ "resource": resource, "ending": ending, "look": look }))?;
    } else {
        output.line(&format!("{}: {}", plan.point.resource, ending.words(BY)))?;
        if let Some(look) = &look {
            output.line(&format!("  {}", look.words()))?;
            output.line("look whether")?;
            plan.afterwards().iter().try_for_each(|it| output.line(&format!("  {it}")))?;
        }
    }
    output.flush()?;
    Ok(exit(&ending, look.as_ref()))
}

/// The exit of a restore that ended so and, if something was restored, looks so.
fn exit(ending: &Ending, look: Option<&Inspection>) -> Exit {
    match (ending, look) {
        (Ending::Failed { .. }, _) | (_, Some(Inspection::Unusable(_))) => Exit::Findings,
        (Ending::Unfollowed(_) | Ending::Unclear(_), _) | (_, Some(Inspection::Unseen(_))) => {
            Exit::Unfinished
        }
        (Ending::Restored { .. }, Some(Inspection::Good(_) | Inspection::Unproven(_)) | None) => {
            Exit::Fine
        }
    }
}

/// Looks at the way of a recovery point, and plans.
pub(super) async fn planned(
    looker: &Looker<'_, '_>,
    point: &KeptPoint,
    request: &RestoreRequest,
    unread: &mut BTreeSet<String>,
    now: SystemTime,
) -> Result<RestorePlan, Vec<Hindrance>> {
    let mut seen = looker.way(point, request, unread, now).await;
    seen.metadata = match looker.metadata(point).await {
        Ok(metadata) => metadata,
        Err(why) => return Err(vec![Hindrance::NotRead(why)]),
    };
    plan(point, request, &seen, now)
}

/// Says why it is not restored.
fn refuse(
    arguments: &RestoreArguments,
    point: &KeptPoint,
    hindrances: &[Hindrance],
) -> Result<Exit, CommandError> {
    let mut output = Output::new();
    if arguments.manner.json {
        output.json(&json!({ "resource": point.resource, "hindrances": told(hindrances, RestoringCommand::Restore) }))?;
    } else {
        output.line(&format!(
            "{} of {} cannot be restored with these settings:",
            point.arn, point.resource
        ))?;
        let lines = hindrances.iter().map(|it| it.advised(RestoringCommand::Restore));
        lines.into_iter().try_for_each(|it| output.line(&format!("  {it}")))?;
    }
    output.flush()?;
    Ok(Exit::Findings)
}

/// Hindrances for programs, with the hints of a command.
pub(super) fn told(
    hindrances: &[Hindrance],
    by: RestoringCommand<'_>,
) -> Vec<BTreeMap<&'static str, String>> {
    let all = hindrances.iter();
    all.map(|it| [("problem", it.to_string()), ("hint", it.hint(by))].into()).collect()
}
