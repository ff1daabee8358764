//! The backup policies that reach each account, which show what a change removed.

use std::collections::{BTreeMap, BTreeSet};

use super::{BACKUP_POLICY, Organization};

/// The backup policies of every account, including those of its parents.
pub(crate) struct Coverage(BTreeMap<String, BTreeSet<String>>);

impl Organization {
    /// Returns the backup policies that reach `account`, wherever they are attached.
    #[must_use]
    pub fn backup_policies_of(&self, account: &str) -> BTreeSet<String> {
        let attached = self.path(account).into_iter().flat_map(|it| self.attached(it));
        let backup =
            |it: &&String| self.policies.get(*it).is_some_and(|it| it.kind == BACKUP_POLICY);
        attached.filter(backup).cloned().collect()
    }

    pub(crate) fn coverage(&self) -> Coverage {
        let policies = |it: &String| (it.clone(), self.backup_policies_of(it));
        Coverage(self.accounts.keys().map(policies).collect())
    }
}

impl Coverage {
    /// Returns every account and policy that no longer reaches it `after`.
    pub(crate) fn lost(&self, after: &Self) -> Vec<(String, String)> {
        let none = BTreeSet::new();
        let pairs = self.0.iter().flat_map(|(account, before)| {
            let after = after.0.get(account).unwrap_or(&none);
            before.difference(after).map(|policy| (account.clone(), policy.clone()))
        });
        pairs.collect()
    }

    /// Returns every account that had a backup policy and has none `after`.
    pub(crate) fn unprotected(&self, after: &Self) -> Vec<String> {
        let bare = |account: &&String| after.0.get(*account).is_none_or(BTreeSet::is_empty);
        let had = self.0.iter().filter(|(_, policies)| !policies.is_empty());
        had.map(|it| it.0).filter(bare).cloned().collect()
    }
}
