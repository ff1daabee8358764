//! The report: the state of protection of every account and Region of the organization, and
//! everything that is missing there.
//!
//! An [`Outline`] is made from the organization, its policies and the requests of the templates. It
//! contains the effective policy of every account and the list of things to look at in each
//! account. From the outline, the observations in accounts ([`Seen`]) and the findings of the last
//! runs, [`judge`] makes the [`Report`].
//!
//! Effective policies are merged here instead of being requested from AWS account by account:
//! accounts below the same attachments share one. AWS is only asked which of them it withholds.

pub mod coverage;
mod destination;
mod hearsay;
pub mod history;
mod judge;
mod organization;
mod outline;
pub mod page;
pub mod recovery;
mod seen;
mod shortfall;
mod state;
mod wanted;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use plan::account_state::AccountState;
use plan::id::{AccountId, Region, ResourceType, RoleName, VaultName};
use plan::member_accounts::{Account, Deletion, Guard};

pub use destination::Destination;
pub use hearsay::{Hearsay, hearsay};
pub use history::{Counts, Evidence};
pub use judge::{Observed, judge, not_entered};
pub use organization::{AttachedPolicy, GuardRails, Organization, Placed, Unit};
pub use outline::{Effective, InspectionScope, Origin, Outline, Setting};
pub use seen::{LastFindings, Lock, Place, Seen, Visit, last_findings};
pub use shortfall::Shortfall;
pub use state::State;
pub use wanted::{Wanted, asks, wanted};
pub use words::{FIRST_STEPS, NO_REGION, counted, utc};

/// The name and version of this program.
pub const PROGRAM: &str = concat!("org-backup ", env!("CARGO_PKG_VERSION"));

/// The time for which the findings of the last runs count by default. It lets the daily sweep fail
/// once.
pub const MAX_AGE: Duration = Duration::from_hours(48);

/// The complete result, account by account and Region by Region.
#[derive(Clone, Debug)]
pub struct Report {
    /// The time at which the report was made.
    pub taken: SystemTime,
    /// The source of the report.
    pub source: Source,
    /// The time of the last complete daily sweep, if it is known.
    pub last_sweep: Option<SystemTime>,
    /// The organization.
    pub organization: Organization,
    /// The Regions of the report, which are the columns of the matrix.
    pub regions: Vec<Region>,
    /// The effective policies of the accounts, each once however many accounts share it.
    pub effective: Vec<Effective>,
    /// The findings for accounts and Regions, each once however many are alike.
    pub cells: Vec<Cell>,
    /// The accounts, in the order in which AWS lists them.
    pub rows: Vec<Row>,
    /// Notes about the organization as a whole.
    pub notes: Vec<Note>,
    /// The states that are shown. If it is empty, all states are shown.
    pub states: BTreeSet<State>,
    /// The backups of resources, as the last sweep found them. `None` if no sweep has looked at
    /// them.
    pub evidence: Option<Evidence>,
}

/// The source of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The command, which looked into the accounts just now.
    Command,
    /// The daily sweep, which does not look into accounts and uses the findings of the last runs.
    Sweep,
}

/// One account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The account.
    pub account: Account,
    /// The state of the account in AWS Organizations, such as `ACTIVE`.
    pub life: AccountState,
    /// The unit that the account is in, by its index in [`Organization::units`].
    pub unit: usize,
    /// The effective policy of the account, by its index in [`Report::effective`].
    pub effective: usize,
    /// The findings in each Region of [`Report::regions`], by their index in [`Report::cells`].
    pub cells: Vec<usize>,
}

/// A note about the organization as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// The text of the note.
    pub text: String,
    /// The next step.
    pub hint: String,
    /// True if something could not be looked at, so that there may be more to report.
    pub is_unread: bool,
}

impl Note {
    /// Returns the text with the next step.
    pub fn advised(&self) -> String {
        errors::advised(&self.text, Some(&self.hint))
    }
}

/// The findings for an account in a Region.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Cell {
    /// The overall state.
    pub state: State,
    /// The effective plans that make backups here.
    pub plans: Vec<String>,
    /// The vaults that these plans put backups in, as far as they were looked at.
    pub vaults: Vec<(VaultName, Found<VaultSeen>)>,
    /// The effect of service control policies on principals that delete recovery points, or the
    /// reason why it is not known.
    pub guard: Result<Guard, String>,
    /// The roles that these plans make backups with.
    pub roles: Vec<(RoleName, Found<RoleSeen>)>,
    /// The resource types that are opted in to, and those that are not. `None` if that is unknown.
    pub opt_ins: Option<OptIns>,
    /// Everything that is missing, each item once.
    pub missing: Vec<Missing>,
    /// The source of the findings.
    pub known: Known,
}

/// The opt-ins of resource types.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct OptIns {
    /// The types that are opted in to, which are backed up.
    pub on: BTreeSet<ResourceType>,
    /// The types that are not opted in to, which are not backed up.
    pub off: BTreeSet<ResourceType>,
}

