//! `org-backup coverage` and `org-backup explain`.

mod first_seen;
mod print;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ::coverage::{CALLS_IN_REGION, Destinations, Entrance, Surveyor, Terms};
use aws::{Clock, Session};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use futures_util::{StreamExt as _, stream};
use members::MemberAccess;
use plan::id::{AccountId, Region, RoleName, TargetId};
use plan::member_accounts::{NAME_A_ROLE, TagFilter};
use policy::arn::Arn;
use report::Note;
use report::coverage::{CopyState, Coverage, Judge, Resource, State};
use report::recovery::OnDemand;
use tokio::time::Instant;

use self::first_seen::Inventory;
use self::print::Printer;
use crate::accounts::{Known, chosen, tell_cost};
use crate::live::{Live, PATIENCE};
use crate::output::{Output, note};
use crate::{CommandError, Exit};

/// Show the backups and copies of every resource, and the resources that have none
///
/// Assumes a role in every account, and reads the vaults, recovery points, jobs and restore tests of
/// AWS Backup. Resources come from their tags, and from AWS Resource Explorer if the management
/// account has a default view. The command does not write anything.
///
/// Exits with 1 if a backup or a copy is late or missing or a resource is not covered, and with 2 if
/// something could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CoverageArguments {
    #[command(flatten)]
    looks: Looks,
    /// The OUs whose accounts are looked at, with those below them [default: all]
    #[arg(long, value_name = "OU,…", value_delimiter = ',')]
    ou: Vec<TargetId>,
    /// Types of resources, with the names of AWS Backup, such as EBS or "SAP HANA on Amazon EC2"
    /// [default: all types]
    #[arg(long = "type", value_name = "TYPE,…", value_delimiter = ',')]
    types: Vec<String>,
    /// Tags that resources have: a key, or KEY=VALUE [default: all]
    #[arg(long = "tag", value_name = "KEY[=VALUE]")]
    tags: Vec<TagFilter>,
    /// States to show; the exit code is about these [default: all]
    #[arg(
        long = "state",
        value_name = "STATE,…",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(State::ALL.map(|it| it.key()))
    )]
    states: Vec<String>,
    /// The form in which resources are printed
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  org-backup coverage --state-bucket BUCKET \\
    --member-role OrganizationAccountAccessRole
  org-backup coverage --account 111122223333 --state late,not-selected \\
    --format csv";

/// Show the whole chain for one resource: policies, selection, schedule, jobs, recovery points, copies
///
/// Exits with 1 if a backup or a copy is late or missing or the resource is not covered, and with 2
/// if something could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup explain arn:aws:rds:eu-west-1:111122223333:db:orders
  org-backup explain arn:aws:s3:::reports --account 111122223333 \\
    --regions eu-west-1")]
pub(crate) struct ExplainArguments {
    /// The ARN of the resource
    #[arg(value_name = "RESOURCE-ARN")]
    resource: String,
    #[command(flatten)]
    looks: Looks,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The accounts and Regions that are looked at, and the way into them.
#[derive(Clone, Debug, Args)]
pub(crate) struct Looks {
    #[command(flatten)]
    live: Live,
    /// The accounts to look at [default: all of them]
    #[arg(long, value_name = "ACCOUNT,…", value_delimiter = ',')]
    account: Vec<AccountId>,
    /// The Regions to look at, beside those that policies and templates name
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    regions: Vec<Region>,
    /// The role that the command assumes in every account [default: the one of the last run]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
    /// The number of accounts that are read at once
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    concurrency: usize,
    /// Remember in this file when each resource was first seen, so that a resource without a backup
    /// counts as late and not as new
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
}

impl Looks {
    /// A look at one account in one Region, with this role.
    pub(crate) fn of_resource(
        live: Live,
        account: AccountId,
        region: Region,
        member_role: RoleName,
    ) -> Self {
        Self {
            live,
            account: vec![account],
            regions: vec![region],
            member_role: Some(member_role),
            concurrency: 1,
            inventory: None,
        }
    }
}

/// The format in which resources are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The causes, each with the first of its resources
    Text,
    /// A JSON array with an object for each resource
    Json,
    /// CSV with a line for each resource
    Csv,
    /// A workflow command for each cause of a resource, of which GitHub makes an annotation
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// SARIF 2.1.0
    Sarif,
    /// A test report of `JUnit`, with a suite for each account and a test for each resource
    Junit,
}

/// The resources that are shown.
#[derive(Debug, Default)]
struct Filter {
    types: Vec<String>,
    tags: Vec<TagFilter>,
    states: Vec<String>,
    resource: Option<String>,
    /// True if copies do not matter, so that nobody looks at the vaults that they go to.
    skips_copies: bool,
}

impl Filter {
    fn takes(&self, resource: &Resource, coverage: &Coverage) -> bool {
        let is_one = |it: &String| coverage.kind.is_some_and(|kind| kind.name == it);
        let has = |it: &TagFilter| resource.tags.as_ref().is_some_and(|tags| it.fits(tags));
        self.resource.as_ref().is_none_or(|it| *it == resource.arn)
            && (self.types.is_empty() || self.types.iter().any(is_one))
            && self.tags.iter().all(has)
            && (self.states.is_empty() || self.states.iter().any(|it| it == coverage.state.key()))
    }
}

