//! The properties that CloudFormation would send for the custom resources of a template.

use std::collections::{BTreeMap, BTreeSet};

use cfn::OF_THE_DEPLOYMENT;
use plan::properties::Properties;
use plan::resource::ResourceKind;
use policy::{Member, Node, Span, Value as Written};
use serde_json::Value;
use template::{
    Environment, Evaluator, Given, LANGUAGE_EXTENSIONS, Notes, Taken, Unknown, as_sent,
    is_function, section, transforms,
};

use crate::recognition::{is_custom, named};

/// The known facts about the place of deployment.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// The values of the pseudo parameters, such as `AWS::Region`, by name.
    pub(super) pseudo: BTreeMap<&'static str, String>,
    /// The attributes of resources by `Name.Attribute`, and the results of `Ref` by the name alone.
    pub(super) attributes: BTreeMap<String, String>,
}

impl Environment for Surroundings {
    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        self.pseudo.get(name).cloned()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.get(name).cloned()
    }

    fn export(&self, _: &str) -> Option<String> {
        None
    }
}

/// A custom resource, and the properties that it would be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Custom {
    /// Its name in the template.
    pub(super) logical_id: String,
    /// The kind of the resource.
    pub(super) kind: ResourceKind,
    /// The properties, with all scalars as strings; `None` if a part of them is not known.
    pub(super) properties: Option<Value>,
}

/// The resolved template.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) resources: Vec<Custom>,
    /// The parts that may make or change resources in ways that are not known.
    pub(super) not_understood: Vec<Unknown>,
    pub(super) unknown: Vec<Unknown>,
    /// The parameters that have the values of the deployed stack.
    pub(super) taken: BTreeSet<Taken>,
    /// The mistakes in the parameters and the template.
    pub(super) mistakes: BTreeSet<String>,
}

/// Resolves the custom resources of org-backup in `template`. The loops of the template must be
/// written out before.
pub(super) fn resolve(template: &Node, given: &Given, surroundings: &Surroundings) -> Resolved {
    let evaluator = Evaluator::new(template, given, surroundings);
    let declared = section(template, "Parameters");
    for name in given.names().filter(|name| !declared.iter().any(|it| it.key == **name)) {
        evaluator.mistake(format!("the template has no parameter `{name}`"));
    }
    // CloudFormation requires every parameter, whether or not it is used.
    for mistake in declared.iter().filter_map(|it| given.mistake(&it.key, &it.value)) {
        evaluator.mistake(mistake);
    }
    evaluator.judge_rules();
    let judge = Evaluator::new(template, given, surroundings);
    judge_references(template, &judge);
    judge.into_notes().mistakes.into_iter().for_each(|it| evaluator.mistake(it));
    let mut resources = Vec::new();
    let mut not_understood = Vec::new();
    for Member { key, value, .. } in section(template, "Resources") {
        let path = format!("Resources/{key}");
        if is_function(key) {
            let why = format!("CloudFormation carries out `{key}`, which may make resources");
            not_understood.push(Unknown { path, why });
            continue;
        }
        let condition = value.member("Condition").and_then(Node::scalar);
        let is_made = || condition.map_or(Some(true), |it| evaluator.condition(it, &path));
        if let Some(why) = inner(value) {
            if is_made() != Some(false) {
                not_understood.push(Unknown { path, why: why.to_owned() });
            }
            continue;
        }
        let Some(kind) = kind_of(value, &evaluator, &path) else { continue };
        if refers_to(value.member("Properties"), key) {
            evaluator.mistake(format!("{path}: it refers to itself"));
        }
        let properties = match is_made() {
            Some(false) => continue,
            Some(true) => sent(value, &evaluator, &path),
            None => None,
        };
        resources.push(Custom { logical_id: key.clone(), kind, properties });
    }
    for name in transforms(template).iter().filter(|it| *it != LANGUAGE_EXTENSIONS) {
        let why = format!("CloudFormation carries out `{name}`, which may change every resource");
        not_understood.push(Unknown { path: "Transform".to_owned(), why });
    }
    let Notes { unknown, taken, mistakes } = evaluator.into_notes();
    Resolved { resources, not_understood, unknown, taken, mistakes }
}

