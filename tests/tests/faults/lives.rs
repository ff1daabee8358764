//! The life of one resource under deliveries as AWS makes them: at every call of its creation, all
//! that can happen between CloudFormation and a function.
//!
//! Whatever it is, what exists in the end is what the living resources ask for and nothing else that
//! is ours: at once, 17 minutes later, and 25 hours later.

use std::fmt;
use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use simulator::{Entry, Moment, Role, Settings};
use tests::organization::{Latency, Organization, document};
use tests::reattach::TOPIC;
use tests::role::STATE_BUCKET;
use tests::stack::Stack;

use crate::extent::{asked, few};
use crate::pool::{attempt, deep, for_each};
use crate::resources::pass;
use crate::visits::look_after_everything;

const BACKUP: &str = "backup.amazonaws.com";

/// The custom resources, each so that deleting it undoes what it did.
const FUNCTIONS: [&str; 5] =
    ["policy-types", "service-access", "global-settings", "backup-policy", "member-accounts"];

/// What happens to a creation at one of its calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Course {
    /// The function is killed. CloudFormation gives up and deletes, and then Lambda delivers again.
    Killed(Moment),
    /// A sibling fails: CloudFormation deletes, and then the call goes on.
    Cancelled(Moment),
    /// The request is delivered a second time, and both go on after a while.
    Twice(Duration),
    /// The answer is refused. CloudFormation gives up and deletes, and then Lambda delivers again.
    Refused,
    /// It is created, and killed while it is updated. Then it is deleted, and the Update comes again.
    UpdateKilled(Moment),
}

/// One life.
struct Life {
    function: &'static str,
    is_kept: bool,
    course: Course,
    nth: u64,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, is_kept, course, nth } = self;
        let bucket = if *is_kept { "with" } else { "without" };
        write!(f, "{function} {bucket} a state bucket, {course:?} at call {nth}")
    }
}

fn properties(organization: &Organization, function: &str, is_updated: bool) -> Value {
    match function {
        "policy-types" => {
            let types =
                if is_updated { json!(["TAG_POLICY", "S3_POLICY"]) } else { json!(["TAG_POLICY"]) };
            json!({ "PolicyTypes": types, "OnDelete": "Disable" })
        }
        "service-access" => {
            let administrator = json!({
                "AccountId": organization.id("security-000"), "ServicePrincipal": BACKUP,
            });
            json!({
                "ServicePrincipals": [BACKUP], "StackSets": true, "OnDelete": "Revert",
                "DelegatedAdministrators": if is_updated { json!([administrator]) } else { json!([]) },
            })
        }
        "global-settings" => json!({
            "CrossAccountBackup": true, "MultiPartyApproval": is_updated, "OnDelete": "Restore",
        }),
        "backup-policy" => json!({
            "Name": "daily", "Content": document(3 + u8::from(is_updated)), "TargetIds": ["root"],
        }),
        "member-accounts" => json!({
            "RoleName": "org-backup-member", "Regions": ["eu-west-1"],
            "OptIn": { "EBS": true, "S3": is_updated },
        }),
        other => panic!("{other} serves no custom resource"),
    }
}

/// An organization in which everything that the functions need is there, and nothing of theirs.
async fn ready() -> Organization {
    let organization = Organization::bare(Settings::default().accounts(2)).await;
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, simulator::BACKUP_POLICY).unwrap();
    });
    pass(Duration::from_mins(1)).await;
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let anything = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let role = Role::trusting_account("org-backup-member", "111122223333").allowing(&anything);
    organization.iam(|it| it.create_role_everywhere(role));
    organization.topics(|it| it.create(TOPIC));
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.in_process(Latency::None)
}

fn stack<'a>(organization: &'a Organization, life: &Life) -> Stack<'a> {
    let stack = organization.stack(life.function).redelivered();
    if life.is_kept { stack.kept() } else { stack }
}

/// The calls of a creation and of an update of it.
fn calls(function: &'static str, is_kept: bool) -> [Vec<Entry>; 2] {
    let life = Life { function, is_kept, course: Course::Refused, nth: 1 };
    let run = attempt(1, async {
        let organization = ready().await;
        let mut stack = stack(&organization, &life);
        let before = organization.state();
        organization.clear_journal();
        let _ = stack.create(properties(&organization, function, false)).await.ok();
        let created = organization.journal();
        organization.clear_journal();
        let _ = stack.update(properties(&organization, function, true)).await.ok();
        let updated = organization.journal();
        let _ = stack.delete().await.ok();
        assert_eq!(organization.state(), before, "deleting it does not undo what it did");
        [created, updated]
    });
    run.unwrap_or_else(|why| panic!("{function}: {why}"))
}