/// Judges every resource, and prints the result.
pub(crate) async fn run(
    arguments: &CoverageArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let filter = Filter {
        types: arguments.types.clone(),
        tags: arguments.tags.clone(),
        states: arguments.states.clone(),
        ..Filter::default()
    };
    let format = if arguments.json { Format::Json } else { arguments.format };
    let mut printer = Printer::new(format);
    let each = &mut |it: Judged<'_>| printer.resource(&it);
    let clock = Clock::default();
    let session = arguments.looks.live.session_by(&clock).await?;
    let (looks, units) = (&arguments.looks, &arguments.ou);
    let outcome = look((&session, &clock), looks, units, &filter, now, each).await?;
    printer.end(&outcome)?;
    outcome.exit()
}

/// Prints everything that is known of one resource.
pub(crate) async fn explain(
    arguments: &ExplainArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let resource = &arguments.resource;
    let unknown = || CommandError::NoResource(resource.clone());
    let arn = Arn::parse(resource).map_err(|_| unknown())?;
    let mut looks = arguments.looks.clone();
    match arn.account.parse() {
        Ok(account) => looks.account = vec![account],
        Err(_) if looks.account.is_empty() => {
            return Err(CommandError::NoAccount(resource.clone()));
        }
        Err(_) => {}
    }
    looks.regions.extend(arn.region.parse());
    let filter = Filter { resource: Some(resource.clone()), ..Filter::default() };
    let mut output = Output::new();
    let each = &mut |it: Judged<'_>| {
        if arguments.json {
            return output.json(&it.judge.json(it.resource, it.coverage));
        }
        it.judge.chain(it.resource, it.coverage).iter().try_for_each(|it| output.line(it))
    };
    let clock = Clock::default();
    let session = looks.live.session_by(&clock).await?;
    let outcome = look((&session, &clock), &looks, &[], &filter, now, each).await?;
    output.flush()?;
    outcome.tell();
    if outcome.resources == 0 && outcome.unread.is_empty() && outcome.barred.is_empty() {
        return Err(unknown());
    }
    outcome.exit()
}

/// Returns the backup that the effective plan of its account gives a resource, or what keeps that from
/// being known. The session and its clock are those of the command.
pub(crate) async fn on_demand(
    by: (&Session, &Clock),
    looks: &Looks,
    resource: &str,
    now: SystemTime,
) -> Result<(Option<OnDemand>, Vec<String>), CommandError> {
    let resource_only = Some(resource.to_owned());
    let filter = Filter { resource: resource_only, skips_copies: true, ..Filter::default() };
    let mut found = None;
    let mut told = Vec::new();
    let each = &mut |it: Judged<'_>| {
        found = OnDemand::of(resource, it.judge, it.coverage);
        told = it.judge.causes(it.coverage).into_iter().map(|it| it.words).collect();
        Ok(())
    };
    let outcome = look(by, looks, &[], &filter, now, each).await?;
    outcome.tell();
    told.extend(outcome.not_looked_at());
    Ok((found, told))
}

/// A resource that was judged.
struct Judged<'a> {
    resource: &'a Resource,
    coverage: &'a Coverage,
    judge: &'a Judge<'a>,
}

/// The summary of a run.
#[derive(Debug, Default)]
struct Summary {
    organization: String,
    /// The time of the run, by AWS's clock.
    taken: Option<SystemTime>,
    accounts: usize,
    regions: usize,
    /// The number of resources that were shown.
    resources: usize,
    /// The number of these resources that need action.
    bad: usize,
    /// The number of these resources whose own state or the state of a copy is unknown.
    unknown: usize,
    /// The parts that could not be read, each named once.
    unread: Vec<String>,
    /// The accounts that could not be entered, by the reason without the ID of the account: the first
    /// one, the reason in it, and the number of accounts.
    barred: BTreeMap<String, (AccountId, String, usize)>,
    notes: Vec<Note>,
}

impl Summary {
    fn add(&mut self, coverage: &Coverage) {
        let mut copies = coverage.owed.iter().flat_map(|it| &it.copies);
        let is_unknown = matches!(coverage.state, State::NotKnown(_))
            || copies.any(|it| matches!(it.state, CopyState::NotKnown(_)));
        self.resources += 1;
        self.unknown += usize::from(is_unknown);
        self.bad += usize::from(!coverage.is_fine());
    }

    /// Prints on standard error the notes that do not belong to one resource.
    fn tell(&self) {
        for it in &self.notes {
            note("note", &it.advised());
        }
        for it in self.not_looked_at() {
            note("not looked at", &it);
        }
    }

    /// Adds an account that could not be entered.
    fn bar(&mut self, account: AccountId, why: &str) {
        let cause = why.replace(account.as_str(), "");
        self.barred.entry(cause).or_insert_with(|| (account, why.to_owned(), 0)).2 += 1;
    }

