//! The chapter about restore tests.

use std::collections::BTreeMap;
use std::time::Duration;

use policy::arn::Arn;
use serde_json::json;
use simulator::RestoreJob;
use tokio::time::interval;

use crate::demo::Demo;
use crate::failure::{DemoError, ensure};

/// The resources that AWS Backup would have restored: a file system, and a table without items.
const RESTORED: &str = r#"{
  "Resources": {
    "FileSystem": { "Type": "AWS::EFS::FileSystem" },
    "Table": {
      "Type": "AWS::DynamoDB::Table",
      "Properties": {
        "TableName": "awsbackup-restore-test-orders",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }]
      }
    }
  },
  "Outputs": {
    "EFS": { "Value": { "Fn::GetAtt": ["FileSystem", "Arn"] } },
    "DynamoDB": { "Value": { "Fn::GetAtt": ["Table", "Arn"] } }
  }
}"#;

/// The stack of the resources that AWS Backup would have restored.
const STACK: &str = "awsbackup-restore-test";

/// The size of the table's backup in bytes. ministack does not measure file systems, so the backup of
/// the file system has none.
const BYTES: u64 = 4_096;

/// The maximum wait for a result, in ticks of 20 milliseconds.
const TICKS: usize = 1_500;

/// Returns the ARN of a restore testing plan in the account and Region of `created`.
fn plan_beside(created: &str) -> Option<String> {
    let Arn { partition, region, account, .. } = Arn::parse(created).ok()?;
    let plan = "restore-testing-plan:org_backup-5f1e";
    Some(format!("arn:{partition}:backup:{region}:{account}:{plan}"))
}

impl Demo<'_> {
    pub(crate) async fn restores(&self) -> Result<(), DemoError> {
        self.screen.chapter(12, "Deploy templates/restore-testing.yaml, and look at two restores");
        let told = self.deploy(&self.restore_testing).await?;
        told.deployment.expect("CREATE_COMPLETE")?;
        self.screen.line(
            "   ministack has no restore testing plans and no restores: two things stand for what\n   \
             AWS Backup restored, and the demo tells the function of them as AWS Backup would",
        );
        let restored = self.deployer.deploy(STACK, RESTORED, &BTreeMap::new(), |_| ()).await?;
        let restored = restored.expect("CREATE_COMPLETE")?;
        let expected = [
            ("EFS", "SUCCESSFUL", "it was not mounted".to_owned()),
            ("DynamoDB", "FAILED", format!("has no items, but its backup has {BYTES} bytes")),
        ];
        for (resource_type, status, why) in expected {
            let created = restored.outputs.get(resource_type).cloned().unwrap_or_default();
            let (told, message) = self.restore(resource_type, &created).await?;
            self.screen.line(&self.screen.dim(&format!("   {told:<11} {message}")));
            ensure(told == status && message.ends_with(&why), || {
                format!("the restore of {created} is {status}: {message}")
            })?;
        }
        self.screen.so("AWS Backup knows which of the two backups can be used, and why not");
        // AWS Backup deletes a restored resource once it has a result.
        self.deployer.delete(STACK, |_| ()).await?.expect("DELETE_COMPLETE")?;
        Ok(())
    }

    /// Simulates the end of a restore test that restored `created`, and waits for its validation
    /// result.
    async fn restore(&self, kind: &str, created: &str) -> Result<(String, String), DemoError> {
        let id = format!("restore-of-{kind}");
        let plan = plan_beside(created);
        let bytes = Some(if kind == "EFS" { 0 } else { BYTES });
        let job = RestoreJob { bytes, plan, ..RestoreJob::test(kind, created) };
        let event = json!({
            "detail-type": "Restore Job State Change",
            "detail": {
                "restoreJobId": id,
                "resourceType": kind,
                "createdResourceArn": created,
                "restoreTestingPlanArn": job.plan,
                "status": job.status,
            },
        });
        self.simulated.add_restore(&id, job);
        self.deployer.put_events(vec![event]).await?;
        self.screen.wait_for(&format!("looking at {created}"));
        let mut tick = interval(Duration::from_millis(20));
        let mut ticks = 0..TICKS;
        let result = loop {
            if let Some(result) = self.simulated.restore_result(&id) {
                break result;
            }
            ensure(ticks.next().is_some(), || {
                format!("a result for {created}\n{}", self.ministack.last_words())
            })?;
            tick.tick().await;
        };
        self.screen.rest();
        Ok(result)
    }
}
