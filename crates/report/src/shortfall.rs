//! What is missing, and in which accounts and Regions: many mostly lack the same.

use std::collections::{BTreeMap, BTreeSet};

use plan::id::Region;

use crate::{Missing, Report, Row};

/// Something that is missing, and where.
#[derive(Clone, Debug)]
pub struct Shortfall<'a> {
    /// The problem and what to do about it.
    pub missing: &'a Missing,
    /// The accounts that have the problem, in the order in which AWS lists them.
    pub accounts: Vec<&'a Row>,
    /// The Regions in which one of them has it.
    pub regions: BTreeSet<&'a Region>,
}

impl Report {
    /// Everything that is missing in what is [shown](Report::shown): what is certain first, and then what
    /// most accounts have in common.
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
