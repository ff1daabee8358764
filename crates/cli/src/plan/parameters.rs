//! The values of parameters as they are given on the command line and in files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::{CommandError, input};

/// Reads `Name=value`, `ParameterKey=Name,ParameterValue=value`, and JSON files as the AWS CLI
/// takes them; a later value replaces an earlier one.
pub(super) fn read(arguments: &[String]) -> Result<BTreeMap<String, String>, CommandError> {
    let mut given = BTreeMap::new();
    for it in arguments {
        let file = it.strip_prefix("file://").or_else(|| {
            let is_file = !it.contains('=') && Path::new(it).extension().is_some();
            is_file.then_some(it.as_str())
        });
        match file {
            Some(file) => given.extend(in_file(Path::new(file))?),
            None => given.extend([pair(it).ok_or_else(|| unusable(it))?]),
        }
    }
    Ok(given)
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = match text.strip_prefix("ParameterKey=") {
        Some(rest) => rest.split_once(",ParameterValue=")?,
        None => text.split_once('=')?,
    };
    Some((name.to_owned(), value.to_owned()))
}

/// What a file says: a list of `ParameterKey` and `ParameterValue`, a list of `Name=value`, or an
/// object, with the parameters in `Parameters` or right there.
fn in_file(path: &Path) -> Result<Vec<(String, String)>, CommandError> {
    let file = input::read(path)?;
    let value: Value = serde_json::from_str(&file.text)
        .map_err(|source| CommandError::NotJson { file: file.name.clone(), source })?;
    let pairs: Option<Vec<_>> = match &value {
        Value::Array(list) => list.iter().map(one).collect(),
        Value::Object(map) => {
            let map = map.get("Parameters").and_then(Value::as_object).unwrap_or(map);
            map.iter().map(|(name, it)| Some((name.clone(), text(it)?))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    pairs.ok_or_else(|| unusable(&file.name))
}

fn one(it: &Value) -> Option<(String, String)> {
    match it {
        Value::String(it) => pair(it),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some((text(it.get("ParameterKey")?)?, text(it.get("ParameterValue")?)?))
        }
    }
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
