//! Every call of every request goes wrong in every way, and then many go wrong at random: whatever
//! happens, CloudFormation and Lambda do what they do, and in the end all is as it would have been.
//!
//! The functions run in the process of the test, on a clock that jumps; see `tests::in_process`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

mod batches;
mod deliveries;
mod enumerated;
mod extent;
mod lives;
mod pool;
mod random;
mod repairs;
mod resources;
mod schedule;
mod soak;
mod tampering;
mod trouble;
mod validations;
mod visits;
mod wire;
