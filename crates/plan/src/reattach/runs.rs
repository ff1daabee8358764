//! The member work to start while an earlier run may still go on.
//!
//! Anyone who can send an event can ask for the work in all accounts, as often as they like. A run
//! with all accounts, or with more accounts than a batch has, is therefore recorded, and its
//! accounts are not started again while it goes on.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::desired_state::Entry;
use crate::id::{AccountId, RunId};
use crate::member_accounts::Account;
use crate::member_accounts::run::{BATCH, Batch};
use crate::reattach::concern::Accounts;
use crate::serialized;

/// The longest that a run may go on: far longer than a run over 10,000 accounts. A run without a
/// result by then has failed.
const LONGEST: Duration = Duration::from_hours(6);

/// The time for which the accounts of a run count as known. The schedule starts another run by
/// then.
const KNOWN: Duration = Duration::from_hours(24);

/// The record of a large run in the state bucket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Large {
    /// The run.
    pub run: RunId,
    /// The time at which it was started, in seconds since 1970.
    time: u64,
}

impl Large {
    /// Returns the key of the record for the resource of `entry`.
    pub fn key(entry: &Entry) -> String {
        format!("runs/last/{}.json", entry.owner())
    }

    /// Returns the record of a run that was started at `time`.
    pub fn at(run: RunId, time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        Self { run, time: since.map_or(0, |it| it.as_secs()) }
    }

    /// Reads the stored text.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not such a record.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// Returns `true` if its accounts still count as known.
    pub fn is_recent(&self, now: SystemTime) -> bool {
        self.age(now) < KNOWN
    }

    /// Returns `true` if it may still go on, unless something says that it is over.
    pub fn may_go_on(&self, now: SystemTime) -> bool {
        self.age(now) < LONGEST
    }

    fn age(&self, now: SystemTime) -> Duration {
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(self.time);
        now.duration_since(started).unwrap_or_default()
    }
}

/// The last large run of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Last {
    /// The accounts that it was started with.
    pub accounts: BTreeSet<AccountId>,
    /// True if it still goes on.
    pub goes_on: bool,
}

impl Last {
    /// Returns the run with these `batches`.
    pub fn of(batches: &[Batch], goes_on: bool) -> Self {
        let accounts = batches.iter().flat_map(|it| &it.accounts).map(|it| it.id.clone());
        Self { accounts: accounts.collect(), goes_on }
    }
}

/// The work to start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Start {
    /// The accounts of the run. If there are none, no run is started.
    pub accounts: Vec<Account>,
    /// True if the run has to be recorded as a large one.
    pub is_large: bool,
    /// True if some of the requested work has to wait until another run is over.
    pub waits: bool,
}

