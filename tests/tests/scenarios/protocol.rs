//! The protocol of custom resources through the real binaries, with AWS at its worst.

use std::collections::BTreeSet;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{CallOutcome, Fault, Function, Kind, Moment, Outcome, Rates, Settings};
use tests::binaries::binary;
use tests::organization::{Organization, document};
use tests::role::STATE_BUCKET;
use tests::stack::LOG_STREAM;

use crate::backup_policy::daily;
use crate::cases::{self, Undisturbed, for_each};

/// The published rates, and a little more: how far apart two calls arrive is not up to who sends
/// them.
const A_LITTLE_MORE: Rates = Rates::Scaled(1.25);

fn root() -> [String; 1] {
    ["root".to_owned()]
}

#[tokio::test]
async fn a_hanging_call_is_answered_before_the_deadline() {
    for_each(cases::all(), |case| async move {
        for operation in ["ListRoots", "DescribeGlobalSettings", "DescribePolicy"] {
            let organization = case.organization(Settings::default()).await;
            let (stack, event) = case.begin(&organization).await;
            let mut stack = stack.within(Duration::from_secs(3));
            organization.fail(Fault::delay(operation, Duration::from_mins(10)));
            let answer = stack.send(&event).await;
            let called = organization.journal().iter().any(|it| it.operation == operation);
            assert!(answer.success || answer.reason.contains("deploy again"), "{answer}");
            assert!(answer.success || !called, "{}", case.name);
        }
    })
    .await;
}

/// Every kind of write of every case goes wrong once like this, and it makes no difference.
async fn no_difference(kind: Kind) {
    let mut items = Vec::new();
    for Undisturbed { case, calls, answer, end } in cases::undisturbed().await {
        let writes = calls.into_iter().filter(|it| it.write && it.operation != "PutResponse");
        let operations: BTreeSet<_> = writes.map(|it| it.operation).collect();
        for operation in operations {
            items.push((case.clone(), operation, kind.clone(), answer.clone(), end.clone()));
        }
    }
    assert!(items.len() > 20, "{}", items.len());
    for_each(items, |(case, operation, kind, expected, end)| async move {
        let organization = case.organization(Settings::default()).await;
        let (mut stack, event) = case.begin(&organization).await;
        organization.fail(Fault::new(&operation, kind));
        let answer = stack.send(&event).await;
        let place = format!("{}, {operation}", case.name);
        assert!(answer.success, "{place}: {answer}");
        let dropped = organization.lines(|it| it.outcome == CallOutcome::Dropped);
        assert_eq!(dropped.lines().count(), 1, "{place}");
        assert_eq!(answer.data.len(), expected.data.len(), "{place}");
        assert_eq!(organization.state(), end, "{place}");
    })
    .await;
}

#[tokio::test]
async fn a_lost_reply_makes_no_difference() {
    no_difference(Kind::DropAfter).await;
}

