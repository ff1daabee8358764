//! A strict JSON parser that keeps places and repeated keys.
//!
//! The available crates either drop repeated keys and places (`serde_json`) or accept text that AWS
//! refuses (`jsonc-parser` accepts control characters and foreign white space). This is therefore
//! our own parser: one pass, no backtracking, bounded depth and size. A property test compares it
//! with `serde_json`.

use std::collections::HashSet;

use super::code::Code;
use super::finding::{Finding, Findings, Path};
use super::node::{Member, Node, Span, Value};

/// The longest text that is read. A policy has at most 10,000 characters, a template 1 MB.
pub const MAX_BYTES: usize = 4 << 20;

/// The deepest nesting of lists and objects. A policy needs 9 levels, a template around it a few
/// more.
pub const MAX_DEPTH: usize = 64;

/// Reads one JSON document.
///
/// A repeated key is a finding, but the document is still returned, so that all other errors can be
/// reported in the same run. `None` means that the text is not JSON, or is too long or too deep to
/// be a policy.
#[must_use]
pub fn read(text: &str) -> (Option<Node>, Vec<Finding>) {
    let mut findings = Findings::default();
    if text.len() > MAX_BYTES {
        let message = format!(
            "the text has more than {MAX_BYTES} bytes and is not read; a backup policy has at most \
             10,000 characters"
        );
        findings.error(Code::TooLarge, &Path::Top, Span::default(), message);
        return (None, findings.into_vec());
    }
    let mut reader = Reader { text, at: 0, findings };
    let node = match reader.document() {
        Ok(node) => Some(node),
        Err(Stop { code, at, message }) => {
            let end = text.get(at..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
            let span = span(at, at + end);
            reader.findings.error(code, &Path::Top, span, message);
            None
        }
    };
    let mut findings = reader.findings.into_vec();
    super::finding::locate(text, &mut findings);
    (node, findings)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    findings: Findings,
}

/// The reason why reading stopped.
struct Stop {
    code: Code,
    at: usize,
    message: String,
}

type Read<T> = Result<T, Stop>;

impl Reader<'_> {
    fn document(&mut self) -> Read<Node> {
        self.blank();
        if self.peek().is_none() {
            return self.stop("the document is empty");
        }
        let node = self.value(&Path::Top, 0)?;
        self.blank();
        match self.peek() {
            None => Ok(node),
            Some(_) => self.stop(format!("{} after the end of the document", self.here())),
        }
    }

    fn value(&mut self, path: &Path<'_>, depth: usize) -> Read<Node> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                let message = format!("nested more than {MAX_DEPTH} levels deep");
                return Err(Stop { code: Code::TooDeep, at: self.at, message });
            }
            Some(b'{') => self.object(path, depth)?,
            Some(b'[') => self.array(path, depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return self.stop(format!("expected a value, found {}", self.here())),
        };
        Ok(Node { span: span(start, self.at), value })
    }

    fn object(&mut self, path: &Path<'_>, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        let mut seen = Keys::default();
        self.blank();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return self.stop(format!("expected a key in quotes, found {}", self.here()));
            }
            let start = self.at;
            let key = self.string()?;
            let place = span(start, self.at);
            if !seen.is_new(&members, &key) {
                let message =
                    format!("the key `{key}` is given twice here; AWS refuses the whole document");
                self.findings.error(Code::DuplicateKey, &path.key(&key), place, message);
            }
            self.blank();
            if !self.take(b':') {
                return self.stop(format!("expected `:` after the key, found {}", self.here()));
            }
            self.blank();
            let value = self.value(&path.key(&key), depth + 1)?;
            members.push(Member { key, span: place, value });
            self.blank();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return self.stop(format!("expected `,` or `}}`, found {}", self.here()));
            }
        }
    }

    fn array(&mut self, path: &Path<'_>, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.blank();
            items.push(self.value(&path.index(items.len()), depth + 1)?);
            self.blank();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return self.stop(format!("expected `,` or `]`, found {}", self.here()));
            }
        }
    }

    fn string(&mut self) -> Read<String> {
        let opening = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|it| matches!(it, b'"' | b'\\' | 0..=0x1f));
            let Some(plain) = plain else {
                let message = "this string has no closing quote".to_owned();
                return Err(Stop { code: Code::Syntax, at: opening, message });
            };
            text.push_str(self.text.get(self.at..self.at + plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return self.stop("a line break or control character inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(it @ (b'"' | b'\\' | b'/')) => char::from(it),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                self.at = start;
                return self.stop("not an escape that JSON knows");
            }
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self, start: usize) -> Read<char> {
        let first = self.hex(start)?;
        let code = match first {
            0xd800..=0xdbff if self.peek() == Some(b'\\') => {
                self.at += 1;
                let second = if self.peek() == Some(b'u') { self.hex(start)? } else { 0 };
                match second {
                    0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => first,
                }
            }
            _ => first,
        };
        char::from_u32(code).ok_or(Stop {
            code: Code::Syntax,
            at: start,
            message: "half of a surrogate pair, which is not a character".to_owned(),
        })
    }

    /// Reads `uXXXX`, starting at the `u`.
    fn hex(&mut self, start: usize) -> Read<u32> {
        self.at += 1;
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            let Some(value) = char::from(*digit).to_digit(16) else { break };
            code = code * 16 + value;
            self.at += 1;
        }
        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            self.at = start;
            return self.stop("expected four hexadecimal digits after `\\u`");
        }
        Ok(code)
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return self.stop(format!("expected a digit, found {}", self.here()));
        }
        if self.take(b'.') && self.digits() == 0 {
            return self.stop(format!("expected a digit, found {}", self.here()));
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return self.stop(format!("expected a digit, found {}", self.here()));
            }
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return self.stop(format!("expected a value, found {}", self.here()));
        }
        self.at += word.len();
        Ok(value)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Returns a description of the current character, for a message.
    fn here(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_owned(),
            Some('`') => "a backtick".to_owned(),
            Some(it) if it.is_control() || it.is_whitespace() => {
                format!("the character U+{:04X}", u32::from(it))
            }
            Some(it) => format!("`{it}`"),
        }
    }

    fn stop<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Stop { code: Code::Syntax, at: self.at, message: message.into() })
    }
}

/// The keys of one object. A few keys are compared one by one, many are hashed.
#[derive(Default)]
struct Keys(HashSet<String>);

impl Keys {
    fn is_new(&mut self, members: &[Member], key: &str) -> bool {
        const FEW: usize = 16;
        if members.len() < FEW {
            return !members.iter().any(|it| it.key == key);
        }
        if self.0.is_empty() {
            self.0.extend(members.iter().map(|it| it.key.clone()));
        }
        self.0.insert(key.to_owned())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "texts over `MAX_BYTES` are not read")]
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}
