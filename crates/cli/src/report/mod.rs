//! `org-backup report`.

mod compare;
mod csv;
mod json;
mod observe;
mod table;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use errors::advised;
use plan::id::{AccountId, Region, RoleName, TargetId};
use report::{Counts, NO_REGION, Note, Report, Shortfall, State, counted, page, utc};

use crate::accounts::first_steps;
use crate::live::Live;
use crate::output::{Output, note};
use crate::{CommandError, Exit};

/// Show what protects every account and Region of the organization, and what is missing
///
/// Reads the organization, its backup policies and the state bucket. The backups of resources are
/// those that the last daily sweep found, or with `--live` those of now. With `--live`, with
/// `--member-role`, or if there was no sweep, it looks into every account with a role that you may
/// assume there; otherwise it shows the findings of the last runs of `member-accounts`. The command
/// does not write anything, and a session in an account may only read.
///
/// Effective policies are merged by this program, once for all accounts that share one; AWS is
/// asked which of them it withholds.
///
/// Exits with 1 when something is missing, and with 2 when something could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup report --member-role OrganizationAccountAccessRole --missing
  org-backup report --since 2026-11-20
  org-backup report --ou ou-ab12-workload --in-regions eu-west-1 \\
    --state incomplete,no-plan --csv")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    live: Live,
    /// Write one self-contained page that only you may read, and print the sum only; `-` is
    /// standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON, with an entry for every account and in it one for every Region
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, with a line for every account and Region
    #[arg(long)]
    csv: bool,
    /// Leave rows without a problem out of the table
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    missing: bool,
    /// The accounts to show [default: all of them]
    #[arg(long, value_name = "ACCOUNT,…", value_delimiter = ',')]
    account: Vec<AccountId>,
    /// The OUs whose accounts are shown, with those below them [default: all]
    #[arg(long, value_name = "OU,…", value_delimiter = ',')]
    ou: Vec<TargetId>,
    /// The Regions to show [default: all that policies and options name]
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    in_regions: Vec<Region>,
    /// The states to show; the exit code is about these [default: all]
    #[arg(long = "state", value_name = "STATE,…", value_delimiter = ',', value_parser = states())]
    states: Vec<State>,
    /// The Regions that have to be protected, beside those that the state bucket knows of
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    regions: Vec<Region>,
    /// The role that the command assumes in every account [default: the one of the last run]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
    /// Look into every account now, and at the backups of its resources. Without it, accounts are looked
    /// into only if you name a role or no sweep has looked at backups, and backups are those of the sweep
    #[arg(long = "live", conflicts_with = "no_members")]
    is_live: bool,
    /// Do not look into accounts, and show the findings of the last runs
    #[arg(long, conflicts_with = "member_role")]
    no_members: bool,
    /// Print only the changes between the last sweep of this day or before and the newest sweep
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, conflicts_with_all = COMPARED_WITHOUT)]
    since: Option<String>,
    /// Print the same for the sweep of this name, as in `20261121T040005Z`
    #[arg(long, value_name = "SWEEP", conflicts_with_all = COMPARED_WITHOUT)]
    compare: Option<String>,
    /// The number of hours for which the findings of the last runs count
    #[arg(long, value_name = "HOURS", default_value_t = 48)]
    max_age: u64,
    /// The number of accounts that are looked into at once
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    concurrency: usize,
}

/// The options that have no meaning for a comparison.
const COMPARED_WITHOUT: [&str; 12] = [
    "html",
    "csv",
    "missing",
    "account",
    "ou",
    "in_regions",
    "states",
    "regions",
    "member_role",
    "is_live",
    "no_members",
    "max_age",
];

/// Accepts a date.
fn day(text: &str) -> Result<String, String> {
    let form = time::format_description::well_known::Iso8601::DATE;
    let date = time::Date::parse(text, &form);
    date.map(|it| it.to_string()).map_err(|_| "it is not a date such as 2026-11-21".to_owned())
}

/// Reads a state by its word for programs.
fn states() -> impl TypedValueParser<Value = State> {
    let of = |key: String| State::ALL.iter().copied().find(|it| it.key() == key);
    PossibleValuesParser::new(State::ALL.iter().map(|it| it.key()))
        .map(move |key| of(key).unwrap_or(State::Unknown))
}

