//! The values of parameters, as they are given on the command line and in files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::{CommandError, input};

/// Reads `Name=value`, `ParameterKey=Name,ParameterValue=value`, and JSON files as the AWS CLI
/// accepts them. A later value replaces an earlier one. A parameter that keeps the value of the
/// deployed stack has none.
pub(crate) fn read(arguments: &[String]) -> Result<BTreeMap<String, Option<String>>, CommandError> {
    let mut given = BTreeMap::new();
    for it in arguments {
        let file = it.strip_prefix("file://").or_else(|| {
            let is_file = !it.contains('=') && Path::new(it).extension().is_some();
            is_file.then_some(it.as_str())
        });
        let pairs = match file {
            Some(file) => in_file(Path::new(file))?,
            None => vec![pair(it).ok_or_else(|| unusable(it))?],
        };
        given.extend(pairs);
    }
    Ok(given)
}

/// Reads one parameter. The value is `None` if the value of the deployed stack is kept.
fn pair(text: &str) -> Option<(String, Option<String>)> {
    if text.starts_with("ParameterKey=")
        || text.starts_with("ParameterValue=")
        || text.starts_with("UsePreviousValue=")
    {
        return shorthand(text);
    }
    let (name, value) = text.split_once('=')?;
    Some((name.to_owned(), Some(value.to_owned())))
}

/// Reads one parameter in the shorthand syntax of the AWS CLI: keys in any order, values with
/// quotes, and commas after a backslash.
fn shorthand(text: &str) -> Option<(String, Option<String>)> {
    let (mut name, mut value, mut keeps) = (None, None, false);
    let mut parts: Vec<String> = Vec::new();
    for part in between_commas(text) {
        let is_key = ["ParameterKey=", "ParameterValue=", "UsePreviousValue=", "ResolvedValue="];
        match parts.last_mut() {
            // A comma that is not followed by a key belongs to the value.
            Some(last) if !is_key.iter().any(|it| part.starts_with(it)) => {
                last.push(',');
                last.push_str(&part);
            }
            _ => parts.push(part),
        }
    }
    for part in parts {
        let (key, text) = part.split_once('=')?;
        match key {
            "ParameterKey" => name = Some(text.to_owned()),
            "ParameterValue" => value = Some(text.to_owned()),
            "UsePreviousValue" => keeps = text == "true",
            _ => {}
        }
    }
    (keeps || value.is_some()).then_some((name?, value.filter(|_| !keeps)))
}

/// Returns the parts of a text between its commas, without the quotes and backslashes that protect
/// commas.
fn between_commas(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(it) = characters.next() {
        match it {
            '\\' if characters.peek().is_some_and(|it| matches!(it, ',' | '"' | '\'' | '\\')) => {
                part.extend(characters.next());
            }
            '"' | '\'' if quote == Some(it) => quote = None,
            // A quote opens only at the beginning of a value.
            '"' | '\'' if quote.is_none() && part.ends_with('=') => quote = Some(it),
            ',' if quote.is_none() => parts.push(std::mem::take(&mut part)),
            _ => part.push(it),
        }
    }
    parts.push(part);
    parts
}

/// Reads a file: a list of `ParameterKey` and `ParameterValue`, a list of `Name=value`, or an
/// object. The object has the parameters in `Parameters`, as for `--cli-input-json`, or at its top
/// level.
fn in_file(path: &Path) -> Result<Vec<(String, Option<String>)>, CommandError> {
    let file = input::read(path)?;
    let value: Value = serde_json::from_str(&file.text)
        .map_err(|source| CommandError::NotJson { file: file.name.clone(), source })?;
    let pairs: Option<Vec<_>> = match value.get("Parameters").unwrap_or(&value) {
        Value::Array(list) => list.iter().map(one).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, it)| Some((name.clone(), Some(text(it)?)))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    pairs.ok_or_else(|| unusable(&file.name))
}

fn one(it: &Value) -> Option<(String, Option<String>)> {
    if let Value::String(it) = it {
        return pair(it);
    }
    let name = text(it.get("ParameterKey")?)?;
    if it.get("UsePreviousValue").is_some_and(|it| text(it).as_deref() == Some("true")) {
        return Some((name, None));
    }
    Some((name, Some(text(it.get("ParameterValue")?)?)))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(it) => Some(it.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(list) => {
            let list = list.iter().map(text).collect::<Option<Vec<_>>>();
            list.map(|it| it.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn unusable(what: &str) -> CommandError {
    CommandError::Parameters(vec![format!(
        "`{what}` is neither Name=value nor a JSON file of parameters as the AWS CLI takes it"
    )])
}
