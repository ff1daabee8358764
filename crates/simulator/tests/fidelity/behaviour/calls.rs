//! Calls that go as they should, or are refused for a reason of AWS's own.

use std::time::Duration;

use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};
use simulator::{CallOutcome, Role, Settings, Simulator, Tally};
use tokio::time::Instant;

use super::{CONTENT, active, start, with_policy};

/// Follows the tokens of a list and returns the pages.
async fn pages(client: &crate::support::Client, operation: &str, member: &str) -> Vec<usize> {
    let (mut pages, mut request) = (Vec::new(), json!({}));
    loop {
        let page = client.ok(operation, request.clone()).await;
        pages.push(page[member].as_array().unwrap().len());
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn pages_hold_twenty_at_most() {
    let (_simulator, client) = start(Settings::default().accounts(45)).await;
    assert_eq!(pages(&client, "ListAccounts", "Accounts").await, [20, 20, 5]);
}

#[tokio::test]
async fn an_account_tells_where_it_is_unless_it_does_not() {
    let (simulator, client) = start(Settings::default().accounts(1)).await;
    let (id, root) = simulator.organization(|it| (it.id.clone(), it.root.clone()));
    let account = client.ok("ListAccounts", json!({})).await["Accounts"][0].clone();
    assert_eq!(account["Paths"], json!([format!("{id}/{root}/111122223333/")]));
    simulator.organization(|it| it.tells_paths = false);
    let account = client.ok("ListAccounts", json!({})).await["Accounts"][0].clone();
    assert_eq!(account.get("Paths"), None);
}

#[tokio::test]
async fn a_strict_simulator_sends_an_empty_page_before_each_and_one_item_a_page() {
    let (_simulator, client) = start(Settings::strict().accounts(3)).await;
    assert_eq!(pages(&client, "ListAccounts", "Accounts").await, [0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn a_policy_lives_from_creation_to_deletion() {
    let (simulator, client) = start(Settings::default()).await;
    let root = simulator.organization(|it| it.root.clone());
    let kind = json!({ "RootId": root, "PolicyType": "BACKUP_POLICY" });
    client.ok("EnablePolicyType", kind).await;
    let request = json!({
        "Name": "daily", "Description": "", "Type": "BACKUP_POLICY", "Content": CONTENT,
        "Tags": [{ "Key": "owner", "Value": "us" }],
    });
    let created = client.ok("CreatePolicy", request).await;
    let policy = created["Policy"]["PolicySummary"]["Id"].as_str().unwrap();
    client.ok("AttachPolicy", json!({ "PolicyId": policy, "TargetId": root })).await;
    assert_eq!(simulator.organization(|it| it.attached(&root).to_vec()), [policy]);
    assert_eq!(simulator.organization(|it| it.tags(policy)["owner"].clone()), "us");
    client.ok("DetachPolicy", json!({ "PolicyId": policy, "TargetId": root })).await;
    client.ok("DeletePolicy", json!({ "PolicyId": policy })).await;
    let refusal = client.refused("DescribePolicy", json!({ "PolicyId": policy })).await;
    assert_eq!(refusal, "PolicyNotFoundException");
    let lines: Vec<_> = simulator.writes().iter().map(ToString::to_string).collect();
    let expected = [
        format!("EnablePolicyType {root} BACKUP_POLICY"),
        "CreatePolicy daily BACKUP_POLICY".to_owned(),
        format!("AttachPolicy {policy} {root}"),
        format!("DetachPolicy {policy} {root}"),
        format!("DeletePolicy {policy}"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn the_journal_tells_changes_from_calls_that_changed_nothing() {
    let (simulator, client) = start(Settings::default()).await;
    let backup = json!({ "ServicePrincipal": "backup.amazonaws.com" });
    client.ok("EnableAWSServiceAccess", backup.clone()).await;
    client.ok("EnableAWSServiceAccess", backup).await;
    client.ok("ListRoots", json!({})).await;
    let told: Vec<_> = simulator.journal().iter().map(|it| (it.write, it.changed)).collect();
    assert_eq!(told, [(true, true), (true, false), (false, false)]);
}

#[tokio::test]
async fn the_journal_tells_who_lost_the_last_backup_policy() {
    let (simulator, client) = start(Settings::default().accounts(3)).await;
    let (root, policy) = simulator.organization(with_policy);
    let attachment = json!({ "PolicyId": policy, "TargetId": root });
    client.ok("AttachPolicy", attachment.clone()).await;
    client.ok("DetachPolicy", attachment).await;
    let journal = simulator.journal();
    assert_eq!((journal[0].lost.len(), journal[0].unprotected.len()), (0, 0));
    assert_eq!((journal[1].lost.len(), journal[1].unprotected.len()), (3, 3));
}

#[tokio::test]
async fn the_journal_tells_the_caller_from_the_signature() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let role = format!("arn:aws:iam::{account}:role/Reader");
    simulator.iam(|it| it.create_role(&account, Role::trusting_account("Reader", "111122223333")));
    let form = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=night");
    let reply = client.form("sts", &form).await;
    let key = reply.body.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap();
    let member = client.key(key).region("eu-west-1");
    let body = r#"{"ResourceTypeOptInPreference":{"EBS":true}}"#;
    assert_eq!(member.rest("backup", "PUT", "/account-settings", body).await.status, 200);
    let entry = simulator.journal().pop().unwrap();
    assert_eq!((entry.account.as_str(), entry.region.as_str()), (account.as_str(), "eu-west-1"));
    assert_eq!(entry.session.as_deref(), Some("Reader/night"));
    assert_eq!(entry.to_string(), "UpdateRegionSettings EBS=true");
    assert!(simulator.backup(|it| it.region_settings(&account, "eu-west-1").opt_in["EBS"]));
}

#[tokio::test]
async fn activating_stack_sets_gives_them_trusted_access() {
    let (simulator, client) = start(Settings::default()).await;
    let form = |action: &str| format!("Action={action}&Version=2010-05-15");
    let reply = client.form("cloudformation", &form("ActivateOrganizationsAccess")).await;
    assert_eq!(reply.status, 200);
    assert!(simulator.stack_sets_activated());
    let trusted = simulator.organization(|it| it.trusted_services());
    assert!(trusted.contains("member.org.stacksets.cloudformation.amazonaws.com"));
    client.form("cloudformation", &form("DeactivateOrganizationsAccess")).await;
    assert!(!simulator.stack_sets_activated());
    assert!(simulator.journal().iter().all(|it| it.changed));
}

#[tokio::test]
async fn objects_are_read_by_version() {
    let (simulator, client) = start(Settings::default()).await;
    let first = simulator.buckets(|it| {
        let first = it.put("policies", "a b.json", "one");
        it.put("policies", "a b.json", "two");
        it.put("policies", "secret.json", "three");
        it.deny("policies", "secret.json");
        first
    });
    let get = async |path: &str| client.rest("s3", "GET", path, "").await;
    assert_eq!(get("/policies/a%20b.json").await.body, "two");
    assert_eq!(get(&format!("/policies/a%20b.json?versionId={first}")).await.body, "one");
    let refusals = [
        ("/policies/missing.json", 404, "NoSuchKey"),
        ("/nowhere/a.json", 404, "NoSuchBucket"),
        ("/policies/a%20b.json?versionId=v9", 404, "NoSuchVersion"),
        ("/policies/secret.json", 403, "AccessDenied"),
    ];
    for (path, status, code) in refusals {
        let reply = get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn an_uploaded_object_can_be_downloaded() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.create_bucket("state"));
    let headers = [("content-encoding", "aws-chunked")];
    let body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    client.send("s3", "PUT", "/state/desired.json", &headers, body).await.unwrap();
    assert_eq!(client.rest("s3", "GET", "/state/desired.json", "").await.body, "hello");
    let head = client.rest("s3", "HEAD", "/state/desired.json", "").await;
    assert_eq!(head.headers["content-length"], "5");
}

#[tokio::test]
async fn ten_thousand_accounts_are_all_listed() {
    let (simulator, client) = start(Settings::default().accounts(10_000)).await;
    let unique: std::collections::BTreeSet<String> =
        simulator.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    assert_eq!(unique.len(), 10_000);
    let pages = pages(&client, "ListAccounts", "Accounts").await;
    assert_eq!((pages.len(), pages.iter().sum::<usize>()), (500, 10_000));
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_as_long_as_is_said_for_it() {
    let latency_of = [("ListRoots".to_owned(), Duration::ZERO)].into();
    let settings =
        Settings { latency: Duration::from_millis(20), latency_of, ..Settings::default() };
    let simulator = Simulator::start(settings).await.unwrap();
    let took = async |operation: &str| {
        let started = Instant::now();
        let target = format!("AWSOrganizationsV20161128.{operation}");
        let request = Request::post("/").header("x-amz-target", target).body(Bytes::new()).unwrap();
        assert_eq!(simulator.direct().call(request).await.unwrap().status(), 200);
        started.elapsed()
    };
    assert_eq!(took("ListAccounts").await, Duration::from_millis(20));
    assert_eq!(took("ListRoots").await, Duration::ZERO);
}

#[tokio::test]
async fn a_short_journal_keeps_the_newest_calls_and_counts_all() {
    for (limit, kept) in [(None, 3), (Some(2), 2), (Some(0), 0)] {
        let settings = Settings { journal: limit, ..Settings::default() };
        let (simulator, client) = start(settings).await;
        client.ok("ListAccounts", json!({})).await;
        let backup = json!({ "ServicePrincipal": "backup.amazonaws.com" });
        client.ok("EnableAWSServiceAccess", backup.clone()).await;
        client.refused("EnableAWSServiceAccess", json!({})).await;
        let journal: Vec<_> = simulator.journal().iter().map(|it| it.sequence).collect();
        assert_eq!(journal, [1, 2, 3].into_iter().skip(3 - kept).collect::<Vec<_>>());
        let expected = Tally { calls: 2, failed: 1, changed: 1 };
        assert_eq!(simulator.tallies()["EnableAWSServiceAccess"], expected);
        simulator.clear_journal();
        assert!(simulator.tallies().is_empty());
    }
}

#[tokio::test]
async fn the_tree_shows_what_is_attached_where() {
    let (simulator, client) = start(Settings::default()).await;
    let policy = simulator.organization(|it| {
        let (_, policy) = with_policy(it);
        let unit = it.unit_named("Production").unwrap().id.clone();
        it.attach_policy(&policy, &unit).unwrap();
        policy
    });
    let tree = client.rest("", "GET", "/_simulator/organization", "").await.json();
    assert_eq!(tree["policyTypes"], json!({ "BACKUP_POLICY": "ENABLED" }));
    let named = |parent: &Value, name: &str| {
        let units = parent["units"].as_array().unwrap();
        units.iter().find(|it| it["name"] == name).unwrap().clone()
    };
    let production = named(&named(&tree["root"], "Workloads"), "Production");
    let expected = json!([{ "id": policy, "name": "daily", "type": "BACKUP_POLICY" }]);
    assert_eq!(production["policies"], expected);
}

#[tokio::test]
async fn an_unknown_operation_is_refused_and_remembered() {
    let (simulator, client) = start(Settings::default()).await;
    let refusal = client.refused("LeaveOrganization", json!({})).await;
    assert_eq!(refusal, "UnknownOperationException");
    let reply = client.form("sts", "Action=GetSessionToken&Version=2011-06-15").await;
    assert_eq!(reply.code(), "InvalidAction");
    let reply = client.rest("backup", "GET", "/legal-holds", "").await;
    assert_eq!(reply.code(), "UnknownOperationException");
    let outcome = simulator.journal()[0].outcome.clone();
    assert_eq!(outcome, CallOutcome::Error("UnknownOperationException".to_owned()));
    let unknown = [
        "unknown operation: LeaveOrganization",
        "unknown operation: GetSessionToken",
        "unknown operation: GET /legal-holds",
    ];
    assert_eq!(simulator.take_unknown_operations(), unknown);
}

#[tokio::test]
async fn dropping_a_simulator_after_an_unknown_operation_fails_the_test() {
    let (simulator, client) = start(Settings::default()).await;
    client.refused("LeaveOrganization", json!({})).await;
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(simulator)));
    let message = dropped.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert_eq!(message, "unknown operation: LeaveOrganization");
}
