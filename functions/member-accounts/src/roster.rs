//! The choice of accounts that a run works in.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aws::{Management, Pages};
use organization::accounts::{Identity, accounts, accounts_below};
use plan::id::{AccountId, TargetId};
use plan::member_accounts::{Account, Choice, Listed, Properties, Scope, Tally};
use resources::Error;
use tokio::sync::mpsc::UnboundedSender;
use tracing::warn;

/// The accounts of the organization, listed page by page.
#[derive(Debug)]
pub(crate) struct Roster<'a> {
    management: &'a Management,
    scope: Scope,
    /// The accounts below each target, for endpoints that do not return the paths of accounts.
    below: Option<BTreeMap<TargetId, BTreeSet<AccountId>>>,
    /// Totals of the accounts that are skipped because they are not active.
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

    /// Sends every account to work in, and sets `total` when the number of them is known.
    ///
    /// Nothing is sent before an account was found at every target, so nothing has changed if a
    /// target is refused.
    ///
    /// # Errors
    ///
    /// Returns an error if the accounts cannot be listed, or if there is no account at a target.
    pub(crate) async fn send(
        &mut self,
        accounts: UnboundedSender<Account>,
        total: &Cell<Option<usize>>,
    ) -> Result<(), Error> {
        let mut waiting = vec![];
        let mut count = 0;
        let mut pages = Pages::default();
        while let Some(page) = organization::accounts::accounts(self.management, &mut pages).await?
        {
            for listed in page {
                if let Some(account) = self.choose(listed).await? {
                    count += 1;
                    waiting.push(account);
                }
            }
            if self.scope.is_certain() {
                for account in waiting.drain(..) {
                    // The receiver lives for as long as this function runs.
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

    /// Returns every account to work in.
    ///
    /// # Errors
    ///
    /// Returns an error if the accounts cannot be listed, or if there is no account at a target.
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

    /// Returns every account to work in, chosen from the `listed` accounts of the organization.
    ///
    /// # Errors
    ///
    /// Returns an error if the places of accounts cannot be read, or if there is no account at a
    /// target.
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

    /// Returns the accounts below each target. They are read only once.
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
