//! The resources that a selection takes, and the differences of those that it does not take.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use policy::arn::Arn;

use super::evidence::Resource;
use super::kind::Kind;
use super::pattern::fits;

/// The prefix of every key of a condition.
const RESOURCE_TAG: &str = "aws:ResourceTag/";

/// A selection of a backup plan, in the terms of AWS Backup.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Its name.
    pub name: String,
    /// The ARN of the role that finds and backs up resources. In it, `$account` stands for the
    /// account.
    pub role: String,
    /// Tags, each with a key and a value. A resource that has one of them is taken.
    pub tags: Vec<(String, String)>,
    /// ARNs with `*`. A resource whose ARN fits one of them is taken.
    pub resources: Vec<String>,
    /// ARNs with `*`. A resource whose ARN fits one of them is not taken.
    pub except: Vec<String>,
    /// The conditions that hold for every resource that is taken.
    pub conditions: Vec<Condition>,
    /// The policies that contribute to it, and the targets that they are attached to.
    pub origins: Vec<Source>,
}

/// A policy that contributes to a selection.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Source {
    /// The policy.
    pub policy: String,
    /// The root, OU or account that it is attached to.
    pub target: String,
}

/// A condition of a selection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// The operator that it compares with.
    pub operator: Operator,
    /// The key as the policy has it, such as `aws:ResourceTag/tier`.
    pub key: String,
    /// The value that it compares with.
    pub value: String,
}

/// The operator of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// The tag has this value.
    Equals,
    /// The tag has another value, or the resource does not have the tag.
    NotEquals,
    /// The tag has a value that fits the pattern.
    Like,
    /// The tag has a value that does not fit the pattern, or the resource does not have the tag.
    NotLike,
}

impl Operator {
    /// Every operator, by its key in a policy.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("string_equals", Self::Equals),
        ("string_not_equals", Self::NotEquals),
        ("string_like", Self::Like),
        ("string_not_like", Self::NotLike),
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Equals => "string_equals",
            Self::NotEquals => "string_not_equals",
            Self::Like => "string_like",
            Self::NotLike => "string_not_like",
        }
    }
}

/// The result of matching a selection with a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Match {
    /// The selection does not take the resource.
    No,
    /// The selection takes the resource if its type is opted in to.
    IfOptedIn,
    /// The selection takes the resource, because it names its type or the resource itself.
    Yes,
    /// The result depends on tags, which could not be read.
    Unknown,
}

impl Selection {
    /// Matches the selection with a resource of this kind in this account.
    pub(super) fn takes(&self, resource: &Resource, kind: &Kind, account: &str) -> Match {
        let fits_here = |pattern: &&String| fits(pattern, &resource.arn);
        if self.except.iter().any(|it| fits_here(&it)) || self.is_refused() {
            return Match::No;
        }
        let pattern = self.resources.iter().filter(fits_here).max_by_key(|it| names_a_type(it));
        let Some(tags) = &resource.tags else {
            let is_possible = pattern.is_some() || !self.tags.is_empty();
            return match pattern {
                Some(pattern) if self.conditions.is_empty() => taken(pattern, kind),
                _ if is_possible => Match::Unknown,
                _ => Match::No,
            };
        };
        if !self.conditions.iter().all(|it| it.holds(tags, account)) {
            return Match::No;
        }
        let is_tagged = || self.tags.iter().any(|it| has(tags, it, account));
        match pattern {
            Some(pattern) => taken(pattern, kind),
            None if is_tagged() => Match::IfOptedIn,
            None => Match::No,
        }
    }

    /// Returns the resources that it takes, in words. Patterns and the keys and values of tags are
    /// between backticks.
    pub fn words(&self) -> String {
        if self.is_refused() {
            return "nothing, because it names neither tags nor resources".to_owned();
        }
        let mut keys: Vec<&str> = self.tags.iter().map(|it| it.0.as_str()).collect();
        keys.dedup();
        let tagged = keys.into_iter().map(|key| {
            let values = self.tags.iter().filter(|it| it.0 == key).map(|it| it.1.clone());
            format!("resources tagged `{key}` = {}", either(&values.collect::<Vec<_>>()))
        });
        let is_all = self.resources.iter().any(|it| it == "*");
        let named = (!self.resources.is_empty()).then(|| {
            if is_all {
                return "every resource".to_owned();
            }
            format!("resources like {}", either(&self.resources))
        });
        let mut words = tagged.chain(named).collect::<Vec<_>>().join(", and ");
        if !self.except.is_empty() {
            words.extend([", except ".to_owned(), either(&self.except)]);
        }
        let conditions: Vec<_> = self.conditions.iter().map(Condition::words).collect();
        if !conditions.is_empty() {
            words.extend(["; only where ".to_owned(), conditions.join(" and ")]);
        }
        words
    }

