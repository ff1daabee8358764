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
        let mut kept = Self::default();
        // Most points are in the vault of the one before.
        let mut last = ("", false);
        for point in points {
            match point.status {
                PointStatus::Usable => {}
                PointStatus::Expired => {
                    kept.expired += 1;
                    continue;
                }
                PointStatus::Changing | PointStatus::Partial | PointStatus::Stopped => continue,
            }
            if last.0 != &*point.vault {
                let found = place.vaults.get(&*point.vault);
                let is_locked = matches!(found, Some(Found::Here(it)) if it.lock.is_some());
                last = (&point.vault, is_locked);
            }
            let until = Some(point.delete_at.map_or(Until::Ever, Until::At));
            kept.points += 1;
            kept.oldest = Some(kept.oldest.map_or(point.created, |it| it.min(point.created)));
            kept.newest = kept.newest.max(Some(point.created));
            kept.until = kept.until.max(until);
            if last.1 {
                kept.locked_until = kept.locked_until.max(until);
            }
        }
        kept
    }
}
