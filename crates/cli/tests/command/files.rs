//! What `check` makes of the files that people have: of every kind, in every encoding, in their
//! repositories.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::expect;

use crate::words::{GOOD, check, folder, org_backup};

/// A policy with one mistake, in its schedule.
fn bad() -> String {
    GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)")
}

/// What a run says last.
fn last(stderr: &str) -> &str {
    stderr.lines().last().unwrap_or_default()
}

#[test]
fn a_run_says_how_much_it_checked_and_one_that_checked_nothing_fails_when_strict() {
    let folder = folder("sum");
    fs::write(folder.join("a.json"), GOOD).unwrap();
    fs::write(folder.join("level.json"), format!("[{GOOD}]")).unwrap();
    fs::write(folder.join("other.json"), r#"{"name": "plans"}"#).unwrap();
    let run = org_backup(&folder, &["check", "--strict", "."], "");
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.stderr);
    assert_eq!(last(&run.stderr), "checked: 2 policies in 2 files; passed over 1 file");
    fs::remove_file(folder.join("a.json")).unwrap();
    fs::remove_file(folder.join("level.json")).unwrap();
    for (arguments, code) in [(&["check", "."][..], 0), (&["check", "--strict", "."], 1)] {
        let run = org_backup(&folder, arguments, "");
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stderr.contains("nothing was checked"), "{}", run.stderr);
        assert_eq!(last(&run.stderr), "checked: 0 policies in 0 files; passed over 1 file");
    }
}

