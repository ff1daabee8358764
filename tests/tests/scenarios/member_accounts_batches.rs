//! `Custom::MemberAccounts`, in batches that a state machine runs. The state machine is played here,
//! step by step; `member_accounts_machine.rs` has it run for real.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use simulator::{Fault, Moment, Outcome};
use tests::organization::Organization;
use tests::role::{STATE_BUCKET as BUCKET, STATE_MACHINE as MACHINE};
use tests::stack::{Answer, Stack};

use crate::member_accounts::{
    MANAGEMENT, ROLE, member_role, not_on, properties, with_roles, written,
};

/// A stack in an organization with a state bucket and a state machine that takes everything.
fn stack(organization: &Organization) -> Stack<'_> {
    organization.buckets(|it| it.create_bucket(BUCKET));
    organization.state_machines(|it| it.create(MACHINE));
    let stack = organization.stack("member-accounts").with("STATE_BUCKET", BUCKET);
    stack.with("STATE_MACHINE_ARN", MACHINE).with("BATCHES_ABOVE", "0")
}

fn object(organization: &Organization, key: &str) -> Option<String> {
    organization.buckets(|it| {
        let object = it.get(BUCKET, key, None).ok()?;
        Some(String::from_utf8(object.body.clone()).unwrap())
    })
}

fn keys(organization: &Organization, prefix: &str) -> Vec<String> {
    organization.buckets(|it| {
        let keys = it.keys(BUCKET).into_iter().filter(|it| it.starts_with(prefix));
        keys.map(ToOwned::to_owned).collect()
    })
}

/// The inputs of all executions.
fn executions(organization: &Organization) -> Vec<Value> {
    organization.state_machines(|it| {
        it.executions().iter().map(|it| serde_json::from_str(&it.input).unwrap()).collect()
    })
}

/// Sends a request that is answered later.
async fn begin(stack: &mut Stack<'_>, event: &Value) {
    let outcome = stack.invoke(event).await;
    assert_eq!(outcome, Outcome::Returned(Value::Null), "{}", stack.logs);
    assert!(stack.answers(event).is_empty(), "it is not answered yet");
}

/// Plays the map: every batch until nothing is left of it. Returns how long it was waited for.
async fn map(stack: &mut Stack<'_>, input: &Value) -> Vec<u64> {
    let batches = object(stack.organization(), input["Batches"].as_str().unwrap()).unwrap();
    let batches: Vec<Value> = serde_json::from_str(&batches).unwrap();
    let mut waited = vec![];
    for mut event in batches {
        loop {
            let Outcome::Returned(next) = stack.invoke(&event).await else {
                panic!("{}", stack.logs)
            };
            if next["Again"] == false {
                break;
            }
            waited.push(next["Seconds"].as_u64().unwrap());
            event = next;
        }
    }
    waited
}

async fn finish(stack: &mut Stack<'_>, input: &Value) -> Value {
    match stack.invoke(&json!({ "Finish": input })).await {
        Outcome::Returned(it) => it,
        other => panic!("{other:?}: {}", stack.logs),
    }
}

/// A whole run, and its answer.
async fn run(stack: &mut Stack<'_>, event: &Value) -> Answer {
    begin(stack, event).await;
    let input = executions(stack.organization()).pop().unwrap();
    map(stack, &input).await;
    finish(stack, &input).await;
    let [answer] = &stack.answers(event)[..] else { panic!("one answer") };
    answer.clone()
}

fn report(organization: &Organization, answer: &Answer) -> Vec<Value> {
    let key = answer.data["ReportUri"].strip_prefix("s3://state/").unwrap();
    let report = object(organization, key).unwrap();
    report.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[tokio::test]
async fn a_run_in_batches_reaches_every_account_and_answers_in_its_last_step() {
    // 249 accounts of which one is suspended: three batches.
    let organization = with_roles(250).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    let answer = run(&mut stack, &event).await.ok();
    assert_eq!((&*answer.data["AccountsReady"], &*answer.data["AccountsNotReady"]), ("249", "0"));
    assert_eq!(not_on(&organization, &["EBS", "S3"]), ["security-000 eu-west-1"; 0]);
    assert!(written(&organization).values().all(|it| *it == 1));
    let accounts: BTreeSet<_> =
        report(&organization, &answer).iter().map(|it| it["account"].to_string()).collect();
    assert_eq!(accounts.len(), 249);
    assert_eq!(
        keys(&organization, "runs/").iter().filter(|it| it.contains("/results/")).count(),
        3
    );
    // No invocation can answer again, even with an older version, and the owner of the stack knows
    // what it is to be.
    assert_eq!(keys(&organization, "answers/"), [""; 0]);
    let input = executions(&organization).pop().unwrap();
    let ticket = format!("answers/{}.json", input["Run"].as_str().unwrap());
    assert_eq!(organization.buckets(|it| it.versions(BUCKET, &ticket).len()), 0);
    let kept = object(&organization, "desired/member-accounts/backups/5d3c/Resource.json").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap()["Properties"]["RoleName"], ROLE);
}

