//! The schemas of what the command prints.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a schema that cannot be read holds nothing"
)]

use std::fs;
use std::path::PathBuf;

use regex::Regex;
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
