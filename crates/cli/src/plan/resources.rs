//! What the custom resources of a template would be sent by CloudFormation.

use std::collections::{BTreeMap, BTreeSet};

use cfn::OF_THE_DEPLOYMENT;
use plan::resource::ResourceKind;
use policy::{Member, Node, Span, Value as Written};
use serde_json::Value;
use template::{Environment, Evaluator, Given, Notes, Taken, Unknown, as_sent, section};

/// What is known of where the template is deployed.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// The values of `AWS::Region` and so on, by name.
    pub(super) pseudo: BTreeMap<&'static str, String>,
    /// What resources return, by `Name.Attribute`, and by their name alone for `Ref`.
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
pub(super) fn resolve(template: &Node, given: &Given, surroundings: &Surroundings) -> Resolved {
    let evaluator = Evaluator::new(template, given, surroundings);
    let declared = section(template, "Parameters");
    for name in given.names().filter(|name| !declared.iter().any(|it| it.key == **name)) {
        evaluator.mistake(format!("the template has no parameter `{name}`"));
    }
    let mut resources = Vec::new();
    for Member { key, value, .. } in section(template, "Resources") {
        let kind = value.member("Type").and_then(Node::scalar);
        let Some(kind) = kind.and_then(ResourceKind::of_type) else { continue };
        let path = format!("Resources/{key}");
        let condition = value.member("Condition").and_then(Node::scalar);
        let properties = match condition.map_or(Some(true), |it| evaluator.condition(it, &path)) {
            Some(false) => continue,
            Some(true) => {
                let properties = less_those_of_the_deployment(value.member("Properties"));
                let sent = evaluator.evaluate(&properties, &format!("{path}/Properties"));
                sent.and_then(|it| as_sent(&it))
            }
            None => None,
        };
        resources.push(Custom { logical_id: key.clone(), kind, properties });
    }
    if template.member("Transform").is_some() {
        evaluator.note("Transform", "CloudFormation carries it out");
    }
    let Notes { unknown, taken, mistakes } = evaluator.into_notes();
    Resolved { resources, unknown, taken, mistakes }
}

/// The properties that a function is to hear of.
fn less_those_of_the_deployment(properties: Option<&Node>) -> Node {
    let own = properties.and_then(Node::members).unwrap_or_default();
    let own = own.iter().filter(|it| !OF_THE_DEPLOYMENT.contains(&&*it.key)).cloned();
    let span = properties.map_or_else(Span::default, |it| it.span);
    Node { span, value: Written::Object(own.collect()) }
}

#[cfg(test)]
mod tests;
