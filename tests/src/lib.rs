//! What the tests share.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not know is a failure, or JSON of another form"
)]

pub mod binaries;
pub mod cases;
pub mod codes;
pub mod command;
pub mod deploy;
pub mod fake_aws;
pub mod in_process;
pub mod organization;
pub mod parallel;
pub mod pattern;
pub mod reattach;
pub mod restored;
pub mod role;
pub mod schema;
pub mod stack;
pub mod sweeps;
pub mod template;
