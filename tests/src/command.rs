//! The operator's command against the simulator.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::DataServices;

use crate::binaries::binary;
use crate::organization::Organization;
use crate::restored::endpoints;
use crate::role::STATE_BUCKET;
use crate::schema;

/// What a run of the command came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// What it found.
    pub text: String,
    /// What it told on the way, but for whose organization it read.
    pub notes: String,
    /// Both as they were printed, with the IDs of policies.
    pub printed: [String; 2],
}

impl Run {
    /// What it found, as `--json` has it.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        let found = serde_json::from_str(&self.text);
        found.unwrap_or_else(|it| panic!("{it}\n{}\n{}", self.text, self.notes))
    }

    /// The same, held against the schema of this name.
    ///
    /// # Panics
    ///
    /// When it is not JSON, or not as the schema has it.
    #[must_use]
    #[track_caller]
    pub fn held(&self, schema: &str) -> Value {
        let found = self.json();
        schema::hold(schema, &found);
        found
    }
}

/// Runs `org-backup` in the management account with a state bucket.
pub async fn org_backup(organization: &Organization, arguments: &[&str]) -> Run {
    let management = organization.organization(|it| it.management_account.clone());
    org_backup_as(organization, &management, arguments).await
}

/// Runs `org-backup` in the management account with a state bucket, where `services` hold data.
pub async fn org_backup_beside(
    organization: &Organization,
    services: &DataServices,
    arguments: &[&str],
) -> Run {
    let management = organization.organization(|it| it.management_account.clone());
    let mut command = command_beside(organization, services, &management);
    command.args(arguments).env("STATE_BUCKET", STATE_BUCKET);
    ran(organization, command).await
}

/// The same with this access key, or in the account of this ID.
///
/// # Panics
///
/// When the command does not run.
pub async fn org_backup_as(organization: &Organization, key: &str, arguments: &[&str]) -> Run {
    let mut command = command(organization, key);
    command.args(arguments).env("STATE_BUCKET", STATE_BUCKET);
    ran(organization, command).await
}

/// Runs `org-backup` in the management account, and returns when it printed each line of what it found,
/// and what it told on the way.
///
/// # Panics
///
/// When the command does not run.
pub async fn org_backup_watched(
    organization: &Organization,
    arguments: &[&str],
) -> (Vec<(Duration, String)>, String) {
    let management = organization.organization(|it| it.management_account.clone());
    let mut command = command(organization, &management);
    command.args(arguments).env("STATE_BUCKET", STATE_BUCKET);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let watch = move || {
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut notes = child.stderr.take().unwrap();
        let notes = thread::spawn(move || {
            let mut text = String::new();
            notes.read_to_string(&mut text).unwrap();
            text
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.map(|it| (begun.elapsed(), it.unwrap())).collect();
        child.wait().unwrap();
        (lines, notes.join().unwrap())
    };
    tokio::task::spawn_blocking(watch).await.unwrap()
}

/// The command with this access key, without arguments and a state bucket.
#[must_use]
pub fn command(organization: &Organization, key: &str) -> Command {
    let mut command = Command::new(binary("org-backup"));
    command
        .env("AWS_ENDPOINT_URL", organization.url())
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", organization.region())
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// The same command, where `services` hold data.
#[must_use]
pub fn command_beside(organization: &Organization, services: &DataServices, key: &str) -> Command {
    let mut command = command(organization, key);
    command.envs(endpoints().map(|it| (it, services.url())));
    command
}

/// A terminal of so many columns that runs a program, shows what it prints, and types an answer to the
/// first question. Without an answer, the terminal shows the standard output only.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, subprocess, sys, termios
columns, answer = int(sys.argv[1]), sys.argv[2]
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
errors = theirs if answer else None
child = subprocess.Popen(sys.argv[3:], stdin=theirs, stdout=theirs, stderr=errors)
os.close(theirs)
seen = b""
while True:
    try:
        shown = os.read(ours, 65536)
    except OSError:
        break
    if not shown:
        break
    os.write(1, shown)
    seen += shown
    if answer and b"Type yes" in seen:
        os.write(ours, answer.encode())
        answer = ""
sys.exit(child.wait())
"#;

/// The same command with a terminal of so many columns as its standard output.
#[must_use]
pub fn on_terminal(columns: u16, command: &Command) -> Command {
    typing(columns, "", command)
}

/// The same command on a terminal, where somebody types `answer` to its question.
#[must_use]
pub fn typing(columns: u16, answer: &str, command: &Command) -> Command {
    let mut terminal = python(TERMINAL, &[&columns.to_string(), answer], command);
    terminal.env("TERM", "xterm");
    terminal
}

/// A program in Python that runs `command`, with these arguments before it.
fn python(program: &str, arguments: &[&str], command: &Command) -> Command {
    let mut python = Command::new("python3");
    python.args(["-c", program]).args(arguments);
    python.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    python
}

/// Runs a command to its end.
///
/// # Panics
///
/// When it does not run.
pub async fn ran(organization: &Organization, mut command: Command) -> Run {
    // The simulator answers on this thread.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    organization.learn_policies();
    let printed = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    let [text, notes] = printed.each_ref().map(|it| organization.named(it));
    // Whose organization is read is said first, by every command alike.
    let is_said = |it: &&str| !it.starts_with("reading: ");
    let notes = notes.split_inclusive('\n').filter(is_said).collect();
    Run { code: output.status.code().unwrap(), text, notes, printed }
}
