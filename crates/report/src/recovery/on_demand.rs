//! A backup that somebody asks for.

use plan::id::{Region, RoleArn, VaultName};
use policy::document::sha256;
use serde_json::{Value, json};

use crate::coverage::{Coverage, Judge};

/// A backup job of a resource that is at work, as AWS Backup lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenBackup {
    /// Its ID.
    pub id: String,
    /// The name of the vault that it writes into, if AWS tells it.
    pub vault: Option<String>,
    /// The number of days after which its backup is deleted, if AWS tells it.
    pub keep_days: Option<i64>,
}

/// A backup that is made now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OnDemand {
    /// The ARN of the resource.
    pub resource: String,
    /// The Region of the resource.
    pub region: Region,
    /// The name of the vault.
    pub vault: VaultName,
    /// The role that AWS Backup makes it with.
    pub role: RoleArn,
    /// After how many days it is deleted; `None` when never.
    pub keep_days: Option<i64>,
    /// The source of these values, in words.
    pub by: String,
}

impl OnDemand {
    /// Returns what the effective plan gives a resource: of the rules that take it, the one whose backups
    /// are kept longest.
    pub fn of(resource: &str, judge: &Judge<'_>, coverage: &Coverage) -> Option<Self> {
        let place = judge.place();
        let here = |it: &str| {
            it.replace("$account", place.account.as_str()).replace("$region", place.region.as_str())
        };
        let owed = coverage.owed.iter().filter_map(|it| {
            let plan = judge.plan(it.plan)?;
            let taken = coverage.taken.iter().find(|to| to.plan == it.plan && to.is_opted_in)?;
            let selection = plan.selections.get(taken.selection)?;
            Some((plan, plan.rules.get(it.rule)?, selection))
        });
        let (plan, rule, selection) =
            owed.max_by_key(|it| (it.1.keep.is_none(), it.1.keep, &it.1.name))?;
        Some(Self {
            resource: resource.to_owned(),
            region: place.region.clone(),
            vault: here(&rule.vault).parse().ok()?,
            role: here(&selection.role).parse().ok()?,
            keep_days: rule.keep,
            by: format!("the rule `{}` of the plan `{}`", rule.name, plan.name),
        })
    }

    /// Returns `true` if a job that is at work makes this backup. What AWS does not tell of it is taken
    /// for the same.
    pub fn is_made_by(&self, job: &OpenBackup) -> bool {
        job.vault.as_deref().is_none_or(|it| it == self.vault.as_str())
            && job.keep_days.is_none_or(|it| self.keep_days == Some(it))
    }

    /// The token of the job. One that is at work is joined by what AWS lists, so that a backup of
    /// another moment is another one.
    pub fn token(&self, moment: u64) -> String {
        let Self { resource, vault, role, keep_days, .. } = self;
        sha256(format!("backup {resource} {vault} {role} {keep_days:?} {moment}").as_bytes())
    }

    /// The plan, line by line.
    pub fn lines(&self) -> Vec<String> {
        let Self { resource, region, vault, role, keep_days, by } = self;
        let kept = keep_days.map_or_else(|| "for ever".to_owned(), |it| format!("for {it} days"));
        vec![
            format!("backs up {resource}"),
            format!("  into the vault `{vault}` in {region}, with {role}, kept {kept}, by {by}"),
        ]
    }

    /// The plan for programs.
    pub fn json(&self) -> Value {
        let Self { resource, region, vault, role, keep_days, by } = self;
        json!({
            "resource": resource, "region": region, "vault": vault, "role": role,
            "keepDays": keep_days, "by": by,
        })
    }
}
