//! The schemas of what the command prints.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a schema that cannot be read holds nothing"
)]

use std::fs;
use std::path::PathBuf;

use regex::Regex;
use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// The folder of the schemas.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas")
}

/// Holds a value against the schema of this name. A key that the schema has not is a mistake here, though
/// the schema allows it, since newer versions may print more.
///
/// # Panics
///
/// When the value is not as the schema has it.
#[track_caller]
pub fn hold(name: &str, value: &Value) {
    let schema = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    hold_against(name, schema.clone(), value);
    close(&mut schema);
    hold_against(name, schema, value);
}

/// Holds a value against a schema.
///
/// # Panics
///
/// When the value is not as the schema has it.
#[track_caller]
pub fn hold_against(name: &str, schema: Value, value: &Value) {
    let mut errors = Vec::new();
    Validator { root: &schema, errors: &mut errors }.check(&schema, value, "");
    assert!(errors.is_empty(), "{name}:\n{}\n{value:#}", errors.join("\n"));
}

/// Holds a text in XML against the schema of this name.
///
/// # Panics
///
/// When the text is no XML, or not as the schema has it.
#[track_caller]
pub fn hold_xml(name: &str, text: &str) {
    let errors = xml_errors(name, text);
    assert!(errors.is_empty(), "{name}:\n{}\n{text}", errors.join("\n"));
}

/// Says what of a text in XML is not as the schema of this name has it.
///
/// # Panics
///
/// When the text is no XML.
#[must_use]
#[track_caller]
pub fn xml_errors(name: &str, text: &str) -> Vec<String> {
    let schema = fs::read_to_string(folder().join(format!("{name}.xsd"))).unwrap();
    let schema = Document::parse(&schema).unwrap();
    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    let mut errors = Vec::new();
    match declarations(schema.root_element()).find(|it| is_of(*it, root)) {
        Some(it) => hold_element(it, root, &mut errors),
        None => errors.push(format!("<{}> is not declared", root.tag_name().name())),
    }
    errors
}

/// The part of XML Schema that our schemas use. A word that is not known here is a mistake, so nothing
/// is passed over.
fn hold_element(schema: Node<'_, '_>, element: Node<'_, '_>, errors: &mut Vec<String>) {
    let (mut attributes, mut elements, mut has_text) = (Vec::new(), Vec::new(), false);
    let mut next: Vec<_> = declarations(schema).collect();
    while let Some(it) = next.pop() {
        match it.tag_name().name() {
            "attribute" => attributes.push(it),
            "complexType" => next.extend(declarations(it)),
            "sequence" => elements.extend(declarations(it)),
            "simpleContent" | "extension" => {
                has_text = true;
                next.extend(declarations(it));
            }
            word => panic!("the word `{word}` is not known"),
        }
    }
    let tag = element.tag_name().name();
    for it in &attributes {
        let name = it.attribute("name").unwrap();
        match element.attribute(name) {
            Some(value) if !is_value(*it, value) => errors.push(format!("{tag}/@{name}: {value}")),
            None if it.attribute("use") == Some("required") => {
                errors.push(format!("{tag}/@{name} is missing"));
            }
            _ => {}
        }
    }
    let is_declared = |name: &str| attributes.iter().any(|it| it.attribute("name") == Some(name));
    let strangers = element.attributes().filter(|it| !is_declared(it.name()));
    errors.extend(strangers.map(|it| format!("{tag}/@{} is not declared", it.name())));
    let texts = element.children().filter(|it| it.is_text() && !has_text);
    let texts = texts.filter_map(|it| it.text()).filter(|it| !it.trim().is_empty());
    errors.extend(texts.map(|it| format!("{tag} has the text {it}")));
    let mut children = element.children().filter(Node::is_element).peekable();
    for it in elements {
        assert_eq!(it.tag_name().name(), "element", "a sequence has elements");
        let mut count = 0;
        while let Some(child) = children.next_if(|child| is_of(it, *child)) {
            hold_element(it, child, errors);
            count += 1;
        }
        let bound = |name: &str| match it.attribute(name) {
            Some("unbounded") => usize::MAX,
            bound => bound.map_or(1, |it| it.parse().unwrap()),
        };
        if count < bound("minOccurs") || count > bound("maxOccurs") {
            let name = it.attribute("name").unwrap();
            errors.push(format!("{tag} has {count} of <{name}>"));
        }
    }
    errors.extend(children.map(|it| format!("<{}> is out of place", it.tag_name().name())));
}

/// The declarations in a part of a schema.
fn declarations<'a, 'i: 'a>(part: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let parts = part.children().filter(Node::is_element);
    parts.filter(|it| it.tag_name().name() != "annotation")
}

