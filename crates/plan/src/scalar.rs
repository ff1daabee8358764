//! Scalars of a template, which CloudFormation delivers as strings.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// `true` or `false`, as a boolean or as a string.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E: Error>(self, it: bool) -> Result<Flag, E> {
                Ok(Flag(it))
            }

            fn visit_str<E: Error>(self, it: &str) -> Result<Flag, E> {
                match it {
                    "true" | "True" | "TRUE" => Ok(Flag(true)),
                    "false" | "False" | "FALSE" => Ok(Flag(false)),
                    _ => Err(E::invalid_value(Unexpected::Str(it), &self)),
                }
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// Values, as a list or, as in a parameter of type String, separated by commas.
///
/// White space around each value and empty values are dropped. An empty parameter is an empty list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct List<T>(pub Vec<T>);

impl<T> List<T> {
    /// Returns `true` if it has no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);
        impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings or a comma-separated string")
            }

            fn visit_str<E: Error>(self, it: &str) -> Result<List<T>, E> {
                let parts = it.split(',').map(str::trim).filter(|it| !it.is_empty());
                Ok(List(parts.map(|it| it.parse().map_err(E::custom)).collect::<Result<_, _>>()?))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(it) = list.next_element::<String>()? {
                    let it = it.trim();
                    if !it.is_empty() {
                        all.push(it.parse().map_err(A::Error::custom)?);
                    }
                }
                Ok(List(all))
            }
        }
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// A value that is absent if it is empty, as an unused parameter is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Optional<T>(pub Option<T>);

impl<T> Optional<T> {
    /// Returns `true` if there is no value, so that it is not stored.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Optional<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse().map(|it| Self(Some(it))).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Horn {
        #[serde(default)]
        names: List<String>,
        loud: Option<Flag>,
        #[serde(default)]
        count: Optional<u8>,
    }

    fn read(property: &str, value: Value) -> Result<Horn, serde_json::Error> {
        serde_json::from_value(json!({ property: value }))
    }

    #[test]
    fn scalars_are_read_as_they_are_and_as_strings() {
        let names = |it: Value| read("names", it).map(|it| it.names.0);
        assert_eq!(names(json!("a, b,,c ")).unwrap(), ["a", "b", "c"]);
        assert_eq!(names(json!(["a", " b "])).unwrap(), ["a", "b"]);
        assert!(names(json!("")).unwrap().is_empty());
        assert!(names(json!(7)).is_err() && names(json!({"a": "b"})).is_err());
        let count = |it: Value| read("count", it).map(|it| it.count.0);
        assert_eq!(count(json!("7")).unwrap(), Some(7));
        assert_eq!(count(json!("")).unwrap(), None);
        assert!(count(json!("many")).is_err());
        let flag = |it: Value| read("loud", it).map(|it| it.loud);
        assert_eq!(flag(json!("false")).unwrap(), Some(Flag(false)));
        assert_eq!(flag(json!(true)).unwrap(), Some(Flag(true)));
        assert!(flag(json!("yes")).is_err() && flag(json!(1)).is_err());
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let why = |property, value| read(property, value).unwrap_err().to_string();
        let told = why("names", json!(7));
        assert!(told.contains("expected a list of strings or a comma-separated string"), "{told}");
        let told = why("loud", json!("yes"));
        assert!(told.contains("expected true or false"), "{told}");
    }

    #[test]
    fn empty_values_of_a_list_are_dropped_and_an_empty_list_is_told() {
        let names = |it: Value| read("names", it).unwrap().names;
        assert_eq!(names(json!(["", "a"])).0, ["a"]);
        assert!(names(json!([""])).is_empty() && !names(json!(["a"])).is_empty());
    }
}
