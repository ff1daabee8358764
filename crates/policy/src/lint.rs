//! Policies that Organizations accepts, but that AWS Backup later refuses or handles differently
//! than intended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::MAX_CHARACTERS;
use super::code::Code;
use super::cron::Schedule;
use super::finding::{Finding, Findings, Path, Severity};
use super::node::{Member, Node, Span, Value};
use super::operator::{Allowed, CONTROL, Keyword, Operator, keyword};
use super::policy::{Policy, Position};
use super::rules::{COLD_DAYS, assigned, each, is_variable};
use super::values;
use crate::arn::Arn;
use crate::resource_types::ResourceType;

/// The most entries that AWS documents, by key.
const LIMITS: &[(&str, usize)] =
    &[("rules", 10), ("copy_actions", 5), ("recovery_point_tags", 10), ("backup_plan_tags", 50)];

/// Reports everything in the document that is legal but suspicious.
pub(super) fn lint(document: &Node, findings: &mut Findings) {
    let top = Path::Top;
    variables(document, &top, findings);
    twins(document, &top, findings);
    locks(document, &top, false, findings);
    each(document, "plans", &top, |path, plan| {
        let node = &plan.value;
        limits(node, path, findings);
        unknown_names(node, path, findings);
        each(node, "rules", path, |path, rule| {
            limits(&rule.value, path, findings);
            lifecycle(&rule.value, path, findings);
            schedule(&rule.value, path, findings);
            each(&rule.value, "copy_actions", path, |path, copy| {
                lifecycle(&copy.value, path, findings);
                copy_to_itself(node, &rule.value, copy, path, findings);
                copy_elsewhere(copy, path, findings);
                copy_to_unknown_region(copy, path, findings);
                copy_both_ways(node, copy, path, findings);
            });
        });
    });
}

/// Reports a document that has too many characters for AWS, even without white space.
pub(super) fn length(document: &Node, findings: &mut Findings) {
    let minified = characters(document);
    if minified > MAX_CHARACTERS {
        let message = format!(
            "the policy has {minified} characters even without white space; AWS accepts at most \
             {MAX_CHARACTERS}, so split it into several policies"
        );
        findings.error(Code::TooLong, &Path::Top, Span::default(), message);
    }
}

/// Returns a finding if the text is too long for AWS only because of white space and escapes. AWS
/// counts both.
#[must_use]
pub fn white_space(text: &str, document: &Node) -> Option<Finding> {
    let written = text.chars().count();
    let minified = characters(document);
    if written <= MAX_CHARACTERS || minified > MAX_CHARACTERS {
        return None;
    }
    let (code, without) = if characters_less_white_space(text) <= MAX_CHARACTERS {
        (Code::WhiteSpace, "white space")
    } else {
        (Code::Escapes, "white space and with its escapes written as characters")
    };
    let message = format!(
        "the policy has {written} characters and AWS accepts {MAX_CHARACTERS}; it has {minified} \
         without {without}, which `Custom::BackupPolicy` takes out but other tools may not"
    );
    let (path, span) = (String::new(), Span::default());
    let severity = Severity::Warning;
    Some(Finding { severity, code, path, span, line: 0, column: 0, message })
}

fn characters(document: &Node) -> usize {
    document.to_json().chars().count()
}

/// Returns the number of characters in a JSON text without the white space between its values.
fn characters_less_white_space(text: &str) -> usize {
    let (mut count, mut is_quoted, mut is_escaped) = (0, false, false);
    for it in text.chars() {
        if it == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && it == '\\' && !is_escaped;
        count += usize::from(is_quoted || !it.is_ascii_whitespace());
    }
    count
}

