//! What a template promises, its function keeps: names, properties, permissions.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::{BTreeMap, BTreeSet};
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
                    "member-accounts" => read::<member_accounts::Properties>,
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

/// The values of `key`, wherever it is.
fn all<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(|it| all(it, key)).collect(),
        Value::Object(map) => {
            let below = map.values().flat_map(|it| all(it, key));
            map.get(key).into_iter().chain(below).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_keeps_backups_and_state_outlives_its_stack() {
    let kept = [
        "AWS::Backup::BackupVault",
        "AWS::Backup::LogicallyAirGappedBackupVault",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
    ];
    for template in Template::all() {
        for kind in kept {
            let all = template.resources(kind).into_iter().filter(|it| it.1["Type"] == kind);
            // Nothing that is kept is encrypted with the key of a topic.
            for (name, it) in all.filter(|(name, _)| *name != "TopicKey") {
                // What could not be created the first time must not be in the way of the second.
                assert_eq!(it["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
                assert_eq!(it["UpdateReplacePolicy"], "Retain", "{name}");
            }
        }
    }
}

#[test]
fn every_key_rotates() {
    for template in Template::all() {
        for (name, key) in template.resources("AWS::KMS::Key") {
            assert_eq!(key["Properties"]["EnableKeyRotation"], true, "{}: {name}", template.name);
        }
    }
}

#[test]
fn nobody_is_let_in_without_a_condition_where_everybody_is_named() {
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, resource) in template.resources("AWS::") {
                let properties = stack.resolve(&resource["Properties"]).unwrap();
                for statement in all(&properties, "Statement").iter().flat_map(|it| each(it)) {
                    let everybody = [json!("*"), json!({ "AWS": "*" })];
                    if statement["Effect"] == "Allow" && everybody.contains(&statement["Principal"])
                    {
                        let narrowed = statement["Condition"].to_string();
                        let by = ["aws:PrincipalOrgID", "aws:SourceAccount", "aws:SourceArn"];
                        let narrowed = by.iter().any(|it| narrowed.contains(it));
                        assert!(narrowed, "{}: {name}: {statement}", template.name);
                    }
                }
            }
        }
    }
}

/// The elements of a list, or the one that stands for itself.
fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[test]
fn every_queue_is_encrypted_and_every_topic() {
    for template in Template::all() {
        for (name, queue) in template.resources("AWS::SQS::Queue") {
            if queue["Type"] == "AWS::SQS::Queue" {
                assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
            }
        }
        for (name, topic) in template.resources("AWS::SNS::Topic") {
            if topic["Type"] == "AWS::SNS::Topic" {
                assert!(topic["Properties"]["KmsMasterKeyId"]["Ref"].is_string(), "{name}");
            }
        }
    }
}

#[test]
fn the_inline_policies_of_a_role_are_no_longer_than_iam_takes() {
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, role) in template.resources("AWS::IAM::Role") {
                let properties = stack.resolve(&role["Properties"]).unwrap();
                let policies = each(&properties["Policies"]).iter();
                let length: usize = policies.map(|it| it["PolicyDocument"].to_string().len()).sum();
                assert!(length < 10_240, "{}: {name}: {length}", template.name);
            }
        }
    }
}

/// The metrics that `reattach` writes.
const METRICS: [&str; 8] = [
    "ApiCalls",
    "DriftFound",
    "Failed",
    "InvalidAccounts",
    "Repaired",
    "SecondsToRepair",
    "Sweeps",
    "Throttles",
];

#[test]
fn every_alarm_is_about_a_metric_that_there_is_and_tells_somebody() {
    let of_aws = [("AWS/Lambda", "Errors"), ("AWS/SQS", "ApproximateNumberOfMessagesVisible")];
    for template in Template::all() {
        let stack = template.with(EVERYTHING);
        for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
            let properties = stack.resolve(&alarm["Properties"]).unwrap();
            let [namespace, metric] =
                ["Namespace", "MetricName"].map(|it| properties[it].as_str().unwrap());
            if namespace == "OrgBackup" {
                assert!(METRICS.contains(&metric), "{name}: {metric}");
                let dimensions = json!([{ "Name": "Function", "Value": "reattach" }]);
                assert_eq!(properties["Dimensions"], dimensions, "{name}");
            } else {
                assert!(of_aws.contains(&(namespace, metric)), "{name}: {namespace} {metric}");
            }
            assert!(!each(&properties["AlarmActions"]).is_empty(), "{name} tells nobody");
        }
        for (name, dashboard) in template.resources("AWS::CloudWatch::Dashboard") {
            let body = stack.resolve(&dashboard["Properties"]["DashboardBody"]).unwrap();
            let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
            for metric in all(&body, "metrics").iter().flat_map(|it| each(it)) {
                if metric[0] == "OrgBackup" {
                    assert!(METRICS.contains(&metric[1].as_str().unwrap()), "{name}: {metric}");
                }
            }
        }
    }
}

