//! The parts that are missing after the policies of one level are merged.
//!
//! The rules are those that AWS applies to a merged policy ([`Effective::validate`]). A single
//! document, the policies of a level and an effective policy are therefore judged by the same
//! rules.
//!
//! [`Effective::validate`]: super::Effective::validate

use std::time::SystemTime;

use super::code::Code;
use super::finding::{Finding, Severity};
use super::merge::{Effective, Inherited, Merged};
use super::node::{Member, Node, Span, Value};
use super::plan_errors::{EffectiveError, ErrorCode};
use super::policy::Policy;

/// The most findings of one kind about one level. Each of them is looked up in the documents, and no
/// document that AWS accepts has as many.
const MOST_FINDINGS: usize = 1_000;

/// The placeholder for a string that is only known at deployment.
const STAND_IN: &str = "${unknown}";

/// Returns the parts that are missing after the policies of one level are merged, each with the
/// index of the policy that it is about.
///
/// A single document is a level with one policy. Policies further up or down may add the missing
/// parts, so all findings are warnings. If a policy cannot be merged, nothing is returned:
/// [`super::inspect`] says why it cannot be merged.
#[must_use]
pub fn incomplete(policies: &[&Node], now: SystemTime) -> Vec<(usize, Finding)> {
    let merged = policies.iter().map(|it| Policy::new(&known(it)));
    let Ok(merged) = merged.collect::<Result<Vec<_>, _>>() else { return Vec::new() };
    let names: Vec<_> = (0..merged.len()).map(|it| it.to_string()).collect();
    let level: Vec<_> = names.iter().map(String::as_str).zip(&merged).collect();
    let effective = Inherited::root().descend("", &level).effective();
    let errors = effective.validate(now);
    let mut findings = Vec::new();
    let mut rest = errors.as_slice();
    while let [first, ..] = rest
        && findings.len() < MOST_FINDINGS
    {
        // AWS reports each missing key separately. One message lists all keys that are missing in
        // one place.
        let is_same = |it: &&EffectiveError| it.path == first.path && it.code == first.code;
        let (same, others) = rest.split_at(rest.iter().take_while(is_same).count().max(1));
        rest = others;
        findings.extend(finding(policies, first, same));
    }
    let unscheduled = without_schedule(&effective).take(MOST_FINDINGS);
    findings.extend(unscheduled.filter_map(|path| {
        let message = "this rule has no `schedule_expression`, which AWS documents as required; \
                       unless another policy adds it, AWS Backup decides when the rule runs";
        at(policies, &path, Code::NoSchedule, message.to_owned())
    }));
    findings
}

/// Returns the finding for errors that AWS reports with the same code for the same place.
fn finding(
    policies: &[&Node],
    first: &EffectiveError,
    same: &[EffectiveError],
) -> Option<(usize, Finding)> {
    let EffectiveError { code, message, path, contributors } = first;
    match code {
        ErrorCode::KeyRequired => {
            let mut keys: Vec<_> = same.iter().filter_map(EffectiveError::subject).collect();
            keys.sort_unstable();
            let message = format!(
                "this {} has no `{}`; unless another policy adds it, AWS withholds everything from \
                 the accounts",
                noun(path),
                keys.join("`, no `")
            );
            at(policies, path, Code::IncompletePlan, message)
        }
        ErrorCode::ElementsTooFew => {
            let message = "this list is empty once it is merged; unless another policy adds to it, \
                           AWS withholds everything from the accounts";
            at(policies, path, Code::IncompletePlan, message.to_owned())
        }
        ErrorCode::CrossAttributeValidation if message.contains("scan_settings(undefined)") => {
            let message = "`scan_actions` needs `scan_settings` in the same plan; unless another \
                           policy adds them, AWS withholds everything from the accounts";
            let path = format!("{path}/scan_actions");
            at(policies, &path, Code::IncompletePlan, message.to_owned())
        }
        // Errors of a single policy are found when that policy is inspected.
        ErrorCode::ElementsTooMany | ErrorCode::CrossAttributeValidation
            if contributors.len() < 2 =>
        {
            None
        }
        ErrorCode::ElementsTooMany | ErrorCode::CrossAttributeValidation => {
            let names: Vec<_> = contributors.iter().map(|it| it.policy.as_str()).collect();
            let message = format!(
                "policies {} of this level merge to what AWS withholds from the accounts: {message}",
                names.join(" and ")
            );
            at(policies, path, Code::Withheld, message)
        }
    }
}

/// Returns the rules that have a vault but no schedule. A rule without a vault is incomplete
/// anyway.
fn without_schedule(effective: &Effective) -> impl Iterator<Item = String> {
    let plans = effective.state.get("plans").into_iter().flat_map(Merged::visible);
    plans.flat_map(|(plan, state)| {
        let rules = state.get("rules").into_iter().flat_map(Merged::visible);
        let has = |key, rule: &Merged| rule.get(key).is_some();
        let found = rules.filter(move |(_, rule)| {
            has("target_backup_vault_name", rule) && !has("schedule_expression", rule)
        });
        found.map(move |(rule, _)| format!("plans/{plan}/rules/{rule}"))
    })
}

/// Returns the noun for a place of a merged policy.
fn noun(path: &str) -> &'static str {
    match path.split('/').nth(2) {
        None => "plan",
        Some("rules") => "rule",
        Some(_) => "selection",
    }
}

/// Returns a finding in the first policy that has the place, or else in the policy that has most of
/// the path.
fn at(policies: &[&Node], path: &str, code: Code, message: String) -> Option<(usize, Finding)> {
    let places = policies.iter().enumerate().map(|(index, it)| (index, place(it, path)));
    // Reversed, so that the first of several equal policies is chosen.
    let (index, place) = places.rev().max_by_key(|(_, it)| it.depth)?;
    let Located { path, span, .. } = place;
    let severity = Severity::Warning;
    Some((index, Finding { severity, code, path, span, line: 0, column: 0, message }))
}

/// A place in a document.
struct Located {
    path: String,
    span: Span,
    /// The number of keys that were found.
    depth: usize,
}

/// Finds a place by the keys of a merged policy, which do not have the case of the document.
fn place(document: &Node, path: &str) -> Located {
    let mut node = document;
    let mut place = Located { path: String::new(), span: document.span, depth: 0 };
    for key in path.split('/') {
        let mut members = node.members().unwrap_or_default().iter();
        let key = key.to_lowercase();
        let Some(member) = members.find(|it| it.key.to_lowercase() == key) else {
            break;
        };
        let separator = if place.path.is_empty() { "" } else { "/" };
        place.path = format!("{}{separator}{}", place.path, member.key);
        place.span = member.span;
        place.depth += 1;
        node = &member.value;
    }
    place
}

/// Returns the document with every unknown string replaced, so that it can be merged.
fn known(node: &Node) -> Node {
    let value = match &node.value {
        Value::Unknown => Value::Text(STAND_IN.to_owned()),
        Value::Array(items) => Value::Array(items.iter().map(known).collect()),
        Value::Object(members) => {
            let member = |it: &Member| Member { value: known(&it.value), ..it.clone() };
            Value::Object(members.iter().map(member).collect())
        }
        it @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)) => it.clone(),
    };
    Node { span: node.span, value }
}
