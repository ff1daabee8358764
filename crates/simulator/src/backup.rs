//! The settings of AWS Backup: the global settings of the organization and the Region settings of
//! each account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::backup_plans::BackupPlans;
use crate::refusal::{Answer, Code, Refusal};
use crate::restore_jobs::RestoreJobs;
use crate::vaults::Vaults;

/// The global settings, all `false` at first.
pub const GLOBAL_SETTINGS: [&str; 3] =
    ["isCrossAccountBackupEnabled", "isDelegatedAdministratorEnabled", "isMpaEnabled"];

/// The resource types that AWS Backup supports in any Region.
pub const RESOURCE_TYPES: [&str; 17] = [
    "Aurora",
    "CloudFormation",
    "DocumentDB",
    "DynamoDB",
    "EBS",
    "EC2",
    "EFS",
    "EKS",
    "FSx",
    "Neptune",
    "RDS",
    "Redshift",
    "S3",
    "SAP HANA on Amazon EC2",
    "Storage Gateway",
    "Timestream",
    "VirtualMachine",
];

/// The resource types for which full AWS Backup management can be turned on or off.
const MANAGED_TYPES: [&str; 2] = ["DynamoDB", "EFS"];

/// The Regions that have Timestream. Most Regions do not.
const TIMESTREAM: [&str; 8] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// The settings of AWS Backup.
#[derive(Clone, Debug, Default)]
pub struct Backup {
    global: BTreeMap<String, String>,
    global_updated: Duration,
    /// By account and Region.
    regional: BTreeMap<(String, String), RegionSettings>,
    /// The types for which full AWS Backup management was switched off, by account and Region.
    unmanaged: BTreeMap<(String, String), BTreeSet<String>>,
    /// By Region, if a test has set them.
    supported: BTreeMap<String, Vec<String>>,
    /// Resource types that are supported but have no opt-in setting.
    without_settings: BTreeSet<String>,
    vaults: Vaults,
    restore_jobs: RestoreJobs,
    plans: BackupPlans,
    now: Duration,
    revision: u64,
}

/// The settings of an account in a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionSettings {
    /// The opt-in of each resource type.
    pub opt_in: BTreeMap<String, bool>,
    /// True for each resource type with full AWS Backup management.
    pub management: BTreeMap<String, bool>,
}

impl Backup {
    /// Sets the clock.
    pub fn set_time(&mut self, now: Duration) {
        self.now = now;
        self.restore_jobs.set_time(now);
        self.plans.set_time(now);
    }

    /// Returns the number of changes of settings so far.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the three global settings.
    #[must_use]
    pub fn global_settings(&self) -> BTreeMap<String, String> {
        let value = |it: &str| self.global.get(it).map_or("false", String::as_str).to_owned();
        GLOBAL_SETTINGS.iter().map(|it| ((*it).to_owned(), value(it))).collect()
    }

    /// Returns the time at which the global settings last changed.
    pub(crate) fn global_updated(&self) -> Duration {
        self.global_updated
    }

    /// Changes the given settings and leaves the others unchanged.
    ///
    /// # Errors
    ///
    /// Returns the errors of `UpdateGlobalSettings`.
    pub fn update_global_settings(&mut self, settings: &BTreeMap<String, String>) -> Answer<()> {
        for (name, value) in settings {
            if !GLOBAL_SETTINGS.contains(&name.as_str()) {
                return Err(invalid("The global setting is not supported."));
            }
            if value != "true" && value != "false" {
                return Err(invalid("The value of a global setting must be true or false."));
            }
        }
        let before = self.global_settings();
        self.global.extend(settings.clone());
        if self.global_settings() != before {
            self.global_updated = self.now;
            self.revision += 1;
        }
        Ok(())
    }

    /// Returns the resource types of a Region. Without [`Self::set_supported_resource_types`],
    /// Timestream exists in some Regions and all other types exist everywhere.
    #[must_use]
    pub fn supported_resource_types(&self, region: &str) -> Vec<&str> {
        if let Some(types) = self.supported.get(region) {
            return types.iter().map(String::as_str).collect();
        }
        let has = |it: &&str| *it != "Timestream" || TIMESTREAM.contains(&region);
        RESOURCE_TYPES.into_iter().filter(has).collect()
    }