/// Says whether an element has the name of its declaration.
fn is_of(schema: Node<'_, '_>, element: Node<'_, '_>) -> bool {
    schema.attribute("name") == Some(element.tag_name().name())
}

/// Says whether an attribute has a value of its type.
fn is_value(schema: Node<'_, '_>, value: &str) -> bool {
    match schema.attribute("type") {
        Some("xs:string") => true,
        Some("xs:nonNegativeInteger") => value.parse::<u64>().is_ok(),
        Some(other) => panic!("the type `{other}` is not known"),
        None => {
            let mut values = schema.descendants().filter(|it| it.has_tag_name("enumeration"));
            values.any(|it| it.attribute("value") == Some(value))
        }
    }
}

/// The part of JSON Schema that our schemas use, which is a small one. The crates that know all of it
/// bring thirty others; a word that is not known here is a mistake, so nothing is passed over.
struct Validator<'a> {
    root: &'a Value,
    errors: &'a mut Vec<String>,
}

impl Validator<'_> {
    fn check(&mut self, schema: &Value, value: &Value, path: &str) {
        let Value::Object(words) = schema else {
            if *schema != Value::Bool(true) {
                self.errors.push(format!("{path}: nothing may be here"));
            }
            return;
        };
        let no_words = Map::new();
        let properties = words.get("properties").and_then(Value::as_object).unwrap_or(&no_words);
        for (word, of) in words {
            let is_met = match (word.as_str(), value) {
                ("type", _) => as_list(of).iter().any(|it| has_type(value, it.as_str().unwrap())),
                ("enum", _) => of.as_array().unwrap().contains(value),
                ("const", _) => of == value,
                ("anyOf", _) => of.as_array().unwrap().iter().any(|it| {
                    let mut errors = Vec::new();
                    Validator { root: self.root, errors: &mut errors }.check(it, value, path);
                    errors.is_empty()
                }),
                ("$ref", _) => {
                    let of = of.as_str().unwrap().strip_prefix('#').unwrap();
                    self.check(self.root.pointer(of).unwrap(), value, path);
                    true
                }
                ("minimum", Value::Number(it)) => it.as_i64() >= of.as_i64(),
                ("minLength", Value::String(it)) => it.len() >= size(of),
                ("pattern", Value::String(it)) => {
                    Regex::new(of.as_str().unwrap()).unwrap().is_match(it)
                }
                ("format", Value::String(it)) => {
                    assert_eq!(of, "uri-reference");
                    !it.contains([' ', '#', '<', '>', '"'])
                }
                ("uniqueItems", Value::Array(it)) => {
                    it.iter().enumerate().all(|(at, one)| !it[..at].contains(one))
                }
                ("minItems", Value::Array(it)) => it.len() >= size(of),
                ("maxItems", Value::Array(it)) => it.len() <= size(of),
                ("items", Value::Array(items)) => {
                    for (index, it) in items.iter().enumerate() {
                        self.check(of, it, &format!("{path}/{index}"));
                    }
                    true
                }
                ("required", Value::Object(members)) => of
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|it| members.contains_key(it.as_str().unwrap())),
                ("properties", Value::Object(members)) => {
                    for (key, of) in properties.iter().filter(|it| members.contains_key(it.0)) {
                        self.check(of, &members[key], &format!("{path}/{key}"));
                    }
                    true
                }
                ("additionalProperties", Value::Object(members)) => {
                    for (key, it) in members.iter().filter(|it| !properties.contains_key(it.0)) {
                        self.check(of, it, &format!("{path}/{key}"));
                    }
                    true
                }
                // They say nothing of it, or something of other types.
                (
                    "$schema"
                    | "$defs"
                    | "$comment"
                    | "title"
                    | "description"
                    | "minimum"
                    | "minLength"
                    | "pattern"
                    | "format"
                    | "minItems"
                    | "maxItems"
                    | "uniqueItems"
                    | "items"
                    | "required"
                    | "properties"
                    | "additionalProperties",
                    _,
                ) => true,
                (word, _) => panic!("the word `{word}` is not known"),
            };
            if !is_met {
                self.errors.push(format!("{path}: `{word}` wants {of}"));
            }
        }
    }
}

fn as_list(of: &Value) -> Vec<Value> {
    of.as_array().cloned().unwrap_or_else(|| vec![of.clone()])
}

fn size(of: &Value) -> usize {
    of.as_u64().and_then(|it| it.try_into().ok()).unwrap()
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type `{other}` is not known"),
    }
}

/// Lets no object have a key that is not named.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
