//! Finds the backup policies inside a CloudFormation template.

use std::time::SystemTime;

use policy::{Code, Finding, Member, Node, Value, inspect, json};
use template::{Evaluator, Given, NoEnvironment, is_function, section};

/// What is wrong with the backup policies in a template, and how many there are.
pub(crate) fn check(template: &Node, now: SystemTime) -> (usize, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut count = 0;
    let given = Given::default();
    let evaluator = Evaluator::new(template, &given, &NoEnvironment);
    for Member { key, value: resource, .. } in section(template, "Resources") {
        let kind = resource.member("Type").and_then(Node::scalar);
        let Some(properties) = resource.member("Properties") else { continue };
        let is_ours = kind == Some("Custom::BackupPolicy");
        let Some(content) = properties.member("Content") else { continue };
        let is_native = kind == Some("AWS::Organizations::Policy")
            && match properties.member("Type").and_then(Node::scalar) {
                Some(kind) => kind == "BACKUP_POLICY",
                // A parameter decides what kind of policy it is; its content may tell.
                None => content.get("plans").is_some(),
            };
        if !is_ours && !is_native {
            continue;
        }
        count += 1;
        let path = format!("Resources/{key}/Properties/Content");
        findings.extend(content_findings(&evaluator, content, &path, is_ours, now));
    }
    (count, findings)
}

fn content_findings(
    evaluator: &Evaluator<'_>,
    content: &Node,
    path: &str,
    is_ours: bool,
    now: SystemTime,
) -> Vec<Finding> {
    let Some(drafted) = evaluator.draft(content, path) else { return Vec::new() };
    // Our resource replaces variables, and a function leaves those in that are not known.
    let is_replaced = is_ours || (drafted.scalar().is_some() && !content.is_scalar());
    let mut findings = match &drafted.value {
        Value::Text(text) => {
            let (document, mut findings) = json::read(text);
            findings.extend(document.iter().flat_map(|it| inspect(it, now)));
            for finding in &mut findings {
                // The places are those in the string, which the template shows only as a whole.
                finding.span = drafted.span;
            }
            findings
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)
        | Value::Unknown => inspect(&without_loops(drafted), now),
    };
    findings.retain(|it| it.code != Code::Variable || !is_replaced);
    for finding in &mut findings {
        let separator = if finding.path.is_empty() { "" } else { "/" };
        finding.path = format!("{path}{separator}{}", finding.path);
    }
    findings
}

/// The document less the loops such as `Fn::ForEach::Name`, whose keys are not known.
fn without_loops(node: Node) -> Node {
    let value = match node.value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|it| !is_function(&it.key));
            let member = |it: Member| Member { value: without_loops(it.value), ..it };
            Value::Object(members.map(member).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_loops).collect()),
        scalar @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Unknown) => scalar,
    };
    Node { span: node.span, value }
}
