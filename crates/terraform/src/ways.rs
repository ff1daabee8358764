//! The ways through conditions whose results are not known.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The most ways that are gone for one value.
pub(crate) const MOST_WAYS: usize = 32;

/// The results of conditions on one way, by the texts of the conditions. The same text has the same
/// result everywhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    chosen: BTreeMap<String, bool>,
    /// The conditions that were met first on this way, which are true on it.
    met: RefCell<Vec<String>>,
}

impl Way {
    /// Returns the result of a condition that is not known.
    pub(crate) fn choose(&self, condition: String) -> bool {
        if let Some(chosen) = self.chosen.get(&condition) {
            return *chosen;
        }
        let mut met = self.met.borrow_mut();
        if !met.contains(&condition) {
            met.push(condition);
        }
        true
    }

    /// Returns the other ways, which part from this one at a condition that was met first on it.
    pub(crate) fn others(self) -> Vec<Self> {
        let mut chosen = self.chosen;
        let mut others = Vec::new();
        for condition in self.met.into_inner() {
            let mut other = chosen.clone();
            other.insert(condition.clone(), false);
            others.push(Self { chosen: other, met: RefCell::default() });
            chosen.insert(condition, true);
        }
        others
    }
}
