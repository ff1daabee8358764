//! What is rolled out to accounts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::deploy::repository;
use tests::template::{EVERYTHING, REQUIRED, Stack, Template};

use super::{all, stacks};

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
        let file = url.strip_prefix(prefix).unwrap();
        let body = Template::named(file.split_once("?versionId=").map_or(file, |it| it.0));
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
        // A failure would roll back the others, and leave behind what they got anew.
        assert_eq!(preferences["FailureTolerancePercentage"], 100, "{name}");
        assert_eq!(properties["ManagedExecution"]["Active"], true, "{name}");
        assert_eq!(properties["PermissionModel"], "SERVICE_MANAGED", "{name}");
    }
}

#[test]
fn no_template_says_where_the_stacks_of_a_stack_set_are() {
    // CloudFormation would delete those that it no longer names, and all of them in a rollback.
    for template in Template::all() {
        for (name, stack_set) in template.resources("AWS::CloudFormation::StackSet") {
            let properties = &stack_set["Properties"];
            assert!(properties.get("StackInstancesGroup").is_none(), "{name}");
            // An account that joins must not become another central account, and one that leaves and
            // returns would get a second stack.
            assert_eq!(properties["AutoDeployment"], json!({ "Enabled": false }), "{name}");
            // A StackSet that comes and goes would be in its own way.
            assert!(stack_set.get("Condition").is_none(), "{name}");
        }
    }
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
    for name in ["CentralRoleName", "MemberAccountsRoleName", "MemberRoleName"] {
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
            let coverage = "arn:aws-cn:iam::333344445555:role/org-backup-coverage";
            let member_accounts = ("MemberAccountsRoleArn", trusted);
            let resources = &body.body["Resources"];
            let role = resources.get("MemberRole").unwrap_or(&resources["CentralRole"]);
            let role = &role["Properties"];
            for (more, roles) in [
                (&[][..], json!([trusted])),
                (&[("CoverageRoleArn", coverage)], json!([trusted, coverage])),
            ] {
                let parameters = [REQUIRED, &[member_accounts], more].concat();
                let stack = body.with(&parameters);
                let trust = stack.resolve(&role["AssumeRolePolicyDocument"]).unwrap();
                // Not the role as a principal, which would be lost with the role.
                let statement = &trust["Statement"][0];
                let account = json!({ "AWS": "arn:aws-cn:iam::333344445555:root" });
                assert_eq!(statement["Principal"], account, "{name}");
                let condition = json!({
                    "ArnEquals": { "aws:PrincipalArn": roles },
                    "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" },
                });
                assert_eq!(statement["Condition"], condition, "{name}");
            }
        }
    }
}

#[test]
fn an_air_gapped_vault_is_left_out_where_the_list_of_regions_has_none() {
    let list = std::fs::read_to_string(repository("scripts/deploy/regions.tsv")).unwrap();
    let rows = list.lines().skip(1).map(|it| it.split('\t').collect::<Vec<_>>());
    let lacks: Vec<_> = rows.filter(|it| it[2] == "no").map(|it| it[0].to_owned()).collect();
    for name in ["member-account.yaml", "central-backup-account.yaml"] {
        let template = Template::named(name);
        let any = template.body["Conditions"]["LacksAirGappedVaults"]["Fn::Or"].as_array().unwrap();
        let regions = any.iter().map(|it| it["Fn::Equals"][1].as_str().unwrap());
        assert_eq!(regions.collect::<Vec<_>>(), lacks, "{name}");
    }
}

#[test]
fn an_air_gapped_vault_has_the_key_and_the_team_that_are_asked_for_and_else_those_of_aws() {
    let team = EVERYTHING.iter().find(|it| it.0 == "AirGappedApprovalTeamArn").unwrap().1;
    for name in ["member-account.yaml", "central-backup-account.yaml"] {
        let template = Template::named(name);
        let vault = &template.body["Resources"]["AirGappedVault"]["Properties"];
        let [by_default, asked] = stacks(&template).map(|it| it.resolve(vault).unwrap());
        let of = |it: &Value| json!([it.get("EncryptionKeyArn"), it.get("MpaApprovalTeamArn")]);
        assert_eq!(of(&by_default), json!([null, null]), "{name}");
        assert_eq!(of(&asked), json!(["VaultKey.Arn", team]), "{name}");
    }
    // The roll-out passes both on to every account.
    let rollout = Template::named("rollout.yaml");
    for (set, prefix) in [("MemberStackSet", ""), ("CentralStackSet", "Central")] {
        let passed = &rollout.body["Resources"][set]["Properties"]["Parameters"];
        for key in ["AirGappedKey", "AirGappedApprovalTeamArn"] {
            let pair = json!({
                "ParameterKey": key, "ParameterValue": { "Ref": format!("{prefix}{key}") },
            });
            let is_passed = passed.as_array().unwrap().contains(&pair);
            assert!(is_passed, "{set}: {key}");
        }
    }
}
