//! What brings events to the function that puts drift back, and what watches it.

use serde_json::{Value, json};
use tests::template::{EVERYTHING, REQUIRED, Template};

use crate::{all, each};

/// The metrics that `reattach` writes.
const METRICS: [&str; 8] = [
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
fn every_alarm_is_about_a_metric_that_there_is_and_tells_somebody() {
    let of_aws = [("AWS/Lambda", "Errors"), ("AWS/SQS", "ApproximateNumberOfMessagesVisible")];
    for template in Template::all() {
        let parameters = [REQUIRED, EVERYTHING].concat();
        let stack = template.with(&parameters);
        for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
            let properties = stack.resolve(&alarm["Properties"]).unwrap();
            let [namespace, metric] =
                ["Namespace", "MetricName"].map(|it| properties[it].as_str().unwrap());
            if namespace == "OrgBackup" {
                assert!(METRICS.contains(&metric), "{name}: {metric}");
                let dimensions = json!([{ "Name": "Function", "Value": "reattach" }]);
                assert_eq!(properties["Dimensions"], dimensions, "{name}");
            } else {
                assert!(of_aws.contains(&(namespace, metric)), "{name}: {namespace} {metric}");
            }
            assert!(!each(&properties["AlarmActions"]).is_empty(), "{name} tells nobody");
        }
        for (name, dashboard) in template.resources("AWS::CloudWatch::Dashboard") {
            let body = stack.resolve(&dashboard["Properties"]["DashboardBody"]).unwrap();
            let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
            for metric in all(&body, "metrics").iter().flat_map(|it| each(it)) {
                if metric[0] == "OrgBackup" {
                    assert!(METRICS.contains(&metric[1].as_str().unwrap()), "{name}: {metric}");
                }
            }
        }
    }
}

#[test]
fn a_day_without_a_sweep_is_an_alarm_also_when_nothing_is_measured() {
    let reattach = Template::named("reattach.yaml");
    let alarm = &reattach.body["Resources"]["SweepAlarm"]["Properties"];
    assert_eq!(alarm["TreatMissingData"], "breaching");
    let hours = alarm["Period"].as_u64().unwrap() * alarm["EvaluationPeriods"].as_u64().unwrap();
    assert_eq!(hours, 25 * 3600);
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
    let rules = reattach.resources("AWS::Events::Rule");
    assert_eq!(rules.len(), 5);
    let policy = resource("QueuePolicy");
    let sources = all(&policy, "aws:SourceArn")[0].as_array().unwrap().clone();
    for (name, _) in rules {
        let target = resource(name)["Targets"][0].clone();
        assert_eq!(target["Arn"], "Queue.Arn", "{name}");
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
    let reattach = Template::named("reattach.yaml");
    let timeouts = &reattach.body["Parameters"]["FunctionTimeout"]["AllowedValues"];
    for timeout in timeouts.as_array().unwrap() {
        let timeout = timeout.as_str().unwrap();
        let parameters = [REQUIRED, &[("FunctionTimeout", timeout)]].concat();
        let queue = &reattach.body["Resources"]["Queue"]["Properties"]["VisibilityTimeout"];
        let hidden = reattach.with(&parameters).resolve(queue).unwrap().as_u64().unwrap();
        assert!(hidden >= timeout.parse().unwrap(), "{hidden} < {timeout}");
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
