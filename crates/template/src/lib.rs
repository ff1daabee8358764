//! CloudFormation templates, read from JSON or YAML, and evaluated as far as possible before a
//! deployment.
//!
//! All code that evaluates a template uses this crate: `check`, which knows nothing about the
//! deployment; `plan`, which knows its parameters and the previous deployment; and the contracts,
//! which make up the values that a deployment would provide.
//!
//! An unknown value stays [`Value::Unknown`](policy::Value::Unknown) with a reason, and is never
//! guessed.

mod comments;
mod evaluate;
mod loops;
mod parameters;
mod yaml;

use policy::{Code, Finding, Member, Node, Severity, Value, json, locate};

pub use crate::comments::without_comments;
pub use crate::evaluate::{
    Choices, Environment, Evaluator, NoEnvironment, Notes, Unknown, is_dynamic,
};
pub use crate::loops::{LANGUAGE_EXTENSIONS, expand};
pub use crate::parameters::{Given, Taken};

/// The syntax of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Syntax {
    /// JSON.
    Json,
    /// YAML, with the short forms of intrinsic functions.
    Yaml,
}

/// The content of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    /// The documents: one in JSON, any number in YAML. Documents that cannot be read to their end
    /// are not included.
    pub all: Vec<Node>,
    /// The errors in the text, each with its place. A repeated key is a finding, but its document
    /// is still included.
    pub findings: Vec<Finding>,
    /// Words without quotes that YAML 1.1 reads differently. This matters if AWS expects a string.
    pub words: Vec<Finding>,
}

impl From<(Option<Node>, Vec<Finding>)> for Documents {
    fn from((document, findings): (Option<Node>, Vec<Finding>)) -> Self {
        Self { all: document.into_iter().collect(), findings, words: Vec::new() }
    }
}

/// Reads all documents of a text, which need not be templates.
#[must_use]
pub fn read_all(text: &str, syntax: Syntax) -> Documents {
    match syntax {
        Syntax::Json => json::read(text).into(),
        Syntax::Yaml => yaml::read(text),
    }
}

/// Reads a text with one document, which need not be a template.
///
/// The findings have their places. A repeated key is a finding, but the document is still returned.
/// `None` means that the document cannot be read, or that there are several.
#[must_use]
pub fn read(text: &str, syntax: Syntax) -> (Option<Node>, Vec<Finding>) {
    let Documents { all, mut findings, .. } = read_all(text, syntax);
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(_), Some(second)) => {
            findings.push(Finding {
                severity: Severity::Error,
                code: Code::Syntax,
                path: String::new(),
                span: second.span,
                line: 0,
                column: 0,
                message: "a second document begins here, where one is expected".to_owned(),
            });
            locate(text, &mut findings);
            (None, findings)
        }
        // A document that cannot be read to its end is not returned in part.
        (_, _) if findings.iter().any(|it| it.code == Code::Syntax) => (None, findings),
        (document, _) => (document, findings),
    }
}

/// Returns `true` if the document is a template.
#[must_use]
pub fn is_template(document: &Node) -> bool {
    document.member("Resources").is_some_and(|it| it.members().is_some())
}

/// Returns the members of a section of the template, such as its `Resources`.
#[must_use]
pub fn section<'a>(template: &'a Node, name: &str) -> &'a [Member] {
    template.member(name).and_then(Node::members).unwrap_or_default()
}

/// Returns the names of the macros that CloudFormation runs on the whole template, including
/// `AWS::Include` and the other transforms of AWS.
#[must_use]
pub fn transforms(template: &Node) -> Vec<String> {
    let Some(transform) = template.member("Transform") else { return Vec::new() };
    let name = |it: &Node| {
        let name = it.scalar().or_else(|| it.member("Name").and_then(Node::scalar));
        name.map_or_else(|| "a macro whose name is not known".to_owned(), ToOwned::to_owned)
    };
    arguments(transform).iter().map(name).collect()
}

/// Returns a value as CloudFormation sends it, with every scalar as a string. Returns `None` if a
/// part of it is not known.
#[must_use]
pub fn as_sent(node: &Node) -> Option<serde_json::Value> {
    as_json(node, &|it| it.scalar().map(serde_json::Value::from))
}

/// Returns a value as it is written, with numbers as numbers. Returns `None` if a part of it is not
/// known.
#[must_use]
pub fn as_written(node: &Node) -> Option<serde_json::Value> {
    as_json(node, &|it| match &it.value {
        Value::Null => Some(serde_json::Value::Null),
        Value::Bool(it) => Some((*it).into()),
        Value::Number(text) => serde_json::from_str(text).ok(),
        Value::Text(text) => Some(text.as_str().into()),
        Value::Unknown | Value::Array(_) | Value::Object(_) => None,
    })
}

fn as_json(
    node: &Node,
    scalar: &impl Fn(&Node) -> Option<serde_json::Value>,
) -> Option<serde_json::Value> {
    match &node.value {
        Value::Object(members) => {
            let member = |it: &Member| Some((it.key.clone(), as_json(&it.value, scalar)?));
            members.iter().map(member).collect::<Option<_>>().map(serde_json::Value::Object)
        }
        Value::Array(items) => items.iter().map(|it| as_json(it, scalar)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => {
            scalar(node)
        }
    }
}

/// Returns the name and the argument of the intrinsic function that a value uses.
fn function(node: &Node) -> Option<(&str, &Node)> {
    let [Member { key, value, .. }] = node.members()? else { return None };
    (key == "Ref" || is_function(key)).then_some((key, value))
}

/// Returns `true` if a key is the name of a function or, as in a loop, begins with one.
#[must_use]
pub fn is_function(key: &str) -> bool {
    key.starts_with("Fn::")
}

/// Returns the arguments of a function. A single argument does not need a list.
fn arguments(argument: &Node) -> &[Node] {
    if let Value::Array(items) = &argument.value { items } else { std::slice::from_ref(argument) }
}

fn find<'a>(members: &'a [Member], name: &str) -> Option<&'a Node> {
    members.iter().find(|it| it.key == name).map(|it| &it.value)
}

#[cfg(test)]
mod tests;
