//! The connection to AWS: HTTP/1.1 over TLS, with the certificate authorities that Mozilla trusts.
//!
//! This module replaces `aws-smithy-http-client`. That crate includes HTTP/2, which no call here
//! uses. It also reads the certificate authorities of the machine at the start of every process,
//! which takes more instructions than the rest of the start.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl reads them, and `AWS_CA_BUNDLE` as
//! the AWS CLI reads it. Plain HTTP goes directly to its host. The public endpoints of AWS do not
//! use it.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use errors::behind;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Uri;
use hyper_rustls::{
    ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream,
};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client, connect::capture_connection};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;
use tracing::error;

use crate::attempts::Attempts;
use crate::garbled::{Form, Garbled};

/// The maximum time in which a host accepts a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// The maximum time until the answer of a host begins, with the time to connect.
const ANSWER: Duration = Duration::from_secs(20);
/// The maximum time for the rest of the answer.
const REST: Duration = Duration::from_secs(20);

/// The maximum size of an answer in bytes. An answer is in memory as a whole. The longest one is
/// the report of a run over all member accounts, with some hundred bytes for each problem.
const LIMIT: usize = 32 << 20;

/// The variable that names a file of certificate authorities, which are trusted instead of
/// Mozilla's.
const BUNDLE: &str = "AWS_CA_BUNDLE";

#[derive(Clone, Debug)]
struct Connector(Client<HttpsConnector<Way>, SdkBody>);

/// Creates one pool of connections with one TLS configuration.
///
/// If the certificate authorities that [`AWS_CA_BUNDLE`](BUNDLE) names cannot be read, every call
/// fails with that reason. No request goes to a host that only other authorities have certified.
#[expect(clippy::disallowed_methods, reason = "called once, before the first call")]
pub fn connector() -> SharedHttpConnector {
    let tls = match env::var_os(BUNDLE).filter(|it| !it.is_empty()) {
        None => Ok(ClientConfig::builder().with_webpki_roots().with_no_client_auth()),
        Some(file) => bundled(&file),
    };
    match tls {
        Ok(tls) => connector_by(Matcher::from_env(), tls),
        Err(why) => {
            error!(%why, "the certificate authorities of {BUNDLE} cannot be read");
            SharedHttpConnector::new(Unusable(why))
        }
    }
}

/// Creates a connector that uses these proxies and certificate authorities.
fn connector_by(proxies: Matcher, tls: ClientConfig) -> SharedHttpConnector {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    let over = |tls: ClientConfig| {
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1()
    };
    let way = Way {
        proxies: Arc::new(proxies),
        host: tcp.clone(),
        proxy: over(tls.clone()).wrap_connector(tcp),
    };
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(over(tls).wrap_connector(way));
    SharedHttpConnector::new(Connector(client))
}

/// Returns a TLS configuration that trusts the certificate authorities in this PEM file, or the
/// reason why they cannot be used.
fn bundled(file: &OsStr) -> Result<ClientConfig, UnusableBundle> {
    let name = file.to_string_lossy();
    let unread = |why: &dyn Error| {
        UnusableBundle(format!("{BUNDLE} names `{name}`, which cannot be read: {why}"))
    };
    let read = CertificateDer::pem_file_iter(file).map_err(|it| unread(&it))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|it| unread(&it))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(read).0 == 0 {
        let why = format!("{BUNDLE} names `{name}`, which has no certificate in PEM");
        return Err(UnusableBundle(why));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// The reason why the certificate authorities that [`BUNDLE`] names cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UnusableBundle(String);

impl UnusableBundle {
    /// The next step, which is the same for every reader.
    pub(crate) const HINT: &str = "correct AWS_CA_BUNDLE";
}

/// The replacement of a connector that cannot be made. Every call fails with the reason.
#[derive(Clone, Debug)]
struct Unusable(UnusableBundle);

impl HttpConnector for Unusable {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(self.0.clone().into())))
    }
}

