//! The plans of an effective policy, as AWS Backup carries them out.

use std::time::Duration;

use policy::cron::Schedule;
use serde_json::{Map, Value};

use super::selection::{Condition, Operator, Selection, Source};
use crate::outline::{Effective, Setting};

/// The schedule of a rule that names none.
const DEFAULT_SCHEDULE: &str = "cron(0 5 ? * * *)";

/// The time that a job may wait for its start, if the rule names none.
const START: Duration = Duration::from_hours(8);

/// The time that a job may run, if the rule names none.
const COMPLETE: Duration = Duration::from_hours(7 * 24);

/// A plan of an effective policy.
#[derive(Clone, Debug)]
pub struct BackupPlan {
    /// Its name.
    pub name: String,
    /// The codes of the Regions in which it makes backups.
    pub regions: Vec<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// The selections of the resources that it backs up.
    pub selections: Vec<Selection>,
}

/// A rule of a plan.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The schedule of its backups. `None` if the expression cannot be read.
    pub schedule: Option<Schedule>,
    /// The name of its vault.
    pub vault: String,
    /// The ARN of its logically air-gapped vault, with `$account` and `$region`.
    pub air_gapped: Option<String>,
    /// The time that a job may wait for its start.
    pub start: Duration,
    /// The time that a job may run.
    pub complete: Duration,
    /// True if it makes continuous backups of types that have them.
    pub is_continuous: bool,
    /// The number of days after which its backups are deleted. `None` if they are never deleted.
    pub keep: Option<i64>,
    /// The copies of its backups.
    pub copies: Vec<Copy>,
}

/// A copy that a rule makes of each backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copy {
    /// The ARN of the vault, with `$account` and `$region`.
    pub vault: String,
    /// The number of days after which the copy is deleted. `None` if the retention of its backup
    /// decides.
    pub keep: Option<i64>,
}

impl BackupPlan {
    /// Returns the plans of an effective policy. Parts that have no meaning for AWS Backup are left
    /// out.
    pub fn all(effective: &Effective) -> Vec<Self> {
        let plans = members(&effective.document, "plans");
        plans.map(|(name, it)| Self::read(name, it, &effective.settings)).collect()
    }

    fn read(name: &str, plan: &Value, settings: &[Setting]) -> Self {
        let none = Map::new();
        let groups = plan.get("selections").and_then(Value::as_object).unwrap_or(&none);
        let selections = groups.iter().flat_map(|(group, all)| {
            let all = all.as_object().into_iter().flatten();
            all.map(move |(name, it)| (group, name, it))
        });
        let selections = selections.map(|(group, selection, it)| {
            let place = format!("plans/{name}/selections/{group}/{selection}/");
            Selection { origins: origins(settings, &place), ..selected(selection, it) }
        });
        Self {
            name: name.to_owned(),
            regions: list(plan, "regions"),
            rules: members(plan, "rules").map(|(name, it)| Rule::read(name, it)).collect(),
            selections: selections.collect(),
        }
    }
}

impl Rule {
    fn read(name: &str, rule: &Value) -> Self {
        let minutes = |key, otherwise| {
            let minutes = text(rule, key).and_then(|it| it.parse().ok()).map(Duration::from_mins);
            minutes.unwrap_or(otherwise)
        };
        let copies = members(rule, "copy_actions").map(|(vault, it)| Copy {
            vault: text(it, "target_backup_vault_arn").unwrap_or(vault).to_owned(),
            keep: keep(it),
        });
        Self {
            name: name.to_owned(),
            schedule: Schedule::parse(
                text(rule, "schedule_expression").unwrap_or(DEFAULT_SCHEDULE),
            )
            .ok(),
            vault: text(rule, "target_backup_vault_name").unwrap_or_default().to_owned(),
            air_gapped: text(rule, "target_logically_air_gapped_backup_vault_arn")
                .map(ToOwned::to_owned),
            start: minutes("start_backup_window_minutes", START),
            complete: minutes("complete_backup_window_minutes", COMPLETE),
            is_continuous: text(rule, "enable_continuous_backup") == Some("true"),
            keep: keep(rule),
            copies: copies.collect(),
        }
    }

    /// Returns `true` if its backups are kept longer than those of `other`.
    pub(super) fn is_kept_longer(&self, other: &Self) -> bool {
        match (self.keep, other.keep) {
            (None, Some(_)) => true,
            (Some(one), Some(other)) => one > other,
            (_, None) => false,
        }
    }
}

fn selected(name: &str, selection: &Value) -> Selection {
    let key = text(selection, "tag_key");
    let tags = key.into_iter().flat_map(|key| {
        let values = list(selection, "tag_value").into_iter();
        values.map(move |it| (key.to_owned(), it))
    });
    let conditions = Operator::ALL.iter().flat_map(|(operator, it)| {
        let conditions = selection.get("conditions").into_iter();
        conditions.flat_map(move |all| members(all, operator)).map(move |(_, condition)| {
            let text = |key| text(condition, key).unwrap_or_default().to_owned();
            Condition { operator: *it, key: text("condition_key"), value: text("condition_value") }
        })
    });
    Selection {
        name: name.to_owned(),
        role: text(selection, "iam_role_arn").unwrap_or_default().to_owned(),
        tags: tags.collect(),
        resources: list(selection, "resource_types"),
        except: list(selection, "not_resource_types"),
        conditions: conditions.collect(),
        origins: vec![],
    }
}

/// Returns the policies that contribute to the settings below `place`.
fn origins(settings: &[Setting], place: &str) -> Vec<Source> {
    let below = settings.iter().filter(|it| it.path.starts_with(place));
    let mut sources: Vec<_> = below
        .flat_map(|it| &it.origins)
        .map(|it| Source { policy: it.policy.clone(), target: it.target.clone() })
        .collect();
    sources.sort();
    sources.dedup();
    sources
}

fn keep(of: &Value) -> Option<i64> {
    text(of.get("lifecycle")?, "delete_after_days")?.parse().ok()
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = value.get(name).and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, it)| (name.as_str(), it))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn list(value: &Value, name: &str) -> Vec<String> {
    let values = value.get(name).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|it| it.as_str().map(ToOwned::to_owned)).collect()
}
