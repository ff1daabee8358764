//! The time in which a restored resource can be checked.

use std::time::Duration;

/// The time to leave for another run. The queue hides an event for a minute longer than a run may take,
/// and a run may end 20 seconds early. The rest is for the delivery and for one look.
const PAUSE: Duration = Duration::from_mins(5);

/// The time that AWS Backup leaves for the validation of a restore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// The time for which AWS Backup keeps the restored resource.
    pub kept: Duration,
    /// The part of it that is over.
    pub passed: Duration,
    /// The longest time of one run.
    pub run: Duration,
}

impl Window {
    /// Returns the part of it that is not over.
    pub fn left(self) -> Duration {
        self.kept.saturating_sub(self.passed)
    }

    /// Returns `true` if another run would come too late to look and to report.
    pub fn is_last(self) -> bool {
        self.left() < PAUSE
    }

    /// Returns `true` if what AWS describes late has had its time: that of two runs.
    pub fn is_settled(self) -> bool {
        self.passed >= self.run.saturating_mul(2)
    }
}