/// The result of looking for something.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Found<T> {
    /// It exists, with these properties.
    Here(T),
    /// It does not exist.
    Absent,
    /// It was not looked at, or could not be.
    Unknown,
}

/// The properties of a vault that matter for backups. A property that could not be judged is
/// `None`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VaultSeen {
    /// True if a key of the customer encrypts it.
    pub has_own_key: bool,
    /// True if its key can encrypt and decrypt.
    pub key_works: Option<bool>,
    /// True if its access policy does not deny backups to the roles of the plans.
    pub lets_in: Option<bool>,
    /// The effect of its access policy on principals that delete recovery points.
    pub deletion: Option<Deletion>,
    /// Its lock, if it is locked.
    pub lock: Option<Lock>,
}

/// The properties of a role that matter for backups. A property that could not be judged is `None`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RoleSeen {
    /// True if AWS Backup may assume it.
    pub trusts: Option<bool>,
    /// True if its permissions allow at least some backups.
    pub may: Option<bool>,
}

/// Something that backups need, and that is missing or wrong.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Missing {
    /// The problem.
    pub problem: String,
    /// The next step.
    pub hint: String,
    /// True if it is known to be missing. False if it could not be looked at.
    pub is_certain: bool,
}

/// The source of the findings in a Region.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Known {
    /// A look into the account just now.
    Now,
    /// The run of `member-accounts` whose report was written at this time.
    Run(SystemTime),
    /// None: the account was not looked into.
    No,
}

impl Report {
    /// Returns the number of findings, one for each account and Region, in each state. States
    /// without any are left out.
    pub fn tally(&self) -> BTreeMap<State, usize> {
        let mut tally = BTreeMap::new();
        for (_, cell) in self.rows.iter().flat_map(|it| self.shown(it)) {
            *tally.entry(cell.state).or_default() += 1;
        }
        tally
    }

    /// Returns [`Self::tally`] in words, in the order of [`State::ALL`].
    pub fn tally_words(&self) -> String {
        let tally = self.tally();
        let counts = State::ALL
            .iter()
            .filter_map(|it| Some(format!("{} {}", tally.get(it)?, it.words_of_many())));
        let counts = counts.collect::<Vec<_>>().join(", ");
        if counts.is_empty() { "nothing".to_owned() } else { counts }
    }

    /// Returns the findings for an account in each Region, if their state is one of those that are
    /// shown.
    pub fn shown<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Region, &'a Cell)> {
        let cells = self.regions.iter().zip(&row.cells);
        let cells = cells.filter_map(|(region, it)| Some((region, self.cells.get(*it)?)));
        cells.filter(|it| self.states.is_empty() || self.states.contains(&it.1.state))
    }

    /// Keeps only the accounts for which `keeps` returns `true`, by their index in the
    /// organization. If `regions` is not empty, only these Regions are kept, and if `states` is not
    /// empty, only these states are shown.
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

    /// Returns the number of accounts that are protected in at least one Region, and in every
    /// Region in which backups are wanted.
    pub fn protected(&self) -> usize {
        let is_protected = |row: &&Row| {
            let states = row.cells.iter().filter_map(|it| self.cells.get(*it)).map(|it| it.state);
            let states: BTreeSet<_> = states.collect();
            states.contains(&State::Protected) && states.iter().all(|it| it.is_fine())
        };
        self.rows.iter().filter(is_protected).count()
    }

    /// Returns `true` if every account is protected wherever backups are wanted.
    ///
    /// Without any Region the result is `false`, because nothing can be protected.
    pub fn is_well(&self) -> bool {
        !self.regions.is_empty() && self.tally().keys().all(|it| it.is_fine())
    }

    /// Returns the number of things that could not be looked at: accounts in Regions whose state is
    /// unknown, and notes that say so.
    pub fn unread(&self) -> usize {
        let cells = self.tally().get(&State::Unknown).copied().unwrap_or_default();
        cells + self.notes.iter().filter(|it| it.is_unread).count()
    }

    /// Returns the state of an account as a whole: the worst state of its Regions.
    pub fn state_of(&self, row: &Row) -> State {
        let states = row.cells.iter().filter_map(|it| self.cells.get(*it)).map(|it| it.state);
        states.max_by_key(|it| it.rank()).unwrap_or(State::NotAsked)
    }

    /// Returns the names of the units from below the root down to the one of `row`.
    pub fn path(&self, row: &Row) -> Vec<&str> {
        self.organization.path(row.unit)
    }

    /// Returns the backups of an account in a Region, as the last sweep counted them.
    pub fn backups(&self, row: &Row, region: &Region) -> Option<&Counts> {
        let evidence = self.evidence.as_ref()?;
        evidence.summary.accounts.get(&row.account.id)?.regions.get(region)
    }

    /// Returns the account with this ID.
    pub fn row(&self, account: &AccountId) -> Option<&Row> {
        self.rows.iter().find(|it| it.account.id == *account)
    }
}

#[cfg(test)]
mod tests;
