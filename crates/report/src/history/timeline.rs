//! The days of each account and of the organization.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use plan::id::AccountId;
use serde::{Deserialize, Serialize};

use super::document::{self, Illegible, moment};
use super::summary::{AccountCounts, Counts, Summary};
use crate::coverage::{State, StateGroup};
use crate::utc;

/// The number of days that are kept of an account.
const DAYS: usize = 30;

/// The number of days that are kept of the organization.
const TREND: usize = 400;

/// The last day of the year 9999, after which days have no name.
const LAST: u32 = 2_932_896;

/// The number of seconds of a day.
const SECONDS: u64 = 24 * 60 * 60;

/// A day, as the number of days since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32")]
pub struct Day(u32);

/// A number that is no [`Day`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a day is after the year 9999")]
pub struct NoDay;

impl TryFrom<u32> for Day {
    type Error = NoDay;

    fn try_from(days: u32) -> Result<Self, NoDay> {
        if days > LAST { Err(NoDay) } else { Ok(Self(days)) }
    }
}

impl Day {
    /// Returns the day of a time.
    pub fn of(at: SystemTime) -> Self {
        Self(u32::try_from(moment::seconds(at) / SECONDS).unwrap_or(LAST))
    }

    /// Returns the time at which the day begins.
    pub fn start(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(self.0) * SECONDS)
    }

    /// Returns the day so many days before this one, or the first one that there is.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    /// Writes the date, as in `2026-11-21`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(utc(self.start()).split(' ').next().unwrap_or_default())
    }
}

/// The backups of an account on a day, as the last sweep of the day found them. Resources that
/// nothing is meant to back up do not count. A greater state matters more.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayState {
    /// No resource is owed a backup.
    Nothing,
    /// Every backup and copy that was due is there.
    Fresh,
    /// Something could not be looked at.
    NotKnown,
    /// A backup or a copy is late, and no job failed.
    Late,
    /// The newest job of a resource ended without a backup.
    Failed,
}

impl DayState {
    /// Every state, the one that matters least first.
    pub const ALL: [Self; 5] =
        [Self::Nothing, Self::Fresh, Self::NotKnown, Self::Late, Self::Failed];

    /// Returns the state of a day on which there is only a resource in this state.
    fn with(state: &State) -> Self {
        match state.group() {
            StateGroup::Fresh => Self::Fresh,
            StateGroup::Late if *state == State::Failing => Self::Failed,
            StateGroup::Late => Self::Late,
            StateGroup::NotKnown => Self::NotKnown,
            StateGroup::NotCovered | StateGroup::LeftOut => Self::Nothing,
        }
    }

    /// Returns the state of an account. `is_read` is true if everything in it was looked at.
    fn of(account: Option<&AccountCounts>, is_read: bool) -> Self {
        let of_counts = |it: &Counts| {
            let states = it.states.iter().filter(|it| *it.1 > 0);
            let states = states.map(|it| Self::with(&State::of_key(it.0)));
            let late = (it.copies_late > 0).then_some(Self::Late);
            let unknown = (it.copies_unknown > 0).then_some(Self::NotKnown);
            states.chain(late).chain(unknown).max()
        };
        let unread = (!is_read).then_some(Self::NotKnown);
        let here = account.into_iter().flat_map(|it| it.regions.values());
        here.filter_map(of_counts).chain(unread).max().unwrap_or(Self::Nothing)
    }
}

/// One state for each account and day, for the last thirty days on which there was a sweep.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Timeline {
    /// The days of each account, the oldest first. A day without a sweep is absent.
    #[serde(default)]
    pub days: BTreeMap<AccountId, Vec<(Day, DayState)>>,
}

/// The organization on a day.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrendDay {
    /// The day.
    pub day: Day,
    /// The number of resources in each state, by [`State::key`](crate::coverage::State::key).
    #[serde(default)]
    pub states: BTreeMap<String, usize>,
}

/// The days so far.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Past {
    /// The program that wrote it, with its version.
    pub program: String,
    /// The days of each account.
    #[serde(default)]
    pub timeline: Timeline,
    /// The days of the organization, the oldest first, at most 400.
    #[serde(default)]
    pub trend: Vec<TrendDay>,
}

impl Past {
    /// Reads the stored days.
    ///
    /// # Errors
    ///
    /// Returns an error if a newer program wrote them, or if they are not complete.
    pub fn read(text: &str) -> Result<Self, Illegible> {
        document::read(text)
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        document::text(self)
    }

    /// Adds a sweep, which replaces an earlier one of the same day. `unread` are the accounts in
    /// which something could not be looked at. Adding the same sweep again changes nothing.
    pub fn add(&mut self, summary: &Summary, unread: &BTreeSet<AccountId>) {
        let today = Day::of(summary.taken);
        self.program.clone_from(&summary.program);
        let all: BTreeSet<_> = summary.accounts.keys().chain(unread).collect();
        for account in &all {
            let state = DayState::of(summary.accounts.get(account), !unread.contains(account));
            let days = self.timeline.days.entry((*account).clone()).or_default();
            put(days, today, (today, state), DAYS, |it| it.0);
        }
        // An account that left the organization is forgotten with its last day.
        let over = today.before(u32::try_from(DAYS).unwrap_or_default());
        let days = &mut self.timeline.days;
        days.retain(|account, days| all.contains(account) || days.iter().any(|it| it.0 > over));
        let trend = TrendDay { day: today, states: summary.states() };
        put(&mut self.trend, today, trend, TREND, |it| it.day);
    }
}

/// Puts what is known of today in its place. Of the days up to today and of those after it, which a
/// wrong clock made, only the `most` next to today are kept.
fn put<T>(days: &mut Vec<T>, today: Day, it: T, most: usize, day: impl Fn(&T) -> Day) {
    days.retain(|it| day(it) != today);
    days.push(it);
    days.sort_by_key(|it| day(it));
    let place = days.iter().position(|it| day(it) == today).unwrap_or_default();
    days.truncate(place + 1 + most);
    days.drain(..(place + 1).saturating_sub(most));
}
