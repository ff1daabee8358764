//! The differences between two sweeps.

use std::collections::BTreeMap;

use report::history::{Change, Direction, Summary};
use report::utc;
use serde_json::{Value, json};
use state::State;
use state::coverage_state::{read_last, read_summary_at};
use tokio::time::Instant;

use super::ReportArguments;
use crate::live::PATIENCE;
use crate::output::Output;
use crate::{CommandError, Exit};

/// Prints what got better and worse between the last sweep by `moment` and the last of all.
///
/// # Errors
///
/// Returns an error if there is no state bucket, if there was no such sweep, or if a summary cannot
/// be read.
pub(super) async fn run(arguments: &ReportArguments, moment: &str) -> Result<Exit, CommandError> {
    let session = arguments.live.session().await?;
    let state =
        State::of(&session, Instant::now() + PATIENCE).ok_or(CommandError::NoStateBucket)?;
    let none = || CommandError::NoSweep(moment.to_owned());
    let before = read_summary_at(&state, moment).await?.ok_or_else(none)?;
    let after = read_last(&state).await?.ok_or_else(none)?;
    let change = Change::between(&before, &after);
    let mut output = Output::new();
    if arguments.json {
        output.json(&json(&before, &after, &change))?;
    } else {
        lines(&before, &after, &change).iter().try_for_each(|it| output.line(it))?;
    }
    output.flush()?;
    let is_worse = change.causes.iter().any(|it| it.direction() != Direction::Better);
    Ok(if is_worse { Exit::Findings } else { Exit::Fine })
}

fn lines(before: &Summary, after: &Summary, change: &Change) -> Vec<String> {
    let mut lines = vec![
        format!("Backups of {}", after.organization),
        format!("{}: {}", utc(before.taken), states(before)),
        format!("{}: {}", utc(after.taken), states(after)),
    ];
    for direction in Direction::ALL {
        let causes = change.causes.iter().filter(|it| it.direction() == direction);
        for (index, it) in causes.enumerate() {
            if index == 0 {
                lines.extend([String::new(), direction.heading().to_owned()]);
            }
            lines.push(format!("  {} → {}: {}", it.before, it.after, it.words));
            lines.extend(it.examples.iter().map(|it| format!("    {it}")));
            lines.extend(it.new.more(it.examples.len(), "new").map(|it| format!("    {it}")));
        }
    }
    if change.is_nothing() {
        lines.extend([String::new(), "Nothing changed.".to_owned()]);
    }
    lines
}

fn states(of: &Summary) -> String {
    let states: BTreeMap<_, _> = of.states();
    let counts = states.iter().map(|(state, count)| format!("{count} {state}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    if counts.is_empty() { "no resources".to_owned() } else { counts }
}

fn json(before: &Summary, after: &Summary, change: &Change) -> Value {
    let sweep = |it: &Summary| json!({ "taken": utc(it.taken), "program": it.program, "states": it.states() });
    let causes = change.causes.iter().map(|it| {
        json!({
            "change": it.direction().key(),
            "cause": it.words,
            "before": it.before,
            "after": it.after,
            "new": it.examples,
            "newCount": it.new.count,
        })
    });
    json!({
        "organization": after.organization,
        "before": sweep(before),
        "after": sweep(after),
        "causes": causes.collect::<Value>(),
    })
}
