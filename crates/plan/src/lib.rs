//! The decisions of org-backup: desired and observed state in, steps out.
//!
//! Everything here is a pure function over data. There is no I/O, no clock and no AWS crate. Every
//! decision of the suite can therefore be tested in microseconds and printed before it is carried
//! out.
//!
//! Each resource has a module with the same six names: `Properties` is the content of the template
//! and the stored state, `Desired` is the state that the properties ask for, `Observed` is the
//! state of the organization, `plan` compares the two, a `Step` is one change to make and can be
//! printed, and a `Refusal` is the reason why nothing is done.

pub mod account_state;
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
