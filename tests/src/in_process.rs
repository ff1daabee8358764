//! Functions inside the test's own process, against a simulator without a connection in between, on
//! a clock that jumps over all waiting.
//!
//! Everything from the event to the answer is the code that is shipped, but for the process, the
//! Lambda Runtime API and the sockets. A run is decided by its seed: one thread polls everything,
//! and the jitter of retries comes from a generator that is seeded as well. Only signatures and the
//! time of day that preflight looks at come from the real clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws::{Reader, Session};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use http_body_util::BodyExt;
use restore_validation::Setup;
use serde_json::Value;
use simulator::{Direct, Dropped, Moment, Outcome};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, timeout};
use tracing::Dispatch;
use tracing::dispatcher::set_default;
use tracing::level_filters::LevelFilter;

use crate::reattach::{OWN_ROLE, TOPIC};

/// How long the connector of the functions waits for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

thread_local! {
    static STARTED: Cell<Option<Instant>> = const { Cell::new(None) };
    static LOGS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static LINES: Dispatch = Dispatch::new(cfn::lines(LevelFilter::TRACE, || Logs));
}

/// Runs `scenario` on a clock that jumps. The same seed makes it go the same way.
///
/// # Panics
///
/// When the scenario does.
pub fn run<T>(seed: u64, scenario: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().expect("there is a runtime");
    let _lines = LINES.with(set_default);
    let _earlier = take_logs();
    LocalSet::new().block_on(&runtime, async {
        STARTED.set(Some(Instant::now()));
        scenario.await
    })
}

/// The time of day on the clock that jumps.
fn now() -> SystemTime {
    let passed = STARTED.get().map(|it| it.elapsed()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000) + passed
}

/// What was logged on this thread since the last look.
#[must_use]
pub fn take_logs() -> String {
    let logs = LOGS.with(|it| std::mem::take(&mut *it.borrow_mut()));
    String::from_utf8_lossy(&logs).into_owned()
}

/// Collects the log lines of this thread.
struct Logs;

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.with(|it| it.borrow_mut().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What carries the calls of one function to the simulator, and can break.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Line>);

#[derive(Debug)]
struct Line {
    direct: Direct,
    state: Mutex<State>,
    killed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Decides how long each call is on its way; no call takes any time without it.
    latency: Option<Rng>,
    calls: u64,
    /// The calls at which the function is killed, each counted from the one before.
    kills: VecDeque<(u64, Moment)>,
}

impl Wire {
    /// A wire to a simulator. With `latency`, calls take some milliseconds.
    #[must_use]
    pub fn new(direct: Direct, latency: Option<Rng>) -> Self {
        let state = Mutex::new(State { latency, ..State::default() });
        Self(Arc::new(Line { direct, state, killed: Notify::new() }))
    }

    /// Has the function killed at its `nth` call from now on, or from when it is next killed, before
    /// or after the work of the call.
    pub fn kill_at(&self, nth: u64, moment: Moment) {
        let mut state = self.state();
        if state.kills.is_empty() {
            state.calls = 0;
        }
        state.kills.push_back((nth, moment));
    }

    /// Has the function live on. Returns whether it was to be killed.
    pub fn spare(&self) -> bool {
        !std::mem::take(&mut self.state().kills).is_empty()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let broken = |what| ConnectorError::io(io::Error::other(what).into());
        let (there, back, kill) = {
            let state = &mut *self.state();
            state.calls += 1;
            let kill = state.kills.front().filter(|it| it.0 == state.calls).map(|it| it.1);
            let mut way = || state.latency.as_mut().map(|it| Duration::from_millis(it.u64(1..25)));
            (way(), way(), kill)
        };
        if kill == Some(Moment::Before) {
            self.die().await;
        }
        pass(there).await;
        let request = request.try_into_http1x();
        let mut request = request.map_err(|it| ConnectorError::other(it.into(), None))?;
        let body = request.body_mut().collect().await;
        let body = body.map_err(|_| broken("the request has no body"))?.to_bytes();
        let answered = self.0.direct.call(request.map(|_| body)).await;
        if kill == Some(Moment::After) {
            self.die().await;
        }
        pass(back).await;
        let (parts, body) =
            answered.map_err(|it: Dropped| ConnectorError::io(it.into()))?.into_parts();
        let body = body.collect().await.map_err(|_| broken("the answer has no body"))?.to_bytes();
        let mut response = HttpResponse::new(parts.status.into(), SdkBody::from(body));
        for (name, value) in &parts.headers {
            let value = value.to_str().unwrap_or_default().to_owned();
            response.headers_mut().append(name.as_str().to_owned(), value);
        }
        Ok(response)
    }

