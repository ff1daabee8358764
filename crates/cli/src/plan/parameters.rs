//! The values of the parameters of a template, judged as CloudFormation judges them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use policy::{Node, Value as Written};
use regex::Regex;
use serde_json::Value;

use crate::{Failure, input};

/// The values that were given, and those of the deployed stack, which the others keep.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    own: BTreeMap<String, String>,
    deployed: BTreeMap<String, String>,
}

/// The value that a parameter keeps since it was not given.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) value: String,
    /// The default of the template, which a deployed stack does not get where it is another one.
    pub(super) default: Option<String>,
}

impl Taken {
    /// Whether it makes no difference where the value is from.
    pub(super) fn is_default(&self) -> bool {
        self.default.as_ref() == Some(&self.value)
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Parameter {
    Text(String),
    List(Vec<String>),
    /// It is kept elsewhere, for the reason given.
    Later(String),
}

impl Given {
    /// Reads `Name=value`, `ParameterKey=Name,ParameterValue=value`, and JSON files as the AWS CLI
    /// takes them; a later value replaces an earlier one.
    pub(super) fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut given = Self::default();
        for it in arguments {
            let file = it.strip_prefix("file://").or_else(|| {
                let is_file = !it.contains('=') && Path::new(it).extension().is_some();
                is_file.then_some(it.as_str())
            });
            match file {
                Some(file) => given.own.extend(in_file(Path::new(file))?),
                None => given.own.extend([pair(it).ok_or_else(|| unusable(it))?]),
            }
        }
        Ok(given)
    }

    /// These values, and for all others those of the deployed stack.
    pub(super) fn or(self, deployed: BTreeMap<String, String>) -> Self {
        Self { deployed, ..self }
    }

    /// The names of the parameters that were given.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.own.keys()
    }

    /// What the parameter `name`, which the template declares so, has from the deployed stack.
    pub(super) fn taken(&self, name: &str, declared: &Node) -> Option<Taken> {
        let value = self.deployed.get(name).filter(|_| !self.own.contains_key(name))?;
        let default = said(declared, "Default").map(ToOwned::to_owned);
        Some(Taken { name: name.to_owned(), value: value.clone(), default })
    }

    /// The value of the parameter `name`, which the template declares so; or what is wrong with it.
    pub(super) fn value(&self, name: &str, declared: &Node) -> Result<Parameter, String> {
        let get = |key| said(declared, key);
        let kind = get("Type").unwrap_or("String");
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            let why = format!("the value of `{name}` is in Parameter Store");
            return Ok(Parameter::Later(why));
        }
        let taken = self.taken(name, declared).map(|it| it.value);
        if let Some(value) = &taken
            && (get("NoEcho") == Some("true") || is_hidden(value))
        {
            let why = format!(
                "CloudFormation does not tell the value of `{name}`, which has `NoEcho`; \
                 hint: give it with --parameters {name}=…"
            );
            return Ok(Parameter::Later(why));
        }
        let given = self.own.get(name).or(taken.as_ref()).map(String::as_str);
        let value = given.or(get("Default"));
        let Some(value) = value else {
            return Err(format!("the parameter `{name}` needs a value: --parameters {name}=…"));
        };
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let items: Vec<&str> =
            if is_list { value.split(',').map(str::trim).collect() } else { vec![value] };
        for it in &items {
            judge(name, kind, it, declared).map_err(|mistake| match &taken {
                Some(_) => format!("{mistake}, which is what the deployed stack has"),
                None => mistake,
            })?;
        }
        let items = items.into_iter().map(ToOwned::to_owned);
        Ok(if is_list {
            Parameter::List(items.collect())
        } else {
            Parameter::Text(items.collect())
        })
    }
}

/// Whether this stands for a value that is not told.
fn is_hidden(value: &str) -> bool {
    value.len() > 3 && value.bytes().all(|it| it == b'*')
}

/// Checks one value against what the template allows.
fn judge(name: &str, kind: &str, value: &str, declared: &Node) -> Result<(), String> {
    let get = |key| said(declared, key);
    let number = |key| get(key).and_then(|it| it.parse::<f64>().ok());
    let described = get("ConstraintDescription");
    let wrong = |must: &dyn Display| match described {
        Some(described) => Err(format!("the parameter `{name}` {described}, not `{value}`")),
        None => Err(format!("the parameter `{name}` must {must}, not `{value}`")),
    };
    if let Some(Written::Array(allowed)) = declared.member("AllowedValues").map(|it| &it.value)
        && !allowed.iter().any(|it| it.scalar() == Some(value))
    {
        let allowed: Vec<_> = allowed.iter().filter_map(Node::scalar).collect();
        return wrong(&format!("be one of {}", allowed.join(", ")));
    }
    // A pattern that only Java understands is left to CloudFormation.
    let pattern = get("AllowedPattern").and_then(|it| Regex::new(&format!("^(?:{it})$")).ok());
    if let Some(pattern) = pattern.filter(|it| !it.is_match(value)) {
        return wrong(&format!("match {pattern}"));
    }
    if kind == "Number" || kind == "List<Number>" {
        let Ok(value) = value.parse::<f64>() else { return wrong(&"be a number") };
        if number("MinValue").is_some_and(|it| value < it) {
            return wrong(&format!("be at least {}", get("MinValue").unwrap_or_default()));
        }
        if number("MaxValue").is_some_and(|it| value > it) {
            return wrong(&format!("be at most {}", get("MaxValue").unwrap_or_default()));
        }
    }
    let length = |key| get(key).and_then(|it| it.parse::<usize>().ok());
    let characters = value.chars().count();
    if length("MinLength").is_some_and(|it| characters < it) {
        return wrong(&"be longer");
    }
    if length("MaxLength").is_some_and(|it| characters > it) {
        return wrong(&"be shorter");
    }
    Ok(())
}

/// What the declaration of a parameter says under `key`.
fn said<'a>(declared: &'a Node, key: &'static str) -> Option<&'a str> {
    declared.member(key).and_then(Node::scalar)
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
fn in_file(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let file = input::read(path)?;
    let value: Value = serde_json::from_str(&file.text)
        .map_err(|source| Failure::NotJson { file: file.name.clone(), source })?;
    let pairs: Option<Vec<_>> = match &value {
        Value::Array(list) => list.iter().map(one).collect(),
        Value::Object(map) => {
            let map = map.get("Parameters").and_then(Value::as_object).unwrap_or(map);
            map.iter().map(|(name, it)| Some((name.clone(), text(it)?))).collect()
        }
        _ => None,
    };
    pairs.ok_or_else(|| unusable(&file.name))
}

fn one(it: &Value) -> Option<(String, String)> {
    match it {
        Value::String(it) => pair(it),
        _ => Some((text(it.get("ParameterKey")?)?, text(it.get("ParameterValue")?)?)),
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

fn unusable(what: &str) -> Failure {
    Failure::Parameters(vec![format!(
        "`{what}` is neither Name=value nor a JSON file of parameters as the AWS CLI takes it"
    )])
}
