use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use expect_test::{Expect, expect};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    name: String,
    #[serde(default)]
    names: Vec<String>,
    loud: Option<String>,
}

/// The content type, address and body of one attempt.
type Put = (Option<String>, String, Value);

/// A sink for answers, which replies to each attempt with the next of `replies`, then with 200.
#[derive(Clone, Debug, Default)]
struct Sink {
    replies: Arc<Mutex<Vec<Option<u16>>>>,
    received: Arc<Mutex<Vec<Put>>>,
}

impl HttpConnector for Sink {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let content_type = request.headers().get("content-type").map(ToOwned::to_owned);
        let body = request.body().bytes().unwrap();
        assert!(body.len() <= 4096, "{} bytes", body.len());
        let body = serde_json::from_slice(body).unwrap();
        self.received.lock().unwrap().push((content_type, request.uri().to_owned(), body));
        let mut replies = self.replies.lock().unwrap();
        let reply = if replies.is_empty() { Some(200) } else { replies.remove(0) };
        HttpConnectorFuture::ready(reply.map_or_else(
            || Err(ConnectorError::io("reset".into())),
            |status| Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())),
        ))
    }
}

impl Sink {
    async fn serve(
        &self,
        event: impl Into<Event>,
        handle: impl AsyncFn(Request<Properties>) -> Result<Reply, Failure>,
    ) -> Result<(), Undelivered> {
        let http = SharedHttpConnector::new(self.clone());
        let until = Instant::now() + Duration::from_mins(1);
        serve(&http, &handle, event, until, "2026/11/21/[$LATEST]f00d").await
    }

    fn answers(&self) -> Vec<Value> {
        self.received.lock().unwrap().iter().map(|(_, _, body)| body.clone()).collect()
    }
}

const URL: &str = "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/\
                   arn%3Aaws%3A1/x?X-Amz-Signature=5ec2e7%2B";

fn event(request_type: &str, properties: &Value) -> Value {
    let mut event = json!({
        "RequestType": request_type,
        "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:noise",
        "ResponseURL": URL,
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/noise/0aa1",
        "RequestId": "request/1 ü",
        "ResourceType": "Custom::Noise",
        "LogicalResourceId": "Noise",
        "ResourceProperties": properties,
    });
    if request_type != "Create" {
        event["PhysicalResourceId"] = json!("noise-1");
    }
    if request_type == "Update" {
        event["OldResourceProperties"] = json!({"Name": "old"});
    }
    event
}

fn loud() -> Value {
    json!({"ServiceToken": "arn", "ServiceTimeout": "60", "Name": "horn", "Loud": "true"})
}

/// Serves one event with `handle` and compares the one answer.
async fn check(
    event: impl Into<Event>,
    handle: impl AsyncFn(Request<Properties>) -> Result<Reply, Failure>,
    expect: Expect,
) {
    let sink = Sink::default();
    sink.serve(event, handle).await.unwrap();
    let answers = sink.answers();
    assert_eq!(answers.len(), 1, "{answers:?}");
    expect.assert_eq(&summary(&answers[0]));
}

/// The parts of an answer that differ from test to test.
fn summary(answer: &Value) -> String {
    assert_eq!(answer["RequestId"], "request/1 ü");
    assert_eq!(answer["StackId"], "arn:aws:cloudformation:eu-west-1:111122223333:stack/noise/0aa1");
    assert_eq!(answer["LogicalResourceId"], "Noise");
    let text = |name: &str| answer[name].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", text("Status"), text("PhysicalResourceId"), text("Reason"))
}

