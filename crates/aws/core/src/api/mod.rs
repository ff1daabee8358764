//! Calls single operations of services for which a whole SDK would be far too large.
//!
//! The SDK of EC2 has 1.2 million lines, and one description of an instance needs a form with four
//! fields. The operations in this module use the same runtime as every SDK: the same connector,
//! credentials, retries and timeouts, and errors of the same type. The tests of `restored` compare
//! the requests, the answers and the hosts with AWS's models.

pub mod answers;
pub mod cloudtrail;
mod endpoint;
pub mod events;
pub mod iam;
pub mod kms;
mod service;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::static_resolver::{
    StaticAuthSchemeOptionResolver, StaticAuthSchemeOptionResolverParams,
};
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::SharedRetryClassifier;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};
use errors::Tries;
use form_urlencoded::Serializer;
use roxmltree::Document;
use serde_json::Value;

use crate::attempts::Attempts;
use crate::calls::Again;
use crate::operation::{GET_RESOURCES, Need};
use crate::retries::tireless;
use crate::tally::Tally;

use self::endpoint::Endpoint;
pub use self::service::Service;
pub use aws_smithy_runtime_api::box_error::BoxError;

/// One operation of a service: the request for it, and how its answer is read.
#[derive(Clone, Debug)]
pub struct Request<T> {
    /// The service.
    pub service: Service,
    /// The name of the operation.
    pub operation: &'static str,
    /// The content of the request.
    pub question: Question,
    /// Reads the result from a successful answer.
    pub read: fn(&str) -> Result<T, BoxError>,
}

