//! The report for a terminal.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets};
use report::{Cell, Report, Row};

/// One line for each account and what its Regions have in common.
pub(super) fn table(report: &Report, missing_only: bool, width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header([
        "Account",
        "In",
        "Regions",
        "State",
        "Plans",
        "Vaults",
        "Role",
        "Opt-ins",
        "Looked at",
        "What is missing",
    ]);
    for row in &report.rows {
        for (cell, regions) in alike(report, row) {
            if missing_only && cell.state.is_fine() {
                continue;
            }
            let missing = cell.missing.iter().map(|it| it.problem.clone());
            table.add_row([
                name(row),
                report.path(row).join("/"),
                regions.join(" "),
                cell.state.to_string(),
                cell.plans.join("\n"),
                cell.vault_words().join("\n"),
                cell.role_words().join("\n"),
                cell.opt_in_words(),
                cell.known.words(),
                missing.collect::<Vec<_>>().join("\n"),
            ]);
        }
    }
    table
}

fn name(row: &Row) -> String {
    let account = &row.account;
    if account.name.is_empty() {
        account.id.to_string()
    } else {
        format!("{}\n{}", account.name, account.id)
    }
}

/// The Regions of an account that are alike, in the order of the first of each.
fn alike<'a>(report: &'a Report, row: &Row) -> Vec<(&'a Cell, Vec<&'a str>)> {
    let mut alike: Vec<(&Cell, Vec<&str>)> = Vec::new();
    let mut known = BTreeMap::new();
    for (region, index) in report.regions.iter().zip(&row.cells) {
        let Some(cell) = report.cells.get(*index) else { continue };
        let place = *known.entry(*index).or_insert_with(|| {
            alike.push((cell, vec![]));
            alike.len() - 1
        });
        if let Some((_, regions)) = alike.get_mut(place) {
            regions.push(region.as_str());
        }
    }
    alike
}
