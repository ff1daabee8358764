//! The plans of an effective policy, as AWS Backup carries them out.

use std::time::Duration;

use policy::cron::Schedule;
use policy::{EffectivePlan, EffectiveRule, EffectiveSelection};

use super::selection::{Condition, Operator, Selection, Source};
use crate::outline::{Effective, Setting};

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
    /// True if backups or copies stay in cold storage for less time than AWS Backup accepts.
    pub is_cold_too_short: bool,
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
        let plans = EffectivePlan::all(&effective.document).into_iter();
        plans.map(|it| Self::of(it, &effective.settings)).collect()
    }

    fn of(plan: EffectivePlan, settings: &[Setting]) -> Self {
        let selections = plan.selections.into_iter().map(|it| {
            let place = format!("plans/{}/selections/{}/{}/", plan.name, it.group, it.name);
            Selection { origins: origins(settings, &place), ..selected(it) }
        });
        Self {
            selections: selections.collect(),
            name: plan.name,
            regions: plan.regions,
            rules: plan.rules.into_iter().map(Rule::from).collect(),
        }
    }
}

impl From<EffectiveRule> for Rule {
    fn from(rule: EffectiveRule) -> Self {
        let copies = rule
            .copies
            .iter()
            .map(|it| Copy { vault: it.vault.clone(), keep: it.lifecycle.delete_after_days });
        let lifecycles = rule.copies.iter().map(|it| it.lifecycle).chain([rule.lifecycle]);
        let is_cold_too_short = lifecycles.into_iter().any(|it| it.is_too_short());
        Self {
            is_cold_too_short,
            schedule: rule.runs().ok(),
            start: rule.start_minutes.map_or(START, Duration::from_mins),
            complete: rule.complete_minutes.map_or(COMPLETE, Duration::from_mins),
            copies: copies.collect(),
            name: rule.name,
            vault: rule.vault.unwrap_or_default(),
            air_gapped: rule.air_gapped,
            is_continuous: rule.is_continuous,
            keep: rule.lifecycle.delete_after_days,
        }
    }
}

impl Rule {
    /// Returns `true` if its backups are kept longer than those of `other`.
    pub(super) fn is_kept_longer(&self, other: &Self) -> bool {
        match (self.keep, other.keep) {
            (None, Some(_)) => true,
            (Some(one), Some(other)) => one > other,
            (_, None) => false,
        }
    }
}

fn selected(selection: EffectiveSelection) -> Selection {
    let values = selection.tag_values.into_iter();
    let tags = selection
        .tag_key
        .into_iter()
        .flat_map(|key| values.clone().map(move |it| (key.clone(), it)));
    // As AWS Backup has them: by operator.
    let conditions = Operator::ALL.iter().flat_map(|(operator, it)| {
        let conditions = selection.conditions.iter().filter(move |it| it.operator == *operator);
        conditions.map(move |condition| {
            let (key, value) = (condition.key.clone(), condition.value.clone());
            Condition { operator: *it, key, value }
        })
    });
    Selection {
        conditions: conditions.collect(),
        tags: tags.collect(),
        name: selection.name,
        role: selection.role.unwrap_or_default(),
        resources: selection.resource_types,
        except: selection.not_resource_types,
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
