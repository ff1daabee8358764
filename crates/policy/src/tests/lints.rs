//! What AWS takes and should not have been given.

use super::{complete, complete_with, plan, refuses, rule, takes, warns};
use crate::partition::Partition;
use crate::resource_types::ResourceType;
use crate::{Code, Severity, check, contested, incomplete, is_policy_like, parse, values};

fn quiet(text: &str) {
    assert_eq!(check(text, super::now()), [], "{text}");
}

#[test]
fn a_complete_policy_is_worth_no_word() {
    quiet(&complete(""));
}

#[test]
fn cold_storage_lasts_at_least_90_days() {
    let kept = |days: u32| {
        complete(&format!(
            r#","lifecycle":{{"move_to_cold_storage_after_days":{{"@@assign":"10"}},
            "delete_after_days":{{"@@assign":"{days}"}}}}"#
        ))
    };
    quiet(&kept(100));
    refuses(&kept(99), "cold-storage plans/tier/rules/nightly/lifecycle/delete_after_days");
    let arn = "arn:aws:backup:eu-west-3:$account:backup-vault:far";
    let copy = complete(&format!(
        r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}},
        "lifecycle":{{"move_to_cold_storage_after_days":{{"@@assign":"10"}},
        "delete_after_days":{{"@@assign":"99"}}}}}}}}"#
    ));
    let place = format!("plans/tier/rules/nightly/copy_actions/{arn}/lifecycle/delete_after_days");
    refuses(&copy, &format!("cold-storage {place}"));
}

#[test]
fn names_that_differ_only_by_case_are_one_name() {
    warns(r#"{"plans":{"tier":{},"Tier":{}}}"#, "names-differ-by-case plans/Tier");
    quiet(r#"{"plans":{"tier":{},"tier2":{}}}"#);
    let repeated = r#"{"plans":{"tier":{},"tier":{}}}"#;
    let codes: Vec<_> = check(repeated, super::now()).into_iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::DuplicateKey]);
}

