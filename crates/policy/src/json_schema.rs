//! The keys of a backup policy as a JSON Schema, so that editors complete and describe them.

use serde_json::{Map, Value, json};

use super::operator::{CONTROL, Operator};
use super::schema::{Field, POLICY, Shape};

/// Returns a JSON Schema for backup policies, built from the table that is used to check them.
///
/// It contains every key and the places of operators. It does not contain the formats of values and
/// the conditions between several keys. [`super::check`] checks those.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = of(&POLICY);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        members.insert("title".to_owned(), "Backup policy of AWS Organizations".into());
    }
    schema
}

fn of(shape: &Shape) -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    let list = json!({ "type": "array", "items": scalar });
    let mut properties = Map::from_iter([(CONTROL.to_owned(), control())]);
    let mut rest = Value::Bool(false);
    let mut required = Vec::new();
    match shape {
        Shape::Fields(fields) => {
            required.extend(fields.iter().filter(|it| it.required).map(|it| it.name));
            properties.extend(fields.iter().map(|it| (it.name.to_owned(), described(it))));
        }
        Shape::Named(_, inner) => rest = of(inner),
        Shape::One(_) | Shape::Schedule => {
            properties.insert(Operator::Assign.as_str().to_owned(), scalar);
        }
        Shape::Many(..) => {
            let operators = [Operator::Assign, Operator::Append, Operator::Remove];
            properties.extend(operators.map(|it| (it.as_str().to_owned(), list.clone())));
        }
    }
    let mut schema = json!({
        "type": "object", "properties": properties, "additionalProperties": rest,
    });
    if let Some(members) = schema.as_object_mut().filter(|_| !required.is_empty()) {
        members.insert("required".to_owned(), required.into());
    }
    schema
}

/// Returns the schema of a key, with the words that an editor shows for it.
fn described(field: &Field) -> Value {
    let mut schema = of(&field.shape);
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), field.about.into());
    }
    schema
}

/// Returns the schema of a control, which limits policies further down.
fn control() -> Value {
    let words = ["@@all", "@@assign", "@@append", "@@remove", "@@none"];
    json!({
        "type": "array", "minItems": 1, "uniqueItems": true, "items": { "enum": words },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `true` if a document fits the keywords that the schema uses.
    fn fits(schema: &Value, document: &Value) -> bool {
        match document {
            Value::Object(members) => {
                let required = schema["required"].as_array();
                let has_all = required.is_none_or(|it| {
                    it.iter().all(|key| members.contains_key(key.as_str().unwrap()))
                });
                let fits = |(key, value): (&String, &Value)| {
                    let (own, rest) = (&schema["properties"][key], &schema["additionalProperties"]);
                    let inner = if own.is_null() { rest } else { own };
                    inner.is_object() && fits(inner, value)
                };
                schema["type"] == "object" && has_all && members.iter().all(fits)
            }
            Value::Array(items) => {
                schema["type"] == "array" && items.iter().all(|it| fits(&schema["items"], it))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                match schema["enum"].as_array() {
                    Some(words) => words.contains(document),
                    None => {
                        schema["type"].as_array().is_some_and(|it| it.contains(&"string".into()))
                    }
                }
            }
        }
    }

    /// Adds the names of keys without a description.
    fn undescribed(schema: &Value, found: &mut Vec<String>) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let is_described = value["description"].as_str().is_some_and(|it| it.ends_with('.'));
            if !key.starts_with("@@") && !is_described {
                found.push(key.clone());
            }
            undescribed(value, found);
        }
        if schema["additionalProperties"].is_object() {
            undescribed(&schema["additionalProperties"], found);
        }
    }

    #[test]
    fn every_key_is_described() {
        let mut found = Vec::new();
        undescribed(&json_schema(), &mut found);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_policy_fits_and_one_with_another_key_does_not() {
        let schema = json_schema();
        let policy = json!({ "plans": { "tier": {
            "@@operators_allowed_for_child_policies": ["@@none"],
            "regions": { "@@append": ["eu-north-1"] },
            "rules": { "nightly": {
                "schedule_expression": { "@@assign": "cron(0 5 ? * * *)" },
                "lifecycle": { "delete_after_days": { "@@assign": 35 } } } },
            "selections": { "tags": { "chosen": { "tag_key": { "@@assign": "tier" },
                "tag_value": { "@@assign": ["gold"] } } } } } } });
        assert!(fits(&schema, &policy));
        assert!(!fits(&schema, &json!({})));
        for (from, to) in [
            ("regions", "region"),
            ("@@append", "@@add"),
            ("@@none", "@@some"),
            ("delete_after_days", "delete_after"),
        ] {
            let text = policy.to_string().replace(from, to);
            assert!(!fits(&schema, &serde_json::from_str(&text).unwrap()), "{to}");
        }
    }
}
