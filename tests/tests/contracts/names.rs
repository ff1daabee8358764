//! Names that templates make of parameters and of the name of their stack, and what AWS takes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::str::FromStr;

use plan::id::{AccountId, Region, TagKey, TagValue};
use plan::resource::ResourceKind;
use regex::Regex;
use tests::binaries::binary;
use tests::deploy::{PYTHON, Release, repository};
use tests::template::Template;

use crate::deploy::{LEAST, everything, release};

#[test]
fn the_function_of_each_resource_has_the_logical_id_that_the_command_looks_for() {
    for kind in ResourceKind::ALL {
        let archive = format!("{}.zip", kind.function());
        let functions = Template::all().into_iter().flat_map(|template| {
            let all = template.resources("AWS::Lambda::Function").into_iter();
            let own = all.filter(|(_, it)| it["Properties"]["Code"].to_string().contains(&archive));
            own.map(|it| it.0.to_owned()).collect::<Vec<_>>()
        });
        let functions: BTreeSet<_> = functions.collect();
        assert_eq!(functions, [kind.function_resource().to_owned()].into(), "{kind:?}");
    }
}

/// What AWS takes as a name.
struct Limit {
    kind: &'static str,
    property: &'static str,
    /// The least and the most characters.
    length: (usize, usize),
    /// The characters that a name may have.
    characters: &'static str,
}

const fn limit(
    kind: &'static str,
    property: &'static str,
    length: (usize, usize),
    characters: &'static str,
) -> Limit {
    Limit { kind, property, length, characters }
}

/// The limits of all names that the templates give, as the schemas of CloudFormation and the API
/// references have them.
const LIMITS: [Limit; 20] = [
    limit("AWS::Backup::BackupVault", "BackupVaultName", (2, 50), "[A-Za-z0-9_-]"),
    limit("AWS::Backup::Framework", "FrameworkName", (1, 256), "[A-Za-z0-9_]"),
    limit(
        "AWS::Backup::LogicallyAirGappedBackupVault",
        "BackupVaultName",
        (2, 50),
        "[A-Za-z0-9_-]",
    ),
    limit("AWS::Backup::ReportPlan", "ReportPlanName", (1, 256), "[A-Za-z0-9_]"),
    limit("AWS::Backup::RestoreTestingPlan", "RestoreTestingPlanName", (1, 50), "[A-Za-z0-9_]"),
    // It may have 128 itself, as a stack may, and its stacks are called `StackSet-NAME-UUID`.
    limit("AWS::CloudFormation::StackSet", "StackSetName", (1, 82), "[A-Za-z0-9-]"),
    limit("AWS::CloudWatch::Alarm", "AlarmName", (1, 255), "."),
    limit("AWS::CloudWatch::Dashboard", "DashboardName", (1, 255), "[A-Za-z0-9_-]"),
    limit("AWS::Events::EventBus", "Name", (1, 256), "[A-Za-z0-9/._-]"),
    limit("AWS::Events::Rule", "Name", (1, 64), "[A-Za-z0-9._-]"),
    limit("AWS::IAM::Role", "RoleName", (1, 64), "[A-Za-z0-9+=,.@_-]"),
    limit("AWS::KMS::Alias", "AliasName", (1, 256), "[A-Za-z0-9:/_-]"),
    limit("AWS::Lambda::Function", "FunctionName", (1, 64), "[A-Za-z0-9_-]"),
    limit("AWS::Logs::LogGroup", "LogGroupName", (1, 512), "[A-Za-z0-9./_#-]"),
    limit("AWS::Logs::ResourcePolicy", "PolicyName", (1, 255), "."),
    limit("AWS::Organizations::Policy", "Name", (1, 128), "."),
    limit("AWS::S3::Bucket", "BucketName", (3, 63), "[a-z0-9.-]"),
    limit("AWS::SNS::Topic", "TopicName", (1, 256), "[A-Za-z0-9_-]"),
    limit("AWS::StepFunctions::StateMachine", "StateMachineName", (1, 80), "[A-Za-z0-9_-]"),
    limit("Custom::BackupPolicy", "Name", (1, 128), "."),
];

/// The longest name of a stack.
const STACK: usize = 128;

/// A name that a template gives: text, and parameters or pseudo parameters in `${…}`.
struct Derived {
    place: String,
    pattern: String,
    limit: &'static Limit,
}

/// The parameters in a pattern, each with its place in it.
fn parts(pattern: &str) -> Vec<&str> {
    pattern.split("${").skip(1).map(|it| it.split_once('}').unwrap().0).collect()
}

