//! The accounts.

use std::time::Duration;

use super::{Answer, Organization};
use crate::refusal::{Code, Constraint, Refusal};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its ID, twelve digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// The root or OU that contains it.
    pub parent: String,
    /// Its state.
    pub state: AccountState,
    /// True if the organization created it, and false if it was invited.
    pub created: bool,
    /// The time at which it joined, counted from the organization's start.
    pub joined: Duration,
}

/// The state of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Not yet usable.
    PendingActivation,
    /// In use.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed.
    Closed,
}

impl AccountState {
    /// Returns the state as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }

    /// Returns the older status, which has fewer values.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::PendingActivation | Self::Active => "ACTIVE",
            Self::Suspended | Self::Closed => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
        }
    }
}

/// A request to create an account.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) requested: Duration,
    /// The account, or the reason for which it was not created.
    pub(crate) result: Result<String, &'static str>,
}

impl Organization {
    /// Returns every account, by ID.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Returns the accounts directly in `parent`.
    pub fn accounts_in(&self, parent: &str) -> impl Iterator<Item = &Account> {
        self.accounts.values().filter(move |it| it.parent == parent)
    }

    /// Returns the account with this ID.
    ///
    /// # Errors
    ///
    /// Returns `AccountNotFoundException` if it is not in the organization.
    pub fn account(&self, id: &str) -> Answer<&Account> {
        let message = "We can't find an AWS account with the AccountId that you specified.";
        self.accounts.get(id).ok_or_else(|| Refusal::new(Code::AccountNotFound, message))
    }

    /// Sets the `state` of `account`, if it exists.
    pub fn set_account_state(&mut self, account: &str, state: AccountState) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.state = state;
            self.changed();
        }
    }

    /// Moves `account` to `to`, which must not be its current parent.
    ///
    /// # Errors
    ///
    /// Returns the errors of `MoveAccount`.
    pub fn move_account(&mut self, account: &str, from: &str, to: &str) -> Answer<()> {
        let parent = self.account(account)?.parent.clone();
        self.expect_parent(to, Code::DestinationParentNotFound)?;
        self.expect_parent(from, Code::SourceParentNotFound)?;
        if parent != from {
            let message = "The account is not in the source parent that you specified.";
            return Err(Refusal::new(Code::SourceParentNotFound, message));
        }
        if from == to {
            let message = "The account is already present in the specified destination.";
            return Err(Refusal::new(Code::DuplicateAccount, message));
        }
        if let Some(account) = self.accounts.get_mut(account) {
            to.clone_into(&mut account.parent);
        }
        self.touch(account);
        self.changed();
        Ok(())
    }

    /// Removes an account and everything attached to it from the organization.
    ///
    /// # Errors
    ///
    /// Returns the errors of `RemoveAccountFromOrganization`.
    pub fn remove_account(&mut self, account: &str) -> Answer<()> {
        self.account(account)?;
        if account == self.management_account {
            let message = "You can't remove a management account from an organization.";
            return Err(Refusal::new(Code::MasterCannotLeave, message));
        }
        if self.delegated.keys().any(|it| it.0 == account) {
            let message = "You can't remove a delegated administrator from the organization.";
            return Err(Refusal::constraint(Constraint::CannotRemoveAdministrator, message));
        }
        self.accounts.remove(account);
        self.attachments.remove(account);
        self.tags.remove(account);
        self.forget(account);
        self.changed();
        Ok(())
    }

    /// Starts to create an account, which appears in the root, and returns the ID of the request.
    ///
    /// # Errors
    ///
    /// Returns the errors of `CreateAccount`. The status of the request reports later failures.
    pub fn create_account(
        &mut self,
        name: &str,
        email: &str,
        tags: &[(String, String)],
    ) -> Answer<String> {
        let tags = self.merged_tags(None, tags)?;
        let result = if self.accounts.len() >= self.quotas.accounts {
            Err("ACCOUNT_LIMIT_EXCEEDED")
        } else if self.accounts.values().any(|it| it.email.eq_ignore_ascii_case(email)) {
            Err("EMAIL_ALREADY_EXISTS")
        } else {
            let root = self.root.clone();
            let id = self.add_account(None, name, email, &root);
            self.tags.insert(id.clone(), tags);
            Ok(id)
        };
        let id = self.ids.lower("car-", 32);
        let (name, requested) = (name.to_owned(), self.now);
        self.creations.insert(id.clone(), Creation { id: id.clone(), name, requested, result });
        Ok(id)
    }

    pub(crate) fn creation(&self, id: &str) -> Answer<&Creation> {
        let message = "We can't find a create account request with the ID that you specified.";
        let missing = || Refusal::new(Code::CreateAccountStatusNotFound, message);
        self.creations.get(id).ok_or_else(missing)
    }

    pub(super) fn add_account(
        &mut self,
        id: Option<&str>,
        name: &str,
        email: &str,
        parent: &str,
    ) -> String {
        let id = id.map_or_else(|| self.ids.account(), str::to_owned);
        let account = Account {
            id: id.clone(),
            name: name.to_owned(),
            email: email.to_owned(),
            parent: parent.to_owned(),
            state: AccountState::Active,
            created: id != self.management_account,
            joined: self.now,
        };
        self.accounts.insert(id.clone(), account);
        self.adopt(&id);
        self.touch(&id);
        self.changed();
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn an_account_moves_only_from_where_it_is() {
        let mut organization = Organization::sample(&Settings::default());
        let (root, management) =
            (organization.root.clone(), organization.management_account.clone());
        let sandbox = organization.unit_named("Sandbox").unwrap().id.clone();
        let wrong = organization.move_account(&management, &sandbox, &root).unwrap_err();
        assert_eq!(wrong.code, Code::SourceParentNotFound);
        organization.move_account(&management, &root, &sandbox).unwrap();
        assert_eq!(organization.parent(&management), Some(sandbox.as_str()));
        let again = organization.move_account(&management, &sandbox, &sandbox).unwrap_err();
        assert_eq!(again.code, Code::DuplicateAccount);
    }

    #[test]
    fn an_account_goes_unless_the_organization_needs_it() {
        let mut organization = Organization::sample(&Settings::default());
        let management = organization.management_account.clone();
        let refusal = organization.remove_account(&management).unwrap_err();
        assert_eq!(refusal.code, Code::MasterCannotLeave);
        let member = organization.accounts().find(|it| it.created).unwrap().id.clone();
        organization.enable_service_access("backup.amazonaws.com").unwrap();
        organization.register_delegated_administrator(&member, "backup.amazonaws.com").unwrap();
        let refusal = organization.remove_account(&member).unwrap_err();
        let expected = "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG";
        assert_eq!(refusal.reason.as_deref(), Some(expected));
        organization.deregister_delegated_administrator(&member, "backup.amazonaws.com").unwrap();
        organization.remove_account(&member).unwrap();
        assert_eq!(organization.account(&member).unwrap_err().code, Code::AccountNotFound);
    }

    #[test]
    fn a_second_account_with_the_same_address_is_not_made() {
        let mut organization = Organization::sample(&Settings::default());
        let first = organization.create_account("one", "one@example.com", &[]).unwrap();
        let second = organization.create_account("two", "ONE@example.com", &[]).unwrap();
        assert!(organization.creation(&first).unwrap().result.is_ok());
        let refused = organization.creation(&second).unwrap();
        assert_eq!(refused.result.as_deref(), Err(&"EMAIL_ALREADY_EXISTS"));
    }
}
