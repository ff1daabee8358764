//! Short descriptions of the findings, for people.

use std::time::SystemTime;

use time::OffsetDateTime;

use super::{Cell, Found, Known, Lock, RoleSeen, VaultSeen};

/// Formats the time to the minute, as in `2026-11-21 04:00 UTC`.
pub fn utc(time: SystemTime) -> String {
    let it = OffsetDateTime::from(time);
    let (year, month, day) = (it.year(), u8::from(it.month()), it.day());
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", it.hour(), it.minute())
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
