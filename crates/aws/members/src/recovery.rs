//! The way back: recovery points one by one, and the jobs that make, copy and restore them.
//!
//! Jobs are begun with a token that is made of a plan. AWS Backup answers a token that it knows with
//! the job that it began, so that sending it again begins nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use aws::Error;
use aws::operation::{
    DESCRIBE_BACKUP_JOB, DESCRIBE_COPY_JOB, DESCRIBE_POINT, DESCRIBE_RESTORE_JOB,
    GET_RESTORE_METADATA, GET_RESTORE_SETTINGS, START_BACKUP, START_COPY, START_RESTORE,
};
use aws_sdk_backup::types::{
    BackupJob, CalculatedLifecycle, CopyJob, Lifecycle, RecoveryPointByBackupVault,
    RestoreJobStatus, RestoreJobsListMember,
};
use plan::id::{AccountId, Region};
use report::Destination;
use report::coverage::{JobState, PointStatus};
use report::recovery::{Hop, JobSeen, KeptPoint, OnDemand, OpenBackup, RestorePlan};

use crate::Member;
use crate::evidence::{backup_state, copy_state, is_continuous, point_status, time, told};

/// The codes with which AWS Backup says that a vault has no such recovery point.
const NO_POINT: [&str; 2] = ["InvalidParameterValueException", "ResourceNotFoundException"];

/// Makes a recovery point of what AWS Backup tells of it, in a list or alone. The SDK has a type for
/// each, whose members have the same names.
macro_rules! kept_point {
    ($it:ident, $vault:ident, $arn:expr, $resource:expr, $created:expr) => {{
        let arn: String = $arn;
        let (delete_at, cold_at) = ends($it.calculated_lifecycle);
        let status = point_status($it.status.as_ref());
        let is_new = status == PointStatus::Unknown;
        KeptPoint {
            is_continuous: is_continuous(&arn),
            arn,
            resource: $resource,
            resource_type: $it.resource_type,
            vault: $vault.clone(),
            copied_from: $it.source_backup_vault_arn,
            created: $created,
            status,
            told: told($it.status_message, is_new, $it.status.as_ref()),
            delete_at,
            cold_at,
            key: $it.encryption_key_arn,
            bytes: $it.backup_size_in_bytes.and_then(|it| it.try_into().ok()),
            parent: $it.parent_recovery_point_arn,
            is_parent: $it.is_parent,
        }
    }};
}

