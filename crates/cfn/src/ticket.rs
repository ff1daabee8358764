//! Answers sent by a later invocation than the one that received the request.

use std::fmt;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use errors::chain;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{error, info};

use crate::answer::Answer;
use crate::request::Envelope;
use crate::{
    Event, Failure, MARGIN, NOT_CREATED, Reply, Request, Undelivered, deadline, deliver, logging,
    respond, serve_events,
};

/// The handler's decision about its answer.
#[derive(Debug)]
pub enum Outcome {
    /// The handler answers now.
    Answer(Reply),
    /// The handler stored its [`Ticket`] and arranged for a later invocation to answer with it.
    Later,
    /// No answer is needed: the request is late, or another delivery of it answers.
    Silence,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Answer(reply)
    }
}

/// The right to answer one request, which can be stored and used by a later invocation.
///
/// A stored ticket contains the presigned `ResponseURL`. Store it only in a place that nobody but
/// the function can read, for as short a time as possible, and never log it. Its `Debug` form shows
/// nothing.
#[derive(Clone, Deserialize, Serialize)]
pub struct Ticket {
    envelope: Envelope,
    log_stream: String,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

impl Ticket {
    pub(crate) fn new(envelope: Envelope, log_stream: &str) -> Self {
        Self { envelope, log_stream: log_stream.to_owned() }
    }

    /// Returns the ID of the request. It is unique within the stack and stays the same if Lambda
    /// delivers the request again.
    pub fn request_id(&self) -> &str {
        &self.envelope.request_id
    }

    /// Returns the ARN of the stack.
    pub fn stack_id(&self) -> &str {
        &self.envelope.stack_id
    }

    /// Returns the name of the resource in its template.
    pub fn logical_id(&self) -> &str {
        &self.envelope.logical_resource_id
    }

    /// Returns the ID of the resource, or `None` if nothing has been created yet.
    pub fn physical_id(&self) -> Option<&str> {
        self.envelope.physical_resource_id.as_deref().filter(|it| *it != NOT_CREATED)
    }

    /// Sends the answer, and retries until `until`. `started` is the start of the work, for the
    /// log.
    ///
    /// # Errors
    ///
    /// Returns an error if the answer could not be delivered. CloudFormation then still waits.
    pub async fn answer(
        &self,
        http: &SharedHttpConnector,
        outcome: Result<Reply, Failure>,
        started: Instant,
        until: Instant,
    ) -> Result<(), Undelivered> {
        let answer = Answer::new(&self.envelope, outcome, &self.log_stream);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (request, resource) = (&self.envelope.request_type, &self.envelope.logical_resource_id);
        let (status, physical_id) = (answer.status(), answer.physical_id());
        match answer.reason() {
            None => info!(request, resource, status, physical_id, milliseconds, "answer"),
            Some(reason) => {
                error!(request, resource, status, physical_id, milliseconds, reason, "answer");
            }
        }
        deliver::put(http, &self.envelope.response_url, &answer.body(), until)
            .await
            .inspect_err(|failed| error!(error = %chain(failed), "the answer was not delivered"))
    }
}

/// An event that is not a custom-resource request, but a part of work that such a request started.
#[derive(Debug)]
pub struct Task {
    /// The event.
    pub event: Value,
    /// The time at which the work must be finished.
    pub deadline: Instant,
}

/// The reason why an invocation fails. Its caller then tries again.
#[derive(Debug)]
pub enum Broken {
    /// An answer was not delivered.
    Undelivered(Undelivered),
    /// A task was not done.
    Task(Failure),
}

impl From<Broken> for Diagnostic {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Undelivered(undelivered) => undelivered.into(),
            Broken::Task(failure) => {
                Self { error_type: "TaskFailed".to_owned(), error_message: failure.reason }
            }
        }
    }
}

/// Serves a function that can answer later, with the help of tasks.
///
/// A task is an invocation of the same function. Requests of CloudFormation go to `handle`, and
/// every other event goes to `task`.
///
/// `http` delivers the answers. It is the connector that the AWS clients use.
///
/// # Errors
///
/// Returns an error if the Lambda Runtime API cannot be reached.
pub async fn run_with_tasks<P: DeserializeOwned>(
    http: SharedHttpConnector,
    handle: impl AsyncFn(Request<P>, Ticket) -> Result<Outcome, Failure>,
    task: impl AsyncFn(Task) -> Result<Value, Failure>,
) -> Result<(), lambda_runtime::Error> {
    logging::start();
    let (http, handle, task) = (&http, &handle, &task);
    serve_events(async |event: LambdaEvent<Event>| {
        let until = deadline(&event.context);
        let log_stream = event.context.env_config.log_stream.clone();
        serve_with_tasks(http, handle, task, event.payload, until, &log_stream).await
    })
    .await
}

/// Serves one event. [`run_with_tasks`] calls this for every event.
///
/// # Errors
///
/// Returns an error if the answer to a request could not be delivered, or if a task failed. The
/// sender then sends the event again.
pub async fn serve_with_tasks<P: DeserializeOwned>(
    http: &SharedHttpConnector,
    handle: &impl AsyncFn(Request<P>, Ticket) -> Result<Outcome, Failure>,
    task: &impl AsyncFn(Task) -> Result<Value, Failure>,
    event: impl Into<Event>,
    until: Instant,
    log_stream: &str,
) -> Result<Value, Broken> {
    let event = event.into();
    if event.members().contains_key("ResponseURL") {
        let responded = respond(http, handle, event, until, log_stream).await;
        return responded.map(|()| Value::Null).map_err(Broken::Undelivered);
    }
    let started = Instant::now();
    let margin = MARGIN.min(until.saturating_duration_since(started) / 5);
    // Boxed, because the compiler gives up on the depth of the nested futures of the AWS clients.
    let done = match event.value() {
        Ok(event) => Box::pin(task(Task { event, deadline: until - margin })).await,
        Err(error) => Err(error.into()),
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match done {
        Ok(value) => {
            info!(milliseconds, "done");
            Ok(value)
        }
        Err(failure) => {
            error!(milliseconds, reason = failure.reason, "the task failed");
            Err(Broken::Task(failure))
        }
    }
}