fn variables(node: &Node, path: &Path<'_>, findings: &mut Findings) {
    let found = |text: &str, path: &Path<'_>, span: Span, findings: &mut Findings| {
        let message = if text.contains("${") {
            "holds a `${variable}`, which `Custom::BackupPolicy` replaces but AWS does not"
        } else {
            "holds a placeholder `{{ … }}`, which has to be replaced before AWS gets it"
        };
        findings.warning(Code::Variable, path, span, message);
    };
    match &node.value {
        Value::Text(text) if is_variable(text) => found(text, path, node.span, findings),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                variables(item, &path.index(index), findings);
            }
        }
        Value::Object(members) => {
            for member in members {
                let inner = path.key(&member.key);
                if is_variable(&member.key) {
                    found(&member.key, &inner, member.span, findings);
                }
                variables(&member.value, &inner, findings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => {}
    }
}

/// Reports keys that differ only by case, which AWS treats as one key.
fn twins(node: &Node, path: &Path<'_>, findings: &mut Findings) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for Member { key, span, value } in node.members().unwrap_or_default() {
        let inner = path.key(key);
        if let Some(first) = seen.insert(key.to_lowercase(), key)
            && first != key
        {
            let message = format!(
                "`{key}` and `{first}` differ only by case; AWS makes one of them, with the \
                 values of both"
            );
            findings.warning(Code::NamesDifferByCase, &inner, *span, message);
        }
        twins(value, &inner, findings);
    }
}

/// Reports controls on containers, which do not lock the values below them.
///
/// Returns the first value below that policies further down may change. Its path is only built if
/// it is `wanted`, because a control above has to name it.
fn locks(node: &Node, path: &Path<'_>, wanted: bool, findings: &mut Findings) -> Option<String> {
    let members = node.members()?;
    let control = node.get(CONTROL).and_then(Node::as_control);
    let locked = control.is_some_and(|it| it != Allowed::ALL);
    if members.iter().any(|it| matches!(keyword(&it.key), Some(Keyword::Operator(_)))) {
        return (!locked).then(|| if wanted { path.to_string() } else { String::new() });
    }
    let wanted = wanted || locked;
    let mut open = None;
    for Member { key, value, .. } in members.iter().filter(|it| keyword(&it.key).is_none()) {
        let first = locks(value, &path.key(key), wanted && open.is_none(), findings);
        open = open.or(first);
    }
    if let Some(open) = open.as_ref().filter(|_| locked) {
        let member = members.iter().find(|it| it.key.eq_ignore_ascii_case(CONTROL));
        let message = format!(
            "this control does not reach the values below it: policies further down can still \
             change `{open}`; put the control on every object and every value"
        );
        findings.warning(
            Code::ControlDoesNotReach,
            &path.key(CONTROL),
            member.map_or(node.span, |it| it.span),
            message,
        );
    }
    open
}

fn limits(node: &Node, path: &Path<'_>, findings: &mut Findings) {
    for (key, limit) in LIMITS {
        let Some(list) = node.get(key) else { continue };
        let members = list.members().unwrap_or_default();
        let count = members.iter().filter(|it| !it.key.starts_with("@@")).count();
        if count > *limit {
            let message = format!("{count} `{key}` are more than the {limit} that AWS documents");
            findings.warning(Code::TooMany, &path.key(key), list.span, message);
        }
    }
}

/// Reports names that have the right format but are unknown to this release.
fn unknown_names(plan: &Node, path: &Path<'_>, findings: &mut Findings) {
    each_value(plan, "regions", path, |path, span, text| {
        if let Some(unknown) = values::unknown_region(text) {
            findings.warning(Code::UnknownRegion, path, span, format!("`{text}` {unknown}"));
        }
    });
    let Some(selections) = plan.get("selections") else { return };
    each(selections, "resources", &path.key("selections"), |path, selection| {
        for key in ["resource_types", "not_resource_types"] {
            each_value(&selection.value, key, path, |path, span, text| {
                if let Some(unknown) = values::unknown_resource_type(text) {
                    let message = format!("`{text}` {unknown}");
                    findings.warning(Code::UnknownResourceType, path, span, message);
                }
            });
        }
    });
}

