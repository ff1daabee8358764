//! The backup coverage of resources: which ones are really backed up, since when and where they are
//! copied to, and which ones are not.
//!
//! A [`Judge`] is made from an account in a Region ([`Place`]), the plans of the account's
//! effective policy, and the requests of a template. It judges one resource after the other by the
//! observations of its backups. It follows AWS's documentation of how AWS Backup selects resources
//! and when it makes backups. `docs/coverage.md` describes what each state means and what it does
//! not prove.
//!
//! A backup counts for the rule that made it according to AWS. If AWS does not name the rule, it
//! counts for every rule that has its vault.

mod cause;
mod chain;
mod copies;
mod due;
mod evidence;
mod first_seen;
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

pub(crate) use cause::EXAMPLES;
pub use cause::{Cause, Group, Groups};
pub use copies::CopyOwed;
pub use evidence::{
    Creator, Evidence, JOBS_DAYS, Job, JobState, PointStatus, RecoveryPoint, Resource, RestoreTest,
    TestResult,
};
pub use first_seen::FirstSeen;
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
pub use state::{CopyState, State, StateGroup};

pub use crate::wanted::Asks;
