//! Carrying a plan out, job by job, and following it.

use std::sync::Arc;

use errors::advised;
use members::Member;
use plan::id::{AccountId, Region, RoleName, role_name};
use plan::member_accounts::handing;
use report::coverage::{JobState, PointStatus};
use report::recovery::{COPIES, Hop, JobCommand, JobSeen, JobTrouble, RESTORES, RestorePlan};
use serde_json::{Value, json};

use super::reach::Reach;
use crate::output::note;

/// The ending of a plan.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was restored, by this job.
    Restored {
        job: String,
        /// The ARN of what was made, where AWS tells.
        made: Option<String>,
    },
    /// A job failed, or AWS Backup refused to begin it.
    Failed { what: String, why: String, trouble: JobTrouble },
    /// Nobody could follow it. What was begun goes on.
    Unfollowed(String),
    /// A job is in a state that this program does not know. It may be at work, or may have ended.
    Unclear(String),
}

impl Ending {
    /// The failure of `what`, for the reason `why` in the words of AWS.
    fn told_by_aws(what: String, why: String) -> Self {
        let trouble = JobTrouble::of(&why);
        Self::Failed { what, why, trouble }
    }

    /// The ending in words, as a command prints it.
    pub(super) fn words(&self, by: JobCommand<'_>) -> String {
        match self {
            Self::Restored { job, made } => {
                let made = made.as_deref().unwrap_or("something that AWS does not name");
                format!("restored as {made} by the job {job}")
            }
            Self::Failed { what, why, trouble } => {
                let hint = trouble.hint(by);
                advised(format_args!("not restored: {what}: {why}"), Some(hint))
            }
            Self::Unfollowed(why) => {
                let hint = "run the same command again, which continues";
                advised(format_args!("not followed: {why}"), Some(hint))
            }
            Self::Unclear(why) => {
                let hint = JobTrouble::Unclear.hint(by);
                advised(format_args!("not followed: {why}"), Some(hint))
            }
        }
    }

    pub(super) fn json(&self, by: JobCommand<'_>) -> Value {
        match self {
            Self::Restored { job, made } => {
                json!({ "state": "restored", "job": job, "made": made, "problem": null })
            }
            Self::Failed { what, why, trouble } => json!({
                "state": "failed", "job": null, "made": null, "problem": format!("{what}: {why}"),
                "hint": trouble.hint(by),
            }),
            Self::Unfollowed(why) => {
                json!({ "state": "unknown", "job": null, "made": null, "problem": why })
            }
            Self::Unclear(why) => json!({
                "state": "unknown", "job": null, "made": null, "problem": why,
                "hint": JobTrouble::Unclear.hint(by),
            }),
        }
    }
}

/// The means to carry plans out.
pub(super) struct Carrier<'r, 'a> {
    pub(super) reach: &'r Reach<'a>,
    /// True if `--again` repeats also what was restored and is there.
    pub(super) repeats: bool,
}

/// The ARN of what a job made, if AWS tells.
type Made = Option<String>;