#[tokio::test]
async fn a_lost_request_makes_no_difference() {
    no_difference(Kind::DropBefore).await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_sent_again() {
    let organization = Organization::bare(Settings::default()).await;
    let failure = simulator::Failure { status: 503, ..simulator::Failure::new("SlowDown") };
    organization.fail(Fault::new("PutResponse", Kind::Error(failure)).times(2));
    let mut stack = organization.stack("policy-types");
    let _ = stack.create(json!({ "PolicyTypes": "BACKUP_POLICY" })).await.ok();
    expect![[r"
        PutResponse response-: SlowDown
        PutResponse response-: SlowDown
        PutResponse response-
    "]]
    .assert_eq(
        &organization
            .lines(|it| it.operation == "PutResponse")
            .replace(|it: char| it.is_ascii_digit(), ""),
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_delivered_is_left_to_the_next_delivery() {
    let organization = Organization::bare(Settings::default()).await;
    organization.fail(Fault::new("PutResponse", Kind::DropBefore).forever());
    let mut stack = organization.stack("policy-types").within(Duration::from_secs(3));
    let event = stack.event("Create", &json!({ "PolicyTypes": "BACKUP_POLICY" }));
    let outcome = stack.invoke(&event).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    // Lambda delivers the request again.
    organization.clear_faults();
    organization.clear_journal();
    let _ = stack.send(&event).await.ok();
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn an_answer_that_is_refused_until_the_deadline_is_told_as_that() {
    let organization = Organization::bare(Settings::default()).await;
    organization.fail(Fault::error("PutResponse", "AccessDenied").status(403).forever());
    let mut stack = organization.stack("policy-types").within(Duration::from_secs(3));
    let event = stack.event("Create", &json!({ "PolicyTypes": "BACKUP_POLICY" }));
    let Outcome::Failed(told) = stack.invoke(&event).await else { panic!("it was answered") };
    let why = told["errorMessage"].as_str().unwrap();
    let refused = "the answer was refused with HTTP status 403, the last of ";
    assert!(why.starts_with(refused) && why.ends_with(" attempts"), "{why}");
    assert!(stack.logs.contains(why), "{}", stack.logs);
}

#[tokio::test]
async fn half_of_a_character_is_answered_with_the_path_of_its_property() {
    let organization = Organization::bare(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let mut properties = daily(3, &root());
    properties["Description"] = json!("half");
    let event = stack.event("Create", &properties);
    let function = Function::of(&binary("backup-policy"), &organization)
        .env("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM);
    let function = function.start().await.unwrap();
    let text = event.to_string().replace("half", r"\ud83d");
    let outcome = function.invoke_text(&text, Duration::from_mins(1)).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}");
    let [answer] = stack.answers(&event).try_into().unwrap();
    let why = "property `Description`: unexpected end of hex escape at line 1 column ";
    assert!(answer.reason.starts_with(why), "{answer}");
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn an_event_whose_deadline_is_no_number_does_not_end_the_process() {
    let organization = Organization::bare(Settings::default()).await;
    for name in ["policy-types", "member-accounts", "reattach", "restore-validation"] {
        let function = Function::of(&binary(name), &organization)
            .env("STATE_BUCKET", STATE_BUCKET)
            .env("VALIDATION_WINDOW_HOURS", "1");
        let function = function.start().await.unwrap();
        function.idle().await;
        let event = json!({ "source": "nobody" });
        assert!(function.invoke_without_deadline(&event, "soon").await, "{}", function.logs());
        let lost = "an event was lost, since its deadline is not a number";
        assert!(function.logs().contains(lost), "{}", function.logs());
        let outcome = function.invoke(&event, Duration::from_mins(1)).await;
        assert!(
            matches!(outcome, Outcome::Returned(_) | Outcome::Failed(_)),
            "{name}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn an_unanswered_creation_is_found_by_name_and_tag() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("daily-2", &["root"]);
    let before = organization.state();
    let mut stack = organization.stack("backup-policy");
    let create = stack.event("Create", &daily(3, &root()));
    // The function dies with the policy created and not yet attached.
    let made = || organization.organization(|it| it.policy_named("daily").is_some());
    for nth in 1.. {
        let hold = organization.hold(nth, Moment::After);
        assert!(stack.kill(&create, hold).await);
        if made() {
            break;
        }
    }
    // CloudFormation gives up waiting, makes up an ID and deletes that.
    stack.physical_id = Some("backups-Resource-1A2B3C4D5E6F".to_owned());
    let delete = stack.event("Delete", &daily(3, &root()));
    let _ = stack.send(&delete).await.ok();
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn two_overlapping_runs_of_one_request_make_one_policy() {
    let organization = Organization::ready(Settings::default()).await;
    let mut first = organization.stack("backup-policy");
    let mut second = organization.stack("backup-policy");
    let properties = daily(3, &[organization.id("Security"), organization.id("Sandbox")]);
    let create = first.event("Create", &properties);
    let (one, two) = tokio::join!(first.invoke(&create), second.invoke(&create));
    assert_eq!([one, two], [Outcome::Returned(Value::Null), Outcome::Returned(Value::Null)]);
    let answers = first.answers(&create);
    assert!(!answers.is_empty());
    for answer in answers {
        assert_eq!(answer.ok().data["PolicyId"], organization.policy_id("daily"));
    }
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to Security Sandbox
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
    assert!(organization.organization(|it| it.policies("BACKUP_POLICY").count()) == 1);
}

#[tokio::test]
async fn two_stacks_at_once_both_get_their_policy() {
    let settings = Settings { write_time: Duration::from_millis(500), ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut first = organization.stack("backup-policy").named("First");
    let mut second = organization.stack("backup-policy").named("Second");
    let mut weekly = daily(4, &root());
    weekly["Name"] = json!("weekly");
    let (one, two) = tokio::join!(first.create(daily(3, &root())), second.create(weekly));
    let _ = (one.ok(), two.ok());
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/First
        policy weekly is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 4 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Second
    "]]);
}

#[tokio::test]
async fn a_function_keeps_to_the_published_rates() {
    let settings = || Settings { rates: A_LITTLE_MORE, ..Settings::default() };
    // What comes before an update or a deletion has used up some of the rates.
    let first = cases::all().into_iter().filter(|it| !it.is_update() && !it.is_delete());
    for_each(first.collect(), move |case| async move {
        let organization = case.organization(settings()).await;
        let (mut stack, event) = case.begin(&organization).await;
        let _ = stack.send(&event).await.ok();
        let throttled = organization.lines(|it| it.to_string().contains("TooManyRequests"));
        assert_eq!(throttled, "", "{}", case.name);
    })
    .await;
}

#[tokio::test]
async fn many_targets_are_attached_at_the_published_rate() {
    let settings = Settings { rates: A_LITTLE_MORE, ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut stack = organization.stack("backup-policy");
    let targets: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).take(10).collect());
    let _ = stack
        .create(json!({ "Name": "daily", "Content": document(3), "TargetIds": targets }))
        .await
        .ok();
    assert_eq!(organization.lines(|it| it.to_string().contains("TooManyRequests")), "");
}

#[tokio::test]
async fn a_bootstrap_gets_through_at_the_published_rates() {
    let settings = Settings { rates: Rates::Published, ..Settings::default() };
    let organization = Organization::bare(settings).await;
    // At once, so that each needs a name of its own.
    let mut types = organization.stack("policy-types").named("Types");
    let mut access = organization.stack("service-access").named("Access");
    let mut settings = organization.stack("global-settings");
    let mut policy = organization.stack("backup-policy");
    let services = json!({ "ServicePrincipals": ["backup.amazonaws.com"], "StackSets": true });
    let (types, access, settings) = tokio::join!(
        types.create(json!({ "PolicyTypes": ["BACKUP_POLICY", "TAG_POLICY"] })),
        access.create(services),
        settings.create(json!({ "CrossAccountBackup": true, "OnDelete": "Restore" })),
    );
    let _ = (types.ok(), access.ok(), settings.ok());
    let _ = policy.create(daily(3, &root())).await.ok();
    organization.check_state(expect![[r"
        BACKUP_POLICY is ENABLED
        TAG_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        root has the tag org-backup:found-settings/0c50f776b7c9dda0 = CrossAccountBackup=false DelegatedAdministrator=false MultiPartyApproval=false
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy daily is attached to root
          it is described as Managed by org-backup
          it runs at cron(0 3 ? * * *)
          it has the tag org-backup:owner = backups/5d3c/Resource
    "]]);
}
