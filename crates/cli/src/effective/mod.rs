//! `org-backup effective`.

mod attached;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use policy::{
    EffectiveError, Inherited, Leaf, Origin, Policy, Setting, Severity, Source, Value, contested,
    inspect, locate,
};
use serde_json::json;

use crate::check::MAX_POLICIES;
use crate::input::{self, Input};
use crate::live::wait;
use crate::output::{self, Output, note};
use crate::runs::{Runs, next_runs};
use crate::{CommandError, Effective, Exit};

/// The policies of one level and the text they were read from.
struct Level {
    input: Input,
    policies: Vec<(String, Policy)>,
    /// True if Organizations would refuse one of them.
    is_refused: bool,
}

/// Merges the levels, and prints the requested facts.
pub(crate) fn run(arguments: &Effective, now: SystemTime) -> Result<Exit, CommandError> {
    if let Some(account) = &arguments.live {
        return wait(attached::run(arguments, account, now));
    }
    let read = |(index, path): (usize, &PathBuf)| {
        let input = input::read(path)?;
        Level::read(input, &[], index, now)
    };
    let levels = arguments.levels.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    print(arguments, &levels, now)
}

/// Merges the levels.
fn merged(levels: &[Level]) -> policy::Effective {
    let inherited = levels.iter().fold(Inherited::root(), |inherited, level| {
        let policies: Vec<_> = level.policies.iter().map(|it| (it.0.as_str(), &it.1)).collect();
        for it in contested(&policies) {
            let policies = it.policies.join("`, `");
            note("note", &format!("`{policies}` each assign `{}`; the first one wins", it.path));
        }
        inherited.descend(&level.input.name, &policies)
    });
    inherited.effective()
}

/// Prints the requested facts about the levels.
fn print(arguments: &Effective, levels: &[Level], now: SystemTime) -> Result<Exit, CommandError> {
    let effective = merged(levels);
    let errors = effective.validate(now);
    for it in effective.doubts() {
        let path = it.path;
        note(
            "note",
            &format!("`{path}` is added below a control that, as AWS documents it, forbids that"),
        );
    }

    let mut output = Output::new();
    if arguments.validate {
        validation(&errors, arguments.json, &mut output)?;
        output.flush()?;
        let is_refused = levels.iter().any(|it| it.is_refused);
        let is_fine = errors.is_empty() && !is_refused;
        return Ok(if is_fine { Exit::Fine } else { Exit::Findings });
    }
    if !errors.is_empty() {
        let count = if errors.len() == 1 { "1 error" } else { &format!("{} errors", errors.len()) };
        let message = format!(
            "AWS withholds the merged policy because of {count}, and the account keeps its current \
             policy; `--validate` names them, `--merged` prints the policy all the same"
        );
        note("warning", &message);
    }
    if arguments.explain {
        explanation(&effective.leaves(), levels, arguments.json, &mut output)?;
    } else {
        let policy = if errors.is_empty() || arguments.merged {
            effective.to_json()
        } else {
            previous(arguments.previous.as_deref())?
        };
        match arguments.next {
            None => output.json(&policy)?,
            Some(count) => {
                next(&next_runs(&policy, count.get(), now), arguments.json, &mut output)?;
            }
        }
    }
    output.flush()?;
    Ok(Exit::Fine)
}

/// Returns the policy that the account keeps if AWS withholds the new one. It is empty if no file
/// is named.
fn previous(path: Option<&Path>) -> Result<serde_json::Value, CommandError> {
    let Some(path) = path else { return Ok(json!({})) };
    let Input { name, text, .. } = input::read(path)?;
    serde_json::from_str(&text).map_err(|source| CommandError::NotJson { file: name, source })
}

