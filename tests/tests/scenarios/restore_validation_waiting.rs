//! Restores that become ready, or do not, while they are waited for: on a clock that jumps, with a
//! script in place of AWS.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::Session;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use simulator::RestoreJob;
use tests::restored::{arn, completed};
use tokio::time::Instant;

/// An AWS that answers with a script, and keeps what it was sent last.
#[derive(Clone, Debug, Default)]
struct Script {
    replies: Arc<Mutex<VecDeque<String>>>,
    last: Arc<Mutex<Value>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        *self.last.lock().unwrap() = serde_json::from_slice(body).unwrap_or_default();
        let reply = self.replies.lock().unwrap().pop_front().unwrap();
        let reply = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(reply));
        HttpConnectorFuture::ready(Ok(reply))
    }
}

/// What is told of an instance that is seen to be like this, one after the other, in 15 minutes.
async fn told(seen: impl IntoIterator<Item = String>) -> Value {
    let job = RestoreJob::test("EC2", &arn("ec2", "instance/i-1"));
    let described = json!({
        "Status": "COMPLETED",
        "ResourceType": "EC2",
        "CreatedResourceArn": job.created,
        "ValidationStatus": "VALIDATING",
    });
    let replies = [described.to_string()].into_iter().chain(seen).chain([String::new()]);
    let script = Script { replies: Arc::new(Mutex::new(replies.collect())), ..Script::default() };
    let session = Session::through(SharedHttpConnector::new(script.clone()), "AKIA", None);
    let deadline = Instant::now() + Duration::from_mins(15);
    restore_validation::handle(&session, &completed("job", &job), deadline).await.unwrap();
    assert!(Instant::now() < deadline);
    script.last.lock().unwrap().clone()
}

fn checks(state: &str, system: &str, instance: &str) -> String {
    format!(
        "<DescribeInstanceStatusResponse><instanceStatusSet><item>\
         <instanceState><name>{state}</name></instanceState>\
         <systemStatus><status>{system}</status></systemStatus>\
         <instanceStatus><status>{instance}</status></instanceStatus>\
         </item></instanceStatusSet></DescribeInstanceStatusResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn what_becomes_ready_while_it_is_waited_for_is_good() {
    let seen = [
        checks("pending", "not-applicable", "not-applicable"),
        checks("running", "initializing", "initializing"),
        checks("running", "initializing", "ok"),
        checks("running", "ok", "ok"),
    ];
    let expected = json!({
        "ValidationStatus": "SUCCESSFUL",
        "ValidationStatusMessage": "instance i-1 is running and passed both status checks",
    });
    assert_eq!(told(seen).await, expected);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_while_it_is_waited_for_is_not_waited_for_any_longer() {
    let seen = [
        checks("pending", "not-applicable", "not-applicable"),
        checks("terminated", "not-applicable", "not-applicable"),
    ];
    let expected = json!({
        "ValidationStatus": "FAILED",
        "ValidationStatusMessage": "instance i-1 is terminated, not running",
    });
    assert_eq!(told(seen).await, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_in_time_is_said_to_be_so_before_the_function_is_stopped() {
    let looks = 15 * 60 / 15;
    let seen = std::iter::repeat_n(checks("running", "ok", "initializing"), looks);
    let told = told(seen).await;
    assert_eq!(told["ValidationStatus"], "FAILED");
    let message = told["ValidationStatusMessage"].as_str().unwrap();
    assert!(message.contains("instance status initializing"), "{message}");
}
