//! Makes calls one at a time, paces and counts them, and ends them before the deadline.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::Reader;
use leaky_bucket::RateLimiter;
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::advice::Advice;
use crate::attempts::{Attempts, Last};
use crate::error::{BUSY, CONFLICT, Error, Useless};
use crate::operation::{Need, Operation};
use crate::tally::Tally;

/// The token buckets of the operations, shared by all requests of this process.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<HashMap<&'static str, Arc<RateLimiter>>>>);

impl Pace {
    /// Waits until AWS accepts another call of `operation`.
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

/// The maximum number of pages of a listing: more than any quota of AWS allows, at 20 accounts or
/// 1,000 objects a page.
const MOST_PAGES: usize = 10_000;

/// The progress of a listing. A listing that starts again or never ends becomes an error long
/// before the deadline.
#[derive(Debug, Default)]
pub struct Pages {
    token: Option<String>,
    is_over: bool,
    /// The hashes of the tokens so far.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Pages {
    /// Returns the token of the next page, which is `None` for the first page. Returns `None` if
    /// there are no more pages.
    pub fn token(&mut self) -> Option<Option<String>> {
        (!self.is_over).then(|| self.token.take())
    }

    /// Notes the token of the next page. Without a token, the listing is complete.
    ///
    /// # Errors
    ///
    /// Returns an error if the listing starts again or never ends.
    pub fn turn(&mut self, action: &str, next: Option<String>) -> Result<(), Error> {
        const AGAIN: Useless = Useless {
            why: "AWS answers with a page that it has returned before",
            advice: Advice::Between,
        };
        const ENDLESS: Useless = Useless {
            why: "AWS has returned more pages than its quotas allow, and more follow",
            advice: Advice::Same("find out who made so many, or what answers in place of AWS"),
        };
        let Some(token) = next else {
            self.is_over = true;
            return Ok(());
        };
        let is_new = self.seen.insert(self.hasher.hash_one(&token));
        if !is_new || self.seen.len() >= MOST_PAGES {
            let why = if is_new { ENDLESS } else { AGAIN };
            return Err(Error::unusable(action.to_owned(), why));
        }
        self.token = Some(token);
        Ok(())
    }
}

/// The calls of one request. Their numbers are logged at the end of the request.
#[derive(Debug)]
pub struct Calls {
    pace: Pace,
    tally: Tally,
    deadline: Instant,
    need: Need,
    /// The reader of the errors.
    reader: Reader,
    made: Arc<Made>,
}

/// The number of calls made.
#[derive(Debug, Default)]
struct Made {
    calls: AtomicU32,
    writes: AtomicU32,
}

impl Calls {
    /// Returns the counter of the calls so far.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// Creates calls that end by `deadline`, and whose errors are for `reader`.
    pub(crate) fn new(pace: Pace, tally: Tally, deadline: Instant, reader: Reader) -> Self {
        Self { pace, tally, deadline, need: Need::Needed, reader, made: Arc::default() }
    }

    /// Returns calls of the same request for one purpose, which is as necessary as `need` says.
    ///
    /// Together they take at most a third of the remaining time, so that they do not use up a short
    /// deadline.
    #[must_use]
    pub fn for_what_is(&self, need: Need) -> Self {
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        let deadline = need.patience().map_or(self.deadline, |it| now + it.all.min(left / 3));
        let (pace, tally, made) = (self.pace.clone(), self.tally.clone(), Arc::clone(&self.made));
        Self { pace, tally, deadline, need, reader: self.reader, made }
    }

