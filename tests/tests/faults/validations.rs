//! One fault at a time while a restore test is validated: at every call, everything that can go
//! wrong with it.

use std::time::Duration;

use serde_json::Value;
use simulator::{Entry, Kind, RestoreJob, Settings};
use tests::codes::TRANSIENT;
use tests::in_process::{self, Function, Wire};
use tests::organization::{Latency, Organization};
use tests::reattach::batch;
use tests::restored::{ACCOUNT, completed, done};

use crate::extent::few;
use crate::pool::attempt;
use crate::trouble::{Injection, Trouble, injections, survived};

/// How often the queue delivers an event that is not done. It would do so for as long as there is time.
const ATTEMPTS: usize = 3;

const BUCKET: &str = "awsbackup-restore-test-invoices";
/// Where functions of this process are.
const REGION: &str = "eu-west-1";
const JOB: &str = "job";
const DEADLINE: Duration = Duration::from_mins(15);

/// A restore test that brought back two objects, and what the queue sends when it is over.
async fn restored() -> (Organization, Value) {
    let organization = Organization::bare(Settings::default()).await.in_process(Latency::None);
    organization.buckets(|it| {
        it.create_bucket(BUCKET);
        it.put(BUCKET, "2026/march.csv", "number,total\n31,4\n".to_owned());
        it.put(BUCKET, "2026/april.csv", "number,total\n30,9\n".to_owned());
    });
    let job = RestoreJob::test("S3", &format!("arn:aws:s3:::{BUCKET}"));
    let job = RestoreJob { bytes: Some(36), ..job };
    let event = completed(JOB, &job);
    organization.backup(|it| it.restore_jobs_mut().create(ACCOUNT, REGION, JOB, job));
    organization.clear_journal();
    (organization, batch(1, &[event]))
}

fn start(wire: &Wire) -> Function {
    Function::start("restore-validation", wire, ACCOUNT, None, None)
}

/// The result that AWS Backup got, with its reason.
fn told(organization: &Organization) -> Option<(String, String)> {
    let of = |it: &mut simulator::Backup| {
        it.restore_jobs().get(ACCOUNT, REGION, JOB).unwrap().result.clone()
    };
    organization.backup(of)
}

fn undisturbed() -> Vec<Entry> {
    let run = attempt(1, async {
        let (organization, event) = restored().await;
        let function = start(&Wire::new(organization.direct(), None));
        let outcome = function.validate(&event, DEADLINE).await;
        assert_eq!(outcome, done(), "{}", in_process::take_logs());
        assert_eq!(told(&organization).unwrap().0, "SUCCESSFUL");
        organization.journal()
    });
    run.unwrap()
}

async fn survive(injection: &Injection<'_>) {
    let Injection { call, nth, trouble } = injection;
    let (organization, event) = restored().await;
    let wire = Wire::new(organization.direct(), None);
    trouble.inject(*nth, &organization, &wire);
    let late = matches!(trouble, Trouble::Late);
    let mut deadline = if late { Duration::from_secs(15) } else { DEADLINE };
    for _ in 0..ATTEMPTS {
        if start(&wire).validate(&event, deadline).await == done() {
            break;
        }
        deadline = DEADLINE;
    }
    assert!(!wire.spare(), "the call never came");
    let (status, why) = told(&organization).unwrap();
    if status == "SUCCESSFUL" {
        // What is looked at cannot be found good where looking is refused. Only the next try reads the job
        // again.
        let is_read_again = call.operation == "DescribeRestoreJob";
        assert!(!is_refusal(trouble) || call.write || is_read_again, "found good: {why}");
    } else {
        assert_eq!(status, "FAILED");
        assert!(is_refusal(trouble), "the restore is good: {why}");
        assert!(why.starts_with("could not be looked at: "), "{why}");
    }
    organization.clear_faults();
    organization.clear_journal();
    let again = start(&wire).validate(&event, DEADLINE).await;
    assert_eq!(again, done());
    assert_eq!(organization.take_writes(), "", "the second time");
    assert_eq!(told(&organization).unwrap(), (status, why), "a result is final");
}

fn says(trouble: &Trouble, code: &str) -> bool {
    matches!(trouble, Trouble::Fault(Kind::Error(failure), _) if failure.code == code)
}

/// Whether AWS says that it cannot be done, and would say so again.
fn is_refusal(trouble: &Trouble) -> bool {
    let Trouble::Fault(Kind::Error(failure), _) = trouble else { return false };
    // Credentials may be known a moment later.
    let passes = |it: &str| TRANSIENT.contains(&it) || it == "UnrecognizedClientException";
    !passes(&failure.code) && failure.status < 500
}

#[test]
fn whatever_goes_wrong_while_a_restore_test_is_validated_it_has_the_one_result_it_should_have() {
    let calls = undisturbed();
    let mut injections = injections(&calls, usize::MAX);
    // That what was restored is not there is no fault but a finding.
    injections.retain(|it| !says(&it.trouble, "NoSuchBucket"));
    let injections = few(injections, Injection::kind);
    println!("{} faults while a restore test is validated", injections.len());
    survived(&injections, survive);
}
