//! The accounts and Regions for which the templates ask for backups.

use std::collections::BTreeSet;

use errors::chain;
use plan::desired_state::Entry;
use plan::id::{AccountId, Region, RoleName, Target};
use plan::member_accounts::{
    Choice, Desired, InvalidProperties, Listed, Objective, Properties, Scope, TagFilter,
};
use plan::properties;
use plan::resource::ResourceKind;

use super::Note;
use super::organization::Organization;

/// The requests of one `Custom::MemberAccounts`, or those on the command line.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The desired state in every account and Region.
    pub desired: Desired,
    /// The role that is assumed in member accounts, if it is known.
    pub member_role: Option<RoleName>,
    /// The account that receives copies, if there is one.
    pub central: Option<Central>,
    /// The requests about the backups of resources.
    asks: Asks,
    /// The targets and the excluded accounts. `None` stands for every account.
    scope: Option<(Vec<Target>, BTreeSet<AccountId>)>,
}

/// The requests of a template about the backups of resources, in addition to policies.
#[derive(Clone, Debug, Default)]
pub struct Asks {
    /// The tags that exclude a resource from backups.
    pub excluded: Vec<TagFilter>,
    /// The greatest ages that the newest backup may have.
    pub objectives: Vec<Objective>,
}

/// The account that receives copies.
#[derive(Clone, Debug)]
pub struct Central {
    /// The account.
    pub account: AccountId,
    /// The role that is assumed in the account.
    pub role: RoleName,
    /// The desired state in the account if no target reaches it.
    desired: Desired,
}

/// The requests that apply to an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct WantedHere<'a> {
    pub(super) desired: &'a Desired,
    /// The role that is assumed in the account, if the account only receives copies.
    pub(super) central: Option<&'a RoleName>,
}

impl Wanted {
    /// Returns a request for backups in these Regions of every account, for use where nothing else
    /// is known.
    pub fn in_regions(regions: BTreeSet<Region>) -> Self {
        let desired = Desired { regions, ..Desired::default() };
        Self { desired, member_role: None, central: None, asks: Asks::default(), scope: None }
    }

    /// Returns the requests that apply to this account, or `None` if there are none.
    pub(super) fn of(&self, management: &AccountId, listed: &Listed) -> Option<WantedHere<'_>> {
        let ordinary = WantedHere { desired: &self.desired, central: None };
        let Some((targets, excluded)) = &self.scope else { return Some(ordinary) };
        let (targets, excluded) = (targets.iter().cloned(), excluded.iter().cloned());
        let scope = Scope::new(management.clone(), targets, excluded);
        let central = self.central.as_ref();
        match scope.with_central(central.map(|it| it.account.clone())).choose(listed) {
            Choice::Included | Choice::Inactive => Some(ordinary),
            Choice::Central => {
                central.map(|it| WantedHere { desired: &it.desired, central: Some(&it.role) })
            }
            Choice::Excluded | Choice::Elsewhere => None,
        }
    }
}

impl TryFrom<&Properties> for Wanted {
    type Error = InvalidProperties;

    fn try_from(properties: &Properties) -> Result<Self, InvalidProperties> {
        let excluded = properties.exclude_accounts.0.iter().cloned().collect();
        let desired = properties.desired()?;
        let central = properties.central()?.map(|(account, role)| Central {
            account: account.clone(),
            role: role.clone(),
            desired: desired.in_central_account(),
        });
        Ok(Self {
            desired,
            central,
            member_role: Some(properties.role_name.clone()),
            asks: Asks {
                excluded: properties.excluded_tags.0.clone(),
                objectives: properties.recovery_point_objective_hours.0.clone(),
            },
            scope: Some((properties.targets()?, excluded)),
        })
    }
}

/// Returns the requests about the backups of the resources in the account at `index`.
pub fn asks(organization: &Organization, wanted: &[Wanted], index: usize) -> Asks {
    let mut asks = Asks::default();
    let Some(placed) = organization.accounts.get(index) else { return asks };
    let mut listed = placed.listed.clone();
    listed.paths = vec![organization.id_path(placed.unit)];
    for it in wanted.iter().filter(|it| it.of(&organization.management, &listed).is_some()) {
        asks.excluded.extend(it.asks.excluded.iter().cloned());
        asks.objectives.extend(it.asks.objectives.iter().cloned());
    }
    asks
}

/// Returns the requests of every `Custom::MemberAccounts` among these entries, and a note for each
/// one whose requests are unknown.
pub fn wanted<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (Vec<Wanted>, Vec<Note>) {
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for entry in entries.into_iter().filter(|it| !it.is_deleted()) {
        let read = match entry.kind {
            ResourceKind::MemberAccounts => read(entry),
            ResourceKind::PolicyTypes
            | ResourceKind::ServiceAccess
            | ResourceKind::GlobalSettings
            | ResourceKind::BackupPolicy => continue,
        };
        match read {
            Ok(wanted) => all.extend(wanted),
            Err(why) => notes.push(Note {
                text: format!(
                    "the settings that `{}` asks for in accounts are unknown: {why}",
                    entry.owner()
                ),
                hint: "deploy its stack again".to_owned(),
                is_unread: true,
            }),
        }
    }
    (all, notes)
}

/// Returns the requests of an entry about accounts, if it has any.
fn read(entry: &Entry) -> Result<Option<Wanted>, String> {
    match entry.wanted().map_err(|it| chain(&it))? {
        Some(properties::Properties::MemberAccounts(it)) => {
            Wanted::try_from(it.as_ref()).map(Some).map_err(|it| it.to_string())
        }
        Some(
            properties::Properties::PolicyTypes(_)
            | properties::Properties::ServiceAccess(_)
            | properties::Properties::GlobalSettings(_)
            | properties::Properties::BackupPolicy(_),
        )
        | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use plan::desired_state::Delivery;
    use serde_json::{Value, json};

    use super::*;

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/members/6f1e";

    fn entry(properties: Value) -> Entry {
        let by = Delivery { request: "create".to_owned(), now: SystemTime::UNIX_EPOCH };
        let entry = Entry::new(ResourceKind::MemberAccounts, STACK, "Members");
        entry.settled(&by, "member-accounts", "member-accounts", properties)
    }

    #[test]
    fn what_another_version_wrote_is_noted_and_not_dropped() {
        let known = json!({ "RoleName": "visitor", "Regions": ["eu-west-1"], "VaultName": "keep" });
        let mut newer = known.clone();
        newer["Tea"] = json!("green");
        let (wanted, notes) = wanted([&entry(known), &entry(newer)]);
        assert_eq!(wanted.len(), 1);
        let notes: Vec<_> = notes.into_iter().map(|it| it.text).collect();
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        let start = "the settings that `members/6f1e/Members` asks for in accounts are unknown: ";
        assert!(note.starts_with(start) && note.contains("unknown field `Tea`"), "{note}");
    }
}
