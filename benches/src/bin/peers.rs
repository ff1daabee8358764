//! Compares `backup-policy` with handlers that use the SDKs for Python and JavaScript.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the result is for the person who ran it"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use benches::measure::machine;
use benches::package::Package;
use benches::plot::{Bars, draw};
use benches::run::Run;
use benches::share::Share;
use clap::Parser;
use serde_json::json;
use simulator::Settings;
use tests::organization::{Organization, document};
use tests::role::STATE_BUCKET;

/// The numbers of targets to which a policy is attached.
const TARGETS: [usize; 3] = [1, 5, 60];

/// The time that published handlers sleep after each attachment, in seconds.
const PAUSE: &str = "5";

/// `backup-policy` beside handlers that are written with the SDKs for Python and JavaScript.
#[derive(Parser)]
struct PeerArguments {
    /// The folder that `make package` made
    #[arg(long)]
    package: PathBuf,
    /// The Python that has boto3
    #[arg(long)]
    python: PathBuf,
    /// The folder of the other handlers
    #[arg(long, default_value = "benches/peers")]
    peers: PathBuf,
    /// The folder of the page and the plot
    #[arg(long, default_value = "docs/benchmarks")]
    pages: PathBuf,
    /// The number of measurements of everything; cases that sleep are measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A handler, and the command that starts it.
struct Contestant {
    name: String,
    under: Option<String>,
    program: PathBuf,
    pause: Option<&'static str>,
}

/// The cost of one request.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
    /// The peak memory in KiB.
    memory: u64,
}

/// The measurements, by work, contestant and round.
type Results = BTreeMap<(usize, &'static str), BTreeMap<usize, Vec<Took>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = PeerArguments::parse();
    let package = Package::open(&arguments.package);
    let peers = fs::canonicalize(&arguments.peers)?;
    let python = std::path::absolute(&arguments.python)?.display().to_string();
    let node = which("node");
    let peer = |name: &str, under: &str, program: &str, pause| Contestant {
        name: name.to_owned(),
        under: Some(under.to_owned()),
        program: peers.join(program),
        pause,
    };
    let ours = Contestant {
        name: "org-backup".to_owned(),
        under: None,
        program: package.binary("backup-policy"),
        pause: None,
    };
    let contestants = [
        ours,
        peer("boto3", &python, "boto3/handler.py", None),
        peer("Node SDK v3", &node, "node/handler.mjs", None),
        peer("boto3, sleeping", &python, "boto3/handler.py", Some(PAUSE)),
        peer("Node SDK v3, sleeping", &node, "node/handler.mjs", Some(PAUSE)),
    ];
    let share = Share::of_128_megabytes();
    let mut whole = Results::new();
    let mut slice = Results::new();
    for round in 0..arguments.rounds {
        for targets in TARGETS {
            for (number, it) in contestants.iter().enumerate() {
                if round > 0 && it.pause.is_some() {
                    continue;
                }
                life(it, number, targets, None, &mut whole).await;
                if targets == 1 && it.pause.is_none() && share.is_some() {
                    life(it, number, targets, share.as_ref(), &mut slice).await;
                }
            }
        }
    }
    let versions = [
        version(
            &python,
            &[
                "-c",
                "import boto3, sys; print('Python', sys.version.split()[0], 'with boto3', boto3.__version__)",
            ],
        ),
        format!(
            "Node {} with @aws-sdk/client-organizations {}",
            version(&node, &["--version"]),
            sdk(&peers)
        ),
    ];
    let page = page(&contestants, &whole, &slice, share.is_some(), &versions, arguments.rounds);
    print!("{page}");
    fs::write(arguments.pages.join("peers.md"), page)?;
    let bars = bars(&contestants, &whole);
    draw(&arguments.pages.join("peers.svg"), "Processor time of a first request, ms", &bars)
}

