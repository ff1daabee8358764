//! Measures the cost of a run over many member accounts: `make bench-members`.
//!
//! The function runs as Lambda runs it, against a simulated organization with a latency for every
//! call. It runs once in one invocation, once in batches whose state machine is simulated here, and
//! once beside a script with boto3 that makes the same calls. At the end, exceeded limits are
//! listed.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot measure has failed, and the result is printed"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use clap::Parser;
use policy::partition::Partition;
use serde_json::{Value, json};
use simulator::{Function, Outcome, Role, Settings, Simulator};

const MANAGEMENT: &str = "111122223333";
const ROLE: &str = "org-backup-member";
const BUCKET: &str = "state";
const MACHINE: &str = "arn:aws:states:us-east-1:111122223333:stateMachine:members";
/// The Regions that every account has.
static REGIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let regions = Partition::Commercial.regions();
    regions.filter(|it| !Partition::has_to_be_enabled(it)).collect()
});
const LATENCY: Duration = Duration::from_millis(20);
const CONCURRENCY: u32 = 32;
/// The number of accounts for the script, which would take minutes of processor time for more.
const PAIRED: usize = 20;

/// Measures the cost of a run over many member accounts.
#[derive(Parser)]
struct Arguments {
    /// The program of the function, as it is shipped
    #[arg(long)]
    binary: PathBuf,
    /// The Python that has boto3
    #[arg(long)]
    python: PathBuf,
    /// The script that does the same with boto3
    #[arg(long, default_value = "benches/peers/boto3/members.py")]
    script: PathBuf,
    /// The number of accounts that one invocation sets up
    #[arg(long, default_value_t = 1_000)]
    accounts: usize,
    /// The number of accounts that are set up in batches
    #[arg(long, default_value_t = 10_000)]
    many: usize,
}

/// The limits of a run. In one invocation, the ratio of its duration to the time of its calls, ...
const OF_BOUND: f64 = 1.5;
/// ... the milliseconds of a processor for each call, ...
const CPU_PER_CALL: f64 = 0.4;
/// ... the megabytes, ...
const MEGABYTES: f64 = 48.0;
/// ... and the duration of each batch.
const BATCH: Duration = Duration::from_secs(15);

/// The exceeded limits.
#[derive(Default)]
struct Limits(Vec<String>);

impl Limits {
    fn hold(&mut self, what: &str, found: f64, most: f64, unit: &str) {
        if found > most {
            self.0.push(format!("{what}: {found:.2}{unit}, and the limit is {most}{unit}"));
        }
    }

    fn of(&mut self, what: &str, cost: &Cost) {
        self.hold(what, cost.cpu_per_call(), CPU_PER_CALL, " ms of CPU per call");
        self.hold(what, cost.megabytes(), MEGABYTES, " MB");
    }
}

/// The cost of a run.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// The peak memory in KiB.
    memory: u64,
    calls: usize,
}

impl Cost {
    fn cpu_per_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.calls.max(1) as f64
    }

    fn megabytes(&self) -> f64 {
        self.memory as f64 / 1024.0
    }

    /// Returns the ratio of the duration to the time that the calls take, at this concurrency.
    fn of_bound(&self) -> f64 {
        let bound = LATENCY.as_secs_f64() * self.calls as f64 / f64::from(CONCURRENCY);
        self.wall.as_secs_f64() / bound
    }

    fn print(&self, what: &str) {
        println!(
            "{what:44} {:>7} calls {:>8.2} s {:>6.2} x bound {:>7.3} ms CPU/call {:>6.1} MB",
            self.calls,
            self.wall.as_secs_f64(),
            self.of_bound(),
            self.cpu_per_call(),
            self.megabytes(),
        );
    }
}

async fn organization(accounts: usize) -> Simulator {
    // One of the accounts is suspended.
    let settings = Settings {
        accounts: accounts + 1,
        latency: LATENCY,
        journal: Some(0),
        ..Settings::default()
    };
    let simulator = Simulator::start(settings).await.unwrap();
    let anything = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    let role = Role::trusting_account(ROLE, MANAGEMENT).allowing(&anything);
    simulator.iam(|it| it.create_role_everywhere(role));
    simulator.buckets(|it| it.create_bucket(BUCKET));
    simulator.state_machines(|it| it.create(MACHINE));
    simulator
}

