//! Workflow commands, which GitHub makes annotations of.

use crate::plain::line;

/// What an annotation says of its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// It is wrong.
    Error,
    /// It may be wrong.
    Warning,
}

/// An annotation, of a place in a file where there is one.
#[derive(Clone, Debug)]
pub struct Annotation<'a> {
    /// What it says of its place.
    pub level: Level,
    /// The path of the file in the repository.
    pub file: Option<&'a str>,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What it says.
    pub message: &'a str,
}

impl Annotation<'_> {
    /// The command on one line, without its end.
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
    // What would be `%0D` and `%0A` was written out, so that no annotation has a line of its own.
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
