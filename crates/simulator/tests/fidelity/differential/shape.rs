//! What is compared of two answers: the error code, or which members there are and of which type.

use std::collections::BTreeSet;

use serde_json::Value;

/// What came of a step: an error code, or every member with its type.
pub(crate) type Outcome = Result<BTreeSet<String>, String>;

/// Every member of an answer, as in `Accounts[].Id string`.
pub(crate) fn of(value: &Value) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    collect(value, "", &mut members);
    members
}

fn collect(value: &Value, at: &str, members: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(list) => {
            for it in list {
                collect(it, &format!("{at}[]"), members);
            }
            "list"
        }
        Value::Object(map) => {
            let dot = if at.is_empty() { "" } else { "." };
            for (name, it) in map {
                collect(it, &format!("{at}{dot}{name}"), members);
            }
            return;
        }
    };
    members.insert(format!("{at} {kind}").trim_start().to_owned());
}

/// How our outcome differs from theirs: `+` is only ours, `-` only theirs.
pub(crate) fn difference(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let more = ours.difference(theirs).map(|it| format!("+{it}"));
            let less = theirs.difference(ours).map(|it| format!("-{it}"));
            let all: Vec<_> = more.chain(less).collect();
            (!all.is_empty()).then(|| all.join(", "))
        }
        _ if ours == theirs => None,
        _ => Some(format!("{} instead of {}", name(ours), name(theirs))),
    }
}

fn name(outcome: &Outcome) -> &str {
    outcome.as_ref().err().map_or("success", String::as_str)
}

#[test]
fn members_and_codes_that_differ_are_told() {
    let shape = |text: &str| Ok(of(&serde_json::from_str(text).unwrap()));
    let one = shape(r#"{"List":[{"A":"1"}],"B":true}"#);
    let other = shape(r#"{"List":[{"A":1}]}"#);
    let expected = "+B boolean, +List[].A string, -List[].A number";
    assert_eq!(difference(&one, &other).unwrap(), expected);
    assert_eq!(difference(&one, &one), None);
    assert_eq!(difference(&one, &Err("No".to_owned())).unwrap(), "success instead of No");
    assert_eq!(difference(&Err("No".to_owned()), &Err("No".to_owned())), None);
}
