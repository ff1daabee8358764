//! The most likely errors, as their readers get them: what could not be done, to which thing, why, and
//! the next step.
//!
//! `tests/tests/golden/errors.txt` has all of them. Write it anew with `UPDATE_EXPECT=1`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;
use regex::Regex;
use serde_json::{Value, json};
use simulator::{Fault, Function, Outcome, Settings};
use tests::binaries::binary;
use tests::command::{Run, command, ran};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::STATE_BUCKET;

use crate::doctor::{reader, reader_policy};
use crate::member_accounts::{MANAGEMENT, ROLE};
use crate::report::protected;

/// Words that are of no use to an operator, who has no function and no stack to deploy.
const OF_OTHERS: [&str; 5] =
    ["deploy again", "the function", "ManagementRoleArn", "`STATE_BUCKET`", "provider"];

/// The errors in a text, and what is wrong with them.
#[derive(Default)]
struct Collected {
    text: String,
    problems: Vec<String>,
}

impl Collected {
    fn part(&mut self, reader: &str) {
        let _ = writeln!(self.text, "# {reader}\n");
    }

    /// Adds an error. The number of attempts depends on the time that they take.
    fn add(&mut self, case: &str, lines: &str) {
        let attempts = Regex::new(r"the last of \d+ attempts").unwrap();
        let lines = attempts.replace_all(lines.trim_end(), "the last of several attempts");
        let _ = writeln!(self.text, "## {case}\n{lines}\n");
    }

    /// Adds what the command prints on standard error, and on standard output if it `finds` something.
    fn run(&mut self, case: &str, arguments: &[&str], run: &Run, finds: bool) {
        let found = if finds { run.text.as_str() } else { "" };
        let said = format!("{found}{}", run.notes);
        let is_advised = said.contains("hint: ") || said.contains("--help") || finds;
        if run.code == 0 || !is_advised {
            self.problems.push(format!("{case} fails without a next step: {said}"));
        }
        for word in OF_OTHERS.iter().filter(|it| said.contains(**it)) {
            self.problems.push(format!("{case} speaks of {word} to an operator: {said}"));
        }
        self.add(case, &format!("$ org-backup {}\n{said}exit {}", arguments.join(" "), run.code));
    }
}

/// The command in an organization, and the errors that it printed.
struct Operator<'a> {
    organization: &'a Organization,
    collected: &'a mut Collected,
}

