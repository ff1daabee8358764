//! What a run would do, told without doing it.

use std::cell::Cell;

use aws::Management;
use aws::member_accounts::identify;
use futures_util::stream::iter;
use plan::member_accounts::{Account, Line, OnNotReady, Properties, Tally};
use resources::Error;
use tokio::time::Instant;

use crate::fleet::{Barred, Fleet, Roles};
use crate::last_call;
use crate::roster::Roster;

/// What a run would do.
#[derive(Debug)]
pub struct Preview {
    /// What would be changed in each account, and what keeps it from being ready.
    pub lines: Vec<Line>,
    /// The accounts that could not be entered, so that nothing is known of them.
    pub barred: Vec<Account>,
    /// The accounts for which there was no time.
    pub unreached: Vec<Account>,
    /// The sum of what is known.
    pub tally: Tally,
    /// What accounts that are not ready mean for the run.
    pub on_not_ready: OnNotReady,
}

/// Looks at every account that a run would work in. Nothing is changed.
///
/// # Errors
///
/// When the properties do not go together, or the accounts cannot be listed.
///
/// # Panics
///
/// When a line of the report that was written here cannot be read, which is a mistake of this program.
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
