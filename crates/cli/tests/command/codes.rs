//! Every code of a finding is one that some document has.

use std::fs;
use std::path::Path;
use std::process::Command;

use policy::Code;
use serde_json::Value;

/// A policy with one plan.
fn plan(body: &str) -> String {
    format!(r#"{{"plans":{{"tier":{{{body}}}}}}}"#)
}

/// A policy with one rule.
fn rule(body: &str) -> String {
    plan(&format!(r#""regions":{{"@@assign":["eu-north-1"]}},"rules":{{"nightly":{{{body}}}}}"#))
}

/// A policy with one value in a rule.
fn value(key: &str, value: &str) -> String {
    rule(&format!(r#""{key}":{{"@@assign":{value}}}"#))
}

/// A policy whose rule keeps backups so, and makes them by this schedule.
fn kept(schedule: &str, lifecycle: &[(&str, &str)]) -> String {
    let lifecycle = lifecycle.iter().map(|(key, it)| format!(r#""{key}":{{"@@assign":"{it}"}}"#));
    let lifecycle = lifecycle.collect::<Vec<_>>().join(",");
    let schedule = format!(r#""schedule_expression":{{"@@assign":"{schedule}"}}"#);
    rule(&format!(r#"{schedule},"lifecycle":{{{lifecycle}}}"#))
}

/// A policy whose rule copies backups of volumes to this vault.
fn copied(key: &str, target: &str) -> String {
    plan(&format!(
        r#""regions":{{"@@assign":["eu-north-1"]}},
        "rules":{{"nightly":{{"target_backup_vault_name":{{"@@assign":"keep"}},
            "copy_actions":{{"{key}":{{"target_backup_vault_arn":{{"@@assign":"{target}"}}}}}}}}}},
        "selections":{{"resources":{{"all":{{"iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/b"}},
            "resource_types":{{"@@assign":["arn:aws:rds:*:*:db:*","arn:aws:dynamodb:*:*:table/*"]}}}}}}}}"#
    ))
}

/// A policy with these selections.
fn selected(selections: &str) -> String {
    plan(&format!(r#""selections":{{{selections}}}"#))
}

/// A document that has this code. What a new code is for decides how it looks.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn document(code: Code) -> String {
    const ARCHIVED: (&str, &str) = ("opt_in_to_archive_for_supported_resources", "true");
    const COLD: (&str, &str) = ("move_to_cold_storage_after_days", "20");
    let vault = |account, name| format!("arn:aws:backup:eu-west-3:{account}:backup-vault:{name}");
    match code {
        Code::Syntax => r#"{"plans":"#.to_owned(),
        Code::TooDeep => "[".repeat(2_000),
        Code::TooLarge => format!(r#"{{"plans":{{}}}}{}"#, " ".repeat(5 << 20)),
        Code::DuplicateKey => r#"{"plans":{},"plans":{}}"#.to_owned(),
        Code::UnknownKey => plan(r#""bogus":1"#),
        Code::MissingKey => "{}".to_owned(),
        Code::NoOperator => rule(r#""schedule_expression":"cron(0 5 ? * * *)""#),
        Code::MisplacedOperator => plan(r#""@@assign":["a"]"#),
        Code::UnknownOperator => rule(r#""schedule_expression":{"@@set":"cron(0 5 ? * * *)"}"#),
        Code::OperatorNotAllowed => {
            rule(r#""schedule_expression":{"@@append":"cron(0 5 ? * * *)"}"#)
        }
        Code::NotAScalar => value("schedule_expression", "[]"),
        Code::NotAList => plan(r#""regions":{"@@assign":"eu-north-1"}"#),
        Code::EmptyList => plan(
            r#""selections":{"tags":{"a":{"tag_key":{"@@assign":"a"},"tag_value":{"@@assign":[]}}}}"#,
        ),
        Code::InvalidName => r#"{"plans":{"a plan":{}}}"#.to_owned(),
        Code::InvalidValue => value("schedule_expression", r#""daily""#),
        Code::InvalidControl => plan(r#""@@operators_allowed_for_child_policies":["@@most"]"#),
        Code::ContinuousRetention => rule(
            r#""enable_continuous_backup":{"@@assign":"true"},
            "lifecycle":{"delete_after_days":{"@@assign":"36"}}"#,
        ),
        Code::ArchiveRetention => {
            kept("cron(0 2 1 * ? *)", &[ARCHIVED, COLD, ("delete_after_days", "109")])
        }
        Code::ArchiveSchedule => {
            kept("cron(0 2 ? * SUN *)", &[ARCHIVED, COLD, ("delete_after_days", "110")])
        }
        Code::ColdStorage => kept("cron(0 2 ? * SUN *)", &[COLD, ("delete_after_days", "109")]),
        Code::CopyToItself => {
            let own = "arn:aws:backup:eu-north-1:$account:backup-vault:keep";
            copied(own, own)
        }
        Code::CopyKey => copied(&vault("$account", "one"), &vault("$account", "other")),
        Code::TagName => plan(
            r#""backup_plan_tags":{"one":{"tag_key":{"@@assign":"other"},"tag_value":{"@@assign":"1"}}}"#,
        ),
        Code::TooLong => {
            let plans: Vec<_> = (0..1_000).map(|it| format!(r#""plan-{it}":{{}}"#)).collect();
            format!(r#"{{"plans":{{{}}}}}"#, plans.join(","))
        }
        Code::WhiteSpace => format!("{{\"plans\":{{}}{}}}", " ".repeat(10_000)),
        Code::TooMany => {
            let rules: Vec<_> = (0..11).map(|it| format!(r#""rule-{it}":{{}}"#)).collect();
            plan(&format!(r#""rules":{{{}}}"#, rules.join(",")))
        }
        Code::TooManyPolicies => format!("[{}]", [r#"{"plans":{}}"#; 11].join(",")),
        Code::IncompletePlan => plan(r#""regions":{"@@assign":["eu-north-1"]}"#),
        Code::NamesDifferByCase => r#"{"plans":{"tier":{},"Tier":{}}}"#.to_owned(),
        Code::KeyCase => r#"{"Plans":{}}"#.to_owned(),
        Code::ControlDoesNotReach => rule(
            r#""@@operators_allowed_for_child_policies":["@@none"],
            "target_backup_vault_name":{"@@assign":"keep"}"#,
        ),
        Code::Contested => {
            let [one, other] = ["60", "90"].map(|it| value("start_backup_window_minutes", it));
            format!("[{one},{other}]")
        }
        Code::ScheduleTooDense => value("schedule_expression", r#""cron(0/30 * ? * * *)""#),
        Code::UnknownRegion => plan(r#""regions":{"@@assign":["eu-north-9"]}"#),
        Code::UnknownResourceType => copied(&vault("$account", "far"), &vault("$account", "far"))
            .replace("arn:aws:rds:*:*:db:*", "arn:aws:rds:*:*:shelf:*"),
        Code::ScheduleFields => value("schedule_expression", r#""cron(0 5 ? * * * *)""#),
        Code::OperatorWithoutEffect => r#"{"plans":{},"@@assign":"x"}"#.to_owned(),
        Code::CopyBothWays => copied(&vault("111122223333", "far"), &vault("111122223333", "far")),
        Code::Variable => value("target_backup_vault_name", r#""${vault}""#),
        Code::Withheld => {
            let continuous = rule(
                r#""enable_continuous_backup":{"@@assign":"true"},
                "lifecycle":{"delete_after_days":{"@@assign":"35"}}"#,
            );
            let longer = rule(r#""lifecycle":{"delete_after_days":{"@@assign":"90"}}"#);
            format!("[{longer},{continuous}]")
        }
        Code::NotChecked => r#"{"Resources":{"P":{"Type":"Custom::BackupPolicy","Properties":{
            "Content":{"Fn::ImportValue":"policy"}}}}}"#
            .to_owned(),
        Code::Comments => r#"{"plans":{}} // none"#.to_owned(),
        Code::Escapes => plan(&format!(
            r#""backup_plan_tags":{{"t":{{"tag_key":{{"@@assign":"t"}},"tag_value":{{"@@assign":"{}"}}}}}}"#,
            r"\u00e9".repeat(2_000)
        )),
        Code::YamlWord => "plans: {tier: {regions: {'@@assign': [on]}}}".to_owned(),
        Code::NoSchedule => value("target_backup_vault_name", r#""keep""#),
        Code::OnlyConditions | Code::ConditionKey => selected(
            r#""resources":{"all":{"conditions":{"string_equals":{"c":{
            "condition_key":{"@@assign":"tier"},"condition_value":{"@@assign":"gold"}}}}}}"#,
        ),
        Code::BothSelections => selected(r#""tags":{"a":{}},"resources":{"b":{}}"#),
        Code::ServiceLinkedRole => selected(
            r#""tags":{"a":{"iam_role_arn":{"@@assign":
            "arn:aws:iam::$account:role/aws-service-role/backup.amazonaws.com/Role"}}}"#,
        ),
        Code::IncompleteScan => plan(r#""scan_settings":{"GUARDDUTY":{}}"#),
        Code::IncompleteIndex => rule(r#""index_actions":{}"#),
        Code::Retention => kept("cron(0 2 ? * SUN *)", &[("delete_after_days", "36501")]),
        Code::AirGappedRetention => rule(
            r#""lifecycle":{"delete_after_days":{"@@assign":"6"}},
            "target_logically_air_gapped_backup_vault_arn":{
                "@@assign":"arn:aws:backup:$region:$account:backup-vault:sealed"}"#,
        ),
        Code::PartitionMismatch => {
            let far = "arn:aws:backup:cn-north-1:$account:backup-vault:far";
            copied(far, far)
        }
        Code::ReservedTag => plan(
            r#""backup_plan_tags":{"aws:t":{"tag_key":{"@@assign":"aws:t"},"tag_value":{"@@assign":"1"}}}"#,
        ),
        Code::VaultName => value("target_backup_vault_name", r#""k""#),
        Code::WindowTooLong => value("start_backup_window_minutes", r#""52560001""#),
    }
}

#[test]
fn every_code_is_one_that_a_document_has() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codes");
    fs::create_dir_all(&folder).unwrap();
    for code in Code::ALL {
        let end = if *code == Code::YamlWord { "yaml" } else { "json" };
        let file = folder.join(format!("{code}.{end}"));
        fs::write(&file, document(*code)).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_org-backup"));
        let done = check.args(["check", "--format", "json"]).arg(&file).output().unwrap();
        let found = String::from_utf8(done.stdout).unwrap();
        let codes: Vec<Value> = serde_json::from_str::<Vec<Value>>(&found)
            .unwrap_or_else(|it| panic!("{code}: {it}: {found}"))
            .into_iter()
            .map(|mut it| it["code"].take())
            .collect();
        assert!(codes.contains(&Value::from(code.as_str())), "{code}: {codes:?}");
    }
}
