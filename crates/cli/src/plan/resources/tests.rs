use expect_test::{Expect, expect};
use policy::json;
use template::expand;

use super::super::parameters::read;
use super::*;

/// Shows what the custom resources of a template in JSON come to.
fn check(template: &str, parameters: &[&str], expect: Expect) {
    let (document, findings) = json::read(template);
    assert_eq!(findings, []);
    let parameters: Vec<_> = parameters.iter().map(|it| (*it).to_owned()).collect();
    let given: Given = read(&parameters).unwrap().into();
    let surroundings = Surroundings {
        pseudo: [("AWS::Region", "eu-south-1".to_owned())].into(),
        attributes: [("Types.RootId".to_owned(), "r-ef56".to_owned())].into(),
    };
    let resolved = resolve(&expand(&document.unwrap(), &given), &given, &surroundings);
    let mut lines = Vec::new();
    for it in &resolved.resources {
        let properties = it.properties.as_ref().map_or("not known".to_owned(), Value::to_string);
        let kind = it.kind.resource_type().trim_start_matches("Custom::");
        lines.push(format!("{kind} {}: {properties}\n", it.logical_id));
    }
    for it in &resolved.not_understood {
        lines.push(format!("{}: not understood: {}\n", it.path, it.why));
    }
    for it in &resolved.unknown {
        lines.push(format!("{}: {}\n", it.path, it.why));
    }
    for it in &resolved.mistakes {
        lines.push(format!("mistake: {it}\n"));
    }
    expect.assert_eq(&lines.concat());
}

