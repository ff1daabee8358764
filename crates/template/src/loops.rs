//! `Fn::ForEach`, which the transform `AWS::LanguageExtensions` writes out.

use policy::{Member, Node, Value};

use crate::evaluate::{Evaluator, NoEnvironment};
use crate::parameters::Given;
use crate::transforms;

/// The transform that writes loops out.
pub const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// What the key of a loop begins with; its name follows.
const LOOP: &str = "Fn::ForEach::";

/// How many members loops may make, so that loops in loops come to an end. CloudFormation takes 500
/// resources.
const MOST: usize = 5_000;

/// How deep loops and values may nest.
const MAX_DEPTH: usize = 64;

/// The template with its loops written out, as far as their collections are known.
///
/// A loop that is not known stays, and so does every loop where the template has no such transform.
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
    /// How many members may still be made.
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

    /// The members that a loop makes; `None` for what is none, and where its collection is not known.
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

/// The value with `item` in place of the variable `name` of a loop.
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

/// The text with `item` in place of `${name}`, and its letters and digits in place of `&{name}`.
fn replaced(text: &str, name: &str, item: &str) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let plain: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
    text.replace(&format!("${{{name}}}"), item).replace(&format!("&{{{name}}}"), &plain)
}
