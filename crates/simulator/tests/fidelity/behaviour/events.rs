//! What CloudTrail tells of changes.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Kind, Role, Settings};

use super::{CONTENT, start, with_policy};

/// The detail of the only event since the last look.
fn only(mut events: Vec<Value>) -> Value {
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)["detail"].take()
}

#[tokio::test]
async fn an_event_tells_who_did_what_when() {
    let (simulator, client) = start(Settings::default()).await;
    let (root, policy) = simulator.organization(with_policy);
    let role = Role::trusting_account("backup-policy", "111122223333").path("/backup/");
    simulator.iam(|it| it.create_role("111122223333", role));
    let role = "arn:aws:iam::111122223333:role/backup/backup-policy";
    let function = client.key(&simulator.session(role, "function"));
    function.ok("AttachPolicy", json!({ "PolicyId": policy, "TargetId": root })).await;
    function.ok("ListRoots", json!({})).await;
    let events = simulator.take_events();
    let envelope = &events[0];
    assert_eq!(envelope["source"], "aws.organizations");
    assert_eq!(envelope["detail-type"], "AWS API Call via CloudTrail");
    assert_eq!(envelope["account"], "111122223333");
    assert_eq!(envelope["region"], "us-east-1");
    let detail = only(events.clone());
    assert_eq!(detail["eventTime"], envelope["time"]);
    assert_eq!(detail["eventName"], "AttachPolicy");
    assert_eq!(detail["requestParameters"], json!({ "policyId": policy, "targetId": root }));
    assert_eq!(detail["responseElements"], Value::Null);
    assert_eq!(detail["userIdentity"]["type"], "AssumedRole");
    assert_eq!(detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], role);
    assert_eq!((detail["readOnly"].as_bool(), detail.get("errorCode")), (Some(false), None));
    assert_eq!(simulator.take_events(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_user_may_tamper_while_others_are_at_work() {
    let settings = Settings { refuse_each_write_once: true, ..Settings::default() };
    let (simulator, _client) = start(settings).await;
    let (root, policy) = simulator.organization(with_policy);
    simulator.organization(|it| it.attach_policy(&policy, &root).unwrap());
    let request = json!({ "PolicyId": policy, "TargetId": root });
    simulator.tamper("mallory", "DetachPolicy", &request).unwrap();
    let detail = only(simulator.take_events());
    assert_eq!(detail["userIdentity"]["type"], "IAMUser");
    assert_eq!(detail["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/mallory");
    assert_eq!(detail["sourceIPAddress"], "203.0.113.71");
    let refusal = simulator.tamper("mallory", "DetachPolicy", &request).unwrap_err();
    assert!(refusal.contains("PolicyNotAttachedException"), "{refusal}");
    let detail = only(simulator.take_events());
    assert_eq!(detail["errorCode"], "PolicyNotAttachedException");
    assert_eq!(simulator.writes().len(), 1);
}

#[tokio::test]
async fn an_account_that_is_made_is_told_of_twice() {
    let (simulator, client) = start(Settings::default()).await;
    let request = json!({ "AccountName": "vault", "Email": "vault@example.com" });
    for state in ["SUCCEEDED", "FAILED"] {
        let created = client.ok("CreateAccount", request.clone()).await;
        let events = simulator.take_events();
        let [call, result] = events.as_slice() else { panic!("{events:?}") };
        let masked = json!({ "accountName": "****", "email": "****" });
        assert_eq!(call["detail"]["requestParameters"], masked);
        let status = &call["detail"]["responseElements"]["createAccountStatus"];
        assert_eq!(status["id"], created["CreateAccountStatus"]["Id"]);
        assert_eq!(result["detail-type"], "AWS Service Event via CloudTrail");
        assert_eq!(result["detail"]["eventName"], "CreateAccountResult");
        let status = &result["detail"]["serviceEventDetails"]["createAccountStatus"];
        assert_eq!(status["state"], state);
        let account = status["accountId"].as_str().unwrap_or_default();
        let known = simulator.organization(|it| it.account(account).is_ok());
        assert_eq!(known, state == "SUCCEEDED");
    }
}

#[tokio::test]
async fn a_call_that_was_lost_on_the_way_back_is_told_of_and_one_on_the_way_there_is_not() {
    let (simulator, client) = start(Settings::default()).await;
    let root = simulator.organization(|it| it.root.clone());
    let request = json!({ "RootId": root, "PolicyType": BACKUP_POLICY });
    for (kind, told) in [(Kind::DropBefore, 0), (Kind::DropAfter, 1)] {
        simulator.fail(Fault::new("EnablePolicyType", kind));
        client.try_organizations("EnablePolicyType", request.clone()).await.unwrap_err();
        assert_eq!(simulator.take_events().len(), told);
    }
    simulator.fail(Fault::error("CreatePolicy", "AccessDeniedException"));
    let request = json!({
        "Name": "daily", "Description": "", "Type": BACKUP_POLICY, "Content": CONTENT,
    });
    client.refused("CreatePolicy", request).await;
    assert_eq!(only(simulator.take_events())["errorCode"], "AccessDenied");
}
