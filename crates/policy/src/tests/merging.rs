//! How what is attached from the root down to an account becomes one document.

use serde_json::{Value, json};

use super::{complete, levels, plan};
use crate::{Effective, Inherited, Level, Operator, merge, parse};

/// The Regions an account gets when each level has these policies about Regions.
fn regions(about: &[&[&str]]) -> Value {
    let texts: Vec<Vec<String>> = about
        .iter()
        .map(|level| level.iter().map(|it| plan(&format!(r#""regions":{{{it}}}"#))).collect())
        .collect();
    let texts: Vec<Vec<&str>> =
        texts.iter().map(|level| level.iter().map(String::as_str).collect()).collect();
    let texts: Vec<&[&str]> = texts.iter().map(Vec::as_slice).collect();
    let json = levels(&texts).effective().to_json();
    json.pointer("/plans/tier/regions").cloned().unwrap_or(Value::Null)
}

const NONE: &str = r#""@@operators_allowed_for_child_policies":["@@none"]"#;
const APPEND: &str = r#""@@operators_allowed_for_child_policies":["@@append"]"#;
const ALL: &str = r#""@@operators_allowed_for_child_policies":["@@all"]"#;

#[test]
fn nothing_attached_gives_an_empty_document() {
    assert_eq!(levels(&[&[], &[]]).effective().to_json(), json!({}));
    assert_eq!(Effective::default().to_json(), json!({}));
}

#[test]
fn a_lower_assign_replaces_the_whole_list() {
    let got = regions(&[&[r#""@@assign":["a","b"]"#], &[r#""@@assign":["c"]"#]]);
    assert_eq!(got, json!(["c"]));
}

#[test]
fn the_first_assign_of_a_level_wins() {
    let got = regions(&[&[r#""@@assign":["a"]"#, r#""@@assign":["b"]"#]]);
    assert_eq!(got, json!(["a"]));
}

#[test]
fn appends_keep_their_order_and_add_nothing_twice() {
    let got = regions(&[
        &[r#""@@assign":["b","a"]"#],
        &[r#""@@append":["c","a"]"#, r#""@@append":["d","c","d"]"#],
    ]);
    assert_eq!(got, json!(["b", "a", "c", "d"]));
}

#[test]
fn long_lists_merge_like_short_ones() {
    let list = |numbers: std::ops::Range<u32>| {
        numbers.map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(",")
    };
    let got = regions(&[
        &[&format!(r#""@@append":[{}]"#, list(0..30))],
        &[&format!(r#""@@append":[{0},{0}],"@@remove":[{1}]"#, list(20..40), list(0..25))],
    ]);
    assert_eq!(got, json!((25..40).map(|it| it.to_string()).collect::<Vec<_>>()));
}

#[test]
fn an_append_to_nothing_makes_the_list() {
    assert_eq!(regions(&[&[r#""@@append":["a"]"#]]), json!(["a"]));
    assert_eq!(regions(&[&[r#""@@append":["a","b","a"]"#]]), json!(["a", "b"]));
    assert_eq!(regions(&[&[r#""@@append":"a""#]]), json!(["a"]));
}

#[test]
fn peers_append_after_an_assign_whichever_was_attached_first() {
    let got = regions(&[&[r#""@@append":["b"]"#, r#""@@assign":["a"]"#]]);
    assert_eq!(got, json!(["a", "b"]));
}

#[test]
fn removes_come_last_even_when_attached_first() {
    let got = regions(&[&[r#""@@remove":["b"]"#, r#""@@append":["a","b"]"#]]);
    assert_eq!(got, json!(["a"]));
}

#[test]
fn one_policy_may_assign_append_and_remove() {
    let got = regions(&[&[r#""@@remove":["a"],"@@append":["b"],"@@assign":["a"]"#]]);
    assert_eq!(got, json!(["b"]));
}

#[test]
fn an_emptied_list_stays_and_a_remove_from_nothing_makes_none() {
    assert_eq!(regions(&[&[r#""@@assign":["a"]"#], &[r#""@@remove":["a","b"]"#]]), json!([]));
    assert_eq!(regions(&[&[r#""@@remove":["a"]"#]]), Value::Null);
}

#[test]
fn a_control_limits_the_levels_below_but_not_its_own() {
    let locked = format!(r#""@@assign":["a"],{NONE}"#);
    assert_eq!(regions(&[&[&locked], &[r#""@@assign":["b"]"#]]), json!(["a"]));
    assert_eq!(regions(&[&[&locked, r#""@@append":["b"]"#]]), json!(["a", "b"]));
    let extended = format!(r#""@@assign":["a"],{APPEND}"#);
    let below = r#""@@assign":["b"],"@@append":["c"],"@@remove":["a"]"#;
    assert_eq!(regions(&[&[&extended], &[below]]), json!(["a", "c"]));
}

#[test]
fn controls_of_peers_intersect() {
    let one = format!(r#""@@assign":["a"],{APPEND}"#);
    let got = regions(&[&[&one, NONE], &[r#""@@append":["b"]"#]]);
    assert_eq!(got, json!(["a"]));
}

#[test]
fn the_words_of_a_control_add_up() {
    for words in [r#"["@@all","@@assign"]"#, r#"["@@append","@@assign","@@assign"]"#] {
        let root = format!(r#""@@assign":["a"],"@@operators_allowed_for_child_policies":{words}"#);
        let got = regions(&[&[&root], &[r#""@@assign":["b"],"@@append":["c"]"#]]);
        assert_eq!(got, json!(["b", "c"]), "{words}");
    }
}

#[test]
fn a_child_cannot_widen_what_is_allowed() {
    let root = format!(r#""@@assign":["a"],{APPEND}"#);
    let got = regions(&[&[&root], &[ALL], &[r#""@@assign":["b"],"@@append":["c"]"#]]);
    assert_eq!(got, json!(["a", "c"]));
}

#[test]
fn a_control_on_an_object_does_not_reach_the_values_below() {
    let root =
        format!(r#"{{"plans":{{{NONE},"tier":{{{NONE},"regions":{{"@@assign":["a"]}}}}}}}}"#);
    let child = plan(r#""regions":{"@@assign":["b"]}"#);
    let got = levels(&[&[&root], &[&child]]).effective().to_json();
    assert_eq!(got, json!({"plans": {"tier": {"regions": ["b"]}}}));
}

#[test]
fn what_is_added_below_a_control_that_forbids_it_is_in_doubt() {
    let root = format!(r#"{{"plans":{{{NONE},"tier":{{"regions":{{"@@assign":["a"]}}}}}}}}"#);
    let child = r#"{"plans":{"more":{"regions":{"@@assign":["b"]}},
        "tier":{"regions":{"@@append":["c"]}}}}"#;
    let below = levels(&[&[&root], &[child], &[child]]).effective();
    let doubts = below.doubts();
    let [doubt] = doubts.as_slice() else { panic!("{doubts:?}") };
    assert_eq!(doubt.path, "plans/more");
    let policies: Vec<_> = doubt.contributors.iter().map(|it| &*it.policy).collect();
    assert_eq!(policies, ["2.0"]);
    let plans = json!({"more": {"regions": ["b"]}, "tier": {"regions": ["a", "c"]}});
    assert_eq!(below.to_json(), json!({ "plans": plans }));

    let open = root.replace(NONE, APPEND);
    assert_eq!(levels(&[&[&open], &[child]]).effective().doubts(), []);
    assert_eq!(levels(&[&[&root, child]]).effective().doubts(), []);
}

#[test]
fn a_control_without_a_value_still_limits_the_levels_below() {
    assert_eq!(regions(&[&[NONE], &[r#""@@assign":["b"]"#]]), Value::Null);
}

#[test]
fn keys_are_folded_and_values_are_not() {
    let root = r#"{"plans":{"Gold":{"rules":{"Nightly":{
        "target_backup_vault_name":{"@@assign":"Keep"}}}}}}"#;
    let child = r#"{"Plans":{"GOLD":{"rules":{"nightly":{
        "start_backup_window_minutes":{"@@assign":90}}}}}}"#;
    let got = levels(&[&[root], &[child]]).effective().to_json();
    let rule = json!({"target_backup_vault_name": "Keep", "start_backup_window_minutes": "90"});
    assert_eq!(got, json!({"plans": {"gold": {"rules": {"nightly": rule}}}}));
}

#[test]
fn names_in_one_policy_that_differ_by_case_merge_like_peers() {
    let text = r#"{"plans":{
        "Tier":{"regions":{"@@assign":["a"],"@@append":["b"]}},
        "tier":{"regions":{"@@assign":["c"],"@@append":["d"]}}}}"#;
    let got = levels(&[&[text]]).effective().to_json();
    assert_eq!(got, json!({"plans": {"tier": {"regions": ["a", "b", "d"]}}}));
}

#[test]
fn controls_of_names_that_differ_by_case_intersect() {
    let text = format!(
        r#"{{"plans":{{"Tier":{{"regions":{{"@@assign":["a"],{APPEND}}}}},
        "tier":{{"regions":{{{NONE}}}}}}}}}"#
    );
    let child = plan(r#""regions":{"@@append":["b"]}"#);
    let got = levels(&[&[&text], &[&child]]).effective().to_json();
    assert_eq!(got, json!({"plans": {"tier": {"regions": ["a"]}}}));
}

#[test]
fn scalars_become_strings() {
    let text = plan(r#""regions":{"@@assign":[7,1.50,true,false,null,"x"]}"#);
    let got = levels(&[&[&text]]).effective().to_json();
    let strings = json!(["7", "1.50", "true", "false", "null", "x"]);
    assert_eq!(got, json!({"plans": {"tier": {"regions": strings}}}));
}

#[test]
fn placeholders_stay_as_they_are_and_empty_objects_vanish() {
    let text = complete(r#","lifecycle":{},"copy_actions":{"x":{"lifecycle":{}}}"#);
    let got = levels(&[&[&text]]).effective().to_json();
    let schedule = "cron(0 5 ? * * *)";
    let rule = json!({"schedule_expression": schedule, "target_backup_vault_name": "keep"});
    assert_eq!(got.pointer("/plans/tier/rules/nightly"), Some(&rule));
    let kept = got.pointer("/plans/tier/selections/tags/chosen/iam_role_arn");
    assert_eq!(kept, Some(&json!("arn:aws:iam::$account:role/backup")));
}

#[test]
fn every_value_knows_which_policies_made_it() {
    let root = plan(r#""regions":{"@@assign":["a"]}"#);
    let ou = plan("\n\"regions\":{\"@@append\":[\"b\"]}");
    let account = plan(r#""regions":{"@@remove":["a"]}"#);
    let idle = plan(r#""regions":{"@@append":["b"],"@@remove":["z"]}"#);
    let effective = levels(&[&[&root], &[&ou, &idle], &[&account]]).effective();
    let [leaf] = &effective.leaves()[..] else { panic!("one value was set") };
    assert_eq!(leaf.path, "plans/tier/regions");
    let origins = leaf.origins.iter();
    let origins: Vec<_> = origins
        .map(|it| (&*it.source.target, &*it.source.policy, it.operator, it.at as usize))
        .collect();
    let at = |text: &str, operator: &str| text.find(operator).unwrap() - 1;
    assert_eq!(
        origins,
        [
            ("level 0", "0.0", Operator::Assign, at(&root, "@@assign")),
            ("level 1", "1.0", Operator::Append, at(&ou, "@@append")),
            ("level 2", "2.0", Operator::Remove, at(&account, "@@remove")),
        ]
    );
}

#[test]
fn an_assign_makes_earlier_policies_forgotten() {
    let root = plan(r#""regions":{"@@assign":["a"]}"#);
    let effective = levels(&[&[&root], &[&root]]).effective();
    let leaves = effective.leaves();
    let policies: Vec<_> = leaves[0].origins.iter().map(|it| &*it.source.policy).collect();
    assert_eq!(policies, ["1.0"]);
}

#[test]
fn going_down_step_by_step_is_merging_at_once() {
    let texts = [complete(""), plan(r#""regions":{"@@append":["eu-west-3"]}"#)];
    let level = |text: &String| Level {
        target: "somewhere".to_owned(),
        policies: vec![("p".to_owned(), parse(text).unwrap())],
    };
    let at_once = merge(&texts.iter().map(level).collect::<Vec<_>>());
    assert_eq!(at_once, levels(&[&[&texts[0]], &[&texts[1]]]).effective());
    assert_ne!(at_once, levels(&[&[&texts[0]]]).effective());
}

#[test]
fn a_level_without_policies_is_the_level_above() {
    let above = levels(&[&[&complete("")]]);
    let below = above.descend("ou", &[]);
    assert_eq!(above.effective(), below.effective());
    assert_eq!(Inherited::root().effective(), Effective::default());
}

#[test]
fn where_values_come_from_does_not_make_documents_differ() {
    let text = complete("");
    assert_eq!(levels(&[&[&text]]).effective(), levels(&[&[], &[&text]]).effective());
    assert_eq!(
        levels(&[&[&text]]).effective(),
        levels(&[&[&text], &[r#"{"plans":{"x":{}}}"#]]).effective()
    );
}

#[test]
fn any_management_policy_merges_by_the_same_rules() {
    let text = r#"{"tags":{"Team":{"tag_value":{"@@append":["Red"]}}}}"#;
    let got = levels(&[&[text]]).effective();
    assert_eq!(got.to_json(), json!({"tags": {"team": {"tag_value": ["Red"]}}}));
    assert_eq!(got.validate(super::now()), []);
}
