//! Reads the tree of the organization and its backup policies, for reports. Nothing is changed.
//!
//! The number of reads grows with the pages of accounts, with the OUs, and with the policies and
//! their targets.

use std::collections::BTreeMap;

use aws::operation::{DESCRIBE_POLICY, LIST_POLICIES_FOR_TARGET, LIST_TARGETS, Need};
use aws::reading::{Readings, Tell};
use aws::{Error, Management, Pages, failure};
use aws_sdk_organizations::types::PolicyType as WireType;
use plan::id::{AccountId, PolicyId, PolicyType, TargetId};
use plan::member_accounts::Listed;
use plan::policy_types::Status;
use report::{AttachedPolicy, GuardRails, Note, Organization, Placed, Unit};

use crate::accounts::accounts;
use crate::organizations::{self, ListedPolicy, READ_ROOT};
use crate::publication::{self, Frozen};
use crate::walk::{Vanished, Walk};

/// The number of accounts for which the errors of their effective policies are read.
const DETAILS: usize = 10;

/// The form in which the report names the OUs of accounts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tree {
    /// By the names of the OUs, which takes a read for each OU.
    Named,
    /// By their IDs only, as AWS lists them with the accounts.
    Bare,
}

/// Reads every account of the organization as AWS lists it.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn listed(management: &Management) -> Result<Vec<Listed>, Error> {
    let (mut listed, mut pages) = (Vec::new(), Pages::default());
    while let Some(page) = accounts(management, &mut pages).await? {
        listed.extend(page);
    }
    Ok(listed)
}

/// Reads the organization of the accounts that are `listed`, its backup policies, and their targets,
/// and tells how long the policies take. It does not read which effective policies AWS withholds: see
/// [`withheld`].
///
/// # Errors
///
/// Returns an error if the policies or the places of accounts cannot be read.
pub async fn organization(
    management: &Management,
    listed: Vec<Listed>,
    tree: Tree,
    notes: &mut Vec<Note>,
    tell: Tell<'_>,
) -> Result<Organization, Error> {
    let described = organizations::organization(management).await?;
    let root = organizations::root(management, READ_ROOT).await?;
    notes.extend(type_note(root.status(&PolicyType::backup())));
    let root = Unit { id: root.id, name: "Root".to_owned(), parent: None };
    // If AWS does not report the paths of accounts, every OU and the accounts in it have to be read.
    let is_told = listed.iter().all(|it| !it.paths.is_empty());
    let (units, places) = if is_told {
        let mut units =
            if tree == Tree::Bare { vec![root] } else { units(management, root).await? };
        let places = places_by_path(&listed, &mut units);
        (units, places)
    } else {
        places_by_parent(management, root, &listed, notes).await?
    };
    let (policies, attached) = policies(management, tell).await?;
    Ok(Organization {
        partition: described.partition()?,
        id: described.id,
        management: described.management_account,
        units,
        accounts: listed
            .into_iter()
            .zip(places)
            .map(|(listed, unit)| Placed { listed, unit })
            .collect(),
        policies,
        attached,
        withheld: None,
    })
}

/// Returns the note about backup policies, unless their policy type is enabled.
fn type_note(status: Status) -> Option<Note> {
    let (text, hint, is_unread) = match status {
        Status::Enabled => return None,
        Status::PendingEnable => {
            ("backup policies are being enabled", "run the command again later", false)
        }
        Status::Unknown => (
            "AWS has a status for backup policies that this release does not know, so that nobody \
             can say whether they take effect",
            "look at the root (`aws organizations list-roots`), or use a newer release",
            true,
        ),
        Status::PendingDisable | Status::Disabled => (
            "backup policies are not enabled, so that none takes effect",
            "deploy `templates/bootstrap.yaml`",
            false,
        ),
    };
    Some(Note { text: text.to_owned(), hint: hint.to_owned(), is_unread })
}

/// Lists the root and the OUs below it, each after its parent.
async fn units(management: &Management, root: Unit) -> Result<Vec<Unit>, Error> {
    let mut walk = Walk::from(management, root, Vanished::Fails);
    while walk.next().await?.is_some() {}
    Ok(walk.into_units())
}

/// Returns the OU of each account by its path, as its index. OUs that are only known from paths are
/// added.
fn places_by_path(listed: &[Listed], units: &mut Vec<Unit>) -> Vec<usize> {
    let mut known: BTreeMap<String, usize> =
        units.iter().enumerate().map(|(index, it)| (it.id.to_string(), index)).collect();
    let mut places = Vec::with_capacity(listed.len());
    for account in listed {
        let mut place = 0;
        for part in account.ids_in_paths() {
            let Some(id) = part.parse::<TargetId>().ok().filter(|_| part.contains('-')) else {
                continue;
            };
            place = *known.entry(part.to_owned()).or_insert_with(|| {
                units.push(Unit { id, name: String::new(), parent: Some(place) });
                units.len() - 1
            });
        }
        places.push(place);
    }
    places
}