#[test]
fn a_day_without_a_sweep_is_an_alarm_also_when_nothing_is_measured() {
    let reattach = Template::named("reattach.yaml");
    let alarm = &reattach.body["Resources"]["SweepAlarm"]["Properties"];
    assert_eq!(alarm["TreatMissingData"], "breaching");
    let hours = alarm["Period"].as_u64().unwrap() * alarm["EvaluationPeriods"].as_u64().unwrap();
    assert_eq!(hours, 25 * 3600);
}

#[test]
fn a_function_that_only_reports_may_change_nothing() {
    let reattach = Template::named("reattach.yaml");
    let parameters = [REQUIRED, EVERYTHING, &[("Mode", "Report")]].concat();
    let role = &reattach.body["Resources"]["ReattachRole"]["Properties"]["Policies"];
    let policies = reattach.with(&parameters).resolve(role).unwrap();
    let changes: Vec<_> = all(&policies, "Action")
        .into_iter()
        .flat_map(each)
        .filter(|it| {
            let (service, name) = it.as_str().unwrap().split_once(':').unwrap();
            let of_organization = ["backup", "cloudformation", "iam", "organizations"];
            of_organization.contains(&service)
                && !name.starts_with("Describe")
                && !name.starts_with("List")
        })
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn events_are_kept_until_they_are_handled_or_somebody_knows() {
    let reattach = Template::named("reattach.yaml");
    let stack = reattach.with(REQUIRED);
    let resource =
        |name: &str| stack.resolve(&reattach.body["Resources"][name]["Properties"]).unwrap();
    let rules = reattach.resources("AWS::Events::Rule");
    assert_eq!(rules.len(), 5);
    let policy = resource("QueuePolicy");
    let sources = all(&policy, "aws:SourceArn")[0].as_array().unwrap().clone();
    for (name, _) in rules {
        let target = resource(name)["Targets"][0].clone();
        assert_eq!(target["Arn"], "Queue.Arn", "{name}");
        assert_eq!(target["DeadLetterConfig"]["Arn"], "UndeliveredQueue.Arn", "{name}");
        assert!(sources.contains(&json!(format!("{name}.Arn"))), "{name} may not send");
    }
    let redrive = &resource("Queue")["RedrivePolicy"];
    assert_eq!(redrive["deadLetterTargetArn"], "DeadLetterQueue.Arn");
    for queue in ["DeadLetterQueue", "UndeliveredQueue"] {
        let alarms = reattach.resources("AWS::CloudWatch::Alarm").into_iter();
        let mut watched = alarms.map(|(it, _)| resource(it)["Dimensions"][0]["Value"].clone());
        assert!(watched.any(|it| it == format!("{queue}.QueueName")), "nobody watches {queue}");
    }
}

#[test]
fn an_event_is_not_handed_out_again_while_the_function_may_still_be_at_it() {
    let reattach = Template::named("reattach.yaml");
    let timeouts = &reattach.body["Parameters"]["FunctionTimeout"]["AllowedValues"];
    for timeout in timeouts.as_array().unwrap() {
        let timeout = timeout.as_str().unwrap();
        let parameters = [REQUIRED, &[("FunctionTimeout", timeout)]].concat();
        let queue = &reattach.body["Resources"]["Queue"]["Properties"]["VisibilityTimeout"];
        let hidden = reattach.with(&parameters).resolve(queue).unwrap().as_u64().unwrap();
        assert!(hidden >= timeout.parse().unwrap(), "{hidden} < {timeout}");
    }
}

#[test]
fn what_is_forwarded_is_what_is_wanted_at_home() {
    let [home, elsewhere] = ["reattach.yaml", "event-forwarder.yaml"].map(Template::named);
    for (name, rule) in elsewhere.resources("AWS::Events::Rule") {
        let mut wanted = home.body["Resources"][name]["Properties"].clone();
        let forwarded = &rule["Properties"];
        assert_eq!(forwarded["State"], wanted["State"], "{name}");
        // Only the stack at home knows the roles whose calls are our own.
        wanted["EventPattern"]["detail"].as_object_mut().unwrap().remove("userIdentity");
        assert_eq!(forwarded["EventPattern"], wanted["EventPattern"], "{name}");
    }
}

/// The resources of `rollout.yaml` that are made from another template, each with that template and
/// the parameters that it is given.
fn bodies(
    stack: &Stack<'_>,
    rollout: &Template,
) -> Vec<(String, Template, BTreeMap<String, String>)> {
    let bodies = rollout.resources("AWS::CloudFormation::").into_iter().map(|(name, it)| {
        let properties = stack.resolve(&it["Properties"]).unwrap();
        let url = properties["TemplateURL"].as_str().unwrap();
        let prefix = "https://artifacts-of-ours.s3.cn-north-1.amazonaws.com.cn/org-backup/0123/";
        let body = Template::named(url.strip_prefix(prefix).unwrap());
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let parameters = match &properties["Parameters"] {
            Value::Array(list) => list
                .iter()
                .map(|it| (text(&it["ParameterKey"]), text(&it["ParameterValue"])))
                .collect(),
            map => {
                map.as_object().unwrap().iter().map(|(key, it)| (key.clone(), text(it))).collect()
            }
        };
        (name.to_owned(), body, parameters)
    });
    bodies.collect()
}

#[test]
fn the_bodies_of_stack_sets_are_what_stack_sets_take() {
    let rollout = Template::named("rollout.yaml");
    let bodies = bodies(&rollout.with(REQUIRED), &rollout);
    assert_eq!(bodies.len(), 3);
    for (_, body, _) in bodies {
        let name = &body.name;
        assert!(body.body.get("Transform").is_none(), "{name} has a transform");
        assert!(all(&body.body, "Fn::ImportValue").is_empty(), "{name} reads another stack");
        assert!(body.resources("Custom::").is_empty(), "{name} needs a function");
        assert!(body.resources("AWS::Lambda::").is_empty(), "{name} has a function");
    }
}

#[test]
fn the_bodies_of_stack_sets_get_every_parameter_as_it_is_meant() {
    let rollout = Template::named("rollout.yaml");
    for stack in stacks(&rollout) {
        for (name, body, given) in bodies(&stack, &rollout) {
            let parameters = body.body["Parameters"].as_object().unwrap();
            let known: Vec<_> = parameters.keys().collect();
            assert_eq!(given.keys().collect::<Vec<_>>(), known, "{name}");
            let own = rollout.body["Parameters"].as_object().unwrap();
            for (key, parameter) in parameters {
                let central = format!("Central{key}");
                let key = if name == "CentralStackSet" { &central } else { key };
                // The same default, whether it is rolled out or deployed by hand.
                if let Some(ours) = own.get(key) {
                    assert_eq!(ours["Default"], parameter["Default"], "{name}: {key}");
                    assert_eq!(
                        ours["AllowedPattern"], parameter["AllowedPattern"],
                        "{name}: {key}"
                    );
                }
            }
        }
    }
}

#[test]
fn stack_sets_do_not_work_in_one_account_after_the_other() {
    let rollout = Template::named("rollout.yaml");
    for (name, stack_set) in rollout.resources("AWS::CloudFormation::StackSet") {
        let properties = rollout.with(REQUIRED).resolve(&stack_set["Properties"]).unwrap();
        let preferences = &properties["OperationPreferences"];
        assert_eq!(preferences["RegionConcurrencyType"], "PARALLEL", "{name}");
        assert_eq!(preferences["ConcurrencyMode"], "SOFT_FAILURE_TOLERANCE", "{name}");
        assert_eq!(preferences["MaxConcurrentPercentage"], "50", "{name}");
        assert_eq!(properties["ManagedExecution"]["Active"], true, "{name}");
        assert_eq!(properties["PermissionModel"], "SERVICE_MANAGED", "{name}");
    }
}

#[test]
fn an_account_that_moves_keeps_its_vault_and_one_that_joins_is_no_second_central_account() {
    let rollout = Template::named("rollout.yaml");
    let deployment = |name: &str| {
        let properties = &rollout.body["Resources"][name]["Properties"];
        properties["AutoDeployment"].clone()
    };
    let members = json!({ "Enabled": true, "RetainStacksOnAccountRemoval": true });
    assert_eq!(deployment("MemberStackSet"), members);
    assert_eq!(deployment("CentralStackSet"), json!({ "Enabled": false }));
}

#[test]
fn vaults_and_roles_have_the_names_that_the_policies_use() {
    let policies = Template::named("backup-policies.yaml");
    for template in ["member-account.yaml", "members.yaml", "rollout.yaml"] {
        let template = Template::named(template);
        for name in ["BackupRoleName", "VaultName"] {
            let default = |it: &Template| it.body["Parameters"][name]["Default"].clone();
            assert_eq!(default(&template), default(&policies), "{}: {name}", template.name);
        }
    }
}

#[test]
fn the_role_in_the_accounts_trusts_the_role_of_the_function_by_its_name() {
    let [rollout, members] = ["rollout.yaml", "members.yaml"].map(Template::named);
    for name in ["MemberAccountsRoleName", "MemberRoleName"] {
        let default = |it: &Template| it.body["Parameters"][name]["Default"].clone();
        assert_eq!(default(&rollout), default(&members), "{name}");
    }
    let role = &members.body["Resources"]["MemberAccountsRole"]["Properties"]["RoleName"];
    assert_eq!(*role, json!({ "Ref": "MemberAccountsRoleName" }));
    let stack = rollout.with(REQUIRED);
    let trusted = "arn:aws-cn:iam::333344445555:role/org-backup-member-accounts";
    for (name, body, given) in bodies(&stack, &rollout) {
        if let Some(arn) = given.get("MemberAccountsRoleArn") {
            assert_eq!(arn, trusted, "{name}");
            let parameters = [REQUIRED, &[("MemberAccountsRoleArn", trusted)]].concat();
            let role = &body.body["Resources"]["MemberRole"]["Properties"];
            let trust = body.with(&parameters).resolve(&role["AssumeRolePolicyDocument"]).unwrap();
            // Not the role as a principal, which would be lost with the role.
            let statement = &trust["Statement"][0];
            let account = json!({ "AWS": "arn:aws-cn:iam::333344445555:root" });
            assert_eq!(statement["Principal"], account, "{name}");
            let condition = json!({
                "ArnEquals": { "aws:PrincipalArn": trusted },
                "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" },
            });
            assert_eq!(statement["Condition"], condition, "{name}");
        }
    }
}

