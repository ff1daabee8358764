//! What protects every account and Region of the organization, and what is missing there.
//!
//! An [`Outline`] is made of the organization, its policies and what the templates ask for. It says
//! what every account gets and what has to be looked at in it. With what was [`seen`](Seen) there
//! and what the last runs found, [`judge`] makes the [`Report`].
//!
//! Effective policies are merged here and not asked of AWS account by account: accounts below the
//! same attachments share one. Only which of them AWS withholds is asked.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new state is decided on everywhere")]

pub mod coverage;
mod destination;
mod hearsay;
mod judge;
mod organization;
mod outline;
pub mod page;
mod seen;
mod shortfall;
mod state;
mod wanted;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use plan::id::{AccountId, Region, ResourceType, RoleName, VaultName};
use plan::member_accounts::Account;

pub use destination::Destination;
pub use hearsay::{Hearsay, hearsay};
pub use judge::{Observed, judge};
pub use organization::{AttachedPolicy, Organization, Placed, Unit};
pub use outline::{Effective, Look, Origin, Outline, Setting};
pub use seen::{LastLook, Lock, Place, Seen, Visit, last_looks};
pub use shortfall::Shortfall;
pub use state::State;
pub use wanted::{Wanted, asks, wanted};
pub use words::utc;

/// For how long what the last runs found counts, unless somebody says otherwise: the daily sweep may fail
/// once.
pub const MAX_AGE: Duration = Duration::from_hours(48);

/// Everything there is to say, account by account and Region by Region.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it was made.
    pub taken: SystemTime,
    /// What it was made from.
    pub source: Source,
    /// When the daily sweep last looked after everything, where that is known.
    pub last_sweep: Option<SystemTime>,
    /// The organization.
    pub organization: Organization,
    /// The Regions it is about, which are the columns of the matrix.
    pub regions: Vec<Region>,
    /// What accounts get, each once however many accounts share it.
    pub effective: Vec<Effective>,
    /// What is there of accounts and Regions, each once however many are alike.
    pub cells: Vec<Cell>,
    /// The accounts, in the order in which AWS lists them.
    pub rows: Vec<Row>,
    /// What is to be said of the whole.
    pub notes: Vec<Note>,
    /// The states that are shown; all of them where it is empty.
    pub states: BTreeSet<State>,
}

/// What a report is made from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// Somebody looked just now, with the command.
    Command,
    /// The daily sweep, which does not look into accounts and knows what the last runs found.
    Sweep,
}

/// One account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The account.
    pub account: Account,
    /// Where it is in its life, such as `ACTIVE`.
    pub life: String,
    /// The unit it is in, by its index in [`Organization::units`].
    pub unit: usize,
    /// What it gets, by its index in [`Report::effective`].
    pub effective: usize,
    /// What there is in each Region of [`Report::regions`], by its index in [`Report::cells`].
    pub cells: Vec<usize>,
}

/// Something to be said of the organization as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// What.
    pub text: String,
    /// What to do next.
    pub hint: String,
    /// Whether something could not be looked at, so that there may be more to say.
    pub is_unread: bool,
}

/// What an account has in a Region.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Cell {
    /// The sum of it.
    pub state: State,
    /// The effective plans that make backups here.
    pub plans: Vec<String>,
    /// The vaults that these plans put backups in, as far as they were looked at.
    pub vaults: Vec<(VaultName, Found<VaultSeen>)>,
    /// The roles that these plans make backups with.
    pub roles: Vec<(RoleName, Found<RoleSeen>)>,
    /// The resource types that are on, and those that are off; `None` when it is not known.
    pub opt_ins: Option<OptIns>,
    /// What is missing, each once.
    pub missing: Vec<Missing>,
    /// How it is known.
    pub known: Known,
}

/// Resource types that are on and off.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct OptIns {
    /// Those that are backed up.
    pub on: BTreeSet<ResourceType>,
    /// Those that are not.
    pub off: BTreeSet<ResourceType>,
}

/// What looking led to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Found<T> {
    /// It is there, and like this.
    Here(T),
    /// It is not there.
    Absent,
    /// It was not looked at, or could not be.
    Unknown,
}

