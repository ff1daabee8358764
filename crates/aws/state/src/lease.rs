//! Exclusive access: takes the lease of `reattach` in the state bucket, and gives it back.
//!
//! The lease is written on condition that it has not changed since it was read. Of all invocations
//! that see it free, one gets it.

use std::time::{Duration, SystemTime};

use aws::{Error, Kind, log_left_out};
use leaky_bucket::RateLimiter;
use plan::reattach::{Lease, Standing};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{Expected, State, Version};

/// The interval at which a taken lease is checked.
const PACE: Duration = Duration::from_secs(1);

/// The lease, held while this invocation works.
#[derive(Debug)]
pub struct Turn {
    lease: Lease,
    version: Version,
    has_waited: bool,
}

/// The holder of the lease.
#[derive(Debug)]
pub enum Taken {
    /// This invocation holds the lease.
    Ours(Turn),
    /// Another invocation holds the lease, and the wait for it is over.
    Theirs(Lease),
}

/// Takes `lease`, and waits until `patience` while another invocation holds it. `now` is the time
/// on the clock that invocations share.
///
/// # Errors
///
/// Returns an error if the lease cannot be read or written.
pub async fn take(
    state: &State,
    lease: Lease,
    now: impl Fn() -> SystemTime,
    patience: Instant,
) -> Result<Taken, Error> {
    let mut pace = RateLimiter::builder();
    let pace = pace.initial(1).max(1).interval(PACE).build();
    let mut has_waited = false;
    loop {
        pace.acquire_one().await;
        let kept = state.read_bytes(Lease::KEY).await?;
        let is_over = Instant::now() >= patience;
        match Standing::of(kept.as_ref().map(|(bytes, _)| bytes.as_slice()), now()) {
            Standing::Free => {}
            Standing::Held(other) if is_over => return Ok(Taken::Theirs(other)),
            Standing::Held(other) => {
                if !std::mem::replace(&mut has_waited, true) {
                    info!(request = other.holder, "waits, since another invocation is running");
                }
                continue;
            }
            Standing::Expired(other) => {
                let Lease { holder, log_stream, .. } = other;
                warn!(request = holder, log_stream, "takes the lease of one that was cut off");
            }
            Standing::Unusable(why) => {
                warn!(lease = state.url(Lease::KEY), why, "replaces an object that is not a lease");
            }
        }
        let expected = kept.as_ref().map_or(Expected::Nothing, |it| Expected::Still(&it.1));
        match state.write(Lease::KEY, lease.text(), expected).await {
            Ok(version) => return Ok(Taken::Ours(Turn { lease, version, has_waited })),
            // Another invocation also saw the lease free, and was faster.
            Err(error) if error.kind() == Kind::Outdated && !is_over => has_waited = true,
            Err(error) => return Err(error),
        }
    }
}

impl Turn {
    /// Returns `true` if another invocation held the lease before. Data that was read in the
    /// meantime may be outdated.
    pub fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// Gives the lease back. If that fails, others get the lease after it expires.
    pub async fn end(self, state: &State) {
        let Self { lease, version, has_waited: _ } = self;
        let ended = lease.ended().text();
        if let Err(error) = state.write(Lease::KEY, ended, Expected::Still(&version)).await {
            log_left_out("the end of the lease", &error);
        }
    }
}
