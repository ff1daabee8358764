//! The report for a spreadsheet.

use csv::Writer;
use report::Report;

use crate::Failure;

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

/// One line for each account and Region. Lists are separated by `; `.
pub(super) fn csv(report: &Report) -> Result<String, Failure> {
    let mut writer = Writer::from_writer(Vec::new());
    let unwritten = |it: csv::Error| Failure::Output(it.into());
    writer.write_record(COLUMNS).map_err(unwritten)?;
    for row in &report.rows {
        for (region, cell) in report.regions.iter().zip(&row.cells) {
            let Some(cell) = report.cells.get(*cell) else { continue };
            let types = |on: bool| {
                let types = cell.opt_ins.iter().flat_map(|it| if on { &it.on } else { &it.off });
                types.map(ToString::to_string).collect::<Vec<_>>().join("; ")
            };
            let missing = cell.missing.iter();
            let (problems, hints): (Vec<_>, Vec<_>) =
                missing.map(|it| (it.problem.as_str(), it.hint.as_str())).unzip();
            let record = [
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
            ];
            writer.write_record(record.map(harmless)).map_err(unwritten)?;
        }
    }
    let bytes = writer.into_inner().map_err(|it| Failure::Output(it.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps a spreadsheet from taking a name that somebody chose for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}
