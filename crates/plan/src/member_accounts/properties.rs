//! The properties of the resource.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use super::{Desired, Objective, OnNotReady, OptIn, Preferences, TagFilter};
use crate::id::{AccountId, Region, ResourceType, RoleArn, RoleName, Target, VaultName};
use crate::scalar::{Flag, List, Optional};
use crate::serialized;

/// The properties of the resource.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The role that is assumed in every member account.
    pub role_name: RoleName,
    /// The Regions in which backups are made.
    regions: List<Region>,
    /// The roots, OUs and accounts to work in, with everything below them.
    #[serde(default = "everywhere")]
    target_ids: List<Target>,
    /// The accounts to leave out.
    #[serde(default)]
    pub exclude_accounts: List<AccountId>,
    /// The resource types that are backed up: `All`, or these types. Other types are left alone.
    #[serde(default)]
    opt_in: OptInProperty,
    /// The resource types that AWS Backup manages fully. Other types are left alone.
    #[serde(default)]
    management: BTreeMap<ResourceType, Flag>,
    /// The vault that every Region must have.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    vault_name: Optional<VaultName>,
    /// The role that AWS Backup uses, which every account must have.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    backup_role_name: Optional<RoleName>,
    /// The account that receives copies. If no target reaches it, the run still works in it, with a
    /// separate role: it then has neither the vault nor the roles of the other accounts.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    central_account_id: Optional<AccountId>,
    /// The role that is assumed in that account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    central_role_name: Optional<RoleName>,
    /// Tags that exclude a resource from backups.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub excluded_tags: List<TagFilter>,
    /// The maximum age of the newest backup of some resources.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub recovery_point_objective_hours: List<Objective>,
    /// The effect on the stack of accounts that are not ready.
    #[serde(default)]
    pub on_not_ready: OnNotReady,
    /// The role to assume if the function does not run in the management account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub management_role_arn: Optional<RoleArn>,
    /// The number of accounts that are worked in at once.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    concurrency: Optional<Concurrency>,
}

/// The number of accounts that are worked in at once, from 1 to 256.
///
/// With the default of 32, a run over 2,000 accounts with 17 Regions takes about four minutes if
/// calls take 0.2 seconds, and stays far below the limits of STS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Concurrency(usize);

impl Default for Concurrency {
    fn default() -> Self {
        Self(32)
    }
}

impl FromStr for Concurrency {
    type Err = InvalidProperties;

    fn from_str(text: &str) -> Result<Self, InvalidProperties> {
        let number = text.parse().ok().filter(|it| (1..=256).contains(it));
        number.map(Self).ok_or(InvalidProperties::Concurrency)
    }
}

impl Serialize for Concurrency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The resource types that are backed up, as in a template.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct OptInProperty(OptIn);

impl<'de> Deserialize<'de> for OptInProperty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptInVisitor;
        impl<'de> Visitor<'de> for OptInVisitor {
            type Value = OptInProperty;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`All`, or resource types that are each true or false")
            }

            fn visit_str<E: Error>(self, it: &str) -> Result<OptInProperty, E> {
                match it {
                    "All" => Ok(OptInProperty(OptIn::All)),
                    // An unused parameter is empty.
                    "" => Ok(OptInProperty::default()),
                    _ => Err(E::invalid_value(Unexpected::Str(it), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OptInProperty, A::Error> {
                let types = BTreeMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(OptInProperty(OptIn::These(preferences(&types))))
            }
        }
        deserializer.deserialize_any(OptInVisitor)
    }
}

impl Serialize for OptInProperty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            OptIn::All => serializer.serialize_str("All"),
            OptIn::These(types) => types.serialize(serializer),
        }
    }
}

/// The reason why the combination of properties is invalid.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidProperties {
    /// There is no Region to work in.
    #[error("`Regions` is empty")]
    NoRegions,
    /// There is no account to work in.
    #[error("`TargetIds` is empty")]
    NoTargets,
    /// There is nothing to set and nothing to check.
    #[error("there is nothing to do")]
    NothingToDo,
    /// There is no role to enter the central account.
    #[error("`CentralAccountId` needs `CentralRoleName`")]
    NoCentralRole,
    /// The number is too small or too large.
    #[error("`Concurrency` is a number from 1 to 256")]
    Concurrency,
}

impl InvalidProperties {
    /// Returns the hint, unless the message already says what to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRegions => Some("name the Regions in which backups are made"),
            Self::NoTargets => Some("leave it out for the whole organization"),
            Self::NothingToDo => {
                Some("set one of `OptIn`, `Management`, `VaultName` and `BackupRoleName`")
            }
            Self::NoCentralRole => Some("name the role that is assumed there"),
            Self::Concurrency => None,
        }
    }
}

