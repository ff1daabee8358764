//! `org-backup check`.

use std::time::SystemTime;

use policy::{Code, Finding, Node, Policy, Severity, Value, contested, inspect, locate};
use serde_json::json;
use template::is_template;

use crate::input::{self, Input};
use crate::output::{Output, note};
use crate::{Check, CommandError, Exit, Format, policies};

/// Checks everything that was named, and says what it found.
pub(crate) fn run(arguments: &Check, now: SystemTime) -> Result<Exit, CommandError> {
    let mut output = Output::new();
    let mut all = Vec::new();
    let mut outcome = Exit::Fine;
    for input in input::read_all(&arguments.files)? {
        let findings = findings(&input, now);
        if findings.iter().any(|it| arguments.strict || it.severity == Severity::Error) {
            outcome = Exit::Findings;
        }
        for finding in findings {
            match arguments.format() {
                Format::Text => output.finding(&input.name, &input.text, &finding)?,
                Format::Json => all.push(json(&input.name, &finding)),
                Format::Github => output.annotation(&input.name, &finding)?,
            }
        }
    }
    if arguments.format() == Format::Json {
        output.json(&all.into())?;
    }
    output.flush()?;
    Ok(outcome)
}

fn json(file: &str, finding: &Finding) -> serde_json::Value {
    let Finding { severity, code, path, line, column, message, .. } = finding;
    json!({
        "file": file, "path": path, "line": line, "column": column,
        "severity": severity.to_string(), "code": code.as_str(), "message": message,
    })
}

/// Everything that is wrong with one text, in its order.
fn findings(input: &Input, now: SystemTime) -> Vec<Finding> {
    let (document, mut findings) = input::parse(input);
    let Some(document) = document else { return findings };
    if is_template(&document) {
        let (count, more) = policies::check(&document, now);
        if count == 0 && input.is_named {
            note("note", &format!("`{}` is a template without backup policies", input.name));
        }
        findings.extend(more);
    } else if !input.is_named && !looks_like_policies(&document) {
        note("note", &format!("`{}` is left out: it holds no backup policy", input.name));
        return Vec::new();
    } else if let Value::Array(policies) = &document.value {
        findings.extend(level(policies, now));
    } else if input::is_json(input) {
        // The text is what is sent to AWS, so its length counts too.
        return policy::check(&input.text, now);
    } else {
        findings.extend(inspect(&document, now));
    }
    locate(&input.text, &mut findings);
    findings
}

/// Whether a file that was found in a directory is meant to be checked.
fn looks_like_policies(document: &Node) -> bool {
    match &document.value {
        Value::Array(items) => !items.is_empty() && items.iter().all(looks_like_policies),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Object(_)
        | Value::Unknown => document.get("plans").is_some(),
    }
}

/// The most backup policies that AWS attaches to one root, OU or account.
pub(crate) const MAX_POLICIES: usize = 10;

/// Checks the policies of one level, by themselves and with each other.
fn level(policies: &[Node], now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(first) = policies.get(MAX_POLICIES) {
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::TooManyPolicies,
            path: MAX_POLICIES.to_string(),
            span: first.span,
            line: 0,
            column: 0,
            message: format!(
                "AWS attaches at most {MAX_POLICIES} backup policies to a root, OU or account, \
                 not {}",
                policies.len()
            ),
        });
    }
    let policies = policies.get(..MAX_POLICIES).unwrap_or(policies);
    for (index, policy) in policies.iter().enumerate() {
        findings.extend(inspect(policy, now).into_iter().map(|mut it| {
            let separator = if it.path.is_empty() { "" } else { "/" };
            it.path = format!("{index}{separator}{}", it.path);
            it
        }));
    }
    let merged = policies.iter().map(Policy::new).collect::<Result<Vec<_>, _>>();
    let names: Vec<_> = (0..policies.len()).map(|it| it.to_string()).collect();
    let merged = merged.unwrap_or_default();
    let peers: Vec<_> = names.iter().map(String::as_str).zip(&merged).collect();
    for it in contested(&peers) {
        let winner = it.policies.first().cloned().unwrap_or_default();
        let index = it.policies.last().and_then(|it| it.parse::<usize>().ok());
        let message = format!(
            "policies {} of this level each assign `{}`; the one attached first, {winner}, wins, \
             until somebody detaches it and attaches it again",
            it.policies.join(" and "),
            it.path,
        );
        findings.push(Finding {
            severity: Severity::Warning,
            code: Code::Contested,
            path: format!("{}/{}", it.policies.last().cloned().unwrap_or_default(), it.path),
            span: index.and_then(|it| policies.get(it)).map(|it| it.span).unwrap_or_default(),
            line: 0,
            column: 0,
            message,
        });
    }
    findings
}
