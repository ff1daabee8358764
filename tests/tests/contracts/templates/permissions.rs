//! `docs/permissions.md`: every statement of every template, so that none comes or goes unseen.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::Value;
use tests::template::Template;

use super::each;

/// What the page begins with.
const HEAD: &str = "\
# Every permission

Who may do what, as the templates have it, statement by statement: roles, whom they trust, and the \
policies of keys, buckets, queues, topics and of the organization.
A test holds this page against the templates, so a statement that comes, goes or changes is in the \
diff of this page; `UPDATE_EXPECT=1 cargo test --package tests --test templates permissions` writes \
it anew.
[security.md](security.md) says what they are for.

Tests need every statement of the roles of functions and operators, and every action of `CopyRole`, \
which AWS Backup assumes: the simulator asks of it what the policy that AWS manages for backups allows for \
copies of each type ([unverified.md](unverified.md)).
";

#[test]
fn the_page_of_permissions_has_every_statement_of_every_template() {
    let mut page = HEAD.to_owned();
    for template in Template::all() {
        let mut resources = String::new();
        for (name, resource) in template.resources("AWS::") {
            let mut statements = String::new();
            walk(&resource["Properties"], &mut Vec::new(), &mut statements);
            if !statements.is_empty() {
                let kind = resource["Type"].as_str().unwrap();
                write!(resources, "\n### {name}\n\n`{kind}`\n\n{statements}").unwrap();
            }
        }
        if !resources.is_empty() {
            write!(page, "\n## {}\n{resources}", template.name).unwrap();
        }
    }
    expect_file!["../../../../docs/permissions.md"].assert_eq(&page);
}

/// Finds the statements in `value`, which is there under these conditions of the template.
fn walk(value: &Value, conditions: &mut Vec<String>, statements: &mut String) {
    match value {
        Value::Array(list) => list.iter().for_each(|it| walk(it, conditions, statements)),
        Value::Object(map) => {
            if let Some(choice) = map.get("Fn::If") {
                let condition = choice[0].as_str().unwrap();
                for (side, it) in [("", &choice[1]), ("not ", &choice[2])] {
                    conditions.push(format!("{side}{condition}"));
                    walk(it, conditions, statements);
                    conditions.pop();
                }
            } else if map.contains_key("Effect") {
                describe(value, conditions, statements);
            } else {
                map.values().for_each(|it| walk(it, conditions, statements));
            }
        }
        _ => {}
    }
}

/// Writes a statement, one line for each of its parts.
fn describe(statement: &Value, conditions: &[String], page: &mut String) {
    let part = |name: &str| statement.get(name);
    let effect = statement["Effect"].as_str().unwrap();
    let actions = part("Action").or(part("NotAction")).map(code).unwrap();
    let but = if part("NotAction").is_some() { "everything but " } else { "" };
    writeln!(page, "- {effect} {but}{actions}").unwrap();
    let parts = [
        ("Principal", "to"),
        ("NotPrincipal", "to all but"),
        ("Resource", "on"),
        ("NotResource", "on all but"),
    ];
    for (name, word) in parts {
        if let Some(it) = part(name) {
            writeln!(page, "  - {word} {}", code(it)).unwrap();
        }
    }
    let tests = part("Condition").and_then(Value::as_object).into_iter().flatten();
    for (operator, keys) in tests {
        let choice = keys.get("Fn::If").filter(|it| is_nothing(&it[2]));
        let only = choice.map(|it| format!(", if {}", words(&it[0]))).unwrap_or_default();
        let keys = choice.map_or(keys, |it| &it[1]);
        match keys.as_object() {
            Some(keys) if !keys.contains_key("Fn::If") => {
                for (key, it) in keys {
                    writeln!(page, "  - when `{operator}` of `{key}`: {}{only}", code(it)).unwrap();
                }
            }
            _ => writeln!(page, "  - when `{operator}`: {}", code(keys)).unwrap(),
        }
    }
    if !conditions.is_empty() {
        writeln!(page, "  - where the stack has {}", conditions.join(" and ")).unwrap();
    }
}

/// The values of a part, each as code.
fn code(value: &Value) -> String {
    let principals = value.as_object().filter(|it| {
        it.keys().all(|it| ["AWS", "Service", "Federated", "CanonicalUser"].contains(&it.as_str()))
    });
    let values: Vec<_> = match principals {
        Some(kinds) => kinds.values().flat_map(each).collect(),
        None => each(value).iter().collect(),
    };
    values.into_iter().map(|it| format!("`{}`", words(it))).collect::<Vec<_>>().join(", ")
}

/// Whether a value is left out.
fn is_nothing(value: &Value) -> bool {
    value["Ref"] == "AWS::NoValue"
}

/// A value, with the names of what other resources have.
fn words(value: &Value) -> String {
    let function = value.as_object().filter(|it| it.len() == 1).and_then(|it| it.iter().next());
    match (function, value) {
        (_, Value::String(text)) => text.clone(),
        (Some((name, of)), _) => match name.as_str() {
            "Ref" => format!("${{{}}}", words(of)),
            "Fn::GetAtt" => {
                format!("${{{}}}", each(of).iter().map(words).collect::<Vec<_>>().join("."))
            }
            "Fn::Sub" => words(&each(of)[0]),
            "Fn::ImportValue" => format!("import of {}", words(of)),
            "Fn::If" if is_nothing(&of[2]) => format!("{} if {}", words(&of[1]), words(&of[0])),
            "Fn::If" => format!("{} if {}, else {}", words(&of[1]), words(&of[0]), words(&of[2])),
            _ => value.to_string(),
        },
        _ => value.to_string(),
    }
}
