//! The functions behind custom resources, and what they are given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use errors::chain;
use plan::desired_state::SCHEMA_VERSION;
use plan::properties::Properties;
use plan::resource::ResourceKind;
use serde_json::{Value, json};
use tests::pattern::matches;
use tests::template::{REQUIRED, Template, as_sent};

use super::{each, stacks};

/// The function behind each custom type, by the archive of the function that its resources name.
fn functions() -> BTreeMap<String, String> {
    let templates = Template::all();
    // By the name under which another stack imports the function.
    let exports: BTreeMap<_, _> = templates.iter().flat_map(archives).collect();
    let mut functions = BTreeMap::new();
    for template in &templates {
        let stack = template.with(REQUIRED);
        let own: BTreeMap<_, _> = archives(template).into_iter().collect();
        for (name, resource) in template.resources("Custom::") {
            let token = stack.resolve(&resource["Properties"]["ServiceToken"]).unwrap();
            let token = token.as_str().unwrap();
            let function = match token.strip_prefix("org-backup-") {
                Some(import) => &exports[import],
                None => &own[&token.replace(".Arn", "Arn")],
            };
            let kind = resource["Type"].as_str().unwrap();
            let known = functions.insert(kind.to_owned(), function.clone());
            assert!(known.is_none_or(|it| it == *function), "{name}");
        }
    }
    functions
}

/// The archives of the functions of a template, by the name under which a function is exported.
fn archives(template: &Template) -> Vec<(String, String)> {
    let stack = template.with(REQUIRED);
    let functions = template.resources("AWS::Lambda::Function").into_iter();
    let archives = functions.map(|(name, it)| {
        let key = stack.resolve(&it["Properties"]["Code"]["S3Key"]).unwrap();
        let archive = key.as_str().unwrap().rsplit('/').next().unwrap();
        let export = format!("{name}Arn");
        let output = &template.body["Outputs"][&export];
        assert_eq!(output["Value"], json!({ "Fn::GetAtt": [name, "Arn"] }), "{name}");
        let exported = stack.resolve(&output["Export"]["Name"]).unwrap();
        assert_eq!(exported, format!("stack-{export}"));
        (export, archive.strip_suffix(".zip").unwrap().to_owned())
    });
    archives.collect()
}

