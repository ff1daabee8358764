//! The table of what each function costs, and what counts as a rise.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::measure::{Cost, Instructions};

/// By how much of a hundred a count may rise: what the place of memory and the names of folders
/// change is far below.
const TOLERANCE: u64 = 3;

/// What a function is to cost at most.
struct Goal {
    name: &'static str,
    most: u64,
    of: fn(&str, &Cost) -> Option<u64>,
}

/// The functions that the first deployment of a policy needs, and no others: what brings them is to
/// be small.
const OF_POLICIES: [&str; 4] =
    ["backup-policy", "global-settings", "policy-types", "service-access"];

const GOALS: [Goal; 4] = [
    Goal {
        name: "bytes of its archive",
        most: 2_800_000,
        of: |function, it| OF_POLICIES.contains(&function).then_some(it.archive),
    },
    Goal { name: "KiB of memory", most: 9_216, of: |_, it| Some(it.memory) },
    Goal {
        name: "instructions of a cold request",
        most: 7_000_000,
        of: |_, it| it.instructions.map(|it| it.cold),
    },
    Goal {
        name: "instructions of a warm request",
        most: 1_500_000,
        of: |_, it| it.instructions.map(|it| it.warm),
    },
];

/// Costs by function.
pub type Costs = BTreeMap<String, Cost>;

const HEAD: &str = "\
| function | archive, bytes | peak memory, KiB | start, instructions | cold request, instructions | warm request, instructions | AWS calls (of which writes) |
|---|---:|---:|---:|---:|---:|---|
";

/// Writes the table.
pub fn write(costs: &Costs) -> String {
    let rows = costs.iter().map(|(function, it)| {
        let of = |pick: fn(Instructions) -> u64| {
            it.instructions.map_or_else(|| "-".to_owned(), |it| grouped(pick(it)))
        };
        let calls =
            it.calls.iter().map(|(name, (calls, writes))| format!("{name} {calls} ({writes})"));
        let calls = calls.collect::<Vec<_>>().join(", ");
        let (archive, memory) = (grouped(it.archive), grouped(it.memory));
        let (start, cold, warm) = (of(|it| it.start), of(|it| it.cold), of(|it| it.warm));
        format!("| {function} | {archive} | {memory} | {start} | {cold} | {warm} | {calls} |\n")
    });
    HEAD.to_owned() + &rows.collect::<String>()
}

/// Reads a table out of a page.
pub fn read(page: &str) -> Costs {
    page.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, Cost)> {
    let columns: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let [function, archive, memory, start, cold, warm, calls] = columns.try_into().ok()?;
    let number = |text: &str| text.replace(',', "").parse().ok();
    let instructions = match (number(start), number(cold), number(warm)) {
        (Some(start), Some(cold), Some(warm)) => Some(Instructions { start, cold, warm }),
        _ => None,
    };
    let calls = calls.split(", ").filter_map(|it| {
        let (name, counts) = it.split_once(' ')?;
        let (calls, writes) = counts.strip_suffix(')')?.split_once(" (")?;
        Some((name.to_owned(), (calls.parse().ok()?, writes.parse().ok()?)))
    });
    let cost = Cost {
        archive: number(archive)?,
        memory: number(memory)?,
        instructions,
        calls: calls.collect(),
    };
    Some((function.to_owned(), cost))
}

/// A page with its table replaced by that of `costs`.
pub fn replace(page: &str, costs: &Costs) -> String {
    let is_table = |line: &&str| line.starts_with('|');
    let before: String = page.split_inclusive('\n').take_while(|it| !is_table(it)).collect();
    let rest = page.split_inclusive('\n').skip_while(|it| !is_table(it));
    let after: String = rest.skip_while(is_table).collect();
    before + &write(costs) + &after
}

