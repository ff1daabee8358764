//! The real binaries against the simulator: each test is a fact about what happens to an
//! organization.

mod backup_policy;
mod global_settings;
mod policy_types;
mod preflight;
mod service_access;