/// Reads the organization, and prints the report.
pub(crate) async fn run(
    arguments: &ReportArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    if let Some(moment) = arguments.since.as_ref().or(arguments.compare.as_ref()) {
        return compare::run(arguments, moment).await;
    }
    let report = observe::observe(arguments, now).await?;
    let html = arguments.html.as_deref().map(|path| (path, page::page(&report)));
    let is_piped = html.as_ref().is_some_and(|it| it.0 == Path::new("-"));
    if let Some((path, page)) = html.as_ref().filter(|_| !is_piped) {
        let unwritable =
            |source| CommandError::Unwritable { file: path.display().to_string(), source };
        write_private(path, page).map_err(unwritable)?;
        note("note", &format!("the page is in `{}`", path.display()));
    }
    // The sum has this note too, as the reason why no account is protected.
    let is_text = !arguments.json && !arguments.csv;
    let is_in_sum = |it: &&Note| is_text && it.text == NO_REGION;
    for it in report.notes.iter().filter(|it| !is_in_sum(it)) {
        note("note", &it.advised());
    }
    let mut output = Output::new();
    if let Some((_, page)) = html.filter(|_| is_piped) {
        output.own(&page)?;
    } else if arguments.json {
        output.json(&json::json(&report))?;
    } else if arguments.csv {
        csv::print(&report, &mut output)?;
    } else {
        let mut text = sum(&report);
        // Without a Region there is nothing to judge, and the next steps are the end.
        let has_table = arguments.html.is_none() && !report.regions.is_empty();
        if has_table {
            text.extend(causes(&report));
            text.push(String::new());
        }
        for line in text {
            match output.width() {
                Some(width) => output.layout(&table::wrapped(&line, width))?,
                None => output.line(&line)?,
            }
        }
        if has_table {
            match output.width() {
                Some(width) => {
                    output.layout(&table::table(&report, arguments.missing, width).to_string())?;
                }
                None => table::tabbed(&report, arguments.missing, &mut output)?,
            }
        }
    }
    output.flush()?;
    match report.unread() {
        0 if report.is_well() => Ok(Exit::Fine),
        0 => Ok(Exit::Findings),
        unread => Err(CommandError::Unfinished(unread)),
    }
}

/// Writes a file that only its owner may read, even if the file existed with other permissions. The
/// file contains the names of the accounts and what they lack.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    file.write_all(text.as_bytes())
}

/// Returns the summary in a few lines.
fn sum(report: &Report) -> Vec<String> {
    let accounts = counted(report.rows.len(), "account");
    let (id, taken) = (&report.organization.id, utc(report.taken));
    let are = if report.rows.len() == 1 { "is" } else { "are" };
    let protected = format!("{} of {accounts} {are} protected", report.protected());
    let mut lines = vec![format!("Backups of {id}, {taken}")];
    if report.regions.is_empty() {
        lines.push(format!("{protected}: {NO_REGION}"));
        lines.extend(first_steps());
    } else {
        let regions = counted(report.regions.len(), "Region");
        lines.push(format!("{protected}; {accounts} × {regions}: {}", report.tally_words()));
    }
    if let Some(evidence) = &report.evidence {
        let words = Counts::words(evidence.summary.counts());
        let words = if words.is_empty() { "no resources".to_owned() } else { words };
        lines.push(format!("backups, looked at {}: {words}", utc(evidence.summary.taken)));
    }
    lines
}

/// The commands that show the accounts which are not named.
const SHOW_MORE: &str = "list all with `org-backup report --csv`, or see one with `--account ID`";

/// The number of accounts that are named if several lack the same.
const NAMED: usize = 5;

/// Returns the missing parts, each once, with the accounts and Regions that lack it.
fn causes(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for Shortfall { missing, accounts, regions } in report.shortfalls() {
        let regions: Vec<_> = regions.iter().map(|it| it.as_str()).collect();
        let count = counted(accounts.len(), "account");
        lines.push(String::new());
        lines.push(format!("{count} in {}: {}", regions.join(", "), missing.problem));
        lines.push(format!("  hint: {}", missing.hint));
        let named = accounts.iter().take(NAMED).map(|row| match row.account.name.as_str() {
            "" => row.account.id.to_string(),
            name => format!("{} {name}", row.account.id),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        lines.push(match accounts.len().saturating_sub(NAMED) {
            0 => format!("  {named}"),
            more => advised(format_args!("  {named}, {more} more"), Some(SHOW_MORE)),
        });
    }
    lines
}
