//! Finds the backup policies in the JSON that other tools write: Terraform and `OpenTofu`, and the
//! AWS CLI.

use std::time::SystemTime;

use policy::{BACKUP_POLICY, Code, Member, Node, Span, Value, inspect};
use terraform::RESOURCES;

use crate::checked::Checked;
use crate::policies;

/// A backup policy inside a document.
pub(crate) struct Embedded {
    /// The address of its resource, or the keys that lead to it.
    path: String,
    /// Its place in the document.
    span: Span,
    content: Content,
}

enum Content {
    /// The policy as a string.
    Text(String),
    /// The effective policy as a string. Its values have no operators.
    Effective(String),
    /// The policy as a string in which Terraform replaces each `${…}`.
    Template(String),
    /// The policy is not in the document, for this reason.
    Unknown(&'static str),
}

/// Returns the backup policies in a document of one of these tools, and `None` for any other
/// document.
pub(crate) fn policies(document: &Node) -> Option<Vec<Embedded>> {
    terraform(document).or_else(|| configuration(document)).or_else(|| aws_cli(document))
}

impl Embedded {
    /// Checks the policy.
    pub(crate) fn check(&self, checked: &mut Checked, now: SystemTime) {
        let Self { path, span, content } = self;
        match content {
            Content::Text(text) => {
                checked.add(*span, policies::in_text(text, *span, path, now));
            }
            Content::Effective(text) => {
                let judge = |it: &Node| inspect(&with_operators(it), now);
                checked.add(*span, policies::in_text_as(text, *span, path, judge));
            }
            Content::Template(text) => {
                let mut findings = policies::in_open_text(text, *span, path, now);
                findings.retain(|it| it.code != Code::Variable);
                checked.add(*span, findings);
                if text.contains("${") {
                    checked.not_checked(path, *span, "Terraform replaces what is in `${…}`");
                }
            }
            Content::Unknown(why) => checked.not_checked(path, *span, why),
        }
    }
}

/// Returns the policies in the output of `terraform show -json` for a plan or a state, or in a
/// stored state.
fn terraform(document: &Node) -> Option<Vec<Embedded>> {
    let mut found = Vec::new();
    if let Some(Value::Array(resources)) = stored_state(document) {
        for it in resources {
            stored(it, &mut found);
        }
        return Some(found);
    }
    document.member("format_version")?.scalar()?;
    document.member("terraform_version").or_else(|| document.member("planned_values"))?;
    for values in ["planned_values", "values"] {
        let root = document.member(values).and_then(|it| it.member("root_module"));
        if let Some(root) = root {
            module(root, &mut found);
        }
    }
    Some(found)
}

/// Returns the policies of a Terraform configuration in JSON, as CDK for Terraform writes it.
fn configuration(document: &Node) -> Option<Vec<Embedded>> {
    let resources = document.member("resource")?;
    let kinds = RESOURCES.iter().filter_map(|kind| Some((kind, resources.member(kind)?)));
    let mut found = Vec::new();
    for (kind, all) in kinds {
        for Member { key, value, .. } in all.members().unwrap_or_default() {
            let bodies = if let Value::Array(items) = &value.value {
                items.as_slice()
            } else {
                std::slice::from_ref(value)
            };
            let address = format!("{kind}.{key}");
            for body in bodies {
                found.extend(of_values(&address, value.span, body));
            }
        }
    }
    for it in &mut found {
        if let Content::Text(text) = &mut it.content {
            it.content = Content::Template(std::mem::take(text));
        }
    }
    resources.members().is_some().then_some(found)
}

/// Returns the resources of a stored state.
fn stored_state(document: &Node) -> Option<&Value> {
    document.member("terraform_version")?.scalar()?;
    document.member("lineage")?.scalar()?;
    document.member("resources").map(|it| &it.value)
}

/// Collects the policies of a module and of the modules below it.
fn module(module: &Node, found: &mut Vec<Embedded>) {
    for resource in items(module, "resources") {
        let address = resource.member("address").and_then(Node::scalar);
        if let (Some(address), Some(values)) = (address, resource.member("values"))
            && resource
                .member("type")
                .and_then(Node::scalar)
                .is_some_and(|it| RESOURCES.contains(&it))
        {
            found.extend(of_values(address, resource.span, values));
        }
    }
    // The depth of documents is limited, so that of modules is, too.
    for it in items(module, "child_modules") {
        self::module(it, found);
    }
}

/// Collects the policies of a resource in a stored state, which has no address.
fn stored(resource: &Node, found: &mut Vec<Embedded>) {
    let text = |key| resource.member(key).and_then(Node::scalar);
    let Some(kind) = text("type").filter(|it| RESOURCES.contains(it)) else { return };
    if text("mode") == Some("data") {
        return;
    }
    let module = text("module").map_or_else(String::new, |it| format!("{it}."));
    let name = text("name").unwrap_or_default();
    for instance in items(resource, "instances") {
        let index = match instance.member("index_key").map(|it| &it.value) {
            Some(Value::Text(key)) => format!("[\"{key}\"]"),
            Some(Value::Number(number)) => format!("[{number}]"),
            _ => String::new(),
        };
        let address = format!("{module}{kind}.{name}{index}");
        if let Some(values) = instance.member("attributes") {
            found.extend(of_values(&address, instance.span, values));
        }
    }
}

/// Returns the policy of a Terraform resource, if the resource is a backup policy.
fn of_values(address: &str, span: Span, values: &Node) -> Option<Embedded> {
    (values.member("type").and_then(Node::scalar) == Some(BACKUP_POLICY)).then_some(())?;
    let path = format!("{address}/content");
    if let Some(Node { span, value: Value::Text(text) }) = values.member("content") {
        return Some(Embedded { path, span: *span, content: Content::Text(text.clone()) });
    }
    let content = Content::Unknown("Terraform knows its content once it is applied");
    Some(Embedded { path, span, content })
}

/// Returns the policy in the output of `describe-policy` or `describe-effective-policy` of the AWS
/// CLI.
fn aws_cli(document: &Node) -> Option<Vec<Embedded>> {
    let at = |outer: &str, key: &str| {
        let Node { span, value: Value::Text(text) } = document.member(outer)?.member(key)? else {
            return None;
        };
        Some((format!("{outer}/{key}"), *span, text.clone()))
    };
    if let Some((path, span, text)) = at("Policy", "Content") {
        let summary = document.member("Policy")?.member("PolicySummary")?;
        let is_backup = summary.member("Type").and_then(Node::scalar) == Some(BACKUP_POLICY);
        let policy = Embedded { path, span, content: Content::Text(text) };
        return Some(is_backup.then_some(policy).into_iter().collect());
    }
    let (path, span, text) = at("EffectivePolicy", "PolicyContent")?;
    let kind = document.member("EffectivePolicy")?.member("PolicyType").and_then(Node::scalar);
    let policy = Embedded { path, span, content: Content::Effective(text) };
    Some((kind == Some(BACKUP_POLICY)).then_some(policy).into_iter().collect())
}

/// Returns an effective policy as a policy that assigns each of its values.
fn with_operators(node: &Node) -> Node {
    let value = match &node.value {
        Value::Object(members) => {
            let member = |it: &Member| Member { value: with_operators(&it.value), ..it.clone() };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Unknown
        | Value::Array(_) => {
            let (key, span) = ("@@assign".to_owned(), node.span);
            Value::Object(vec![Member { key, span, value: node.clone() }])
        }
    };
    Node { span: node.span, value }
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    match node.member(key).map(|it| &it.value) {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}
