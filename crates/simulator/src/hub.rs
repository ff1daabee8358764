//! AWS Security Hub: the findings that were imported.

use std::collections::BTreeMap;

use serde_json::Value;

/// Security Hub in the account and Region of the simulator.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    is_enabled: bool,
    findings: BTreeMap<String, Value>,
}

impl Hub {
    /// Enables Security Hub.
    pub fn enable(&mut self) {
        self.is_enabled = true;
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Returns every finding by its ID.
    #[must_use]
    pub fn findings(&self) -> &BTreeMap<String, Value> {
        &self.findings
    }

    pub(crate) fn import(&mut self, id: &str, finding: Value) {
        self.findings.insert(id.to_owned(), finding);
    }
}
