//! What brings events to the function that puts drift back, and what watches it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plan::reattach::{Reading, read};
use serde_json::{Value, json};
use tests::pattern::matches;
use tests::template::{EVERYTHING, REQUIRED, Template};

use super::{all, each, stacks};

/// The metrics of each function that writes any.
const METRICS: [(&str, &[&str]); 3] = [
    ("coverage", &COVERAGE),
    ("reattach", &REATTACH),
    ("restore-validation", &["Failed", "NotValidated", "RestoreFailed", "Successful", "TimedOut"]),
];

/// The metrics that `coverage` writes.
const COVERAGE: [&str; 10] = [
    "CopiesLate",
    "Covered",
    "Failing",
    "Fresh",
    "Late",
    "NotCovered",
    "NotKnown",
    "NotLookedAt",
    "RestoreTestsFailed",
    "Sweeps",
];

/// The metrics that `reattach` writes.
const REATTACH: [&str; 8] = [
    "ApiCalls",
    "DriftFound",
    "Failed",
    "InvalidAccounts",
    "Repaired",
    "SecondsToRepair",
    "Sweeps",
    "Throttles",
];

#[test]
fn every_alarm_is_about_a_metric_that_there_is() {
    let of_aws = [
        ("AWS/Events", "MatchedEvents"),
        ("AWS/Lambda", "Errors"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ];
    for template in Template::all() {
        let parameters = [REQUIRED, EVERYTHING].concat();
        let stack = template.with(&parameters);
        for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
            let properties = stack.resolve(&alarm["Properties"]).unwrap();
            let [namespace, metric] =
                ["Namespace", "MetricName"].map(|it| properties[it].as_str().unwrap());
            if namespace == "OrgBackup" {
                let function = &properties["Dimensions"][0]["Value"];
                let of_function = METRICS.iter().find(|it| *function == it.0).unwrap();
                assert!(of_function.1.contains(&metric), "{name}: {metric}");
                let dimensions = json!([{ "Name": "Function", "Value": function }]);
                assert_eq!(properties["Dimensions"], dimensions, "{name}");
            } else {
                assert!(of_aws.contains(&(namespace, metric)), "{name}: {namespace} {metric}");
            }
        }
        for (name, dashboard) in template.resources("AWS::CloudWatch::Dashboard") {
            let body = stack.resolve(&dashboard["Properties"]["DashboardBody"]).unwrap();
            let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
            for metric in all(&body, "metrics").iter().flat_map(|it| each(it)) {
                if metric[0] == "OrgBackup" {
                    let of_function = METRICS.iter().find(|it| metric[3] == it.0).unwrap();
                    let metric = metric[1].as_str().unwrap();
                    assert!(of_function.1.contains(&metric), "{name}: {metric}");
                }
            }
        }
    }
}

#[test]
fn every_alarm_tells_a_topic_that_was_named_or_one_that_its_stack_makes() {
    let mut found = 0;
    for template in Template::all() {
        let topics = template.resources("AWS::SNS::Topic");
        for stack in stacks(&template) {
            let alarms = template.resources("AWS::CloudWatch::Alarm").into_iter();
            for (name, alarm) in alarms.filter(|it| stack.makes(it.1)) {
                let properties = stack.resolve(&alarm["Properties"]).unwrap();
                let actions = properties["AlarmActions"].as_array().into_iter().flatten();
                let actions: Vec<_> = actions.map(|it| it.as_str().unwrap()).collect();
                assert!(!actions.is_empty(), "{}: {name} has no action", template.name);
                for action in actions {
                    let is_made = topics.iter().any(|it| it.0 == action && stack.makes(it.1));
                    let is_named = action.starts_with("arn:aws-cn:sns:");
                    assert!(is_made || is_named, "{}: {name} tells {action:?}", template.name);
                }
                found += 1;
            }
        }
    }
    assert!(found >= 2 * 4, "{found}");
}

