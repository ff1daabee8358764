//! What AWS takes and should not have been given.

use super::{complete, plan, refuses, rule, takes, warns};
use crate::partition::Partition;
use crate::resource_types::ResourceType;
use crate::{Code, Severity, check, contested, parse, values};

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
fn documented_limits_are_kept() {
    let rules = |count: usize| {
        let one = |it| format!(r#""r{it}":{{"target_backup_vault_name":{{"@@assign":"keep"}}}}"#);
        let rules = (0..count).map(one).collect::<Vec<_>>().join(",");
        complete("").replace(r#""rules":{"#, &format!(r#""rules":{{{rules},"#))
    };
    quiet(&rules(9));
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
}

#[test]
fn a_region_that_is_newer_than_the_program_is_taken_with_a_warning() {
    let region = |region: &str| complete("").replace("eu-north-1", region);
    for known in ["sa-west-1", "me-west-1", "us-iso-east-1", "us-isof-south-1"] {
        quiet(&region(known));
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
            "`eu-nort-1` is not in the list of {as_of} that this release has, and AWS refuses what \
             does not exist; did you mean `eu-north-1`?"
        )
    );
}

#[test]
fn a_resource_type_that_is_newer_than_the_program_is_taken_with_a_warning() {
    let selection = |arn: &str| {
        complete("").replace(
            r#""selections":{"#,
            &format!(
                r#""selections":{{"resources":{{"all":{{
                "iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/backup"}},
                "resource_types":{{"@@assign":["*","{arn}"]}}}}}},"#
            ),
        )
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
        r#""selections":{{"resources":{{"all":{{
        "iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/backup"}},{selection}}}}},"#
    );
    let place = format!("plans/tier/rules/nightly/copy_actions/{arn}");
    (complete(&copy).replace(r#""selections":{"#, &types), place)
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
