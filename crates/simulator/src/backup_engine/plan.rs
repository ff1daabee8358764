//! A backup plan that AWS Backup makes from an effective policy, in the terms of `CreateBackupPlan`
//! and `CreateBackupSelection`.

use std::time::{Duration, SystemTime};

use policy::cron::Schedule;
use serde_json::{Value, json};

use super::lifecycle::PointLifecycle;
use super::orders::BackupOrder;

/// The defaults of a rule: its schedule, its start window and its completion window.
const SCHEDULE: &str = "cron(0 5 ? * * *)";
const START_WINDOW: u64 = 8 * 60;
const COMPLETION_WINDOW: u64 = 7 * 24 * 60;

/// A plan.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) regions: Vec<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) selections: Vec<Selection>,
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) schedule: Schedule,
    pub(super) vault_name: String,
    pub(super) air_gapped: Option<String>,
    pub(super) start_window: Duration,
    pub(super) completion_window: Duration,
    pub(super) continuous: bool,
    pub(super) lifecycle: PointLifecycle,
    pub(super) copy_actions: Vec<CopyAction>,
}

/// A copy action.
#[derive(Clone, Debug)]
pub(super) struct CopyAction {
    pub(super) vault_arn: String,
    pub(super) lifecycle: PointLifecycle,
}

/// A selection.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) role_arn: String,
    /// `Resources`
    pub(super) resources: Vec<String>,
    /// `NotResources`
    pub(super) not_resources: Vec<String>,
    /// `ListOfTags`
    pub(super) list_of_tags: Vec<(String, String)>,
    /// `Conditions`: the operator, the key and the value.
    pub(super) conditions: Vec<(String, String, String)>,
}

/// Returns the plans of an effective policy. A rule whose schedule cannot be read is left out.
pub(super) fn plans(document: &Value) -> Vec<Plan> {
    entries(&document["plans"]).map(|(name, it)| plan(name, it)).collect()
}

fn plan(name: String, body: &Value) -> Plan {
    let selections = &body["selections"];
    let tags = entries(&selections["tags"]).map(|it| it.1);
    let resources = entries(&selections["resources"]).map(|it| it.1);
    Plan {
        name,
        regions: strings(&body["regions"]),
        rules: entries(&body["rules"]).filter_map(|(name, it)| rule(name, it)).collect(),
        selections: tags.chain(resources).map(selection).collect(),
    }
}

fn rule(name: String, body: &Value) -> Option<Rule> {
    let minutes =
        |key: &str, otherwise| Duration::from_mins(string(&body[key]).parse().unwrap_or(otherwise));
    let schedule = Some(string(&body["schedule_expression"])).filter(|it| !it.is_empty());
    let air_gapped = string(&body["target_logically_air_gapped_backup_vault_arn"]);
    let copies = entries(&body["copy_actions"]).map(|(_, it)| CopyAction {
        vault_arn: string(&it["target_backup_vault_arn"]),
        lifecycle: lifecycle(it),
    });
    Some(Rule {
        name,
        schedule: Schedule::parse(schedule.as_deref().unwrap_or(SCHEDULE)).ok()?,
        vault_name: string(&body["target_backup_vault_name"]),
        air_gapped: Some(air_gapped).filter(|it| !it.is_empty()),
        start_window: minutes("start_backup_window_minutes", START_WINDOW),
        completion_window: minutes("complete_backup_window_minutes", COMPLETION_WINDOW),
        continuous: string(&body["enable_continuous_backup"]) == "true",
        lifecycle: lifecycle(body),
        copy_actions: copies.collect(),
    })
}

/// Returns the rule that corresponds to an on-demand backup.
pub(super) fn asked_for(order: &BackupOrder) -> Option<Rule> {
    let minutes = |it: Option<Duration>| it.map(|it| (it.as_secs() / 60).to_string());
    let body = json!({
        "target_backup_vault_name": order.vault,
        "target_logically_air_gapped_backup_vault_arn": order.air_gapped,
        "start_backup_window_minutes": minutes(order.start_window),
        "complete_backup_window_minutes": minutes(order.completion_window),
    });
    Some(Rule { lifecycle: order.lifecycle, ..rule(String::new(), &body)? })
}