impl Properties {
    /// Returns the properties as they are stored.
    pub fn kept(&self) -> Value {
        serialized::value(self)
    }

    /// Returns the desired state of every account.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no Region to work in, or nothing to do.
    pub fn desired(&self) -> Result<Desired, InvalidProperties> {
        let desired = Desired {
            regions: self.regions.0.iter().cloned().collect(),
            opt_in: self.opt_in.0.clone(),
            management: preferences(&self.management),
            vault: self.vault_name.0.clone(),
            role: self.backup_role_name.0.clone(),
        };
        if desired.regions.is_empty() {
            return Err(InvalidProperties::NoRegions);
        }
        if !desired.has_settings() && desired.vault.is_none() && desired.role.is_none() {
            return Err(InvalidProperties::NothingToDo);
        }
        Ok(desired)
    }

    /// Returns the targets that contain the accounts.
    ///
    /// # Errors
    ///
    /// Returns an error if there are none.
    pub fn targets(&self) -> Result<Vec<Target>, InvalidProperties> {
        match self.target_ids.0.as_slice() {
            [] => Err(InvalidProperties::NoTargets),
            targets => Ok(targets.to_vec()),
        }
    }

    /// Returns these properties with `role` as the role that enters every account.
    #[must_use]
    pub fn entered_by(self, role: &RoleName) -> Self {
        let central_role_name = Optional(self.central_role_name.as_ref().map(|_| role.clone()));
        Self { role_name: role.clone(), central_role_name, ..self }
    }

    /// Returns the account that receives copies, and the role to assume there if no target reaches
    /// it.
    ///
    /// # Errors
    ///
    /// Returns an error if the account is named but the role is not.
    pub fn central(&self) -> Result<Option<(&AccountId, &RoleName)>, InvalidProperties> {
        let Some(account) = &self.central_account_id.0 else { return Ok(None) };
        Ok(Some((
            account,
            self.central_role_name.as_ref().ok_or(InvalidProperties::NoCentralRole)?,
        )))
    }

    /// Returns the number of accounts that are worked in at once.
    pub fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or_default().0
    }
}

fn preferences(types: &BTreeMap<ResourceType, Flag>) -> Preferences {
    types.iter().map(|(it, on)| (it.clone(), on.0)).collect()
}

