//! The text of a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::MAX_CHARACTERS;

/// A policy document. Two documents are equal if they mean the same JSON, even if they are written
/// differently.
///
/// Its `Debug` form does not show the text, which must not be logged.
#[derive(Clone, Eq, PartialEq)]
pub struct Document(Map<String, Value>);

/// The value of `${name}` in a policy document.
///
/// It is read from a string, a number, a boolean, or a list of strings.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Variable {
    /// Text, which can be part of a key or of a string.
    Text(String),
    /// A list of strings, which can only replace a whole value.
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            it @ (Value::Bool(_) | Value::Number(_)) => Ok(Self::Text(it.to_string())),
            it @ Value::Array(_) => Vec::deserialize(it).map(Self::List).map_err(D::Error::custom),
            Value::Null | Value::Object(_) => {
                Err(D::Error::custom("a variable is text or a list of strings"))
            }
        }
    }
}

/// The reason why something is not a policy document.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Invalid {
    /// The text is not JSON.
    #[error("the content is not JSON at line {line}, column {column}")]
    NotJson {
        /// The line at which reading stopped, counted from 1.
        line: usize,
        /// The column at which reading stopped, counted from 1.
        column: usize,
    },
    /// The text is JSON, but not an object, as every policy is.
    #[error("the content is not a JSON object")]
    NotAnObject,
    /// The policy is longer than AWS accepts.
    #[error(
        "the content has {characters} characters without white space, and AWS accepts \
         {MAX_CHARACTERS}"
    )]
    TooLong {
        /// The length of the minified text.
        characters: usize,
    },
    /// The document uses a variable that has no value.
    #[error("`{path}` uses `${{{name}}}`, which `Variables` does not have")]
    UnknownVariable {
        /// The place of the variable, as keys separated by `/`.
        path: String,
        /// The name between the braces.
        name: String,
    },
    /// A variable has a value that nothing uses.
    #[error("`Variables` has `{0}`, which the content does not use")]
    UnusedVariable(String),
    /// A list is used as part of a string or of a key.
    #[error("`{path}` uses the list `${{{name}}}` inside a string")]
    MisplacedList {
        /// The place of the variable, as keys separated by `/`.
        path: String,
        /// The name between the braces.
        name: String,
    },
    /// Two keys of one object became the same.
    #[error("`{path}` has the key `{key}` twice once variables are replaced")]
    DuplicateKey {
        /// The object, as keys separated by `/`.
        path: String,
        /// The key that both became.
        key: String,
    },
}

impl Invalid {
    /// Returns the hint, unless the message already says what to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLong { .. } => {
                Some("split it into several policies, which merge by plan name")
            }
            Self::MisplacedList { .. } => Some("a list stands alone"),
            Self::NotJson { .. }
            | Self::NotAnObject
            | Self::UnknownVariable { .. }
            | Self::UnusedVariable(_)
            | Self::DuplicateKey { .. } => None,
        }
    }
}

impl Document {
    /// Reads `text` as JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|it| Invalid::NotJson { line: it.line(), column: it.column() })?;
        Self::new(value)
    }

    /// Converts JSON that was already read.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not an object.
    pub fn new(value: Value) -> Result<Self, Invalid> {
        let Value::Object(map) = value else { return Err(Invalid::NotAnObject) };
        Ok(Self(map))
    }

    /// Replaces `${name}` in keys and in strings by the variable of that name.
    ///
    /// A replacement is not searched again. Only `${` followed by `}` is special: the `$account`
    /// and `$region` of the policy language stay.
    ///
    /// # Errors
    ///
    /// Returns an error if a variable is missing, unused or a list in the wrong place.
    pub fn with_variables(self, variables: &BTreeMap<String, Variable>) -> Result<Self, Invalid> {
        let mut replacement = Replacement { variables, used: BTreeSet::new(), path: Vec::new() };
        let map = replacement.object(self.0)?;
        match variables.keys().find(|it| !replacement.used.contains(it.as_str())) {
            Some(unused) => Err(Invalid::UnusedVariable(unused.clone())),
            None => Ok(Self(map)),
        }
    }

    /// Checks the length of the document.
    ///
    /// # Errors
    ///
    /// Returns an error if the document is longer than AWS accepts.
    pub fn within_limit(self) -> Result<Self, Invalid> {
        match self.minified().chars().count() {
            characters if characters > MAX_CHARACTERS => Err(Invalid::TooLong { characters }),
            _ => Ok(self),
        }
    }

    /// Returns the document as JSON.
    pub fn value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Returns the document as it is sent: without white space, with keys in alphabetical order.
    pub fn minified(&self) -> String {
        let mut text = String::new();
        write_object(&self.0, &mut text);
        text
    }

    /// Returns the SHA-256 of the minified text in hexadecimal digits.
    pub fn sha256(&self) -> String {
        sha256(self.minified().as_bytes())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}…)", self.sha256().get(..8).unwrap_or_default())
    }
}

