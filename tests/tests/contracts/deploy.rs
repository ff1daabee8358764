//! What `make deploy` and `make undeploy` call, from a folder that has a release and nothing else.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tests::deploy::{Deployed, PYTHON, Release, deployed, is_write, repository};
use tests::parallel::each_at_once;
use tests::template::Template;

/// The example, with everything in it that is commented out.
pub(crate) fn everything() -> String {
    let example = fs::read_to_string(repository("examples/org.toml")).unwrap();
    let uncommented = |line: &str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_table = bare.starts_with('[') && bare.ends_with(']');
        let key = bare.split_once(" = ").is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|it| it.is_ascii_alphanumeric() || it == '-')
        });
        // Beside the vault that is made, no other can be named.
        let is_wanted = (is_table || key) && !bare.starts_with("CentralVaultArn");
        if is_wanted { bare } else { line }.to_owned() + "\n"
    };
    example.lines().map(uncommented).collect()
}

/// The least that can be deployed.
pub(crate) const LEAST: &str = r#"
ManagementAccountId = "111122223333"
OrganizationId = "o-a1b2c3d4e5"
Region = "us-east-1"
CentralVaultArn = "arn:aws:backup:eu-west-1:444455556666:backup-vault:central"
[Buckets]
us-east-1 = "artifacts-of-ours"
[backup-policies]
"#;