/// What costs more than it did, one a line.
///
/// Memory depends on the kernel as well, so only its goal counts.
pub fn rises(before: &Costs, now: &Costs) -> String {
    let mut rises = String::new();
    let mut rise = |line: String| writeln!(rises, "{line}").unwrap();
    for (function, now) in now {
        let Some(before) = before.get(function) else {
            rise(format!("{function} is not in the table"));
            continue;
        };
        let mut compare = |what: &str, before: u64, now: u64| {
            if now * 100 > before * (100 + TOLERANCE) {
                let percent = (now - before) * 100 / before.max(1);
                let (before, now) = (grouped(before), grouped(now));
                rise(format!("{function}: {what} rose from {before} to {now}, by {percent} %"));
            }
        };
        compare("its archive", before.archive, now.archive);
        if let (Some(before), Some(now)) = (before.instructions, now.instructions) {
            compare("the start", before.start, now.start);
            compare("a cold request", before.cold, now.cold);
            compare("a warm request", before.warm, now.warm);
        }
        for (name, now) in &now.calls {
            let before = before.calls.get(name).copied().unwrap_or_default();
            if now.0 > before.0 || now.1 > before.1 {
                let (calls, writes) = before;
                rise(format!(
                    "{function}: {name} made {calls} calls, {writes} of them writes, and makes {}, {} \
                     of them writes",
                    now.0, now.1
                ));
            }
        }
    }
    rises
}

/// What costs more than it is to, one a line.
pub fn over(costs: &Costs) -> String {
    let mut over = String::new();
    for (function, cost) in costs {
        for Goal { name, most, of } in GOALS {
            if let Some(found) = of(function, cost).filter(|it| *it > most) {
                let (found, most) = (grouped(found), grouped(most));
                writeln!(over, "{function} takes {found} {name}; the goal is {most}").unwrap();
            }
        }
    }
    over
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs() -> Costs {
        let calls = [("create".to_owned(), (4, 2)), ("delete".to_owned(), (3, 1))].into();
        let instructions = Some(Instructions { start: 700_000, cold: 5_000_000, warm: 900_000 });
        let cost = Cost { archive: 2_500_000, memory: 8_000, instructions, calls };
        [("sample".to_owned(), cost)].into()
    }

    fn after(change: fn(&mut Cost)) -> String {
        let mut now = costs();
        now.values_mut().for_each(change);
        rises(&costs(), &now)
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&write(&costs())), costs());
        let page = format!(
            "# Costs\n\nBefore.\n\n{HEAD}| old | 1 | 1 | - | - | - | create 1 (1) |\n\nAfter.\n"
        );
        let page = replace(&page, &costs());
        assert_eq!(page, format!("# Costs\n\nBefore.\n\n{}\nAfter.\n", write(&costs())));
    }

    #[test]
    fn costs_without_instructions_are_read_too() {
        let mut costs = costs();
        costs.get_mut("sample").unwrap().instructions = None;
        assert_eq!(read(&write(&costs)), costs);
    }

    #[test]
    fn the_same_and_less_is_no_rise() {
        assert_eq!(after(|_| ()), "");
        assert_eq!(after(|it| it.archive /= 2), "");
        assert_eq!(after(|it| it.calls = [("create".to_owned(), (3, 2))].into()), "");
        assert_eq!(after(|it| it.instructions = None), "");
    }

    #[test]
    fn up_to_three_in_a_hundred_is_no_rise_and_more_is() {
        assert_eq!(after(|it| it.archive = 2_575_000), "");
        let expected = "sample: its archive rose from 2,500,000 to 2,600,000, by 4 %\n";
        assert_eq!(after(|it| it.archive = 2_600_000), expected);
        let warm = after(|it| it.instructions.as_mut().unwrap().warm = 990_000);
        assert_eq!(warm, "sample: a warm request rose from 900,000 to 990,000, by 10 %\n");
    }

    #[test]
    fn one_call_more_is_a_rise() {
        let expected =
            "sample: create made 4 calls, 2 of them writes, and makes 5, 2 of them writes\n";
        assert_eq!(after(|it| it.calls.get_mut("create").unwrap().0 = 5), expected);
        let expected =
            "sample: delete made 3 calls, 1 of them writes, and makes 3, 2 of them writes\n";
        assert_eq!(after(|it| it.calls.get_mut("delete").unwrap().1 = 2), expected);
    }

    #[test]
    fn a_function_that_is_not_in_the_table_is_a_rise() {
        assert_eq!(rises(&Costs::new(), &costs()), "sample is not in the table\n");
    }

    #[test]
    fn what_is_over_its_goal_is_named() {
        let mut costs = costs();
        assert_eq!(over(&costs), "");
        costs.get_mut("sample").unwrap().memory = 9_300;
        assert_eq!(over(&costs), "sample takes 9,300 KiB of memory; the goal is 9,216\n");
    }
}
