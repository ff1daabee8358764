//! A function that runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Function, FunctionBuilder, Outcome};
use tests::organization::Organization;
use tests::reattach::{OWN_ROLE, TOPIC};
use tests::role::STATE_BUCKET;
use tests::stack::Stack;

/// How long a function may take for anything here, under a tool that slows it down a lot.
const DEADLINE: Duration = Duration::from_hours(1);

/// A running function.
#[derive(Debug)]
pub struct Run(Function);

impl Run {
    /// Starts `binary` for `organization`, as Lambda does, and waits until it asks for an event.
    pub async fn start(
        organization: &Organization,
        binary: &Path,
        with: impl FnOnce(FunctionBuilder) -> FunctionBuilder,
    ) -> Self {
        let function = Function::of(binary, organization)
            .env("STATE_BUCKET", STATE_BUCKET)
            .env("TOPIC_ARN", TOPIC)
            .env("OWN_ROLES", OWN_ROLE)
            .env("MODE", "Repair");
        let function = with(function).start().await.unwrap();
        function.idle().await;
        Self(function)
    }

    /// The number of the function's process.
    pub fn process(&self) -> i32 {
        self.0.process().expect("the function runs")
    }

    /// The most memory that the function had so far, in KiB.
    pub fn memory(&self) -> u64 {
        peak_memory(self.process())
    }

    /// What the function's threads used of a processor so far.
    pub fn used(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process())).unwrap();
        let of = |thread: PathBuf| {
            let times = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            times.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or_default()
        };
        threads.map(|it| Duration::from_nanos(of(it.unwrap().path()))).sum()
    }

    /// Stops the function.
    pub async fn stop(&self) {
        self.0.stop().await;
    }

    /// What the function has logged so far.
    pub fn logs(&self) -> String {
        self.0.logs()
    }

    /// Sends a request of `stack` for a resource with these properties, which has to succeed.
    pub async fn send(&self, stack: &mut Stack<'_>, request: &str, properties: &Value) {
        let mut event = stack.event(request, properties);
        if request == "Update" {
            event["OldResourceProperties"] = event["ResourceProperties"].clone();
        }
        self.returned(&event).await;
        let answers = stack.organization().responses(event["ResponseURL"].as_str().unwrap());
        let answer = answers.last().unwrap().json();
        assert_eq!(answer["Status"], json!("SUCCESS"), "{answer}");
        stack.physical_id = answer["PhysicalResourceId"].as_str().map(ToOwned::to_owned);
    }

    /// Invokes the function, which has to return, and waits until it asks for the next event.
    pub async fn returned(&self, event: &Value) {
        let outcome = self.0.invoke(event, DEADLINE).await;
        assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}: {}", self.0.logs());
        self.0.idle().await;
    }
}

/// The most memory that a process had so far, in KiB.
fn peak_memory(process: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
