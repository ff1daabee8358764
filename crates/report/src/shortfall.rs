//! Shortfalls: everything that is missing, and the accounts and Regions that lack it. Usually many
//! accounts lack the same.

use std::collections::{BTreeMap, BTreeSet};

use plan::id::Region;

use crate::{Missing, Report, Row};

/// Something that is missing, and where.
#[derive(Clone, Debug)]
pub struct Shortfall<'a> {
    /// The problem and the next step.
    pub missing: &'a Missing,
    /// The accounts that have the problem, in the order in which AWS lists them.
    pub accounts: Vec<&'a Row>,
    /// The Regions in which at least one of these accounts has the problem.
    pub regions: BTreeSet<&'a Region>,
}

impl Report {
    /// Returns everything that is missing in the [shown](Report::shown) findings. Certain problems
    /// come first. Among equals, those come first that most accounts have in common.
    pub fn shortfalls(&self) -> Vec<Shortfall<'_>> {
        let mut all = BTreeMap::<&Missing, Shortfall<'_>>::new();
        for row in &self.rows {
            for (region, cell) in self.shown(row) {
                for missing in &cell.missing {
                    let new = || Shortfall { missing, accounts: vec![], regions: BTreeSet::new() };
                    let of = all.entry(missing).or_insert_with(new);
                    of.regions.insert(region);
                    if of.accounts.last().is_none_or(|it| it.account.id != row.account.id) {
                        of.accounts.push(row);
                    }
                }
            }
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by_key(|it| (!it.missing.is_certain, std::cmp::Reverse(it.accounts.len())));
        all
    }
}
