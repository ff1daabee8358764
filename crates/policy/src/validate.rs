//! The checks that AWS makes after merging, and their effect on a document that fails.

use std::sync::Arc;
use std::time::SystemTime;

use super::cron::Schedule;
use super::merge::{Effective, Merged};
use super::plan_errors::{Archive, EffectiveError, ErrorCode, PlanErrors, Source};
use super::policy::Setting;
use super::rules::{ARCHIVE_INTERVAL, COLD_DAYS, CONTINUOUS_DAYS};
use super::values;

const MAX_RULES: usize = 10;

impl Effective {
    /// Returns the errors that AWS reports for this document. A document without errors takes
    /// effect.
    ///
    /// The clock only matters for plans that use the archive tier, whose schedule must not run more
    /// often than every 28 days. Everything else is checked once per plan, even if many accounts
    /// share the plan.
    #[must_use]
    pub fn validate(&self, now: SystemTime) -> Vec<EffectiveError> {
        let mut errors = Vec::new();
        let Some(plans) = self.state.get("plans") else { return errors };
        for (name, plan) in plans.visible() {
            let path = || format!("plans/{name}");
            let report = plan.report.get_or_init(|| check(plan, &path()));
            let mut rest = report.errors.iter();
            let mut taken = 0;
            for Archive { rule, after } in &report.archives {
                errors.extend(rest.by_ref().take(after - taken).cloned());
                taken = *after;
                errors.extend(archive_schedule(plan, rule, &path(), now));
            }
            errors.extend(rest.cloned());
        }
        errors
    }

    /// Returns `true` if AWS puts this document into effect.
    #[must_use]
    pub fn is_valid(&self, now: SystemTime) -> bool {
        let Some(plans) = self.state.get("plans") else { return true };
        plans.visible().all(|(name, plan)| {
            let path = || format!("plans/{name}");
            let report = plan.report.get_or_init(|| check(plan, &path()));
            let schedule = |it: &Archive| archive_schedule(plan, &it.rule, &path(), now);
            report.errors.is_empty() && report.archives.iter().all(|it| schedule(it).is_none())
        })
    }
}

/// Returns the policy that takes effect in an account when its merged policy becomes `new`.
///
/// AWS withholds the *whole* new document as soon as one plan in it is invalid. The account then
/// keeps its `previous` one, which is [`Effective::default`] (`{}`) if there never was a valid one.
#[must_use]
pub fn published<'a>(
    previous: &'a Effective,
    new: &'a Effective,
    now: SystemTime,
) -> &'a Effective {
    if new.is_valid(now) { new } else { previous }
}

fn check(plan: &Merged, path: &str) -> PlanErrors {
    let mut report = PlanErrors::default();
    report.required(plan, path, &["rules", "regions", "selections"]);
    if let Some(regions) = plan.get("regions") {
        report.at_least_one(regions, "regions", path);
    }
    if let Some(rules) = plan.get("rules") {
        if rules.visible().count() > MAX_RULES {
            let message = format!("'rules' exceeds the allowed maximum limit {MAX_RULES}");
            report.add(ErrorCode::ElementsTooMany, message, &format!("{path}/rules"), &[rules]);
        }
        for (name, rule) in rules.visible() {
            report.rule(plan, rule, name, &format!("{path}/rules/{name}"));
        }
    }
    if let Some(selections) = plan.get("selections") {
        report.selections(selections, &format!("{path}/selections"));
    }
    report
}

impl PlanErrors {
    fn rule(&mut self, plan: &Merged, rule: &Merged, name: &str, path: &str) {
        self.required(rule, path, &["target_backup_vault_name"]);
        let lifecycle = rule.get("lifecycle");
        self.continuous(rule, lifecycle, name, path);
        if archive_of(rule).is_some() {
            self.archives.push(Archive { rule: name.to_owned(), after: self.errors.len() });
        }
        for lifecycle in lifecycles(rule) {
            self.archive(lifecycle, name, path);
        }
        if let (Some(scan), None) = (rule.get("scan_actions"), plan.get("scan_settings")) {
            let fields = "scan_actions(undefined),scan_settings(undefined)";
            self.dependent(fields, name, path, &[Some(scan)]);
        }
    }

    /// Checks the retention of continuous backups. `CreatePolicy` refuses cold storage for them
    /// within one policy, but AWS was observed to accept it if it comes from another policy.
    fn continuous(&mut self, rule: &Merged, lifecycle: Option<&Merged>, name: &str, path: &str) {
        let Some(continuous) = rule.get("enable_continuous_backup") else { return };
        if text(Some(continuous)) != "true" {
            return;
        }
        let delete = lifecycle.and_then(|it| it.get("delete_after_days"));
        if values::number(text(delete)).is_none_or(|it| it > CONTINUOUS_DAYS) {
            let fields =
                format!("enable_continuous_backup=true,delete_after_days={}", text(delete));
            self.dependent(&fields, name, path, &[Some(continuous), delete]);
        }
    }

