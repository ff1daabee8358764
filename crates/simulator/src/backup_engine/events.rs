//! What AWS Backup tells EventBridge of jobs.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Works;
use super::records::Trouble;

impl Works {
    /// Tells what became of a backup job.
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
        self.tell("Backup Job State Change", &place, detail);
    }

    /// Tells what became of a copy job.
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
        self.tell("Copy Job State Change", &place, detail);
    }

    fn tell(&mut self, kind: &str, (account, region): &(String, String), mut detail: Value) {
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
            "resources": [],
            "detail": detail,
        }));
        self.events_told += 1;
    }
}

fn stamp(at: SystemTime) -> String {
    let it = OffsetDateTime::from(at);
    let (date, (hour, minute, second)) = (it.date(), it.to_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}
