//! Restores that become ready, or do not, while they are waited for: on a clock that jumps, with a
//! script in place of AWS.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws::{Reader, Session};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use restore_validation::{Setup, Unfinished};
use serde_json::{Value, json};
use simulator::RestoreJob;
use simulator::script::{Asked, ENVIRONMENT, Script};
use tests::reattach::batch;
use tests::restored::completed;
use tokio::time::Instant;

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "111122223333";
const CLUSTER: &str = "awsbackup-restore-test-orders";
const JOB: &str = "8E1F6B70-3C2D-4A95";

/// The instance that the cluster is given.
const READER: &str = "org-backup-restore-test-8e1f6b70-3c2d-4a95";

fn arn(service: &str, what: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{what}")
}

fn plain() -> Setup {
    let window = Duration::from_hours(1);
    Setup { window, instance_class: None, checks: BTreeMap::new() }
}

/// What the function comes to in 15 minutes, and what it asked, when a restore of this type was
/// completed so many minutes ago, and AWS says one after the other what is `seen`.
async fn run(
    restored: (&str, &str),
    setup: &Setup,
    minutes_ago: u64,
    seen: impl IntoIterator<Item = String>,
) -> (Result<(), Unfinished>, Vec<Asked>) {
    answered(restored, setup, minutes_ago, seen.into_iter().map(|it| (200, it))).await
}

/// The same, where each answer has its own HTTP status.
async fn answered(
    restored: (&str, &str),
    setup: &Setup,
    minutes_ago: u64,
    seen: impl IntoIterator<Item = (u16, String)>,
) -> (Result<(), Unfinished>, Vec<Asked>) {
    let (done, asked) = invoked(restored, setup, minutes_ago, seen, |it| it).await;
    (done.map(|it| assert_eq!(it, json!({ "batchItemFailures": [] }))), asked)
}

/// The same for an event in the queue. Returns `true` if it is delivered again.
async fn queued(
    restored: (&str, &str),
    setup: &Setup,
    minutes_ago: u64,
    seen: impl IntoIterator<Item = (u16, String)>,
) -> (bool, Vec<Asked>) {
    let batch = |event| batch(1, &[event]);
    let (done, asked) = invoked(restored, setup, minutes_ago, seen, batch).await;
    (done.unwrap() != json!({ "batchItemFailures": [] }), asked)
}

async fn invoked(
    (resource_type, created): (&str, &str),
    setup: &Setup,
    minutes_ago: u64,
    seen: impl IntoIterator<Item = (u16, String)>,
    payload: impl FnOnce(Value) -> Value,
) -> (Result<Value, Unfinished>, Vec<Asked>) {
    let job = RestoreJob::test(resource_type, created);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let described = json!({
        "Status": "COMPLETED",
        "ResourceType": resource_type,
        "CreatedResourceArn": created,
        "ValidationStatus": "VALIDATING",
        "CreatedBy": { "RestoreTestingPlanArn": arn("backup", "restore-testing-plan:org_backup") },
        "CompletionDate": now.as_secs() - minutes_ago * 60,
        "BackupSizeInBytes": 8_u64 << 30,
    });
    let replies = [(200, described.to_string())].into_iter().chain(seen);
    let script = Script::new(replies.chain([(200, String::new())]));
    let connector = SharedHttpConnector::new(script.clone());
    let session = Session::from_variables(connector, Reader::Log, ENVIRONMENT);
    let deadline = Instant::now() + Duration::from_mins(15);
    let payload = payload(completed(JOB, &job));
    let done = restore_validation::handle(&session, setup, &payload, deadline).await;
    assert!(Instant::now() < deadline);
    (done.map(|it| json!(it)), script.asked())
}

/// The result that AWS Backup got of an instance in this state, 48 minutes after its restore.
async fn told(seen: impl IntoIterator<Item = String>) -> Value {
    let (done, asked) = run(("EC2", &arn("ec2", "instance/i-1")), &plain(), 48, seen).await;
    done.unwrap();
    last(&asked)
}