#[test]
fn a_key_in_another_case_is_taken_with_a_warning() {
    warns(r#"{"Plans":{}}"#, "key-case Plans");
    warns(
        &complete(r#","Start_Backup_Window_Minutes":{"@@Assign":"90"}"#),
        "key-case plans/tier/rules/nightly/Start_Backup_Window_Minutes",
    );
}

#[test]
fn a_plan_that_cannot_stand_alone_is_a_fragment() {
    warns(&plan(r#""regions":{"@@append":["eu-west-3"]}"#), "incomplete-plan plans/tier");
    let no_vault = complete("").replace("target_backup_vault_name", "start_backup_window_minutes");
    warns(&no_vault.replace("keep", "90"), "incomplete-plan plans/tier/rules/nightly");
    warns(
        &complete(r#","scan_actions":{"GUARDDUTY":{"scan_mode":{"@@assign":"FULL_SCAN"}}}"#),
        "incomplete-plan plans/tier/rules/nightly/scan_actions",
    );
    let nothing = plan(r#""rules":{"nightly":{"start_backup_window_minutes":{"@@assign":"90"}}}"#);
    let findings = check(&nothing, super::now());
    let told: Vec<_> = findings.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
    let why = "unless another policy adds it, AWS withholds everything from the accounts";
    assert_eq!(
        told,
        [
            format!("plans/tier: this plan has no `regions`, no `selections`; {why}"),
            format!("plans/tier/rules/nightly: this rule has no `target_backup_vault_name`; {why}"),
        ]
    );
    // What an effective policy has not, AWS does not look for.
    quiet(&plan(r#""regions":{},"rules":{"nightly":{}}"#));
}

#[test]
fn a_copy_must_go_somewhere_else() {
    let copy = |arn: &str| {
        complete(&format!(
            r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}}}}}}"#
        ))
    };
    let itself = "arn:aws:backup:eu-north-1:$account:backup-vault:keep";
    let place = format!("plans/tier/rules/nightly/copy_actions/{itself}");
    refuses(&copy(itself), &format!("copy-to-itself {place}"));
    quiet(&copy("arn:aws:backup:eu-west-3:$account:backup-vault:keep"));
    quiet(&copy("arn:aws:backup:eu-north-1:210987654321:backup-vault:keep"));
    quiet(&copy("arn:aws:backup:eu-north-1:$account:backup-vault:other"));
}

#[test]
fn only_what_organizations_takes_is_refused_later() {
    for later in [Code::ColdStorage, Code::CopyToItself] {
        assert!(later.is_refused_later(), "{later}");
    }
    for at_once in [Code::TooLong, Code::MissingKey, Code::ContinuousRetention] {
        assert!(!at_once.is_refused_later(), "{at_once}");
    }
}

#[test]
fn the_key_of_a_copy_should_name_the_vault_it_goes_to() {
    let arn = "arn:aws:backup:eu-west-3:$account:backup-vault:far";
    let text = complete(&format!(
        r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}2"}}}}}}"#
    ));
    let place = format!("plans/tier/rules/nightly/copy_actions/{arn}/target_backup_vault_arn");
    warns(&text, &format!("copy-key {place}"));
}

#[test]
fn a_control_on_an_object_leaves_the_values_open() {
    const NONE: &str = r#""@@operators_allowed_for_child_policies":["@@none"]"#;
    let open = complete("").replacen(r#"{"tier""#, &format!(r#"{{{NONE},"tier""#), 1);
    warns(&open, "control-does-not-reach plans/@@operators_allowed_for_child_policies");
    let message = &check(&open, super::now())[0].message;
    assert!(message.contains("`plans/tier/regions`"), "{message}");

    let locked = open.replace(r#"{"@@assign""#, &format!(r#"{{{NONE},"@@assign""#));
    quiet(&locked);
    let all = open.replace("@@none", "@@all");
    quiet(&all);
}

#[test]
fn a_schedule_that_is_sometimes_too_dense_is_a_matter_of_luck() {
    // At 09:46 the next two runs are at 10:50 today and at 10:10 tomorrow.
    let late = super::now() + std::time::Duration::from_mins(30);
    let text = complete(r#","schedule_expression":{"@@assign":"cron(10,50 10 ? * * *)"}"#);
    let codes: Vec<_> = check(&text, late).into_iter().map(|it| (it.severity, it.code)).collect();
    assert_eq!(codes, [(Severity::Warning, Code::ScheduleTooDense)]);
}

#[test]
fn a_variable_is_for_our_own_resource() {
    let text = complete("").replace("eu-north-1", "${region}");
    warns(&text, "variable plans/tier/regions/@@assign/0");
    let text = r#"{"plans":{"${tier}":{}}}"#;
    warns(text, "variable plans/${tier}");
    takes(&rule(r#""lifecycle":{"delete_after_days":{"@@assign":"${days}"}}"#));
    takes(&rule(
        r#""schedule_expression":{"@@assign":"${monthly}"},
        "lifecycle":{"opt_in_to_archive_for_supported_resources":{"@@assign":"true"},
        "move_to_cold_storage_after_days":{"@@assign":"7"},
        "delete_after_days":{"@@assign":"${days}"}}"#,
    ));
}

#[test]
fn white_space_counts_for_other_tools() {
    let text = complete("").replacen(':', &format!(":{}", " ".repeat(10_000)), 1);
    warns(&text, "white-space ");
}

#[test]
fn escapes_are_not_called_white_space() {
    let tag = |text: &str| {
        let tags = (0..9).map(|it| {
            format!(
                r#""t{it}":{{"tag_key":{{"@@assign":"t{it}"}},"tag_value":{{"@@assign":"{text}"}}}}"#
            )
        });
        let tags = tags.collect::<Vec<_>>().join(",");
        complete("")
            .replace(r#""rules":{"#, &format!(r#""backup_plan_tags":{{{tags}}},"rules":{{"#))
    };
    warns(&tag(&r"\u00e9".repeat(200)), "escapes ");
    quiet(&tag(&"é".repeat(200)));
}

/// A policy with `written` characters, `escapes` of which take six and are one.
fn long(written: usize, escapes: usize) -> String {
    let minified = crate::json::read(&complete("")).0.unwrap().to_json();
    let text = format!(r#""gold \\ \" x{}"#, r"\u00e9".repeat(escapes));
    let text = minified.replace(r#""gold"#, &text);
    let values = |room: usize| {
        format!(r#""{}",{}"#, "x".repeat(room % 4 + 1), r#""x","#.repeat(room / 4 - 1))
    };
    let room = written - text.chars().count();
    text.replace(r#""gold"#, &format!(r#"{}"gold"#, values(room)))
}

#[test]
fn what_is_in_quotes_is_no_white_space() {
    let said = |text: &str| {
        let codes = check(text, super::now()).into_iter().map(|it| it.code);
        let of_size = [Code::WhiteSpace, Code::Escapes, Code::TooLong];
        codes.filter(|it| of_size.contains(it)).collect::<Vec<_>>()
    };
    assert_eq!(said(&long(10_000, 3)), []);
    let spaced = |written, escapes| format!(" {}\n", long(written, escapes));
    assert_eq!(said(&spaced(9_999, 3)), [Code::WhiteSpace]);
    assert_eq!(said(&spaced(10_000, 3)), [Code::WhiteSpace]);
    assert_eq!(said(&long(10_001, 3)), [Code::Escapes]);
    assert_eq!(said(&spaced(10_001, 3)), [Code::Escapes]);
    // With neither, it has as many characters as AWS takes, or one more.
    assert_eq!(said(&spaced(10_000, 0)), [Code::WhiteSpace]);
    assert_eq!(said(&long(10_005, 1)), [Code::Escapes]);
    assert_eq!(said(&long(10_006, 1)), [Code::TooLong]);
}

#[test]
fn documented_limits_are_kept() {
    let rules = |count: usize| {
        let one = |it| {
            format!(
                r#""r{it}":{{"target_backup_vault_name":{{"@@assign":"keep"}},
                "schedule_expression":{{"@@assign":"cron(0 5 ? * * *)"}}}}"#
            )
        };
        let rules = (0..count).map(one).collect::<Vec<_>>().join(",");
        complete("").replace(r#""rules":{"#, &format!(r#""rules":{{{rules},"#))
    };
    quiet(&rules(9));
    let control = r#""@@operators_allowed_for_child_policies":["@@all"]"#;
    quiet(&rules(9).replace(r#""rules":{"#, &format!(r#""rules":{{{control},"#)));
    warns(&rules(10), "too-many plans/tier/rules");
}

#[test]
fn a_value_that_two_peers_assign_depends_on_the_order_of_attachment() {
    let vault = |name: &str| parse(&super::value("target_backup_vault_name", name)).unwrap();
    let (one, other) = (vault(r#""one""#), vault(r#""other""#));
    let found = contested(&[("p-1", &one), ("p-2", &other), ("p-3", &one)]);
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only.path, "plans/tier/rules/nightly/target_backup_vault_name");
    assert_eq!(only.policies, ["p-1", "p-2", "p-3"]);
    assert_eq!(contested(&[("p-1", &one), ("p-3", &one)]), []);
    let twice = r#"{"plans":{"Tier":{"regions":{"@@assign":["a"]}},
        "tier":{"regions":{"@@assign":["b"]}}}}"#;
    assert_eq!(contested(&[("p-1", &parse(twice).unwrap())]), [], "it has one order of its own");
}

#[test]
fn a_region_that_is_newer_than_the_program_is_taken_with_a_warning() {
    let region = |region: &str| complete("").replace("eu-north-1", region);
    for known in ["sa-west-1", "me-west-1"] {
        quiet(&region(known));
    }
    for (known, partition) in [("us-iso-east-1", "aws-iso"), ("us-isof-south-1", "aws-iso-f")] {
        quiet(&region(known).replace("arn:aws:", &format!("arn:{partition}:")));
    }
    for unknown in ["eu-north-9", "us-tea-east-1"] {
        warns(&region(unknown), "unknown-region plans/tier/regions/@@assign/0");
    }
    let arn = "arn:aws:backup:eu-west-9:$account:backup-vault:far";
    let copy = complete(&format!(
        r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}}}}}}"#
    ));
    warns(&copy, &format!("unknown-region plans/tier/rules/nightly/copy_actions/{arn}"));
    let [finding] = check(&region("eu-nort-1"), super::now()).try_into().unwrap();
    let as_of = Partition::regions_as_of();
    assert_eq!(
        finding.message,
        format!(
            "`eu-nort-1` is not in the list of {as_of} that this release has, and AWS refuses a \
             value that does not exist; did you mean `eu-north-1`?"
        )
    );
}

#[test]
fn a_resource_type_that_is_newer_than_the_program_is_taken_with_a_warning() {
    let selection = |arn: &str| {
        let all = format!(
            r#""resources":{{"all":{{
            "iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/backup"}},
            "resource_types":{{"@@assign":["*","{arn}"]}}}}}}"#
        );
        complete_with("", &all)
    };
    for known in ["arn:aws:s3:::*", "arn:aws-cn:rds:*:*:db:*", "*"] {
        quiet(&selection(known));
    }
    let place = "plans/tier/selections/resources/all/resource_types/@@assign/1";
    for unknown in ["arn:aws:lambda:*:*:function/*", "arn:aws:ec2:*:*:volumes/*"] {
        warns(&selection(unknown), &format!("unknown-resource-type {place}"));
    }
    let findings = check(&selection("arn:aws:ec2:*:*:volumes/*"), super::now());
    assert!(findings[0].message.ends_with("did you mean `arn:aws:ec2:*:*:volume/*`?"));
}

