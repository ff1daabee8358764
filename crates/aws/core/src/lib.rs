//! Calls AWS: sessions, clients, pace, retries and errors, and the operations that need no SDK.
//!
//! The crates beside this one observe and carry out plans. Each has the SDKs of the services that it
//! calls, so that a function links no other, and builds its clients by [`client!`] and
//! [`Management::client`].
//!
//! Every call goes through [`Management`], which paces it to the published rates of AWS, counts it,
//! and ends it before the function's deadline.

mod advice;
pub mod api;
mod attempts;
mod calls;
mod clock;
mod codes;
mod environment;
mod error;
mod failure;
mod garbled;
mod http;
mod identity;
mod machine;
mod memo;
pub mod operation;
pub mod reading;
mod retries;
mod session;
mod tally;
mod telling;

pub use advice::Advice;
pub use api::again;
pub use calls::{Calls, Page, Pages, log_plan};
pub use clock::Clock;
pub use codes::CommonCode;
pub use error::{Error, Kind, Useless, already, log_left_out, removable};
pub use errors::Reader;
pub use failure::{failure, is_disabled};
pub use http::connector;
pub use identity::Caller;
pub use machine::Machine;
pub use memo::Memo;
pub use operation::Need;
pub use retries::{patience, tireless};
pub use session::{Management, Session};
pub use tally::Tally;