    fn archive(&mut self, lifecycle: &Merged, name: &str, path: &str) {
        let Some(archive) = opted_in(lifecycle) else { return };
        let delete = lifecycle.get("delete_after_days");
        let cold = lifecycle.get("move_to_cold_storage_after_days");
        let days = (values::number(text(delete)), values::number(text(cold)));
        if matches!(days, (Some(delete), Some(cold)) if delete >= cold.saturating_add(COLD_DAYS)) {
            return;
        }
        let fields = format!(
            "opt_in_to_archive_for_supported_resources=true,delete_after_days={},\
             move_to_cold_storage_after_days={}",
            text(delete),
            text(cold)
        );
        self.dependent(&fields, name, path, &[Some(archive), delete, cold]);
    }

    fn selections(&mut self, selections: &Merged, path: &str) {
        for kind in ["tags", "resources"] {
            let Some(group) = selections.get(kind) else { continue };
            for (name, selection) in group.visible() {
                let path = format!("{path}/{kind}/{name}");
                self.required(selection, &path, &["iam_role_arn"]);
                if kind == "tags" {
                    self.required(selection, &path, &["tag_key", "tag_value"]);
                } else if selection.get("conditions").is_none() {
                    self.required(selection, &path, &["resource_types"]);
                }
                for list in ["tag_value", "resource_types"] {
                    if let Some(values) = selection.get(list) {
                        self.at_least_one(values, list, &path);
                    }
                }
            }
        }
    }

    fn required(&mut self, state: &Merged, path: &str, keys: &[&str]) {
        for key in keys.iter().filter(|it| state.get(it).is_none()) {
            self.add(ErrorCode::KeyRequired, format!("'{key}' is missing"), path, &[state]);
        }
    }

    fn at_least_one(&mut self, values: &Merged, key: &str, path: &str) {
        if matches!(values.setting(), Some(Setting::Many(values)) if values.is_empty()) {
            let message = format!("'{key}' is less than the allowed minimum limit 1");
            self.add(ErrorCode::ElementsTooFew, message, &format!("{path}/{key}"), &[values]);
        }
    }

    fn dependent(&mut self, fields: &str, block: &str, path: &str, states: &[Option<&Merged>]) {
        let error = dependent(fields, block, path, states);
        // AWS reports the same error of several copies of one rule only once.
        let same = |it: &EffectiveError| (&it.message, &it.path) == (&error.message, &error.path);
        if !self.errors.iter().any(same) {
            self.errors.push(error);
        }
    }

    fn add(&mut self, code: ErrorCode, message: String, path: &str, states: &[&Merged]) {
        let contributors = contributors(states.iter().copied());
        self.errors.push(EffectiveError { code, message, path: path.to_owned(), contributors });
    }
}

/// Returns the error of AWS about the schedule of a rule that uses the archive tier.
fn archive_schedule(
    plan: &Merged,
    name: &str,
    path: &str,
    now: SystemTime,
) -> Option<EffectiveError> {
    let rule = plan.get("rules")?.get(name)?;
    let schedule = rule.get("schedule_expression");
    let parsed = Schedule::parse(text(schedule)).ok();
    let interval = parsed.and_then(|it| it.interval(now));
    if interval.is_some_and(|it| it >= ARCHIVE_INTERVAL) {
        return None;
    }
    let fields = format!(
        "opt_in_to_archive_for_supported_resources=true,schedule_expression={}",
        text(schedule)
    );
    Some(dependent(&fields, name, &format!("{path}/rules/{name}"), &[archive_of(rule), schedule]))
}

fn dependent(fields: &str, block: &str, path: &str, states: &[Option<&Merged>]) -> EffectiveError {
    EffectiveError {
        code: ErrorCode::CrossAttributeValidation,
        message: format!(
            "Dependent fields {fields} in policy block {block} are invalid when used together"
        ),
        path: path.to_owned(),
        contributors: contributors(states.iter().flatten().copied()),
    }
}

fn contributors<'a>(states: impl Iterator<Item = &'a Merged>) -> Vec<Arc<Source>> {
    let mut sources = Vec::new();
    for state in states {
        state.contributors(&mut sources);
    }
    sources.sort();
    sources.dedup();
    sources
}

/// Returns the lifecycle of a rule and those of its copies.
fn lifecycles(rule: &Merged) -> impl Iterator<Item = &Merged> {
    let copies = rule.get("copy_actions").into_iter().flat_map(Merged::visible);
    std::iter::once(rule).chain(copies.map(|it| it.1)).filter_map(|it| it.get("lifecycle"))
}

/// Returns the first switch of a rule that opts in to the archive tier.
fn archive_of(rule: &Merged) -> Option<&Merged> {
    lifecycles(rule).find_map(opted_in)
}

/// Returns the switch of a lifecycle that opts in to the archive tier.
fn opted_in(lifecycle: &Merged) -> Option<&Merged> {
    let archive = lifecycle.get("opt_in_to_archive_for_supported_resources")?;
    (text(Some(archive)) == "true").then_some(archive)
}

/// Returns the single value of a place, or the word that AWS uses if there is none.
fn text(state: Option<&Merged>) -> &str {
    match state.and_then(Merged::setting) {
        Some(Setting::One(value)) => value,
        Some(Setting::Many(_)) | None => "undefined",
    }
}
