//! The start of a sweep.

use std::time::SystemTime;

use aws::reading::Reading;
use aws::{Kind, Session};
use organization::tree::{Tree, listed, organization, withheld};
use plan::id::RunId;
use plan::member_accounts::run::batches;
use report::history::{Begun, Start, SweepOrder};
use state::{Expected, State};
use tracing::info;

use crate::{Invoked, Unfinished, kept};

/// Starts a run, unless one is under way. A run whose start was interrupted is started again.
pub(crate) async fn begin(
    session: &Session,
    state: &State,
    invoked: Invoked<'_>,
) -> Result<(), Unfinished> {
    let deadline = invoked.deadline;
    let machine = session.machine(deadline).ok_or(Unfinished::Unset("STATE_MACHINE_ARN"))?;
    // A listing is answered whether or not there is a record, and the answer has AWS's time.
    let is_there = !state.list(Begun::KEY).await?.is_empty();
    let found = if is_there { state.read(Begun::KEY).await? } else { None };
    let last = found.as_ref().and_then(|(text, _)| kept(Begun::KEY, Begun::read(text)));
    let version = found.map(|(_, version)| version);
    let (begun, version) = match Begun::start(last.as_ref(), invoked.now()) {
        Start::Under(run) => {
            info!(%run, "no sweep is started, since one is under way");
            return Ok(());
        }
        Start::Again(begun) => (begun, version),
        Start::New(begun) => {
            let expected = version.as_ref().map_or(Expected::Nothing, Expected::Still);
            let version = state.write(Begun::KEY, begun.text(), expected).await?;
            (begun, Some(version))
        }
    };
    let Begun { run, begun: at, .. } = &begun;
    if state.read(&run.order_key()).await?.is_none() {
        write(session, state, invoked, run, *at).await?;
    }
    machine.start(run).await?;
    info!(%run, "the sweep was started");
    let expected = version.as_ref().map_or(Expected::Nothing, Expected::Still);
    match state.write(Begun::KEY, begun.started().text(), expected).await {
        // The run may even be over by now.
        Err(error) if error.kind() == Kind::Outdated => Ok(()),
        written => Ok(written.map(drop)?),
    }
}

/// Reads the organization, and writes what the batches of a run need.
async fn write(
    session: &Session,
    state: &State,
    invoked: Invoked<'_>,
    run: &RunId,
    begun: SystemTime,
) -> Result<(), Unfinished> {
    let management = session.management(None, invoked.deadline).await?;
    let mut notes = Vec::new();
    let silent = &|_: &Reading| ();
    let listed = listed(&management).await?;
    let read = organization(&management, listed, Tree::Bare, &mut notes, silent);
    let mut organization = read.await?;
    organization.withheld = withheld(&management, &mut notes).await;
    let active = organization.accounts.iter().filter(|it| it.listed.state == "ACTIVE");
    let accounts: Vec<_> = active.map(|it| it.listed.account.clone()).collect();
    let unread = notes.into_iter().filter(|it| it.is_unread);
    let unread = unread.map(|it| format!("{}; hint: {}", it.text, it.hint)).collect();
    let order = SweepOrder { begun, organization, unread };
    let batches = batches(run, &accounts).to_string();
    state.write(&run.batches_key(), batches, Expected::Anything).await?;
    // The order is written last, because a run that has its order has everything.
    state.write(&run.order_key(), order.text(), Expected::Anything).await?;
    info!(%run, accounts = accounts.len(), "the sweep is written down");
    Ok(())
}
