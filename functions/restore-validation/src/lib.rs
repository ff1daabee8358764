//! Checks the resource that each restore test restored, and reports the result to AWS Backup.
//!
//! EventBridge sends an event to a queue when a restore job is over, and the queue invokes the
//! function. A restore that is not a test is not touched. Every restore test gets a result:
//! successful, or failed with a reason. The reason says so if the resource was not ready in time, or
//! if AWS did not allow the check. A result is final, and makes AWS Backup delete the restored
//! resource. So there is no result while another try may find out more: the queue delivers the event
//! again, until the time for the validation is over.

mod metrics;
mod setup;

use std::time::{Duration, SystemTime};

use aws::Session;
use aws_lambda_events::event::sqs::SqsBatchResponse;
use errors::chain;
use futures_util::future::join_all;
use lambda_runtime::Diagnostic;
use plan::restore_validation::{
    Ended, Facts, Job, Judgment, Next, Reader, Reading, Report, Resource, Restored,
    ValidationOutcome, Window, judge, next, read, reader_name, restored, with_own,
};
use restored::{ErrorKind, Services};
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, interval, timeout_at};
use tracing::{error, info, warn};

use crate::metrics::Metrics;

pub use crate::setup::{InvalidSetup, Setup};

/// The time between the end of the last call and the end of the invocation. It is left to report
/// the failure of that call.
const MARGIN: Duration = Duration::from_secs(2);

/// The time before the end of the invocation in which nothing more is waited for. It is left for
/// the last check and the report.
const REPORT: Duration = Duration::from_secs(20);

/// The interval between two checks of a resource that is not ready. It is the first one of the
/// waiters of AWS's SDKs.
const PACE: Duration = Duration::from_secs(15);

/// The reason why an event is to be handled again.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// AWS could not be asked, or the result could not be reported.
    #[error(transparent)]
    Aws(#[from] restored::Error),
    /// The event came before the end of its restore job, or the job has a status that this program does
    /// not know.
    #[error(
        "the restore job {job} is not over, as far as this release knows: its status is {}",
        word(.status)
    )]
    Early {
        /// The ID of the job.
        job: String,
        /// Its status in the words of AWS Backup; empty if there is none.
        status: String,
    },
    /// There is time for another check.
    #[error("the restore job {job} has no result yet, and there is time for another look: {why}")]
    Unsettled {
        /// The ID of the job.
        job: String,
        /// The message that would be reported if there were no more time.
        why: String,
    },
}

/// Returns a status for a sentence.
fn word(status: &str) -> &str {
    if status.is_empty() { "unknown" } else { status }
}

impl From<Unfinished> for Diagnostic {
    fn from(unfinished: Unfinished) -> Self {
        let error_message = chain(&unfinished);
        Self { error_type: "Unfinished".to_owned(), error_message }
    }
}

impl Unfinished {
    /// Returns `true` if nothing is wrong: the resource, or the job, only needs more time.
    fn is_waiting(&self) -> bool {
        match self {
            Self::Aws(_) => false,
            Self::Early { .. } | Self::Unsettled { .. } => true,
        }
    }
}

/// Checks the resources that the restore tests in `payload` restored, and reports the results to AWS
/// Backup. The payload is a batch of SQS, or one event.
///
/// Returns the messages that SQS delivers again, since a later check may find out more. That is no
/// error: the errors of the function are what somebody has to look at.
///
/// # Errors
///
/// Returns an error if AWS could not be asked, or if a result could not be reported. Then all messages
/// are delivered again, and those with a result change nothing. An event that was sent directly is in
/// no queue, so it is also an error if a later check may find out more.
pub async fn handle(
    session: &Session,
    setup: &Setup,
    payload: &Value,
    deadline: Instant,
) -> Result<SqsBatchResponse, Unfinished> {
    let messages = cfn::messages(payload);
    let validations = messages.iter().map(|it| {
        let delivery = if it.id.is_some() { Delivery::Queue } else { Delivery::Alone };
        validate(session, setup, &it.event, delivery, deadline)
    });
    let mut waiting = Vec::new();
    for (message, done) in messages.iter().zip(join_all(validations).await) {
        let Err(unfinished) = done else { continue };
        let Some(id) = message.id.clone().filter(|_| unfinished.is_waiting()) else {
            return Err(unfinished);
        };
        info!(message = id, why = %chain(&unfinished), "is delivered again");
        waiting.push(id);
    }
    Ok(cfn::again(waiting))
}

