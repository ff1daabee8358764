//! What a template promises, its function keeps: names, properties, permissions.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tests::template::{EVERYTHING, REQUIRED, Stack, Template, as_sent};

/// Each template with its defaults only, and with everything it can do.
fn stacks(template: &Template) -> [Stack<'_>; 2] {
    let everything = [REQUIRED, EVERYTHING].concat();
    [template.with(REQUIRED), template.with(&everything)]
}

/// The function behind each custom type, by the archive of the function that its resources name.
fn functions() -> BTreeMap<String, String> {
    let bootstrap = Template::named("bootstrap.yaml");
    let stack = bootstrap.with(REQUIRED);
    let archive = |function: &str| {
        let code = &bootstrap.body["Resources"][function]["Properties"]["Code"]["S3Key"];
        let key = stack.resolve(code).unwrap();
        let name = key.as_str().unwrap().rsplit('/').next().unwrap();
        name.strip_suffix(".zip").unwrap().to_owned()
    };
    // By the name under which another stack imports the function.
    let outputs = bootstrap.body["Outputs"].as_object().unwrap().values();
    let exports: BTreeMap<_, _> = outputs
        .map(|it| {
            let name = stack.resolve(&it["Export"]["Name"]).unwrap();
            let name = name.as_str().unwrap().strip_prefix("stack-").unwrap().to_owned();
            (name, stack.resolve(&it["Value"]).unwrap())
        })
        .collect();
    let mut functions = BTreeMap::new();
    for template in Template::all() {
        let stack = template.with(REQUIRED);
        for (name, resource) in template.resources("Custom::") {
            let token = stack.resolve(&resource["Properties"]["ServiceToken"]).unwrap();
            let token = token.as_str().unwrap();
            let import = token.strip_prefix("org-backup-").and_then(|it| exports.get(it));
            let arn = import.map_or(token, |it| it.as_str().unwrap());
            let function = archive(arn.strip_suffix(".Arn").unwrap_or_else(|| panic!("{name}")));
            functions.insert(resource["Type"].as_str().unwrap().to_owned(), function);
        }
    }
    functions
}

#[test]
fn every_custom_type_has_its_function() {
    let functions = functions();
    let expected = [
        ("Custom::BackupGlobalSettings", "global-settings"),
        ("Custom::BackupPolicy", "backup-policy"),
        ("Custom::PolicyTypes", "policy-types"),
        ("Custom::ServiceAccess", "service-access"),
    ];
    assert_eq!(functions, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())).into());
    for function in functions.values() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions").join(function);
        assert!(folder.join("Cargo.toml").is_file(), "{function}");
    }
}

#[test]
fn properties_are_those_that_the_function_reads() {
    fn read<P: DeserializeOwned>(properties: Value) -> Result<(), serde_json::Error> {
        serde_json::from_value::<P>(properties).map(drop)
    }
    let functions = functions();
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, resource) in template.resources("Custom::") {
                let mut properties = stack.resolve(&resource["Properties"]).unwrap();
                let map = properties.as_object_mut().unwrap();
                assert!(map.remove("ServiceToken").is_some(), "{name}");
                assert!(map.remove("ServiceTimeout").is_some(), "{name}");
                let properties = as_sent(properties);
                let read = match functions[resource["Type"].as_str().unwrap()].as_str() {
                    "backup-policy" => read::<backup_policy::Properties>,
                    "global-settings" => read::<global_settings::Properties>,
                    "policy-types" => read::<policy_types::Properties>,
                    "service-access" => read::<service_access::Properties>,
                    other => panic!("{other}"),
                };
                read(properties).unwrap_or_else(|it| panic!("{}: {name}: {it}", template.name));
            }
        }
    }
}

#[test]
fn cloudformation_waits_a_little_longer_than_a_function_may_run() {
    let bootstrap = Template::named("bootstrap.yaml");
    for timeout in
        bootstrap.body["Parameters"]["FunctionTimeout"]["AllowedValues"].as_array().unwrap()
    {
        let timeout = timeout.as_str().unwrap();
        let parameters = [REQUIRED, &[("FunctionTimeout", timeout)]].concat();
        let stack = bootstrap.with(&parameters);
        for (name, resource) in bootstrap.resources("Custom::") {
            let wait = stack.resolve(&resource["Properties"]["ServiceTimeout"]).unwrap();
            let margin = wait.as_i64().unwrap() - timeout.parse::<i64>().unwrap();
            assert!((1..=120).contains(&margin), "{name}: {margin}");
        }
    }
}

#[test]
fn nothing_is_deleted_before_what_still_needs_it() {
    // A custom resource refers to its function, and the function to its role and its log group.
    let bootstrap = Template::named("bootstrap.yaml");
    for (name, function) in bootstrap.resources("AWS::Lambda::Function") {
        let resource = name.strip_suffix("Function").unwrap();
        let properties = &function["Properties"];
        assert_eq!(properties["Role"], json!({ "Fn::GetAtt": [format!("{resource}Role"), "Arn"] }));
        assert_eq!(
            properties["LoggingConfig"]["LogGroup"],
            json!({ "Ref": format!("{resource}Logs") })
        );
    }
}

#[test]
fn deleting_the_policies_stack_leaves_the_policies() {
    let template = Template::named("backup-policies.yaml");
    for (name, policy) in template.resources("Custom::BackupPolicy") {
        assert_eq!(policy["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(policy["UpdateReplacePolicy"], "Retain", "{name}");
        assert_eq!(
            policy["Properties"]["TargetIds"],
            json!({ "Ref": "TargetIds" }),
            "{name} is attached elsewhere"
        );
    }
    assert_eq!(template.body["Parameters"]["TargetIds"]["Default"], "root");
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
