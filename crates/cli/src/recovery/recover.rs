//! `org-backup recover`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use clap::Args;
use errors::advised;
use futures_util::{StreamExt as _, stream};
use plan::id::{AccountId, Region};
use plan::restore_validation::Inspection;
use report::Destination;
use report::recovery::{
    Chosen, Hindrance, JobCommand, KeptPoint, Newest, RestorePlan, RestoringCommand, WaySeen,
    moment, plan,
};
use serde_json::{Value, json};

use super::carry::{Carrier, Ending};
use super::reach::{Begun, Reach};
use super::restore::told;
use super::see::Looker;
use super::{Manner, Ways, is_confirmed, not_looked_at, question, told_of_interrupts};
use crate::output::{Output, note};
use crate::{CommandError, Exit};

/// Restore in another account everything that an account had, from its central copies
///
/// Uses the newest copy of each resource, or the newest one before a given time. Shows the plan for
/// each resource and those that cannot be restored, and asks for confirmation. Restores several
/// resources at once, in the order that their types need. If you run the command again, it follows the
/// jobs that it started. With --again, it repeats what failed or is gone, and nothing that is there.
///
/// Looks at everything that was restored, as restore tests do, and reads no data.
///
/// Exits with 1 if something cannot be restored, a job failed or something that was restored cannot be
/// used, and with 2 if something could not be looked at or followed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup recover --account 111122223333 --into 444455556666
  org-backup recover --account 111122223333 --into 444455556666 \\
    --at 2026-11-21T04:00:00Z --set EC2.SubnetId=subnet-1 \\
    --set 'EC2.SecurityGroupIds=[\"sg-1\"]' --set RDS.DBSubnetGroupName=private")]
pub(crate) struct RecoverArguments {
    /// The account that was lost
    #[arg(long, value_name = "LOST")]
    account: AccountId,
    /// The account to restore in
    #[arg(long, value_name = "NEW")]
    into: AccountId,
    /// The Regions whose copies are restored, each in the same Region [default: all Regions]
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    region: Vec<Region>,
    /// The time before which backups were made, such as 2026-11-21T04:00:00Z, or 2026-11-21 including
    /// that day [default: now]
    #[arg(long, value_name = "TIME", value_parser = at)]
    at: Option<SystemTime>,
    /// The vaults that the copies are in [default: those that the policies of the organization name]
    #[arg(long, value_name = "VAULT-ARN,…", value_delimiter = ',', value_parser = super::vault)]
    from: Vec<Destination>,
    /// A setting to change for all resources of a type
    #[arg(long = "set", value_name = "TYPE.KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String, String)>,
    /// The number of resources that are restored at once
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    concurrency: usize,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    ways: Ways,
}

fn at(text: &str) -> Result<SystemTime, String> {
    moment(text).ok_or_else(|| "write it as 2026-11-21T04:00:00Z".to_owned())
}

/// Reads `TYPE.KEY=VALUE`.
pub(super) fn setting(text: &str) -> Result<(String, String, String), String> {
    let wrong = "write it as TYPE.KEY=VALUE, as in EC2.SubnetId=subnet-1";
    let (kind, rest) = text.split_once('.').ok_or(wrong)?;
    let (key, value) = rest.split_once('=').ok_or(wrong)?;
    Ok((kind.to_owned(), key.to_owned(), value.to_owned()))
}

/// The recovery of a resource.
struct Recovery {
    point: KeptPoint,
    /// The place where it is restored.
    goal: Destination,
    plan: Result<RestorePlan, Vec<Hindrance>>,
    passed_over: Option<(KeptPoint, Hindrance)>,
    ending: Option<Ending>,
    look: Option<Inspection>,
}

impl Recovery {
    /// The command whose options hints have.
    fn by(&self) -> RestoringCommand<'_> {
        RestoringCommand::Recover { point: &self.point.arn, goal: &self.goal }
    }
}

