//! The simulator as a program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::Client;

/// A running program, killed when dropped.
struct Program(Child);

impl Program {
    /// Starts the program and returns it with the line that says that it is ready.
    fn start(arguments: &[&str]) -> (Self, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        child.stdout = Some(stdout.into_inner());
        (Self(child), serde_json::from_str(&line).unwrap())
    }

    /// Sends a signal and returns how the program ended and what else it printed.
    fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_raw(self.0.id().cast_signed()).unwrap(), signal).unwrap();
        let status = self.0.wait().unwrap();
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (status, text)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped_already = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_says_where_it_listens_and_ends_when_told_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let arguments = ["--accounts", "10000", "--management-account", "222233334444"];
        let (program, ready) = Program::start(&arguments);
        let client = Client::new(ready["endpoint"].as_str().unwrap());
        let organization = client.ok("DescribeOrganization", json!({})).await;
        assert_eq!(organization["Organization"]["MasterAccountId"], "222233334444");
        let (status, printed) = program.end(signal);
        assert_eq!((status.code(), printed.as_str()), (Some(0), ""));
    }
}

#[tokio::test]
async fn the_program_throttles_unless_told_not_to() {
    for (rates, refused) in [("published", true), ("off", false)] {
        let (program, ready) = Program::start(&["--rates", rates]);
        let client = Client::new(ready["endpoint"].as_str().unwrap());
        // One a second after a burst of two: some of many in a row are too early.
        let mut throttled = false;
        for _ in 0..30 {
            let reply = client.organizations("DescribeOrganization", json!({})).await;
            throttled |= reply.code() == "TooManyRequestsException";
        }
        assert_eq!(throttled, refused, "{rates}");
        drop(program);
    }
}

#[test]
fn the_program_does_not_start_on_an_address_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    let output = command.args(["--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("cannot run the simulator: "), "{complaint}");
}
