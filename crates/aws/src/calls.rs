//! Making calls: one at a time, paced, counted, and over before the deadline.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use leaky_bucket::RateLimiter;
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::error::{BUSY, Error, Wire};
use crate::operation::Operation;

/// How far the token bucket of each operation is used up, over all requests of this process.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<HashMap<&'static str, Arc<RateLimiter>>>>);

impl Pace {
    /// Waits until AWS takes another call of `operation`.
    async fn turn(&self, operation: Operation) {
        let bucket = {
            let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match (buckets.get(operation.name), operation.bucket()) {
                (Some(bucket), _) => Arc::clone(bucket),
                (None, Some(bucket)) => {
                    let bucket = Arc::new(bucket);
                    buckets.insert(operation.name, Arc::clone(&bucket));
                    bucket
                }
                (None, None) => return,
            }
        };
        bucket.acquire_one().await;
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

/// How many calls were made over all requests of this process.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU32,
    throttled: AtomicU32,
}

impl Tally {
    /// All calls to AWS, each counted once however often it was sent.
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// The answers of AWS Organizations that asked to come again later.
    pub fn throttled(&self) -> u32 {
        self.0.throttled.load(Ordering::Relaxed)
    }
}

/// The calls of one request, whose numbers are logged when the request is over.
#[derive(Debug)]
pub(crate) struct Calls {
    pace: Pace,
    tally: Tally,
    deadline: Instant,
    made: AtomicU32,
    writes: AtomicU32,
}

impl Calls {
    /// Calls that end by `deadline`.
    pub(crate) fn new(pace: Pace, tally: Tally, deadline: Instant) -> Self {
        Self { pace, tally, deadline, made: AtomicU32::new(0), writes: AtomicU32::new(0) }
    }

    /// Sends one call, which is described as `action` should it fail.
    pub(crate) async fn call<T, E>(
        &self,
        operation: Operation,
        action: impl Display,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let turn = async {
            self.pace.turn(operation).await;
            self.made.fetch_add(1, Ordering::Relaxed);
            self.tally.0.calls.fetch_add(1, Ordering::Relaxed);
            self.writes.fetch_add(u32::from(operation.writes), Ordering::Relaxed);
            send.await
        };
        match timeout_at(self.deadline, turn).await {
            Ok(Ok(it)) => Ok(it),
            Ok(Err(error)) => Err(Error::of_call(action.to_string(), error).of(operation)),
            Err(_) => Err(Error::out_of_time(action.to_string()).of(operation)),
        }
    }

    /// Sends calls until there are no more pages, and returns the items of all.
    pub(crate) async fn pages<T, E>(
        &self,
        operation: Operation,
        action: &str,
        send: impl AsyncFn(Option<String>) -> Result<Page<T>, SdkError<E, HttpResponse>>,
    ) -> Result<Vec<T>, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let mut all = Vec::new();
        let keep = |it| {
            all.push(it);
            None::<()>
        };
        self.find(operation, action, send, keep).await?;
        Ok(all)
    }

    /// Sends calls until an item is what `pick` looks for, or there are no more pages.
    ///
    /// A page may be empty and still name a next one. The SDK's paginators would not pace the pages.
    pub(crate) async fn find<T, U, E>(
        &self,
        operation: Operation,
        action: &str,
        send: impl AsyncFn(Option<String>) -> Result<Page<T>, SdkError<E, HttpResponse>>,
        mut pick: impl FnMut(T) -> Option<U>,
    ) -> Result<Option<U>, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let mut token = None;
        loop {
            let (items, next) = self.call(operation, action, send(token)).await?;
            let found = items.into_iter().flatten().find_map(&mut pick);
            token = next;
            if found.is_some() || token.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Items, and the token of the next page.
pub(crate) type Page<T> = (Option<Vec<T>>, Option<String>);

impl Drop for Calls {
    fn drop(&mut self) {
        let (calls, writes) = (self.made.get_mut(), self.writes.get_mut());
        info!(calls, writes, "AWS calls");
    }
}

/// Logs what is about to be done, in the words that its failure would use.
pub(crate) fn log_plan<S: Display>(steps: &[S]) {
    let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
    info!(?steps, "plan");
}

/// Has the SDK retry what AWS Organizations answers while somebody else's change is in progress, and
/// counts how often that was asked for.
#[derive(Debug)]
pub(crate) struct Busy(pub(crate) Tally);

impl ClassifyRetry for Busy {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let wire = context.response().and_then(Wire::read);
        let Some(wire) = wire else { return RetryAction::NoActionIndicated };
        let busy = BUSY.contains(&wire.code());
        if busy || wire.code() == "TooManyRequestsException" {
            self.0.0.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if busy { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "Organizations is busy"
    }
}