#[tokio::test]
async fn a_run_in_batches_costs_no_more_calls_than_one_without() {
    let organization = with_roles(250).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    let _ = run(&mut stack, &event).await.ok();
    organization.clear_journal();
    let event = stack.event("Create", &properties(json!({})));
    let _ = run(&mut stack, &event).await.ok();
    let journal = organization.journal();
    let services =
        [simulator::Service::Organizations, simulator::Service::Sts, simulator::Service::Backup];
    let calls = journal.iter().filter(|it| services.contains(&it.service)).count();
    // Of 249 accounts one is the management account, which needs no role but is described.
    assert_eq!(calls, 250_usize.div_ceil(20) + 249 * (1 + 2));
    assert!(written(&organization).is_empty());
}

#[tokio::test]
async fn an_execution_is_told_nothing_of_where_the_answer_goes() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    let input = executions(&organization).pop().unwrap();
    let members: Vec<_> = input.as_object().unwrap().keys().collect();
    assert_eq!(members, ["Batches", "Run"]);
    let url = event["ResponseURL"].as_str().unwrap();
    for key in keys(&organization, "") {
        let has_it = object(&organization, &key).unwrap().contains(url);
        assert_eq!(has_it, key.starts_with("answers/"), "{key}");
    }
}

#[tokio::test]
async fn a_duplicate_delivery_starts_nothing_and_answers_nothing() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    // While it runs, and when it is over.
    begin(&mut stack, &event).await;
    let input = executions(&organization).pop().unwrap();
    map(&mut stack, &input).await;
    finish(&mut stack, &input).await;
    let outcome = stack.invoke(&event).await;
    assert_eq!(outcome, Outcome::Returned(Value::Null), "{}", stack.logs);
    assert_eq!(stack.answers(&event).len(), 1);
    assert_eq!(executions(&organization).len(), 1);
    // Another request is another run.
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    assert_eq!(executions(&organization).len(), 2);
}

#[tokio::test]
async fn an_execution_that_cannot_be_started_is_told_at_once_and_only_once() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    organization.fail(Fault::error("StartExecution", "AccessDeniedException").forever());
    let event = stack.event("Create", &properties(json!({})));
    let failed = stack.send(&event).await.reason();
    assert!(failed.starts_with("cannot start the run"), "{failed}");
    // Should it run after all, it answers nobody.
    assert_eq!(keys(&organization, "answers/"), [""; 0]);
}

#[tokio::test]
async fn a_start_whose_reply_was_lost_is_not_started_again() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    organization.fail(Fault::new("StartExecution", simulator::Kind::DropAfter));
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    assert_eq!(executions(&organization).len(), 1);
}

#[tokio::test]
async fn a_beginning_that_was_killed_anywhere_begins_once_when_it_is_delivered_again() {
    for nth in 1.. {
        let organization = with_roles(5).await;
        let mut stack = stack(&organization);
        let event = stack.event("Create", &properties(json!({})));
        let hold = organization.hold(nth, Moment::After);
        let was_killed = stack.kill(&event, hold).await;
        if !was_killed {
            assert!(nth > 6, "it was killed a few times");
            break;
        }
        begin(&mut stack, &event).await;
        let [input] = &executions(&organization)[..] else { panic!("one execution, {nth}") };
        map(&mut stack, input).await;
        finish(&mut stack, input).await;
        assert_eq!(stack.answers(&event).len(), 1, "{nth}");
    }
}

