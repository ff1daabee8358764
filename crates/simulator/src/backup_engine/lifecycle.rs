//! The lifecycle of a recovery point: when it moves to cold storage, and when it is deleted.

use std::time::{Duration, SystemTime};

use super::facts::{Feature, TypeFacts};

/// The unit of lifecycles.
pub(super) const DAY: Duration = Duration::from_hours(24);

/// The fewest days in cold storage.
const COLD_DAYS: u32 = 90;

/// The time that a restore from cold storage typically takes in addition.
pub(crate) const FROM_COLD: Duration = Duration::from_hours(4);

/// A lifecycle, as a rule, a copy action or a request has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointLifecycle {
    /// The number of days after which a recovery point is deleted.
    pub delete_after_days: Option<u32>,
    /// The number of days after which a recovery point moves to cold storage.
    pub cold_after_days: Option<u32>,
    /// True if snapshots of EBS are archived, which is their cold storage.
    pub archives: bool,
}

impl PointLifecycle {
    /// Returns the lifecycle that deletes a recovery point after so many days, if ever, and leaves it where
    /// it is until then.
    #[must_use]
    pub fn deleted_after(days: Option<u32>) -> Self {
        Self { delete_after_days: days, ..Self::default() }
    }

    /// Returns the lifecycle of a copy: its own, with the retention of its source where it has none, or
    /// that of its source if it has none at all.
    pub(super) fn or(self, source: Self) -> Self {
        if self == Self::default() {
            return source;
        }
        let days = self.delete_after_days.or(source.delete_after_days);
        Self { delete_after_days: days, ..self }
    }

    /// Returns `true` if a recovery point stays in cold storage for long enough.
    pub(crate) fn is_accepted(self) -> bool {
        let days = self.delete_after_days.zip(self.cold_after_days);
        days.is_none_or(|(delete, cold)| delete >= cold.saturating_add(COLD_DAYS))
    }

    /// Returns the time at which a recovery point of a type moves to cold storage. AWS Backup ignores
    /// the setting for types that have none.
    pub(super) fn cold_at(self, kind: &str, begun: SystemTime) -> Option<SystemTime> {
        let kind = TypeFacts::of(kind);
        let has_cold_storage =
            kind.has(Feature::Cold) || kind.has(Feature::Archived) && self.archives;
        self.cold_after_days.filter(|_| has_cold_storage).map(|it| begun + DAY * it)
    }
}
