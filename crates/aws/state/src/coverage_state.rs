//! Reads what sweeps left in the state bucket about the coverage of the organization.

use aws::Error;
use report::history::{
    Change, Evidence, HISTORY, Illegible, LAST, Past, Summary, TIMELINE, history_key, key_by,
};

use crate::State;

/// Reads everything that the page and the report take from the last sweep; returns `None` if there
/// was no sweep yet.
///
/// The change is the one since the sweep before. It is left out if that one cannot be read.
///
/// # Errors
///
/// Returns an error if something cannot be read, or was written by a newer program.
pub async fn read_evidence(state: &State) -> Result<Option<Evidence>, Error> {
    let Some(summary) = read_last(state).await? else { return Ok(None) };
    let Past { timeline, trend, .. } = read(state, TIMELINE, Past::read).await?.unwrap_or_default();
    let own = history_key(summary.taken);
    let mut keys = state.list(HISTORY).await?;
    keys.retain(|it| *it < own);
    let before = match keys.iter().max() {
        Some(key) => read(state, key, Summary::read).await.ok().flatten(),
        None => None,
    };
    let change = before.map(|it| Change::between(&it, &summary));
    Ok(Some(Evidence { summary, timeline, change, trend }))
}

/// Reads the summary of the last sweep. Returns `None` if there was no sweep yet.
///
/// # Errors
///
/// Returns an error if it cannot be read, or was written by a newer program.
pub async fn read_last(state: &State) -> Result<Option<Summary>, Error> {
    read(state, LAST, Summary::read).await
}

/// Reads the summary of the last sweep by `moment`: a day such as `2026-11-21`, or the name of a
/// summary such as `20261121T040005Z`. Returns `None` if there was none.
///
/// # Errors
///
/// Returns an error if it cannot be read, or was written by a newer program.
pub async fn read_summary_at(state: &State, moment: &str) -> Result<Option<Summary>, Error> {
    let keys = state.list(HISTORY).await?;
    let Some(key) = key_by(&keys, moment) else { return Ok(None) };
    read(state, key, Summary::read).await
}

async fn read<T>(
    state: &State,
    key: &str,
    read: impl Fn(&str) -> Result<T, Illegible>,
) -> Result<Option<T>, Error> {
    let Some((text, _)) = state.read(key).await? else { return Ok(None) };
    let action = || format!("use {}", state.url(key));
    read(&text).map(Some).map_err(|it| Error::illegible(action(), it))
}