/// Checks the resource that the restore test in `event` restored, and reports the result to AWS
/// Backup.
///
/// # Errors
///
/// Returns an error if AWS could not be asked, if the result could not be reported, or if another
/// check may find out more. In these cases nothing was reported, and the same event starts again
/// from the beginning.
async fn validate(
    session: &Session,
    setup: &Setup,
    event: &Value,
    delivery: Delivery,
    deadline: Instant,
) -> Result<(), Unfinished> {
    let id = match read(event) {
        Reading::Completed(id) => id,
        Reading::Ended(ended) => {
            end(&ended);
            return Ok(());
        }
        Reading::Nothing(why) => {
            info!(why, "the event does not ask for work");
            return Ok(());
        }
    };
    let begun = Instant::now();
    let left = deadline.saturating_duration_since(begun);
    let services = Services::new(session, deadline - MARGIN.min(left / 10));
    let until = deadline - REPORT.min(left / 3);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let validation = Validation { services, setup, delivery, begun, now, run: left, until };
    // The future is boxed because the nested futures of the AWS clients are too deep for the
    // compiler.
    Box::pin(validation.run(&id)).await
}

/// Logs and counts a test whose restore itself failed.
fn end(Ended { job, resource_type, status, message }: &Ended) {
    warn!(job, resource_type, status, message, "the restore failed by itself");
    count(resource_type, ValidationOutcome::RestoreFailed);
}

fn count(resource_type: &str, outcome: ValidationOutcome) {
    Metrics { resource_type, outcome }.write(SystemTime::now());
}

/// The way in which an event came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Delivery {
    /// In a message of the queue, which delivers it again until it is done.
    Queue,
    /// In an invocation of its own. It is unknown whether another one follows.
    Alone,
}

/// One run for one event.
struct Validation<'a> {
    services: Services,
    setup: &'a Setup,
    delivery: Delivery,
    begun: Instant,
    /// The time at which it began, since 1970.
    now: Duration,
    /// The longest time that it may take.
    run: Duration,
    /// The time at which waiting ends.
    until: Instant,
}

