//! Restore tests: what each brought back is looked at, and AWS Backup is told what it is like.
//!
//! The function is invoked by EventBridge when a restore job is over. What is not a restore test is
//! not touched. Everything else gets a result: good, or failed with the reason, which says so where it
//! was not ready in time or AWS did not let it be looked at. A result is final, and has AWS Backup
//! delete what was restored; so none is given where another try may see more. The invocation fails
//! then, Lambda repeats it, and what it gives up on is in the dead-letter queue, to be sent again before
//! the time for the validation is over.

mod metrics;

use std::time::{Duration, SystemTime};

use aws::Session;
use errors::chain;
use lambda_runtime::Diagnostic;
use plan::restore_validation::{
    Ended, Job, Judgment, Next, Reading, Report, Resource, ValidationOutcome, judge, next, read,
};
use restored::{ErrorKind, Services};
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, interval, timeout_at};
use tracing::{error, info, warn};

use crate::metrics::Metrics;

/// How long before the function is stopped the last call ends, so that its failure can be told.
const MARGIN: Duration = Duration::from_secs(2);

/// How long before the function is stopped nothing more is waited for, so that there is time for a
/// last look and for telling.
const REPORT: Duration = Duration::from_secs(20);

/// How often something is looked at that is not ready, as the waiters of AWS's SDKs do at first.
const PACE: Duration = Duration::from_secs(15);

/// Why an invocation is to be repeated.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// AWS could not be asked, or the result not told.
    #[error(transparent)]
    Aws(#[from] restored::Error),
    /// The event came before what it is about.
    #[error("the restore job {0} is not over, though an event said so")]
    Early(String),
}

impl From<Unfinished> for Diagnostic {
    fn from(unfinished: Unfinished) -> Self {
        let error_message = chain(&unfinished);
        Self { error_type: "Unfinished".to_owned(), error_message }
    }
}

/// Looks at what the restore test that `event` tells of brought back, and tells AWS Backup.
///
/// # Errors
///
/// When AWS could not be asked, or AWS Backup could not be told. Nothing was told then, and the same
/// event again begins anew.
pub async fn handle(session: &Session, event: &Value, deadline: Instant) -> Result<(), Unfinished> {
    let id = match read(event) {
        Reading::Completed(id) => id,
        Reading::Ended(ended) => {
            end(&ended);
            return Ok(());
        }
        Reading::Nothing(why) => {
            info!(why, "the event asks for nothing");
            return Ok(());
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let services = Services::new(session, deadline - MARGIN.min(left / 10));
    let validation = Validation { services, until: deadline - REPORT.min(left / 3) };
    // Boxed, since the compiler gives up on the depth of the nested futures of the AWS clients.
    Box::pin(validation.run(&id)).await
}

/// Logs and counts a restore that failed by itself.
fn end(Ended { job, resource_type, status, message }: &Ended) {
    warn!(job, resource_type, status, message, "the restore failed by itself");
    count(resource_type, ValidationOutcome::RestoreFailed);
}

fn count(resource_type: &str, outcome: ValidationOutcome) {
    Metrics { resource_type, outcome }.write(SystemTime::now());
}

/// One invocation.
struct Validation {
    services: Services,
    /// When to stop waiting.
    until: Instant,
}

impl Validation {
    async fn run(&self, id: &str) -> Result<(), Unfinished> {
        let job = match self.services.job(id).await {
            Ok(job) => job,
            Err(error) => {
                let job = Job { id: id.to_owned(), ..Job::default() };
                return self.tell(&job, &unseen(&job, error)?).await;
            }
        };
        let resource_type = job.resource_type.as_str();
        match next(&job) {
            Next::Look(resource) => {
                let report = match self.validate(&job, &resource).await {
                    Ok(judgment) => Report::of(&resource, judgment),
                    Err(error) => unseen(&job, error)?,
                };
                self.tell(&job, &report).await?;
            }
            Next::Report(report) => self.tell(&job, &report).await?,
            Next::Done(result) => info!(job = id, result, "there is a result already"),
            Next::Ended => {
                let Job { status, status_message: message, .. } = &job;
                let (job, status, message) = (id.to_owned(), status.clone(), message.clone());
                end(&Ended { job, resource_type: resource_type.to_owned(), status, message });
            }
            Next::TooLate => {
                warn!(job = id, resource_type, "not validated, since AWS Backup deletes it by now");
                count(resource_type, ValidationOutcome::NotValidated);
            }
            Next::Early => return Err(Unfinished::Early(id.to_owned())),
        }
        Ok(())
    }

    /// Looks at `resource` at a pace until it is clear what it is like, or there is no more time.
    async fn validate(&self, job: &Job, resource: &Resource) -> Result<Judgment, restored::Error> {
        let mut looks = interval(PACE);
        loop {
            let is_last = timeout_at(self.until, looks.tick()).await.is_err();
            let facts = self.services.look(&job.id, resource).await?;
            info!(job = job.id, %resource, ?facts, "seen");
            let judgment = judge(resource, &facts, job.bytes);
            let Judgment::Unsettled { now, awaited } = &judgment else { return Ok(judgment) };
            if is_last {
                return Ok(judgment);
            }
            info!(job = job.id, %resource, now, awaited, "waiting");
        }
    }

    async fn tell(&self, job: &Job, report: &Report) -> Result<(), Unfinished> {
        let Report { status, outcome, message } = report;
        let (status, resource_type) = (status.as_str(), job.resource_type.as_str());
        let is_news = self.services.report(&job.id, report).await.inspect_err(|it| {
            error!(job = job.id, status, message, why = %chain(it), "nobody was told");
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

/// What is said of `job`, or of what it restored, which could not be looked at.
///
/// # Errors
///
/// When another try may see more, or there is no such job to say anything of.
fn unseen(job: &Job, error: restored::Error) -> Result<Report, restored::Error> {
    let (permission, resource_type) = (error.permission(), &job.resource_type);
    error!(job = job.id, resource_type, permission, why = %chain(&error), "could not be looked at");
    match error.kind() {
        ErrorKind::Denied | ErrorKind::Rejected => Ok(Report::unseen(&error.why())),
        ErrorKind::Missing | ErrorKind::Transient => Err(error),
    }
}
