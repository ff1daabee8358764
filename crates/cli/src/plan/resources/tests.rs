use expect_test::{Expect, expect};
use policy::json;

use super::super::parameters::read;
use super::*;

/// Shows what the custom resources of a template in JSON come to.
fn check(template: &str, parameters: &[&str], expect: Expect) {
    let (document, findings) = json::read(template);
    assert_eq!(findings, []);
    let parameters: Vec<_> = parameters.iter().map(|it| (*it).to_owned()).collect();
    let given = read(&parameters).unwrap().into();
    let surroundings = Surroundings {
        pseudo: [("AWS::Region", "eu-south-1".to_owned())].into(),
        attributes: [("Types.RootId".to_owned(), "r-ef56".to_owned())].into(),
    };
    let resolved = resolve(&document.unwrap(), &given, &surroundings);
    let mut lines = Vec::new();
    for it in &resolved.resources {
        let properties = it.properties.as_ref().map_or("not known".to_owned(), Value::to_string);
        let kind = it.kind.resource_type().trim_start_matches("Custom::");
        lines.push(format!("{kind} {}: {properties}\n", it.logical_id));
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
fn a_parameter_is_asked_for_only_where_it_is_used() {
    property(
        r#"{"Ref": "Name"}"#,
        PARAMETERS,
        &[],
        expect![[r#"
            BackupPolicy R: {"X":"daily"}
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
        &[],
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
        &[],
        expect![[r#"
            BackupPolicy R: {"X":["e"]}
        "#]],
    );
    property(
        value,
        &rest,
        &["Days=36"],
        expect![[r#"
            BackupPolicy R: {"X":["b","e"]}
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
        &[],
        expect![[r"
            BackupPolicy S: {}
        "]],
    );
}

#[test]
fn what_only_a_deployment_can_tell_is_told_by_its_place() {
    property(
        r#"{"a": {"Fn::GetAtt": ["R", "PolicyArn"]}, "b": {"Fn::ImportValue": "x"},
            "c": [{"Ref": "R"}, {"Ref": "AWS::StackId"}], "d": {"Ref": "Kept"},
            "e": {"Fn::If": ["Later", 1, 2]}, "f": {"Fn::Cidr": ["10.0.0.0/8", 1, 8]}}"#,
        &format!("{PARAMETERS}{CONDITIONS}"),
        &[],
        expect![[r"
            BackupPolicy R: not known
            Resources/R/Properties/X/a: `R.PolicyArn` is known once it is deployed
            Resources/R/Properties/X/b: it is imported from another stack
            Resources/R/Properties/X/c/0: `R` is made by the deployment
            Resources/R/Properties/X/c/1: `AWS::StackId` is not known here
            Resources/R/Properties/X/d: the value of `Kept` is in Parameter Store
            Conditions/Later: the value of `Kept` is in Parameter Store
            Resources/R/Properties/X/f: this use of `Fn::Cidr` is not understood here
        "]],
    );
}

#[test]
fn conditions_that_go_round_come_to_an_end() {
    property(
        r#"{"Fn::If": ["Round", 1, 2]}"#,
        &format!("{PARAMETERS}{CONDITIONS}"),
        &[],
        expect![[r"
            BackupPolicy R: not known
            Conditions/Round: its conditions refer to each other without end
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
    let one = ["ParameterKey=Name,ParameterValue=a=b".to_owned()];
    assert_eq!(read(&one).unwrap()["Name"], "a=b");
    assert!(read(&["nothing".to_owned()]).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}
