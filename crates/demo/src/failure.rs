//! The reasons for which the demo can end early.

use std::io;

use thiserror::Error;

/// A failure, as a sentence for the person at the terminal.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    /// A promise of this suite did not hold.
    #[error("not so: {0}")]
    NotSo(String),
    /// A stack did not reach the expected status.
    #[error("stack {stack} is {status}, not {wanted}{reasons}")]
    Stack {
        /// The name of the stack.
        stack: String,
        /// The final status.
        status: String,
        /// The expected status.
        wanted: &'static str,
        /// The reasons of its events, one a line.
        reasons: String,
    },
    /// A file is missing or cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// The command of operators cannot be run.
    #[error("cannot run {path}")]
    NotRun {
        /// The path where it was expected.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// The archives of the functions are missing.
    #[error("no archives in {0}")]
    NotPackaged(String),
    /// ministack or the simulator could not be started.
    #[error("cannot start {what}")]
    Start {
        /// The program that was to be started.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// ministack ended or never answered.
    #[error("ministack did not become ready; its last output:\n{0}")]
    NotReady(String),
    /// ministack refused a call.
    #[error("ministack refused {call}")]
    Call {
        /// The call.
        call: &'static str,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl DemoError {
    /// Returns the next step, if there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { .. } | Self::NotRun { .. } | Self::NotPackaged(_) => {
                Some("run this with `make demo`")
            }
            Self::NotSo(_)
            | Self::Stack { .. }
            | Self::Start { .. }
            | Self::NotReady(_)
            | Self::Call { .. } => None,
        }
    }

    /// Returns a function for `map_err` of a call to ministack.
    pub(crate) fn call<E>(call: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Call { call, source: source.into() }
    }
}

/// Continues if `so` is true, and ends the demo with `claim` otherwise.
pub(crate) fn ensure(so: bool, claim: impl FnOnce() -> String) -> Result<(), DemoError> {
    if so { Ok(()) } else { Err(DemoError::NotSo(claim())) }
}