fn event(simulator: &Simulator, request: u32) -> Value {
    json!({
        "RequestType": "Create",
        "RequestId": format!("0d9be1f4-0000-4000-8000-{request:012}"),
        "ResponseURL": simulator.response_url(),
        "ResourceType": "Custom::MemberAccounts",
        "LogicalResourceId": "MemberAccounts",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/members/7b1e",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:member-accounts",
            "RoleName": ROLE,
            "Regions": *REGIONS,
            "OptIn": { "EBS": "true", "S3": "true", "RDS": "true" },
            "Concurrency": CONCURRENCY.to_string(),
        },
    })
}

/// The running function, with its process ID.
struct Subject {
    function: Function,
    process: i32,
}

impl Subject {
    async fn start(simulator: &Simulator, binary: &Path, in_batches: bool) -> Self {
        let function = Function::of(binary, simulator).env("STATE_BUCKET", BUCKET);
        let function = if in_batches {
            function.env("STATE_MACHINE_ARN", MACHINE).env("BATCHES_ABOVE", "0")
        } else {
            function
        };
        let function = function.start().await.unwrap();
        // The function has started once it fails an event that it does not know.
        function.invoke(&Value::Null, Duration::from_mins(1)).await;
        let process = function.process().unwrap();
        Self { function, process }
    }

    /// Invokes the function, and returns the cost of the event as the process reports it.
    async fn invoke(&self, simulator: &Simulator, event: &Value) -> (Value, Cost) {
        let (before, calls) = (cpu(self.process), calls(simulator));
        let started = Instant::now();
        let outcome = self.function.invoke(event, Duration::from_mins(15)).await;
        let wall = started.elapsed();
        let Outcome::Returned(value) = outcome else {
            panic!("{outcome:?}: {}", self.function.logs())
        };
        let (cpu, memory) = (cpu(self.process).saturating_sub(before), memory(self.process));
        let calls = self::calls(simulator) - calls;
        (value, Cost { wall, cpu, memory, calls })
    }
}

