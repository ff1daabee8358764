//! Reads the levels of an account from AWS.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws::Clock;
use inspection::levels::{AttachedLevel, LevelReader};
use plan::id::{AccountId, TargetId};
use plan::outlook::{Difference, What, differences, sentence};
use policy::EffectiveError;
use serde_json::json;
use tokio::time::Instant;

use super::{Level, error_json, error_line, merged, print};
use crate::input::Input;
use crate::output::{Output, note};
use crate::{CommandError, Effective, Exit};

/// The longest time for all reads. A policy takes half a second, and a level has at most ten.
const PATIENCE: Duration = Duration::from_hours(1);

/// Reads the levels of an account, and prints the requested facts about them.
pub(super) async fn run(
    arguments: &Effective,
    account: &AccountId,
    now: SystemTime,
) -> Result<Exit, CommandError> {
    let session = arguments.credentials.session_by(&Clock::default()).await?;
    let management = session.management(None, Instant::now() + PATIENCE).await?;
    let mut levels = LevelReader::new(&management);
    let here = levels.of(account).await?;
    if let Some(directory) = &arguments.save {
        save(&here, directory)?;
    }
    let Some(unit) = &arguments.move_to else {
        return print(arguments, &read(&here, now)?, now);
    };
    let there = levels.under(unit, account).await?;
    let (before, after) = (merged(&read(&here, now)?), merged(&read(&there, now)?));
    let from = here.iter().rev().nth(1).map_or("", |it| it.target.as_str());
    if !before.is_valid(now) {
        let message = "AWS already withholds the current merged policy, so the account still has \
                       its policy from before";
        note("note", message);
    }
    let moved = Move {
        account,
        from,
        to: unit,
        differences: differences(&before.to_json(), &after.to_json()),
        errors: after.validate(now),
    };
    moved.print(arguments.json)?;
    Ok(if moved.takes_away() { Exit::Findings } else { Exit::Fine })
}

/// Returns the levels in the form in which `effective` reads them from files.
fn read(levels: &[AttachedLevel], now: SystemTime) -> Result<Vec<Level>, CommandError> {
    let level = |(index, it): (usize, &AttachedLevel)| {
        let name = it.target.to_string();
        let input = Input { name, text: text(it), is_named: true, root: PathBuf::new() };
        let names = it.policies.iter().map(|it| format!("{} ({})", it.name, it.id));
        Level::read(input, &names.collect::<Vec<_>>(), index, now)
    };
    levels.iter().enumerate().map(level).collect()
}

/// Returns the content of a file for a level.
fn text(level: &AttachedLevel) -> String {
    let policies = level.policies.iter().map(|it| it.text.trim());
    match policies.collect::<Vec<_>>().join(",\n") {
        none if none.is_empty() => "[]\n".to_owned(),
        policies => format!("[\n{policies}\n]\n"),
    }
}

/// Writes each level to a file.
fn save(levels: &[AttachedLevel], directory: &Path) -> Result<(), CommandError> {
    let unwritable =
        |path: &Path, source| CommandError::Unwritable { file: path.display().to_string(), source };
    fs::create_dir_all(directory).map_err(|it| unwritable(directory, it))?;
    let mut files = Vec::new();
    for (index, level) in levels.iter().enumerate() {
        let path = directory.join(format!("{index}-{}.json", level.target));
        fs::write(&path, text(level)).map_err(|it| unwritable(&path, it))?;
        files.push(path.display().to_string());
    }
    note("note", &format!("the levels are saved: org-backup effective {}", files.join(" ")));
    Ok(())
}

/// The result of moving an account.
struct Move<'a> {
    account: &'a AccountId,
    from: &'a str,
    to: &'a TargetId,
    differences: Vec<Difference>,
    /// The reasons why AWS would withhold the merged policy.
    errors: Vec<EffectiveError>,
}

impl Move<'_> {
    /// Returns `true` if the account would have less than before, or not get the merged policy.
    fn takes_away(&self) -> bool {
        !self.errors.is_empty() || self.differences.iter().any(|it| it.what == What::Gone)
    }

    fn print(&self, as_json: bool) -> Result<(), CommandError> {
        let Self { account, from, to, differences, errors } = self;
        let mut output = Output::new();
        if as_json {
            let errors: Vec<_> = errors.iter().map(error_json).collect();
            output.json(&json!({
                "account": account, "from": from, "to": to, "differences": differences,
                "errors": errors,
            }))?;
            return output.flush();
        }
        if differences.is_empty() {
            output.line(&format!("{account} gets the same in {to} as in {from}"))?;
        }
        for it in differences {
            let verb = match it.what {
                What::Added => "gets",
                What::Gone => "loses",
                What::Set { .. } => "changes",
            };
            output.line(&format!("{verb}: {}", sentence(std::slice::from_ref(it))))?;
        }
        for it in errors {
            output.line(&format!("breaks: {}", error_line(it)))?;
        }
        output.flush()?;
        if !errors.is_empty() {
            let message = "AWS would withhold the merged policy, and the account would keep its \
                           current policy";
            note("warning", message);
        }
        Ok(())
    }
}
