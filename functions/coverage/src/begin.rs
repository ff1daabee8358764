//! The start of a sweep.

use std::time::{Duration, SystemTime};

use aws::reading::Reading;
use aws::{Kind, Session};
use members::MemberAccess;
use organization::tree::{Tree, listed, organization, withheld};
use plan::id::RunId;
use plan::member_accounts::run::batches;
use report::Outline;
use report::history::{Begun, CopiesByBatch, CopyKeys, Start, SweepOrder};
use state::remembered::asked;
use state::{Expected, State};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::info;

use crate::destinations::Destinations;
use crate::entrance::Entrance;
use crate::{Invoked, TERMS, Unfinished, kept};

/// The time before the end of the invocation in which nothing is read, but what was read is written.
const MARGIN: Duration = Duration::from_mins(1);

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

/// Reads the vaults that receive copies, and writes the copies in them while it reads on. Returns
/// the vaults, and the keys of the copies.
async fn keep_copies(
    state: &State,
    entrance: &Entrance<'_>,
    begun: SystemTime,
    mut parts: CopiesByBatch,
) -> Result<(Destinations, CopyKeys), aws::Error> {
    let outline = Outline::new(entrance.organization, entrance.wanted, begun);
    let (hand, mut handed) = mpsc::unbounded_channel();
    let read = async {
        let keep = |it| {
            if let Some(part) = parts.add(it) {
                // The other end reads to the end.
                let _ = hand.send(part);
            }
        };
        let destinations = Destinations::each_copy(entrance, &outline, TERMS, keep).await;
        while let Some(part) = parts.part() {
            let _ = hand.send(part);
        }
        drop(hand);
        (destinations, parts.keys())
    };
    let written = async move {
        while let Some((key, text)) = handed.recv().await {
            state.write(&key, text, Expected::Anything).await?;
        }
        Ok(())
    };
    let (read, written) = tokio::join!(read, written);
    written.map(|()| read)
}

/// Reads the organization, and writes what the batches of a run need.
async fn write(
    session: &Session,
    state: &State,
    invoked: Invoked<'_>,
    run: &RunId,
    begun: SystemTime,
) -> Result<(), Unfinished> {
    let left = invoked.deadline.saturating_duration_since(Instant::now());
    // A vault that takes longer is not known, and the accounts are looked into all the same.
    let until = invoked.deadline - MARGIN.min(left / 5);
    let management = session.management(None, until).await?;
    let mut notes = Vec::new();
    let wanted = asked(state, &mut notes).await;
    let silent = &|_: &Reading| ();
    let listed = listed(&management).await?;
    let read = organization(&management, listed, Tree::Bare, &mut notes, silent);
    let mut organization = read.await?;
    organization.withheld = withheld(&management, &mut notes).await;
    let active = organization.accounts.iter().filter(|it| it.listed.is_active());
    let accounts: Vec<_> = active.map(|it| it.listed.account.clone()).collect();
    let unread = notes.into_iter().filter(|it| it.is_unread);
    let unread: Vec<_> = unread.map(|it| it.advised()).collect();
    let access = MemberAccess::new(&management);
    let entrance = Entrance { access, organization: &organization, wanted: &wanted, named: None };
    let parts = CopiesByBatch::new(run, &accounts, SystemTime::now());
    let (destinations, copies) = keep_copies(state, &entrance, begun, parts).await?;
    let Destinations { vaults: destinations, unread: more, .. } = destinations;
    let unread = [unread, more].concat();
    let order = SweepOrder { begun, organization, destinations, copies, unread };
    let batches = batches(run, &accounts).to_string();
    state.write(&run.batches_key(), batches, Expected::Anything).await?;
    // The order is written last, because a run that has its order has everything.
    state.write(&run.order_key(), order.text(), Expected::Anything).await?;
    info!(%run, accounts = accounts.len(), "the sweep is written down");
    Ok(())
}
