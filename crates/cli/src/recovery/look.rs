//! Looking at what was restored, as `restore-validation` looks at what restore tests restored.

use std::time::Duration;

use plan::member_accounts::narrowed;
use plan::restore_validation::{Facts, Inspection, Judgment, Resource, judge, restored_beside};
use report::recovery::{LOOKS_AT_RESTORED, RestorePlan};
use restored::Services;
use tokio::time::{Instant, interval, timeout_at};

use super::carry::Carrier;
use crate::output::note;

/// The interval between two looks at a resource that is not ready.
const PACE: Duration = Duration::from_secs(15);

/// The time in which a resource becomes ready after its restore. The status checks of an instance take
/// minutes.
const PATIENCE: Duration = Duration::from_mins(10);

/// The longest time of one look, which lists up to a million objects.
const ONE_LOOK: Duration = Duration::from_mins(10);

/// A restored resource, and what was seen of it.
struct RestoredFacts {
    resource: Resource,
    facts: Facts,
    /// The size of the backup in bytes, if AWS tells it.
    bytes: Option<u64>,
}

impl Carrier<'_, '_> {
    /// Looks at what the restore job with this ID restored, until that is clear or takes too long.
    pub(super) async fn look(&self, plan: &RestorePlan, job: &str) -> Inspection {
        match self.see(plan, job).await {
            Ok(look) | Err(look) => look,
        }
    }

    /// Returns `true` if what a restore job made is known not to be there any more.
    pub(super) async fn is_gone(&self, plan: &RestorePlan, job: &str) -> bool {
        self.facts(plan, job).await.is_ok_and(|it| matches!(it.facts, Facts::Missing))
    }

    /// Looks at it once.
    async fn facts(&self, plan: &RestorePlan, job: &str) -> Result<RestoredFacts, Inspection> {
        let (goal, partition) = (&plan.goal, &self.reach.partition);
        let regions = [goal.region.clone()].into();
        let policy = narrowed(&LOOKS_AT_RESTORED, &regions, [], partition, &goal.account);
        let unseen = |it: restored::Error| Inspection::Unseen(it.why());
        let member = self.reach.enter(&goal.account, &policy).await.map_err(Inspection::Unseen)?;
        let (config, tally) = (member.config_in(&goal.region), member.tally());
        let services = Services::without_reading(config, tally, Instant::now() + ONE_LOOK);
        let job = services.job(job).await.map_err(unseen)?;
        let restored = restored_beside(&job, "the vault there", &goal.arn(partition));
        let restored = restored.map_err(Inspection::Unproven)?;
        let facts = services.look(&job.id, &restored).await.map_err(unseen)?;
        Ok(RestoredFacts { resource: restored.resource, facts, bytes: job.bytes })
    }

    async fn see(&self, plan: &RestorePlan, job: &str) -> Result<Inspection, Inspection> {
        let (mut looks, until) = (interval(PACE), Instant::now() + PATIENCE);
        let mut is_told = false;
        loop {
            let is_last = timeout_at(until, looks.tick()).await.is_err();
            let RestoredFacts { resource, facts, bytes } = self.facts(plan, job).await?;
            let judgment = judge(&resource, &facts, bytes);
            let may_change = matches!(judgment, Judgment::Unsettled { .. } | Judgment::Failing(_));
            if is_last || !may_change {
                return Ok(Inspection::of(&resource, judgment));
            }
            if !is_told {
                let of = &plan.point.resource;
                note("progress", &format!("{of}: waiting until {resource} is ready"));
                is_told = true;
            }
        }
    }
}
