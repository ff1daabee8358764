//! The CloudFormation custom-resource protocol: one answer to every request, whatever happens.
//!
//! A function hands [`run`] its handler and never sees the protocol again. One whose work takes
//! longer than an invocation uses [`run_with_tasks`]: it may keep a [`Ticket`] and answer later.
//!
//! # Guarantees
//!
//! - CloudFormation gets exactly one answer to every request that it waits for: also when the
//!   properties do not parse, when the handler fails or panics, when AWS hangs, and shortly before
//!   the function's deadline.
//! - A failure never changes the physical ID, and a Delete always answers with the ID it came with.
//! - The presigned `ResponseURL` reaches neither a log nor a [`Request`].
//!
//! # Assumptions
//!
//! - The handler can be cut at any await and run again: Lambda delivers a request again when no
//!   answer could be sent, and CloudFormation reuses a `RequestId` when it retries.
//! - Deleting what was never created succeeds, since CloudFormation deletes after a failed Create.

mod answer;
mod deliver;
mod event;
mod logging;
mod request;
mod response_url;
mod runtime;
mod ticket;
mod undelivered;

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use errors::chain;
use futures_util::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info};

use crate::answer::Answer;
pub use crate::event::Event;
pub use crate::logging::start as start_logging;
pub use crate::logging::{lines, tell};
pub use crate::request::{Change, OF_THE_DEPLOYMENT, Request};
use crate::request::{Envelope, read};
pub use crate::runtime::{refuse_to_start, serve_events};
pub use crate::ticket::{Broken, Outcome, Task, Ticket, run_with_tasks, serve_with_tasks};
pub use crate::undelivered::Undelivered;

/// The physical ID of a resource whose creation failed before anything was made.
///
/// CloudFormation sends it back in the Delete that follows; a [`Request`] then has no physical ID.
pub const NOT_CREATED: &str = "not-created";

/// How long before the function's deadline the handler is cut off, so that the answer still fits.
const MARGIN: Duration = Duration::from_secs(5);

/// The time a handler gets when the runtime's deadline is not a time in the future, as local
/// emulators of the Lambda Runtime API have it.
const FALLBACK: Duration = Duration::from_mins(5);

/// What a handler answers when the resource is as wanted.
#[derive(Debug, Default)]
pub struct Reply {
    /// Identifies the resource. A different value on Update makes CloudFormation delete the old one.
    pub physical_id: String,
    /// What `Fn::GetAtt` returns, by attribute.
    pub data: BTreeMap<&'static str, String>,
}

/// What a handler answers when the resource is not as wanted.
#[derive(Debug)]
pub struct Failure {
    reason: String,
    physical_id: Option<String>,
}

/// A failure whose reason is an error and its causes on one line.
///
/// A reason that is too long loses its end. What could not be done and the error code stand at the
/// beginning, so they stay.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { reason: said(&chain(&error)), physical_id: None }
    }
}

impl Failure {
    /// Names what a Create made before it failed, so that the Delete that follows can remove it.
    #[must_use]
    pub fn with_physical_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.physical_id = id.map(Into::into);
        self
    }
}

/// Serves `handle` as a Lambda function until the runtime shuts it down.
///
/// `http` delivers the answers; it is the connector that the AWS clients use.
///
/// # Errors
///
/// When the Lambda Runtime API cannot be reached. Requests already answered stay answered.
pub async fn run<P: DeserializeOwned, O: Into<Outcome>>(
    http: SharedHttpConnector,
    handle: impl AsyncFn(Request<P>) -> Result<O, Failure>,
) -> Result<(), lambda_runtime::Error> {
    logging::start();
    let (http, handle) = (&http, &handle);
    serve_events(async |event: LambdaEvent<Event>| {
        let until = deadline(&event.context);
        let log_stream = event.context.env_config.log_stream.clone();
        serve(http, handle, event.payload, until, &log_stream).await
    })
    .await
}

