//! The work of a batch.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws::Session;
use errors::chain;
use futures_util::{StreamExt as _, stream};
use members::MemberAccess;
use plan::id::AccountId;
use plan::member_accounts::Account;
use plan::member_accounts::run::Batch;
use report::Outline;
use report::coverage::{ByResource, FirstSeen, RecoveryPoint};
use report::history::{Copies, Details, Sum, details_key, seen_key};
use serde_json::Value;
use state::remembered::asked;
use state::{Expected, State};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::destinations::Destinations;
use crate::entrance::Entrance;
use crate::survey::{Survey, Surveyor};
use crate::{Invoked, TERMS, Unfinished, order};

/// The number of accounts that are looked into at once. All of one are in memory until it is judged.
const AT_ONCE: usize = 8;

/// The time before the end of the invocation in which nothing is read, but what was read is written.
const MARGIN: Duration = Duration::from_secs(30);

/// Looks into the accounts of a batch as far as there is time, and writes what was found. Returns
/// what the state machine does next.
pub(crate) async fn look(
    session: &Session,
    state: &State,
    batch: Batch,
    invoked: Invoked<'_>,
) -> Result<Value, Unfinished> {
    let left = invoked.deadline.saturating_duration_since(Instant::now());
    let until = invoked.deadline - MARGIN.min(left / 5);
    // An account that is begun has this time at least.
    let last_start = invoked.deadline - left / 3;
    let order = order(state, &batch.run).await?;
    let now = invoked.now();
    let organization = &order.organization;
    let mut sum = Sum::default();
    order.unread.iter().for_each(|it| sum.unread(it.clone()));
    let mut notes = Vec::new();
    let wanted = asked(state, &mut notes).await;
    for it in notes.iter().filter(|it| it.is_unread) {
        sum.unread(it.advised());
    }
    let outline = Outline::new(organization, &wanted, order.begun);
    let management = session.management(None, until).await?;
    let access = MemberAccess::new(&management);
    let entrance = Entrance { access, organization, wanted: &wanted, named: None };
    let places = organization.accounts.iter().enumerate();
    let places: BTreeMap<_, _> = places.map(|(index, it)| (&it.listed.account.id, index)).collect();
    let mut seen = first_seen(state, &batch.accounts).await?;
    let copies = copies(state, order.copies.of(batch.index)).await?;
    let destinations = Destinations { vaults: order.destinations.clone(), copies, unread: vec![] };
    let surveyor = Surveyor::new(&management, &entrance, &outline, TERMS, destinations, now).await;
    let known = seen.values().flat_map(FirstSeen::seen).collect();
    let surveyor = surveyor.with_first_seen(known);
    let (surveyor, note) = surveyor.with_view(session.region().parse().ok()).await;
    if let Some(note) = note {
        info!(note.text, note.hint, "something is not looked for");
    }
    surveyor.unread().iter().for_each(|it| sum.unread(it.clone()));
    let begun = Cell::new(0);
    let accounts = batch.accounts.iter().take_while(|_| Instant::now() < last_start);
    let surveys = accounts.map(|account| {
        begun.set(begun.get() + 1);
        let index = places.get(&account.id).copied();
        let surveyor = &surveyor;
        Box::pin(async move { Some((account, surveyor.survey(index?).await)) })
    });
    let mut surveys = stream::iter(surveys).buffered(AT_ONCE);
    while let Some(looked) = surveys.next().await {
        // An account that is not in the organization of the order is none of this run.
        let Some((account, survey)) = looked else { continue };
        let now = invoked.now();
        let results = AccountResults { state, batch: &batch, account, surveyor: &surveyor, now };
        let seen = seen.remove(&account.id).unwrap_or_default();
        results.keep(survey, seen, &mut sum).await?;
    }
    drop(surveys);
    let unreached = batch.accounts.iter().skip(begun.get()).cloned().collect::<Vec<_>>();
    state.write(&batch.result_key(), sum.text(), Expected::Anything).await?;
    info!(index = batch.index, looked = begun.get(), left = unreached.len(), "batch");
    Ok(batch.next(unreached, vec![]))
}

/// Reads the copies that the start of the run kept under these keys.
async fn copies(
    state: &State,
    keys: impl Iterator<Item = &String>,
) -> Result<ByResource<RecoveryPoint>, Unfinished> {
    let mut copies = ByResource::default();
    for key in keys {
        let found = state.read(key).await?;
        let (text, _) = found.ok_or_else(|| Unfinished::Missing(key.clone()))?;
        let read = Copies::read(&text).map_err(|it| Unfinished::Illegible(key.clone(), it))?;
        read.add_to(&mut copies);
    }
    Ok(copies)
}

/// Reads when each resource of these accounts was first seen.
///
/// # Errors
///
/// Returns an error if a record cannot be read. If it cannot be understood, every resource of the
/// account is new.
pub async fn first_seen(
    state: &State,
    accounts: &[Account],
) -> Result<BTreeMap<AccountId, FirstSeen>, aws::Error> {
    let read = accounts
        .iter()
        .map(async |it| Ok::<_, aws::Error>((it.id.clone(), of_account(state, &it.id).await?)));
    let all: Vec<_> = stream::iter(read).buffer_unordered(AT_ONCE).collect().await;
    all.into_iter().collect()
}

async fn of_account(state: &State, account: &AccountId) -> Result<FirstSeen, aws::Error> {
    let key = seen_key(account);
    let Some((text, _)) = state.read_bytes(&key).await? else { return Ok(FirstSeen::default()) };
    Ok(FirstSeen::read(&text).unwrap_or_else(|it| {
        warn!(key, reason = chain(&it), "every resource of the account is new");
        FirstSeen::default()
    }))
}

/// The account whose results are kept, and where.
struct AccountResults<'a> {
    state: &'a State,
    batch: &'a Batch,
    account: &'a Account,
    surveyor: &'a Surveyor<'a>,
    now: SystemTime,
}

impl AccountResults<'_> {
    /// Judges the resources of the account, adds them to the sum, and writes them. `seen` is what
    /// was known of when they were first seen.
    async fn keep(
        &self,
        survey: Survey,
        mut seen: FirstSeen,
        sum: &mut Sum,
    ) -> Result<(), Unfinished> {
        let Self { state, batch, now, .. } = *self;
        let Account { id, name, .. } = self.account;
        let before = seen.clone();
        let mut details = Details::new(report::PROGRAM, id, name, now);
        self.surveyor.sum(&survey, now, sum, |judge, resource, coverage| {
            seen.note(resource, now);
            details.resource(judge, resource, coverage, seen.since(&resource.arn));
        });
        if survey.is_whole() {
            seen.keep(&survey.resources().map(|it| it.arn.as_str()).collect());
        }
        let key = details_key(&batch.run, id);
        state.write(&key, details.text(), Expected::Anything).await?;
        if seen != before {
            state.write(&seen_key(id), seen.text(), Expected::Anything).await?;
        }
        Ok(())
    }
}
