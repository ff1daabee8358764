//! What the production settings make of AWS's answers, on a clock that jumps.

use std::time::Duration;

use aws::{Error, Kind, Management, Need, Pages, Session};
use aws_sdk_organizations::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use errors::{Reader, chain};
use plan::backup_policy::{Room, Step};
use plan::id::PolicyType;
use plan::owner::Owner;
use plan::policy_types::{Desired, Status};
use policy::partition::Partition;
use serde_json::{Value, json};
use simulator::script::{Asked, ENVIRONMENT, Reply, Script};
use state::{Expected, State, Version};
use tokio::time::Instant;

use crate::accounts::accounts_below;
use crate::backup_policy::{Identity, Wanted, apply, observe};
use crate::organizations::{root, settled_root};
use crate::preflight::account_under;
use crate::{policy_types, publication};

/// What a script is reached by.
trait Reached {
    fn session(&self) -> Session;

    async fn management(&self) -> Management;
}

impl Reached for Script {
    fn session(&self) -> Session {
        let connector = SharedHttpConnector::new(self.clone());
        Session::from_variables(connector, Reader::Author, ENVIRONMENT)
    }

    async fn management(&self) -> Management {
        let deadline = Instant::now() + Duration::from_mins(5);
        self.session().management(None, deadline).await.unwrap()
    }
}

fn page(status: u16) -> Reply {
    Reply::Raw(status, &[("content-type", "text/html")], b"<html>Bad gateway</html>".to_vec())
}

