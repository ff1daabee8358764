//! `org-backup doctor`, which checks if the organization is ready for backup policies.

use std::time::{Duration, SystemTime};

use clap::Args;
use errors::advised;
use inspection::doctor::Examination;
use plan::doctor::{Check, Verdict, diagnose_first, diagnose_policies, diagnose_state};
use plan::id::RoleName;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::live::{Live, tell};
use crate::output::Output;
use crate::{CommandError, Exit};

/// The longest time for all reads. A large organization has 1,000 policies, and two of them are
/// read in a second.
const PATIENCE: Duration = Duration::from_hours(1);

/// Check that the organization is ready for backup policies, and say how to correct what is not
///
/// Checks the account, the organization and its settings, the trail and the forwarding of its events,
/// its policies, and the state bucket. Each check is a line that begins with `ok`, `warning`,
/// `problem` or, if a call failed, `unknown`. The command does not write anything.
///
/// Exits with 1 if there is a problem, and with 2 if something could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup doctor --profile management
  org-backup doctor --member-role OrganizationAccountAccessRole --json")]
pub(crate) struct Doctor {
    #[command(flatten)]
    live: Live,
    /// Print a JSON array of checks
    #[arg(long)]
    json: bool,
    /// A role in the accounts that receive copies, which reads the keys of their vaults [default: these
    /// keys are not read]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
}

/// Runs the checks, and prints the result of each.
pub(crate) async fn run(arguments: &Doctor, now: SystemTime) -> Result<Exit, CommandError> {
    let session = arguments.live.session().await?;
    let deadline = Instant::now() + PATIENCE;
    // The future is boxed because the nested futures of the AWS clients are too deep for the
    // compiler.
    let role = arguments.member_role.as_ref();
    let mut examination = Box::pin(Examination::begin(&session, deadline)).await?;
    let mut output = Output::new();
    let mut checks = Vec::new();
    // Each part is printed before the next is read, since the rest may take minutes.
    let mut say = |found: Vec<Check>, output: &mut Output| {
        if !arguments.json {
            print(&found, output)?;
        }
        checks.extend(found);
        Ok::<_, CommandError>(())
    };
    say(diagnose_first(&examination.observed), &mut output)?;
    Box::pin(examination.read_state()).await;
    say(diagnose_state(&examination.observed, now), &mut output)?;
    Box::pin(examination.read_policies(role, &tell)).await;
    say(diagnose_policies(&examination.observed), &mut output)?;
    if arguments.json {
        output.json(&checks.iter().map(shown).collect())?;
    }
    output.flush()?;
    let count = |verdict| checks.iter().filter(|it| it.verdict == verdict).count();
    match count(Verdict::Unknown) {
        0 if count(Verdict::Problem) == 0 => Ok(Exit::Fine),
        0 => Ok(Exit::Findings),
        unknown => Err(CommandError::Unfinished(unknown)),
    }
}

fn print(checks: &[Check], output: &mut Output) -> Result<(), CommandError> {
    checks.iter().try_for_each(|it| output.line(&line(it)))?;
    output.flush()
}

fn line(check: &Check) -> String {
    let Check { name, verdict, message, fix } = check;
    advised(format_args!("{verdict:<8} {name}: {message}"), fix.as_ref())
}

fn shown(check: &Check) -> Value {
    let Check { name, verdict, message, fix } = check;
    json!({ "check": name, "verdict": verdict.to_string(), "message": message, "fix": fix })
}
