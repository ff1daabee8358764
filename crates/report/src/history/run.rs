//! The runs of sweeps: where each object is, and what a run does about those before it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use plan::id::{AccountId, RunId};
use serde::{Deserialize, Serialize};

use super::copies::CopyKeys;
use super::document::{self, Illegible, moment};
use super::sum::Sum;
use crate::Organization;
use crate::coverage::DestinationReads;
use crate::words::stamp;

/// The key of the summary of the last sweep.
pub const LAST: &str = "coverage/last.json";

/// The key of the days so far.
pub const TIMELINE: &str = "coverage/timeline.json";

/// The beginning of the keys of the summaries of all sweeps, in the order of their times.
pub const HISTORY: &str = "coverage/history/";

/// The time after which a run that did not end no longer keeps another from beginning. It is less
/// than a day, so that every day has its sweep.
const PATIENCE: Duration = Duration::from_hours(20);

/// Returns the key of the summary of the sweep that began at `taken`.
pub fn history_key(taken: SystemTime) -> String {
    format!("{HISTORY}{}.json", stamp(taken))
}

/// Returns the last of these keys of summaries that is of a sweep by `moment`: a day such as
/// `2026-11-21`, or the name of a summary such as `20261121T040005Z`.
pub fn key_by<'a>(keys: &'a [String], moment: &str) -> Option<&'a String> {
    let moment = moment.replace(['-', ':'], "");
    let is_by = |key: &&String| {
        let name = key.strip_prefix(HISTORY).and_then(|it| it.strip_suffix(".json"));
        name.is_some_and(|it| it < moment.as_str() || it.starts_with(&moment))
    };
    keys.iter().filter(is_by).max()
}

/// Returns the key of what a run found in an account.
pub fn details_key(run: &RunId, account: &AccountId) -> String {
    format!("coverage/{run}/{account}.jsonl")
}

/// Returns the key of the record of when each resource of an account was first seen.
pub fn seen_key(account: &AccountId) -> String {
    format!("coverage/seen/{account}.json")
}

/// The order of a run, which all of its batches share, so that the organization is read once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SweepOrder {
    /// The time at which the run began.
    #[serde(with = "moment")]
    pub begun: SystemTime,
    /// The organization.
    pub organization: Organization,
    /// The vaults that receive copies from other accounts, by ARN. An error is the reason why their
    /// account could not be entered.
    pub destinations: BTreeMap<String, Result<DestinationReads, String>>,
    /// The copies in these vaults.
    pub copies: CopyKeys,
    /// The parts that could not be read at the beginning.
    #[serde(default)]
    pub unread: Vec<String>,
}

impl SweepOrder {
    /// Reads a stored order.
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
}

/// The record of the run that began last.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    /// The run.
    pub run: RunId,
    /// The time at which it began.
    #[serde(with = "moment")]
    pub begun: SystemTime,
    /// True if its execution was started for certain.
    is_started: bool,
    /// True if it ended.
    is_over: bool,
}

/// The effect of a request for a sweep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Start {
    /// It begins this run.
    New(Begun),
    /// It goes on with this run, whose execution may not have been started before somebody was
    /// interrupted. Starting it again does nothing.
    Again(Begun),
    /// It does nothing, because this run is under way.
    Under(RunId),
}

impl Begun {
    /// The key of the record.
    pub const KEY: &str = "coverage/run.json";

    /// Reads the stored record.
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

    /// Returns what a request at `now` does after `last` began.
    pub fn start(last: Option<&Self>, now: SystemTime) -> Start {
        let goes_on = |it: &&Self| {
            let since = now.duration_since(it.begun);
            // A run of the future, from a clock that was wrong, keeps nothing from beginning.
            !it.is_over && since.is_ok_and(|it| it < PATIENCE)
        };
        match last.filter(goes_on) {
            Some(it) if !it.is_started => Start::Again(it.clone()),
            Some(it) => Start::Under(it.run.clone()),
            None => {
                let run = format!("coverage-{}", stamp(now)).parse();
                let run = run.unwrap_or_else(|_| unreachable!("letters and digits make a run ID"));
                Start::New(Self { run, begun: now, is_started: false, is_over: false })
            }
        }
    }

    /// Returns the record of the same run when it is started.
    #[must_use]
    pub fn started(self) -> Self {
        Self { is_started: true, ..self }
    }

    /// Returns the record of the same run when it is over.
    #[must_use]
    pub fn over(self) -> Self {
        Self { is_over: true, ..self }
    }

    /// Returns `true` if this is the record of `run`, and the run is over.
    pub fn is_over(&self, run: &RunId) -> bool {
        self.run == *run && self.is_over
    }
}

/// The recipient of a notice.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// E-mail to people.
    Mail,
    /// Chat rooms.
    Chat,
    /// Other programs, as an event.
    Event,
    /// AWS Security Hub, which forgets what is not repeated. Every sweep reports to it.
    Findings,
}

/// The record of sent notices. It decides whether there is a notice, so that a step that is repeated
/// neither tells twice nor loses what was not told yet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notified {
    run: RunId,
    now: Point,
    /// The last sweep that each channel got a notice of, if there was one.
    bases: BTreeMap<Channel, Point>,
    /// The channels that still need a notice.
    left: BTreeSet<Channel>,
}

/// A sweep that a notice was sent of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Point {
    /// The key of its summary.
    key: String,
    /// The mark of the resources that needed action.
    mark: String,
}

impl Notified {
    /// The key of the record.
    pub const KEY: &str = "coverage/told.json";

    /// Reads the stored record.
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

    /// Decides what `run`, which began at `taken`, tells. `last` is the record so far.
    ///
    /// A channel gets a notice if the resources that need action changed since its last notice, or
    /// if there are any and it never got one.
    pub fn decide(
        last: Option<Self>,
        run: &RunId,
        taken: SystemTime,
        sum: &Sum,
        channels: &BTreeSet<Channel>,
    ) -> Self {
        let last = match last {
            Some(it) if it.run == *run => return it,
            last => last,
        };
        let base = |it: &Channel| match &last {
            Some(last) if last.left.contains(it) => last.bases.get(it).cloned(),
            Some(last) => Some(last.now.clone()),
            None => None,
        };
        let bases = channels.iter().filter_map(|it| Some((*it, base(it)?)));
        let bases: BTreeMap<_, _> = bases.collect();
        let now = Point { key: history_key(taken), mark: sum.mark_of_set() };
        let nothing = Sum::default().mark_of_set();
        let is_news = |it: &Channel| {
            *it == Channel::Findings || bases.get(it).map_or(&nothing, |it| &it.mark) != &now.mark
        };
        let left = channels.iter().filter(|it| is_news(it)).copied().collect();
        Self { run: run.clone(), now, bases, left }
    }

    /// Returns the key of the summary that the notice for a channel compares with.
    pub fn base(&self, channel: Channel) -> Option<&str> {
        self.bases.get(&channel).map(|it| it.key.as_str())
    }

    /// Returns the channels that still need a notice.
    pub fn left(&self) -> &BTreeSet<Channel> {
        &self.left
    }

    /// Returns the record after a channel got its notice.
    #[must_use]
    pub fn after(mut self, channel: Channel) -> Self {
        self.left.remove(&channel);
        self
    }
}