/// Returns the SHA-256 of `bytes` in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Writes keys in order, regardless of the map type that `serde_json` was built with, so that the
/// hash is stable.
fn write_object(map: &Map<String, Value>, text: &mut String) {
    let ordered: BTreeMap<_, _> = map.iter().collect();
    text.push('{');
    for (index, (key, value)) in ordered.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => write_object(map, text),
        Value::Array(list) => {
            text.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Splits `text` at every `${name}`.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        pieces.extend([Piece::Text(before), Piece::Variable(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|it| !matches!(it, Piece::Text("")));
    pieces
}

struct Replacement<'a> {
    variables: &'a BTreeMap<String, Variable>,
    used: BTreeSet<String>,
    path: Vec<String>,
}

impl Replacement<'_> {
    fn object(&mut self, map: Map<String, Value>) -> Result<Map<String, Value>, Invalid> {
        let mut replaced = Map::new();
        for (key, value) in map {
            self.path.push(key.clone());
            let key = self.text(&key)?;
            let value = self.value(value)?;
            self.path.pop();
            if replaced.insert(key.clone(), value).is_some() {
                return Err(Invalid::DuplicateKey { path: self.path.join("/"), key });
            }
        }
        Ok(replaced)
    }

    fn value(&mut self, value: Value) -> Result<Value, Invalid> {
        Ok(match value {
            Value::Object(map) => Value::Object(self.object(map)?),
            Value::Array(list) => {
                Value::Array(list.into_iter().map(|it| self.value(it)).collect::<Result<_, _>>()?)
            }
            Value::String(text) => match pieces(&text).as_slice() {
                [Piece::Variable(name)] => match self.variable(name)? {
                    Variable::Text(text) => text.as_str().into(),
                    Variable::List(list) => list.as_slice().into(),
                },
                _ => self.text(&text)?.into(),
            },
            scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar,
        })
    }

    fn text(&mut self, text: &str) -> Result<String, Invalid> {
        let mut replaced = String::new();
        for piece in pieces(text) {
            replaced.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Variable(name) => match self.variable(name)? {
                    Variable::Text(text) => text,
                    Variable::List(_) => {
                        let path = self.path.join("/");
                        return Err(Invalid::MisplacedList { path, name: name.to_owned() });
                    }
                },
            });
        }
        Ok(replaced)
    }

    fn variable(&mut self, name: &str) -> Result<&Variable, Invalid> {
        let Some(variable) = self.variables.get(name) else {
            let path = self.path.join("/");
            return Err(Invalid::UnknownVariable { path, name: name.to_owned() });
        };
        self.used.insert(name.to_owned());
        Ok(variable)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Replaces `variables` in `content` and compares the minified result or the error.
    fn check(content: Value, variables: Value, expect: Expect) {
        let variables = serde_json::from_value(variables).unwrap();
        let replaced = Document::new(content).unwrap().with_variables(&variables);
        let refused = |it: Invalid| match it.hint() {
            Some(hint) => format!("{it}; hint: {hint}"),
            None => it.to_string(),
        };
        expect.assert_eq(&replaced.map_or_else(refused, |it| it.minified()));
    }

    #[test]
    fn variables_are_replaced_in_keys_and_in_values() {
        check(
            json!({"copy_actions": {"${Vault}": {"target": {"@@assign": "${Vault}/x"}}}}),
            json!({"Vault": "arn:aws:backup:eu-west-1:111122223333:backup-vault:central"}),
            expect![[
                r#"{"copy_actions":{"arn:aws:backup:eu-west-1:111122223333:backup-vault:central":{"target":{"@@assign":"arn:aws:backup:eu-west-1:111122223333:backup-vault:central/x"}}}}"#
            ]],
        );
    }

    #[test]
    fn a_replacement_cannot_break_out_of_its_string() {
        check(
            json!({"a": "${X}"}),
            json!({"X": "\"},{\"b\":\"${X}"}),
            expect![[r#"{"a":"\"},{\"b\":\"${X}"}"#]],
        );
    }

    #[test]
    fn a_list_stands_for_a_whole_value() {
        check(
            json!({"regions": {"@@assign": "${Regions}"}}),
            json!({"Regions": ["eu-west-1", "eu-west-2"]}),
            expect![[r#"{"regions":{"@@assign":["eu-west-1","eu-west-2"]}}"#]],
        );
        check(
            json!({"plans": {"a": "in ${Regions}"}}),
            json!({"Regions": ["eu-west-1"]}),
            expect![[
                r"`plans/a` uses the list `${Regions}` inside a string; hint: a list stands alone"
            ]],
        );
    }

    #[test]
    fn what_is_not_a_variable_stays() {
        check(
            json!({"a": "arn:aws:iam::$account:role/x", "b": "$region ${", "c": 1, "d": [true, null]}),
            json!({}),
            expect![[
                r#"{"a":"arn:aws:iam::$account:role/x","b":"$region ${","c":1,"d":[true,null]}"#
            ]],
        );
    }

    #[test]
    fn a_missing_variable_is_named_with_its_place() {
        check(
            json!({"plans": {"daily": {"${Nme}": {}}}}),
            json!({"Name": "x"}),
            expect![[r"`plans/daily/${Nme}` uses `${Nme}`, which `Variables` does not have"]],
        );
    }

    #[test]
    fn an_unused_variable_is_named() {
        check(
            json!({"plans": {}}),
            json!({"Name": "x"}),
            expect![[r"`Variables` has `Name`, which the content does not use"]],
        );
    }

    #[test]
    fn two_keys_that_become_one_are_refused() {
        check(
            json!({"plans": {"${A}": {}, "x": {}}}),
            json!({"A": "x"}),
            expect![[r"`plans` has the key `x` twice once variables are replaced"]],
        );
    }

    #[test]
    fn documents_are_equal_when_they_mean_the_same() {
        let [one, other] = [r#"{"a": 1, "b": [ 2 ]}"#, "\u{feff}{\"b\":[2],\n\"a\":1}"]
            .map(|it| Document::parse(it).unwrap());
        assert_eq!(one, other);
        assert_eq!(one.sha256(), other.sha256());
        assert_ne!(one.sha256(), Document::parse("{}").unwrap().sha256());
    }

    #[test]
    fn text_that_is_not_a_json_object_is_refused_with_its_place() {
        assert_eq!(
            Document::parse("{\n  \"a\": }").unwrap_err(),
            Invalid::NotJson { line: 2, column: 8 }
        );
        for text in ["null", "[]", "\"{}\"", "7"] {
            assert_eq!(Document::parse(text), Err(Invalid::NotAnObject));
        }
        assert!(Document::parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn the_limit_is_in_characters_and_inclusive() {
        let of = |characters: usize| {
            let text = "ü".repeat(characters - r#"{"a":""}"#.chars().count());
            Document::new(json!({ "a": text })).unwrap().within_limit()
        };
        assert!(of(10_000).is_ok());
        assert_eq!(of(10_001), Err(Invalid::TooLong { characters: 10_001 }));
    }

    #[test]
    fn a_document_is_not_shown_in_logs() {
        let document = Document::parse(r#"{"secret": "plan"}"#).unwrap();
        let start = document.sha256().split_at(8).0.to_owned();
        assert_eq!(format!("{document:?}"), format!("Document({start}…)"));
        assert_eq!(document.value(), json!({ "secret": "plan" }));
    }

    proptest! {
        #[test]
        fn minified_text_means_the_same(text in "[a-zü\"\\\\${}\n]{0,20}", key in "[a-z\"\\\\]{0,8}") {
            let document = Document::new(json!({ "a": { key: [text, 1, null] }, "b": {} })).unwrap();
            prop_assert_eq!(Document::parse(&document.minified()).unwrap(), document);
        }
    }
}