impl Operator<'_> {
    async fn fails(&mut self, case: &str, arguments: &[&str], change: impl FnOnce(&mut Command)) {
        self.tells(case, arguments, false, change).await;
    }

    async fn tells(
        &mut self,
        case: &str,
        arguments: &[&str],
        finds: bool,
        change: impl FnOnce(&mut Command),
    ) {
        let mut command = command(self.organization, MANAGEMENT);
        command.args(arguments);
        change(&mut command);
        let run = ran(self.organization, command).await;
        self.collected.run(case, arguments, &run, finds);
    }

    /// The same while calls fail.
    async fn refused(&mut self, case: &str, arguments: &[&str], fault: Fault) {
        self.organization.fail(fault.forever());
        self.fails(case, arguments, |_| ()).await;
        self.organization.clear_faults();
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const REPORT: [&str; 5] = ["report", "--state-bucket", STATE_BUCKET, "--member-role", ROLE];

async fn of_credentials(operator: &mut Operator<'_>) {
    operator
        .fails("No credentials", &["report"], |it| {
            it.env_remove("AWS_ACCESS_KEY_ID");
        })
        .await;
    operator
        .fails("No Region", &["report"], |it| {
            it.env_remove("AWS_REGION");
        })
        .await;
    let point = "arn:aws:rds:eu-west-1:111122223333:db:orders";
    operator
        .fails("No Region, where --region is another one", &["points", point], |it| {
            it.env_remove("AWS_REGION");
        })
        .await;
    let profiles =
        file("[profile audit]\nregion = eu-west-1\n[profile prod]\nregion = eu-west-1\n");
    let with = |it: &mut Command| {
        it.env("AWS_CONFIG_FILE", profiles.path());
    };
    operator.fails("Unknown profile", &["report", "--profile", "nope"], with).await;
    operator
        .fails("Unknown profile in AWS_PROFILE", &["report"], |it| {
            with(it);
            it.env("AWS_PROFILE", "nope");
        })
        .await;
    operator
        .fails("Certificate authorities that are not there", &["report"], |it| {
            it.env("AWS_CA_BUNDLE", "/nowhere/ca.pem");
        })
        .await;
    operator
        .fails("Unknown profile, without a configuration", &["report", "--profile", "nope"], |it| {
            it.env("AWS_CONFIG_FILE", "/nowhere/config");
            it.env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
        })
        .await;
    operator
        .fails("Profile without credentials", &["report", "--profile", "audit"], |it| with(it))
        .await;
    let expired = Fault::error("GetCallerIdentity", "ExpiredToken").status(403);
    operator.refused("Expired session", &["report"], expired).await;
    let invalid = Fault::error("GetCallerIdentity", "InvalidClientTokenId").status(403);
    operator.refused("Access key that does not exist", &["report"], invalid).await;
    // A port at which nobody listens any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    operator
        .fails("Endpoint that cannot be reached", &["report"], |it| {
            it.env("AWS_ENDPOINT_URL", format!("http://{address}"));
        })
        .await;
}

async fn of_accounts(operator: &mut Operator<'_>) {
    let member = operator.organization.id("security-000");
    let by = |key: String| {
        move |it: &mut Command| {
            it.env("AWS_ACCESS_KEY_ID", key);
        }
    };
    operator.fails("Member account", &REPORT, by(member)).await;
    operator.fails("Account without an organization", &REPORT, by("999999999999".into())).await;
    let mut policy = reader_policy();
    let deny = json!({ "Effect": "Deny", "Action": "organizations:ListPolicies", "Resource": "*" });
    policy["Statement"].as_array_mut().unwrap().push(deny);
    let key = reader(operator.organization, &policy);
    operator.fails("Denied call", &REPORT, by(key)).await;
    operator
        .fails(
            "Account that is not in the organization",
            &["report", "--account", "999999999999"],
            |_| (),
        )
        .await;
    let misspelt = ["report", "--state-bucket", STATE_BUCKET, "--member-role", "org-backup-membre"];
    operator.fails("Misspelt member role", &misspelt, |_| ()).await;
    let throttled = Fault::error("AssumeRole", "Throttling");
    operator.refused("Throttled to the end", &REPORT, throttled).await;
}

async fn of_the_state(operator: &mut Operator<'_>) {
    operator
        .fails("Misspelt bucket", &["report", "--state-bucket", "org-backup-stat"], |_| ())
        .await;
    for operation in ["ListObjectsV2", "GetObject"] {
        operator.organization.fail(Fault::error(operation, "AccessDenied").status(403).forever());
    }
    operator.fails("Bucket of another account", &REPORT, |_| ()).await;
    operator.organization.clear_faults();
    operator.fails("No state bucket", &["plan"], |_| ()).await;
    let unknown = ["plan", "--state-bucket", STATE_BUCKET, "--stack", "org-backup-polices"];
    operator.fails("Misspelt stack", &unknown, |_| ()).await;
    let key = "desired/member-accounts/members/7a0c/E.json";
    let kept = operator.organization.object(STATE_BUCKET, key).unwrap();
    operator.organization.buckets(|it| it.put(STATE_BUCKET, key, "not JSON"));
    operator.fails("State that is not JSON", &REPORT, |_| ()).await;
    let newer = json!({ "SchemaVersion": 99 }).to_string();
    operator.organization.buckets(|it| it.put(STATE_BUCKET, key, newer));
    operator.fails("State of a newer program", &REPORT, |_| ()).await;
    operator.organization.buckets(|it| it.put(STATE_BUCKET, key, kept));
}

async fn of_arguments(operator: &mut Operator<'_>) {
    operator.fails("Unknown value of an option", &["report", "--state", "lost"], |_| ()).await;
    operator.fails("Account that is not a number", &["report", "--account", "prod"], |_| ()).await;
    operator.fails("Missing file", &["check", "/nowhere/daily.json"], |_| ()).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("daily.json"), r#"{"plan": {}}"#).unwrap();
    let within = |folder: &Path| {
        let folder = folder.to_owned();
        move |it: &mut Command| {
            it.current_dir(folder);
        }
    };
    operator.tells("Invalid policy", &["check", "daily.json"], true, within(folder.path())).await;
    let page = [&REPORT[..], &["--html", "/nowhere/report.html"]].concat();
    operator.fails("Page that cannot be written", &page, |_| ()).await;
    let resource = ["explain", "arn:aws:s3:::reports"];
    operator.fails("ARN without an account", &resource, |_| ()).await;
}

async fn of_templates(collected: &mut Collected) {
    for (case, function, account, properties, fault) in [
        (
            "Function in a member account",
            "policy-types",
            "security-000",
            json!({ "PolicyTypes": "BACKUP_POLICY" }),
            None,
        ),
        (
            "Misspelt property",
            "policy-types",
            "management",
            json!({ "PolicyType": "BACKUP_POLICY" }),
            None,
        ),
        (
            "As many policies as AWS allows",
            "backup-policy",
            "management",
            json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" }),
            Some(Fault::reason(
                "CreatePolicy",
                "ConstraintViolationException",
                "POLICY_NUMBER_LIMIT_EXCEEDED",
            )),
        ),
    ] {
        let organization = Organization::ready(Settings::default()).await;
        if let Some(fault) = fault {
            organization.fail(fault);
        }
        let mut stack = organization.stack(function).in_account(&organization.id(account));
        let reason = stack.create(properties).await.reason();
        collected.add(case, &organization.named(&reason));
    }
}

async fn of_functions(collected: &mut Collected) {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| it.create(TOPIC));
    let properties = json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" });
    let _ = organization.stack("backup-policy").kept().create(properties).await.ok();
    let types = json!({ "PolicyTypes": ["BACKUP_POLICY"] });
    let _ = organization.stack("policy-types").kept().create(types).await.ok();
    for (case, fault) in [
        ("Denied call", Fault::error("ListRoots", "AccessDeniedException")),
        ("State that may not be read", Fault::error("GetObject", "AccessDenied").status(403)),
    ] {
        organization.fail(fault.forever());
        let reattach = Reattach::start(&organization, "Repair").await;
        let outcome = reattach.sweep().await;
        organization.clear_faults();
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        let lines = reattach.logs();
        let lines = lines.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let is_error = |it: &Value| it["level"] == "ERROR" && it["reason"].is_string();
        let lines = lines.filter(is_error).map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("message"), text("reason"))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.dedup();
        let lines = lines.join("\n");
        assert!(!lines.contains("deploy again"), "{lines}");
        collected.add(case, &organization.named(&lines));
    }
    let function = Function::of(&binary("reattach"), &organization);
    let function = function.env("STATE_BUCKET", STATE_BUCKET).env("MODE", "Sometimes");
    let function = function.start().await.unwrap();
    function.idle().await;
    let error = function.init_error().unwrap();
    collected.add("Invalid setting", error["errorMessage"].as_str().unwrap());
}

#[tokio::test]
async fn the_most_likely_errors_name_the_next_step_of_their_reader() {
    let mut collected = Collected::default();
    let organization = protected().await;
    collected.part("Operator of the command");
    let mut operator = Operator { organization: &organization, collected: &mut collected };
    of_credentials(&mut operator).await;
    of_accounts(&mut operator).await;
    of_the_state(&mut operator).await;
    of_arguments(&mut operator).await;
    collected.part("Author of a template, in the events of the stack");
    of_templates(&mut collected).await;
    collected.part("Reader of the log of a function");
    of_functions(&mut collected).await;
    expect_file!["../golden/errors.txt"].assert_eq(&collected.text);
    assert!(collected.problems.is_empty(), "{:#?}", collected.problems);
}
