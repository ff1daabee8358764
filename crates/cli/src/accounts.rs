//! The organization, and what was left in the state bucket.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::report::{Remembered, Tree, listed, organization, remembered, withheld};
use aws::{Management, Session};
use plan::id::{AccountId, Region, TargetId};
use report::{Note, Organization, Outline, Placed, Wanted};
use tokio::time::Instant;

use crate::CommandError;
use crate::live::tell;

/// The organization and what its accounts get, before anybody has looked into one.
pub(crate) struct Known {
    pub(crate) organization: Organization,
    pub(crate) outline: Outline,
    pub(crate) remembered: Remembered,
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
        let mut notes = Vec::new();
        let listed = listed(management).await?;
        let read = organization(management, listed, Tree::Named, &mut notes, &tell);
        let mut organization = read.await?;
        organization.withheld = withheld(management, &mut notes).await;
        let mut remembered = if let Some(state) = session.state(deadline) {
            let accounts = organization.accounts.iter().map(|it| &it.listed);
            let active = accounts.filter(|it| it.state == "ACTIVE").map(|it| it.account.id.clone());
            remembered(&state, &active.collect(), &mut notes).await
        } else {
            notes.push(Note {
                text: "without the state bucket it is not known what the last runs found"
                    .to_owned(),
                hint: "name the bucket of the bootstrap stack with `--state-bucket`".to_owned(),
                is_unread: false,
            });
            Remembered::default()
        };
        if !regions.is_empty() {
            let regions: BTreeSet<_> = regions.iter().cloned().collect();
            remembered.wanted.push(Wanted::in_regions(regions));
        }
        let outline = Outline::new(&organization, &remembered.wanted, now);
        Ok(Self { organization, outline, remembered, notes })
    }
}

/// The accounts that are asked for, by their indices, whatever their state.
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
        units.iter().any(|unit| path.split('/').any(|it| it == unit.as_str()))
    };
    let is_chosen = |it: &Placed| {
        (accounts.is_empty() || accounts.contains(&it.listed.account.id))
            && (units.is_empty() || is_below(it))
    };
    let all = all().enumerate();
    Ok(all.filter(|it| is_chosen(it.1)).map(|it| it.0).collect())
}
