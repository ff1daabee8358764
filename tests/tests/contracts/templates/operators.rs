//! Restore tests, audits, guard rails, delegation and monitoring, as their templates say.
//!
//! What guard rails and delegation come to is judged in modules of their own, and restore tests and
//! monitoring run in the scenarios. Frameworks and report plans are in no engine that could run
//! `audit.yaml`, so that its text is all that is tested.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::pattern::matches;
use tests::restored::sample;
use tests::template::{EVERYTHING, REQUIRED, Template};

use super::{all, each, stacks};

/// What `resource` of `template` comes to, with everything that the template can do.
fn properties(template: &Template, resource: &str) -> Value {
    let parameters = [REQUIRED, EVERYTHING].concat();
    let properties = &template.body["Resources"][resource]["Properties"];
    template.with(&parameters).resolve(properties).unwrap()
}

#[test]
fn a_service_control_policy_only_denies_and_spares_the_administrators() {
    let guardrails = Template::named("guardrails.yaml");
    for (name, _) in guardrails.resources("AWS::Organizations::Policy") {
        let policy = properties(&guardrails, name);
        for statement in each(&policy["Content"]["Statement"]) {
            assert_eq!(statement["Effect"], "Deny", "{statement}");
            let spared = &statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"];
            // Where backups go spares nobody.
            let is_about_places = statement["Action"] == "backup:CopyFromBackupVault"
                || statement["Sid"].as_str().unwrap().starts_with("VaultsAre");
            assert!(is_about_places || *spared == json!(["arn:*:iam::*:role/stacksets-exec-*"]));
        }
        // What AWS took before it took more.
        assert!(policy["Content"].to_string().len() < 5_120, "{name} is too long");
    }
}

#[test]
fn service_control_policies_are_made_one_after_the_other() {
    let guardrails = Template::named("guardrails.yaml");
    let mut before = BTreeSet::new();
    let mut left = guardrails.resources("AWS::Organizations::Policy");
    assert!(left.len() > 1);
    // AWS Organizations refuses a second change at a time, so each waits for the one before it.
    while let Some(place) = left.iter().position(|(_, it)| {
        it["DependsOn"].as_str().map_or(before.is_empty(), |it| before.contains(it))
    }) {
        let (name, it) = left.remove(place);
        let last = it["DependsOn"].as_str();
        assert!(left.iter().all(|it| it.1["DependsOn"].as_str() != last), "{name}");
        before.insert(name);
    }
    assert_eq!(left, []);
}

#[test]
fn five_accounts_administer_backups_and_reattach_knows_each() {
    let accounts = "100000000001,100000000002,100000000003,100000000004,100000000005";
    let given = [REQUIRED, &[("BackupAdministratorAccountIds", accounts)]].concat();
    let bootstrap = Template::named("bootstrap.yaml");
    let stack = bootstrap.with(&given);
    let access = &bootstrap.body["Resources"]["ServiceAccess"]["Properties"];
    let five: Vec<_> = accounts.split(',').collect();
    assert_eq!(
        stack.resolve(&access["DelegatedAdministrators"]).unwrap(),
        json!([{ "AccountId": five, "ServicePrincipal": "backup.amazonaws.com" }])
    );
    let reattach = Template::named("reattach.yaml");
    let variables = &reattach.body["Resources"]["ReattachFunction"]["Properties"]["Environment"];
    let variables = reattach.with(&given).resolve(variables).unwrap();
    let known = variables["Variables"]["DELEGATED_ADMINISTRATORS"].as_str().unwrap();
    let named: Vec<_> = known.split(',').filter(|it| !it.ends_with('/')).collect();
    assert_eq!(
        named,
        five.iter().map(|it| format!("backup.amazonaws.com/{it}")).collect::<Vec<_>>()
    );
    // Each may be registered, and no other.
    for (template, role) in [(&bootstrap, "ServiceAccessRole"), (&reattach, "ReattachRole")] {
        let policies = &template.body["Resources"][role]["Properties"]["Policies"];
        let policies = template.with(&given).resolve(policies).unwrap();
        let statements = all(&policies, "Statement");
        let statements = statements.iter().flat_map(|it| each(it));
        let registers =
            statements.filter(|it| it["Action"] == "organizations:RegisterDelegatedAdministrator");
        let resources: Vec<_> = registers.flat_map(|it| each(&it["Resource"])).collect();
        let expected =
            five.iter().map(|it| json!(format!("arn:*:organizations::*:account/o-*/{it}")));
        assert_eq!(resources, expected.collect::<Vec<_>>().iter().collect::<Vec<_>>(), "{role}");
    }
}

