//! What a statement for a service asks of it, and what the service sends.
//!
//! A condition on a key that a service does not send is never met: the statement then allows
//! nothing, and nothing tells. So each pair of a service and an action has its own row.

use std::collections::BTreeSet;

use super::{each, stacks};
use serde_json::Value;
use tests::template::Template;

/// What a service sends with a request of its own.
struct Sends {
    service: &'static str,
    action: &'static str,
    /// The condition keys that it sends, as AWS says or as they were seen to hold.
    keys: &'static [&'static str],
    source: &'static str,
}

const ACCOUNT: &str = "aws:SourceAccount";
const ARN: &str = "aws:SourceArn";
const ENCRYPTED_TOPIC: &str = "kms:EncryptionContext:aws:sns:topicArn";

/// What is known. A pair that is not here has no condition on the service.
const SENDS: [Sends; 13] = [
    Sends {
        service: "backup.amazonaws.com",
        action: "sts:AssumeRole",
        keys: &[ACCOUNT],
        source: "the AWS Backup guide, cross-service confused deputy prevention",
    },
    Sends {
        service: "cloudwatch.amazonaws.com",
        action: "kms:Decrypt",
        keys: &[ACCOUNT],
        source: "the SNS guide, key management: services that support the condition",
    },
    Sends {
        service: "cloudwatch.amazonaws.com",
        action: "kms:GenerateDataKey",
        keys: &[ACCOUNT],
        source: "the SNS guide, key management: services that support the condition",
    },
    Sends {
        service: "cloudwatch.amazonaws.com",
        action: "sns:Publish",
        keys: &[ACCOUNT],
        source: "the SNS guide, example cases for access control: CloudWatch alarms",
    },
    // The guide names no account and no rule among what EventBridge sends to a key.
    Sends {
        service: "events.amazonaws.com",
        action: "kms:Decrypt",
        keys: &[ENCRYPTED_TOPIC],
        source: "recordings of AWS published with radkawar/stackd (September 2026)",
    },
    Sends {
        service: "events.amazonaws.com",
        action: "kms:GenerateDataKey",
        keys: &[ENCRYPTED_TOPIC],
        source: "recordings of AWS published with radkawar/stackd (September 2026)",
    },
    Sends {
        service: "events.amazonaws.com",
        action: "logs:PutLogEvents",
        keys: &[ARN],
        source: "hashicorp/terraform-provider-aws, the example of a log group as a target; the \
                 stream is created without",
    },
    Sends {
        service: "delivery.logs.amazonaws.com",
        action: "logs:PutLogEvents",
        keys: &[ARN],
        source: "as the row above: both services are in one statement",
    },
    Sends {
        service: "events.amazonaws.com",
        action: "sns:Publish",
        keys: &[ACCOUNT, ARN],
        source: "recordings of AWS published with radkawar/stackd (September 2026)",
    },
    Sends {
        service: "events.amazonaws.com",
        action: "sqs:SendMessage",
        keys: &[ARN],
        source: "the EventBridge guide, Amazon SQS permissions, and dead-letter queues",
    },
    Sends {
        service: "events.amazonaws.com",
        action: "sts:AssumeRole",
        keys: &[ACCOUNT, ARN],
        source: "the EventBridge guide, cross-service confused deputy prevention",
    },
    Sends {
        service: "scheduler.amazonaws.com",
        action: "sts:AssumeRole",
        keys: &[ACCOUNT, ARN],
        source: "the EventBridge Scheduler guide, confused deputy prevention",
    },
    Sends {
        service: "states.amazonaws.com",
        action: "sts:AssumeRole",
        keys: &[ACCOUNT, ARN],
        source: "the Step Functions guide, cross-service confused deputy prevention",
    },
];

/// The statements in `value` that allow something to a service.
fn statements(value: &Value) -> Vec<Value> {
    match value {
        // A policy that a template holds as text.
        Value::String(text) if text.contains("\"Principal\"") => {
            serde_json::from_str(text).map(|it: Value| statements(&it)).unwrap_or_default()
        }
        Value::Array(list) => list.iter().flat_map(statements).collect(),
        Value::Object(map) => {
            let is_for_service = map.get("Principal").is_some_and(|it| it.get("Service").is_some());
            let own = (is_for_service && map["Effect"] == "Allow").then(|| value.clone());
            own.into_iter().chain(map.values().flat_map(statements)).collect()
        }
        _ => vec![],
    }
}

/// The condition keys of a statement.
fn keys(statement: &Value) -> BTreeSet<&str> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let keys = operators.filter_map(|(_, it)| it.as_object());
    keys.flat_map(|it| it.keys().map(String::as_str)).collect()
}

#[test]
fn no_statement_asks_a_service_for_what_it_does_not_send() {
    let mut used = BTreeSet::new();
    for template in Template::all() {
        for stack in stacks(&template) {
            for statement in statements(&stack.resolve(&template.body["Resources"]).unwrap()) {
                for service in each(&statement["Principal"]["Service"]) {
                    for action in each(&statement["Action"]) {
                        let row = SENDS
                            .iter()
                            .position(|it| *service == it.service && *action == it.action);
                        let sent = row.map_or(&[][..], |it| SENDS[it].keys);
                        let asked = keys(&statement);
                        let unsent: Vec<_> = asked.iter().filter(|it| !sent.contains(it)).collect();
                        assert!(
                            unsent.is_empty(),
                            "{}: {service} does not send {unsent:?} with {action}",
                            template.name
                        );
                        used.extend(row.filter(|_| !asked.is_empty()));
                    }
                }
            }
        }
    }
    let unused = SENDS.iter().enumerate().filter(|(index, _)| !used.contains(index));
    let unused: Vec<_> = unused.map(|(_, it)| (it.service, it.action, it.source)).collect();
    assert_eq!(unused, [], "no statement relies on these");
}
