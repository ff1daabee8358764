//! Findings: the error in a document, its place, and the correction.

use std::fmt;

use super::code::Code;
use super::node::Span;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// AWS refuses it: Organizations at once, or AWS Backup later, when it creates the plan.
    Error,
    /// AWS accepts it, but it probably does not have the intended effect.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One error in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The severity.
    pub severity: Severity,
    /// The rule that found it.
    pub code: Code,
    /// The keys from the top of the document to the place, joined by `/`. Empty for the document.
    pub path: String,
    /// The place in the text.
    pub span: Span,
    /// The line of the place, counted from 1, or 0 if the document has no text.
    pub line: u32,
    /// The character in that line, counted from 1, or 0 if the document has no text.
    pub column: u32,
    /// The error and its correction, as one sentence.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// The keys that lead to a place, linked from the innermost outwards.
///
/// A walk extends the path on the stack. The string is only built for a finding.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Top,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    pub(super) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outer = match self {
            Path::Top => return Ok(()),
            Path::Key(outer, _) | Path::Index(outer, _) => outer,
        };
        outer.fmt(formatter)?;
        if !matches!(outer, Path::Top) {
            formatter.write_str("/")?;
        }
        match self {
            Path::Top => Ok(()),
            // A longer key is refused anyway, and repeating it for everything below it would be
            // costly.
            Path::Key(_, key) => match key.char_indices().nth(LONGEST_KEY) {
                Some((end, _)) => write!(formatter, "{}…", key.get(..end).unwrap_or_default()),
                None => formatter.write_str(key),
            },
            Path::Index(_, index) => write!(formatter, "{index}"),
        }
    }
}

/// The most characters of a key that are shown.
const LONGEST_KEY: usize = 256;

/// The most findings that are collected. Nobody reads more, so the walk can end.
const MOST: usize = 1_000;

/// The findings that are collected during a walk.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn error(
        &mut self,
        code: Code,
        path: &Path<'_>,
        span: Span,
        message: impl Into<String>,
    ) {
        self.add(Severity::Error, code, path, span, message.into());
    }

    pub(super) fn warning(
        &mut self,
        code: Code,
        path: &Path<'_>,
        span: Span,
        message: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, path, span, message.into());
    }

    fn add(
        &mut self,
        severity: Severity,
        code: Code,
        path: &Path<'_>,
        span: Span,
        message: String,
    ) {
        if self.is_full() {
            return;
        }
        let path = path.to_string();
        self.0.push(Finding { severity, code, path, span, line: 0, column: 0, message });
    }

    /// Returns `true` if no further findings are collected.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

/// Sorts `findings` by place and sets their lines and columns in `text`.
///
/// This takes one pass over the text, regardless of the number of findings.
pub fn locate(text: &str, findings: &mut [Finding]) {
    findings.sort_by_key(|it| (it.span, it.severity));
    let (mut line, mut column) = (1, 1);
    let mut characters = text.char_indices().peekable();
    for finding in findings {
        while let Some((offset, character)) = characters.peek() {
            if u32::try_from(*offset).is_ok_and(|it| it >= finding.span.start) {
                break;
            }
            if *character == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
            characters.next();
        }
        (finding.line, finding.column) = (line, column);
    }
}
