//! One fault at a time while accounts are worked on in batches: at every call of every step,
//! everything that can go wrong with it. The state machine is played here as it is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{Entry, Fault, Outcome, Role, Service, Settings};
use tests::in_process::{self, Function, Wire};
use tests::organization::{Latency, Organization};
use tests::role::{STATE_BUCKET, STATE_MACHINE};
use tests::stack::{Answer, LOG_STREAM, Stack};

use crate::extent::few;
use crate::pool::{attempt, for_each};
use crate::trouble::{Injection, Trouble, injections, survived};

/// How often Lambda delivers a request, and the state machine the step of a batch.
const DELIVERIES: usize = 3;

/// How often the state machine tries its last step.
const ENDINGS: usize = 9;

/// How often Lambda delivers what EventBridge tells.
const TOLD: usize = 2;

const MANAGEMENT: &str = "111122223333";
const ROLE: &str = "org-backup-member";
const REGION: &str = "eu-west-1";
const DEADLINE: Duration = Duration::from_mins(15);

async fn organization() -> Organization {
    let settings = Settings::default().accounts(4);
    let organization = Organization::bare(settings).await.in_process(Latency::None);
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let anything = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let role = Role::trusting_account(ROLE, MANAGEMENT).allowing(&anything);
    organization.iam(|it| it.create_role_everywhere(role));
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.state_machines(|it| it.create(STATE_MACHINE));
    organization
}

/// A resource, and the process that carries its requests out.
struct Run<'a> {
    organization: &'a Organization,
    stack: Stack<'a>,
    wire: Wire,
    deadline: Duration,
}

impl<'a> Run<'a> {
    fn new(organization: &'a Organization) -> Self {
        let wire = Wire::new(organization.direct(), None);
        let stack = organization.stack("member-accounts");
        Self { organization, stack, wire, deadline: DEADLINE }
    }

    /// Invokes a new process, up to so many times, until it returns.
    async fn invoke(&self, event: &Value, times: usize) -> Option<Value> {
        for _ in 0..times {
            let (state, machine) = (Some(STATE_BUCKET), Some(STATE_MACHINE));
            let function =
                Function::start("member-accounts", &self.wire, MANAGEMENT, state, machine);
            if let Outcome::Returned(it) = function.invoke(event, self.deadline, LOG_STREAM).await {
                return Some(it);
            }
        }
        None
    }

    /// Sends a request, carries out what it starts, and returns what CloudFormation was answered.
    async fn request(&mut self, request: &str) -> Option<Answer> {
        let properties = json!({
            "RoleName": ROLE, "Regions": REGION, "OptIn": { "EBS": true }, "Concurrency": 1,
        });
        let mut event = self.stack.event(request, &properties);
        if request == "Update" {
            event["OldResourceProperties"] = event["ResourceProperties"].clone();
        }
        let before = self.executions().len();
        self.invoke(&event, DELIVERIES).await;
        let executions = self.executions();
        assert!(executions.len() <= before + 1, "{executions:?}");
        if let Some(input) = executions.get(before) {
            self.execute(input.clone()).await;
        }
        let answers = self.stack.answers(&event);
        // Killed between the answer and its end, the last step gives the same answer again.
        assert!(answers.windows(2).all(|it| it[0].body == it[1].body), "{answers:?}");
        let answer = answers.into_iter().next();
        // CloudFormation makes an ID up when it got no answer.
        let id = answer.as_ref().map_or("stack-Resource-1A2B3C", |it| &it.physical_id);
        self.stack.physical_id = Some(id.to_owned());
        answer
    }

    async fn execute(&self, mut input: Value) {
        let key = input["Batches"].as_str().unwrap();
        let batches = self.organization.object(STATE_BUCKET, key).unwrap();
        for mut event in serde_json::from_str::<Vec<Value>>(&batches).unwrap() {
            loop {
                let Some(next) = self.invoke(&event, DELIVERIES).await else {
                    input["MapFailed"] =
                        json!({ "Error": "States.ExceedToleratedFailureThreshold" });
                    break;
                };
                if next["Again"] == false {
                    break;
                }
                event = next;
            }
        }
        let ended = self.invoke(&json!({ "Finish": input }), ENDINGS).await;
        let error = match (&ended, &input["MapFailed"]) {
            (None, _) => "States.TaskFailed",
            (Some(_), Value::Null) => return,
            (Some(_), _) => "MapFailed",
        };
        // EventBridge tells the function of it.
        let detail = json!({ "name": input["Run"], "status": "FAILED", "error": error });
        self.invoke(&json!({ "detail": detail }), TOLD).await;
    }

    fn executions(&self) -> Vec<Value> {
        self.organization.state_machines(|it| {
            it.executions().iter().map(|it| serde_json::from_str(&it.input).unwrap()).collect()
        })
    }

