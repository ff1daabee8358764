//! HTTP on loopback.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_types::date_time::{DateTime, Format};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backup_engine::{BackedUp, whereabouts};
use crate::control;
use crate::core::{Arrival, Core};
use crate::fault::Kind;
use crate::iam::{Need, Verdict};
use crate::operation::{Operation, Service};
use crate::organization::clock;
use crate::reply::Reply;
use crate::request::Call;

/// A simulator that its connections share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    started: Instant,
}

/// The connection ends here, without an answer.
#[derive(Debug)]
pub struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

impl Shared {
    pub(crate) fn new(core: Core) -> Self {
        Self { core: Mutex::new(core), started: Instant::now() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A test that panicked while it held the lock has already failed.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A simulator without a connection in between, so that a test can stop its clock.
#[derive(Clone)]
pub struct Direct(Arc<Shared>);

impl Direct {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Answers `request` as if it had arrived over a connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection would have been dropped.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Full<Bytes>>, Dropped> {
        let (parts, body) = request.into_parts();
        respond(&self.0, parts, body).await
    }

    /// Returns `true` if the role behind this access key may perform `action` on `resource`. It
    /// serves stand-ins for services that are not simulated, which name further condition keys as `keys`
    /// in lower case.
    #[must_use]
    pub fn permits(
        &self,
        access_key: &str,
        region: &str,
        (action, resource): (&str, &str),
        keys: &[(String, String)],
    ) -> bool {
        let region = ("aws:requestedregion".to_owned(), region.to_owned());
        let keys = keys.iter().chain([&region]);
        let keys = keys.map(|(key, value)| (key.clone(), vec![value.clone()])).collect();
        let need = Need { action: action.to_owned(), resource: resource.to_owned(), keys };
        let world = &self.0.lock().world;
        let Some(session) = world.sts.session(access_key) else { return true };
        let role = world.iam.role(&session.account, &session.role);
        let is_allowed = |it| it == Verdict::Allowed;
        role.is_some_and(|it| is_allowed(it.judge(&need, &session.account)))
            && session
                .policy
                .as_ref()
                .is_none_or(|it| is_allowed(it.judge(&need, &session.account)))
    }

    /// Returns the account of the caller with this access key.
    #[must_use]
    pub fn account_of(&self, access_key: &str) -> String {
        self.0.lock().world.account_of(access_key)
    }

    /// Returns the resource of the caller's account in a Region whose ARN ends with this, after a `/` or a `:`.
    #[must_use]
    pub fn resource(&self, access_key: &str, region: &str, name: &str) -> Option<BackedUp> {
        let world = &mut self.0.lock().world;
        world.settle();
        let account = world.account_of(access_key);
        let mut own = world.works.resources().map(|it| it.0);
        let is_it = |it: &&BackedUp| {
            let rest = it.arn.strip_suffix(name);
            it.account == account
                && it.region == region
                && rest.is_some_and(|it| it.ends_with(['/', ':']))
        };
        own.find(is_it).cloned()
    }

    /// Returns the bytes of the snapshot with this ID in a Region of the caller's account.
    #[must_use]
    pub fn snapshot(&self, access_key: &str, region: &str, id: &str) -> Option<u64> {
        let world = &mut self.0.lock().world;
        world.settle();
        let place = (world.account_of(access_key), region.to_owned());
        let partition = world.organization.partition().to_string();
        let here = |vault: &str| whereabouts(vault) == Some((place.0.as_str(), place.1.as_str()));
        let mut points = world.works.points();
        points.find(|it| here(&it.vault) && it.arn(&partition).ends_with(id)).map(|it| it.bytes)
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Direct")
    }
}

/// Serves connections for as long as it is polled. All connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let _slower_at_worst = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
            respond(&shared, parts, body).await
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // The automatic date would be that of the machine.
    server.auto_date_header(false);
    let connection = server.serve_connection(TokioIo::new(stream), service);
    let _the_client_knows = connection.await;
}

async fn respond(
    shared: &Shared,
    parts: Parts,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let is_put = parts.method == hyper::Method::PUT;
    let is_response = parts.uri.path().starts_with(control::RESPONSES) && is_put;
    if parts.uri.path().starts_with(control::PREFIX) && !is_response {
        let mut core = shared.lock();
        core.world.set_time(shared.now());
        return Ok(http(control::answer(&mut core, &parts, &body)));
    }
    let mut call = {
        let core = shared.lock();
        let (management, region) =
            (&core.world.organization.management_account, &core.settings.region);
        Call::new(parts, body, &core.world.sts, management, region)
    };
    if is_response {
        call.service = Service::Response;
        let name = "PutResponse";
        call.operation = Operation::find(Service::Response, name).ok_or(name.to_owned());
    }
    let mut response = answer(shared, &call).await.map(http)?;
    // AWS reports times by its own clock, and every answer states that clock's time. The date of a
    // refusal would make SDKs attribute the refusal to their own clock and retry.
    let date = DateTime::from(clock(shared.lock().world.now())).fmt(Format::HttpDate);
    let date = date.ok().filter(|_| response.status().is_success());
    if let Some(date) = date.and_then(|it| it.try_into().ok()) {
        response.headers_mut().insert("date", date);
    }
    Ok(response)
}

async fn answer(shared: &Shared, call: &Call) -> Result<Reply, Dropped> {
    let arrival = shared.lock().arrive(call);
    let (latency, fault) = match arrival {
        Arrival::Held(held) => {
            held.wait().await;
            return Err(Dropped);
        }
        Arrival::Go { latency, fault } => (latency, fault),
    };
    let delay = match fault {
        Some(Kind::Delay(milliseconds)) => Duration::from_millis(milliseconds),
        _ => Duration::ZERO,
    };
    if !(latency + delay).is_zero() {
        pause(latency + delay).await;
    }
    let done = shared.lock().perform(call, fault.as_ref(), shared.now());
    if done.writing {
        let write = Write(shared);
        let time = shared.lock().settings.write_time;
        pause(time).await;
        drop(write);
    }
    if let Some(held) = done.held {
        held.wait().await;
        return Err(Dropped);
    }
    match fault {
        Some(Kind::DropBefore | Kind::DropAfter) => Err(Dropped),
        _ => Ok(done.reply),
    }
}

/// A write in progress. It also ends if the caller disconnects.
struct Write<'a>(&'a Shared);

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.0.lock().end_write();
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator takes time on purpose")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Converts a reply to HTTP.
pub(crate) fn http(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = reply.status;
    let id = ("x-amzn-requestid", "00000000-0000-4000-8000-000000000000".to_owned());
    for (name, value) in reply.headers.into_iter().chain([id]) {
        if let Ok(value) = value.try_into() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