#[test]
fn tags_windows_and_a_second_tag_are_in_both_policies() {
    let policies = Template::named("backup-policies.yaml");
    let [bare, everything] = stacks(&policies);
    for (resource, kind, minutes) in [
        ("DailyBackupPolicy", "daily", ["60", "720"]),
        ("MonthlyBackupPolicy", "monthly", ["120", "2880"]),
    ] {
        let of = |stack: &tests::template::Stack<'_>| {
            let properties = &policies.body["Resources"][resource]["Properties"];
            let content = stack.resolve(&properties["Content"]).unwrap();
            (content["plans"]["${Plan}"].clone(), stack.resolve(&properties["Variables"]).unwrap())
        };
        let (plan, variables) = of(&bare);
        let rule = &plan["rules"][kind];
        let windows =
            ["start", "complete"].map(|it| rule[format!("{it}_backup_window_minutes")].clone());
        for (window, minutes) in windows.iter().zip(minutes) {
            let text = window["@@assign"].to_string();
            assert_eq!(text.trim_matches('"'), minutes);
        }
        // Nothing is in the policy of what nobody asked for, and no variable is given in vain.
        assert_eq!([plan.get("backup_plan_tags"), rule.get("recovery_point_tags")], [None, None]);
        assert_eq!(
            variables.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["CentralVault", "Plan"]
        );
        assert_eq!(plan["selections"]["tags"].as_object().unwrap().len(), 1);

        let (plan, variables) = of(&everything);
        let second = &plan["selections"]["tags"]["second"];
        assert_eq!(second["tag_key"]["@@assign"], "second");
        for (tags, name) in [
            (&plan["backup_plan_tags"], "PlanTag"),
            (&plan["rules"][kind]["recovery_point_tags"], "PointTag"),
        ] {
            let tagged: Vec<_> = (1..=3)
                .map(|it| {
                    let value = &tags[format!("${{{name}{it}}}")]["tag_value"]["@@assign"];
                    (variables[format!("{name}{it}")].clone(), value.clone())
                })
                .collect();
            let expected = [("team", "storage"), ("cost-center", "4711"), ("stage", "production")];
            assert_eq!(tagged, expected.map(|(key, value)| (json!(key), json!(value))));
        }
    }
}

#[test]
fn nobody_becomes_an_administrator_by_taking_the_name_of_one() {
    let guardrails = Template::named("guardrails.yaml");
    let policy = properties(&guardrails, "MakersPolicy");
    let statements = each(&policy["Content"]["Statement"]);
    let guard = statements.iter().find(|it| it["Sid"] == "Administrators").unwrap();
    let spared = &guard["Condition"]["ArnNotLike"]["aws:PrincipalArn"];
    assert_eq!(guard["Resource"], *spared);
    let actions: BTreeSet<_> =
        each(&guard["Action"]).iter().map(|it| it.as_str().unwrap()).collect();
    for action in ["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"] {
        assert!(actions.contains(action), "{action}");
    }
}

