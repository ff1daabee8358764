//! Why the demo did not come to its end.

use std::io;

use thiserror::Error;

/// What went wrong, as a sentence for the person at the terminal.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    /// Something that this suite promises is not so.
    #[error("not so: {0}")]
    NotSo(String),
    /// A stack did not end as it should.
    #[error("stack {stack} is {status}, not {wanted}{reasons}")]
    Stack {
        /// The name of the stack.
        stack: String,
        /// How it ended.
        status: String,
        /// How it should have ended.
        wanted: &'static str,
        /// What its events say, a line each.
        reasons: String,
    },
    /// A file is missing or cannot be read.
    #[error("cannot read {path}; hint: run this with `make demo`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The command of operators cannot be run.
    #[error("cannot run {path}; hint: run this with `make demo`")]
    NotRun {
        /// Where it should be.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The archives of the functions are missing.
    #[error("no archives in {0}; hint: run this with `make demo`")]
    NotPackaged(String),
    /// ministack or the simulator could not be started.
    #[error("cannot start {what}")]
    Start {
        /// What was to be started.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// ministack ended or never answered.
    #[error("ministack did not get ready; its last words:\n{0}")]
    NotReady(String),
    /// ministack refused a call.
    #[error("ministack refused {call}")]
    Call {
        /// The call.
        call: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl DemoError {
    /// For `map_err` of a call to ministack.
    pub(crate) fn call<E>(call: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Call { call, source: source.into() }
    }
}

/// Goes on if `so`, and ends the demo with `claim` otherwise.
pub(crate) fn ensure(so: bool, claim: impl FnOnce() -> String) -> Result<(), DemoError> {
    if so { Ok(()) } else { Err(DemoError::NotSo(claim())) }
}
