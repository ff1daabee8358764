//! The plans that an effective policy defines for AWS Backup.

use std::collections::BTreeSet;

use crate::id::{Region, RoleName, VaultName};
use serde_json::{Map, Value};

/// A plan of an effective policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The Regions in which it makes backups.
    pub regions: BTreeSet<Region>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// The roles that it uses to make backups.
    pub roles: BTreeSet<RoleName>,
    /// The role that it uses to scan backups.
    pub scanner: Option<RoleName>,
    /// True if its backups are indexed, which uses the roles that make them.
    pub indexes: bool,
}

/// A rule of a plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The schedule. If it is empty, AWS decides when backups are made.
    pub schedule: String,
    /// The vault for its backups.
    pub vault: Option<VaultName>,
    /// The additional logically air-gapped vault for its backups.
    pub air_gapped: Option<VaultName>,
    /// The number of days after which it deletes backups, or `None` if it never does.
    pub delete_after_days: Option<i64>,
    /// The ARNs of the vaults that it copies backups to.
    pub copies: Vec<String>,
}

impl Plan {
    /// Returns the plans of an effective policy. Parts that this program does not use are left out.
    pub fn all(document: &Value) -> Vec<Self> {
        members(document, "plans").map(|(name, it)| Self::read(name, it)).collect()
    }

    fn read(name: &str, plan: &Value) -> Self {
        let regions = plan.get("regions").and_then(Value::as_array).into_iter().flatten();
        let regions = regions.filter_map(|it| it.as_str()?.parse().ok());
        let kinds = members(plan, "selections").filter_map(|(_, it)| it.as_object());
        let roles = kinds.flat_map(Map::values).filter_map(|it| role(it, "iam_role_arn"));
        let mut scanners = members(plan, "scan_settings").map(|it| it.1);
        Self {
            name: name.to_owned(),
            regions: regions.collect(),
            rules: members(plan, "rules").map(|(name, it)| Rule::read(name, it)).collect(),
            roles: roles.collect(),
            scanner: scanners.find_map(|it| role(it, "scanner_role_arn")),
            indexes: members(plan, "rules").any(|(_, it)| it.get("index_actions").is_some()),
        }
    }

    /// Returns the vaults that its rules use for backups.
    pub fn vaults(&self) -> impl Iterator<Item = &VaultName> {
        self.rules.iter().flat_map(Rule::vaults)
    }
}

impl Rule {
    /// Returns the vaults in the account that it uses for backups.
    pub fn vaults(&self) -> impl Iterator<Item = &VaultName> {
        self.vault.iter().chain(&self.air_gapped)
    }

    fn read(name: &str, rule: &Value) -> Self {
        let days = rule.get("lifecycle").and_then(|it| text(it, "delete_after_days"));
        Self {
            name: name.to_owned(),
            schedule: text(rule, "schedule_expression").unwrap_or_default().to_owned(),
            vault: text(rule, "target_backup_vault_name").and_then(|it| it.parse().ok()),
            air_gapped: text(rule, "target_logically_air_gapped_backup_vault_arn")
                .and_then(|it| it.rsplit(':').next()?.parse().ok()),
            delete_after_days: days.and_then(|it| it.parse().ok()),
            copies: members(rule, "copy_actions").map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

/// Returns the name of the role in the ARN under `key`: the last part, after any path.
fn role(of: &Value, key: &str) -> Option<RoleName> {
    text(of, key)?.rsplit('/').next()?.parse().ok()
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = value.get(name).and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, it)| (name.as_str(), it))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}
