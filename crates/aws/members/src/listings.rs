//! The lists of AWS Backup that both the coverage of resources and their recovery read.

use aws::Error;
use aws::operation::{LIST_BACKUP_JOBS, LIST_COPY_JOBS, LIST_POINTS, LIST_RESTORE_JOBS};
use aws_sdk_backup::operation::list_backup_jobs::builders::ListBackupJobsFluentBuilder;
use aws_sdk_backup::operation::list_copy_jobs::builders::ListCopyJobsFluentBuilder;
use aws_sdk_backup::operation::list_recovery_points_by_backup_vault::builders::ListRecoveryPointsByBackupVaultFluentBuilder;
use aws_sdk_backup::operation::list_restore_jobs::builders::ListRestoreJobsFluentBuilder;
use aws_sdk_backup::types::{
    BackupJob, CopyJob, RecoveryPointByBackupVault, RestoreJobsListMember,
};
use plan::id::Region;

use crate::Member;

/// The most items of a page that AWS Backup and Resource Explorer make.
pub(crate) const PAGE: i32 = 1_000;

/// Declares the method that reads a list of AWS Backup page by page, in pages as large as AWS makes
/// them. A request says what of the list is read, and has a type of its own in the SDK.
macro_rules! listing {
    ($(#[$doc:meta])* $name:ident: $request:ident => $items:ident, $item:ident, $operation:ident) => {
        $(#[$doc])*
        pub(crate) async fn $name<T>(
            &self,
            request: $request,
            action: &str,
            pick: impl FnMut($item) -> Option<T>,
        ) -> Result<Option<T>, Error> {
            let request = request.max_results(PAGE);
            let list = async |token| {
                let page = request.clone().set_next_token(token).send().await?;
                Ok((page.$items, page.next_token))
            };
            self.calls.find($operation, action, list, pick).await
        }
    };
}

impl Member<'_> {
    listing! {
        /// Reads backup jobs until `pick` accepts one.
        find_backup_job: ListBackupJobsFluentBuilder => backup_jobs, BackupJob, LIST_BACKUP_JOBS
    }

    listing! {
        /// Reads copy jobs until `pick` accepts one.
        find_copy_job: ListCopyJobsFluentBuilder => copy_jobs, CopyJob, LIST_COPY_JOBS
    }

    listing! {
        /// Reads restore jobs until `pick` accepts one.
        find_restore_job: ListRestoreJobsFluentBuilder
            => restore_jobs, RestoreJobsListMember, LIST_RESTORE_JOBS
    }

    listing! {
        /// Reads recovery points until `pick` accepts one.
        find_point: ListRecoveryPointsByBackupVaultFluentBuilder
            => recovery_points, RecoveryPointByBackupVault, LIST_POINTS
    }

    /// Hands `each` the recovery points of a vault one by one. If `of` is the ARN of a resource,
    /// only its recovery points are read.
    pub(crate) async fn each_point_in(
        &self,
        region: &Region,
        vault: &str,
        of: Option<&str>,
        mut each: impl FnMut(RecoveryPointByBackupVault),
    ) -> Result<(), Error> {
        let request = self.backup(region).list_recovery_points_by_backup_vault();
        let request = request.backup_vault_name(vault).set_by_resource_arn(of.map(str::to_owned));
        let action = format!("list the recovery points of the vault `{vault}`");
        let hand = |it| {
            each(it);
            None::<()>
        };
        self.find_point(request, &action, hand).await.map(drop)
    }
}
