//! `Custom::MemberAccounts`: AWS Backup in every account and Region of the organization.
//!
//! One invocation brings all accounts to the state in the properties. If there are too many
//! accounts for that, a state machine does so in batches, and its steps are invocations of this
//! function. In both cases each account is handled independently, and a problem in one account is a
//! line in the report.
//!
//! With `A` accounts and `R` Regions and nothing to change, a run makes ⌈A/20⌉ + A·(2+R) calls for
//! the opt-ins of named types: the pages of the accounts, one `DescribeOrganization`, one
//! `AssumeRole` for every account but the management account, one check for the service-linked role
//! of AWS Backup in every account, and one read for each account and Region. The following calls
//! are added:
//!
//! - R calls with `OptIn: All`, or one for every Region whose settings lack a named type, to learn
//!   which types the Region supports;
//! - 3·A·R calls with `VaultName`: one for the vault, and then concurrent ones for its key and its
//!   access policy;
//! - 3·A calls with `BackupRoleName`, and one for each inline policy of a role.

mod again;
mod batches;
mod fleet;
mod preview;
mod roster;

use std::cell::Cell;
use std::time::Duration;

use aws::Session;
use cfn::{Failure, Outcome, Reply, Request, Ticket};
use futures_util::stream::{iter, poll_fn};
use organization::accounts::identify;
use plan::id::RunId;
use plan::member_accounts::{Properties, Refusal, Tally};
use plan::resource::ResourceKind;
use resources::Error;
use resources::slot::{Intent, Leftover, Slot};
use state::{Expected, State};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;
use tracing::{info, warn};

pub use crate::again::accounts_of;
pub use crate::batches::perform;
use crate::fleet::{Barred, Fleet, Roles};
pub use crate::preview::{Preview, preview};
use crate::roster::Roster;

/// The physical ID of the resource, unless CloudFormation already has one for it.
const PHYSICAL_ID: &str = "member-accounts";

/// Brings the accounts to the state that `request` asks for. A Delete leaves them unchanged.
///
/// # Errors
///
/// Returns an error if the combination of properties is invalid, if the accounts cannot be listed,
/// or if the outcome does not count as success. Sending the request again resumes.
pub async fn handle(
    session: &Session,
    request: Request<Properties>,
    ticket: Ticket,
) -> Result<Outcome, Failure> {
    let (physical_id, deadline) = (request.physical_id.as_deref(), request.deadline);
    let apply = async |properties: &Properties, _: Option<&Properties>, slot: &mut Slot| {
        let begun = Begun { session, ticket: &ticket, physical_id, deadline };
        begun.work(properties, slot).await
    };
    let remove = async |_: Option<&Properties>, _: &Leftover, _: Intent<'_>| Ok(());
    let is_issued = |id: &str| id == PHYSICAL_ID;
    resources::serve(session, ResourceKind::MemberAccounts, &request, is_issued, apply, remove)
        .await
}

/// A request that is being served.
struct Begun<'a> {
    session: &'a Session,
    ticket: &'a Ticket,
    physical_id: Option<&'a str>,
    deadline: Instant,
}

impl Begun<'_> {
    /// Works in the accounts, or starts a run that does so in batches.
    async fn work(&self, properties: &Properties, slot: &mut Slot) -> Result<Outcome, Failure> {
        let Self { session, ticket, physical_id, deadline } = *self;
        let desired = properties.desired().map_err(Error::from)?;
        let run = RunId::of_request(ticket.stack_id(), ticket.request_id());
        let state = State::of(session, deadline);
        let machine = session.machine(deadline - LAST_WORDS);
        if let (Some(state), Some(machine)) = (&state, &machine)
            && batches::is_written_down(state, &run).await?
        {
            info!(%run, "the request was delivered before");
            machine.start(&run).await?;
            return Ok(Outcome::Later);
        }
        let until = last_call(deadline);
        let role = properties.management_role_arn.as_ref();
        let management = session.management(role, until).await?;
        let identity = identify(&management).await?;
        let mut roster = Roster::new(&management, &identity, properties)?;
        let roles = Roles::of(properties)?;
        if !slot.entry().is_some_and(|it| it.properties.as_ref() == Some(&properties.kept())) {
            slot.begin().await?;
        }
        let fleet = Fleet::new(&management, &identity, &desired, roles, [].into(), until);
        let total = Cell::new(None);
        let concurrency = properties.concurrency();
        let mut work = if let (Some(state), Some(machine)) = (&state, &machine) {
            let accounts = roster.all().await?;
            total.set(Some(accounts.len()));
            if machine.takes(accounts.len(), desired.regions.len()) {
                let skipped = roster.skipped.skipped;
                let beginning = batches::Beginning { state, machine, id: &run, ticket };
                beginning.start(properties, &identity, &fleet, skipped, &accounts).await?;
                return Ok(Outcome::Later);
            }
            fleet.work(iter(accounts), concurrency, &total, Barred::Fail).await
        } else {
            // A waiting account is only an ID and a name, so listing does not have to wait for the
            // work.
            let (sender, mut receiver) = unbounded_channel();
            let accounts = poll_fn(move |context| receiver.poll_recv(context));
            let work = fleet.work(accounts, concurrency, &total, Barred::Fail);
            let (listed, work) = tokio::join!(roster.send(sender, &total), work);
            listed?;
            work
        };
        work.tally.merge(roster.skipped);
        let report = report(state.as_ref(), &run, std::mem::take(&mut work.report)).await?;
        let all = total.get().unwrap_or_default();
        if !work.unreached.is_empty() {
            let refusal = Refusal::OutOfTime { done: work.tally.worked(), all };
            return Err(Error::from(refusal).into());
        }
        let judged = work.tally.judge(properties.on_not_ready, report.as_deref());
        judged.map_err(Error::from)?;
        let reply = reply(physical_id, &work.tally, report);
        slot.settle(&reply.physical_id, &reply.physical_id, properties).await?;
        Ok(reply.into())
    }
}

/// Returns the answer of a successful run.
fn reply(physical_id: Option<&str>, tally: &Tally, report: Option<String>) -> Reply {
    let (ready, not_ready) = (tally.ready, tally.not_ready);
    info!(ready, not_ready, changed = tally.changed, skipped = ?tally.skipped, "accounts");
    let data = [
        ("AccountsReady", ready.to_string()),
        ("AccountsNotReady", not_ready.to_string()),
        ("ReportUri", report.unwrap_or_default()),
    ];
    let physical_id = physical_id.unwrap_or(PHYSICAL_ID).to_owned();
    Reply { physical_id, data: data.into() }
}

/// Writes the report and returns its address. Without a state bucket, logs what is wrong instead.
async fn report(
    state: Option<&State>,
    run: &RunId,
    report: String,
) -> Result<Option<String>, Failure> {
    let Some(state) = state else {
        for line in report.lines().filter(|it| it.contains(r#""ready":false"#)) {
            warn!(line, "not ready");
        }
        return Ok(None);
    };
    let key = run.report_key();
    state.write(&key, report, Expected::Anything).await?;
    Ok(Some(state.url(&key)))
}

/// The time before the end of an invocation in which it begins nothing that others may have to
/// undo.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Returns the time at which the last call in an account ends, so that the results can be written.
fn last_call(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 10).min(Duration::from_secs(15))
}