#[tokio::test]
async fn an_account_whose_role_comes_later_is_tried_again_and_the_others_are_not() {
    let organization = with_roles(8).await;
    let late = organization.id("production-002");
    organization.iam(|it| it.delete_role(&late, ROLE));
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    let input = executions(&organization).pop().unwrap();
    let batches = object(&organization, input["Batches"].as_str().unwrap()).unwrap();
    let [batch] = &serde_json::from_str::<Vec<Value>>(&batches).unwrap()[..] else { panic!() };
    let Outcome::Returned(next) = stack.invoke(batch).await else { panic!("{}", stack.logs) };
    assert_eq!((&next["Again"], &next["Seconds"]), (&json!(true), &json!(30)));
    assert_eq!(next["Batch"]["Accounts"], json!([{ "Id": late, "Name": "production-002" }]));
    organization.iam(|it| it.create_role(&late, member_role()));
    organization.clear_journal();
    let next = stack.invoke(&next).await;
    assert_eq!(next, Outcome::Returned(json!({ "Again": false })));
    let assumed = organization.journal().into_iter().filter(|it| it.operation == "AssumeRole");
    assert_eq!(assumed.count(), 1);
    finish(&mut stack, &input).await;
    let [answer] = &stack.answers(&event)[..] else { panic!("one answer") };
    assert_eq!((&*answer.data["AccountsReady"], &*answer.data["AccountsNotReady"]), ("8", "0"));
}

#[tokio::test]
async fn a_role_that_never_comes_is_waited_for_a_while_and_then_told() {
    let organization = with_roles(8).await;
    let late = organization.id("production-002");
    organization.iam(|it| it.delete_role(&late, ROLE));
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    begin(&mut stack, &event).await;
    let input = executions(&organization).pop().unwrap();
    assert_eq!(map(&mut stack, &input).await, [30, 60, 120, 240]);
    finish(&mut stack, &input).await;
    let [answer] = &stack.answers(&event)[..] else { panic!("one answer") };
    assert_eq!((&*answer.data["AccountsReady"], &*answer.data["AccountsNotReady"]), ("7", "1"));
    let report = report(&organization, answer);
    let lines: Vec<_> = report.iter().filter(|it| it["account"] == *late).collect();
    assert_eq!((lines.len(), &lines[0]["ready"]), (1, &json!(false)));
}

#[tokio::test]
async fn a_batch_that_failed_is_told_account_by_account_also_when_the_map_gave_up() {
    let organization = with_roles(150).await;
    let mut stack = stack(&organization);
    for (map_failed, success) in
        [(None, true), (Some("States.ExceedToleratedFailureThreshold"), false)]
    {
        let event = stack.event("Create", &properties(json!({})));
        begin(&mut stack, &event).await;
        let mut input = executions(&organization).pop().unwrap();
        let batches = object(&organization, input["Batches"].as_str().unwrap()).unwrap();
        let batches: Vec<Value> = serde_json::from_str(&batches).unwrap();
        // The second batch is never worked on.
        assert!(matches!(stack.invoke(&batches[0]).await, Outcome::Returned(_)));
        if let Some(error) = map_failed {
            input["MapFailed"] = json!({ "Error": error, "Cause": "…" });
        }
        finish(&mut stack, &input).await;
        let [answer] = &stack.answers(&event)[..] else { panic!("one answer") };
        assert_eq!(answer.success, success, "{answer}");
        if success {
            assert_eq!(
                (&*answer.data["AccountsReady"], &*answer.data["AccountsNotReady"]),
                ("100", "49")
            );
            let report = report(&organization, answer);
            let lost =
                report.iter().filter(|it| it["problem"] == "not reached, since its batch failed");
            assert_eq!(lost.count(), 49);
        } else {
            let expected = "49 of 149 accounts were not reached, because their batches failed \
                            (States.ExceedToleratedFailureThreshold)";
            assert!(answer.reason.starts_with(expected), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_last_step_that_was_killed_anywhere_answers_when_it_is_repeated() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    for nth in 1.. {
        let event = stack.event("Create", &properties(json!({})));
        begin(&mut stack, &event).await;
        let input = executions(&organization).pop().unwrap();
        map(&mut stack, &input).await;
        let end = json!({ "Finish": input });
        let hold = organization.hold(nth, Moment::Before);
        let was_killed = stack.kill(&end, hold).await;
        finish(&mut stack, &input).await;
        // Killed between the answer and its end, it gives the same answer again.
        let answers = stack.answers(&event);
        assert!((1..=2).contains(&answers.len()) && answers[0].success, "{nth}: {answers:?}");
        assert!(answers.iter().all(|it| it.body == answers[0].body));
        assert_eq!(keys(&organization, "answers/"), [""; 0]);
        if !was_killed {
            break;
        }
    }
}

#[tokio::test]
async fn the_last_step_tries_again_until_cloudformation_has_its_answer() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({ "OnNotReady": "Fail" })));
    organization.fail(Fault::error("PutResponse", "ServiceUnavailable").times(2));
    let answer = run(&mut stack, &event).await;
    assert!(answer.success, "{answer}");
}

