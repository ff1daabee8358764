//! The attempts of one call: their number, their limit, and the outcome of the last one.
//!
//! The SDK retries by itself. In the end it reports the last attempt only, and no attempt at all if
//! the deadline ends the call. So the layers below record what they see here:
//! [`Whole`](crate::http::Whole) records each attempt that is sent, and
//! [`Again`](crate::calls::Again) the outcome of each.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::{
    Error as Modelled, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::{behind, chain};
use tokio::time::Instant;

use crate::garbled::Garbled;
use crate::operation::Need;
use crate::tally::Tally;

/// The number of attempts after which a first call ends that AWS does not answer but something else.
/// The waits between them take less than three seconds.
const GARBLED: u32 = 4;

/// The minimum time of an attempt, in which AWS usually answers.
const LEAST: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// The attempts of the call that is being polled.
    static CURRENT: Arc<Attempts>;
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    need: Need,
    /// True if the request asks for data, so that an answer without a body is not one of AWS.
    asks: bool,
    tally: Tally,
    read: fn(&Modelled) -> Option<Refusal>,
    /// The maximum time for which AWS may be out of reach, if that is limited.
    reach: Option<Duration>,
    seen: Mutex<Seen>,
    /// The time at which the first of the latest attempts was sent that did not reach AWS.
    began: Mutex<Option<Instant>>,
    /// The time at which the first attempt was sent.
    first: Mutex<Option<Instant>>,
}

/// The observations of the attempts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The number of attempts that were sent.
    pub(crate) sent: u32,
    /// The outcome of the last attempt that is over, if it failed.
    pub(crate) last: Option<Last>,
}

/// The outcome of an attempt that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Last {
    /// AWS refused the request with this HTTP status.
    Refused(u16, Refusal),
    /// The answer does not come from AWS.
    Garbled(Garbled),
    /// No answer came, for this reason. It is text, because the SDK keeps the error of the attempt.
    Unreachable(String),
}

/// An error of AWS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Seen {
    /// Describes in words what is known of the call so far.
    pub(crate) fn so_far(&self) -> String {
        match (self.sent, &self.last) {
            (0, _) => "AWS was not asked yet".to_owned(),
            (1, None) => "AWS did not answer".to_owned(),
            (count, None) => format!("AWS answered none of {count} attempts"),
            (count, Some(last)) => format!("after {count} attempts the last answer was: {last}"),
        }
    }
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status, Refusal { code, message }) if message.is_empty() => {
                write!(f, "{code} (HTTP {status})")
            }
            Self::Refused(status, Refusal { code, message }) => {
                write!(f, "{code} (HTTP {status}): {message}")
            }
            Self::Garbled(garbled) => garbled.fmt(f),
            Self::Unreachable(why) => write!(f, "AWS could not be reached: {why}"),
        }
    }
}

impl Attempts {
    /// Creates the record of a call without attempts. The errors of the call have the type `E`, the
    /// call is as necessary as `need` says, `asks` is true if it asks for data, and `tally` counts
    /// the calls of the process.
    pub(crate) fn new<E>(need: Need, asks: bool, tally: Tally) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        // The SDK hands an interceptor the error of an operation with its type erased. It is no
        // `dyn Error` with causes, and only its own method gives the type back.
        let read = |error: &Modelled| Refusal::of(error.downcast_ref::<E>()?);
        Self {
            need,
            asks,
            tally,
            read,
            reach: None,
            seen: Mutex::default(),
            began: Mutex::default(),
            first: Mutex::default(),
        }
    }

    /// Limits the time for which AWS may be out of reach, if `reach` is given. After that time
    /// there are no more attempts.
    pub(crate) fn reaching(self, reach: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { reach, ..self })
    }

    /// Polls `call` so that the layers below it find these attempts.
    pub(crate) async fn of<T>(self: &Arc<Self>, call: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::clone(self), call).await
    }

    /// Returns the attempts of the call that is being polled; `None` if they are not counted.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Returns `true` if the request asks for data.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    /// Counts an attempt that is sent, and returns the maximum time that it may take, if there is a
    /// limit.
    pub(crate) fn begin(&self) -> Option<Duration> {
        let mut seen = self.lock();
        seen.sent += 1;
        if !matches!(seen.last, Some(Last::Unreachable(_))) {
            *lock(&self.began) = Some(Instant::now());
        }
        let first = *lock(&self.first).get_or_insert_with(Instant::now);
        let attempt = self.need.patience()?.attempt;
        Some(match self.need {
            // All attempts together take no longer than one.
            Need::First => attempt.saturating_sub(first.elapsed()).max(LEAST),
            Need::Needed | Need::Helpful | Need::Optional => attempt,
        })
    }

    /// Records the outcome of an attempt if it failed, and returns it.
    pub(crate) fn note(&self, context: &InterceptorContext) -> Option<Last> {
        let error = context.output_or_error()?.err()?;
        let last = self.read(error, context);
        self.lock().last = Some(last.clone());
        Some(last)
    }

    fn read(&self, error: &OrchestratorError<Modelled>, context: &InterceptorContext) -> Last {
        let garbled = || {
            if let Some(garbled) = behind::<Garbled>(error) {
                return Some(*garbled);
            }
            let is_answered = error.is_operation_error() || error.is_response_error();
            context.response().filter(|_| is_answered).map(Garbled::unknown)
        };
        let status = context.response().map(|it| it.status().as_u16());
        let refusal = error.as_operation_error().and_then(self.read);
        match (status.zip(refusal), garbled()) {
            (Some((status, refusal)), _) => Last::Refused(status, refusal),
            (None, Some(garbled)) => Last::Garbled(garbled),
            (None, None) => Last::Unreachable(chain(error)),
        }
    }

    /// Returns `true` if no more attempts may be made.
    pub(crate) fn are_used_up(&self) -> bool {
        let seen = self.lock();
        let is_lost = |reach| {
            matches!(seen.last, Some(Last::Unreachable(_)))
                && lock(&self.began).is_some_and(|it| it.elapsed() >= reach)
        };
        // Something that answers in the place of AWS answers the same again.
        let is_between = self.need == Need::First
            && matches!(seen.last, Some(Last::Garbled(_)))
            && seen.sent >= GARBLED;
        self.need.patience().is_some_and(|it| seen.sent >= it.attempts)
            || is_between
            || self.reach.is_some_and(is_lost)
    }

    /// Returns the counter of the calls of the process.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the observations so far.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Refusal {
    /// Returns the code and the message of `error`; `None` if it has no code. Every error of AWS
    /// has one, and only other errors have none.
    pub(crate) fn of(error: &impl ProvideErrorMetadata) -> Option<Self> {
        let code = error.code()?.to_owned();
        Some(Self { code, message: error.message().unwrap_or_default().to_owned() })
    }
}