/// The content of a request, in the protocol of its service.
#[derive(Clone, Debug)]
pub enum Question {
    /// A form. The answer is XML.
    Form {
        /// The version of the API, for example `2016-11-15`.
        version: &'static str,
        /// The fields other than the names of the operation and of the version.
        fields: Vec<(&'static str, String)>,
    },
    /// A JSON object. The answer is another JSON object.
    Json {
        /// The version of the protocol: `1.0` or `1.1`.
        protocol: &'static str,
        /// The prefix of the operation's name, for example `DynamoDB_20120810`.
        target: &'static str,
        /// The object.
        body: Value,
    },
    /// A JSON object that is posted to a path. The answer is another JSON object.
    Post {
        /// The path, as it stands in a URL.
        path: Cow<'static, str>,
        /// The object.
        body: Value,
    },
    /// A path that is read. The answer is JSON.
    Path {
        /// The path.
        path: &'static str,
        /// Its query.
        query: Vec<(&'static str, String)>,
    },
}

impl<T> Request<T> {
    /// Requests a page of the resources of a Region that have, or had, tags. `body` filters them.
    pub fn tagging(body: Value, read: fn(&str) -> Result<T, BoxError>) -> Self {
        let target = "ResourceGroupsTaggingAPI_20170126";
        let question = Question::Json { protocol: "1.1", target, body };
        Self { service: Service::TAGGING, operation: GET_RESOURCES.name, question, read }
    }

    /// Requests an operation of Resource Explorer, each of which has a path of its name.
    pub fn explorer(
        operation: crate::operation::Operation,
        body: Value,
        read: fn(&str) -> Result<T, BoxError>,
    ) -> Self {
        let question = Question::Post { path: format!("/{}", operation.name).into(), body };
        Self { service: Service::RESOURCE_EXPLORER, operation: operation.name, question, read }
    }
}

/// An error that a service answered.
#[derive(Debug)]
pub struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// The attempts of one call that does not go through [`Management`](crate::Management), kept to
/// explain a failure.
#[derive(Debug)]
pub struct Course(Arc<Attempts>);

impl Course {
    /// Starts without attempts, for a call whose errors have the type `E`. `tally` counts the call. If
    /// the call `asks` for something, it is sent again when the answer is empty.
    pub fn new<E>(tally: Tally, asks: bool) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        Self(Attempts::new::<E>(Need::Needed, asks, tally).reaching(None))
    }

    /// Polls `call`, and notes its attempts if its client has the [classifier](again) for that.
    pub async fn of<T>(&self, call: impl Future<Output = T>) -> T {
        self.0.of(Box::pin(call)).await
    }

    /// Returns the number of attempts as the end of a sentence, or an empty text if there was one.
    pub fn tries(&self) -> String {
        Tries(self.0.seen().sent).to_string()
    }

    /// Returns the outcome of the last attempt that failed.
    pub fn last(&self) -> Option<String> {
        self.0.seen().last.map(|it| it.to_string())
    }

    /// Describes the outcome of the call so far.
    pub fn so_far(&self) -> String {
        self.0.seen().so_far()
    }
}

/// Returns a classifier for clients of SDKs. It retries transient errors that the SDK does not
/// know, and notes every attempt.
pub fn again() -> SharedRetryClassifier {
    SharedRetryClassifier::new(Again)
}

/// Sends a request with the credentials of `config`, and returns the result.
///
/// The request is retried as every call of an SDK with this `config` is. It is also retried if
/// its answer cannot be read.
///
/// # Errors
///
/// Returns the same errors as every call of an SDK. The service may have carried out the request,
/// unless it refused it.
pub async fn ask<T>(
    config: &SdkConfig,
    request: Request<T>,
) -> Result<T, SdkError<Refusal, HttpResponse>>
where
    T: fmt::Debug + Send + Sync + 'static,
{
    let Request { service, operation, question, read } = request;
    let Endpoint { url, signed_for } =
        endpoint::of(config, service).await.map_err(SdkError::construction_failure)?;
    let prepared = Operation::builder()
        .service_name(service.id)
        .operation_name(operation)
        .endpoint_url(&url)
        .serializer(move |question: Question| serialize(operation, &question))
        .deserializer(move |answer: &HttpResponse| understand(answer, read))
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .retry_classifier(Again)
        .interceptor(InvocationIdInterceptor::new())
        .interceptor(RequestInfoInterceptor::new())
        .interceptor(UserAgentInterceptor::new())
        .with_connection_poisoning()
        .runtime_plugin(caller(config, service, signed_for))
        .build();
    prepared.invoke(question).await
}

/// Returns the settings that clients of SDKs take from their configuration: how requests are sent,
/// signed and retried. Requests are signed for the Region `signed_for`.
fn caller(config: &SdkConfig, service: Service, signed_for: Option<Region>) -> StaticRuntimePlugin {
    let mut layer = Layer::new("caller");
    layer.store_put(AuthSchemeOptionResolverParams::from(StaticAuthSchemeOptionResolverParams));
    layer.store_put(ApiMetadata::new(service.name, env!("CARGO_PKG_VERSION")));
    layer.store_put(SigV4OperationSigningConfig {
        region: signed_for.map(SigningRegion::from),
        name: Some(SigningName::from_static(service.name)),
        signing_options: SigningOptions::default(),
        ..SigV4OperationSigningConfig::default()
    });
    layer.store_put(tireless());
    if let Some(retries) = config.retry_config() {
        layer.store_put(retries.clone());
    }
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    let options = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("caller")
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(options)))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source());
    if let Some(credentials) = config.credentials_provider() {
        let identity = SharedIdentityResolver::new(credentials);
        components.set_identity_resolver(SCHEME_ID, identity);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Builds the request for an operation. The endpoint adds its address.
fn serialize(operation: &str, question: &Question) -> Result<HttpRequest, BoxError> {
    let post = |kind: String| {
        hyper::Request::builder().method("POST").uri("/").header("content-type", kind)
    };
    let request = match question {
        Question::Form { version, fields } => {
            let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
            let named = [("Action", operation), ("Version", *version)].into_iter().chain(fields);
            let form = Serializer::new(String::new()).extend_pairs(named).finish();
            post("application/x-www-form-urlencoded".to_owned()).body(SdkBody::from(form))
        }
        Question::Json { protocol, target, body } => {
            post(format!("application/x-amz-json-{protocol}"))
                .header("x-amz-target", format!("{target}.{operation}"))
                .body(SdkBody::from(body.to_string()))
        }
        Question::Post { path, body } => {
            let request =
                hyper::Request::post(path.as_ref()).header("content-type", "application/json");
            request.body(SdkBody::from(body.to_string()))
        }
        Question::Path { path, query } => {
            let query = Serializer::new(String::new()).extend_pairs(query).finish();
            hyper::Request::get(format!("{path}?{query}")).body(SdkBody::empty())
        }
    };
    Ok(request?.try_into()?)
}

/// Parses a successful answer with `read`, or returns the error that the service answered.
fn understand<T>(
    answer: &HttpResponse,
    read: fn(&str) -> Result<T, BoxError>,
) -> Result<T, OrchestratorError<Refusal>> {
    let body = answer.body().bytes().unwrap_or_default();
    if answer.status().is_success() {
        let text =
            std::str::from_utf8(body).map_err(|it| OrchestratorError::response(it.into()))?;
        return read(text).map_err(OrchestratorError::response);
    }
    Err(OrchestratorError::operation(Refusal(refusal(
        answer.headers().get("x-amzn-errortype"),
        body,
    ))))
}

/// Returns the code and the message of an error answer. It is XML, or JSON with the code in a
/// header or a member.
fn refusal(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let text = String::from_utf8_lossy(body);
    let (code, message) = if let Ok(xml) = Document::parse(&text) {
        let first =
            |name| xml.descendants().find(|it| it.has_tag_name(name)).and_then(|it| it.text());
        (first("Code").map(ToOwned::to_owned), first("Message").map(ToOwned::to_owned))
    } else {
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let member = |names: [&str; 3]| names.iter().find_map(|it| json.get(it)?.as_str());
        let code = header.or_else(|| member(["__type", "code", "ErrorCode"]));
        // `namespace#Code:address`
        let bare = |it: &str| {
            let it = it.split_once(':').map_or(it, |(code, _)| code);
            it.rsplit_once('#').map_or(it, |(_, code)| code).to_owned()
        };
        (code.map(bare), member(["message", "Message", "errorMessage"]).map(ToOwned::to_owned))
    };
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    metadata.build()
}
