//! What is kept and sent: objects with conditions, messages, executions.

use serde_json::{Value, json};
use simulator::{ExecutionStatus, Fault, Role, Settings};

use super::start;
use crate::support::{Client, Reply};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:repairs";
const MACHINE: &str = "arn:aws:states:us-east-1:111122223333:stateMachine:members";

async fn put(client: &Client, headers: &[(&str, &str)], body: &'static str) -> Reply {
    client.send("s3", "PUT", "/state/desired.json", headers, body).await.unwrap()
}

async fn start_execution(client: &Client, request: Value) -> Reply {
    let headers = [
        ("x-amz-target", "AWSStepFunctions.StartExecution"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    client.send("states", "POST", "/", &headers, request.to_string()).await.unwrap()
}

#[tokio::test]
async fn of_two_writers_the_second_is_told_that_it_was_late() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.create_bucket("state"));
    let first = put(&client, &[("if-none-match", "*")], "one").await;
    assert_eq!((first.status, &first.headers["x-amz-version-id"]).0, 200);
    let again = put(&client, &[("if-none-match", "*")], "two").await;
    assert_eq!((again.status, again.code().as_str()), (412, "PreconditionFailed"));
    let seen = first.headers["etag"].to_str().unwrap();
    let second = put(&client, &[("if-match", seen)], "one").await;
    assert_ne!(first.headers["etag"], second.headers["etag"]);
    let late = put(&client, &[("if-match", seen)], "three").await;
    assert_eq!((late.status, late.code().as_str()), (412, "PreconditionFailed"));
    assert_eq!(client.rest("s3", "GET", "/state/desired.json", "").await.body, "one");
    assert_eq!(simulator.buckets(|it| it.versions("state", "desired.json").len()), 2);
}

#[tokio::test]
async fn a_write_may_meet_another_at_the_same_moment() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.create_bucket("state"));
    simulator.fail(Fault::error("PutObject", "ConditionalRequestConflict").status(409));
    let reply = put(&client, &[("if-none-match", "*")], "one").await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "ConditionalRequestConflict"));
    assert_eq!(put(&client, &[("if-none-match", "*")], "one").await.status, 200);
}

#[tokio::test]
async fn a_listing_comes_in_pages_of_one_prefix() {
    let (simulator, client) = start(Settings { page_size: 2, ..Settings::default() }).await;
    simulator.buckets(|it| {
        for key in ["answers/1", "desired/a b", "desired/b", "desired/c", "runs/1"] {
            it.put("state", key, "{}");
        }
    });
    let text = |reply: &Reply, name: &str| {
        let tag = format!("<{name}>");
        let parts = reply.body.split(&tag).skip(1);
        parts.map(|it| it.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let path = "/state?list-type=2&prefix=desired%2F";
    let first = client.rest("s3", "GET", path, "").await;
    assert_eq!(text(&first, "Key"), ["desired/a b", "desired/b"]);
    let token = text(&first, "NextContinuationToken").remove(0).replace('%', "%25");
    let path = format!("{path}&encoding-type=url&continuation-token={token}");
    let last = client.rest("s3", "GET", &path, "").await;
    assert_eq!(text(&last, "Key"), ["desired%2Fc"]);
    assert_eq!(text(&last, "IsTruncated"), ["false"]);
    assert_eq!(text(&last, "NextContinuationToken"), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_object_is_missing_until_it_is_written_again() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.put("state", "desired.json", "one"));
    let deleted = client.rest("s3", "DELETE", "/state/desired.json", "").await;
    assert_eq!((deleted.status, &deleted.headers["x-amz-delete-marker"]).0, 204);
    let missing = client.rest("s3", "GET", "/state/desired.json", "").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "NoSuchKey"));
    assert_eq!(simulator.buckets(|it| it.keys("state").len()), 0);
    assert_eq!(put(&client, &[("if-none-match", "*")], "two").await.status, 200);
}

#[tokio::test]
async fn comparing_tags_takes_the_permission_to_read() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.create_bucket("state"));
    let write = json!({ "Statement": {
        "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::state/*",
    } });
    let role = Role::trusting_account("writer", "111122223333").allowing(&write);
    simulator.iam(|it| it.create_role("111122223333", role));
    let writer = client.key(&simulator.session("arn:aws:iam::111122223333:role/writer", "night"));
    let first = put(&writer, &[("if-none-match", "*")], "one").await;
    assert_eq!(first.status, 200);
    let seen = first.headers["etag"].to_str().unwrap();
    let second = put(&writer, &[("if-match", seen)], "two").await;
    assert_eq!((second.status, second.code().as_str()), (403, "AccessDenied"));
    assert!(second.body.contains("s3:GetObject"), "{}", second.body);
}

#[tokio::test]
async fn what_was_published_can_be_read_by_a_test() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.topics(|it| it.create(TOPIC));
    let publish = async |subject: &str| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish").append_pair("Version", "2010-03-31");
        form.append_pair("TopicArn", TOPIC).append_pair("Subject", subject);
        form.append_pair("Message", "The policy daily is attached again.");
        client.form("sns", &form.finish()).await
    };
    assert_eq!(publish("Repaired").await.status, 200);
    let refused = publish("Wiederhergestellt für alle").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "InvalidParameter"));
    let messages = simulator.topics(|it| it.messages().to_vec());
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].subject.as_deref(), Some("Repaired"));
    assert_eq!(messages[0].text, "The policy daily is attached again.");
}

#[tokio::test]
async fn an_execution_is_begun_once_however_often_it_is_asked_for() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.state_machines(|it| it.create(MACHINE));
    let request = json!({ "stateMachineArn": MACHINE, "name": "run-1", "input": "{\"a\":1}" });
    let first = start_execution(&client, request.clone()).await.json();
    let again = start_execution(&client, request.clone()).await.json();
    assert_eq!(first, again);
    let executions = simulator.state_machines(|it| it.executions().to_vec());
    assert_eq!(executions.len(), 1);
    assert_eq!((executions[0].name.as_str(), executions[0].input.as_str()), ("run-1", "{\"a\":1}"));
    simulator.state_machines(|it| it.end(&executions[0].arn, ExecutionStatus::Succeeded, None));
    let late = start_execution(&client, request).await;
    assert_eq!((late.status, late.code().as_str()), (400, "ExecutionAlreadyExists"));
}
