//! A small HTTP client that looks like an AWS SDK from afar, and organizations to call it in.

pub(crate) mod nights;

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a reply may take before the test is given up instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The caller: an endpoint, an access key and a Region.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) region: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// The body as JSON, `Null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The error code of a JSON or XML reply, empty when it is no error.
    pub(crate) fn code(&self) -> String {
        if self.status < 400 {
            return String::new();
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(kind) = self.headers.get("x-amzn-errortype") {
            return kind.to_str().unwrap_or_default().to_owned();
        }
        let json = text(&self.json()["__type"]);
        let xml = self.body.split("<Code>").nth(1).and_then(|it| it.split("</Code>").next());
        let code = if json.is_empty() { xml.unwrap_or_default() } else { &json };
        code.rsplit('#').next().unwrap_or_default().to_owned()
    }

    /// The error code and its reason, as in `ConstraintViolationException (…)`.
    pub(crate) fn refusal(&self) -> String {
        match self.json()["Reason"].as_str() {
            Some(reason) => format!("{} ({reason})", self.code()),
            None => self.code(),
        }
    }
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), key: "simulated".to_owned(), region: "us-east-1".to_owned() }
    }

    /// The same client for another account or session.
    pub(crate) fn key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The same client for another Region.
    pub(crate) fn region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Calls an operation of Organizations.
    pub(crate) async fn organizations(&self, operation: &str, request: Value) -> Reply {
        self.try_organizations(operation, request).await.expect("no reply")
    }

    /// Calls an operation of Organizations that may be left without a reply.
    pub(crate) async fn try_organizations(
        &self,
        operation: &str,
        request: Value,
    ) -> Result<Reply, hyper::Error> {
        let target = format!("AWSOrganizationsV20161128.{operation}");
        let headers =
            [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        self.send("organizations", "POST", "/", &headers, request.to_string()).await
    }

    /// Calls an operation of Organizations and returns what it answers, which must not be an error.
    pub(crate) async fn ok(&self, operation: &str, request: Value) -> Value {
        let reply = self.organizations(operation, request).await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.body);
        reply.json()
    }

    /// Calls an operation of Organizations and returns how it is refused.
    pub(crate) async fn refused(&self, operation: &str, request: Value) -> String {
        let reply = self.organizations(operation, request).await;
        assert_eq!(reply.status, 400, "{operation}: {}", reply.body);
        reply.refusal()
    }

    /// Sends a form.
    pub(crate) async fn form(&self, service: &str, form: &str) -> Reply {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(service, "POST", "/", &headers, form.to_owned()).await.expect("no reply")
    }

    /// Sends a request of REST.
    pub(crate) async fn rest(&self, service: &str, method: &str, path: &str, body: &str) -> Reply {
        self.send(service, method, path, &[], body.to_owned()).await.expect("no reply")
    }

    /// Sends a request, signed as far as a simulator looks, and gives up after a long while.
    pub(crate) async fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, hyper::Error> {
        let exchange = self.exchange(service, method, path, headers, body.into());
        tokio::time::timeout(PATIENCE, exchange).await.expect("no reply in time")
    }

    async fn exchange(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Reply, hyper::Error> {
        let address = self.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("nobody listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let scope = format!("{}/20260101/{}/{service}/aws4_request", self.key, self.region);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={:064}", 0);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", address)
            .header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        drop(sender);
        connection.abort();
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}
