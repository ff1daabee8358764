//! Reads restore jobs from AWS Backup, and reports their validation.

use std::collections::BTreeMap;

use aws::again;
use aws_sdk_backup::Client;
use aws_sdk_backup::types::RestoreValidationStatus;
use plan::restore_validation::{Job, Report, Status};

use crate::error::{Error, ErrorKind};
use crate::{Emptiness, Services};

impl Services {
    fn backup(&self) -> Client {
        let config = aws_sdk_backup::config::Builder::from(&self.config);
        Client::from_conf(config.retry_classifier(again()).build())
    }

    /// Returns the restore job with this ID.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS Backup does not describe the job.
    pub async fn job(&self, id: &str) -> Result<Job, Error> {
        let describe = self.backup().describe_restore_job().restore_job_id(id).send();
        let action = format!("look at the restore job {id}");
        let it =
            self.call("backup:DescribeRestoreJob", Emptiness::Refused, action, describe).await?;
        Ok(Job {
            id: id.to_owned(),
            status: it.status.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            status_message: it.status_message.unwrap_or_default(),
            resource_type: it.resource_type.unwrap_or_default(),
            created: it.created_resource_arn,
            recovery_point: it.recovery_point_arn,
            bytes: it.backup_size_in_bytes.and_then(|it| it.try_into().ok()),
            validation: it.validation_status.map(|it| it.as_str().to_owned()),
            deletion: it.deletion_status.map(|it| it.as_str().to_owned()),
            plan: it.created_by.and_then(|it| it.restore_testing_plan_arn),
            completed: it.completion_date.map(|it| it.secs()),
        })
    }

    /// Returns the metadata of the restore job with this ID: the place and the settings of the
    /// restore.
    pub(crate) async fn metadata(&self, id: &str) -> Result<BTreeMap<String, String>, Error> {
        let get = self.backup().get_restore_job_metadata().restore_job_id(id).send();
        let action = format!("look at the metadata of the restore job {id}");
        let permission = "backup:GetRestoreJobMetadata";
        let it = self.call(permission, Emptiness::Refused, action, get).await?;
        Ok(it.metadata.unwrap_or_default().into_iter().collect())
    }

    /// Reports the result of a check to AWS Backup. Returns `true` if the result is new. AWS Backup
    /// accepts one result for each job, and a result that is already there is as good.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS Backup does not accept the result, and has none yet.
    pub async fn report(&self, id: &str, report: &Report) -> Result<bool, Error> {
        let status = match report.status {
            Status::Successful => RestoreValidationStatus::Successful,
            Status::Failed => RestoreValidationStatus::Failed,
            Status::TimedOut => RestoreValidationStatus::TimedOut,
        };
        let put = self.backup().put_restore_validation_result().restore_job_id(id);
        let put = put.validation_status(status).validation_status_message(&report.message).send();
        let action = format!(
            "tell AWS Backup that the restore job {id} is {}: {}",
            report.status.as_str(),
            report.message
        );
        let permission = "backup:PutRestoreValidationResult";
        match self.call(permission, Emptiness::Taken, action, put).await {
            Ok(_) => Ok(true),
            Err(refused) if refused.kind() == ErrorKind::Rejected => {
                let job = self.job(id).await?;
                let is_told = job.validation.is_some_and(|it| it != "VALIDATING");
                if is_told { Ok(false) } else { Err(refused) }
            }
            Err(failed) => Err(failed),
        }
    }
}
