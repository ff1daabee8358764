//! How like AWS the simulator is: as its documentation says, as its models say, and beside another
//! stand-in for it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "the helpers of tests may panic as the tests do"
)]

mod behaviour;
mod conformance;
mod differential;
mod law;
mod support;
