//! What an effective policy asks AWS Backup to do.

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
    /// The roles that it makes backups with.
    pub roles: BTreeSet<RoleName>,
    /// The role that it scans them with.
    pub scanner: Option<RoleName>,
    /// Whether it has its backups indexed, which is done with the roles that make them.
    pub indexes: bool,
}

/// A rule of a plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// When it makes backups; AWS decides when it is empty.
    pub schedule: String,
    /// The vault that it puts backups in.
    pub vault: Option<VaultName>,
    /// The logically air-gapped vault beside it that it puts them in.
    pub air_gapped: Option<VaultName>,
    /// After how many days it deletes them; never, when that is not said.
    pub delete_after_days: Option<i64>,
    /// The ARNs of the vaults it copies them to.
    pub copies: Vec<String>,
}

impl Plan {
    /// The plans of an effective policy. What has no meaning for this program is left out.
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

    /// The vaults that its rules put backups in.
    pub fn vaults(&self) -> impl Iterator<Item = &VaultName> {
        self.rules.iter().flat_map(Rule::vaults)
    }
}

impl Rule {
    /// The vaults of the account that it puts backups in.
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

/// The name of the role with this ARN, which is what comes last whatever path is before it.
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
