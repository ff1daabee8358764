//! Measures the time until a policy is attached everywhere, as a multiple of the time that the
//! published rates allow.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the result is for the person who ran it"
)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use benches::measure::machine;
use benches::package::Package;
use benches::run::Run;
use clap::Parser;
use serde_json::json;
use simulator::{OPERATIONS, Rates, Settings};
use tests::organization::{Organization, document};
use tests::role::STATE_BUCKET;
use tokio::task::JoinSet;

/// The numbers of targets to which the policy is attached.
const TARGETS: [usize; 4] = [1, 10, 60, 600];

/// The share of the published rates that is left to the function, and the goal for it.
const SHARES: [(f64, f64); 2] = [(1.0, 1.15), (0.5, 1.3)];

/// Measures the time until a policy is everywhere, as a multiple of the time that the published
/// rates allow.
#[derive(Parser)]
struct ConvergenceArguments {
    /// The folder that `make package` made
    #[arg(long)]
    package: PathBuf,
    /// The page that is written
    #[arg(long, default_value = "docs/benchmarks/convergence.md")]
    page: PathBuf,
    /// The most targets
    #[arg(long, default_value_t = 600)]
    most: usize,
}

/// The measurement of one creation.
struct Measured {
    targets: usize,
    share: f64,
    goal: f64,
    calls: u64,
    throttled: u64,
    least: Duration,
    took: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = ConvergenceArguments::parse();
    let package = Package::open(&arguments.package);
    let binary = package.binary("backup-policy");
    let mut running = JoinSet::new();
    for targets in TARGETS.into_iter().filter(|it| *it <= arguments.most) {
        for (share, goal) in SHARES {
            let binary = binary.clone();
            // The measurements mostly wait, so they can run concurrently.
            running.spawn(async move { measure(&binary, targets, share, goal).await });
        }
    }
    let mut all = running.join_all().await;
    all.sort_by(|a, b| (b.share, a.targets).partial_cmp(&(a.share, b.targets)).unwrap());
    let page = page(&all);
    print!("{page}");
    fs::write(arguments.page, page)
}

async fn measure(binary: &Path, targets: usize, share: f64, goal: f64) -> Measured {
    let rates = if share < 1.0 { Rates::Scaled(share) } else { Rates::Published };
    let settings = Settings { accounts: targets + 12, rates, ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let accounts = organization.organization(|it| {
        let all = it.accounts().filter(|account| account.id != it.management_account);
        all.map(|it| it.id.clone()).take(targets).collect::<Vec<_>>()
    });
    let properties = json!({ "Name": "daily", "Content": document(3), "TargetIds": accounts });
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    let run = Run::start(&organization, binary, |it| it).await;
    let mut stack = organization.stack("backup-policy");
    organization.clear_journal();
    let started = Instant::now();
    run.send(&mut stack, "Create", &properties).await;
    let took = started.elapsed();
    let tallies = organization.tallies();
    let least = tallies.iter().filter_map(|(name, tally)| {
        let rate = OPERATIONS.iter().find(|it| it.name == *name)?.per_second()?;
        Some(f64::from(u32::try_from(tally.calls - tally.failed).ok()?) / (rate * share))
    });
    Measured {
        targets,
        share,
        goal,
        calls: tallies.values().map(|it| it.calls - it.failed).sum(),
        throttled: tallies.values().map(|it| it.failed).sum(),
        least: Duration::from_secs_f64(least.sum()),
        took,
    }
}

fn page(all: &[Measured]) -> String {
    let mut page = format!(
        "# How fast a policy is everywhere\n\n\
         AWS Organizations takes a published number of calls a second, from everybody together.\n\
         What is counted here is how long `backup-policy` needs to create a policy and attach it, \
         beside the least that those rates allow: the number of calls of each operation, divided by \
         its rate, summed, since one call is made at a time.\n\
         AWS lets a few calls through at once before the rate holds, so short runs are faster than \
         that.\n\
         A share of 50 % is what another client leaves that uses the other half.\n\n\
         `make bench` writes this page, with the simulator's throttling in place of AWS's.\n\
         Machine: {}.\n\n\
         | share of the rates | targets | calls | throttled | calls ÷ rate, s | took, s | multiple | goal |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|\n",
        machine()
    );
    for it in all {
        let (least, took) = (it.least.as_secs_f64(), it.took.as_secs_f64());
        writeln!(
            page,
            "| {:.0} % | {} | {} | {} | {least:.1} | {took:.1} | {:.2} | {} |",
            it.share * 100.0,
            it.targets,
            it.calls,
            it.throttled,
            took / least,
            it.goal
        )
        .unwrap();
    }
    page
}
