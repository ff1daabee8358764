//! Which accounts a run works in.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aws::member_accounts::{Identity, accounts, accounts_below};
use aws::{Management, Pages};
use plan::id::{AccountId, TargetId};
use plan::member_accounts::{Account, Choice, Listed, Properties, Scope, Tally};
use resources::Error;
use tokio::sync::mpsc::UnboundedSender;
use tracing::warn;

/// The accounts of the organization as they are listed, page by page.
#[derive(Debug)]
pub(crate) struct Roster<'a> {
    management: &'a Management,
    scope: Scope,
    /// What is below each place, for an AWS that does not say where accounts are.
    below: Option<BTreeMap<TargetId, BTreeSet<AccountId>>>,
    /// Accounts that are not active.
    pub(crate) skipped: Tally,
}

impl<'a> Roster<'a> {
    pub(crate) fn new(
        management: &'a Management,
        identity: &Identity,
        properties: &Properties,
    ) -> Result<Self, Error> {
        let excluded = properties.exclude_accounts.0.iter().cloned();
        let central = properties.central()?.map(|(account, _)| account.clone());
        let scope = Scope::new(identity.management.clone(), properties.targets()?, excluded)
            .with_central(central);
        if scope.excludes_management() {
            warn!(
                "the management account is excluded, and its opt-ins decide what backup policies \
                 of the organization may back up"
            );
        }
        Ok(Self { management, scope, below: None, skipped: Tally::default() })
    }

    /// Sends every account to work in, and says how many there are once that is known.
    ///
    /// Nothing is sent before something was found at every target, so that nothing has changed when
    /// one of them is refused.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be listed, or there is nothing at a target.
    pub(crate) async fn send(
        &mut self,
        accounts: UnboundedSender<Account>,
        total: &Cell<Option<usize>>,
    ) -> Result<(), Error> {
        let mut waiting = vec![];
        let mut count = 0;
        let mut pages = Pages::default();
        while let Some(page) = aws::member_accounts::accounts(self.management, &mut pages).await? {
            for listed in page {
                if let Some(account) = self.choose(listed).await? {
                    count += 1;
                    waiting.push(account);
                }
            }
            if self.scope.is_certain() {
                for account in waiting.drain(..) {
                    // It is received for as long as this runs.
                    let _ = accounts.send(account);
                }
            }
        }
        self.scope.check()?;
        for account in self.scope.strangers() {
            warn!(%account, "an excluded account is not in the organization");
        }
        total.set(Some(count));
        Ok(())
    }

    /// Every account to work in.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be listed, or there is nothing at a target.
    pub(crate) async fn all(&mut self) -> Result<Vec<Account>, Error> {
        let mut all = vec![];
        let mut pages = Pages::default();
        while let Some(page) = accounts(self.management, &mut pages).await? {
            for listed in page {
                all.extend(self.choose(listed).await?);
            }
        }
        self.scope.check()?;
        Ok(all)
    }

    /// Every account to work in among those of the organization.
    ///
    /// # Errors
    ///
    /// When it cannot be found out where accounts are, or there is nothing at a target.
    pub(crate) async fn among(&mut self, listed: &[Listed]) -> Result<Vec<Account>, Error> {
        let mut all = vec![];
        for it in listed {
            all.extend(self.choose(it.clone()).await?);
        }
        self.scope.check()?;
        Ok(all)
    }

    async fn choose(&mut self, mut listed: Listed) -> Result<Option<Account>, Error> {
        if listed.paths.is_empty() && self.scope.needs_paths() {
            let id = &listed.account.id;
            let above = self.below().await?.iter().filter(|(_, below)| below.contains(id));
            listed.paths = above.map(|(place, _)| place.to_string()).collect();
        }
        match self.scope.choose(&listed) {
            Choice::Included => Ok(Some(listed.account)),
            Choice::Central => Ok(Some(Account { is_central: true, ..listed.account })),
            Choice::Inactive => {
                self.skipped.skip(&listed.state);
                Ok(None)
            }
            Choice::Excluded | Choice::Elsewhere => Ok(None),
        }
    }

    /// What is below each place, read once.
    async fn below(&mut self) -> Result<&BTreeMap<TargetId, BTreeSet<AccountId>>, Error> {
        if self.below.is_none() {
            let mut below = BTreeMap::new();
            for place in self.scope.places() {
                below.insert(place.clone(), accounts_below(self.management, place).await?);
            }
            self.below = Some(below);
        }
        Ok(self.below.get_or_insert_default())
    }
}
