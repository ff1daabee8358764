//! The processing of a call, step by step. Nothing waits here, because the server does the waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Duration;

use crate::events::{Events, Told};
use crate::fault::{Failure, Faults, Garbled, Kind};
use crate::hold::{Held, Holds, Moment};
use crate::journal::{Entry, Journal, Outcome};
use crate::operation::{Operation, Service};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::responses::{Response, Responses, response_id};
use crate::services;
use crate::settings::Settings;
use crate::throttle::Throttle;
use crate::world::World;

/// The operations that can remove a policy from an account.
const TAKING: [&str; 3] = ["DetachPolicy", "DisablePolicyType", "MoveAccount"];

/// The data behind the lock of a simulator.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) world: World,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) responses: Responses,
    /// Calls of unknown operations, and answers that AWS would not give.
    pub(crate) unknown: Vec<String>,
    /// The number of next writes to refuse.
    pub(crate) refuse_writes: u64,
    /// The members that each operation has read so far.
    pub(crate) members: BTreeMap<&'static str, BTreeSet<&'static str>>,
    throttle: Throttle,
    writing: bool,
    refused_once: BTreeSet<(String, Vec<u8>)>,
    calls: u64,
}

/// The action for a call that has just arrived.
pub(crate) enum Arrival {
    /// No action: a test holds the call here.
    Held(Held),
    /// The call is processed after a latency and with this fault.
    Go { latency: Duration, fault: Option<Kind> },
}