impl Level {
    /// Reads the policies of one level, which have these names or are numbered, and notes what AWS would
    /// refuse in it.
    fn read(
        mut input: Input,
        names: &[String],
        index: usize,
        now: SystemTime,
    ) -> Result<Self, CommandError> {
        let (document, findings) = input::parse(&input);
        let refused = |input: &Input, mut findings: Vec<policy::Finding>| {
            locate(&input.text, &mut findings);
            let lines = findings.iter().map(|it| output::line(&input.name, it));
            CommandError::NotPolicies { file: input.name.clone(), findings: lines.collect() }
        };
        let Some(document) = document.filter(|_| findings.is_empty()) else {
            return Err(refused(&input, findings));
        };
        let policies = match &document.value {
            Value::Array(policies) => policies.as_slice(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Object(_)
            | Value::Unknown => std::slice::from_ref(&document),
        };
        if policies.len() > MAX_POLICIES {
            let message =
                format!("AWS attaches at most {MAX_POLICIES} policies at `{}`", input.name);
            note("note", &message);
        }
        let mut merged = Vec::new();
        let mut is_refused = false;
        for (number, policy) in policies.iter().enumerate() {
            let numbered = || format!("{}[{number}]", input.name);
            let name = names.get(number).cloned().unwrap_or_else(numbered);
            let mut findings = inspect(policy, now);
            findings.retain(|it| it.severity == Severity::Error);
            // Other kinds of management policies merge by the same rules, and are not judged here.
            if !findings.is_empty() && policy.get("plans").is_some() {
                let is_later = findings.iter().all(|it| it.code.is_refused_later());
                let who = if is_later {
                    "AWS Backup would refuse the plan of"
                } else {
                    "AWS would refuse"
                };
                note("note", &format!("{who} `{name}`; `org-backup check` says why"));
                is_refused |= !is_later;
            }
            merged.push((name, Policy::new(policy).map_err(|it| refused(&input, it))?));
        }
        if input.name == "-" {
            input.name = format!("level {index}");
        }
        Ok(Self { input, policies: merged, is_refused })
    }
}

fn validation(
    errors: &[EffectiveError],
    as_json: bool,
    output: &mut Output,
) -> Result<(), CommandError> {
    if as_json {
        return output.json(&errors.iter().map(error_json).collect());
    }
    errors.iter().try_for_each(|it| output.line(&error_line(it)))
}

/// Returns an error in the form of AWS.
fn error_json(error: &EffectiveError) -> serde_json::Value {
    let EffectiveError { code, message, path, .. } = error;
    json!({ "ErrorCode": code.as_str(), "ErrorMessage": message, "PathToError": path })
}

fn error_line(error: &EffectiveError) -> String {
    let EffectiveError { code, message, path, contributors } = error;
    let policies = contributors.iter().map(|it| it.policy.as_str());
    let policies = policies.collect::<Vec<_>>().join(", ");
    format!("{path}: {code}: {message} (from {policies})")
}

/// Prints when rules run next.
fn next(runs: &[Runs], as_json: bool, output: &mut Output) -> Result<(), CommandError> {
    if as_json {
        return output.json(&runs.iter().map(Runs::json).collect());
    }
    runs.iter().flat_map(Runs::lines).try_for_each(|it| output.line(&it))
}

fn explanation(
    leaves: &[Leaf<'_>],
    levels: &[Level],
    as_json: bool,
    output: &mut Output,
) -> Result<(), CommandError> {
    if as_json {
        let leaves = leaves.iter().map(|it| {
            let origins = it.origins.iter().map(|origin| {
                let Source { target, policy } = origin.source.as_ref();
                json!({
                    "level": target, "policy": policy, "operator": origin.operator.as_str(),
                    "line": line(origin, levels),
                })
            });
            json!({
                "path": it.path, "value": value(it.setting),
                "origins": origins.collect::<Vec<_>>(),
            })
        });
        return output.json(&leaves.collect());
    }
    for leaf in leaves {
        output.line(&format!("{} = {}", leaf.path, value(leaf.setting)))?;
        for origin in leaf.origins {
            let Origin { source, operator, .. } = origin;
            let line = line(origin, levels);
            output.line(&format!("    {operator:8} {} line {line}", source.policy))?;
        }
    }
    Ok(())
}

fn value(setting: &Setting) -> serde_json::Value {
    match setting {
        Setting::One(value) => json!(value.as_ref()),
        Setting::Many(values) => values.iter().map(AsRef::as_ref).collect(),
    }
}

/// The line on which an operator stands.
fn line(origin: &Origin, levels: &[Level]) -> usize {
    let level = levels.iter().find(|it| it.policies.iter().any(|it| it.0 == origin.source.policy));
    let before = level.and_then(|it| it.input.text.get(..origin.at as usize)).unwrap_or_default();
    before.matches('\n').count() + 1
}