/// The names that a template makes of parameters and of the name of its stack.
fn derived(template: &Template) -> Vec<Derived> {
    let resources = template.body["Resources"].as_object().unwrap();
    let mut all = Vec::new();
    for (id, resource) in resources {
        let kind = resource["Type"].as_str().unwrap();
        for (property, value) in resource["Properties"].as_object().into_iter().flatten() {
            let pattern = match (value["Ref"].as_str(), value["Fn::Sub"].as_str()) {
                (Some(name), None) => format!("${{{name}}}"),
                (None, Some(pattern)) => pattern.to_owned(),
                _ => continue,
            };
            // A name that another resource has is that one's.
            let is_own = !parts(&pattern).iter().any(|it| resources.contains_key(*it));
            let place = format!("{}: {id}.{property}", template.name);
            let limit = LIMITS.iter().find(|it| it.kind == kind && it.property == property);
            match limit {
                Some(limit) if is_own => all.push(Derived { place, pattern, limit }),
                None if is_own && property.ends_with("Name") && !is_reference(kind, property) => {
                    panic!("{place}: what AWS takes there is not in the table")
                }
                Some(_) | None => {}
            }
        }
    }
    all
}

/// Whether it is no name that a resource gets, but one that it knows of.
fn is_reference(kind: &str, property: &str) -> bool {
    let these = [
        ("Custom::MemberAccounts", "BackupRoleName"),
        ("Custom::MemberAccounts", "CentralRoleName"),
        ("Custom::MemberAccounts", "RoleName"),
        ("Custom::MemberAccounts", "VaultName"),
    ];
    these.contains(&(kind, property)) || property == "DisplayName"
}

/// What a parameter takes.
struct Takes(Vec<Regex>);

impl Takes {
    fn of(template: &Template, name: &str) -> Self {
        let parameter = &template.body["Parameters"][name];
        let whole = |it: &str| Regex::new(&format!("^(?:{it})$")).unwrap();
        if let Some(values) = parameter["AllowedValues"].as_array() {
            let values = values.iter().map(|it| whole(&regex::escape(it.as_str().unwrap())));
            return Self(values.collect());
        }
        let pattern = parameter["AllowedPattern"].as_str();
        Self(vec![whole(pattern.unwrap_or_else(|| panic!("{name} takes anything")))])
    }

    fn takes(&self, value: &str) -> bool {
        self.0.iter().any(|it| it.is_match(value))
    }

    /// The least and the most characters of a value that is not empty.
    fn length(&self) -> (usize, usize) {
        let taken = |it: &usize| self.takes(&"a".repeat(*it));
        let least = (1..=1_000).find(taken).unwrap();
        (least, (1..=1_000).rev().find(taken).unwrap())
    }
}

#[test]
fn a_parameter_takes_no_more_than_each_name_that_it_becomes() {
    let mut seen = BTreeSet::new();
    for template in Template::all() {
        for Derived { place, pattern, limit } in derived(&template) {
            let parameters: Vec<_> =
                parts(&pattern).into_iter().filter(|it| !it.contains("::")).collect();
            if parameters.is_empty() || pattern.contains("AWS::StackName") {
                continue;
            }
            let allowed = Regex::new(&format!("^{}$", limit.characters)).unwrap();
            let mut length = (pattern.len(), pattern.len());
            for name in parameters {
                let takes = Takes::of(&template, name);
                let (least, most) = takes.length();
                length = (length.0 + least - name.len() - 3, length.1 + most - name.len() - 3);
                for character in (b' '..=b'~').map(char::from) {
                    let value = format!("aaaa{character}aaaa");
                    let fits = allowed.is_match(&character.to_string());
                    assert!(fits || !takes.takes(&value), "{place}: `{character}` in {name}");
                }
            }
            assert!(limit.length.0 <= length.0, "{place}: {} characters", length.0);
            assert!(length.1 <= limit.length.1, "{place}: {} characters", length.1);
            seen.insert(limit.kind);
        }
    }
    for kind in ["AWS::Backup::BackupVault", "AWS::IAM::Role", "Custom::BackupPolicy"] {
        assert!(seen.contains(kind), "{kind}");
    }
}

/// The example with everything in it, but for this name of the stacks.
fn named(name: &str) -> Release {
    let file = everything();
    let line = file.lines().find(|it| it.starts_with("StackName")).unwrap();
    release(&file.replace(line, &format!("StackName = \"{name}\"")))
}

