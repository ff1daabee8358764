//! The program that deploys, as a release has it, and what it calls.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::binary;
use crate::fake_aws::World;

/// The functions whose archives a release has.
pub const FUNCTIONS: &[&str] = &[
    "backup-policy",
    "coverage",
    "global-settings",
    "member-accounts",
    "policy-types",
    "reattach",
    "restore-validation",
    "service-access",
];

/// The commands that change something.
const WRITES: [&str; 17] = [
    "create-stack-instances",
    "delete-backup-vault",
    "delete-backup-vault-lock-configuration",
    "delete-bucket",
    "delete-bucket-policy",
    "delete-objects",
    "delete-policy",
    "delete-recovery-point",
    "delete-role",
    "delete-stack",
    "delete-stack-instances",
    "deploy",
    "detach-policy",
    "detach-role-policy",
    "put-object",
    "schedule-key-deletion",
    "update-stack-instances",
];

/// True if a call, as it is noted, changes something.
#[must_use]
pub fn is_write(call: &[String]) -> bool {
    call.get(1).is_some_and(|it| WRITES.contains(&it.as_str()))
}

/// The interpreter that `python3` stands for.
pub static PYTHON: LazyLock<String> = LazyLock::new(|| {
    let mut find = Command::new("python3");
    let found = find.args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
});

/// A release and an AWS to deploy it to: the program, the templates and the archives, and nothing
/// else of the repository.
#[derive(Debug)]
pub struct Release {
    folder: TempDir,
    environment: BTreeMap<&'static str, String>,
}

/// A stack as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Its Region.
    pub region: String,
    /// The profile of the AWS CLI for its account, if that is not the management account.
    pub profile: Option<String>,
    /// The name of its template.
    pub template: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

/// A file of the repository.
#[must_use]
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

impl Default for Release {
    fn default() -> Self {
        Self::new()
    }
}

impl Release {
    /// A release, and an AWS without anything.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn new() -> Self {
        let release = Self { folder: tempfile::tempdir().unwrap(), environment: [].into() };
        for (from, to) in [("templates", "templates"), ("scripts/deploy", "deploy")] {
            fs::create_dir(release.path(to)).unwrap();
            for file in fs::read_dir(repository(from)).unwrap().map(|it| it.unwrap()) {
                // The lists that the program shares with `crates/policy` are links here, and files in a release.
                if fs::metadata(file.path()).unwrap().is_file() {
                    let copy = release.path(to).join(file.file_name());
                    fs::copy(file.path(), copy).unwrap();
                }
            }
        }
        for function in FUNCTIONS {
            fs::write(release.path(&format!("{function}.zip")), function).unwrap();
        }
        fs::create_dir(release.path("bin")).unwrap();
        symlink(binary("fake-aws"), release.path("bin/aws")).unwrap();
        release
    }

    /// A file of the release.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives the program and what it calls a variable of the environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.environment.insert(name, value.to_string());
        self
    }

    /// Takes a variable of the environment away.
    pub fn without(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Writes a file into the release.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program with these arguments. Python is called by its own name, since what stands for it on
    /// the `PATH` may put more there.
    ///
    /// # Panics
    ///
    /// When there is no Python.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&*PYTHON);
        let paths = std::env::vars_os().find(|(name, _)| name == "PATH").map(|it| it.1);
        let paths = paths.unwrap_or_default();
        let paths = [self.path("bin")].into_iter().chain(std::env::split_paths(&paths));
        let path = std::env::join_paths(paths).unwrap();
        command.current_dir(self.folder.path()).env("PATH", path);
        command.env("FAKE_AWS", self.folder.path()).envs(&self.environment);
        command.arg("deploy").args(arguments);
        command
    }

    /// Runs the program without a terminal. A deployment is confirmed.
    ///
    /// # Panics
    ///
    /// When there is no Python.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        let confirmed = arguments.first().is_some_and(|it| *it == "deploy").then_some("--yes");
        let arguments: Vec<_> = arguments.iter().copied().chain(confirmed).collect();
        self.command(&arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the program at a terminal at which somebody types these lines. Returns its code, and what
    /// the terminal shows.
    ///
    /// # Panics
    ///
    /// When there is no Python.
    #[must_use]
    pub fn type_in(&self, arguments: &[&str], lines: &str) -> (Option<i32>, String) {
        let program = self.command(arguments);
        let mut terminal = Command::new(&*PYTHON);
        terminal.args(["-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", &PYTHON]);
        terminal.args(program.get_args()).current_dir(self.path("."));
        terminal.envs(program.get_envs().filter_map(|(key, it)| Some((key, it?))));
        let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut keyboard = terminal.stdin.take().unwrap();
        keyboard.write_all(lines.as_bytes()).unwrap();
        let done = terminal.wait_with_output().unwrap();
        drop(keyboard);
        (done.status.code(), String::from_utf8(done.stdout).unwrap().replace('\r', ""))
    }

    /// Runs the program, which has to succeed, and returns what it says.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs the program, which has to fail, and returns why.
    ///
    /// # Panics
    ///
    /// When it succeeds.
    #[track_caller]
    #[must_use]
    pub fn fail(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(!done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }

    /// Runs the program, which has to end with this code, and returns what it says.
    ///
    /// # Panics
    ///
    /// When it ends with another.
    #[track_caller]
    #[must_use]
    pub fn end_with(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.status.code(), Some(code), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The calls since the last look.
    ///
    /// # Panics
    ///
    /// When a call is not what it is written as.
    #[must_use]
    pub fn take_calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        drop(fs::remove_file(self.path("calls")));
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// Those of the calls since the last look that change something.
    #[must_use]
    pub fn take_writes(&self) -> Vec<Vec<String>> {
        let mut calls = self.take_calls();
        calls.retain(|it| is_write(it));
        calls
    }

    /// Everything there is in AWS.
    #[must_use]
    pub fn world(&self) -> Value {
        let text = fs::read(self.path("world.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// What there is in AWS, to be looked at and changed behind the program's back.
    pub fn aws<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let folder = self.folder.path();
        let mut world = World::read(folder);
        let seen = look(&mut world);
        world.write(folder);
        seen
    }

    /// The stacks that a parameter file asks for, in their order.
    ///
    /// # Panics
    ///
    /// When they cannot be deployed.
    #[must_use]
    pub fn stacks(&self, file: &str) -> Vec<Deployed> {
        self.succeed(&["deploy", file]);
        let calls = self.take_calls();
        calls.iter().filter(|it| it[1] == "deploy").map(|it| deployed(it)).collect()
    }
}

/// The stack that a call deploys.
///
/// # Panics
///
/// When it deploys none.
#[must_use]
pub fn deployed(call: &[String]) -> Deployed {
    let place = |name: &str| call.iter().position(|it| it == name).unwrap() + 1;
    let option = |name: &str| call[place(name)].clone();
    let template = option("--template-file");
    let profile = call.iter().any(|it| it == "--profile").then(|| option("--profile"));
    let pair = |it: &String| {
        let (key, value) = it.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    };
    Deployed {
        name: option("--stack-name"),
        region: option("--region"),
        profile,
        template: Path::new(&template).file_name().unwrap().to_str().unwrap().to_owned(),
        parameters: call[place("--parameter-overrides")..].iter().map(pair).collect(),
    }
}
