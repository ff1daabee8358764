//! What others run us with does what it says: the hook of pre-commit, the action of GitHub and the
//! template of GitLab, each with its own steps and the program of this build.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its command must fail")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use policy::{Node, Value};
use template::{Syntax, read};

use crate::words::{GOOD, folder};

const PROGRAM: &str = env!("CARGO_BIN_EXE_org-backup");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn yaml(name: &str) -> Node {
    let text = fs::read_to_string(repository().join(name)).unwrap();
    let (document, findings) = read(&text, Syntax::Yaml);
    assert_eq!(findings, [], "{name}");
    document.unwrap()
}

fn items(node: &Node) -> &[Node] {
    let Value::Array(items) = &node.value else { panic!("{node:?}") };
    items
}

fn at<'a>(node: &'a Node, keys: &[&str]) -> &'a Node {
    keys.iter().fold(node, |node, key| node.member(key).unwrap_or_else(|| panic!("{key}")))
}

fn text(node: &Node) -> &str {
    node.scalar().unwrap()
}

/// A folder with this policy in it.
fn with_policy(test: &str, policy: &str) -> PathBuf {
    let folder = folder(test);
    fs::create_dir(folder.join("policies")).unwrap();
    fs::write(folder.join("policies/daily.json"), policy).unwrap();
    folder
}

fn bad() -> String {
    GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)")
}

fn write_script(file: &Path, script: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, script).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(file).status().unwrap().success());
}

/// What is downloaded as the program: it is a small one that calls the large one.
fn program(folder: &Path) -> PathBuf {
    let file = folder.join("bundle/org-backup/org-backup");
    write_script(&file, &format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n"));
    file
}

/// The archive of a release.
fn archive(folder: &Path) -> PathBuf {
    program(folder);
    let archive = folder.join("org-backup.tar.gz");
    let bundle = folder.join("bundle");
    let mut tar = Command::new("tar");
    let made = tar.arg("czf").arg(&archive).arg("-C").arg(bundle).arg("org-backup").status();
    assert!(made.unwrap().success());
    archive
}

fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// A folder with a `cargo` that installs what is here, and writes down what it was asked.
fn cargo(folder: &Path) -> PathBuf {
    let bin = folder.join("fake");
    let (asked, program) = (folder.join("asked"), program(folder));
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{}'\nmkdir -p \"$4/bin\"\ncp '{}' \"$4/bin/org-backup\"\n",
        asked.display(),
        program.display()
    );
    write_script(&bin.join("cargo"), &script);
    bin
}

fn path_with(first: &Path) -> String {
    format!("{}:/usr/local/bin:/usr/bin:/bin", first.display())
}

#[test]
fn the_hook_of_pre_commit_runs() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let [hook] = items(&hooks) else { panic!("{hooks:?}") };
    assert_eq!(text(at(hook, &["language"])), "system");
    assert_eq!(text(at(hook, &["pass_filenames"])), "false");
    let entry: Vec<_> = text(at(hook, &["entry"])).split(' ').collect();
    let arguments = items(at(hook, &["args"])).iter().map(text);
    assert_eq!(entry[0], "org-backup");
    for (policy, code) in [(GOOD.to_owned(), 0), (bad(), 1)] {
        let folder = with_policy("pre_commit", &policy);
        let mut run = Command::new(PROGRAM);
        run.args(&entry[1..]).args(arguments.clone()).current_dir(&folder);
        assert_eq!(run.output().unwrap().status.code(), Some(code));
    }
}

/// Runs the steps of the action as GitHub does.
fn action(folder: &Path, inputs: &[(&str, &str)], path: &Path) -> Output {
    let action = yaml("integrations/github/action.yml");
    let defaults = at(&action, &["inputs"]).members().unwrap().iter();
    let mut given: BTreeMap<_, _> =
        defaults.map(|it| (it.key.clone(), text(at(&it.value, &["default"])).to_owned())).collect();
    for (name, value) in inputs {
        assert!(given.insert((*name).to_owned(), (*value).to_owned()).is_some(), "{name}");
    }
    assert_eq!(text(at(&action, &["runs", "using"])), "composite");
    let paths = folder.join("github-path");
    fs::write(&paths, "").unwrap();
    let mut last = None;
    for step in items(at(&action, &["runs", "steps"])) {
        assert_eq!(text(at(step, &["shell"])), "bash");
        let script = folder.join("step.sh");
        fs::write(&script, text(at(step, &["run"]))).unwrap();
        let added = fs::read_to_string(&paths).unwrap().replace('\n', ":");
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script);
        bash.env_clear().current_dir(folder);
        bash.env("PATH", added + &path_with(path)).env("GITHUB_PATH", &paths);
        bash.env("RUNNER_TEMP", folder.join("temp"));
        for it in at(step, &["env"]).members().unwrap() {
            let value = given.iter().fold(text(&it.value).to_owned(), |text, (name, value)| {
                text.replace(&format!("${{{{ inputs.{name} }}}}"), value)
            });
            let value = value.replace("${{ github.action_path }}", "/action/integrations/github");
            assert!(!value.contains("${{"), "{value}");
            bash.env(&it.key, value);
        }
        let output = bash.output().unwrap();
        let failed = !output.status.success();
        last = Some(output);
        if failed {
            break;
        }
    }
    last.unwrap()
}

