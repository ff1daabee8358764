//! The reasons why resources need action, in words that resources share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::copies::CopyOwed;
use super::evidence::Job;
use super::judge::{Coverage, Judge, Owed};
use super::place::Obstacle;
use super::state::{CopyState, State};

/// The most resources that a group names.
pub(crate) const EXAMPLES: usize = 10;

/// The reason why a resource needs action.
///
/// It contains no times and no names of resources, so it is the same for all resources that have
/// it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Cause {
    /// The place among the causes: the lower, the more it matters and the earlier it is listed.
    order: u8,
    /// The words.
    pub words: String,
}

impl Cause {
    /// Returns the place among the causes: the lower, the more it matters.
    pub(crate) fn order(&self) -> u8 {
        self.order
    }
}

impl Judge<'_> {
    /// Returns the reasons why a resource and the copies of its backups need action.
    pub fn causes(&self, coverage: &Coverage) -> Vec<Cause> {
        let order = u8::MAX - coverage.state.rank();
        let own = self.why(coverage).map(|words| Cause { order, words });
        let copies = coverage.owed.iter().flat_map(|it| &it.copies);
        let copies = copies.filter_map(|it| Some(Cause { order: u8::MAX, words: copied(it)? }));
        let mut causes: Vec<_> = own.into_iter().chain(copies).collect();
        causes.sort();
        causes.dedup();
        causes
    }

    fn why(&self, coverage: &Coverage) -> Option<String> {
        let account = &self.place().account;
        let region = &self.place().region;
        let kind = coverage.kind.map(|it| it.name).unwrap_or_default();
        Some(match &coverage.state {
            State::Fresh | State::FirstDue(_) | State::Excluded | State::NotSupported => {
                return ahead(coverage);
            }
            State::NotKnown(why) => format!("not known: {why}"),
            State::OptedOut => {
                format!(
                    "not backed up: the management account has not opted in to {kind} in {region}"
                )
            }
            State::NotSelected => match &coverage.nearest {
                None => format!("not backed up: no backup plan reaches the account {account}"),
                Some(nearest) => {
                    let plan = self.plan(nearest.plan);
                    let selection = plan.and_then(|it| it.selections.get(nearest.selection));
                    let differences: Vec<_> =
                        nearest.differences.iter().map(ToString::to_string).collect();
                    format!(
                        "not backed up: the nearest selection is `{}` of the plan `{}`: {}",
                        selection.map(|it| it.name.as_str()).unwrap_or_default(),
                        plan.map(|it| it.name.as_str()).unwrap_or_default(),
                        differences.join("; ")
                    )
                }
            },
            State::Failing | State::Late(_) => {
                let worst = coverage.owed.iter().max_by_key(|it| it.state.rank());
                let word = if coverage.state == State::Failing { "failing" } else { "late" };
                format!("{word}: {}", worst.map(missed).unwrap_or_default())
            }
        })
    }
}

/// Returns the known obstacle to the next backup of a resource that is well so far.
fn ahead(coverage: &Coverage) -> Option<String> {
    let obstacles = coverage.owed.iter().flat_map(|it| &it.obstacles);
    let first = obstacles.filter(|it| it.is_certain()).min()?;
    Some(format!("the next backup will fail: {first}"))
}

/// Returns the reason why a backup of a rule is missing.
fn missed(owed: &Owed) -> String {
    reason(owed.job.as_ref(), &owed.obstacles)
        .unwrap_or_else(|| "no job was made for a run that was due".to_owned())
}

fn copied(copy: &CopyOwed) -> Option<String> {
    let vault = &copy.vault;
    let because = |otherwise: &str| {
        reason(copy.job.as_ref(), &copy.obstacles).unwrap_or_else(|| otherwise.to_owned())
    };
    Some(match &copy.state {
        CopyState::Fresh | CopyState::NotDue => {
            let certain = copy.obstacles.iter().filter(|it| it.is_certain()).min()?;
            format!("the next copy to `{vault}` will fail: {certain}")
        }
        CopyState::Late(_) => {
            format!("copies to `{vault}` are late: {}", because("no copy job was made"))
        }
        CopyState::Missing => {
            format!("there is no copy in `{vault}`: {}", because("no copy job was made"))
        }
        CopyState::NoDestination => format!("copies go to `{vault}`, which does not exist"),
        CopyState::NotKnown(why) => format!("copies in `{vault}` are not known: {why}"),
    })
}

/// Returns the known obstacle, or else the message of the last job if it ended badly.
fn reason(job: Option<&Job>, obstacles: &[Obstacle]) -> Option<String> {
    if let Some(certain) = obstacles.iter().filter(|it| it.is_certain()).min() {
        return Some(certain.to_string());
    }
    let job = job.filter(|it| it.state.is_bad())?;
    let message = if job.message.is_empty() { "no reason given" } else { &*job.message };
    Some(format!("the last job {}: {message}", job.state.key()))
}

/// Resources that share a cause.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Group {
    /// The number of resources.
    pub count: usize,
    /// The first of them, at most ten, each with its own details.
    pub examples: Vec<String>,
}

impl Group {
    /// Adds a resource. `told` describes it in a few words.
    pub(crate) fn add(&mut self, told: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(told.to_owned());
        }
    }

    /// Adds other resources that share the cause.
    pub(crate) fn merge(&mut self, more: Self) {
        self.count = self.count.saturating_add(more.count);
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(more.examples.into_iter().take(room));
    }
}

/// Resources by the action that they need, and the number of resources in each state.
///
/// Its size grows with the number of causes, and not with the number of resources.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The number of resources in each state, by the words for programs.
    pub states: BTreeMap<&'static str, usize>,
    /// The causes, in the order in which they matter.
    pub causes: BTreeMap<Cause, Group>,
}

impl Groups {
    /// Adds a resource in a state with these causes. `told` describes it in a few words.
    pub fn add(&mut self, state: &State, causes: Vec<Cause>, told: &str) {
        *self.states.entry(state.key()).or_default() += 1;
        for cause in causes {
            self.causes.entry(cause).or_default().add(told);
        }
    }
}
