//! The report for a spreadsheet.

use report::coverage::StateGroup;
use report::{Counts, Report, utc};

use crate::CommandError;
use crate::output::Output;

const COLUMNS: [&str; 23] = [
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
    "backups_looked_at",
    "resources",
    "fresh",
    "late",
    "not_covered",
    "not_known",
    "copies_late",
    "restore_test",
    "next_run",
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
            let backups = report.backups(row, region);
            let looked = report.evidence.as_ref().map(|it| utc(it.summary.taken));
            let count = |of: fn(&Counts) -> usize| backups.map(|it| of(it).to_string());
            let test = backups.and_then(|it| it.last_test.as_ref()).map(|it| {
                format!("{} {}", utc(it.at), it.result.as_deref().unwrap_or("is running"))
            });
            let next = backups.and_then(|it| it.next).map(utc);
            output.row([
                row.account.id.to_string(),
                row.account.name.clone(),
                report.path(row).join("/"),
                row.life.to_string(),
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
                looked.unwrap_or_default(),
                count(Counts::resources).unwrap_or_default(),
                count(|it| it.count(StateGroup::Fresh)).unwrap_or_default(),
                count(|it| it.count(StateGroup::Late)).unwrap_or_default(),
                count(|it| it.count(StateGroup::NotCovered)).unwrap_or_default(),
                count(|it| it.count(StateGroup::NotKnown)).unwrap_or_default(),
                count(|it| it.copies_late).unwrap_or_default(),
                test.unwrap_or_default(),
                next.unwrap_or_default(),
            ])?;
        }
    }
    Ok(())
}