    /// Returns `true` if AWS Backup refuses it: conditions alone select nothing.
    pub(super) fn is_refused(&self) -> bool {
        self.tags.is_empty() && self.resources.is_empty()
    }

    /// Returns the differences that keep the selection from taking the resource.
    pub(super) fn differences(&self, resource: &Resource, account: &str) -> Vec<Difference> {
        if self.is_refused() {
            return vec![Difference::Refused];
        }
        let none = BTreeMap::new();
        let tags = resource.tags.as_ref().unwrap_or(&none);
        let mut differences = Vec::new();
        if let Some(pattern) = self.except.iter().find(|it| fits(it, &resource.arn)) {
            differences.push(Difference::Excepted(pattern.clone()));
        }
        let is_named = self.resources.iter().any(|it| fits(it, &resource.arn));
        if !is_named && !self.tags.iter().any(|it| has(tags, it, account)) {
            differences.push(match self.tags.first() {
                None => Difference::Type(self.resources.clone()),
                Some((key, _)) => {
                    let wanted = self.tags.iter().filter(|it| it.0 == *key);
                    let wanted = wanted.map(|it| here(&it.1, account).into_owned()).collect();
                    Difference::tag(tags, key, wanted)
                }
            });
        }
        let fails = self.conditions.iter().filter(|it| !it.holds(tags, account));
        differences.extend(fails.map(|it| it.difference(tags, account)));
        differences
    }
}

impl Condition {
    fn words(&self) -> String {
        let about = match self.tag() {
            Some(key) => format!("the tag `{key}`"),
            None => format!("`{}`", self.key),
        };
        let is = match self.operator {
            Operator::Equals => "is",
            Operator::NotEquals => "is not",
            Operator::Like => "is like",
            Operator::NotLike => "is not like",
        };
        format!("{about} {is} `{}`", self.value)
    }

    /// Returns the key of the tag, or `None` if the condition is about something that AWS Backup
    /// does not know.
    fn tag(&self) -> Option<&str> {
        self.key.strip_prefix(RESOURCE_TAG)
    }

    fn holds(&self, tags: &BTreeMap<String, String>, account: &str) -> bool {
        let value = self.tag().and_then(|it| tags.get(it));
        let wanted = here(&self.value, account);
        match self.operator {
            Operator::Equals => value.is_some_and(|it| *it == wanted),
            Operator::NotEquals => value.is_none_or(|it| *it != wanted),
            Operator::Like => value.is_some_and(|it| fits(&wanted, it)),
            Operator::NotLike => value.is_none_or(|it| !fits(&wanted, it)),
        }
    }

    fn difference(&self, tags: &BTreeMap<String, String>, account: &str) -> Difference {
        let wanted = here(&self.value, account).into_owned();
        match (self.operator, self.tag()) {
            (Operator::Equals, Some(key)) => Difference::tag(tags, key, vec![wanted]),
            (operator, key) => Difference::Condition {
                operator: operator.key(),
                key: self.key.clone(),
                wanted,
                has: key.and_then(|it| tags.get(it)).cloned(),
            },
        }
    }
}

/// A difference that keeps a selection from taking a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// The tag has another value.
    TagValue {
        /// Its key.
        key: String,
        /// The value that it has.
        has: String,
        /// The values that the selection takes.
        wanted: Vec<String>,
    },
    /// The key of the tag differs in case.
    TagKey {
        /// The key that the resource has.
        has: String,
        /// The key that the selection looks for.
        wanted: String,
    },
    /// The resource does not have the tag.
    NoTag {
        /// Its key.
        key: String,
        /// The values that the selection takes.
        wanted: Vec<String>,
    },
    /// A condition does not hold.
    Condition {
        /// The operator as the policy has it.
        operator: &'static str,
        /// The key of the condition.
        key: String,
        /// The value of the condition.
        wanted: String,
        /// The value of the tag, if there is one.
        has: Option<String>,
    },
    /// The selection takes other types.
    Type(Vec<String>),
    /// The selection leaves this type out.
    Excepted(String),
    /// The plan does not back up in this Region.
    Region,
    /// AWS Backup refuses the selection.
    Refused,
}

