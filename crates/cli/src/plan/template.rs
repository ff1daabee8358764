//! What the custom resources of a template would be sent by CloudFormation.
//!
//! The intrinsic functions are carried out as far as their arguments are known. What only a
//! deployment can tell is told by its place, and never guessed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use cfn::OF_THE_DEPLOYMENT;
use plan::resource::ResourceKind;
use policy::{Member, Node, Value as Written};
use serde_json::{Map, Value};

use super::parameters::{Given, Parameter, Taken};

/// How deep functions and conditions may refer to each other.
const MAX_DEPTH: usize = 64;

/// A place whose value is not known before the deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unknown {
    /// The keys that lead to it, joined by `/`.
    pub(super) path: String,
    /// Why it is not known.
    pub(super) why: String,
}

/// What is known of the place where the template is deployed.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The values of `AWS::Region` and so on, by name.
    pub(super) pseudo: BTreeMap<&'static str, String>,
    /// What resources return, by `Name.Attribute`, and by their name alone for `Ref`.
    pub(super) attributes: BTreeMap<String, String>,
}

/// A custom resource, and what it would be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Custom {
    /// Its name in the template.
    pub(super) logical_id: String,
    /// What it is.
    pub(super) kind: ResourceKind,
    /// Its properties, all scalars as strings; `None` where something of them is not known.
    pub(super) properties: Option<Value>,
}

/// What came of a template.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) resources: Vec<Custom>,
    pub(super) unknown: Vec<Unknown>,
    /// The parameters that have the values of the deployed stack.
    pub(super) taken: BTreeSet<Taken>,
    /// What is wrong with the parameters and the template.
    pub(super) mistakes: BTreeSet<String>,
}

/// Resolves the custom resources of `template` that are ours.
pub(super) fn resolve(template: &Node, given: &Given, place: &Place) -> Resolved {
    let resolver = Resolver {
        template,
        given,
        place,
        unknown: RefCell::default(),
        taken: RefCell::default(),
        mistakes: RefCell::default(),
        depth: Cell::new(0),
    };
    let declared = section(template, "Parameters");
    for name in given.names().filter(|name| !declared.iter().any(|it| it.key == **name)) {
        resolver.mistake(format!("the template has no parameter `{name}`"));
    }
    let mut resources = Vec::new();
    for Member { key, value, .. } in section(template, "Resources") {
        let kind = value.member("Type").and_then(Node::scalar);
        let Some(kind) = kind.and_then(ResourceKind::of_type) else { continue };
        let path = format!("Resources/{key}");
        let condition = value.member("Condition").and_then(Node::scalar);
        match condition.map_or(Some(true), |it| resolver.condition(it, &path)) {
            Some(false) => continue,
            Some(true) => {}
            None => {
                resources.push(Custom { logical_id: key.clone(), kind, properties: None });
                continue;
            }
        }
        let mut properties = Some(Map::new());
        let own = value.member("Properties").and_then(Node::members).unwrap_or_default();
        for it in own.iter().filter(|it| !OF_THE_DEPLOYMENT.contains(&&*it.key)) {
            let path = format!("{path}/Properties/{}", it.key);
            match (resolver.value(&it.value, &path), &mut properties) {
                (Outcome::Known(value), Some(all)) => {
                    all.insert(it.key.clone(), value);
                }
                (Outcome::Unknown, all) => *all = None,
                (Outcome::Known(_), None) | (Outcome::Nothing, _) => {}
            }
        }
        let properties = properties.map(Value::Object);
        resources.push(Custom { logical_id: key.clone(), kind, properties });
    }
    if template.member("Transform").is_some() {
        resolver.unknown("Transform", "CloudFormation carries it out");
    }
    let (unknown, mistakes) = (resolver.unknown.into_inner(), resolver.mistakes.into_inner());
    Resolved { resources, unknown, taken: resolver.taken.into_inner(), mistakes }
}