/// A call that was processed.
pub(crate) struct Done {
    pub(crate) reply: Reply,
    /// True if the write continues for a while and keeps other writes out.
    pub(crate) writing: bool,
    /// The hold, if a test holds the reply.
    pub(crate) held: Option<Held>,
}

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        let events = Events::new(settings.seed);
        Self {
            world: World::new(&settings),
            settings,
            journal: Journal::default(),
            events,
            faults: Faults::default(),
            holds: Holds::default(),
            responses: Responses::default(),
            unknown: Vec::new(),
            refuse_writes: 0,
            members: BTreeMap::new(),
            throttle: Throttle::default(),
            writing: false,
            refused_once: BTreeSet::new(),
            calls: 0,
        }
    }

    /// Counts a call and returns the action for it.
    pub(crate) fn arrive(&mut self, call: &Call) -> Arrival {
        self.holds.count();
        if let Some(held) = self.holds.take(Moment::Before) {
            return Arrival::Held(held);
        }
        let latency = self.settings.latency_of(call.name());
        let fault = self.faults.strike(call.name());
        Arrival::Go { latency, fault: fault.or_else(|| self.refused(call)) }
    }

    /// Returns the fault of an answer that is refused, as at a ResponseURL that has expired.
    fn refused(&self, call: &Call) -> Option<Kind> {
        let is_answer = call.service == Service::Response;
        let is_refused = is_answer && self.responses.refuses(response_id(&call.path));
        let denied = || Failure { status: 403, ..Failure::new("AccessDenied") };
        is_refused.then(|| Kind::Error(denied()))
    }

    /// Processes a call unless `fault` prevents it, and records it.
    pub(crate) fn perform(&mut self, call: &Call, fault: Option<&Kind>, now: Duration) -> Done {
        self.world.set_time(now);
        let revision = self.world.revision();
        let write = call.operation.as_ref().is_ok_and(|it| it.write);
        let guarded = write && call.service == Service::Organizations;
        let told = self.settings.journal != Some(0);
        let takes = told && TAKING.contains(&call.name());
        let withheld = (told && guarded).then(|| self.world.organization.withheld().clone());
        let coverage = takes.then(|| self.world.organization.coverage());
        let result = match fault {
            Some(
                Kind::Error(_) | Kind::DropBefore | Kind::Garbled(Garbled { done: false, .. }),
            ) => Ok(Reply::empty()),
            _ => self.work(call, now),
        };
        let changed = self.world.revision() != revision;
        let told_to = "The request failed because it was told to.";
        let (reply, outcome, why) = match (fault, &result) {
            (Some(Kind::Error(failure) | Kind::ErrorAfter(failure)), _) => {
                let reply = services::failed(call, failure, told_to);
                (reply, Outcome::Error(failure.code.clone()), told_to)
            }
            (Some(Kind::DropBefore | Kind::DropAfter), _) => (Reply::empty(), Outcome::Dropped, ""),
            (Some(Kind::Garbled(garbled)), result) => {
                let unavailable = Failure::new("ServiceUnavailable");
                let reply = match result {
                    _ if !garbled.done => services::failed(call, &unavailable, told_to),
                    Ok(reply) => reply.clone(),
                    Err(refusal) => services::refused(call, refusal),
                };
                (garbled.reply(reply), Outcome::Dropped, "")
            }
            (_, Ok(reply)) => (reply.clone(), Outcome::Success, ""),
            (_, Err(refusal)) => {
                let outcome = Outcome::Error(refusal.code.as_str().to_owned());
                (services::refused(call, refusal), outcome, refusal.message.as_str())
            }
        };
        let is_lost =
            matches!(fault, Some(Kind::DropBefore | Kind::Garbled(Garbled { done: false, .. })));
        if told && guarded && !is_lost {
            let result = match &outcome {
                Outcome::Error(code) => Err((code.as_str(), why)),
                Outcome::Success | Outcome::Dropped => match &result {
                    Ok(reply) => Ok(reply.body.as_slice()),
                    Err(refusal) => Err((refusal.code.as_str(), refusal.message.as_str())),
                },
            };
            self.events.note(&self.world.organization, &Told { call, result, now });
        }
        self.calls += 1;
        if let Ok(operation) = &call.operation {
            self.journal.count(operation.name, &outcome, changed);
        }
        if told {
            let mut entry = self.entry(call, outcome, now);
            entry.changed = changed;
            if let Some(before) = coverage.filter(|_| changed) {
                let after = self.world.organization.coverage();
                entry.lost = before.lost(&after);
                entry.unprotected = before.unprotected(&after);
            }
            if let Some(before) = withheld.filter(|_| changed) {
                let after = self.world.organization.withheld();
                entry.withheld = after.difference(&before).cloned().collect();
            }
            self.journal.push(entry, self.settings.journal);
        }
        let writing = guarded && changed && !self.settings.write_time.is_zero();
        self.writing |= writing;
        Done { reply, writing, held: self.holds.take(Moment::After) }
    }

    /// Returns `true` if a write continues.
    pub(crate) fn is_writing(&self) -> bool {
        self.writing
    }

    /// Ends the write that [`Done::writing`] reported.
    pub(crate) fn end_write(&mut self) {
        self.writing = false;
    }

    fn work(&mut self, call: &Call, now: Duration) -> Result<Reply, Refusal> {
        let Ok(operation) = call.operation else {
            self.unknown.push(format!("unknown operation: {}", call.name()));
            return Err(services::unknown(call));
        };
        if !self.throttle.admit(self.settings.rates, operation, &call.caller.account, now) {
            let message = "You have sent too many requests in too short a period of time.";
            return Err(Refusal::new(Code::TooManyRequests, message));
        }
        let hindered = call.caller.user.is_none();
        let changes = operation.write && operation.service == Service::Organizations;
        if changes && hindered && self.is_busy(call) {
            let message = "AWS Organizations can't complete your request because it conflicts with \
                           another attempt to modify the same entity. Try again later.";
            return Err(Refusal::new(Code::ConcurrentModification, message));
        }
        let result = services::perform(&mut self.world, operation, call);
        let read = call.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.members.entry(operation.name).or_default().extend(read.iter());
        if operation.service == Service::Response {
            self.store(call);
        }
        if let Err(refusal) = &result {
            self.check_modelled(operation, refusal);
        }
        result
    }

    /// Returns `true` if another write is in progress, in fact or because a test requests it.
    fn is_busy(&mut self, call: &Call) -> bool {
        if self.writing {
            return true;
        }
        if self.refuse_writes > 0 {
            self.refuse_writes -= 1;
            return true;
        }
        let key = (call.name().to_owned(), call.body.to_vec());
        self.settings.refuse_each_write_once
            && !self.refused_once.remove(&key)
            && self.refused_once.insert(key)
    }

    /// Records an error that the operation does not have in AWS's model, because AWS would not
    /// answer it.
    fn check_modelled(&mut self, operation: &Operation, refusal: &Refusal) {
        if !operation.errors().any(|it| it == refusal.code) {
            self.unknown.push(format!("unknown error of {}: {refusal}", operation.name));
        }
    }

    fn store(&mut self, call: &Call) {
        let text =
            |it: &hyper::http::HeaderValue| String::from_utf8_lossy(it.as_bytes()).into_owned();
        let headers: Vec<_> =
            call.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let response = Response {
            body: String::from_utf8_lossy(&call.body).into_owned(),
            content_type: call.headers.get("content-type").map(text),
            headers,
        };
        self.responses.put(response_id(&call.path), response);
    }

    fn entry(&self, call: &Call, outcome: Outcome, now: Duration) -> Entry {
        let caller = &call.caller;
        Entry {
            sequence: self.calls,
            service: call.service,
            operation: call.name().to_owned(),
            summary: crate::summary::of(call),
            region: caller.region.clone(),
            account: caller.account.clone(),
            session: caller.session.as_ref().map(|it| format!("{}/{}", it.role, it.name)),
            milliseconds: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            outcome,
            write: call.operation.as_ref().is_ok_and(|it| it.write),
            changed: false,
            lost: Vec::new(),
            unprotected: Vec::new(),
            withheld: Vec::new(),
        }
    }
}
