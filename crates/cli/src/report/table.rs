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
            table.add_row([
                lines(name(row)),
                lines([report.path(row).join("/")]),
                lines([regions.join(" ")]),
                lines([cell.state.to_string()]),
                lines(&cell.plans),
                lines(cell.vault_words()),
                lines(cell.role_words()),
                lines([cell.opt_in_words()]),
                lines([cell.known.words()]),
                lines(cell.missing.iter().map(|it| &it.problem)),
            ]);
        }
    }
    table
}

/// What stands in one cell, a line each, so that it is known how wide it is.
fn lines<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let lines = lines.into_iter().map(|it| media::line(it.as_ref()).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn name(row: &Row) -> Vec<&str> {
    let names = [row.account.name.as_str(), row.account.id.as_str()];
    names.into_iter().filter(|it| !it.is_empty()).collect()
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
