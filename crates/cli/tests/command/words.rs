//! The command as it is run: arguments and files in, lines and exit codes out.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its command must fail")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use serde_json::Value;

/// What a run of the command gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `org-backup` in `folder`.
pub(crate) fn org_backup(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_org-backup"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An empty folder of this test's own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the command on these files and compares the exit code and standard output.
pub(crate) fn check(
    test: &str,
    files: &[(&str, &str)],
    arguments: &[&str],
    code: i32,
    expected: &Expect,
) {
    let folder = folder(test);
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let run = org_backup(&folder, arguments, "");
    expected.assert_eq(&run.stdout);
    assert_eq!(run.code, code, "{}", run.stderr);
}

pub(crate) const GOOD: &str = r#"{"plans":{"tier":{
  "regions":{"@@assign":["eu-north-1"]},
  "rules":{"nightly":{
    "schedule_expression":{"@@assign":"cron(0 5 ? * * *)"},"target_backup_vault_name":{"@@assign":"keep"}}},
  "selections":{"tags":{"chosen":{
    "iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/backup"},
    "tag_key":{"@@assign":"tier"},"tag_value":{"@@assign":["gold"]}}}}}}}"#;

const FRAGMENT: &str = r#"[{"plans":{"Tier":{"regions":{"@@append":["eu-west-3"]}}}}]"#;

const HALF: &str = r#"[{"plans":{"half":{"regions":{"@@assign":["eu-west-3"]}}}}]"#;