    /// Makes a Region support these resource types and no others.
    pub fn set_supported_resource_types(&mut self, region: &str, types: &[&str]) {
        let types = types.iter().map(|it| (*it).to_owned()).collect();
        self.supported.insert(region.to_owned(), types);
    }

    /// Makes every Region that supports this resource type refuse it as a setting.
    pub fn refuse_setting(&mut self, kind: &str) {
        self.without_settings.insert(kind.to_owned());
    }

    /// Returns the vaults.
    #[must_use]
    pub fn vaults(&self) -> &Vaults {
        &self.vaults
    }

    /// Returns the vaults for changes.
    pub fn vaults_mut(&mut self) -> &mut Vaults {
        &mut self.vaults
    }

    /// Returns the restore jobs.
    #[must_use]
    pub fn restore_jobs(&self) -> &RestoreJobs {
        &self.restore_jobs
    }

    /// Returns the restore jobs for changes.
    pub fn restore_jobs_mut(&mut self) -> &mut RestoreJobs {
        &mut self.restore_jobs
    }

    /// Returns the backup plans that accounts created themselves.
    #[must_use]
    pub fn plans(&self) -> &BackupPlans {
        &self.plans
    }

    /// Returns the same plans for changes.
    pub fn plans_mut(&mut self) -> &mut BackupPlans {
        &mut self.plans
    }

    /// Returns the settings of an account in a Region: a preference for every resource type of the
    /// Region that has one, `false` if it was never set.
    #[must_use]
    pub fn region_settings(&self, account: &str, region: &str) -> RegionSettings {
        let key = (account.to_owned(), region.to_owned());
        let given = self.regional.get(&key);
        let mut supported = self.supported_resource_types(region);
        supported.retain(|it| !self.without_settings.contains(*it));
        let preference = |given: Option<&BTreeMap<String, bool>>, kind: &str| {
            (kind.to_owned(), given.and_then(|it| it.get(kind)).copied().unwrap_or_default())
        };
        let opt_in = |it: &&str| preference(given.map(|it| &it.opt_in), it);
        let management = |it: &&str| preference(given.map(|it| &it.management), it);
        let managed = |it: &&&str| MANAGED_TYPES.contains(*it);
        RegionSettings {
            opt_in: supported.iter().map(opt_in).collect(),
            management: supported.iter().filter(managed).map(management).collect(),
        }
    }

    /// Returns `true` if somebody switched full AWS Backup management of a type off.
    pub(crate) fn is_unmanaged(&self, kind: &str, account: &str, region: &str) -> bool {
        let key = (account.to_owned(), region.to_owned());
        self.unmanaged.get(&key).is_some_and(|it| it.contains(kind))
    }

