//! Reads what the functions left in the state bucket, for reports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws::Error;
use plan::desired_state::{Entry, prefix};
use plan::id::AccountId;
use plan::resource::ResourceKind;
use report::{LastFindings, Note, Wanted, last_findings, wanted};

use crate::State;

/// The key under which the daily sweep stores its page.
pub const PAGE: &str = "reports/organization.html";

/// The maximum number of reports of runs to read, if the newest does not cover every account.
const REPORTS: usize = 20;

/// The contents of the state bucket.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The settings that templates request for accounts.
    pub wanted: Vec<Wanted>,
    /// The findings of the last runs in the accounts.
    pub looks: BTreeMap<AccountId, LastFindings>,
    /// The time of the last sweep.
    pub last_sweep: Option<SystemTime>,
}

/// Reads what the functions left in the state bucket. A failed read becomes a note.
pub async fn remembered(
    state: &State,
    accounts: &BTreeSet<AccountId>,
    notes: &mut Vec<Note>,
) -> Remembered {
    let mut remembered = Remembered { wanted: asked(state, notes).await, ..Remembered::default() };
    let (looks, errors) = looks(state, accounts).await;
    remembered.looks = looks;
    notes.extend(errors.iter().map(unread));
    match state.last_sweep().await {
        Ok(sweep) => remembered.last_sweep = sweep.map(|it| it.time()),
        Err(error) => notes.push(unread(&error)),
    }
    remembered
}

/// Reads what templates ask for in accounts. A failed read becomes a note.
pub async fn asked(state: &State, notes: &mut Vec<Note>) -> Vec<Wanted> {
    let (kept, errors) = kept(state).await;
    let (wanted, more) = wanted(&kept);
    notes.extend(more);
    notes.extend(errors.iter().map(unread));
    wanted
}

fn unread(error: &Error) -> Note {
    let hint = error.hint().unwrap_or_default().into_owned();
    Note { text: error.problem(), hint, is_unread: true }
}

/// Reads the entries of every `Custom::MemberAccounts`, and the errors of the entries that cannot
/// be read.
async fn kept(state: &State) -> (Vec<Entry>, Vec<Error>) {
    let (mut kept, mut errors) = (Vec::new(), Vec::new());
    match state.list(&prefix(ResourceKind::MemberAccounts)).await {
        Err(error) => errors.push(error),
        Ok(keys) => {
            for key in keys {
                match state.entry(&key).await {
                    Ok(found) => kept.extend(found.map(|(entry, _)| entry)),
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    (kept, errors)
}

/// Returns the findings of the last runs in these accounts. It reads reports from the newest on
/// until all accounts are known. Also returns the errors of reports that cannot be read.
pub async fn looks(
    state: &State,
    accounts: &BTreeSet<AccountId>,
) -> (BTreeMap<AccountId, LastFindings>, Vec<Error>) {
    let mut errors = Vec::new();
    let mut written = state.written("runs/").await.unwrap_or_else(|error| {
        errors.push(error);
        vec![]
    });
    written.retain(|(key, _)| key.ends_with("/report.jsonl"));
    written.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    let mut texts: Vec<(SystemTime, String)> = Vec::new();
    let mut looks = BTreeMap::new();
    for (key, at) in written.into_iter().take(REPORTS) {
        match state.read(&key).await {
            Ok(found) => texts.extend(found.map(|(text, _)| (at, text))),
            Err(error) => errors.push(error),
        }
        looks = last_findings(texts.iter().map(|(at, text)| (*at, text.as_str())));
        if accounts.iter().all(|it| looks.contains_key(it)) {
            break;
        }
    }
    (looks, errors)
}
