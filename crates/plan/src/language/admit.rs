//! Whether Organizations takes a document, by the rules it applies to one policy on its own.

use std::time::{Duration, SystemTime};

use super::cron::Schedule;
use super::finding::{Findings, Path};
use super::node::{Member, Node, Value};
use super::operator::{Allowed, Keyword, Operator, keyword};
use super::schema::{Empty, POLICY, Shape};
use super::values;

/// Four weeks: the shortest interval of a schedule whose backups go to the archive tier.
const ARCHIVE: Duration = Duration::from_hours(28 * 24);

/// The longest that continuous backups are kept.
const CONTINUOUS_DAYS: u64 = 35;

/// The shortest that AWS keeps a backup in cold storage.
pub(super) const COLD_DAYS: u64 = 90;

/// Most conditions of one selection.
const CONDITIONS: usize = 30;

/// Reports everything for which Organizations refuses the document.
pub(super) fn admit(document: &Node, now: SystemTime, findings: &mut Findings) {
    Walk { now, findings }.place(document, &POLICY, &Path::Top);
    plans(document, now, findings);
}

/// The walk along the table of keys.
struct Walk<'a> {
    now: SystemTime,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn place(&mut self, node: &Node, shape: &'static Shape, path: &Path<'_>) {
        if matches!(node.value, Value::Unknown) || self.findings.is_full() {
            return;
        }
        let Some(members) = node.members() else {
            return self.not_an_object(node, shape, path);
        };
        match shape {
            Shape::One(_) | Shape::Many(..) => self.leaf(members, shape, path),
            Shape::Fields(_) | Shape::Named(..) => self.container(node, members, shape, path),
        }
    }

    fn not_an_object(&mut self, node: &Node, shape: &Shape, path: &Path<'_>) {
        let message = match shape {
            Shape::One(_) => {
                let value = node.scalar().unwrap_or("VALUE");
                format!("a value needs an operator; write `{{\"@@assign\": \"{value}\"}}`")
            }
            Shape::Many(..) => "a list needs an operator; write `{\"@@assign\": [...]}`".to_owned(),
            Shape::Fields(_) | Shape::Named(..) => "expected an object".to_owned(),
        };
        self.findings.error("no-operator", path, node.span, message);
    }

    fn container(
        &mut self,
        node: &Node,
        members: &[Member],
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        for Member { key, span, value } in members {
            let inner = path.key(key);
            match keyword(key) {
                Some(Keyword::Control) => self.control(value, &inner),
                Some(Keyword::Operator(_)) => {
                    let message = format!(
                        "`{key}` cannot stand here, where more keys are expected; put it on the \
                         values below"
                    );
                    self.findings.error("misplaced-operator", &inner, *span, message);
                }
                Some(Keyword::Unknown) => self.unknown_operator((key, *span), &inner),
                None => self.child((key, *span), value, shape, &inner),
            }
        }
        if let Shape::Fields(fields) = shape {
            for field in fields.iter().filter(|it| it.required && node.get(it.name).is_none()) {
                let message = format!("`{}` is missing", field.name);
                self.findings.error("missing-key", path, node.span, message);
            }
        }
    }

    fn child(
        &mut self,
        (key, span): (&str, super::Span),
        value: &Node,
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        if self.findings.is_full() {
            return;
        }
        let Some((canonical, inner)) = shape.child(key) else {
            let names = shape.names();
            let hint = match nearest(key, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("AWS knows `{}`", names.join("`, `")),
            };
            let message = format!("AWS knows no key `{key}` here; {hint}");
            self.findings.error("unknown-key", path, span, message);
            return;
        };
        if let Shape::Named(judge, _) = shape
            && !is_variable(key)
            && let Err(why) = judge(key)
        {
            self.findings.error("invalid-name", path, span, why);
        }
        if let Some(name) = canonical.filter(|it| *it != key) {
            let message = format!("AWS spells this key `{name}`");
            self.findings.warning("key-case", path, span, message);
        }
        self.place(value, inner, path);
    }

    fn leaf(&mut self, members: &[Member], shape: &'static Shape, path: &Path<'_>) {
        for Member { key, span, value } in members {
            let inner = path.key(key);
            match keyword(key) {
                Some(Keyword::Control) => self.control(value, &inner),
                Some(Keyword::Operator(operator)) => self.operand(value, operator, shape, &inner),
                Some(Keyword::Unknown) => self.unknown_operator((key, *span), &inner),
                None => {
                    let message = format!(
                        "`{key}` cannot stand here; a value takes only keys that start with `@@`"
                    );
                    self.findings.error("unknown-key", &inner, *span, message);
                }
            }
        }
    }

    fn operand(
        &mut self,
        value: &Node,
        operator: Operator,
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        match shape {
            Shape::One(_) if operator != Operator::Assign => {
                let message = format!("`{operator}` is for lists; one value takes only `@@assign`");
                self.findings.error("operator-not-allowed", path, value.span, message);
            }
            Shape::One(judge) => {
                if value.is_scalar() {
                    self.value(value, *judge, path);
                } else {
                    let message = "expected one value, not a list or an object";
                    self.findings.error("not-a-scalar", path, value.span, message);
                }
            }
            Shape::Many(judge, empty) => match &value.value {
                Value::Array(items) => {
                    if items.is_empty() && *empty == Empty::Refused {
                        let message = "AWS takes no empty list here";
                        self.findings.error("empty-list", path, value.span, message);
                    }
                    for (index, item) in items.iter().enumerate() {
                        let path = path.index(index);
                        if item.is_scalar() {
                            self.value(item, *judge, &path);
                        } else {
                            let message = "expected a value in the list, not a list or an object";
                            self.findings.error("not-a-scalar", &path, item.span, message);
                        }
                    }
                }
                // A parameter of a template can be a whole list.
                Value::Unknown => {}
                _ => {
                    let message = "expected a list, even for one value: `[...]`";
                    self.findings.error("not-a-list", path, value.span, message);
                }
            },
            Shape::Fields(_) | Shape::Named(..) => {}
        }
    }

    fn value(&mut self, value: &Node, judge: values::Judge, path: &Path<'_>) {
        let Some(text) = value.scalar() else { return };
        if is_variable(text) {
            return;
        }
        if let Err(why) = judge(text, self.now) {
            self.findings.error("invalid-value", path, value.span, why);
        }
    }

    fn control(&mut self, value: &Node, path: &Path<'_>) {
        let words = match &value.value {
            Value::Array(words) if !words.is_empty() => words,
            Value::Unknown => return,
            _ => {
                let message =
                    "expected a list of `@@all`, `@@assign`, `@@append`, `@@remove`, or `@@none`";
                self.findings.error("invalid-control", path, value.span, message);
                return;
            }
        };
        for (index, word) in words.iter().enumerate() {
            let path = path.index(index);
            let text = word.scalar().unwrap_or_default();
            let repeated = words.iter().take(index).any(|it| it.value == word.value);
            let message = match Allowed::word(text) {
                None => format!("`{text}` is no operator that can be allowed"),
                Some(_) if repeated => format!("`{text}` is given twice"),
                Some(Allowed::NONE) if words.len() > 1 => {
                    "`@@none` stands alone or not at all".to_owned()
                }
                Some(_) => continue,
            };
            self.findings.error("invalid-control", &path, word.span, message);
            if index >= 8 {
                // Past every word there is, one finding is enough.
                break;
            }
        }
    }

    fn unknown_operator(&mut self, (key, span): (&str, super::Span), path: &Path<'_>) {
        let message = format!(
            "AWS knows no operator `{key}`; it knows `@@assign`, `@@append`, `@@remove` and \
             `@@operators_allowed_for_child_policies`"
        );
        self.findings.error("unknown-operator", path, span, message);
    }
}

