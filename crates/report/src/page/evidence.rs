//! The backups of resources, for the script of the page.
//!
//! An account has a list for each Region with resources, and a text with a letter for each of the
//! last thirty days, so that ten thousand accounts stay a few megabytes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::{AccountId, Region};
use serde_json::{Value, json};

use crate::coverage::{State, StateGroup};
use crate::history::{
    AccountCounts, Change, Counts, Day, DayState, Evidence, ResourceLine, Timeline, TrendDay,
};
use crate::utc;

/// The number of days that are drawn of an account.
const DAYS: u32 = 30;

/// The most changes that the page names.
const CHANGES: usize = 10;

pub(super) fn evidence(evidence: &Evidence, now: SystemTime) -> Value {
    let Evidence { summary, timeline, change, trend } = evidence;
    let regions: BTreeSet<_> = summary.accounts.values().flat_map(|it| it.regions.keys()).collect();
    let regions: Vec<_> = regions.into_iter().collect();
    let causes: BTreeSet<_> = summary.resources.iter().flat_map(|it| &it.causes).collect();
    let causes: Vec<_> = causes.into_iter().collect();
    let mut shared = CommonTexts::default();
    let known = summary.accounts.keys().chain(timeline.days.keys()).collect::<BTreeSet<_>>();
    let mut accounts = BTreeMap::<&AccountId, Value>::new();
    for id in known {
        let counts = summary.accounts.get(id).map(|it| parts(it, &regions, &mut shared));
        accounts.insert(id, json!([days(timeline, id, Day::of(now)), counts]));
    }
    let bad = summary.needing();
    json!({
        "taken": utc(summary.taken),
        "program": summary.program,
        "regions": regions,
        "states": State::ALL.iter().map(state).collect::<Value>(),
        "accounts": accounts,
        "groups": StateGroup::COLUMNS.map(StateGroup::keys),
        "days": DayState::ALL.map(drawn),
        "tests": shared.tests.all,
        "nexts": shared.nexts.all,
        "causes": causes,
        "resources": summary.resources.iter().map(|it| line(it, &causes)).collect::<Value>(),
        "bad": [bad.count, bad.is_least],
        "change": change.as_ref().map(changed),
        "trend": trend.iter().map(day).collect::<Value>(),
    })
}

fn state(it: &State) -> Value {
    json!([it.key(), it.key().replace('-', " "), it.sign(), it.rank(), it.is_fine()])
}

/// Returns the way in which the page draws a day of an account: the letter in its data and of its
/// style, the words, and the height. The taller, the more it matters.
fn drawn(day: DayState) -> (char, &'static str, u8) {
    match day {
        DayState::Nothing => ('n', "nothing to back up", 1),
        DayState::Fresh => ('f', "fresh", 5),
        DayState::NotKnown => ('u', "not known", 8),
        DayState::Late => ('l', "late", 11),
        DayState::Failed => ('x', "failed", 16),
    }
}

/// Texts that many Regions of accounts have in common.
#[derive(Default)]
struct CommonTexts {
    /// Restore tests, each with its date and its result.
    tests: Texts,
    /// The times of the next runs.
    nexts: Texts,
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: String) -> usize {
        *self.places.entry(text).or_insert_with_key(|text| {
            self.all.push(text.clone());
            self.all.len() - 1
        })
    }
}

/// Returns the counts of an account in each Region.
fn parts(account: &AccountCounts, regions: &[&Region], shared: &mut CommonTexts) -> Value {
    let parts = account.regions.iter().map(|(region, it)| {
        let Counts { states, copies_fine, copies_late, copies_unknown, last_test, next } = it;
        let test = last_test.as_ref().map(|it| {
            let result = it.result.as_deref().unwrap_or("is running");
            shared.tests.place(format!("{} {result}", Day::of(it.at)))
        });
        let next = next.map(|it| shared.nexts.place(utc(it)));
        let mut states = numbers(states);
        states.truncate(states.iter().rposition(|it| *it > 0).map_or(0, |it| it + 1));
        json!([
            regions.binary_search(&region).expect("the list has the Regions of every account"),
            states,
            [copies_fine, copies_late, copies_unknown],
            test,
            next,
        ])
    });
    parts.collect()
}

/// Returns the number of resources in each state, in the order of [`State::ALL`].
fn numbers(states: &BTreeMap<String, usize>) -> Vec<usize> {
    let number = |state: &State| {
        let here = states.iter().filter(|it| State::of_key(it.0) == *state);
        here.map(|it| it.1).sum()
    };
    State::ALL.iter().map(number).collect()
}

/// Returns a letter for each of the last days, the oldest first, and a space for a day without a
/// sweep.
fn days(timeline: &Timeline, account: &AccountId, today: Day) -> String {
    let known: BTreeMap<_, _> = timeline.days.get(account).into_iter().flatten().copied().collect();
    let letter = |back: u32| known.get(&today.before(back)).map_or(' ', |it| drawn(*it).0);
    (0..DAYS).rev().map(letter).collect()
}

fn line(it: &ResourceLine, causes: &[&String]) -> Value {
    let state = State::of_key(&it.state);
    let causes = it.causes.iter().filter_map(|it| causes.binary_search(&it).ok());
    json!([
        it.arn,
        it.kind,
        it.account,
        it.region,
        State::ALL.iter().position(|it| *it == state),
        causes.collect::<Vec<_>>(),
        it.newest.map(utc),
        it.kept_until,
    ])
}

fn changed(change: &Change) -> Value {
    let causes = change.causes.iter().take(CHANGES);
    let causes = causes.map(|it| json!([it.words, it.before, it.after, it.direction().heading()]));
    json!({
        "since": utc(change.since),
        "causes": causes.collect::<Value>(),
        "more": change.causes.len().saturating_sub(CHANGES),
    })
}

fn day(it: &TrendDay) -> Value {
    json!([it.day.to_string(), numbers(&it.states)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_a_letter_with_a_style_and_a_height_of_its_own() {
        let style = include_str!("style.css");
        let days = DayState::ALL.map(drawn);
        for (letter, words, _) in days {
            assert!(style.contains(&format!(".d-{letter}")), "{words} has no style");
        }
        let letters: BTreeSet<_> = days.iter().map(|it| it.0).collect();
        let heights: BTreeSet<_> = days.iter().map(|it| it.2).collect();
        assert_eq!((letters.len(), heights.len()), (days.len(), days.len()));
        assert!(DayState::ALL.is_sorted() && days.is_sorted_by_key(|it| it.2));
        assert!(!letters.contains(&' '), "a space is a day without a sweep");
    }
}
