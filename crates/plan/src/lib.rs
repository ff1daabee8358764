//! What is to be done: desired and observed state in, steps out.
//!
//! Everything here is a pure function over data. There is no I/O, no clock and no AWS crate, so
//! every decision of the suite can be tested in microseconds and printed before it is carried out.
//!
//! Each resource has a module with the same six names: `Properties` is what a template says and what
//! is kept of it, `Desired` is what that asks for, `Observed` is what the organization has, `plan`
//! compares the two, a `Step` is one thing to do and says so in words, and a `Refusal` is why nothing
//! is done.

#![deny(
    clippy::wildcard_enum_match_arm,
    reason = "a new resource, event or state is decided on everywhere"
)]

pub mod backup_policy;
pub mod deployment;
pub mod desired_state;
pub mod doctor;
pub mod global_settings;
pub mod id;
pub mod member_accounts;
pub mod outlook;
pub mod owner;
pub mod plans;
pub mod policy_types;
pub mod preflight;
pub mod presence;
pub mod properties;
pub mod reattach;
pub mod resource;
pub mod restore_validation;
pub mod scalar;
pub mod serialized;
pub mod service_access;
