//! Restoring what somebody changed: the meaning of an event, the resources that it concerns, and
//! the notification.
//!
//! Events arrive at least once, in any order and minutes late, so none of them is taken for the
//! state of the organization. An event only says where to look.

mod concern;
mod event;
mod health;
mod lease;
mod notice;
mod runs;
mod sweep;

pub use concern::{Accounts, Work, work};
pub use event::{Event, Happening, Reading, Teller, Who, read};
pub use health::{Health, HealthChange};
pub use lease::{Lease, Standing, Task};
pub use notice::{Finding, RepairOutcome, notice};
pub use runs::{Large, Last, Start, start};
pub use sweep::{Reverted, Sweep};

#[cfg(test)]
mod tests;
