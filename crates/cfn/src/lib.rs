//! The CloudFormation custom-resource protocol: exactly one answer to every request.
//!
//! A function passes its handler to [`run`], which deals with the protocol. A function whose work
//! takes longer than one invocation uses [`run_with_tasks`]: it can keep a [`Ticket`] and answer
//! later.
//!
//! # Guarantees
//!
//! - CloudFormation gets exactly one answer to every request that it waits for. This includes
//!   requests whose properties do not parse, a handler that fails or panics, calls to AWS that
//!   hang, and a function that is close to its deadline.
//! - A failure never changes the physical ID, and the answer to a Delete always repeats the ID of
//!   its request.
//! - The presigned `ResponseURL` is never logged and is not part of a [`Request`].
//!
//! # Assumptions
//!
//! - The handler can be cancelled at any await and run again: Lambda delivers a request again if no
//!   answer could be sent, and CloudFormation reuses a `RequestId` when it retries.
//! - Deleting a resource that was never created succeeds, because CloudFormation sends a Delete
//!   after a failed Create.

mod answer;
mod deliver;
mod event;
mod logging;
mod messages;
mod metrics;
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
use errors::{advised, chain};
use futures_util::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info};

use crate::answer::Answer;
pub use crate::event::Event;
pub use crate::logging::start as start_logging;
pub use crate::logging::{lines, tell};
pub use crate::messages::{Message, again, messages};
pub use crate::metrics::{Metric, metrics_line};
pub use crate::request::{Change, OF_THE_DEPLOYMENT, Request};
use crate::request::{Envelope, read};
pub use crate::runtime::{refuse_to_start, serve_events};
pub use crate::ticket::{Broken, Outcome, Task, Ticket, run_with_tasks, serve_with_tasks};
pub use crate::undelivered::Undelivered;

/// The physical ID of a resource whose creation failed before anything was made.
///
/// CloudFormation sends it back in the Delete that follows. That [`Request`] then has no physical
/// ID.
pub const NOT_CREATED: &str = "not-created";

/// The time reserved for the answer: the handler is cut off this long before the deadline.
const MARGIN: Duration = Duration::from_secs(5);

/// The time that a handler gets if the deadline of the runtime is not in the future, as in local
/// emulators of the Lambda Runtime API.
const FALLBACK: Duration = Duration::from_mins(5);

/// The answer of a handler if the resource is in its desired state.
#[derive(Debug, Default)]
pub struct Reply {
    /// The ID of the resource. A different value on Update makes CloudFormation delete the old one.
    pub physical_id: String,
    /// The values that `Fn::GetAtt` returns, by attribute.
    pub data: BTreeMap<&'static str, String>,
}

/// The answer of a handler if the resource is not in its desired state.
#[derive(Debug)]
pub struct Failure {
    reason: String,
    physical_id: Option<String>,
}

/// A failure whose reason is an error and its causes on one line.
///
/// A reason that is too long is cut at its end. The failed action and the error code stand at the
/// beginning, so they are kept.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { reason: said(&chain(&error)), physical_id: None }
    }
}

impl Failure {
    /// Names the resource that a failed Create made, so that the Delete that follows can remove it.
    #[must_use]
    pub fn with_physical_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.physical_id = id.map(Into::into);
        self
    }
}

/// Serves `handle` as a Lambda function until the runtime shuts it down.
///
/// `http` delivers the answers. It is the connector that the AWS clients use.
///
/// # Errors
///
/// Returns an error if the Lambda Runtime API cannot be reached. Answers already sent are
/// unaffected.
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
        Self { error_type: "Undelivered".to_owned(), error_message: undelivered.advised() }
    }
}

/// Answers one request before `until`. [`run`] calls this for every event.
///
/// # Errors
///
/// Returns an error if the answer could not be delivered. Lambda then delivers the request again.
/// An event is refused before the handler runs, so nothing has changed, if it has no usable address
/// for the answer or if the values to repeat are too long for an answer.
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
/// Returns an error as [`serve`] does.
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
        error!(error = refused.advised(), "the request cannot be answered");
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
            info!("no answer is sent, since another request counts");
            return Ok(());
        }
        Err(failure) => Err(failure),
    };
    // Stopping a little before the deadline leaves time to report an undelivered answer to Lambda.
    ticket.answer(http, outcome, started, until - margin / 10).await
}

/// Runs the handler until it ends, but stops it at `until`, and turns a panic into a failure.
async fn attempt<P: DeserializeOwned>(
    handle: &impl AsyncFn(Request<P>, Ticket) -> Result<Outcome, Failure>,
    event: &Event,
    ticket: Ticket,
    until: Instant,
) -> Result<Outcome, Failure> {
    let request = read(event, SystemTime::now(), until)?;
    // Boxed, because the compiler gives up on the depth of the nested futures of the AWS clients.
    let handled = AssertUnwindSafe(Box::pin(handle(request, ticket))).catch_unwind();
    match timeout_at(until, handled).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Failure {
            reason: said(&advised(
                format_args!("the function panicked: {}", words(&*panic)),
                Some("this is a bug"),
            )),
            physical_id: None,
        }),
        Err(_) => Err(Failure {
            reason: advised(
                "the function ran out of time before the work was done",
                Some("deploy again to continue where it stopped"),
            ),
            physical_id: None,
        }),
    }
}

/// Returns a reason as one line, the form in which it is reported.
pub(crate) fn said(reason: &str) -> String {
    media::line(reason).into_owned()
}

/// Returns the time at which Lambda stops the function, on the clock that timeouts use.
pub fn deadline(context: &Context) -> Instant {
    deadline_from(context, SystemTime::now(), Instant::now())
}

fn deadline_from(context: &Context, now: SystemTime, instant: Instant) -> Instant {
    let remaining = context.deadline().duration_since(now).ok().filter(|it| !it.is_zero());
    instant + remaining.unwrap_or(FALLBACK)
}

/// Returns the message of a panic. It is text of either form, and Rust hands it over without a type.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
