//! Answers of the query protocol as JSON.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// The result of an operation, out of its two wrappers.
pub(crate) fn result(text: &str, operation: &str, wrapper: &str) -> Value {
    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), format!("{operation}Response"));
    let mut children = root.children().filter(Node::is_element);
    let result = children.next().unwrap();
    assert_eq!(result.tag_name().name(), wrapper);
    assert_eq!(children.next().unwrap().tag_name().name(), "ResponseMetadata");
    match value(result) {
        Value::String(_) => Value::Object(Map::new()),
        members => members,
    }
}

fn value(node: Node<'_, '_>) -> Value {
    let members = node.children().filter(Node::is_element);
    let members: Map<_, _> =
        members.map(|it| (it.tag_name().name().to_owned(), value(it))).collect();
    if members.is_empty() {
        return Value::from(node.text().unwrap_or_default());
    }
    Value::Object(members)
}
