//! Faults: what goes wrong on purpose.

use std::time::Duration;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use crate::reply::Reply;

/// Something that goes wrong with some of the calls of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation, or `*` for any; `PutResponse` is the answer of a custom resource.
    pub operation: String,
    /// The first call to go wrong, counted from 1 and from now on.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many calls go wrong, or `None` for all from then on.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// What goes wrong.
    pub kind: Kind,
    #[serde(skip)]
    seen: u64,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The call is refused and does nothing.
    Error(Failure),
    /// The call does its work and then says that it failed.
    ErrorAfter(Failure),
    /// The call takes this many milliseconds longer.
    Delay(u64),
    /// The connection is closed before anything is done.
    DropBefore,
    /// The work is done and the connection closed without a reply.
    DropAfter,
    /// Something between the caller and AWS answers, or spoils the answer of AWS.
    Garbled(Garbled),
}

/// An answer that is not one of AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Garbled {
    /// The HTTP status.
    pub status: u16,
    /// What comes in place of AWS's answer.
    pub body: Body,
    /// Whether the call does its work first.
    #[serde(default)]
    pub done: bool,
}

/// The body of an answer that is not one of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Body {
    /// A page for a browser, as proxies and load balancers show it.
    Html,
    /// The first half of what AWS answers.
    Cut,
    /// Nothing.
    Empty,
    /// This many spaces.
    Long(usize),
}

impl Garbled {
    /// What is sent in place of `reply`.
    pub(crate) fn reply(&self, reply: Reply) -> Reply {
        let page = "<!DOCTYPE html>\n<html><body><h1>Service Unavailable</h1></body></html>\n";
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let garbled = match self.body {
            Body::Html => Reply::new("text/html", page),
            Body::Cut => {
                let half = reply.body.len() / 2;
                Reply { body: reply.body.into_iter().take(half).collect(), ..reply }
            }
            Body::Empty => Reply::empty(),
            Body::Long(length) => Reply::new("text/plain", vec![b' '; length]),
        };
        garbled.status(status)
    }
}

/// An error as AWS sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// The error code.
    pub code: String,
    /// The reason, where the error has one.
    #[serde(default)]
    pub reason: Option<String>,
    /// The HTTP status.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// After how many seconds the caller is told to come again.
    #[serde(default)]
    pub retry_after: Option<u32>,
}

fn one() -> u64 {
    1
}

#[expect(clippy::unnecessary_wraps, reason = "the field is an option")]
fn once() -> Option<u64> {
    Some(1)
}

fn bad_request() -> u16 {
    400
}

impl Fault {
    /// The next call of `operation` goes wrong.
    #[must_use]
    pub fn new(operation: &str, kind: Kind) -> Self {
        Self { operation: operation.to_owned(), nth: 1, times: Some(1), kind, seen: 0 }
    }

    /// The next call of `operation` is refused with this code.
    #[must_use]
    pub fn error(operation: &str, code: &str) -> Self {
        Self::new(operation, Kind::Error(Failure::new(code)))
    }

    /// The next call of `operation` is refused with a `ConstraintViolationException` or an
    /// `InvalidInputException` of this reason.
    #[must_use]
    pub fn reason(operation: &str, code: &str, reason: &str) -> Self {
        let reason = Some(reason.to_owned());
        Self::new(operation, Kind::Error(Failure { reason, ..Failure::new(code) }))
    }

    /// This fault, with another HTTP status than 400, as in 409 for the `ConditionalRequestConflict`
    /// of S3.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Kind::Error(failure) | Kind::ErrorAfter(failure) = &mut self.kind {
            failure.status = status;
        }
        self
    }

    /// The next call of `operation` gets this answer in place of AWS's, with its work `done` or not.
    #[must_use]
    pub fn garbled(operation: &str, status: u16, body: Body, done: bool) -> Self {
        Self::new(operation, Kind::Garbled(Garbled { status, body, done }))
    }

    /// The next call of `operation` takes this much longer.
    #[must_use]
    pub fn delay(operation: &str, delay: Duration) -> Self {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        Self::new(operation, Kind::Delay(milliseconds))
    }

    /// This fault, beginning with the `nth` call from now on.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth, ..self }
    }

    /// This fault, for so many calls.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// This fault, for all calls.
    #[must_use]
    pub fn forever(self) -> Self {
        Self { times: None, ..self }
    }

    /// Counts a call of `operation` and tells whether it goes wrong.
    fn strikes(&mut self, operation: &str) -> bool {
        if self.operation != "*" && self.operation != operation {
            return false;
        }
        self.seen += 1;
        let past = self.seen.checked_sub(self.nth);
        past.is_some_and(|past| self.times.is_none_or(|times| past < times))
    }
}

impl Failure {
    /// An error with HTTP status 400.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), reason: None, status: bad_request(), retry_after: None }
    }
}

/// All faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What goes wrong with this call of `operation`; of several faults the oldest wins.
    pub(crate) fn strike(&mut self, operation: &str) -> Option<Kind> {
        let mut struck = None;
        for fault in &mut self.0 {
            if fault.strikes(operation) && struck.is_none() {
                struck = Some(fault.kind.clone());
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(fault: Fault, calls: &[&str]) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.add(fault);
        calls.iter().map(|it| faults.strike(it).is_some()).collect()
    }

    #[test]
    fn a_fault_strikes_the_calls_it_is_for() {
        let fault = Fault::error("AttachPolicy", "TooManyRequestsException").nth(2).times(2);
        let calls = ["AttachPolicy", "ListRoots", "AttachPolicy", "AttachPolicy", "AttachPolicy"];
        assert_eq!(strikes(fault, &calls), [false, false, true, true, false]);
    }

    #[test]
    fn a_star_is_any_operation() {
        let fault = Fault::new("*", Kind::DropAfter).nth(2).forever();
        assert_eq!(strikes(fault, &["A", "B", "C"]), [false, true, true]);
    }

    #[test]
    fn a_fault_may_leave_out_what_is_usual() {
        let text =
            r#"{"operation":"AttachPolicy","kind":{"error":{"code":"TooManyRequestsException"}}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault, Fault::error("AttachPolicy", "TooManyRequestsException"));
        let fault: Fault =
            serde_json::from_str(r#"{"operation":"*","times":null,"kind":"dropBefore"}"#).unwrap();
        assert_eq!(fault, Fault::new("*", Kind::DropBefore).forever());
    }
}
