//! What AWS refuses, what it takes and should not have been given, and what comes of merging.

mod admission;
mod lints;
mod merging;
mod properties;
mod reading;
mod schedules;
mod validation;

use std::time::{Duration, SystemTime};

use super::{Finding, Inherited, Policy, Severity, check, parse};

/// Thursday, 19 November 2026, 09:46 in UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_081_577)
}

/// Checks a policy and gives each finding as `code path`.
fn found(text: &str, severity: Severity) -> Vec<String> {
    let findings = check(text, now()).into_iter().filter(|it| it.severity == severity);
    findings.map(|Finding { code, path, .. }| format!("{code} {path}")).collect()
}

/// AWS takes it.
fn takes(text: &str) {
    assert_eq!(found(text, Severity::Error), [""; 0], "{text}");
}

/// AWS refuses it for exactly this.
fn refuses(text: &str, expected: &str) {
    assert_eq!(found(text, Severity::Error), [expected], "{text}");
}

/// AWS takes it, but we warn of exactly this.
fn warns(text: &str, expected: &str) {
    takes(text);
    assert_eq!(found(text, Severity::Warning), [expected], "{text}");
}

/// A policy with one plan.
fn plan(body: &str) -> String {
    format!(r#"{{"plans":{{"tier":{{{body}}}}}}}"#)
}

/// A policy with one rule.
fn rule(body: &str) -> String {
    plan(&format!(r#""rules":{{"nightly":{{{body}}}}}"#))
}

/// A policy with one value in a rule.
fn value(key: &str, value: &str) -> String {
    rule(&format!(r#""{key}":{{"@@assign":{value}}}"#))
}

/// A policy with one selection.
fn selection(kind: &str, body: &str) -> String {
    plan(&format!(r#""selections":{{"{kind}":{{"chosen":{{{body}}}}}}}"#))
}

/// A plan in which nothing is missing.
fn complete(rule: &str) -> String {
    complete_with(
        rule,
        r#""tags":{"chosen":{
            "iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/backup"},
            "tag_key":{"@@assign":"tier"},"tag_value":{"@@assign":["gold"]}}}"#,
    )
}

/// The same with these selections.
fn complete_with(rule: &str, selections: &str) -> String {
    let schedule = r#","schedule_expression":{"@@assign":"cron(0 5 ? * * *)"}"#;
    let schedule = if rule.contains("schedule_expression") { "" } else { schedule };
    plan(&format!(
        r#""regions":{{"@@assign":["eu-north-1"]}},
        "rules":{{"nightly":{{"target_backup_vault_name":{{"@@assign":"keep"}}{schedule}{rule}}}}},
        "selections":{{{selections}}}"#
    ))
}

/// Merges levels of policies, each named by its level and place, such as `1.0`.
fn levels(levels: &[&[&str]]) -> Inherited {
    levels.iter().enumerate().fold(Inherited::root(), |inherited, (depth, texts)| {
        let policies: Vec<Policy> = texts.iter().map(|it| parse(it).unwrap()).collect();
        let names: Vec<_> = (0..texts.len()).map(|it| format!("{depth}.{it}")).collect();
        let attached: Vec<_> = names.iter().map(String::as_str).zip(&policies).collect();
        inherited.descend(&format!("level {depth}"), &attached)
    })
}