pub(crate) fn release(file: &str) -> Release {
    let release = Release::new();
    release.write("org.toml", file);
    release.write("databases.json", r#"{ "plans": {} }"#);
    release
}

fn check_order(stacks: &[Deployed], expect: Expect) {
    let line = |it: &Deployed| format!("{} {} {}\n", it.name, it.region, it.template);
    expect.assert_eq(&stacks.iter().map(line).collect::<String>());
}

#[test]
fn the_example_deploys_each_stack_after_those_that_it_needs() {
    let release = release(&fs::read_to_string(repository("examples/org.toml")).unwrap());
    check_order(
        &release.stacks("org.toml"),
        expect![[r"
        org-backup eu-central-1 bootstrap.yaml
        org-backup-rollout eu-central-1 rollout.yaml
        org-backup-member eu-west-1 member-account.yaml
        org-backup-members eu-central-1 members.yaml
        org-backup-policies eu-central-1 backup-policies.yaml
        org-backup-reattach eu-central-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
}

#[test]
fn each_optional_table_switches_its_stacks_on() {
    let stacks = release(&everything()).stacks("org.toml");
    check_order(
        &stacks,
        expect![[r"
            org-backup eu-central-1 bootstrap.yaml
            org-backup-rollout eu-central-1 rollout.yaml
            org-backup-member eu-west-1 member-account.yaml
            org-backup-members eu-central-1 members.yaml
            org-backup-policies eu-central-1 backup-policies.yaml
            org-backup-policy-databases eu-central-1 backup-policy.yaml
            org-backup-delegation eu-central-1 delegation.yaml
            org-backup-delegated-policies eu-central-1 delegated-policies.yaml
            org-backup-policy-databases-of-theirs eu-central-1 backup-policy.yaml
            org-backup-reattach eu-central-1 reattach.yaml
            org-backup-event-forwarder us-east-1 event-forwarder.yaml
            org-backup-coverage eu-central-1 coverage.yaml
            org-backup-guardrails eu-central-1 guardrails.yaml
            org-backup-audit eu-central-1 audit.yaml
            org-backup-restore-testing eu-west-1 restore-testing.yaml
            org-backup-monitoring eu-central-1 monitoring.yaml
            org-backup-monitoring-rollout eu-central-1 monitoring-rollout.yaml
            org-backup-monitoring-member eu-central-1 monitoring-member.yaml
            org-backup-monitoring-member eu-west-1 monitoring-member.yaml
        "]],
    );
    let deployed: BTreeSet<_> = stacks.iter().map(|it| it.template.as_str()).collect();
    let templates = Template::all();
    let mut others: Vec<_> = templates.iter().map(|it| it.name.as_str()).collect();
    others.retain(|it| !deployed.contains(it));
    // The StackSet of `rollout.yaml` has this one.
    assert_eq!(others, ["central-backup-account.yaml"]);
}

#[test]
fn a_parameter_that_is_passed_exists_and_one_without_a_default_is_passed() {
    for stack in release(&everything()).stacks("org.toml") {
        let template = Template::named(&stack.template);
        let known = template.body["Parameters"].as_object().unwrap();
        for name in stack.parameters.keys() {
            assert!(known.contains_key(name), "{}: {name}", stack.template);
        }
        // Even those with a default: what the file no longer has goes back to it.
        let passed: Vec<_> = stack.parameters.keys().collect();
        assert_eq!(passed, known.keys().collect::<Vec<_>>(), "{}", stack.template);
    }
}

#[test]
fn what_a_stack_imports_was_exported_before() {
    fn imports<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
        match value {
            Value::Array(list) => list.iter().for_each(|it| imports(it, found)),
            Value::Object(map) => map.iter().for_each(|(key, it)| {
                if key == "Fn::ImportValue" { found.push(it) } else { imports(it, found) }
            }),
            _ => {}
        }
    }
    let mut exported = BTreeSet::new();
    for stack in release(&everything()).stacks("org.toml") {
        let template = Template::named(&stack.template);
        let own = [("AWS::StackName", stack.name.as_str()), ("AWS::Region", &stack.region)];
        let given = stack.parameters.iter().map(|(key, it)| (key.as_str(), it.as_str()));
        let resolved = template.with(&given.chain(own).collect::<Vec<_>>());
        let mut wanted = Vec::new();
        imports(&template.body["Resources"], &mut wanted);
        for it in wanted {
            let name = resolved.resolve(it).unwrap();
            assert!(exported.contains(&name.to_string()), "{}: {name}", stack.name);
        }
        for output in template.body["Outputs"].as_object().into_iter().flatten() {
            let name = &output.1["Export"]["Name"];
            if !name.is_null() {
                exported.insert(resolved.resolve(name).unwrap().to_string());
            }
        }
    }
    assert!(exported.len() > 10);
}

#[test]
fn a_name_stands_once_and_reaches_every_stack() {
    let file = LEAST.replace(
        "[Buckets]",
        "VaultName = \"ours\"\nOrganizationalUnitIds = [\"r-ab12\"]\nOtherRegions = [\"eu-west-1\"]\n\
         [rollout]\nLockMode = \"Governance\"\n[Buckets]",
    );
    let stacks = release(&file).stacks("org.toml");
    let of = |name: &str, key: &str| {
        let stack = stacks.iter().find(|it| it.template == name).unwrap();
        stack.parameters[key].clone()
    };
    for template in ["rollout", "member-account", "members", "backup-policies"] {
        assert_eq!(of(&format!("{template}.yaml"), "VaultName"), "ours");
    }
    // What the accounts get in other Regions, the management account gets there, too.
    assert_eq!(of("member-account.yaml", "LockMode"), "Governance");
    assert_eq!(of("member-account.yaml", "HomeRegion"), "us-east-1");
    // Policies and opt-ins go where the vaults are.
    for template in ["backup-policies.yaml", "members.yaml"] {
        assert_eq!(of(template, "TargetIds"), "r-ab12");
        assert_eq!(of(template, "Regions"), "us-east-1,eu-west-1");
    }
}

#[test]
fn the_program_reads_a_template_as_yaml_has_it() {
    let script = "
import json, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'scripts/deploy')
import template
for path in pathlib.Path('templates').glob('*.yaml'):
    it = template.read(path)
    print(json.dumps([path.name, it.leaves, {key: vars(it) for key, it in it.parameters.items()}]))
";
    let mut read = Command::new(&*PYTHON);
    let read = read.args(["-c", script]).current_dir(repository(".")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let mut found = BTreeMap::new();
    for line in String::from_utf8(read.stdout).unwrap().lines() {
        let [name, leaves, parameters]: [Value; 3] = serde_json::from_str(line).unwrap();
        assert_ne!(leaves, "", "{name}");
        found.insert(text(&name), parameters);
    }
    for template in Template::all() {
        let of_yaml = |it: &Value| {
            let allowed = it["AllowedValues"].as_array().into_iter().flatten();
            json!({
                "type": it["Type"],
                "default": it.get("Default").map(text),
                "pattern": it["AllowedPattern"],
                "allowed": allowed.map(text).collect::<Vec<_>>(),
                "least": it["MinValue"],
                "most": it["MaxValue"],
                "constraint": it["ConstraintDescription"].as_str().unwrap_or_default(),
            })
        };
        for (name, parameter) in template.body["Parameters"].as_object().unwrap() {
            let mut read = found[&template.name][name].clone();
            read.as_object_mut().unwrap().remove("name");
            assert_eq!(read, of_yaml(parameter), "{}: {name}", template.name);
        }
        let count = found[&template.name].as_object().unwrap().len();
        assert_eq!(count, template.body["Parameters"].as_object().unwrap().len());
    }
}

#[test]
fn a_region_that_is_newer_than_the_release_is_named_as_such() {
    let file =
        LEAST.replace("\"us-east-1\"\nC", "\"us-north-9\"\nNewRegions = [\"us-north-9\"]\nC");
    let release = release(&file.replace("us-east-1 =", "us-north-9 ="));
    release.succeed(&["check", "org.toml"]);
}

/// A policy that names these Regions, copies to this one and selects these types.
fn policy(regions: &str, copy: &str, types: &str) -> String {
    let vault = format!("arn:aws:backup:{copy}:$account:backup-vault:far");
    let plan = json!({
        "regions": { "@@assign": [regions] },
        "rules": { "nightly": { "copy_actions": { &vault: {
            "target_backup_vault_arn": { "@@assign": vault }
        } } } },
        "selections": { "resources": { "all": { "resource_types": { "@@append": ["*", types] } } } },
        // Types of another kind.
        "scan_settings": { "GUARDDUTY": { "resource_types": { "@@assign": ["ALL"] } } },
    });
    json!({ "plans": { "regions": plan } }).to_string()
}

#[test]
fn a_document_that_names_what_does_not_exist_is_refused_with_the_nearest_name() {
    let file = everything();
    let (region, kind) = ("eu-central-1", "arn:aws:ec2:*:*:volume/*");
    let check = |file: &str, document: &str| {
        let release = release(file);
        release.write("databases.json", document);
        let done = release.run(&["check", "org.toml"]);
        assert!(release.take_calls().is_empty(), "nothing is called before the file is right");
        let said = String::from_utf8(done.stderr).unwrap();
        if done.status.success() { String::new() } else { said }
    };
    for right in [policy(region, region, kind), policy(region, region, "arn:aws:s3:::*")] {
        assert_eq!(check(&file, &right), "");
    }
    let day = |name: &str| {
        let list = fs::read_to_string(repository(&format!("scripts/deploy/{name}.tsv"))).unwrap();
        list.split('\t').nth(1).unwrap().to_owned()
    };
    // Both policies of the example have the document.
    let twice = |text: String| text.clone() + &text.replace("policies.1", "policies.2");
    let unknown = |name: &str, meant: &str| {
        twice(format!(
            "org.toml: [policies.1] Document: `{name}` is not in the list of Regions of {}; is \
             `{meant}` meant? Name a Region that is newer under NewRegions\n",
            day("regions")
        ))
    };
    let expected = unknown("eu-centrl-1", region);
    assert_eq!(check(&file, &policy("eu-centrl-1", region, kind)), expected);
    assert_eq!(check(&file, &policy(region, "eu-centrl-1", kind)), expected);
    let plural = policy(region, region, "arn:aws-cn:ec2:*:*:volumes/*");
    let expected = twice(format!(
        "org.toml: [policies.1] Document: `arn:aws-cn:ec2:*:*:volumes/*` is not in the list of types \
         of resources of {}; is `arn:aws-cn:ec2:*:*:volume/*` meant? Name a type that is newer under \
         NewResourceTypes\n",
        day("types")
    ));
    assert_eq!(check(&file, &plural), expected);

    // Both are in the example, which has a newer one of each.
    let file = file.replace("eu-north-9", "us-north-9");
    assert_eq!(check(&file, &policy("us-north-9", "us-north-9", kind)), "");
    let newer = |kind: &str| file.replace("arn:aws:lambda:*:*:function/*", kind);
    assert_eq!(check(&newer("arn:aws-cn:ec2:*:*:volumes/*"), &plural), "");
    let said = check(&newer("arn:aws:ec2:eu-west-1:*:volume/*"), &policy(region, region, kind));
    let expected = "org.toml: NewResourceTypes: `arn:aws:ec2:eu-west-1:*:volume/*` must be the ARN of \
                    every resource of a type, like arn:aws:ec2:*:*:volume/*\n";
    assert_eq!(said, expected);
}

#[test]
fn a_vault_that_is_asked_for_and_left_out_is_told() {
    let file = LEAST.replace(
        "[Buckets]",
        "OrganizationalUnitIds = [\"r-ab12\"]\nOtherRegions = [\"ca-west-1\", \"sa-west-1\"]\n\
             [rollout]\nAirGappedVaultName = \"sealed\"\n[Buckets]",
    );
    let release = release(&file);
    let said = release.succeed(&["check", "org.toml"]);
    assert_eq!(release.succeed(&["deploy", "org.toml"]).get(..said.len()), Some(said.as_str()));
    let day = said.split("as of ").nth(1).and_then(|it| it.get(..10)).unwrap();
    expect![[r"
        SHA256SUMS: is missing beside the files, so the files are used without a check.
        [rollout] AirGappedVaultName: in ca-west-1, `sealed` is left out: AWS has no logically air-gapped vaults there (as of DAY).
        [rollout] AirGappedVaultName: in sa-west-1, `sealed` may fail: it is unknown if AWS has logically air-gapped vaults there (as of DAY).
        Trail: a fresh account has none. Unless one records in us-east-1, drift is noticed only once a day.
        NotificationEmail: is not set, so notifications of repairs, failures and alarms go nowhere until something subscribes to their topics.
    "]]
    .assert_eq(&said.replace(day, "DAY"));
}

#[test]
fn the_list_of_regions_is_that_of_botocore_and_cfn_lint() {
    let mut check = Command::new(&*PYTHON);
    let check = check.arg(repository("scripts/regions.py")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

/// Changes the least file and compares what is said about it.
fn check_invalid(from: &str, to: &str, expect: Expect) {
    assert!(LEAST.contains(from), "{from}");
    let release = release(&LEAST.replace(from, to));
    expect.assert_eq(&release.fail(&["deploy", "org.toml"]));
    assert!(release.take_calls().is_empty(), "nothing is called before the file is right");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_the_key_before_anything_is_called() {
    check_invalid(
        "Region = \"us-east-1\"",
        "Regoin = \"us-east-1\"",
        expect![[r"
        org.toml: Regoin: is not known; is `Region` meant?
        org.toml: Region: is missing; it must be the code of a Region, like eu-central-1
    "]],
    );
    check_invalid(
        "\"us-east-1\"\nC",
        "\"Frankfurt\"\nC",
        expect![[r"
        org.toml: Region: `Frankfurt` must be the code of a Region, like eu-central-1
        org.toml: [Buckets] Frankfurt: is missing; it must be the name of a bucket in that Region, for archives and templates
    "]],
    );
    check_invalid(
        "\"us-east-1\"\nC",
        "\"tea-north-1\"\nC",
        expect![[r"
        org.toml: Region: `tea-north-1` is not in the list of Regions of 2026-11-29; is `eu-north-1` meant? Name a Region that is newer under NewRegions
        org.toml: [Buckets] tea-north-1: is missing; it must be the name of a bucket in that Region, for archives and templates
    "]],
    );
    check_invalid(
        "\"us-east-1\"\nC",
        "\"us-eats-1\"\nOtherRegions = [\"us-east-2\", \"eu-centrl-1\"]\nC",
        expect![[r"
        org.toml: Region: `us-eats-1` is not in the list of Regions of 2026-11-29; is `us-east-1` meant? Name a Region that is newer under NewRegions
        org.toml: OtherRegions: `eu-centrl-1` is not in the list of Regions of 2026-11-29; is `eu-central-1` meant? Name a Region that is newer under NewRegions
        org.toml: [Buckets] us-eats-1: is missing; it must be the name of a bucket in that Region, for archives and templates
    "]],
    );
    check_invalid(
        "\"artifacts-of-ours\"",
        "\"Artifacts\"",
        expect![[r"
        org.toml: [Buckets] us-east-1: `Artifacts` must be the name of a bucket
    "]],
    );
    check_invalid(
        "us-east-1 = \"artifacts-of-ours\"",
        "",
        expect![[r"
        org.toml: [Buckets] us-east-1: is missing; it must be the name of a bucket in that Region, for archives and templates
    "]],
    );
    check_invalid(
        "backup-vault:central",
        "vault:central",
        expect![[r"
        org.toml: CentralVaultArn: `arn:aws:backup:eu-west-1:444455556666:vault:central` must be the ARN of a backup vault
    "]],
    );
    check_invalid(
        "\"111122223333\"",
        "111122223333",
        expect![[r#"
        org.toml: ManagementAccountId: is a number, and an ID is text; add quotes: "111122223333"
    "#]],
    );
    check_invalid(
        "\"o-a1b2c3d4e5\"",
        "\"acme\"",
        expect![[r"
        org.toml: OrganizationId: `acme` must be the ID of an organization
    "]],
    );
    check_invalid(
        "[Buckets]",
        "OrganizationalUnitIds = [\"ou-Sandbox\"]\n[Buckets]",
        expect![[r"
        org.toml: OrganizationalUnitIds: `ou-Sandbox` must be IDs of organizational units or of the root
    "]],
    );
    check_invalid(
        "[Buckets]",
        "OrganizationalUnitIds = \"ou-ab12-sandbox1\"\n[Buckets]",
        expect![[r#"
        org.toml: OrganizationalUnitIds: must be a list, as in ["…"]
    "#]],
    );
    check_invalid(
        "[Buckets]",
        "OtherRegions = [\"us-east-1\"]\n[Buckets]",
        expect![[r"
        org.toml: OtherRegions: `us-east-1` is the Region of the stacks already
    "]],
    );
}

#[test]
fn every_key_of_a_table_that_is_wrong_is_told_at_once() {
    check_invalid(
        "[backup-policies]",
        "[backup-polices]",
        expect![[r"
        org.toml: backup-polices: is not known; is `backup-policies` meant?
        org.toml: backup-policies: is missing, and [[policies]] as well; without either, nothing is backed up
    "]],
    );
    check_invalid(
        "[backup-policies]",
        "[backup-policies]\nDailySchedule = \"cron(0 5 * *)\"\nMonthlyRetentionDays = 400\n\
         DailyRetentionDays = 0\nVaultName = \"ours\"\nBootstrapStackName = \"x\"\nLockMode = 1\n\
         Adopt = \"yes\"\nDailyTagValues = [\"a,b\"]\nTargetIds = []\nBackupTag = \"b\"",
        expect![[r"
            org.toml: [backup-policies] DailySchedule: `cron(0 5 * *)` must be a cron expression with six fields, like cron(15 3 ? * * *)
            org.toml: [backup-policies] MonthlyRetentionDays: `400` must be one of 180, 365, 731, 1096, 1827, 2557, 3653
            org.toml: [backup-policies] DailyRetentionDays: `0` must be at least 1
            org.toml: [backup-policies] VaultName: belongs to the top of the file, once for all stacks
            org.toml: [backup-policies] BootstrapStackName: follows from other keys; leave it out
            org.toml: [backup-policies] LockMode: is not known here; it belongs in [rollout]
            org.toml: [backup-policies] Adopt: `yes` must be one of true, false
            org.toml: [backup-policies] DailyTagValues: `a,b` has a comma; write each element by itself
            org.toml: [backup-policies] TargetIds: must not be empty; it must be `root`, or IDs of the root, of organizational units or of accounts
            org.toml: [backup-policies] BackupTag: is not known; is `BackupTagKey` meant?
        "]],
    );
    check_invalid(
        "[backup-policies]",
        "[rollout]\n[guardrails]\n[event-forwarder]",
        expect![[r"
            org.toml: backup-policies: is missing, and [[policies]] as well; without either, nothing is backed up
            org.toml: rollout: is not deployed without OrganizationalUnitIds or AccountIds; add one, or leave this out
            org.toml: event-forwarder: is not needed: the events are in us-east-1 already
            org.toml: [guardrails] TargetIds: is missing; it must be IDs of the root, of organizational units or of accounts
        "]],
    );
    check_invalid(
        "[backup-policies]",
        "[monitoring]\nAccountId = \"444455556666\"\nDeployRegions = [\"eu-west-1\", \"eu-west-2\"]\n\
         [[policies]]\nPolicyName = \"Daily backups\"\nDocument = \"none.json\"\n\
         [[policies]]\nPolicyName = \"daily-backups\"\n",
        expect![[r"
            org.toml: [policies.1] Document: `none.json` cannot be read: No such file or directory
            org.toml: [policies.2] Document: is missing; it must be the path of a policy document
            org.toml: [policies.2] PolicyName: is too similar to that of number 1: both give the same name of a stack
            org.toml: [monitoring] DeployRegions: must be one Region, since there is one event bus
            org.toml: [Profiles] 444455556666: is missing; it must be the profile of the AWS CLI that has credentials of that account
        "]],
    );
    check_invalid(
        "[Buckets]",
        "[Buckets",
        expect![[r"
        org.toml: Expected ']' at the end of a table declaration (at line 6, column 9)
    "]],
    );
}

#[test]
fn a_file_or_an_archive_that_is_not_there_is_named() {
    let release = release(LEAST);
    fs::write(release.path("latin.toml"), b"Name = \"caf\xe9\"").unwrap();
    for (file, words) in [
        ("none.toml", "does not exist; copy examples/org.toml and fill it in"),
        ("latin.toml", "is not UTF-8; save it as UTF-8 without a byte-order mark"),
        (".", "[Errno 21] Is a directory: '.'"),
    ] {
        for action in ["check", "deploy", "undeploy"] {
            assert_eq!(release.fail(&[action, file]), format!("{file}: {words}\n"));
            let _ = release.end_with(2, &[action, file]);
        }
    }
    fs::remove_file(release.path("reattach.zip")).unwrap();
    let said = release.fail(&["deploy", "org.toml"]);
    assert!(said.starts_with("org.toml: reattach.zip: is not in "), "{said}");
    assert!(release.take_calls().is_empty());
    // The file itself is right, and what is deleted needs no archive.
    release.succeed(&["check", "org.toml"]);
    release.succeed(&["undeploy", "org.toml", "--yes"]);
}

#[test]
fn an_archive_that_is_built_for_other_processors_is_named() {
    let release = release(LEAST);
    let pack = "import struct, sys, zipfile\n\
                with zipfile.ZipFile('reattach.zip', 'w') as it:\n    \
                    it.writestr('bootstrap', b'\\x7fELF'.ljust(18) + struct.pack('<H', int(sys.argv[1])))";
    for (machine, architecture, is_right) in
        [("183", "x86_64", false), ("183", "arm64", true), ("62", "arm64", false)]
    {
        let mut packed = Command::new(&*PYTHON);
        packed.args(["-c", pack, machine]).current_dir(release.path(""));
        assert!(packed.status().unwrap().success());
        release.write("org.toml", &format!("Architecture = \"{architecture}\"\n{LEAST}"));
        if is_right {
            release.succeed(&["deploy", "org.toml", "--dry-run"]);
            drop(release.take_calls());
            continue;
        }
        let said = release.fail(&["deploy", "org.toml"]);
        assert!(said.starts_with("org.toml: reattach.zip: is built for "), "{said}");
        assert!(said.contains(&format!("give make ARCHITECTURE={architecture}")), "{said}");
        assert!(release.take_calls().is_empty());
    }
    // They are built after the file is checked.
    release.succeed(&["check", "org.toml"]);
}

/// A file with a lock, a document of its own and what else may not go together.
fn with_locks(rollout: &str, policies: &str) -> Release {
    let file = LEAST
        .replace(
            "CentralVaultArn = \"arn:aws:backup:eu-west-1:444455556666:backup-vault:central\"",
            "CentralAccountId = \"444455556666\"\nOrganizationalUnitIds = [\"r-ab12\"]",
        )
        .replace("[backup-policies]", &format!("[rollout]\n{rollout}\n{policies}"));
    release(&file)
}

#[test]
fn a_retention_that_a_lock_refuses_is_told_before_anything_is_called() {
    let check = |rollout: &str, policies: &str, expect: Expect| {
        let release = with_locks(rollout, policies);
        let document = json!({ "plans": { "a": { "rules": { "nightly": {
            "target_backup_vault_name": { "@@assign": "${VaultName}" },
            "lifecycle": { "delete_after_days": { "@@assign": "30" } },
            "target_logically_air_gapped_backup_vault_arn": {
                "@@assign": "arn:aws:backup:$region:$account:backup-vault:sealed",
            },
            "copy_actions": { "${CentralVaultArn}": {
                "target_backup_vault_arn": { "@@assign": "${CentralVaultArn}" },
                "lifecycle": { "delete_after_days": { "@@assign": "400" } },
            } },
        } } } } });
        release.write("nightly.json", &document.to_string());
        let done = release.run(&["check", "org.toml"]);
        let said = String::from_utf8(done.stderr).unwrap();
        expect.assert_eq(if done.status.success() { "" } else { &said });
        assert!(release.take_calls().is_empty());
    };
    let shipped = "[backup-policies]\nDailyRetentionDays = 35\nMonthlyRetentionDays = 365";
    let own = "[[policies]]\nPolicyName = \"nightly\"\nDocument = \"nightly.json\"";
    check("LockMinRetentionDays = 60", shipped, expect![[""]]);
    for mode in ["Governance", "Compliance"] {
        let least = format!("LockMode = \"{mode}\"\nLockMinRetentionDays = 60");
        check(
            &least,
            shipped,
            expect![[r"
                org.toml: [backup-policies] DailyRetentionDays: `35` is less than the 60 days that the lock of the vault allows: [rollout] LockMinRetentionDays, LockMaxRetentionDays
            "]],
        );
    }
    check(
        "CentralLockMode = \"Compliance\"\nCentralLockMaxRetentionDays = 200",
        shipped,
        expect![[r"
            org.toml: [backup-policies] MonthlyRetentionDays: `365` is more than the 200 days that the lock of the vault allows: [rollout] CentralLockMinRetentionDays, CentralLockMaxRetentionDays
        "]],
    );
    check("LockMode = \"Governance\"\nLockMaxRetentionDays = 400", own, expect![[""]]);
    check(
        "LockMode = \"Governance\"\nLockMinRetentionDays = 31",
        own,
        expect![[r"
            org.toml: [policies.1] Document: a rule keeps backups for 30 days, which is less than the 31 days that the lock of the vault allows: [rollout] LockMinRetentionDays, LockMaxRetentionDays
        "]],
    );
    check(
        "CentralLockMode = \"Governance\"\nCentralLockMaxRetentionDays = 365",
        own,
        expect![[r"
            org.toml: [policies.1] Document: a rule keeps backups for 400 days, which is more than the 365 days that the lock of the vault allows: [rollout] CentralLockMinRetentionDays, CentralLockMaxRetentionDays
        "]],
    );
    check(
        "AirGappedVaultName = \"sealed\"\nAirGappedMinRetentionDays = 90",
        own,
        expect![[r"
            org.toml: [policies.1] Document: a rule keeps backups for 30 days, which is less than the 90 days that the lock of the vault allows: [rollout] AirGappedMinRetentionDays, AirGappedMaxRetentionDays
        "]],
    );
    check(
        "LockMode = \"Governance\"\nLockMinRetentionDays = 60\nLockMaxRetentionDays = 30",
        shipped,
        expect![[r"
            org.toml: [rollout] LockMinRetentionDays: `60` is more than LockMaxRetentionDays, which is 30
        "]],
    );
}

/// Schedules as people write them, right and wrong.
const SCHEDULES: [&str; 30] = [
    "cron(0 5 ? * * *)",
    "cron(0 21 * * ? *)",
    "cron(0 0/1 ? * * *)",
    "cron(0 */6 ? * * *)",
    "cron(0 5 ? * MON-FRI *)",
    "cron(0 5 ? * FRI-MON *)",
    "cron(0 5 ? * sun *)",
    "cron(0 5 ? * 6L *)",
    "cron(0 5 ? * MON#2 *)",
    "cron(0 5 1,15 * ? *)",
    "cron(0 5 15W * ? *)",
    "cron(0 5 L * ? *)",
    "cron(0 5 L-3W * ? *)",
    "cron(0 5 1 JAN,JUL ? *)",
    "cron(0 5 ? * *)",
    "cron(0 5 ? * * * *)",
    "cron(15 3 * * *)",
    "cron(75 3 ? * * *)",
    "cron(0 24 ? * * *)",
    "cron(0 5 32 * ? *)",
    "cron(0 5 ? 13 * *)",
    "cron(0 5 ? * 8 *)",
    "cron(0 5 ? * MON#6 *)",
    "cron(0 5 ? * ? *)",
    "cron(0 5 1 * MON *)",
    "cron(0/30 5 ? * * *)",
    "cron(0,15 5 ? * * *)",
    "cron(0 5/0 ? * * *)",
    "cron(0 5 ? * * 1969)",
    "rate(1 day)",
];

#[test]
fn a_schedule_is_refused_by_the_program_where_the_command_refuses_it() {
    let script = "
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'scripts/deploy')
import schedule
print(json.dumps([schedule.fault(it) is None for it in sys.argv[1:]]))
";
    let mut read = Command::new(&*PYTHON);
    let read =
        read.args(["-c", script]).args(SCHEDULES).current_dir(repository(".")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let taken: Vec<bool> = serde_json::from_slice(&read.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (it, taken) in SCHEDULES.iter().zip(&taken) {
        let rule = json!({ "schedule_expression": { "@@assign": it } });
        let document = json!({ "plans": { "a": { "rules": { "b": rule } } } });
        let path = folder.path().join("policy.json");
        fs::write(&path, document.to_string()).unwrap();
        let mut check = Command::new(tests::binaries::binary("org-backup"));
        let checked = check.arg("check").arg(&path).output().unwrap();
        // AWS refuses this at some times of the day only. The program refuses it at all times.
        let is_often = String::from_utf8_lossy(&checked.stdout).contains("less than an hour apart");
        assert_eq!(checked.status.success() && !is_often, *taken, "{it}");
    }
    assert!(taken.contains(&true) && taken.contains(&false));
    // And so in the file and in its documents.
    let file = LEAST.replace(
        "[backup-policies]",
        "[[policies]]\nPolicyName = \"a\"\nDocument = \"a.json\"\n[backup-policies]\n\
         MonthlySchedule = \"cron(0 25 1 * ? *)\"",
    );
    let release = release(&file);
    let rule = json!({ "schedule_expression": { "@@assign": "cron(75 3 ? * * *)" } });
    release.write("a.json", &json!({ "plans": { "a": { "rules": { "b": rule } } } }).to_string());
    expect![[r"
        org.toml: [policies.1] Document: `cron(75 3 ? * * *)` has no minute that AWS knows: `75`
        org.toml: [backup-policies] MonthlySchedule: `cron(0 25 1 * ? *)` has no hour that AWS knows: `25`
    "]]
    .assert_eq(&release.fail(&["check", "org.toml"]));
}

#[test]
fn what_aws_would_refuse_later_is_told_with_the_key() {
    check_invalid(
        "[backup-policies]",
        "[bootstrap]\nBackupAdministratorAccountIds = [\"1\", 444455556666]\n[Tags]\n\
         \"aws:team\" = \"storage\"\n[backup-policies]\nDailyStartWindowMinutes = 700\n\
         BackupPlanTags = [\"a=1\", \"A=2\"]\n\
         RecoveryPointTags = [\"a=1\", \"b=1\", \"c=1\", \"d=1\"]",
        expect![[r"
            org.toml: [bootstrap] BackupAdministratorAccountIds: `1` must be IDs of accounts
            org.toml: [Tags] aws:team: `aws:team` must be the key of a tag, which does not begin with `aws:`
            org.toml: [backup-policies] DailyCompletionWindowMinutes: `720` must be at least 60 more than DailyStartWindowMinutes, which is 700
            org.toml: [backup-policies] BackupPlanTags: `a` is in it twice
            org.toml: [backup-policies] RecoveryPointTags: the template takes at most 3; a document of your own takes more
        "]],
    );
    check_invalid(
        "[backup-policies]",
        "[bootstrap]\nBackupAdministratorAccountIds = [\"100000000001\", \"100000000002\", \
         \"100000000003\", \"100000000004\", \"100000000005\", \"100000000006\"]\n\
         [delegated-policies]\n[[policies]]\nPolicyName = \"a\"\nDocument = \"databases.json\"\n\
         Variables = { Owner = \"storage\" }\n[backup-policies]",
        expect![[r"
            org.toml: [bootstrap] BackupAdministratorAccountIds: AWS accepts at most 5 administrators of AWS Backup
            org.toml: delegated-policies: is not deployed, since none of [[policies]] has an AccountId; leave it out
            org.toml: [policies.1.Variables] Owner: is not in the document, as `${…}`
        "]],
    );
    check_invalid(
        "[backup-policies]",
        "[[policies]]\nAccountId = \"555566667777\"\nPolicyName = \"a\"\n\
         Document = \"databases.json\"\nVariables = { Owner = 1 }\n[backup-policies]",
        expect![[r"
            org.toml: [policies.1.Variables] Owner: must be text, or a list of texts
            org.toml: [policies.1] AccountId: `555566667777` may not manage backup policies; name it as DelegatedAccountId of [delegation]
            org.toml: [delegated-policies.Buckets] us-east-1: is missing; it must be the name of a bucket in that Region, for archives and templates
            org.toml: [Profiles] 555566667777: is missing; it must be the profile of the AWS CLI that has credentials of that account
        "]],
    );
    check_invalid(
        "[Buckets]",
        "OrganizationalUnitIds = [\"r-ab12\"]\nOtherRegions = [\"eu-west-1\"]\nAccountIds = [1]\n\
         [rollout]\nVaultKeyArn = \"arn:aws:kms:us-east-1:111122223333:key/1a2b\"\n[Buckets]",
        expect![[r"
            org.toml: AccountIds: `1` must be the ID of an account, which has twelve digits
            org.toml: [rollout] VaultKeyArn: is not a multi-Region key, and vaults in eu-west-1 need a key there
        "]],
    );
    let release = release(&format!("\u{feff}{LEAST}"));
    assert_eq!(
        release.fail(&["check", "org.toml"]),
        "org.toml: begins with a byte-order mark; save it as UTF-8 without one\n"
    );
}

#[test]
fn a_document_names_what_the_file_says() {
    let file = LEAST.replace(
        "[backup-policies]",
        "[[policies]]\nPolicyName = \"a\"\nDocument = \"a.json\"\nVariables = { Owner = \"storage\" }",
    );
    let release = release(&file);
    let document = json!({ "plans": {
        "${Owner}": { "regions": { "@@assign": "${Regions}" }, "rules": { "b": {
            "target_backup_vault_name": { "@@assign": "${VaultName}" },
            "copy_actions": { "${CentralVaultArn}": {} },
        } } },
    } });
    release.write("a.json", &document.to_string());
    let stacks = release.stacks("org.toml");
    let policy = stacks.iter().find(|it| it.template == "backup-policy.yaml").unwrap();
    let given: Value = serde_json::from_str(&policy.parameters["Variables"]).unwrap();
    let expected = json!({
        "CentralVaultArn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:central",
        "Owner": "storage",
        "Regions": ["us-east-1"],
        "VaultName": "org-backup",
    });
    assert_eq!(given, expected);
    // Without a central vault, none can be named, and a variable without a value is reported.
    release.write(
        "org.toml",
        &file
            .lines()
            .filter(|it| !it.starts_with("Central"))
            .fold(String::new(), |text, it| text + it + "\n"),
    );
    release.write(
        "a.json",
        r#"{ "plans": { "${Owner}": {}, "${CentralVaultArn}": {}, "${Other}": {} } }"#,
    );
    expect![[r"
        org.toml: [policies.1] Document: `${CentralVaultArn}` has no value, since the file does not set CentralVaultArn
    "]]
    .assert_eq(&release.fail(&["check", "org.toml"]));
}

#[test]
fn tags_are_those_of_every_stack_and_follow_the_file() {
    let tagged = |value: &str| {
        LEAST.replace("[Buckets]", &format!("[Tags]\nCostCenter = \"{value}\"\n[Buckets]"))
    };
    let release = release(&tagged("4711"));
    release.succeed(&["deploy", "org.toml"]);
    let tags = |release: &Release| {
        release.aws(|it| it.stacks.values().map(|it| it.tags.clone()).collect::<BTreeSet<_>>())
    };
    let of = |value: &str| {
        BTreeSet::from([BTreeMap::from([("CostCenter".to_owned(), value.to_owned())])])
    };
    assert_eq!(tags(&release), of("4711"));
    drop(release.take_calls());
    release.succeed(&["deploy", "org.toml"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    release.write("org.toml", &tagged("4712"));
    release.succeed(&["deploy", "org.toml"]);
    assert_eq!(tags(&release), of("4712"));
}

#[test]
fn a_check_is_never_silent_about_what_is_missing() {
    let release = release(&LEAST.replace("ManagementAccountId = \"111122223333\"", ""));
    let missing = "org.toml: ManagementAccountId: is missing; it must be the ID of an account, which has twelve digits";
    let checked = release.type_in(&["check", "org.toml"], "");
    assert_eq!(checked, (Some(1), format!("{missing}\n")));
    // `make deploy` checks first, and then asks.
    let later = release.type_in(&["check", "org.toml", "--asked-later"], "");
    assert_eq!(later, (Some(0), format!("{missing}; you are asked for it below\n")));
    assert!(release.take_calls().is_empty());
}

#[test]
fn what_is_missing_is_asked_for_at_a_terminal() {
    let file =
        LEAST.replace("Region = \"us-east-1\"", "").replace("[Buckets]", "[guardrails]\n[Buckets]");
    let release = release(&file);
    let typed = "us-east-1\nr-ab12, 444455556666\nyes\n";
    let (_, said) = release.type_in(&["deploy", "org.toml"], typed);
    assert!(said.contains("Region: is missing; it must be the code of a Region"), "{said}");
    let calls = release.take_calls();
    let stacks: Vec<_> =
        calls.iter().filter(|it| it[1] == "deploy").map(|it| deployed(it)).collect();
    let guardrails = stacks.iter().find(|it| it.template == "guardrails.yaml").unwrap();
    assert_eq!(guardrails.parameters["TargetIds"], "r-ab12,444455556666");
    assert_eq!(guardrails.region, "us-east-1");
}

#[test]
fn what_is_uploaded_is_named_after_its_content_and_not_uploaded_again() {
    let release = release(&everything());
    release.succeed(&["deploy", "org.toml"]);
    let world = release.world();
    let objects = world["objects"].as_object().unwrap();
    for (key, content) in objects {
        let name = key.rsplit('/').next().unwrap();
        if let Some(function) = name.strip_suffix(".zip") {
            assert_eq!(content, function);
        }
    }
    let of_policy: Vec<_> = objects.keys().filter(|it| it.contains("/policies/")).collect();
    // One document in the bucket of each account whose function reads it.
    for policy in [
        "111122223333 eu-central-1 org-backup-policy-databases",
        "555566667777 eu-central-1 org-backup-policy-databases-of-theirs",
    ] {
        let url = world["stacks"][policy]["parameters"]["ContentUrl"].as_str().unwrap();
        assert!(of_policy.iter().any(|it| url == format!("s3://{it}")), "{url}");
    }
    assert_eq!(of_policy.len(), 2);
    release.take_calls().clear();

    // New code is a new key, and every function gets it.
    release.write("reattach.zip", "another");
    release.succeed(&["deploy", "org.toml"]);
    let after = release.world();
    assert_eq!(after["objects"].as_object().unwrap().len(), objects.len() * 2 - of_policy.len());
}

#[test]
fn a_second_deployment_changes_nothing() {
    let release = release(&everything());
    release.succeed(&["deploy", "org.toml"]);
    let world = release.world();
    assert!(release.take_writes().len() > 20);
    let said = release.succeed(&["deploy", "org.toml"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    assert_eq!(release.world(), world);
    assert_eq!(said.matches(": unchanged\n").count(), 19, "{said}");
    assert!(
        said.contains("\nPlan: 19 stacks unchanged.\nEverything is as the file says.\n"),
        "{said}"
    );
}

/// Writes a program for a shell into a release.
fn write_program(release: &Release, name: &str, text: &str) {
    release.write(name, &format!("#!/bin/sh\n{text}\n"));
    let path = release.path(name);
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&path, permissions).unwrap();
}

#[test]
fn a_deployment_ends_with_what_the_organization_lacks() {
    let release = release(LEAST);
    let said = release.succeed(&["deploy", "org.toml"]);
    let options = "--region us-east-1 --state-bucket state-of-org-backup";
    let last = format!(
        "run it as docs/plan-and-doctor.md says.\nState bucket: state-of-org-backup\n\
         Next: org-backup report {options}\n"
    );
    assert!(said.ends_with(&last), "{said}");
    // A problem that it finds does not fail what was deployed.
    write_program(&release, "org-backup", "echo \"problem $*\"\nexit 1");
    let said = release.succeed(&["deploy", "org.toml"]);
    assert!(said.contains(&format!("\nproblem doctor {options}\n")), "{said}");
    assert!(said.ends_with(&format!("org-backup report {options}\n")), "{said}");
    // A dry run changes nothing, so there is nothing new to look at.
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert!(!said.contains("problem"), "{said}");
}

#[test]
fn what_a_fresh_account_lacks_is_told_before_anything_is_called() {
    let file = format!("{LEAST}[audit]\n[guardrails]\nTargetIds = [\"r-ab12\"]\n");
    let check = |file: &str| {
        let release = release(file);
        let said = release.succeed(&["check", "org.toml"]);
        assert!(release.take_calls().is_empty());
        // And so it is where something is called afterwards.
        let deployed = release.succeed(&["deploy", "org.toml"]);
        assert!(deployed.starts_with(&said), "{deployed}");
        let lacks = said.lines().filter(|it| it.contains("a fresh "));
        lacks.fold(String::new(), |text, it| text + it + "\n")
    };
    let trail = "Trail: a fresh account has none. Unless one records in us-east-1, drift is \
                 noticed only once a day.\n";
    assert_eq!(check(LEAST), trail);
    let audit =
        "[audit]: AWS Config has to record where it is deployed, which a fresh account does not.\n";
    let guardrails = "[guardrails]: SERVICE_CONTROL_POLICY is not among the PolicyTypes, and a fresh \
                      organization has it disabled, unless AWS Control Tower enabled it.\n";
    assert_eq!(check(&file), format!("{trail}{audit}{guardrails}"));
    let types = "PolicyTypes = [\"BACKUP_POLICY\", \"SERVICE_CONTROL_POLICY\"]";
    assert_eq!(check(&format!("{types}\n{file}")), format!("{trail}{audit}"));
}

#[test]
fn what_is_not_ascii_in_a_parameter_is_not_deployed_again() {
    let file =
        LEAST.replace("[Buckets]", "NotificationEmail = \"sicherungen@bücher.example\"\n[Buckets]");
    let release = release(&file);
    release.succeed(&["deploy", "org.toml"]);
    drop(release.take_calls());
    release.succeed(&["deploy", "org.toml"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn a_region_that_the_central_account_has_to_enable_is_told() {
    let file = LEAST.replace(
        "[Buckets]",
        "NotificationEmail = \"backup@example.com\"\nCentralAccountId = \"444455556666\"\n\
         OrganizationalUnitIds = [\"r-ab12\"]\n\
         OtherRegions = [\"eu-west-1\", \"eu-south-1\"]\n[Buckets]",
    );
    // The vault is made, and no other is named.
    let file = file.lines().filter(|it| !it.starts_with("CentralVaultArn")).collect::<Vec<_>>();
    expect![[r"
        SHA256SUMS: is missing beside the files, so the files are used without a check.
        OtherRegions: eu-south-1 has to be enabled in the central account 444455556666 as well, or copies from there fail.
        Trail: a fresh account has none. Unless one records in us-east-1, drift is noticed only once a day.
    "]]
    .assert_eq(&release(&file.join("\n")).succeed(&["check", "org.toml"]));
}

#[test]
fn what_the_file_no_longer_has_goes_back_to_its_default() {
    let release = release(
        &LEAST.replace("[backup-policies]", "[bootstrap]\nMemorySize = 512\n[backup-policies]"),
    );
    release.succeed(&["deploy", "org.toml"]);
    drop(release.take_calls());
    release.write("org.toml", LEAST);
    release.succeed(&["deploy", "org.toml"]);
    let writes = release.take_writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(deployed(&writes[0]).parameters["MemorySize"], "256");
}

#[test]
fn deploying_killed_after_any_write_and_run_again_ends_the_same() {
    killed_after_any_write(&["deploy", "org.toml"]);
}

#[test]
fn undeploying_killed_after_any_write_and_run_again_ends_the_same() {
    killed_after_any_write(&["undeploy", "org.toml", "--yes"]);
}

#[test]
fn taking_everything_back_killed_after_any_write_and_run_again_ends_the_same() {
    killed_after_any_write(&["undeploy", "org.toml", "--yes", "--members", "--everything"]);
}

/// Kills an action after its first call, and after every call that changes something or waits for a
/// change. A kill after a read leaves what a kill before it leaves.
fn killed_after_any_write(action: &[&str]) {
    let file =
        LEAST.replace("us-east-1", "eu-central-1").replace("[Buckets]", "[audit]\n[Buckets]");
    let whole = release(&file);
    if action[0] == "undeploy" {
        whole.succeed(&["deploy", "org.toml"]);
        drop(whole.take_calls());
    }
    let before = whole.world();
    whole.succeed(action);
    let calls = whole.take_calls();
    let is_step = |it: &[String]| is_write(it) || it[1] == "wait";
    let writes = calls.iter().zip(1..).filter(|(it, number)| is_step(it) || *number == 1);
    let writes: Vec<usize> = writes.map(|(_, number)| number).collect();
    assert!(writes.len() > 4, "{writes:?}");
    let settled = |release: &Release| {
        let mut world = release.world();
        for stack in world["stacks"].as_object_mut().unwrap().values_mut() {
            let status = stack["status"].as_str().unwrap();
            assert!(["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status), "{status}");
            stack["status"] = json!("COMPLETE");
            // It has one more if it was interrupted.
            stack["events"] = Value::Null;
        }
        world
    };
    each_at_once(writes, |number| {
        let mut release = release(&file);
        if before != Value::Null {
            release.write("world.json", &before.to_string());
        }
        release = release.with("FAKE_AWS_KILLS", number);
        assert!(!release.run(action).status.success());
        assert_eq!(release.take_calls().len(), number);
        release.without("FAKE_AWS_KILLS");
        release.succeed(action);
        assert_eq!(settled(&release), settled(&whole), "{action:?}, killed after {number}");
    });
}

#[test]
fn a_stack_that_could_not_be_created_is_created_anew() {
    let mut release = release(LEAST).with("FAKE_AWS_FAILS", "org-backup-policies");
    let said = release.fail(&["deploy", "org.toml"]);
    assert!(said.contains("run the same command again"), "{said}");
    drop(release.take_calls());
    release.without("FAKE_AWS_FAILS");
    release.succeed(&["deploy", "org.toml"]);
    let mut text = String::new();
    for call in release.take_writes() {
        let place = call.iter().position(|it| it == "--stack-name").unwrap();
        writeln!(text, "{} {}", call[1], call[place + 1]).unwrap();
    }
    expect![[r"
        delete-stack org-backup-policies
        deploy org-backup-policies
        deploy org-backup-reattach
    "]]
    .assert_eq(&text);
}

#[test]
fn credentials_of_another_account_change_nothing() {
    let wrong = [
        ("ManagementAccountId = \"111122223333\"", "ManagementAccountId = \"999988887777\""),
        ("o-a1b2c3d4e5", "o-b1b2c3d4e5"),
    ];
    for (from, to) in wrong {
        let release = release(&LEAST.replace(from, to));
        for action in ["deploy", "undeploy"] {
            let said = release.fail(&[action, "org.toml", "--yes"]);
            assert!(said.ends_with("nothing was changed\n"), "{said}");
            assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
        }
    }
}

#[test]
fn another_account_is_entered_with_its_profile_and_takes_archives_from_its_own_bucket() {
    let release = release(&everything());
    release.succeed(&["deploy", "org.toml"]);
    let world = release.world();
    let theirs = |it: &&String| it.starts_with("444455556666 ");
    let stacks: Vec<_> = world["stacks"].as_object().unwrap().keys().filter(theirs).collect();
    assert_eq!(
        stacks,
        [
            "444455556666 eu-central-1 org-backup-monitoring",
            "444455556666 eu-west-1 org-backup-restore-testing",
        ]
    );
    let member = &world["stacks"]["111122223333 eu-west-1 org-backup-monitoring-member"];
    assert_eq!(
        member["parameters"]["BusArn"],
        "arn:aws:events:eu-central-1:444455556666:event-bus/org-backup"
    );
}

#[test]
fn a_dry_run_says_what_is_created_and_changes_nothing() {
    let release = release(LEAST);
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    assert!(release.aws(|it| it.stacks.is_empty() && it.objects.is_empty()));
    expect![[r#"
        org-backup in us-east-1: created
          ArtifactBucket: artifacts-of-ours
          StateWriterRoleArns: arn:aws:iam::111122223333:role/org-backup-reattach-ReattachRole-*,arn:aws:iam::111122223333:role/org-backup-member-accounts
          makes 23 resources
          stay when the stack is deleted: StateBucket (AWS::S3::Bucket), StateKey (AWS::KMS::Key)
        org-backup-policies in us-east-1: created
          Regions: us-east-1
          CentralVaultArn: arn:aws:backup:eu-west-1:444455556666:backup-vault:central
          makes 2 resources
        org-backup-reattach in us-east-1: created
          ArtifactBucket: artifacts-of-ours
          MembersStackName: ""
          makes 27 resources
        Code: 5 of 5 files are uploaded.

        Plan: 3 stacks created.
    "#]]
    .assert_eq(said.split_once("\n\n").unwrap().1);
}

/// The least file with a change of a parameter, of a policy and of the tags.
fn changed() -> String {
    LEAST.replace(
        "[backup-policies]",
        "[Tags]\nTeam = \"storage\"\n[bootstrap]\nMemorySize = 512\n[backup-policies]\n\
         DailyRetentionDays = 40",
    )
}

#[test]
fn a_dry_run_says_what_changes_of_each_stack() {
    let release = release(LEAST);
    release.succeed(&["deploy", "org.toml"]);
    release.write("org.toml", &changed());
    release.write("reattach.zip", "another");
    drop(release.take_calls());
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    expect![[r"
        org-backup in us-east-1: changed
          MemorySize: 256 → 512
          tag Team: storage
          code: another build
          changed: BackupPolicyFunction (AWS::Lambda::Function): Code, MemorySize
          changed: GlobalSettingsFunction (AWS::Lambda::Function): Code, MemorySize
          changed: PolicyTypesFunction (AWS::Lambda::Function): Code, MemorySize
          changed: ServiceAccessFunction (AWS::Lambda::Function): Code, MemorySize
        org-backup-policies in us-east-1: changed
          DailyRetentionDays: 35 → 40
          tag Team: storage
          changed: DailyBackupPolicy (Custom::BackupPolicy): Content
        org-backup-reattach in us-east-1: changed
          tag Team: storage
          code: another build
          changed: ReattachFunction (AWS::Lambda::Function): Code
        Code: 5 of 5 files are uploaded.

        Plan: 3 stacks changed.
    "]]
    .assert_eq(said.split_once("\n\n").unwrap().1);
}

#[test]
fn a_dry_run_needs_no_build() {
    let release = release(LEAST);
    release.succeed(&["deploy", "org.toml"]);
    for function in tests::deploy::FUNCTIONS {
        fs::remove_file(release.path(&format!("{function}.zip"))).unwrap();
    }
    drop(release.take_calls());
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    expect![[r"
        org-backup in us-east-1: unchanged but for code, which is built when it is deployed
        org-backup-policies in us-east-1: unchanged
        org-backup-reattach in us-east-1: unchanged but for code, which is built when it is deployed
        Code: built when it is deployed.

        Plan: 1 stack unchanged, 2 stacks unchanged but for code.
    "]]
    .assert_eq(said.split_once("\n\n").unwrap().1);
    // Nothing is deployed without it.
    assert!(release.fail(&["deploy", "org.toml"]).contains("run `make package`"));
}

#[test]
fn a_dry_run_without_credentials_says_that_nothing_was_read() {
    for wrong in
        ["ManagementAccountId = \"999988887777\"", "ManagementAccountId = \"111122223333\""]
    {
        let file = LEAST.replace("ManagementAccountId = \"111122223333\"", wrong);
        let release = release(&file.replace("o-a1b2c3d4e5", "o-b1b2c3d4e5"));
        let said = release.end_with(2, &["deploy", "org.toml", "--dry-run"]);
        assert!(said.contains("\nAWS was not read: th"), "{said}");
        assert!(
            said.contains(
                "\nThe plan below assumes that nothing is deployed yet.\norg-backup in us-east-1: created\n"
            ),
            "{said}"
        );
    }
    // Without any, nobody meant to read it.
    let release = release(LEAST);
    fs::remove_file(release.path("bin/aws")).unwrap();
    write_program(&release, "bin/aws", "echo 'Unable to locate credentials' >&2\nexit 253");
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert!(said.contains("\nAWS was not read: Unable to locate credentials\n"), "{said}");
    assert!(said.ends_with("\nPlan: 3 stacks created.\n"), "{said}");
    assert!(release.fail(&["deploy", "org.toml"]).contains("  Unable to locate credentials\n"));
    let said = release.succeed(&["undeploy", "org.toml", "--dry-run"]);
    assert!(said.starts_with("AWS was not read: Unable to locate credentials\n"), "{said}");
}

#[test]
fn a_deployment_is_confirmed_once_with_a_word() {
    let release = release(LEAST);
    // Without a terminal nobody can type it.
    let mut unconfirmed = release.command(&["deploy", "org.toml"]);
    let unconfirmed = unconfirmed.stdin(std::process::Stdio::null()).output().unwrap();
    let refused = "There is no terminal to confirm this at. Confirm it with YES=1, or --yes.\n\
                   Nothing was changed.\n";
    assert_eq!(String::from_utf8(unconfirmed.stderr).unwrap(), refused);
    assert!(
        String::from_utf8(unconfirmed.stdout).unwrap().ends_with("\nPlan: 3 stacks created.\n")
    );
    for word in ["", "y", "no", "irreversible"] {
        let (code, said) = release.type_in(&["deploy", "org.toml"], &format!("{word}\n"));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("Type yes to deploy this: "), "{said}");
        assert!(said.ends_with("Nothing was changed.\n"), "{said}");
    }
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    let (code, said) = release.type_in(&["deploy", "org.toml"], "yes\n");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("Type yes").count(), 1, "{said}");
    assert_eq!(release.aws(|it| it.stacks.len()), 3);
    // Nobody is asked about nothing.
    let (code, said) = release.type_in(&["deploy", "org.toml"], "");
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("Type "), "{said}");
}

#[test]
fn a_lock_that_nobody_can_undo_asks_for_another_word() {
    let release = with_locks(
        "AirGappedVaultName = \"sealed\"\nCentralLockMode = \"Compliance\"",
        "[backup-policies]",
    );
    let (code, said) = release.type_in(&["deploy", "org.toml"], "yes\n");
    assert_eq!(code, Some(1), "{said}");
    let section = said.split_once("\nNobody can undo:\n").unwrap().1;
    expect![[r"
        - The retention of the logically air-gapped vault `sealed` of accounts 111122223333, 200000000001, 200000000002, 200000000003, 300000000001 and 3 more in us-east-1. The vault keeps each backup at least 7 days and at most 3653. Nobody can change that or delete a backup early.
        - The compliance lock of the vault `central` of account 444455556666 in us-east-1. The vault keeps each backup at least 1 day. 30 days after the lock is set, nobody can take it off or delete a backup early, AWS and the root user included.
    "]]
    .assert_eq(&format!("{}\n", section.split_once("\n\n").unwrap().0));
    assert!(said.contains("Type irreversible to deploy this: "), "{said}");
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    let (code, said) = release.type_in(&["deploy", "org.toml"], "irreversible\n");
    assert_eq!(code, Some(0), "{said}");
    // It is there, and asks for nothing any more.
    let said = release.succeed(&["deploy", "org.toml"]);
    assert!(!said.contains("Nobody can undo"), "{said}");
    assert!(said.contains("\nEverything is as the file says.\n"), "{said}");
}

#[test]
fn the_events_of_a_stack_are_told_while_it_is_deployed() {
    let mut release = release(LEAST).with("FAKE_AWS_TAKES", 3);
    let said = release.succeed(&["deploy", "org.toml"]);
    let after = said.split_once("Deploying org-backup-policies in us-east-1.\n").unwrap().1;
    let events = after.split_once("Deploying org-backup-reattach in").unwrap().0.lines();
    expect![[r"
        org-backup-policies (AWS::CloudFormation::Stack): CREATE_IN_PROGRESS: User Initiated
        DailyBackupPolicy (Custom::BackupPolicy): CREATE_COMPLETE
        MonthlyBackupPolicy (Custom::BackupPolicy): CREATE_COMPLETE
        org-backup-policies (AWS::CloudFormation::Stack): CREATE_COMPLETE
    "]]
    .assert_eq(&events.fold(String::new(), |text, it| text + it.trim() + "\n"));
    // They were read before, during and after.
    let calls = release.take_calls();
    let place = |operation: &str| calls.iter().position(|it| it[1] == operation).unwrap();
    let looks = calls[place("deploy")..].iter().take_while(|it| it[1] != "describe-stacks");
    assert!(looks.filter(|it| it[1] == "describe-stack-events").count() > 1);
    // And each of them once, also of the next deployment.
    release.without("FAKE_AWS_TAKES");
    release.write("org.toml", &changed());
    let said = release.succeed(&["deploy", "org.toml"]);
    assert!(!said.contains("CREATE_COMPLETE"), "{said}");
    assert!(
        said.contains("  org-backup (AWS::CloudFormation::Stack): UPDATE_COMPLETE\n"),
        "{said}"
    );
}

#[test]
fn a_stack_that_fails_says_why_and_no_command() {
    let release = release(LEAST).with("FAKE_AWS_FAILS", "org-backup-policies");
    let done = release.run(&["deploy", "org.toml"]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(
        said.contains("  org-backup-policies (AWS::CloudFormation::Stack): CREATE_FAILED: Failed"),
        "{said}"
    );
    let why = String::from_utf8(done.stderr).unwrap();
    let expected = "failed: org-backup-policies in us-east-1 is not deployed; its events say why\n\
                    Correct the cause and run the same command again. Completed steps are kept.\n";
    assert_eq!(why, expected);
    // The plan says that it is made anew.
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert!(said.contains("\norg-backup-policies in us-east-1: created anew\n"), "{said}");
}

#[test]
fn a_stack_that_the_file_no_longer_asks_for_is_named_and_stays() {
    let policy = "[[policies]]\nPolicyName = \"Nightly\"\nDocument = \"nightly.json\"\n";
    let release = release(&format!("{LEAST}[guardrails]\nTargetIds = [\"r-ab12\"]\n{policy}"));
    release.write("nightly.json", r#"{ "plans": {} }"#);
    release.succeed(&["deploy", "org.toml"]);
    let all = release.aws(|it| it.stacks.len());
    release.write("org.toml", LEAST);
    let said = release.succeed(&["deploy", "org.toml"]);
    let left: Vec<_> = said.lines().filter(|it| it.contains("delete it by hand")).collect();
    let expected = ["guardrails", "policy-nightly"].map(|it| {
        format!("org-backup-{it} in us-east-1: stays, and is not in the file any more; delete it by hand")
    });
    assert_eq!(left, expected);
    assert_eq!(release.aws(|it| it.stacks.len()), all);
}

#[test]
fn a_dry_run_of_undeploying_deletes_nothing() {
    let release = release(&fs::read_to_string(repository("examples/org.toml")).unwrap());
    let said = release.succeed(&["undeploy", "org.toml", "--dry-run"]);
    assert!(said.starts_with("No stack is deleted.\n"), "{said}");
    release.succeed(&["deploy", "org.toml"]);
    drop(release.take_calls());
    let foretold = release.succeed(&["undeploy", "org.toml", "--dry-run"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
    let said = release.succeed(&["undeploy", "org.toml", "--yes"]);
    // Both say the same of the end.
    assert_eq!(
        foretold.split_once("would be:\n").unwrap().1,
        said.split_once("effects:\n").unwrap().1
    );
    for call in release.take_writes().iter().filter(|it| it[1] == "delete-stack") {
        let name = &call[call.iter().position(|it| it == "--stack-name").unwrap() + 1];
        assert!(foretold.contains(&format!("{name} in ")), "{name}");
    }
}

#[test]
fn the_parts_that_only_decide_pass_their_own_tests() {
    let mut run = Command::new(&*PYTHON);
    run.args(["-m", "unittest", "discover", "--start-directory", "tests/deploy"]);
    let run =
        run.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(repository(".")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_list_of_replacements_is_that_of_cfn_lint() {
    let mut check = Command::new(&*PYTHON);
    let check = check.arg(repository("scripts/replacements.py")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn the_program_reads_the_resources_of_a_template_as_yaml_has_them() {
    let script = "
import json, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'scripts/deploy')
import resources
for path in pathlib.Path('templates').glob('*.yaml'):
    body = resources.read(path.read_text('utf-8'))
    of = lambda it: [it.kind, it.condition, sorted(it.properties), it.has('DeletionPolicy')]
    found = {name: of(it) for name, it in body.resources.items()}
    print(json.dumps([path.name, found, sorted(body.conditions)]))
";
    let mut read = Command::new(&*PYTHON);
    let read = read.args(["-c", script]).current_dir(repository(".")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let keys = |it: &Value| -> BTreeSet<String> {
        it.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    for line in String::from_utf8(read.stdout).unwrap().lines() {
        let [name, found, conditions]: [Value; 3] = serde_json::from_str(line).unwrap();
        let template = Template::named(name.as_str().unwrap());
        let of_yaml = template.body["Resources"].as_object().unwrap().iter().map(|(name, it)| {
            let stays = it["DeletionPolicy"].as_str().is_some_and(|it| it.starts_with("Retain"));
            let condition = it["Condition"].as_str().unwrap_or_default();
            (name.clone(), json!([it["Type"], condition, keys(&it["Properties"]), stays]))
        });
        assert_eq!(found, Value::Object(of_yaml.collect()), "{name}");
        assert_eq!(conditions, json!(keys(&template.body["Conditions"])), "{name}");
    }
}

#[test]
fn undeploying_has_to_be_said_twice() {
    let release = release(LEAST);
    release.succeed(&["deploy", "org.toml"]);
    drop(release.take_calls());
    let said = release.fail(&["undeploy", "org.toml"]);
    assert!(said.starts_with("this would delete\n- org-backup-reattach in us-east-1\n"), "{said}");
    assert!(release.take_calls().is_empty());
}

#[test]
fn undeploying_deletes_in_the_other_order_and_says_what_is_left() {
    let release = release(&fs::read_to_string(repository("examples/org.toml")).unwrap());
    release.succeed(&["deploy", "org.toml"]);
    drop(release.take_calls());
    let said = release.succeed(&["undeploy", "org.toml", "--yes"]);
    expect![[r"
        The credentials have to be those of 111122223333.
        They have to manage the organization o-a1b2c3d4e5.
        Deleting org-backup-event-forwarder in us-east-1.
        Deleting org-backup-reattach in eu-central-1.
        Deleting org-backup-policies in eu-central-1.
        Deleting org-backup-members in eu-central-1.
        Deleting org-backup in eu-central-1.
        The effects:
        - org-backup-event-forwarder in us-east-1: After it is deleted, drift is noticed on the schedule only.
        - org-backup-reattach in eu-central-1: Deleting it changes nothing in the organization; later changes are not put back.
        - org-backup-policies in eu-central-1: Deleting it leaves the policies in place and attached.
        - org-backup-members in eu-central-1: Deleting it leaves the settings of the accounts as they are.
        - org-backup in eu-central-1: Deleting it leaves every switch on unless a parameter says otherwise, and leaves the bucket of state and its key.
        - org-backup-rollout in eu-central-1 stays, with vaults, keys and roles.
        - org-backup-member in eu-west-1 stays, with vaults, keys and roles.
        Backups continue as before, unless an OnDelete in the file said otherwise.
        The archives stay in their buckets.
    "]].assert_eq(&said);
    let left = release.aws(|it| it.stacks.keys().cloned().collect::<Vec<_>>());
    expect![[r#"
        [
            "111122223333 eu-central-1 org-backup-rollout",
            "111122223333 eu-west-1 org-backup-member",
        ]
    "#]]
    .assert_debug_eq(&left);
    // Once more is no error.
    drop(release.take_calls());
    let said = release.succeed(&["undeploy", "org.toml", "--yes"]);
    assert!(said.contains("org-backup in eu-central-1 does not exist."), "{said}");
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn a_release_has_every_file_of_the_program() {
    let makefile = fs::read_to_string(repository("Makefile")).unwrap();
    let copy = makefile.lines().find(|it| it.starts_with("\tcp scripts/deploy/")).unwrap();
    for file in fs::read_dir(repository("scripts/deploy")).unwrap().map(|it| it.unwrap().path()) {
        if file.is_file() {
            let kind = format!("scripts/deploy/*.{} ", file.extension().unwrap().display());
            assert!(copy.contains(&kind), "{}", file.display());
        }
    }
}