/// Notes conditions and dependencies with which CloudFormation refuses a template, whether or not a
/// resource of org-backup uses them.
fn judge_references(template: &Node, evaluator: &Evaluator<'_>) {
    let conditions = section(template, "Conditions");
    for Member { key, .. } in conditions {
        let path = format!("Conditions/{key}");
        let _holds = evaluator.condition(key, &path);
    }
    let resources = section(template, "Resources");
    let is_whole =
        transforms(template).is_empty() && resources.iter().all(|it| !is_function(&it.key));
    for Member { key, value, .. } in resources {
        let condition = value.member("Condition").and_then(Node::scalar);
        if let Some(name) = condition.filter(|name| conditions.iter().all(|it| it.key != *name)) {
            evaluator.mistake(format!("Resources/{key}: there is no condition `{name}`"));
        }
        let others = value.member("DependsOn");
        let others = others.map_or(&[][..], |it| match &it.value {
            Written::Array(items) => items,
            Written::Null
            | Written::Bool(_)
            | Written::Number(_)
            | Written::Text(_)
            | Written::Object(_)
            | Written::Unknown => std::slice::from_ref(it),
        });
        for name in others.iter().filter_map(Node::scalar) {
            if name == key {
                evaluator.mistake(format!("Resources/{key}: it depends on itself"));
            } else if is_whole && resources.iter().all(|it| it.key != name) {
                evaluator.mistake(format!(
                    "Resources/{key}: it depends on `{name}`, which is not in the template"
                ));
            }
        }
    }
}

/// Returns why the resources inside of a resource are not known, if it has some.
fn inner(resource: &Node) -> Option<&'static str> {
    match resource.member("Type").and_then(Node::scalar)? {
        "AWS::CloudFormation::Stack" => {
            Some("it is a stack of its own, whose template is not read: plan that template too")
        }
        it if it.ends_with("::MODULE") => {
            Some("CloudFormation makes the resources of the module in its place")
        }
        _ => None,
    }
}

/// Returns the kind of a resource by its type. Templates of CDK give custom resources other types.
/// Their kind is found by the function that serves them and by their properties.
pub(super) fn kind_of(
    resource: &Node,
    evaluator: &Evaluator<'_>,
    path: &str,
) -> Option<ResourceKind> {
    let kind = resource.member("Type").and_then(Node::scalar)?;
    let properties = resource.member("Properties");
    let is_served = || properties.is_some_and(|it| it.member("ServiceToken").is_some());
    let fits = || {
        let sent = evaluator.quietly(|| sent(resource, evaluator, path))?;
        sent.as_object().filter(|it| it.len() > 1)?;
        let mut fitting =
            ResourceKind::ALL.into_iter().filter(|it| Properties::read(*it, &sent).is_ok());
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let named = named(kind, properties);
    if named.is_some() || !is_custom(kind) || !is_served() { named } else { fits() }
}

/// Returns the properties that the function of a resource is sent; `None` if a part of them is not
/// known.
fn sent(resource: &Node, evaluator: &Evaluator<'_>, path: &str) -> Option<Value> {
    let properties = less_those_of_the_deployment(resource.member("Properties"));
    as_sent(&evaluator.evaluate(&properties, &format!("{path}/Properties"))?)
}

/// Returns `true` if the properties of a resource refer to the resource itself.
fn refers_to(node: Option<&Node>, name: &str) -> bool {
    let Some(node) = node else { return false };
    match &node.value {
        Written::Object(members) => members.iter().any(|Member { key, value, .. }| {
            let first = match &value.value {
                Written::Array(items) => items.first().and_then(Node::scalar),
                Written::Null
                | Written::Bool(_)
                | Written::Number(_)
                | Written::Text(_)
                | Written::Object(_)
                | Written::Unknown => value.scalar(),
            };
            let is_named = first.is_some_and(|it| match key.as_str() {
                "Ref" => it == name,
                "Fn::GetAtt" => it == name || it.starts_with(&format!("{name}.")),
                "Fn::Sub" => {
                    it.contains(&format!("${{{name}}}")) || it.contains(&format!("${{{name}."))
                }
                _ => false,
            });
            is_named || refers_to(Some(value), name)
        }),
        Written::Array(items) => items.iter().any(|it| refers_to(Some(it), name)),
        Written::Null
        | Written::Bool(_)
        | Written::Number(_)
        | Written::Text(_)
        | Written::Unknown => false,
    }
}

/// Returns the properties without those that only the deployment needs.
fn less_those_of_the_deployment(properties: Option<&Node>) -> Node {
    let own = properties.and_then(Node::members).unwrap_or_default();
    let own = own.iter().filter(|it| !OF_THE_DEPLOYMENT.contains(&&*it.key)).cloned();
    let span = properties.map_or_else(Span::default, |it| it.span);
    Node { span, value: Written::Object(own.collect()) }
}

#[cfg(test)]
mod tests;