fn selection(body: &Value) -> Selection {
    let key = string(&body["tag_key"]);
    let tags = strings(&body["tag_value"]).into_iter().map(|it| (key.clone(), it));
    let conditions = entries(&body["conditions"]).flat_map(|(operator, all)| {
        let all: Vec<_> = entries(all).map(|it| it.1).collect();
        all.into_iter().map(move |it| {
            (operator.clone(), string(&it["condition_key"]), string(&it["condition_value"]))
        })
    });
    Selection {
        role_arn: string(&body["iam_role_arn"]),
        resources: strings(&body["resource_types"]),
        not_resources: strings(&body["not_resource_types"]),
        list_of_tags: tags.collect(),
        conditions: conditions.collect(),
    }
}

impl Plan {
    /// Returns `true` if AWS Backup accepts the plan. It rejects a plan with continuous rules for
    /// different vaults, and one that keeps backups in cold storage for too short a time.
    pub(super) fn is_accepted(&self) -> bool {
        let copies = |it: &Rule| it.copy_actions.iter().all(|copy| copy.lifecycle.is_accepted());
        if !self.rules.iter().all(|it| it.lifecycle.is_accepted() && copies(it)) {
            return false;
        }
        let mut vaults: Vec<_> =
            self.rules.iter().filter(|it| it.continuous).map(|it| &it.vault_name).collect();
        vaults.dedup();
        vaults.len() <= 1
    }

    /// Returns `true` if another rule takes the place of this run of a rule. This is so if the time
    /// frames of both rules overlap, and the other one keeps its backups longer. For types with
    /// continuous backups, only rules of the same kind are compared.
    pub(super) fn is_left_to_another(
        &self,
        rule: usize,
        at: SystemTime,
        has_continuous: bool,
    ) -> bool {
        let Some(own) = self.rules.get(rule) else { return true };
        let mut others = self.rules.iter().enumerate().filter(|it| it.0 != rule).map(|it| it.1);
        others.any(|other| {
            let compares = !has_continuous || other.continuous == own.continuous;
            let longer = match (other.lifecycle.delete_after_days, own.lifecycle.delete_after_days)
            {
                (None, Some(_)) => true,
                (Some(other), Some(own)) => other > own,
                (_, None) => false,
            };
            compares && longer && other.starts_within(at, at + own.start_window)
        })
    }

    /// Returns `true` if a continuous rule is left out, because another one with the same vault
    /// keeps backups longer, or as long and comes first.
    pub(super) fn is_continuous_left_out(&self, rule: usize) -> bool {
        let Some(own) = self.rules.get(rule).filter(|it| it.continuous) else { return false };
        let days = |it: &Rule| it.lifecycle.delete_after_days.unwrap_or(u32::MAX);
        let continuous = self.rules.iter().enumerate().filter(|it| it.1.continuous);
        let mut others = continuous.filter(|it| it.0 != rule && it.1.vault_name == own.vault_name);
        others.any(|(index, other)| {
            days(other) > days(own) || (days(other) == days(own) && index < rule)
        })
    }
}

impl Rule {
    /// Returns `true` if a start window of the rule overlaps the time from `from` to `until`.
    fn starts_within(&self, from: SystemTime, until: SystemTime) -> bool {
        // A window that begins at the end of another one does not overlap it.
        let last = self.schedule.last(until - Duration::from_secs(1));
        last.is_some_and(|it| it + self.start_window > from)
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, it)| (key.clone(), it))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(string).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn lifecycle(body: &Value) -> PointLifecycle {
    let lifecycle = &body["lifecycle"];
    let days = |name: &str| string(&lifecycle[name]).parse().ok();
    PointLifecycle {
        delete_after_days: days("delete_after_days"),
        cold_after_days: days("move_to_cold_storage_after_days"),
        archives: string(&lifecycle["opt_in_to_archive_for_supported_resources"]) == "true",
    }
}
