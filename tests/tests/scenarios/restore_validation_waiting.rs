//! Restores that become ready, or do not, while they are waited for: on a clock that jumps, with a
//! script in place of AWS.

use std::time::Duration;

use aws::Session;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use serde_json::{Value, json};
use simulator::RestoreJob;
use simulator::script::{ENVIRONMENT, Script};
use tests::restored::{arn, completed};
use tokio::time::Instant;

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
    let script = Script::new(replies.map(|it| (200, it)));
    let session = Session::from_variables(SharedHttpConnector::new(script.clone()), ENVIRONMENT);
    let deadline = Instant::now() + Duration::from_mins(15);
    restore_validation::handle(&session, &completed("job", &job), deadline).await.unwrap();
    assert!(Instant::now() < deadline);
    serde_json::from_str(&script.asked().pop().unwrap().body).unwrap()
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