    /// Changes the given preferences and leaves the others unchanged.
    ///
    /// # Errors
    ///
    /// Returns the errors of `UpdateRegionSettings`. One unknown resource type refuses the whole
    /// call.
    pub fn update_region_settings(
        &mut self,
        account: &str,
        region: &str,
        opt_in: &BTreeMap<String, bool>,
        management: &BTreeMap<String, bool>,
    ) -> Answer<()> {
        let mut settings = self.region_settings(account, region);
        let known = |given: &BTreeMap<String, bool>, known: &BTreeMap<String, bool>| {
            given.keys().all(|it| known.contains_key(it))
        };
        if !known(opt_in, &settings.opt_in) {
            let preference = "resource type opt in preference";
            return Err(invalid(&format!("Element present in {preference} has invalid values")));
        }
        if !known(management, &settings.management) {
            let preference = "resource type management preference";
            return Err(invalid(&format!("Element present in {preference} has invalid values")));
        }
        // What was never set counts as `false` in the settings, and is managed.
        let key = (account.to_owned(), region.to_owned());
        let unmanaged = self.unmanaged.entry(key).or_default();
        for (kind, is_managed) in management {
            if *is_managed {
                unmanaged.remove(kind);
            } else {
                unmanaged.insert(kind.clone());
            }
        }
        let before = settings.clone();
        settings.opt_in.extend(opt_in.clone());
        settings.management.extend(management.clone());
        if settings != before {
            self.regional.insert((account.to_owned(), region.to_owned()), settings);
            self.revision += 1;
        }
        Ok(())
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::InvalidParameterValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<V: Clone>(pairs: &[(&str, V)]) -> BTreeMap<String, V> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_partial_update_leaves_the_other_settings_alone() {
        let mut backup = Backup::default();
        let one = map(&[("isCrossAccountBackupEnabled", "true".to_owned())]);
        let other = map(&[("isMpaEnabled", "true".to_owned())]);
        backup.update_global_settings(&one).unwrap();
        backup.update_global_settings(&other).unwrap();
        let settings = backup.global_settings();
        assert_eq!(settings["isCrossAccountBackupEnabled"], "true");
        assert_eq!(settings["isMpaEnabled"], "true");
        assert_eq!(settings["isDelegatedAdministratorEnabled"], "false");
    }

    #[test]
    fn the_same_values_again_change_nothing() {
        let mut backup = Backup::default();
        let off = map(&[("isMpaEnabled", "false".to_owned())]);
        backup.update_global_settings(&off).unwrap();
        assert_eq!(backup.revision(), 0);
    }

    #[test]
    fn an_unknown_resource_type_refuses_the_whole_call() {
        let mut backup = Backup::default();
        let types = map(&[("EBS", true), ("Betamax", true)]);
        let none = BTreeMap::new();
        let refusal = backup.update_region_settings("1", "eu-west-1", &types, &none).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidParameterValue);
        assert!(!backup.region_settings("1", "eu-west-1").opt_in["EBS"]);
    }

    #[test]
    fn regions_know_different_resource_types() {
        let mut backup = Backup::default();
        assert!(backup.supported_resource_types("eu-west-1").contains(&"Timestream"));
        assert!(!backup.supported_resource_types("eu-west-3").contains(&"Timestream"));
        backup.set_supported_resource_types("eu-west-3", &["EBS", "S3"]);
        let settings = backup.region_settings("1", "eu-west-3");
        assert_eq!(settings.opt_in.keys().collect::<Vec<_>>(), ["EBS", "S3"]);
        assert!(settings.management.is_empty());
        let unknown = map(&[("EBS", true), ("RDS", true)]);
        let refusal = backup
            .update_region_settings("1", "eu-west-3", &unknown, &BTreeMap::new())
            .unwrap_err();
        assert_eq!(refusal.code, Code::InvalidParameterValue);
        assert!(!backup.region_settings("1", "eu-west-3").opt_in["EBS"]);
    }

    #[test]
    fn what_is_not_given_stays_as_it_is() {
        let mut backup = Backup::default();
        let (ebs, s3, efs) = (map(&[("EBS", true)]), map(&[("S3", true)]), map(&[("EFS", true)]));
        backup.update_region_settings("1", "eu-west-1", &ebs, &efs).unwrap();
        backup.update_region_settings("1", "eu-west-1", &s3, &BTreeMap::new()).unwrap();
        let settings = backup.region_settings("1", "eu-west-1");
        assert!(settings.opt_in["EBS"] && settings.opt_in["S3"] && settings.management["EFS"]);
        assert!(!settings.opt_in["RDS"] && !settings.management["DynamoDB"]);
    }

    #[test]
    fn preferences_belong_to_one_account_and_one_region() {
        let mut backup = Backup::default();
        let (types, none) = (map(&[("EBS", true)]), BTreeMap::new());
        backup.update_region_settings("1", "eu-west-1", &types, &none).unwrap();
        assert!(backup.region_settings("1", "eu-west-1").opt_in["EBS"]);
        assert!(!backup.region_settings("1", "us-east-1").opt_in["EBS"]);
        assert!(!backup.region_settings("2", "eu-west-1").opt_in["EBS"]);
    }
}