#[test]
fn a_day_without_a_sweep_is_an_alarm_also_when_nothing_is_measured() {
    for template in ["coverage.yaml", "reattach.yaml"].map(Template::named) {
        let alarm = &template.body["Resources"]["SweepAlarm"]["Properties"];
        assert_eq!(alarm["TreatMissingData"], "breaching");
        let periods = alarm["EvaluationPeriods"].as_u64().unwrap();
        assert_eq!(alarm["Period"].as_u64().unwrap() * periods, 25 * 3600);
    }
}

#[test]
fn a_function_that_only_reports_may_change_nothing() {
    let reattach = Template::named("reattach.yaml");
    let parameters = [REQUIRED, EVERYTHING, &[("Mode", "Report")]].concat();
    let role = &reattach.body["Resources"]["ReattachRole"]["Properties"]["Policies"];
    let policies = reattach.with(&parameters).resolve(role).unwrap();
    let changes: Vec<_> = all(&policies, "Action")
        .into_iter()
        .flat_map(each)
        .filter(|it| {
            let (service, name) = it.as_str().unwrap().split_once(':').unwrap();
            let of_organization = ["backup", "cloudformation", "iam", "organizations"];
            of_organization.contains(&service)
                && !name.starts_with("Describe")
                && !name.starts_with("List")
        })
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn events_are_kept_until_they_are_handled_or_somebody_knows() {
    let reattach = Template::named("reattach.yaml");
    let stack = reattach.with(REQUIRED);
    let resource =
        |name: &str| stack.resolve(&reattach.body["Resources"][name]["Properties"]).unwrap();
    let mut rules = reattach.resources("AWS::Events::Rule");
    // A heartbeat that is lost is missed elsewhere.
    rules.retain(|(name, _)| *name != "HeartbeatRule");
    assert_eq!(rules.len(), 7);
    let policy = resource("QueuePolicy");
    let sources = all(&policy, "aws:SourceArn")[0].as_array().unwrap().clone();
    for (name, _) in rules {
        let target = resource(name)["Targets"][0].clone();
        // The function accepts the state, so others report changes to its writers.
        let told = ["StateBucketRule", "StateKeyRule"].contains(&name);
        assert_eq!(target["Arn"], if told { "Topic" } else { "Queue.Arn" }, "{name}");
        assert_eq!(target["DeadLetterConfig"]["Arn"], "UndeliveredQueue.Arn", "{name}");
        assert!(sources.contains(&json!(format!("{name}.Arn"))), "{name} may not send");
    }
    let redrive = &resource("Queue")["RedrivePolicy"];
    assert_eq!(redrive["deadLetterTargetArn"], "DeadLetterQueue.Arn");
    for queue in ["DeadLetterQueue", "UndeliveredQueue"] {
        let alarms = reattach.resources("AWS::CloudWatch::Alarm").into_iter();
        let mut watched = alarms.map(|(it, _)| resource(it)["Dimensions"][0]["Value"].clone());
        assert!(watched.any(|it| it == format!("{queue}.QueueName")), "nobody watches {queue}");
    }
}

#[test]
fn an_event_is_not_handed_out_again_while_the_function_may_still_be_at_it() {
    for template in ["reattach.yaml", "restore-testing.yaml"].map(Template::named) {
        let timeouts = &template.body["Parameters"]["FunctionTimeout"]["AllowedValues"];
        for timeout in timeouts.as_array().unwrap() {
            let timeout = timeout.as_str().unwrap();
            let parameters = [REQUIRED, &[("FunctionTimeout", timeout)]].concat();
            let queue = &template.body["Resources"]["Queue"]["Properties"]["VisibilityTimeout"];
            let hidden = template.with(&parameters).resolve(queue).unwrap().as_u64().unwrap();
            let timeout: u64 = timeout.parse().unwrap();
            assert!(hidden > timeout, "{}: {hidden} < {timeout}", template.name);
            // The windows of `restore-validation` count on this.
            let is_ours = template.name == "restore-testing.yaml";
            assert!(!is_ours || hidden == timeout.max(600) + 60, "{hidden} with {timeout}");
        }
    }
}

#[test]
fn what_is_forwarded_is_what_is_wanted_at_home() {
    let [home, elsewhere] = ["reattach.yaml", "event-forwarder.yaml"].map(Template::named);
    for (name, rule) in elsewhere.resources("AWS::Events::Rule") {
        let mut wanted = home.body["Resources"][name]["Properties"].clone();
        let forwarded = &rule["Properties"];
        assert_eq!(forwarded["State"], wanted["State"], "{name}");
        // Only the stack at home knows the roles whose calls are our own.
        wanted["EventPattern"]["detail"].as_object_mut().unwrap().remove("userIdentity");
        assert_eq!(forwarded["EventPattern"], wanted["EventPattern"], "{name}");
    }
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The sample events that come over EventBridge, by the names of their files.
fn events() -> Vec<(String, Value)> {
    let files = fs::read_dir(project("events/reattach")).unwrap();
    let events = files.map(|it| {
        let path = it.unwrap().path();
        let event: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), event)
    });
    let events: Vec<_> = events.filter(|(_, it)| it.get("detail").is_some()).collect();
    assert!(events.len() > 20);
    events
}