#[test]
fn every_custom_type_has_its_function() {
    let functions = functions();
    let expected = [
        ("Custom::BackupGlobalSettings", "global-settings"),
        ("Custom::BackupPolicy", "backup-policy"),
        ("Custom::MemberAccounts", "member-accounts"),
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
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, resource) in template.resources("Custom::") {
                let mut properties = stack.resolve(&resource["Properties"]).unwrap();
                let map = properties.as_object_mut().unwrap();
                assert!(map.remove("ServiceToken").is_some(), "{name}");
                assert!(map.remove("ServiceTimeout").is_some(), "{name}");
                assert_eq!(map.remove("StateFormat"), Some(json!(SCHEMA_VERSION.to_string())));
                let properties = as_sent(&properties);
                let kind = resource["Type"].as_str().and_then(ResourceKind::of_type).unwrap();
                Properties::read(kind, &properties).unwrap_or_else(|it| {
                    panic!("{}: {name}: {}", template.name, chain(&it));
                });
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
fn a_request_comes_again_once_at_most_and_not_when_cloudformation_has_given_up() {
    let served = functions();
    let (mut seen, served) = (BTreeSet::new(), served.values().collect::<BTreeSet<_>>());
    let bootstrap = Template::named("bootstrap.yaml");
    let timeouts = bootstrap.body["Parameters"]["FunctionTimeout"]["AllowedValues"].clone();
    for timeout in timeouts.as_array().unwrap().iter().map(|it| it.as_str().unwrap()) {
        let parameters = [REQUIRED, &[("FunctionTimeout", timeout)]].concat();
        for template in ["bootstrap.yaml", "members.yaml"].map(Template::named) {
            let stack = template.with(&parameters);
            let number = |it: &Value| {
                let it = stack.resolve(it).unwrap();
                it.as_i64().or_else(|| it.as_str()?.parse().ok()).unwrap()
            };
            for (name, resource) in template.resources("AWS::Lambda::EventInvokeConfig") {
                let properties = &resource["Properties"];
                let function = properties["FunctionName"]["Ref"].as_str().unwrap();
                let function = &template.body["Resources"][function]["Properties"];
                let key = stack.resolve(&function["Code"]["S3Key"]).unwrap();
                let key = key.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                seen.insert(key.trim_end_matches(".zip").to_owned());
                assert_eq!(properties["Qualifier"], "$LATEST", "{name}");
                assert!(number(&properties["MaximumRetryAttempts"]) <= 1, "{name}");
                let age = number(&properties["MaximumEventAgeInSeconds"]);
                let runs = number(&function["Timeout"]);
                let token = json!({ "Fn::GetAtt": [properties["FunctionName"]["Ref"], "Arn"] });
                for (served, resource) in template.resources("Custom::") {
                    if resource["Properties"]["ServiceToken"] != token {
                        continue;
                    }
                    let waits = number(&resource["Properties"]["ServiceTimeout"]);
                    assert!(age < waits, "{served}: {age} and {waits}");
                    // A run in batches outlasts the invocation, and deleting it takes nothing back.
                    assert!(waits <= 2 * runs || served == "MemberAccounts", "{served}: {waits}");
                    let after = each(&resource["DependsOn"]);
                    assert!(after.contains(&json!(name)), "{served} may come before {name}");
                }
            }
        }
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), served);
}

#[test]
fn nothing_is_deleted_before_what_still_needs_it() {
    // A custom resource refers to its function, and the function to its role and its log group.
    for template in Template::all() {
        for (name, function) in template.resources("AWS::Lambda::Function") {
            let resource = name.strip_suffix("Function").unwrap();
            let properties = &function["Properties"];
            let role = json!({ "Fn::GetAtt": [format!("{resource}Role"), "Arn"] });
            assert_eq!(properties["Role"], role, "{name}");
            let logs = json!({ "Ref": format!("{resource}Logs") });
            assert_eq!(properties["LoggingConfig"]["LogGroup"], logs, "{name}");
        }
    }
}

#[test]
fn deleting_a_stack_of_policies_leaves_the_policies() {
    for template in ["backup-policies.yaml", "backup-policy.yaml"].map(Template::named) {
        let policies = template.resources("Custom::BackupPolicy");
        assert!(!policies.is_empty());
        for (name, policy) in policies {
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
}

#[test]
fn a_state_machine_gets_what_its_definition_leaves_open() {
    for (template, function) in
        [("members.yaml", "MemberAccountsFunction"), ("coverage.yaml", "CoverageFunction")]
    {
        let template = Template::named(template);
        let machine = &template.body["Resources"]["StateMachine"]["Properties"];
        let stack = template.with(REQUIRED);
        let key = stack.resolve(&machine["DefinitionS3Location"]["Key"]).unwrap();
        let file = key.as_str().unwrap().strip_prefix("org-backup/0123/").unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let definition = std::fs::read_to_string(folder.join(file)).unwrap();
        let open = definition.split("${").skip(1).map(|it| it.split_once('}').unwrap().0);
        let open: BTreeSet<_> = open.collect();
        let given = machine["DefinitionSubstitutions"].as_object().unwrap();
        assert_eq!(given.keys().map(String::as_str).collect::<BTreeSet<_>>(), open);
        assert_eq!(given["FunctionArn"], json!({ "Fn::GetAtt": [function, "Arn"] }));
        // The function knows the machine by a name that is put together.
        let function = &template.body["Resources"][function]["Properties"];
        let known = &function["Environment"]["Variables"]["STATE_MACHINE_ARN"];
        let name = stack.resolve(&machine["StateMachineName"]).unwrap();
        let arn = format!(
            "arn:aws-cn:states:cn-north-1:333344445555:stateMachine:{}",
            name.as_str().unwrap()
        );
        assert_eq!(stack.resolve(known).unwrap(), arn);
    }
}

/// What the state machine is begun with, what the function answers in its batches, and what a state
/// writes there for those after it.
const ALWAYS_THERE: [&str; 3] = ["$", "$.Batches", "$.Payload"];

#[test]
fn no_step_of_the_state_machine_reads_what_may_not_be_there() {
    fn look(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|it| look(it, found)),
            Value::Object(map) => {
                for (key, it) in map {
                    // What is written is not read, and what is looked for may be missing.
                    let is_looked_for = map.get("IsPresent").is_some() && key == "Variable";
                    if key != "ResultPath" && !is_looked_for {
                        look(it, found);
                    }
                }
            }
            Value::String(text) if text.starts_with('$') && !text.starts_with("${") => {
                found.push(text.clone());
            }
            _ => {}
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    let definition = std::fs::read_to_string(folder.join("member-accounts.asl.json")).unwrap();
    let definition: Value = serde_json::from_str(&definition).unwrap();
    let mut found = Vec::new();
    look(&definition, &mut found);
    found.retain(|it| !ALWAYS_THERE.contains(&it.as_str()));
    found.sort();
    found.dedup();
    // A choice looks for both before it reads them, and the wait comes after it.
    assert_eq!(found, ["$.Again", "$.Seconds"]);
    let states = &definition["States"]["Batches"]["ItemProcessor"]["States"];
    let choices = states["AnythingLeft"]["Choices"].as_array().unwrap();
    let [choice] = &choices[..] else { panic!("{choices:?}") };
    let tests: Vec<_> = choice["And"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let test = it.as_object().unwrap().keys().find(|it| *it != "Variable").unwrap();
            format!("{} {test}", it["Variable"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        tests,
        [
            "$.Again IsPresent",
            "$.Again BooleanEquals",
            "$.Seconds IsPresent",
            "$.Seconds IsNumeric"
        ]
    );
    assert_eq!(choice["Next"], "BackOff");
    let waits = states["BackOff"]["SecondsPath"].as_str();
    assert_eq!(waits, Some("$.Seconds"));
}

#[test]
fn the_function_is_told_of_executions_that_were_no_success_and_of_no_others() {
    let members = Template::named("members.yaml");
    let stack = members.with(REQUIRED);
    let resources = &members.body["Resources"];
    let rule = stack.resolve(&resources["RunsRule"]["Properties"]).unwrap();
    let event = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/member-accounts/ended.json");
    let mut event: Value = serde_json::from_str(&std::fs::read_to_string(event).unwrap()).unwrap();
    event["detail"]["stateMachineArn"] = json!("StateMachine");
    let is_told = |event: &Value| matches(&rule["EventPattern"], event);
    for status in ["ABORTED", "FAILED", "TIMED_OUT"] {
        event["detail"]["status"] = json!(status);
        assert!(is_told(&event), "{status}");
    }
    for status in ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"] {
        event["detail"]["status"] = json!(status);
        assert!(!is_told(&event), "{status}");
    }
    // The batches of a map are executions as well, of a machine with a longer name.
    event["detail"]["status"] = json!("FAILED");
    event["detail"]["stateMachineArn"] = json!("StateMachine/Batches");
    assert!(!is_told(&event));
    let target = &rule["Targets"][0]["Arn"];
    assert_eq!(
        (target, rule["Targets"].as_array().unwrap().len()),
        (&json!("MemberAccountsFunction.Arn"), 1)
    );
    let permission = stack.resolve(&resources["RunsPermission"]["Properties"]).unwrap();
    assert_eq!(permission["SourceArn"], "RunsRule.Arn");
    let after = each(&resources["MemberAccounts"]["DependsOn"]);
    for name in ["RunsPermission", "RunsRule"] {
        assert!(after.contains(&json!(name)), "a run may end before {name} is there");
    }
}
