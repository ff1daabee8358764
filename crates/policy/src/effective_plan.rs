//! Reads the work that an effective policy gives to AWS Backup.

use serde_json::{Map, Value};

use crate::cron::Schedule;
use crate::rules::COLD_DAYS;

/// The schedule of a rule that does not have one, as AWS Backup documents it.
pub const DEFAULT_SCHEDULE: &str = "cron(0 5 ? * * *)";

/// A plan of an effective policy.
///
/// The values are those of the policy. It is left to others to judge if AWS Backup can use them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EffectivePlan {
    /// Its name.
    pub name: String,
    /// The codes of the Regions in which it makes backups.
    pub regions: Vec<String>,
    /// Its rules.
    pub rules: Vec<EffectiveRule>,
    /// The selections of the resources that it backs up.
    pub selections: Vec<EffectiveSelection>,
    /// The ARNs of the roles with which it scans backups.
    pub scanners: Vec<String>,
}

/// A rule of a plan.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EffectiveRule {
    /// Its name.
    pub name: String,
    /// The schedule on which it makes backups, if the rule has one.
    pub schedule: Option<String>,
    /// The name of its vault.
    pub vault: Option<String>,
    /// The ARN of its logically air-gapped vault, with `$account` and `$region`.
    pub air_gapped: Option<String>,
    /// The number of minutes within which a job has to start.
    pub start_minutes: Option<u64>,
    /// The number of minutes within which a job has to end.
    pub complete_minutes: Option<u64>,
    /// True if it makes continuous backups of the types that support them.
    pub is_continuous: bool,
    /// True if its backups are indexed.
    pub has_index: bool,
    /// The lifecycle of its backups.
    pub lifecycle: EffectiveLifecycle,
    /// The copies that it makes of each backup.
    pub copies: Vec<EffectiveCopy>,
}

/// The lifecycle of backups.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EffectiveLifecycle {
    /// The number of days after which they are moved to cold storage. They are never moved without
    /// it.
    pub cold_after_days: Option<i64>,
    /// The number of days after which they are deleted. They are never deleted without it.
    pub delete_after_days: Option<i64>,
}

/// A copy that a rule makes of each backup.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EffectiveCopy {
    /// The ARN of the vault, with `$account` and `$region`.
    pub vault: String,
    /// The lifecycle of the copies.
    pub lifecycle: EffectiveLifecycle,
}

/// A selection of the resources that a plan backs up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EffectiveSelection {
    /// `tags` or `resources`.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The ARN of the role that finds and backs up the resources, with `$account`.
    pub role: Option<String>,
    /// The key of the tag that selected resources have.
    pub tag_key: Option<String>,
    /// The values of the tag, one of which a selected resource has.
    pub tag_values: Vec<String>,
    /// ARNs with `*`, one of which matches a selected resource.
    pub resource_types: Vec<String>,
    /// ARNs with `*`, none of which matches a selected resource.
    pub not_resource_types: Vec<String>,
    /// The conditions, all of which hold for a selected resource.
    pub conditions: Vec<EffectiveCondition>,
}

/// A condition of a selection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EffectiveCondition {
    /// The comparison, such as `string_equals`.
    pub operator: String,
    /// The key, such as `aws:ResourceTag/tier`.
    pub key: String,
    /// The value with which it compares.
    pub value: String,
}

impl EffectivePlan {
    /// Returns the plans of an effective policy, which is a document as `DescribeEffectivePolicy`
    /// returns it. Parts without a meaning for AWS Backup are left out.
    ///
    /// ```
    /// use policy::EffectivePlan;
    /// use serde_json::json;
    ///
    /// let document = json!({ "plans": { "daily": {
    ///     "regions": ["eu-west-1"],
    ///     "rules": { "nightly": { "lifecycle": { "delete_after_days": "35" } } },
    /// } } });
    /// let plans = EffectivePlan::all(&document);
    /// let rule = &plans[0].rules[0];
    /// assert_eq!(rule.lifecycle.delete_after_days, Some(35));
    /// // A rule that does not say when it runs does so once a day.
    /// assert_eq!(rule.schedule_expression(), "cron(0 5 ? * * *)");
    /// ```
    #[must_use]
    pub fn all(document: &Value) -> Vec<Self> {
        members(document, "plans").map(|(name, it)| Self::read(name, it)).collect()
    }

