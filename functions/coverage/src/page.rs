//! The page about the whole organization, which every sweep writes to the state bucket.

use std::collections::BTreeMap;
use std::time::SystemTime;

use errors::chain;
use report::page::page;
use report::{MAX_AGE, Note, Observed, Organization, Outline, Source, Wanted, judge};
use state::State;
use state::coverage_state::read_evidence;
use state::remembered::{PAGE, looks};

/// Everything about the page that its writer has read already.
#[derive(Debug)]
pub struct OrganizationPage {
    /// The organization, with the accounts whose effective policies AWS withholds.
    pub organization: Organization,
    /// The requests of the templates.
    pub wanted: Vec<Wanted>,
    /// Notes about the organization as a whole.
    pub notes: Vec<Note>,
}

impl OrganizationPage {
    /// Judges what is known of every account at `now`, and writes the page. No account is looked
    /// into: the findings are those of the last runs, and the backups those of the last sweep.
    ///
    /// # Errors
    ///
    /// Returns an error if the page cannot be written. The earlier one then stays. If a finding
    /// cannot be read, the page has a note about that.
    pub async fn write(self, state: &State, now: SystemTime) -> Result<(), aws::Error> {
        let Self { organization, wanted, mut notes } = self;
        let unread = |what: &str, error: &aws::Error| Note {
            text: format!("{what} are unknown: {}", chain(error)),
            hint: "see the log of the function that writes this page".to_owned(),
            is_unread: true,
        };
        let accounts = organization.accounts.iter().map(|it| &it.listed);
        let active = accounts.filter(|it| it.is_active()).map(|it| it.account.id.clone());
        let (looks, errors) = looks(state, &active.collect()).await;
        notes.extend(errors.iter().map(|it| unread("the findings of the last runs", it)));
        let evidence = read_evidence(state).await.unwrap_or_else(|error| {
            notes.push(unread("the findings of the last sweep", &error));
            None
        });
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
            // Nobody looks at vaults here, so nobody asks who may delete from them.
            guard_rails: Err("a sweep does not read them".to_owned()),
            notes,
            evidence,
        });
        state.write_page(PAGE, page(&report)).await
    }
}
