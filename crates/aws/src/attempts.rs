//! The attempts of one call: how many there were, how many there may be, and what the last came to.
//!
//! The SDK tries again by itself and tells in the end of the last attempt only, and of none when the
//! deadline ends it. So what is below it writes down here what it sees: [`Whole`](crate::http::Whole)
//! each attempt that is sent, and [`Again`](crate::calls::Again) what each came to.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::{
    Error as Modelled, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::chain;
use tokio::time::Instant;

use crate::garbled::Garbled;
use crate::operation::Need;
use crate::tally::Tally;

tokio::task_local! {
    /// The attempts of the call that is being polled.
    static CURRENT: Arc<Attempts>;
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    need: Need,
    /// Whether the answer has to say something.
    asks: bool,
    tally: Tally,
    read: fn(&Modelled) -> Option<Refusal>,
    /// How long AWS may be out of reach, where that is limited.
    reach: Option<Duration>,
    seen: Mutex<Seen>,
}

/// What was seen of the attempts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// How many were sent.
    pub(crate) sent: u32,
    /// What the last of those that are over came to.
    pub(crate) last: Option<Last>,
    /// When the first of those in a row was sent that did not reach AWS, or the last that did.
    began: Option<Instant>,
}

/// What an attempt that failed came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Last {
    /// AWS refused it, with this HTTP status.
    Refused(u16, Refusal),
    /// What came is no answer of AWS.
    Garbled(Garbled),
    /// Nothing came.
    Unreachable(String),
}

/// An error of AWS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Seen {
    /// What has come of the call so far, in words.
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
    /// No attempts yet of a call with errors of the type `E`, for what is as `need` says, which `asks`
    /// for something, in a process whose calls `tally` counts.
    pub(crate) fn new<E>(need: Need, asks: bool, tally: Tally) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let read = |error: &Modelled| Refusal::of(error.downcast_ref::<E>()?);
        Self { need, asks, tally, read, reach: None, seen: Mutex::default() }
    }

    /// The same, which are used up once AWS was out of reach for so long, where that is said.
    pub(crate) fn reaching(self, reach: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { reach, ..self })
    }

    /// Polls `call` so that what is below it finds these attempts.
    pub(crate) async fn of<T>(self: &Arc<Self>, call: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::clone(self), call).await
    }

    /// The attempts of the call that is being polled; `None` where nobody counts them.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Whether the answer has to say something.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    /// Counts an attempt that is sent, and says how long it may take, if there is a limit.
    pub(crate) fn begin(&self) -> Option<Duration> {
        let mut seen = self.lock();
        seen.sent += 1;
        if !matches!(seen.last, Some(Last::Unreachable(_))) {
            seen.began = Some(Instant::now());
        }
        self.need.patience().map(|it| it.attempt)
    }

    /// Notes what an attempt came to that failed, and returns that.
    pub(crate) fn note(&self, context: &InterceptorContext) -> Option<Last> {
        let error = context.output_or_error()?.err()?;
        let last = self.read(error, context);
        self.lock().last = Some(last.clone());
        Some(last)
    }

    fn read(&self, error: &OrchestratorError<Modelled>, context: &InterceptorContext) -> Last {
        let garbled = || {
            if let Some(garbled) = Garbled::behind(error) {
                return Some(garbled);
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

    /// Whether there may be no more attempts.
    pub(crate) fn are_used_up(&self) -> bool {
        let seen = self.lock();
        let is_lost = |reach| {
            matches!(seen.last, Some(Last::Unreachable(_)))
                && seen.began.is_some_and(|it| it.elapsed() >= reach)
        };
        self.need.patience().is_some_and(|it| seen.sent >= it.attempts)
            || self.reach.is_some_and(is_lost)
    }

    /// What counts the calls of the process.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusal {
    /// What AWS says in `error`; `None` where it says no code, as only others do.
    pub(crate) fn of(error: &impl ProvideErrorMetadata) -> Option<Self> {
        let code = error.code()?.to_owned();
        Some(Self { code, message: error.message().unwrap_or_default().to_owned() })
    }
}
