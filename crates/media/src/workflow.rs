//! Workflow commands, which GitHub displays as annotations.

use crate::plain::line;

/// The severity of an annotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// The annotated place is wrong.
    Error,
    /// The annotated place may be wrong.
    Warning,
}

/// An annotation, of a place in a file where there is one.
#[derive(Clone, Debug)]
pub struct Annotation<'a> {
    /// The severity.
    pub level: Level,
    /// The path of the file in the repository.
    pub file: Option<&'a str>,
    /// The line, counted from 1, or 0 if there is no line.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
    /// The text of the annotation.
    pub message: &'a str,
}

impl Annotation<'_> {
    /// Returns the command on one line, without its line end.
    pub fn command(&self) -> String {
        let Self { level, file, line, column, message } = self;
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let file = file.map(|it| format!(" file={}", property(it))).unwrap_or_default();
        let place = if *line > 0 { format!(",line={line},col={column}") } else { String::new() };
        format!("::{level}{file}{place}::{}", data(message))
    }
}

fn data(text: &str) -> String {
    // `line` has already escaped line ends, which GitHub would read as `%0D` and `%0A`, so every
    // annotation stays on one line.
    line(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_property_or_a_command() {
        let (file, message) = (Some("100%, a:b.json"), "50% of `a,b::c`\n::error::x\r");
        let annotation = Annotation { level: Level::Error, file, line: 3, column: 7, message };
        assert_eq!(
            annotation.command(),
            r"::error file=100%25%2C a%3Ab.json,line=3,col=7::50%25 of `a,b::c`\n::error::x\r"
        );
        let annotation =
            Annotation { level: Level::Warning, file: Some("a"), line: 0, ..annotation };
        assert_eq!(annotation.command(), r"::warning file=a::50%25 of `a,b::c`\n::error::x\r");
        let annotation = Annotation { file: None, ..annotation };
        assert_eq!(annotation.command(), r"::warning::50%25 of `a,b::c`\n::error::x\r");
    }
}
