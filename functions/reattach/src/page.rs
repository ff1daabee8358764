//! The page about the whole organization, which the sweep writes to the state bucket.
//!
//! Its sources are the data that the sweep reads anyway, the policies, and the results of the last
//! runs in accounts: the sweep does not look into accounts. A missing page is not a reason to
//! repeat a sweep.

use std::collections::BTreeMap;

use aws::Need;
use aws::reading::Reading;
use aws::report::{PAGE, Tree, listed, looks, organization};
use errors::chain;
use plan::id::AccountId;
use plan::member_accounts::Listed;
use report::page::page;
use report::{MAX_AGE, Note, Observed, Outline, Source, Wanted, judge, wanted};
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
        let active = listed.iter().filter(|it| it.state == "ACTIVE");
        let active = active.map(|it| it.account.id.clone()).collect();
        let (looks, errors) = looks(state, &active).await;
        notes.extend(errors.iter().map(|error| Note {
            text: format!("what the last runs found is not known: {}", chain(&error)),
            hint: "see the log of `reattach`".to_owned(),
            is_unread: true,
        }));
        let silent = &|_: &Reading| ();
        let read = organization(&management, listed, Tree::Bare, &mut notes, silent);
        let mut organization = read.await?;
        organization.withheld = withheld;
        let outline = Outline::new(&organization, &wanted, now);
        let report = judge(Observed {
            source: Source::Sweep,
            taken: now,
            last_sweep: None,
            organization,
            outline,
            wanted,
            visits: BTreeMap::new(),
            destinations: BTreeMap::new(),
            looks,
            max_age: MAX_AGE,
            is_role_named: false,
            is_cross_account: None,
            notes,
            evidence: None,
        });
        state.write_page(PAGE, page(&report)).await
    }
}

async fn accounts(repairer: Repairer<'_>) -> Result<Vec<Listed>, aws::Error> {
    let management = repairer.session.management(None, repairer.deadline).await?;
    listed(&management.for_what_is(Need::Helpful)).await
}

fn not_written(error: &aws::Error) {
    error!(reason = chain(error), "the page was not written");
}
