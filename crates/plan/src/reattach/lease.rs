//! Who is at work: of all invocations of `reattach`, one at a time.
//!
//! Lambda runs as many at once as there are batches and schedules. AWS Organizations takes one change
//! at a time, and what two find at once two would put back and tell. So whoever wants to work takes a
//! lease: an object that is written only by who saw it free.
//!
//! A lease ends later than Lambda lets its holder run, so no holder outlives its lease and none has to
//! renew it. One that was killed is waited for until then, and no longer.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::serialized;

/// How much longer than its holder a lease lasts: clocks differ, and what was sent last may still
/// arrive.
const GRACE: Duration = Duration::from_mins(1);

/// The longest that a lease can have before it: Lambda lets a function run for 15 minutes.
const LONGEST: Duration = Duration::from_mins(15).saturating_add(GRACE).saturating_add(GRACE);

/// The right to be the only one at work, as it is kept in the state bucket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lease {
    /// The request that is served, which has the same ID when Lambda repeats it.
    pub holder: String,
    /// Where it logs, which no other one does at the same time.
    pub log_stream: String,
    /// What it does.
    pub task: Task,
    /// Until when it holds at most, in seconds since 1970.
    until: u64,
    /// Whether the holder came to its end.
    #[serde(default)]
    ended: bool,
}

/// What the holder of a lease does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Task {
    /// It looks after what events concern.
    Events,
    /// It looks after everything.
    Sweep,
}

/// What the lease that is kept says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Nobody is at work.
    Free,
    /// Its holder was stopped before it came to its end, and is no longer at work.
    Expired(Lease),
    /// Its holder is at work.
    Held(Lease),
    /// It is nothing that `reattach` wrote, so nobody is at work with it.
    Unusable(String),
}

impl Lease {
    /// Where it is kept.
    pub const KEY: &str = "leases/reattach.json";

    /// One for an invocation that Lambda stops at `end`.
    pub fn new(holder: &str, log_stream: &str, task: Task, end: SystemTime) -> Self {
        let (holder, log_stream) = (holder.to_owned(), log_stream.to_owned());
        // Rounded up, so that it is never shorter.
        let until = seconds(end + GRACE) + 1;
        Self { holder, log_stream, task, until, ended: false }
    }

    /// This, once its holder has come to its end.
    #[must_use]
    pub fn ended(self) -> Self {
        Self { ended: true, ..self }
    }

    /// The text as it is kept.
    pub fn text(&self) -> String {
        serialized::text(self)
    }

    /// When it is over, whatever becomes of its holder.
    pub fn until(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.until)
    }

    /// Whether its holder does all that `other` asks for. The same request is not another one: it is
    /// repeated because it did not come to its end.
    pub fn covers(&self, other: &Self) -> bool {
        (self.task, other.task) == (Task::Sweep, Task::Sweep) && self.holder != other.holder
    }
}

impl Standing {
    /// What `kept` says at `now`.
    pub fn of(kept: Option<&[u8]>, now: SystemTime) -> Self {
        let Some(kept) = kept else { return Self::Free };
        match serde_json::from_slice::<Lease>(kept) {
            Err(error) => Self::Unusable(format!("it is no lease: {error}")),
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
        assert_eq!(standing(&longest, now() - MINUTE / 2), Standing::Held(longest.clone()));
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
