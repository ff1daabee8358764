//! What a template promises: names, properties, permissions, and what is left when it goes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

mod accounts;
mod attacks;
mod delegation;
mod drift;
mod functions;
mod guardrails;
mod operators;
mod pages;
mod permissions;
mod restores;
mod security;
mod services;
mod state;

use serde_json::{Value, json};
use tests::template::{EVERYTHING, REQUIRED, Stack, Template, find};

/// Each template with its defaults only, and with everything it can do.
pub(crate) fn stacks(template: &Template) -> [Stack<'_>; 2] {
    let everything = [REQUIRED, EVERYTHING].concat();
    [template.with(REQUIRED), template.with(&everything)]
}

/// The values of `key`, wherever it is.
pub(crate) fn all<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    find(value, key, &mut found);
    found
}

/// The elements of a list, or the one that stands for itself.
pub(crate) fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[test]
fn every_parameter_is_described_and_has_its_place() {
    for template in Template::all() {
        let interface = &template.body["Metadata"]["AWS::CloudFormation::Interface"];
        let groups = interface["ParameterGroups"].as_array().unwrap();
        let mut placed: Vec<_> =
            groups.iter().flat_map(|it| it["Parameters"].as_array().unwrap()).collect();
        let mut parameters = Vec::new();
        for (name, it) in template.body["Parameters"].as_object().unwrap() {
            assert!(it["Description"].is_string(), "{name} has no description");
            let checked = ["AllowedPattern", "AllowedValues", "MinValue"];
            assert!(checked.iter().any(|key| it.get(key).is_some()), "{name} takes anything");
            assert!(interface["ParameterLabels"].get(name).is_some(), "{name} has no label");
            parameters.push(json!(name));
        }
        placed.sort_by_key(|it| it.as_str());
        parameters.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        assert_eq!(placed, parameters.iter().collect::<Vec<_>>(), "{}", template.name);
    }
}

#[test]
fn no_template_names_a_partition() {
    fn check(name: &str, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|it| check(name, it)),
            Value::Object(map) => map.iter().for_each(|(key, it)| {
                check(name, &json!(key));
                check(name, it);
            }),
            Value::String(text) => assert!(!text.contains("arn:aws:"), "{name}: {text}"),
            _ => {}
        }
    }
    for template in Template::all() {
        check(&template.name, &template.body);
    }
}

#[test]
fn every_template_says_who_deploys_it_and_what_deleting_it_does() {
    for template in Template::all() {
        let description = template.body["Description"].as_str().unwrap();
        let name = &template.name;
        assert!(description.starts_with("org-backup: "), "{name}");
        let rolled_out = description.contains("rollout.yaml") || description.contains("Deploy it");
        assert!(rolled_out || description.contains("Needs `bootstrap.yaml`"), "{name}");
        assert!(description.contains("Deleting it") || description.contains("deleted"), "{name}");
        // The most that CloudFormation takes.
        assert!(description.len() <= 1024, "{name}");
    }
}