impl<'a> Carrier<'_, 'a> {
    /// Carries one plan out. Jobs that an earlier run began are joined. One in a state that is not known is
    /// neither joined nor, without `--again`, repeated.
    pub(super) async fn carry(&self, plan: &RestorePlan) -> Ending {
        match self.steps(plan).await {
            Ok(ending) | Err(ending) => ending,
        }
    }

    async fn steps(&self, plan: &RestorePlan) -> Result<Ending, Ending> {
        let mut arn = plan.point.arn.clone();
        for hop in &plan.hops {
            arn = self.copy(plan, hop, &arn).await?;
        }
        let goal = &plan.goal;
        let role = role_of(plan.role.as_str());
        let enter = || self.enter(&goal.account, &RESTORES, &goal.region, &role);
        let what = format!("{} in {goal}", plan.kind.noun());
        let job = if let Some(job) = self.begun(plan, &arn, &role).await? {
            note("progress", &format!("{what}: joins the restore job {job}"));
            job
        } else {
            let started = enter().await?.start_restore(plan, &arn).await;
            started.map_err(|it| refused(&it))?
        };
        let look = async || Ok(enter().await?.restore_job(&goal.region, &job).await);
        let made = follow(&format!("{}: restore job {job}", plan.point.resource), look).await?;
        Ok(Ending::Restored { job, made })
    }

    /// Copies a recovery point, and returns the ARN of the copy. A copy that is there, or under way, is as
    /// good.
    async fn copy(&self, plan: &RestorePlan, hop: &Hop, arn: &str) -> Result<String, Ending> {
        let Hop { from, to, role } = hop;
        let role = role_of(role.as_str());
        let enter = || self.enter(&from.account, &COPIES, &from.region, &role);
        let partition = &self.reach.partition;
        let resource = &plan.point.resource;
        let earlier = enter().await?.copies_of(from, resource, arn, &to.arn(partition)).await;
        let earlier = earlier.map_err(|it| Ending::Unfollowed(it.problem()))?;
        let (mut job, mut unclear) = (None, None);
        for it in earlier {
            if it.is_open() || (it.is_done() && self.is_there(hop, it.made.as_deref()).await?) {
                note("progress", &format!("{resource}: joins the copy job {}", it.id));
                job = Some(it.id);
                break;
            }
            if it.is_unclear() {
                unclear.get_or_insert(it);
            }
        }
        let job = if let Some(job) = job {
            job
        } else {
            if let Some(it) = unclear.filter(|_| !plan.is_again()) {
                let what = format!("the copy job {} of the same recovery point", it.id);
                return Err(Ending::Unclear(it.unclear(&what)));
            }
            let started = enter().await?.start_copy(plan, hop, arn, partition).await;
            started.map_err(|it| refused(&it))?
        };
        let look = async || Ok(enter().await?.copy_job(&from.region, &job).await);
        let made = follow(&format!("{resource}: copy job {job}"), look).await?;
        made.ok_or_else(|| {
            Ending::Unfollowed(format!("AWS does not name what the copy job {job} made"))
        })
    }

    /// Returns `true` if a copy that was made is still there, and usable.
    async fn is_there(&self, hop: &Hop, made: Option<&str>) -> Result<bool, Ending> {
        let Some(made) = made else { return Ok(false) };
        let regions = [hop.to.region.clone()].into();
        let policy = plan::member_accounts::narrowed(
            &["backup:DescribeRecoveryPoint"],
            &regions,
            [],
            &self.reach.partition,
            &hop.to.account,
        );
        let member =
            self.reach.enter(&hop.to.account, &policy).await.map_err(Ending::Unfollowed)?;
        let found = member.kept_point(&hop.to, made).await;
        let found = found.map_err(|it| Ending::Unfollowed(it.problem()))?;
        Ok(found.is_some_and(|it| it.status == PointStatus::Usable))
    }

    /// The job of an earlier run that restores, or restored, the same with the same settings.
    ///
    /// One at work is always joined: AWS Backup forgets its token after some time, and a second one would
    /// make the same thing twice. One that ended well is joined as well, unless `--again` repeats it. One
    /// that failed is not repeated by the same token, and is for `--again` to tell apart. So is one of
    /// which the result is gone. Without `--again`, a run with other settings that is under way is an
    /// error, and so is a job of which nobody knows whether it is.
    async fn begun(
        &self,
        plan: &RestorePlan,
        arn: &str,
        role: &RoleName,
    ) -> Result<Option<String>, Ending> {
        let goal = &plan.goal;
        let member = self.enter(&goal.account, &RESTORES, &goal.region, role).await?;
        let unread = |it: aws::Error| Ending::Unfollowed(it.problem());
        let earlier = member.restores_of(&goal.region, &goal.account, arn).await.map_err(unread)?;
        let (mut done, mut unclear, mut others) = (vec![], None, vec![]);
        for it in earlier {
            if it.is_unclear() {
                unclear.get_or_insert(it);
                continue;
            }
            if !it.is_open() && !it.is_done() {
                continue;
            }
            let settings = member.restore_settings(&goal.region, &it.id).await.map_err(unread)?;
            match (plan.is_restore(&settings), it.is_open()) {
                (true, true) => return Ok(Some(it.id)),
                (true, false) => done.push(it.id),
                (false, _) => others.push(it),
            }
        }
        let resource = &plan.point.resource;
        if plan.is_again() && self.repeats {
            for job in done {
                let told = format!(
                    "{resource}: the restore job {job} restored it with the same settings, and --again \
                     restores it once more"
                );
                note("note", &told);
            }
            return Ok(None);
        }
        let mut gone = None;
        for job in done {
            if !self.is_gone(plan, &job).await {
                return Ok(Some(job));
            }
            gone.get_or_insert(job);
        }
        if plan.is_again() {
            return Ok(None);
        }
        // It may be this restore or that of somebody else, and a second one may make the same thing twice.
        if let Some(it) = unclear {
            let what = format!("the restore job {} of the same recovery point", it.id);
            return Err(Ending::Unclear(it.unclear(&what)));
        }
        for it in others {
            let why = format!(
                "the restore job {} of the same recovery point is {}, with other settings",
                it.id,
                it.state.key()
            );
            if it.is_open() {
                let what = "somebody else restores it".to_owned();
                return Err(Ending::Failed { what, why, trouble: JobTrouble::Rival });
            }
            note("note", &format!("{resource}: {why}"));
        }
        match gone {
            Some(job) => Err(Ending::Failed {
                what: "an earlier run restored it".to_owned(),
                why: format!("what the restore job {job} made is gone"),
                trouble: JobTrouble::Gone,
            }),
            None => Ok(None),
        }
    }

    async fn enter(
        &self,
        account: &AccountId,
        actions: &[&str],
        region: &Region,
        role: &RoleName,
    ) -> Result<Arc<Member<'a>>, Ending> {
        let regions = [region.clone()].into();
        let policy = handing(actions, &regions, [role], &self.reach.partition, account);
        self.reach.enter(account, &policy).await.map_err(Ending::Unfollowed)
    }
}