    /// Names the accounts that could not be entered, once for each reason, and the parts that could
    /// not be read.
    fn not_looked_at(&self) -> Vec<String> {
        let barred = self.barred.values();
        let barred = barred
            .map(|(first, why, count)| format!("{}: {why}", report::not_entered(first, *count)));
        barred.chain(self.unread.iter().cloned()).collect()
    }

    fn exit(self) -> Result<Exit, CommandError> {
        let unread = self.notes.iter().filter(|it| it.is_unread).count();
        let barred: usize = self.barred.values().map(|it| it.2).sum();
        match unread + barred + self.unread.len() + self.unknown {
            // Where no Region is to be protected, nothing is.
            0 if self.bad == 0 && self.regions > 0 => Ok(Exit::Fine),
            0 => Ok(Exit::Findings),
            count => Err(CommandError::Unfinished(count)),
        }
    }
}

/// Looks into every account, and hands `each` the resources that `filter` accepts. They come
/// account by account in AWS's order, so that no more than a few accounts are in memory at once.
async fn look(
    (session, clock): (&Session, &Clock),
    looks: &Looks,
    units: &[TargetId],
    filter: &Filter,
    now: SystemTime,
    each: &mut impl FnMut(Judged<'_>) -> Result<(), CommandError>,
) -> Result<Summary, CommandError> {
    let deadline = Instant::now() + PATIENCE;
    let management = session.management(None, deadline).await?;
    let known = Known::read(session, &management, &looks.regions, deadline, now).await?;
    // Every account is looked into now, so the findings of the last runs are not missed.
    let without_state = known.without_state(false);
    let Known { organization, outline, remembered, mut notes, .. } = known;
    notes.extend(without_state);
    let machine = now;
    let entrance = Entrance {
        access: MemberAccess::new(&management),
        organization: &organization,
        wanted: &remembered.wanted,
        named: looks.member_role.as_ref(),
    };
    let mut inventory = Inventory::read(looks.inventory.as_deref())?;
    let mut chosen = chosen(&organization, &looks.account, units)?;
    // Accounts that are not active make no backups.
    chosen.retain(|it| organization.accounts.get(*it).is_some_and(|it| it.listed.is_active()));
    let mut outcome = Summary {
        organization: organization.id.clone(),
        accounts: chosen.len(),
        regions: outline.regions.len(),
        notes,
        ..Summary::default()
    };
    let accounts = chosen.iter().filter_map(|it| organization.accounts.get(*it));
    let accounts = accounts.map(|it| it.listed.account.id.clone()).collect();
    let terms = Terms { resource: filter.resource.as_deref(), hint: NAME_A_ROLE };
    let calls = outcome.regions * CALLS_IN_REGION;
    tell_cost(outcome.accounts, calls, looks.concurrency);
    let destinations = if filter.skips_copies {
        Destinations::default()
    } else {
        Destinations::read(&entrance, &outline, terms, &accounts).await
    };
    let now = clock.now(machine);
    let surveyor = Surveyor::new(&management, &entrance, &outline, terms, destinations, now).await;
    let surveyor = surveyor.with_first_seen(inventory.seen());
    let (surveyor, note_of_view) = surveyor.with_view(session.region().parse().ok()).await;
    outcome.unread.extend_from_slice(surveyor.unread());
    outcome.notes.extend(note_of_view);
    let now = clock.now(machine);
    outcome.taken = Some(now);
    // Each survey is boxed, so that the futures that wait for their turn stay small.
    let surveys = chosen.iter().map(|it| Box::pin(surveyor.survey(*it)));
    let mut surveys = stream::iter(surveys).buffered(looks.concurrency.max(1));
    let (mut done, mut unnamed) = (0, 0);
    while let Some(survey) = surveys.next().await {
        unnamed += survey.unnamed();
        surveyor.judge(&survey, now, |judge, resource, coverage| {
            inventory.note(resource, now);
            if !filter.takes(resource, coverage) {
                return Ok(());
            }
            outcome.add(coverage);
            each(Judged { resource, coverage, judge })
        })?;
        outcome.unread.extend(survey.unread_besides().cloned());
        if let Some(barred) = survey.barred {
            outcome.bar(barred.account, &barred.why);
        }
        done += 1;
        if done % STRIDE == 0 {
            note("note", &format!("looked into {done} of {} accounts", chosen.len()));
        }
    }
    if unnamed > 0 {
        outcome.notes.push(Note {
            text: format!(
                "resources that have recovery points and that no inventory names: {unnamed}. They \
                 were deleted, or have no tags"
            ),
            hint: "see their recovery points in the console of AWS Backup".to_owned(),
            is_unread: false,
        });
    }
    let off = now.duration_since(machine).unwrap_or_else(|it| it.duration());
    if off > SKEW {
        outcome.notes.push(Note {
            text: format!(
                "the clock of this machine and that of AWS differ by {} s",
                off.as_secs()
            ),
            hint: "set it; backups were judged by AWS's clock".to_owned(),
            is_unread: false,
        });
    }
    inventory.write()?;
    Ok(outcome)
}

/// The maximum difference between the clock of the machine and AWS's clock. A larger one is
/// reported.
const SKEW: Duration = Duration::from_mins(5);

/// The number of accounts between two messages of progress.
const STRIDE: usize = 100;
