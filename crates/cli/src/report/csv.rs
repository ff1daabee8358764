//! The report for a spreadsheet.

use report::Report;

use crate::CommandError;
use crate::output::Output;

const COLUMNS: [&str; 14] = [
    "account",
    "name",
    "path",
    "account_state",
    "region",
    "state",
    "plans",
    "vaults",
    "roles",
    "opted_in",
    "opted_out",
    "looked_at",
    "missing",
    "hints",
];

/// Prints one row for each account and Region. Lists are separated by `; `.
pub(super) fn print(report: &Report, output: &mut Output) -> Result<(), CommandError> {
    output.row(COLUMNS)?;
    for row in &report.rows {
        for (region, cell) in report.shown(row) {
            let types = |on: bool| {
                let types = cell.opt_ins.iter().flat_map(|it| if on { &it.on } else { &it.off });
                types.map(ToString::to_string).collect::<Vec<_>>().join("; ")
            };
            let missing = cell.missing.iter();
            let (problems, hints): (Vec<_>, Vec<_>) =
                missing.map(|it| (it.problem.as_str(), it.hint.as_str())).unzip();
            output.row([
                row.account.id.to_string(),
                row.account.name.clone(),
                report.path(row).join("/"),
                row.life.clone(),
                region.to_string(),
                cell.state.key().to_owned(),
                cell.plans.join("; "),
                cell.vault_words().join("; "),
                cell.role_words().join("; "),
                types(true),
                types(false),
                cell.known.words(),
                problems.join("; "),
                hints.join("; "),
            ])?;
        }
    }
    Ok(())
}
