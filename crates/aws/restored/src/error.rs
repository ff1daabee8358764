//! The reasons why a resource could not be checked or a result not reported.

use std::error::Error as StdError;
use std::fmt;

use aws::CommonCode;
use aws::api::Course;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::chain;
use thiserror::Error as ThisError;

/// An action that AWS did not carry out.
///
/// Its message says which action failed, and its source says why.
#[derive(Debug, ThisError)]
#[error("cannot {action}")]
pub struct Error {
    action: String,
    source: Cause,
}

/// The meaning of an [`Error`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The role lacks a permission.
    Denied,
    /// The resource does not exist.
    Missing,
    /// Throttling, the network, AWS itself, credentials that are being renewed, or the deadline.
    /// Another run helps.
    Transient,
    /// AWS refuses the request.
    Rejected,
}

/// The reason why the action was not carried out.
#[derive(Debug, ThisError)]
enum Cause {
    // The permission stands first, because AWS Backup cuts off the end of a long message.
    #[error("the role lacks {permission}: {answer}")]
    Denied { answer: Answer, permission: &'static str },
    #[error("{answer}")]
    Answered { kind: ErrorKind, answer: Answer },
    /// The answer did not come from the service, or there was no answer.
    #[error("{0}")]
    Unanswered(String),
    #[error("the time for it was over; {0}")]
    OutOfTime(String),
}

/// The error that the service returned.
#[derive(Debug)]
struct Answer {
    code: String,
    message: String,
    /// The HTTP status.
    status: u16,
    /// The number of times the call was sent, in words.
    tries: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message, status, tries } = self;
        write!(f, "{code} (HTTP {status}{tries}): {message}")
    }
}

impl Error {
    /// Returns the error of a call that did not carry out `action`, for which `permission` is
    /// needed. `course` has the attempts.
    pub(crate) fn of_call<E>(
        action: String,
        permission: &'static str,
        error: SdkError<E, HttpResponse>,
        course: &Course,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        // An answer without an error code does not come from the service.
        let context = if let SdkError::ServiceError(it) = &error { Some(it) } else { None };
        let answered = context.and_then(|it| Some((it, it.err().code()?)));
        let tries = course.tries();
        let Some((context, code)) = answered else {
            let last = course.last();
            let last =
                last.unwrap_or_else(|| format!("AWS could not be reached: {}", chain(&error)));
            return Self { action, source: Cause::Unanswered(format!("{last}{tries}")) };
        };
        let message = context.err().message().unwrap_or("no message").to_owned();
        let status = context.raw().status().as_u16();
        let kind = kind(code, status);
        let answer = Answer { code: code.to_owned(), message, status, tries };
        let source = match kind {
            ErrorKind::Denied => Cause::Denied { answer, permission },
            kind @ (ErrorKind::Missing | ErrorKind::Transient | ErrorKind::Rejected) => {
                Cause::Answered { kind, answer }
            }
        };
        Self { action, source }
    }

    /// Returns the error of a connection that broke before the whole answer had arrived.
    pub(crate) fn broken(action: String, error: &(dyn StdError + 'static)) -> Self {
        let why = format!("AWS could not be reached: {}", chain(error));
        Self { action, source: Cause::Unanswered(why) }
    }

    /// Returns the error of content that should not be empty, but arrived empty.
    pub(crate) fn empty(action: String) -> Self {
        Self { action, source: Cause::Unanswered("AWS answered with nothing".to_owned()) }
    }

    /// Returns the error of a call that the deadline ended. `so_far` describes the progress until
    /// then.
    pub(crate) fn out_of_time(action: String, so_far: &str) -> Self {
        Self { action, source: Cause::OutOfTime(so_far.to_owned()) }
    }

    /// Returns the meaning of the error.
    pub fn kind(&self) -> ErrorKind {
        match &self.source {
            Cause::Denied { .. } => ErrorKind::Denied,
            Cause::Answered { kind, .. } => *kind,
            Cause::Unanswered(_) | Cause::OutOfTime(_) => ErrorKind::Transient,
        }
    }

    /// Returns the reason, followed by the action that failed in brackets. The action may be long.
    pub fn why(&self) -> String {
        format!("{} ({self})", self.source)
    }

    /// Returns the error code of AWS, if AWS answered.
    pub fn code(&self) -> Option<&str> {
        match &self.source {
            Cause::Denied { answer, .. } | Cause::Answered { answer, .. } => Some(&answer.code),
            Cause::Unanswered(_) | Cause::OutOfTime(_) => None,
        }
    }

    /// Returns the permission that the role lacks, if it lacks one.
    pub fn permission(&self) -> Option<&'static str> {
        match &self.source {
            Cause::Denied { permission, .. } => Some(permission),
            Cause::Answered { .. } | Cause::Unanswered(_) | Cause::OutOfTime(_) => None,
        }
    }
}

/// The error codes that pass here, and that `aws::Error` leaves to somebody to correct.
///
/// The role of the function has credentials that AWS renews, and the clock is that of AWS. A cluster
/// that was just restored is getting an instance, and the limits are those of calls or of instances
/// at that moment. The event comes again, and a result would be final.
const PASSING: [&str; 15] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InstanceQuotaExceeded",
    "InsufficientDBInstanceCapacity",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidDBClusterStateFault",
    "InvalidSignatureException",
    "InvalidToken",
    "LimitExceededException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Returns the meaning of an error code. The services use different codes for the same meaning.
fn kind(code: &str, status: u16) -> ErrorKind {
    if PASSING.contains(&code) {
        return ErrorKind::Transient;
    }
    match CommonCode::of(code, status) {
        Some(CommonCode::Denied) => ErrorKind::Denied,
        // Something that is missing is asked for again in vain, whatever the status.
        _ if code == "NoSuchBucket" || code.contains("NotFound") => ErrorKind::Missing,
        Some(CommonCode::Transient) => ErrorKind::Transient,
        None => ErrorKind::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_here_has_no_meaning_that_is_common() {
        for code in PASSING {
            assert_eq!(CommonCode::of(code, 400), None, "{code}");
            assert_eq!(kind(code, 400), ErrorKind::Transient, "{code}");
        }
    }

    #[test]
    fn other_codes_mean_what_they_mean_everywhere() {
        assert_eq!(kind("UnauthorizedOperation", 403), ErrorKind::Denied);
        assert_eq!(kind("AccessDeniedException", 500), ErrorKind::Denied);
        assert_eq!(kind("ThrottlingException", 400), ErrorKind::Transient);
        assert_eq!(kind("TeapotException", 503), ErrorKind::Transient);
        assert_eq!(kind("TeapotException", 418), ErrorKind::Rejected);
        for code in ["NoSuchBucket", "DBInstanceNotFound", "InvalidVolume.NotFound"] {
            assert_eq!(kind(code, 404), ErrorKind::Missing, "{code}");
        }
    }
}