/// Calls `visit` with the path, the place and the text of every value in the list under `key`.
pub(super) fn each_value(
    node: &Node,
    key: &str,
    path: &Path<'_>,
    mut visit: impl FnMut(&Path<'_>, Span, &str),
) {
    let path = path.key(key);
    for Member { key, value, .. } in node.get(key).and_then(Node::members).unwrap_or_default() {
        let (Some(Keyword::Operator(_)), Value::Array(items)) = (keyword(key), &value.value) else {
            continue;
        };
        let path = path.key(key);
        for (index, item) in items.iter().enumerate() {
            if let Some(text) = item.scalar().filter(|it| !is_variable(it)) {
                visit(&path.index(index), item.span, text);
            }
        }
    }
}

/// Returns the texts of all values in the list under `key`.
fn texts(node: &Node, key: &str) -> Vec<String> {
    let mut texts = Vec::new();
    each_value(node, key, &Path::Top, |_, _, text| texts.push(text.to_owned()));
    texts
}

/// Checks the minimum of 90 days in cold storage, which AWS Backup enforces when it creates the
/// plan.
fn lifecycle(node: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(lifecycle) = node.get("lifecycle") else { return };
    let archive = assigned(lifecycle, "opt_in_to_archive_for_supported_resources") == Some("true");
    if archive || assigned(node, "enable_continuous_backup") == Some("true") {
        // Stricter rules than this one already judge the document.
        return;
    }
    let days = |key| assigned(lifecycle, key).and_then(values::number);
    let (cold, delete) = (days("move_to_cold_storage_after_days"), days("delete_after_days"));
    if let (Some(cold), Some(delete)) = (cold, delete)
        && delete < cold.saturating_add(COLD_DAYS)
    {
        let message = format!(
            "backups that move to cold storage after {cold} days must be kept for at least {} \
             days, not {delete}; Organizations accepts this, but AWS Backup refuses the plan",
            cold.saturating_add(COLD_DAYS)
        );
        let inner = path.key("lifecycle");
        let span = lifecycle.get("delete_after_days").map_or(lifecycle.span, |it| it.span);
        findings.error(Code::ColdStorage, &inner.key("delete_after_days"), span, message);
    }
}

fn schedule(rule: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(expression) = assigned(rule, "schedule_expression") else { return };
    let Ok(schedule) = Schedule::parse(expression) else { return };
    let path = path.key("schedule_expression");
    let span = rule.get("schedule_expression").map_or(rule.span, |it| it.span);
    if schedule.is_ever_within_an_hour() {
        let message = format!(
            "some runs of `{expression}` are less than an hour apart; AWS accepts or refuses it by \
             the time of day of the request"
        );
        findings.warning(Code::ScheduleTooDense, &path, span, message);
    }
    if schedule.has_seven_fields() {
        let message = format!(
            "`{expression}` has seven fields; AWS accepts it, and documents six: leave out the \
             field after the year"
        );
        findings.warning(Code::ScheduleFields, &path, span, message);
    }
}

fn copy_to_itself(
    plan: &Node,
    rule: &Node,
    copy: &Member,
    path: &Path<'_>,
    findings: &mut Findings,
) {
    let target = assigned(&copy.value, "target_backup_vault_arn").unwrap_or(&copy.key);
    let Some(arn @ Arn { region, account: "$account", .. }) = values::arn(target) else { return };
    let name = arn.vault();
    if name.is_none() || name != assigned(rule, "target_backup_vault_name") {
        return;
    }
    let regions = plan.get("regions").and_then(Node::members).unwrap_or_default();
    let lists = regions.iter().filter_map(|it| match (keyword(&it.key)?, &it.value.value) {
        (Keyword::Operator(Operator::Assign | Operator::Append), Value::Array(items)) => {
            Some(items)
        }
        _ => None,
    });
    if lists.flatten().any(|it| it.scalar() == Some(region)) {
        let message = format!(
            "in {region} this copies a backup to the vault it is already in, which AWS Backup \
             refuses; copy to another vault or Region"
        );
        findings.error(Code::CopyToItself, path, copy.span, message);
    }
}

fn copy_elsewhere(copy: &Member, path: &Path<'_>, findings: &mut Findings) {
    let Some(target) = assigned(&copy.value, "target_backup_vault_arn") else { return };
    if target.to_lowercase() != copy.key.to_lowercase() && !is_variable(&copy.key) {
        let message = format!("this copies to `{target}`, not to the vault that its key names");
        findings.warning(Code::CopyKey, &path.key("target_backup_vault_arn"), copy.span, message);
    }
}

fn copy_to_unknown_region(copy: &Member, path: &Path<'_>, findings: &mut Findings) {
    let target = assigned(&copy.value, "target_backup_vault_arn").unwrap_or(&copy.key);
    let Some(Arn { region, .. }) = values::arn(target) else { return };
    if let Some(unknown) = values::unknown_region(region) {
        findings.warning(Code::UnknownRegion, path, copy.span, format!("`{region}` {unknown}"));
    }
}

/// Reports copies to another account and another Region at once, which are not possible for every
/// type.
fn copy_both_ways(plan: &Node, copy: &Member, path: &Path<'_>, findings: &mut Findings) {
    let target = assigned(&copy.value, "target_backup_vault_arn").unwrap_or(&copy.key);
    let Some(Arn { partition, region, account, .. }) = values::arn(target) else { return };
    let leaves_region = texts(plan, "regions").iter().any(|it| it != region);
    let Some(selections) = plan.get("selections") else { return };
    if account == "$account" || !leaves_region {
        return;
    }
    let mut found = BTreeSet::new();
    each(selections, "resources", path, |_, selection| {
        let names = |key, kind: &ResourceType| {
            texts(&selection.value, key).iter().any(|it| kind.is_meant_by(it))
        };
        let selected = ResourceType::all()
            .filter(|it| names("resource_types", it) && !names("not_resource_types", it));
        found.extend(selected.filter_map(|it| {
            Some(format!("`{}` ({})", it.arn(partition), it.copied_at_once.but()?))
        }));
    });
    if !found.is_empty() {
        let message = format!(
            "this copies to another account and another Region at once, which AWS does not document \
             (as of {}) for all of {}; see that such copies complete, or copy to another Region of \
             the account, and from there",
            ResourceType::as_of(),
            found.into_iter().collect::<Vec<_>>().join(", ")
        );
        findings.warning(Code::CopyBothWays, path, copy.span, message);
    }
}

/// A value that several policies of one level set differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    /// The keys that lead to the value, joined by `/`.
    pub path: String,
    /// The policies that set the value, in attachment order: the first one wins.
    pub policies: Vec<String>,
}

