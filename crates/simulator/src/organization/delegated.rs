//! Delegated administrators.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Account, AccountState, Answer, Organization, STACK_SETS, service_access};
use crate::refusal::{Code, Constraint, Refusal};

impl Organization {
    /// Returns every delegated administrator and the service principal that it administers.
    pub fn delegated_administrators(&self) -> impl Iterator<Item = (&str, &str)> {
        self.delegated.keys().map(|(account, principal)| (account.as_str(), principal.as_str()))
    }

    /// Returns the administrators of one service, or of any service, with the time of their
    /// registration.
    pub(crate) fn administrators(&self, principal: Option<&str>) -> Vec<(&Account, Duration)> {
        let mut seen = BTreeSet::new();
        let matching = self
            .delegated
            .iter()
            .filter(|((_, service), _)| principal.is_none_or(|it| it == service))
            .filter(|((account, _), _)| seen.insert(account.as_str()));
        matching.filter_map(|((it, _), at)| Some((self.accounts.get(it)?, *at))).collect()
    }

    /// Returns the services that an account administers, with the time of its registration.
    pub(crate) fn delegated_services(&self, account: &str) -> Answer<Vec<(&str, Duration)>> {
        self.account(account)?;
        let matching = self.delegated.iter().filter(|it| it.0.0 == account);
        let services: Vec<_> = matching.map(|(key, at)| (key.1.as_str(), *at)).collect();
        if services.is_empty() {
            return Err(not_registered());
        }
        Ok(services)
    }

    /// Registers an account as the administrator of a service.
    ///
    /// # Errors
    ///
    /// Returns the errors of `RegisterDelegatedAdministrator`.
    pub fn register_delegated_administrator(
        &mut self,
        account: &str,
        principal: &str,
    ) -> Answer<()> {
        service_access::check(principal)?;
        let state = self.account(account)?.state;
        if account == self.management_account {
            let message = "You can't register the management account as a delegated administrator.";
            return Err(Refusal::constraint(Constraint::CannotRegisterManagement, message));
        }
        if state != AccountState::Active {
            let message = "You can't register a suspended account as a delegated administrator.";
            return Err(Refusal::constraint(Constraint::CannotRegisterSuspended, message));
        }
        if !self.services.contains_key(principal) {
            let message = "You must enable service access before you register an administrator.";
            return Err(Refusal::constraint(Constraint::ServiceAccessNotEnabled, message));
        }
        let key = (account.to_owned(), principal.to_owned());
        if self.delegated.contains_key(&key) {
            let message = "The specified account is already a delegated administrator for this \
                           AWS service.";
            return Err(Refusal::new(Code::AccountAlreadyRegistered, message));
        }
        self.expect_room(principal)?;
        self.delegated.insert(key, self.now);
        self.changed();
        Ok(())
    }

    /// Reverses [`Self::register_delegated_administrator`].
    ///
    /// # Errors
    ///
    /// Returns the errors of `DeregisterDelegatedAdministrator`.
    pub fn deregister_delegated_administrator(
        &mut self,
        account: &str,
        principal: &str,
    ) -> Answer<()> {
        service_access::check(principal)?;
        self.account(account)?;
        let key = (account.to_owned(), principal.to_owned());
        self.delegated.remove(&key).ok_or_else(not_registered)?;
        self.changed();
        Ok(())
    }

    /// Returns an error if a service cannot have another administrator. Backup and StackSets may
    /// have several administrators, and the other services may have one.
    fn expect_room(&self, principal: &str) -> Answer<()> {
        let present = self.delegated.keys().filter(|it| it.1 == principal).count();
        let several = principal == "backup.amazonaws.com" || STACK_SETS.contains(&principal);
        if several && present >= self.quotas.delegated_administrators {
            let message = "You have reached the number of delegated administrators for this \
                           service.";
            return Err(Refusal::constraint(Constraint::MaxDelegatedAdministrators, message));
        }
        if !several && present > 0 {
            let message = "This service already has a delegated administrator.";
            return Err(Refusal::constraint(Constraint::DelegatedAdministratorExists, message));
        }
        Ok(())
    }
}

fn not_registered() -> Refusal {
    let message = "The specified account is not a delegated administrator for this AWS service.";
    Refusal::new(Code::AccountNotRegistered, message)
}
