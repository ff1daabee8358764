//! The desired state of each resource, for `reattach`.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Outcome, Settings};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::STATE_BUCKET;

async fn ready() -> Organization {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization
}

/// The entry of the resource `Resource` of this function.
fn entry(organization: &Organization, function: &str) -> Option<Value> {
    let key = format!("desired/{function}/backups/5d3c/Resource.json");
    serde_json::from_str(&organization.object(STATE_BUCKET, &key)?).ok()
}

fn daily(hour: u8) -> Value {
    json!({ "Name": "daily", "Content": document(hour), "TargetIds": ["root"] })
}

#[tokio::test]
async fn every_resource_is_written_down_when_made_and_leaves_a_tombstone_when_deleted() {
    let organization = ready().await;
    for (function, properties) in [
        ("policy-types", json!({ "PolicyTypes": [BACKUP_POLICY] })),
        ("service-access", json!({ "ServicePrincipals": ["backup.amazonaws.com"] })),
        ("global-settings", json!({ "CrossAccountBackup": true })),
        ("backup-policy", daily(5)),
    ] {
        let mut stack = organization.stack(function).kept();
        let created = stack.create(properties).await.ok();
        let kept = entry(&organization, function).unwrap();
        assert_eq!(kept["PhysicalId"], created.physical_id, "{function}");
        assert_eq!((&kept["SchemaVersion"], &kept["Function"]), (&json!(2), &json!(function)));
        assert_eq!(kept["ChangingSince"], Value::Null, "{function}");
        let _ = stack.delete().await.ok();
        let buried = entry(&organization, function).unwrap();
        assert!(buried["DeletedSince"].is_u64(), "{function}: {buried}");
        let requests = buried["Requests"].as_array().unwrap();
        assert_eq!(requests.len(), 2, "{function}: {buried}");
    }
}

