//! The page about the whole organization, which the sweep writes to the state bucket.
//!
//! Its sources are the data that the sweep reads anyway, the policies, and what the last looks into
//! accounts found: the sweep does not look into accounts. A missing page is not a reason to repeat a
//! sweep.

use std::collections::BTreeMap;

use aws::Need;
use aws::reading::Reading;
use errors::chain;
use organization::tree::{Tree, listed, organization};
use plan::id::AccountId;
use plan::member_accounts::Listed;
use report::{Note, Organization, Wanted, wanted};
use state::remembered::PAGE;
use tracing::{error, info};

use crate::Kept;
use crate::restore::Repairer;

/// The page of one sweep.
#[derive(Debug)]
pub(crate) struct Page {
    listed: Vec<Listed>,
    wanted: Vec<Wanted>,
    notes: Vec<Note>,
}

impl Page {
    /// Lists the accounts, once for both the page and the member work. Returns `None` if that
    /// fails.
    pub(crate) async fn begin(repairer: Repairer<'_>, kept: &[Kept]) -> Option<Self> {
        let (wanted, notes) = wanted(kept.iter().map(|(entry, _)| entry));
        match accounts(repairer).await {
            Ok(listed) => Some(Self { listed, wanted, notes }),
            Err(error) => {
                not_written(&error);
                None
            }
        }
    }

    /// Returns the accounts as AWS lists them.
    pub(crate) fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Writes the page. `withheld` contains the accounts whose effective policies AWS says it
    /// withholds.
    pub(crate) async fn write(
        self,
        repairer: Repairer<'_>,
        withheld: Option<BTreeMap<AccountId, Vec<String>>>,
    ) {
        match self.try_write(repairer, withheld).await {
            Ok(()) => info!(page = repairer.state.url(PAGE), "the page was written"),
            Err(error) => not_written(&error),
        }
    }

    async fn try_write(
        self,
        repairer: Repairer<'_>,
        withheld: Option<BTreeMap<AccountId, Vec<String>>>,
    ) -> Result<(), aws::Error> {
        let Self { listed, wanted, mut notes } = self;
        let Repairer { session, state, now, deadline, .. } = repairer;
        let management = session.management(None, deadline).await?;
        let silent = &|_: &Reading| ();
        let read = organization(&management, listed, Tree::Bare, &mut notes, silent);
        let organization = Organization { withheld, ..read.await? };
        coverage::OrganizationPage { organization, wanted, notes }.write(state, now).await
    }
}

async fn accounts(repairer: Repairer<'_>) -> Result<Vec<Listed>, aws::Error> {
    let management = repairer.session.management(None, repairer.deadline).await?;
    listed(&management.for_what_is(Need::Helpful)).await
}

fn not_written(error: &aws::Error) {
    error!(reason = chain(error), "the page was not written");
}
