//! A script that stands in for AWS in place of the HTTP connector, for tests with a clock that
//! jumps.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;

/// The environment variables of a function that a script serves.
pub const ENVIRONMENT: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIA"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "eu-west-1"),
];

/// A scripted reply.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer with this status and this text.
    Answer(u16, String),
    /// An answer with this status, these headers and these bytes.
    Raw(u16, &'static [(&'static str, &'static str)], Vec<u8>),
    /// The beginning of an answer, which never continues.
    Stall,
    /// No answer, ever.
    Silence,
}

impl From<(u16, String)> for Reply {
    fn from((status, text): (u16, String)) -> Self {
        Self::Answer(status, text)
    }
}

impl From<(u16, Value)> for Reply {
    fn from((status, value): (u16, Value)) -> Self {
        Self::Answer(status, value.to_string())
    }
}

/// A request that was received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The operation by its name, or else the method, the path and the range of bytes.
    pub operation: String,
    /// The body of the request.
    pub body: String,
}

/// A stand-in for AWS that answers from a script and records the requests.
///
/// Its clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    /// Creates a stand-in that gives these replies, one to each call.
    pub fn new(replies: impl IntoIterator<Item: Into<Reply>>) -> Self {
        let replies = replies.into_iter().map(Into::into).collect();
        Self { replies: Arc::new(Mutex::new(replies)), ..Self::default() }
    }

    /// Returns the requests in order.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// Returns `true` if every reply was used.
    pub fn is_over(&self) -> bool {
        lock(&self.replies).is_empty()
    }
}

impl HttpConnector for Script {
    /// Replies to a call.
    ///
    /// # Panics
    ///
    /// Panics if there are more calls than replies, or if a status is not a valid HTTP status.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        lock(&self.asked).push(Asked::of(&request));
        let reply = lock(&self.replies).pop_front().expect("no more calls");
        let (status, headers, body) = match reply {
            Reply::Answer(status, text) => (status, &[][..], SdkBody::from(text)),
            Reply::Raw(status, headers, body) => (status, headers, SdkBody::from(body)),
            Reply::Stall => (200, &[][..], SdkBody::from_body_1_x(Stalled)),
            Reply::Silence => return HttpConnectorFuture::new(std::future::pending()),
        };
        let mut answer = HttpResponse::new(status.try_into().expect("a status of HTTP"), body);
        for (name, value) in headers {
            answer.headers_mut().insert(*name, *value);
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let form = body.split('&').find_map(|it| it.strip_prefix("Action="));
        let target = request.headers().get("x-amz-target").and_then(|it| it.rsplit('.').next());
        let path = request.uri().split('/').skip(3).collect::<Vec<_>>().join("/");
        let range = request.headers().get("range").unwrap_or_default();
        let place = format!("{} /{path} {range}", request.method());
        let operation = form.or(target).unwrap_or(place.trim_end()).to_owned();
        Self { operation, body: body.into_owned() }
    }
}

/// A body that never arrives.
struct Stalled;

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Locks the data. If a test panicked while it held the lock, it has failed, and its data is
/// unchanged.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
