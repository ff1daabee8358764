//! Why something could not be looked at or told.

use std::error::Error as StdError;
use std::fmt;

use aws::api::Course;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::chain;
use thiserror::Error as ThisError;

/// Something that AWS did not do.
///
/// Its message says what could not be done; its source says why.
#[derive(Debug, ThisError)]
#[error("cannot {action}")]
pub struct Error {
    action: String,
    source: Cause,
}

/// What an [`Error`] means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The role lacks a permission.
    Denied,
    /// There is no such thing.
    Missing,
    /// Throttled, the network, AWS itself, credentials that are renewed, or the deadline. Running again
    /// helps.
    Transient,
    /// AWS says that it cannot be done.
    Rejected,
}

/// Why it was not done.
#[derive(Debug, ThisError)]
enum Cause {
    // The permission first, since what is too long for AWS Backup is cut off at its end.
    #[error("the function's role lacks {permission}: {answer}")]
    Denied { answer: Answer, permission: &'static str },
    #[error("{answer}")]
    Answered { kind: ErrorKind, answer: Answer },
    /// What came is not the service's, or nothing came.
    #[error("{0}")]
    Unanswered(String),
    #[error("the function's deadline came first; {0}")]
    OutOfTime(String),
}

/// A refusal of the service.
#[derive(Debug)]
struct Answer {
    code: String,
    message: String,
    /// The HTTP status.
    status: u16,
    /// How often the call was sent, in words.
    tries: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message, status, tries } = self;
        write!(f, "{code} (HTTP {status}{tries}): {message}")
    }
}

impl Error {
    /// The error of a call that did not do `action`, for which `permission` is needed, after the
    /// attempts of its `course`.
    pub(crate) fn of_call<E>(
        action: String,
        permission: &'static str,
        error: SdkError<E, HttpResponse>,
        course: &Course,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        // Whoever answers without a code is not the service.
        let answered = match &error {
            SdkError::ServiceError(context) => context.err().code().map(|code| (context, code)),
            _ => None,
        };
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
            kind => Cause::Answered { kind, answer },
        };
        Self { action, source }
    }

    /// The error of something whose connection broke before all of it had come.
    pub(crate) fn broken(action: String, error: &(dyn StdError + 'static)) -> Self {
        let why = format!("AWS could not be reached: {}", chain(error));
        Self { action, source: Cause::Unanswered(why) }
    }

    /// The error of something that is not empty, and came so.
    pub(crate) fn empty(action: String) -> Self {
        Self { action, source: Cause::Unanswered("AWS answered with nothing".to_owned()) }
    }

    /// The error of a call for which there was no time, and of which this had come.
    pub(crate) fn out_of_time(action: String, so_far: &str) -> Self {
        Self { action, source: Cause::OutOfTime(so_far.to_owned()) }
    }

    /// What it means.
    pub fn kind(&self) -> ErrorKind {
        match &self.source {
            Cause::Denied { .. } => ErrorKind::Denied,
            Cause::Answered { kind, .. } => *kind,
            Cause::Unanswered(_) | Cause::OutOfTime(_) => ErrorKind::Transient,
        }
    }

    /// The reason, and in brackets what could not be done, which may be long.
    pub fn why(&self) -> String {
        format!("{} ({self})", self.source)
    }

    /// The error code of AWS, if AWS answered.
    pub fn code(&self) -> Option<&str> {
        match &self.source {
            Cause::Denied { answer, .. } | Cause::Answered { answer, .. } => Some(&answer.code),
            Cause::Unanswered(_) | Cause::OutOfTime(_) => None,
        }
    }

    /// The permission that the role lacks, if it lacks one.
    pub fn permission(&self) -> Option<&'static str> {
        match &self.source {
            Cause::Denied { permission, .. } => Some(permission),
            Cause::Answered { .. } | Cause::Unanswered(_) | Cause::OutOfTime(_) => None,
        }
    }
}

/// What an error code means. Every service has its own for the same.
fn kind(code: &str, status: u16) -> ErrorKind {
    match code {
        "UnauthorizedOperation" => ErrorKind::Denied,
        it if it.starts_with("AccessDenied") => ErrorKind::Denied,
        "NoSuchBucket" => ErrorKind::Missing,
        it if it.contains("NotFound") => ErrorKind::Missing,
        // Of credentials that are not known yet, or are renewed; of a cluster that gets an instance; and
        // of requests in general.
        "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InstanceQuotaExceeded"
        | "InsufficientDBInstanceCapacity"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidDBClusterStateFault"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "RequestExpired"
        | "RequestLimitExceeded"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "SlowDown"
        | "TooManyRequestsException"
        | "UnrecognizedClientException" => ErrorKind::Transient,
        it if it.contains("Throttl") => ErrorKind::Transient,
        _ if status >= 500 => ErrorKind::Transient,
        _ => ErrorKind::Rejected,
    }
}
