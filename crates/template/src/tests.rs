use std::collections::BTreeSet;

use serde_json::json;

use super::*;

/// Reads a template in YAML.
fn template(text: &str) -> Node {
    let (document, findings) = read(text, Syntax::Yaml);
    assert_eq!(findings, []);
    document.unwrap()
}

/// The template that has `rest` besides a parameter without a default, and `X`, which it has to come to.
fn x(rest: &str) -> Node {
    template(&format!("Parameters: {{Name: {{Type: String}}}}\n{rest}"))
}

#[test]
fn conditions_are_evaluated_once_each() {
    let diamond = (1..=40).map(|it| {
        let before = format!("!Condition C{}", it - 1);
        format!("  C{it}: !And [{before}, {before}]\n")
    });
    let conditions = diamond.collect::<String>();
    let template = x(&format!("Conditions:\n  C0: !Equals [a, a]\n{conditions}"));
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    assert_eq!(evaluator.condition("C40", "X"), Some(true));
}

#[test]
fn conditions_without_end_are_not_known() {
    let many = (1..=1000).map(|it| format!("  C{it}: !Not [!Condition C{}]\n", it - 1));
    let template =
        x(&format!("Conditions:\n  C0: !Not [!Condition C1000]\n{}", many.collect::<String>()));
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    assert_eq!(evaluator.condition("C1000", "X"), None);
    let notes = evaluator.into_notes();
    assert_eq!(notes.unknown[0].why, "its conditions refer to each other too deeply");
}

#[test]
fn what_a_loop_adds_is_not_known_and_the_rest_is() {
    let template = x("X:\n  a: 1\n  Fn::ForEach::Loop: [It, [b], {}]");
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let value = evaluator.evaluate(template.member("X").unwrap(), "X").unwrap();
    assert_eq!(value.member("a").and_then(Node::scalar), Some("1"));
    assert_eq!(as_sent(&value), None);
    let notes = evaluator.into_notes();
    assert_eq!(notes.unknown[0].path, "X/Fn::ForEach::Loop");
}

#[test]
fn a_draft_keeps_the_names_of_what_is_not_known() {
    let template = x("X: !Sub ['${A}-${Name}-${AWS::Region}', {A: !Join ['', [a, b]]}]");
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let place = template.member("X").unwrap();
    assert_eq!(evaluator.evaluate(place, "X").unwrap().value, Value::Unknown);
    let draft = evaluator.draft(place, "X").unwrap();
    assert_eq!(draft.scalar(), Some("ab-${Name}-${AWS::Region}"));
    assert_eq!(draft.span, place.span);
}

#[test]
fn what_a_function_chooses_stands_where_it_is_written() {
    let template = x("Conditions: {C: !Equals [a, a]}\nX: !If [C, [literal], other]");
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let place = template.member("X").unwrap();
    let value = evaluator.evaluate(place, "X").unwrap();
    assert!(value.span.start > place.span.start && value.span.end < place.span.end);
}

#[test]
fn scalars_are_sent_as_strings_and_are_written_as_they_are() {
    let template = x("X: {a: 1.50, b: [true, ~, '7']}");
    let value = template.member("X").unwrap();
    assert_eq!(as_sent(value), Some(json!({ "a": "1.50", "b": ["true", "null", "7"] })));
    assert_eq!(as_written(value), Some(json!({ "a": 1.5, "b": [true, null, "7"] })));
}

#[test]
fn a_dynamic_reference_is_not_known_wherever_it_comes_from() {
    let template = x(
        "X: ['{{resolve:ssm:/a}}', !Sub '{{resolve:ssm:/b}}-c', !Join ['', ['{{', 'resolve:ssm:/d}}']], '{{ a }}']",
    );
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let value = evaluator.evaluate(template.member("X").unwrap(), "X").unwrap();
    let Value::Array(items) = value.value else { panic!("no list") };
    let texts: Vec<_> = items.iter().map(Node::scalar).collect();
    assert_eq!(texts, [None, None, None, Some("{{ a }}")]);
    assert_eq!(evaluator.into_notes().unknown[1].path, "X/1");
}

