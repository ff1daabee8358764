//! Working alone: the lease of `reattach` in the state bucket is taken and given back.
//!
//! It is written on condition that it is still what was read, so of all who see it free one gets it.

use std::time::{Duration, SystemTime};

use leaky_bucket::RateLimiter;
use plan::reattach::{Lease, Standing};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::error::{Error, Kind, log_left_out};
use crate::state::{Expected, State, Version};

/// How often it is looked whether the lease is free.
const PACE: Duration = Duration::from_secs(1);

/// The lease, for as long as this invocation is at work.
#[derive(Debug)]
pub struct Turn {
    lease: Lease,
    version: Version,
    has_waited: bool,
}

/// Who has the lease.
#[derive(Debug)]
pub enum Taken {
    /// This invocation.
    Ours(Turn),
    /// Somebody else, who still has it after all patience.
    Theirs(Lease),
}

/// Takes `lease`, and waits until `patience` while somebody else has it. `now` is the time on the
/// clock that invocations share.
///
/// # Errors
///
/// When it cannot be read or written.
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
                    info!(request = other.holder, "waits, since another invocation is at work");
                }
                continue;
            }
            Standing::Expired(other) => {
                let Lease { holder, log_stream, .. } = other;
                warn!(request = holder, log_stream, "takes the lease of one that was cut off");
            }
            Standing::Unusable(why) => {
                warn!(lease = state.url(Lease::KEY), why, "takes the place of what is no lease");
            }
        }
        let expected = kept.as_ref().map_or(Expected::Nothing, |it| Expected::Still(&it.1));
        match state.write(Lease::KEY, lease.text(), expected).await {
            Ok(version) => return Ok(Taken::Ours(Turn { lease, version, has_waited })),
            // Somebody else saw it free as well, and was faster.
            Err(error) if error.kind() == Kind::Outdated && !is_over => has_waited = true,
            Err(error) => return Err(error),
        }
    }
}

impl Turn {
    /// Whether somebody else was at work before, so that what was read meanwhile may be outdated.
    pub fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// Leaves the lease to others. Where that fails, it is theirs once it is over.
    pub async fn end(self, state: &State) {
        let Self { lease, version, has_waited: _ } = self;
        let ended = lease.ended().text();
        if let Err(error) = state.write(Lease::KEY, ended, Expected::Still(&version)).await {
            log_left_out("that nobody is at work any more", &error);
        }
    }
}
