//! Whom events concern.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::desired_state::Entry;
use crate::id::{AccountId, PolicyType};
use crate::properties::Properties;
use crate::reattach::event::{Event, Happening};
use crate::resource::ResourceKind;

/// How far the clocks of AWS's services may be apart.
const CLOCKS: Duration = Duration::from_secs(10);

/// What a batch of events asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Work {
    /// The keys of the entries that are to be looked after.
    pub entries: BTreeSet<String>,
    /// The accounts whose member work is to be done.
    pub accounts: Accounts,
    /// Whether to ask AWS which effective policies are invalid.
    pub health: bool,
}

/// Accounts whose opt-ins and readiness are to be looked after.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Accounts {
    /// These.
    These(BTreeSet<AccountId>),
    /// These, and all that the last run over every account did not have.
    New(BTreeSet<AccountId>),
    /// Every one.
    All,
}

impl Default for Accounts {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Work {
    /// Everything, as the schedule asks for.
    pub fn everything<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let entries = entries.into_iter().map(Entry::key).collect();
        Self { entries, accounts: Accounts::All, health: true }
    }

    /// Whether nothing is asked for.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// This work and `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.health |= other.health;
        self.accounts = match (self.accounts, other.accounts) {
            (Accounts::All, _) | (_, Accounts::All) => Accounts::All,
            (Accounts::These(these), Accounts::These(more)) => Accounts::These(&these | &more),
            (Accounts::New(these), Accounts::New(more) | Accounts::These(more))
            | (Accounts::These(these), Accounts::New(more)) => Accounts::New(&these | &more),
        };
        self
    }
}

/// What `event` asks for, where `entries` are looked after.
///
/// `looked` says when the resource of an entry was last looked at: an event from before that, as
/// one that arrives late or twice, asks for nothing more.
pub fn work<'a>(
    event: &Event,
    entries: impl IntoIterator<Item = &'a Entry>,
    looked: impl Fn(&str) -> Option<SystemTime>,
) -> Work {
    let is_news = |key: &str| match (event.time, looked(key)) {
        (Some(happened), Some(looked)) => happened + CLOCKS > looked,
        _ => true,
    };
    let entries = entries.into_iter().filter(|it| concerns(&event.happening, it));
    let entries = entries.map(Entry::key).filter(|it| is_news(it)).collect();
    let accounts = match &event.happening {
        Happening::Joined(Some(account)) => Accounts::These([account.clone()].into()),
        // Whoever it is, no run had it yet.
        Happening::Joined(None) => Accounts::New([].into()),
        Happening::Policy(_)
        | Happening::PolicyType(_)
        | Happening::Service(_)
        | Happening::GlobalSettings
        | Happening::Left(_)
        | Happening::EffectivePolicy(_) => Accounts::default(),
    };
    let health = matches!(event.happening, Happening::EffectivePolicy(_) | Happening::Left(_));
    Work { entries, accounts, health }
}

/// Whether the resource of `entry` may no longer be as it should.
///
/// Properties that cannot be read may ask for anything, and looking after the resource tells of them.
fn concerns(happening: &Happening, entry: &Entry) -> bool {
    if entry.is_deleted() {
        return false;
    }
    match happening {
        Happening::Policy(policy) => match entry.kind {
            ResourceKind::BackupPolicy => {
                entry.id_of(entry.physical_id.as_deref()) == Some(policy.as_str())
            }
            ResourceKind::PolicyTypes
            | ResourceKind::ServiceAccess
            | ResourceKind::GlobalSettings
            | ResourceKind::MemberAccounts => false,
        },
        Happening::PolicyType(it) => entry.wanted().map_or(true, |wanted| match wanted {
            Some(Properties::PolicyTypes(wanted)) => wanted.policy_types.0.contains(it),
            // Disabling the type detached the policy, and everybody else's.
            Some(Properties::BackupPolicy(_)) => *it == PolicyType::backup(),
            Some(
                Properties::ServiceAccess(_)
                | Properties::GlobalSettings(_)
                | Properties::MemberAccounts(_),
            )
            | None => false,
        }),
        Happening::Service(it) => entry.wanted().map_or(true, |wanted| match wanted {
            Some(Properties::ServiceAccess(wanted)) => {
                let mut administrators = wanted.delegated_administrators.iter();
                wanted.service_principals.0.contains(it)
                    || administrators.any(|administrator| administrator.service_principal == *it)
            }
            Some(
                Properties::PolicyTypes(_)
                | Properties::GlobalSettings(_)
                | Properties::BackupPolicy(_)
                | Properties::MemberAccounts(_),
            )
            | None => false,
        }),
        Happening::GlobalSettings => match entry.kind {
            ResourceKind::GlobalSettings => true,
            ResourceKind::PolicyTypes
            | ResourceKind::ServiceAccess
            | ResourceKind::BackupPolicy
            | ResourceKind::MemberAccounts => false,
        },
        // They concern accounts, which are named beside the entries.
        Happening::Joined(_) | Happening::Left(_) | Happening::EffectivePolicy(_) => false,
    }
}
