//! The accounts of the organization, as AWS Organizations lists them.

use std::collections::BTreeSet;

use aws::operation::LIST_ACCOUNTS;
use aws::{Error, Kind, Management, Pages};
use aws_sdk_organizations::types::Account as WireAccount;
use plan::id::{AccountId, TargetId};
use plan::member_accounts::{Account, Listed};
use report::Unit;

use crate::organizations;
use crate::walk::{Vanished, Walk};

/// The facts about the organization that work in its accounts needs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The management account.
    pub management: AccountId,
    /// The partition, for example `aws-cn`.
    pub partition: String,
}

/// Reads the facts about the organization.
///
/// # Errors
///
/// Returns an error if the read fails.
pub async fn identify(management: &Management) -> Result<Identity, Error> {
    let organization = organizations::organization(management).await?;
    let partition = organization.partition()?;
    Ok(Identity { management: organization.management_account, partition })
}

/// Reads the next page of the accounts of the organization; returns `None` after the last page.
///
/// # Errors
///
/// Returns an error if the read fails, or if the listing never ends.
pub async fn accounts(
    management: &Management,
    pages: &mut Pages,
) -> Result<Option<Vec<Listed>>, Error> {
    const ACTION: &str = "list the accounts of the organization";
    let Some(token) = pages.token() else { return Ok(None) };
    let list = organizations::client(management).list_accounts().set_next_token(token).send();
    let page = match management.calls.call(LIST_ACCOUNTS, ACTION, list).await {
        Err(denied) if denied.kind() == Kind::Denied => {
            return Err(organizations::explain(management, denied).await);
        }
        page => page?,
    };
    pages.turn(ACTION, page.next_token)?;
    let accounts = page.accounts.unwrap_or_default().into_iter().map(listed);
    let accounts: Option<_> = accounts.collect();
    accounts.map(Some).ok_or_else(|| Error::incomplete(ACTION, "an account's ID"))
}

fn listed(it: WireAccount) -> Option<Listed> {
    Some(Listed {
        state: organizations::state(it.state.as_ref(), it.status.as_ref()),
        account: Account {
            id: it.id?.parse().ok()?,
            name: it.name.unwrap_or_default(),
            is_central: false,
        },
        paths: it.paths.unwrap_or_default(),
    })
}

/// Lists the accounts anywhere below `place`, for AWS endpoints that do not report the paths of
/// accounts.
///
/// # Errors
///
/// Returns an error if a read fails. A place that does not exist has no accounts.
pub async fn accounts_below(
    management: &Management,
    place: &TargetId,
) -> Result<BTreeSet<AccountId>, Error> {
    let start = Unit { id: place.clone(), name: String::new(), parent: None };
    let mut walk = Walk::from(management, start, Vanished::Empty);
    let mut below = BTreeSet::new();
    while let Some((_, parent)) = walk.next().await? {
        below.extend(walk.accounts_in(&parent).await?);
    }
    Ok(below)
}
