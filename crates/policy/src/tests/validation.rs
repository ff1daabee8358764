//! What AWS checks after merging, and what it withholds.

use serde_json::json;

use super::{complete, levels, now, plan, rule};
use crate::{Effective, published};

/// The errors of the policies at the root, one a line.
fn errors(texts: &[&str]) -> Vec<String> {
    let errors = levels(&[texts]).effective().validate(now());
    errors.iter().map(|it| format!("{} {}: {}", it.code, it.path, it.message)).collect()
}

fn one(text: &str, expected: &str) {
    assert_eq!(errors(&[text]), [expected]);
}

#[test]
fn the_smallest_plan_that_takes_effect_has_no_schedule() {
    assert_eq!(errors(&[&complete("")]), [""; 0]);
    assert!(levels(&[&[&complete("")]]).effective().is_valid(now()));
}

#[test]
fn a_plan_needs_rules_regions_and_selections() {
    let text = plan(r#""backup_plan_tags":{"t":{"tag_key":{"@@assign":"t"}}}"#);
    assert_eq!(
        errors(&[&text]),
        [
            "KEY_REQUIRED plans/tier: 'rules' is missing",
            "KEY_REQUIRED plans/tier: 'regions' is missing",
            "KEY_REQUIRED plans/tier: 'selections' is missing",
        ]
    );
}

#[test]
fn a_rule_needs_a_vault() {
    let text = complete("").replace("target_backup_vault_name", "start_backup_window_minutes");
    one(&text, "KEY_REQUIRED plans/tier/rules/nightly: 'target_backup_vault_name' is missing");
}

#[test]
fn lists_must_not_end_up_empty() {
    let text = complete("").replace(r#"["eu-north-1"]"#, "[]");
    one(
        &text,
        "ELEMENTS_TOO_FEW plans/tier/regions: 'regions' is less than the allowed minimum limit 1",
    );
    let remove = r#"{"plans":{"tier":{"selections":{"tags":{"chosen":{
        "tag_value":{"@@remove":["gold"]}}}}}}}"#;
    assert_eq!(
        errors(&[&complete(""), remove]),
        ["ELEMENTS_TOO_FEW plans/tier/selections/tags/chosen/tag_value: 'tag_value' is less than \
          the allowed minimum limit 1"]
    );
}

