//! A running function.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Function, FunctionBuilder, Outcome};
use tests::organization::Organization;
use tests::reattach::{OWN_ROLE, TOPIC};
use tests::role::STATE_BUCKET;
use tests::stack::Stack;

/// The maximum duration of a request, under a tool that slows the function down a lot.
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

    /// Returns the ID of the function's process.
    pub fn process(&self) -> i32 {
        self.0.process().expect("the function runs")
    }

    /// Returns the peak memory of the function so far, in KiB.
    pub fn memory(&self) -> u64 {
        peak_memory(self.process())
    }

    /// Returns the processor time of the function's threads so far.
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

    /// Returns the logs of the function so far.
    pub fn logs(&self) -> String {
        self.0.logs()
    }

    /// Sends a request of `stack` for a resource with these properties, and panics unless it
    /// succeeds.
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

    /// Invokes the function, panics unless it returns, and waits until it asks for the next event.
    pub async fn returned(&self, event: &Value) {
        let outcome = self.0.invoke(event, DEADLINE).await;
        assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}: {}", self.0.logs());
        self.0.idle().await;
    }
}

/// Returns the peak memory of a process so far, in KiB.
fn peak_memory(process: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