#[tokio::test]
async fn an_event_that_is_no_step_fails_and_changes_nothing() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    for event in [json!({}), json!({ "Batch": {} }), json!({ "Finish": { "Run": "a/b" } })] {
        let Outcome::Failed(why) = stack.invoke(&event).await else { panic!("{event}") };
        assert_eq!(why["errorType"], "TaskFailed");
    }
    let Outcome::Failed(why) = stack.invoke(&json!({ "Finish": { "Run": "gone" } })).await else {
        panic!("there is no such run")
    };
    assert!(why["errorMessage"].as_str().unwrap().starts_with("there is no runs/gone/run.json"));
}

#[tokio::test]
async fn the_events_of_the_state_machine_are_steps_of_a_run() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    let event = |name: &str| -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/member-accounts");
        serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let (batch, end) = (event("batch.json"), event("finish.json"));
    // What the function would have written down for them.
    let order = json!({
        "Properties": properties(json!({})),
        "Management": MANAGEMENT,
        "Partition": "aws",
        "Accounts": 1,
    });
    let run = batch["Batch"]["Run"].as_str().unwrap();
    let mut batch = batch.clone();
    batch["Batch"]["Accounts"][0]["Id"] = json!(organization.id("security-000"));
    organization.buckets(|it| {
        it.put(BUCKET, &format!("runs/{run}/run.json"), order.to_string());
        it.put(BUCKET, &format!("runs/{run}/batches.json"), json!([batch]).to_string());
    });
    assert_eq!(stack.invoke(&batch).await, Outcome::Returned(json!({ "Again": false })));
    // Nobody waits for an answer to this run.
    let sum = stack.invoke(&end).await;
    assert_eq!(sum, Outcome::Returned(json!({ "NotReady": 0, "Ready": 1 })));
    assert!(object(&organization, &format!("runs/{run}/report.jsonl")).is_some());
}

/// What EventBridge tells of an execution that was no success.
fn ended(run: &Value, status: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/member-accounts");
    let event = fs::read_to_string(folder.join("ended.json")).unwrap();
    let mut event: Value = serde_json::from_str(&event).unwrap();
    event["detail"]["name"] = run.clone();
    event["detail"]["status"] = json!(status);
    event
}

#[tokio::test]
async fn an_execution_that_ended_before_its_last_step_answers_once_and_says_why() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    for (status, how, reason, told) in [
        (
            "FAILED",
            "failed",
            Some(("States.Runtime", "no such path")),
            "States.Runtime: no such path",
        ),
        ("ABORTED", "was stopped", None, "no reason was given"),
        ("TIMED_OUT", "ran out of time", Some(("States.Timeout", "")), "States.Timeout"),
    ] {
        let event = stack.event("Create", &properties(json!({})));
        begin(&mut stack, &event).await;
        let input = executions(&organization).pop().unwrap();
        let mut ended = ended(&input["Run"], status);
        let (error, cause) = reason.unzip();
        (ended["detail"]["error"], ended["detail"]["cause"]) = (json!(error), json!(cause));
        for _ in 0..2 {
            let outcome = stack.invoke(&ended).await;
            assert_eq!(outcome, Outcome::Returned(Value::Null), "{}", stack.logs);
        }
        let run = input["Run"].as_str().unwrap();
        let expected = format!(
            "the execution {run} of the state machine {how} before its last step had answered \
             ({told}); hint: its history and the log of the function say more; deploy again to \
             continue"
        );
        let [answer] = &stack.answers(&event)[..] else { panic!("one answer") };
        assert!(answer.reason.starts_with(&expected), "{answer}");
        assert_eq!(keys(&organization, "answers/"), [""; 0]);
        // Somebody has it continue, and no second notice is sent.
        map(&mut stack, &input).await;
        finish(&mut stack, &input).await;
        assert_eq!(stack.answers(&event).len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_execution_that_ended_after_its_last_step_says_nothing_more() {
    let organization = with_roles(5).await;
    let mut stack = stack(&organization);
    let event = stack.event("Create", &properties(json!({})));
    let answer = run(&mut stack, &event).await;
    assert!(answer.success, "{answer}");
    let input = executions(&organization).pop().unwrap();
    organization.clear_journal();
    for name in [input["Run"].clone(), json!("5d3c"), json!("by hand: again")] {
        let outcome = stack.invoke(&ended(&name, "FAILED")).await;
        assert_eq!(outcome, Outcome::Returned(Value::Null), "{}", stack.logs);
    }
    assert_eq!(stack.answers(&event).len(), 1);
    assert_eq!(organization.take_writes(), "");
    // What is no end is no event of the rule.
    assert!(matches!(stack.invoke(&ended(&input["Run"], "SUCCEEDED")).await, Outcome::Failed(_)));
}
