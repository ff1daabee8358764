//! The copies in the vaults that receive them, as a run keeps them for its batches.
//!
//! A run reads these vaults once, and writes the copies down in parts: each has copies of the
//! resources of one batch. So neither the reader nor a batch has all of them in memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use plan::id::{AccountId, RunId};
use plan::member_accounts::Account;
use plan::member_accounts::run::BATCH;
use serde::{Deserialize, Serialize};

use super::document::{self, Illegible};
use crate::coverage::{About, ByResource, Creator, PointStatus, RecoveryPoint};

/// The most copies that are in memory until their part is written. It bounds the number of parts,
/// because the largest part is written first.
pub const WAITING: usize = 200_000;

/// A part of the copies of a batch. Vaults and rules are in it once each.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Copies {
    vaults: Vec<String>,
    rules: Vec<Creator>,
    by_resource: ByResource<StoredCopy>,
}

/// A copy. Vault and rule are indexes. Times are nanoseconds since the epoch, so that a sweep and the
/// command judge the same moments.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct StoredCopy(usize, u64, u64, PointStatus, bool, Option<u64>, Option<usize>);

impl Copies {
    fn add(&mut self, About { resource, kind, it: point }: About<RecoveryPoint>) {
        let RecoveryPoint { vault, created, completed, status, is_continuous, delete_at, by } =
            point;
        let vault = place(&mut self.vaults, &*vault, ToOwned::to_owned);
        let by = by.map(|it| place(&mut self.rules, &*it, Clone::clone));
        let [created, completed] = [created, completed].map(nanoseconds);
        let delete_at = delete_at.map(nanoseconds);
        let it = StoredCopy(vault, created, completed, status, is_continuous, delete_at, by);
        self.by_resource.add(About { resource, kind, it });
    }

    /// Reads a stored part.
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

    /// Adds the copies to `all`.
    pub fn add_to(self, all: &mut ByResource<RecoveryPoint>) {
        let Self { vaults, rules, by_resource } = self;
        let vaults: Vec<Arc<str>> = vaults.into_iter().map(Arc::from).collect();
        let rules: Vec<_> = rules.into_iter().map(Arc::new).collect();
        for (resource, kind, kept) in by_resource.each() {
            let points = kept.iter().filter_map(|it| it.point(&vaults, &rules));
            all.add_all(resource.to_owned(), kind.cloned(), points);
        }
    }
}

impl StoredCopy {
    fn point(&self, vaults: &[Arc<str>], rules: &[Arc<Creator>]) -> Option<RecoveryPoint> {
        let &Self(vault, created, completed, status, is_continuous, delete_at, by) = self;
        Some(RecoveryPoint {
            vault: Arc::clone(vaults.get(vault)?),
            created: time(created),
            completed: time(completed),
            status,
            is_continuous,
            delete_at: delete_at.map(time),
            by: by.and_then(|it| rules.get(it)).cloned(),
        })
    }
}

/// Returns the place of `wanted` in `all`, where it is added if it is new.
fn place<T: Borrow<U>, U: PartialEq + ?Sized>(
    all: &mut Vec<T>,
    wanted: &U,
    owned: impl FnOnce(&U) -> T,
) -> usize {
    all.iter().position(|it| it.borrow() == wanted).unwrap_or_else(|| {
        all.push(owned(wanted));
        all.len() - 1
    })
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().try_into().unwrap_or(u64::MAX)
}

fn time(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// The keys of the parts, by the index of their batch. Those without an index are for every batch.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct CopyKeys {
    shared: Vec<String>,
    batches: BTreeMap<usize, Vec<String>>,
}

impl CopyKeys {
    /// Returns the keys of the parts that a batch reads.
    pub fn of(&self, batch: usize) -> impl Iterator<Item = &String> {
        self.batches.get(&batch).into_iter().flatten().chain(&self.shared)
    }

    /// Returns the keys of one batch, or those for every batch.
    fn at(&mut self, batch: Option<usize>) -> &mut Vec<String> {
        match batch {
            Some(batch) => self.batches.entry(batch).or_default(),
            None => &mut self.shared,
        }
    }
}

/// Divides copies among the batches of a run while they are read.
#[derive(Debug)]
pub struct CopiesByBatch {
    /// The beginning of the keys. It is another one for each try, so that no part of an interrupted
    /// or parallel try is among those of this one.
    prefix: String,
    batches: BTreeMap<AccountId, usize>,
    /// The parts that are not complete, with the number of their copies. The ARN of a bucket
    /// contains no account, so every batch reads its copies.
    open: BTreeMap<Option<usize>, (usize, Copies)>,
    waiting: usize,
    keys: CopyKeys,
}

impl CopiesByBatch {
    /// Begins a try at `now` to divide the copies of a run with these accounts.
    pub fn new(run: &RunId, accounts: &[Account], now: SystemTime) -> Self {
        let batches = accounts.iter().enumerate().map(|(at, it)| (it.id.clone(), at / BATCH));
        Self {
            prefix: format!("runs/{run}/copies/{}", nanoseconds(now)),
            batches: batches.collect(),
            open: BTreeMap::new(),
            waiting: 0,
            keys: CopyKeys::default(),
        }
    }

