//! The parts of the Lambda Runtime API that the library does not handle.

use std::error::Error as StdError;
use std::num::ParseIntError;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use errors::{advised, chain};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use media::json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::error;

use crate::said;

/// Serves events until the runtime shuts the process down.
///
/// The library stops at a deadline that is not a number. That event is lost, because its request is
/// unknown. The loop then serves the next event.
///
/// # Errors
///
/// Returns an error if the Lambda Runtime API cannot be reached.
pub async fn serve_events<T, R, E>(
    handle: impl AsyncFn(LambdaEvent<T>) -> Result<R, E>,
) -> Result<(), Error>
where
    T: DeserializeOwned,
    R: Serialize,
    E: Into<Diagnostic> + std::fmt::Debug,
{
    loop {
        let serve = async |event| handle(event).await.map_err(|it| told(it.into()));
        match lambda_runtime::run(service_fn(serve)).await {
            Err(error) if error.is::<ParseIntError>() => {
                error!(%error, "an event was lost, since its deadline is not a number");
            }
            ended => return ended,
        }
    }
}

/// Returns a failure in the form in which it is reported to Lambda, which keeps it in the log.
fn told(failure: Diagnostic) -> Diagnostic {
    Diagnostic { error_message: said(&failure.error_message), ..failure }
}

/// Reports to Lambda that the function cannot start because of `why`, and returns that error.
///
/// `kind` is the name of the error type, and `hint` is the next step, if there is one.
///
/// # Errors
///
/// Always returns an error.
#[expect(clippy::disallowed_methods, reason = "called once, when nothing is started")]
pub async fn refuse_to_start<T>(
    http: &SharedHttpConnector,
    kind: &str,
    why: impl StdError,
    hint: Option<&str>,
) -> Result<T, Error> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let message = said(&advised(chain(&why), hint));
    error!(reason = message, "the function cannot start");
    let diagnostic = Diagnostic { error_type: kind.to_owned(), error_message: message.clone() };
    let body = json::compact(&diagnostic);
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri(format!("http://{api}/2018-06-01/runtime/init/error"))?;
    request.headers_mut().insert("lambda-runtime-function-error-type", format!("Runtime.{kind}"));
    if let Err(unreached) = http.call(request).await {
        error!(error = %chain(&unreached), "Lambda could not be told of the failure");
    }
    Err(message.into())
}
