//! The way to AWS: HTTP/1.1 over TLS, with the certificate authorities that Mozilla trusts.
//!
//! It stands in for `aws-smithy-http-client`, which brings HTTP/2, that no call here uses, and
//! reads the authorities of the machine whenever a process starts, which takes more instructions
//! than all the rest of that start.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client, connect::capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

/// How long a host has to take a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long it has until its answer begins, the connection included.
const ANSWER: Duration = Duration::from_secs(20);

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
            let answer = answer.await.map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?;
            let answer = answer.map_err(failure)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
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