/// The same for one resource with one property, and these other parts of the template.
fn property(value: &str, rest: &str, parameters: &[&str], expect: Expect) {
    let resource = format!(r#"{{"Type": "Custom::BackupPolicy", "Properties": {{"X": {value}}}}}"#);
    check(&format!(r#"{{"Resources": {{"R": {resource}}}{rest}}}"#), parameters, expect);
}

#[test]
fn every_scalar_is_sent_as_a_string() {
    property(
        r#"[1, true, "x", {"a": 1.50}]"#,
        "",
        &[],
        expect![[r#"
            BackupPolicy R: {"X":["1","true","x",{"a":"1.50"}]}
        "#]],
    );
}

#[test]
fn what_is_between_cloudformation_and_the_function_is_left_out() {
    check(
        r#"{"Resources": {"T": {"Type": "Custom::PolicyTypes", "Properties": {
            "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 60, "P": "x"}},
            "Function": {"Type": "AWS::Lambda::Function"}, "Other": {"Type": "Custom::Other"}}}"#,
        &[],
        expect![[r#"
            PolicyTypes T: {"P":"x"}
        "#]],
    );
}

const PARAMETERS: &str = r#", "Parameters": {
    "Name": {"Type": "String", "Default": "daily", "AllowedPattern": "[a-z]+"},
    "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Days": {"Type": "Number", "Default": 35, "MinValue": 1, "MaxValue": 90},
    "Mode": {"Type": "String", "Default": "On", "AllowedValues": ["On", "Off"]},
    "Vault": {"Type": "String", "MinLength": 3},
    "Kept": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"}
}"#;

#[test]
fn parameters_have_their_defaults_or_what_was_given() {
    property(
        r#"[{"Ref": "Name"}, {"Ref": "List"}, {"Ref": "Days"}, {"Ref": "Vault"}]"#,
        PARAMETERS,
        &["Vault=main", "Days=7"],
        expect![[r#"
            BackupPolicy R: {"X":["daily",["a","b"],"7","main"]}
        "#]],
    );
}

#[test]
fn parameters_are_judged_as_cloudformation_judges_them() {
    property(
        r#"[{"Ref": "Name"}, {"Ref": "Days"}, {"Ref": "Mode"}, {"Ref": "Vault"}]"#,
        PARAMETERS,
        &["Name=x1", "Days=91", "Mode=Auto", "Vault=ab", "Typo=x"],
        expect![[r"
            BackupPolicy R: not known
            mistake: the parameter `Days` must be at most 90, not `91`
            mistake: the parameter `Mode` must be one of On, Off, not `Auto`
            mistake: the parameter `Name` must match ^(?:[a-z]+)$, not `x1`
            mistake: the parameter `Vault` must be longer, not `ab`
            mistake: the template has no parameter `Typo`
        "]],
    );
}

#[test]
fn a_parameter_without_a_default_is_asked_for_whatever_uses_it() {
    property(
        r#"{"Ref": "Name"}"#,
        PARAMETERS,
        &[],
        expect![[r#"
            BackupPolicy R: {"X":"daily"}
            mistake: the parameter `Vault` needs a value: --parameters Vault=…
        "#]],
    );
    property(
        r#"{"Ref": "Vault"}"#,
        PARAMETERS,
        &[],
        expect![[r"
            BackupPolicy R: not known
            mistake: the parameter `Vault` needs a value: --parameters Vault=…
        "]],
    );
}

#[test]
fn functions_are_carried_out() {
    property(
        r#"[{"Fn::Sub": "${Name}-${!Name}-${AWS::Region}"},
            {"Fn::Sub": ["${A}/${Types.RootId}", {"A": {"Ref": "Name"}}]},
            {"Fn::Join": ["+", {"Ref": "List"}]},
            {"Fn::Select": [1, {"Fn::Split": ["/", "p/q"]}]},
            {"Fn::FindInMap": ["Hours", {"Ref": "Mode"}, "Hour"]},
            {"Fn::GetAtt": "Types.RootId"}, {"Ref": "AWS::NoValue"}]"#,
        &format!(r#"{PARAMETERS}, "Mappings": {{"Hours": {{"On": {{"Hour": 5}}}}}}"#),
        &["Vault=main"],
        expect![[r#"
            BackupPolicy R: {"X":["daily-${Name}-eu-south-1","daily/r-ef56","a+b","q","5","r-ef56"]}
        "#]],
    );
}

const CONDITIONS: &str = r#", "Conditions": {
    "IsOn": {"Fn::Equals": [{"Ref": "Mode"}, "On"]},
    "IsLong": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Days"}, 35]}]},
    "Both": {"Fn::And": [{"Condition": "IsOn"}, {"Condition": "IsLong"}]},
    "Either": {"Fn::Or": [{"Condition": "IsOn"}, {"Condition": "IsLong"}]},
    "Later": {"Fn::Equals": [{"Ref": "Kept"}, "x"]},
    "Round": {"Fn::Not": [{"Condition": "Round"}]}
}"#;

#[test]
fn conditions_choose() {
    let value = r#"[{"Fn::If": ["Both", "b", {"Ref": "AWS::NoValue"}]},
                    {"Fn::If": ["Either", "e", "none"]}]"#;
    let rest = format!("{PARAMETERS}{CONDITIONS}");
    property(
        value,
        &rest,
        &["Vault=main"],
        expect![[r#"
            BackupPolicy R: {"X":["e"]}
            mistake: Conditions/Round: its conditions refer to each other in a circle
        "#]],
    );
    property(
        value,
        &rest,
        &["Vault=main", "Days=36"],
        expect![[r#"
            BackupPolicy R: {"X":["b","e"]}
            mistake: Conditions/Round: its conditions refer to each other in a circle
        "#]],
    );
}

#[test]
fn a_resource_whose_condition_does_not_hold_is_not_made() {
    check(
        &format!(
            r#"{{"Resources": {{"R": {{"Type": "Custom::BackupPolicy", "Condition": "IsLong"}},
                "S": {{"Type": "Custom::BackupPolicy", "Condition": "IsOn"}}}}{PARAMETERS}{CONDITIONS}}}"#
        ),
        &["Vault=main"],
        expect![[r"
            BackupPolicy S: {}
            mistake: Conditions/Round: its conditions refer to each other in a circle
        "]],
    );
}

#[test]
fn what_only_a_deployment_can_tell_is_told_by_its_place() {
    let resources = r#""R": {"Type": "Custom::BackupPolicy", "Properties": {"X":
        {"a": {"Fn::GetAtt": ["Q", "PolicyArn"]}, "b": {"Fn::ImportValue": "x"},
            "c": [{"Ref": "Q"}, {"Ref": "AWS::StackId"}], "d": {"Ref": "Kept"},
            "e": {"Fn::If": ["Later", 1, 2]}, "f": {"Fn::Cidr": ["10.0.0.0/8", 1, 8]},
            "g": "{{resolve:ssm:/name}}", "h": {"Fn::Sub": "{{resolve:ssm:/${Name}}}"}}}},
        "Q": {"Type": "AWS::SNS::Topic"}"#;
    check(
        &format!(r#"{{"Resources": {{{resources}}}{PARAMETERS}{CONDITIONS}}}"#),
        &["Vault=main"],
        expect![[r"
            BackupPolicy R: not known
            Resources/R/Properties/X/a: `Q.PolicyArn` is known once it is deployed
            Resources/R/Properties/X/b: it is imported from another stack
            Resources/R/Properties/X/c/0: `Q` is made by the deployment
            Resources/R/Properties/X/c/1: `AWS::StackId` is not known here
            Resources/R/Properties/X/d: the value of `Kept` is in Parameter Store
            Conditions/Later: the value of `Kept` is in Parameter Store
            Resources/R/Properties/X/f: this use of `Fn::Cidr` is not understood here
            Resources/R/Properties/X/g: CloudFormation resolves the dynamic reference in it
            Resources/R/Properties/X/h: CloudFormation resolves the dynamic reference in it
            mistake: Conditions/Round: its conditions refer to each other in a circle
        "]],
    );
}

#[test]
fn conditions_that_go_round_come_to_an_end() {
    property(
        r#"{"Fn::If": ["Round", 1, 2]}"#,
        &format!("{PARAMETERS}{CONDITIONS}"),
        &["Vault=main"],
        expect![[r"
            BackupPolicy R: not known
            mistake: Conditions/Round: its conditions refer to each other in a circle
        "]],
    );
}

#[test]
fn what_does_not_exist_is_a_mistake() {
    property(
        r#"[{"Ref": "Nobody"}, {"Fn::If": ["Never", 1, 2]}]"#,
        "",
        &[],
        expect![[r"
            BackupPolicy R: not known
            mistake: Resources/R/Properties/X/0: there is no parameter or resource `Nobody`
            mistake: Resources/R/Properties/X/1: there is no condition `Never`
        "]],
    );
}

#[test]
fn parameters_are_read_as_the_aws_cli_takes_them() {
    let folder = std::env::temp_dir().join(format!("org-backup-parameters-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let forms = [
        r#"[{"ParameterKey": "Name", "ParameterValue": "a"}, {"ParameterKey": "List", "ParameterValue": "x,y"}]"#,
        r#"["Name=a", "List=x,y"]"#,
        r#"{"Parameters": {"Name": "a", "List": ["x", "y"]}}"#,
        r#"{"Name": "a", "List": "x,y"}"#,
    ];
    let expected = read(&["Name=a".to_owned(), "List=x,y".to_owned()]).unwrap();
    for (index, form) in forms.iter().enumerate() {
        let file = folder.join(format!("{index}.json"));
        std::fs::write(&file, form).unwrap();
        for argument in [format!("file://{}", file.display()), file.display().to_string()] {
            assert_eq!(read(&[argument]).unwrap(), expected, "{form}");
        }
    }
    for (written, value) in [
        ("ParameterKey=Name,ParameterValue=a=b", "a=b"),
        ("ParameterValue=a,ParameterKey=Name", "a"),
        (r"ParameterKey=Name,ParameterValue=a\,b,UsePreviousValue=false", "a,b"),
        (r#"ParameterKey=Name,ParameterValue="a,b""#, "a,b"),
        ("ParameterKey='Name',ParameterValue=a,b", "a,b"),
        ("Name=ParameterKey=x,y", "ParameterKey=x,y"),
    ] {
        let read = read(&[written.to_owned()]).unwrap();
        assert_eq!(read["Name"].as_deref(), Some(value), "{written}");
    }
    let kept = ["Name=a", "ParameterKey=Name,UsePreviousValue=true"].map(ToOwned::to_owned);
    assert_eq!(read(&kept).unwrap(), [("Name".to_owned(), None)].into());
    let file = folder.join("input.json");
    let input = r#"{"StackName": "s", "Parameters": [
        {"ParameterKey": "Name", "UsePreviousValue": true}, {"ParameterKey": "List", "ParameterValue": "x"}]}"#;
    std::fs::write(&file, input).unwrap();
    let read_again = read(&[file.display().to_string()]).unwrap();
    let list = ("List".to_owned(), Some("x".to_owned()));
    assert_eq!(read_again, [list, ("Name".to_owned(), None)].into());
    assert!(read(&["nothing".to_owned()]).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The properties of a policy, of which only the name is given.
const POLICY: &str = r#""Name": "daily", "TargetIds": ["root"], "Content": {"plans": {}}"#;

#[test]
fn a_custom_resource_of_another_type_is_ours_by_its_function_or_its_properties() {
    let custom = |kind: &str, token: &str, properties: &str| {
        format!(r#"{{"Type": "{kind}", "Properties": {{"ServiceToken": {token}{properties}}}}}"#)
    };
    let cdk = "AWS::CloudFormation::CustomResource";
    let ours = custom(cdk, r#"{"Ref": "Token"}"#, &format!(", {POLICY}"));
    let arn = r#""arn:aws:lambda:eu-south-1:111122223333:function:org-backup-policy-types""#;
    let named = custom("Custom::Types", arn, r#", "Tea": 1"#);
    let other = custom("Custom::Other", r#""x""#, r#", "Name": "daily""#);
    let rest = r#", "Parameters": {"Token": {"Type": "String", "Default": "x"}}"#;
    check(
        &format!(r#"{{"Resources": {{"A": {ours}, "B": {named}, "C": {other}}}{rest}}}"#),
        &[],
        expect![[r#"
            BackupPolicy A: {"Content":{"plans":{}},"Name":"daily","TargetIds":["root"]}
            PolicyTypes B: {"Tea":"1"}
        "#]],
    );
}

#[test]
fn what_cloudformation_makes_of_a_template_before_it_deploys_it_is_planned_or_named() {
    let policy = format!(r#"{{"Type": "Custom::BackupPolicy", "Properties": {{{POLICY}}}}}"#);
    let looped = |transform: &str| {
        let policy = policy.replace("daily", "daily-${It}");
        format!(
            r#"{{"Resources": {{"Fn::ForEach::All": ["It", ["a", "b"], {{"P${{It}}": {policy}}}]}}{transform}}}"#
        )
    };
    check(
        &looped(r#", "Transform": "AWS::LanguageExtensions""#),
        &[],
        expect![[r#"
            BackupPolicy Pa: {"Content":{"plans":{}},"Name":"daily-a","TargetIds":["root"]}
            BackupPolicy Pb: {"Content":{"plans":{}},"Name":"daily-b","TargetIds":["root"]}
        "#]],
    );
    check(
        &looped(""),
        &[],
        expect![[r"
            Resources/Fn::ForEach::All: not understood: CloudFormation carries out `Fn::ForEach::All`, which may make resources
        "]],
    );
    check(
        r#"{"Resources": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}},
            "Transform": ["AWS::Serverless-2016-10-31"]}"#,
        &[],
        expect![[r"
            Resources/Fn::Transform: not understood: CloudFormation carries out `Fn::Transform`, which may make resources
            Transform: not understood: CloudFormation carries out `AWS::Serverless-2016-10-31`, which may change every resource
        "]],
    );
}

#[test]
fn what_cloudformation_refuses_before_it_begins_is_a_mistake() {
    property(
        r#"[null, {"Fn::Sub": "${R.PolicyId}"}, {"Ref": "Days"}]"#,
        r#", "Parameters": {"Days": {"Type": "Number", "Default": "inf"}, "Mode": {"Type": "String", "Default": "a"}},
        "Rules": {
            "Fails": {"Assertions": [{"Assert": {"Fn::Contains": [["b", "c"], {"Ref": "Mode"}]}, "AssertDescription": "no such mode"}]},
            "Holds": {"Assertions": [{"Assert": {"Fn::Contains": [["a"], {"Ref": "Mode"}]}}]},
            "OfOthers": {"RuleCondition": {"Fn::Equals": [{"Ref": "Mode"}, "b"]}, "Assertions": [{"Assert": {"Fn::Equals": ["x", "y"]}}]}}"#,
        &[],
        expect![[r"
            BackupPolicy R: not known
            Resources/R/Properties/X/1: `R.PolicyId` is known once it is deployed
            mistake: Resources/R/Properties/X/0: CloudFormation does not accept null
            mistake: Resources/R: it refers to itself
            mistake: Rules/Fails: no such mode
            mistake: the parameter `Days` must be a number, not `inf`
        "]],
    );
}

#[test]
fn what_cloudformation_refuses_is_told_even_if_nothing_of_ours_uses_it() {
    let types = r#""T": {"Type": "Custom::PolicyTypes", "Properties": {"P": "x"}}"#;
    let topic = |rest: &str| format!(r#""A": {{"Type": "AWS::SNS::Topic", {rest}}}"#);
    let all = topic(r#""Condition": "Nowhere", "DependsOn": ["A", "T", "Nobody"]"#);
    let conditions = r#""Conditions": {"One": {"Fn::Not": [{"Condition": "Two"}]},
        "Two": {"Fn::Not": [{"Condition": "One"}]}, "Good": {"Fn::Equals": ["a", "a"]}}"#;
    check(
        &format!(r#"{{"Resources": {{{types}, {all}}}, {conditions}}}"#),
        &[],
        expect![[r#"
        PolicyTypes T: {"P":"x"}
        mistake: Conditions/Two: its conditions refer to each other in a circle
        mistake: Resources/A: it depends on `Nobody`, which is not in the template
        mistake: Resources/A: it depends on itself
        mistake: Resources/A: there is no condition `Nowhere`
    "#]],
    );
}

#[test]
fn resources_inside_of_others_are_named_unless_a_condition_leaves_them_out() {
    let resources = r#""M": {"Type": "Company::Team::Base::MODULE"},
        "S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "x"}},
        "N": {"Type": "AWS::CloudFormation::Stack", "Condition": "Never"},
        "A": {"Type": "AWS::CloudFormation::StackSet"}"#;
    let rest = r#""Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}"#;
    check(
        &format!(r#"{{"Resources": {{{resources}}}, {rest}}}"#),
        &[],
        expect![[r"
        Resources/M: not understood: CloudFormation makes the resources of the module in its place
        Resources/S: not understood: it is a stack of its own, whose template is not read: plan that template too
    "]],
    );
}

#[test]
fn a_parameter_that_is_to_keep_its_value_needs_one() {
    let rest = r#", "Parameters": {"Name": {"Type": "String", "Default": "x"}}"#;
    let kept = ["ParameterKey=Name,UsePreviousValue=true"];
    property(
        r#"{"Ref": "Name"}"#,
        rest,
        &kept,
        expect![[r"
        BackupPolicy R: not known
        mistake: the parameter `Name` is to keep its value, and no deployed stack has one
    "]],
    );
}
