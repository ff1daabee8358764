//! Which Regions an account may use.

use std::collections::BTreeSet;

/// The Regions that accounts may not use. Without any, all may be used.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    disabled: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
}

impl Regions {
    /// Disables a Region for `account`, as those are at first that have to be opted into. Calls
    /// there fail as if the credentials were made up.
    pub fn disable(&mut self, account: &str, region: &str) {
        self.disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Enables a Region for `account`.
    pub fn enable(&mut self, account: &str, region: &str) {
        self.disabled.remove(&(account.to_owned(), region.to_owned()));
    }

    /// Denies `account` a Region by a service control policy, which the management account never
    /// is.
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