impl Difference {
    fn tag(tags: &BTreeMap<String, String>, key: &str, wanted: Vec<String>) -> Self {
        if let Some(has) = tags.get(key) {
            return Self::TagValue { key: key.to_owned(), has: has.clone(), wanted };
        }
        match tags.keys().find(|it| it.eq_ignore_ascii_case(key)) {
            Some(has) => Self::TagKey { has: has.clone(), wanted: key.to_owned() },
            None => Self::NoTag { key: key.to_owned(), wanted },
        }
    }

    /// Returns the distance of the resource from being taken. A value or a key that is nearly right
    /// is the nearest.
    pub(super) fn weight(&self) -> u32 {
        match self {
            Self::TagValue { has, wanted, .. } => {
                if wanted.iter().any(|it| is_alike(it, has)) {
                    1
                } else {
                    3
                }
            }
            Self::TagKey { .. } => 1,
            Self::Condition { .. } => 3,
            Self::NoTag { .. } => 4,
            Self::Region | Self::Excepted(_) => 5,
            Self::Type(_) => 6,
            Self::Refused => 8,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TagValue { key, has, wanted } => {
                let wanted = either(wanted);
                write!(f, "the tag `{key}` is `{has}`, and the selection takes {wanted}")
            }
            Self::TagKey { has, wanted } => {
                write!(f, "the tag is `{has}`, and the selection looks for `{wanted}`")
            }
            Self::NoTag { key, wanted } => {
                let wanted = either(wanted);
                write!(f, "there is no tag `{key}`, and the selection takes {wanted}")
            }
            Self::Condition { operator, key, wanted, has: Some(has) } => {
                write!(f, "`{key}` is `{has}`, and the selection has `{operator}` `{wanted}`")
            }
            Self::Condition { operator, key, wanted, has: None } => {
                write!(f, "there is no `{key}`, and the selection has `{operator}` `{wanted}`")
            }
            Self::Type(wanted) => write!(f, "the selection takes {}", either(wanted)),
            Self::Excepted(pattern) => write!(f, "the selection leaves out `{pattern}`"),
            Self::Region => f.write_str("the plan does not name the Region"),
            Self::Refused => {
                f.write_str("AWS Backup refuses a selection of conditions without types or tags")
            }
        }
    }
}

/// Returns the values, one of which is wanted, in a few words.
fn either(values: &[String]) -> String {
    let first: Vec<_> = values.iter().take(3).map(|it| format!("`{it}`")).collect();
    let more = if values.len() > first.len() { " or others" } else { "" };
    format!("{}{more}", first.join(" or "))
}

/// Returns `true` if two values differ by case, space or one character, as values do that were
/// meant to be the same.
fn is_alike(one: &str, other: &str) -> bool {
    let fold = |it: &str| it.trim().to_lowercase().chars().collect::<Vec<_>>();
    let (one, other) = (fold(one), fold(other));
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let (one, other) = (one.get(same..), other.get(same..));
    let (Some(one), Some(other)) = (one, other) else { return false };
    let behind = |it: &[char]| it.get(1..).unwrap_or_default().to_vec();
    one == other || behind(one) == behind(other) || behind(one) == *other || *one == behind(other)
}

/// Returns `true` if the pattern names a type of resources or one resource, and not only a service.
fn names_a_type(pattern: &str) -> bool {
    // Buckets are the only type of their service.
    Arn::parse(pattern).is_ok_and(|it| it.resource != "*" || it.service == "s3")
}

fn taken(pattern: &str, kind: &Kind) -> Match {
    if names_a_type(pattern) && !kind.always_needs_opt_in { Match::Yes } else { Match::IfOptedIn }
}

fn has(tags: &BTreeMap<String, String>, (key, value): &(String, String), account: &str) -> bool {
    tags.get(key).is_some_and(|it| *it == here(value, account))
}

/// Returns a value from a policy with the account in place of `$account`.
fn here<'a>(value: &'a str, account: &str) -> Cow<'a, str> {
    if value.contains("$account") {
        value.replace("$account", account).into()
    } else {
        value.into()
    }
}
