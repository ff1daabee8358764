//! Why an answer did not reach CloudFormation.

use errors::Tries;
use thiserror::Error;

/// Why an answer did not reach CloudFormation.
///
/// No variant repeats the address or carries a cause that might.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Undelivered {
    /// The event has no `ResponseURL`, so it is not a custom-resource request.
    #[error("the event has no ResponseURL")]
    NoAddress,
    /// Answers go to CloudFormation's own buckets only, and to loopback in tests.
    #[error("the ResponseURL is none of CloudFormation")]
    BadAddress,
    /// The address does not make a request.
    #[error("the ResponseURL cannot be requested")]
    Request,
    /// The connection failed.
    #[error("the connection for the answer failed")]
    Connection,
    /// The storage behind the address refused the answer each time, the last time with this status.
    #[error("the answer was refused with HTTP status {status}{}", Tries(*attempts))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How often the answer was sent.
        attempts: u32,
    },
    /// The function's deadline came first.
    #[error("the deadline came before the answer was delivered")]
    OutOfTime,
    /// What an answer has to repeat is more than CloudFormation reads of one.
    #[error(
        "what the answer has to repeat is longer than the 4,096 bytes of an answer; hint: give the \
         stack or the resource a shorter name"
    )]
    TooLong,
}
