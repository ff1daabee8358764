//! The lease: only one invocation of `reattach` works at a time.
//!
//! Lambda runs as many invocations at once as there are batches and schedules. AWS Organizations
//! accepts one change at a time, and two invocations that find the same drift would restore and
//! report it twice. An invocation that wants to work therefore takes a lease: an object that it can
//! only write if it saw the lease free.
//!
//! A lease ends later than Lambda lets its holder run. No holder outlives its lease, and none has
//! to renew it. If a holder was killed, the others wait until its lease ends, and no longer.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::serialized;

/// The time that a lease lasts longer than its holder, because clocks differ and the last requests
/// may still arrive.
const GRACE: Duration = Duration::from_mins(1);

/// The longest remaining time of a lease: Lambda lets a function run for 15 minutes.
const LONGEST: Duration = Duration::from_mins(15).saturating_add(GRACE).saturating_add(GRACE);

/// The exclusive right to work, as stored in the state bucket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lease {
    /// The request that is served. It has the same ID if Lambda repeats it.
    pub holder: String,
    /// The log stream of the holder. No other invocation uses it at the same time.
    pub log_stream: String,
    /// The work that it does.
    pub task: Task,
    /// The latest time at which the lease ends, in seconds since 1970.
    until: u64,
    /// True if the holder finished.
    #[serde(default)]
    ended: bool,
}

/// The work of the holder of a lease.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Task {
    /// It checks the resources that events concern.
    Events,
    /// It checks all resources.
    Sweep,
}

/// The state of the stored lease.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// No invocation is working.
    Free,
    /// Its holder was stopped before it finished, and no longer works.
    Expired(Lease),
    /// Its holder is working.
    Held(Lease),
    /// The content was not written by `reattach`, so no invocation is working under it.
    Unusable(String),
}

impl Lease {
    /// The key of the lease.
    pub const KEY: &str = "leases/reattach.json";

    /// Returns a lease for an invocation that Lambda stops at `end`.
    pub fn new(holder: &str, log_stream: &str, task: Task, end: SystemTime) -> Self {
        let (holder, log_stream) = (holder.to_owned(), log_stream.to_owned());
        // Rounded up, so that the lease is never too short.
        let until = seconds(end + GRACE) + 1;
        Self { holder, log_stream, task, until, ended: false }
    }

    /// Returns this lease, marked as finished.
    #[must_use]
    pub fn ended(self) -> Self {
        Self { ended: true, ..self }
    }

    /// Returns the text that is stored.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// Returns the time at which the lease ends, regardless of its holder.
    pub fn until(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.until)
    }

    /// Returns `true` if its holder does everything that `other` asks for. The same request does
    /// not count as another one: Lambda repeats it because it did not finish.
    pub fn covers(&self, other: &Self) -> bool {
        (self.task, other.task) == (Task::Sweep, Task::Sweep) && self.holder != other.holder
    }
}

impl Standing {
    /// Returns the state of the stored lease `kept` at `now`.
    pub fn of(kept: Option<&[u8]>, now: SystemTime) -> Self {
        let Some(kept) = kept else { return Self::Free };
        match serde_json::from_slice::<Lease>(kept) {
            Err(error) => Self::Unusable(format!("it is not a lease: {error}")),
            Ok(lease) if lease.ended => Self::Free,
            Ok(lease) if lease.until <= seconds(now) => Self::Expired(lease),
            Ok(lease) if lease.until > seconds(now + LONGEST) => {
                Self::Unusable("it ends later than any invocation does".to_owned())
            }
            Ok(lease) => Self::Held(lease),
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
    }

    fn lease(holder: &str, task: Task) -> Lease {
        Lease::new(holder, "stream", task, now() + 5 * MINUTE)
    }

    fn standing(lease: &Lease, now: SystemTime) -> Standing {
        Standing::of(Some(lease.text().as_bytes()), now)
    }

    #[test]
    fn a_lease_outlasts_its_holder_and_ends_a_minute_later() {
        let lease = lease("request", Task::Events);
        for held in [now(), now() + 5 * MINUTE, now() + 6 * MINUTE] {
            assert_eq!(standing(&lease, held), Standing::Held(lease.clone()));
        }
        let over = now() + 6 * MINUTE + Duration::from_secs(1);
        assert_eq!(standing(&lease, over), Standing::Expired(lease.clone()));
        assert_eq!(lease.until(), over);
    }

    #[test]
    fn who_comes_to_its_end_leaves_it_free() {
        assert_eq!(Standing::of(None, now()), Standing::Free);
        assert_eq!(standing(&lease("request", Task::Events).ended(), now()), Standing::Free);
    }

    #[test]
    fn what_no_invocation_wrote_keeps_nobody_away() {
        for kept in [&b""[..], b"[]", b"{}", b"\xff", br#"{"Holder":1}"#] {
            let standing = Standing::of(Some(kept), now());
            assert!(matches!(standing, Standing::Unusable(_)), "{standing:?}");
        }
        let longest = Lease::new("request", "stream", Task::Events, now() + 15 * MINUTE);
        let early = now() - Duration::from_secs(59);
        assert_eq!(standing(&longest, early), Standing::Held(longest.clone()));
        assert!(matches!(standing(&longest, now() - MINUTE), Standing::Unusable(_)));
        let endless = Lease::new("request", "stream", Task::Events, now() + 18 * MINUTE);
        assert!(matches!(standing(&endless, now()), Standing::Unusable(_)));
    }

    #[test]
    fn only_another_sweep_covers_a_sweep() {
        let [sweep, other] = ["one", "two"].map(|it| lease(it, Task::Sweep));
        assert!(other.covers(&sweep));
        assert!(!sweep.covers(&sweep), "it is repeated because it was cut off");
        assert!(!lease("two", Task::Events).covers(&sweep));
        assert!(
            !sweep.covers(&lease("two", Task::Events)),
            "what events concern may come after it"
        );
    }
}
