//! Short descriptions of the findings, for people.

use std::time::SystemTime;

use plan::member_accounts::{Deletion, Guard};
use time::OffsetDateTime;

use super::coverage::StateGroup;
use super::{Cell, Counts, Found, Known, Lock, RoleSeen, VaultSeen};

/// Formats the time to the minute, as in `2026-11-21 04:00 UTC`.
pub fn utc(time: SystemTime) -> String {
    let it = OffsetDateTime::from(time);
    let (year, month, day) = (it.year(), u8::from(it.month()), it.day());
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", it.hour(), it.minute())
}

/// Formats the time to the second for names, as in `20261121T040005Z`. Later times have greater
/// names.
pub(crate) fn stamp(time: SystemTime) -> String {
    rfc_3339(time).replace(['-', ':'], "")
}

/// Formats the time as other programs read it, as in `2026-11-21T04:00:05Z`.
pub(crate) fn rfc_3339(time: SystemTime) -> String {
    let it = OffsetDateTime::from(time);
    let (year, month, day) = (it.year(), u8::from(it.month()), it.day());
    let (hour, minute, second) = (it.hour(), it.minute(), it.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

impl Cell {
    /// Describes each vault, as in `org-backup (governance lock, at least 7 days)`.
    pub fn vault_words(&self) -> Vec<String> {
        let words = |it: &Found<VaultSeen>| match it {
            Found::Absent => "missing".to_owned(),
            Found::Unknown => "not known".to_owned(),
            Found::Here(VaultSeen { key_works, lets_in, lock, .. }) => {
                let lock = lock.as_ref().map_or_else(|| "no lock".to_owned(), Lock::words);
                let key = (*key_works == Some(false)).then_some("key does not work");
                let denial = (*lets_in == Some(false)).then_some("denies backups");
                let more = key.into_iter().chain(denial).map(ToOwned::to_owned);
                [lock].into_iter().chain(more).collect::<Vec<_>>().join(", ")
            }
        };
        self.vaults.iter().map(|(name, it)| format!("{name} ({})", words(it))).collect()
    }

    /// Describes for each vault who may delete its recovery points before their retention is over: by
    /// its lock, its access policy, and the service control policies of the account.
    pub fn deleters(&self) -> Vec<String> {
        let words = |it: &VaultSeen| match (&it.lock, it.deletion) {
            (Some(Lock { is_compliance: true, .. }), _) => {
                "no principal before the retention is over, because of its compliance lock"
            }
            (Some(Lock { is_compliance: false, .. }), _) => {
                "only principals that may remove its governance lock"
            }
            (None, Some(Deletion::Denied)) => "only principals that may change its access policy",
            (None, Some(Deletion::DeniedToSome)) => {
                "principals that its access policy does not deny it to"
            }
            (None, Some(Deletion::Free)) => {
                "every principal of the account that has the permission"
            }
            (None, None) => "not known",
        };
        let here = self.vaults.iter().filter_map(|(name, it)| match it {
            Found::Here(seen) => {
                // Nothing adds to a lock that nobody may remove.
                let is_final = seen.lock.as_ref().is_some_and(|it| it.is_compliance);
                let guard = if is_final { String::new() } else { self.guard_words() };
                Some(format!("`{name}`: {}{guard}", words(seen)))
            }
            Found::Absent | Found::Unknown => None,
        });
        here.collect()
    }

    /// Describes what service control policies add to this.
    fn guard_words(&self) -> String {
        match &self.guard {
            Ok(Guard::Denied) => "; service control policies deny it to every principal".to_owned(),
            Ok(Guard::DeniedExcept(all)) => {
                let all: Vec<_> = all.iter().map(|it| format!("`{it}`")).collect();
                format!("; service control policies deny it to all but {}", all.join(", "))
            }
            Ok(Guard::NotKnown(why)) | Err(why) => format!("; guard rails not known: {why}"),
            Ok(Guard::Free) => "; no service control policy denies it".to_owned(),
        }
    }

    /// Returns each role, with its problem if it has one.
    pub fn role_words(&self) -> Vec<String> {
        let words = |it: &Found<RoleSeen>| match it {
            Found::Here(RoleSeen { trusts: Some(false), .. }) => " (does not trust AWS Backup)",
            Found::Here(RoleSeen { may: Some(false), .. }) => " (may not make backups)",
            Found::Here(RoleSeen { trusts: Some(true), may: Some(true) }) => "",
            Found::Here(RoleSeen { .. }) | Found::Unknown => " (not known)",
            Found::Absent => " (missing)",
        };
        self.roles.iter().map(|(name, it)| format!("{name}{}", words(it))).collect()
    }

    /// Returns the number of resource types that are on, and names those that are off. Returns an
    /// empty text if that is unknown.
    pub fn opt_in_words(&self) -> String {
        let Some(opt_ins) = &self.opt_ins else { return String::new() };
        let (on, all) = (opt_ins.on.len(), opt_ins.on.len() + opt_ins.off.len());
        let off: Vec<_> = opt_ins.off.iter().map(ToString::to_string).collect();
        match (on, off.len()) {
            (_, 0) => format!("all {all} on"),
            (0, _) => format!("none of {all} on"),
            _ => format!("{on} of {all} on, not {}", off.join(", ")),
        }
    }
}

impl Counts {
    /// Returns the number of resources.
    pub fn resources(&self) -> usize {
        self.states.values().sum()
    }

    /// Returns the number of resources in the states of this group.
    pub fn count(&self, group: StateGroup) -> usize {
        group.count(&self.states)
    }

    /// Describes the resources of several Regions in a few words, as in `118 of 120 fresh, 2 late`.
    /// Returns an empty text if there are none.
    pub fn words<'a>(all: impl Iterator<Item = &'a Self>) -> String {
        let all: Vec<_> = all.collect();
        let sum = |group| all.iter().map(|it| it.count(group)).sum::<usize>();
        let resources: usize = all.iter().map(|it| it.resources()).sum();
        if resources == 0 {
            return String::new();
        }
        let copies: usize = all.iter().map(|it| it.copies_late).sum();
        let parts = [
            (sum(StateGroup::Fresh), format!(" of {resources} fresh")),
            (sum(StateGroup::Late), " late".to_owned()),
            (sum(StateGroup::NotCovered), " not covered".to_owned()),
            (sum(StateGroup::NotKnown), " not known".to_owned()),
            (copies, if copies == 1 { " copy late" } else { " copies late" }.to_owned()),
        ];
        let shown = parts.iter().enumerate().filter(|(index, it)| *index == 0 || it.0 > 0);
        shown.map(|(_, (count, words))| format!("{count}{words}")).collect::<Vec<_>>().join(", ")
    }
}

/// The problem if an organization has nothing to judge yet.
pub const NO_REGION: &str = "no backup policy and no template names a Region";

/// The next steps in an organization in which nothing is set up yet: each command, with its purpose.
pub const FIRST_STEPS: [(&str, &str); 3] = [
    ("org-backup doctor", "says what the organization lacks for backup policies"),
    (
        "org-backup report --regions eu-west-1,…",
        "judges accounts by the Regions that have to be protected",
    ),
    (
        "make deploy FILE=org.toml DRY_RUN=1",
        "says what would be deployed; begin with examples/org.toml",
    ),
];

/// Returns the number of things with their word, as in `1 account` and `2 accounts`.
pub fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

impl Known {
    /// Describes the source of the findings.
    pub fn words(self) -> String {
        match self {
            Self::Now => "now".to_owned(),
            Self::Run(at) => format!("run of {}", utc(at)),
            Self::No => "not looked at".to_owned(),
        }
    }
}
