//! Faults: failures on purpose.

use std::time::Duration;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use crate::reply::Reply;

/// A failure of some calls of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation, or `*` for any operation. `PutResponse` is the answer of a custom resource.
    pub operation: String,
    /// The first call to fail, counted from 1 and from now on.
    #[serde(default = "one")]
    pub nth: u64,
    /// The number of calls that fail, or `None` for all calls from then on.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// The kind of failure.
    pub kind: Kind,
    #[serde(skip)]
    seen: u64,
}

/// The kinds of failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The call is refused and does nothing.
    Error(Failure),
    /// The call does its work and then reports this failure.
    ErrorAfter(Failure),
    /// The call takes this many milliseconds longer.
    Delay(u64),
    /// The connection is closed before the work is done.
    DropBefore,
    /// The work is done and the connection is closed without a reply.
    DropAfter,
    /// Something between the caller and AWS answers, or corrupts the answer of AWS.
    Garbled(Garbled),
}

/// An answer that does not come from AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Garbled {
    /// The HTTP status.
    pub status: u16,
    /// The body that replaces AWS's answer.
    pub body: Body,
    /// True if the call does its work first.
    #[serde(default)]
    pub done: bool,
}

/// The body of an answer that does not come from AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Body {
    /// A page for a browser, as proxies and load balancers send it.
    Html,
    /// The first half of AWS's answer.
    Cut,
    /// An empty body.
    Empty,
    /// This many spaces.
    Long(usize),
}

impl Garbled {
    /// Returns the reply that is sent in place of `reply`.
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

/// An error in the form that AWS sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// The error code.
    pub code: String,
    /// The reason, if the error has one.
    #[serde(default)]
    pub reason: Option<String>,
    /// The HTTP status.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// The number of seconds after which the answer asks the caller to retry.
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
    /// Creates a fault for the next call of `operation`.
    #[must_use]
    pub fn new(operation: &str, kind: Kind) -> Self {
        Self { operation: operation.to_owned(), nth: 1, times: Some(1), kind, seen: 0 }
    }

    /// Creates a fault that refuses the next call of `operation` with this code.
    #[must_use]
    pub fn error(operation: &str, code: &str) -> Self {
        Self::new(operation, Kind::Error(Failure::new(code)))
    }

    /// Creates a fault that refuses the next call of `operation` with a
    /// `ConstraintViolationException` or an `InvalidInputException` with this reason.
    #[must_use]
    pub fn reason(operation: &str, code: &str, reason: &str) -> Self {
        let reason = Some(reason.to_owned());
        Self::new(operation, Kind::Error(Failure { reason, ..Failure::new(code) }))
    }

    /// Returns this fault with an HTTP status other than 400, for example 409 for S3's
    /// `ConditionalRequestConflict`.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Kind::Error(failure) | Kind::ErrorAfter(failure) = &mut self.kind {
            failure.status = status;
        }
        self
    }

    /// Creates a fault that replaces the answer to the next call of `operation`. `done` is true if
    /// the call does its work first.
    #[must_use]
    pub fn garbled(operation: &str, status: u16, body: Body, done: bool) -> Self {
        Self::new(operation, Kind::Garbled(Garbled { status, body, done }))
    }

    /// Creates a fault that delays the next call of `operation`.
    #[must_use]
    pub fn delay(operation: &str, delay: Duration) -> Self {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        Self::new(operation, Kind::Delay(milliseconds))
    }

    /// Returns this fault, starting with the `nth` call from now on.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth, ..self }
    }

    /// Returns this fault for this number of calls.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Returns this fault for all calls.
    #[must_use]
    pub fn forever(self) -> Self {
        Self { times: None, ..self }
    }

    /// Counts a call of `operation` and returns `true` if it fails.
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
    /// Creates an error with HTTP status 400.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), reason: None, status: bad_request(), retry_after: None }
    }
}

/// The active faults.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the failure of this call of `operation`. If there are several, the oldest fault
    /// wins.
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