/// Measures the life of a policy in a process of its own: it is created, left as it is, and
/// deleted.
async fn life(
    contestant: &Contestant,
    number: usize,
    targets: usize,
    share: Option<&Share>,
    results: &mut Results,
) {
    let settings = Settings { accounts: targets + 12, ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let accounts = organization.organization(|it| {
        let all = it.accounts().filter(|account| account.id != it.management_account);
        all.map(|it| it.id.clone()).take(targets).collect::<Vec<_>>()
    });
    let properties = json!({ "Name": "daily", "Content": document(3), "TargetIds": accounts });
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    let mut stack = organization.stack("backup-policy");
    let run = Run::start(&organization, &contestant.program, |it| {
        let it = match &contestant.under {
            Some(under) => it.under(&[under]),
            None => it,
        };
        // Lambda also sets this variable, and boto3 reads no other one.
        let it = it.env("AWS_DEFAULT_REGION", "us-east-1");
        it.env("PAUSE", contestant.pause.unwrap_or("0"))
    });
    let run = run.await;
    let mut keep = |targets, request, took| {
        let of = results.entry((targets, request)).or_default();
        of.entry(number).or_default().push(took);
    };
    let start = run.used();
    keep(targets, "start", Took { wall: Duration::ZERO, cpu: start, memory: run.memory() });
    if let Some(share) = share {
        share.take(run.process());
    }
    for (request, name) in [("Create", "create"), ("Update", "no-op update"), ("Delete", "delete")]
    {
        let (since, used) = (Instant::now(), run.used());
        run.send(&mut stack, request, &properties).await;
        let cpu = run.used().saturating_sub(used);
        keep(targets, name, Took { wall: since.elapsed(), cpu, memory: run.memory() });
    }
}

fn median<T: Ord + Copy>(all: &[Took], of: impl Fn(&Took) -> T) -> T {
    let mut all: Vec<_> = all.iter().map(of).collect();
    all.sort();
    all[all.len() / 2]
}

fn rows(contestants: &[Contestant], results: &Results) -> String {
    let mut rows = "\
| targets | request | handler | wall, ms | ratio | processor, ms | ratio | peak memory, MiB |
|---:|---|---|---:|---:|---:|---:|---:|
"
    .to_owned();
    for ((targets, request), all) in results {
        let ours = &all[&0];
        let (wall, cpu) = (median(ours, |it| it.wall), median(ours, |it| it.cpu));
        for (number, it) in all {
            let (own_wall, own_cpu) = (median(it, |it| it.wall), median(it, |it| it.cpu));
            let memory = median(it, |it| it.memory) / 1024;
            let ratio = |own: Duration, ours: Duration| {
                let ratio = own.as_secs_f64() / ours.as_secs_f64();
                if ratio.is_finite() { format!("{ratio:.1}") } else { "-".to_owned() }
            };
            writeln!(
                rows,
                "| {targets} | {request} | {} | {:.1} | {} | {:.1} | {} | {memory} |",
                contestants[*number].name,
                own_wall.as_secs_f64() * 1e3,
                ratio(own_wall, wall),
                own_cpu.as_secs_f64() * 1e3,
                ratio(own_cpu, cpu),
            )
            .unwrap();
        }
    }
    rows
}

fn page(
    contestants: &[Contestant],
    whole: &Results,
    slice: &Results,
    has_share: bool,
    versions: &[String],
    rounds: usize,
) -> String {
    let slice = if has_share {
        format!(
            "The same with the share of a processor that Lambda gives to 128 MB, 7.2 %, from the first \
             request on.\n\n{}",
            rows(contestants, slice)
        )
    } else {
        "The share of a processor that Lambda gives to 128 MB was left out: this machine does not let \
         us make a control group.\n"
            .to_owned()
    };
    format!(
        "# Beside other handlers\n\n\
         `make bench` writes this page: the same policy created, left as it is, and deleted by our \
         function and by handlers for the same resource in [benches/peers](../../benches/peers), all \
         against the simulator on loopback without TLS or delay, in turns.\n\
         Medians of {rounds} rounds, ratios to ours; what sleeps was measured once.\n\n\
         Ours waits for the rates that AWS publishes and makes reads that theirs do not: it asks who \
         owns a policy, whether every target exists and has room for it, and what each would back up.\n\
         The simulator does not throttle, so theirs need not wait, and the wall time says little of AWS; \
         processor time and memory do.\n\
         The sleeping ones wait {PAUSE} seconds after each attachment, as published handlers do.\n\n\
         Machine: {}. {}.\n\n\
         ![Processor time of a first request](peers.svg)\n\n{}\n## At 128 MB\n\n{slice}",
        machine(),
        versions.join(". "),
        rows(contestants, whole),
    )
}

/// Returns the processor time of the first request of a process, including its start.
fn bars(contestants: &[Contestant], results: &Results) -> Bars {
    let group = |targets: usize| {
        let of = |number: usize| {
            let cpu = |request| {
                let all = results.get(&(targets, request)).and_then(|it| it.get(&number));
                all.map_or(0.0, |it| median(it, |it| it.cpu).as_secs_f64() * 1e3)
            };
            (contestants[number].name.clone(), cpu("start") + cpu("create"))
        };
        (format!("{targets} targets"), (0..3).map(of).collect())
    };
    TARGETS.map(group).into()
}

fn which(program: &str) -> String {
    let found = Command::new("which").arg(program).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

fn version(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Reads the pinned version of the SDK for JavaScript.
fn sdk(peers: &Path) -> String {
    let manifest = fs::read_to_string(peers.join("node/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    manifest["dependencies"]["@aws-sdk/client-organizations"].as_str().unwrap().to_owned()
}
