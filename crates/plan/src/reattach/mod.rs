//! Putting back what somebody undid: what an event means, whom it concerns, and what is told.
//!
//! Events arrive at least once, in any order and minutes late, so none of them is taken for the
//! state of the organization. An event only says where to look.

mod concern;
mod event;
mod health;
mod notice;
mod sweep;

pub use concern::{Accounts, Work, work};
pub use event::{Event, Happening, Reading, Who, read};
pub use health::{Change, Health};
pub use notice::{Finding, Notice, Outcome, notice};
pub use sweep::{Reverted, Sweep};

#[cfg(test)]
mod tests;
