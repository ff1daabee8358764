//! The admission rules that involve several keys of a plan.

use std::time::{Duration, SystemTime};

use super::code::Code;
use super::cron::Schedule;
use super::finding::{Findings, Path};
use super::node::{Member, Node, Value};
use super::operator::Operator;
use super::values;

/// The longest retention of continuous backups.
pub(super) const CONTINUOUS_DAYS: u64 = 35;

/// The shortest time that AWS keeps a backup in cold storage.
pub(super) const COLD_DAYS: u64 = 90;

/// Four weeks: the shortest schedule interval for backups that go to the archive tier.
pub(super) const ARCHIVE_INTERVAL: Duration = Duration::from_hours(28 * 24);

/// The most conditions of one selection.
const CONDITIONS: usize = 30;

/// Applies the rules that involve several keys of one plan.
pub(super) fn plans(document: &Node, now: SystemTime, findings: &mut Findings) {
    let top = Path::Top;
    each(document, "plans", &top, |path, plan| {
        each(&plan.value, "rules", path, |path, rule| rule_alone(&rule.value, path, now, findings));
        let Some(selections) = plan.value.get("selections") else {
            return tags(&plan.value, "backup_plan_tags", path, findings);
        };
        let inner = path.key("selections");
        each(selections, "tags", &inner, |path, it| conditions(&it.value, path, findings));
        each(selections, "resources", &inner, |path, it| {
            let node = &it.value;
            let has = |key| node.get(key).is_some();
            if node.members().is_some() && !has("resource_types") && !has("conditions") {
                let message = "a selection of resources needs `resource_types` or `conditions`";
                findings.error(Code::MissingKey, path, node.span, message);
            }
            conditions(node, path, findings);
        });
        tags(&plan.value, "backup_plan_tags", path, findings);
    });
}

fn rule_alone(rule: &Node, path: &Path<'_>, now: SystemTime, findings: &mut Findings) {
    let lifecycle = rule.get("lifecycle");
    let inner = path.key("lifecycle");
    if assigned(rule, "enable_continuous_backup") == Some("true") {
        continuous(rule, lifecycle, path, findings);
    }
    tags(rule, "recovery_point_tags", path, findings);
    if let Some(lifecycle) = lifecycle {
        archive(rule, lifecycle, &inner, now, findings);
    }
    each(rule, "copy_actions", path, |path, copy| {
        if let Some(lifecycle) = copy.value.get("lifecycle") {
            archive(rule, lifecycle, &path.key("lifecycle"), now, findings);
        }
    });
}

fn continuous(rule: &Node, lifecycle: Option<&Node>, path: &Path<'_>, findings: &mut Findings) {
    let inner = path.key("lifecycle");
    let delete = lifecycle.and_then(|it| it.get("delete_after_days"));
    let cold = lifecycle.and_then(|it| it.get("move_to_cold_storage_after_days"));
    if delete.is_none() && !lifecycle.is_some_and(|it| matches!(it.value, Value::Unknown)) {
        let message = "continuous backup needs `lifecycle` with `delete_after_days` of at most 35 \
                       in the same policy";
        findings.error(Code::ContinuousRetention, path, rule.span, message);
    }
    let days = lifecycle.and_then(|it| assigned(it, "delete_after_days"));
    if let (Some(delete), Some(days)) = (delete, days)
        && values::number(days).is_some_and(|it| it > CONTINUOUS_DAYS)
    {
        let message = format!(
            "continuous backups are kept for at most 35 days, not {days}; make a second rule \
             without `enable_continuous_backup` for the longer time"
        );
        findings.error(
            Code::ContinuousRetention,
            &inner.key("delete_after_days"),
            delete.span,
            message,
        );
    }
    if let Some(cold) = cold {
        let message = "continuous backups cannot move to cold storage";
        let path = inner.key("move_to_cold_storage_after_days");
        findings.error(Code::ContinuousRetention, &path, cold.span, message);
    }
}

fn archive(
    rule: &Node,
    lifecycle: &Node,
    path: &Path<'_>,
    now: SystemTime,
    findings: &mut Findings,
) {
    if assigned(lifecycle, "opt_in_to_archive_for_supported_resources") != Some("true") {
        return;
    }
    let unknown = |node: &Node, key| node.get(key).is_some() && assigned(node, key).is_none();
    let days = |key| assigned(lifecycle, key).and_then(values::number);
    let (cold, delete) = (days("move_to_cold_storage_after_days"), days("delete_after_days"));
    let open = unknown(lifecycle, "move_to_cold_storage_after_days")
        || unknown(lifecycle, "delete_after_days");
    let kept = matches!((cold, delete), (Some(cold), Some(delete)) if delete >= cold.saturating_add(COLD_DAYS));
    if !kept && !open {
        let message = "the archive tier needs `move_to_cold_storage_after_days` and a \
                       `delete_after_days` that is at least 90 more";
        findings.error(Code::ArchiveRetention, path, lifecycle.span, message);
    }
    let schedule = assigned(rule, "schedule_expression");
    let interval = schedule.and_then(|it| Schedule::parse(it).ok()).and_then(|it| it.interval(now));
    let rare = interval.is_some_and(|it| it >= ARCHIVE_INTERVAL);
    if !rare && !unknown(rule, "schedule_expression") {
        let message = "the archive tier needs a `schedule_expression` in the same rule that runs \
                       at most every 28 days";
        findings.error(Code::ArchiveSchedule, path, lifecycle.span, message);
    }
}

/// Checks that the key of each tag of recovery points and plans equals its `tag_key`, ignoring
/// case.
fn tags(node: &Node, key: &str, path: &Path<'_>, findings: &mut Findings) {
    each(node, key, path, |path, tag| {
        let Some(value) = assigned(&tag.value, "tag_key") else { return };
        if is_variable(&tag.key) || value.to_lowercase() == tag.key.to_lowercase() {
            return;
        }
        let message =
            format!("`{}` and its `tag_key`, `{value}`, must be the same but for case", tag.key);
        findings.error(Code::TagName, path, tag.span, message);
    });
}

fn conditions(selection: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(node) = selection.get("conditions") else { return };
    let operators = node.members().unwrap_or_default();
    let of = |it: &Member| it.value.members().unwrap_or_default().len();
    let count: usize = operators.iter().map(of).sum();
    if count > CONDITIONS {
        let message = format!("a selection takes at most {CONDITIONS} conditions, not {count}");
        findings.error(Code::TooMany, &path.key("conditions"), node.span, message);
    }
}

/// Calls `visit` with the path and member of every entry under `key`.
pub(super) fn each(
    node: &Node,
    key: &str,
    path: &Path<'_>,
    mut visit: impl FnMut(&Path<'_>, &Member),
) {
    let members = node.get(key).and_then(Node::members).unwrap_or_default();
    let path = path.key(key);
    for member in members.iter().filter(|it| !it.key.starts_with("@@")) {
        visit(&path.key(&member.key), member);
    }
}

/// Returns the string assigned to `key`, if it is known.
pub(super) fn assigned<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.get(Operator::Assign.as_str())?.scalar().filter(|it| !is_variable(it))
}

/// Returns `true` if the text has a `${variable}` or a `{{ placeholder }}` that is replaced at
/// deployment.
pub(super) fn is_variable(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}
