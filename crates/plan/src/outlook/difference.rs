//! The differences between two effective policies, by plan, rule and selection, and not by text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value};

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// The plan.
    pub plan: String,
    /// The part of the plan, or `None` for the plan itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The change.
    #[serde(flatten)]
    pub what: What,
}

/// A part of a plan that has a name of its own.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// A rule.
    Rule(String),
    /// A selection by resource types.
    ResourceSelection(String),
    /// A selection by tags.
    TagSelection(String),
}

/// The change.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum What {
    /// The plan or part was added.
    Added,
    /// The plan or part was removed.
    Gone,
    /// A setting has another value.
    Set {
        /// The keys that lead to the setting, joined by `/`.
        setting: String,
        /// The old value, if it was set.
        before: Option<Value>,
        /// The new value, if it is set.
        after: Option<Value>,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule `{name}`"),
            Self::ResourceSelection(name) | Self::TagSelection(name) => {
                write!(f, "selection `{name}`")
            }
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Gone => f.write_str("gone"),
            Self::Set { setting, before, after } => {
                write!(f, "{setting} {} → {}", shown(before.as_ref()), shown(after.as_ref()))
            }
        }
    }
}

/// Returns the differences on one line, as in
/// ``plan `daily`: rule `nightly` added; plan `x` gone``.
pub fn sentence(differences: &[Difference]) -> String {
    let mut words = Vec::new();
    let mut last: Option<&Difference> = None;
    for it in differences {
        let is_same_plan = last.is_some_and(|last| last.plan == it.plan);
        let is_same_part = is_same_plan && last.is_some_and(|last| last.part == it.part);
        let before = match last {
            None => "",
            Some(_) if is_same_part => ", ",
            Some(_) => "; ",
        };
        let after = if it.is_whole() { " " } else { ": " };
        let plan = format!("plan `{}`{}", it.plan, if it.part.is_none() { after } else { ": " });
        let part = it.part.as_ref().map(|part| format!("{part}{after}")).unwrap_or_default();
        let name = match (is_same_plan, is_same_part) {
            (_, true) => String::new(),
            (true, false) => part,
            (false, false) => plan + &part,
        };
        words.push(format!("{before}{name}{}", it.what));
        last = Some(it);
    }
    words.concat()
}

impl Difference {
    /// Returns `true` if a whole plan or part was added or removed.
    fn is_whole(&self) -> bool {
        !matches!(self.what, What::Set { .. })
    }
}

/// Compares two effective policies, by plan: its own settings, its rules, its selections.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let (old, new) = (object(before, "plans"), object(after, "plans"));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut all = Vec::new();
    for name in names {
        let whole = |what| Difference { plan: name.clone(), part: None, what };
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => plan(name, old, new, &mut all),
            (None, Some(_)) => all.push(whole(What::Added)),
            (Some(_), None) => all.push(whole(What::Gone)),
            (None, None) => {}
        }
    }
    all
}

fn plan(name: &str, before: &Value, after: &Value, all: &mut Vec<Difference>) {
    let mut push = |part: Option<&Part>, what| {
        all.push(Difference { plan: name.to_owned(), part: part.cloned(), what });
    };
    for what in settings(before, after, &PARTS) {
        push(None, what);
    }
    let (old, new) = (parts(before), parts(after));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for part in names {
        match (old.get(part), new.get(part)) {
            (Some(old), Some(new)) => {
                for what in settings(old, new, &[]) {
                    push(Some(part), what);
                }
            }
            (None, Some(_)) => push(Some(part), What::Added),
            (Some(_), None) => push(Some(part), What::Gone),
            (None, None) => {}
        }
    }
}

/// The keys of a plan that contain named parts.
const PARTS: [&str; 2] = ["rules", "selections"];

fn parts(plan: &Value) -> BTreeMap<Part, &Value> {
    let rules = object(plan, "rules").iter().map(|(name, it)| (Part::Rule(name.clone()), it));
    let selections = plan.get("selections").unwrap_or(&Value::Null);
    let by_type = object(selections, "resources").iter();
    let by_type = by_type.map(|(name, it)| (Part::ResourceSelection(name.clone()), it));
    let by_tag = object(selections, "tags").iter();
    let by_tag = by_tag.map(|(name, it)| (Part::TagSelection(name.clone()), it));
    rules.chain(by_type).chain(by_tag).collect()
}

/// Compares the settings of two objects, except those below the keys `without`.
fn settings(before: &Value, after: &Value, without: &[&str]) -> Vec<What> {
    let [before, after] = [before, after].map(|it| {
        let mut settings = BTreeMap::new();
        let own = it.as_object().into_iter().flatten();
        for (key, value) in own.filter(|(key, _)| !without.contains(&key.as_str())) {
            flatten(key.clone(), value, &mut settings);
        }
        settings
    });
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter(|it| before.get(*it) != after.get(*it));
    let set = |setting: &String| What::Set {
        setting: setting.clone(),
        before: before.get(setting).map(|it| (*it).clone()),
        after: after.get(setting).map(|it| (*it).clone()),
    };
    differing.map(set).collect()
}

fn flatten<'a>(path: String, value: &'a Value, into: &mut BTreeMap<String, &'a Value>) {
    let Value::Object(map) = value else {
        into.insert(path, value);
        return;
    };
    for (key, value) in map {
        flatten(format!("{path}/{key}"), value, into);
    }
}

/// Returns the object under `key`, or an empty one.
fn object<'a>(value: &'a Value, key: &str) -> &'a Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.get(key).and_then(Value::as_object).unwrap_or(&NONE)
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "not set".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let list = list.iter().map(|it| shown(Some(it))).collect::<Vec<_>>();
            format!("[{}]", list.join(", "))
        }
        Some(other) => other.to_string(),
    }
}
