//! The resources that events concern.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::desired_state::Entry;
use crate::id::{AccountId, PolicyType};
use crate::properties::Properties;
use crate::reattach::event::{Event, Happening};
use crate::resource::ResourceKind;

/// The largest difference between the clocks of AWS services.
const CLOCKS: Duration = Duration::from_secs(10);

/// The work that a batch of events asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Work {
    /// The keys of the entries to check.
    pub entries: BTreeSet<String>,
    /// The accounts that need member work.
    pub accounts: Accounts,
    /// True if AWS has to be asked for the invalid effective policies.
    pub health: bool,
}

/// The accounts whose opt-ins and readiness have to be checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Accounts {
    /// The named accounts.
    These(BTreeSet<AccountId>),
    /// The named accounts, and all accounts that the last run over all accounts did not include.
    New(BTreeSet<AccountId>),
    /// All accounts.
    All,
}

impl Default for Accounts {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Work {
    /// Returns the work that the schedule asks for, which is everything.
    pub fn everything<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let entries = entries.into_iter().map(Entry::key).collect();
        Self { entries, accounts: Accounts::All, health: true }
    }

    /// Returns `true` if there is no work.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Returns this work combined with `other`.
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

/// Returns the work that `event` asks for among these `entries`.
///
/// `looked` returns the time at which the resource of an entry was last checked. An event from
/// before that time, because it is late or arrives again, asks for no further work.
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
        // The account is not known, but no run included it yet.
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

/// Returns `true` if the resource of `entry` may have drifted.
///
/// Unreadable properties may ask for anything. The check of the resource reports them.
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
            // Disabling the type detached this policy, and all others.
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
        // These events concern accounts, which are listed separately from the entries.
        Happening::Joined(_) | Happening::Left(_) | Happening::EffectivePolicy(_) => false,
    }
}
