//! The results of a run: one line for every account and every problem, and the totals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Change, Preferences, Problem};
use crate::account_state::AccountState;
use crate::id::{AccountId, Region, ResourceType, RunId, TargetId};
use crate::serialized;

/// The number of failures that an answer names.
const EXAMPLES: usize = 10;

/// The most characters of one failure in an answer.
const EXAMPLE_LENGTH: usize = 400;

/// An account and its name.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// Its name, which may be unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// True if the run works in it only because it receives copies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_central: bool,
}

/// A deviation from the desired state in an account or in one of its Regions, or a possible one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The Region, or `None` if the failure is about the whole account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The deviation, and its reason.
    pub problem: String,
    /// The hint on what to do next.
    pub hint: String,
}

impl Failure {
    /// Returns the failure for a problem that was found in `region`.
    pub fn found(region: Option<&Region>, problem: &Problem) -> Self {
        let (problem, hint) = (problem.to_string(), problem.hint().to_owned());
        Self { region: region.cloned(), problem, hint }
    }
}

/// The outcome for one account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberOutcome {
    account: Account,
    failures: Vec<Failure>,
    not_looked_at: Vec<Failure>,
    changes: Vec<Changed>,
    service_role_made: bool,
    unknown: BTreeMap<ResourceType, BTreeSet<Region>>,
    barred: Option<String>,
    is_member: bool,
}

impl MemberOutcome {
    /// Returns an empty outcome for an account, which is a member account or the management
    /// account.
    pub fn new(account: Account, is_member: bool) -> Self {
        Self {
            account,
            failures: vec![],
            not_looked_at: vec![],
            changes: vec![],
            service_role_made: false,
            unknown: BTreeMap::new(),
            barred: None,
            is_member,
        }
    }

    /// Returns the account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Adds a failure.
    pub fn fail(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// Adds a problem that was found in `region`. If the problem could not be judged, the account
    /// stays ready: the problem is reported, but nothing is known to be wrong.
    pub fn find(&mut self, region: Option<&Region>, problem: &Problem) {
        let failures =
            if problem.is_certain() { &mut self.failures } else { &mut self.not_looked_at };
        failures.push(Failure::found(region, problem));
    }

    /// Records that the account could not be entered, with the error code of AWS.
    pub fn bar(&mut self, code: &str, failure: Failure) {
        self.barred = Some(code.to_owned());
        self.fail(failure);
    }

    /// Returns `true` if the account could not be entered.
    pub fn is_barred(&self) -> bool {
        self.barred.is_some()
    }

    /// Records a change that was made in `region`.
    pub fn change(&mut self, region: &Region, change: Change) {
        let same =
            |it: &&mut Changed| it.opt_in == change.opt_in && it.management == change.management;
        if let Some(changed) = self.changes.iter_mut().find(same) {
            changed.regions.insert(region.clone());
        } else {
            let Change { opt_in, management } = change;
            let regions = [region.clone()].into();
            self.changes.push(Changed { opt_in, management, regions });
        }
    }

    /// Records that the service-linked role of AWS Backup was missing and has been created.
    pub fn make_service_role(&mut self) {
        self.service_role_made = true;
    }

    /// Records the types that `region` does not know.
    pub fn miss(&mut self, region: &Region, types: BTreeSet<ResourceType>) {
        for it in types {
            self.unknown.entry(it).or_default().insert(region.clone());
        }
    }

    /// Returns the lines of the report for the account: one for every failure, or a single one.
    pub fn lines(mut self) -> Vec<Line> {
        let failures = std::mem::take(&mut self.failures);
        if failures.is_empty() {
            return vec![self.line(None)];
        }
        failures.into_iter().map(|it| self.line(Some(it))).collect()
    }

    /// Returns the next line. Changes and unread parts are only reported on the first one.
    fn line(&mut self, failure: Option<Failure>) -> Line {
        let ready = failure.is_none();
        let (region, problem, hint) = match failure {
            Some(it) => (it.region, Some(it.problem), Some(it.hint)),
            None => (None, None, None),
        };
        Line {
            account: self.account.id.clone(),
            name: self.account.name.clone(),
            region,
            ready,
            changes: std::mem::take(&mut self.changes),
            service_role_made: std::mem::take(&mut self.service_role_made),
            unknown: std::mem::take(&mut self.unknown),
            problem,
            hint,
            not_looked_at: std::mem::take(&mut self.not_looked_at),
        }
    }
}

/// A change, and the Regions in which it was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    #[serde(default, skip_serializing_if = "Preferences::is_empty")]
    opt_in: Preferences,
    #[serde(default, skip_serializing_if = "Preferences::is_empty")]
    management: Preferences,
    regions: BTreeSet<Region>,
}

