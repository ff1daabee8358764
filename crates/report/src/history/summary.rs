//! The coverage of the organization at one time, in numbers and in the most important resources.

use std::collections::BTreeMap;
use std::time::SystemTime;

use plan::id::{AccountId, Region};
use serde::{Deserialize, Serialize};

use super::document::{self, Illegible, moment};
use crate::coverage::State;

/// The most resources that a summary names.
pub const LINES: usize = 2_000;

/// The most parts that could not be looked at and that a summary names.
pub const UNREAD: usize = 1_000;

/// The coverage of the organization as one sweep found it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The time at which the sweep began, by AWS's clock.
    #[serde(with = "moment")]
    pub taken: SystemTime,
    /// The program that wrote it, with its version.
    pub program: String,
    /// The ID of the organization.
    pub organization: String,
    /// The accounts that were looked into, also those without resources.
    #[serde(default)]
    pub accounts: BTreeMap<AccountId, AccountCounts>,
    /// The reasons why resources need action, the most important first.
    #[serde(default)]
    pub causes: Vec<CauseCount>,
    /// The most important resources that need action, at most [`LINES`].
    #[serde(default)]
    pub resources: Vec<ResourceLine>,
    /// The number of all resources that need action. `None` if a program wrote the summary that did
    /// not store it: see [`Self::needing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_action: Option<usize>,
    /// The parts that could not be looked at, each once, at most [`UNREAD`]. If there are more, one
    /// more line has their number.
    #[serde(default)]
    pub unread: Vec<String>,
}

/// A number that may be known only as a lower bound.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Bound {
    /// The number.
    pub count: usize,
    /// True if there may be more.
    pub is_least: bool,
}

impl Bound {
    /// Returns a number that is known exactly.
    pub fn exact(count: usize) -> Self {
        Self { count, is_least: false }
    }

    /// Returns the words before the number.
    pub(super) fn least(self) -> &'static str {
        if self.is_least { "at least " } else { "" }
    }

    /// Returns the line below the first `listed` of them about the others, as in `and 3 more new ones`
    /// with the word `new`. Returns `None` if there are no others.
    pub fn more(self, listed: usize, word: &str) -> Option<String> {
        let more = self.count.saturating_sub(listed);
        let ones = match (word, more) {
            ("", _) => String::new(),
            (word, 1) => format!(" {word} one"),
            (word, _) => format!(" {word} ones"),
        };
        match (more, listed) {
            (0, _) => None,
            (_, 0) => Some(format!("{}{more}{ones}", self.least())),
            _ => Some(format!("and {}{more} more{ones}", self.least())),
        }
    }
}

/// The coverage of an account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountCounts {
    /// The name of the account.
    #[serde(default)]
    pub name: String,
    /// The Regions in which there are resources.
    #[serde(default)]
    pub regions: BTreeMap<Region, Counts>,
    /// The time at which the account was looked into.
    #[serde(with = "moment")]
    pub taken: SystemTime,
}

/// The coverage of an account in a Region.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Counts {
    /// The number of resources in each state, by [`State::key`](crate::coverage::State::key).
    pub states: BTreeMap<String, usize>,
    /// The number of resources whose copies need no action.
    #[serde(skip_serializing_if = "is_none")]
    pub copies_fine: usize,
    /// The number of resources of which a copy is late or missing.
    #[serde(skip_serializing_if = "is_none")]
    pub copies_late: usize,
    /// The number of resources whose copies are not known.
    #[serde(skip_serializing_if = "is_none")]
    pub copies_unknown: usize,
    /// The last restore test here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_test: Option<TestSeen>,
    /// The earliest next run for a resource here.
    #[serde(skip_serializing_if = "Option::is_none", with = "moment::optional")]
    pub next: Option<SystemTime>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field by reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A restore test.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestSeen {
    /// The time at which it was started.
    #[serde(with = "moment")]
    pub at: SystemTime,
    /// The result, by [`TestResult::key`](crate::coverage::TestResult::key). `None` while the test
    /// is running.
    #[serde(default)]
    pub result: Option<String>,
}

/// A reason why resources need action.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CauseCount {
    /// The words.
    pub words: String,
    /// The number of resources.
    pub count: usize,
    /// The first of them, at most ten.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// A resource that needs action.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLine {
    /// The ARN.
    pub arn: String,
    /// The type, as AWS Backup calls it. Empty if it has none.
    #[serde(default)]
    pub kind: String,
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The state, by [`State::key`](crate::coverage::State::key).
    pub state: String,
    /// The state in words.
    pub words: String,
    /// The reasons why it needs action.
    #[serde(default)]
    pub causes: Vec<String>,
    /// The time at which its newest backup was begun.
    #[serde(default, with = "moment::optional")]
    pub newest: Option<SystemTime>,
    /// The time at which the last of its backups is deleted, in words, or `ever`.
    #[serde(default)]
    pub kept_until: Option<String>,
}

impl ResourceLine {
    /// Returns the resource in a few words, as the examples of causes have it.
    pub(super) fn told(&self) -> String {
        told(&self.account, &self.region, &self.arn, &self.words)
    }
}

/// Returns a resource in a few words.
pub(super) fn told(account: &AccountId, region: &Region, arn: &str, state: &str) -> String {
    format!("{account} {region} {arn}: {state}")
}

impl Summary {
    /// Reads a stored summary.
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

    /// Returns the number of resources in each state, in all accounts.
    pub fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for (state, count) in self.counts().flat_map(|it| &it.states) {
            add(&mut states, state, *count);
        }
        states
    }

    /// Returns the number of resources that need action. A summary that does not have it may name
    /// all of them, and otherwise tells only the least number.
    pub fn needing(&self) -> Bound {
        let named = self.resources.len();
        match self.need_action {
            Some(count) => Bound::exact(count),
            None if named < LINES => Bound::exact(named),
            None => {
                let states = self.states();
                let bad = states.iter().filter(|it| !State::of_key(it.0).is_fine());
                // Resources of which only a copy is late are not among these.
                let bad = bad.map(|it| it.1).sum::<usize>();
                Bound { count: bad.max(named), is_least: true }
            }
        }
    }

    /// Returns the counts of every account in every Region.
    pub fn counts(&self) -> impl Iterator<Item = &Counts> {
        self.accounts.values().flat_map(|it| it.regions.values())
    }
}

/// Adds to the number of a state. A number that is too large stays the largest.
pub(super) fn add(states: &mut BTreeMap<String, usize>, state: &str, count: usize) {
    let sum = states.entry(state.to_owned()).or_default();
    *sum = sum.saturating_add(count);
}