#[test]
fn a_name_of_stacks_is_taken_as_long_as_all_that_is_made_of_it_fits() {
    let is_taken = |it: &usize| {
        let release = named(&"a".repeat(*it));
        release.run(&["check", "org.toml"]).status.success()
    };
    let longest = (1..=STACK).collect::<Vec<_>>().partition_point(is_taken);
    let mut is_tight = false;
    for stack in named(&"a".repeat(longest)).stacks("org.toml") {
        assert!(stack.name.len() <= STACK, "{}", stack.name);
        let template = Template::named(&stack.template);
        for Derived { place, pattern, limit } in derived(&template) {
            let made = pattern.replace("${AWS::StackName}", &stack.name);
            if made != pattern && parts(&made).is_empty() {
                assert!(made.len() <= limit.length.1, "{place}: {made}");
                is_tight |= made.len() == limit.length.1;
            }
        }
    }
    assert!(is_tight, "longer names than {longest} characters would do");
    let release = named(&"a".repeat(longest + 1));
    let why = release.fail(&["deploy", "org.toml"]);
    let expected = "org.toml: StackName: may have 63 characters here and has 64, since \
                    StackSetName in monitoring-rollout.yaml is made of it and may have 82\n";
    assert_eq!(why, expected);
    assert!(release.take_calls().is_empty(), "nothing is called before the file is right");
}

#[test]
fn the_program_knows_each_limit_also_where_another_name_is_longer() {
    let script = "
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'scripts/deploy')
import parameters
print(json.dumps(parameters.LONGEST))
";
    let mut read = Command::new(&*PYTHON);
    let read = read.args(["-c", script]).current_dir(repository(".")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let known: BTreeMap<String, usize> = serde_json::from_slice(&read.stdout).unwrap();
    let mut made = BTreeSet::new();
    for template in Template::all() {
        for Derived { pattern, limit, .. } in derived(&template) {
            if pattern.contains("AWS::StackName") {
                assert_eq!(known.get(limit.property), Some(&limit.length.1), "{}", limit.property);
                made.insert(limit.property.to_owned());
            }
        }
    }
    assert_eq!(known.into_keys().collect::<BTreeSet<_>>(), made);
}

#[test]
fn a_name_is_held_against_every_template_that_is_deployed_with_it() {
    let with = |from: &str, to: &str| release(&everything().replace(from, to));
    let path = with("BackupRoleName = \"org-backup\"", "BackupRoleName = \"path/org-backup\"");
    let why = path.fail(&["deploy", "org.toml"]);
    assert_eq!(why, "org.toml: BackupRoleName: `path/org-backup` must be the name of a role\n");
    let name = "a".repeat(120);
    let long = with("PolicyName = \"databases\"", &format!("PolicyName = \"{name}\""));
    let why = long.fail(&["deploy", "org.toml"]);
    let expected = format!(
        "org.toml: [policies.1] PolicyName: is too long for the name of its stack, \
         `org-backup-policy-{name}`, which has 138 characters and may have 128\n"
    );
    assert_eq!(why, expected);
    for release in [path, long] {
        assert!(release.take_calls().is_empty(), "nothing is called before the file is right");
    }
}

/// The default of a parameter, which is the same in every template that has one.
fn default_of(parameter: &str) -> String {
    let mut templates = Template::all();
    // Its `VaultName` is `CentralVaultName` elsewhere.
    templates.retain(|it| parameter != "VaultName" || it.name != "central-backup-account.yaml");
    let defaults = templates.iter().map(|it| it.body["Parameters"][parameter]["Default"].as_str());
    let defaults: BTreeSet<_> = defaults.flatten().collect();
    let [only] = Vec::from_iter(&defaults)[..] else { panic!("{parameter}: {defaults:?}") };
    (*only).to_owned()
}

