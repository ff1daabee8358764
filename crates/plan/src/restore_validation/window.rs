//! The time in which a restored resource can be checked.

use std::time::Duration;

/// The shortest run that the queue hides an event for (`FunctionTimeouts` of `restore-testing.yaml`). It
/// hides that of a shorter run for as long, so that the deliveries last for the longest window.
const SHORTEST_RUN: Duration = Duration::from_mins(10);

/// The time by which the queue hides an event longer than the run may take.
const SLACK: Duration = Duration::from_mins(1);

/// The time that a run needs: for the delivery, one look and the report.
const LOOK: Duration = Duration::from_mins(4);

/// The time that AWS Backup leaves for the validation of a restore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// The time for which AWS Backup keeps the restored resource.
    pub kept: Duration,
    /// The part of it that was over when the run began.
    pub began: Duration,
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

    /// Returns `true` if the next run would come too late to look and to report. The queue counts from the
    /// beginning of this run, however early it ends.
    pub fn is_last(self) -> bool {
        let next = self.began.saturating_add(self.run.max(SHORTEST_RUN)).saturating_add(SLACK);
        next.saturating_add(LOOK) > self.kept
    }

    /// Returns `true` if what AWS describes late has had its time: that of two runs.
    pub fn is_settled(self) -> bool {
        self.passed >= self.run.saturating_mul(2)
    }
}
