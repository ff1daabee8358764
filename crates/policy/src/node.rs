//! A document as it was written, with the place of every value and with repeated keys.

/// A range of bytes in the text that a document was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// One value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The place of the value.
    pub span: Span,
    /// The value itself.
    pub value: Value,
}

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written: AWS distinguishes `60` from `60.0`.
    Number(String),
    /// A string.
    Text(String),
    /// A string that is only known at deployment, such as a `!Ref` in a template.
    Unknown,
    /// A list.
    Array(Vec<Node>),
    /// An object, with its members in written order.
    Object(Vec<Member>),
}

/// One key of an object and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// The place of the key.
    pub span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the members if this is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member]> {
        let Value::Object(members) = &self.value else { return None };
        Some(members)
    }

    /// Returns the value of `key`. Ignores case, as AWS does.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let members = self.members()?;
        members.iter().find(|it| it.key.eq_ignore_ascii_case(key)).map(|it| &it.value)
    }

    /// Returns the value of `key`. Compares the exact text, as CloudFormation templates do.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.members()?.iter().find(|it| it.key == key).map(|it| &it.value)
    }

    /// Returns the string that AWS makes of a scalar, or `None` for lists, objects and unknown
    /// strings.
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

    /// Returns `true` if this is a single value, known or not.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::Array(_) | Value::Object(_))
    }

    /// Returns the document as JSON without white space, which is the form that is sent to AWS.
    ///
    /// A string that is not known yet is written as an empty string.
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
