//! Finds the backup policies inside a CloudFormation template.

use policy::{Code, Finding, Member, Node, Value, inspect, json};
use std::time::SystemTime;

/// Whether the document is a template.
pub(crate) fn is_template(document: &Node) -> bool {
    document.member("Resources").is_some_and(|it| it.members().is_some())
}

/// What is wrong with the backup policies in a template, and how many there are.
pub(crate) fn check(template: &Node, now: SystemTime) -> (usize, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut count = 0;
    let resources = template.member("Resources").and_then(Node::members).unwrap_or_default();
    for Member { key, value: resource, .. } in resources {
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
        findings.extend(content_findings(content, &path, is_ours, now));
    }
    (count, findings)
}

fn content_findings(content: &Node, path: &str, is_ours: bool, now: SystemTime) -> Vec<Finding> {
    let (text, is_replaced) = match (&content.value, substituted(content)) {
        (Value::Text(text), _) => (Some(text.as_str()), false),
        (_, Some(text)) => (Some(text), true),
        _ => (None, false),
    };
    let mut findings = match text {
        None => inspect(&resolved(content), now),
        Some(text) => {
            let (document, mut findings) = json::read(text);
            findings.extend(document.iter().flat_map(|it| inspect(it, now)));
            for finding in &mut findings {
                // The places are those in the string, which the template shows only as a whole.
                finding.span = content.span;
            }
            findings
        }
    };
    // Our resource replaces variables, and so does `Fn::Sub`.
    findings.retain(|it| it.code != Code::Variable || !(is_ours || is_replaced));
    for finding in &mut findings {
        let separator = if finding.path.is_empty() { "" } else { "/" };
        finding.path = format!("{path}{separator}{}", finding.path);
    }
    findings
}

/// The text inside `Fn::Sub`.
fn substituted(node: &Node) -> Option<&str> {
    let [Member { key, value, .. }] = node.members()? else { return None };
    let text = match &value.value {
        Value::Array(items) => items.first()?,
        _ => value,
    };
    text.scalar().filter(|_| key == "Fn::Sub")
}

/// The document with every intrinsic function taken as a string that is not known yet.
fn resolved(node: &Node) -> Node {
    let value = match &node.value {
        Value::Object(members) => match members.as_slice() {
            [only] if is_function(&only.key) => Value::Unknown,
            members => {
                // A loop such as `Fn::ForEach::Name` adds keys that are not known yet.
                let members = members.iter().filter(|it| !is_function(&it.key));
                let resolved = |it: &Member| Member { value: resolved(&it.value), ..it.clone() };
                Value::Object(members.map(resolved).collect())
            }
        },
        Value::Array(items) => Value::Array(items.iter().map(resolved).collect()),
        other => other.clone(),
    };
    Node { span: node.span, value }
}

fn is_function(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}
