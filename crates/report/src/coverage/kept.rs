//! How long the backups of a resource are kept.

use std::time::SystemTime;

use super::evidence::{PointStatus, RecoveryPoint};
use super::place::Place;
use crate::Found;

/// How long the backups and copies of a resource are kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// How many can be restored.
    pub points: usize,
    /// When the oldest of them was begun.
    pub oldest: Option<SystemTime>,
    /// When the newest of them was begun.
    pub newest: Option<SystemTime>,
    /// When the last of them is deleted.
    pub until: Option<Until>,
    /// When the last of those is deleted that are in a locked vault, which nobody can delete before.
    pub locked_until: Option<Until>,
    /// How many are past their time and could not be deleted.
    pub expired: usize,
}

/// When something is deleted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Until {
    /// Then.
    At(SystemTime),
    /// Never, unless somebody does it.
    Ever,
}

impl Kept {
    pub(super) fn of(points: &[RecoveryPoint], place: &Place) -> Self {
        let usable = || points.iter().filter(|it| it.status == PointStatus::Usable);
        let until = |it: &RecoveryPoint| it.delete_at.map_or(Until::Ever, Until::At);
        let is_locked = |it: &&RecoveryPoint| {
            let vault = place.vaults.get(&it.vault);
            matches!(vault, Some(Found::Here(vault)) if vault.lock.is_some())
        };
        Self {
            points: usable().count(),
            oldest: usable().map(|it| it.created).min(),
            newest: usable().map(|it| it.created).max(),
            until: usable().map(until).max(),
            locked_until: usable().filter(is_locked).map(until).max(),
            expired: points.iter().filter(|it| it.status == PointStatus::Expired).count(),
        }
    }
}