/// A vault, by what matters of it. What nobody could judge is `None`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VaultSeen {
    /// Whether a key of the customer encrypts it.
    pub has_own_key: bool,
    /// Whether its key encrypts and decrypts.
    pub key_works: Option<bool>,
    /// Whether its access policy leaves the roles of the plans alone.
    pub lets_in: Option<bool>,
    /// Its lock, if it is locked.
    pub lock: Option<Lock>,
}

/// A role, by what matters of it. What nobody could judge is `None`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RoleSeen {
    /// Whether AWS Backup may assume it.
    pub trusts: Option<bool>,
    /// Whether it may back anything up.
    pub may: Option<bool>,
}

/// Something that is not as backups need it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Missing {
    /// What.
    pub problem: String,
    /// What to do next.
    pub hint: String,
    /// Whether it is known to be missing; otherwise nobody could look.
    pub is_certain: bool,
}

/// How it is known what there is in a Region.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Known {
    /// Somebody looked just now.
    Now,
    /// The run of member accounts whose report was written then.
    Run(SystemTime),
    /// Nobody looked.
    No,
}

impl Report {
    /// How many accounts times Regions are in each state; states in which none is are left out.
    pub fn tally(&self) -> BTreeMap<State, usize> {
        let mut tally = BTreeMap::new();
        for (_, cell) in self.rows.iter().flat_map(|it| self.shown(it)) {
            *tally.entry(cell.state).or_default() += 1;
        }
        tally
    }

    /// What an account has in each Region, as far as its state is one of those that are shown.
    pub fn shown<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Region, &'a Cell)> {
        let cells = self.regions.iter().zip(&row.cells);
        let cells = cells.filter_map(|(region, it)| Some((region, self.cells.get(*it)?)));
        cells.filter(|it| self.states.is_empty() || self.states.contains(&it.1.state))
    }

    /// Leaves out the accounts that `keeps` does not keep, by their place in the organization, and, where
    /// some are named, the other Regions and states.
    #[must_use]
    pub fn narrowed(
        mut self,
        keeps: impl Fn(usize) -> bool,
        regions: &[Region],
        states: BTreeSet<State>,
    ) -> Self {
        let is_kept = |it: &Region| regions.is_empty() || regions.contains(it);
        let kept: Vec<_> = self.regions.iter().map(is_kept).collect();
        let rows = self.rows.into_iter().enumerate().filter(|it| keeps(it.0));
        let row = |(_, row): (usize, Row)| {
            let cells = row.cells.iter().zip(&kept).filter(|it| *it.1);
            Row { cells: cells.map(|it| *it.0).collect(), ..row }
        };
        self.rows = rows.map(row).collect();
        self.regions.retain(is_kept);
        Self { states, ..self }
    }

    /// How many accounts are protected in every Region in which backups are wanted, and in one at least.
    pub fn protected(&self) -> usize {
        let is_protected = |row: &&Row| {
            let states = row.cells.iter().filter_map(|it| self.cells.get(*it)).map(|it| it.state);
            let states: BTreeSet<_> = states.collect();
            states.contains(&State::Protected) && states.iter().all(|it| it.is_fine())
        };
        self.rows.iter().filter(is_protected).count()
    }

    /// Whether every account is protected wherever that is wanted.
    ///
    /// Without any Region there is nothing that could be.
    pub fn is_well(&self) -> bool {
        !self.regions.is_empty() && self.tally().keys().all(|it| it.is_fine())
    }

    /// How much could not be looked at: accounts in Regions that are not known, and notes that say so.
    pub fn unread(&self) -> usize {
        let cells = self.tally().get(&State::Unknown).copied().unwrap_or_default();
        cells + self.notes.iter().filter(|it| it.is_unread).count()
    }

    /// The state of an account as a whole: the worst of its Regions.
    pub fn state_of(&self, row: &Row) -> State {
        let states = row.cells.iter().filter_map(|it| self.cells.get(*it)).map(|it| it.state);
        states.max_by_key(|it| it.rank()).unwrap_or(State::NotAsked)
    }

    /// The names of the units from below the root down to the one of `row`.
    pub fn path(&self, row: &Row) -> Vec<&str> {
        self.organization.path(row.unit)
    }

    /// The account with this ID.
    pub fn row(&self, account: &AccountId) -> Option<&Row> {
        self.rows.iter().find(|it| it.account.id == *account)
    }
}

#[cfg(test)]
mod tests;
