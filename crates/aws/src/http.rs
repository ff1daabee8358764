//! The way to AWS: HTTP/1.1 over TLS, with the certificate authorities that Mozilla trusts.
//!
//! It stands in for `aws-smithy-http-client`, which brings HTTP/2, that no call here uses, and
//! reads the authorities of the machine whenever a process starts, which takes more instructions
//! than all the rest of that start.

use std::error::Error;
use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client, connect::capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use crate::attempts::Attempts;
use crate::garbled::{Form, Garbled};

/// How long a host has to take a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long it has until its answer begins, the connection included.
const ANSWER: Duration = Duration::from_secs(20);
/// How long it has for the rest of its answer.
const REST: Duration = Duration::from_secs(20);

/// The most bytes of an answer, which are in memory all at once. The longest that is read is the
/// report of a run over all member accounts, with some hundred bytes for each problem.
const LIMIT: usize = 32 << 20;

#[derive(Clone, Debug)]
struct Connector(Client<HttpsConnector<Tcp>, SdkBody>);

/// One pool of connections with one TLS configuration.
pub fn connector() -> SharedHttpConnector {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(tls.wrap_connector(tcp));
    SharedHttpConnector::new(Connector(client))
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        // Lets the SDK give up a connection on which something went wrong.
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = timeout(ANSWER, self.0.request(request));
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(|_| late(ANSWER))?;
            let answer = answer.map_err(failure)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// A connector whose answers have come whole before the SDK sees them, and are AWS's.
///
/// What is not fails like a connection that broke, so that the SDK sends the request again.
#[derive(Clone, Debug)]
pub(crate) struct Whole(pub(crate) SharedHttpConnector);

impl HttpConnector for Whole {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let attempts = Attempts::current();
            let asks = attempts.as_ref().is_some_and(|it| it.asks());
            let form = Form::of(&request, asks);
            let patience = attempts.and_then(|it| it.begin());
            let exchange = async { whole(form, connector.call(request).await?).await };
            match patience {
                None => exchange.await,
                Some(patience) => {
                    timeout(patience, exchange).await.unwrap_or_else(|_| Err(late(patience)))
                }
            }
        })
    }
}

/// Something that did not come in time.
fn late(limit: Duration) -> ConnectorError {
    ConnectorError::timeout(format!("nothing came within {} seconds", limit.as_secs()).into())
}

/// Reads all of an answer, unless it is not AWS's or longer than anything that AWS answers.
async fn whole(form: Form, mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = Limited::new(answer.take_body(), LIMIT).collect();
    let body = timeout(REST, body).await.map_err(|_| late(REST))?;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            // What it would be the next time, so it is not sent again.
            ConnectorError::other(Garbled::too_long(&answer, LIMIT >> 20).into(), None)
        } else {
            ConnectorError::io(io::Error::other(error).into())
        }
    })?;
    let body = body.to_bytes();
    if let Some(garbled) = Garbled::judge(form, &answer, &body) {
        return Err(ConnectorError::other(garbled.into(), Some(ErrorKind::TransientError)));
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// What gives the connection of a call up, once there is one.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        connection.connection_metadata().as_ref().inspect(|it| it.poison());
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// What the SDK has to know of a failure: all but the caller's own mistakes may pass.
fn failure(error: legacy::Error) -> ConnectorError {
    let cause = error.source().and_then(|it| it.downcast_ref::<hyper::Error>());
    if cause.is_some_and(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else if cause.is_some_and(hyper::Error::is_incomplete_message) {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else {
        ConnectorError::io(error.into())
    }
}
