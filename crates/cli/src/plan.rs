//! `org-backup plan`: the changes of the next deployment or of a restoration by `reattach`.

mod deployed;
mod dropped;
mod look;
mod members;
mod native;
pub(crate) mod parameters;
mod report;
mod resource_plan;
mod resources;
mod wanted;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ::plan::id::{RoleArn, RoleName};
use aws::{Management, Session};
use clap::Args;
use tokio::time::Instant;

use crate::live::Live;
use crate::output::Output;
use crate::plan::look::look;
use crate::plan::report::PlanReport;
use crate::plan::wanted::wanted_resources;
use crate::{CommandError, Exit};

/// The maximum time of the reads. A large organization has 1,000 policies, and two of them are read
/// in a second.
const PATIENCE: Duration = Duration::from_hours(1);

/// Show what the next deployment or `reattach` would change, and for which accounts
///
/// Compares the organization with the desired state in the state bucket, as `reattach` does, or with
/// `--template` with the resources of that template. Prints the steps of every resource, in the words
/// of the functions' logs, and the differences in the effective policies of accounts. The command
/// does not write anything.
///
/// Exits with 1 if there is something to do, and with 2 if something could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup plan --stack org-backup-policies
  org-backup plan --template backup-policies.yaml \\
    --parameters DailyRetentionDays=35")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    live: Live,
    /// The stack whose resources are shown, or with `--template` the stack to deploy [default: all
    /// stacks]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// The role that the command assumes in every account [default: the role that the functions assume]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
    /// A template to deploy [default: the desired state in the state bucket]
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Values of its parameters, or JSON files of them as the AWS CLI takes them
    #[arg(long, value_name = "NAME=VALUE", num_args = 1.., requires = "template")]
    parameters: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The source of the reads, and their deadline.
#[derive(Clone, Copy, Debug)]
struct PlanContext<'a> {
    session: &'a Session,
    member_role: Option<&'a RoleName>,
    now: SystemTime,
    deadline: Instant,
}

impl PlanContext<'_> {
    /// Enters the management account as `role`, or as the identity that runs the command.
    async fn management(self, role: Option<&RoleArn>) -> Result<Management, aws::Error> {
        self.session.management(role, self.deadline).await
    }
}

/// Reads the organization, and prints the steps.
pub(crate) async fn run(arguments: &PlanArguments, now: SystemTime) -> Result<Exit, CommandError> {
    let session = arguments.live.session().await?;
    let deadline = Instant::now() + PATIENCE;
    let context = PlanContext {
        session: &session,
        member_role: arguments.member_role.as_ref(),
        now,
        deadline,
    };
    let wanted_resources = wanted_resources(arguments, context).await?;
    // It is boxed because the futures of the AWS clients are nested too deep for the compiler.
    let report: PlanReport = Box::pin(look(wanted_resources, context)).await;
    let mut output = Output::new();
    if arguments.json {
        output.json(&report.json())?;
    } else {
        for line in report.lines() {
            output.line(&line)?;
        }
    }
    output.flush()?;
    match report.unfinished() {
        0 if report.is_nothing() => Ok(Exit::Fine),
        0 => Ok(Exit::Findings),
        unfinished => Err(CommandError::Unfinished(unfinished)),
    }
}
