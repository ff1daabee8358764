//! `org-backup report`.

mod csv;
mod json;
mod observe;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use plan::id::{Region, RoleName};
use report::{Report, State, page, utc};

use crate::live::Live;
use crate::output::{Output, note};
use crate::{CommandError, Exit};

/// Show what protects every account and Region of the organization, and what is missing
///
/// Reads the organization, its backup policies and the state bucket, and looks into every account
/// with a role that you may assume there. What nobody may look at is told as the last run of
/// `member-accounts` found it. Nothing is changed, and a session in an account may only read.
///
/// Effective policies are merged by this program, once for all accounts that share one; AWS is asked
/// which of them it withholds.
///
/// Exits with 1 when something is missing or not known, and with 2 when the organization cannot be
/// read.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    live: Live,
    /// Write one self-contained page, and print the sum only
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON, with an entry for every account and in it one for every Region
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, with a line for every account and Region
    #[arg(long)]
    csv: bool,
    /// Leave out of the table what is well
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    missing: bool,
    /// The Regions that have to be protected, beside those that the state bucket knows of
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    regions: Vec<Region>,
    /// The role to look around with in every account [default: the one of the last run]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
    /// Look into no account, and tell what the last runs found there
    #[arg(long, conflicts_with = "member_role")]
    no_members: bool,
    /// For how many hours what the last runs found counts
    #[arg(long, value_name = "HOURS", default_value_t = 48)]
    max_age: u64,
    /// In how many accounts to look around at once
    #[arg(long, value_name = "COUNT", default_value_t = 32, hide_default_value = true)]
    concurrency: usize,
}

/// Looks around, and prints what there is.
pub(crate) async fn run(
    arguments: &ReportArguments,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let report = observe::observe(arguments, now).await?;
    if let Some(path) = &arguments.html {
        let unwritable =
            |source| CommandError::Unwritable { file: path.display().to_string(), source };
        fs::write(path, page::page(&report)).map_err(unwritable)?;
        note("note", &format!("the page is in `{}`", path.display()));
    }
    for it in &report.notes {
        note("note", &format!("{}; hint: {}", it.text, it.hint));
    }
    let mut output = Output::new();
    if arguments.json {
        output.json(&json::json(&report))?;
    } else if arguments.csv {
        csv::print(&report, &mut output)?;
    } else {
        for line in sum(&report) {
            output.line(&line)?;
        }
        if arguments.html.is_none() {
            let width = output.width().unwrap_or(WIDTH);
            output.layout(&table::table(&report, arguments.missing, width).to_string())?;
        }
    }
    output.flush()?;
    Ok(if report.is_well() { Exit::Fine } else { Exit::Findings })
}

/// How wide the table is where it is no terminal that it is shown on.
const WIDTH: u16 = 200;

/// The whole in two lines.
fn sum(report: &Report) -> [String; 2] {
    let tally = report.tally();
    let counts = State::ALL.iter().filter_map(|it| Some(format!("{} {it}", tally.get(it)?)));
    let counts: Vec<_> = counts.collect();
    let (accounts, regions) = (report.rows.len(), report.regions.len());
    let counts = if counts.is_empty() { "nothing to judge".to_owned() } else { counts.join(", ") };
    let (id, taken) = (&report.organization.id, utc(report.taken));
    let what = format!("{accounts} accounts × {regions} Regions: {counts}");
    [format!("Backups of {id}, {taken}"), what]
}