async fn live(life: &Life) {
    let Life { function, course, nth, .. } = life;
    let organization = ready().await;
    let before = organization.state();
    let mut stack = stack(&organization, life);
    let [wanted, updated] = [false, true].map(|it| properties(&organization, function, it));
    let mut end = before.clone();
    match course {
        Course::Refused => {
            stack.refused = true;
            let created = stack.create(wanted.clone()).await;
            assert!(!created.success, "it is answered: {created}");
        }
        Course::Killed(moment) => {
            for _ in 0..3 {
                stack.wire().kill_at(*nth, *moment);
            }
            let created = stack.create(wanted.clone()).await;
            stack.wire().spare();
            if created.success {
                let _ = stack.delete().await.ok();
            }
        }
        Course::Cancelled(moment) => {
            let create = stack.event("Create", &wanted);
            let mut other = self::stack(&organization, life);
            other.resume(None, wanted.clone());
            let mut hold = organization.hold(*nth, *moment);
            let delete = async {
                assert!(hold.reached().await, "the call never came");
                let delete = other.give_up(&wanted);
                let deleted = other.send(&delete).await;
                drop(hold);
                deleted
            };
            let (_, deleted) = join(stack.invoke(&create), delete).await;
            let _ = deleted.ok();
            assert_eq!(organization.state(), end, "once both are done");
            let _when_it_comes_again = other.invoke(&create).await;
        }
        Course::Twice(pause) => {
            let create = stack.event("Create", &wanted);
            let mut other = self::stack(&organization, life);
            let mut hold = organization.hold(*nth, Moment::After);
            let second = async {
                assert!(hold.reached().await, "the call never came");
                let second = other.invoke(&create);
                let release = async {
                    pass(*pause).await;
                    drop(hold);
                };
                join(second, release).await.0
            };
            join(stack.invoke(&create), second).await;
            let answers = stack.answers(&create);
            assert!(!answers.is_empty(), "nobody answers");
            for answer in answers {
                let _ = answer.ok();
            }
            end = {
                let organization = ready().await;
                let mut stack = self::stack(&organization, life);
                let _ = stack.create(wanted.clone()).await.ok();
                organization.state()
            };
        }
        Course::UpdateKilled(moment) => {
            let _ = stack.create(wanted.clone()).await.ok();
            for _ in 0..3 {
                stack.wire().kill_at(*nth, *moment);
            }
            let _given_up_or_not = stack.update(updated.clone()).await;
            stack.wire().spare();
            let _ = stack.delete().await.ok();
        }
    }
    if let Some(rollback) = stack.rollback.take() {
        assert!(rollback.success, "the rollback fails: {rollback}");
    }
    assert_eq!(organization.state(), end, "at once");
    if !matches!(course, Course::Twice(_)) {
        // Without a state bucket only a Create asks whether it is late.
        for pick in 0..3 {
            stack.deliver_late(pick, |it| life.is_kept || it["RequestType"] == "Create").await;
        }
        assert_eq!(organization.state(), end, "when requests come again");
    }
    if !life.is_kept {
        return;
    }
    for later in [Duration::from_mins(17), Duration::from_hours(25)] {
        organization.pass(later);
        look_after_everything(&organization).await;
        assert_eq!(organization.state(), end, "{later:?} later");
    }
}

/// Every life, or of each course as many as are enough for a look.
fn lives(is_thorough: bool) -> Vec<Life> {
    let moments = [Moment::Before, Moment::After];
    let mut lives = Vec::new();
    for (function, is_kept) in FUNCTIONS.into_iter().flat_map(|it| [(it, true), (it, false)]) {
        let [created, updated] = calls(function, is_kept);
        let mut add = |course, calls: &[Entry]| {
            for (nth, call) in (1..).zip(calls) {
                // What is read changes nothing, so one moment is enough.
                let is_same = !call.write && matches!(course, Course::Killed(Moment::After));
                if is_thorough || !(is_same || (nth % 2 == 0 && !call.write)) {
                    lives.push(Life { function, is_kept, course, nth });
                }
            }
        };
        add(Course::Refused, &created[..1]);
        for moment in moments {
            add(Course::Killed(moment), &created);
            add(Course::UpdateKilled(moment), &updated);
            // Without a state bucket nobody tells the creation that it was overtaken.
            if is_kept {
                add(Course::Cancelled(moment), &created);
            }
        }
        for pause in [0, 40, 3_000] {
            add(Course::Twice(Duration::from_millis(pause)), &created);
        }
    }
    lives
}

#[test]
fn what_exists_is_what_the_living_resources_ask_for_and_nothing_else_that_is_ours() {
    let lives = deep(|| lives(asked("SOAK_MINUTES").is_some()));
    let lives = few(lives, |it| format!("{} {:?} {}", it.function, it.course, it.is_kept));
    println!("{} lives", lives.len());
    let check = |it: &Life| attempt(1, live(it)).map_err(|why| format!("{it}:\n{why}"));
    let broken = for_each(&lives, check);
    assert!(broken.is_empty(), "{} of {}:\n{}", broken.len(), lives.len(), broken.join("\n\n"));
}