#[test]
fn whatever_else_is_in_a_repository_is_passed_over_and_named_when_asked() {
    let folder = folder("repository");
    let write = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    write("a.json", bad().as_bytes());
    write("tsconfig.json", b"{\n  // plans\n  \"compilerOptions\": {},\n}");
    write("latin.json", b"{\"plans\": {\"t\xe9\": {}}}");
    write("chart/deployment.yaml", b"plans: {{ .Values.plans }}\nname: {{ .Name }}\n");
    write("empty.yaml", b"");
    write("pricing.yaml", b"plans:\n  basic: {price: 3}\n");
    write("other-policy.json", b"{\"plans\": \"${ACCEL_LOOKUP::X}\", \"Statement\": []}");
    write("README.md", b"plans");
    write(".gitignore", b"generated/\n");
    write("generated/b.json", bad().as_bytes());
    write("large.json", &vec![b' '; (4 << 20) + 1]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.json", folder.join("dangling.json")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("chart/up.json")).unwrap();
        let made = Command::new("mkfifo").arg(folder.join("pipe.json")).status().unwrap();
        assert!(made.success());
    }
    let run = org_backup(&folder, &["check", "--verbose", "."], "");
    expect![[r"
        ./a.json: plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 4, column 39)
    "]]
    .assert_eq(&run.stdout);
    assert_eq!(run.code, 1);
    expect![[r"
        passed over: `./README.md`: its name does not end in .json, .jsonc, .yaml, .yml, .template, .tfstate, .tf, .tofu
        passed over: `./chart/deployment.yaml`: a key must be a string, not a list or an object
        passed over: `./chart/up.json`: it is not a file
        passed over: `./dangling.json`: it cannot be read: No such file or directory (os error 2)
        passed over: `./empty.yaml`: it has no backup policy
        passed over: `./large.json`: it has more than 4194304 bytes
        passed over: `./latin.json`: it is not UTF-8 text; hint: convert it, as `iconv --from-code WINDOWS-1252 --to-code UTF-8` does
        passed over: `./other-policy.json`: it has no backup policy
        passed over: `./pipe.json`: it is not a file
        passed over: `./pricing.yaml`: it has no backup policy
        passed over: `./tsconfig.json`: it has no backup policy
        checked: 1 policy in 1 file; passed over 11 files
    "]]
    .assert_eq(&run.stderr);
    // A named file is read, even if ignore files exclude it.
    for named in ["generated/b.json", "generated"] {
        assert_eq!(org_backup(&folder, &["check", named], "").code, 1, "{named}");
    }
    // One file that cannot be read does not hide what is wrong with the others.
    let run = org_backup(&folder, &["check", "latin.json", "a.json"], "");
    assert_eq!(run.code, 2);
    assert!(run.stdout.starts_with("a.json: plans/tier/rules"), "{}", run.stdout);
    assert!(run.stderr.contains("cannot read `latin.json`: it is not UTF-8"), "{}", run.stderr);
}

#[test]
fn a_file_that_was_to_be_a_policy_is_not_passed_over_when_it_is_broken() {
    check(
        "broken",
        &[("in/a.json", "{\"plans\": {\"tier\": {\"regions\": {\"@@assign\": [}}}}")],
        &["check", "in"],
        1,
        &expect![[r"
            in/a.json: (document): expected a value, found `}` (line 1, column 46)
        "]],
    );
}

#[test]
fn text_in_utf_16_is_read() {
    let folder = folder("utf_16");
    let units: Vec<u16> = bad().encode_utf16().collect();
    let little =
        [&[0xff, 0xfe][..], &units.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>()];
    let big =
        [&[0xfe, 0xff][..], &units.iter().flat_map(|it| it.to_be_bytes()).collect::<Vec<_>>()];
    fs::write(folder.join("little.json"), little.concat()).unwrap();
    fs::write(folder.join("big.json"), big.concat()).unwrap();
    fs::write(folder.join("cut.json"), b"\xff\xfe{").unwrap();
    for name in ["little.json", "big.json"] {
        let run = org_backup(&folder, &["check", name], "");
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stdout.contains("(line 4, column 39)"), "{}", run.stdout);
    }
    assert_eq!(org_backup(&folder, &["check", "cut.json"], "").code, 2);
}

#[test]
fn json_with_comments_is_read_and_its_comments_are_told() {
    let text =
        bad().replace("\"rules\"", "/* nightly, né */ \"rules\"").replacen('{', "// x\n{", 1);
    check(
        "comments",
        &[("a.jsonc", &text)],
        &["check", "a.jsonc"],
        1,
        &expect![[r"
            a.jsonc: (document): warning: JSON has no comments and no comma after a last value; AWS refuses them, so remove them before you deploy this (line 1, column 1)
            a.jsonc: plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 5, column 39)
        "]],
    );
}

#[test]
fn every_document_of_a_yaml_text_is_checked_and_merge_keys_are_followed() {
    let text = "\
plans:
  tier: &tier
    regions: {'@@assign': [eu-north-1]}
    rules:
      nightly: &rule
        schedule_expression: {'@@assign': cron(0 5 ? * * *)}
        target_backup_vault_name: {'@@assign': keep}
    selections:
      tags:
        chosen:
          iam_role_arn: {'@@assign': 'arn:aws:iam::$account:role/backup'}
          tag_key: {'@@assign': tier}
          tag_value: {'@@assign': [gold, on]}
  other:
    <<: *tier
    rules:
      noon:
        <<: *rule
        schedule_expression: {'@@assign': cron(0 12 ? * * *)}
---
plans: {tier: {region: {}}}
";
    check(
        "documents",
        &[("a.yaml", text)],
        &["check", "a.yaml"],
        1,
        &expect![[r#"
            a.yaml: plans/tier/selections/tags/chosen/tag_value/@@assign/1: warning: `on` without quotes is a string here and something else to other readers, such as CloudFormation, which reads YAML 1.1; write `"on"` (line 13, column 42)
            a.yaml: plans/tier/region: AWS does not know the key `region` here; did you mean `regions`? (line 21, column 16)
        "#]],
    );
}

#[test]
fn the_policies_of_a_level_complete_each_other() {
    let part = r#"{"plans":{"Tier":{"regions":{"@@append":["eu-west-3"]}}}}"#;
    let together = format!("[{GOOD},{part}]");
    check("together", &[("a.json", &together)], &["check", "--strict", "a.json"], 0, &expect![""]);
    check(
        "apart",
        &[("a.json", &format!("[{part}]"))],
        &["check", "--strict", "a.json"],
        1,
        &expect![[r"
            a.json: 0/plans/Tier: warning: this plan has no `rules`, no `selections`; unless another policy adds it, AWS withholds everything from the accounts (line 1, column 12)
        "]],
    );
}

/// What `terraform show -json` prints of a plan with this content of a policy.
fn plan(content: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.14.1", "planned_values": {{"root_module": {{
        "resources": [{{"address": "aws_s3_bucket.plans", "type": "aws_s3_bucket", "values": {{}}}}],
        "child_modules": [{{"address": "module.backup", "resources": [
          {{"address": "module.backup.aws_organizations_policy.tier[0]", "type": "aws_organizations_policy",
            "values": {{"name": "tier", "type": "BACKUP_POLICY"{content}}}}},
          {{"address": "module.backup.aws_organizations_policy.scp", "type": "aws_organizations_policy",
            "values": {{"name": "scp", "type": "SERVICE_CONTROL_POLICY", "content": "{{}}"}}}}]}}]}}}}}}"#
    )
}

#[test]
fn the_policies_of_terraform_are_found_by_their_address() {
    let quoted = serde_json::to_string(&bad()).unwrap();
    let address = "module.backup.aws_organizations_policy.tier[0]/content";
    let mistake =
        "plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both";
    let folder = folder("terraform");
    let run = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        org_backup(&folder, &["check", "--strict", name], "")
    };
    let planned = run("plan.json", &plan(&format!(r#", "content": {quoted}"#)));
    let expected = format!("plan.json: {address}/{mistake}");
    assert!(planned.stdout.starts_with(&expected), "{}", planned.stdout);
    assert_eq!((planned.code, planned.stdout.lines().count()), (1, 1));
    assert_eq!(last(&planned.stderr), "checked: 1 policy in 1 file; passed over 0 files");
    let unknown = run("unknown.json", &plan(""));
    assert_eq!(unknown.code, 1);
    let expected =
        format!("unknown.json: {address}: warning: this was not checked: Terraform knows");
    assert!(unknown.stdout.starts_with(&expected), "{}", unknown.stdout);
    let stored = format!(
        r#"{{"version": 4, "terraform_version": "1.14.1", "serial": 3, "lineage": "x", "resources": [
        {{"mode": "managed", "module": "module.backup", "type": "aws_organizations_policy", "name": "tier",
          "instances": [{{"index_key": 0, "attributes": {{"type": "BACKUP_POLICY", "content": {quoted}}}}}]}}]}}"#
    );
    let stored = run("terraform.tfstate", &stored);
    let expected = format!("terraform.tfstate: {address}/{mistake}");
    assert!(stored.stdout.starts_with(&expected), "{}", stored.stdout);
}

#[test]
fn what_the_aws_cli_prints_of_a_policy_is_read() {
    let folder = folder("aws_cli");
    let described = |kind: &str| {
        let content = serde_json::to_string(&bad()).unwrap();
        format!(r#"{{"Policy": {{"PolicySummary": {{"Type": "{kind}"}}, "Content": {content}}}}}"#)
    };
    let run = org_backup(&folder, &["check", "-"], &described("BACKUP_POLICY"));
    let expected = "-: Policy/Content/plans/tier/rules/nightly/schedule_expression";
    assert!(run.code == 1 && run.stdout.starts_with(expected), "{}", run.stdout);
    let run = org_backup(&folder, &["check", "-"], &described("TAG_POLICY"));
    assert_eq!((run.code, &*run.stdout), (0, ""));
    let merged = org_backup(&folder, &["effective", "--merged", "-"], &bad()).stdout;
    let effective = |text: &str| {
        let content = serde_json::to_string(text).unwrap();
        format!(
            r#"{{"EffectivePolicy": {{"PolicyContent": {content}, "TargetId": "111122223333",
            "PolicyType": "BACKUP_POLICY"}}}}"#
        )
    };
    let run = org_backup(&folder, &["check", "-"], &effective(&merged));
    let expected = "-: EffectivePolicy/PolicyContent/plans/tier/rules/nightly/schedule_expression";
    assert!(run.code == 1 && run.stdout.starts_with(expected), "{}", run.stdout);
    let good = merged.replace("cron(0 5 * * *)", "cron(0 5 ? * * *)");
    let run = org_backup(&folder, &["check", "--strict", "-"], &effective(&good));
    assert_eq!((run.code, &*run.stdout), (0, ""));
}

