//! What templates, events, permissions, recipes and packages promise one another.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not know is a failure, or JSON of another form"
)]

mod architecture;
mod deploy;
mod events;
mod hostile_artifacts;
mod names;
mod package;
mod permissions;
mod recipes;
mod rollout;
mod templates;
mod threats;
mod undeploy;
