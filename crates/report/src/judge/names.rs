//! The names in plans other than the vaults and roles that make backups: roles that scan or index
//! backups, and accounts that backups are copied to.

use std::collections::{BTreeMap, BTreeSet};

use plan::id::{AccountId, RoleName};
use plan::member_accounts::{Failure, Role, check_indexing};
use plan::plans::Plan;
use policy::arn::Arn;

use super::{Cell, Organization};

/// Adds a problem for each role that these plans scan backups with and that does not exist.
pub(super) fn scanners<T>(
    seen: &BTreeMap<RoleName, Result<Option<T>, Failure>>,
    plans: &[&Plan],
    cell: &mut Cell,
) {
    let names: BTreeSet<_> = plans.iter().filter_map(|it| it.scanner.as_ref()).collect();
    for name in names {
        match seen.get(name) {
            Some(Ok(None)) => cell.miss(
                format!("there is no role `{name}`, which is to scan backups"),
                "make the role, or take `scan_settings` out of the plan",
            ),
            Some(Err(failure)) => cell.fail(failure),
            Some(Ok(Some(_))) | None => {}
        }
    }
}

/// Adds a problem for each role that has to index the backups of these plans and cannot.
pub(super) fn indexers(
    seen: &BTreeMap<RoleName, Result<Option<Role>, Failure>>,
    plans: &[&Plan],
    cell: &mut Cell,
) {
    let indexing = plans.iter().filter(|it| it.indexes);
    let names: BTreeSet<_> = indexing.flat_map(|it| &it.roles).collect();
    for name in names {
        if let Some(Ok(Some(role))) = seen.get(name)
            && let Some(problem) = check_indexing(name, role)
        {
            cell.problem(&problem);
        }
    }
}

/// Adds a problem for each account that these plans copy backups to and that is not in the
/// organization.
pub(super) fn strangers(organization: &Organization, plans: &[&Plan], cell: &mut Cell) {
    let is_ours = |account: &AccountId| {
        organization.accounts.iter().any(|it| it.listed.account.id == *account)
    };
    let copies = plans.iter().flat_map(|it| &it.rules).flat_map(|it| &it.copies);
    // The placeholder for the account itself is not an ID, so it is left out.
    let accounts = copies.filter_map(|it| Arn::parse(it).ok()?.account.parse().ok());
    let accounts: BTreeSet<AccountId> = accounts.collect();
    for account in accounts.iter().filter(|it| !is_ours(it)) {
        cell.miss(
            format!("copies go to the account {account}, which is not in the organization"),
            "correct the account in `copy_actions`, or invite it",
        );
    }
}
