//! Why something could not be looked at or told.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
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
pub enum Kind {
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
    #[error("the function's role lacks {permission}: {code}: {message}")]
    Denied { code: String, message: String, permission: &'static str },
    #[error("{code}: {message}")]
    Answered { kind: Kind, code: String, message: String },
    #[error("AWS could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the function's deadline came first")]
    OutOfTime,
}

impl Error {
    /// The error of a call that did not do `action`, for which `permission` is needed.
    pub(crate) fn of_call<E>(
        action: String,
        permission: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        // Whoever answers without a code is not the service.
        let answered = match &error {
            SdkError::ServiceError(context) => context.err().code().map(|code| (context, code)),
            _ => None,
        };
        let Some((context, code)) = answered else {
            return Self { action, source: Cause::Unreachable(Box::new(error)) };
        };
        let code = code.to_owned();
        let message = context.err().message().unwrap_or("no message").to_owned();
        let source = match kind(&code, context.raw().status().as_u16()) {
            Kind::Denied => Cause::Denied { code, message, permission },
            kind => Cause::Answered { kind, code, message },
        };
        Self { action, source }
    }

    /// The error of something whose connection broke before all of it had come.
    pub(crate) fn broken(
        action: String,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { action, source: Cause::Unreachable(Box::new(error)) }
    }

    /// The error of a call for which there was no time.
    pub(crate) fn out_of_time(action: String) -> Self {
        Self { action, source: Cause::OutOfTime }
    }

    /// What it means.
    pub fn kind(&self) -> Kind {
        match &self.source {
            Cause::Denied { .. } => Kind::Denied,
            Cause::Answered { kind, .. } => *kind,
            Cause::Unreachable(_) | Cause::OutOfTime => Kind::Transient,
        }
    }

    /// The reason, and in brackets what could not be done, which may be long.
    pub fn why(&self) -> String {
        format!("{} ({self})", self.source)
    }

    /// The error code of AWS, if AWS answered.
    pub fn code(&self) -> Option<&str> {
        match &self.source {
            Cause::Denied { code, .. } | Cause::Answered { code, .. } => Some(code),
            Cause::Unreachable(_) | Cause::OutOfTime => None,
        }
    }

    /// The permission that the role lacks, if it lacks one.
    pub fn permission(&self) -> Option<&'static str> {
        match &self.source {
            Cause::Denied { permission, .. } => Some(permission),
            Cause::Answered { .. } | Cause::Unreachable(_) | Cause::OutOfTime => None,
        }
    }
}

/// What an error code means. Every service has its own for the same.
fn kind(code: &str, status: u16) -> Kind {
    match code {
        "UnauthorizedOperation" => Kind::Denied,
        it if it.starts_with("AccessDenied") => Kind::Denied,
        "NoSuchBucket" => Kind::Missing,
        it if it.contains("NotFound") => Kind::Missing,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "RequestExpired"
        | "RequestLimitExceeded"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "RequestTimeTooSkewed"
        | "SlowDown"
        | "TooManyRequestsException" => Kind::Transient,
        it if it.contains("Throttl") => Kind::Transient,
        _ if status >= 500 => Kind::Transient,
        _ => Kind::Rejected,
    }
}
