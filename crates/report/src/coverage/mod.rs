//! Which resources are really backed up, since when, copied where, and which are not.
//!
//! A [`Judge`] is made of an account in a Region ([`Place`]), the plans of the account's effective
//! policy, and what a template asks for. It judges one resource after the other by what was seen of
//! its backups. It follows AWS's documentation of how AWS Backup selects and when it makes backups;
//! `docs/coverage.md` has what each state means and what it does not prove.
//!
//! A backup counts for the rule that AWS says it was made by, and where AWS does not say, for every
//! rule that has its vault.

mod cause;
mod chain;
mod copies;
mod due;
mod evidence;
mod inventory;
mod json;
mod judge;
mod kept;
mod kind;
mod pattern;
mod place;
mod plans;
mod reads;
mod selection;
mod state;
#[cfg(test)]
mod tests;

pub use cause::{Cause, Group, Groups};
pub use copies::CopyOwed;
pub use evidence::{
    Creator, Evidence, JOBS_DAYS, Job, JobState, PointStatus, RecoveryPoint, Resource, RestoreTest,
    TestResult,
};
pub use inventory::{Answers, Inventory, Records, Tags};
pub use judge::{Coverage, Judge, Nearest, Owed, Taken};
pub use kept::{Kept, Until};
pub use kind::{Copied, Kind};
pub use place::{Key, LocalPlan, Obstacle, Place, Vault};
pub use plans::{BackupPlan, Copy, Rule};
pub use reads::{
    About, AccountReads, ByResource, Common, DestinationReads, HeldVault, Holder, LOOKS_AT_BACKUPS,
    RegionReads, TrustedRole,
};
pub use selection::{Condition, Difference, Operator, Selection, Source};
pub use state::{CopyState, State};

pub use crate::wanted::Asks;