    fn read(name: &str, plan: &Value) -> Self {
        let selections = members(plan, "selections").flat_map(|(group, all)| {
            let all = all.as_object().into_iter().flatten();
            all.map(move |(name, it)| EffectiveSelection::read(group, name, it))
        });
        let scanners =
            members(plan, "scan_settings").filter_map(|it| text(it.1, "scanner_role_arn"));
        Self {
            name: name.to_owned(),
            regions: list(plan, "regions"),
            rules: members(plan, "rules").map(|(name, it)| EffectiveRule::read(name, it)).collect(),
            selections: selections.collect(),
            scanners: scanners.collect(),
        }
    }
}

impl EffectiveRule {
    fn read(name: &str, rule: &Value) -> Self {
        let copies = members(rule, "copy_actions").map(|(key, it)| EffectiveCopy {
            vault: text(it, "target_backup_vault_arn").unwrap_or_else(|| key.to_owned()),
            lifecycle: EffectiveLifecycle::of(it),
        });
        Self {
            name: name.to_owned(),
            schedule: text(rule, "schedule_expression"),
            vault: text(rule, "target_backup_vault_name"),
            air_gapped: text(rule, "target_logically_air_gapped_backup_vault_arn"),
            start_minutes: number(rule, "start_backup_window_minutes"),
            complete_minutes: number(rule, "complete_backup_window_minutes"),
            is_continuous: rule.get("enable_continuous_backup").is_some_and(|it| it == "true"),
            has_index: rule.get("index_actions").is_some(),
            lifecycle: EffectiveLifecycle::of(rule),
            copies: copies.collect(),
        }
    }

    /// Returns the schedule on which it makes backups: its own, or else the default of AWS Backup.
    #[must_use]
    pub fn schedule_expression(&self) -> &str {
        self.schedule.as_deref().unwrap_or(DEFAULT_SCHEDULE)
    }

    /// Returns the runs of the rule.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS does not understand the schedule expression. The error says which
    /// part is wrong, and why.
    pub fn runs(&self) -> Result<Schedule, String> {
        Schedule::parse(self.schedule_expression())
    }
}

impl EffectiveLifecycle {
    /// Returns `true` if backups stay in cold storage for less time than AWS Backup accepts: it refuses
    /// the plan.
    pub fn is_too_short(&self) -> bool {
        let days = self.cold_after_days.zip(self.delete_after_days);
        days.is_some_and(|(cold, delete)| delete < cold.saturating_add_unsigned(COLD_DAYS))
    }

    fn of(rule: &Value) -> Self {
        let days = |key| rule.get("lifecycle").and_then(|it| number(it, key));
        Self {
            cold_after_days: days("move_to_cold_storage_after_days"),
            delete_after_days: days("delete_after_days"),
        }
    }
}

impl EffectiveSelection {
    fn read(group: &str, name: &str, selection: &Value) -> Self {
        let conditions = members(selection, "conditions").flat_map(|(operator, all)| {
            let all = all.as_object().into_iter().flatten();
            all.map(move |(_, it)| EffectiveCondition {
                operator: operator.to_owned(),
                key: text(it, "condition_key").unwrap_or_default(),
                value: text(it, "condition_value").unwrap_or_default(),
            })
        });
        Self {
            group: group.to_owned(),
            name: name.to_owned(),
            role: text(selection, "iam_role_arn"),
            tag_key: text(selection, "tag_key"),
            tag_values: list(selection, "tag_value"),
            resource_types: list(selection, "resource_types"),
            not_resource_types: list(selection, "not_resource_types"),
            conditions: conditions.collect(),
        }
    }
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members: Option<&Map<_, _>> = value.get(name).and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, it)| (name.as_str(), it))
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn number<T: std::str::FromStr>(value: &Value, name: &str) -> Option<T> {
    value.get(name)?.as_str()?.parse().ok()
}

