//! A job, as AWS Backup tells of it.

use crate::coverage::JobState;

/// A backup job, a copy job or a restore job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobSeen {
    /// Its ID.
    pub id: String,
    /// Its state.
    pub state: JobState,
    /// The message of AWS; empty if there is none.
    pub told: String,
    /// The percentage that is done, if AWS tells it. That of a restore has its sign.
    pub percent: Option<String>,
    /// The ARN of the recovery point or of the resource that it made.
    pub made: Option<String>,
}

impl JobSeen {
    /// Returns `true` if it waits or is at work.
    pub fn is_open(&self) -> bool {
        self.state == JobState::Open
    }

    /// Returns `true` if nobody knows whether it is at work, since its state is newer than this program.
    pub fn is_unclear(&self) -> bool {
        self.state == JobState::Unknown
    }

    /// Returns whether it is done.
    pub fn is_done(&self) -> bool {
        self.state == JobState::Completed
    }

    /// Returns the sentence about a state that is not known, in which `what` names the job.
    pub fn unclear(&self, what: &str) -> String {
        let told = if self.told.is_empty() { String::new() } else { format!(" ({})", self.told) };
        format!("{what} is in a state that this release does not know{told}")
    }

    /// Its progress in a few words, as in `open, 40.0 %`.
    pub fn progress(&self) -> String {
        let percent = self.percent.as_deref().map(|it| it.trim_end_matches(['%', ' ']));
        let percent = percent.map(|it| format!(", {it} %")).unwrap_or_default();
        format!("{}{percent}", self.state.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_in_a_state_that_is_new_is_neither_at_work_nor_done() {
        let (id, told) = (String::new(), String::new());
        let job = JobSeen { id, state: JobState::Unknown, told, percent: None, made: None };
        assert!(job.is_unclear() && !job.is_open() && !job.is_done());
        assert_eq!(job.progress(), "unknown");
        let why = "the restore job 7 is in a state that this release does not know";
        assert_eq!(job.unclear("the restore job 7"), why);
        let job = JobSeen { told: "AWS calls it STEWED".to_owned(), ..job };
        assert_eq!(job.unclear("the restore job 7"), format!("{why} (AWS calls it STEWED)"));
    }

    #[test]
    fn a_percentage_has_one_sign() {
        let progress = |percent: Option<&str>| {
            let (id, told) = (String::new(), String::new());
            let percent = percent.map(str::to_owned);
            JobSeen { id, state: JobState::Open, told, percent, made: None }.progress()
        };
        assert_eq!(progress(Some("40.0")), "open, 40.0 %", "a backup job");
        assert_eq!(progress(Some("40.00%")), "open, 40.00 %", "a restore job");
        assert_eq!(progress(None), "open", "a copy job");
    }
}