/// Chooses the accounts to start a run with. `all` are the accounts of the resource, and `asked`
/// are the requested ones.
pub fn start(asked: &Accounts, all: Vec<Account>, last: Option<&Last>) -> Start {
    let has = |it: &Account| last.is_some_and(|last| last.accounts.contains(&it.id));
    let goes_on = last.is_some_and(|it| it.goes_on);
    let count = all.len();
    let mut accounts = all;
    let mut waits = false;
    match asked {
        // The run that goes on already does the requested work.
        Accounts::All => accounts.retain(|it| !(goes_on && has(it))),
        Accounts::New(named) => accounts.retain(|it| named.contains(&it.id) || !has(it)),
        Accounts::These(named) => accounts.retain(|it| named.contains(&it.id)),
    }
    if goes_on && accounts.len() > BATCH {
        let before = accounts.len();
        accounts.retain(|it| !has(it));
        waits = accounts.len() < before;
    }
    let is_large = !accounts.is_empty() && (accounts.len() == count || accounts.len() > BATCH);
    Start { accounts, is_large, waits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(numbers: impl IntoIterator<Item = u64>) -> Vec<Account> {
        let id = |it: u64| format!("{:012}", 100_000_000_000 + it).parse().unwrap();
        numbers
            .into_iter()
            .map(|it| Account { id: id(it), name: String::new(), is_central: false })
            .collect()
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<AccountId> {
        accounts(numbers).into_iter().map(|it| it.id).collect()
    }

    fn last(numbers: impl IntoIterator<Item = u64>, goes_on: bool) -> Last {
        Last { accounts: ids(numbers), goes_on }
    }

    fn check(
        asked: &Accounts,
        last: Option<&Last>,
        started: &[Account],
        is_large: bool,
        waits: bool,
    ) {
        let wanted = Start { accounts: started.to_vec(), is_large, waits };
        assert_eq!(start(asked, accounts(0..300), last), wanted);
    }

    #[test]
    fn every_account_is_started_once_at_a_time() {
        let (all, none) = (accounts(0..300), vec![]);
        check(&Accounts::All, None, &all, true, false);
        check(&Accounts::All, Some(&last(0..300, false)), &all, true, false);
        check(&Accounts::All, Some(&last(0..300, true)), &none, false, false);
        // Those that joined since it was started.
        check(&Accounts::All, Some(&last(0..298, true)), &accounts(298..300), false, false);
    }

    #[test]
    fn an_event_that_names_no_account_is_about_those_that_are_not_known() {
        let asked = Accounts::New([].into());
        check(&asked, None, &accounts(0..300), true, false);
        for goes_on in [false, true] {
            check(&asked, Some(&last(0..300, goes_on)), &[], false, false);
            check(&asked, Some(&last(1..300, goes_on)), &accounts(0..1), false, false);
        }
        let asked = Accounts::New(ids(7..9));
        check(&asked, Some(&last(1..300, true)), &accounts([0, 7, 8]), false, false);
    }

    #[test]
    fn naming_many_accounts_is_no_way_around() {
        let asked = Accounts::These(ids(0..150));
        check(&asked, None, &accounts(0..150), true, false);
        check(&asked, Some(&last(0..300, false)), &accounts(0..150), true, false);
        check(&asked, Some(&last(0..149, true)), &accounts(149..150), false, true);
        // An account that was changed may have been passed already.
        let asked = Accounts::These(ids(3..5));
        check(&asked, Some(&last(0..300, true)), &accounts(3..5), false, false);
    }

    #[test]
    fn a_run_with_as_many_accounts_as_a_batch_has_is_not_large() {
        let asked = Accounts::These(ids(0..100));
        check(&asked, None, &accounts(0..100), false, false);
        check(&asked, Some(&last(0..300, true)), &accounts(0..100), false, false);
        let asked = Accounts::These(ids(0..101));
        check(&asked, None, &accounts(0..101), true, false);
        check(&asked, Some(&last(200..300, true)), &accounts(0..101), true, false);
    }

    #[test]
    fn the_last_run_of_a_resource_is_kept_under_its_stack_and_name() {
        let stack = "arn:aws:cloudformation:eu-north-1:111122223333:stack/members/4b1d";
        let entry = Entry::new(crate::resource::ResourceKind::MemberAccounts, stack, "Members");
        assert_eq!(Large::key(&entry), "runs/last/members/4b1d/Members.json");
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let large = Large::at(RunId::of_request("stack", "request"), now);
        assert_eq!(Large::read(&large.text()).unwrap(), large);
        assert!(Large::read("{}").is_err());
        let (soon, late, tomorrow) = (5, 6, 24);
        let after = |hours| now + Duration::from_hours(hours);
        assert!(large.may_go_on(after(soon)) && !large.may_go_on(after(late)));
        assert!(large.is_recent(after(late)) && !large.is_recent(after(tomorrow)));
        let batches = crate::member_accounts::run::batches(&large.run, &accounts(0..250));
        let batches = crate::member_accounts::run::read_batches(&batches.to_string()).unwrap();
        assert_eq!(Last::of(&batches, true), last(0..250, true));
        assert_eq!(Last::of(&[], false), last([], false));
    }
}
