//! The values of the parameters of a template, checked as CloudFormation checks them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use policy::{Node, Value};
use regex::Regex;

/// The given values, and those of the deployed stack, which apply to all other parameters.
#[derive(Clone, Debug, Default)]
pub struct Given {
    own: BTreeMap<String, String>,
    /// The parameters that keep the value of the deployed stack, which has to have one.
    kept: BTreeSet<String>,
    deployed: BTreeMap<String, String>,
}

/// The value that a parameter keeps because no value was given.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Taken {
    /// The name of the parameter.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The default of the template. It does not apply to a deployed stack that has another value.
    pub default: Option<String>,
}

impl Taken {
    /// Returns `true` if the kept value equals the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.default.as_ref() == Some(&self.value)
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Parameter {
    Text(String),
    List(Vec<String>),
    /// The value is stored elsewhere. Contains the reason why it is not known.
    Later(String),
}

impl From<BTreeMap<String, String>> for Given {
    fn from(own: BTreeMap<String, String>) -> Self {
        Self { own, ..Self::default() }
    }
}

/// A parameter without a value keeps that of the deployed stack, as `UsePreviousValue` asks for.
impl From<BTreeMap<String, Option<String>>> for Given {
    fn from(all: BTreeMap<String, Option<String>>) -> Self {
        let mut given = Self::default();
        for (name, value) in all {
            match value {
                Some(value) => drop(given.own.insert(name, value)),
                None => drop(given.kept.insert(name)),
            }
        }
        given
    }
}

impl Given {
    /// Returns these values, with those of the deployed stack for all others.
    #[must_use]
    pub fn or(self, deployed: BTreeMap<String, String>) -> Self {
        Self { deployed, ..self }
    }

    /// Returns the names of the parameters that were given, or that keep their value.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.own.keys().chain(&self.kept)
    }

    /// Returns the value that the parameter `name` keeps from the deployed stack. `declared` is its
    /// declaration in the template.
    pub(crate) fn taken(&self, name: &str, declared: &Node) -> Option<Taken> {
        let value = self.deployed.get(name).filter(|_| !self.own.contains_key(name))?;
        let default = said(declared, "Default").map(ToOwned::to_owned);
        Some(Taken { name: name.to_owned(), value: value.clone(), default })
    }

    /// Returns the error in the value of the parameter `name`, or the error that it has no value.
    /// `declared` is its declaration in the template.
    #[must_use]
    pub fn mistake(&self, name: &str, declared: &Node) -> Option<String> {
        self.value(name, declared).err()
    }

    /// Returns the value of the parameter `name`, or the error in it. `declared` is its
    /// declaration.
    pub(crate) fn value(&self, name: &str, declared: &Node) -> Result<Parameter, String> {
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
                "CloudFormation does not return the value of `{name}`, which has `NoEcho`, so it \
                 needs --parameters {name}=…"
            );
            return Ok(Parameter::Later(why));
        }
        if taken.is_none() && self.kept.contains(name) {
            return Err(format!(
                "the parameter `{name}` is to keep its value, and no deployed stack has one"
            ));
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

/// Returns `true` if this text stands for a value that CloudFormation hides.
fn is_hidden(value: &str) -> bool {
    value.len() > 3 && value.bytes().all(|it| it == b'*')
}

/// Checks one value against the constraints in the template.
fn judge(name: &str, kind: &str, value: &str, declared: &Node) -> Result<(), String> {
    let get = |key| said(declared, key);
    let number = |key| get(key).and_then(|it| it.parse::<f64>().ok());
    let described = get("ConstraintDescription");
    let wrong = |must: &dyn Display| match described {
        Some(described) => Err(format!("the parameter `{name}` {described}, not `{value}`")),
        None => Err(format!("the parameter `{name}` must {must}, not `{value}`")),
    };
    if let Some(Value::Array(allowed)) = declared.member("AllowedValues").map(|it| &it.value)
        && !allowed.iter().any(|it| it.scalar() == Some(value))
    {
        let allowed: Vec<_> = allowed.iter().filter_map(Node::scalar).collect();
        return wrong(&format!("be one of {}", allowed.join(", ")));
    }
    // CloudFormation has to check a pattern that only Java understands.
    let pattern = get("AllowedPattern").and_then(|it| Regex::new(&format!("^(?:{it})$")).ok());
    if let Some(pattern) = pattern.filter(|it| !it.is_match(value)) {
        return wrong(&format!("match {pattern}"));
    }
    if kind == "Number" || kind == "List<Number>" {
        let value = value.parse::<f64>().ok().filter(|it| it.is_finite());
        let Some(value) = value else { return wrong(&"be a number") };
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

/// Returns the text under `key` in the declaration of a parameter.
fn said<'a>(declared: &'a Node, key: &'static str) -> Option<&'a str> {
    declared.member(key).and_then(Node::scalar)
}
