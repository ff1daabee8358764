//! Restore tests against services that somebody else wrote: ministack stands in for EC2, RDS,
//! DynamoDB, S3 and EFS, and the simulator for AWS Backup.

use std::time::Duration;

use serde_json::json;
use simulator::{Function, RestoreJob, Settings};
use tests::binaries::binary;
use tests::organization::Organization;
use tests::restored::{ACCOUNT, REGION, completed, done};

use crate::ministack::{Ministack, python};

/// What is made in ministack, the type of it, and what is to be said of it.
const RESTORED: [(&str, &str, &str); 15] = [
    ("instance", "EC2", "SUCCESSFUL"),
    ("stopped-instance", "EC2", "FAILED"),
    ("volume", "EBS", "SUCCESSFUL"),
    ("larger-volume", "EBS", "SUCCESSFUL"),
    ("missing-volume", "EBS", "FAILED"),
    ("database", "RDS", "SUCCESSFUL"),
    ("missing-database", "RDS", "FAILED"),
    ("cluster", "Aurora", "SUCCESSFUL"),
    ("bare-cluster", "Aurora", "TIMED_OUT"),
    ("table", "DynamoDB", "SUCCESSFUL"),
    ("empty-table", "DynamoDB", "FAILED"),
    ("missing-table", "DynamoDB", "FAILED"),
    ("bucket", "S3", "SUCCESSFUL"),
    ("empty-bucket", "S3", "FAILED"),
    ("file-system", "EFS", "SUCCESSFUL"),
];

#[tokio::test]
async fn services_of_others_are_understood() {
    let ministack = Ministack::start().await;
    let organization = Organization::bare(Settings::default()).await;
    let told = json!({ "account": ACCOUNT, "region": REGION, "ministack": ministack.url() });
    let made = python("tests/ministack/restored.py", &told).await;
    let function = Function::of(&binary("restore-validation"), &organization)
        .env("VALIDATION_WINDOW_HOURS", "1")
        .env("AWS_ENDPOINT_URL", ministack.url())
        .env("AWS_ENDPOINT_URL_BACKUP", organization.url())
        .start()
        .await
        .unwrap();
    let missing = ("missing-file-system", "EFS", "FAILED");
    for (name, resource_type, wanted) in RESTORED.into_iter().chain([missing]) {
        let job = RestoreJob {
            recovery_point: made["snapshot"].as_str().map(ToOwned::to_owned),
            // It does not meter file systems.
            bytes: Some(if resource_type == "EFS" { 0 } else { 512 }),
            ..RestoreJob::test(resource_type, made[name].as_str().unwrap())
        };
        let event = completed(name, &job);
        organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, name, job));
        let outcome = function.invoke(&event, Duration::from_mins(1)).await;
        assert_eq!(outcome, done(), "{name}: {}", function.logs());
        let result = organization
            .backup(|it| it.restore_jobs().get(ACCOUNT, REGION, name).unwrap().result.clone());
        let (status, message) = result.unwrap();
        assert_eq!(status, wanted, "{name}: {message}");
    }
}