#[test]
fn the_state_machine_gets_what_its_definition_leaves_open() {
    let members = Template::named("members.yaml");
    let machine = &members.body["Resources"]["StateMachine"]["Properties"];
    let stack = members.with(REQUIRED);
    let key = stack.resolve(&machine["DefinitionS3Location"]["Key"]).unwrap();
    let file = key.as_str().unwrap().strip_prefix("org-backup/0123/").unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    let definition = std::fs::read_to_string(folder.join(file)).unwrap();
    let open = definition.split("${").skip(1).map(|it| it.split_once('}').unwrap().0);
    let open: BTreeSet<_> = open.collect();
    let given = machine["DefinitionSubstitutions"].as_object().unwrap();
    assert_eq!(given.keys().map(String::as_str).collect::<BTreeSet<_>>(), open);
    // The function knows the machine by a name that is put together.
    let function = &members.body["Resources"]["MemberAccountsFunction"]["Properties"];
    let known = &function["Environment"]["Variables"]["STATE_MACHINE_ARN"];
    let name = stack.resolve(&machine["StateMachineName"]).unwrap();
    let arn = format!(
        "arn:aws-cn:states:cn-north-1:333344445555:stateMachine:{}",
        name.as_str().unwrap()
    );
    assert_eq!(stack.resolve(known).unwrap(), arn);
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
