//! What can go wrong with a call, and that it is survived.

use std::collections::BTreeSet;
use std::fmt;

use simulator::{Body, Entry, Failure, Fault, Garbled, Kind, Moment, OPERATIONS, Service};
use tests::codes::{REPORTS, TRANSIENT, terminal};
use tests::in_process::Wire;
use tests::organization::Organization;

use crate::pool::{attempt, for_each};

/// How often the SDK sends a call.
fn attempts(call: &Entry) -> u64 {
    match call.service {
        // Nothing depends on them.
        _ if REPORTS.contains(&call.operation.as_str()) => 2,
        Service::Organizations => 24,
        _ => 12,
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The call goes wrong this often.
    Fault(Kind, u64),
    /// The call takes longer than the function has.
    Late,
    /// The function is killed.
    Kill(Moment),
}

impl Trouble {
    /// Lets the call of this number go wrong.
    pub(crate) fn inject(&self, nth: u64, organization: &Organization, wire: &Wire) {
        match self {
            Self::Fault(kind, times) => {
                organization.fail(Fault::new("*", kind.clone()).nth(nth).times(*times));
            }
            Self::Late => {
                organization.fail(Fault::new("*", Kind::Delay(600_000)).nth(nth).times(1));
            }
            Self::Kill(moment) => wire.kill_at(nth, *moment),
        }
    }
}

/// Everything that can go wrong with a call.
pub(crate) fn troubles(call: &Entry) -> Vec<Trouble> {
    let attempts = attempts(call);
    let error = |it: &Failure, times| Trouble::Fault(Kind::Error(it.clone()), times);
    let unavailable = Failure { status: 503, ..Failure::new("ServiceUnavailable") };
    let internal = Failure { status: 500, ..Failure::new("ServiceException") };
    let mut troubles = vec![Trouble::Kill(Moment::Before), error(&unavailable, attempts)];
    if REPORTS.contains(&call.operation.as_str()) {
        return troubles;
    }
    troubles.extend([
        Trouble::Late,
        Trouble::Fault(Kind::DropBefore, 1),
        // Longer than anybody waits for an answer.
        Trouble::Fault(Kind::Delay(30_000), 1),
        error(&unavailable, 1),
        error(&internal, 1),
    ]);
    if call.write {
        // What a read did before it went wrong is the same as nothing.
        troubles.extend([
            Trouble::Kill(Moment::After),
            Trouble::Fault(Kind::DropBefore, attempts),
            Trouble::Fault(Kind::DropAfter, 1),
            Trouble::Fault(Kind::DropAfter, attempts),
            Trouble::Fault(Kind::ErrorAfter(unavailable), attempts),
            Trouble::Fault(Kind::ErrorAfter(internal), 1),
        ]);
    }
    if call.service == Service::Response {
        troubles.push(error(&Failure { status: 403, ..Failure::new("AccessDenied") }, 1));
        return troubles;
    }
    let page =
        |status, done| Trouble::Fault(Kind::Garbled(Garbled { status, body: Body::Html, done }), 1);
    troubles.extend([page(200, call.write), page(503, false)]);
    let modelled = OPERATIONS.iter().find(|it| it.name == call.operation).unwrap();
    let modelled: Vec<_> = modelled.errors().map(simulator::Code::as_str).collect();
    for code in TRANSIENT.iter().filter(|it| modelled.contains(it)) {
        let times = if call.write { &[1, 3, attempts][..] } else { &[3] };
        troubles.extend(times.iter().map(|times| error(&Failure::new(code), *times)));
    }
    let terminal = terminal(&call.operation).into_iter();
    // A refused read stays refused under every name.
    let terminal = terminal.take(if call.write { usize::MAX } else { 2 });
    troubles.extend(terminal.map(|it| error(&Failure::new(it), 1)));
    troubles
}

/// Something that goes wrong with one call.
pub(crate) struct Injection<'a> {
    pub(crate) call: &'a Entry,
    pub(crate) nth: u64,
    pub(crate) trouble: Trouble,
}

impl Injection<'_> {
    /// What goes wrong, whichever call of the operation it is.
    pub(crate) fn kind(&self) -> String {
        format!("{:?} of {}", self.trouble, self.call.operation)
    }
}

impl fmt::Display for Injection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {} ({})", self.trouble, self.nth, self.call.operation)
    }
}

/// Everything that can go wrong with each of these calls, but so much only for the second read of a
/// kind, which breaks in the same ways as the first.
pub(crate) fn injections(calls: &[Entry], again: usize) -> Vec<Injection<'_>> {
    let mut injections = Vec::new();
    let mut seen = BTreeSet::new();
    for (nth, call) in (1..).zip(calls) {
        let few = !seen.insert(&call.operation) && !call.write;
        let troubles = troubles(call).into_iter().take(if few { again } else { usize::MAX });
        injections.extend(troubles.map(|trouble| Injection { call, nth, trouble }));
    }
    injections
}

/// Lets each of them go wrong, one at a time, and says which were not survived.
pub(crate) fn survived<T: fmt::Display + Sync>(injections: &[T], survive: impl AsyncFn(&T) + Sync) {
    let broken =
        for_each(injections, |it| attempt(1, survive(it)).map_err(|why| format!("{it}:\n{why}")));
    let (count, all) = (broken.len(), injections.len());
    assert!(broken.is_empty(), "{count} of {all}:\n{}", broken.join("\n\n"));
}