/// The rules of a template that match an event of the account of its stack.
fn rules(template: &Template, event: &Value) -> Vec<String> {
    let parameters = [REQUIRED, EVERYTHING].concat();
    let account = event["account"].as_str().unwrap();
    rules_in(template, &[&parameters[..], &[("AWS::AccountId", account)]].concat(), event)
}

/// The rules that match an event where the stack has these parameters.
fn rules_in(template: &Template, parameters: &[(&str, &str)], event: &Value) -> Vec<String> {
    let stack = template.with(parameters);
    let rules = template.resources("AWS::Events::Rule").into_iter();
    let matching = rules.filter(|(_, rule)| {
        matches(&stack.resolve(&rule["Properties"]["EventPattern"]).unwrap(), event)
    });
    matching.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn what_the_function_heeds_is_brought_to_it_once_and_what_it_does_not_know_never() {
    let reattach = Template::named("reattach.yaml");
    for (name, event) in events() {
        let rules = rules(&reattach, &event);
        match read(&event, &BTreeSet::new()) {
            Reading::Event(_) => assert_eq!(rules.len(), 1, "{name}: {rules:?}"),
            Reading::Nothing(_) => assert!(rules.len() <= 1, "{name}: {rules:?}"),
            Reading::Unknown(_) => assert!(rules.is_empty(), "{name}: {rules:?}"),
        }
    }
}

#[test]
fn a_rule_that_takes_what_somebody_sends_takes_it_from_no_other_account() {
    let parameters = [REQUIRED, EVERYTHING, &[("AWS::AccountId", "444455556666")]].concat();
    for template in Template::all() {
        let rules = template.resources("AWS::Events::Rule").into_iter();
        let patterns = rules.map(|(name, it)| (name, &it["Properties"]["EventPattern"]));
        for (name, pattern) in patterns {
            let sources = pattern["source"].as_array().unwrap().iter();
            if sources.clone().all(|it| it.as_str().unwrap().starts_with("aws.")) {
                continue;
            }
            // What is heard of from one other account is named there.
            let heard = (template.name.as_str(), name) == ("monitoring.yaml", "HeartbeatRule");
            let account = if heard { "ReattachAccountId" } else { "AWS::AccountId" };
            let account = json!([{ "Ref": account }]);
            assert_eq!(pattern["account"], account, "{name} of {}", template.name);
        }
    }
    for name in ["reattach.yaml", "event-forwarder.yaml"] {
        for (file, mut event) in events() {
            event["source"] = json!("org-backup.replay");
            let template = Template::named(name);
            assert_eq!(rules_in(&template, &parameters, &event), [""; 0], "{file}");
        }
    }
}

#[test]
fn of_what_organizations_tells_elsewhere_everything_is_forwarded() {
    let [reattach, elsewhere] = ["reattach.yaml", "event-forwarder.yaml"].map(Template::named);
    for (name, event) in events() {
        if event["source"] == "aws.organizations" {
            assert_eq!(rules(&elsewhere, &event), rules(&reattach, &event), "{name}");
        }
    }
}

#[test]
fn our_own_calls_and_those_that_failed_are_left_where_they_are() {
    let reattach = Template::named("reattach.yaml");
    let calls = events().into_iter().filter(|(_, it)| it["detail-type"] == CALL);
    let calls: Vec<_> = calls.filter(|(_, it)| !rules(&reattach, it).is_empty()).collect();
    assert!(calls.len() > 10);
    let own = &reattach.body["Resources"]["ReattachFunction"]["Properties"];
    let own = &own["Environment"]["Variables"]["OWN_ROLES"];
    let own = reattach.with(REQUIRED).resolve(own).unwrap();
    let own = own.as_str().unwrap().split(',').filter(|it| !it.contains("Member"));
    let own: Vec<_> = own.collect();
    assert_eq!(own.len(), 5);
    for (name, event) in calls {
        let mut failed = event.clone();
        failed["detail"]["errorCode"] = json!("AccessDenied");
        assert_eq!(rules(&reattach, &failed), [""; 0], "{name}");
        for role in &own {
            let mut ours = event.clone();
            ours["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(role);
            assert_eq!(rules(&reattach, &ours), [""; 0], "{name} by {role}");
        }
        // The root user has no role.
        let mut root = event;
        root["detail"]["userIdentity"] = json!({ "type": "Root" });
        assert_eq!(rules(&reattach, &root).len(), 1, "{name}");
    }
}

/// What EventBridge calls a call that CloudTrail recorded.
const CALL: &str = "AWS API Call via CloudTrail";

#[test]
fn the_metrics_are_those_that_the_functions_write() {
    for (function, metrics) in METRICS {
        let source = format!("functions/{function}/src/metrics.rs");
        let source = fs::read_to_string(project(&source)).unwrap();
        // Their tests name some as well.
        let source = source.split("#[cfg(test)]").next().unwrap();
        let written = source.lines().filter_map(|it| it.trim().strip_prefix("(\""));
        let written: BTreeSet<_> =
            written.filter_map(|it| Some(it.split_once("\", ")?.0)).collect();
        assert_eq!(written, metrics.iter().copied().collect(), "{function}");
    }
}

/// Lambda gives a new account ten executions at once, and refuses to reserve any of them.
#[test]
fn nothing_needs_more_executions_at_once_than_a_new_account_has() {
    const RESERVED: [&str; 3] = [
        "ReservedConcurrentExecutions",
        "ProvisionedConcurrencyConfig",
        "ProvisionedConcurrentExecutions",
    ];
    let mut at_once = 0;
    for template in Template::all() {
        for key in RESERVED {
            assert!(all(&template.body, key).is_empty(), "{}: {key}", template.name);
        }
        for most in all(&template.body, "MaximumConcurrency") {
            let most = most.as_u64().unwrap();
            assert!(most >= 2, "{}: AWS takes no less", template.name);
            at_once += most;
        }
    }
    assert!(at_once <= 7, "of ten executions, {at_once} leave too few");
    // What is throttled for longer than another batch may take is tried again for all that time.
    let definition = fs::read_to_string(project("templates/member-accounts.asl.json")).unwrap();
    let definition: Value = serde_json::from_str(&definition).unwrap();
    let batch = &definition["States"]["Batches"]["ItemProcessor"]["States"]["Batch"];
    let throttled = &batch["Retry"][0];
    assert_eq!(throttled["ErrorEquals"], json!(["Lambda.TooManyRequestsException"]));
    let [attempts, longest] = ["MaxAttempts", "MaxDelaySeconds"].map(|it| throttled[it].as_u64());
    // With full jitter each wait is half of the longest on average.
    let patience = attempts.unwrap() * longest.unwrap() / 2;
    assert!(patience >= 2 * batch["TimeoutSeconds"].as_u64().unwrap(), "{patience}");
}

#[test]
fn a_message_is_not_given_up_because_others_were_at_work() {
    let reattach = Template::named("reattach.yaml");
    let stack = reattach.with(REQUIRED);
    let queue = stack.resolve(&reattach.body["Resources"]["Queue"]["Properties"]).unwrap();
    let [hidden, kept] =
        ["VisibilityTimeout", "MessageRetentionPeriod"].map(|it| queue[it].as_u64().unwrap());
    let times = queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
    assert!(times * hidden >= 3 * 3600, "{times} times {hidden} seconds");
    assert!(times * hidden < kept, "it is gone before it is given up");
}
