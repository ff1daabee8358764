//! The events about jobs that AWS Backup sends to EventBridge.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Works;
use super::records::Trouble;

impl Works {
    /// Sends an event about the state of a backup job.
    pub(super) fn tell_of_backup(&mut self, id: usize) {
        let Some(job) = self.jobs.get(id) else { return };
        let detail = json!({
            "backupJobId": job.id.to_string(),
            "backupVaultArn": job.vault,
            "resourceArn": job.resource,
            "iamRoleArn": job.role,
            "creationDate": stamp(job.created),
            "state": job.progress.as_str(),
            "statusMessage": job.trouble.map(Trouble::message),
        });
        let place = job.place.clone();
        self.tell("Backup Job State Change", &place, &[], detail);
    }

    /// Sends an event about the state of a copy job.
    pub(super) fn tell_of_copy(&mut self, id: usize) {
        let Some(copy) = self.copy_jobs.get(id) else { return };
        let detail = json!({
            "copyJobId": id.to_string(),
            "destinationBackupVaultArn": copy.destination,
            "resourceArn": copy.resource,
            "creationDate": stamp(copy.created),
            "state": copy.progress.as_str(),
            "statusMessage": copy.trouble.map(Trouble::message),
        });
        let place = copy.place.clone();
        self.tell("Copy Job State Change", &place, &[], detail);
    }

    /// Sends an event about the state of a restore job.
    pub(super) fn tell_of_restore(&mut self, id: usize) {
        let Some(job) = self.restore_jobs.get(id) else { return };
        let detail = json!({
            "restoreJobId": job.name(),
            "backupSizeInBytes": job.bytes.to_string(),
            "creationDate": precise(job.created),
            "iamRoleArn": job.role,
            "percentDone": 0,
            "resourceType": job.kind,
            "status": job.status(),
            "createdResourceArn": job.made,
            "completionDate": job.ended.map(precise),
            "recoveryPointArn": job.point_arn,
            "sourceResourceArn": job.source,
            "backupVaultArn": job.vault,
            "statusMessage": job.trouble.as_ref().map(ToString::to_string),
        });
        let (place, point) = (job.place.clone(), job.point_arn.clone());
        self.tell("Restore Job State Change", &place, &[point], detail);
    }

    fn tell(
        &mut self,
        kind: &str,
        (account, region): &(String, String),
        resources: &[String],
        mut detail: Value,
    ) {
        if let Some(detail) = detail.as_object_mut() {
            detail.retain(|_, it| !it.is_null());
        }
        self.events.push(json!({
            "version": "0",
            "id": format!("{:08x}-0000-4000-8000-000000000000", self.events_told),
            "detail-type": kind,
            "source": "aws.backup",
            "account": account,
            "time": stamp(self.now),
            "region": region,
            "resources": resources,
            "detail": detail,
        }));
        self.events_told += 1;
    }
}

/// Returns a moment in the format of events about restore jobs.
fn precise(at: SystemTime) -> String {
    let milliseconds = OffsetDateTime::from(at).millisecond();
    let stamp = stamp(at);
    format!("{}.{milliseconds:03}Z", stamp.trim_end_matches('Z'))
}

fn stamp(at: SystemTime) -> String {
    let it = OffsetDateTime::from(at);
    let (date, (hour, minute, second)) = (it.date(), it.to_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}
