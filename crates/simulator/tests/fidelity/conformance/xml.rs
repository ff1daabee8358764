//! Answers in XML as the JSON that their models describe.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use super::model::Model;

/// The result of an operation of the query protocol, out of its two wrappers.
pub(crate) fn result(model: &Model, text: &str, operation: &str) -> Value {
    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), format!("{operation}Response"));
    let mut children = root.children().filter(Node::is_element);
    let result = children.next().unwrap();
    assert_eq!(result.tag_name().name(), model.wrapper(operation));
    assert_eq!(children.next().unwrap().tag_name().name(), "ResponseMetadata");
    let shape = model.shape_of(operation, "output");
    shape.map_or_else(|| Value::Object(Map::new()), |it| value(model, it, result))
}

/// The whole body of an answer.
pub(crate) fn body(model: &Model, text: &str, operation: &str) -> Value {
    let document = Document::parse(text).unwrap();
    value(model, model.shape_of(operation, "output").unwrap(), document.root_element())
}

fn value(model: &Model, shape: &str, node: Node<'_, '_>) -> Value {
    let text = node.text().unwrap_or_default();
    let children = || node.children().filter(Node::is_element);
    match model.kind(shape) {
        "structure" => {
            let mut members = Map::new();
            for child in children() {
                let tag = child.tag_name().name();
                // What is no member stays, to be found.
                let Some((name, shape)) = model.member_of(shape, tag) else {
                    members.insert(tag.to_owned(), Value::from(child.text()));
                    continue;
                };
                if model.is_flattened(shape) {
                    let item = value(model, model.item(shape), child);
                    let list = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                    list.as_array_mut().unwrap().push(item);
                } else {
                    members.insert(name.to_owned(), value(model, shape, child));
                }
            }
            Value::Object(members)
        }
        "list" => children().map(|it| value(model, model.item(shape), it)).collect(),
        "boolean" => Value::from(text == "true"),
        "integer" | "long" => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}
