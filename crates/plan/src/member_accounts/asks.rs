//! The requirements of a template for backups of resources, in addition to policies. They change no
//! settings: `org-backup coverage` uses them to judge.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::id::ResourceType;

/// A tag of a resource, as `KEY` or `KEY=VALUE`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagFilter {
    /// The key.
    pub key: String,
    /// The value, or `None` if any value matches.
    pub value: Option<String>,
}

/// The maximum age of the newest backup of some resources, as `TYPE=HOURS` or `KEY=VALUE=HOURS`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Objective {
    /// The resources.
    pub of: ResourceScope,
    /// The age in hours.
    pub hours: u64,
}

/// A group of resources.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResourceScope {
    /// The resources of a type.
    Kind(ResourceType),
    /// The resources with a tag: its key and its value.
    Tag(String, String),
}

/// The reason why a requirement is invalid.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidAsk {
    /// It has no key.
    #[error("a tag is written as `KEY` or `KEY=VALUE`")]
    Tag,
    /// It has no scope, or no hours.
    #[error("an age is written as `TYPE=HOURS` or `KEY=VALUE=HOURS`, as in `RDS=24`")]
    Objective,
}

impl TagFilter {
    /// Returns `true` if a resource with these tags matches.
    pub fn fits(&self, tags: &BTreeMap<String, String>) -> bool {
        let has = tags.get(&self.key);
        has.is_some_and(|has| self.value.as_ref().is_none_or(|it| it == has))
    }
}

impl FromStr for TagFilter {
    type Err = InvalidAsk;

    fn from_str(text: &str) -> Result<Self, InvalidAsk> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if key.is_empty() {
            return Err(InvalidAsk::Tag);
        }
        Ok(Self { key: key.to_owned(), value })
    }
}

impl fmt::Display for TagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        self.value.iter().try_for_each(|it| write!(f, "={it}"))
    }
}

impl FromStr for Objective {
    type Err = InvalidAsk;

    fn from_str(text: &str) -> Result<Self, InvalidAsk> {
        let (of, hours) = text.rsplit_once('=').ok_or(InvalidAsk::Objective)?;
        let hours = hours.parse().ok().filter(|it| *it > 0).ok_or(InvalidAsk::Objective)?;
        let of = match of.split_once('=') {
            Some(("", _)) => return Err(InvalidAsk::Objective),
            Some((key, value)) => ResourceScope::Tag(key.to_owned(), value.to_owned()),
            None => ResourceScope::Kind(of.parse().map_err(|_| InvalidAsk::Objective)?),
        };
        Ok(Self { of, hours })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            ResourceScope::Kind(kind) => write!(f, "{kind}={}", self.hours),
            ResourceScope::Tag(key, value) => write!(f, "{key}={value}={}", self.hours),
        }
    }
}

impl Serialize for TagFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_ages_are_read_as_they_are_written() {
        for text in ["backup", "backup=never", "backup=", "a=b=c"] {
            assert_eq!(text.parse::<TagFilter>().unwrap().to_string(), text);
        }
        assert_eq!("=never".parse::<TagFilter>(), Err(InvalidAsk::Tag));
        for text in ["RDS=24", "SAP HANA on Amazon EC2=4", "tier=gold=4", "tier=a=b=4"] {
            assert_eq!(text.parse::<Objective>().unwrap().to_string(), text);
        }
        for text in ["RDS", "RDS=soon", "RDS=0", "=4", "=gold=4", ""] {
            assert_eq!(text.parse::<Objective>(), Err(InvalidAsk::Objective), "{text}");
        }
    }

    #[test]
    fn a_filter_wants_the_key_and_the_value_that_it_names() {
        let tags = BTreeMap::from([("backup".to_owned(), "never".to_owned())]);
        let fits = |text: &str| text.parse::<TagFilter>().unwrap().fits(&tags);
        assert!(fits("backup") && fits("backup=never"));
        assert!(!fits("backup=") && !fits("backup=Never") && !fits("Backup"));
    }
}