impl Changed {
    /// Returns the change.
    pub fn change(&self) -> Change {
        Change { opt_in: self.opt_in.clone(), management: self.management.clone() }
    }

    /// Returns the Regions in which it was made.
    pub fn regions(&self) -> &BTreeSet<Region> {
        &self.regions
    }
}

/// One line of the report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The account.
    pub account: AccountId,
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The Region of the problem, absent if it concerns the whole account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// True if the account is ready for backups, as far as it was checked.
    pub ready: bool,
    /// The changes that were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
    /// True if the service-linked role of AWS Backup was missing and has been created.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_role_made: bool,
    /// The requested types that some Regions do not know, with those Regions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<ResourceType, BTreeSet<Region>>,
    /// The deviation, and its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The hint on what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The requirements that may not be met, because they could not be read or judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_looked_at: Vec<Failure>,
}

impl Line {
    /// Returns the line with its line end.
    pub fn text(&self) -> String {
        serialized::text(self) + "\n"
    }
}

/// The totals of many accounts.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tally {
    /// Number of accounts in their desired state.
    pub ready: usize,
    /// Number of accounts that are not in their desired state.
    pub not_ready: usize,
    /// Number of accounts in which something was changed.
    pub changed: usize,
    /// Number of accounts that are not active, by state.
    pub skipped: BTreeMap<String, usize>,
    /// Number of member accounts among the ready and not ready ones.
    members: usize,
    /// Number of member accounts that could not be entered, by error code.
    barred: BTreeMap<String, usize>,
    /// The first failures.
    examples: Vec<String>,
}

impl Tally {
    /// Adds the outcome for one account.
    pub fn add(&mut self, outcome: &MemberOutcome) {
        self.members += usize::from(outcome.is_member);
        self.changed += usize::from(!outcome.changes.is_empty() || outcome.service_role_made);
        if outcome.failures.is_empty() {
            self.ready += 1;
        } else {
            self.not_ready += 1;
        }
        if let Some(code) = &outcome.barred {
            *self.barred.entry(code.clone()).or_default() += 1;
        }
        if let Some(first) = outcome.failures.first() {
            let Account { id, name, .. } = &outcome.account;
            let mut example = id.to_string();
            // Writing to a string cannot fail.
            let _ = if name.is_empty() { Ok(()) } else { write!(example, " ({name})") };
            let _ = first.region.as_ref().map_or(Ok(()), |it| write!(example, " in {it}"));
            let _ = write!(example, ": {}", first.problem);
            if outcome.failures.len() > 1 {
                let _ = write!(example, " (and {} more)", outcome.failures.len() - 1);
            }
            self.show(example);
        }
    }

    /// Counts an account that is not active.
    pub fn skip(&mut self, state: &AccountState) {
        *self.skipped.entry(state.to_string()).or_default() += 1;
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: Self) {
        self.ready += other.ready;
        self.not_ready += other.not_ready;
        self.changed += other.changed;
        self.members += other.members;
        for (all, some) in [(&mut self.skipped, other.skipped), (&mut self.barred, other.barred)] {
            for (key, count) in some {
                *all.entry(key).or_default() += count;
            }
        }
        for example in other.examples {
            self.show(example);
        }
    }

    /// Returns the number of accounts that were worked in.
    pub fn worked(&self) -> usize {
        self.ready + self.not_ready
    }

