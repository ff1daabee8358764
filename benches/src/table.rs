//! The table of each function's cost, and the definition of a rise.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::measure::{Cost, Instructions};
use crate::subject::SUBJECTS;

/// The percentage by which a count may rise. The effects of memory layout and of folder names are
/// far below it.
const TOLERANCE: u64 = 3;

/// A limit of a cost. Raising it needs a reason, which is then written here.
struct Bound {
    what: &'static str,
    /// Returns the cost and its limit.
    of: fn(&str, &Cost) -> Option<(u64, u64)>,
}

/// A limit of most functions, that of `reattach`, which contains the plans of the others, and that of
/// `coverage`.
struct Most {
    others: u64,
    reattach: u64,
    coverage: u64,
}

impl Most {
    /// Returns the limit of a function.
    fn of(&self, function: &str) -> u64 {
        match function {
            "reattach" => self.reattach,
            "coverage" => self.coverage,
            _ => self.others,
        }
    }
}

/// The limits for a call of the SDK, and for an event and its answer.
const OF_A_CALL: u64 = 700_000;
const OF_A_REQUEST: u64 = 1_000_000;
/// The limit for the page of the organization, which a sweep of `reattach` also writes. It has the
/// selections, next runs and retention of each plan, and what the last sweep of `coverage` found.
const OF_THE_PAGE: u64 = 3_000_000;
/// The additional limit for the first request of a process, with the start of the process.
const OF_THE_FIRST: u64 = 5_000_000;

/// The limits of the size of an archive, in bytes.
///
/// 0.7 MB of an archive are S3's checksums, with a variant for each kind of processor, and the tables
/// for parsing host names. Both come with the SDK and cannot be replaced.
/// `reattach` and `coverage` draw the page, with the backups of resources and the service control
/// policies that guard them.
/// `member-accounts`, the largest of the others, also judges the key, the trust, the permissions and
/// the policies on which backups depend, and its errors keep their causes and hints apart.
const ARCHIVE: Most = Most { others: 4_100_000, reattach: 4_900_000, coverage: 4_900_000 };

/// The limits of memory, in KiB.
///
/// `member-accounts` has clients for every Region at once, and `coverage` also the resources of the
/// accounts that it looks into at once. `reattach` has the plans of all others in its code.
const MEMORY: Most = Most { others: 10 * 1024, reattach: 11 * 1024 + 512, coverage: 13 * 1024 };

/// The additional limits for the page.
const PAGE: Most = Most { others: 0, reattach: OF_THE_PAGE, coverage: 0 };

const BOUNDS: [Bound; 4] = [
    Bound {
        what: "bytes of its archive",
        of: |function, it| Some((it.archive, ARCHIVE.of(function))),
    },
    Bound { what: "KiB of memory", of: |function, it| Some((it.memory, MEMORY.of(function))) },
    Bound {
        what: "instructions of a cold request",
        of: |function, it| {
            let first = SUBJECTS.iter().find(|it| it.function == function)?.requests.first()?;
            Some((it.instructions?.cold, OF_THE_FIRST + PAGE.of(function) + of_calls(it, first)?))
        },
    },
    Bound {
        what: "instructions of a warm request",
        of: |function, it| {
            let again = SUBJECTS.iter().find(|it| it.function == function)?.again;
            Some((it.instructions?.warm, PAGE.of(function) + of_calls(it, again)?))
        },
    },
];

/// Returns the maximum number of instructions for a request with this number of calls.
fn of_calls(cost: &Cost, request: &str) -> Option<u64> {
    let (calls, _) = cost.calls.get(&request.to_lowercase())?;
    Some(OF_A_REQUEST + calls * OF_A_CALL)
}

/// Costs by function.
pub type Costs = BTreeMap<String, Cost>;

const HEAD: &str = "\
| function | archive, bytes | peak memory, KiB | start, instructions | cold request, instructions | warm request, instructions | AWS calls (of which writes) |
|---|---:|---:|---:|---:|---:|---|
";

/// Formats the table.
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

/// Reads the table from a page.
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

