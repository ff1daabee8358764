//! Stands for the AWS CLI on the `PATH` of what is deployed with it.
//!
//! What there is, is a file in the folder that `FAKE_AWS` names, and every call a line of another.
//! After the call whose number is in `FAKE_AWS_KILLS`, the program that made it is killed; what it
//! was deploying or deleting is then still going on. A stack named in `FAKE_AWS_FAILS` cannot be
//! created. A deployment takes the seconds in `FAKE_AWS_TAKES`. A caller with a profile has the
//! credentials of the account 444455556666.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an unexpected call fails the test that made it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::json;
use tests::fake_aws::{Call, World};

#[expect(clippy::disallowed_methods, reason = "the simulator takes time on purpose")]
fn main() -> ExitCode {
    let environment: BTreeMap<_, _> = std::env::vars().collect();
    let folder = PathBuf::from(&environment["FAKE_AWS"]);
    let words: Vec<_> = std::env::args().skip(1).collect();
    let calls = folder.join("calls");
    let number = fs::read_to_string(&calls).unwrap_or_default().lines().count() + 1;
    let mut log = fs::File::options().append(true).create(true).open(calls).unwrap();
    writeln!(log, "{}", json!(words)).unwrap();

    let before = World::read(&folder);
    let mut world = before.clone();
    let kills = environment.get("FAKE_AWS_KILLS").is_some_and(|it| *it == number.to_string());
    let session = environment.get("AWS_ACCESS_KEY_ID");
    let session = session.and_then(|it| it.strip_prefix("session-of-")).map(str::to_owned);
    let call = Call { words, kills, fails: environment.get("FAKE_AWS_FAILS").cloned(), session };
    let operation = call.words.get(1).cloned().unwrap_or_default();
    let result = world.answer(&call);
    // While a stack is deployed, its events are read, and what only reads must not write what it has read.
    if world != before {
        world.write(&folder);
    }
    if kills {
        // A shell always has it built in.
        let kill = format!("kill -9 {}", parent_id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
    }
    if operation == "deploy" {
        let seconds = environment.get("FAKE_AWS_TAKES").map_or(0, |it| it.parse().unwrap());
        std::thread::sleep(Duration::from_secs(seconds));
    }
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(254)
        }
    }
}