    /// Decides whether the run is a success. `report` is the address of the report.
    ///
    /// # Errors
    ///
    /// Returns an error if accounts are not ready and the template requires all of them. Always
    /// returns an error if none of two or more member accounts could be entered, all for the same
    /// reason. That is an error in the setup and not in an account, and a success would hide that
    /// no account is managed.
    pub fn judge(&self, on_not_ready: OnNotReady, report: Option<&str>) -> Result<(), Refusal> {
        let barred_alike =
            self.barred.len() == 1 && self.barred.values().sum::<usize>() == self.members;
        if barred_alike && self.members > 1 {
            let examples = self.told(report);
            return Err(Refusal::Barred { members: self.members, examples });
        }
        if self.not_ready > 0 && on_not_ready == OnNotReady::Fail {
            return Err(self.not_ready(report));
        }
        Ok(())
    }

    fn not_ready(&self, report: Option<&str>) -> Refusal {
        let (not_ready, all) = (self.not_ready, self.worked());
        Refusal::NotReady { not_ready, all, examples: self.told(report) }
    }

    /// Returns the first failures, and the address of the others.
    fn told(&self, report: Option<&str>) -> String {
        let report = report.map(|it| format!(" (all of them are in {it})")).unwrap_or_default();
        format!("{report}: {}", self.examples.join("; "))
    }

    fn show(&mut self, example: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example.chars().take(EXAMPLE_LENGTH).collect());
        }
    }
}

/// The effect on the run of accounts that are not ready.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum OnNotReady {
    /// The run succeeds and reports their number.
    #[default]
    Warn,
    /// The run fails.
    Fail,
}

/// The reason why a run fails.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// These targets reach no account.
    #[error("no account is at or below {}", list(.0))]
    NothingThere(Vec<TargetId>),
    /// Accounts are not ready and the template requires all of them.
    #[error("{not_ready} of {all} accounts are not ready{examples}")]
    NotReady {
        /// The number of accounts that are not ready.
        not_ready: usize,
        /// The number of accounts.
        all: usize,
        /// The first failures.
        examples: String,
    },
    /// No member account could be entered.
    #[error("none of the {members} member accounts could be entered, all for one reason{examples}")]
    Barred {
        /// The number of member accounts.
        members: usize,
        /// The first failures.
        examples: String,
    },
    /// Time ran out.
    #[error("the function ran out of time after {done} of {all} accounts")]
    OutOfTime {
        /// The number of accounts that are done.
        done: usize,
        /// The number of accounts.
        all: usize,
    },
    /// The state machine gave up.
    #[error("{lost} of {all} accounts were not reached, because their batches failed ({why})")]
    Lost {
        /// The number of missing accounts.
        lost: usize,
        /// The number of accounts.
        all: usize,
        /// The error of the state machine.
        why: String,
    },
    /// The state machine ended before its last step answered.
    #[error(
        "the execution {run} of the state machine {ending} before its last step had answered ({why})"
    )]
    Ended {
        /// The run, and the name of the execution.
        run: RunId,
        /// The way in which it ended.
        ending: Ending,
        /// The error of the state machine.
        why: String,
    },
}

impl Refusal {
    /// Returns the hint, unless the message already says what to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NothingThere(_) => Some("correct `TargetIds`; nothing has changed"),
            Self::NotReady { .. } => None,
            Self::Barred { .. } => Some(
                "roll out the role of `RoleName` to them, let it trust the function's own role, and \
                 let that assume it",
            ),
            Self::OutOfTime { .. } => Some(
                "deploy again to continue, or let the state machine of `templates/members.yaml` do it \
                 in batches",
            ),
            Self::Lost { .. } => Some("the log of the function says why; deploy again to continue"),
            Self::Ended { .. } => {
                Some("its history and the log of the function say more; deploy again to continue")
            }
        }
    }
}

/// The unsuccessful end of an execution of the state machine, as Step Functions names it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ending {
    /// Somebody stopped it.
    Aborted,
    /// A step failed permanently, or could not be started.
    Failed,
    /// It took too long.
    TimedOut,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aborted => "was stopped",
            Self::Failed => "failed",
            Self::TimedOut => "ran out of time",
        })
    }
}

fn list(targets: &[TargetId]) -> String {
    targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