impl Validation<'_> {
    async fn run(&self, id: &str) -> Result<(), Unfinished> {
        let job = self.services.job(id).await?;
        let resource_type = job.resource_type.as_str();
        match next(&job) {
            Next::Look(restored) => {
                let seen = self.validate(&job, &restored).await.map_err(Unfinished::from);
                let report = seen.and_then(|it| self.report(&job, &restored.resource, it));
                // AWS Backup cannot delete a cluster that has an instance. Until there is a result, the
                // next run goes on with it.
                if report.is_ok() || self.delivery == Delivery::Alone {
                    self.give_back(&job).await?;
                }
                self.tell(&job, &report?).await?;
            }
            Next::Report(report) => self.tell(&job, &report).await?,
            Next::Ordinary => {
                warn!(job = id, "an event calls it a restore test, and AWS Backup does not");
            }
            Next::Done(result) => {
                info!(job = id, result, "there is a result already");
                self.give_back(&job).await?;
            }
            Next::Ended => {
                let Job { status, status_message: message, .. } = &job;
                let (job, status, message) = (id.to_owned(), status.clone(), message.clone());
                end(&Ended { job, resource_type: resource_type.to_owned(), status, message });
            }
            Next::TooLate => {
                warn!(job = id, resource_type, "not validated, since AWS Backup deletes it by now");
                count(resource_type, ValidationOutcome::NotValidated);
                self.give_back(&job).await?;
            }
            Next::Early(status) => {
                return Err(Unfinished::Early { job: id.to_owned(), status });
            }
        }
        Ok(())
    }

    /// Returns the report about `resource`.
    ///
    /// # Errors
    ///
    /// Returns an error if a later check may find out more, and there is time for it.
    fn report(
        &self,
        job: &Job,
        resource: &Resource,
        judgment: Judgment,
    ) -> Result<Report, Unfinished> {
        let window = self.window(job);
        let may_change = self.may_change(&judgment, window);
        let report = Report::of(resource, judgment);
        if may_change && !window.is_last() {
            return Err(Unfinished::Unsettled { job: job.id.clone(), why: report.message });
        }
        Ok(report)
    }

    fn may_change(&self, judgment: &Judgment, window: Window) -> bool {
        judgment.may_change(window, self.setup.instance_class.is_some())
    }

    /// Returns the time for the validation of `job`.
    fn window(&self, job: &Job) -> Window {
        let passed = self.passed(job);
        let began = passed.saturating_sub(self.begun.elapsed());
        Window { kept: self.setup.window, began, passed, run: self.run }
    }

    /// Returns the part of the time for the validation of `job` that is over.
    fn passed(&self, job: &Job) -> Duration {
        let completed = job.completed.and_then(|it| it.try_into().ok()).map(Duration::from_secs);
        let before = completed.map(|it| self.now.saturating_sub(it)).unwrap_or_default();
        before + self.begun.elapsed()
    }

    /// Checks the restored resource at intervals until the judgment is clear, or until there is no
    /// more time. What may take hours is left to the next delivery, unless there is none in time.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS could not be asked until the end of the run, and another run follows in time.
    async fn validate(&self, job: &Job, restored: &Restored) -> Result<Judgment, restored::Error> {
        let Restored { resource, .. } = restored;
        // AWS Backup takes no result after its own time for the validation.
        let left = self.window(job).left().saturating_sub(REPORT);
        let until = self.until.min(Instant::now() + left);
        let mut looks = interval(PACE);
        loop {
            let is_last = timeout_at(until, looks.tick()).await.is_err();
            let judgment = match self.look(job, restored, is_last).await {
                Ok(judgment) => judgment,
                Err(error) => match unseen(job, error) {
                    Ok(judgment) => judgment,
                    Err(_) if !is_last => continue,
                    Err(error) if self.window(job).is_last() => {
                        let why = format!("it could not be looked at: {}", error.why());
                        return Ok(Judgment::Unknown(why));
                    }
                    Err(error) => return Err(error),
                },
            };
            let is_left_to_next = matches!(judgment, Judgment::Doubtful(_))
                && self.delivery == Delivery::Queue
                && !self.window(job).is_last();
            if is_last || is_left_to_next || !self.may_change(&judgment, self.window(job)) {
                return Ok(judgment);
            }
            info!(job = job.id, %resource, ?judgment, "waiting");
        }
    }

    /// Checks the restored resource once. A cluster that needs an instance gets one, unless this
    /// check `is_last`.
    async fn look(
        &self,
        job: &Job,
        restored: &Restored,
        is_last: bool,
    ) -> Result<Judgment, restored::Error> {
        let Restored { resource, .. } = restored;
        let facts = self.services.look(&job.id, restored).await?;
        info!(job = job.id, %resource, ?facts, "seen");
        let judgment = judge(resource, &facts, job.bytes);
        if let Judgment::Unreachable(_) = &judgment
            && !is_last
            && let Some(reader) = self.reader(job, resource, &facts)
        {
            let is_made = self.services.make_reader(&reader).await?;
            info!(job = job.id, %resource, instance = reader.name, is_made, "the cluster has an instance for its test");
        }
        if let (Judgment::Sound(_), Some(function)) =
            (&judgment, self.setup.checks.get(&job.resource_type))
        {
            let own = self.services.ask_owner(function, job).await?;
            info!(job = job.id, %resource, function, ?own, "the owner's function says");
            return Ok(with_own(resource, judgment, own));
        }
        Ok(judgment)
    }

    /// Returns the instance that a cluster gets for its test, if it gets one.
    fn reader(&self, job: &Job, resource: &Resource, facts: &Facts) -> Option<Reader> {
        let (Resource::Cluster(cluster), Facts::Cluster { database, .. }) = (resource, facts)
        else {
            return None;
        };
        let (cluster, engine) = (cluster.clone(), database.engine.name.clone());
        let class = self.setup.instance_class.clone()?;
        Some(Reader { name: reader_name(&job.id)?, cluster, engine, class })
    }

    /// Deletes the instance that the cluster of `job` got from this invocation or an earlier one.
    async fn give_back(&self, job: &Job) -> Result<(), restored::Error> {
        let is_cluster = restored(job).is_ok_and(|it| matches!(it.resource, Resource::Cluster(_)));
        if !is_cluster || self.setup.instance_class.is_none() {
            return Ok(());
        }
        let Some(name) = reader_name(&job.id) else { return Ok(()) };
        if self.services.delete_reader(&name).await? {
            info!(job = job.id, instance = name, "deleted");
        }
        Ok(())
    }

    async fn tell(&self, job: &Job, report: &Report) -> Result<(), Unfinished> {
        let Report { status, outcome, message } = report;
        let (status, resource_type) = (status.as_str(), job.resource_type.as_str());
        let is_news = self.services.report(&job.id, report).await.inspect_err(|it| {
            error!(job = job.id, status, message, why = %chain(it), "the result could not be \
                                                                     reported");
        })?;
        if !is_news {
            info!(job = job.id, status, message, "there is a result already, which stays");
            return Ok(());
        }
        info!(job = job.id, resource_type, status, message, "told");
        count(resource_type, *outcome);
        Ok(())
    }
}

/// Returns the judgment of a check that AWS denies or refuses.
///
/// # Errors
///
/// Returns every other error. Another look may find out more.
fn unseen(job: &Job, error: restored::Error) -> Result<Judgment, restored::Error> {
    let (permission, resource_type) = (error.permission(), &job.resource_type);
    warn!(job = job.id, resource_type, permission, why = %chain(&error), "could not be looked at");
    match error.kind() {
        ErrorKind::Denied | ErrorKind::Rejected => Ok(Judgment::Unseen(error.why())),
        ErrorKind::Missing | ErrorKind::Transient => Err(error),
    }
}
