//! What there is, in a few words for people.

use std::time::SystemTime;

use time::OffsetDateTime;

use super::{Cell, Found, Known, VaultSeen};

/// The moment to the minute, as in `2026-11-21 04:00 UTC`.
pub fn utc(time: SystemTime) -> String {
    let it = OffsetDateTime::from(time);
    let (year, month, day) = (it.year(), u8::from(it.month()), it.day());
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", it.hour(), it.minute())
}

impl Cell {
    /// Each vault and how it is, as in `org-backup (governance lock, at least 7 days)`.
    pub fn vault_words(&self) -> Vec<String> {
        let words = |it: &Found<VaultSeen>| match it {
            Found::Absent => "missing".to_owned(),
            Found::Unknown => "not known".to_owned(),
            Found::Here(VaultSeen { lock: Some(lock), .. }) => lock.words(),
            Found::Here(VaultSeen { lock: None, .. }) => "no lock".to_owned(),
        };
        self.vaults.iter().map(|(name, it)| format!("{name} ({})", words(it))).collect()
    }

    /// Each role, with what is wrong with it.
    pub fn role_words(&self) -> Vec<String> {
        let words = |it: &Found<bool>| match it {
            Found::Here(true) => "",
            Found::Here(false) => " (does not trust AWS Backup)",
            Found::Absent => " (missing)",
            Found::Unknown => " (not known)",
        };
        self.roles.iter().map(|(name, it)| format!("{name}{}", words(it))).collect()
    }

    /// How many resource types are on, and which are off; nothing when it is not known.
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
    /// How it is known.
    pub fn words(self) -> String {
        match self {
            Self::Now => "now".to_owned(),
            Self::Run(at) => format!("run of {}", utc(at)),
            Self::No => "not looked at".to_owned(),
        }
    }
}
