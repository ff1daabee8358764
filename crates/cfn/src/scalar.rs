//! Scalars of a template, which CloudFormation delivers as strings.

use std::fmt;

use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// `true` or `false`, as a boolean or as a string.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
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
        deserializer.deserialize_any(Read)
    }
}

/// Strings, as a list or, as a parameter of type String gives them, separated by commas.
///
/// White space around each is dropped, and so are empty ones: an empty parameter is an empty list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Strings(pub Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Strings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings or a comma-separated string")
            }

            fn visit_str<E: Error>(self, it: &str) -> Result<Strings, E> {
                let parts = it.split(',').map(str::trim).filter(|it| !it.is_empty());
                Ok(Strings(parts.map(ToOwned::to_owned).collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strings, A::Error> {
                let mut all = Vec::new();
                while let Some(it) = list.next_element::<String>()? {
                    let it = it.trim();
                    if !it.is_empty() {
                        all.push(it.to_owned());
                    }
                }
                Ok(Strings(all))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
