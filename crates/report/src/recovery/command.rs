//! The commands that print hints: each has options of its own.

use crate::Destination;

/// A command that restores, with what its hints need.
#[derive(Clone, Copy, Debug)]
pub enum RestoringCommand<'a> {
    /// `org-backup restore`.
    Restore,
    /// `org-backup recover`, which cannot give one resource a name.
    Recover {
        /// The ARN of the copy.
        point: &'a str,
        /// The place where it is restored.
        goal: &'a Destination,
    },
}

/// A command that begins jobs.
#[derive(Clone, Copy, Debug)]
pub enum JobCommand<'a> {
    /// `org-backup backup`.
    Backup,
    /// One that restores.
    Restoring(RestoringCommand<'a>),
}

impl RestoringCommand<'_> {
    /// Returns how to give a type this setting.
    pub(super) fn set(self, kind: &str, key: &str) -> String {
        match self {
            Self::Restore => format!("--set {key}=…"),
            // A shell takes a name with spaces apart.
            Self::Recover { .. } if kind.contains(' ') => format!("--set '{kind}.{key}=…'"),
            Self::Recover { .. } => format!("--set {kind}.{key}=…"),
        }
    }

    /// Returns what `restore` says of one of its own options; `recover` says to restore it by that
    /// command, with the options `alone`.
    pub(super) fn own(self, restore: impl Into<String>, alone: &str) -> String {
        match self {
            Self::Restore => restore.into(),
            Self::Recover { point, goal } => {
                let more = if alone.is_empty() { String::new() } else { format!(" {alone}") };
                format!(
                    "restore it alone: `org-backup restore {point} --account {} --region {}{more}`",
                    goal.account, goal.region
                )
            }
        }
    }
}
