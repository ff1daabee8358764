//! Reads the data of the report on the organization: its tree, its backup policies, and what is in
//! its accounts. Nothing is changed.
//!
//! The number of reads grows with the pages of accounts, with the OUs, and with the policies and
//! their targets. Each account takes one read for the service-linked role of AWS Backup, one for
//! the settings of each Region, and three for each vault and role to check.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_sdk_organizations::types::PolicyType as WireType;
use plan::desired_state::{Entry, prefix};
use plan::id::{AccountId, PolicyId, PolicyType, TargetId};
use plan::member_accounts::{Failure, Listed, Vault};
use plan::policy_types::Status;
use plan::reattach::Sweep;
use plan::resource::ResourceKind;
use report::{
    AttachedPolicy, Destination, LastLook, Look, Note, Organization, Place, Placed, Seen, Unit,
    Wanted, last_looks, wanted,
};

use crate::calls::Pages;
use crate::error::Error;
use crate::member_accounts::{Member, accounts, failure, is_disabled};
use crate::operation::{
    DESCRIBE_POLICY, LIST_ACCOUNTS_FOR_PARENT, LIST_POLICIES_FOR_TARGET, LIST_TARGETS, LIST_UNITS,
};
use crate::organizations::READ_ROOT;
use crate::publication::{self, Frozen};
use crate::reading::{Readings, Tell};
use crate::session::Management;
use crate::state::State;

/// The key under which the daily sweep stores its page.
pub const PAGE: &str = "reports/organization.html";

/// The number of accounts for which the errors of their effective policies are read.
const DETAILS: usize = 10;

/// The maximum number of reports of runs to read, if the newest does not cover every account.
const REPORTS: usize = 20;

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
    let described = management.organization().await?;
    let root = management.root(READ_ROOT).await?;
    if root.status(&PolicyType::backup()) != Status::Enabled {
        notes.push(Note {
            text: "backup policies are not enabled, so that none takes effect".to_owned(),
            hint: "deploy `templates/bootstrap.yaml`".to_owned(),
            is_unread: false,
        });
    }
    let root = Unit { id: root.id, name: "Root".to_owned(), parent: None };
    // If AWS does not report the paths of accounts, every OU has to be read.
    let is_told = listed.iter().all(|it| !it.paths.is_empty());
    let mut units =
        if tree == Tree::Bare && is_told { vec![root] } else { units(management, root).await? };
    let places = places(management, &listed, &mut units).await?;
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

/// Lists the OUs below the root, each after its parent.
async fn units(management: &Management, root: Unit) -> Result<Vec<Unit>, Error> {
    let client = management.organizations();
    let mut units = vec![root];
    let mut next = 0;
    while let Some(parent) = units.get(next).map(|it| it.id.clone()) {
        let action = format!("list the OUs in {parent}");
        let list = client.list_organizational_units_for_parent().parent_id(parent.as_str());
        let below = management.calls.pages(LIST_UNITS, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.organizational_units, page.next_token))
        });
        units.extend(below.await?.into_iter().filter_map(|it| {
            let id = it.id?.parse().ok()?;
            Some(Unit { id, name: it.name.unwrap_or_default(), parent: Some(next) })
        }));
        next += 1;
    }
    Ok(units)
}

/// Returns the OU of each account, by its index. OUs that are only known from paths are added.
async fn places(
    management: &Management,
    listed: &[Listed],
    units: &mut Vec<Unit>,
) -> Result<Vec<usize>, Error> {
    if listed.iter().any(|it| it.paths.is_empty()) {
        return places_by_parent(management, listed, units).await;
    }
    let mut known: BTreeMap<String, usize> =
        units.iter().enumerate().map(|(index, it)| (it.id.to_string(), index)).collect();
    let mut places = Vec::with_capacity(listed.len());
    for account in listed {
        let mut place = 0;
        for part in account.paths.iter().flat_map(|it| it.split('/')) {
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
    Ok(places)
}

/// Does the same if AWS does not report the paths of accounts: lists the accounts of every OU.
async fn places_by_parent(
    management: &Management,
    listed: &[Listed],
    units: &[Unit],
) -> Result<Vec<usize>, Error> {
    let client = management.organizations();
    let mut places = BTreeMap::<AccountId, usize>::new();
    for (index, unit) in units.iter().enumerate() {
        let action = format!("list the accounts in {}", unit.id);
        let list = client.list_accounts_for_parent().parent_id(unit.id.as_str());
        let accounts = management.calls.pages(LIST_ACCOUNTS_FOR_PARENT, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.accounts, page.next_token))
        });
        let ids = accounts.await?.into_iter().filter_map(|it| it.id?.parse().ok());
        places.extend(ids.map(|it| (it, index)));
    }
    Ok(listed.iter().map(|it| places.get(&it.account.id).copied().unwrap_or_default()).collect())
}

type Policies = (BTreeMap<PolicyId, AttachedPolicy>, BTreeMap<TargetId, Vec<PolicyId>>);