/// Whether the text holds a `${variable}` that is replaced at deployment.
pub(super) fn is_variable(text: &str) -> bool {
    text.contains("${")
}

/// The rules that look at several keys of one plan.
fn plans(document: &Node, now: SystemTime, findings: &mut Findings) {
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
                findings.error("missing-key", path, node.span, message);
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
        findings.error("continuous-retention", path, rule.span, message);
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
            "continuous-retention",
            &inner.key("delete_after_days"),
            delete.span,
            message,
        );
    }
    if let Some(cold) = cold {
        let message = "continuous backups cannot move to cold storage";
        let path = inner.key("move_to_cold_storage_after_days");
        findings.error("continuous-retention", &path, cold.span, message);
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
        findings.error("archive-retention", path, lifecycle.span, message);
    }
    let schedule = assigned(rule, "schedule_expression");
    let interval = schedule.and_then(|it| Schedule::parse(it).ok()).and_then(|it| it.interval(now));
    let rare = interval.is_some_and(|it| it >= ARCHIVE);
    if !rare && !unknown(rule, "schedule_expression") {
        let message = "the archive tier needs a `schedule_expression` in the same rule that runs \
                       at most every 28 days";
        findings.error("archive-schedule", path, lifecycle.span, message);
    }
}

/// Tags of recovery points and plans are named by their own key.
fn tags(node: &Node, key: &str, path: &Path<'_>, findings: &mut Findings) {
    each(node, key, path, |path, tag| {
        let Some(value) = assigned(&tag.value, "tag_key") else { return };
        let variable = is_variable(value) || is_variable(&tag.key);
        if variable || value.to_lowercase() == tag.key.to_lowercase() {
            return;
        }
        let message =
            format!("`{}` and its `tag_key`, `{value}`, must be the same but for case", tag.key);
        findings.error("tag-name", path, tag.span, message);
    });
}

fn conditions(selection: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(node) = selection.get("conditions") else { return };
    let operators = node.members().unwrap_or_default();
    let of = |it: &Member| it.value.members().unwrap_or_default().len();
    let count: usize = operators.iter().map(of).sum();
    if count > CONDITIONS {
        let message = format!("a selection takes at most {CONDITIONS} conditions, not {count}");
        findings.error("too-many", &path.key("conditions"), node.span, message);
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

/// The string assigned to `key`, if it is known.
pub(super) fn assigned<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.get(Operator::Assign.as_str())?.scalar().filter(|it| !is_variable(it))
}

/// The name that `key` was probably meant to be.
fn nearest<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    const FAR: usize = 40;
    if key.len() > FAR {
        return None;
    }
    let key = key.to_lowercase();
    let distance = |it: &&&str| distance(&key, it);
    let best = names.iter().min_by_key(distance)?;
    (distance(&best) * 3 <= best.len()).then_some(*best)
}

/// How many letters have to be changed, added or taken away.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut last = index + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(other.chars()) {
            let cost = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            diagonal = *cell;
            last = cost.min(last + 1).min(diagonal + 1);
            *cell = last;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
