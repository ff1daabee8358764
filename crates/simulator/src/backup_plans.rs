//! The backup plans that accounts created themselves, in addition to those of backup policies.
//!
//! They exist to be read: AWS Backup does not run them here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::ids::uuid_of;
use crate::refusal::{Code, Refusal};

/// A backup plan of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BackupPlan {
    /// The plan in the form of `CreateBackupPlan`.
    pub(crate) plan: Value,
    /// The selections in the form of `CreateBackupSelection`, by ID.
    pub(crate) selections: BTreeMap<String, Value>,
    /// The time of its creation.
    pub(crate) created: Duration,
}

/// The backup plans of every account and Region.
#[derive(Clone, Debug, Default)]
pub struct BackupPlans {
    /// By account, Region and ID.
    plans: BTreeMap<(String, String, String), BackupPlan>,
    now: Duration,
}

impl BackupPlans {
    /// Sets the clock.
    pub(crate) fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Creates a backup plan with the members of `CreateBackupPlan`, and selections with those of
    /// `CreateBackupSelection`. Returns its ID.
    pub fn create(
        &mut self,
        account: &str,
        region: &str,
        plan: Value,
        selections: &[Value],
    ) -> String {
        let id = uuid_of(&format!("{account} {region} {}", self.plans.len()));
        let selections = selections.iter().enumerate();
        let selections =
            selections.map(|(index, it)| (uuid_of(&format!("{id} {index}")), it.clone()));
        let plan = BackupPlan { plan, selections: selections.collect(), created: self.now };
        self.plans.insert((account.to_owned(), region.to_owned(), id.clone()), plan);
        id
    }

    /// Deletes a backup plan, if it exists.
    pub fn delete(&mut self, account: &str, region: &str, id: &str) {
        self.plans.remove(&(account.to_owned(), region.to_owned(), id.to_owned()));
    }

    /// Returns the backup plans of an account in a Region, by ID.
    pub(crate) fn of(
        &self,
        account: &str,
        region: &str,
    ) -> impl Iterator<Item = (&str, &BackupPlan)> {
        let plans = self.plans.iter().filter(move |it| it.0.0 == account && it.0.1 == region);
        plans.map(|(key, it)| (key.2.as_str(), it))
    }

    /// Returns the backup plan with this ID.
    pub(crate) fn get(
        &self,
        account: &str,
        region: &str,
        id: &str,
    ) -> Result<&BackupPlan, Refusal> {
        let key = (account.to_owned(), region.to_owned(), id.to_owned());
        self.plans.get(&key).ok_or_else(|| {
            Refusal::new(Code::ResourceNotFound, format!("Cannot find Backup plan with ID {id}"))
        })
    }
}
