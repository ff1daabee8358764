//! The Regions that an account may use.

use std::collections::BTreeSet;

/// The Regions that accounts may not use. If there are none, accounts may use all Regions.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    disabled: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
}

impl Regions {
    /// Disables a Region for `account`, as opt-in Regions are at first. Calls there fail as if the
    /// credentials were invalid.
    pub fn disable(&mut self, account: &str, region: &str) {
        self.disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Enables a Region for `account`.
    pub fn enable(&mut self, account: &str, region: &str) {
        self.disabled.remove(&(account.to_owned(), region.to_owned()));
    }

    /// Denies `account` a Region with a service control policy. Such a policy never applies to the
    /// management account.
    pub fn deny(&mut self, account: &str, region: &str) {
        self.denied.insert((account.to_owned(), region.to_owned()));
    }

    pub(crate) fn is_disabled(&self, account: &str, region: &str) -> bool {
        !self.disabled.is_empty()
            && self.disabled.contains(&(account.to_owned(), region.to_owned()))
    }

    pub(crate) fn is_denied(&self, account: &str, region: &str) -> bool {
        !self.denied.is_empty() && self.denied.contains(&(account.to_owned(), region.to_owned()))
    }
}
