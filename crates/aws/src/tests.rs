//! What the production settings make of AWS's answers, on a clock that jumps.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use plan::backup_policy::{Room, Step};
use plan::id::PolicyType;
use plan::owner::Owner;
use plan::policy_types::{Desired, Status};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::backup_policy::{Identity, Wanted, apply, observe};
use crate::error::Kind;
use crate::session::{Management, Session};
use crate::{policy_types, publication};

/// What comes back.
#[derive(Clone, Debug)]
enum Reply {
    Answer(u16, Value),
    /// Nothing, ever.
    Silence,
}

/// An AWS that answers with a script and writes down what it was asked.
#[derive(Clone, Debug, Default)]
struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        self.asked.lock().unwrap().push(format!("{operation} {body}"));
        match self.replies.lock().unwrap().pop_front().expect("no more calls") {
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
            Reply::Answer(status, body) => {
                let body = SdkBody::from(body.to_string());
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
            }
        }
    }
}

impl Script {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { replies: Arc::new(Mutex::new(replies.into_iter().collect())), ..Self::default() }
    }

    async fn management(&self) -> Management {
        let session = Session::of_connector(SharedHttpConnector::new(self.clone()));
        let deadline = Instant::now() + Duration::from_mins(5);
        session.management(None, deadline).await.unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether every reply was needed.
    fn is_over(&self) -> bool {
        self.replies.lock().unwrap().is_empty()
    }
}

fn answer(body: Value) -> Reply {
    Reply::Answer(200, body)
}

fn refusal(code: &str) -> Reply {
    Reply::Answer(400, json!({"__type": code, "Message": "No."}))
}

fn identity() -> Identity {
    Identity { id: "p-daily12345".parse().unwrap(), arn: String::new() }
}