/// The name of the role with this ARN.
fn role_of(arn: &str) -> RoleName {
    role_name(arn).unwrap_or_else(|| unreachable!("the ARN was made of it"))
}

/// Returns the ending of a job that AWS Backup did not begin.
pub(super) fn refused(error: &aws::Error) -> Ending {
    match error.kind() {
        aws::Kind::Transient => Ending::Unfollowed(error.problem()),
        aws::Kind::Rejected | aws::Kind::Denied | aws::Kind::Outdated => {
            Ending::told_by_aws("AWS Backup refuses it".to_owned(), error.problem())
        }
    }
}

/// Waits for a job to end, and tells how far it is whenever that changes.
///
/// The pace of the looks is that of their operation.
pub(super) async fn follow(
    what: &str,
    look: impl AsyncFn() -> Result<Result<JobSeen, aws::Error>, Ending>,
) -> Result<Made, Ending> {
    let mut told = String::new();
    loop {
        let job = look().await?.map_err(|it| Ending::Unfollowed(it.problem()))?;
        let progress = job.progress();
        if progress != told {
            note("progress", &format!("{what}: {progress}"));
            told = progress;
        }
        match job.state {
            JobState::Open => {}
            JobState::Completed => return Ok(job.made),
            JobState::Unknown => return Err(Ending::Unclear(job.unclear(what))),
            JobState::Failed | JobState::Expired | JobState::Aborted | JobState::Partial => {
                let why =
                    if job.told.is_empty() { "AWS gives no reason".to_owned() } else { job.told };
                return Err(Ending::told_by_aws(format!("{what} is {}", job.state.key()), why));
            }
        }
    }
}