    /// The active accounts that are not opted in.
    fn left(&self) -> Vec<String> {
        let accounts: Vec<_> = self.organization.organization(|it| {
            let active = it.accounts().filter(|it| it.state == simulator::AccountState::Active);
            active.map(|it| it.id.clone()).collect()
        });
        let is_left = |account: &String| {
            let settings = self.organization.backup(|it| it.region_settings(account, REGION));
            !settings.opt_in["EBS"]
        };
        accounts.into_iter().filter(is_left).collect()
    }

    /// What was changed in accounts since the last look.
    fn take_changes(&self) -> String {
        let writes = self.organization.take_writes();
        writes.lines().filter(|it| it.contains("UpdateRegionSettings")).collect()
    }
}

fn undisturbed() -> Vec<Entry> {
    let run = attempt(1, async {
        let organization = organization().await;
        let mut run = Run::new(&organization);
        let answer = run.request("Create").await.unwrap().ok();
        assert_eq!(&*answer.data["AccountsNotReady"], "0", "{}", in_process::take_logs());
        assert_eq!(run.left(), [""; 0]);
        organization.journal()
    });
    run.unwrap()
}

async fn survive(injection: &Injection<'_>) {
    let Injection { nth, trouble, .. } = injection;
    let organization = organization().await;
    let mut run = Run::new(&organization);
    trouble.inject(*nth, &organization, &run.wire);
    if matches!(trouble, Trouble::Late) {
        run.deadline = Duration::from_secs(15);
    }
    let answer = run.request("Create").await;
    assert!(!run.wire.spare(), "the call never came");
    organization.clear_faults();
    run.deadline = DEADLINE;
    let is_whole =
        answer.as_ref().is_some_and(|it| it.success && it.data["AccountsNotReady"] == "0");
    if is_whole {
        assert_eq!(run.left(), [""; 0], "told to be ready");
    } else if answer.as_ref().is_none_or(|it| !it.success) {
        let _ = run.request("Delete").await.unwrap().ok();
    }
    run.take_changes();
    let request = if answer.is_some_and(|it| it.success) { "Update" } else { "Create" };
    let answer = run.request(request).await.unwrap().ok();
    assert_eq!(&*answer.data["AccountsNotReady"], "0", "{answer}");
    assert_eq!(run.left(), [""; 0]);
    let changes = run.take_changes();
    assert!(!is_whole || changes.is_empty(), "the second time: {changes}");
}

#[test]
fn whatever_goes_wrong_while_accounts_are_worked_on_in_batches_nobody_is_told_they_are_ready_too_early()
 {
    let calls = undisturbed();
    let injections = injections(&calls, 3);
    let injections = few(injections, Injection::kind);
    println!("{} faults while accounts are worked on in batches", injections.len());
    survived(&injections, survive);
}

/// What comes of a Create when one of its reads hangs for good.
fn hanging(operation: &str) -> Result<&'static str, String> {
    attempt(1, async {
        let organization = organization().await;
        let mut run = Run::new(&organization);
        organization.fail(Fault::delay(operation, Duration::from_hours(1)).forever());
        let answer = run.request("Create").await;
        let left = run.left().len();
        match answer {
            None => "not answered",
            Some(it) if !it.success => {
                assert!(it.reason.contains("AWS could not be reached"), "{it}");
                "needed"
            }
            Some(it) if it.data["AccountsNotReady"] == "0" => {
                assert_eq!(left, 0, "told to be ready");
                "left out"
            }
            Some(it) => {
                // The unknown parts of an account are reported as well.
                assert!(it.data["AccountsNotReady"].parse::<usize>().unwrap() >= left);
                "told of the accounts"
            }
        }
    })
}

#[test]
fn a_read_that_hangs_while_accounts_are_worked_on_is_told_of_the_request_or_of_the_accounts() {
    let calls = undisturbed().into_iter();
    let reads = calls.filter(|it| !it.write && it.service != Service::Response);
    let reads: Vec<_> = reads.map(|it| it.operation).collect::<BTreeSet<_>>().into_iter().collect();
    let sorted = Mutex::new(BTreeMap::<_, Vec<_>>::new());
    let broken = for_each(&reads, |operation| {
        let verdict = hanging(operation)?;
        sorted.lock().unwrap().entry(verdict).or_default().push(operation.clone());
        Ok(())
    });
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    let mut table = String::new();
    for (verdict, mut operations) in sorted.into_inner().unwrap() {
        operations.sort();
        writeln!(table, "{verdict}: {}", operations.join(" ")).unwrap();
    }
    expect![[r"
        needed: AssumeRole DescribeOrganization GetObject ListAccounts ListObjectsV2
        told of the accounts: DescribeRegionSettings GetRole
    "]]
    .assert_eq(&table);
}
