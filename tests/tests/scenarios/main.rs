//! The real binaries against the simulator: each test is a fact about what happens to an
//! organization.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

mod backup_policy;
mod bad_input;
mod cases;
mod coverage;
mod desired_state;
mod doctor;
mod effective;
mod enforced;
mod errors;
mod global_settings;
mod gone;
mod hostile_events;
mod hostile_inputs;
mod hostile_names;
mod hostile_state;
mod invariants;
mod lease;
mod live_check;
mod member_accounts;
mod member_accounts_batches;
mod member_accounts_faults;
mod member_accounts_machine;
mod ministack;
mod monitoring;
mod operator;
mod partitions;
mod plan;
mod plan_templates;
mod policy_types;
mod preflight;
mod protocol;
mod reattach;
mod recovery;
mod recovery_many;
mod recovery_once;
mod recovery_page;
mod recovery_run;
mod recovery_trouble;
mod recovery_types;
mod regressions;
mod report;
mod report_backups;
mod restore_validation;
mod restore_validation_services;
mod restore_validation_waiting;
mod schemas;
mod service_access;
mod sweep;
