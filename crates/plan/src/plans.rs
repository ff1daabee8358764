//! The plans that an effective policy defines for AWS Backup.

use std::collections::BTreeSet;

use policy::arn::Arn;
use policy::{EffectivePlan, EffectiveRule};
use serde_json::Value;

use crate::id::{Region, RoleName, VaultName, role_name};

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
    /// The schedule of its backups.
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
        EffectivePlan::all(document).into_iter().map(Self::from).collect()
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
}

impl From<EffectivePlan> for Plan {
    fn from(plan: EffectivePlan) -> Self {
        let roles = plan.selections.iter().filter_map(|it| role_name(it.role.as_deref()?));
        Self {
            regions: plan.regions.iter().filter_map(|it| it.parse().ok()).collect(),
            roles: roles.collect(),
            scanner: plan.scanners.iter().find_map(|it| role_name(it)),
            indexes: plan.rules.iter().any(|it| it.has_index),
            rules: plan.rules.into_iter().map(Rule::from).collect(),
            name: plan.name,
        }
    }
}

impl From<EffectiveRule> for Rule {
    fn from(rule: EffectiveRule) -> Self {
        Self {
            schedule: rule.schedule_expression().to_owned(),
            vault: rule.vault.and_then(|it| it.parse().ok()),
            air_gapped: rule.air_gapped.and_then(|it| Arn::parse(&it).ok()?.vault()?.parse().ok()),
            delete_after_days: rule.lifecycle.delete_after_days,
            copies: rule.copies.into_iter().map(|it| it.vault).collect(),
            name: rule.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_has_what_this_program_uses_of_it() {
        let arn = |name: &str| format!("arn:aws:iam::111122223333:role/path/{name}");
        let selection = json!({ "iam_role_arn": arn("maker"), "tag_key": "a", "tag_value": ["b"] });
        let air_gapped = "arn:aws:backup:eu-west-1:111122223333:backup-vault:gapped";
        let central = "arn:aws:backup:eu-west-1:444455556666:backup-vault:central";
        let rule = json!({
            "schedule_expression": "cron(0 3 ? * * *)",
            "target_backup_vault_name": "main",
            "target_logically_air_gapped_backup_vault_arn": air_gapped,
            "lifecycle": { "delete_after_days": "35" },
            "copy_actions": { central: { "target_backup_vault_arn": central } },
            "index_actions": { "resource_types": ["S3"] },
        });
        let document = json!({ "plans": { "daily": {
            "regions": ["eu-west-1", "no Region"],
            "rules": { "nightly": rule },
            "selections": { "tags": { "tagged": selection } },
            "scan_settings": { "GUARDDUTY": {
                "resource_types": ["EC2"], "scanner_role_arn": arn("scanner"),
            } },
        } } });
        let [vault, gapped] = ["main", "gapped"].map(|it| it.parse().unwrap());
        let plan = Plan {
            name: "daily".to_owned(),
            regions: ["eu-west-1".parse().unwrap()].into(),
            rules: vec![Rule {
                name: "nightly".to_owned(),
                schedule: "cron(0 3 ? * * *)".to_owned(),
                vault: Some(vault),
                air_gapped: Some(gapped),
                delete_after_days: Some(35),
                copies: vec![central.to_owned()],
            }],
            roles: ["maker".parse().unwrap()].into(),
            scanner: "scanner".parse().ok(),
            indexes: true,
        };
        let vaults: Vec<_> = plan.vaults().map(VaultName::as_str).collect();
        assert_eq!(vaults, ["main", "gapped"]);
        assert_eq!(Plan::all(&document), [plan]);
        assert_eq!(Plan::all(&json!({})), []);
    }

    #[test]
    fn an_air_gapped_vault_is_one_of_aws_backup() {
        let air_gapped = |arn: &str| {
            let rule = json!({ "target_logically_air_gapped_backup_vault_arn": arn });
            let document = json!({ "plans": { "daily": { "rules": { "nightly": rule } } } });
            Plan::all(&document)[0].rules[0].air_gapped.clone()
        };
        let vault = "arn:aws:backup:eu-west-1:$account:backup-vault:gapped";
        assert_eq!(air_gapped(vault), "gapped".parse().ok());
        for other in ["arn:aws:glacier:eu-west-1:111122223333:vaults/gapped", "gapped"] {
            assert_eq!(air_gapped(other), None, "{other}");
        }
    }
}