/// The beginning of the line that says the limits.
const SAYS_BOUNDS: &str = "The bounds are ";

/// Says the limits on one line.
fn bounds() -> String {
    let [call, request, first, page] =
        [OF_A_CALL, OF_A_REQUEST, OF_THE_FIRST, OF_THE_PAGE].map(grouped);
    let of = |it: &Most| [it.others, it.reattach, it.coverage].map(grouped);
    let ([memory, of_reattach, of_coverage], archive) = (of(&MEMORY), of(&ARCHIVE));
    let [archive, reattach, coverage] = archive;
    format!(
        "{SAYS_BOUNDS}{call} instructions for each AWS call and {request} for the event and its \
         answer; {first} more for the first request of a process, and {page} for the page that a \
         sweep of `reattach` writes; {memory} KiB of memory, {of_reattach} for `reattach` and \
         {of_coverage} for `coverage`; and {archive} bytes for an archive, {reattach} for that of \
         `reattach` and {coverage} for that of `coverage`.\n"
    )
}

/// Returns the page with its table replaced by that of `costs`, and with the limits of this release.
pub fn replace(page: &str, costs: &Costs) -> String {
    let page: String = page
        .split_inclusive('\n')
        .map(|it| if it.starts_with(SAYS_BOUNDS) { bounds() } else { it.to_owned() })
        .collect();
    let is_table = |line: &&str| line.starts_with('|');
    let before: String = page.split_inclusive('\n').take_while(|it| !is_table(it)).collect();
    let rest = page.split_inclusive('\n').skip_while(|it| !is_table(it));
    let after: String = rest.skip_while(is_table).collect();
    before + &write(costs) + &after
}

/// Lists the costs that rose, one a line.
///
/// Memory also depends on the kernel, so only its limit counts.
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

/// Lists the costs that exceed their limits, one a line.
pub fn over(costs: &Costs) -> String {
    let mut over = String::new();
    for (function, cost) in costs {
        for Bound { what, of } in BOUNDS {
            if let Some((found, most)) = of(function, cost).filter(|(found, most)| found > most) {
                let (found, most) = (grouped(found), grouped(most));
                writeln!(over, "{function} takes {found} {what}; the bound is {most}").unwrap();
            }
        }
    }
    over
}

/// Formats a number in groups of three digits.
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
    fn the_page_says_the_bounds_and_keeps_them() {
        let page = include_str!("../../docs/benchmarks/budgets.md");
        let costs = read(page);
        assert_eq!(replace(page, &costs), page);
        assert!(page.contains(&bounds()));
        assert_eq!(over(&costs), "");
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

    /// Returns the figures over their bounds of a function that makes four calls for its first
    /// request and one for a later one.
    fn beyond(function: &str, change: fn(&mut Cost)) -> String {
        let mut cost = costs().remove("sample").unwrap();
        cost.calls.insert("update".to_owned(), (1, 0));
        change(&mut cost);
        over(&[(function.to_owned(), cost)].into())
    }

    #[test]
    fn what_is_over_its_bound_is_named() {
        let memory: fn(&mut Cost) = |it| it.memory = 10_300;
        assert_eq!(beyond("policy-types", |_| ()), "");
        let expected = "policy-types takes 10,300 KiB of memory; the bound is 10,240\n";
        assert_eq!(beyond("policy-types", memory), expected);
        assert_eq!(beyond("reattach", memory), "");
    }

    #[test]
    fn every_call_may_take_instructions_and_the_first_request_more() {
        let cold = beyond("policy-types", |it| it.instructions.as_mut().unwrap().cold = 8_800_001);
        let expected =
            "policy-types takes 8,800,001 instructions of a cold request; the bound is 8,800,000\n";
        assert_eq!(cold, expected);
        let warm = beyond("policy-types", |it| it.instructions.as_mut().unwrap().warm = 1_700_001);
        let expected =
            "policy-types takes 1,700,001 instructions of a warm request; the bound is 1,700,000\n";
        assert_eq!(warm, expected);
    }
}