/// The route to a host: direct, or through the proxy that the environment names for it.
#[derive(Clone, Debug)]
struct Way {
    proxies: Arc<Matcher>,
    host: Tcp,
    proxy: HttpsConnector<Tcp>,
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let is_secret = host.scheme_str() == Some("https");
        let Some(proxy) = self.proxies.intercept(&host).filter(|_| is_secret) else {
            let straight = self.host.call(host);
            return Box::pin(async { Ok(MaybeHttpsStream::Http(straight.await?)) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.proxy.clone());
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        let tunnel = tunnel.call(host);
        let name = proxy.uri().host().unwrap_or_default().to_owned();
        Box::pin(async move {
            tunnel
                .await
                .map_err(|it| format!("by the proxy `{name}`: {}", errors::chain(&it)).into())
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        // The SDK can then close a connection on which an error occurred.
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

/// A connector that hands the SDK only complete answers of AWS.
///
/// Any other answer fails like a broken connection, so that the SDK sends the request again.
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

/// Creates the error of an answer that did not come in time.
fn late(limit: Duration) -> ConnectorError {
    // What is left of a limit is not a whole number.
    let seconds = limit.as_secs_f64();
    ConnectorError::timeout(format!("nothing came within {seconds:.0} seconds").into())
}

/// Reads an answer to its end. It fails if the answer does not come from AWS, or is longer than any
/// answer of AWS.
async fn whole(form: Form, mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = Limited::new(answer.take_body(), LIMIT).collect();
    let body = timeout(REST, body).await.map_err(|_| late(REST))?;
    let body = body.map_err(|error| {
        if behind::<LengthLimitError>(error.as_ref()).is_some() {
            // The next answer would be as long, so the request is not sent again.
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

/// Returns a handle that closes the connection of a call, if the call has a connection.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        connection.connection_metadata().as_ref().inspect(|it| it.poison());
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// Classifies a failure for the SDK. Every failure may be transient, except a mistake of the
/// caller.
fn failure(error: legacy::Error) -> ConnectorError {
    let cause = behind::<hyper::Error>(&error);
    if cause.is_some_and(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else if cause.is_some_and(hyper::Error::is_incomplete_message) {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::SocketAddr;
    use std::sync::{Mutex, PoisonError};

    use aws_smithy_runtime_api::client::result::ConnectorError;
    use rcgen::CertifiedKey;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Only a proxy knows where this is.
    const HOST: &str = "organizations.example.com";

    /// A server of HTTPS that says `here`, and the file of the authority that vouches for it.
    async fn server() -> (SocketAddr, tempfile::NamedTempFile) {
        let names = [HOST, "localhost"].map(ToOwned::to_owned);
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder().with_no_client_auth();
        let tls = tls.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whom a client does not trust it leaves.
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let mut stream = BufReader::new(stream);
                head(&mut stream).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(cert.pem().as_bytes()).unwrap();
        (address, file)
    }

    /// The first lines of a request, up to the empty one.
    async fn head(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
        head
    }

    /// The request that a proxy got.
    type Asked = Arc<Mutex<Vec<String>>>;

    /// A proxy that brings everybody to `server`, or answers with this status.
    async fn proxy(server: Result<SocketAddr, &'static str>) -> (SocketAddr, Asked) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let head = head(&mut stream).await;
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                let status = server.err().unwrap_or("200 OK");
                stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
                if let Ok(server) = server {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                }
            }
        });
        (address, asked)
    }

    async fn get(connector: &SharedHttpConnector, url: &str) -> Result<String, ConnectorError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).unwrap();
        let mut answer = connector.call(request).await?;
        let body = answer.take_body().collect().await.unwrap().to_bytes();
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }

    fn asked(asked: &Asked) -> Vec<String> {
        asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_a_tunnel_with_its_password() {
        let (server, authority) = server().await;
        let (proxy, seen) = proxy(Ok(server)).await;
        let matcher = Matcher::builder().https(format!("http://me:secret@{proxy}")).build();
        let tls = bundled(authority.path().as_os_str()).unwrap();
        let connector = connector_by(matcher, tls);
        assert_eq!(get(&connector, &format!("https://{HOST}/")).await.unwrap(), "here");
        let [head] = &asked(&seen)[..] else { panic!("{seen:?}") };
        assert!(head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")), "{head}");
        assert!(head.contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"), "{head}");
    }

    #[tokio::test]
    async fn a_host_that_needs_no_proxy_and_plain_http_go_straight() {
        let (server, authority) = server().await;
        let (proxy, seen) = proxy(Ok(server)).await;
        let all = format!("http://{proxy}");
        let matcher = Matcher::builder().all(all).no("localhost").build();
        let tls = bundled(authority.path().as_os_str()).unwrap();
        let connector = connector_by(matcher, tls);
        let url = format!("https://localhost:{}/", server.port());
        assert_eq!(get(&connector, &url).await.unwrap(), "here");
        // It speaks TLS, so that plain HTTP comes to nothing.
        get(&connector, &format!("http://{server}/")).await.unwrap_err();
        assert!(asked(&seen).is_empty(), "{seen:?}");
    }

    #[tokio::test]
    async fn what_a_proxy_refuses_names_the_proxy() {
        let (proxy, _) = proxy(Err("407 Proxy Authentication Required")).await;
        let matcher = Matcher::builder().https(format!("http://{proxy}")).build();
        let tls = ClientConfig::builder().with_webpki_roots().with_no_client_auth();
        let error =
            get(&connector_by(matcher, tls), &format!("https://{HOST}/")).await.unwrap_err();
        let words = errors::chain(&error);
        assert!(words.contains("by the proxy `127.0.0.1`: "), "{words}");
        assert!(words.contains("proxy authorization required"), "{words}");
    }

    #[tokio::test]
    async fn an_authority_counts_only_where_it_is_named() {
        let (server, _authority) = server().await;
        let tls = ClientConfig::builder().with_webpki_roots().with_no_client_auth();
        let connector = connector_by(Matcher::builder().build(), tls);
        let url = format!("https://localhost:{}/", server.port());
        let words = errors::chain(&get(&connector, &url).await.unwrap_err());
        assert!(words.contains("UnknownIssuer"), "{words}");
    }

    #[test]
    fn a_bundle_that_cannot_be_read_says_which_it_is() {
        let missing = bundled(OsStr::new("/nowhere/ca.pem")).unwrap_err().to_string();
        assert!(missing.starts_with("AWS_CA_BUNDLE names `/nowhere/ca.pem`, which"), "{missing}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        let empty = bundled(empty.path().as_os_str()).unwrap_err().to_string();
        assert!(empty.ends_with("which has no certificate in PEM"), "{empty}");
    }
}
