//! What `check` makes of CloudFormation templates: everything literal is checked, and what is not is
//! named.

use expect_test::{Expect, expect};

use crate::words::{GOOD, check, folder, org_backup};

/// A template in JSON with these resources and this beside them.
fn template(resources: &str, rest: &str) -> String {
    format!("{{\n\"Resources\": {{{resources}}}{rest}}}")
}

/// A native policy whose content is this.
fn native(content: &str) -> String {
    format!(
        r#""Tier": {{"Type": "AWS::Organizations::Policy", "Properties": {{
            "Type": "BACKUP_POLICY", "Content": {content}}}}}"#
    )
}

/// The policy with one mistake.
fn bad() -> String {
    GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)")
}

/// Checks a template, strictly.
fn strict(test: &str, template: &str, code: i32, expected: &Expect) {
    check(test, &[("t.json", template)], &["check", "--strict", "t.json"], code, expected);
}

#[test]
fn each_branch_and_each_value_of_a_mapping_is_checked() {
    let content = format!(
        r#"{{"Fn::If": ["IsProduction", {GOOD}, {{"Fn::ToJsonString": {{"Fn::If": ["IsTest", {GOOD},
        {}]}}}}]}}"#,
        bad()
    );
    let rest = r#", "Parameters": {"Stage": {"Type": "String"}}, "Conditions": {
        "IsProduction": {"Fn::Equals": [{"Ref": "Stage"}, "p"]},
        "IsTest": {"Fn::Equals": ["a", "a"]}}"#;
    strict(
        "branches",
        &template(&native(&content), rest),
        1,
        &expect![[r"
        t.json: Resources/Tier/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 19, column 39)
    "]],
    );
    let schedule = r#"{"Fn::FindInMap": ["Hours", {"Ref": "AWS::Region"}, "Nightly"]}"#;
    let content = GOOD.replace(r#""cron(0 5 ? * * *)""#, schedule);
    let rest = r#", "Mappings": {"Hours": {
        "eu-north-1": {"Nightly": "cron(0 5 ? * * *)"},
        "eu-west-3": {"Nightly": "cron(0 5 * * *)"}}}"#;
    strict(
        "mappings",
        &template(&native(&content), rest),
        1,
        &expect![[r"
        t.json: Resources/Tier/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 11, column 34)
    "]],
    );
}