#[test]
fn what_organizations_refuses_is_not_valid_after_merging_either() {
    let folder = folder("refused");
    let wrong = bad();
    for (text, code) in [(GOOD, 0), (&wrong, 1)] {
        assert_eq!(
            org_backup(&folder, &["effective", "--validate", "-"], text).code,
            code,
            "{text}"
        );
    }
    // AWS Backup refuses it later, and Organizations takes it.
    let cold = GOOD.replace(
        r#""target_backup"#,
        r#""lifecycle":{"move_to_cold_storage_after_days":{"@@assign":"30"},
        "delete_after_days":{"@@assign":"60"}},"target_backup"#,
    );
    let run = org_backup(&folder, &["effective", "--validate", "-"], &cold);
    assert_eq!(run.code, 0);
    assert!(run.stderr.starts_with("note: AWS Backup would refuse the plan of"), "{}", run.stderr);
}

#[test]
fn the_exit_code_is_that_of_what_was_found_when_the_reader_has_seen_enough() {
    let folder = folder("closed");
    let plans = (0..400).fold(String::new(), |mut plans, it| {
        let _ = write!(plans, r#""p{it}":{{"region":{{}}}},"#);
        plans
    });
    fs::write(folder.join("a.json"), format!(r#"{{"plans":{{{plans}"z":{{}}}}}}"#)).unwrap();
    let closes = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_org-backup"))
            .args(arguments)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait().unwrap().code()
    };
    assert_eq!(closes(&["check", "a.json"]), Some(1));
    for format in ["json", "github", "gitlab", "sarif", "junit"] {
        assert_eq!(closes(&["check", "--format", format, "a.json"]), Some(1), "{format}");
    }
    let half = r#"{"plans":{"half":{"regions":{"@@assign":["eu-west-3"]}}}}"#;
    fs::write(folder.join("half.json"), half).unwrap();
    assert_eq!(closes(&["effective", "--validate", "half.json"]), Some(1));
    assert_eq!(closes(&["effective", "--merged", "half.json"]), Some(0));
}

#[test]
fn thousands_of_files_are_no_matter() {
    let folder = folder("thousands");
    let add = |folder: &Path, text: &str| {
        fs::create_dir_all(folder).unwrap();
        (0..100).for_each(|it| fs::write(folder.join(format!("{it}.json")), text).unwrap());
    };
    (0..20).for_each(|it| add(&folder.join(it.to_string()), r#"{"name": "other", "version": 1}"#));
    add(&folder.join("policies"), GOOD);
    let begun = Instant::now();
    let run = org_backup(&folder, &["check", "."], "");
    assert_eq!(last(&run.stderr), "checked: 100 policies in 100 files; passed over 2000 files");
    // A hundred times what it takes, on a machine that does much else.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_directory_that_is_named_is_read_even_if_one_above_ignores_all_of_it() {
    let folder = folder("ignored_above");
    fs::create_dir_all(folder.join("build/tests")).unwrap();
    fs::write(folder.join(".gitignore"), "build/*\n").unwrap();
    fs::write(folder.join("build/policy.json"), bad()).unwrap();
    fs::write(folder.join("build/.gitignore"), "tests/\n").unwrap();
    fs::write(folder.join("build/tests/policy.json"), bad()).unwrap();
    let run = org_backup(&folder, &["check", "build"], "");
    assert_eq!((run.code, run.stdout.lines().count()), (1, 1), "{}{}", run.stdout, run.stderr);
    let run = org_backup(&folder, &["check", "."], "");
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
}

#[test]
fn a_file_that_cannot_be_read_is_in_every_report_for_a_machine() {
    let folder = folder("unreadable_reports");
    for format in ["json", "gitlab", "sarif", "junit"] {
        let run = org_backup(&folder, &["check", "--format", format, "gone.json"], "");
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stdout.contains("it cannot be read: "), "{format}: {}", run.stdout);
        assert!(run.stdout.contains("gone.json"), "{format}: {}", run.stdout);
    }
}

#[test]
fn a_document_with_thousands_of_mistakes_ends_soon() {
    let rules = (0..40_000).map(|it| format!(r#""r{it}":{{}}"#)).collect::<Vec<_>>().join(",");
    let folder = folder("many_mistakes");
    fs::write(folder.join("a.json"), format!(r#"{{"plans":{{"tier":{{"rules":{{{rules}}}}}}}}}"#))
        .unwrap();
    let begun = Instant::now();
    let run = org_backup(&folder, &["check", "a.json"], "");
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
