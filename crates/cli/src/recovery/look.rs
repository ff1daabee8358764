//! Looking at what was restored, as `restore-validation` looks at what restore tests restored.

use std::time::Duration;

use plan::member_accounts::narrowed;
use plan::restore_validation::{Inspection, Judgment, judge, restored_beside};
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

impl Carrier<'_, '_> {
    /// Looks at what the restore job with this ID restored, until that is clear or takes too long.
    pub(super) async fn look(&self, plan: &RestorePlan, job: &str) -> Inspection {
        match self.see(plan, job).await {
            Ok(look) | Err(look) => look,
        }
    }

    async fn see(&self, plan: &RestorePlan, job: &str) -> Result<Inspection, Inspection> {
        let (goal, partition) = (&plan.goal, &self.reach.partition);
        let regions = [goal.region.clone()].into();
        let policy = narrowed(&LOOKS_AT_RESTORED, &regions, [], partition, &goal.account);
        let vault = goal.arn(partition);
        let unseen = |it: restored::Error| Inspection::Unseen(it.why());
        let (mut looks, until) = (interval(PACE), Instant::now() + PATIENCE);
        let mut is_told = false;
        loop {
            let is_last = timeout_at(until, looks.tick()).await.is_err();
            let member =
                self.reach.enter(&goal.account, &policy).await.map_err(Inspection::Unseen)?;
            let (config, tally) = (member.config_in(&goal.region), member.tally());
            let services = Services::without_reading(config, tally, Instant::now() + ONE_LOOK);
            let job = services.job(job).await.map_err(unseen)?;
            let restored = restored_beside(&job, "the vault there", &vault);
            let restored = restored.map_err(Inspection::Unproven)?;
            let facts = services.look(&job.id, &restored).await.map_err(unseen)?;
            let judgment = judge(&restored.resource, &facts, job.bytes);
            if is_last || !matches!(judgment, Judgment::Unsettled { .. }) {
                return Ok(Inspection::of(&restored.resource, judgment));
            }
            if !is_told {
                let (resource, of) = (&restored.resource, &plan.point.resource);
                note("progress", &format!("{of}: waiting until {resource} is ready"));
                is_told = true;
            }
        }
    }
}
