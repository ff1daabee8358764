//! What AWS Backup is told of a restore test.

use crate::restore_validation::{Judgment, Resource};

/// The most characters of a message that AWS Backup is sent.
pub const LIMIT: usize = 255;

/// A result as AWS Backup names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// What was restored was looked at, and is as it should be.
    Successful,
    /// What was restored is not as it should be, was not so in time, or could not be looked at. The
    /// message says which.
    Failed,
    /// Nobody knows, and nobody tried: nothing says what would be good. It is what AWS Backup itself
    /// says of a restore test whose time is over and of which nobody said anything.
    TimedOut,
}

impl Status {
    /// The word of AWS.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Successful => "SUCCESSFUL",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// What became of a restore test, for whoever counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValidationOutcome {
    /// It was found good.
    Successful,
    /// It was found broken.
    Failed,
    /// It was not ready in time.
    TimedOut,
    /// It was not looked at, or could not be.
    NotValidated,
    /// The restore failed by itself.
    RestoreFailed,
}

/// What AWS Backup is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The result.
    pub status: Status,
    /// How it is counted.
    pub outcome: ValidationOutcome,
    /// Why, on one line of at most [`LIMIT`] characters.
    pub message: String,
}

impl Report {
    fn new(status: Status, outcome: ValidationOutcome, message: &str) -> Self {
        Self { status, outcome, message: shortened(message) }
    }

    /// What is said of `resource`, for which there is no more time to settle.
    pub fn of(resource: &Resource, judgment: Judgment) -> Self {
        match judgment {
            Judgment::Sound(why) => {
                Self::new(Status::Successful, ValidationOutcome::Successful, &why)
            }
            Judgment::Broken(why) => Self::new(Status::Failed, ValidationOutcome::Failed, &why),
            Judgment::Unsettled { now, awaited } => {
                let why = format!(
                    "{resource} was not ready in time: it is still {now}, and was waited for to be \
                     {awaited}"
                );
                Self::new(Status::Failed, ValidationOutcome::TimedOut, &why)
            }
            Judgment::Doubtful(why) | Judgment::Unreachable(why) | Judgment::Unknown(why) => {
                not_validated(&why)
            }
        }
    }

    /// What is said of what AWS does not let be looked at, with the reason. It begins with words that
    /// nobody can take for a broken backup, and is not counted as one.
    pub fn unseen(why: &str) -> Self {
        let message = format!("could not be looked at: {why}");
        Self::new(Status::Failed, ValidationOutcome::NotValidated, &message)
    }
}

/// What is said of a restore test that nothing can be found out about.
pub(super) fn not_validated(why: &str) -> Report {
    Report::new(Status::TimedOut, ValidationOutcome::NotValidated, &format!("not validated: {why}"))
}

/// `text` on one line, in at most [`LIMIT`] characters.
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
