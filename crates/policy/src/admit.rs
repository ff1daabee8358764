//! The rules that Organizations applies to a single policy before it accepts it.

use std::time::SystemTime;

use super::code::Code;
use super::finding::{Findings, Path};
use super::nearest::nearest;
use super::node::{Member, Node, Value};
use super::operator::{Allowed, Keyword, Operator, keyword};
use super::rules::{self, is_variable};
use super::schema::{Empty, POLICY, Shape};
use super::values;

/// Reports everything that makes Organizations refuse the document.
pub(super) fn admit(document: &Node, now: SystemTime, findings: &mut Findings) {
    Walk { now, findings }.place(document, &POLICY, &Path::Top);
    rules::plans(document, now, findings);
}

/// The walk along the table of keys.
struct Walk<'a> {
    now: SystemTime,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn place(&mut self, node: &Node, shape: &'static Shape, path: &Path<'_>) {
        if matches!(node.value, Value::Unknown) || self.findings.is_full() {
            return;
        }
        let Some(members) = node.members() else {
            return self.not_an_object(node, shape, path);
        };
        match shape {
            Shape::One(_) | Shape::Schedule | Shape::Many(..) => self.leaf(members, shape, path),
            Shape::Fields(_) | Shape::Named(..) => self.container(node, members, shape, path),
        }
    }

    fn not_an_object(&mut self, node: &Node, shape: &Shape, path: &Path<'_>) {
        let message = match shape {
            Shape::One(_) | Shape::Schedule => {
                let value = node.scalar().unwrap_or("VALUE");
                format!("a value needs an operator; write `{{\"@@assign\": \"{value}\"}}`")
            }
            Shape::Many(..) => "a list needs an operator; write `{\"@@assign\": [...]}`".to_owned(),
            Shape::Fields(_) | Shape::Named(..) => "expected an object".to_owned(),
        };
        self.findings.error(Code::NoOperator, path, node.span, message);
    }

    fn container(
        &mut self,
        node: &Node,
        members: &[Member],
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        for Member { key, span, value } in members {
            let inner = path.key(key);
            match keyword(key) {
                Some(Keyword::Control) => self.control(value, &inner),
                // AWS was observed to accept any value here that is not an object.
                Some(Keyword::Operator(_))
                    if matches!(path, Path::Top) && value.members().is_none() =>
                {
                    let message =
                        format!("AWS accepts `{key}` beside `plans`, and it has no effect");
                    self.findings.warning(Code::OperatorWithoutEffect, &inner, *span, message);
                }
                Some(Keyword::Operator(_)) => {
                    let message = format!(
                        "`{key}` cannot stand here, where more keys are expected; put it on the \
                         values below"
                    );
                    self.findings.error(Code::MisplacedOperator, &inner, *span, message);
                }
                Some(Keyword::Unknown) => self.unknown_operator((key, *span), &inner),
                None => self.child((key, *span), value, shape, &inner),
            }
        }
        if let Shape::Fields(fields) = shape {
            for field in fields.iter().filter(|it| it.required && node.get(it.name).is_none()) {
                let message = format!("`{}` is missing", field.name);
                self.findings.error(Code::MissingKey, path, node.span, message);
            }
        }
    }

    fn child(
        &mut self,
        (key, span): (&str, super::Span),
        value: &Node,
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        if self.findings.is_full() {
            return;
        }
        let Some((canonical, inner)) = shape.child(key) else {
            let names = shape.names();
            let hint = match nearest(key, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("AWS knows `{}`", names.join("`, `")),
            };
            let message = format!("AWS does not know the key `{key}` here; {hint}");
            self.findings.error(Code::UnknownKey, path, span, message);
            return;
        };
        if let Shape::Named(judge, _) = shape
            && !is_variable(key)
            && let Err(why) = judge(key)
        {
            self.findings.error(Code::InvalidName, path, span, why);
        }
        if let Some(name) = canonical.filter(|it| *it != key) {
            let message = format!("AWS spells this key `{name}`");
            self.findings.warning(Code::KeyCase, path, span, message);
        }
        self.place(value, inner, path);
    }

    fn leaf(&mut self, members: &[Member], shape: &'static Shape, path: &Path<'_>) {
        for Member { key, span, value } in members {
            let inner = path.key(key);
            match keyword(key) {
                Some(Keyword::Control) => self.control(value, &inner),
                Some(Keyword::Operator(operator)) => self.operand(value, operator, shape, &inner),
                Some(Keyword::Unknown) => self.unknown_operator((key, *span), &inner),
                None => {
                    let message = format!(
                        "`{key}` cannot stand here; a value takes only keys that start with `@@`"
                    );
                    self.findings.error(Code::UnknownKey, &inner, *span, message);
                }
            }
        }
    }

    fn operand(
        &mut self,
        value: &Node,
        operator: Operator,
        shape: &'static Shape,
        path: &Path<'_>,
    ) {
        match shape {
            Shape::One(_) | Shape::Schedule if operator != Operator::Assign => {
                let message = format!("`{operator}` is for lists; one value takes only `@@assign`");
                self.findings.error(Code::OperatorNotAllowed, path, value.span, message);
            }
            Shape::One(judge) => self.one(value, judge, path),
            Shape::Schedule => {
                let now = self.now;
                self.one(value, |text| values::schedule(text, now), path);
            }
            Shape::Many(judge, empty) => match &value.value {
                Value::Array(items) => {
                    if items.is_empty() && *empty == Empty::Refused {
                        let message = "AWS does not accept an empty list here";
                        self.findings.error(Code::EmptyList, path, value.span, message);
                    }
                    for (index, item) in items.iter().enumerate() {
                        let path = path.index(index);
                        if item.is_scalar() {
                            self.value(item, judge, &path);
                        } else {
                            let message = "expected a value in the list, not a list or an object";
                            self.findings.error(Code::NotAScalar, &path, item.span, message);
                        }
                    }
                }
                // A template parameter can be a whole list.
                Value::Unknown => {}
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Object(_) => {
                    let message = "expected a list, even for one value: `[...]`";
                    self.findings.error(Code::NotAList, path, value.span, message);
                }
            },
            Shape::Fields(_) | Shape::Named(..) => {}
        }
    }

    fn one(&mut self, value: &Node, judge: impl Fn(&str) -> Result<(), String>, path: &Path<'_>) {
        if value.is_scalar() {
            self.value(value, judge, path);
        } else {
            let message = "expected one value, not a list or an object";
            self.findings.error(Code::NotAScalar, path, value.span, message);
        }
    }

    fn value(&mut self, value: &Node, judge: impl Fn(&str) -> Result<(), String>, path: &Path<'_>) {
        let Some(text) = value.scalar() else { return };
        if is_variable(text) {
            return;
        }
        if let Err(why) = judge(text) {
            self.findings.error(Code::InvalidValue, path, value.span, why);
        }
    }

    fn control(&mut self, value: &Node, path: &Path<'_>) {
        let words = match &value.value {
            Value::Array(words) if !words.is_empty() => words,
            Value::Unknown => return,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let message =
                    "expected a list of `@@all`, `@@assign`, `@@append`, `@@remove`, or `@@none`";
                self.findings.error(Code::InvalidControl, path, value.span, message);
                return;
            }
        };
        for (index, word) in words.iter().enumerate() {
            let path = path.index(index);
            let text = word.scalar().unwrap_or_default();
            let repeated = words.iter().take(index).any(|it| it.value == word.value);
            let message = match Allowed::word(text) {
                None => format!("`{text}` is not an operator that can be allowed"),
                Some(_) if repeated => format!("`{text}` is given twice"),
                Some(Allowed::NONE) if words.len() > 1 => {
                    "`@@none` stands alone or not at all".to_owned()
                }
                Some(_) => continue,
            };
            self.findings.error(Code::InvalidControl, &path, word.span, message);
            if index >= 8 {
                // One finding is enough after all known words.
                break;
            }
        }
    }

    fn unknown_operator(&mut self, (key, span): (&str, super::Span), path: &Path<'_>) {
        let message = format!(
            "AWS does not know the operator `{key}`; it knows `@@assign`, `@@append`, `@@remove` \
             and `@@operators_allowed_for_child_policies`"
        );
        self.findings.error(Code::UnknownOperator, path, span, message);
    }
}