fn made() -> Reply {
    Reply { physical_id: "noise-2".to_owned(), ..Reply::default() }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot blow `{0}`")]
struct Broken(String, #[source] std::io::Error);

fn broken(what: &str) -> Failure {
    Broken(what.to_owned(), std::io::Error::other("no air")).into()
}

#[tokio::test]
async fn a_success_is_answered_with_the_id_and_the_attributes() {
    let sink = Sink::default();
    let handle = async |request: Request<Properties>| {
        assert!(matches!(request.change, Change::Apply { properties, previous: None }
            if properties.name == "horn"
                && properties.names.is_empty()
                && properties.loud.as_deref() == Some("true")));
        let data = [("Volume", "11".to_owned())].into();
        Ok(Reply { physical_id: "noise-1".to_owned(), data })
    };
    sink.serve(event("Create", &loud()), handle).await.unwrap();
    expect![[r#"
        {
          "Data": {
            "Volume": "11"
          },
          "LogicalResourceId": "Noise",
          "PhysicalResourceId": "noise-1",
          "RequestId": "request/1 ü",
          "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/noise/0aa1",
          "Status": "SUCCESS"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&sink.answers()[0]).unwrap());
}

#[tokio::test]
async fn the_content_type_is_empty_and_the_address_is_used_as_it_came() {
    let sink = Sink::default();
    sink.serve(event("Create", &loud()), async |_| Ok(made())).await.unwrap();
    let received = sink.received.lock().unwrap();
    let [(content_type, url, _)] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((content_type.as_deref(), url.as_str()), (Some(""), URL));
}

#[tokio::test]
async fn properties_that_do_not_parse_are_answered_by_name() {
    let untouched = async |_| panic!("the handler must not run");
    check(
        event("Create", &json!({"Name": "horn", "Luod": true})),
        untouched,
        expect![[
            r"FAILED not-created property `Luod`: unknown field `Luod`, expected one of `Name`, `Names`, `Loud` (log stream 2026/11/21/[$LATEST]f00d)"
        ]],
    )
    .await;
    check(
        event("Update", &json!({"Name": 7})),
        untouched,
        expect![[
            r"FAILED noise-1 property `Name`: invalid type: integer `7`, expected a string (log stream 2026/11/21/[$LATEST]f00d)"
        ]],
    )
    .await;
    check(
        event("Create", &json!({})),
        untouched,
        expect![[r"FAILED not-created missing field `Name` (log stream 2026/11/21/[$LATEST]f00d)"]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_request_type_is_answered() {
    check(
        event("Upsert", &loud()),
        async |_| panic!("the handler must not run"),
        expect!["FAILED noise-1 the event is not a custom-resource request: unknown variant `Upsert`, expected one of `Create`, `Update`, `Delete` at line 1 column 109 (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
}

#[tokio::test]
async fn a_failure_is_answered_with_its_causes() {
    check(
        event("Create", &loud()),
        async |_| Err(broken("horn")),
        expect![
            "FAILED not-created cannot blow `horn`: no air (log stream 2026/11/21/[$LATEST]f00d)"
        ],
    )
    .await;
}

#[tokio::test]
async fn a_failed_creation_names_what_was_made() {
    check(
        event("Create", &loud()),
        async |_| Err(broken("horn").with_physical_id(Some("noise-3"))),
        expect!["FAILED noise-3 cannot blow `horn`: no air (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
}

#[tokio::test]
async fn a_failed_update_keeps_its_id() {
    check(
        event("Update", &loud()),
        async |_| Err(broken("horn").with_physical_id(Some("noise-3"))),
        expect!["FAILED noise-1 cannot blow `horn`: no air (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
}

#[tokio::test]
async fn a_delete_keeps_its_id() {
    check(event("Delete", &loud()), async |_| Ok(made()), expect!["SUCCESS noise-1 -"]).await;
}

#[tokio::test]
async fn a_delete_runs_although_the_properties_never_fitted() {
    let handle = async |request: Request<Properties>| {
        assert!(matches!(request.change, Change::Remove { properties: None }));
        Ok(made())
    };
    check(event("Delete", &json!({"Luod": 1})), handle, expect!["SUCCESS noise-1 -"]).await;
}

#[tokio::test]
async fn an_update_runs_although_the_old_properties_no_longer_fit() {
    let mut event = event("Update", &loud());
    event["OldResourceProperties"] = json!({"Volume": "11"});
    let handle = async |request: Request<Properties>| {
        assert!(matches!(request.change, Change::Apply { previous: None, .. }));
        Ok(made())
    };
    check(event, handle, expect!["SUCCESS noise-2 -"]).await;
}

#[tokio::test]
async fn a_delete_after_a_failed_creation_has_no_id() {
    let mut event = event("Delete", &loud());
    event["PhysicalResourceId"] = json!(NOT_CREATED);
    let handle = async |request: Request<Properties>| {
        assert_eq!(request.physical_id, None);
        Ok(made())
    };
    check(event, handle, expect!["SUCCESS not-created -"]).await;
}

#[tokio::test]
async fn a_panic_is_answered() {
    check(
        event("Update", &loud()),
        async |_| panic!("{} is out of tune", "horn"),
        expect!["FAILED noise-1 the function panicked: horn is out of tune; hint: this is a bug (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_answered_before_the_deadline() {
    let started = Instant::now();
    check(
        event("Create", &loud()),
        async |_| std::future::pending().await,
        expect!["FAILED not-created the function ran out of time before the work was done; hint: deploy again to continue where it stopped (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
    assert_eq!(started.elapsed(), Duration::from_secs(55));
}

#[tokio::test(start_paused = true)]
async fn a_refused_or_lost_answer_is_sent_again() {
    let sink = Sink::default();
    *sink.replies.lock().unwrap() = vec![Some(503), None, Some(403), Some(200)];
    sink.serve(event("Create", &loud()), async |_| Ok(made())).await.unwrap();
    let answers = sink.answers();
    assert_eq!(answers.len(), 4);
    assert!(answers.iter().all(|it| *it == answers[0]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_never_accepted_is_an_error_shortly_before_the_deadline() {
    let sink = Sink::default();
    *sink.replies.lock().unwrap() = [vec![None], vec![Some(403); 1000]].concat();
    let started = Instant::now();
    let failed = sink.serve(event("Create", &loud()), async |_| Ok(made())).await.unwrap_err();
    let attempts = u32::try_from(sink.answers().len()).unwrap();
    assert_eq!(failed, Undelivered::Refused { status: 403, attempts });
    let words =
        format!("the answer was refused with HTTP status 403, the last of {attempts} attempts");
    assert_eq!(Diagnostic::from(failed).error_message, words);
    assert_eq!(started.elapsed(), Duration::from_millis(59_500));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_arrives_is_told_as_that() {
    let sink = Sink::default();
    *sink.replies.lock().unwrap() = vec![None; 1000];
    let failed = sink.serve(event("Create", &loud()), async |_| Ok(made())).await.unwrap_err();
    assert_eq!(failed, Undelivered::Connection);
}

/// The event as the library reads it, with `half` in place of the text `half`.
fn with_half_a_character(event: &Value) -> Event {
    let text = event.to_string().replace("half", r"half \ud83d");
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text} can be read");
    let mut text = serde_json::Deserializer::from_slice(text.as_bytes());
    serde_path_to_error::deserialize(&mut text).unwrap()
}

#[tokio::test]
async fn half_a_character_in_a_property_is_answered_with_its_path() {
    let untouched = async |_| panic!("the handler must not run");
    check(
        with_half_a_character(&event("Create", &json!({"Name": "horn", "Names": ["a", "half"]}))),
        untouched,
        expect!["FAILED not-created property `Names[1]`: unexpected end of hex escape at line 1 column 41 (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
    check(
        with_half_a_character(&event("Update", &json!({"Name": "half"}))),
        untouched,
        expect!["FAILED noise-1 property `Name`: unexpected end of hex escape at line 1 column 21 (log stream 2026/11/21/[$LATEST]f00d)"],
    )
    .await;
}

#[tokio::test]
async fn half_a_character_is_no_matter_where_it_is_not_needed() {
    let mut update = event("Update", &loud());
    update["OldResourceProperties"] = json!({"Name": "half"});
    let handle = async |request: Request<Properties>| {
        assert!(matches!(request.change, Change::Apply { previous: None, .. }));
        Ok(made())
    };
    check(with_half_a_character(&update), handle, expect!["SUCCESS noise-2 -"]).await;
    // What failed to be created is removed with the same properties.
    let delete = event("Delete", &json!({"Name": "half"}));
    let handle = async |request: Request<Properties>| {
        assert!(matches!(request.change, Change::Remove { properties: None }));
        Ok(made())
    };
    check(with_half_a_character(&delete), handle, expect!["SUCCESS noise-1 -"]).await;
}

#[tokio::test]
async fn a_property_that_is_nested_without_end_is_answered() {
    let mut names = json!([]);
    for _ in 0..200 {
        names = json!([names]);
    }
    let sink = Sink::default();
    let untouched = async |_| panic!("the handler must not run");
    let create = event("Create", &json!({"Name": "horn", "Names": names}));
    sink.serve(create, untouched).await.unwrap();
    let reason = sink.answers()[0]["Reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("property `Names[0][0]"), "{reason}");
    assert!(reason.contains("recursion limit exceeded"), "{reason}");
}

#[tokio::test]
async fn an_answer_that_has_to_repeat_much_is_short_enough_all_the_same() {
    for (member, length) in [("StackId", 3700), ("PhysicalResourceId", 3700), ("StackId", 3800)] {
        let sink = Sink::default();
        let mut event = event("Update", &loud());
        event[member] = json!("x".repeat(length));
        let handle = async |_| Err(broken("horn"));
        // The sink measures it.
        sink.serve(event.clone(), handle).await.unwrap();
        let answer = &sink.answers()[0];
        assert_eq!((&answer["Status"], &answer[member]), (&json!("FAILED"), &event[member]));
    }
}

#[tokio::test]
async fn a_request_whose_answer_would_be_too_long_changes_nothing() {
    for member in ["StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId"] {
        let sink = Sink::default();
        let mut event = event("Update", &loud());
        event[member] = json!("x".repeat(4096));
        let untouched = async |_| panic!("the handler must not run");
        assert_eq!(sink.serve(event, untouched).await, Err(Undelivered::TooLong));
        assert!(sink.answers().is_empty());
    }
}

#[tokio::test]
async fn a_long_reason_is_cut_between_characters_and_keeps_its_beginning() {
    for pad in 0..8 {
        let sink = Sink::default();
        let what = "x".repeat(pad) + &"ü\"\n".repeat(3000);
        let handle = async |_| Err(broken(&what));
        sink.serve(event("Create", &loud()), handle).await.unwrap();
        let reason = sink.answers()[0]["Reason"].as_str().unwrap().to_owned();
        let end = "… (log stream 2026/11/21/[$LATEST]f00d)";
        assert!(reason.starts_with("cannot blow `") && reason.ends_with(end), "{reason}");
        assert!(reason.chars().count() > 1000, "{}", reason.chars().count());
    }
}

#[tokio::test]
async fn attributes_that_do_not_fit_are_dropped() {
    let sink = Sink::default();
    let data = [("Volume", "1".repeat(5000))].into();
    let reply = Mutex::new(Some(Reply { physical_id: "noise-1".to_owned(), data }));
    let handle = async |_| Ok(reply.lock().unwrap().take().unwrap());
    sink.serve(event("Create", &loud()), handle).await.unwrap();
    assert_eq!(sink.answers()[0].get("Data"), None);
    assert_eq!(sink.answers()[0]["Status"], "SUCCESS");
}

#[tokio::test]
async fn an_answer_goes_to_https_or_to_loopback_only() {
    for (url, accepted) in [
        (URL, true),
        ("http://127.0.0.1:4566/x", true),
        ("http://[::1]:4566/x", true),
        ("http://localhost:4566/x", true),
        ("https://answers.example.com/x", false),
        (
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com:8443/x",
            false,
        ),
        (
            "http://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
            false,
        ),
        ("http://127.0.0.1.example.com/x", false),
        ("http://10.0.0.1/x", false),
        ("file:///etc/hosts", false),
        ("answers", false),
    ] {
        let sink = Sink::default();
        let mut event = event("Create", &loud());
        event["ResponseURL"] = json!(url);
        let ran = Mutex::new(false);
        let handle = async |_| {
            *ran.lock().unwrap() = true;
            Ok(made())
        };
        assert_eq!(sink.serve(event, handle).await.is_ok(), accepted, "{url}");
        assert_eq!((*ran.lock().unwrap(), sink.answers().len() == 1), (accepted, accepted));
    }
}

#[test]
fn the_response_url_is_never_shown() {
    let envelope = Envelope::read(&event("Create", &loud()).into()).unwrap();
    assert!(!format!("{envelope:?}").contains("custom-resource-response"));
    let mut event = event("Create", &loud());
    for url in ["http://answers.example.com/secret", "https://[secret/"] {
        event["ResponseURL"] = json!(url);
        let error = Envelope::read(&event.clone().into()).unwrap_err();
        assert!(!chain(&error).contains("secret") && !format!("{error:?}").contains("secret"));
    }
}

#[test]
fn a_deadline_that_is_not_a_time_in_the_future_leaves_the_usual_time() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let instant = Instant::now();
    let mut context = Context::default();
    context.deadline = 600_000;
    assert_eq!(deadline_from(&context, now, instant), instant + FALLBACK);
    context.deadline = 500_000 * 3_600_000 + 1500;
    assert_eq!(deadline_from(&context, now, instant), instant + Duration::from_millis(1500));
}

/// A handler that answers later, and what it wrote down for that.
async fn later(
    sink: &Sink,
    event: Value,
    kept: &Mutex<String>,
) -> Result<Value, crate::ticket::Broken> {
    let http = SharedHttpConnector::new(sink.clone());
    let until = Instant::now() + Duration::from_mins(1);
    let handle = async |_: Request<Properties>, ticket: Ticket| {
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
        *kept.lock().unwrap() = serde_json::to_string(&ticket).unwrap();
        Ok(Outcome::Later)
    };
    let task = async |task: Task| match task.event.get("Double").and_then(Value::as_u64) {
        Some(number) => Ok(json!(2 * number)),
        None => Err(std::fmt::Error.into()),
    };
    serve_with_tasks(&http, &handle, &task, event, until, "a later stream").await
}

#[tokio::test]
async fn an_answer_that_comes_later_is_given_once_by_whoever_has_the_ticket() {
    let (sink, kept) = (Sink::default(), Mutex::default());
    let mut update = event("Update", &loud());
    update["PhysicalResourceId"] = json!("noise-1");
    update["OldResourceProperties"] = loud();
    assert_eq!(later(&sink, update, &kept).await.unwrap(), Value::Null);
    assert_eq!(sink.answers(), [] as [Value; 0]);
    let ticket: Ticket = serde_json::from_str(&kept.lock().unwrap()).unwrap();
    assert_eq!((ticket.request_id(), ticket.logical_id()), ("request/1 ü", "Noise"));
    assert_eq!(ticket.physical_id(), Some("noise-1"));
    let http = SharedHttpConnector::new(sink.clone());
    let now = Instant::now();
    ticket.answer(&http, Ok(made()), now, now + Duration::from_mins(1)).await.unwrap();
    let [answer] = &sink.answers()[..] else { panic!("one answer") };
    assert_eq!(
        (&answer["Status"], &answer["RequestId"]),
        (&json!("SUCCESS"), &json!("request/1 ü"))
    );
    assert_eq!(sink.received.lock().unwrap()[0].1, URL);
}

#[tokio::test]
async fn a_ticket_for_an_address_that_is_not_taken_is_none() {
    let (sink, kept) = (Sink::default(), Mutex::default());
    later(&sink, event("Create", &loud()), &kept).await.unwrap();
    let ticket = kept.lock().unwrap().replace("https://cloudformation", "http://cloudformation");
    let refused = serde_json::from_str::<Ticket>(&ticket).unwrap_err().to_string();
    assert!(refused.starts_with("the ResponseURL is not one of CloudFormation"), "{refused}");
}

#[tokio::test]
async fn an_event_that_is_no_request_is_a_task_whose_failure_is_told_to_whoever_sent_it() {
    let (sink, kept) = (Sink::default(), Mutex::default());
    assert_eq!(later(&sink, json!({ "Double": 21 }), &kept).await.unwrap(), json!(42));
    let failed = later(&sink, json!({ "Halve": 21 }), &kept).await.unwrap_err();
    let failed = Diagnostic::from(failed);
    assert_eq!(failed.error_type, "TaskFailed");
    assert!(sink.answers().is_empty());
}

#[tokio::test]
async fn a_handler_that_fails_has_answered_and_nobody_answers_later() {
    let sink = Sink::default();
    let http = SharedHttpConnector::new(sink.clone());
    let until = Instant::now() + Duration::from_mins(1);
    let handle = async |_: Request<Properties>, _| Err(std::fmt::Error.into());
    let task = async |_| Ok(Value::Null);
    let event = event("Create", &loud());
    serve_with_tasks(&http, &handle, &task, event, until, "stream").await.unwrap();
    assert_eq!(sink.answers()[0]["Status"], "FAILED");
}
