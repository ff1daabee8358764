//! What a restore test brought back, as the services that hold data tell it.
//!
//! It only looks, but for one call: [`Services::report`] tells AWS Backup what was found. What a look
//! means is decided in `plan::restore_validation`. AWS Backup and S3 are called through their SDKs, and
//! the ten reads of the other services one by one, through the same runtime: see [`aws::api`].

mod backup;
mod error;
mod look;
mod operations;

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

/// The services, until a deadline.
#[derive(Debug)]
pub struct Services {
    config: SdkConfig,
    tally: Tally,
    until: Instant,
}

impl Services {
    /// The services as `session` reaches them, all calls to which end by `until`.
    pub fn new(session: &Session, until: Instant) -> Self {
        Self { config: session.config().clone(), tally: session.tally(), until }
    }

    /// Sends an operation, described as `action` should it fail, and returns what the answer says.
    async fn ask<T>(&self, operation: Operation<T>, action: String) -> Result<T, Error>
    where
        T: Debug + Send + Sync + 'static,
    {
        let Operation { service, name, permission, question, read } = operation;
        self.call(permission, action, ask(&self.config, service, name, question, read)).await
    }

    /// Sends one call, which needs `permission` and is described as `action` should it fail.
    async fn call<T, E>(
        &self,
        permission: &'static str,
        action: impl Display,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let course = Course::new::<E>(self.tally.clone());
        match timeout_at(self.until, course.of(send)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(it)) => Err(Error::of_call(action.to_string(), permission, it, &course)),
            Err(_) => Err(Error::out_of_time(action.to_string(), &course.so_far())),
        }
    }
}

#[cfg(test)]
mod tests;
