//! The time in which a restored resource can be checked.

use std::time::Duration;

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
    /// Returns `true` if another run of the same length would end after the window.
    pub fn is_last(self) -> bool {
        self.passed.saturating_add(self.run) > self.kept
    }

    /// Returns `true` if what AWS describes late has had its time: that of two runs. Lambda makes
    /// three, so the last of them always has a result.
    pub fn is_settled(self) -> bool {
        self.passed >= self.run.saturating_mul(2)
    }
}