fn everywhere() -> List<Target> {
    List(vec![Target::Root])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(more: Value) -> Result<Properties, serde_json::Error> {
        let mut properties = json!({ "RoleName": "org-backup-member", "Regions": ["eu-west-1"] });
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(properties)
    }

    fn desired(more: Value) -> Result<Desired, InvalidProperties> {
        read(more).unwrap().desired()
    }

    #[test]
    fn what_is_opted_into_is_all_or_types_as_cloudformation_sends_them() {
        assert_eq!(desired(json!({ "OptIn": "All" })).unwrap().opt_in, OptIn::All);
        let types = json!({ "OptIn": { "EBS": "true", "Storage Gateway": false } });
        let OptIn::These(types) = desired(types).unwrap().opt_in else { panic!("not all") };
        assert_eq!(types.into_values().collect::<Vec<_>>(), [true, false]);
        assert!(read(json!({ "OptIn": "Some" })).is_err());
        assert!(read(json!({ "OptIn": { "EBS": "yes" } })).is_err());
    }

    #[test]
    fn nothing_to_do_is_refused_and_so_is_nowhere_and_nobody() {
        assert_eq!(desired(json!({})), Err(InvalidProperties::NothingToDo));
        assert_eq!(
            desired(json!({ "OptIn": "", "VaultName": "" })),
            Err(InvalidProperties::NothingToDo)
        );
        assert_eq!(
            desired(json!({ "OptIn": "All", "Regions": "" })),
            Err(InvalidProperties::NoRegions)
        );
        assert_eq!(
            read(json!({ "TargetIds": [] })).unwrap().targets(),
            Err(InvalidProperties::NoTargets)
        );
    }

    #[test]
    fn a_vault_or_a_role_is_something_to_do() {
        let vault = desired(json!({ "VaultName": "org-backup" })).unwrap();
        assert_eq!(vault.vault, "org-backup".parse().ok());
        let role = desired(json!({ "BackupRoleName": "maker" })).unwrap();
        assert_eq!(role.role, "maker".parse().ok());
        let management = desired(json!({ "Management": { "DynamoDB": "true" } })).unwrap();
        assert_eq!(management.management.into_values().collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn a_combination_that_is_refused_says_what_to_set() {
        use InvalidProperties::{Concurrency, NoCentralRole, NoRegions, NoTargets, NothingToDo};
        let hints = [NoRegions, NoTargets, NothingToDo, NoCentralRole, Concurrency];
        expect_test::expect![[r#"
            [
                Some(
                    "name the Regions in which backups are made",
                ),
                Some(
                    "leave it out for the whole organization",
                ),
                Some(
                    "set one of `OptIn`, `Management`, `VaultName` and `BackupRoleName`",
                ),
                Some(
                    "name the role that is assumed there",
                ),
                None,
            ]
        "#]]
        .assert_debug_eq(&hints.map(|it| it.hint()));
        let refused = read(json!({ "OptIn": 1 })).unwrap_err().to_string();
        let expected = "expected `All`, or resource types that are each true or false";
        assert!(refused.contains(expected), "{refused}");
    }

    #[test]
    fn one_role_may_enter_every_account() {
        let role = "operator".parse().unwrap();
        let central = json!({ "CentralAccountId": "1".repeat(12), "CentralRoleName": "central" });
        let entered = read(central).unwrap().entered_by(&role);
        assert_eq!(entered.role_name, role);
        assert_eq!(entered.central().unwrap().unwrap().1, &role);
        let without = read(json!({})).unwrap().entered_by(&role);
        assert_eq!(without.central_role_name.0, None);
    }

    #[test]
    fn everybody_is_meant_unless_the_template_says_otherwise() {
        assert_eq!(read(json!({})).unwrap().targets(), Ok(vec![Target::Root]));
    }

    #[test]
    fn the_central_account_is_entered_by_a_role_of_its_own() {
        let account = json!({ "CentralAccountId": "666677778888" });
        assert_eq!(read(account).unwrap().central(), Err(InvalidProperties::NoCentralRole));
        let role = json!({ "CentralRoleName": "org-backup-central" });
        assert_eq!(read(role.clone()).unwrap().central(), Ok(None));
        let mut both = role;
        both["CentralAccountId"] = json!("666677778888");
        let both = read(both).unwrap();
        let (account, role) = both.central().unwrap().unwrap();
        assert_eq!((account.as_str(), role.as_str()), ("666677778888", "org-backup-central"));
    }

    #[test]
    fn concurrency_has_bounds() {
        assert_eq!(read(json!({})).unwrap().concurrency(), 32);
        assert_eq!(read(json!({ "Concurrency": "256" })).unwrap().concurrency(), 256);
        for bad in ["0", "257", "many"] {
            assert!(read(json!({ "Concurrency": bad })).is_err(), "{bad}");
        }
    }

    #[test]
    fn properties_read_back_as_they_were_written() {
        for more in [
            json!({ "OptIn": "All", "Concurrency": "8", "VaultName": "org-backup" }),
            json!({ "OptIn": { "EBS": "true" }, "TargetIds": "root, 111122223333" }),
        ] {
            let written = read(more).unwrap().kept();
            let again: Properties = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(again.kept(), written);
            assert_eq!(written["RoleName"], "org-backup-member");
        }
    }

    #[test]
    fn properties_are_kept_with_all_that_is_set_and_no_more() {
        let kept = |more| {
            let Value::Object(kept) = read(more).unwrap().kept() else { panic!("no object") };
            kept.keys().cloned().collect::<Vec<_>>()
        };
        let always = ["ExcludeAccounts", "Management", "OnNotReady", "OptIn", "Regions"];
        let always = [&always[..], &["RoleName", "TargetIds"]].concat();
        assert_eq!(kept(json!({ "VaultName": "" })), always);
        let set = json!({ "VaultName": "org-backup", "ExcludedTags": "backup=never" });
        for it in kept(set.clone()) {
            assert!(always.contains(&&it[..]) || set.get(&it).is_some(), "{it}");
        }
        assert_eq!(kept(set).len(), always.len() + 2, "nothing is lost");
    }

    #[test]
    fn ages_and_tags_are_kept_as_they_are_written() {
        let more = json!({ "RecoveryPointObjectiveHours": "RDS=24", "ExcludedTags": "a=b" });
        let kept = read(more).unwrap().kept();
        for (property, value) in
            [("RecoveryPointObjectiveHours", "RDS=24"), ("ExcludedTags", "a=b")]
        {
            assert_eq!(kept[property], json!([value]));
        }
    }
}
