//! The rules by which Organizations takes or refuses one policy.

use crate::{Code, check};

use super::{
    Severity, complete, found, levels, plan, refuses, rule, selection, takes, value, warns,
};

#[test]
fn the_top_level_holds_plans_and_nothing_else() {
    takes(r#"{"plans":{}}"#);
    takes(r#"{"plans":{"tier":{}}}"#);
    refuses("{}", "missing-key ");
    refuses("[]", "no-operator ");
    refuses(r#"{"plans":{},"tags":{}}"#, "unknown-key tags");
    refuses(r#"{"plans":[]}"#, "no-operator plans");
}

#[test]
fn a_complete_policy_with_every_key_is_taken() {
    takes(
        r#"{"plans":{"everything":{
        "@@operators_allowed_for_child_policies":["@@all"],
        "regions":{"@@append":["eu-north-1"],"@@remove":["eu-west-3"]},
        "rules":{"monthly":{
            "schedule_expression":{"@@assign":"cron(0 2 1 * ? *)"},
            "target_backup_vault_name":{"@@assign":"keep"},
            "target_logically_air_gapped_backup_vault_arn":{
                "@@assign":"arn:aws:backup:$region:$account:backup-vault:sealed"},
            "start_backup_window_minutes":{"@@assign":"120"},
            "complete_backup_window_minutes":{"@@assign":"2880"},
            "enable_continuous_backup":{"@@assign":"false"},
            "lifecycle":{"move_to_cold_storage_after_days":{"@@assign":"14"},
                "delete_after_days":{"@@assign":"400"},
                "opt_in_to_archive_for_supported_resources":{"@@assign":"true"}},
            "copy_actions":{"arn:aws:backup:eu-west-3:210987654321:backup-vault:far":{
                "target_backup_vault_arn":{
                    "@@assign":"arn:aws:backup:eu-west-3:210987654321:backup-vault:far"},
                "lifecycle":{"delete_after_days":{"@@assign":"400"}}}},
            "recovery_point_tags":{"owner":{
                "tag_key":{"@@assign":"Owner"},"tag_value":{"@@assign":"platform"}}},
            "index_actions":{"resource_types":{"@@assign":["S3"]}},
            "scan_actions":{"GUARDDUTY":{"scan_mode":{"@@assign":"FULL_SCAN"}}}}},
        "selections":{
            "tags":{"by-tag":{"iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/team/backup"},
                "tag_key":{"@@assign":"keep"},"tag_value":{"@@assign":["yes",""]}}},
            "resources":{"by-type":{"iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/backup"},
                "resource_types":{"@@assign":["arn:aws:s3:::*"]},
                "not_resource_types":{"@@assign":["arn:aws:rds:*:*:db:*"]},
                "conditions":{"string_not_like":{"not-scratch":{
                    "condition_key":{"@@assign":"aws:ResourceTag/kind"},
                    "condition_value":{"@@assign":"scratch*"}}}}}}},
        "advanced_backup_settings":{"ec2":{"windows_vss":{"@@assign":"enabled"}},
            "s3":{"backup_acls":{"@@assign":"disabled"},
                "backup_object_tags":{"@@assign":"enabled"}}},
        "backup_plan_tags":{"cost":{
            "tag_key":{"@@assign":"cost"},"tag_value":{"@@assign":"4711"}}},
        "scan_settings":{"GUARDDUTY":{"resource_types":{"@@assign":["S3"]},
            "scanner_role_arn":{"@@assign":"arn:aws:iam::$account:role/scanner"}}}
    }}}"#,
    );
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    refuses(&plan(r#""region":{}"#), "unknown-key plans/tier/region");
    for (text, at) in [
        (
            rule(r#""schedule_expression_timezone":{"@@assign":"UTC"}"#),
            "schedule_expression_timezone",
        ),
        (
            rule(r#""lifecycle":{"delete_after_event":{"@@assign":"X"}}"#),
            "lifecycle/delete_after_event",
        ),
        (rule(r#""index_actions":{"types":{}}"#), "index_actions/types"),
        (rule(r#""scan_actions":{"CLAMAV":{}}"#), "scan_actions/CLAMAV"),
        (
            rule(r#""lifecycle":{"delete_after_days":{"days":"1"}}"#),
            "lifecycle/delete_after_days/days",
        ),
    ] {
        refuses(&text, &format!("unknown-key plans/tier/rules/nightly/{at}"));
    }
    refuses(&plan(r#""selections":{"all":{}}"#), "unknown-key plans/tier/selections/all");
    refuses(
        &plan(r#""advanced_backup_settings":{"fsx":{}}"#),
        "unknown-key plans/tier/advanced_backup_settings/fsx",
    );
}

#[test]
fn a_value_needs_an_operator_and_an_object_takes_none() {
    let nightly = "plans/tier/rules/nightly";
    refuses(
        &rule(r#""target_backup_vault_name":"keep""#),
        &format!("no-operator {nightly}/target_backup_vault_name"),
    );
    refuses(&plan(r#""regions":["eu-north-1"]"#), "no-operator plans/tier/regions");
    refuses(&plan(r#""rules":{"@@assign":{}}"#), "misplaced-operator plans/tier/rules/@@assign");
    refuses(r#"{"plans":{"@@append":[]}}"#, "misplaced-operator plans/@@append");
    refuses(
        &plan(r#""regions":{"@@enforced":["eu-north-1"]}"#),
        "unknown-operator plans/tier/regions/@@enforced",
    );
    refuses(r#"{"plans":{"@@enforced_for":[]}}"#, "unknown-operator plans/@@enforced_for");
}

#[test]
fn an_operator_beside_the_plans_is_taken_and_does_nothing() {
    for operator in ["@@assign", "@@append", "@@remove"] {
        let beside =
            |value: &str| complete("").replacen('{', &format!(r#"{{"{operator}":{value},"#), 1);
        for value in [r#""x""#, "null", r#"["x"]"#, "[]", "1"] {
            warns(&beside(value), &format!("operator-without-effect {operator}"));
            let merged = levels(&[&[&beside(value)]]).effective();
            assert_eq!(merged, levels(&[&[&complete("")]]).effective());
        }
        refuses(&beside("{}"), &format!("misplaced-operator {operator}"));
    }
}

#[test]
fn a_single_value_is_only_assigned() {
    let place = "plans/tier/rules/nightly/target_backup_vault_name";
    for operator in ["@@append", "@@remove"] {
        refuses(
            &rule(&format!(r#""target_backup_vault_name":{{"{operator}":"keep"}}"#)),
            &format!("operator-not-allowed {place}/{operator}"),
        );
    }
    refuses(
        &value("target_backup_vault_name", r#"["keep"]"#),
        &format!("not-a-scalar {place}/@@assign"),
    );
    refuses(&value("target_backup_vault_name", "{}"), &format!("not-a-scalar {place}/@@assign"));
}

#[test]
fn numbers_booleans_and_null_stand_for_their_strings() {
    takes(&value("start_backup_window_minutes", "90"));
    takes(&value("enable_continuous_backup", "false"));
    takes(&value("target_backup_vault_name", "null"));
    refuses(
        &value("start_backup_window_minutes", "90.0"),
        "invalid-value plans/tier/rules/nightly/start_backup_window_minutes/@@assign",
    );
    refuses(
        &value("enable_continuous_backup", "1"),
        "invalid-value plans/tier/rules/nightly/enable_continuous_backup/@@assign",
    );
}

#[test]
fn a_list_is_a_list_of_values() {
    refuses(
        &plan(r#""regions":{"@@assign":"eu-north-1"}"#),
        "not-a-list plans/tier/regions/@@assign",
    );
    refuses(
        &plan(r#""regions":{"@@append":[["x"]]}"#),
        "not-a-scalar plans/tier/regions/@@append/0",
    );
}

#[test]
fn names_have_a_certain_form() {
    let fifty = "n".repeat(50);
    for name in ["a", "Tier.1_x-y", &fifty] {
        takes(&format!(r#"{{"plans":{{"{name}":{{}}}}}}"#));
    }
    let long = "n".repeat(51);
    for name in ["", "two words", "é", "a/b", &long] {
        refuses(
            &format!(r#"{{"plans":{{"{name}":{{}}}}}}"#),
            &format!("invalid-name plans/{name}"),
        );
    }
    refuses(&plan(r#""rules":{"a b":{}}"#), "invalid-name plans/tier/rules/a b");
    refuses(
        &plan(r#""selections":{"resources":{"a b":{"conditions":{}}}}"#),
        "invalid-name plans/tier/selections/resources/a b",
    );
}

#[test]
fn regions_are_codes() {
    takes(&plan(r#""regions":{"@@assign":["us-gov-west-1","cn-north-1","eusc-de-east-1"]}"#));
    takes(&plan(r#""regions":{"@@assign":[]}"#));
    takes(&plan(r#""regions":{"@@assign":["eu-west-3","eu-west-3"]}"#));
    for region in ["*", "", "EU-WEST-3", "eu-west", "eu-west-x", "Ireland"] {
        refuses(
            &plan(&format!(r#""regions":{{"@@assign":["{region}"]}}"#)),
            "invalid-value plans/tier/regions/@@assign/0",
        );
    }
}

#[test]
fn a_vault_name_has_no_dots() {
    takes(&value("target_backup_vault_name", r#""Keep_it-2""#));
    for name in ["", "a.b", "two words", &"v".repeat(51)] {
        refuses(
            &value("target_backup_vault_name", &format!(r#""{name}""#)),
            "invalid-value plans/tier/rules/nightly/target_backup_vault_name/@@assign",
        );
    }
}

#[test]
fn windows_last_at_least_an_hour() {
    for key in ["start_backup_window_minutes", "complete_backup_window_minutes"] {
        takes(&value(key, r#""60""#));
        takes(&value(key, r#""9999999999999999""#));
        for minutes in ["59", "", "-60", "1h", "+90", " 90", "10000000000000000"] {
            refuses(
                &value(key, &format!(r#""{minutes}""#)),
                &format!("invalid-value plans/tier/rules/nightly/{key}/@@assign"),
            );
        }
    }
}

#[test]
fn retention_is_counted_in_whole_days() {
    takes(&rule(r#""lifecycle":{"delete_after_days":{"@@assign":"1"}}"#));
    for days in ["0", "1.5", "forever", "-1"] {
        refuses(
            &rule(&format!(r#""lifecycle":{{"delete_after_days":{{"@@assign":"{days}"}}}}"#)),
            "invalid-value plans/tier/rules/nightly/lifecycle/delete_after_days/@@assign",
        );
    }
}

#[test]
fn a_schedule_is_a_cron_expression_with_runs_an_hour_apart() {
    takes(&value("schedule_expression", r#""cron(15 3 ? * SUN *)""#));
    takes(&value("schedule_expression", r#""cron(15 * ? * *)""#));
    takes(&value("schedule_expression", r#""cron(0 3 1 * ? * *)""#));
    for schedule in
        ["rate(1 day)", "cron(0/20 * ? * * *)", "cron(0 3 1 1 ? 2025)", "cron(0 3 30 2 ? *)"]
    {
        refuses(
            &value("schedule_expression", &format!(r#""{schedule}""#)),
            "invalid-value plans/tier/rules/nightly/schedule_expression/@@assign",
        );
    }
}

#[test]
fn continuous_backup_is_kept_for_at_most_35_days() {
    let continuous = |lifecycle: &str| {
        rule(&format!(r#""enable_continuous_backup":{{"@@assign":"true"}}{lifecycle}"#))
    };
    let nightly = "plans/tier/rules/nightly";
    takes(&continuous(r#","lifecycle":{"delete_after_days":{"@@assign":"35"}}"#));
    refuses(&continuous(""), &format!("continuous-retention {nightly}"));
    refuses(&continuous(r#","lifecycle":{}"#), &format!("continuous-retention {nightly}"));
    refuses(
        &continuous(r#","lifecycle":{"delete_after_days":{"@@assign":"36"}}"#),
        &format!("continuous-retention {nightly}/lifecycle/delete_after_days"),
    );
    refuses(
        &continuous(
            r#","lifecycle":{"delete_after_days":{"@@assign":"35"},
               "move_to_cold_storage_after_days":{"@@assign":"1"}}"#,
        ),
        &format!("continuous-retention {nightly}/lifecycle/move_to_cold_storage_after_days"),
    );
}

#[test]
fn the_archive_tier_needs_rare_runs_and_long_retention() {
    let archive = |schedule: &str, cold: &str, delete: &str| {
        rule(&format!(
            r#""schedule_expression":{{"@@assign":"{schedule}"}},
            "lifecycle":{{"opt_in_to_archive_for_supported_resources":{{"@@assign":"true"}},
            "move_to_cold_storage_after_days":{{"@@assign":"{cold}"}},
            "delete_after_days":{{"@@assign":"{delete}"}}}}"#
        ))
    };
    let lifecycle = "plans/tier/rules/nightly/lifecycle";
    takes(&archive("cron(0 2 1 * ? *)", "20", "110"));
    refuses(&archive("cron(0 2 1 * ? *)", "20", "109"), &format!("archive-retention {lifecycle}"));
    refuses(&archive("cron(0 2 ? * SUN *)", "20", "110"), &format!("archive-schedule {lifecycle}"));
    let alone = r#""lifecycle":{"opt_in_to_archive_for_supported_resources":{"@@assign":"true"}}"#;
    assert_eq!(
        found(&rule(alone), Severity::Error),
        [format!("archive-retention {lifecycle}"), format!("archive-schedule {lifecycle}")]
    );
}

#[test]
fn a_copy_that_opts_in_to_the_archive_tier_counts_too() {
    let arn = "arn:aws:backup:eu-west-3:$account:backup-vault:far";
    let text = rule(&format!(
        r#""schedule_expression":{{"@@assign":"cron(0 2 ? * * *)"}},
        "copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}},
        "lifecycle":{{"opt_in_to_archive_for_supported_resources":{{"@@assign":"true"}},
            "move_to_cold_storage_after_days":{{"@@assign":"20"}},
            "delete_after_days":{{"@@assign":"200"}}}}}}}}"#
    ));
    let place = format!("plans/tier/rules/nightly/copy_actions/{arn}/lifecycle");
    refuses(&text, &format!("archive-schedule {place}"));
}

#[test]
fn a_copy_names_its_vault_twice() {
    let copy = |key: &str, target: &str| {
        rule(&format!(
            r#""copy_actions":{{"{key}":{{"target_backup_vault_arn":{{"@@assign":"{target}"}}}}}}"#
        ))
    };
    for arn in [
        "arn:aws:backup:eu-west-3:$account:backup-vault:far",
        "arn:aws-cn:backup:cn-north-1:210987654321:backup-vault:far",
        "arn:aws-us-gov:backup:us-gov-east-1:$account:backup-vault:Default",
    ] {
        takes(&copy(arn, arn));
    }
    let good = "arn:aws:backup:eu-west-3:$account:backup-vault:far";
    let place = "plans/tier/rules/nightly/copy_actions";
    for bad in [
        "far",
        "arn:aws:backup:$region:$account:backup-vault:far",
        "arn:aws:backup::$account:backup-vault:far",
        "arn:aws:backup:eu-west-3:4711:backup-vault:far",
        "arn:aws:backup:eu-west-3:$account:vault:far",
        "arn:aws:backup:eu-west-3:$account:backup-vault:a.b",
        "arn:aws:backup:eu-west-3:$account:backup-vault:far:1",
        "arn:azure:backup:eu-west-3:$account:backup-vault:far",
        "arn:aws:s3:eu-west-3:$account:backup-vault:far",
    ] {
        refuses(&copy(bad, good), &format!("invalid-name {place}/{bad}"));
        refuses(
            &copy(good, bad),
            &format!("invalid-value {place}/{good}/target_backup_vault_arn/@@assign"),
        );
    }
    refuses(
        &rule(&format!(r#""copy_actions":{{"{good}":{{}}}}"#)),
        &format!("missing-key {place}/{good}"),
    );
}

#[test]
fn an_air_gapped_vault_is_named_with_both_placeholders() {
    let key = "target_logically_air_gapped_backup_vault_arn";
    takes(&value(key, r#""arn:aws:backup:$region:$account:backup-vault:sealed""#));
    for arn in [
        "sealed",
        "arn:aws:backup:eu-west-3:$account:backup-vault:sealed",
        "arn:aws:backup:$region:210987654321:backup-vault:sealed",
        "arn:aws:backup:$region:$account:vault:sealed",
    ] {
        refuses(
            &value(key, &format!(r#""{arn}""#)),
            &format!("invalid-value plans/tier/rules/nightly/{key}/@@assign"),
        );
    }
}

#[test]
fn a_role_is_named_with_the_placeholder_for_the_account() {
    let role = |arn: &str| {
        selection(
            "resources",
            &format!(r#""iam_role_arn":{{"@@assign":"{arn}"}},"conditions":{{}}"#),
        )
    };
    takes(&role("arn:aws:iam::$account:role/backup"));
    takes(&role("arn:aws-us-gov:iam::$account:role/service-role/backup"));
    for arn in [
        "backup",
        "arn:aws:iam::210987654321:role/backup",
        "arn:aws:iam::$account:user/backup",
        "arn:aws:iam::$account:role/",
        "arn:aws:iam:eu-west-3:$account:role/backup",
    ] {
        refuses(
            &role(arn),
            "invalid-value plans/tier/selections/resources/chosen/iam_role_arn/@@assign",
        );
    }
    let scanner = r#""scan_settings":{"GUARDDUTY":{"scanner_role_arn":{"@@assign":"arn:aws:iam::210987654321:role/s"}}}"#;
    refuses(
        &plan(scanner),
        "invalid-value plans/tier/scan_settings/GUARDDUTY/scanner_role_arn/@@assign",
    );
}

#[test]
fn a_selection_says_what_it_selects() {
    let tags = r#""tag_key":{"@@assign":"keep"},"tag_value":{"@@assign":["yes"]}"#;
    takes(&selection("tags", tags));
    let place = "plans/tier/selections/tags/chosen";
    refuses(
        &selection("tags", r#""tag_key":{"@@assign":"keep"}"#),
        &format!("missing-key {place}"),
    );
    refuses(
        &selection("tags", r#""tag_value":{"@@append":["x"]}"#),
        &format!("missing-key {place}"),
    );
    for operator in ["@@assign", "@@append", "@@remove"] {
        let empty = format!(r#""tag_key":{{"@@assign":"keep"}},"tag_value":{{"{operator}":[]}}"#);
        refuses(&selection("tags", &empty), &format!("empty-list {place}/tag_value/{operator}"));
    }
    let long = format!(
        r#""tag_key":{{"@@assign":"k"}},"tag_value":{{"@@assign":["{}"]}}"#,
        "v".repeat(257)
    );
    refuses(&selection("tags", &long), &format!("invalid-value {place}/tag_value/@@assign/0"));
    let long = format!(
        r#""tag_key":{{"@@assign":"{}"}},"tag_value":{{"@@assign":["v"]}}"#,
        "k".repeat(129)
    );
    refuses(&selection("tags", &long), &format!("invalid-value {place}/tag_key/@@assign"));
    refuses(&selection("resources", ""), "missing-key plans/tier/selections/resources/chosen");
    takes(&selection("resources", r#""conditions":{}"#));
}

#[test]
fn resource_types_are_whole_types() {
    let types = |arn: &str| {
        selection("resources", &format!(r#""resource_types":{{"@@assign":["{arn}"]}}"#))
    };
    for arn in [
        "*",
        "arn:aws:ec2:*:*:volume/*",
        "arn:aws:rds:*:*:cluster:*",
        "arn:aws-cn:dynamodb:*:*:table/*",
        "arn:aws-us-gov:s3:::*",
        "arn:aws:eks:*:*:cluster/*",
    ] {
        takes(&types(arn));
    }
    for arn in [
        "EC2",
        "arn:aws:ec2:eu-west-3:*:volume/*",
        "arn:aws:ec2:*:*:volume/vol-1",
        "arn:aws:s3:::bucket",
        "arn:aws:lambda:*:*:*",
        "arn:aws:ec2:*:*:volume/*/*",
        "arn:moon:ec2:*:*:volume/*",
    ] {
        refuses(
            &types(arn),
            "invalid-value plans/tier/selections/resources/chosen/resource_types/@@assign/0",
        );
    }
}

#[test]
fn the_name_of_a_service_leads_to_the_type_that_is_meant() {
    let told = |name: &str| {
        let types = format!(r#""resource_types":{{"@@assign":["{name}"]}}"#);
        let findings = check(&selection("resources", &types), super::now());
        findings.into_iter().find(|it| it.code == Code::InvalidValue).unwrap().message
    };
    for (name, meant) in [("S3", "arn:aws:s3:::*"), ("EBS", "arn:aws:ec2:*:*:volume/*")] {
        let expected = format!("`{name}` is not a resource type; did you mean `{meant}`?");
        assert_eq!(told(name), expected);
    }
    assert!(told("Tea").contains("a whole type such as"));
}

#[test]
fn a_selection_has_at_most_30_conditions() {
    let conditions = |count: usize| {
        let one = |it| {
            format!(
                r#""c{it}":{{"condition_key":{{"@@assign":"aws:ResourceTag/t{it}"}},
                "condition_value":{{"@@assign":"x"}}}}"#
            )
        };
        let (first, second): (Vec<_>, Vec<_>) = (0..count).partition(|it| it % 2 == 0);
        let join = |it: Vec<usize>| it.into_iter().map(one).collect::<Vec<_>>().join(",");
        let body = format!(
            r#""conditions":{{"string_like":{{{}}},"string_equals":{{{}}}}}"#,
            join(first),
            join(second)
        );
        selection("resources", &body)
    };
    takes(&conditions(30));
    refuses(&conditions(31), "too-many plans/tier/selections/resources/chosen/conditions");
}

#[test]
fn a_condition_has_a_key_and_a_value() {
    let condition = r#""conditions":{"string_like":{"c":{"condition_key":{"@@assign":"k"}}}}"#;
    let place = "plans/tier/selections/resources/chosen/conditions";
    refuses(&selection("resources", condition), &format!("missing-key {place}/string_like/c"));
    let long = |key: usize, value: usize| {
        let (key, value) = ("k".repeat(key), "v".repeat(value));
        let body = format!(
            r#""conditions":{{"string_like":{{"c":{{"condition_key":{{"@@assign":"{key}"}},
            "condition_value":{{"@@assign":"{value}"}}}}}}}}"#
        );
        selection("resources", &body)
    };
    takes(&long(256, 256));
    let invalid = format!("invalid-value {place}/string_like/c");
    refuses(&long(257, 1), &format!("{invalid}/condition_key/@@assign"));
    refuses(&long(1, 257), &format!("{invalid}/condition_value/@@assign"));
    refuses(
        &selection("resources", r#""conditions":{"string_is":{}}"#),
        &format!("unknown-key {place}/string_is"),
    );
}

#[test]
fn a_tag_is_named_by_its_own_key() {
    let tag =
        |name: &str, body: &str| plan(&format!(r#""backup_plan_tags":{{"{name}":{{{body}}}}}"#));
    let body = r#""tag_key":{"@@assign":"Cost"},"tag_value":{"@@assign":"4711"}"#;
    takes(&tag("cost", body));
    refuses(&tag("team", body), "tag-name plans/tier/backup_plan_tags/team");
    for (name, key) in [("${name}", "Cost"), ("cost", "${name}")] {
        let tag = tag(name, &body.replace("Cost", key));
        assert!(!found(&tag, Severity::Error).iter().any(|it| it.starts_with("tag-name")), "{tag}");
    }
    refuses(
        &tag("cost", r#""tag_key":{"@@assign":"cost"}"#),
        "missing-key plans/tier/backup_plan_tags/cost",
    );
    refuses(
        &tag("cost", r#""tag_key":{"@@assign":"cost"},"tag_value":{"@@append":["a"]}"#),
        "operator-not-allowed plans/tier/backup_plan_tags/cost/tag_value/@@append",
    );
    let point = rule(&format!(r#""recovery_point_tags":{{"team":{{{body}}}}}"#));
    refuses(&point, "tag-name plans/tier/rules/nightly/recovery_point_tags/team");
}

#[test]
fn settings_take_only_certain_words() {
    let nightly = "plans/tier/rules/nightly";
    refuses(
        &rule(r#""index_actions":{"resource_types":{"@@assign":["EBS","EC2"]}}"#),
        &format!("invalid-value {nightly}/index_actions/resource_types/@@assign/1"),
    );
    refuses(
        &rule(r#""scan_actions":{"GUARDDUTY":{"scan_mode":{"@@assign":"QUICK"}}}"#),
        &format!("invalid-value {nightly}/scan_actions/GUARDDUTY/scan_mode/@@assign"),
    );
    refuses(
        &plan(r#""scan_settings":{"GUARDDUTY":{"resource_types":{"@@assign":["RDS"]}}}"#),
        "invalid-value plans/tier/scan_settings/GUARDDUTY/resource_types/@@assign/0",
    );
    refuses(
        &plan(r#""advanced_backup_settings":{"s3":{"backup_acls":{"@@assign":"true"}}}"#),
        "invalid-value plans/tier/advanced_backup_settings/s3/backup_acls/@@assign",
    );
}

#[test]
fn controls_are_lists_of_different_operators() {
    let control = |words: &str| {
        format!(r#"{{"plans":{{"@@operators_allowed_for_child_policies":{words}}}}}"#)
    };
    for words in [r#"["@@none"]"#, r#"["@@all","@@assign"]"#, r#"["@@append","@@remove"]"#] {
        takes(&control(words));
    }
    let place = "invalid-control plans/@@operators_allowed_for_child_policies";
    for words in ["[]", r#""@@none""#, "{}"] {
        refuses(&control(words), place);
    }
    for words in [r#"["@@append","@@append"]"#, r#"["@@all","@@write"]"#, r#"["@@assign",7]"#] {
        refuses(&control(words), &format!("{place}/1"));
    }
    refuses(&control(r#"["@@none","@@remove"]"#), &format!("{place}/0"));
    let wrong = |count| found(&control(&format!("{:?}", vec!["@@write"; count])), Severity::Error);
    assert_eq!(wrong(2), [0, 1].map(|it| format!("{place}/{it}")));
    assert_eq!(wrong(100).len(), 9, "each of the known words could be wrong once");
    takes(&plan(
        r#""regions":{"@@assign":["eu-west-3"],"@@operators_allowed_for_child_policies":["@@none"]}"#,
    ));
}

#[test]
fn ten_thousand_characters_are_the_limit() {
    let padded = |length: usize| {
        let text = complete("");
        let minified = super::super::json::read(&text).0.unwrap().to_json();
        let room = length - minified.len();
        let (values, rest) = (",\"x\"".repeat(room / 4), "y".repeat(room % 4));
        minified.replace("\"gold\"", &format!("\"gold{rest}\"{values}"))
    };
    for fits in [9_999, 10_000] {
        assert_eq!(padded(fits).len(), fits);
        takes(&padded(fits));
    }
    refuses(&padded(10_001), "too-long ");
}