#[test]
fn the_action_of_github_takes_the_program_from_a_url_and_annotates() {
    for (policy, code) in [(GOOD.to_owned(), 0), (bad(), 1)] {
        let folder = with_policy("action", &policy);
        let archive = archive(&folder);
        let [archived, plain] = [&archive, &program(&folder)].map(|it| url(it));
        for (url, sum) in [(&archived, sha256(&archive)), (&plain, String::new())] {
            let inputs = [("url", url.as_str()), ("sha256", sum.as_str()), ("paths", "policies\n")];
            let run = action(&folder, &inputs, Path::new("/none"));
            assert_eq!(run.status.code(), Some(code), "{}", String::from_utf8_lossy(&run.stderr));
            let expected =
                if code == 0 { "" } else { "::error file=policies/daily.json,line=4,col=39::" };
            let printed = String::from_utf8(run.stdout).unwrap();
            assert!(
                printed.starts_with(expected) && printed.is_empty() == (code == 0),
                "{printed}"
            );
        }
    }
}

/// Returns the URL of a file.
fn url(path: &Path) -> String {
    format!("file://{}", path.display()).replace(' ', "%20")
}

#[test]
fn the_action_refuses_another_program_and_a_strict_run_fails_for_nothing() {
    let folder = folder("action_refused");
    let url = url(&program(&folder));
    let other = "0".repeat(64);
    let run =
        action(&folder, &[("url", url.as_str()), ("sha256", other.as_str())], Path::new("/none"));
    assert_eq!(run.status.code(), Some(1));
    assert!(!String::from_utf8(run.stderr).unwrap().contains("checked:"));
    for (strict, code) in [("false", 0), ("true", 1)] {
        let run = action(&folder, &[("url", url.as_str()), ("strict", strict)], Path::new("/none"));
        assert_eq!(run.status.code(), Some(code), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn the_action_installs_with_cargo_where_there_is_no_url() {
    let folder = with_policy("action_cargo", &bad());
    let bin = cargo(&folder);
    let run = action(&folder, &[], &bin);
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    let asked = fs::read_to_string(folder.join("asked")).unwrap();
    let root = folder.join("temp/org-backup");
    let source = "/action/integrations/github/../../crates/cli";
    assert_eq!(asked, format!("install --locked --root {} --path {source}\n", root.display()));
    assert!(repository().join("integrations/github/../../crates/cli/Cargo.toml").is_file());
}

/// Runs the job of the template as GitLab does.
fn job(folder: &Path, variables: &[(&str, &str)], path: &Path) -> Output {
    let template = yaml("integrations/gitlab/org-backup.gitlab-ci.yml");
    let job = at(&template, &["org-backup-check"]);
    let mut shell = Command::new("sh");
    let script: Vec<_> = items(at(job, &["script"])).iter().map(text).collect();
    shell.args(["-e", "-c", &script.join("\n")]).env_clear().current_dir(folder);
    shell.env("PATH", path_with(path));
    for it in at(job, &["variables"]).members().unwrap() {
        shell.env(&it.key, text(&it.value));
    }
    for (name, value) in variables {
        assert!(at(job, &["variables", name]).is_scalar());
        shell.env(name, value);
    }
    shell.output().unwrap()
}

#[test]
fn the_job_of_gitlab_leaves_a_report_whatever_it_finds() {
    for (policy, code) in [(GOOD.to_owned(), 0), (bad(), 1)] {
        let folder = with_policy("gitlab_job", &policy);
        let archive = archive(&folder);
        let [url, plain] = [&archive, &program(&folder)].map(|it| url(it));
        let (bin, sum) = (cargo(&folder), sha256(&archive));
        for variables in [
            vec![("ORG_BACKUP_URL", url.as_str()), ("ORG_BACKUP_SHA256", sum.as_str())],
            vec![("ORG_BACKUP_URL", plain.as_str()), ("ORG_BACKUP_OPTIONS", "--strict --verbose")],
            vec![("ORG_BACKUP_REPOSITORY", "https://git.example.com/org-backup.git")],
        ] {
            let more = [variables, vec![("ORG_BACKUP_PATHS", "policies")]].concat();
            let run = job(&folder, &more, &bin);
            assert_eq!(run.status.code(), Some(code), "{}", String::from_utf8_lossy(&run.stderr));
            let report = fs::read_to_string(folder.join("gl-code-quality-report.json")).unwrap();
            let report: Vec<serde_json::Value> = serde_json::from_str(&report).unwrap();
            assert_eq!(report.len(), usize::from(code == 1));
        }
        let asked = fs::read_to_string(folder.join("asked")).unwrap();
        assert!(asked.ends_with("--git https://git.example.com/org-backup.git cli\n"), "{asked}");
    }
    let folder = with_policy("gitlab_refused", GOOD);
    let url = url(&program(&folder));
    let other = "1".repeat(64);
    let wrong = [("ORG_BACKUP_URL", url.as_str()), ("ORG_BACKUP_SHA256", other.as_str())];
    assert_ne!(job(&folder, &wrong, Path::new("/none")).status.code(), Some(0));
}