/// Lists the root and the OUs below it, and the accounts in each. Returns the OU of each account as
/// its index.
async fn places_by_parent(
    management: &Management,
    root: Unit,
    listed: &[Listed],
    notes: &mut Vec<Note>,
) -> Result<(Vec<Unit>, Vec<usize>), Error> {
    let mut walk = Walk::from(management, root, Vanished::Fails);
    let mut places = BTreeMap::<AccountId, usize>::new();
    while let Some((index, unit)) = walk.next().await? {
        places.extend(walk.accounts_in(&unit).await?.into_iter().map(|it| (it, index)));
    }
    notes.extend(listed.iter().filter_map(|it| nowhere(&it.account.id, &places)));
    let place = |it: &Listed| places.get(&it.account.id).copied().unwrap_or_default();
    Ok((walk.into_units(), listed.iter().map(place).collect()))
}

/// Returns a note if an account that AWS lists was found in no OU, because it was being moved.
fn nowhere(account: &AccountId, places: &BTreeMap<AccountId, usize>) -> Option<Note> {
    (!places.contains_key(account)).then(|| Note {
        text: format!(
            "the OU of account {account} is unknown, and the account is shown right below the root"
        ),
        hint: "it may be moving to another OU: ask again in a minute".to_owned(),
        is_unread: true,
    })
}

type Policies = (BTreeMap<PolicyId, AttachedPolicy>, BTreeMap<TargetId, Vec<PolicyId>>);

/// Reads the backup policies and their targets. Policies of one target that contradict each other
/// count in an order that only AWS knows.
async fn policies(management: &Management, tell: Tell<'_>) -> Result<Policies, Error> {
    let kind = &WireType::BackupPolicy;
    let (policies, mut attached) = made(management, kind, "backup policies", tell).await?;
    let several: Vec<_> = attached.iter_mut().filter(|it| it.1.len() > 1).collect();
    let (what, operations) = ("targets of several policies", &[LIST_POLICIES_FOR_TARGET]);
    let readings = Readings { what, all: several.len(), operations, tell };
    for (done, (target, policies)) in several.into_iter().enumerate() {
        readings.are(done);
        *policies = organizations::policies_at(management, target).await?;
    }
    Ok((policies, attached))
}

/// Reads the service control policies and their targets: each policy once for all accounts.
///
/// # Errors
///
/// Returns an error if the caller may not read them.
pub async fn guard_rails(management: &Management, tell: Tell<'_>) -> Result<GuardRails, Error> {
    let (kind, what) = (&WireType::ServiceControlPolicy, "service control policies");
    let management = management.for_what_is(Need::Helpful);
    let (policies, attached) = made(&management, kind, what, tell).await?;
    Ok(GuardRails { policies, attached })
}

/// Reads the policies of a type that AWS did not make, and their targets. The documents of policies
/// without targets are not read.
async fn made(
    management: &Management,
    kind: &WireType,
    what: &'static str,
    tell: Tell<'_>,
) -> Result<Policies, Error> {
    let mut policies = BTreeMap::new();
    let mut attached = BTreeMap::<TargetId, Vec<PolicyId>>::new();
    let listed = organizations::policies(management, kind).await?;
    let operations = &[LIST_TARGETS, DESCRIBE_POLICY];
    let readings = Readings { what, all: listed.len(), operations, tell };
    for (done, ListedPolicy { id, name }) in listed.into_iter().enumerate() {
        readings.are(done);
        let targets = organizations::targets(management, &id).await?;
        let text = if targets.is_empty() {
            None
        } else {
            organizations::policy(management, &id).await?.and_then(|it| it.content)
        };
        for target in targets {
            attached.entry(target).or_default().push(id.clone());
        }
        policies.insert(id, AttachedPolicy { name, text });
    }
    Ok((policies, attached))
}

/// Reads the accounts from which AWS withholds their effective policies; returns `None` and adds a
/// note if AWS does not answer.
pub async fn withheld(
    management: &Management,
    notes: &mut Vec<Note>,
) -> Option<BTreeMap<AccountId, Vec<String>>> {
    match publication::frozen(management, DETAILS).await {
        Ok(frozen) => Some(words(&frozen)),
        Err(error) => {
            let problem = failure(None, &error).problem;
            notes.push(Note {
                text: format!("AWS did not answer which merged policies it withholds: {problem}"),
                hint: "until it does, the policies that this program finds invalid count as \
                       withheld"
                    .to_owned(),
                is_unread: true,
            });
            None
        }
    }
}

/// Returns the errors that AWS reports, by account.
pub fn words(frozen: &[Frozen]) -> BTreeMap<AccountId, Vec<String>> {
    let words = frozen.iter().filter_map(|it| Some((it.account.parse().ok()?, it.errors.clone())));
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policies_that_are_off_are_said_to_be_off() {
        assert_eq!(type_note(Status::Enabled), None);
        let text = |status| type_note(status).unwrap().text;
        for status in [Status::Disabled, Status::PendingDisable] {
            assert!(text(status).contains("are not enabled"), "{status:?}");
        }
        assert!(text(Status::PendingEnable).contains("are being enabled"));
        let unknown = type_note(Status::Unknown).unwrap();
        assert!(unknown.is_unread && unknown.text.contains("does not know"), "{unknown:?}");
    }

    #[test]
    fn an_account_that_no_ou_has_is_told() {
        let (here, moving) = ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let places = [(here, 2)].into();
        let note = nowhere(&moving, &places).unwrap();
        assert!(note.is_unread && note.text.contains("444455556666"), "{note:?}");
        assert!(nowhere(places.keys().next().unwrap(), &places).is_none());
    }
}
