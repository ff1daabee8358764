//! The metrics of a sweep.

use std::time::SystemTime;

use cfn::metrics_line;
use report::coverage::{State, StateGroup, TestResult};
use report::history::{Counts, Summary};
use serde_json::{Value, json};

/// Returns the line of a sweep that ended at `now`. `is_whole` is true if nothing of it is left to do.
pub(crate) fn line(summary: &Summary, is_whole: bool, now: SystemTime) -> Value {
    let states = summary.states();
    let among = |it: StateGroup| it.count(&states);
    let all = |count: fn(&Counts) -> usize| summary.counts().map(count).sum::<usize>();
    let is_failed = |it: &Counts| {
        let result = it.last_test.as_ref().and_then(|it| it.result.as_deref());
        usize::from(result == Some(TestResult::Failed.key()))
    };
    let (fresh, late) = (among(StateGroup::Fresh), among(StateGroup::Late));
    let failing = states.get(State::Failing.key()).copied().unwrap_or_default();
    let values = [
        ("Covered", "Count", fresh + late),
        ("Fresh", "Count", fresh),
        ("Late", "Count", late - failing),
        ("Failing", "Count", failing),
        ("NotCovered", "Count", among(StateGroup::NotCovered)),
        ("NotKnown", "Count", among(StateGroup::NotKnown)),
        ("CopiesLate", "Count", all(|it| it.copies_late)),
        ("RestoreTestsFailed", "Count", all(is_failed)),
        ("NotLookedAt", "Count", summary.unread.len()),
        ("Sweeps", "Count", usize::from(is_whole)),
    ];
    // A sweep that is not over is none.
    let values = values.into_iter().filter(|it| it.0 != "Sweeps" || is_whole);
    let values = values.map(|(name, unit, count)| (name, unit, json!(count)));
    metrics_line("coverage", None, values, now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::history::{AccountCounts, TestSeen};

    use super::*;

    #[test]
    fn every_state_is_counted_and_only_a_sweep_that_is_whole_is_one() {
        let states = [("fresh", 5), ("first-due", 1), ("late", 2), ("failing", 3), ("excluded", 7)];
        let states = states.into_iter().map(|it| (it.0.to_owned(), it.1)).collect();
        let at = SystemTime::UNIX_EPOCH;
        let last_test = Some(TestSeen { at, result: Some("failed".to_owned()) });
        let counts = Counts { states, copies_late: 4, last_test, ..Counts::default() };
        let regions = [("eu-west-1".parse().unwrap(), counts)].into();
        let account = AccountCounts { name: String::new(), regions, taken: at };
        let summary = Summary {
            taken: at,
            program: PROGRAM.to_owned(),
            organization: "o-example".to_owned(),
            accounts: BTreeMap::from([("111122223333".parse().unwrap(), account)]),
            causes: vec![],
            resources: vec![],
            need_action: None,
            unread: vec!["the account 444455556666: denied".to_owned()],
        };
        let whole = line(&summary, true, at);
        for (name, count) in [
            ("Covered", 11),
            ("Fresh", 6),
            ("Late", 2),
            ("Failing", 3),
            ("NotCovered", 0),
            ("NotKnown", 0),
            ("CopiesLate", 4),
            ("RestoreTestsFailed", 1),
            ("NotLookedAt", 1),
            ("Sweeps", 1),
        ] {
            assert_eq!(whole[name], count, "{name}");
        }
        let metrics = whole["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        assert!(metrics.iter().all(|it| whole[it["Name"].as_str().unwrap()].is_number()));
        assert_eq!(line(&summary, false, at).get("Sweeps"), None);
    }

    const PROGRAM: &str = "org-backup 1.2.3";
}