/// What a place of the template comes to.
enum Outcome {
    Known(Value),
    /// `AWS::NoValue`: as if it were not there.
    Nothing,
    Unknown,
}

impl Outcome {
    fn text(value: impl Into<String>) -> Self {
        Self::Known(Value::String(value.into()))
    }
}

struct Resolver<'a> {
    template: &'a Node,
    given: &'a Given,
    place: &'a Place,
    unknown: RefCell<Vec<Unknown>>,
    taken: RefCell<BTreeSet<Taken>>,
    mistakes: RefCell<BTreeSet<String>>,
    depth: Cell<usize>,
}

impl Resolver<'_> {
    fn mistake(&self, text: String) {
        self.mistakes.borrow_mut().insert(text);
    }

    fn unknown(&self, path: &str, why: impl Into<String>) -> Outcome {
        let unknown = Unknown { path: path.to_owned(), why: why.into() };
        let mut all = self.unknown.borrow_mut();
        if !all.contains(&unknown) {
            all.push(unknown);
        }
        Outcome::Unknown
    }

    fn value(&self, node: &Node, path: &str) -> Outcome {
        if self.depth.get() >= MAX_DEPTH {
            return self.unknown(path, "its functions refer to each other without end");
        }
        self.depth.set(self.depth.get() + 1);
        let outcome = self.inner(node, path);
        self.depth.set(self.depth.get() - 1);
        outcome
    }

    fn inner(&self, node: &Node, path: &str) -> Outcome {
        match &node.value {
            Written::Object(members) => {
                if let [Member { key, value, .. }] = members.as_slice()
                    && (key == "Ref" || key.starts_with("Fn::"))
                {
                    return self.call(key, value, path);
                }
                let mut map = Map::new();
                let mut is_known = true;
                for it in members {
                    match self.value(&it.value, &format!("{path}/{}", it.key)) {
                        Outcome::Known(value) => {
                            map.insert(it.key.clone(), value);
                        }
                        Outcome::Nothing => {}
                        Outcome::Unknown => is_known = false,
                    }
                }
                if is_known { Outcome::Known(Value::Object(map)) } else { Outcome::Unknown }
            }
            Written::Array(items) => match self.items(items, path) {
                Some(items) => Outcome::Known(Value::Array(items)),
                None => Outcome::Unknown,
            },
            // CloudFormation makes a string of every scalar.
            _ => match node.scalar() {
                Some(text) => Outcome::text(text),
                None => self.unknown(path, "it is not known"),
            },
        }
    }

    fn items(&self, items: &[Node], path: &str) -> Option<Vec<Value>> {
        let mut known = Some(Vec::new());
        for (index, it) in items.iter().enumerate() {
            match (self.value(it, &format!("{path}/{index}")), &mut known) {
                (Outcome::Known(value), Some(all)) => all.push(value),
                (Outcome::Unknown, all) => *all = None,
                (Outcome::Known(_), None) | (Outcome::Nothing, _) => {}
            }
        }
        known
    }

    fn call(&self, function: &str, argument: &Node, path: &str) -> Outcome {
        let arguments = match &argument.value {
            Written::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(argument),
        };
        let outcome = match (function, arguments) {
            ("Ref", [name]) => name.scalar().map(|it| self.reference(it, path)),
            ("Fn::GetAtt", [name]) => name.scalar().map(|it| self.attribute(it, path)),
            ("Fn::GetAtt", [name, attribute]) => {
                let name = name.scalar().zip(attribute.scalar());
                name.map(|(name, it)| self.attribute(&format!("{name}.{it}"), path))
            }
            ("Fn::Sub", [text]) => text.scalar().map(|it| self.substitute(it, None, path)),
            ("Fn::Sub", [text, own]) => {
                text.scalar().map(|it| self.substitute(it, Some(own), path))
            }
            ("Fn::If", [condition, yes, no]) => {
                condition.scalar().map(|it| match self.condition(it, path) {
                    Some(true) => self.value(yes, path),
                    Some(false) => self.value(no, path),
                    None => Outcome::Unknown,
                })
            }
            ("Fn::Join", [separator, list]) => separator.scalar().map(|separator| {
                self.with_list(list, path, |list| Some(Value::from(list.join(separator))))
            }),
            ("Fn::Split", [separator, text]) => separator.scalar().map(|separator| {
                let split = |text: &str| text.split(separator).map(Value::from).collect();
                self.with_text(text, path, |it| Some(Value::Array(split(it))))
            }),
            ("Fn::Select", [index, list]) => Some(self.with_text(index, path, |index| {
                let index: usize = index.parse().ok()?;
                match self
                    .with_list(list, path, |list| Some(Value::from(list.get(index)?.as_str())))
                {
                    Outcome::Known(it) => Some(it),
                    Outcome::Nothing | Outcome::Unknown => None,
                }
            })),
            ("Fn::FindInMap", [map, first, second]) => Some(self.find(map, first, second, path)),
            ("Fn::ImportValue", _) => Some(self.unknown(path, "it is imported from another stack")),
            _ => None,
        };
        outcome.unwrap_or_else(|| {
            self.unknown(path, format!("this use of `{function}` is not understood here"))
        })
    }

    /// Makes something of a text, once that is known.
    fn with_text(
        &self,
        node: &Node,
        path: &str,
        make: impl FnOnce(&str) -> Option<Value>,
    ) -> Outcome {
        match self.value(node, path) {
            Outcome::Known(Value::String(text)) => match make(&text) {
                Some(it) => Outcome::Known(it),
                None => self.unknown(path, format!("`{text}` leads to nothing")),
            },
            Outcome::Known(_) => self.unknown(path, "a string is needed here"),
            Outcome::Nothing | Outcome::Unknown => Outcome::Unknown,
        }
    }

    /// Makes something of a list of texts, once that is known.
    fn with_list(
        &self,
        node: &Node,
        path: &str,
        make: impl FnOnce(&[String]) -> Option<Value>,
    ) -> Outcome {
        let Outcome::Known(value) = self.value(node, path) else { return Outcome::Unknown };
        let texts = value.as_array().map(|list| {
            list.iter().map(|it| it.as_str().map(ToOwned::to_owned)).collect::<Option<Vec<_>>>()
        });
        match texts.flatten().as_deref().and_then(make) {
            Some(it) => Outcome::Known(it),
            None => self.unknown(path, "a longer list of strings is needed here"),
        }
    }

    fn find(&self, map: &Node, first: &Node, second: &Node, path: &str) -> Outcome {
        let mut keys = Vec::new();
        for it in [map, first, second] {
            match self.value(it, path) {
                Outcome::Known(Value::String(text)) => keys.push(text),
                _ => return self.unknown(path, "a key of the mapping is not known"),
            }
        }
        let start = self.template.member("Mappings");
        match keys.iter().try_fold(start, |at, key| Some(at.and_then(|it| it.member(key)))) {
            Some(Some(found)) => self.value(found, path),
            _ => self.unknown(path, format!("the mapping has no `{}`", keys.join("/"))),
        }
    }

    fn reference(&self, name: &str, path: &str) -> Outcome {
        if name == "AWS::NoValue" {
            return Outcome::Nothing;
        }
        if name.starts_with("AWS::") {
            return match self.place.pseudo.get(name) {
                Some(it) => Outcome::text(it),
                None => self.unknown(path, format!("`{name}` is not known here")),
            };
        }
        if let Some(declared) = find(section(self.template, "Parameters"), name) {
            let value = self.given.value(name, declared);
            if let Ok(Parameter::Text(_) | Parameter::List(_)) = value {
                self.taken.borrow_mut().extend(self.given.taken(name, declared));
            }
            return match value {
                Ok(Parameter::Text(it)) => Outcome::text(it),
                Ok(Parameter::List(list)) => {
                    Outcome::Known(list.into_iter().map(Value::from).collect())
                }
                Ok(Parameter::Later(why)) => self.unknown(path, why),
                Err(mistake) => {
                    self.mistake(mistake);
                    Outcome::Unknown
                }
            };
        }
        match self.place.attributes.get(name) {
            Some(it) => Outcome::text(it),
            None if find(section(self.template, "Resources"), name).is_some() => {
                self.unknown(path, format!("`{name}` is made by the deployment"))
            }
            None => {
                self.mistake(format!("{path}: there is no parameter or resource `{name}`"));
                Outcome::Unknown
            }
        }
    }

    fn attribute(&self, name: &str, path: &str) -> Outcome {
        match self.place.attributes.get(name) {
            Some(it) => Outcome::text(it),
            None => self.unknown(path, format!("`{name}` is known once it is deployed")),
        }
    }

    fn substitute(&self, text: &str, own: Option<&Node>, path: &str) -> Outcome {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        let mut is_known = true;
        for part in parts {
            let Some((name, rest)) = part.split_once('}') else {
                return self.unknown(path, "its `${` has no end");
            };
            let found = own.and_then(|it| it.member(name));
            let value = match (found, name.strip_prefix('!')) {
                (Some(own), _) => self.value(own, path),
                (None, Some(literal)) => Outcome::text(format!("${{{literal}}}")),
                (None, None) if name.contains('.') => self.attribute(name, path),
                (None, None) => self.reference(name, path),
            };
            match value {
                Outcome::Known(Value::String(it)) => whole += &it,
                Outcome::Known(_) => {
                    self.unknown(path, format!("`{name}` is a list inside a string"));
                    is_known = false;
                }
                Outcome::Nothing | Outcome::Unknown => is_known = false,
            }
            whole += rest;
        }
        if is_known { Outcome::text(whole) } else { Outcome::Unknown }
    }

    /// Whether the condition of this name holds, if that is known.
    fn condition(&self, name: &str, path: &str) -> Option<bool> {
        let Some(condition) = find(section(self.template, "Conditions"), name) else {
            self.mistake(format!("{path}: there is no condition `{name}`"));
            return None;
        };
        if self.depth.get() >= MAX_DEPTH {
            self.unknown(path, "its conditions refer to each other without end");
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let holds = self.holds(condition, &format!("Conditions/{name}"));
        self.depth.set(self.depth.get() - 1);
        holds
    }

    fn holds(&self, condition: &Node, path: &str) -> Option<bool> {
        let Some([Member { key, value, .. }]) = condition.members() else {
            self.mistake(format!("{path}: this is no condition"));
            return None;
        };
        let arguments = match &value.value {
            Written::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let each = |it: &Node| self.holds(it, path);
        match (key.as_str(), arguments) {
            ("Condition", [name]) => self.condition(name.scalar()?, path),
            ("Fn::Equals", [one, other]) => {
                match (self.value(one, path), self.value(other, path)) {
                    (Outcome::Known(one), Outcome::Known(other)) => Some(one == other),
                    _ => None,
                }
            }
            ("Fn::Not", [one]) => each(one).map(|it| !it),
            ("Fn::And", all) => all.iter().map(each).try_fold(true, |all, it| Some(all & it?)),
            ("Fn::Or", all) => all.iter().map(each).try_fold(false, |any, it| Some(any | it?)),
            (other, _) => {
                self.unknown(path, format!("this use of `{other}` is not understood here"));
                None
            }
        }
    }
}

/// The members of a part of the template.
fn section<'a>(template: &'a Node, name: &str) -> &'a [Member] {
    template.member(name).and_then(Node::members).unwrap_or_default()
}

fn find<'a>(members: &'a [Member], name: &str) -> Option<&'a Node> {
    members.iter().find(|it| it.key == name).map(|it| &it.value)
}

#[cfg(test)]
mod tests;