impl Member<'_> {
    /// Hands `each` the recovery points of a vault of the account, one after the other: those of one
    /// resource if its ARN is given.
    ///
    /// # Errors
    ///
    /// Returns an error if a page cannot be read. The points of earlier pages were handed over.
    pub async fn each_kept_point(
        &self,
        vault: &Destination,
        of: Option<&str>,
        mut each: impl FnMut(KeptPoint),
    ) -> Result<(), Error> {
        let hand = |it| listed(it, vault).into_iter().for_each(&mut each);
        self.each_point_in(&vault.region, vault.name.as_str(), of, hand).await
    }

    /// Reads one recovery point of a vault of the account; `None` if it is not in it.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub async fn kept_point(
        &self,
        vault: &Destination,
        arn: &str,
    ) -> Result<Option<KeptPoint>, Error> {
        let describe = self.backup(&vault.region).describe_recovery_point();
        let describe = describe.backup_vault_name(vault.name.as_str()).recovery_point_arn(arn);
        let action = format!("look at the recovery point {arn} in the vault `{}`", vault.name);
        let it = match self.calls.call(DESCRIBE_POINT, &action, describe.send()).await {
            Err(error) if error.code().is_some_and(|it| NO_POINT.contains(&it)) => return Ok(None),
            described => described?,
        };
        let created =
            time(it.creation_date).ok_or_else(|| Error::incomplete(&action, "its time"))?;
        let resource = it.resource_arn.ok_or_else(|| Error::incomplete(&action, "its resource"))?;
        Ok(Some(kept_point!(it, vault, arn.to_owned(), resource, created)))
    }

    /// Reads what AWS Backup remembers of the resource of a recovery point: the settings to restore it
    /// with.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub async fn restore_metadata(
        &self,
        vault: &Destination,
        arn: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let get = self.backup(&vault.region).get_recovery_point_restore_metadata();
        let get = get.backup_vault_name(vault.name.as_str()).recovery_point_arn(arn).send();
        let action = format!("read the settings of the recovery point {arn}");
        let got = self.calls.call(GET_RESTORE_METADATA, &action, get).await?;
        Ok(got.restore_metadata.unwrap_or_default().into_iter().collect())
    }

    /// Begins a copy, or joins the one that this token began. Returns the ID of the job.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS Backup refuses it. Nothing was begun then, unless only the reply was lost.
    pub async fn start_copy(
        &self,
        plan: &RestorePlan,
        hop: &Hop,
        arn: &str,
        partition: &str,
    ) -> Result<String, Error> {
        let Hop { from, to, role } = hop;
        let start = self.backup(&from.region).start_copy_job().recovery_point_arn(arn);
        let start = start
            .source_backup_vault_name(from.name.as_str())
            .destination_backup_vault_arn(to.arn(partition))
            .iam_role_arn(role.as_str())
            .idempotency_token(plan.copy_token(hop))
            .set_lifecycle(plan.keep_days.map(kept_for));
        let action = format!("copy {arn} to the vault `{}` in {to}", to.name);
        let started = self.calls.call(START_COPY, &action, start.send()).await?;
        started.copy_job_id.ok_or_else(|| Error::incomplete(&action, "the job"))
    }

    /// Looks at a copy job.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub async fn copy_job(&self, region: &Region, id: &str) -> Result<JobSeen, Error> {
        let action = format!("look at the copy job {id}");
        let describe = self.backup(region).describe_copy_job().copy_job_id(id).send();
        let it = self.calls.call(DESCRIBE_COPY_JOB, &action, describe).await?.copy_job;
        it.map(copied).ok_or_else(|| Error::incomplete(&action, "the job"))
    }

    /// Lists the copies of a recovery point of the account to another vault, the newest first, of the
    /// thirty days that AWS Backup tells of.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be listed.
    pub async fn copies_of(
        &self,
        from: &Destination,
        resource: &str,
        arn: &str,
        to: &str,
    ) -> Result<Vec<JobSeen>, Error> {
        let request = self.backup(&from.region).list_copy_jobs().by_resource_arn(resource);
        let request = request.by_destination_vault_arn(to);
        let mut jobs = Vec::new();
        let keep = |it: CopyJob| {
            let is_of = it.source_recovery_point_arn.as_deref() == Some(arn);
            jobs.extend(is_of.then_some(it));
            None::<()>
        };
        self.find_copy_job(request, &format!("list the copies of {arn}"), keep).await?;
        jobs.sort_by_key(|it| std::cmp::Reverse(time(it.creation_date)));
        Ok(jobs.into_iter().map(copied).collect())
    }

    /// Begins a restore, or joins the one that this token began. Returns the ID of the job.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS Backup refuses it. Nothing was begun then, unless only the reply was lost.
    pub async fn start_restore(&self, plan: &RestorePlan, arn: &str) -> Result<String, Error> {
        let settings: HashMap<_, _> = plan.settings.clone().into_iter().collect();
        let start = self.backup(&plan.goal.region).start_restore_job().recovery_point_arn(arn);
        let start = start
            .set_metadata(Some(settings))
            .iam_role_arn(plan.role.as_str())
            .idempotency_token(plan.restore_token())
            .set_resource_type(plan.kind.requested_as().map(ToOwned::to_owned))
            .set_copy_source_tags_to_restored_resource(plan.copies_tags.then_some(true));
        let action = format!("restore {arn} in {}", plan.goal);
        let started = self.calls.call(START_RESTORE, &action, start.send()).await?;
        started.restore_job_id.ok_or_else(|| Error::incomplete(&action, "the job"))
    }

    /// Looks at a restore job.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub async fn restore_job(&self, region: &Region, id: &str) -> Result<JobSeen, Error> {
        let action = format!("look at the restore job {id}");
        let describe = self.backup(region).describe_restore_job().restore_job_id(id).send();
        let it = self.calls.call(DESCRIBE_RESTORE_JOB, &action, describe).await?;
        let state = restore_state(it.status.as_ref());
        Ok(JobSeen {
            id: id.to_owned(),
            state,
            told: told(it.status_message, state == JobState::Unknown, it.status.as_ref()),
            percent: it.percent_done,
            made: it.created_resource_arn,
        })
    }

    /// Lists the restores of a recovery point in the account that people asked for, the newest first, of
    /// the thirty days that AWS Backup tells of.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be listed.
    pub async fn restores_of(
        &self,
        region: &Region,
        account: &AccountId,
        arn: &str,
    ) -> Result<Vec<JobSeen>, Error> {
        let request = self.backup(region).list_restore_jobs().by_account_id(account.as_str());
        let mut jobs = Vec::new();
        let keep = |it: RestoreJobsListMember| {
            let is_of = it.recovery_point_arn.as_deref() == Some(arn)
                && it.created_by.as_ref().is_none_or(|it| it.restore_testing_plan_arn.is_none());
            jobs.extend(is_of.then_some(it));
            None::<()>
        };
        self.find_restore_job(request, &format!("list the restores of {arn}"), keep).await?;
        jobs.sort_by_key(|it| std::cmp::Reverse(time(it.creation_date)));
        let seen = jobs.into_iter().filter_map(|it| {
            let state = restore_state(it.status.as_ref());
            Some(JobSeen {
                id: it.restore_job_id?,
                state,
                told: told(it.status_message, state == JobState::Unknown, it.status.as_ref()),
                percent: it.percent_done,
                made: it.created_resource_arn,
            })
        });
        Ok(seen.collect())
    }

    /// Reads the settings that a restore job was begun with.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be read.
    pub async fn restore_settings(
        &self,
        region: &Region,
        id: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let action = format!("read the settings of the restore job {id}");
        let get = self.backup(region).get_restore_job_metadata().restore_job_id(id).send();
        let got = self.calls.call(GET_RESTORE_SETTINGS, &action, get).await?;
        Ok(got.metadata.unwrap_or_default().into_iter().collect())
    }

    /// Begins a backup, or joins the one that this token began. Returns the ID of the job.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS Backup refuses it. Nothing was begun then, unless only the reply was lost.
    pub async fn start_backup(&self, it: &OnDemand, token: String) -> Result<String, Error> {
        let start = self.backup(&it.region).start_backup_job().resource_arn(&it.resource);
        let start = start
            .backup_vault_name(it.vault.as_str())
            .iam_role_arn(it.role.as_str())
            .idempotency_token(token)
            .set_lifecycle(it.keep_days.map(kept_for));
        let action = format!("back up {}", it.resource);
        let started = self.calls.call(START_BACKUP, &action, start.send()).await?;
        started.backup_job_id.ok_or_else(|| Error::incomplete(&action, "the job"))
    }

    /// Looks at a backup job.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub async fn backup_job(&self, region: &Region, id: &str) -> Result<JobSeen, Error> {
        let action = format!("look at the backup job {id}");
        let describe = self.backup(region).describe_backup_job().backup_job_id(id).send();
        let it = self.calls.call(DESCRIBE_BACKUP_JOB, &action, describe).await?;
        let state = backup_state(it.state.as_ref());
        Ok(JobSeen {
            id: id.to_owned(),
            state,
            told: told(it.status_message, state == JobState::Unknown, it.state.as_ref()),
            percent: it.percent_done,
            made: it.recovery_point_arn,
        })
    }

    /// Finds the backup job of a resource that is open, as AWS Backup makes one at a time of each. A job in
    /// a state that is not known is not joined, since it may have ended.
    ///
    /// # Errors
    ///
    /// Returns an error if the jobs cannot be listed.
    pub async fn open_backup(&self, it: &OnDemand) -> Result<Option<OpenBackup>, Error> {
        let request = self.backup(&it.region).list_backup_jobs().by_resource_arn(&it.resource);
        let action = format!("list the backup jobs of {}", it.resource);
        let pick = |it: BackupJob| {
            let is_open = backup_state(it.state.as_ref()) == JobState::Open;
            let keep_days = it.recovery_point_lifecycle.and_then(|it| it.delete_after_days);
            let id = it.backup_job_id.filter(|_| is_open)?;
            Some(OpenBackup { id, vault: it.backup_vault_name, keep_days })
        };
        self.find_backup_job(request, &action, pick).await
    }
}

