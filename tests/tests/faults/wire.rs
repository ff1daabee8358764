//! Answers that are not AWS's, and answers that do not come: none makes a difference while it passes,
//! and a trouble that stays is reported with the status, the last error and the number of attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{Body, Failure, Fault, Garbled, Kind, Service, Settings};
use tests::cases::{self, Case};
use tests::organization::{Latency, Organization, document};
use tests::role::STATE_BUCKET;
use tests::stack::{Answer, Stack};
use tokio::time::Instant;

use crate::pool::{attempt, deep, for_each};

/// A read, writes with and without something in their answers, and objects of S3.
const OPERATIONS: [&str; 5] =
    ["ListRoots", "CreatePolicy", "AttachPolicy", "GetObject", "PutObject"];

const HINT: &str = "; hint: something between the function and AWS answers in its place, such as a \
                    proxy or an endpoint that the environment names";

fn properties() -> Value {
    json!({ "Name": "daily", "Content": document(3), "TargetIds": "root" })
}

async fn organization() -> Organization {
    let organization = Organization::ready(Settings::default()).await.in_process(Latency::None);
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization
}

/// Creates a policy while this goes wrong.
async fn create(faults: impl IntoIterator<Item = Fault>) -> (Answer, String) {
    let organization = organization().await;
    for fault in faults {
        organization.fail(fault);
    }
    let mut stack: Stack<'_> =
        organization.stack("backup-policy").kept().within(Duration::from_mins(5));
    let event = stack.event("Create", &properties());
    let answer = stack.send(&event).await;
    let reason = organization.named(&answer.reason);
    (Answer { reason, ..answer }, organization.state())
}

/// The bodies in place of an answer, with any status, before or after the work is done.
fn garbled() -> Vec<Garbled> {
    let mut all = Vec::new();
    for status in [200, 403, 404, 429, 500, 502, 503] {
        for body in [Body::Html, Body::Cut, Body::Empty] {
            for done in [false, true] {
                all.push(Garbled { status, body, done });
            }
        }
    }
    all
}

#[test]
fn an_answer_that_is_not_awss_makes_no_difference() {
    let undisturbed = deep(|| attempt(1, create([])).unwrap());
    assert!(undisturbed.0.success);
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        let all = garbled().into_iter();
        // Nothing at all, with success, is what AWS answers to some writes.
        let is_answer = |it: &Garbled| (it.status, it.body) == (200, Body::Empty);
        let is_read = ["ListRoots", "GetObject"].contains(&operation);
        rows.extend(all.filter(|it| is_read || !is_answer(it)).map(|it| (operation, it)));
    }
    let broken = for_each(&rows, |(operation, garbled)| {
        let row = format!("{operation}: {garbled:?}");
        let fault = Fault::new(operation, Kind::Garbled(garbled.clone()));
        let (answer, end) = attempt(1, create([fault])).map_err(|why| format!("{row}: {why}"))?;
        if answer.success && end == undisturbed.1 {
            Ok(())
        } else {
            Err(format!("{row}: {answer}\n{end}"))
        }
    });
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// An error of AWS with this status.
fn refused(operation: &str, code: &str, status: u16) -> Fault {
    let failure = Failure { retry_after: Some(3600), ..Failure::new(code) };
    Fault::new(operation, Kind::Error(failure)).status(status)
}