#[tokio::test]
async fn what_is_written_down_needs_nothing_else_to_be_made_again() {
    let organization = ready().await;
    let mut content = document(5);
    content["plans"]["daily"]["rules"]["nightly"]["target_backup_vault_name"]["@@assign"] =
        json!("${vault}");
    let version = organization.buckets(|it| it.put("documents", "daily.json", content.to_string()));
    let mut stack = organization.stack("backup-policy").kept();
    let url = format!("s3://documents/daily.json?versionId={version}");
    let properties = json!({
        "Name": "daily",
        "ContentUrl": url,
        "Variables": { "vault": "vault-that-no-log-may-name" },
        "TargetIds": "root",
    });
    let _ = stack.create(properties).await.ok();
    let kept = &entry(&organization, "backup-policy").unwrap()["Properties"];
    assert_eq!(kept["Content"], document(5));
    assert_eq!((&kept["ContentUrl"], &kept["Variables"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing_down() {
    let organization = ready().await;
    let mut stack = organization.stack("backup-policy").kept();
    let _ = stack.create(daily(5)).await.ok();
    organization.clear_journal();
    let _ = stack.update(daily(5)).await.ok();
    let writes = organization.lines(|it| it.is_successful_write() && it.operation != "PutResponse");
    assert_eq!(writes, "");
}

#[tokio::test]
async fn a_failed_update_leaves_what_was_made_before() {
    let organization = ready().await;
    let mut stack = organization.stack("backup-policy").kept();
    let _ = stack.create(daily(5)).await.ok();
    organization.fail(Fault::error("UpdatePolicy", "MalformedPolicyDocumentException"));
    let _ = stack.update(daily(9)).await.reason();
    let kept = entry(&organization, "backup-policy").unwrap();
    assert_eq!(kept["Properties"]["Content"], document(5));
    assert_eq!(kept["ChangingSince"], Value::Null, "the rollback came to its end");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_keep_its_resource() {
    let newer = json!({ "SchemaVersion": 99 }).to_string().into_bytes();
    for spoilt in [b"{".to_vec(), newer, vec![0xFF]] {
        for (function, properties) in [
            ("policy-types", json!({ "PolicyTypes": [BACKUP_POLICY], "OnDelete": "Disable" })),
            (
                "service-access",
                json!({ "ServicePrincipals": ["backup.amazonaws.com"], "OnDelete": "Revert" }),
            ),
            ("global-settings", json!({ "CrossAccountBackup": true, "OnDelete": "Restore" })),
            ("backup-policy", daily(5)),
        ] {
            let organization = ready().await;
            let before = organization.state();
            let mut stack = organization.stack(function).kept();
            let _ = stack.create(properties.clone()).await.ok();
            let key = format!("desired/{function}/backups/5d3c/Resource.json");
            organization.buckets(|it| it.put(STATE_BUCKET, &key, spoilt.clone()));
            // An update would not know what to go by.
            let _ = stack.update(properties).await.reason();
            let _ = stack.delete().await.ok();
            assert!(stack.logs.contains("the desired state of the resource"), "{}", stack.logs);
            let kept = organization.object(STATE_BUCKET, &key).unwrap();
            let kept: Value = serde_json::from_str(&kept).unwrap();
            assert!(kept["DeletedSince"].is_u64(), "{function}: {kept}");
            let after = organization.state();
            assert!(function == "policy-types" || after == before, "{function}: {after}");
        }
    }
}

#[tokio::test]
async fn an_older_writer_never_overwrites_a_newer_one() {
    let organization = ready().await;
    let mut stack = organization.stack("backup-policy").kept();
    let _ = stack.create(daily(5)).await.ok();
    organization.fail(Fault::error("PutObject", "PreconditionFailed").status(412).times(8));
    let reason = stack.update(daily(9)).await.reason();
    assert!(reason.contains("another request has written it meanwhile"), "{reason}");
    assert!(organization.state().contains("cron(0 5"), "nothing was changed without the note");
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_no_conflict() {
    let organization = ready().await;
    let mut stack = organization.stack("backup-policy").kept();
    for nth in [1, 2] {
        organization.fail(Fault::new("PutObject", simulator::Kind::DropAfter).nth(nth));
    }
    let _ = stack.create(daily(5)).await.ok();
    assert_eq!(entry(&organization, "backup-policy").unwrap()["ChangingSince"], Value::Null);
}

#[tokio::test]
async fn without_its_bucket_nothing_is_changed_and_the_error_says_what_to_do() {
    let organization = Organization::ready(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.fail(Fault::error("GetObject", "AccessDenied").status(403).times(9));
    let mut stack = organization.stack("backup-policy").kept();
    let reason = stack.create(daily(5)).await.reason();
    assert!(reason.contains("hint: let the function's own role read"), "{reason}");
    assert!(!organization.state().contains("policy daily"));
    assert!(stack.rollback.take().unwrap().success, "what was never made is gone");
}

#[tokio::test]
async fn what_the_release_of_before_wrote_down_is_put_back_before_and_after_the_upgrade() {
    let organization = ready().await;
    organization.topics(|it| it.create(TOPIC));
    let mut stack = organization.stack("backup-policy").kept();
    let _ = stack.create(daily(5)).await.ok();
    let before = organization.state();
    let mut first = entry(&organization, "backup-policy").unwrap();
    first["SchemaVersion"] = json!(1);
    for new in ["DeletedSince", "Requests"] {
        assert!(first.as_object_mut().unwrap().remove(new).is_some(), "{new}");
    }
    organization.keep(&first);
    let reattach = Reattach::start(&organization, "Repair").await;
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    for version in [1, 2] {
        organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
        assert_ne!(organization.state(), before);
        let swept = reattach.sweep().await;
        assert!(matches!(swept, Outcome::Returned(_)), "{}", reattach.logs());
        assert_eq!(organization.state(), before, "with version {version}");
        assert_eq!(entry(&organization, "backup-policy").unwrap()["SchemaVersion"], version);
        // The new template says nothing new of the resource but the format of what is kept.
        organization.clear_journal();
        let _ = stack.update(daily(5)).await.ok();
        let changes = organization.take_writes();
        let changes = changes.lines().filter(|it| !it.starts_with("PutObject")).count();
        assert_eq!(changes, 0, "with version {version}");
    }
    let _ = stack.delete().await.ok();
    assert!(!organization.state().contains("daily"));
}