    /// Adds a copy. Returns the key and the text of a part if too many copies wait otherwise.
    ///
    /// A copy of a resource in an account that the run does not look into is dropped.
    pub fn add(&mut self, copy: About<RecoveryPoint>) -> Option<(String, String)> {
        let batch = match copy.account() {
            "" => None,
            account => Some(*self.batches.get(&account.parse::<AccountId>().ok()?)?),
        };
        let (count, copies) = self.open.entry(batch).or_default();
        *count += 1;
        self.waiting += 1;
        copies.add(copy);
        if self.waiting < WAITING { None } else { self.part() }
    }

    /// Returns the key and the text of the largest part that waits, or `None` if none is left.
    pub fn part(&mut self) -> Option<(String, String)> {
        let batch = *self.open.iter().max_by_key(|it| it.1.0)?.0;
        let (count, copies) = self.open.remove(&batch)?;
        self.waiting -= count;
        let keys = self.keys.at(batch);
        let name = batch.map_or_else(|| "shared".to_owned(), |it| format!("{it:05}"));
        let key = format!("{}/{name}.{:03}.json", self.prefix, keys.len());
        keys.push(key.clone());
        Some((key, copies.text()))
    }

    /// Returns the keys of the parts so far.
    pub fn keys(self) -> CopyKeys {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:central";

    fn copy(resource: &str, minute: u64) -> About<RecoveryPoint> {
        let created = SystemTime::UNIX_EPOCH + Duration::from_millis(minute * 60_000 + 7);
        let rule = Creator { plan: "daily".to_owned(), rule: "night".to_owned() };
        let it = RecoveryPoint {
            vault: VAULT.into(),
            created,
            completed: created + Duration::from_nanos(1),
            status: PointStatus::Usable,
            is_continuous: false,
            delete_at: minute.is_multiple_of(2).then_some(created),
            by: minute.is_multiple_of(3).then(|| rule.into()),
        };
        About { resource: resource.to_owned(), kind: "EBS".parse().ok(), it }
    }

    fn volume(account: usize) -> String {
        format!("arn:aws:ec2:eu-west-1:{account:012}:volume/vol-1")
    }

    fn accounts(count: usize) -> Vec<Account> {
        let account = |it| Account {
            id: format!("{it:012}").parse().unwrap(),
            name: String::new(),
            is_central: false,
        };
        (0..count).map(account).collect()
    }

    fn begun(count: usize) -> CopiesByBatch {
        let run = "coverage-20261120T120000Z".parse().unwrap();
        CopiesByBatch::new(&run, &accounts(count), SystemTime::UNIX_EPOCH + Duration::from_nanos(9))
    }

    /// Returns the copies that a batch reads.
    fn read(
        parts: &BTreeMap<String, String>,
        keys: &CopyKeys,
        batch: usize,
    ) -> ByResource<RecoveryPoint> {
        let mut all = ByResource::default();
        keys.of(batch).for_each(|it| Copies::read(&parts[it]).unwrap().add_to(&mut all));
        all
    }

    #[test]
    fn a_batch_reads_the_copies_of_its_accounts_and_those_without_an_account_as_they_were() {
        let mut copies = begun(BATCH + 1);
        let bucket = "arn:aws:s3:::reports";
        let (first, last) = (volume(0), volume(BATCH));
        let all = [&first, &last, bucket, &first, &volume(BATCH + 7)];
        let all: Vec<_> = (0..).zip(all).map(|(minute, it)| copy(it, minute)).collect();
        assert!(all.iter().all(|it| copies.add(it.clone()).is_none()), "all of it waits");
        let mut parts = BTreeMap::new();
        while let Some((key, text)) = copies.part() {
            parts.insert(key, text);
        }
        let keys: CopyKeys = document::read(&document::text(&copies.keys())).unwrap();
        let names: Vec<_> = parts.keys().map(|it| it.split_once("/copies/").unwrap().1).collect();
        assert_eq!(names, ["9/00000.000.json", "9/00001.000.json", "9/shared.000.json"]);
        let of = |wanted: &[usize]| wanted.iter().map(|it| all[*it].clone()).collect();
        assert_eq!(read(&parts, &keys, 0), of(&[0, 3, 2]));
        assert_eq!(read(&parts, &keys, 1), of(&[1, 2]));
        assert_eq!(read(&parts, &keys, 2), of(&[2]));
    }

    #[test]
    fn no_more_copies_wait_than_may_and_none_is_lost() {
        let mut copies = begun(2 * BATCH);
        let mut parts = BTreeMap::new();
        let all = 2 * WAITING + 5;
        for minute in 0..all {
            let account = if minute % 3 == 0 { BATCH } else { 0 };
            parts.extend(copies.add(copy(&volume(account), minute as u64)));
            assert!(copies.waiting < WAITING);
        }
        while let Some((key, text)) = copies.part() {
            parts.insert(key, text);
        }
        let keys = copies.keys();
        assert!(keys.of(0).count() > 1, "{keys:?}");
        let count = |batch| read(&parts, &keys, batch).each().map(|it| it.2.len()).sum::<usize>();
        assert_eq!([count(0), count(1)], [all - all.div_ceil(3), all.div_ceil(3)]);
    }
}
