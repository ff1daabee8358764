//! `org-backup points`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use plan::id::{AccountId, Region};
use policy::arn::Arn;
use report::recovery::{COLUMNS, KeptPoint, Proofs, fields, json, shown};
use report::{Destination, Lock};

use super::reach::{Begun, Reach};
use super::see::Looker;
use super::{Ways, not_looked_at};
use crate::output::Output;
use crate::{CommandError, Exit};

/// Show recovery points and copies: how old, in which vault, kept until when, restorable where, and when a
/// restore test last proved one
///
/// Reads the vaults of the accounts, and the vaults that receive their copies. The command does not
/// write anything.
///
/// Exits with 1 if the named resource has nothing to restore, and with 2 if something could not be
/// looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup points arn:aws:rds:eu-west-1:111122223333:db:orders
  org-backup points --account 111122223333 --region eu-west-1 --format csv")]
pub(crate) struct PointsArguments {
    /// The ARN of a resource
    #[arg(value_name = "RESOURCE-ARN", required_unless_present = "account")]
    resource: Option<String>,
    /// The accounts whose recovery points and copies are shown [default: the one of the resource]
    #[arg(long, value_name = "ACCOUNT,…", value_delimiter = ',')]
    account: Vec<AccountId>,
    /// The Regions to look at, beside those that policies and templates name
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    region: Vec<Region>,
    /// The vaults that copies are in [default: those that the policies of the organization name]
    #[arg(long, value_name = "VAULT-ARN,…", value_delimiter = ',', value_parser = super::vault)]
    from: Vec<Destination>,
    #[command(flatten)]
    ways: Ways,
    /// The form in which recovery points are printed
    #[arg(long, value_enum, default_value_t = PointFormat::Text, conflicts_with = "json")]
    format: PointFormat,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

/// The format in which recovery points are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PointFormat {
    /// A line for each recovery point, below its resource
    Text,
    /// A JSON array with an object for each recovery point
    Json,
    /// CSV with a line for each recovery point
    Csv,
}

/// Shows recovery points.
pub(crate) async fn points(
    arguments: &PointsArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let begun = Begun::new(&arguments.ways, now).await?;
    let copies = begun.central(&arguments.from).await;
    let reach = Reach::new(&begun.management, &arguments.ways).await?.with(&copies);
    let now = begun.now();
    let resource = arguments.resource.as_deref();
    let arn = resource.and_then(|it| Arn::parse(it).ok());
    if let (Some(resource), None) = (resource, arn) {
        return Err(CommandError::NoResource(resource.to_owned()));
    }
    let mut accounts: BTreeSet<_> = arguments.account.iter().cloned().collect();
    accounts.extend(arn.and_then(|it| it.account.parse().ok()));
    if accounts.is_empty() {
        return Err(CommandError::NoAccount(resource.unwrap_or_default().to_owned()));
    }
    let mut regions: BTreeSet<_> = arguments.region.iter().cloned().collect();
    regions.extend(arn.and_then(|it| it.region.parse().ok()));
    regions.extend(copies.regions);
    if regions.is_empty() {
        regions.extend(begun.session.region().parse().ok());
    }
    let looked_at: BTreeSet<_> = copies.vaults.iter().map(|it| it.region.clone()).collect();
    let looker = Looker::new(&reach, &regions | &looked_at, BTreeSet::new());
    let (mut found, mut unread) = (BTreeMap::<String, Vec<_>>::new(), BTreeSet::new());
    let mut vaults: BTreeMap<Destination, Option<Lock>> = BTreeMap::new();
    let holders = copies.vaults.iter().map(|it| (it.account.clone(), it.region.clone()));
    let own = accounts.iter().flat_map(|it| regions.iter().map(|to| (it.clone(), to.clone())));
    let mut proofs = Proofs::default();
    for (account, region) in own.chain(holders).collect::<BTreeSet<_>>() {
        looker.prove(&account, &region, now, &mut proofs).await;
        match looker.vaults(&account, &region).await {
            Err(why) => drop(unread.insert(why)),
            Ok(held) => {
                vaults.extend(held.into_iter().filter(|it| !it.is_empty).filter_map(|it| {
                    let vault = Destination::parse(&it.arn, &account)?;
                    let is_looked_at =
                        accounts.contains(&account) || copies.vaults.contains(&vault);
                    is_looked_at.then_some((vault, it.vault.lock))
                }));
            }
        }
    }
    for (vault, lock) in &vaults {
        let is_own = accounts.contains(&vault.account);
        let each = |point: KeptPoint| {
            // The ARN of a bucket names no account: a copy of it may be anybody's.
            let is_asked = is_own || point.owner().is_none_or(|it| accounts.contains(&it));
            if is_asked {
                let points = found.entry(point.resource.clone()).or_default();
                points.push((point, lock.clone()));
            }
        };
        unread.extend(looker.each_point(vault, resource, each).await.err());
    }
    for points in found.values_mut() {
        points.sort_by_key(|it| std::cmp::Reverse(it.0.created));
    }
    print(arguments, &found, &proofs, unread.len(), now)?;
    not_looked_at(&unread);
    let mut all = found.values().flatten();
    let is_restorable = all.any(|it| it.0.unusable(now).is_none());
    match unread.len() {
        0 if is_restorable || resource.is_none() => Ok(Exit::Fine),
        0 => Ok(Exit::Findings),
        count => Err(CommandError::Unfinished(count)),
    }
}

type Listed = BTreeMap<String, Vec<(KeptPoint, Option<Lock>)>>;

fn print(
    arguments: &PointsArguments,
    found: &Listed,
    proofs: &Proofs,
    unread: usize,
    now: SystemTime,
) -> Result<(), CommandError> {
    let mut output = Output::new();
    let all = || found.values().flatten();
    match if arguments.json { PointFormat::Json } else { arguments.format } {
        PointFormat::Text => {
            for (resource, points) in found {
                output.line(resource)?;
                if let Some((point, _)) = points.first() {
                    output.line(&format!("  {}", proofs.words(point)))?;
                }
                for (point, lock) in points {
                    output.line(&format!("  {}", shown(point, lock.as_ref(), now)))?;
                }
            }
            match (found.is_empty(), unread) {
                (true, 0) => output.line("there is no recovery point")?,
                (true, _) => output.line("no recovery point was found")?,
                (false, _) => {}
            }
            if unread > 0 {
                let line = format!("accounts and vaults that could not be looked at: {unread}");
                output.line(&line)?;
            }
        }
        PointFormat::Json => {
            for (index, (point, lock)) in all().enumerate() {
                output.item(index == 0, &json(point, lock.as_ref(), proofs, now))?;
            }
            output.items_end(found.is_empty())?;
        }
        PointFormat::Csv => {
            output.row(COLUMNS)?;
            for (point, lock) in all() {
                output.row(fields(point, lock.as_ref(), proofs, now))?;
            }
        }
    }
    output.flush()
}
