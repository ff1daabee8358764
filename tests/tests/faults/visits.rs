//! `reattach` in the random schedules: at work while stacks change its resources.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;
use simulator::Moment;
use tests::organization::Organization;
use tests::reattach::told;

use crate::deliveries::{FULL_TIME, batch, deliver, schedule};
use crate::resources::{RESOURCES, pass, with_policy};
use crate::schedule::{chance, kills, milliseconds};

/// One invocation, and how it comes again when it does not come to its end.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The resource whose policy CloudTrail tells of; without one it is the schedule that comes, and
    /// a sweep starts.
    told_of: Option<usize>,
    starts_after: Duration,
    deadline: Duration,
    /// The calls, each counted from the one before, at which the function is killed.
    pub(crate) kills: Vec<(u64, Moment)>,
}

impl Visit {
    /// Draws the visits of one round.
    pub(crate) fn some(rng: &mut Rng) -> Vec<Self> {
        (0..rng.usize(0..=3)).map(|_| Self::new(rng)).collect()
    }

    fn new(rng: &mut Rng) -> Self {
        Self {
            told_of: if chance(rng, 50) { rng.choice(with_policy()) } else { None },
            starts_after: milliseconds(rng, 3_000),
            deadline: if chance(rng, 15) { Duration::from_secs(rng.u64(2..20)) } else { FULL_TIME },
            kills: kills(rng),
        }
    }

    /// Invokes the function; `ids` are those of the policies by resource.
    pub(crate) async fn pay(&self, organization: &Organization, ids: &[Option<String>]) {
        pass(self.starts_after).await;
        let payload = match self.told_of {
            None => schedule(),
            Some(resource) => {
                // A resource that is not there yet is named by an unknown ID.
                let id = ids[resource].as_deref().unwrap_or("p-0000000000");
                batch(&[told("UpdatePolicy", &json!({ "policyId": id }))])
            }
        };
        let wire = organization.wire("Visit").unwrap();
        for (nth, moment) in &self.kills {
            wire.kill_at(*nth, *moment);
        }
        // What is still not done then is left to the schedule.
        let _done = deliver(organization, &wire, payload, self.deadline).await;
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { told_of, starts_after, deadline, kills } = self;
        let what = told_of.map_or("everything", |it| RESOURCES[it].name);
        write!(f, "reattach checks {what} after {starts_after:?}, within {deadline:?}")?;
        kills.iter().try_for_each(|(nth, moment)| write!(f, ", killed {moment:?} call {nth}"))
    }
}

/// Has the schedule start a sweep, once nothing from before is at work any more, and come again
/// when it was not done.
pub(crate) async fn look_after_everything(organization: &Organization) {
    pass(Duration::from_mins(17)).await;
    let wire = organization.wire("Schedule").unwrap();
    let done = deliver(organization, &wire, schedule(), FULL_TIME).await;
    assert!(done.is_ok(), "the schedule is not done");
}