/// Returns the processor time of a process so far. The kernel counts in hundredths of a second.
fn cpu(process: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Returns the peak memory of a process so far, in KiB.
fn memory(process: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Returns the number of calls to Organizations, STS and AWS Backup.
fn calls(simulator: &Simulator) -> usize {
    const OURS: [&str; 6] = [
        "AssumeRole",
        "DescribeOrganization",
        "DescribeRegionSettings",
        "GetSupportedResourceTypes",
        "ListAccounts",
        "UpdateRegionSettings",
    ];
    let tallies = simulator.tallies().into_iter().filter(|(it, _)| OURS.contains(it));
    tallies.map(|(_, it)| usize::try_from(it.calls).unwrap()).sum()
}

fn expected(accounts: usize) -> usize {
    // The suspended account is listed and left out.
    (accounts + 1).div_ceil(20) + accounts * (1 + REGIONS.len())
}

async fn in_one_invocation(binary: &Path, accounts: usize, limits: &mut Limits) {
    let simulator = organization(accounts).await;
    let subject = Subject::start(&simulator, binary, false).await;
    let again = event(&simulator, 2);
    let (_, first) = subject.invoke(&simulator, &event(&simulator, 1)).await;
    let (_, cost) = subject.invoke(&simulator, &again).await;
    for (what, cost) in [("everything", first), ("nothing", cost)] {
        let what = format!("{accounts} x {}, {what} differs", REGIONS.len());
        cost.print(&what);
        limits.of(&what, &cost);
        limits.hold(&what, cost.of_bound(), OF_BOUND, " x bound");
    }
    assert_eq!(cost.calls, expected(accounts), "calls when nothing differs");
    answered(&simulator, &again, accounts);
}

fn answered(simulator: &Simulator, event: &Value, accounts: usize) {
    let answers = simulator.responses(event["ResponseURL"].as_str().unwrap());
    assert_eq!(answers.len(), 1);
    let answer = answers[0].json();
    assert_eq!(answer["Data"]["AccountsReady"], json!(accounts.to_string()), "{answer}");
}

async fn in_batches(binary: &Path, accounts: usize, limits: &mut Limits) {
    let simulator = organization(accounts).await;
    let subject = Subject::start(&simulator, binary, true).await;
    for (request, what) in [(1, "everything differs"), (2, "nothing differs")] {
        let event = event(&simulator, request);
        let (_, begin) = subject.invoke(&simulator, &event).await;
        let input = simulator.state_machines(|it| it.executions().last().unwrap().input.clone());
        let input: Value = serde_json::from_str(&input).unwrap();
        let batches = simulator.buckets(|it| {
            let key = input["Batches"].as_str().unwrap();
            it.get(BUCKET, key, None).unwrap().body.clone()
        });
        let batches: Vec<Value> = serde_json::from_slice(&batches).unwrap();
        let mut sum = begin;
        let mut longest = Duration::ZERO;
        for batch in &batches {
            let (next, cost) = subject.invoke(&simulator, batch).await;
            assert_eq!(next["Again"], false);
            longest = longest.max(cost.wall);
            sum.wall += cost.wall;
            sum.cpu += cost.cpu;
            sum.calls += cost.calls;
            sum.memory = sum.memory.max(cost.memory);
        }
        let (_, end) = subject.invoke(&simulator, &json!({ "Finish": input })).await;
        sum.memory = sum.memory.max(end.memory);
        let what = format!("{accounts} x {} in batches, {what}", REGIONS.len());
        sum.print(&what);
        limits.of(&what, &sum);
        limits.hold(&what, longest.as_secs_f64(), BATCH.as_secs_f64(), " s for a batch");
        println!(
            "    {} batches one after the other, the longest {:.2} s; begin {:.2} s, end {:.2} s",
            batches.len(),
            longest.as_secs_f64(),
            begin.wall.as_secs_f64(),
            end.wall.as_secs_f64(),
        );
        if request == 2 {
            assert_eq!(sum.calls, expected(accounts), "calls when nothing differs");
        }
        answered(&simulator, &event, accounts);
    }
}

/// Measures the same calls by a script and by the function.
async fn paired(binary: &Path, python: &Path, script: &Path) {
    let simulator = organization(PAIRED).await;
    let subject = Subject::start(&simulator, binary, false).await;
    subject.invoke(&simulator, &event(&simulator, 1)).await;
    let (_, ours) = subject.invoke(&simulator, &event(&simulator, 2)).await;
    ours.print("function, paired");
    let told = json!({
        "endpoint": simulator.url(), "account": MANAGEMENT, "role": ROLE, "regions": *REGIONS,
        "threads": 8,
    });
    let mut script = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    // The organization answers the script in the meantime.
    let output = tokio::task::spawn_blocking(move || script.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let theirs = Cost {
        wall: Duration::from_secs_f64(said["wall"].as_f64().unwrap()),
        cpu: Duration::from_secs_f64(said["cpu"].as_f64().unwrap()),
        memory: said["memory"].as_u64().unwrap(),
        calls: usize::try_from(said["calls"].as_u64().unwrap()).unwrap(),
    };
    theirs.print("boto3, 8 threads, paired");
    println!(
        "    CPU per call {:.0} times, memory {:.1} times",
        theirs.cpu_per_call() / ours.cpu_per_call(),
        theirs.megabytes() / ours.megabytes(),
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut limits = Limits::default();
    in_one_invocation(&arguments.binary, arguments.accounts, &mut limits).await;
    in_batches(&arguments.binary, arguments.many, &mut limits).await;
    paired(&arguments.binary, &arguments.python, &arguments.script).await;
    for it in &limits.0 {
        println!("over the limit: {it}");
    }
    if limits.0.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