fn attach(target: &str) -> Step {
    Step::Attach(target.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_change_in_progress_is_waited_out() {
    let script = Script::new([
        refusal("ConcurrentModificationException"),
        refusal("PolicyChangesInProgressException"),
        refusal("com.amazonaws.organizations#FinalizingOrganizationException"),
        refusal("TooManyRequestsException"),
        answer(json!({})),
    ]);
    apply(&script.management().await, &mut Some(identity()), &[attach("r-ab12")]).await.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn retries_are_not_used_up_by_many_calls_that_are_throttled() {
    let throttled = || [refusal("TooManyRequestsException")].into_iter().cycle().take(3);
    let replies = (0..60).flat_map(|_| throttled().chain([answer(json!({}))]));
    let script = Script::new(replies);
    let steps: Vec<_> = (0..60).map(|it| attach(&format!("ou-ab12-unit00{it:02}"))).collect();
    apply(&script.management().await, &mut Some(identity()), &steps).await.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_others_use_up_is_waited_for_while_there_is_time() {
    let throttled = std::iter::repeat_n(refusal("TooManyRequestsException"), 23);
    let script = Script::new(throttled.chain([answer(json!({}))]));
    apply(&script.management().await, &mut Some(identity()), &[attach("r-ab12")]).await.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_waiting_does_not_change_is_told_at_once() {
    let script = Script::new([refusal("ConstraintViolationException")]);
    let failed =
        apply(&script.management().await, &mut Some(identity()), &[attach("r-ab12")]).await;
    let failed = failed.unwrap_err();
    assert_eq!(failed.to_string(), "cannot attach to r-ab12");
    assert_eq!(
        (failed.code(), failed.kind()),
        (Some("ConstraintViolationException"), Kind::Rejected)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_attached_already_is_as_wanted() {
    let script = Script::new([refusal("DuplicatePolicyAttachmentException")]);
    apply(&script.management().await, &mut Some(identity()), &[attach("r-ab12")]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_detached_or_gone_already_is_as_wanted() {
    for code in ["PolicyNotAttachedException", "TargetNotFoundException"] {
        let script = Script::new([refusal(code)]);
        let steps = [Step::Detach("r-ab12".parse().unwrap())];
        apply(&script.management().await, &mut Some(identity()), &steps).await.unwrap();
    }
    let script = Script::new([refusal("PolicyNotFoundException")]);
    apply(&script.management().await, &mut Some(identity()), &[Step::Delete]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_come_no_faster_than_aws_takes_them() {
    let script = Script::new(std::iter::repeat_n(answer(json!({})), 9));
    let management = script.management().await;
    let steps: Vec<_> = (0..9).map(|it| attach(&format!("ou-ab12-unit000{it}"))).collect();
    let started = Instant::now();
    apply(&management, &mut Some(identity()), &steps).await.unwrap();
    // Three at once and two a second from then on.
    assert!(started.elapsed() >= Duration::from_millis(2900), "{:?}", started.elapsed());
    assert!(started.elapsed() <= Duration::from_millis(3600), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_ends_before_the_deadline_and_says_what_it_was() {
    let script = Script::new(std::iter::repeat_n(Reply::Silence, 20));
    let management = script.management().await;
    let started = Instant::now();
    let failed = apply(&management, &mut Some(identity()), &[attach("r-ab12")]).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_mins(5));
    let why = std::error::Error::source(&failed).unwrap().to_string();
    assert!(why.starts_with("the function's deadline came first"), "{why}");
    assert_eq!(failed.to_string(), "cannot attach to r-ab12");
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_the_arn_of_its_root_does_not_name_is_asked_for() {
    let types = json!([{"Type": "BACKUP_POLICY", "Status": "ENABLED"}]);
    let desired = Desired::Enabled([PolicyType::backup()].into());
    for arn in ["arn:aws-cn:organizations::111122223333:root/o-a1b2c3d4e5/r-ab12", "r-ab12"] {
        let root = json!({"Id": "r-ab12", "Arn": arn, "PolicyTypes": types});
        let organization = json!({"Id": "o-a1b2c3d4e5", "MasterAccountId": "111122223333"});
        let script = Script::new([
            answer(json!({"Roots": [root]})),
            answer(json!({"Organization": organization})),
        ]);
        let (identity, _) =
            policy_types::observe(&script.management().await, &desired).await.unwrap();
        let named = (identity.organization_id.as_str(), identity.management_account.as_str());
        assert_eq!(named, ("o-a1b2c3d4e5", "111122223333"));
        assert_eq!(script.is_over(), arn == "r-ab12");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_type_on_its_way_is_waited_for_and_empty_pages_are_passed() {
    let root = |status: &str| {
        let types = json!([{"Type": "BACKUP_POLICY", "Status": status}]);
        answer(json!({"Roots": [{"Id": "r-ab12", "PolicyTypes": types}]}))
    };
    let script = Script::new([
        answer(json!({"Roots": [], "NextToken": "1"})),
        root("PENDING_ENABLE"),
        root("ENABLED"),
        answer(json!({"Policies": [], "NextToken": "2"})),
        answer(json!({"Policies": [{"Id": "p-other12345", "Name": "other"}]})),
        answer(json!({"Policies": [{"Id": "p-other12345"}]})),
        refusal("TargetNotFoundException"),
    ]);
    let targets = ["root", "ou-ab12-unit0001"].map(|it| it.parse().unwrap()).into();
    let owner = Owner::new("arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1", "Daily");
    let wanted = Wanted { name: "daily".parse().unwrap(), targets };
    let management = script.management().await;
    let (targets, observed) = observe(&management, &wanted, None, &owner).await.unwrap();
    assert_eq!(targets.len(), 2);
    assert_eq!(observed.policy_type, Status::Enabled);
    assert!(observed.policy.is_none());
    let found: Vec<_> = observed.room.into_values().collect();
    assert_eq!(found, [Room::Attached(1), Room::Missing]);
    assert_eq!(script.asked()[1], r#"ListRoots {"NextToken":"1"}"#);
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_denial_says_where_the_call_would_work() {
    let organization = json!({"Id": "o-example123", "MasterAccountId": "111122223333"});
    let script = Script::new([
        refusal("AccessDeniedException"),
        answer(json!({ "Organization": organization })),
    ]);
    let denied = script.management().await.root("read the root").await.unwrap_err();
    assert_eq!(denied.to_string(), "cannot read the root (the management account is 111122223333)");
    assert_eq!(denied.kind(), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_type_the_root_does_not_list_is_disabled() {
    let script = Script::new([answer(json!({"Roots": [{"Id": "r-ab12", "PolicyTypes": []}]}))]);
    let root = script.management().await.root("read the root").await.unwrap();
    assert_eq!(root.status(&PolicyType::backup()), Status::Disabled);
}

/// An effective policy that was last published at this time.
fn published(at: u32) -> Reply {
    answer(json!({"EffectivePolicy": {"LastUpdatedTimestamp": at}}))
}

#[tokio::test(start_paused = true)]
async fn a_report_is_read_once_the_change_is_published() {
    let script = Script::new([
        published(1),
        published(1),
        published(2),
        answer(json!({"Accounts": [], "NextToken": "1"})),
        answer(json!({"Accounts": [{"Id": "222222222222"}]})),
        answer(json!({"EffectivePolicyValidationErrors": [{
            "ErrorCode": "KEY_REQUIRED",
            "ErrorMessage": "'rules' is missing",
            "PathToError": "plans/daily",
            "ContributingPolicies": ["p-daily12345"],
        }]})),
    ]);
    let management = script.management().await;
    let before = publication::before(&management, "222222222222".parse().unwrap()).await.unwrap();
    let report = publication::after(&management, Some(&before)).await.unwrap();
    assert!(report.is_published);
    let frozen: Vec<_> = report.frozen.iter().map(ToString::to_string).collect();
    let expected =
        "222222222222: plans/daily: 'rules' is missing (KEY_REQUIRED, from p-daily12345)";
    assert_eq!(frozen, [expected]);
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_published_is_not_waited_for_forever() {
    let never = std::iter::repeat_n(published(1), 21);
    let script = Script::new(never.chain([answer(json!({"Accounts": []}))]));
    let management = script.management().await;
    let before = publication::before(&management, "222222222222".parse().unwrap()).await.unwrap();
    let report = publication::after(&management, Some(&before)).await.unwrap();
    assert!(!report.is_published && report.frozen.is_empty());
    assert!(script.is_over());
}