#[test]
fn what_stays_is_told_with_its_status_and_the_attempts() {
    let create_policy = "cannot create policy `daily`: ";
    let attach = "cannot attach to root: ";
    let read_root = "cannot read the organization's root: ";
    let bucket = "s3://state/desired/backup-policy/backups/5d3c/Resource.json: ";
    let (read, write) = (format!("cannot read {bucket}"), format!("cannot write {bucket}"));
    let html = |status| format!("AWS answered {status} with an answer that is not from AWS (HTML)");
    let json = "AWS answered 200 with a part of an answer (JSON that is cut off)";
    let xml = "AWS answered 500 with a part of an answer (XML that is cut off)";
    let dropped = "AWS could not be reached, the last of 24 attempts: dispatch failure: io error: the \
                   connection was dropped on purpose; hint: usually temporary; if it continues, check \
                   that the function can reach the AWS endpoints";
    let nothing = "AWS answered 503 with an empty body, where an answer is expected";
    let told = "The request failed because it was told to.; hint: this passes; deploy again";
    let often = |count: u32| format!(", the last of {count} attempts{HINT}");
    let again = |count: u32| format!(", the last of {count} attempts): {told}");
    let rows = [
        (Fault::new("ListRoots", Kind::DropBefore), format!("{read_root}{dropped}")),
        (
            Fault::garbled("ListRoots", 503, Body::Html, false),
            format!("{read_root}{}{}", html(503), often(24)),
        ),
        (
            Fault::garbled("ListRoots", 200, Body::Cut, true),
            format!("{read_root}{json}{}", often(24)),
        ),
        (
            Fault::garbled("CreatePolicy", 200, Body::Html, false),
            format!("{create_policy}{}{}", html(200), often(24)),
        ),
        (
            Fault::garbled("AttachPolicy", 403, Body::Html, false),
            format!("{attach}{}{}", html(403), often(24)),
        ),
        (
            Fault::garbled("AttachPolicy", 503, Body::Empty, true),
            format!("{attach}{nothing}{}", often(24)),
        ),
        (
            Fault::garbled("GetObject", 404, Body::Html, false),
            format!("{read}{}{}", html(404), often(12)),
        ),
        (Fault::garbled("PutObject", 500, Body::Cut, false), format!("{write}{xml}{}", often(12))),
        (
            refused("AttachPolicy", "ServiceException", 500),
            format!("{attach}ServiceException (HTTP 500{}", again(24)),
        ),
        (
            refused("AttachPolicy", "TooManyRequestsException", 429),
            format!("{attach}TooManyRequestsException (HTTP 429{}", again(24)),
        ),
        (refused("PutObject", "SlowDown", 503), format!("{write}SlowDown (HTTP 503{}", again(12))),
        (
            refused("PutObject", "InternalError", 500),
            format!("{write}InternalError (HTTP 500{}", again(12)),
        ),
        (
            refused("PutObject", "ConditionalRequestConflict", 409),
            format!("{write}ConditionalRequestConflict (HTTP 409{}", again(12)),
        ),
    ];
    let broken = for_each(&rows, |(fault, expected)| {
        let (answer, _) = attempt(1, create([fault.clone().forever()]))?;
        if !answer.success && answer.reason == *expected {
            Ok(())
        } else {
            Err(format!("{fault:?}\n  is told as {answer}\n  and not as {expected}"))
        }
    });
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn the_last_error_is_told_when_the_deadline_wins() {
    let limit = "the function's deadline came first; after";
    let end = "; hint: deploy again to continue where it stopped";
    let silence = |operation| Fault::delay(operation, Duration::from_hours(1)).forever();
    let rows = [
        (Fault::garbled("AttachPolicy", 502, Body::Html, false), silence("AttachPolicy")),
        (refused("AttachPolicy", "ServiceException", 500), silence("AttachPolicy")),
        (Fault::garbled("ListRoots", 200, Body::Cut, false), silence("ListRoots")),
    ];
    let broken = for_each(&rows, |(first, then)| {
        let faults = [first.clone(), then.clone()];
        let (answer, _) = attempt(1, create(faults))?;
        let told =
            answer.reason.contains("attempts the last answer was: AWS could not be reached: ");
        let is_right = !answer.success && answer.reason.contains(limit) && told;
        let is_whole = answer.reason.contains(end);
        if is_right && is_whole { Ok(()) } else { Err(format!("{first:?}: {answer}")) }
    });
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// How a request ends when one of its reads hangs for good.
fn hanging(case: &Case, operation: &str) -> Result<(Answer, Duration), String> {
    attempt(1, async {
        let organization = case.organization(Settings::default()).await.in_process(Latency::None);
        let (stack, event) = case.begin(&organization).await;
        let mut stack = stack.within(Duration::from_mins(5));
        organization.fail(Fault::delay(operation, Duration::from_hours(1)).forever());
        let started = Instant::now();
        let answer = stack.send(&event).await;
        (answer, started.elapsed())
    })
}

#[test]
fn a_read_that_hangs_is_told_where_it_is_needed_and_left_out_in_seconds_where_it_is_not() {
    let mut rows = Vec::new();
    for case in cases::all().into_iter().chain(cases::more()) {
        let calls = deep(|| {
            attempt(1, async {
                let organization =
                    case.organization(Settings::default()).await.in_process(Latency::None);
                let (mut stack, event) = case.begin(&organization).await;
                let _ = stack.send(&event).await.ok();
                organization.journal()
            })
        });
        let calls = calls.unwrap().into_iter();
        let reads = calls.filter(|it| !it.write && it.service != Service::Response);
        let reads: BTreeSet<_> = reads.map(|it| it.operation).collect();
        rows.extend(reads.into_iter().map(|it| (case.clone(), it)));
    }
    let sorted = Mutex::new(BTreeMap::<_, BTreeSet<_>>::new());
    let broken = for_each(&rows, |(case, operation)| {
        let (answer, took) = hanging(case, operation)?;
        let told = "AWS could not be reached";
        let verdict = match answer.success {
            true if took < Duration::from_mins(1) => "left out",
            false if answer.reason.contains(told) => "needed",
            _ => return Err(format!("{}, {operation}: {answer} after {took:?}", case.name)),
        };
        let row = (verdict, case.function);
        sorted.lock().unwrap().entry(row).or_default().insert(operation.clone());
        Ok(())
    });
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    let mut table = String::new();
    for ((verdict, function), operations) in sorted.into_inner().unwrap() {
        let operations = operations.into_iter().collect::<Vec<_>>().join(" ");
        writeln!(table, "{verdict} by {function}: {operations}").unwrap();
    }
    expect![[r"
        left out by backup-policy: DescribeEffectivePolicy DescribeStackResource ListAccountsForParent ListAccountsWithInvalidEffectivePolicy ListParents ListTargetsForPolicy
        left out by global-settings: DescribeStackResource
        left out by policy-types: DescribeStackResource
        left out by service-access: DescribeStackResource
        needed by backup-policy: AssumeRole DescribePolicy GetObject ListParents ListPolicies ListPoliciesForTarget ListRoots ListTagsForResource ListTargetsForPolicy
        needed by global-settings: AssumeRole DescribeGlobalSettings GetObject ListRoots ListTagsForResource
        needed by policy-types: AssumeRole DescribeOrganization GetObject ListPolicies ListRoots
        needed by service-access: AssumeRole DescribeAccount DescribeOrganization DescribeOrganizationsAccess GetObject ListAWSServiceAccessForOrganization ListDelegatedAdministrators ListRoots ListTagsForResource
    "]]
    .assert_eq(&table);
}