fn last(asked: &[Asked]) -> Value {
    serde_json::from_str(&asked.last().unwrap().body).unwrap()
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

/// What EC2 says of an instance that runs, and of its volumes.
fn running(system: &str, instance: &str) -> [String; 2] {
    let volumes = "<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>";
    [checks("running", system, instance), volumes.to_owned()]
}

#[tokio::test(start_paused = true)]
async fn what_becomes_ready_while_it_is_waited_for_is_good() {
    let pending = checks("pending", "not-applicable", "not-applicable");
    let later = [running("initializing", "ok"), running("ok", "ok")];
    let told = told([pending].into_iter().chain(later.into_iter().flatten())).await;
    assert_eq!(told["ValidationStatus"], "SUCCESSFUL");
    let message = told["ValidationStatusMessage"].as_str().unwrap();
    assert!(message.starts_with("instance i-1 is running and passed both status checks"));
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

/// An instance that is never ready, as long as it is looked at.
fn never() -> impl Iterator<Item = String> {
    let looks = 15 * 60 / 15;
    std::iter::repeat_n(running("ok", "initializing"), looks).flatten()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_when_the_window_is_nearly_over_is_said_to_be_so_in_time() {
    let told = told(never()).await;
    assert_eq!(told["ValidationStatus"], "FAILED");
    let message = told["ValidationStatusMessage"].as_str().unwrap();
    assert!(message.contains("instance status initializing"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_while_there_is_time_for_another_try_gets_no_result() {
    for minutes_ago in [0, 16, 32, 39] {
        let instance = arn("ec2", "instance/i-1");
        let (done, asked) = run(("EC2", &instance), &plain(), minutes_ago, never()).await;
        let Err(Unfinished::Unsettled { job, why }) = done else { panic!("{done:?}") };
        assert_eq!(job, JOB);
        assert!(why.starts_with("instance i-1 was not ready in time"), "{why}");
        assert!(asked.iter().all(|it| !it.operation.starts_with("PUT")), "{minutes_ago}");
    }
}

/// The reason why the instance in `seen` got no result in a run that began so many minutes after
/// its restore, or the result that it got.
async fn ending(minutes_ago: u64, seen: impl IntoIterator<Item = (u16, String)>) -> String {
    let instance = arn("ec2", "instance/i-1");
    let (done, asked) = answered(("EC2", &instance), &plain(), minutes_ago, seen).await;
    match done {
        Ok(()) => {
            let told = last(&asked);
            let text = |name: &str| told[name].as_str().unwrap().to_owned();
            format!("{}: {}", text("ValidationStatus"), text("ValidationStatusMessage"))
        }
        Err(Unfinished::Unsettled { why, .. }) => format!("no result: {why}"),
        Err(other) => panic!("{other:?}"),
    }
}

fn fine(bodies: impl IntoIterator<Item = String>) -> Vec<(u16, String)> {
    bodies.into_iter().map(|it| (200, it)).collect()
}

fn refusal(code: &str) -> String {
    format!("<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>")
}

#[tokio::test(start_paused = true)]
async fn what_aws_describes_late_is_good_once_aws_describes_it() {
    let late = [
        ("gone", vec![(400, refusal("InvalidInstanceID.NotFound"))]),
        ("impaired", fine(running("impaired", "ok"))),
        ("denied", vec![(403, refusal("UnauthorizedOperation"))]),
        ("refused", vec![(400, refusal("OptInRequired"))]),
    ];
    for (name, late) in late {
        let told = ending(0, late.into_iter().chain(fine(running("ok", "ok")))).await;
        assert!(told.starts_with("SUCCESSFUL: instance i-1 is running"), "{name}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_away_has_failed_after_the_time_of_two_runs_and_not_before() {
    let looks = 15 * 60 / 15;
    let missing = vec![(400, refusal("InvalidInstanceID.NotFound"))];
    let denied = vec![(403, refusal("UnauthorizedOperation"))];
    let stays = [
        ("instance i-1 does not exist, though it was restored", missing),
        (
            "instance i-1 is running, but its system status is impaired",
            fine(running("impaired", "ok")),
        ),
        ("could not be looked at: the role lacks ec2:DescribeInstanceStatus", denied),
    ];
    for (why, seen) in stays {
        let always = std::iter::repeat_n(seen.clone(), looks).flatten();
        let told = ending(0, always).await;
        assert!(told.starts_with(&format!("no result: {why}")), "{told}");
        let told = ending(30, seen).await;
        assert!(told.starts_with(&format!("FAILED: {why}")), "{told}");
    }
}

fn cluster(members: &[&str]) -> String {
    let member = |it: &&str| {
        let id = format!("<DBInstanceIdentifier>{it}</DBInstanceIdentifier>");
        format!("<DBClusterMember>{id}</DBClusterMember>")
    };
    let members: String = members.iter().map(member).collect();
    format!(
        "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
         <Status>available</Status><Endpoint>orders.rds</Endpoint><Engine>neptune</Engine>\
         <DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>\
         </DescribeDBClustersResult></DescribeDBClustersResponse>"
    )
}

fn database(status: &str) -> String {
    format!(
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
         <DBInstanceStatus>{status}</DBInstanceStatus><Endpoint><Address>one.rds</Address></Endpoint>\
         </DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"
    )
}

fn answer(operation: &str) -> String {
    format!("<{operation}Response><{operation}Result/></{operation}Response>")
}

fn made() -> Setup {
    Setup { instance_class: Some("db.t4g.medium".to_owned()), ..plain() }
}

fn operations(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|it| it.operation.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_given_an_instance_which_is_deleted_before_the_result() {
    let seen = [
        cluster(&[]),
        answer("CreateDBInstance"),
        cluster(&[READER]),
        database("creating"),
        cluster(&[READER]),
        database("available"),
        database("available"),
        answer("DeleteDBInstance"),
    ];
    let graph = arn("rds", &format!("cluster:{CLUSTER}"));
    let (done, asked) = run(("Neptune", &graph), &made(), 0, seen).await;
    done.unwrap();
    let told = last(&asked);
    assert_eq!(told["ValidationStatus"], "SUCCESSFUL", "{told}");
    let order = operations(&asked).split_off(operations(&asked).len() - 3);
    assert_eq!(order[..2], ["DescribeDBInstances", "DeleteDBInstance"]);
    assert!(order[2].starts_with("PUT"), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_not_ready_in_one_try_is_deleted_and_made_anew_in_the_next() {
    let graph = arn("rds", &format!("cluster:{CLUSTER}"));
    // It is looked at each 15 seconds, and a last time 20 seconds before the end.
    let looks = (15 * 60 - 20) / 15 + 1;
    let creating = std::iter::repeat_n([cluster(&[READER]), database("creating")], looks);
    let seen = [cluster(&[]), answer("CreateDBInstance")].into_iter().chain(creating.flatten());
    let seen = seen.chain([database("creating"), answer("DeleteDBInstance")]);
    let (done, asked) = run(("Neptune", &graph), &made(), 0, seen).await;
    let Err(Unfinished::Unsettled { why, .. }) = done else { panic!("{done:?}") };
    assert!(why.contains("which is creating"), "{why}");
    assert_eq!(operations(&asked).last(), Some(&"DeleteDBInstance"));
    // The next try finds it on its way out, and waits until the name is free.
    let seen = [
        cluster(&[READER]),
        database("deleting"),
        answer("CreateDBInstance"),
        cluster(&[READER]),
        database("available"),
        database("available"),
        answer("DeleteDBInstance"),
    ];
    let (done, asked) = run(("Neptune", &graph), &made(), 16, seen).await;
    done.unwrap();
    assert_eq!(last(&asked)["ValidationStatus"], "SUCCESSFUL");
}

#[tokio::test(start_paused = true)]
async fn between_deliveries_of_the_queue_a_cluster_keeps_its_instance() {
    let graph = arn("rds", &format!("cluster:{CLUSTER}"));
    let looks = (15 * 60 - 20) / 15 + 1;
    let creating = std::iter::repeat_n([cluster(&[READER]), database("creating")], looks);
    let seen = [cluster(&[]), answer("CreateDBInstance")].into_iter().chain(creating.flatten());
    let (is_again, asked) = queued(("Neptune", &graph), &made(), 0, fine(seen)).await;
    assert!(is_again);
    assert!(!operations(&asked).contains(&"DeleteDBInstance"), "{asked:?}");
    let seen = [
        cluster(&[READER]),
        database("available"),
        database("available"),
        answer("DeleteDBInstance"),
    ];
    let (is_again, asked) = queued(("Neptune", &graph), &made(), 16, fine(seen)).await;
    assert!(!is_again);
    assert_eq!(last(&asked)["ValidationStatus"], "SUCCESSFUL");
    assert!(operations(&asked).contains(&"DeleteDBInstance"), "{asked:?}");
}

/// What EFS says of a file system that it has not metered.
fn unmetered() -> (u16, String) {
    let system = json!({ "LifeCycleState": "available", "SizeInBytes": { "Value": 0 } });
    (200, json!({ "FileSystems": [system] }).to_string())
}

#[tokio::test(start_paused = true)]
async fn what_takes_hours_is_looked_at_once_in_a_delivery_unless_it_is_the_last() {
    let files = arn("elasticfilesystem", "file-system/fs-1");
    let setup = Setup { window: Duration::from_hours(4), ..plain() };
    let (is_again, asked) = queued(("EFS", &files), &setup, 30, [unmetered()]).await;
    assert!(is_again);
    assert_eq!(asked.len(), 2, "{asked:?}");
    let always = std::iter::repeat_n(unmetered(), 15 * 60 / 15);
    let (is_again, asked) = queued(("EFS", &files), &setup, 225, always).await;
    assert!(!is_again);
    assert_eq!(last(&asked)["ValidationStatus"], "TIMED_OUT");
}

#[tokio::test(start_paused = true)]
async fn an_aws_that_does_not_answer_is_asked_again_and_the_last_run_says_so() {
    let instance = arn("ec2", "instance/i-1");
    // Credentials may be known a moment later.
    let busy = || (401, refusal("AuthFailure"));
    let good = fine(running("ok", "ok"));
    let (is_again, asked) =
        queued(("EC2", &instance), &plain(), 0, [busy()].into_iter().chain(good)).await;
    assert!(!is_again);
    assert_eq!(last(&asked)["ValidationStatus"], "SUCCESSFUL");
    let always = std::iter::repeat_n(busy(), 15 * 60 / 15);
    let (is_again, asked) = queued(("EC2", &instance), &plain(), 45, always).await;
    assert!(!is_again);
    let told = last(&asked);
    assert_eq!(told["ValidationStatus"], "TIMED_OUT");
    let message = told["ValidationStatusMessage"].as_str().unwrap();
    assert!(
        message.starts_with("not validated: it could not be looked at: AuthFailure"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_an_instance_is_not_called_good_where_none_is_to_be_made() {
    let graph = arn("rds", &format!("cluster:{CLUSTER}"));
    for kind in ["Aurora", "DocumentDB", "Neptune", "RDS"] {
        let (done, asked) = run((kind, &graph), &plain(), 0, [cluster(&[])]).await;
        done.unwrap();
        let told = last(&asked);
        assert_eq!(told["ValidationStatus"], "TIMED_OUT", "{kind}");
        let message = told["ValidationStatusMessage"].as_str().unwrap();
        assert!(message.contains("has no instance"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_owners_function_is_asked_until_it_says_good_or_bad() {
    let function = arn("lambda", "function:looks");
    let checks = [("RDS".to_owned(), function)].into();
    let setup = Setup { checks, ..plain() };
    let says = |status: &str| json!({ "status": status, "message": "7 invoices" }).to_string();
    let orders = arn("rds", &format!("db:{CLUSTER}"));
    for (end, wanted) in [("SUCCESSFUL", "SUCCESSFUL"), ("FAILED", "FAILED")] {
        let seen = [database("available"), says("WAIT"), database("available"), says(end)];
        let (done, asked) = run(("RDS", &orders), &setup, 0, seen).await;
        done.unwrap();
        let told = last(&asked);
        assert_eq!(told["ValidationStatus"], wanted, "{told}");
        assert!(told["ValidationStatusMessage"].as_str().unwrap().contains("7 invoices"), "{told}");
    }
    // What is broken needs no second opinion.
    let (done, asked) = run(("RDS", &orders), &setup, 0, [database("failed")]).await;
    done.unwrap();
    assert_eq!(last(&asked)["ValidationStatus"], "FAILED");
}
