//! The rows of the report: a table for a terminal, and lines with tabs for a pipe.

use std::collections::BTreeMap;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use plan::id::Region;
use report::{Cell, Counts, Report, Row};

use crate::CommandError;
use crate::output::Output;

/// The Regions of an account that have the same cell.
struct Alike<'a> {
    report: &'a Report,
    row: &'a Row,
    regions: Vec<&'a Region>,
    cell: &'a Cell,
}

/// A column with its title, its content, and its rank for a narrow terminal. The column with the
/// highest rank goes first, and columns with rank 0 stay.
struct Column {
    title: &'static str,
    of: fn(&Alike<'_>) -> Vec<String>,
    goes: u8,
}

const COLUMNS: [Column; 12] = [
    Column { title: "Account", of: |it| vec![it.row.account.id.to_string()], goes: 0 },
    Column { title: "Name", of: |it| vec![it.row.account.name.clone()], goes: 3 },
    Column { title: "In", of: |it| vec![it.report.path(it.row).join("/")], goes: 6 },
    Column { title: "Regions", of: |it| it.region_words(), goes: 0 },
    Column { title: "State", of: |it| vec![it.cell.state.to_string()], goes: 0 },
    Column { title: "Backups", of: |it| vec![it.backups()], goes: 1 },
    Column { title: "Plans", of: |it| it.cell.plans.clone(), goes: 4 },
    Column { title: "Vaults", of: |it| it.cell.vault_words(), goes: 7 },
    Column { title: "Role", of: |it| it.cell.role_words(), goes: 8 },
    Column { title: "Opt-ins", of: |it| vec![it.cell.opt_in_words()], goes: 9 },
    Column { title: "Looked at", of: |it| vec![it.cell.known.words()], goes: 5 },
    Column {
        title: "What is missing",
        of: |it| it.cell.missing.iter().map(|it| it.problem.clone()).collect(),
        goes: 2,
    },
];

/// The maximum number of characters that a column gets. Longer texts are printed in full before the
/// table, and in the other formats.
const WIDEST: usize = 36;

/// The maximum number of Regions that are named.
const REGIONS: usize = 2;

impl Alike<'_> {
    /// Returns the backups of the resources there, as the last sweep found them.
    fn backups(&self) -> String {
        let regions = self.regions.iter();
        Counts::words(regions.filter_map(|it| self.report.backups(self.row, it)))
    }

    /// Returns the Regions, or their number if there are many.
    fn region_words(&self) -> Vec<String> {
        let (named, all) = (self.regions.len(), self.report.regions.len());
        vec![match named {
            0..=REGIONS => self.regions.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" "),
            _ if named == all => format!("all {all}"),
            _ => format!("{named} of {all}"),
        }]
    }
}

/// Returns a table no wider than the terminal, with one line for each account and the Regions that
/// have the same cell.
///
/// IDs are not broken. Columns without content are left out. On a narrow terminal, other columns
/// are left out too, the least important ones first.
pub(super) fn table(report: &Report, missing_only: bool, width: u16) -> Table {
    let rows = rows(report, missing_only);
    let mut shown: Vec<_> = COLUMNS.iter().map(|it| (it, cells(&rows, it))).collect();
    shown.retain(|it| it.0.goes == 0 || it.1.iter().any(|it| !it.is_empty()));
    while let Some(index) = next_to_go(&shown, usize::from(width)) {
        shown.remove(index);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(shown.iter().map(|it| it.0.title));
    for index in 0..rows.len() {
        let mut row = comfy_table::Row::from(shown.iter().filter_map(|it| it.1.get(index)));
        table.add_row(row.max_height(1).clone());
    }
    for (column, cells) in table.column_iter_mut().zip(&shown) {
        let width = u16::try_from(room(cells)).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    table
}

/// Returns the index of the next column to leave out; `None` if the shown columns fit.
fn next_to_go(shown: &[(&Column, Vec<String>)], width: usize) -> Option<usize> {
    let all: usize = shown.iter().map(room).sum();
    let goers = shown.iter().enumerate().filter(|it| it.1.0.goes > 0);
    goers.max_by_key(|it| it.1.0.goes).filter(|_| all > width).map(|it| it.0)
}

/// Returns the width of a column, with a space on each side.
fn room((of, cells): &(&Column, Vec<String>)) -> usize {
    let texts = cells.iter().map(String::as_str).chain([of.title]);
    2 + texts.map(|it| it.chars().count()).max().unwrap_or_default().min(WIDEST)
}

fn cells(rows: &[Alike<'_>], column: &Column) -> Vec<String> {
    let line = |it: &String| media::line(it).into_owned();
    let cell = |it| (column.of)(it).iter().map(line).collect::<Vec<_>>().join("; ");
    rows.iter().map(cell).collect()
}

/// Wraps a line between words at the width of the terminal. The following lines are indented by two
/// more spaces.
pub(super) fn wrapped(line: &str, width: u16) -> String {
    let text = media::line(line);
    let rest = text.trim_start();
    let indent = text.len() - rest.len();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    // A column has a space on each side.
    table.set_width(width.saturating_sub(u16::try_from(indent).unwrap_or_default()).max(NARROWEST));
    table.add_row([rest]);
    let lines = table.lines().enumerate().map(|(index, it)| {
        let more = if index == 0 { 0 } else { 2 };
        format!("{}{}", " ".repeat(indent + more), it.trim())
    });
    let lines: Vec<_> = lines.collect();
    // An empty text is a line too.
    if rest.is_empty() { "\n".to_owned() } else { lines.join("\n") }
}

/// The smallest width at which lines are wrapped.
const NARROWEST: u16 = 20;

/// Prints the same lines with every column, separated by tabs.
pub(super) fn tabbed(
    report: &Report,
    missing_only: bool,
    output: &mut Output,
) -> Result<(), CommandError> {
    output.tabbed(COLUMNS.iter().map(|it| it.title.to_owned()))?;
    for row in rows(report, missing_only) {
        output.tabbed(COLUMNS.iter().map(|it| (it.of)(&row).join("; ")))?;
    }
    Ok(())
}

/// Returns the lines of the table.
fn rows(report: &Report, missing_only: bool) -> Vec<Alike<'_>> {
    let alike = report.rows.iter().flat_map(|row| alike(report, row));
    alike.filter(|it| !(missing_only && it.cell.state.is_fine())).collect()
}

/// Returns the Regions of an account in groups with the same cell, in the order of the first Region
/// of each.
fn alike<'a>(report: &'a Report, row: &'a Row) -> Vec<Alike<'a>> {
    let mut alike: Vec<Alike<'_>> = Vec::new();
    let mut known = BTreeMap::new();
    for (region, cell) in report.shown(row) {
        let place = *known.entry(std::ptr::from_ref(cell)).or_insert_with(|| {
            alike.push(Alike { report, row, regions: vec![], cell });
            alike.len() - 1
        });
        if let Some(of) = alike.get_mut(place) {
            of.regions.push(region);
        }
    }
    alike
}
