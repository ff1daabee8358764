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
    assert_eq!(notes.unknown[0].why, "its conditions refer to each other without end");
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
