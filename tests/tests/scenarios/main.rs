//! The real binaries against the simulator: each test is a fact about what happens to an
//! organization.

mod backup_policy;
mod bad_input;
mod cases;
mod global_settings;
mod invariants;
mod policy_types;
mod preflight;
mod protocol;
mod regressions;
mod service_access;
