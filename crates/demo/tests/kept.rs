//! The whole demo with `DEMO_KEEP=1`: every line fits the width, and what it prints at the end works
//! as it stands.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const FUNCTIONS: [&str; 8] = [
    "backup-policy",
    "coverage",
    "global-settings",
    "member-accounts",
    "policy-types",
    "reattach",
    "restore-validation",
    "service-access",
];

/// The columns that every line has room in.
const WIDTH: usize = 100;

/// A program of botocore, which reads the same variables as boto3 and the AWS CLI.
const LIST_POLICIES: &str = r#"
import botocore.session
client = botocore.session.get_session().create_client("organizations")
print(*(it["Name"] for it in client.list_policies(Filter="BACKUP_POLICY")["Policies"]))
"#;

/// A demo that is ended with the test.
struct Running(Child);

impl Running {
    fn interrupt(&mut self) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.interrupt();
        }
    }
}

#[test]
fn a_demo_that_is_kept_fits_the_width_and_its_commands_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    assert!(python.is_file(), "ministack is not installed; hint: make venv");
    let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
    let package = TempDir::new().unwrap();
    let packed = Command::new(&python)
        .arg(root.join("scripts/package.py"))
        .arg("--local")
        .args([demo.parent().unwrap(), package.path()])
        .args(FUNCTIONS)
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));

    let child = Command::new(demo)
        .arg("--package")
        .arg(package.path())
        .current_dir(&root)
        .env("DEMO_KEEP", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut lines = Vec::new();
    for line in BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap) {
        let is_last = line.starts_with("Ctrl-C");
        lines.push(line);
        if is_last {
            break;
        }
    }
    let printed = lines.join("\n");
    assert!(printed.contains("The state bucket is "), "{printed}");
    // A path or an export is for copying, and the path depends on the machine.
    let is_of_machine = |it: &&String| it.contains("export PATH=") || it.contains(".html");
    for line in lines.iter().filter(|it| !is_of_machine(it)) {
        let width = line.chars().count();
        assert!(width <= WIDTH, "{width} > {WIDTH}: {line}");
    }

    for page in ["before-night-4.html", "after-night-4.html"] {
        let line = lines.iter().find(|it| it.ends_with(page)).unwrap();
        let page = std::fs::read_to_string(line.trim()).unwrap();
        assert!(page.contains("\"evidence\""), "{line}: the page has the backups of resources");
    }
    assert!(printed.contains("between the two, nothing got worse: "), "{printed}");

    let exports: Vec<_> = lines.iter().filter(|it| it.trim().starts_with("export ")).collect();
    let exports = exports.iter().map(|it| it.trim()).collect::<Vec<_>>().join("\n");
    for variable in [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "STATE_BUCKET",
    ] {
        assert!(exports.contains(&format!("export {variable}=")), "{variable}: {exports}");
    }
    let begin = lines.iter().position(|it| it.contains("Five commands")).unwrap();
    let commands = lines[begin + 2..].iter().take_while(|it| !it.is_empty());
    let commands = commands.map(|it| it.trim()).collect::<Vec<_>>().join("\n");
    let commands = commands.replace("\\\n", " ");
    let commands: Vec<_> = commands.lines().collect();
    assert_eq!(commands.len(), 5, "{commands:?}");
    let shell = |command: &str| {
        let script = format!("{exports}\n{command}");
        let ran = Command::new("sh").arg("-c").arg(script).current_dir(&root).output().unwrap();
        let said = ran.stdout.iter().chain(&ran.stderr).copied().collect();
        (ran.status.code(), String::from_utf8(said).unwrap())
    };
    for command in commands {
        let (code, said) = shell(command);
        // Something is missing after what the demo did, and everything could be looked at.
        assert!(matches!(code, Some(0 | 1)), "{command} ends with {code:?}:\n{said}");
        assert!(said.lines().count() > 1, "{command}:\n{said}");
    }
    let (code, said) = shell(&format!("\"{}\" -c '{LIST_POLICIES}'", python.display()));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("org-backup-daily"), "{said}");

    assert_eq!(running.interrupt(), Some(130));
}