/// Reads the backup policies and their targets. The documents of policies without targets are not
/// read.
async fn policies(management: &Management, tell: Tell<'_>) -> Result<Policies, Error> {
    let mut policies = BTreeMap::new();
    let mut attached = BTreeMap::<TargetId, Vec<PolicyId>>::new();
    let listed = management.policies(&WireType::BackupPolicy).await?;
    let operations = &[LIST_TARGETS, DESCRIBE_POLICY];
    let readings = Readings { what: "backup policies", all: listed.len(), operations, tell };
    for (done, summary) in listed.into_iter().enumerate() {
        readings.are(done);
        let Some(id) = summary.id.and_then(|it| it.parse::<PolicyId>().ok()) else { continue };
        let targets = management.targets(&id).await?;
        let text = if targets.is_empty() {
            None
        } else {
            management.policy(&id).await?.and_then(|it| it.content)
        };
        for target in targets {
            attached.entry(target).or_default().push(id.clone());
        }
        policies.insert(id, AttachedPolicy { name: summary.name.unwrap_or_default(), text });
    }
    // Policies of one target that contradict each other count in an order that only AWS knows.
    let several: Vec<_> = attached.iter_mut().filter(|it| it.1.len() > 1).collect();
    let (what, operations) = ("targets of several policies", &[LIST_POLICIES_FOR_TARGET]);
    let readings = Readings { what, all: several.len(), operations, tell };
    for (done, (target, policies)) in several.into_iter().enumerate() {
        readings.are(done);
        *policies = management.policies_at(target).await?;
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
                text: format!("AWS did not say which merged policies it withholds: {problem}"),
                hint: "until it does, those that this program finds invalid count".to_owned(),
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

/// Inspects an account whose role was assumed.
pub async fn look(member: &Member<'_>, look: &Look) -> Seen {
    let service_role = member.has_service_role().await.map_err(|it| failure(None, &it));
    let mut seen = Seen { service_role: Some(service_role), ..Seen::default() };
    for name in &look.roles {
        let role = member.backup_role(name).await.map_err(|it| failure(None, &it));
        seen.roles.insert(name.clone(), role);
    }
    for (region, vaults) in &look.regions {
        let settings = match member.settings(region).await {
            Err(error) if is_disabled(&error) => {
                let closed = Place::Closed(failure(Some(region), &error));
                seen.regions.insert(region.clone(), closed);
                continue;
            }
            settings => settings.map_err(|it| failure(Some(region), &it)),
        };
        let mut found = BTreeMap::new();
        for name in vaults {
            let vault = member.vault(region, name).await;
            found.insert(name.clone(), vault.map_err(|it| failure(Some(region), &it)));
        }
        seen.regions.insert(region.clone(), Place::Open { settings, vaults: found });
    }
    seen
}

/// Inspects vaults that receive copies, in an account whose role was assumed.
pub async fn look_at_destinations(
    member: &Member<'_>,
    destinations: &BTreeSet<Destination>,
) -> BTreeMap<Destination, Result<Vault, Failure>> {
    let mut seen = BTreeMap::new();
    for it in destinations {
        let vault = member.vault(&it.region, &it.name).await.map(|it| it.0);
        seen.insert(it.clone(), vault.map_err(|error| failure(Some(&it.region), &error)));
    }
    seen
}

/// The contents of the state bucket.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The settings that templates request for accounts.
    pub wanted: Vec<Wanted>,
    /// The findings of the last runs in the accounts.
    pub looks: BTreeMap<AccountId, LastLook>,
    /// The time of the last sweep.
    pub last_sweep: Option<SystemTime>,
}

/// Reads what the functions left in the state bucket. A failed read becomes a note.
pub async fn remembered(
    state: &State,
    accounts: &BTreeSet<AccountId>,
    notes: &mut Vec<Note>,
) -> Remembered {
    let mut remembered = Remembered { wanted: asked(state, notes).await, ..Remembered::default() };
    let (looks, errors) = looks(state, accounts).await;
    remembered.looks = looks;
    notes.extend(errors.iter().map(unread));
    match state.read(Sweep::KEY).await {
        Ok(kept) => {
            let sweep = kept.and_then(|it| Sweep::read(&it.0));
            remembered.last_sweep = sweep.map(|it| it.time());
        }
        Err(error) => notes.push(unread(&error)),
    }
    remembered
}

/// Reads what templates ask for in accounts. A failed read becomes a note.
pub async fn asked(state: &State, notes: &mut Vec<Note>) -> Vec<Wanted> {
    let (kept, errors) = kept(state).await;
    let (wanted, more) = wanted(&kept);
    notes.extend(more);
    notes.extend(errors.iter().map(unread));
    wanted
}

fn unread(error: &Error) -> Note {
    let hint = error.hint().unwrap_or_default().into_owned();
    Note { text: error.problem(), hint, is_unread: true }
}

/// Reads the entries of every `Custom::MemberAccounts`, and the errors of the entries that cannot
/// be read.
async fn kept(state: &State) -> (Vec<Entry>, Vec<Error>) {
    let (mut kept, mut errors) = (Vec::new(), Vec::new());
    match state.list(&prefix(ResourceKind::MemberAccounts)).await {
        Err(error) => errors.push(error),
        Ok(keys) => {
            for key in keys {
                match state.entry(&key).await {
                    Ok(found) => kept.extend(found.map(|(entry, _)| entry)),
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    (kept, errors)
}

/// Returns the findings of the last runs in these accounts. It reads reports from the newest on
/// until all accounts are known. Also returns the errors of reports that cannot be read.
pub async fn looks(
    state: &State,
    accounts: &BTreeSet<AccountId>,
) -> (BTreeMap<AccountId, LastLook>, Vec<Error>) {
    let mut errors = Vec::new();
    let mut written = state.written("runs/").await.unwrap_or_else(|error| {
        errors.push(error);
        vec![]
    });
    written.retain(|(key, _)| key.ends_with("/report.jsonl"));
    written.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    let mut texts: Vec<(SystemTime, String)> = Vec::new();
    let mut looks = BTreeMap::new();
    for (key, at) in written.into_iter().take(REPORTS) {
        match state.read(&key).await {
            Ok(found) => texts.extend(found.map(|(text, _)| (at, text))),
            Err(error) => errors.push(error),
        }
        looks = last_looks(texts.iter().map(|(at, text)| (*at, text.as_str())));
        if accounts.iter().all(|it| looks.contains_key(it)) {
            break;
        }
    }
    (looks, errors)
}