/// Finds the values whose winner depends on the order in which policies were attached.
///
/// Detaching a policy and attaching it again moves it to the end. Such a value can therefore change
/// although nobody changed a policy.
#[must_use]
pub fn contested(policies: &[(&str, &Policy)]) -> Vec<Contested> {
    let mut assigns: BTreeMap<String, Vec<(&str, &super::Setting)>> = BTreeMap::new();
    for (name, policy) in policies {
        collect(&policy.top, "", name, &mut assigns);
    }
    let differ = |it: &(String, Vec<(&str, &super::Setting)>)| {
        it.1.iter().zip(it.1.iter().skip(1)).any(|(one, other)| one.1 != other.1)
    };
    let contested = assigns.into_iter().filter(differ).map(|(path, assigns)| Contested {
        path,
        policies: assigns.iter().map(|it| it.0.to_owned()).collect(),
    });
    contested.collect()
}

fn collect<'a>(
    place: &'a Position,
    path: &str,
    name: &'a str,
    into: &mut BTreeMap<String, Vec<(&'a str, &'a super::Setting)>>,
) {
    if let Some(assign) = &place.assign {
        into.entry(path.to_owned()).or_default().push((name, &assign.setting));
    }
    for (key, below) in &place.below {
        let key: &Arc<str> = key;
        let separator = if path.is_empty() { "" } else { "/" };
        collect(below, &format!("{path}{separator}{key}"), name, into);
    }
}

impl Node {
    /// Returns the operators that a control allows, or `None` if it cannot be read.
    fn as_control(&self) -> Option<Allowed> {
        let Value::Array(words) = &self.value else { return None };
        let words = words.iter().map(|it| Allowed::word(it.scalar()?));
        words.collect::<Option<Vec<_>>>().map(|it| it.into_iter().fold(Allowed::NONE, Allowed::or))
    }
}
