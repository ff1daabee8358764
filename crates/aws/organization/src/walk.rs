//! The way down the tree of the organization, from the root or an OU to everything below it.

use std::collections::BTreeSet;

use aws::operation::{LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS};
use aws::{Error, Management};
use aws_sdk_organizations::types::Account;
use plan::id::{AccountId, TargetId};
use report::Unit;

use crate::organizations;

/// The meaning of a root or OU that does not exist by the time it is read.
///
/// AWS deletes only OUs without accounts and OUs in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vanished {
    /// It has no accounts and OUs, as somebody may name a place that is gone.
    Empty,
    /// It fails the walk: what was read before no longer fits what is read after it.
    Fails,
}

/// A walk over a root or OU and the OUs below it, each after its parent, and level by level.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    management: &'a Management,
    vanished: Vanished,
    /// The OUs that are left out, with everything below them.
    without: Option<&'a BTreeSet<TargetId>>,
    units: Vec<Unit>,
    /// The number of units that were returned.
    reached: usize,
}

impl<'a> Walk<'a> {
    /// Begins a walk at `start`.
    pub(crate) fn from(management: &'a Management, start: Unit, vanished: Vanished) -> Self {
        Self { management, vanished, without: None, units: vec![start], reached: 0 }
    }

    /// Leaves out these OUs and everything below them.
    pub(crate) fn without(self, units: &'a BTreeSet<TargetId>) -> Self {
        Self { without: Some(units), ..self }
    }

    /// Returns the next unit, by its index among all; `None` after the last one. The OUs below the
    /// unit before it are read now, and not earlier, since a walk may end before it needs them.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails, or if an OU has no usable ID. Without it, everything below
    /// it would be left out.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, TargetId)>, Error> {
        if let Some(parent) = self.reached.checked_sub(1) {
            self.read_below(parent).await?;
        }
        let next = self.units.get(self.reached).map(|it| (self.reached, it.id.clone()));
        self.reached += usize::from(next.is_some());
        Ok(next)
    }

    /// Returns every unit that the walk knows, each after its parent.
    pub(crate) fn into_units(self) -> Vec<Unit> {
        self.units
    }

    /// Adds the OUs right below the unit with this index.
    async fn read_below(&mut self, parent: usize) -> Result<(), Error> {
        let Some(id) = self.units.get(parent).map(|it| it.id.clone()) else { return Ok(()) };
        let client = organizations::client(self.management);
        let list = client.list_organizational_units_for_parent().parent_id(id.as_str());
        let action = format!("list the OUs in {id}");
        let units = self.management.calls.pages(LIST_UNITS, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.organizational_units, page.next_token))
        });
        for it in self.unless_vanished(units.await)?.unwrap_or_default() {
            let id = it.id.and_then(|it| it.parse().ok());
            let id: TargetId = id.ok_or_else(|| Error::incomplete(&action, "an OU's ID"))?;
            if !self.without.is_some_and(|it| it.contains(&id)) {
                let name = it.name.unwrap_or_default();
                self.units.push(Unit { id, name, parent: Some(parent) });
            }
        }
        Ok(())
    }

    /// Lists the IDs of the accounts right below `parent`.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails, or if an account has no usable ID.
    pub(crate) async fn accounts_in(&self, parent: &TargetId) -> Result<Vec<AccountId>, Error> {
        let mut all = Vec::new();
        let keep = |it: Account| {
            all.push(it.id.and_then(|it| it.parse().ok()));
            None::<()>
        };
        self.find_account_in(parent, keep).await?;
        let all: Option<_> = all.into_iter().collect();
        let action = || format!("list the accounts in {parent}");
        all.ok_or_else(|| Error::incomplete(&action(), "an account's ID"))
    }

    /// Lists the accounts right below `parent` until `pick` accepts one. The accounts after it need
    /// not be read.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails.
    pub(crate) async fn find_account_in<T>(
        &self,
        parent: &TargetId,
        pick: impl FnMut(Account) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let client = organizations::client(self.management);
        let list = client.list_accounts_for_parent().parent_id(parent.as_str());
        let action = format!("list the accounts in {parent}");
        let accounts = async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.accounts, page.next_token))
        };
        let calls = &self.management.calls;
        let found = calls.find(LIST_ACCOUNTS_FOR_PARENT, &action, accounts, pick).await;
        Ok(self.unless_vanished(found)?.flatten())
    }

    /// Returns `None` for a unit that has vanished, if that is no failure.
    fn unless_vanished<T>(&self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match (read, self.vanished) {
            (Err(error), Vanished::Empty) if error.code() == Some("ParentNotFoundException") => {
                Ok(None)
            }
            (read, Vanished::Empty | Vanished::Fails) => read.map(Some),
        }
    }
}
