//! Calls that go wrong: because others write, because there are too many, because a test wants it.

use std::time::Duration;

use serde_json::json;
use simulator::{CallOutcome, Fault, Kind, Moment, Rates, Settings};

use super::{patiently, start, with_policy};

#[tokio::test]
async fn a_second_writer_is_refused_while_the_first_one_writes() {
    // The write does not end by itself while the test runs; readers are let through.
    let write_time = Duration::from_hours(1);
    let (simulator, client) = start(Settings { write_time, ..Settings::default() }).await;
    let (root, policy) = simulator.organization(with_policy);
    let attachment = json!({ "PolicyId": policy, "TargetId": root });
    let first = tokio::spawn({
        let (client, attachment) = (client.clone(), attachment.clone());
        async move { client.try_organizations("AttachPolicy", attachment).await.is_ok() }
    });
    // The first writer has written as soon as its change is seen.
    loop {
        let request = json!({ "PolicyId": policy });
        let targets = client.ok("ListTargetsForPolicy", request).await;
        if targets["Targets"] != json!([]) {
            break;
        }
    }
    let refusal = client.refused("DetachPolicy", attachment.clone()).await;
    assert_eq!(refusal, "ConcurrentModificationException");
    // Once the first writer is gone, its write is over.
    first.abort();
    let _aborted = first.await;
    simulator.settings(|it| it.write_time = Duration::ZERO);
    loop {
        let reply = client.organizations("DetachPolicy", attachment.clone()).await;
        if reply.status == 200 {
            break;
        }
        assert_eq!(reply.refusal(), "ConcurrentModificationException");
    }
    assert_eq!(simulator.organization(|it| it.attached(&root).len()), 0);
}

#[tokio::test]
async fn writes_can_be_refused_so_many_times() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.refuse_writes(2);
    let request = json!({ "ServicePrincipal": "backup.amazonaws.com" });
    for _ in 0..2 {
        let refusal = client.refused("EnableAWSServiceAccess", request.clone()).await;
        assert_eq!(refusal, "ConcurrentModificationException");
    }
    client.ok("ListRoots", json!({})).await;
    client.ok("EnableAWSServiceAccess", request).await;
}

#[tokio::test]
async fn a_strict_simulator_refuses_each_write_once() {
    let (_simulator, client) = start(Settings::strict()).await;
    for service in ["backup.amazonaws.com", "ram.amazonaws.com"] {
        let request = json!({ "ServicePrincipal": service });
        let refusal = client.refused("EnableAWSServiceAccess", request.clone()).await;
        assert_eq!(refusal, "ConcurrentModificationException");
        client.ok("EnableAWSServiceAccess", request).await;
    }
}

#[tokio::test]
async fn too_many_calls_are_throttled() {
    let (simulator, client) = start(Settings::default()).await;
    // So slow that no token comes back while the test runs.
    simulator.settings(|it| it.rates = Rates::Scaled(1e-9));
    for _ in 0..2 {
        client.ok("DescribeOrganization", json!({})).await;
    }
    let refusal = client.refused("DescribeOrganization", json!({})).await;
    assert_eq!(refusal, "TooManyRequestsException");
    client.ok("ListRoots", json!({})).await;
}

#[tokio::test]
async fn an_injected_error_keeps_the_work_from_being_done() {
    let (simulator, client) = start(Settings::default()).await;
    let request = json!({ "ServicePrincipal": "backup.amazonaws.com" });
    let reason = "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED";
    let code = "ConstraintViolationException";
    simulator.fail(Fault::reason("EnableAWSServiceAccess", code, reason));
    let refusal = client.refused("EnableAWSServiceAccess", request.clone()).await;
    assert_eq!(refusal, format!("{code} ({reason})"));
    assert!(simulator.organization(|it| it.trusted_services()).is_empty());
    client.ok("EnableAWSServiceAccess", request).await;
}

#[tokio::test]
async fn an_error_after_the_work_lies() {
    let (simulator, client) = start(Settings::default()).await;
    let failure = simulator::Failure { status: 500, ..simulator::Failure::new("ServiceException") };
    simulator.fail(Fault::new("EnableAWSServiceAccess", Kind::ErrorAfter(failure)));
    let request = json!({ "ServicePrincipal": "backup.amazonaws.com" });
    let reply = client.organizations("EnableAWSServiceAccess", request).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "ServiceException"));
    assert!(simulator.journal()[0].changed);
}