fn list(value: &Value, name: &str) -> Vec<String> {
    let values = value.get(name).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|it| it.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_says_what_aws_backup_has_to_do() {
        let rule = json!({
            "schedule_expression": "cron(0 3 ? * * *)",
            "target_backup_vault_name": "main",
            "target_logically_air_gapped_backup_vault_arn": "arn:gapped",
            "start_backup_window_minutes": "60",
            "complete_backup_window_minutes": "120",
            "enable_continuous_backup": "true",
            "index_actions": { "resource_types": ["S3"] },
            "lifecycle": { "move_to_cold_storage_after_days": "7", "delete_after_days": "97" },
            "copy_actions": {
                "arn:far": { "target_backup_vault_arn": "arn:Far" },
                "arn:near": { "lifecycle": { "delete_after_days": "30" } },
            },
        });
        let condition =
            json!({ "condition_key": "aws:ResourceTag/tier", "condition_value": "gold" });
        let document = json!({ "plans": { "daily": {
            "regions": ["eu-west-1", "eu-west-3"],
            "rules": { "nightly": rule },
            "selections": {
                "tags": { "tagged": {
                    "iam_role_arn": "arn:role", "tag_key": "tier", "tag_value": ["gold", "silver"],
                } },
                "resources": { "all": {
                    "resource_types": ["*"], "not_resource_types": ["arn:aws:s3:::*"],
                    "conditions": { "string_equals": { "gold": condition } },
                } },
            },
            "scan_settings": { "GUARDDUTY": { "scanner_role_arn": "arn:scanner" } },
        } } });
        let days =
            |cold, delete| EffectiveLifecycle { cold_after_days: cold, delete_after_days: delete };
        let own = |it: &str| Some(it.to_owned());
        let expected = EffectivePlan {
            name: "daily".to_owned(),
            regions: ["eu-west-1", "eu-west-3"].map(str::to_owned).into(),
            rules: vec![EffectiveRule {
                name: "nightly".to_owned(),
                schedule: own("cron(0 3 ? * * *)"),
                vault: own("main"),
                air_gapped: own("arn:gapped"),
                start_minutes: Some(60),
                complete_minutes: Some(120),
                is_continuous: true,
                has_index: true,
                lifecycle: days(Some(7), Some(97)),
                copies: vec![
                    EffectiveCopy { vault: "arn:Far".to_owned(), lifecycle: days(None, None) },
                    EffectiveCopy { vault: "arn:near".to_owned(), lifecycle: days(None, Some(30)) },
                ],
            }],
            selections: vec![
                EffectiveSelection {
                    group: "resources".to_owned(),
                    name: "all".to_owned(),
                    resource_types: vec!["*".to_owned()],
                    not_resource_types: vec!["arn:aws:s3:::*".to_owned()],
                    conditions: vec![EffectiveCondition {
                        operator: "string_equals".to_owned(),
                        key: "aws:ResourceTag/tier".to_owned(),
                        value: "gold".to_owned(),
                    }],
                    ..EffectiveSelection::default()
                },
                EffectiveSelection {
                    group: "tags".to_owned(),
                    name: "tagged".to_owned(),
                    role: own("arn:role"),
                    tag_key: own("tier"),
                    tag_values: ["gold", "silver"].map(str::to_owned).into(),
                    ..EffectiveSelection::default()
                },
            ],
            scanners: vec!["arn:scanner".to_owned()],
        };
        assert_eq!(EffectivePlan::all(&document), [expected]);
        assert_eq!(EffectivePlan::all(&json!({})), []);
    }

    #[test]
    fn a_rule_without_a_schedule_has_the_default_of_aws_backup() {
        let rule = EffectiveRule::default();
        assert_eq!(rule.schedule_expression(), DEFAULT_SCHEDULE);
        assert_eq!(rule.runs(), Schedule::parse("cron(0 5 ? * * *)"));
        let weekly = "cron(0 3 ? * SUN *)";
        let rule = EffectiveRule { schedule: Some(weekly.to_owned()), ..rule };
        assert_eq!(rule.schedule_expression(), weekly);
        assert_eq!(rule.runs(), Schedule::parse(weekly));
    }

    #[test]
    fn cold_backups_are_kept_there_for_90_days_at_the_least() {
        let is_too_short = |cold_after_days, delete_after_days| {
            EffectiveLifecycle { cold_after_days, delete_after_days }.is_too_short()
        };
        assert!(is_too_short(Some(30), Some(119)));
        assert!(!is_too_short(Some(30), Some(120)));
        assert!(!is_too_short(None, Some(7)));
        assert!(!is_too_short(Some(30), None));
    }
}
