//! Converts the values of variables to their types.

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use policy::{Member, Node, Value};

use crate::evaluate::{Evaluator, Scope, size};

impl Evaluator<'_> {
    /// Returns a value as a variable of a type has it: attributes that are left out have their
    /// defaults, attributes that the type does not have are left out, and a number becomes a text
    /// where the type says so.
    pub(crate) fn typed(&self, node: Node, kind: &Expression, scope: &Scope) -> Node {
        self.charge(size(&node));
        let span = node.span;
        let value = match (kind, node.value) {
            (_, value @ (Value::Null | Value::Unknown)) => value,
            (Expression::Variable(name), value) => as_scalar(name.as_str(), value),
            (Expression::Parenthesis(it), value) => {
                return self.typed(Node { span, value }, it.inner(), scope);
            }
            (Expression::FuncCall(it), Value::Object(members)) => {
                Value::Object(self.typed_members(members, it, scope))
            }
            (Expression::FuncCall(it), Value::Array(items)) => {
                Value::Array(self.typed_items(items, it, scope))
            }
            (_, value) => value,
        };
        Node { span, value }
    }

    fn typed_members(&self, members: Vec<Member>, kind: &FuncCall, scope: &Scope) -> Vec<Member> {
        match (kind.name.name.as_str(), kind.args.get(0)) {
            ("map", Some(of)) => {
                let typed = |it: Member| Member { value: self.typed(it.value, of, scope), ..it };
                members.into_iter().map(typed).collect()
            }
            ("object", Some(Expression::Object(of))) => {
                let attributes = of.iter().filter_map(|(key, it)| Some((name(key)?, it.expr())));
                let typed = attributes.filter_map(|(key, kind)| {
                    let found = members.iter().find(|it| it.key == key).cloned();
                    let Some((kind, default)) = optional(kind) else {
                        let it = found?;
                        return Some(Member { value: self.typed(it.value, kind, scope), ..it });
                    };
                    let it = found.filter(|it| it.value.value != Value::Null);
                    let span = it.as_ref().map_or_else(|| scope.span(kind), |it| it.span);
                    let value = match (it, default) {
                        (Some(it), _) => self.typed(it.value, kind, scope),
                        (None, Some(it)) => self.typed(self.evaluate(it, key, scope), kind, scope),
                        (None, None) => Node { span, value: Value::Null },
                    };
                    Some(Member { key: key.to_owned(), span, value })
                });
                typed.collect()
            }
            _ => members,
        }
    }

    fn typed_items(&self, items: Vec<Node>, kind: &FuncCall, scope: &Scope) -> Vec<Node> {
        match (kind.name.name.as_str(), kind.args.get(0)) {
            ("list" | "set", Some(of)) => {
                items.into_iter().map(|it| self.typed(it, of, scope)).collect()
            }
            ("tuple", Some(Expression::Array(of))) => {
                items.into_iter().zip(of).map(|(it, of)| self.typed(it, of, scope)).collect()
            }
            _ => items,
        }
    }
}

/// Returns a scalar as a value of the type with this name.
pub(crate) fn as_scalar(kind: &str, value: Value) -> Value {
    match (kind, value) {
        ("string", Value::Number(it)) => Value::Text(it),
        ("string", Value::Bool(it)) => Value::Text(it.to_string()),
        ("number", Value::Text(it)) if is_number(&it) => Value::Number(it),
        ("bool", Value::Text(it)) if it == "true" => Value::Bool(true),
        ("bool", Value::Text(it)) if it == "false" => Value::Bool(false),
        (_, value) => value,
    }
}

/// Returns `true` if a text is a number as JSON has it.
pub(crate) fn is_number(text: &str) -> bool {
    let is_part = |it: char| it.is_ascii_digit() || "+-.eE".contains(it);
    text.chars().all(is_part)
        && text.starts_with(|it: char| it.is_ascii_digit() || it == '-')
        && text.ends_with(|it: char| it.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

/// Returns the type and the default of an attribute that may be left out.
fn optional(kind: &Expression) -> Option<(&Expression, Option<&Expression>)> {
    let Expression::FuncCall(it) = kind else { return None };
    let kind = it.args.get(0).filter(|_| it.name.name.as_str() == "optional")?;
    Some((kind, it.args.get(1)))
}

fn name(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(it) => Some(it.as_str()),
        ObjectKey::Expression(it) => it.as_str(),
    }
}
