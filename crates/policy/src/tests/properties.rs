//! What holds for every text and every policy.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{now, plan};
use crate::{Inherited, Policy, check, json, parse};

/// Text that is nearly JSON.
fn scribble() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "\"a\"",
        "\"@@assign\"",
        "\"plans\"",
        "0",
        "-1",
        ".5",
        "e9",
        "true",
        "null",
        " ",
        "\n",
        "\u{a0}",
        "\u{1}",
        "é",
        "${x}",
    ];
    vec(select(pieces.to_vec()), 0..40).prop_map(|it| it.concat())
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        ".{0,8}".prop_map(Value::from),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 64, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(".{0,6}", inner, 0..5).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// A policy about a few places, with every operator and control.
fn policy() -> impl Strategy<Value = String> {
    let list = || vec(select(vec!["a", "b", "c"]), 0..4);
    let operators = btree_map(select(vec!["@@assign", "@@append", "@@remove"]), list(), 0..4);
    let words = vec!["@@all", "@@none", "@@assign", "@@append", "@@remove"];
    let controls = proptest::option::of(vec(select(words), 1..3));
    let place = (operators, controls).prop_map(|(operators, control)| {
        let mut place: Map<_, _> =
            operators.into_iter().map(|(key, list)| (key.to_owned(), json!(list))).collect();
        if let Some(control) = control {
            place.insert("@@operators_allowed_for_child_policies".to_owned(), json!(control));
        }
        Value::Object(place)
    });
    let plans = btree_map(select(vec!["one", "One", "two"]), btree_map("[xyY]", place, 0..3), 0..3);
    plans.prop_map(|it| json!({ "plans": it }).to_string())
}

fn merged(levels: &[Vec<String>]) -> Inherited {
    levels.iter().fold(Inherited::root(), |inherited, texts| {
        let policies: Vec<Policy> = texts.iter().map(|it| parse(it).unwrap()).collect();
        let attached: Vec<_> = policies.iter().map(|it| ("p", it)).collect();
        inherited.descend("level", &attached)
    })
}

/// The document with `{"@@assign": x}` replaced by `x`, keys folded and empty objects gone.
fn without_operators(document: &Value) -> Option<Value> {
    let members = document.as_object()?;
    if let Some(assigned) = members.get("@@assign") {
        return Some(assigned.clone());
    }
    let inner = members.iter();
    let inner: Map<_, _> =
        inner.filter_map(|(key, it)| Some((key.to_lowercase(), without_operators(it)?))).collect();
    (!inner.is_empty()).then_some(Value::Object(inner))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = check(&text, now());
        let _ = parse(&text);
    }

    #[test]
    fn what_is_read_is_what_another_reader_of_json_reads(text in scribble()) {
        let (document, findings) = json::read(&text);
        let other = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(document.is_some(), other.is_ok(), "{} {:?}", text, findings);
        if let (Some(document), Ok(other)) = (document, other) && findings.is_empty() {
            prop_assert_eq!(serde_json::from_str::<Value>(&document.to_json()).unwrap(), other);
        }
    }

    #[test]
    fn writing_and_reading_gives_the_same_document(document in document()) {
        let text = document.to_string();
        let (node, findings) = json::read(&text);
        prop_assert_eq!(findings, []);
        let again = node.unwrap().to_json();
        prop_assert_eq!(&serde_json::from_str::<Value>(&again).unwrap(), &document);
        prop_assert_eq!(json::read(&again).0.unwrap().to_json(), again);
    }

    #[test]
    fn a_finding_lies_within_its_text(text in scribble()) {
        for finding in check(&text, now()) {
            let (start, end) = (finding.span.start as usize, finding.span.end as usize);
            prop_assert!(text.get(start..end).is_some());
            let before = &text[..start];
            let line = before.matches('\n').count() + 1;
            prop_assert_eq!(finding.line as usize, line);
        }
    }

    #[test]
    fn merging_gives_the_same_every_time(levels in vec(vec(policy(), 0..4), 0..4)) {
        let (one, other) = (merged(&levels).effective(), merged(&levels).effective());
        prop_assert_eq!(one.to_json(), other.to_json());
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.validate(now()), other.validate(now()));
    }

    #[test]
    fn documents_are_equal_exactly_when_their_json_is(
        one in vec(vec(policy(), 0..2), 0..3),
        other in vec(vec(policy(), 0..2), 0..3),
    ) {
        let (one, other) = (merged(&one).effective(), merged(&other).effective());
        prop_assert_eq!(one == other, one.to_json() == other.to_json());
    }

    #[test]
    fn a_policy_attached_twice_to_one_place_changes_nothing(
        above in vec(policy(), 0..3),
        twice in policy(),
        below in vec(policy(), 0..3),
    ) {
        let once = merged(&[above.clone(), vec![twice.clone()], below.clone()]);
        let again = merged(&[above, vec![twice.clone(), twice], below]);
        prop_assert_eq!(once.effective().to_json(), again.effective().to_json());
    }

    #[test]
    fn a_policy_that_only_assigns_is_its_own_effective_policy(
        plans in btree_map(
            "[a-z]{1,4}",
            btree_map("[a-z]{1,4}", prop_oneof![
                "[a-z]{0,5}".prop_map(|it| json!({ "@@assign": it })),
                vec("[a-z]{0,5}", 0..3).prop_map(|it| json!({ "@@assign": it })),
            ], 0..4),
            0..4,
        ),
    ) {
        let document = json!({ "plans": plans });
        let effective = merged(&[vec![document.to_string()]]).effective().to_json();
        prop_assert_eq!(effective, without_operators(&document).unwrap_or_else(|| json!({})));
    }

    #[test]
    fn every_value_of_an_effective_policy_has_an_origin(levels in vec(vec(policy(), 0..4), 0..4)) {
        for leaf in merged(&levels).effective().leaves() {
            prop_assert!(!leaf.origins.is_empty(), "{}", leaf.path);
        }
    }

    #[test]
    fn no_schedule_makes_the_check_panic(schedule in r"cron\([0-9A-Z*?,/#LW -]{0,24}\)") {
        let text = plan(&format!(
            r#""rules":{{"r":{{"schedule_expression":{{"@@assign":"{schedule}"}}}}}}"#
        ));
        let _ = check(&text, now());
    }
}

/// Counts the work by the size of what comes out, since a clock would make the test a gamble.
#[test]
fn a_document_with_a_hundred_thousand_mistakes_gives_a_bounded_answer() {
    let keys: Vec<_> = (0..100_000).map(|it| format!(r#""k{it}":0"#)).collect();
    let text = format!(r#"{{"plans":{{}},{}}}"#, keys.join(","));
    let findings = check(&text, now());
    assert_eq!(findings.len(), 1_000);
    assert!(findings.iter().all(|it| it.path.len() < 300));
}