fn kept_for(days: i64) -> Lifecycle {
    Lifecycle::builder().delete_after_days(days).build()
}

/// The times at which a lifecycle deletes a recovery point and moves it to cold storage.
fn ends(it: Option<CalculatedLifecycle>) -> (Option<SystemTime>, Option<SystemTime>) {
    it.map_or((None, None), |it| (time(it.delete_at), time(it.move_to_cold_storage_at)))
}

fn listed(it: RecoveryPointByBackupVault, vault: &Destination) -> Option<KeptPoint> {
    let (arn, resource) = (it.recovery_point_arn?, it.resource_arn?);
    let created = time(it.creation_date)?;
    Some(kept_point!(it, vault, arn, resource, created))
}

fn copied(it: CopyJob) -> JobSeen {
    let state = copy_state(it.state.as_ref());
    JobSeen {
        id: it.copy_job_id.unwrap_or_default(),
        state,
        told: told(it.status_message, state == JobState::Unknown, it.state.as_ref()),
        percent: None,
        made: it.destination_recovery_point_arn,
    }
}

fn restore_state(status: Option<&RestoreJobStatus>) -> JobState {
    match status {
        Some(RestoreJobStatus::Pending | RestoreJobStatus::Running) => JobState::Open,
        Some(RestoreJobStatus::Completed) => JobState::Completed,
        Some(RestoreJobStatus::Aborted) => JobState::Aborted,
        Some(RestoreJobStatus::Failed) => JobState::Failed,
        // The `_` is a status that this release of the SDK does not know.
        Some(_) | None => JobState::Unknown,
    }
}
