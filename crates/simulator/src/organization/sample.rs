//! The organization with which a simulator starts.

use super::{AccountState, Organization};
use crate::settings::Settings;

/// The OUs, each with its parent and the number of accounts that it gets out of ten.
const UNITS: [(&str, Option<&str>, usize); 5] = [
    ("Security", None, 1),
    ("Workloads", None, 0),
    ("Production", Some("Workloads"), 4),
    ("Development", Some("Workloads"), 3),
    ("Sandbox", None, 2),
];

/// The number of accounts from which on one of them is suspended.
const WITH_SUSPENDED: usize = 10;

pub(super) fn build(settings: &Settings) -> Organization {
    let mut organization = Organization::new(settings);
    let root = organization.root.clone();
    let mut places = Vec::new();
    for (name, parent, share) in UNITS {
        let parent = parent.and_then(|it| organization.unit_named(it)).map(|it| it.id.clone());
        let parent = parent.unwrap_or_else(|| root.clone());
        if let Ok(unit) = organization.create_unit(&parent, name, &[]) {
            places.extend(std::iter::repeat_n((unit, name.to_lowercase()), share));
        }
    }
    let management = settings.management_account.clone();
    organization.add_account(Some(&management), "management", "management@example.com", &root);
    let places = places.iter().cycle().take(settings.accounts.saturating_sub(1));
    let mut last = None;
    for (number, (unit, place)) in places.enumerate() {
        let name = format!("{place}-{number:03}");
        last = Some(organization.add_account(None, &name, &format!("{name}@example.com"), unit));
    }
    if let Some(account) = last.filter(|_| settings.accounts >= WITH_SUSPENDED) {
        organization.set_account_state(&account, AccountState::Suspended);
    }
    organization.publish();
    organization.revision = 0;
    organization
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            let settings = Settings { seed, ..Settings::default() };
            let organization = Organization::sample(&settings);
            organization.accounts().cloned().collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn the_sample_has_the_accounts_asked_for_and_one_suspended_from_ten_on() {
        for (accounts, suspended) in [(1, 0), (9, 0), (10, 1), (40, 1)] {
            let organization = Organization::sample(&Settings::default().accounts(accounts));
            assert_eq!(organization.accounts().count(), accounts);
            let asleep = organization.accounts().filter(|it| it.state == AccountState::Suspended);
            assert_eq!(asleep.count(), suspended);
        }
    }

    #[test]
    fn the_management_account_is_alone_in_the_root() {
        let organization = Organization::sample(&Settings::default().accounts(40));
        let ids: Vec<_> = organization.accounts_in(&organization.root).map(|it| &it.id).collect();
        assert_eq!(ids, [&organization.management_account]);
    }
}
