//! A policy in the form used for merging: a tree of places with the operators at each.

use std::sync::Arc;

use super::code::Code;
use super::finding::{Finding, Findings, Path};
use super::node::{Member, Node, Span, Value};
use super::operator::{Allowed, Keyword, Operator, keyword};
use super::schema::{POLICY, Shape};

/// A policy that can be merged, with its keys folded and its values as strings.
///
/// It can be any document of the operator grammar. [`super::check`] tells whether AWS accepts it as
/// a *backup* policy.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(super) top: Position,
}

/// The operators of a policy at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Position {
    pub(super) control: Option<Allowed>,
    pub(super) assign: Option<Operand>,
    pub(super) append: Option<Operand>,
    pub(super) remove: Option<Operand>,
    /// The places below, sorted by key.
    pub(super) below: Vec<(Arc<str>, Position)>,
}

/// The value of an operator.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) setting: Setting,
    /// The place of the operator in the text.
    pub(super) at: u32,
}

/// The value of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// One string.
    One(Arc<str>),
    /// A list of strings.
    Many(Arc<[Arc<str>]>),
}

impl Setting {
    /// Returns the strings, for one string as well as for a list.
    #[must_use]
    pub fn values(&self) -> &[Arc<str>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl Policy {
    /// Converts a document for merging.
    ///
    /// # Errors
    ///
    /// Returns an error if the document cannot be merged: it is not an object, a value has no
    /// operator, or AWS does not know an operator or control.
    pub fn new(document: &Node) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        let top = place(document, Some(&POLICY), &Path::Top, &mut findings);
        let findings = findings.into_vec();
        if findings.is_empty() { Ok(Self { top }) } else { Err(findings) }
    }
}

fn place(
    node: &Node,
    shape: Option<&'static Shape>,
    path: &Path<'_>,
    findings: &mut Findings,
) -> Position {
    let mut place = Position::default();
    let Some(members) = node.members() else {
        let message = "expected an object; a value needs an operator, as in `{\"@@assign\": ...}`";
        findings.error(Code::NoOperator, path, node.span, message);
        return place;
    };
    for Member { key, span, value } in members {
        let inner = path.key(key);
        match keyword(key) {
            Some(Keyword::Operator(operator)) => {
                let setting = setting(value, &inner, findings);
                if matches!(path, Path::Top) {
                    // AWS accepts it next to `plans`, where it has no effect.
                    continue;
                }
                let slot = match operator {
                    Operator::Assign => &mut place.assign,
                    Operator::Append => &mut place.append,
                    Operator::Remove => &mut place.remove,
                };
                *slot = setting.map(|setting| Operand { setting, at: span.start });
            }
            Some(Keyword::Control) => place.control = Some(control(value, &inner, findings)),
            Some(Keyword::Unknown) => {
                let message = format!("AWS does not know the operator `{key}`");
                findings.error(Code::UnknownOperator, &inner, *span, message);
            }
            None => {
                let (name, shape) = match shape.and_then(|it| it.child(key)) {
                    Some((Some(name), shape)) => (Arc::from(name), Some(shape)),
                    Some((None, shape)) => (Arc::from(key.to_lowercase()), Some(shape)),
                    None => (Arc::from(key.to_lowercase()), None),
                };
                place.below.push((name, self::place(value, shape, &inner, findings)));
            }
        }
    }
    sort(&mut place.below);
    place
}

/// Sorts by key and merges the places of keys that differ only by case.
fn sort(below: &mut Vec<(Arc<str>, Position)>) {
    // The sort is stable, so the first of equal keys stays first.
    below.sort_by(|one, other| one.0.cmp(&other.0));
    below.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            join(&mut first.1, std::mem::take(&mut later.1));
        }
        same
    });
}

/// Adds `later` to `first`, as if two policies at one level contained them in this order.
fn join(first: &mut Position, later: Position) {
    first.control = match (first.control, later.control) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    };
    if first.assign.is_none() {
        first.assign = later.assign;
    }
    extend(&mut first.append, later.append);
    extend(&mut first.remove, later.remove);
    first.below.extend(later.below);
    sort(&mut first.below);
}

fn extend(first: &mut Option<Operand>, later: Option<Operand>) {
    match (first.as_mut(), later) {
        (Some(one), Some(other)) => {
            let values = one.setting.values().iter().chain(other.setting.values()).cloned();
            one.setting = Setting::Many(values.collect());
        }
        (None, Some(other)) => *first = Some(other),
        (_, None) => {}
    }
}

fn setting(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Setting> {
    let Value::Array(items) = &node.value else {
        return scalar(node, path, findings).map(Setting::One);
    };
    let values = items.iter().enumerate();
    let values = values.map(|(index, item)| scalar(item, &path.index(index), findings));
    values.collect::<Option<Vec<_>>>().map(|it| Setting::Many(it.into()))
}

fn scalar(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Arc<str>> {
    if let Some(text) = node.scalar() {
        return Some(Arc::from(text));
    }
    let message = if matches!(node.value, Value::Unknown) {
        "this value is known only at deployment, so it cannot be merged"
    } else {
        "expected a value, not a list or an object"
    };
    findings.error(Code::NotAScalar, path, node.span, message);
    None
}

fn control(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Allowed {
    let mut allowed = Allowed::NONE;
    let words =
        if let Value::Array(words) = &node.value { words } else { std::slice::from_ref(node) };
    for word in words {
        match word.scalar().and_then(Allowed::word) {
            Some(word) => allowed = allowed.or(word),
            None => unknown_word(word.span, path, findings),
        }
    }
    allowed
}

fn unknown_word(span: Span, path: &Path<'_>, findings: &mut Findings) {
    let message = "expected `@@all`, `@@assign`, `@@append`, `@@remove` or `@@none`";
    findings.error(Code::InvalidControl, path, span, message);
}
