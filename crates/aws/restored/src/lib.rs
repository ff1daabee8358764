//! Reads the facts about restored resources from the services that hold their data.
//!
//! It reads only, with three exceptions: [`Services::report`] reports a result to AWS Backup, and
//! [`Services::make_reader`] and [`Services::delete_reader`] give a cluster an instance for the
//! time of its check. [`Services::ask_owner`] asks a function of the owner for a check of its own.
//! The facts are judged in `plan::restore_validation`. AWS Backup and S3 are called through their
//! SDKs. The operations of the other services are called one by one, through the same runtime: see
//! [`aws::api`].

mod backup;
mod error;
mod look;
mod objects;
mod operations;
mod owner;
mod reader;

use std::fmt::{Debug, Display};

use aws::api::{Course, ask};
use aws::{Session, Tally};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use tokio::time::{Instant, timeout_at};

use crate::operations::Operation;

pub use crate::error::{Error, ErrorKind};

/// The services, with a deadline.
#[derive(Debug)]
pub struct Services {
    config: SdkConfig,
    tally: Tally,
    until: Instant,
    /// The number of objects that are read of each restored path.
    sample: usize,
}

/// The meaning of an empty answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Emptiness {
    /// It counts as no answer, so the call is sent again.
    Refused,
    /// It counts as an answer.
    Taken,
}

impl Services {
    /// Returns the services with the configuration of `session`. All calls end by `until`.
    pub fn new(session: &Session, until: Instant) -> Self {
        let config = session.config().clone();
        Self { config, tally: session.tally(), until, sample: objects::SAMPLE }
    }

    /// Returns the services of the account and the Region of `config`. `tally` counts the calls, and
    /// all of them end by `until`. No object is read, since the role that restores a resource needs no
    /// permission to read it.
    pub fn without_reading(config: SdkConfig, tally: Tally, until: Instant) -> Self {
        Self { config, tally, until, sample: 0 }
    }

    /// Sends an operation, and returns the content of the answer. An error describes it as
    /// `action`.
    async fn ask<T>(&self, operation: Operation<T>, action: String) -> Result<T, Error>
    where
        T: Debug + Send + Sync + 'static,
    {
        let Operation { request, permission } = operation;
        let asked = ask(&self.config, request);
        self.call(permission, Emptiness::Refused, action, asked).await
    }

    /// Sends an operation about a resource. Returns `None` if the resource does not exist.
    async fn ask_for<T>(&self, operation: Operation<T>, action: String) -> Result<Option<T>, Error>
    where
        T: Debug + Send + Sync + 'static,
    {
        match self.ask(operation, action).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends one call, which needs `permission`. An error describes it as `action`.
    async fn call<T, E>(
        &self,
        permission: &'static str,
        emptiness: Emptiness,
        action: impl Display,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let course = Course::new::<E>(self.tally.clone(), emptiness == Emptiness::Refused);
        match timeout_at(self.until, course.of(send)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(it)) => Err(Error::of_call(action.to_string(), permission, it, &course)),
            Err(_) => Err(Error::out_of_time(action.to_string(), &course.so_far())),
        }
    }
}

#[cfg(test)]
mod tests;
