//! The result of a restore test that is reported to AWS Backup.

use crate::restore_validation::{Judgment, Resource};

/// The greatest number of characters in a message to AWS Backup.
pub const LIMIT: usize = 255;

/// A result, as AWS Backup names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// The restored resource was checked, and is as it should be.
    Successful,
    /// The restored resource is not as it should be, was not so in time, or could not be checked.
    /// The message says which.
    Failed,
    /// The result is unknown, because there was nothing to compare the resource with. AWS Backup
    /// itself sets this result if the time for a restore test ends without a report.
    TimedOut,
}

impl Status {
    /// Returns the word of AWS for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Successful => "SUCCESSFUL",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// The outcome of a restore test, as it is counted in metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValidationOutcome {
    /// The resource was found to be good.
    Successful,
    /// The resource was found to be broken.
    Failed,
    /// The resource was not ready in time.
    TimedOut,
    /// The resource was not checked, or could not be checked.
    NotValidated,
    /// The restore itself failed.
    RestoreFailed,
}

/// The report to AWS Backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The result.
    pub status: Status,
    /// The outcome under which it is counted.
    pub outcome: ValidationOutcome,
    /// The reason, on one line of at most [`LIMIT`] characters.
    pub message: String,
}

impl Report {
    fn new(status: Status, outcome: ValidationOutcome, message: &str) -> Self {
        Self { status, outcome, message: shortened(message) }
    }

    /// Returns the report about `resource`, for which there is no more time to settle.
    pub fn of(resource: &Resource, judgment: Judgment) -> Self {
        match judgment {
            Judgment::Sound(why) => {
                Self::new(Status::Successful, ValidationOutcome::Successful, &why)
            }
            Judgment::Broken(why) | Judgment::Failing(why) => {
                Self::new(Status::Failed, ValidationOutcome::Failed, &why)
            }
            // Its first words cannot be mistaken for those about a broken backup, and it is not
            // counted as one.
            Judgment::Unseen(why) => {
                let message = format!("could not be looked at: {why}");
                Self::new(Status::Failed, ValidationOutcome::NotValidated, &message)
            }
            Judgment::Unsettled { now, awaited } => {
                let why = late(resource, &now, &awaited);
                Self::new(Status::Failed, ValidationOutcome::TimedOut, &why)
            }
            Judgment::Unreachable(why) => {
                let how = "ClusterInstanceClass has one made for the test";
                not_validated(&format!("{why}; {how}"))
            }
            Judgment::Doubtful(why) | Judgment::Unknown(why) => not_validated(&why),
        }
    }
}

/// Returns the report about a restore test about which nothing can be found out.
pub(super) fn not_validated(why: &str) -> Report {
    Report::new(Status::TimedOut, ValidationOutcome::NotValidated, &format!("not validated: {why}"))
}

/// Returns the words for a resource that did not settle in time.
pub(super) fn late(resource: &Resource, now: &str, awaited: &str) -> String {
    format!(
        "{resource} was not ready in time: it is still {now}, and was waited for to be {awaited}"
    )
}

/// Returns `text` on one line, in at most [`LIMIT`] characters.
fn shortened(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let text = words.join(" ");
    let text = media::line(&text);
    if text.chars().count() <= LIMIT {
        return text.into_owned();
    }
    let kept: String = text.chars().take(LIMIT - 3).collect();
    format!("{kept}...")
}
