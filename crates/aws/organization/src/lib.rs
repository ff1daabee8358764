//! Observes and changes what AWS Organizations holds: accounts, OUs, policies and policy types.
//!
//! Each resource has a module with `observe`, which only reads, and `apply`, which carries out
//! steps in order and decides nothing. A step whose work is already done succeeds, because another
//! invocation may have been faster. Every other failure ends the run and names the step. Completed
//! steps stay done, and observing and planning again resumes.
//!
//! Calls to AWS Organizations are made one at a time, because AWS accepts one change at a time and
//! refuses the others.

pub mod accounts;
pub mod backup_policy;
pub mod organizations;
pub mod policy_types;
pub mod preflight;
pub mod publication;
pub mod tree;
mod walk;

pub use organizations::Record;

#[cfg(test)]
mod tests;