impl From<Undelivered> for Diagnostic {
    fn from(undelivered: Undelivered) -> Self {
        Self { error_type: "Undelivered".to_owned(), error_message: undelivered.to_string() }
    }
}

/// Answers one request, until which the answer must be out: what [`run`] does with every event.
///
/// # Errors
///
/// When the answer could not be delivered: Lambda then delivers the request again. An event that
/// names no usable address for the answer, or more to repeat than an answer has room for, fails before
/// the handler runs, so nothing has changed.
pub async fn serve<P: DeserializeOwned, O: Into<Outcome>>(
    http: &SharedHttpConnector,
    handle: &impl AsyncFn(Request<P>) -> Result<O, Failure>,
    event: impl Into<Event>,
    until: Instant,
    log_stream: &str,
) -> Result<(), Undelivered> {
    let handle = async |request, _| handle(request).await.map(Into::into);
    respond(http, &handle, event, until, log_stream).await
}

/// Answers one request, unless the handler keeps the ticket to answer later.
///
/// # Errors
///
/// As [`serve`].
pub async fn respond<P: DeserializeOwned>(
    http: &SharedHttpConnector,
    handle: &impl AsyncFn(Request<P>, Ticket) -> Result<Outcome, Failure>,
    event: impl Into<Event>,
    until: Instant,
    log_stream: &str,
) -> Result<(), Undelivered> {
    let started = Instant::now();
    let event = event.into();
    let envelope = Envelope::read(&event)
        .and_then(|it| if Answer::fits(&it) { Ok(it) } else { Err(Undelivered::TooLong) });
    let envelope = envelope.inspect_err(|refused| {
        error!(error = %chain(refused), "the request cannot be answered");
    })?;
    let ticket = Ticket::new(envelope, log_stream);
    let margin = MARGIN.min(until.saturating_duration_since(started) / 5);
    let outcome = match attempt(handle, &event, ticket.clone(), until - margin).await {
        Ok(Outcome::Answer(reply)) => Ok(reply),
        Ok(Outcome::Later) => {
            info!("the answer comes later");
            return Ok(());
        }
        Ok(Outcome::Silence) => {
            info!("there is no answer, since another one counts");
            return Ok(());
        }
        Err(failure) => Err(failure),
    };
    // An answer that is given up a little early can still be reported to Lambda.
    ticket.answer(http, outcome, started, until - margin / 10).await
}

/// Runs the handler so that it always comes to an end: by `until`, and not by a panic.
async fn attempt<P: DeserializeOwned>(
    handle: &impl AsyncFn(Request<P>, Ticket) -> Result<Outcome, Failure>,
    event: &Event,
    ticket: Ticket,
    until: Instant,
) -> Result<Outcome, Failure> {
    let request = read(event, SystemTime::now(), until)?;
    // Boxed, since the compiler gives up on the depth of the nested futures of the AWS clients.
    let handled = AssertUnwindSafe(Box::pin(handle(request, ticket))).catch_unwind();
    match timeout_at(until, handled).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Failure {
            reason: said(&format!(
                "the function panicked: {}; hint: this is a bug",
                words(&*panic)
            )),
            physical_id: None,
        }),
        Err(_) => Err(Failure {
            reason: "the function ran out of time before the work was done; \
                     hint: deploy again to continue where it stopped"
                .to_owned(),
            physical_id: None,
        }),
    }
}

/// A reason as it is told: one line.
pub(crate) fn said(reason: &str) -> String {
    media::line(reason).into_owned()
}

/// When the function is stopped, on the clock that timeouts use.
pub fn deadline(context: &Context) -> Instant {
    deadline_from(context, SystemTime::now(), Instant::now())
}

fn deadline_from(context: &Context, now: SystemTime, instant: Instant) -> Instant {
    let remaining = context.deadline().duration_since(now).ok().filter(|it| !it.is_zero());
    instant + remaining.unwrap_or(FALLBACK)
}

/// What was said in a panic.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
