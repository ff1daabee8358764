//! The restore jobs of AWS Backup, in every account and Region.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::refusal::{Code, Refusal};

/// The results that AWS Backup accepts.
const RESULTS: [&str; 4] = ["FAILED", "SUCCESSFUL", "TIMED_OUT", "VALIDATING"];

/// The greatest number of characters in a message.
const MESSAGE: usize = 255;

/// A restore job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreJob {
    /// Its status.
    pub status: String,
    /// The type of the resource that it restores.
    pub resource_type: String,
    /// The ARN of the restored resource.
    pub created: Option<String>,
    /// The ARN of the resource that was backed up.
    pub source: Option<String>,
    /// The ARN of the backup.
    pub recovery_point: Option<String>,
    /// The size of the backup in bytes.
    pub bytes: Option<u64>,
    /// The restore testing plan that started it, if it is a test.
    pub plan: Option<String>,
    /// The restore metadata: the place and the settings of the restore.
    pub metadata: BTreeMap<String, String>,
    /// The status of the deletion of the restored resource.
    pub deletion: Option<String>,
    /// The result of the validation, and its message.
    pub result: Option<(String, String)>,
    /// The time at which it was created, counted from the start of the simulator. `create` sets it
    /// to the current time if it is `None`.
    pub begun: Option<Duration>,
}

impl RestoreJob {
    /// Returns a restore test that restored the resource `created` of this type.
    #[must_use]
    pub fn test(resource_type: &str, created: &str) -> Self {
        let plan = "arn:aws:backup:us-east-1:111122223333:restore-testing-plan:org_backup-5f1e";
        Self {
            status: "COMPLETED".to_owned(),
            resource_type: resource_type.to_owned(),
            created: Some(created.to_owned()),
            source: None,
            recovery_point: None,
            bytes: None,
            plan: Some(plan.to_owned()),
            metadata: BTreeMap::new(),
            deletion: None,
            result: None,
            begun: None,
        }
    }

    /// Returns the status of its validation in AWS Backup. A test without a result is `VALIDATING`.
    pub(crate) fn validation_status(&self) -> Option<String> {
        let none = || self.plan.as_ref().map(|_| "VALIDATING".to_owned());
        self.result.as_ref().map(|it| it.0.clone()).or_else(none)
    }

    pub(crate) fn validation_message(&self) -> Option<String> {
        self.result.as_ref().map(|it| it.1.clone()).filter(|it| !it.is_empty())
    }
}

/// The restore jobs of every account and Region.
#[derive(Clone, Debug, Default)]
pub struct RestoreJobs {
    /// By account, Region and ID.
    jobs: BTreeMap<(String, String, String), RestoreJob>,
    now: Duration,
}

impl RestoreJobs {
    /// Moves the clock.
    pub(crate) fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Creates a job in an account and Region, or replaces the one with the same ID.
    pub fn create(&mut self, account: &str, region: &str, id: &str, job: RestoreJob) {
        let begun = Some(job.begun.unwrap_or(self.now));
        self.jobs.insert(key(account, region, id), RestoreJob { begun, ..job });
    }

    /// Returns every job, with its account, its Region and its ID.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str, &str, &RestoreJob)> {
        self.jobs.iter().map(|((account, region, id), job)| {
            (account.as_str(), region.as_str(), id.as_str(), job)
        })
    }

    /// Returns the job with this ID.
    ///
    /// # Errors
    ///
    /// Returns an error if this account and Region have no such job.
    pub fn get(&self, account: &str, region: &str, id: &str) -> Result<&RestoreJob, Refusal> {
        self.jobs.get(&key(account, region, id)).ok_or_else(|| not_found(id))
    }

    /// Sets the result of a restore test. A test accepts only one.
    ///
    /// # Errors
    ///
    /// Returns the errors of `PutRestoreValidationResult`.
    pub fn validate(
        &mut self,
        account: &str,
        region: &str,
        id: &str,
        status: &str,
        message: &str,
    ) -> Result<(), Refusal> {
        let job = self.jobs.get_mut(&key(account, region, id)).ok_or_else(|| not_found(id))?;
        if !RESULTS.contains(&status) || message.chars().count() > MESSAGE {
            let message = "The validation status or its message is not valid.";
            return Err(Refusal::new(Code::InvalidParameterValue, message));
        }
        let invalid = |message| Err(Refusal::new(Code::InvalidRequest, message));
        if job.plan.is_none() || job.status != "COMPLETED" {
            return invalid("The restore job is not a restore test that has completed.");
        }
        if job.result.as_ref().is_some_and(|it| it.0 != "VALIDATING") {
            return invalid("The restore job has a validation result already.");
        }
        job.result = Some((status.to_owned(), message.to_owned()));
        Ok(())
    }
}

fn key(account: &str, region: &str, id: &str) -> (String, String, String) {
    (account.to_owned(), region.to_owned(), id.to_owned())
}

pub(crate) fn not_found(id: &str) -> Refusal {
    Refusal::new(Code::ResourceNotFound, format!("There is no restore job {id}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUME: &str = "arn:aws:ec2:us-east-1:1:volume/vol-1";

    fn said(job: RestoreJob, results: &[&str]) -> Vec<Result<(), Code>> {
        let mut jobs = RestoreJobs::default();
        jobs.create("1", "us-east-1", "job", job);
        let said = results.iter().map(|it| jobs.validate("1", "us-east-1", "job", it, "why"));
        said.map(|it| it.map_err(|it| it.code)).collect()
    }

    #[test]
    fn a_restore_test_has_one_result() {
        let test = RestoreJob::test("EBS", VOLUME);
        assert_eq!(
            said(test.clone(), &["VALIDATING", "FAILED", "SUCCESSFUL"]),
            [Ok(()), Ok(()), Err(Code::InvalidRequest)]
        );
        assert_eq!(said(test, &["GOOD"]), [Err(Code::InvalidParameterValue)]);
    }

    #[test]
    fn only_a_restore_test_that_completed_has_a_result() {
        let ordinary = RestoreJob { plan: None, ..RestoreJob::test("EBS", VOLUME) };
        let running =
            RestoreJob { status: "RUNNING".to_owned(), ..RestoreJob::test("EBS", VOLUME) };
        for job in [ordinary, running] {
            assert_eq!(said(job, &["FAILED"]), [Err(Code::InvalidRequest)]);
        }
        let none = RestoreJobs::default().validate("1", "us-east-1", "job", "FAILED", "");
        assert_eq!(none.map_err(|it| it.code), Err(Code::ResourceNotFound));
    }
}