fn cut(status: u16) -> Reply {
    Reply::Raw(status, &[], br#"{"Roots":[{"Id":"#.to_vec())
}

fn answer(body: Value) -> Reply {
    Reply::from((200, body))
}

fn refusal(code: &str) -> Reply {
    Reply::from((400, json!({"__type": code, "Message": "No."})))
}

fn identity() -> Identity {
    Identity { id: "p-daily12345".parse().unwrap(), arn: String::new() }
}

fn attach(target: &str) -> Step {
    Step::Attach(target.parse().unwrap())
}

fn accounts(ids: &[&str]) -> Reply {
    answer(json!({ "Accounts": ids.iter().map(|it| json!({ "Id": it })).collect::<Vec<_>>() }))
}

fn units(ids: &[&str]) -> Reply {
    let units: Vec<_> = ids.iter().map(|it| json!({ "Id": it, "Name": "Teams" })).collect();
    answer(json!({ "OrganizationalUnits": units }))
}

#[tokio::test(start_paused = true)]
async fn an_ou_that_is_deleted_during_a_walk_has_no_accounts() {
    let script = Script::new([
        accounts(&["111122223333"]),
        units(&["ou-ab12-11111111", "ou-ab12-22222222"]),
        refusal("ParentNotFoundException"),
        refusal("ParentNotFoundException"),
        accounts(&["444455556666"]),
        // It is deleted between the two reads.
        refusal("ParentNotFoundException"),
    ]);
    let below = accounts_below(&script.management().await, &"r-ab12".parse().unwrap()).await;
    let below: Vec<_> = below.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(below, ["111122223333", "444455556666"]);
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn one_account_ends_the_walk_to_it() {
    let script = Script::new([
        accounts(&["111122223333"]),
        units(&["ou-ab12-11111111", "ou-ab12-22222222"]),
        accounts(&["444455556666"]),
    ]);
    // The account and the first OU have policies of their own.
    let attached = ["111122223333", "ou-ab12-11111111"].map(|it| it.parse().unwrap()).into();
    let (management, root) = (script.management().await, "r-ab12".parse().unwrap());
    let account = account_under(&management, &root, &attached).await.unwrap();
    assert_eq!(account, Some("444455556666".parse().unwrap()));
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_fails_the_search_for_its_accounts() {
    let script = Script::new([refusal("ParentNotFoundException")]);
    let (management, gone) = (script.management().await, "ou-ab12-11111111".parse().unwrap());
    let error = account_under(&management, &gone, &[].into()).await.unwrap_err();
    assert_eq!(error.code(), Some("ParentNotFoundException"));
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
    let Asked { operation, body } = &script.asked()[1];
    assert_eq!((operation.as_str(), body.as_str()), ("ListRoots", r#"{"NextToken":"1"}"#));
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_policy_type_with_a_status_that_is_new_is_waited_for_no_longer() {
    // No status of AWS so far: nobody knows what it means.
    let types = json!([{"Type": "BACKUP_POLICY", "Status": "REHEATING"}]);
    let roots = json!({"Roots": [{"Id": "r-ab12", "PolicyTypes": types}]});
    let script = Script::new([answer(roots.clone()), answer(roots)]);
    let management = script.management().await;
    let settled = settled_root(&management, &PolicyType::backup(), "read the root").await.unwrap();
    assert_eq!(settled.status(&PolicyType::backup()), Status::Unknown);
    let identity = policy_types::Identity {
        root_id: "r-ab12".parse().unwrap(),
        organization_id: "o-a1b2c3d4e5".to_owned(),
        management_account: "111122223333".parse().unwrap(),
    };
    let steps = [plan::policy_types::Step::AwaitEnabled(PolicyType::backup())];
    let failed = policy_types::apply(&management, &identity, &steps).await.unwrap_err();
    let words = "cannot wait until policy type BACKUP_POLICY is enabled: AWS has a status for it \
                 that this release does not know";
    assert_eq!(failed.problem(), words);
    assert_eq!(failed.kind(), Kind::Rejected);
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_comes_back_to_a_page_is_an_error_that_says_so() {
    let empty = || answer(json!({"Roots": [], "NextToken": "again"}));
    let script = Script::new([empty(), empty()]);
    let failed = root(&script.management().await, "read the root").await.unwrap_err();
    let words = "AWS answers with a page that it has returned before; hint: something between the \
                 function and AWS answers in its place";
    assert!(chain(&failed).contains(words), "{}", chain(&failed));
    assert!(script.is_over());
}

#[test]
fn a_listing_that_never_ends_is_an_error_after_more_pages_than_there_can_be() {
    let mut pages = Pages::default();
    let mut turned = 0;
    let error = loop {
        assert!(pages.token().is_some());
        match pages.turn("list the tea", Some(turned.to_string())) {
            Ok(()) => turned += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(turned, 9_999);
    let words =
        "cannot list the tea: AWS has returned more pages than its quotas allow, and more follow";
    assert_eq!(error.problem(), words);
    let hint = "; hint: find out who made so many, or what answers in place of AWS";
    assert_eq!(chain(&error), format!("{words}{hint}"));
}

#[tokio::test(start_paused = true)]
async fn a_denial_says_where_the_call_would_work() {
    let organization = json!({"Id": "o-example123", "MasterAccountId": "111122223333"});
    let script = Script::new([
        refusal("AccessDeniedException"),
        answer(json!({ "Organization": organization })),
    ]);
    let denied = root(&script.management().await, "read the root").await.unwrap_err();
    assert_eq!(denied.to_string(), "cannot read the root (the management account is 111122223333)");
    assert_eq!(denied.kind(), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_type_the_root_does_not_list_is_disabled() {
    let script = Script::new([answer(json!({"Roots": [{"Id": "r-ab12", "PolicyTypes": []}]}))]);
    let root = root(&script.management().await, "read the root").await.unwrap();
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

/// Attaches a policy while AWS answers with `replies`.
async fn attached(replies: impl IntoIterator<Item = Reply>) -> (Script, Result<(), Error>) {
    let script = Script::new(replies);
    let steps = [attach("r-ab12")];
    let applied = apply(&script.management().await, &mut Some(identity()), &steps).await;
    (script, applied)
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_when_the_answer_is_not_awss() {
    for garbled in [page(200), cut(200), page(403), page(503), Reply::Raw(502, &[], vec![])] {
        let roots = json!({"Roots": [{"Id": "r-ab12", "PolicyTypes": []}]});
        let script = Script::new([garbled, answer(roots)]);
        root(&script.management().await, "read the root").await.unwrap();
        assert!(script.is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_not_awss_is_found_to_be_done() {
    for garbled in [page(200), cut(200)] {
        let done = refusal("DuplicatePolicyAttachmentException");
        let (script, applied) = attached([garbled, done]).await;
        applied.unwrap();
        assert!(script.is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_names_the_status_the_last_error_and_the_attempts() {
    let attempts = 24;
    let hint = "; hint: something between the function and AWS answers in its place, such as a \
                proxy or an endpoint that the environment names";
    let busy = || Reply::from((503, json!({"__type": "ServiceException", "Message": "No."})));
    let expected = [
        (page(503), "AWS answered 503 with an answer that is not from AWS (HTML)", hint),
        (cut(200), "AWS answered 200 with a part of an answer (JSON that is cut off)", hint),
        (
            Reply::Raw(200, &[], b"OK".to_vec()),
            "AWS answered 200 with an answer that is not documented",
            hint,
        ),
        (
            Reply::Raw(500, &[], vec![]),
            "AWS answered 500 with an empty body, where an answer is expected",
            hint,
        ),
    ];
    for (reply, what, hint) in expected {
        let (script, applied) = attached(std::iter::repeat_n(reply, attempts)).await;
        let failed = applied.unwrap_err();
        let why = format!("cannot attach to r-ab12: {what}, the last of 24 attempts{hint}");
        assert_eq!(chain(&failed), why);
        assert_eq!(failed.kind(), Kind::Transient);
        assert!(script.is_over());
    }
    let (_, applied) = attached(std::iter::repeat_n(busy(), attempts)).await;
    let why = "cannot attach to r-ab12: ServiceException (HTTP 503, the last of 24 attempts): No.; \
               hint: this passes; deploy again";
    assert_eq!(chain(&applied.unwrap_err()), why);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_told_when_the_deadline_comes() {
    let replies = [page(502), refusal("TooManyRequestsException")];
    let (_, applied) =
        attached(replies.into_iter().chain(std::iter::repeat_n(Reply::Silence, 20))).await;
    let why = chain(&applied.unwrap_err());
    let expected = "cannot attach to r-ab12: the function's deadline came first; after";
    assert!(why.starts_with(expected), "{why}");
    let ours = "dispatch failure: timeout";
    assert!(why.contains("attempts the last answer was: ") && !why.contains(ours), "{why}");
}

#[tokio::test(start_paused = true)]
async fn being_told_to_come_in_an_hour_does_not_stop_the_attempts() {
    let headers = &[("retry-after", "3600"), ("x-amz-retry-after", "3600000")];
    let body = br#"{"__type":"TooManyRequestsException","Message":"No."}"#.to_vec();
    let later = [400, 429, 503].map(|status| Reply::Raw(status, headers, body.clone()));
    let started = Instant::now();
    let (script, applied) = attached(later.into_iter().chain([answer(json!({}))])).await;
    applied.unwrap();
    assert!(script.is_over());
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_not_kept_in_memory() {
    let endless = Reply::Raw(200, &[], vec![b' '; (32 << 20) + 1]);
    let (_, applied) = attached([endless]).await;
    let why = chain(&applied.unwrap_err());
    let expected = "cannot attach to r-ab12: AWS answered 200 with more than 32 MiB; hint: AWS and \
                    the functions do not write texts of this length";
    assert!(why.starts_with(expected), "{why}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_in_the_middle_is_asked_for_again() {
    let (script, applied) = attached([Reply::Stall, answer(json!({}))]).await;
    applied.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn what_is_optional_has_two_attempts_and_seconds() {
    let failures: [fn() -> Reply; 3] =
        [|| Reply::Silence, || Reply::Stall, || Reply::from((500, json!({"__type": "X"})))];
    for failure in failures {
        let script = Script::new(std::iter::repeat_n(failure(), 2));
        let management = script.management().await.for_what_is(Need::Optional);
        let started = Instant::now();
        let account = "222222222222".parse().unwrap();
        let failed = publication::before(&management, account).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::Transient);
        assert!(chain(&failed).contains("the last of 2 attempts"), "{}", chain(&failed));
        assert!(started.elapsed() <= Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(script.is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_optional_leaves_most_of_a_short_deadline() {
    let script = Script::new(std::iter::repeat_n(Reply::Silence, 2));
    let session = script.session();
    let deadline = Instant::now() + Duration::from_secs(10);
    let management = session.management(None, deadline).await.unwrap();
    let optional = management.for_what_is(Need::Optional);
    let started = Instant::now();
    let account = "222222222222".parse().unwrap();
    let failed = publication::before(&optional, account).await.unwrap_err();
    assert!(started.elapsed() <= Duration::from_secs(4), "{:?}", started.elapsed());
    let why = chain(&failed);
    assert!(
        why.contains(
            "the remaining time is kept for the calls that are needed; AWS did not answer"
        ),
        "{why}"
    );
}

/// Tells people something, while SNS answers with `replies`.
async fn told(replies: impl IntoIterator<Item = Reply>) -> (Script, Result<(), Error>) {
    let script = Script::new(replies);
    let session = script.session();
    let deadline = Instant::now() + Duration::from_mins(5);
    let mail = media::Mail::default().about("subject");
    let published = session.publish("arn:aws:sns:x:1:y", &mail, deadline).await;
    (script, published)
}

fn xml(status: u16, body: &str) -> Reply {
    Reply::Raw(status, &[("content-type", "text/xml")], body.into())
}

/// What SNS answers where it refuses.
fn refused_in_xml(status: u16, code: &str) -> Reply {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    xml(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_sdk_is_sent_again_as_one_with_an_sdk_is() {
    let (script, published) = told([
        page(200),
        page(403),
        xml(200, "<PublishResponse><PublishResult>"),
        Reply::Stall,
        Reply::Raw(502, &[], vec![]),
        refused_in_xml(400, "Throttling"),
        refused_in_xml(400, "ConcurrentModificationException"),
        refused_in_xml(500, "InternalError"),
        xml(200, "<PublishResponse><PublishResult/></PublishResponse>"),
    ])
    .await;
    published.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_sdk_is_told_as_one_with_an_sdk_is() {
    let action = "cannot publish to arn:aws:sns:x:1:y: ";
    let rows = [
        (
            page(503),
            "AWS answered 503 with an answer that is not from AWS (HTML), the last of 12 attempts; \
             hint: something between the function and AWS answers in its place, such as a proxy or \
             an endpoint that the environment names",
        ),
        (
            refused_in_xml(500, "InternalError"),
            "InternalError (HTTP 500, the last of 12 attempts): No.; hint: this passes; deploy again",
        ),
        (refused_in_xml(404, "NotFound"), "NotFound (HTTP 404): No."),
        (
            refused_in_xml(403, "AuthorizationError"),
            "AuthorizationError (HTTP 403): No.; hint: let the function's role publish to the topic \
             and use the key that encrypts it",
        ),
    ];
    for (reply, why) in rows {
        let (_, published) = told(std::iter::repeat_n(reply, 12)).await;
        assert_eq!(chain(&published.unwrap_err()), format!("{action}{why}"));
    }
    let silence = std::iter::repeat_n(Reply::Silence, 20);
    let (_, published) = told([page(502)].into_iter().chain(silence)).await;
    let why = chain(&published.unwrap_err());
    let last = "; after 2 attempts the last answer was: AWS answered 502 with an answer";
    assert!(why.contains(last), "{why}");
}

/// Writes to the state bucket, if nothing is there, while S3 answers with `replies`.
async fn written(replies: impl IntoIterator<Item = Reply>) -> (Script, Result<Version, Error>) {
    let script = Script::new(replies);
    let session = script.session();
    let session = session.with_state("state");
    let state = State::of(&session, Instant::now() + Duration::from_mins(5)).unwrap();
    let written = state.write("desired/x.json", "{}".to_owned(), Expected::Nothing).await;
    (script, written)
}

fn conflict() -> Reply {
    let body = "<Error><Code>ConditionalRequestConflict</Code><Message>No.</Message></Error>";
    Reply::Raw(409, &[("content-type", "application/xml")], body.into())
}

#[tokio::test(start_paused = true)]
async fn a_write_that_met_another_one_in_s3_is_sent_again() {
    let stored = Reply::Raw(200, &[("etag", "\"1\"")], vec![]);
    let (script, written) = written([conflict(), conflict(), stored]).await;
    written.unwrap();
    assert!(script.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_meets_others_in_s3_for_ever_is_not_told_as_theirs() {
    let (script, written) = written(std::iter::repeat_n(conflict(), 12)).await;
    let failed = written.unwrap_err();
    let why = "cannot write s3://state/desired/x.json: ConditionalRequestConflict (HTTP 409, the last \
               of 12 attempts): No.; hint: this passes; deploy again";
    assert_eq!((chain(&failed).as_str(), failed.kind()), (why, Kind::Transient));
    assert!(script.is_over());
}

/// Where the SDK has AWS Organizations for a caller in `region`.
async fn endpoint_of(region: &str) -> String {
    let params = Params::builder().region(region).use_dual_stack(false).use_fips(false).build();
    DefaultResolver::new().resolve_endpoint(&params.unwrap()).await.unwrap().url().to_owned()
}

#[tokio::test]
async fn every_partition_is_as_the_sdk_has_it() {
    for partition in Partition::ALL {
        let (region, suffix) = (partition.organizations_region(), partition.url_suffix());
        let endpoint = format!("https://organizations.{region}.{suffix}");
        for caller in partition.regions() {
            assert_eq!(endpoint_of(caller).await, endpoint, "{caller}");
        }
        for area in partition.areas() {
            // A Region that neither knows.
            assert_eq!(endpoint_of(&format!("{area}-tea-9")).await, endpoint, "{area}");
        }
    }
}

/// The answer of STS to a caller with this ARN.
fn caller(arn: &str) -> Reply {
    let space = "https://sts.amazonaws.com/doc/2011-06-15/";
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"{space}\"><GetCallerIdentityResult><Arn>{arn}</Arn>\
         <UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    );
    Reply::Raw(200, &[("content-type", "text/xml")], text.into_bytes())
}

#[tokio::test(start_paused = true)]
async fn a_caller_of_no_known_partition_is_not_taken_for_one_of_the_commercial_one() {
    for (arn, why) in [
        (
            "arn:aws-tea:iam::111122223333:root",
            "cannot ask who is calling: `aws-tea` is not a partition of AWS that this release knows; \
             hint: use a newer one",
        ),
        (
            "root",
            "cannot ask who is calling: AWS answered without an ARN; hint: this is not how the API is \
             documented",
        ),
    ] {
        let failed = Script::new([caller(arn)]).management().await.caller().await.unwrap_err();
        assert_eq!(chain(&failed), why);
    }
    let known = Script::new([caller("arn:aws-eusc:iam::111122223333:root")]);
    let known = known.management().await.caller().await.unwrap();
    assert_eq!(known.partition, Partition::EuropeanSovereign);
}