/// Restores everything that an account had.
pub(crate) async fn recover(
    arguments: &RecoverArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let begun = Begun::new(&arguments.ways, now).await?;
    let copies = begun.central(&arguments.from).await;
    let reach = Reach::new(&begun.management, &arguments.ways).await?.with(&copies);
    let now = begun.now();
    let mut vaults = copies.vaults;
    vaults.retain(|it| arguments.region.is_empty() || arguments.region.contains(&it.region));
    if vaults.is_empty() {
        return Err(CommandError::NoCopies);
    }
    let regions: BTreeSet<_> = vaults.iter().map(|it| it.region.clone()).collect();
    let looker = Looker::new(&reach, regions, arguments.manner.roles());
    let mut unread = BTreeSet::new();
    let RecoverArguments { account, into, at, .. } = arguments;
    let mut newest = Newest::new(account.clone(), into.clone(), *at, now);
    let mut unread_vaults = 0;
    for vault in &vaults {
        if let Err(why) = looker.each_point(vault, None, |it| newest.add(it)).await {
            unread_vaults += 1;
            unread.insert(why);
        }
    }
    if newest.unowned() > 0 {
        let count = newest.unowned();
        let unknown = format_args!("recovery points whose account is unknown: {count}");
        let hint = "`org-backup points` shows them, and `org-backup restore` restores one";
        note("note", &advised(unknown, Some(hint)));
    }
    let recoveries =
        recoveries(arguments, &looker, &reach, newest.chosen(), &mut unread, now).await;
    show(arguments, &recoveries, unread_vaults)?;
    not_looked_at(&unread);
    let plans = recoveries.iter().filter(|it| it.plan.is_ok()).count();
    let mut recoveries = recoveries;
    if plans > 0 && is_confirmed(arguments.manner.yes, &question(plans, None)) {
        told_of_interrupts(false);
        carry(arguments, &reach, &mut recoveries).await;
        look(arguments, &reach, &mut recoveries).await;
        tell(arguments, &recoveries)?;
    }
    let is_bad = |it: &Recovery| {
        let is_failed = matches!(it.ending, Some(Ending::Failed { .. }));
        it.plan.is_err() || is_failed || matches!(it.look, Some(Inspection::Unusable(_)))
    };
    let is_unknown = |it: &Recovery| {
        let not_read =
            |all: &Vec<Hindrance>| all.iter().any(|it| matches!(it, Hindrance::NotRead(_)));
        matches!(it.ending, Some(Ending::Unfollowed(_) | Ending::Unclear(_)))
            || matches!(it.look, Some(Inspection::Unseen(_)))
            || it.plan.as_ref().is_err_and(not_read)
    };
    let unknown = recoveries.iter().filter(|it| is_unknown(it)).count() + unread.len();
    match unknown {
        0 if recoveries.iter().any(is_bad) => Ok(Exit::Findings),
        0 => Ok(Exit::Fine),
        count => Err(CommandError::Unfinished(count)),
    }
}

/// Plans what becomes of each resource. Each way is looked at once.
async fn recoveries(
    arguments: &RecoverArguments,
    looker: &Looker<'_, '_>,
    reach: &Reach<'_>,
    chosen: Vec<Chosen>,
    unread: &mut BTreeSet<String>,
    now: SystemTime,
) -> Vec<Recovery> {
    let mut ways = BTreeMap::<Destination, WaySeen>::new();
    for it in &chosen {
        if !ways.contains_key(&it.point.vault) {
            let goal = goal(arguments, &it.point);
            let request = arguments.manner.request(reach, &it.point, goal, BTreeMap::new());
            let seen = looker.way(&it.point, &request, unread, now).await;
            ways.insert(it.point.vault.clone(), seen);
        }
    }
    let ways = &ways;
    let all = chosen.into_iter().map(|Chosen { point, hindrance, passed_over }| async move {
        let plan = match hindrance {
            Some(hindrance) => Err(vec![hindrance]),
            None => planned(arguments, looker, reach, ways, &point, now).await,
        };
        let goal = goal(arguments, &point);
        Recovery { point, goal, plan, passed_over, ending: None, look: None }
    });
    stream::iter(all).buffered(arguments.concurrency.max(1)).collect().await
}

async fn planned(
    arguments: &RecoverArguments,
    looker: &Looker<'_, '_>,
    reach: &Reach<'_>,
    ways: &BTreeMap<Destination, WaySeen>,
    point: &KeptPoint,
    now: SystemTime,
) -> Result<RestorePlan, Vec<Hindrance>> {
    let kind = point.kind();
    let is_meant =
        |it: &&(String, String, String)| kind.is_some_and(|kind| kind.is_meant(&it.0, &it.1));
    let set = arguments.set.iter().filter(is_meant).map(|it| (it.1.clone(), it.2.clone()));
    let goal = goal(arguments, point);
    let request = arguments.manner.request(reach, point, goal, set.collect());
    let mut seen = ways.get(&point.vault).cloned().unwrap_or_default();
    seen.metadata = looker.metadata(point).await.map_err(|why| vec![Hindrance::NotRead(why)])?;
    plan(point, &request, &seen, now)
}

/// Returns the place where a copy is restored: in the Region that it is in.
fn goal(arguments: &RecoverArguments, point: &KeptPoint) -> Destination {
    Destination {
        account: arguments.into.clone(),
        region: point.vault.region.clone(),
        name: arguments.manner.vault.clone(),
    }
}

/// Carries the plans out: one turn after the other, and those of a turn side by side.
async fn carry(arguments: &RecoverArguments, reach: &Reach<'_>, recoveries: &mut [Recovery]) {
    let carrier = &Carrier { reach, repeats: false };
    let turn = |it: &Recovery| it.plan.as_ref().ok().map(|it| it.kind.turn());
    let turns: BTreeSet<_> = recoveries.iter().filter_map(turn).collect();
    for now in turns {
        let of_turn: Vec<_> = recoveries.iter_mut().filter(|it| turn(it) == Some(now)).collect();
        let all = of_turn.into_iter().map(|recovery| {
            Box::pin(async move {
                if let Ok(plan) = &recovery.plan {
                    recovery.ending = Some(carrier.carry(plan).await);
                }
            })
        });
        stream::iter(all).buffer_unordered(arguments.concurrency.max(1)).collect::<()>().await;
    }
}

