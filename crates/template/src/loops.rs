//! `Fn::ForEach` loops, which the transform `AWS::LanguageExtensions` expands.

use policy::{Member, Node, Value};

use crate::evaluate::{Evaluator, NoEnvironment};
use crate::parameters::Given;
use crate::transforms;

/// The transform that expands loops.
pub const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// The prefix of the key of a loop. The name of the loop follows.
const LOOP: &str = "Fn::ForEach::";

/// The most members that loops may create, so that nested loops come to an end. CloudFormation
/// accepts 500 resources.
const MOST: usize = 5_000;

/// The deepest nesting of loops and values.
const MAX_DEPTH: usize = 64;

/// Returns the template with its loops expanded, as far as their collections are known.
///
/// A loop with an unknown collection is kept. Without that transform, all loops are kept.
#[must_use]
pub fn expand(template: &Node, given: &Given) -> Node {
    if !transforms(template).iter().any(|it| it == LANGUAGE_EXTENSIONS) {
        return template.clone();
    }
    let mut loops = Loops { template, given, left: MOST };
    loops.written_out(template, 0)
}

struct Loops<'a> {
    template: &'a Node,
    given: &'a Given,
    /// The number of members that may still be created.
    left: usize,
}

impl Loops<'_> {
    fn written_out(&mut self, node: &Node, depth: usize) -> Node {
        let value = match &node.value {
            _ if depth >= MAX_DEPTH => node.value.clone(),
            Value::Object(members) => {
                let mut all = Vec::with_capacity(members.len());
                for member in members {
                    if let Some(made) = self.made_by(member, depth) {
                        all.extend(made);
                    } else {
                        let value = self.written_out(&member.value, depth + 1);
                        all.push(Member { value, ..member.clone() });
                    }
                }
                Value::Object(all)
            }
            Value::Array(items) => {
                Value::Array(items.iter().map(|it| self.written_out(it, depth + 1)).collect())
            }
            it @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Unknown) => it.clone(),
        };
        Node { span: node.span, value }
    }

    /// Returns the members that a loop creates. Returns `None` if `member` is not a loop, or if its
    /// collection is not known.
    fn made_by(&mut self, member: &Member, depth: usize) -> Option<Vec<Member>> {
        member.key.strip_prefix(LOOP)?;
        let Value::Array(arguments) = &member.value.value else { return None };
        let [name, collection, body] = arguments.as_slice() else { return None };
        let (name, body) = (name.scalar()?, body.members()?);
        let evaluator = Evaluator::new(self.template, self.given, &NoEnvironment);
        let collection = evaluator.evaluate(collection, "")?;
        let Value::Array(items) = &collection.value else { return None };
        let items = items.iter().map(Node::scalar).collect::<Option<Vec<_>>>()?;
        self.left = self.left.checked_sub(items.len().saturating_mul(body.len()))?;
        let mut made = Vec::new();
        for item in items {
            for it in body {
                let key = replaced(&it.key, name, item);
                let value = with(&it.value, name, item);
                let one = Member { key, value, ..it.clone() };
                if let Some(inner) = self.made_by(&one, depth + 1) {
                    made.extend(inner);
                } else {
                    let value = self.written_out(&one.value, depth + 1);
                    made.push(Member { value, ..one });
                }
            }
        }
        Some(made)
    }
}

/// Returns the value with `item` in place of the variable `name` of a loop.
fn with(node: &Node, name: &str, item: &str) -> Node {
    let value = match &node.value {
        Value::Object(members) => match members.as_slice() {
            [Member { key, value, .. }] if key == "Ref" && value.scalar() == Some(name) => {
                Value::Text(item.to_owned())
            }
            _ => {
                let member = |it: &Member| Member {
                    key: replaced(&it.key, name, item),
                    value: with(&it.value, name, item),
                    ..it.clone()
                };
                Value::Object(members.iter().map(member).collect())
            }
        },
        Value::Array(items) => Value::Array(items.iter().map(|it| with(it, name, item)).collect()),
        Value::Text(text) => Value::Text(replaced(text, name, item)),
        it @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown) => it.clone(),
    };
    Node { span: node.span, value }
}

/// Returns the text with `item` in place of `${name}`, and the letters and digits of `item` in
/// place of `&{name}`.
fn replaced(text: &str, name: &str, item: &str) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let plain: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
    text.replace(&format!("${{{name}}}"), item).replace(&format!("&{{{name}}}"), &plain)
}
