//! Effective policies over the wire: who may ask, and when a change turns up.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Pending, Settings, Simulator};

use super::start;
use crate::support::Client;

/// A plan with backups in `vault`, and without its selections unless it is `whole`.
fn document(vault: &str, whole: bool) -> String {
    let mut plan = json!({
        "regions": { "@@assign": ["eu-central-1"] },
        "rules": { "nightly": { "target_backup_vault_name": { "@@assign": vault } } },
    });
    if whole {
        plan["selections"] = json!({ "tags": { "tagged": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["daily"] },
        } } });
    }
    json!({ "plans": { "daily": plan } }).to_string()
}

/// A simulator with one policy on its root, and the policy's ID.
async fn with_plan(publication: Pending) -> (Simulator, Client, String) {
    let (simulator, client) = start(Settings { publication, ..Settings::default() }).await;
    let id = simulator.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        let content = document("first", true);
        let id = it.create_policy(BACKUP_POLICY, "daily", "", &content, &[]).unwrap();
        it.attach_policy(&id, &root).unwrap();
        id
    });
    (simulator, client, id)
}

fn request(account: &str) -> Value {
    json!({ "PolicyType": BACKUP_POLICY, "TargetId": account })
}

/// The vault in force, and when it was last published.
async fn vault(client: &Client) -> (String, f64) {
    let kind = json!({ "PolicyType": BACKUP_POLICY });
    let policy = client.ok("DescribeEffectivePolicy", kind).await["EffectivePolicy"].take();
    let content: Value = serde_json::from_str(policy["PolicyContent"].as_str().unwrap()).unwrap();
    let vault = &content["plans"]["daily"]["rules"]["nightly"]["target_backup_vault_name"];
    let updated = policy["LastUpdatedTimestamp"].as_f64().unwrap();
    (vault.as_str().unwrap_or_default().to_owned(), updated)
}

#[tokio::test]
async fn a_change_turns_up_later_and_with_a_new_time() {
    let (_simulator, client, id) = with_plan(Pending::Reads(2)).await;
    let before = vault(&client).await;
    assert_eq!(before.0, "first");
    let update = json!({ "PolicyId": id, "Content": document("second", true) });
    client.ok("UpdatePolicy", update).await;
    assert_eq!(vault(&client).await, before);
    assert_eq!(vault(&client).await, before);
    let after = vault(&client).await;
    assert_eq!(after.0, "second");
    assert!(after.1 > before.1);
}

#[tokio::test]
async fn a_change_that_makes_a_plan_invalid_is_accepted_and_withheld() {
    let (simulator, client, id) = with_plan(Pending::Reads(0)).await;
    let update = json!({ "PolicyId": id, "Content": document("second", false) });
    client.ok("UpdatePolicy", update).await;
    assert_eq!(vault(&client).await.0, "first");
    let kind = json!({ "PolicyType": BACKUP_POLICY });
    let invalid = client.ok("ListAccountsWithInvalidEffectivePolicy", kind).await;
    assert_eq!(invalid["Accounts"].as_array().unwrap().len(), 12);
    let request = json!({ "PolicyType": BACKUP_POLICY, "AccountId": "111122223333" });
    let errors = client.ok("ListEffectivePolicyValidationErrors", request).await;
    let expected = json!([{
        "ErrorCode": "KEY_REQUIRED",
        "ErrorMessage": "'selections' is missing",
        "PathToError": "plans/daily",
        "ContributingPolicies": [id],
    }]);
    assert_eq!(errors["EffectivePolicyValidationErrors"], expected);
    let journal = simulator.journal();
    let update = journal.iter().find(|it| it.operation == "UpdatePolicy").unwrap();
    assert_eq!(update.withheld.len(), 12);
}

#[tokio::test]
async fn a_member_asks_for_itself_and_for_nobody_else() {
    let (simulator, client, _) = with_plan(Pending::Reads(0)).await;
    let member = simulator.organization(|it| it.accounts().last().unwrap().id.clone());
    let client = client.key(&member);
    assert_eq!(vault(&client).await.0, "first");
    client.ok("DescribeEffectivePolicy", request(&member)).await;
    let refusal = client.refused("DescribeEffectivePolicy", request("111122223333")).await;
    assert_eq!(refusal, "AccessDeniedException");
    let root = simulator.organization(|it| it.root.clone());
    let refusal = client.refused("DescribeEffectivePolicy", request(&root)).await;
    assert_eq!(refusal, "InvalidInputException (TARGET_NOT_SUPPORTED)");
}

#[tokio::test]
async fn a_document_that_is_no_backup_policy_is_refused_in_one_sentence() {
    let (_simulator, client, id) = with_plan(Pending::Reads(0)).await;
    let content = r#"{"plans":{"daily":{"rules":{"x":{"vault":{"@@assign":"y"}}}}}}"#;
    let update = json!({ "PolicyId": id, "Content": content });
    let refusal = client.refused("UpdatePolicy", update).await;
    assert_eq!(refusal, "MalformedPolicyDocumentException");
    assert_eq!(vault(&client).await.0, "first");
}