/// Looks at everything that was restored, when all of it is.
async fn look(arguments: &RecoverArguments, reach: &Reach<'_>, recoveries: &mut [Recovery]) {
    let carrier = &Carrier { reach, repeats: false };
    let all = recoveries.iter_mut().map(|recovery| {
        Box::pin(async move {
            if let (Ok(plan), Some(Ending::Restored { job, .. })) =
                (&recovery.plan, &recovery.ending)
            {
                recovery.look = Some(carrier.look(plan, job).await);
            }
        })
    });
    stream::iter(all).buffer_unordered(arguments.concurrency.max(1)).collect::<()>().await;
}

/// Prints the plan, and from how many vaults nothing is known.
fn show(
    arguments: &RecoverArguments,
    recoveries: &[Recovery],
    unread_vaults: usize,
) -> Result<(), CommandError> {
    if arguments.manner.json {
        // With `--yes` the plan is printed later, together with its results.
        return if arguments.manner.yes { Ok(()) } else { print_json(recoveries) };
    }
    let mut output = Output::new();
    let (account, into) = (&arguments.account, &arguments.into);
    let can = recoveries.iter().filter(|it| it.plan.is_ok()).count();
    let count = recoveries.len();
    output.line(&match unread_vaults {
        0 => {
            format!("{account} had {count} resources with copies; {can} can be restored in {into}")
        }
        unread => format!(
            "{account}: {count} resources with copies were found; {can} can be restored in {into}; \
             vaults that could not be looked at: {unread}"
        ),
    })?;
    for recovery in recoveries {
        output.line("")?;
        match &recovery.plan {
            Ok(plan) => plan.lines().iter().try_for_each(|it| output.line(it))?,
            Err(hindrances) => {
                output.line(&format!("{} cannot be restored:", recovery.point.resource))?;
                for it in hindrances {
                    output.line(&format!("  {}", it.advised(recovery.by())))?;
                }
            }
        }
        if let Some((newer, why)) = &recovery.passed_over {
            output.line(&format!("  note: a newer one is passed over, {}: {why}", newer.arn))?;
        }
    }
    output.flush()
}

/// Prints what came of it.
fn tell(arguments: &RecoverArguments, recoveries: &[Recovery]) -> Result<(), CommandError> {
    if arguments.manner.json {
        return print_json(recoveries);
    }
    let mut output = Output::new();
    let restored = |it: &&Recovery| matches!(it.ending, Some(Ending::Restored { .. }));
    output.line("")?;
    output.line(&format!(
        "restored: {} of {}",
        recoveries.iter().filter(restored).count(),
        recoveries.len()
    ))?;
    let mut looks = BTreeSet::new();
    for recovery in recoveries {
        let words = match (&recovery.ending, &recovery.plan) {
            (Some(ending), Ok(plan)) => {
                if matches!(ending, Ending::Restored { .. }) {
                    looks.extend(plan.afterwards().into_iter().map(|it| (plan.kind.noun(), it)));
                }
                ending.words(JobCommand::Restoring(recovery.by()))
            }
            (_, Err(hindrances)) => {
                let all = hindrances.iter().map(ToString::to_string).collect::<Vec<_>>();
                format!("not restored: {}", all.join("; "))
            }
            (None, Ok(_)) => "not begun".to_owned(),
        };
        output.line(&format!("  {}: {words}", recovery.point.resource))?;
        if let Some(look) = &recovery.look {
            output.line(&format!("    {}", look.words()))?;
        }
    }
    if !looks.is_empty() {
        output.line("look whether")?;
        looks.iter().try_for_each(|(noun, it)| output.line(&format!("  {noun}: {it}")))?;
    }
    output.flush()
}

fn print_json(recoveries: &[Recovery]) -> Result<(), CommandError> {
    let mut output = Output::new();
    for (index, recovery) in recoveries.iter().enumerate() {
        let (plan, hindrances) = match &recovery.plan {
            Ok(plan) => (plan.json(), vec![]),
            Err(hindrances) => (Value::Null, told(hindrances, recovery.by())),
        };
        let passed_over = recovery.passed_over.as_ref();
        output.item(
            index == 0,
            &json!({
                "resource": recovery.point.resource,
                "recoveryPoint": recovery.point.arn,
                "plan": plan,
                "hindrances": hindrances,
                "passedOver": passed_over.map(|it| json!({ "recoveryPoint": it.0.arn, "problem": it.1.to_string() })),
                "ending": recovery.ending.as_ref().map(|it| it.json(JobCommand::Restoring(recovery.by()))),
                "look": recovery.look.as_ref().map(Inspection::json),
            }),
        )?;
    }
    output.items_end(recoveries.is_empty())?;
    output.flush()
}
