//! The retention of the backups of a resource.

use std::time::SystemTime;

use super::evidence::{PointStatus, RecoveryPoint};
use super::place::Place;
use crate::Found;

/// The retention of the backups and copies of a resource.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// The number of recovery points that can be restored.
    pub points: usize,
    /// The time at which the oldest of them was begun.
    pub oldest: Option<SystemTime>,
    /// The time at which the newest of them was begun.
    pub newest: Option<SystemTime>,
    /// The time at which the last of them is deleted.
    pub until: Option<Until>,
    /// The time at which the last of those in a locked vault is deleted. Nobody can delete it
    /// before.
    pub locked_until: Option<Until>,
    /// The number of recovery points whose retention is over and that could not be deleted.
    pub expired: usize,
}

/// The time at which something is deleted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Until {
    /// At this time.
    At(SystemTime),
    /// Never, unless somebody deletes it.
    Ever,
}

impl Kept {
    pub(super) fn of(points: &[RecoveryPoint], place: &Place) -> Self {
        let mut kept = Self::default();
        // Most points are in the same vault as the point before.
        let mut last = ("", false);
        for point in points {
            match point.status {
                PointStatus::Usable => {}
                PointStatus::Expired => {
                    kept.expired += 1;
                    continue;
                }
                PointStatus::Changing
                | PointStatus::Partial
                | PointStatus::Stopped
                | PointStatus::Unknown => continue,
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