#[test]
fn a_good_policy_is_worth_no_word() {
    check("good", &[("good.json", GOOD)], &["check", "good.json"], 0, &expect![""]);
    check(
        "good_json",
        &[("good.json", GOOD)],
        &["check", "--json", "good.json"],
        0,
        &expect![[r"
        []
    "]],
    );
}

#[test]
fn every_finding_is_one_line_with_its_file_and_path() {
    check(
        "findings",
        &[("a.json", "{\"plans\":\n{\"x y\":{}}}"), ("b.json", "{\"plans\":{}")],
        &["check", "a.json", "b.json"],
        1,
        &expect![[r"
            a.json: plans/x y: `x y` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.` (line 2, column 2)
            b.json: (document): expected `,` or `}`, found the end of the text (line 1, column 12)
        "]],
    );
}

#[test]
fn findings_as_json_have_every_field() {
    check(
        "findings_json",
        &[("a.json", r#"{"plans":{"x":{"region":{}}}}"#)],
        &["check", "--json", "a.json"],
        1,
        &expect![[r#"
            [
              {
                "code": "unknown-key",
                "column": 16,
                "file": "a.json",
                "line": 1,
                "message": "AWS does not know the key `region` here; did you mean `regions`?",
                "path": "plans/x/region",
                "severity": "error"
              }
            ]
        "#]],
    );
}

#[test]
fn a_warning_fails_only_when_strict() {
    let line = expect![[r"
        a.json: plans/Tier: warning: `Tier` and `tier` differ only by case; AWS makes one of them, with the values of both (line 1, column 22)
    "]];
    let file = [("a.json", r#"{"plans":{"tier":{}, "Tier":{}}}"#)];
    check("warning", &file, &["check", "a.json"], 0, &line);
    check("strict", &file, &["check", "--strict", "a.json"], 1, &line);
}

#[test]
fn a_level_is_checked_policy_by_policy_and_for_quarrels() {
    let peers = format!("[{GOOD},\n{}]", GOOD.replace("keep", "other"));
    check(
        "level",
        &[("root.json", &peers)],
        &["check", "root.json"],
        0,
        &expect![[r"
            root.json: 1/plans/tier/rules/nightly/target_backup_vault_name: warning: policies 0 and 1 of this level each assign `plans/tier/rules/nightly/target_backup_vault_name`; the one attached first, 0, wins, until somebody detaches it and attaches it again (line 8, column 1)
        "]],
    );
}

#[test]
fn ten_policies_are_the_limit_of_a_level() {
    let level = |count: usize| format!("[{}]", vec![r#"{"plans":{}}"#; count].join(","));
    check("ten", &[("root.json", &level(10))], &["check", "root.json"], 0, &expect![""]);
    check(
        "eleven",
        &[("root.json", &level(11))],
        &["check", "root.json"],
        1,
        &expect![[r"
        root.json: 10: AWS attaches at most 10 backup policies to a root, OU or account, not 11 (line 1, column 132)
    "]],
    );
}

#[test]
fn a_directory_stands_for_the_policies_and_templates_in_it() {
    let files = [
        ("in/a.json", "{\"plans\":{},\"x\":1}"),
        ("in/deeper/b.yml", "plans: {y: {rules: 1}}"),
        ("in/a.effective.json", "{\"plans\":{\"x\":1}}"),
        ("in/effective.json", "{\"plans\":{\"x\":1}}"),
        ("in/.hidden/c.json", "{}"),
        ("in/package.json", "{\"name\":\"other\"}"),
        ("in/notes.txt", "{"),
    ];
    check(
        "directory",
        &files,
        &["check", "in"],
        1,
        &expect![[r"
        in/a.json: x: AWS does not know the key `x` here; AWS knows `plans` (line 1, column 13)
        in/deeper/b.yml: plans/y/rules: expected an object (line 1, column 20)
    "]],
    );
}

#[test]
fn the_policies_in_a_template_are_found_whatever_is_still_open_in_them() {
    let template = r#"
Parameters:
  Vault: {Type: String, Default: "größe"}
Resources:
  Ours:
    Type: Custom::BackupPolicy
    Properties:
      Content:
        plans:
          ${tier}:
            regions: {"@@assign": !Ref Regions}
            rules:
              nightly:
                target_backup_vault_name: {"@@assign": !Sub "${Vault}-x"}
                lifecycle: {delete_after_days: {"@@assign": 0}}
            selections: !If [Tagged, {}, {}]
  Native:
    Type: AWS::Organizations::Policy
    Properties:
      Type: BACKUP_POLICY
      Content: !Sub '{"plans": {"x": {"regions": {"@@assign": ["${AWS::Region}", "mars-1"]}}}}'
  Other:
    Type: AWS::Organizations::Policy
    Properties: {Type: TAG_POLICY, Content: {tags: {}}}
  Open:
    Type: AWS::Organizations::Policy
    Properties: {Type: !Ref Kind, Content: {tags: {}}}
"#;
    check(
        "template",
        &[("t.yaml", template)],
        &["check", "t.yaml"],
        1,
        &expect![[r"
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}: warning: this plan has no `selections`; unless another policy adds it, AWS withholds everything from the accounts (line 10, column 11)
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}/regions/@@assign: warning: this was not checked: there is no parameter or resource `Regions` (line 11, column 35)
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}/rules/nightly: warning: this rule has no `schedule_expression`, which AWS documents as required; unless another policy adds it, AWS Backup decides when the rule runs (line 13, column 15)
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}/rules/nightly/target_backup_vault_name/@@assign: `größe-x` is not the name of a vault: 1 to 50 letters, digits, `-` and `_` (line 14, column 56)
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}/rules/nightly/lifecycle/delete_after_days/@@assign: `0` is not a number of days; AWS wants digits, 1 or more (line 15, column 61)
            t.yaml: Resources/Ours/Properties/Content/plans/${tier}/selections: warning: this was not checked: there is no condition `Tagged` (line 16, column 25)
            t.yaml: Resources/Native/Properties/Content/plans/x/regions/@@assign/1: `mars-1` is not a Region (line 21, column 16)
            t.yaml: Resources/Native/Properties/Content/plans/x: warning: this plan has no `rules`, no `selections`; unless another policy adds it, AWS withholds everything from the accounts (line 21, column 16)
        "]],
    );
    let json = r#"{"Resources":{"P":{"Type":"Custom::BackupPolicy","Properties":{"Content":{"plans":{
        "a b":{"regions":{"@@assign":{"Ref":"Regions"}}}}}}}}}"#;
    check(
        "template_json",
        &[("t.json", json)],
        &["check", "t.json"],
        1,
        &expect![[r"
            t.json: Resources/P/Properties/Content/plans/a b: `a b` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.` (line 2, column 9)
            t.json: Resources/P/Properties/Content/plans/a b: warning: this plan has no `rules`, no `selections`; unless another policy adds it, AWS withholds everything from the accounts (line 2, column 9)
            t.json: Resources/P/Properties/Content/plans/a b/regions/@@assign: warning: this was not checked: there is no parameter or resource `Regions` (line 2, column 38)
        "]],
    );
}

#[test]
fn yaml_is_read_like_json_with_repeated_keys_and_limits() {
    let yaml = "plans:\n  tier: {}\n  tier: {}\n";
    check(
        "yaml",
        &[("a.yaml", yaml)],
        &["check", "a.yaml"],
        1,
        &expect![[r"
        a.yaml: plans/tier: the key `tier` is given twice here; AWS refuses the whole document (line 3, column 3)
    "]],
    );
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(b'b'..=b'i')
            .map(|it| {
                let (this, last) = (char::from(it), char::from(it - 1));
                format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 9].join(","))
            })
            .collect::<String>();
    check(
        "bomb",
        &[("a.yaml", &bomb)],
        &["check", "a.yaml"],
        1,
        &expect![[r"
            a.yaml: (document): too large once its aliases are written out (line 6, column 20)
        "]],
    );
    let deep = format!("plans: {}", "[".repeat(1_000));
    check(
        "deep_yaml",
        &[("a.yaml", &deep)],
        &["check", "a.yaml"],
        1,
        &expect![[r"
            a.yaml: (document): recursion limit exceeded (line 1, column 263)
        "]],
    );
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = folder("stdin");
    let run = org_backup(&folder, &["check", "-"], "{}");
    assert_eq!(
        (run.code, &*run.stdout),
        (1, "-: (document): `plans` is missing (line 1, column 1)\n")
    );
    let run = org_backup(&folder, &["effective", "-"], GOOD);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("{\n  \"plans\": {\n    \"tier\""), "{}", run.stdout);
}

#[test]
fn what_cannot_be_done_exits_with_two() {
    let folder = folder("cannot");
    fs::write(folder.join("raw.json"), r#"[{"plans":{"x":3}}]"#).unwrap();
    fs::write(folder.join("latin.json"), b"{\"plans\":{\"\xe9\":{}}}").unwrap();
    for arguments in [
        &["check", "missing.json"][..],
        &["check", "latin.json"],
        &["check"],
        &["effective", "missing.json"],
        &["effective", "raw.json"],
        &["effective", "--validate", "--explain", "raw.json"],
        &["unknown"],
    ] {
        let run = org_backup(&folder, arguments, "");
        assert_eq!((run.code, &*run.stdout), (2, ""), "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_effective_policy_is_the_levels_merged() {
    let root = format!("[{GOOD}]");
    let files = [("root.json", &*root), ("ou.json", "[]"), ("account.json", FRAGMENT)];
    check(
        "merge",
        &files,
        &["effective", "root.json", "ou.json", "account.json"],
        0,
        &expect![[r#"
            {
              "plans": {
                "tier": {
                  "regions": [
                    "eu-north-1",
                    "eu-west-3"
                  ],
                  "rules": {
                    "nightly": {
                      "schedule_expression": "cron(0 5 ? * * *)",
                      "target_backup_vault_name": "keep"
                    }
                  },
                  "selections": {
                    "tags": {
                      "chosen": {
                        "iam_role_arn": "arn:aws:iam::$account:role/backup",
                        "tag_key": "tier",
                        "tag_value": [
                          "gold"
                        ]
                      }
                    }
                  }
                }
              }
            }
        "#]],
    );
}

#[test]
fn a_withheld_policy_leaves_the_account_what_it_had() {
    let files = [("root.json", HALF), ("before.json", r#"{"plans":{"old":{}}}"#)];
    check(
        "withheld",
        &files,
        &["effective", "root.json"],
        0,
        &expect![[r"
        {}
    "]],
    );
    let previous = ["effective", "--previous", "before.json", "root.json"];
    check(
        "previous",
        &files,
        &previous,
        0,
        &expect![[r#"
        {
          "plans": {
            "old": {}
          }
        }
    "#]],
    );
    check(
        "merged",
        &files,
        &["effective", "--merged", "root.json"],
        0,
        &expect![[r#"
        {
          "plans": {
            "half": {
              "regions": [
                "eu-west-3"
              ]
            }
          }
        }
    "#]],
    );
}

#[test]
fn validating_names_what_aws_would_find() {
    let files = [("root.json", HALF)];
    check(
        "validate",
        &files,
        &["effective", "--validate", "root.json"],
        1,
        &expect![[r"
        plans/half: KEY_REQUIRED: 'rules' is missing (from root.json[0])
        plans/half: KEY_REQUIRED: 'selections' is missing (from root.json[0])
    "]],
    );
    check(
        "validate_json",
        &files,
        &["effective", "--validate", "--json", "root.json"],
        1,
        &expect![[r#"
            [
              {
                "ErrorCode": "KEY_REQUIRED",
                "ErrorMessage": "'rules' is missing",
                "PathToError": "plans/half"
              },
              {
                "ErrorCode": "KEY_REQUIRED",
                "ErrorMessage": "'selections' is missing",
                "PathToError": "plans/half"
              }
            ]
        "#]],
    );
    let good = format!("[{GOOD}]");
    check(
        "valid",
        &[("root.json", &good)],
        &["effective", "--validate", "root.json"],
        0,
        &expect![""],
    );
}

#[test]
fn explaining_names_the_policy_behind_every_value() {
    let root = r#"[{"plans":{"tier":{"regions":{
        "@@assign":["eu-north-1"]}}}}]"#;
    let files = [("root.json", root), ("ou.json", FRAGMENT)];
    check(
        "explain",
        &files,
        &["effective", "--explain", "root.json", "ou.json"],
        0,
        &expect![[r#"
        plans/tier/regions = ["eu-north-1","eu-west-3"]
            @@assign root.json[0] line 2
            @@append ou.json[0] line 1
    "#]],
    );
    check(
        "explain_json",
        &files,
        &["effective", "--explain", "--json", "root.json", "ou.json"],
        0,
        &expect![[r#"
            [
              {
                "origins": [
                  {
                    "level": "root.json",
                    "line": 2,
                    "operator": "@@assign",
                    "policy": "root.json[0]"
                  },
                  {
                    "level": "ou.json",
                    "line": 1,
                    "operator": "@@append",
                    "policy": "ou.json[0]"
                  }
                ],
                "path": "plans/tier/regions",
                "value": [
                  "eu-north-1",
                  "eu-west-3"
                ]
              }
            ]
        "#]],
    );
}

#[test]
fn peers_that_quarrel_are_noted_but_do_not_spoil_the_output() {
    let folder = folder("peers");
    let peers = format!("[{GOOD},{}]", GOOD.replace("keep", "other"));
    let run = org_backup(&folder, &["effective", "-"], &peers);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("\"target_backup_vault_name\": \"keep\""), "{}", run.stdout);
    let note = "note: `-[0]`, `-[1]` each assign \
                `plans/tier/rules/nightly/target_backup_vault_name`; the first one wins\n";
    assert_eq!(run.stderr, note);
}

#[test]
fn what_an_account_may_not_get_after_all_is_noted() {
    let folder = folder("doubts");
    let root = r#"{"plans":{"@@operators_allowed_for_child_policies":["@@none"]}}"#;
    fs::write(folder.join("root.json"), root).unwrap();
    let run = org_backup(&folder, &["effective", "--merged", "root.json", "-"], FRAGMENT);
    let notes: Vec<_> = run.stderr.lines().filter(|it| it.starts_with("note: ")).collect();
    let note =
        "note: `plans/tier` is added below a control that, as AWS documents it, forbids that";
    assert_eq!((run.code, notes.as_slice()), (0, [note].as_slice()));
}

#[test]
fn the_next_runs_are_told_with_what_becomes_of_their_backups() {
    let rule = r#""target_backup_vault_name":{"@@assign":"keep"}"#;
    let keeping = format!(r#"{rule},"lifecycle":{{"delete_after_days":{{"@@assign":"30"}}}}"#);
    let folder = folder("next");
    let level = format!("[{}]", GOOD.replace(rule, &keeping));
    fs::write(folder.join("root.json"), level).unwrap();
    let run = org_backup(&folder, &["effective", "--next", "2", "root.json"], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines: Vec<_> = run.stdout.lines().collect();
    let [rule, first, second, sum] = lines.as_slice() else { panic!("{}", run.stdout) };
    assert_eq!(*rule, "plans/tier/rules/nightly: cron(0 5 ? * * *)");
    assert_ne!(first, second);
    for it in [first, second] {
        assert!(it.contains(" 05:00 UTC: `keep`: deleted ") && it.ends_with(" 05:00 UTC"), "{it}");
    }
    assert_eq!(*sum, "  `keep`: up to 30 backups of each resource at once");
}

#[test]
fn a_rule_that_does_not_say_when_runs_as_aws_backup_documents_it() {
    let folder = folder("next_default");
    let unsaid = GOOD.replace(r#""schedule_expression":{"@@assign":"cron(0 5 ? * * *)"},"#, "");
    assert_ne!(unsaid, GOOD);
    fs::write(folder.join("root.json"), format!("[{unsaid}]")).unwrap();
    let run = org_backup(&folder, &["effective", "--next", "1", "root.json"], "");
    let line = "plans/tier/rules/nightly: cron(0 5 ? * * *), since it does not say when\n";
    assert!(run.stdout.starts_with(line), "{}", run.stdout);
    assert!(run.stdout.contains(" 05:00 UTC: `keep`: never deleted"), "{}", run.stdout);
    let run = org_backup(&folder, &["effective", "--next", "1", "--json", "root.json"], "");
    let runs: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(runs[0]["schedule"], "cron(0 5 ? * * *)");
    assert_eq!((&runs[0]["isDefault"], &runs[0]["problem"]), (&true.into(), &Value::Null));
}