    /// Never returns: the function is killed here.
    async fn die(&self) {
        {
            let mut state = self.state();
            state.kills.pop_front();
            state.calls = 0;
        }
        self.0.killed.notify_one();
        std::future::pending::<()>().await;
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            let answered = timeout(READ_TIMEOUT, wire.send(request)).await;
            answered.unwrap_or_else(|late| Err(ConnectorError::timeout(late.into())))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator takes time on purpose")]
async fn pass(time: Option<Duration>) {
    if let Some(time) = time {
        tokio::time::sleep(time).await;
    }
}

/// A function that runs here, called by `account`.
#[derive(Clone, Debug)]
pub struct Function {
    name: &'static str,
    wire: Wire,
    session: Session,
}

impl Function {
    /// Starts the function `name`, with a bucket for its state if it is to have one, and with a state
    /// machine that does everything in batches if there is one.
    #[must_use]
    pub fn start(
        name: &'static str,
        wire: &Wire,
        account: &str,
        state_bucket: Option<&str>,
        machine: Option<&str>,
    ) -> Self {
        let connector = SharedHttpConnector::new(wire.clone());
        // The address says that buckets are addressed by path; nothing listens there.
        let variables = [
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("STATE_BUCKET", state_bucket.unwrap_or_default()),
            ("STATE_MACHINE_ARN", machine.unwrap_or_default()),
            ("BATCHES_ABOVE", "0"),
        ];
        let reader = if name == "reattach" { Reader::Log } else { Reader::Author };
        let session = Session::from_variables(connector, reader, variables);
        Self { name, wire: wire.clone(), session }
    }

    /// Sends `event`, which has to be answered or done within `deadline`.
    pub async fn invoke(&self, event: &Value, deadline: Duration, log_stream: &str) -> Outcome {
        let (name, session) = (self.name, self.session.clone());
        let (event, log_stream) = (event.clone(), log_stream.to_owned());
        let served = async move { serve(name, &session, event, deadline, &log_stream).await };
        // A task of this thread: what the functions wait for cannot go to another.
        self.watch(spawn_local(served), deadline).await
    }

    /// Has `reattach` put back what `payload` tells of, for this `request`, which has to be done within
    /// `deadline`. It remembers nothing of earlier invocations.
    pub async fn put_back(&self, payload: &Value, request: &str, deadline: Duration) -> Outcome {
        let (session, payload) = (self.session.clone(), payload.clone());
        let request = request.to_owned();
        let settings = reattach::Settings {
            mode: reattach::Mode::Repair,
            topic: Some(TOPIC.to_owned()),
            own_roles: [OWN_ROLE.to_owned()].into(),
            administrators: None,
            tell: |_| (),
        };
        let served = async move {
            let until = Instant::now() + deadline;
            let memory = reattach::Memory::default();
            let log_stream = format!("{:016x}", fastrand::u64(..));
            let invoked = reattach::Invoked {
                request: &request,
                log_stream: &log_stream,
                deadline: until,
                end: now() + deadline,
            };
            let done = reattach::handle(&session, &settings, &memory, &payload, invoked).await;
            done.map(|it| serde_json::json!(it)).map_err(|it| it.to_string())
        };
        // A task of this thread: what the functions wait for cannot go to another.
        self.watch(spawn_local(served), deadline).await
    }

    /// Has `restore-validation` look at what `event` tells of, which has to be done within `deadline`.
    pub async fn validate(&self, event: &Value, deadline: Duration) -> Outcome {
        let (session, event) = (self.session.clone(), event.clone());
        let served = async move {
            let until = Instant::now() + deadline;
            let hour = Duration::from_hours(1);
            let setup = Setup { window: hour, instance_class: None, checks: BTreeMap::new() };
            let done = restore_validation::handle(&session, &setup, &event, until).await;
            done.map(|it| serde_json::json!(it)).map_err(|it| it.to_string())
        };
        self.watch(spawn_local(served), deadline).await
    }

    /// Waits for what serves an event, until it is killed or out of time.
    async fn watch(
        &self,
        mut served: JoinHandle<Result<Value, String>>,
        deadline: Duration,
    ) -> Outcome {
        let outcome = tokio::select! {
            biased;
            () = self.wire.0.killed.notified() => Outcome::Exited(None),
            served = timeout(deadline, &mut served) => match served {
                Ok(Ok(Ok(value))) => return Outcome::Returned(value),
                Ok(Ok(Err(why))) => return Outcome::Failed(why.into()),
                Ok(Err(panic)) => resume_unwind(panic.into_panic()),
                Err(_) => Outcome::TimedOut,
            },
        };
        served.abort();
        let _what_is_left_of_it = served.await;
        outcome
    }
}

/// Serves one event as the function `name` does.
async fn serve(
    name: &str,
    session: &Session,
    event: Value,
    deadline: Duration,
    log_stream: &str,
) -> Result<Value, String> {
    let (http, until) = (&session.http(), Instant::now() + deadline);
    macro_rules! serve {
        ($handle:path) => {{
            let handle = async |request| $handle(session, request).await;
            let served = cfn::serve(http, &handle, event, until, log_stream).await;
            served.map(|()| Value::Null).map_err(|it| it.to_string())
        }};
    }
    match name {
        "backup-policy" => serve!(backup_policy::handle),
        "global-settings" => serve!(resources::handle::<global_settings::GlobalSettings>),
        "member-accounts" => {
            let handle =
                async |request, ticket| member_accounts::handle(session, request, ticket).await;
            let perform = async |task| member_accounts::perform(session, task).await;
            let served = cfn::serve_with_tasks(http, &handle, &perform, event, until, log_stream);
            served.await.map_err(|it| format!("{it:?}"))
        }
        "policy-types" => serve!(resources::handle::<policy_types::PolicyTypes>),
        "service-access" => serve!(resources::handle::<service_access::ServiceAccess>),
        other => panic!("{other} serves no custom resource"),
    }
}
