//! Delivers an answer to the address at which CloudFormation waits for it.

use std::cell::Cell;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::response_url::ResponseUrl;
use crate::undelivered::Undelivered;

/// Puts `body` to `url`, and retries until `until`.
///
/// The content type is empty, because the address was presigned for an empty one.
///
/// # Errors
///
/// Returns an error if every attempt failed. CloudFormation then still waits, and the same body can
/// be put again.
pub(crate) async fn put(
    http: &SharedHttpConnector,
    url: &ResponseUrl,
    body: &str,
    until: Instant,
) -> Result<(), Undelivered> {
    let (sent, last) = (Cell::new(0), Cell::new(None));
    let once = async || {
        sent.set(sent.get() + 1);
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("PUT").map_err(|_| Undelivered::Request)?;
        request.set_uri(url.reveal()).map_err(|_| Undelivered::Request)?;
        request.headers_mut().insert("content-type", "");
        let response = http.call(request).await.map_err(|_| Undelivered::Connection)?;
        match response.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(Undelivered::Refused { status, attempts: sent.get() }),
        }
    };
    let patience = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times();
    let attempts =
        once.retry(patience).when(|it| !matches!(it, Undelivered::Request)).notify(|it, _| {
            warn!(error = %it, "the answer is sent again");
            last.set(Some(*it));
        });
    let delivered = timeout_at(until, attempts).await;
    delivered.unwrap_or_else(|_| Err(last.get().unwrap_or(Undelivered::OutOfTime)))
}