#[test]
fn ten_rules_are_the_limit_of_a_plan() {
    let more = |count: usize| {
        let one = |it| format!(r#""r{it}":{{"target_backup_vault_name":{{"@@assign":"keep"}}}}"#);
        plan(&format!(r#""rules":{{{}}}"#, (0..count).map(one).collect::<Vec<_>>().join(",")))
    };
    assert_eq!(errors(&[&complete(""), &more(9)]), [""; 0]);
    assert_eq!(
        errors(&[&complete(""), &more(10)]),
        ["ELEMENTS_TOO_MANY plans/tier/rules: 'rules' exceeds the allowed maximum limit 10"]
    );
}

#[test]
fn a_selection_needs_a_role_and_something_to_select_by() {
    let place = "plans/tier/selections/tags/chosen";
    let without = |key: &str| complete("").replace(key, "conditions_");
    one(&without("iam_role_arn"), &format!("KEY_REQUIRED {place}: 'iam_role_arn' is missing"));
    one(&without("tag_key"), &format!("KEY_REQUIRED {place}: 'tag_key' is missing"));
    one(&without("tag_value"), &format!("KEY_REQUIRED {place}: 'tag_value' is missing"));

    let resources = |body: &str| {
        let selection =
            format!(r#"{{"resources":{{"r":{{"iam_role_arn":{{"@@assign":"arn"}},{body}}}}}}}"#);
        let text = complete("");
        let start = text.find(r#"{"tags""#).unwrap();
        format!("{}{selection}}}}}}}", &text[..start])
    };
    assert_eq!(errors(&[&resources(r#""resource_types":{"@@assign":["*"]}"#)]), [""; 0]);
    let condition = r#""conditions":{"string_like":{"c":{"condition_key":{"@@assign":"k"}}}}"#;
    assert_eq!(errors(&[&resources(condition)]), [""; 0]);
    one(
        &resources(r#""not_resource_types":{"@@assign":["*"]}"#),
        "KEY_REQUIRED plans/tier/selections/resources/r: 'resource_types' is missing",
    );
}

#[test]
fn continuous_backup_and_long_retention_may_come_from_different_policies() {
    let continuous = complete(
        r#","enable_continuous_backup":{"@@assign":"true"},
        "lifecycle":{"delete_after_days":{"@@assign":"30"}}"#,
    );
    assert_eq!(errors(&[&continuous]), [""; 0]);
    let longest = rule(r#""lifecycle":{"delete_after_days":{"@@assign":"35"}}"#);
    assert_eq!(levels(&[&[&continuous], &[&longest]]).effective().validate(now()), []);
    let longer = rule(r#""lifecycle":{"delete_after_days":{"@@assign":"60"}}"#);
    let effective = levels(&[&[&continuous], &[&longer]]).effective();
    let errors = effective.validate(now());
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].message,
        "Dependent fields enable_continuous_backup=true,delete_after_days=60 in policy block \
         nightly are invalid when used together"
    );
    let policies: Vec<_> = errors[0].contributors.iter().map(|it| &*it.policy).collect();
    assert_eq!(policies, ["0.0", "1.0"]);
}

#[test]
fn cold_storage_that_a_continuous_rule_inherits_is_taken() {
    let continuous = complete(
        r#","enable_continuous_backup":{"@@assign":"true"},
        "lifecycle":{"delete_after_days":{"@@assign":"30"}}"#,
    );
    let cold = rule(r#""lifecycle":{"move_to_cold_storage_after_days":{"@@assign":"5"}}"#);
    assert_eq!(levels(&[&[&continuous], &[&cold]]).effective().validate(now()), []);
}

#[test]
fn continuous_backup_without_an_end_is_invalid() {
    let text = complete(r#","enable_continuous_backup":{"@@assign":"true"}"#);
    one(
        &text,
        "CROSS_ATTRIBUTE_VALIDATION plans/tier/rules/nightly: Dependent fields \
         enable_continuous_backup=true,delete_after_days=undefined in policy block nightly are \
         invalid when used together",
    );
}

#[test]
fn the_archive_tier_is_checked_again_after_merging() {
    let archive = |schedule: &str, delete: &str| {
        complete(&format!(
            r#","schedule_expression":{{"@@assign":"{schedule}"}},
            "lifecycle":{{"opt_in_to_archive_for_supported_resources":{{"@@assign":"true"}},
            "move_to_cold_storage_after_days":{{"@@assign":"20"}},
            "delete_after_days":{{"@@assign":"{delete}"}}}}"#
        ))
    };
    assert_eq!(errors(&[&archive("cron(0 2 1 * ? *)", "110")]), [""; 0]);
    one(
        &archive("cron(0 2 1 * ? *)", "90"),
        "CROSS_ATTRIBUTE_VALIDATION plans/tier/rules/nightly: Dependent fields \
         opt_in_to_archive_for_supported_resources=true,delete_after_days=90,\
         move_to_cold_storage_after_days=20 in policy block nightly are invalid when used together",
    );
    // AWS lists the schedule first.
    let fields = |it: &String| it.split("true,").nth(1).unwrap().to_owned();
    let both: Vec<_> = errors(&[&archive("cron(0 2 ? * * *)", "90")]).iter().map(fields).collect();
    assert!(both[0].starts_with("schedule_expression="), "{both:?}");
    assert!(both[1].starts_with("delete_after_days="), "{both:?}");
    assert_eq!(both.len(), 2);
    let dense = archive("cron(0 2 ? * * *)", "110");
    one(
        &dense,
        "CROSS_ATTRIBUTE_VALIDATION plans/tier/rules/nightly: Dependent fields \
         opt_in_to_archive_for_supported_resources=true,schedule_expression=cron(0 2 ? * * *) in \
         policy block nightly are invalid when used together",
    );
    assert!(!levels(&[&[&dense]]).effective().is_valid(now()));
}

#[test]
fn the_errors_of_each_rule_come_together_with_its_schedule_first() {
    let rules = ["a", "b", "c"].map(|name| {
        format!(
            r#""{name}":{{"target_backup_vault_name":{{"@@assign":"keep"}},
            "schedule_expression":{{"@@assign":"cron(0 2 ? * * *)"}},
            "lifecycle":{{"opt_in_to_archive_for_supported_resources":{{"@@assign":"true"}},
            "delete_after_days":{{"@@assign":"1"}}}}}}"#
        )
    });
    let rules = plan(&format!(r#""rules":{{{}}}"#, rules.join(",")));
    let errors = errors(&[&complete(""), &rules]);
    let told = errors.iter().map(|it| {
        let (of, fields) = it.split_once(": ").unwrap();
        let schedule = fields.contains("schedule_expression");
        format!("{} {}", of.rsplit('/').next().unwrap(), if schedule { "schedule" } else { "days" })
    });
    let expected =
        ["a schedule", "a days", "b schedule", "b days", "c schedule", "c days"].map(str::to_owned);
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn the_same_mistake_in_two_copies_is_reported_once() {
    let copy = |name: &str| {
        format!(
            r#""{name}":{{"lifecycle":{{
            "opt_in_to_archive_for_supported_resources":{{"@@assign":"true"}},
            "move_to_cold_storage_after_days":{{"@@assign":"20"}},
            "delete_after_days":{{"@@assign":"90"}}}}}}"#
        )
    };
    let text = complete(&format!(
        r#","schedule_expression":{{"@@assign":"cron(0 2 1 * ? *)"}},"copy_actions":{{{},{}}}"#,
        copy("one"),
        copy("other")
    ));
    assert_eq!(errors(&[&text]).len(), 1);
}

#[test]
fn scans_need_their_settings() {
    let text = complete(r#","scan_actions":{"GUARDDUTY":{"scan_mode":{"@@assign":"FULL_SCAN"}}}"#);
    one(
        &text,
        "CROSS_ATTRIBUTE_VALIDATION plans/tier/rules/nightly: Dependent fields \
         scan_actions(undefined),scan_settings(undefined) in policy block nightly are invalid when \
         used together",
    );
}

#[test]
fn one_bad_plan_withholds_the_whole_document() {
    let good = complete("");
    let fragment = r#"{"plans":{"half":{"regions":{"@@assign":["eu-west-3"]}}}}"#;
    let before = levels(&[&[&good]]).effective();
    let after = levels(&[&[&good], &[fragment]]).effective();
    let nothing = Effective::default();
    assert_eq!(published(&nothing, &before, now()), &before);
    assert_eq!(published(&before, &after, now()), &before);
    assert_eq!(published(&nothing, &after, now()).to_json(), json!({}));
}

#[test]
fn an_error_names_every_policy_that_has_a_part_in_it() {
    let one = plan(r#""regions":{"@@assign":["eu-west-3"]}"#);
    let other = rule(r#""start_backup_window_minutes":{"@@assign":"90"}"#);
    let bystander = complete("").replace("tier", "elsewhere");
    let effective = levels(&[&[&one, &bystander], &[&other]]).effective();
    let errors = effective.validate(now());
    let of = |path: &str| {
        let error = errors.iter().find(|it| it.path == path).unwrap();
        error.contributors.iter().map(|it| it.policy.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("plans/tier"), ["0.0", "1.0"]);
    assert_eq!(of("plans/tier/rules/nightly"), ["1.0"]);
}
