//! The reasons why an answer did not reach CloudFormation.

use errors::{Tries, advised};
use thiserror::Error;

/// The reason why an answer did not reach CloudFormation.
///
/// No variant contains the address, or a cause that could contain it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Undelivered {
    /// The event has no `ResponseURL`, so it is not a custom-resource request.
    #[error("the event has no ResponseURL")]
    NoAddress,
    /// The address is neither a bucket of CloudFormation nor, in tests, a loopback address.
    #[error("the ResponseURL is not one of CloudFormation")]
    BadAddress,
    /// The address cannot be used in an HTTP request.
    #[error("the ResponseURL cannot be requested")]
    Request,
    /// The connection failed.
    #[error("the connection for the answer failed")]
    Connection,
    /// The storage at the address refused every attempt, the last one with this status.
    #[error("the answer was refused with HTTP status {status}{}", Tries(*attempts))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Number of times that the answer was sent.
        attempts: u32,
    },
    /// The function's deadline came first.
    #[error("the deadline came before the answer was delivered")]
    OutOfTime,
    /// The values that an answer must repeat exceed the length that CloudFormation reads.
    #[error("what the answer has to repeat is longer than the 4,096 bytes of an answer")]
    TooLong,
}

impl Undelivered {
    /// Returns the reason, with the next step if there is one.
    pub(crate) fn advised(self) -> String {
        advised(self, self.hint())
    }

    fn hint(self) -> Option<&'static str> {
        match self {
            Self::TooLong => Some("give the stack or the resource a shorter name"),
            Self::NoAddress
            | Self::BadAddress
            | Self::Request
            | Self::Connection
            | Self::Refused { .. }
            | Self::OutOfTime => None,
        }
    }
}
