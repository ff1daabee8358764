//! Observes the organization and carries out plans: with `restored`, the only crate that uses an
//! AWS SDK.
//!
//! Each resource has a module with `observe`, which only reads, and `apply`, which carries out
//! steps in order and decides nothing. A step whose work is already done succeeds, because another
//! invocation may have been faster. Every other failure ends the run and names the step. Completed
//! steps stay done, and observing and planning again resumes.
//!
//! Every call goes through [`Management`], which paces it to the published rates of AWS, counts it,
//! and ends it before the function's deadline. Calls to AWS Organizations are made one at a time,
//! because AWS accepts one change at a time and refuses the others.

mod advice;
pub mod api;
mod attempts;
pub mod backup_policy;
mod calls;
mod clock;
pub mod content;
pub mod coverage_state;
pub mod doctor;
mod environment;
mod error;
pub mod evidence;
mod garbled;
pub mod global_settings;
mod http;
mod identity;
pub mod lease;
pub mod levels;
mod machine;
pub mod member_accounts;
pub mod member_runs;
mod operation;
mod organizations;
pub mod policy_types;
pub mod preflight;
pub mod publication;
pub mod reading;
pub mod recovery;
pub mod report;
mod retries;
pub mod service_access;
mod session;
pub mod slot;
pub mod stacks;
pub mod state;
mod tally;
mod telling;

pub use calls::Pages;
pub use clock::Clock;
pub use error::{Error, Kind, log_left_out, removable};
pub use errors::Reader;
pub use http::connector;
pub use identity::Caller;
pub use machine::Machine;
pub use operation::Need;
pub use organizations::Record;
pub use session::{Management, Session};
pub use tally::Tally;

#[cfg(test)]
mod tests;
