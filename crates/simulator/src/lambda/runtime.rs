//! The Runtime API: sends events to a function and receives its answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::reply::Reply;
use crate::server::{Dropped, http};

/// The answer of a function to an event.
#[derive(Debug)]
pub(super) enum Said {
    Response(Value),
    Error(Value),
}

/// The events of one function.
#[derive(Default)]
pub(super) struct Runtime {
    state: Mutex<RuntimeState>,
    arrived: Notify,
    asked: Notify,
}

#[derive(Default)]
struct RuntimeState {
    waiting: Option<Invocation>,
    /// The current request, and the channel for its answer.
    running: Option<(String, oneshot::Sender<Said>)>,
    init_error: Option<Value>,
}

/// The number of events that were sent to functions so far. It gives each of two simultaneous
/// events an ID of its own.
static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Invocation {
    id: String,
    event: String,
    deadline: Deadline,
    answer: oneshot::Sender<Said>,
}

/// The deadline that a function gets.
pub(super) enum Deadline {
    /// The deadline after this duration.
    After(Duration),
    /// This text, which is not a valid time.
    Text(String),
}

impl Runtime {
    /// Sends `event` to the function as soon as it asks for one.
    pub(super) fn submit(&self, event: String, deadline: Deadline) -> oneshot::Receiver<Said> {
        let (answer, answered) = oneshot::channel();
        let nth = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{nth:012}");
        self.lock().waiting = Some(Invocation { id, event, deadline, answer });
        self.arrived.notify_one();
        answered
    }

    /// Returns the error that the function reported if it could not start.
    pub(super) fn init_error(&self) -> Option<Value> {
        self.lock().init_error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, RuntimeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the function asks for an event.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    async fn next(&self) -> Reply {
        self.asked.notify_one();
        loop {
            if let Some(invocation) = self.lock().begin() {
                return invocation;
            }
            self.arrived.notified().await;
        }
    }

    fn take_answer(&self, path: &str, body: &[u8]) -> Reply {
        let said = || serde_json::from_slice(body).unwrap_or_default();
        let parts: Vec<&str> = path.rsplit('/').take(2).collect();
        let (said, id) = match parts.as_slice() {
            ["response", id] => (Said::Response(said()), *id),
            ["error", "init"] => {
                self.lock().init_error = Some(said());
                return Reply::empty().status(StatusCode::ACCEPTED);
            }
            ["error", id] => (Said::Error(said()), *id),
            _ => return Reply::empty().status(StatusCode::NOT_FOUND),
        };
        let running = self.lock().running.take_if(|it| it.0 == id);
        let Some((_, answer)) = running else {
            return Reply::empty().status(StatusCode::BAD_REQUEST);
        };
        let _nobody_waits = answer.send(said);
        Reply::empty().status(StatusCode::ACCEPTED)
    }
}

impl RuntimeState {
    /// Takes the waiting invocation and returns it as a reply.
    fn begin(&mut self) -> Option<Reply> {
        let Invocation { id, event, deadline, answer } = self.waiting.take()?;
        self.running = Some((id.clone(), answer));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = match deadline {
            Deadline::After(time) => (now + time).as_millis().to_string(),
            Deadline::Text(text) => text,
        };
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:function";
        let trace = "Root=1-00000000-000000000000000000000000;Sampled=0";
        let reply = Reply::new("application/json", event)
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline)
            .header("lambda-runtime-invoked-function-arn", arn)
            .header("lambda-runtime-trace-id", trace);
        Some(reply)
    }
}

/// Serves the Runtime API for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, runtime: Arc<Runtime>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _slower_at_worst = stream.set_nodelay(true);
                let runtime = Arc::clone(&runtime);
                let service = service_fn(move |request| {
                    let runtime = Arc::clone(&runtime);
                    async move { respond(&runtime, request).await }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                connections.spawn(connection);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(
    runtime: &Runtime,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let Some(path) = parts.uri.path().strip_prefix("/2018-06-01/runtime/") else {
        return Ok(http(Reply::empty().status(StatusCode::NOT_FOUND)));
    };
    let reply = match (&parts.method, path) {
        (&Method::GET, "invocation/next") => runtime.next().await,
        (&Method::POST, _) => runtime.take_answer(path, &body),
        _ => Reply::empty().status(StatusCode::NOT_FOUND),
    };
    Ok(http(reply))
}