#[tokio::test]
async fn a_dropped_connection_may_have_done_its_work_or_not() {
    for (kind, done) in [(Kind::DropBefore, false), (Kind::DropAfter, true)] {
        let (simulator, client) = start(Settings::default()).await;
        simulator.fail(Fault::new("*", kind));
        let request = json!({ "ServicePrincipal": "backup.amazonaws.com" });
        assert!(client.try_organizations("EnableAWSServiceAccess", request).await.is_err());
        assert_eq!(simulator.organization(|it| !it.trusted_services().is_empty()), done);
        let entry = &simulator.journal()[0];
        assert_eq!((&entry.outcome, entry.changed), (&CallOutcome::Dropped, done));
    }
}

#[tokio::test]
async fn a_delayed_call_is_answered_later() {
    let (simulator, client) = start(Settings::default()).await;
    let delay = Duration::from_millis(50);
    simulator.fail(Fault::delay("ListRoots", delay));
    client.ok("ListRoots", json!({})).await;
    let entry = &simulator.journal()[0];
    assert!(u128::from(entry.milliseconds) >= delay.as_millis(), "{entry:?}");
}

#[tokio::test]
async fn a_held_call_has_done_its_work_or_not() {
    for (moment, done) in [(Moment::Before, false), (Moment::After, true)] {
        let (simulator, client) = start(Settings::default()).await;
        let mut hold = simulator.hold(2, moment);
        client.ok("ListRoots", json!({})).await;
        let request = json!({ "ServicePrincipal": "backup.amazonaws.com" });
        let call = tokio::spawn(async move {
            client.try_organizations("EnableAWSServiceAccess", request).await.is_ok()
        });
        assert!(patiently(hold.reached()).await);
        assert_eq!(simulator.organization(|it| !it.trusted_services().is_empty()), done);
        assert!(!call.is_finished());
        drop(hold);
        assert!(!call.await.unwrap(), "a held call is never answered");
    }
}

#[tokio::test]
async fn faults_and_the_journal_can_be_had_over_http() {
    let (simulator, client) = start(Settings::default()).await;
    let fault = r#"{"operation":"ListRoots","kind":{"error":{"code":"ServiceException"}}}"#;
    let post = async |body: &str| client.rest("", "POST", "/_simulator/faults", body).await.status;
    assert_eq!(post(fault).await, 200);
    assert_eq!(post(r#"{"operation":"ListRoots","kind":"nonsense"}"#).await, 400);
    assert_eq!(client.refused("ListRoots", json!({})).await, "ServiceException");
    assert_eq!(post(fault).await, 200);
    client.rest("", "DELETE", "/_simulator/faults", "").await;
    client.ok("ListRoots", json!({})).await;
    let journal = client.rest("", "GET", "/_simulator/journal", "").await.json();
    assert_eq!(journal[0]["outcome"], json!({ "error": "ServiceException" }));
    assert_eq!(journal[1]["outcome"], json!("success"));
    client.rest("", "DELETE", "/_simulator/journal", "").await;
    assert!(simulator.journal().is_empty());
    assert_eq!(client.rest("", "GET", "/_simulator/health", "").await.status, 200);
    assert_eq!(client.rest("", "GET", "/_simulator/nonsense", "").await.status, 404);
}

#[tokio::test]
async fn the_answer_of_a_custom_resource_is_kept_as_it_came() {
    let (simulator, client) = start(Settings::default()).await;
    let url = simulator.response_url();
    let path = url.strip_prefix(&simulator.url()).unwrap().to_owned();
    assert_ne!(url, simulator.response_url());
    client
        .send("", "PUT", &path, &[("content-type", "")], r#"{"Status":"SUCCESS"}"#)
        .await
        .unwrap();
    let failure = simulator::Failure { status: 503, ..simulator::Failure::new("SlowDown") };
    simulator.fail(Fault::new("PutResponse", Kind::Error(failure)));
    let refused = client.rest("", "PUT", &path, "{}").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "SlowDown"));
    let responses = simulator.responses(&url);
    assert_eq!(responses.len(), 1);
    assert_eq!(responses[0].json(), json!({ "Status": "SUCCESS" }));
    assert_eq!(responses[0].content_type.as_deref(), Some(""));
    let over_http = client.rest("", "GET", &path, "").await.json();
    assert_eq!(over_http[0]["body"], r#"{"Status":"SUCCESS"}"#);
}
