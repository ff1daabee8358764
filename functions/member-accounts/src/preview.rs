//! Previews of a run, which change nothing.

use std::cell::Cell;

use aws::Management;
use futures_util::stream::iter;
use organization::accounts::identify;
use plan::member_accounts::{Account, Line, OnNotReady, Properties, Tally};
use resources::Error;
use tokio::time::Instant;

use crate::fleet::{Barred, Fleet, Roles};
use crate::last_call;
use crate::roster::Roster;

/// The result that a run would have.
#[derive(Debug)]
pub struct Preview {
    /// The changes in each account, and the problems that keep it from being ready.
    pub lines: Vec<Line>,
    /// The accounts that could not be entered. Nothing is known about them.
    pub barred: Vec<Account>,
    /// The accounts that were not visited because time ran out.
    pub unreached: Vec<Account>,
    /// The totals of everything that is known.
    pub tally: Tally,
    /// The effect on the run of accounts that are not ready.
    pub on_not_ready: OnNotReady,
}

/// Looks at every account that a run would work in. Nothing is changed.
///
/// # Errors
///
/// Returns an error if the combination of properties is invalid, or if the accounts cannot be
/// listed.
///
/// # Panics
///
/// Panics if a line of the report that was just written cannot be read, which is a bug of this
/// program.
pub async fn preview(
    management: &Management,
    properties: &Properties,
    deadline: Instant,
) -> Result<Preview, Error> {
    let desired = properties.desired()?;
    let identity = identify(management).await?;
    let mut roster = Roster::new(management, &identity, properties)?;
    let accounts = roster.all().await?;
    let (roles, until) = (Roles::of(properties)?, last_call(deadline));
    let fleet = Fleet::new(management, &identity, &desired, roles, [].into(), until).only_looking();
    let total = Cell::new(Some(accounts.len()));
    let work = fleet.work(iter(accounts), properties.concurrency(), &total, Barred::Keep).await;
    let read = |it| serde_json::from_str(it).expect("a line of a report that was written just now");
    let lines = work.report.lines().map(read).collect();
    let (barred, unreached, tally) = (work.barred, work.unreached, work.tally);
    Ok(Preview { lines, barred, unreached, tally, on_not_ready: properties.on_not_ready })
}
