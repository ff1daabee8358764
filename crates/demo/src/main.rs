//! `make demo`: an unprotected organization becomes protected on this machine.
//!
//! It uses the real templates, a local CloudFormation, the compiled functions and a simulated
//! organization. Each sentence with a tick was checked. The first one that does not hold ends the
//! demo with exit code 1. However the demo ends, it leaves no process, port or file behind.

mod cloudformation;
mod demo;
mod drift;
mod failure;
mod ledger;
mod members;
mod ministack;
mod nights;
mod operators;
mod organization;
mod picture;
mod recovery;
mod restore_template;
mod restores;
mod rollout;
mod screen;
mod story;
mod sweeps;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use errors::{advised, chain};
use tokio::signal::unix::{SignalKind, signal};

use crate::demo::{Demo, Places};
use crate::failure::DemoError;
use crate::screen::Screen;

/// The exit code of shells for a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Deploys the suite to a local CloudFormation and a simulated organization, and checks what it says.
#[derive(Debug, Parser)]
struct Options {
    /// Keep the stacks and leave everything running at the end, until Ctrl-C.
    #[arg(long, env = "DEMO_KEEP", value_parser = clap::builder::FalseyValueParser::new())]
    keep: bool,
    /// Show no colours.
    #[arg(long, env = "NO_COLOR", value_parser = clap::builder::FalseyValueParser::new())]
    no_color: bool,
    /// The command `org-backup` [default: the one beside this program].
    #[arg(long)]
    command: Option<PathBuf>,
    /// The folder with the archives of the functions, as `scripts/package.py` makes them.
    #[arg(long, default_value = "target/local")]
    package: PathBuf,
    /// The folder with the templates.
    #[arg(long, default_value = "templates")]
    templates: PathBuf,
    /// The Python that has ministack.
    #[arg(long, default_value = ".venv/bin/python")]
    python: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Options { keep, no_color, command, package, templates, python } = Options::parse();
    let command = command.unwrap_or_else(|| {
        let own = std::env::current_exe().unwrap_or_default();
        own.with_file_name("org-backup")
    });
    let (screen, places) = (Screen::new(no_color), Places { command, package, python, templates });
    // Dropping the unfinished demo ends the processes that it started.
    tokio::select! {
        played = play(&places, &screen, keep) => match played {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                screen.rest();
                screen.complain(&advised(chain(&failure), failure.hint()));
                ExitCode::FAILURE
            }
        },
        () = interrupted() => {
            screen.rest();
            ExitCode::from(INTERRUPTED)
        }
    }
}

async fn play(places: &Places, screen: &Screen, keep: bool) -> Result<(), DemoError> {
    let mut demo = Demo::set(places, screen).await?;
    demo.play().await?;
    if keep {
        demo.introduce();
        std::future::pending::<()>().await;
    }
    demo.delete_all().await
}

/// Returns when the user wants the demo to end.
async fn interrupted() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
        _ = hangup.recv() => (),
    }
}
