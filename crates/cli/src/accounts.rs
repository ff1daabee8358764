//! The organization, and what was left in the state bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws::{Management, Session};
use organization::tree::{Tree, listed, organization, withheld};
use plan::id::{AccountId, Region, TargetId};
use plan::member_accounts::ids_in;
use report::{FIRST_STEPS, Note, Organization, Outline, Placed, Wanted, counted, utc};
use state::State;
use state::remembered::{Remembered, remembered};
use tokio::time::Instant;

use crate::CommandError;
use crate::live::tell_after;
use crate::output::note;

/// The organization and what its accounts get, before anybody has looked into one.
pub(crate) struct Known {
    pub(crate) organization: Organization,
    pub(crate) outline: Outline,
    pub(crate) remembered: Remembered,
    /// True if there is a state bucket, even if it could not be read.
    has_state: bool,
    pub(crate) notes: Vec<Note>,
}

impl Known {
    /// Reads the organization, and the state bucket if there is one.
    pub(crate) async fn read(
        session: &Session,
        management: &Management,
        regions: &[Region],
        deadline: Instant,
        now: SystemTime,
    ) -> Result<Self, CommandError> {
        let listed = listed(management).await?;
        // The policies take the longest by far, so everything else is read before them.
        let mut others = Vec::new();
        let withheld = withheld(management, &mut others).await;
        let state = State::of(session, deadline);
        let mut remembered = if let Some(state) = &state {
            let active = listed.iter().filter(|it| it.is_active());
            let active = active.map(|it| it.account.id.clone()).collect();
            remembered(state, &active, &mut others).await
        } else {
            Remembered::default()
        };
        let tell = tell_after(known(listed.len(), withheld.as_ref(), remembered.last_sweep));
        let mut notes = Vec::new();
        let read = organization(management, listed, Tree::Named, &mut notes, &tell);
        let mut organization = read.await?;
        organization.withheld = withheld;
        notes.extend(others);
        if !regions.is_empty() {
            let regions: BTreeSet<_> = regions.iter().cloned().collect();
            remembered.wanted.push(Wanted::in_regions(regions));
        }
        let outline = Outline::new(&organization, &remembered.wanted, now);
        Ok(Self { organization, outline, remembered, has_state: state.is_some(), notes })
    }

    /// Returns a note if there is no state bucket. `is_unread` says if the result is incomplete
    /// without it.
    pub(crate) fn without_state(&self, is_unread: bool) -> Option<Note> {
        (!self.has_state).then(|| Note {
            text: "without the state bucket, the findings of the last runs are unknown".to_owned(),
            hint: "deploy `templates/bootstrap.yaml`, or name its bucket with `--state-bucket`"
                .to_owned(),
            is_unread,
        })
    }
}

/// Says what is known of an organization before its policies are read.
fn known(
    accounts: usize,
    withheld: Option<&BTreeMap<AccountId, Vec<String>>>,
    last_sweep: Option<SystemTime>,
) -> String {
    let withheld = match withheld {
        Some(all) => format!("AWS withholds the merged policy from {} of them", all.len()),
        None => "AWS does not say which merged policies it withholds".to_owned(),
    };
    let sweep = match last_sweep {
        Some(at) => format!("the last sweep was at {}", utc(at)),
        None => "no sweep is known".to_owned(),
    };
    format!("{}; {withheld}; {sweep}", counted(accounts, "account"))
}

/// Returns the indices of the accounts that are asked for, in any state.
///
/// # Errors
///
/// Returns an error if an account that is named is not in the organization.
pub(crate) fn chosen(
    organization: &Organization,
    accounts: &[AccountId],
    units: &[TargetId],
) -> Result<Vec<usize>, CommandError> {
    let all = || organization.accounts.iter();
    if let Some(stranger) = accounts.iter().find(|id| !all().any(|it| it.listed.account.id == **id))
    {
        return Err(CommandError::NotInOrganization(stranger.to_string()));
    }
    if let Some(stranger) =
        units.iter().find(|id| !organization.units.iter().any(|it| it.id == **id))
    {
        return Err(CommandError::NotInOrganization(stranger.to_string()));
    }
    let is_below = |it: &Placed| {
        let path = organization.id_path(it.unit);
        ids_in(&path).any(|id| units.iter().any(|it| it.as_str() == id))
    };
    let is_chosen = |it: &Placed| {
        (accounts.is_empty() || accounts.contains(&it.listed.account.id))
            && (units.is_empty() || is_below(it))
    };
    let all = all().enumerate();
    Ok(all.filter(|it| is_chosen(it.1)).map(|it| it.0).collect())
}

/// The time that a call usually takes.
const CALL: Duration = Duration::from_millis(100);

/// Prints on standard error what looking into accounts takes, before it begins: `calls` in each.
pub(crate) fn tell_cost(accounts: usize, calls: usize, at_once: usize) {
    if let Some(cost) = cost(accounts, calls, at_once) {
        note("note", &cost);
    }
}

/// Returns what looking into accounts takes, and nothing if it takes no call.
fn cost(accounts: usize, calls: usize, at_once: usize) -> Option<String> {
    let all = accounts * calls;
    let rounds = all.div_ceil(at_once.clamp(1, accounts.max(1)));
    let seconds = CALL.as_secs_f64() * f64::from(u32::try_from(rounds).unwrap_or(u32::MAX));
    let time = if seconds < 90.0 {
        format!("{:.0} s", seconds.max(1.0))
    } else {
        format!("{:.0} min", seconds / 60.0)
    };
    let calls = counted(calls, "call");
    match accounts {
        _ if all == 0 => None,
        1 => Some(format!("looking into 1 account takes about {calls} and {time}")),
        _ => Some(format!(
            "looking into {accounts} accounts takes about {calls} in each, {all} in all, and about \
             {time}"
        )),
    }
}

/// Returns the next steps in an organization in which nothing is set up yet.
pub(crate) fn first_steps() -> impl Iterator<Item = String> {
    let width = FIRST_STEPS.iter().map(|it| it.0.chars().count()).max().unwrap_or_default();
    let steps =
        FIRST_STEPS.iter().map(move |(command, why)| format!("  {command:width$}    {why}"));
    ["What to do next:".to_owned()].into_iter().chain(steps)
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn the_cost_is_told_in_numbers_that_agree_with_their_words() {
        let many =
            "looking into 11 accounts takes about 13 calls in each, 143 in all, and about 1 s";
        assert_eq!(cost(11, 13, 32).as_deref(), Some(many));
        let one = "looking into 1 account takes about 13 calls and 1 s";
        assert_eq!(cost(1, 13, 32).as_deref(), Some(one));
        let each = "looking into 2 accounts takes about 1 call in each, 2 in all, and about 1 s";
        assert_eq!(cost(2, 1, 32).as_deref(), Some(each));
        assert_eq!(cost(0, 13, 32), None);
        assert_eq!(cost(11, 0, 32), None);
    }
}
