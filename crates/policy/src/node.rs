//! A document as it was written: every value with its place, every key as often as it occurs.

/// A range of bytes in the text a document was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where the value stands.
    pub span: Span,
    /// The value itself.
    pub value: Value,
}

/// What a document can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was spelt: `60` and `60.0` are not the same to AWS.
    Number(String),
    /// A string.
    Text(String),
    /// A string that is known only at deployment, such as a `!Ref` in a template.
    Unknown,
    /// A list.
    Array(Vec<Node>),
    /// An object, its members in the order they were written.
    Object(Vec<Member>),
}

/// One key of an object and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The members, when this is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member]> {
        let Value::Object(members) = &self.value else { return None };
        Some(members)
    }

    /// The value of `key`, compared as AWS does: without regard to case.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let members = self.members()?;
        members.iter().find(|it| it.key.eq_ignore_ascii_case(key)).map(|it| &it.value)
    }

    /// The value of `key`, compared as a template of CloudFormation has it: letter by letter.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.members()?.iter().find(|it| it.key == key).map(|it| &it.value)
    }

    /// The string AWS makes of a scalar; `None` for lists, objects and strings not yet known.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Null => Some("null"),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) | Value::Text(text) => Some(text),
            Value::Unknown | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Whether this is a single value, known or not.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::Array(_) | Value::Object(_))
    }

    /// The document as JSON without white space, which is what is sent to AWS.
    ///
    /// A string that is not yet known is written as an empty one.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        write(self, &mut text);
        text
    }
}

fn write(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(text) => out.push_str(text),
        Value::Text(text) => quote(text, out),
        Value::Unknown => quote("", out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, member) in members.iter().enumerate() {
                separate(index, out);
                quote(&member.key, out);
                out.push(':');
                write(&member.value, out);
            }
            out.push('}');
        }
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn quote(text: &str, out: &mut String) {
    use std::fmt::Write as _;

    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            it if it < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(it));
            }
            it => out.push(it),
        }
    }
    out.push('"');
}