    /// Sends one call. An error describes it as `action`.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS refuses, or does not answer before the deadline.
    pub async fn call<T, E>(
        &self,
        operation: Operation,
        action: impl Display,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let attempts = Attempts::new::<E>(self.need, !operation.writes, self.tally.clone());
        let attempts = attempts.reaching(reach(self.reader));
        // This is boxed because the futures of clients are large, and the futures around them would
        // be as large again.
        let turn = Box::pin(async {
            self.pace.turn(operation).await;
            self.made.calls.fetch_add(1, Ordering::Relaxed);
            self.tally.add_call();
            self.made.writes.fetch_add(u32::from(operation.writes), Ordering::Relaxed);
            send.await
        });
        let longest = self.need.patience().map(|it| Instant::now() + it.call);
        let until = longest.map_or(self.deadline, |it| it.min(self.deadline));
        let error = match timeout_at(until, attempts.of(turn)).await {
            Ok(Ok(it)) => return Ok(it),
            Ok(Err(error)) => Error::of_call(action.to_string(), error, attempts.seen()),
            Err(_) => {
                Error::out_of_time(action.to_string(), self.need, self.reader, attempts.seen())
            }
        };
        Err(error.of(operation).read_by(self.reader))
    }

    /// Sends calls until there are no more pages, and returns all items.
    ///
    /// # Errors
    ///
    /// Returns the error of the first call that fails, or an error if the listing never ends.
    pub async fn pages<T, E>(
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

    /// Sends calls until `pick` accepts an item or there are no more pages.
    ///
    /// An empty page may still name a next page. The paginators of the SDK would not pace the
    /// pages.
    ///
    /// # Errors
    ///
    /// Returns the error of the first call that fails, or an error if the listing never ends.
    pub async fn find<T, U, E>(
        &self,
        operation: Operation,
        action: &str,
        send: impl AsyncFn(Option<String>) -> Result<Page<T>, SdkError<E, HttpResponse>>,
        mut pick: impl FnMut(T) -> Option<U>,
    ) -> Result<Option<U>, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let mut pages = Pages::default();
        while let Some(token) = pages.token() {
            let (items, next) = self.call(operation, action, send(token)).await?;
            let found = items.into_iter().flatten().find_map(&mut pick);
            pages.turn(action, next).map_err(|it| it.read_by(self.reader))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The maximum time for which the operator's command waits for AWS if it cannot be reached. It is
/// enough for at least three attempts, and the last of them may take three seconds more.
const REACH: Duration = Duration::from_secs(6);

/// Returns the maximum time for which AWS may be out of reach before a call ends; `None` if only the
/// deadline ends it. A person waits for the command, and nobody for a function.
fn reach(reader: Reader) -> Option<Duration> {
    match reader {
        Reader::Operator => Some(REACH),
        Reader::Author | Reader::Log => None,
    }
}

/// Items, and the token of the next page.
pub type Page<T> = (Option<Vec<T>>, Option<String>);

impl Drop for Made {
    fn drop(&mut self) {
        let (calls, writes) = (self.calls.get_mut(), self.writes.get_mut());
        info!(calls, writes, "AWS calls");
    }
}

/// Logs the steps of a plan in the words in which a failure would describe them.
pub fn log_plan<S: Display>(steps: &[S]) {
    let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
    info!(?steps, "plan");
}

/// A classifier that has the SDK retry transient errors that it does not know, as often as is worth
/// the time. It counts the throttling answers of AWS Organizations, and notes the outcome of each
/// attempt.
#[derive(Debug)]
pub(crate) struct Again;

impl ClassifyRetry for Again {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(attempts) = Attempts::current() else { return RetryAction::NoActionIndicated };
        let passes = match attempts.note(context) {
            Some(Last::Refused(_, refusal)) => {
                let code = refusal.code.as_str();
                let busy = BUSY.contains(&code);
                if busy || code == "TooManyRequestsException" {
                    attempts.tally().add_throttled();
                }
                busy || code == CONFLICT
            }
            Some(Last::Garbled(_) | Last::Unreachable(_)) | None => false,
        };
        match passes {
            _ if attempts.are_used_up() => RetryAction::RetryForbidden,
            true => RetryAction::transient_error(),
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "what passes, as far as there is patience"
    }
}
