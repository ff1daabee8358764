//! The simulator as a program, for the demo and for manual tests.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use simulator::{Pending, Rates, Settings, Simulator};
use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// An AWS Organization on loopback, with nothing enabled yet.
///
/// Prints one line of JSON with its endpoint when it is ready, and runs until it is told to stop.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// How many accounts the organization has
    #[arg(long, default_value_t = 12)]
    accounts: usize,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The largest page, 1 to 20
    #[arg(long, default_value_t = 20)]
    page_size: usize,
    /// Send an empty page with a token before every page
    #[arg(long)]
    empty_pages: bool,
    /// Whether callers are throttled
    #[arg(long, value_enum, default_value = "published")]
    rates: Throttling,
    /// How many reads of the roots show a policy type as pending after it was enabled
    #[arg(long, default_value_t = 0)]
    pending_enable: u32,
    /// How many reads of effective policies show them as before a change
    #[arg(long, default_value_t = 1)]
    pending_publication: u32,
    /// How many milliseconds every call is on its way
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// How many of the newest calls the journal keeps; all of them if this is left out
    #[arg(long)]
    journal: Option<usize>,
    /// The management account
    #[arg(long, default_value = "111122223333")]
    management_account: String,
    /// The Region of callers that do not sign; its partition is the organization's
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Decides all identifiers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin with nothing enabled, which is the default
    #[arg(long)]
    bare: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Throttling {
    /// At the rates that AWS publishes
    Published,
    /// Not at all
    Off,
}

impl From<Options> for Settings {
    fn from(options: Options) -> Self {
        Self {
            listen: options.listen,
            seed: options.seed,
            accounts: options.accounts,
            management_account: options.management_account,
            region: options.region,
            page_size: options.page_size,
            empty_pages: options.empty_pages,
            latency: Duration::from_millis(options.latency),
            journal: options.journal,
            pending: Pending::Reads(options.pending_enable),
            publication: Pending::Reads(options.pending_publication),
            rates: match options.rates {
                Throttling::Published => Rates::Published,
                Throttling::Off => Rates::Off,
            },
            ..Self::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("cannot run the simulator: {error}")).await;
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let simulator = Simulator::start(options.into()).await?;
    let ready = serde_json::json!({ "endpoint": simulator.url() });
    let mut stdout = tokio::io::stdout();
    stdout.write_all(format!("{ready}\n").as_bytes()).await?;
    stdout.flush().await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    for unknown in simulator.take_unknown_operations() {
        complain(&unknown).await;
    }
    Ok(())
}

async fn complain(message: &str) {
    let _nowhere_else_to_say_it =
        tokio::io::stderr().write_all(format!("{message}\n").as_bytes()).await;
}
