//! `Custom::MemberAccounts` when things go wrong on a larger scale.

use std::time::Duration;

use serde_json::json;
use simulator::{Fault, Kind, Moment};

use crate::member_accounts::{ROLE, not_on, properties, with_roles, written};

/// 199 of 200 accounts are active.
const ACCOUNTS: usize = 200;

#[tokio::test]
async fn killed_after_any_call_and_started_again_no_account_is_written_twice() {
    // Among the pages, the roles, the reads and the writes.
    for nth in [1, 5, 12, 40, 150, 400, 700, 990] {
        let organization = with_roles(ACCOUNTS).await;
        let mut stack = organization.stack("member-accounts");
        let event = stack.event("Create", &properties(json!({})));
        let hold = organization.hold(nth, Moment::After);
        assert!(stack.kill(&event, hold).await, "there are as many calls as {nth}");
        assert!(stack.send(&event).await.success);
        assert_eq!(not_on(&organization, &["EBS", "S3"]), [""; 0], "{nth}");
        let written = written(&organization);
        assert_eq!((written.len(), written.values().sum::<usize>()), (398, 398), "{nth}");
    }
}

#[tokio::test]
async fn of_many_calls_that_go_wrong_only_accounts_that_deny_are_left_and_each_is_named() {
    let organization = with_roles(ACCOUNTS).await;
    let denying = ["production-002", "sandbox-018"].map(|it| organization.id(it));
    for account in &denying {
        organization.iam(|it| it.delete_role(account, ROLE));
    }
    // 5 % of the calls are throttled, and 2 % get no reply to what they did.
    for nth in (20..1_400).step_by(20) {
        organization.fail(Fault::error("*", "ThrottlingException").nth(nth));
    }
    for nth in (33..1_400).step_by(50) {
        organization.fail(Fault::new("*", Kind::DropAfter).nth(nth));
    }
    let mut stack = organization.stack("member-accounts").with("STATE_BUCKET", "state");
    organization.buckets(|it| it.create_bucket("state"));
    let event = stack.event("Create", &properties(json!({})));
    // The answer may be among the calls whose reply is lost, and is then given again.
    stack.invoke(&event).await;
    let answers = stack.answers(&event);
    let answer = answers.last().unwrap();
    assert!(answer.success, "{answer}");
    assert_eq!((&*answer.data["AccountsReady"], &*answer.data["AccountsNotReady"]), ("197", "2"));
    let left = not_on(&organization, &["EBS", "S3"]);
    assert_eq!(left.len(), 4, "{left:?}");
    let key = answer.data["ReportUri"].strip_prefix("s3://state/").unwrap().to_owned();
    let report = organization.buckets(|it| it.get("state", &key, None).unwrap().body.clone());
    let report = String::from_utf8(report).unwrap();
    let failures: Vec<_> = report.lines().filter(|it| it.contains(r#""ready":false"#)).collect();
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(denying.iter().all(|it| failures.iter().any(|line| line.contains(it.as_str()))));
    assert_eq!(report.lines().count(), 199);
}

#[tokio::test]
async fn a_run_that_has_too_little_time_says_where_it_stopped_and_what_was_done_stays_done() {
    let organization = with_roles(ACCOUNTS).await;
    organization.settings(|it| it.latency = Duration::from_millis(40));
    let mut stack = organization.stack("member-accounts").within(Duration::from_secs(4));
    let event = stack.event("Create", &properties(json!({ "Concurrency": 2 })));
    let reason = stack.send(&event).await.reason();
    assert!(reason.starts_with("the function ran out of time after "), "{reason}");
    let done = written(&organization);
    assert!(!done.is_empty() && done.len() < 398, "{}", done.len());
    // Deployed again with more time, it goes on and repeats nothing.
    organization.settings(|it| it.latency = Duration::ZERO);
    let mut stack = organization.stack("member-accounts");
    let _ = stack.create(properties(json!({}))).await.ok();
    assert!(written(&organization).values().all(|it| *it == 1));
    assert_eq!(not_on(&organization, &["EBS", "S3"]), [""; 0]);
}

#[tokio::test]
async fn an_account_that_is_throttled_to_the_end_is_one_line_and_no_retry_of_another() {
    let organization = with_roles(12).await;
    // All attempts for the third account, and then one of each that follows.
    organization.fail(Fault::error("AssumeRole", "ThrottlingException").nth(3).times(5));
    organization.fail(Fault::error("DescribeRegionSettings", "ThrottlingException").nth(4));
    let mut stack = organization.stack("member-accounts");
    let created = stack.create(properties(json!({ "Concurrency": 1 }))).await.ok();
    assert_eq!((&*created.data["AccountsReady"], &*created.data["AccountsNotReady"]), ("10", "1"));
    assert_eq!(not_on(&organization, &["EBS", "S3"]).len(), 2);
}
