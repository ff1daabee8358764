//! Adds up judged resources, account by account and batch by batch.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::{AccountId, Region};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::{self, Illegible, pairs};
use super::summary::{
    AccountCounts, CauseCount, Counts, LINES, ResourceLine, Summary, TestSeen, UNREAD, add, told,
};
use crate::coverage::{Cause, CopyState, Coverage, Group, Judge, Resource, TestResult, Until};
use crate::utc;

/// The place of a resource among those that need action: the least is the most important.
type Rank = (u8, AccountId, Region, String);

/// The findings of a part of a sweep. Its size grows with the number of accounts, Regions and causes,
/// and not with the number of resources.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sum {
    /// The accounts that were looked into.
    accounts: BTreeMap<AccountId, AccountCounts>,
    /// The accounts in which something could not be looked at.
    barred: BTreeSet<AccountId>,
    #[serde(with = "pairs")]
    causes: BTreeMap<Cause, Group>,
    #[serde(with = "pairs")]
    resources: BTreeMap<Rank, ResourceLine>,
    unread: BTreeSet<String>,
    /// The number of resources that need action.
    bad: usize,
    /// A number that changes with the set of resources that need action, and with their states.
    set: u64,
}

impl Sum {
    /// Reads a stored sum.
    ///
    /// # Errors
    ///
    /// Returns an error if a newer program wrote it, or if it is not complete.
    pub fn read(text: &str) -> Result<Self, Illegible> {
        document::read(text)
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        document::text(self)
    }

    /// Adds an account that was looked into at this time.
    pub fn account(&mut self, account: &AccountId, name: &str, taken: SystemTime) {
        let entry = self.accounts.entry(account.clone());
        entry.or_insert_with(|| AccountCounts {
            name: name.to_owned(),
            regions: BTreeMap::new(),
            taken,
        });
    }

    /// Adds a resource of an account that was added.
    pub fn resource(&mut self, judge: &Judge<'_>, resource: &Resource, coverage: &Coverage) {
        let (account, region) = (&judge.place().account, &judge.place().region);
        if let Some(counts) = self.accounts.get_mut(account) {
            counts.regions.entry(region.clone()).or_default().add(coverage);
        }
        let causes = judge.causes(coverage);
        let Some(first) = causes.first() else { return };
        let rank = (first.order(), account.clone(), region.clone(), resource.arn.clone());
        let words = coverage.state.to_string();
        let told = told(account, region, &resource.arn, &words);
        for cause in &causes {
            self.causes.entry(cause.clone()).or_default().add(&told);
        }
        self.bad += 1;
        self.mark(&[account.as_str(), region.as_str(), &resource.arn, &states(coverage)]);
        let newest = coverage.owed.iter().filter_map(|it| it.newest).max();
        let line = ResourceLine {
            arn: resource.arn.clone(),
            kind: coverage.kind.map(|it| it.name.to_owned()).unwrap_or_default(),
            account: account.clone(),
            region: region.clone(),
            state: coverage.state.key().to_owned(),
            words,
            causes: causes.into_iter().map(|it| it.words).collect(),
            newest: newest.or(coverage.kept.newest),
            kept_until: coverage.kept.until.map(|it| match it {
                Until::At(at) => utc(at),
                Until::Ever => "ever".to_owned(),
            }),
        };
        self.resources.insert(rank, line);
        self.shorten();
    }

    /// Adds something that could not be looked at.
    pub fn unread(&mut self, what: String) {
        self.unread.insert(what);
    }

    /// Notes that something in an account could not be looked at.
    pub fn bar(&mut self, account: &AccountId) {
        if self.barred.insert(account.clone()) {
            self.mark(&[account.as_str()]);
        }
    }

    /// Adds another part of the same sweep, which has other accounts.
    pub fn merge(&mut self, part: Self) {
        self.accounts.extend(part.accounts);
        self.barred.extend(part.barred);
        for (cause, group) in part.causes {
            self.causes.entry(cause).or_default().merge(group);
        }
        self.resources.extend(part.resources);
        self.shorten();
        self.unread.extend(part.unread);
        self.bad = self.bad.saturating_add(part.bad);
        self.set = self.set.wrapping_add(part.set);
    }

    /// Returns the accounts that were looked into, or that could not be entered.
    pub fn seen(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys().chain(&self.barred)
    }

    /// Returns the accounts in which something could not be looked at.
    pub fn barred(&self) -> &BTreeSet<AccountId> {
        &self.barred
    }

    /// Returns the number of resources that need action.
    pub fn bad(&self) -> usize {
        self.bad
    }

    /// Returns a text that is the same as long as the same resources need action for the same
    /// states, and the same accounts cannot be looked at.
    pub fn mark_of_set(&self) -> String {
        format!("{}-{:016x}", self.bad, self.set)
    }

    /// Returns the summary of a sweep of this organization that began at `taken`.
    pub fn summary(&self, program: &str, organization: &str, taken: SystemTime) -> Summary {
        let mut unread: Vec<_> = self.unread.iter().take(UNREAD).cloned().collect();
        if self.unread.len() > UNREAD {
            unread.push(format!("and {} more", self.unread.len() - UNREAD));
        }
        let causes = self.causes.iter().map(|(cause, group)| CauseCount {
            words: cause.words.clone(),
            count: group.count,
            examples: group.examples.clone(),
        });
        Summary {
            taken,
            program: program.to_owned(),
            organization: organization.to_owned(),
            accounts: self.accounts.clone(),
            causes: causes.collect(),
            resources: self.resources.values().cloned().collect(),
            need_action: Some(self.bad),
            unread,
        }
    }

    fn shorten(&mut self) {
        while self.resources.len() > LINES {
            self.resources.pop_last();
        }
    }

    /// Adds an item to the set. The order in which items are added does not matter.
    fn mark(&mut self, item: &[&str]) {
        let digest = Sha256::digest(item.join("\n"));
        let bytes = digest.iter().take(8).fold(0_u64, |all, it| all << 8 | u64::from(*it));
        self.set = self.set.wrapping_add(bytes);
    }
}

/// Returns the state of a resource, and those of its copies that need action.
fn states(coverage: &Coverage) -> String {
    let copies = coverage.owed.iter().flat_map(|it| &it.copies);
    let copies = copies.filter(|it| !it.state.is_fine());
    let copies: BTreeSet<_> =
        copies.map(|it| format!(" {} {}", it.vault, it.state.key())).collect();
    coverage.state.key().to_owned() + &copies.into_iter().collect::<String>()
}

impl Counts {
    fn add(&mut self, coverage: &Coverage) {
        add(&mut self.states, coverage.state.key(), 1);
        let copies = || coverage.owed.iter().flat_map(|it| &it.copies).map(|it| &it.state);
        let is_unknown = |it: &CopyState| matches!(it, CopyState::NotKnown(_));
        if copies().any(|it| !it.is_fine() && !is_unknown(it)) {
            self.copies_late += 1;
        } else if copies().any(is_unknown) {
            self.copies_unknown += 1;
        } else if copies().next().is_some() {
            self.copies_fine += 1;
        }
        let test = coverage.test.as_ref().map(|it| TestSeen {
            at: it.at,
            result: it.result.map(|it| TestResult::key(it).to_owned()),
        });
        self.last_test = self.last_test.take().max(test);
        let next = coverage.owed.iter().filter_map(|it| it.next).min();
        self.next = [self.next, next].into_iter().flatten().min();
    }
}