#[test]
fn what_only_the_deployment_tells_is_named_and_never_passes_when_strict() {
    let content = GOOD
        .replace(r#""keep""#, r#"{"Ref": "Vault"}"#)
        .replace(
            r#""arn:aws:iam::$account:role/backup""#,
            r#"{"Fn::Sub": "arn:${AWS::Partition}:iam::$account:role/backup"}"#,
        )
        .replace(
            r#""gold""#,
            r#"{"Fn::GetAtt": ["Table", "Name"]}, {"Ref": "Nobody"}, "{{resolve:ssm:/tier}}""#,
        );
    let rest = r#", "Parameters": {"Vault": {"Type": "String"}}"#;
    let text = template(&native(&content), rest);
    strict(
        "open",
        &text,
        1,
        &expect![[r"
        t.json: Resources/Tier/Properties/Content/plans/tier/rules/nightly/target_backup_vault_name/@@assign: warning: this was not checked: the parameter `Vault` needs a value: --parameters Vault=… (line 6, column 99)
        t.json: Resources/Tier/Properties/Content/plans/tier/selections/tags/chosen/tag_value/@@assign/0: warning: this was not checked: `Table.Name` is known once it is deployed (line 9, column 60)
        t.json: Resources/Tier/Properties/Content/plans/tier/selections/tags/chosen/tag_value/@@assign/1: warning: this was not checked: there is no parameter or resource `Nobody` (line 9, column 95)
        t.json: Resources/Tier/Properties/Content/plans/tier/selections/tags/chosen/tag_value/@@assign/2: warning: this was not checked: CloudFormation resolves the dynamic reference in it (line 9, column 114)
    "]],
    );
    let given = ["check", "--strict", "t.json", "--parameters", "Vault=v-1"];
    let folder = folder("given");
    std::fs::write(
        folder.join("t.json"),
        text.replace(
            r#"{"Fn::GetAtt": ["Table", "Name"]}, {"Ref": "Nobody"}, "{{resolve:ssm:/tier}}""#,
            r#""gold""#,
        ),
    )
    .unwrap();
    let run = org_backup(&folder, &given, "");
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.stderr);
}

#[test]
fn content_that_cannot_be_evaluated_is_named() {
    for (test, content, why) in [
        (
            "include",
            r#"{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/p.json"}}}"#,
            "CloudFormation carries out the macro `AWS::Include`",
        ),
        ("import", r#"{"Fn::ImportValue": "policy"}"#, "it is imported from another stack"),
        (
            "dynamic",
            r#""{{resolve:ssm:/policy}}""#,
            "CloudFormation resolves the dynamic reference in it",
        ),
        (
            "half",
            r#"{"Fn::Join": ["", ["{\"plans\": ", {"Ref": "Plans"}, "}"]]}"#,
            "the text is not JSON without its unknown parts",
        ),
    ] {
        let text = template(&native(content), r#", "Parameters": {"Plans": {"Type": "String"}}"#);
        let folder = folder(test);
        std::fs::write(folder.join("t.json"), text).unwrap();
        for (arguments, code) in
            [(&["check", "t.json"][..], 0), (&["check", "--strict", "t.json"], 1)]
        {
            let run = org_backup(&folder, arguments, "");
            assert_eq!(run.code, code, "{}", run.stdout);
            let path = "t.json: Resources/Tier/Properties/Content";
            let expected = format!("{path}: warning: this was not checked: {why}");
            assert!(run.stdout.contains(&expected), "{}", run.stdout);
        }
    }
}

#[test]
fn a_type_that_is_a_parameter_is_told_by_its_default_or_by_the_content() {
    let resource = |content: &str, default: &str| {
        template(
            &native(content).replace(r#""BACKUP_POLICY""#, r#"{"Ref": "Kind"}"#),
            &format!(r#", "Parameters": {{"Kind": {{"Type": "String"{default}}}}}"#),
        )
    };
    let quoted = serde_json::to_string(&bad()).unwrap();
    let mistake =
        "t.json: Resources/Tier/Properties/Content/plans/tier/rules/nightly/schedule_expression";
    let folder = folder("kind");
    let run = |text: String| {
        std::fs::write(folder.join("t.json"), text).unwrap();
        org_backup(&folder, &["check", "t.json"], "")
    };
    for content in [&bad(), &quoted] {
        for default in ["", r#", "Default": "BACKUP_POLICY""#] {
            let run = run(resource(content, default));
            assert!(run.code == 1 && run.stdout.starts_with(mistake), "{}", run.stdout);
        }
    }
    let other = run(resource(&quoted, r#", "Default": "TAG_POLICY""#));
    assert_eq!((other.code, &*other.stdout), (0, ""));
    assert_eq!(run(resource(r#"{"tags": {}}"#, "")).stdout, "");
}

#[test]
fn policies_in_resources_of_others_are_checked_too() {
    let quoted = serde_json::to_string(&bad()).unwrap();
    let resources = format!(
        r#""A": {{"Type": "Custom::OrgPolicy", "Properties": {{"Contents": [{quoted}]}}}},
        "B": {{"Type": "AWS::CloudFormation::CustomResource", "Properties": {{"Content": {}}}}},
        "C": {{"Type": "AWS::SSM::Parameter", "Properties": {{"Value": {{"Fn::Join": ["", ["{{\"plans\": {{\"", {{"Ref": "Name"}}, "\": 1}}}}"]]}}}}}},
        "D": {{"Type": "AWS::ApiGateway::UsagePlan", "Properties": {{"plans": {{"basic": {{"price": 1}}}}}}}}"#,
        bad()
    );
    strict(
        "others",
        &template(&resources, r#", "Parameters": {"Name": {"Type": "String"}}"#),
        1,
        &expect![[r"
        t.json: Resources/A/Properties/Contents/0/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 2, column 78)
        t.json: Resources/B/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 6, column 39)
        t.json: Resources/C/Properties/Value/plans/${Resources/C/Properties/Value}: expected an object (line 10, column 70)
        t.json: Resources/C/Properties/Value/1: warning: this was not checked: the parameter `Name` needs a value: --parameters Name=… (line 10, column 70)
    "]],
    );
}

#[test]
fn the_bodies_of_loops_and_the_whole_of_macros_are_not_passed_over() {
    let body = native(&bad()).replace("Tier", "Tier${Stage}");
    let looped = |collection: &str, transform: &str| {
        template(
            &format!(r#""Fn::ForEach::Stages": ["Stage", {collection}, {{{body}}}]"#),
            &format!(
                r#", "Transform": {transform}, "Parameters": {{"Stages": {{"Type": "CommaDelimitedList"}}}}"#
            ),
        )
    };
    strict(
        "written_out",
        &looped(r#"["test", "live"]"#, r#""AWS::LanguageExtensions""#),
        1,
        &expect![[r"
        t.json: Resources/Tiertest/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 6, column 39)
        t.json: Resources/Tierlive/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 6, column 39)
    "]],
    );
    strict(
        "not_written_out",
        &looped(r#"{"Ref": "Stages"}"#, r#"["AWS::LanguageExtensions"]"#),
        1,
        &expect![[r"
        t.json: Resources/Fn::ForEach::Stages: warning: this was not checked: CloudFormation carries out `Fn::ForEach::Stages` (line 2, column 15)
        t.json: Resources/Fn::ForEach::Stages/Tier${Stage}/Properties/Content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 6, column 39)
    "]],
    );
    strict(
        "macro",
        &template(&native(GOOD), r#", "Transform": "Company""#),
        1,
        &expect![[r"
        t.json: Transform: warning: this was not checked: CloudFormation carries out `Company`, which may add or change policies (line 9, column 92)
    "]],
    );
    let only = template(
        r#""Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/x"}}"#,
        "",
    );
    strict(
        "only_include",
        &only,
        1,
        &expect![[r"
        t.json: Resources/Fn::Transform: warning: this was not checked: CloudFormation carries out `Fn::Transform` (line 2, column 15)
    "]],
    );
    // A template without policies in somebody's repository is not about policies.
    let serverless = template(
        r#""F": {"Type": "AWS::Serverless::Function", "Properties": {"plans": 1}}"#,
        r#", "Transform": "AWS::Serverless-2016-10-31""#,
    );
    check(
        "serverless",
        &[("in/t.json", &serverless), ("in/good.json", GOOD)],
        &["check", "--strict", "in"],
        0,
        &expect![""],
    );
}

#[test]
fn the_variables_of_our_own_resource_are_filled_in() {
    let content = GOOD
        .replace("keep", "${vault}")
        .replace(r#"["gold"]"#, r#""${tiers}""#)
        .replace("eu-north-1", "${region}");
    let resource = format!(
        r#""Tier": {{"Type": "Custom::BackupPolicy", "Properties": {{"Content": {content},
        "Variables": {{"vault": "no such name", "tiers": ["gold", "silver"], "region": {{"Ref": "Region"}}}}}}}},
        "Url": {{"Type": "Custom::BackupPolicy", "Properties": {{"ContentUrl": "s3://b/p.json"}}}}"#
    );
    strict(
        "variables",
        &template(&resource, r#", "Parameters": {"Region": {"Type": "String"}}"#),
        1,
        &expect![[r"
        t.json: Resources/Tier/Properties/Content/plans/tier/rules/nightly/target_backup_vault_name/@@assign: `no such name` is not the name of a vault: 1 to 50 letters, digits, `-` and `_` (line 5, column 99)
        t.json: Resources/Tier/Properties/Variables/region: warning: this was not checked: the parameter `Region` needs a value: --parameters Region=… (line 9, column 87)
        t.json: Resources/Url/Properties/ContentUrl: warning: this was not checked: the policy is read at deployment (line 10, column 78)
    "]],
    );
}

#[test]
fn white_space_in_the_string_of_a_native_resource_counts() {
    let long = GOOD.replacen(':', &format!(":{}", " ".repeat(10_000)), 1);
    let quoted = serde_json::to_string(&long).unwrap();
    let folder = folder("native_white_space");
    std::fs::write(folder.join("t.json"), template(&native(&quoted), "")).unwrap();
    let run = org_backup(&folder, &["check", "--strict", "--json", "t.json"], "");
    assert!(run.code == 1 && run.stdout.contains(r#""code": "white-space""#), "{}", run.stdout);
}

#[test]
fn a_template_with_a_thousand_conditions_comes_to_an_end() {
    use std::fmt::Write as _;

    let mut conditions = String::new();
    let mut values = String::new();
    for it in 0..1_000 {
        let separator = if it == 0 { "" } else { "," };
        let _ =
            write!(conditions, r#"{separator}"C{it}": {{"Fn::Equals": [{{"Ref": "P"}}, "{it}"]}}"#);
        let _ = write!(values, r#"{separator}{{"Fn::If": ["C{it}", "a{it}", "b{it}"]}}"#);
    }
    let content = GOOD.replace(r#"["gold"]"#, &format!("[{values}]"));
    let rest =
        format!(r#", "Parameters": {{"P": {{"Type": "String"}}}}, "Conditions": {{{conditions}}}"#);
    let folder = folder("many_conditions");
    std::fs::write(folder.join("t.json"), template(&native(&content), &rest)).unwrap();
    let run = org_backup(&folder, &["check", "--strict", "t.json"], "");
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("it has more than 200 conditions"), "{}", run.stdout);
}

#[test]
fn the_templates_and_policies_that_we_ship_have_no_mistake() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let run = org_backup(&root, &["check", "templates", "policies"], "");
    assert_eq!(run.code, 0, "{}", run.stdout);
}

/// A stack set with this template.
fn stack_set(body: &str) -> String {
    format!(
        r#""Set": {{"Type": "AWS::CloudFormation::StackSet", "Properties": {{
            "StackSetName": "tiers", "PermissionModel": "SELF_MANAGED",
            "Parameters": [{{"ParameterKey": "Vault", "ParameterValue": "two words"}}],
            "TemplateBody": {body}}}}}"#
    )
}

#[test]
fn the_template_of_a_stack_set_is_checked_as_one_of_its_own() {
    let content = bad().replace("\"keep\"", r#"{"Ref": "Vault"}"#);
    let inner = template(&native(&content), r#", "Parameters": {"Vault": {"Type": "String"}}"#);
    let quoted = serde_json::to_string(&inner).unwrap();
    let place = "Resources/Set/Properties/TemplateBody/Resources/Tier/Properties/Content/plans/tier/rules/nightly";
    let folder = folder("stack_set");
    let run = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        org_backup(&folder, &["check", "--strict", name], "")
    };
    let run_string = run("string.json", &template(&stack_set(&quoted), ""));
    assert_eq!(run_string.code, 1, "{}", run_string.stdout);
    for told in [
        format!("string.json: {place}/schedule_expression/@@assign: `cron(0 5 * * *)` sets both"),
        format!(
            "string.json: {place}/target_backup_vault_name/@@assign: `two words` is not the name"
        ),
    ] {
        assert!(run_string.stdout.contains(&told), "{told}: {}", run_string.stdout);
    }
    assert_eq!(run_string.stdout.lines().count(), 2, "{}", run_string.stdout);
    // The string begins in this line.
    assert!(
        run_string.stdout.lines().all(|it| it.ends_with("(line 5, column 29)")),
        "{}",
        run_string.stdout
    );
    assert!(run_string.stderr.contains("checked: 1 policy in 1 file"), "{}", run_string.stderr);
    // What is made a string by a function has places of its own, and the values of the outer template.
    let object = format!(r#"{{"Fn::ToJsonString": {inner}}}"#);
    let outer = r#", "Parameters": {"Vault": {"Type": "String", "Default": "keep"}}"#;
    let made = run("made.json", &template(&stack_set(&object), outer));
    assert_eq!((made.code, made.stdout.lines().count()), (1, 1), "{}", made.stdout);
    let told =
        format!("made.json: {place}/schedule_expression/@@assign: `cron(0 5 * * *)` sets both");
    assert!(made.stdout.starts_with(&told), "{}", made.stdout);
    assert!(!made.stdout.contains("(line 5, column"), "{}", made.stdout);
    let open = run("open.json", &template(&stack_set(&object), ""));
    assert!(open.stdout.contains("this was not checked: "), "{}", open.stdout);
    // A template of a stack set inside one is named.
    let nested = serde_json::to_string(&template(&stack_set(&quoted), "")).unwrap();
    let nested = run("nested.json", &template(&stack_set(&nested), ""));
    let why = "this was not checked: it is a template inside a template inside a template";
    assert!(nested.code == 1 && nested.stdout.contains(why), "{}", nested.stdout);
    // Templates without policies, and strings that are no templates, are nothing to tell of.
    for body in [r#""{\"Resources\": {}}""#, r#""no template""#, r#"{"Ref": "Body"}"#] {
        let text = template(&format!("{}, {}", native(GOOD), stack_set(body)), "");
        let nothing = run("nothing.json", &text);
        assert_eq!((nothing.code, nothing.stdout.as_str()), (0, ""), "{body}");
    }
    let broken = run("broken.json", &template(&stack_set(r#""{\"plans\": ""#), ""));
    assert!(broken.stdout.contains("it is no template"), "{}", broken.stdout);
}

/// A custom resource of this type with these properties.
fn custom(kind: &str, properties: &str) -> String {
    format!(
        r#""C": {{"Type": "{kind}", "Properties": {{
            "ServiceToken": "arn:aws:lambda:eu-north-1:111122223333:function:x", {properties}}}}}"#
    )
}

#[test]
fn plans_that_come_from_elsewhere_are_named_in_custom_resources_of_others() {
    let imported = r#""plans": {"Fn::ImportValue": "plans"}"#;
    let included = r#""Content": {"plans": {"Fn::Transform": {"Name": "AWS::Include"}}}"#;
    let cdk = "AWS::CloudFormation::CustomResource";
    for (test, kind, properties, told) in [
        ("open_plans", "Custom::Policy", imported, "Properties/plans"),
        (
            "open_plans_in",
            "Custom::Policy",
            &format!(r#""Content": {{{imported}}}"#),
            "Content/plans",
        ),
        ("open_plans_cdk", cdk, included, "Content/plans"),
    ] {
        let folder = folder(test);
        let text = template(&format!("{}, {}", native(GOOD), custom(kind, properties)), "");
        std::fs::write(folder.join("t.json"), text).unwrap();
        let run = org_backup(&folder, &["check", "--strict", "t.json"], "");
        let told = format!("{told}: warning: this was not checked: ");
        assert!(run.code == 1 && run.stdout.contains(&told), "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn a_policy_beside_the_token_of_a_custom_resource_is_one() {
    let plans = GOOD.trim_start_matches('{').strip_suffix('}').unwrap();
    let good = template(&custom("Custom::Policy", plans), "");
    strict("beside_token", &good, 0, &expect![""]);
    let bad = template(&custom("Custom::Policy", &bad()[1..bad().len() - 1]), "");
    strict(
        "bad_beside_token",
        &bad,
        1,
        &expect![[r"
        t.json: Resources/C/Properties/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 6, column 39)
    "]],
    );
}

#[test]
fn our_own_policy_is_recognised_by_its_function_whatever_its_type() {
    let properties = r#""ServiceToken": {"Fn::GetAtt": ["BackupPolicyFunction", "Arn"]},
        "Name": "a", "TargetIds": ["root"], "Content": {"Fn::ImportValue": "policy"}"#;
    let cdk = format!(
        r#""C": {{"Type": "AWS::CloudFormation::CustomResource", "Properties": {{{properties}}}}}"#
    );
    let text = template(&format!("{}, {cdk}", native(GOOD)), "");
    strict(
        "cdk_ours",
        &text,
        1,
        &expect![[r"
        t.json: Resources/C/Properties/Content: warning: this was not checked: it is imported from another stack (line 10, column 56)
    "]],
    );
}

#[test]
fn a_native_policy_needs_its_content_and_one_of_an_unknown_type_is_named() {
    let empty = r#""Empty": {"Type": "AWS::Organizations::Policy", "Properties": {
        "Name": "a", "Type": "BACKUP_POLICY"}}"#;
    let other = r#""Other": {"Type": "AWS::Organizations::Policy", "Properties": {
        "Name": "b", "Type": "SERVICE_CONTROL_POLICY"}}"#;
    let open = r#""Open": {"Type": "AWS::Organizations::Policy", "Properties": {
        "Name": "c", "Type": {"Ref": "Type"}, "Content": {"plans": {"tier": {"rulez": {}}}}}}"#;
    let resources = [native(GOOD), empty.to_owned(), other.to_owned(), open.to_owned()].join(",\n");
    strict(
        "without_content",
        &template(&resources, r#", "Parameters": {"Type": {"Type": "String"}}"#),
        1,
        &expect![[r"
            t.json: Resources/Empty/Properties: it has no `Content`, and every policy needs one (line 10, column 63)
            t.json: Resources/Open/Properties/Type: warning: this was not checked: the parameter `Type` needs a value: --parameters Type=… (line 15, column 30)
        "]],
    );
}