#[test]
fn a_value_is_written_as_json() {
    let template =
        x("X: !ToJsonString {a: [1, !Join ['', [b, c]]]}\nY: !ToJsonString {a: !GetAtt R.Arn}");
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let value = |it| evaluator.evaluate(template.member(it).unwrap(), it).unwrap();
    assert_eq!(value("X").scalar(), Some(r#"{"a":[1,"bc"]}"#));
    assert_eq!(value("Y").value, Value::Unknown);
    let draft = evaluator.draft(template.member("X").unwrap(), "X").unwrap();
    assert_eq!(draft.to_json(), r#"{"a":[1,"bc"]}"#);
}

#[test]
fn a_mapping_has_a_default_where_the_template_says_so() {
    let template = x(
        "Mappings: {M: {a: {b: 1}}}\nX: [!FindInMap [M, a, b], !FindInMap [M, a, c, {DefaultValue: 2}]]",
    );
    let given = Given::default();
    let evaluator = Evaluator::new(&template, &given, &NoEnvironment);
    let value = evaluator.evaluate(template.member("X").unwrap(), "X").unwrap();
    assert_eq!(value.to_json(), "[1,2]");
}

/// Everything that `X` comes to, by every way through its conditions and mappings.
fn ways(template: &Node) -> BTreeSet<String> {
    let given = Given::default();
    let mut known = BTreeSet::new();
    let mut next = vec![Choices::default()];
    let mut all = BTreeSet::new();
    while let Some(choices) = next.pop() {
        let evaluator = Evaluator::new(template, &given, &NoEnvironment).along(choices);
        let value = evaluator.draft(template.member("X").unwrap(), "X");
        all.insert(value.map_or_else(String::new, |it| it.to_json()));
        next.extend(evaluator.choices().others(&mut known));
    }
    all
}

#[test]
fn every_branch_and_every_value_of_a_mapping_is_met() {
    let conditions =
        "Conditions: {A: !Equals [a, a], B: !Equals [!Ref Name, b], C: !Not [!Condition A]}";
    let two = x(&format!(
        "{conditions}\nX: [!If [A, 1, 2], !If [C, 3, 4], !If [B, 5, !Ref AWS::NoValue]]"
    ));
    let expected = ["[1,4,5]", "[2,3,5]", "[1,3,5]", "[1,4]"].map(ToOwned::to_owned);
    assert_eq!(ways(&two), BTreeSet::from(expected));
    let inner = x(&format!("{conditions}\nX: !If [A, x, !If [B, y, z]]"));
    assert_eq!(ways(&inner), BTreeSet::from([r#""x""#, r#""y""#, r#""z""#].map(ToOwned::to_owned)));
    let map = x("Mappings: {M: {a: {k: 1}, b: {k: 2, l: 3}}}\nX: !FindInMap [M, !Ref Name, k]");
    assert_eq!(ways(&map), BTreeSet::from(["1", "2"].map(ToOwned::to_owned)));
}

#[test]
fn a_branch_for_another_value_of_a_parameter_does_not_have_its_default() {
    let conditions = "Conditions: {A: !Not [!Equals [!Ref Name, '']], B: !Not [!Condition A]}";
    let parameters = "Parameters: {Name: {Type: String, Default: ''}}";
    let two = template(&format!("{conditions}\n{parameters}\nX: !If [B, none, !Ref Name]"));
    let given = Given::default();
    let usual = Evaluator::new(&two, &given, &NoEnvironment).along(Choices::default());
    let value = |it: &Evaluator<'_>| it.draft(two.member("X").unwrap(), "X").unwrap().value;
    assert_eq!(value(&usual), Value::Text("none".to_owned()));
    let others = usual.choices().others(&mut BTreeSet::new());
    let [other] = others.as_slice() else { panic!("{others:?}") };
    let other = Evaluator::new(&two, &given, &NoEnvironment).along(other.clone());
    assert_eq!(value(&other), Value::Unknown, "and not the default, which is empty");
}

#[test]
fn loops_are_written_out_where_the_transform_is_named() {
    let body = "Resources:
  Fn::ForEach::All:
    - It
    - !Ref List
    - P${It}: {Name: !Sub 'x-${It}-${Other}', Ref: !Ref It}
      Fn::ForEach::Inner: [In, [1, b-2], {'Q${It}&{In}': !Ref In}]
";
    let list = "Parameters: {List: {Type: CommaDelimitedList, Default: 'a,b'}}\n";
    let template = template(&format!("Transform: AWS::LanguageExtensions\n{list}{body}"));
    let expanded = expand(&template, &Given::default());
    assert_eq!(
        expanded.member("Resources").unwrap().to_json(),
        r#"{"Pa":{"Name":{"Fn::Sub":"x-a-${Other}"},"Ref":"a"},"Qa1":"1","Qab2":"b-2","Pb":{"Name":{"Fn::Sub":"x-b-${Other}"},"Ref":"b"},"Qb1":"1","Qbb2":"b-2"}"#
    );
    let none = super::tests::template(&format!("{list}{body}"));
    assert_eq!(expand(&none, &Given::default()), none);
    let unknown = super::tests::template(&format!(
        "Transform: [AWS::LanguageExtensions]\nParameters: {{List: {{Type: CommaDelimitedList}}}}\n{body}"
    ));
    let expanded = expand(&unknown, &Given::default());
    let left = expanded.member("Resources").and_then(Node::members).unwrap();
    assert_eq!(left[0].key, "Fn::ForEach::All");
}

#[test]
fn loops_in_loops_come_to_an_end() {
    let items = (0..90).map(|it| it.to_string()).collect::<Vec<_>>().join(",");
    let inner =
        format!("Fn::ForEach::B: [B, [{items}], {{'x${{A}}${{B}}': 1, 'y${{A}}${{B}}': 2}}]");
    let text = format!(
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::A:\n  - A\n  - [{items}]\n  - {inner}\n"
    );
    let expanded = expand(&template(&text), &Given::default());
    let members = expanded.member("Resources").and_then(Node::members).unwrap();
    assert!(members.len() < 6_000, "{}", members.len());
    assert!(members.iter().any(|it| is_function(&it.key)));
}