#[test]
fn the_command_takes_the_names_of_the_templates_where_none_is_given() {
    let [backup, copy] = ["BackupRoleName", "CopyRoleName"].map(default_of);
    let [restore, central_restore] = ["RestoreRoleName", "CentralRestoreRoleName"].map(default_of);
    let [recovery, central] = ["RecoveryRoleName", "CentralRecoveryRoleName"].map(default_of);
    let vault = default_of("VaultName");
    let entered = [
        format!("except your own [default: {recovery}]"),
        format!("receives copies [default: {central}, or the same as --member-role]"),
    ];
    let restored = [
        format!("The vault that receives copies in the account to restore in [default: {vault}]"),
        format!(
            "[default: {central_restore} in the account that receives copies, {restore} in others]"
        ),
        format!("[default: {copy} for a copy, {backup} in the account of the resource]"),
    ];
    let backed_up = [
        format!("The vault to back up into [default: the one of the policy; {vault} with --role]"),
        format!("makes the backup with [default: the one of the policy; {backup} with --vault]"),
    ];
    for (command, its) in [
        ("points", &[][..]),
        ("backup", &backed_up),
        ("restore", &restored),
        ("recover", &restored),
    ] {
        let help = Command::new(binary("org-backup")).args([command, "--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for it in entered.iter().chain(its) {
            assert!(words.contains(it), "{command} --help lacks: {it}");
        }
    }
}

#[test]
fn the_sources_have_no_other_default_name_than_those_of_the_templates() {
    let recovery = [
        "BackupRoleName",
        "CentralRecoveryRoleName",
        "CentralRestoreRoleName",
        "CopyRoleName",
        "RecoveryRoleName",
        "RestoreRoleName",
        "VaultName",
    ];
    let literal = Regex::new("\"(org-backup[a-z-]*)\"").unwrap();
    for (file, parameters) in [
        ("crates/cli/src/recovery/mod.rs", &recovery[..]),
        ("crates/cli/src/recovery/backup.rs", &["BackupRoleName", "VaultName"]),
        ("functions/coverage/src/entrance.rs", &["MemberRoleName"]),
    ] {
        let text = fs::read_to_string(repository(file)).unwrap();
        let named: BTreeSet<_> = literal.captures_iter(&text).map(|it| it[1].to_owned()).collect();
        assert_eq!(named, parameters.iter().map(|it| default_of(it)).collect(), "{file}");
    }
}

/// What the program that deploys says of each text, for which `pattern` is one of its own.
fn taken_by_the_program(pattern: &str, texts: &[&str]) -> Vec<bool> {
    let script = "import json, re, sys\n\
                  sys.dont_write_bytecode = True\n\
                  sys.path.insert(0, 'scripts/deploy')\n\
                  import parameters\n\
                  pattern, _ = getattr(parameters, sys.argv[1])\n\
                  taken = [bool(re.fullmatch(pattern, it)) for it in sys.argv[2:]]\n\
                  print(json.dumps(taken))";
    let mut run = Command::new(&*PYTHON);
    let run = run.args(["-c", script, pattern]).args(texts).current_dir(repository(".")).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

fn check_taken<T: FromStr>(pattern: &str, taken: &[&str], refused: &[&str]) {
    for (texts, expected) in [(taken, true), (refused, false)] {
        for (text, by_program) in texts.iter().zip(taken_by_the_program(pattern, texts)) {
            assert_eq!(by_program, expected, "{pattern} of scripts/deploy: {text:?}");
            assert_eq!(text.parse::<T>().is_ok(), expected, "crates/plan: {text:?}");
        }
    }
}

#[test]
fn the_program_that_deploys_takes_the_ids_that_the_functions_take() {
    check_taken::<AccountId>(
        "ACCOUNT",
        &["111122223333", "000000000000"],
        &["", "11112222333", "1111222233334", "11112222333a", "1111 2222333", "111122223333\n"],
    );
    let regions = fs::read_to_string(repository("scripts/deploy/regions.tsv")).unwrap();
    let regions = regions.lines().skip(1).map(|it| it.split('\t').next().unwrap());
    let regions: Vec<_> = regions.chain(["us-gov-west-1", "eu-isoe-west-1", "mx-new-9"]).collect();
    assert!(regions.len() > 30, "{regions:?}");
    let malformed = ["", "Frankfurt", "eu-central", "EU-CENTRAL-1", "eu_central_1", "eu--1"];
    check_taken::<Region>("REGION", &regions, &malformed);
    let [most, more, value, too_much] = [128, 129, 256, 257].map(|it| "k".repeat(it));
    check_taken::<TagKey>(
        "TAG_KEY",
        &["CostCenter", "cost center", "_.:/=+-@", "Größe", "k8s:aws:x", &most],
        &["", "a,b", "a*b", "a\nb", "a\tb", "€", &more],
    );
    check_taken::<TagValue>(
        "TAG_VALUE",
        &["", "4711", "a b", "_.:/=+-@", "Größe", &value],
        &["a,b", "a*b", "a\nb", "{}", &too_much],
    );
}

#[test]
fn the_program_that_deploys_takes_as_many_administrators_as_doctor_knows() {
    let source = fs::read_to_string(repository("crates/plan/src/doctor/checks.rs")).unwrap();
    let most = Regex::new(r"const MAX_ADMINISTRATORS: usize = (\d+);").unwrap();
    let most: usize = most.captures(&source).unwrap()[1].parse().unwrap();
    let check = |count: usize| {
        let accounts: Vec<_> = (0..count).map(|it| format!("5555666677{it:02}")).collect();
        release(&format!("{LEAST}[bootstrap]\nBackupAdministratorAccountIds = {accounts:?}\n"))
            .run(&["check", "org.toml"])
    };
    assert!(check(most).status.success());
    let refused = format!("AWS accepts at most {most} administrators of AWS Backup\n");
    let said = String::from_utf8(check(most + 1).stderr).unwrap();
    assert!(said.ends_with(&refused), "{said}");
}
