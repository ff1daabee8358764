//! What templates, events, permissions, recipes and packages promise one another.

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