#[test]
fn without_a_central_account_copies_stay_in_the_organization() {
    let guardrails = Template::named("guardrails.yaml");
    let content = &guardrails.body["Resources"]["CopiesPolicy"]["Properties"]["Content"];
    let statements = |parameters: &[(&'static str, &'static str)]| {
        let parameters = [REQUIRED, parameters].concat();
        let content = guardrails.with(&parameters).resolve(content).unwrap();
        let copies = each(&content["Statement"]).iter();
        let copies = copies.filter(|it| it["Action"] == "backup:CopyFromBackupVault");
        copies.map(|it| it["Sid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statements(&[]), ["OnlyWithinTheOrganization"]);
    assert_eq!(
        statements(&[("CentralAccountId", "666677778888")]),
        ["OnlyToTheCentralAccount", "OnlyWithinTheOrganization"]
    );
}

#[test]
fn the_guard_rails_are_around_what_the_other_templates_make() {
    let [guardrails, rollout] = ["guardrails.yaml", "rollout.yaml"].map(Template::named);
    let default = |it: &Template, name: &str| it.body["Parameters"][name]["Default"].clone();
    let names = [
        "BackupRoleName",
        "CentralRecoveryRoleName",
        "CentralRestoreRoleName",
        "CentralRoleName",
        "CentralVaultName",
        "CopyRoleName",
        "MemberRoleName",
        "RecoveryRoleName",
        "RestoreRoleName",
        "VaultName",
    ];
    for name in names {
        assert_eq!(default(&guardrails, name), default(&rollout, name), "{name}");
    }
}

#[test]
fn a_delegated_account_manages_backup_policies_and_nothing_else() {
    let delegation = Template::named("delegation.yaml");
    let policy = properties(&delegation, "Delegation");
    for statement in each(&policy["Content"]["Statement"]) {
        assert_eq!(statement["Principal"], json!({ "AWS": "arn:aws-cn:iam::444455556666:root" }));
        let actions = each(&statement["Action"]).iter().map(|it| it.as_str().unwrap());
        for action in actions {
            let name = action.strip_prefix("organizations:").unwrap();
            let reads = ["Describe", "List"].iter().any(|it| name.starts_with(it));
            let tags = name.ends_with("TagResource") || name.ends_with("UntagResource");
            let kind = &statement["Condition"]["StringEquals"]["organizations:PolicyType"];
            let of_policies = "arn:aws-cn:organizations::333344445555:policy/o-*/backup_policy/*";
            let bound =
                reads || *kind == "BACKUP_POLICY" || (tags && statement["Resource"] == of_policies);
            assert!(bound, "{action}");
            assert!(!name.contains("PolicyType"), "{action} detaches every policy");
        }
    }
}

#[test]
fn every_type_of_resource_is_tested_unless_it_is_left_out() {
    let testing = Template::named("restore-testing.yaml");
    let selections = testing.resources("AWS::Backup::RestoreTestingSelection");
    let mut kinds = BTreeSet::new();
    for (name, selection) in selections {
        let kind = name.strip_suffix("Selection").unwrap();
        let condition = selection["Condition"].as_str().unwrap();
        assert_eq!(
            testing.body["Conditions"][condition],
            json!({ "Fn::Equals": [{ "Ref": format!("Test{kind}") }, "true"] })
        );
        assert_eq!(selection["Properties"]["ProtectedResourceType"], kind);
        kinds.insert(kind);
    }
    let expected =
        ["Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "Neptune", "RDS", "S3"];
    assert_eq!(kinds, expected.into());
}

#[test]
fn only_restore_tests_that_are_over_are_brought_to_the_function() {
    let testing = Template::named("restore-testing.yaml");
    let pattern = &properties(&testing, "RestoreTestRule")["EventPattern"];
    let brought = ["aborted", "completed", "created", "failed", "ordinary-restore", "running"]
        .into_iter()
        .filter(|it| matches(pattern, &sample(it)));
    assert_eq!(brought.collect::<Vec<_>>(), ["aborted", "completed", "failed"]);
    // A status that is new may be one of a restore that is over.
    let mut strange = sample("completed");
    strange["detail"]["status"] = json!("STEWED");
    assert!(matches(pattern, &strange));
    let mut copy = sample("completed");
    copy["detail-type"] = json!("Copy Job State Change");
    assert!(!matches(pattern, &copy));
}

#[test]
fn a_restore_test_that_could_not_be_validated_is_kept_and_somebody_knows() {
    let testing = Template::named("restore-testing.yaml");
    let target = &properties(&testing, "RestoreTestRule")["Targets"][0];
    assert_eq!(target["Arn"], "Queue.Arn");
    assert_eq!(target["DeadLetterConfig"]["Arn"], "DeadLetterQueue.Arn");
    let policy = properties(&testing, "QueuePolicy");
    assert_eq!(all(&policy, "aws:SourceArn"), [&json!("RestoreTestRule.Arn")]);
    let source = properties(&testing, "EventSource");
    assert_eq!(source["EventSourceArn"], "Queue.Arn");
    assert_eq!(source["FunctionName"], "RestoreValidationFunction");
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let queue = properties(&testing, "Queue");
    assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], "DeadLetterQueue.Arn");
    // SQS deletes a message that is kept for too long, without a word.
    let kept = queue["MessageRetentionPeriod"].as_u64().unwrap();
    let receives = queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
    let window = &testing.body["Parameters"]["ValidationWindowHours"]["MaxValue"];
    for (timeout, hidden) in testing.body["Mappings"]["FunctionTimeouts"].as_object().unwrap() {
        let all = receives * hidden["VisibilityTimeout"].as_u64().unwrap();
        assert!(all < kept, "{timeout}");
        assert!(all > window.as_u64().unwrap() * 3600, "{timeout}");
    }
    let watched = &properties(&testing, "DeadLetterAlarm")["Dimensions"][0]["Value"];
    assert_eq!(watched, "DeadLetterQueue.QueueName");
}

#[test]
fn of_data_only_that_of_restore_tests_may_be_read() {
    let testing = Template::named("restore-testing.yaml");
    let role = properties(&testing, "RestoreValidationRole");
    let reading = ["dynamodb:Scan", "s3:GetObject", "s3:ListBucket"];
    let mut read = BTreeSet::new();
    for statement in all(&role, "Statement").into_iter().flat_map(each) {
        let actions = each(&statement["Action"]).iter().map(|it| it.as_str().unwrap());
        for action in actions.filter(|it| reading.contains(it)) {
            let resource = statement["Resource"].as_str().unwrap();
            assert!(resource.contains("awsbackup-restore-test-"), "{action}: {resource}");
            read.insert(action);
        }
    }
    assert_eq!(read, reading.into());
}

#[test]
fn of_what_there_is_only_the_functions_own_instances_are_deleted() {
    let testing = Template::named("restore-testing.yaml");
    let everything = [REQUIRED, EVERYTHING].concat();
    let policies = &testing.body["Resources"]["RestoreValidationRole"]["Properties"]["Policies"];
    let changing = |parameters: &[(&'static str, &'static str)]| {
        let policies = testing.with(parameters).resolve(policies).unwrap();
        let statements = all(&policies, "Statement").into_iter().flat_map(each).cloned();
        let is_change = |it: &str| {
            let name = it.split_once(':').unwrap().1;
            ["Create", "Delete", "AddTags", "Invoke"].iter().any(|verb| name.starts_with(verb))
                && !["logs:", "sqs:"].iter().any(|own| it.starts_with(own))
        };
        let of = |it: &Value| {
            let actions = each(&it["Action"]).iter().map(|it| it.as_str().unwrap().to_owned());
            let actions: Vec<_> = actions.filter(|it| is_change(it)).collect();
            actions.into_iter().map(|action| (action, it.clone())).collect::<Vec<_>>()
        };
        statements.flat_map(|it| of(&it)).collect::<Vec<_>>()
    };
    assert_eq!(changing(REQUIRED), []);
    let tag = json!({ "aws:ResourceTag/org-backup:made-by": "restore-validation" });
    let made = json!({ "aws:RequestTag/org-backup:made-by": "restore-validation" });
    let mut found = BTreeSet::new();
    for (action, statement) in changing(&everything) {
        let equal = &statement["Condition"]["StringEquals"];
        match action.as_str() {
            "rds:DeleteDBInstance" => assert_eq!(*equal, tag),
            "rds:CreateDBInstance" | "rds:AddTagsToResource" => assert_eq!(*equal, made),
            "kms:CreateGrant" => {
                let condition = &statement["Condition"]["Bool"];
                assert_eq!(condition["kms:GrantIsForAWSResource"], "true");
            }
            "lambda:InvokeFunction" => assert_eq!(each(&statement["Resource"]).len(), 10),
            other => panic!("{other} changes something"),
        }
        found.insert(action);
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn the_framework_has_ten_controls_and_each_can_be_left_out() {
    let audit = Template::named("audit.yaml");
    let controls = &audit.body["Resources"]["Framework"]["Properties"]["FrameworkControls"];
    let count = |parameters: &[(&'static str, &'static str)]| {
        each(&audit.with(parameters).resolve(controls).unwrap()).len()
    };
    assert_eq!(count(&[]), 10);
    let parameters = audit.body["Parameters"].as_object().unwrap().keys();
    let switches: Vec<_> = parameters.filter(|it| it.starts_with("Check")).collect();
    assert_eq!(switches.len(), 10);
    for switch in switches {
        let stack = audit.with(&[(switch.as_str(), "false")]);
        assert_eq!(each(&stack.resolve(controls).unwrap()).len(), 9, "{switch}");
    }
}

#[test]
fn reports_are_written_where_they_may_be_written() {
    let audit = Template::named("audit.yaml");
    let plans = audit.resources("AWS::Backup::ReportPlan");
    assert_eq!(plans.len(), 5);
    for (name, plan) in plans {
        // The role that writes them comes with the framework, and the policy names it.
        assert_eq!(plan["DependsOn"], "ReportBucketPolicy", "{name}");
        let channel = &plan["Properties"]["ReportDeliveryChannel"];
        assert_eq!(channel["S3BucketName"], json!({ "Ref": "ReportBucket" }), "{name}");
    }
    for name in ["ReportBucketPolicy", "ReportKey"] {
        assert_eq!(audit.body["Resources"][name]["DependsOn"], "Framework", "{name}");
    }
}

#[test]
fn accounts_send_what_is_looked_for_and_nothing_else() {
    let [central, member] = ["monitoring.yaml", "monitoring-member.yaml"].map(Template::named);
    let rules = |it: &Template| {
        // What reattach answers comes by a rule of its own stack.
        let rules = it.resources("AWS::Events::Rule").into_iter();
        let rules = rules.filter(|(name, _)| *name != "HeartbeatRule");
        let patterns =
            rules.map(|(name, it)| (name.to_owned(), it["Properties"]["EventPattern"].clone()));
        patterns.collect::<Vec<_>>()
    };
    assert_eq!(rules(&central), rules(&member));
    assert!(member.body.get("Transform").is_none());
    assert!(all(&member.body, "Fn::ImportValue").is_empty());
    for (name, rule) in central.resources("AWS::Events::Rule") {
        assert_eq!(rule["Properties"]["EventBusName"], json!({ "Ref": "Bus" }), "{name}");
    }
}

/// What Lambda tells of an answer of `reattach` to its heartbeat.
fn heartbeat(account: &str, mode: &str) -> Value {
    json!({
        "source": "lambda",
        "account": account,
        "detail-type": "Lambda Function Invocation Result - Success",
        "detail": {
            "requestContext": { "functionArn": "ReattachFunction.Arn:$LATEST", "condition": "Success" },
            "requestPayload": { "source": "org-backup.heartbeat" },
            "responsePayload": { "mode": mode, "batchItemFailures": [] },
        },
    })
}

#[test]
fn whoever_stops_reattach_or_changes_its_mode_is_noticed_in_another_account() {
    let reattach = Template::named("reattach.yaml");
    let sent = &properties(&reattach, "HeartbeatRule")["EventPattern"];
    let monitoring = Template::named("monitoring.yaml");
    let resolve = |name: &str| properties(&monitoring, name);
    let heard = &resolve("HeartbeatRule")["EventPattern"];
    let repairs = heartbeat("333344445555", "Repair");
    assert!(matches(sent, &repairs) && matches(heard, &repairs));
    assert!(!matches(sent, &heartbeat("333344445555", "Report")));
    // Another account of the organization that says the same.
    assert!(!matches(heard, &heartbeat("444455556666", "Repair")));
    let alarm = resolve("HeartbeatAlarm");
    assert_eq!(alarm["TreatMissingData"], "breaching");
    let seconds = alarm["Period"].as_u64().unwrap() * alarm["EvaluationPeriods"].as_u64().unwrap();
    assert!(seconds <= 3 * 3600, "{seconds}");
    assert_eq!(alarm["Dimensions"][1]["Value"], resolve("HeartbeatRule")["Name"]);
}

#[test]
fn a_metric_of_a_rule_on_a_bus_names_the_rule_as_the_template_does() {
    let monitoring = Template::named("monitoring.yaml");
    let rules = monitoring.resources("AWS::Events::Rule").into_iter();
    let names: BTreeSet<_> = rules
        .filter_map(|(name, _)| Some(properties(&monitoring, name)["Name"].as_str()?.to_owned()))
        .collect();
    let body = properties(&monitoring, "Dashboard")["DashboardBody"].clone();
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let metrics = each(&body["widgets"][0]["properties"]["metrics"]);
    assert_eq!(metrics.len(), 5);
    for metric in metrics {
        assert_eq!(metric[4], "RuleName", "{metric}");
        assert!(names.contains(metric[5].as_str().unwrap()), "{metric}");
    }
}

#[test]
fn nobody_but_the_rules_sends_to_the_queue_of_reattach() {
    let reattach = Template::named("reattach.yaml");
    let policy = properties(&reattach, "QueuePolicy");
    let statements = each(&policy["PolicyDocument"]["Statement"]);
    let denial = statements.iter().find(|it| it["Sid"] == "OnlyRules").unwrap();
    assert_eq!((&denial["Principal"], &denial["Resource"]), (&json!("*"), &json!("Queue.Arn")));
    // A message that no rule brings has no such key, and is denied as well.
    let mut rules: Vec<_> = each(&denial["Condition"]["ArnNotEquals"]["aws:SourceArn"]).to_vec();
    rules.sort_by_key(ToString::to_string);
    let brings = |it: &Value| all(it, "Targets").iter().any(|it| it[0]["Arn"] == "Queue.Arn");
    let expected = reattach.resources("AWS::Events::Rule").into_iter();
    let expected =
        expected.filter(|(name, _)| brings(&json!({ "it": properties(&reattach, name) })));
    let expected: Vec<_> = expected.map(|(name, _)| json!(format!("{name}.Arn"))).collect();
    assert_eq!(rules, expected);
}

#[test]
fn only_the_organization_may_put_events_on_the_bus() {
    let monitoring = Template::named("monitoring.yaml");
    for stack in stacks(&monitoring) {
        let policy = &monitoring.body["Resources"]["BusPolicy"]["Properties"]["Statement"];
        let policy = stack.resolve(policy).unwrap();
        let condition = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } });
        assert_eq!(policy["Condition"], condition);
    }
}