#[test]
fn a_schedule_with_seven_fields_is_taken_with_a_warning() {
    warns(
        &complete(r#","schedule_expression":{"@@assign":"cron(0 3 1 * ? * *)"}"#),
        "schedule-fields plans/tier/rules/nightly/schedule_expression",
    );
}

/// A policy that copies the backups of these types to an account in a Region, and where it does.
fn copying(selection: &str, region: &str, account: &str) -> (String, String) {
    let arn = format!("arn:aws:backup:{region}:{account}:backup-vault:far");
    let copy = format!(
        r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}}}}}}"#
    );
    let types = format!(
        r#""resources":{{"all":{{
        "iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/backup"}},{selection}}}}}"#
    );
    let place = format!("plans/tier/rules/nightly/copy_actions/{arn}");
    (complete_with(&copy, &types), place)
}

#[test]
fn a_copy_to_another_account_and_region_at_once_is_not_documented_for_every_type() {
    let (other, ours) = ("210987654321", "$account");
    let selected = |kind: &str| format!(r#""resource_types":{{"@@assign":["{kind}"]}}"#);
    for kind in [
        "*",
        "arn:aws:rds:*:*:db:*",
        "arn:aws-cn:rds:*:*:cluster:*",
        "arn:aws:dynamodb:*:*:table/*",
        "arn:aws:fsx:*:*:volume/*",
        "arn:aws:redshift:*:*:cluster:*",
        "arn:aws:eks:*:*:cluster/*",
    ] {
        let (text, place) = copying(&selected(kind), "eu-west-3", other);
        warns(&text, &format!("copy-both-ways {place}"));
        quiet(&copying(&selected(kind), "eu-north-1", other).0);
        quiet(&copying(&selected(kind), "eu-west-3", ours).0);
    }
    for kind in ["arn:aws:ec2:*:*:volume/*", "arn:aws:s3:::*", "arn:aws:ssm-sap:*:*:HANA/*"] {
        quiet(&copying(&selected(kind), "eu-west-3", other).0);
    }
}

#[test]
fn a_type_that_is_not_copied_at_once_is_named_with_what_is_documented_of_it() {
    for (kind, words) in [
        ("dynamodb:*:*:table/*", "only some of them"),
        ("rds:*:*:db:*", "one of the two"),
        ("redshift:*:*:cluster:*", "no copies"),
        ("redshift-serverless:*:*:namespace/*", "no copies"),
        ("eks:*:*:cluster/*", "not documented"),
    ] {
        let selected = format!(r#""resource_types":{{"@@assign":["arn:aws:{kind}"]}}"#);
        let (text, _) = copying(&selected, "eu-west-3", "210987654321");
        let message = &check(&text, super::now())[0].message;
        assert!(message.contains(&format!("`arn:aws:{kind}` ({words})")), "{message}");
    }
}

#[test]
fn the_types_that_are_not_copied_at_once_are_named_without_those_that_are_left_out() {
    let left_out = r#""resource_types":{"@@assign":["*"]},"not_resource_types":{"@@assign":[
        "arn:aws:cloudformation:*:*:stack/*","arn:aws:eks:*:*:cluster/*","arn:aws:fsx:*:*:volume/*",
        "arn:aws:rds:*:*:cluster:*","arn:aws:redshift:*:*:cluster/*","arn:aws:redshift:*:*:cluster:*",
        "arn:aws:redshift-serverless:*:*:namespace/*","arn:aws:rds:*:*:db:*"LAST]}"#;
    let policy = |last: &str| copying(&left_out.replace("LAST", last), "eu-west-3", "210987654321");
    let findings = check(&policy("").0, super::now());
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    let message = finding.message.replace(ResourceType::as_of(), "DAY");
    assert_eq!(
        message,
        "this copies to another account and another Region at once, which AWS does not document (as \
         of DAY) for all of `arn:aws:dynamodb:*:*:table/*` (only some of them); see that such copies \
         complete, or copy to another Region of the account, and from there"
    );
    quiet(&policy(r#","arn:aws:dynamodb:*:*:table/*""#).0);
}

#[test]
fn every_type_of_the_list_says_whether_it_is_copied_at_once() {
    let lines: Vec<_> = include_str!("../../data/types.tsv").lines().collect();
    let [head, rows @ ..] = &lines[..] else { panic!("an empty list") };
    assert!(head.starts_with(&format!("as of\t{}\t", ResourceType::as_of())), "{head}");
    let day: Vec<_> = ResourceType::as_of().split('-').map(str::len).collect();
    assert_eq!(day, [4, 2, 2]);
    assert!(rows.is_sorted(), "{rows:?}");
    for row in rows {
        let (name, copied) = row.split_once('\t').unwrap_or_default();
        assert!(["yes", "some", "either", "no", "unknown"].contains(&copied), "{row}");
        assert!(values::resource_type(&format!("arn:aws:{name}")).is_ok(), "{row}");
    }
}

#[test]
fn a_thousand_incomplete_plans_are_named_and_no_more() {
    let found = |plans: usize| {
        let plans: Vec<_> = (0..plans)
            .map(|it| format!(r#""p{it}":{{"regions":{{"@@assign":["eu-west-3"]}}}}"#))
            .collect();
        let text = format!(r#"{{"plans":{{{}}}}}"#, plans.join(","));
        let document = crate::json::read(&text).0.unwrap();
        incomplete(&[&document], super::now()).len()
    };
    assert_eq!(found(999), 999);
    assert_eq!(found(1_001), 1_000);
}

#[test]
fn a_selection_that_merging_leaves_incomplete_is_found_in_the_document_alone() {
    let missing = |selections: &str, place: &str| {
        warns(&complete_with("", selections), &format!("incomplete-plan plans/tier{place}"));
    };
    let by_tag = r#""tag_key":{"@@assign":"tier"},"tag_value":{"@@assign":["gold"]}"#;
    missing("", "");
    missing(r#""tags":{}"#, "");
    missing(r#""resources":{}"#, "");
    missing(&format!(r#""tags":{{"chosen":{{{by_tag}}}}}"#), "/selections/tags/chosen");
    let role = r#""iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/backup"}"#;
    missing(
        &format!(r#""resources":{{"all":{{{role},"conditions":{{}}}}}}"#),
        "/selections/resources/all",
    );
    let emptied = complete("").replace(r#""@@assign":["eu-north-1"]"#, r#""@@assign":[]"#);
    warns(&emptied, "incomplete-plan plans/tier/regions");
}

#[test]
fn the_policies_of_a_level_complete_each_other() {
    let read = |text: &str| crate::json::read(text).0.unwrap();
    let found = |texts: &[&str]| {
        let documents: Vec<_> = texts.iter().map(|it| read(it)).collect();
        let documents: Vec<_> = documents.iter().collect();
        let found = incomplete(&documents, super::now()).into_iter();
        found.map(|(index, it)| format!("{index} {} {}", it.code, it.path)).collect::<Vec<_>>()
    };
    let whole = complete("");
    let part = plan(r#""regions":{"@@append":["eu-west-3"]}"#).replace("tier", "Tier");
    assert_eq!(found(&[&whole, &part]), [""; 0]);
    assert_eq!(found(&[&part]), ["0 incomplete-plan plans/Tier"]);
    assert_eq!(found(&[&whole.replace("tier", "other"), &part]), ["1 incomplete-plan plans/Tier"]);
    // A policy that cannot be merged is judged by itself.
    assert_eq!(found(&[r#"{"plans":{"tier":{"regions":["eu-west-3"]}}}"#, &part]), [""; 0]);
    let continuous = complete(
        r#","enable_continuous_backup":{"@@assign":"true"},
        "lifecycle":{"delete_after_days":{"@@assign":"35"}}"#,
    );
    let longer = rule(r#""lifecycle":{"delete_after_days":{"@@assign":"90"}}"#);
    assert_eq!(found(&[&longer, &continuous]), ["0 withheld plans/tier/rules/nightly"]);
}

#[test]
fn a_rule_without_a_schedule_is_not_what_aws_documents() {
    let text =
        complete("").replace(r#","schedule_expression":{"@@assign":"cron(0 5 ? * * *)"}"#, "");
    warns(&text, "no-schedule plans/tier/rules/nightly");
}

#[test]
fn what_aws_backup_refuses_later_is_found_now() {
    let rule = "plans/tier/rules/nightly";
    let day =
        |days: &str| format!(r#","lifecycle":{{"delete_after_days":{{"@@assign":"{days}"}}}}"#);
    quiet(&complete(&day("36500")));
    warns(&complete(&day("36501")), &format!("retention {rule}/lifecycle/delete_after_days"));
    let sealed = r#","target_logically_air_gapped_backup_vault_arn":{
        "@@assign":"arn:aws:backup:$region:$account:backup-vault:sealed"}"#;
    quiet(&complete(&format!("{sealed}{}", day("7"))));
    warns(
        &complete(&format!("{sealed}{}", day("6"))),
        &format!("air-gapped-retention {rule}/lifecycle/delete_after_days"),
    );
    let window =
        |it: &str| complete(&format!(r#","complete_backup_window_minutes":{{"@@assign":"{it}"}}"#));
    quiet(&window("52560000"));
    warns(&window("52560001"), &format!("window-too-long {rule}/complete_backup_window_minutes"));
    warns(
        &complete("").replace("keep", "k"),
        &format!("vault-name {rule}/target_backup_vault_name"),
    );
    let key = "target_logically_air_gapped_backup_vault_arn";
    let short = complete(&sealed.replace("sealed", "s"));
    warns(&short, &format!("vault-name {rule}/{key}"));
    let copy = "arn:aws:backup:eu-west-3:$account:backup-vault:c";
    let key = "target_backup_vault_arn";
    let copied = format!(r#","copy_actions":{{"{copy}":{{"{key}":{{"@@assign":"{copy}"}}}}}}"#);
    warns(&complete(&copied), &format!("vault-name {rule}/copy_actions/{copy}/{key}"));
    let index = format!("{rule}/index_actions");
    warns(&complete(r#","index_actions":{}"#), &format!("incomplete-index {index}"));
    quiet(&complete(r#","index_actions":{"resource_types":{"@@assign":["S3"]}}"#));
    let tag = r#","recovery_point_tags":{"aws:t":{"tag_key":{"@@assign":"aws:t"},
        "tag_value":{"@@assign":"x"}}}"#;
    warns(&complete(tag), &format!("reserved-tag {rule}/recovery_point_tags/aws:t"));
}

#[test]
fn a_scan_needs_a_mode_types_and_a_role() {
    let scanned = |actions: &str, settings: &str| {
        complete(&format!(r#","scan_actions":{{{actions}}}"#))
            .replace(r#""rules":"#, &format!(r#""scan_settings":{{{settings}}},"rules":"#))
    };
    let mode = r#""GUARDDUTY":{"scan_mode":{"@@assign":"FULL_SCAN"}}"#;
    let types = r#""resource_types":{"@@assign":["EBS"]}"#;
    let role = r#""scanner_role_arn":{"@@assign":"arn:aws:iam::$account:role/scanner"}"#;
    let both = format!(r#""GUARDDUTY":{{{types},{role}}}"#);
    quiet(&scanned(mode, &both));
    let actions = "incomplete-scan plans/tier/rules/nightly/scan_actions";
    warns(&scanned(r#""GUARDDUTY":{}"#, &both), &format!("{actions}/GUARDDUTY"));
    warns(&scanned("", &both), actions);
    for one in [types, role] {
        let settings = format!(r#""GUARDDUTY":{{{one}}}"#);
        warns(&scanned(mode, &settings), "incomplete-scan plans/tier/scan_settings/GUARDDUTY");
    }
}

#[test]
fn a_selection_is_made_as_aws_documents_it() {
    let role = r#""iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/backup"}"#;
    let condition = |key: &str| {
        format!(
            r#""conditions":{{"string_equals":{{"c":{{"condition_key":{{"@@assign":"{key}"}},
            "condition_value":{{"@@assign":"x"}}}}}}}}"#
        )
    };
    let types = r#""resource_types":{"@@assign":["*"]}"#;
    let resources =
        |body: &str| complete_with("", &format!(r#""resources":{{"all":{{{role},{body}}}}}"#));
    let place = "plans/tier/selections/resources/all";
    let good = condition("aws:ResourceTag/tier");
    quiet(&resources(&format!("{types},{good}")));
    warns(&resources(&good), &format!("only-conditions {place}"));
    warns(
        &resources(&format!("{types},{}", condition("tier"))),
        &format!("condition-key {place}/conditions/string_equals/c/condition_key"),
    );
    let tags = |values: usize| {
        let values = (0..values).map(|it| format!(r#""v{it}""#)).collect::<Vec<_>>().join(",");
        complete("").replace(r#"["gold"]"#, &format!("[{values}]"))
    };
    quiet(&tags(30));
    warns(&tags(31), "too-many plans/tier/selections/tags/chosen/tag_value");
    let by_tag = |name: &str| {
        format!(
            r#""{name}":{{{role},"tag_key":{{"@@assign":"t"}},"tag_value":{{"@@assign":["x"]}}}}"#
        )
    };
    let many = |count: usize| {
        let all = (0..count).map(|it| by_tag(&format!("s{it}"))).collect::<Vec<_>>().join(",");
        complete_with("", &format!(r#""tags":{{{all}}}"#))
    };
    quiet(&many(10));
    warns(&many(11), "too-many plans/tier/selections/tags");
    let both = format!(r#""tags":{{{}}},"resources":{{"all":{{{role},{types}}}}}"#, by_tag("t"));
    warns(&complete_with("", &both), "both-selections plans/tier/selections");
    warns(
        &complete("").replace("role/backup", "role/aws-service-role/backup.amazonaws.com/Role"),
        "service-linked-role plans/tier/selections/tags/chosen/iam_role_arn",
    );
}

#[test]
fn a_partition_is_that_of_its_region() {
    let government = complete("").replace("eu-north-1", "us-gov-west-1");
    warns(&government, "partition-mismatch plans/tier/selections/tags/chosen/iam_role_arn");
    quiet(&government.replace("arn:aws:", "arn:aws-us-gov:"));
    // The vault of a copy is in the partition of its Region, and in that of the backup.
    for arn in [
        "arn:aws:backup:cn-north-1:$account:backup-vault:far",
        "arn:aws-cn:backup:cn-north-1:$account:backup-vault:far",
    ] {
        let copy = format!(
            r#","copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}}}}}}"#
        );
        let place = format!("plans/tier/rules/nightly/copy_actions/{arn}");
        warns(&complete(&copy), &format!("partition-mismatch {place}"));
    }
}

#[test]
fn a_placeholder_of_other_tools_is_not_judged() {
    let text = complete("").replace("eu-north-1", "{{ HomeRegion }}");
    warns(&text, "variable plans/tier/regions/@@assign/0");
}

#[test]
fn the_name_of_a_service_brings_the_type_that_is_meant() {
    for (name, meant) in [
        ("S3", "arn:aws:s3:::*"),
        ("EBS", "arn:aws:ec2:*:*:volume/*"),
        ("EFS", "arn:aws:elasticfilesystem:*:*:file-system/*"),
    ] {
        let why = values::resource_type(name).unwrap_err();
        assert!(why.ends_with(&format!("did you mean `{meant}`?")), "{why}");
    }
}

/// The document of this text, in which every string `unknown` is not known before deployment.
fn with_unknown(text: &str) -> crate::Node {
    fn forget(node: crate::Node) -> crate::Node {
        use crate::Value;
        let value = match node.value {
            Value::Text(text) if text == "unknown" => Value::Unknown,
            Value::Array(items) => Value::Array(items.into_iter().map(forget).collect()),
            Value::Object(members) => {
                let member = |it: crate::Member| crate::Member { value: forget(it.value), ..it };
                Value::Object(members.into_iter().map(member).collect())
            }
            it @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Unknown) => it,
        };
        crate::Node { value, ..node }
    }
    forget(crate::json::read(text).0.unwrap())
}

#[test]
fn what_is_only_known_at_deployment_is_not_judged() {
    for text in [
        complete("").replace("keep", "unknown"),
        complete("").replace("eu-north-1", "unknown"),
        complete("").replace(r#"{"@@assign":"keep"}"#, r#""unknown""#),
        r#"{"plans":"unknown"}"#.to_owned(),
        r#"{"plans":{"tier":"unknown"}}"#.to_owned(),
    ] {
        assert_eq!(crate::inspect(&with_unknown(&text), super::now()), [], "{text}");
    }
    // The parts that are missing around it are.
    let text = complete("").replace("keep", "unknown").replace("regions", "backup_plan_tags");
    let findings = crate::incomplete(&[&with_unknown(&text)], super::now());
    assert_eq!(findings[0].1.path, "plans/tier");
}

#[test]
fn a_document_is_a_policy_by_what_stands_in_its_plans() {
    let is_like = |text: &str| is_policy_like(&crate::json::read(text).0.unwrap());
    for text in [
        r#"{"plans":{}}"#,
        r#"{"Plans":{"tier":{"Regions":{}}}}"#,
        r#"{"plans":{"tier":{"@@assign":{}}}}"#,
        r#"{"plans":{"a":{},"b":{"rules":[]}}}"#,
    ] {
        assert!(is_like(text), "{text}");
    }
    for text in [r#"{"plans":[]}"#, r#"{"plans":{"basic":{"price":3}}}"#, r#"{"rules":{}}"#, "[]"] {
        assert!(!is_like(text), "{text}");
    }
}
