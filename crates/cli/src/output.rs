//! Writes the output of the command: results to standard output, and notes to standard error.
//!
//! This is the only place that writes to either, and everything passes through a writer of [`media`].

use std::io::{self, IsTerminal as _, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use media::workflow::{self, Annotation};
use media::{csv, json};
use policy::{Finding, Severity};
use serde_json::Value;

use crate::CommandError;

/// The length of the longest line of which an excerpt is shown.
const LONGEST_LINE: usize = 2_000;

/// The width of a terminal that does not report its width.
const WIDTH: u16 = 100;

/// Standard output, with colours if the user wants them.
pub(crate) struct Output {
    stream: anstream::AutoStream<io::StdoutLock<'static>>,
    renderer: Option<Renderer>,
    /// The width of the terminal, if the output is one.
    width: Option<u16>,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        // A pipe gets one line for each finding. Excerpts are for people.
        let width = stdout.is_terminal().then(|| {
            let size = terminal_size::terminal_size_of(&stdout);
            size.map_or(WIDTH, |(width, _)| width.0)
        });
        let renderer = width.map(|it| Renderer::styled().term_width(usize::from(it)));
        Self { stream: anstream::AutoStream::auto(stdout.lock()), renderer, width }
    }

    /// Returns the width of the terminal, or `None` if the output is not one.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), CommandError> {
        self.write(&media::line(line))
    }

    /// Prints the lines of a text that was laid out here. Each of its parts has passed
    /// [`media::line`].
    pub(crate) fn layout(&mut self, text: &str) -> Result<(), CommandError> {
        text.lines().try_for_each(|it| self.write(&media::laid_out(it)))
    }

    /// Prints JSON, on as many lines as it needs.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), CommandError> {
        self.write(&json::pretty(value))
    }

    /// Prints an item of a JSON array. `is_first` says if it is the first one.
    pub(crate) fn item(&mut self, is_first: bool, item: &Value) -> Result<(), CommandError> {
        self.write(if is_first { "[" } else { "," })?;
        self.json(item)
    }

    /// Ends a JSON array. `is_empty` says if it has no items.
    pub(crate) fn items_end(&mut self, is_empty: bool) -> Result<(), CommandError> {
        self.write(if is_empty { "[]" } else { "]" })
    }

    /// Prints one row of CSV.
    pub(crate) fn row<S: AsRef<str>>(
        &mut self,
        fields: impl IntoIterator<Item = S>,
    ) -> Result<(), CommandError> {
        self.write(&csv::row(fields))
    }

    /// Prints a text as it is. No part of it comes from elsewhere.
    pub(crate) fn own(&mut self, text: &str) -> Result<(), CommandError> {
        self.write(text.trim_end())
    }

    /// Prints one line of fields with tabs between them, none of which has a tab in it.
    pub(crate) fn tabbed(
        &mut self,
        fields: impl Iterator<Item = String>,
    ) -> Result<(), CommandError> {
        self.write(&csv::tabbed(fields))
    }

    /// Prints `FILE: PATH: what is wrong`, and on a terminal the place with a caret under it.
    pub(crate) fn finding(
        &mut self,
        file: &str,
        text: &str,
        finding: &Finding,
    ) -> Result<(), CommandError> {
        self.line(&line(file, finding))?;
        let excerpt = excerpt(text, finding).zip(self.renderer.as_ref());
        let shown = excerpt.map(|(excerpt, it)| render(file, &excerpt, finding, it));
        shown.map_or(Ok(()), |it| self.write(&it))
    }

    /// Prints the finding as a workflow command, from which GitHub makes an annotation.
    pub(crate) fn annotation(&mut self, file: &str, finding: &Finding) -> Result<(), CommandError> {
        let message = format!("{}: {}", path(finding), finding.message);
        let (file, level) = (Some(file), level(finding.severity));
        let Finding { line, column, .. } = *finding;
        self.write(&Annotation { level, file, line, column, message: &message }.command())
    }

    /// Prints a message that is not about a file as a workflow command.
    pub(crate) fn remark(&mut self, severity: Severity, message: &str) -> Result<(), CommandError> {
        let remark = Annotation { level: level(severity), file: None, line: 0, column: 0, message };
        self.write(&remark.command())
    }

    pub(crate) fn flush(&mut self) -> Result<(), CommandError> {
        written(self.stream.flush())
    }

    /// Writes the text of a writer, and nothing else.
    fn write(&mut self, text: &str) -> Result<(), CommandError> {
        written(writeln!(self.stream, "{text}"))
    }
}

/// Handles the result of writing. A reader who closes the pipe has seen enough. The findings stay
/// the same, and the exit code reports them.
fn written(result: io::Result<()>) -> Result<(), CommandError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(CommandError::Output),
    }
}

/// Prints a note to standard error. Nothing can be done if that fails.
pub(crate) fn note(kind: &str, message: &str) {
    let note = format!("{kind}: {message}");
    let _ = writeln!(anstream::stderr(), "{}", media::line(&note));
}

/// Prints a detail of the note before it.
pub(crate) fn detail(message: &str) {
    let _ = writeln!(anstream::stderr(), "  {}", media::line(message));
}

fn level(severity: Severity) -> workflow::Level {
    match severity {
        Severity::Error => workflow::Level::Error,
        Severity::Warning => workflow::Level::Warning,
    }
}

/// Returns the finding on one line.
pub(crate) fn line(file: &str, finding: &Finding) -> String {
    let Finding { severity, line, column, message, .. } = finding;
    let warning = if *severity == Severity::Warning { "warning: " } else { "" };
    let place = if *line > 0 { format!(" (line {line}, column {column})") } else { String::new() };
    format!("{file}: {}: {warning}{message}{place}", path(finding))
}

fn path(finding: &Finding) -> &str {
    if finding.path.is_empty() { "(document)" } else { &finding.path }
}

/// The line of a finding and the one before it, as they are shown.
#[derive(Debug, Eq, PartialEq)]
struct Excerpt {
    text: String,
    first_line: usize,
    start: usize,
    end: usize,
}

fn excerpt(text: &str, finding: &Finding) -> Option<Excerpt> {
    let (start, end) = (finding.span.start as usize, finding.span.end as usize);
    let before = text.get(..start)?;
    let line = before.rfind('\n').map_or(0, |it| it + 1);
    let above = text.get(..line.saturating_sub(1))?.rfind('\n').map_or(0, |it| it + 1);
    let stop = text.get(start..)?.find('\n').map_or(text.len(), |it| start + it);
    text.get(above..stop).filter(|it| it.len() <= LONGEST_LINE && !it.is_empty())?;
    let first_line = finding.line as usize - usize::from(above < line);
    let end = end.clamp(start, stop);
    let part = |from: usize, to: usize| text.get(from..to).map(shown);
    let (before, marked, after) = (part(above, start)?, part(start, end)?, part(end, stop)?);
    let (start, end) = (before.len(), before.len() + marked.len());
    Some(Excerpt { text: before + &marked + &after, first_line, start, end })
}

/// Returns a part of a document as it is shown, with the line ends of the document.
fn shown(part: &str) -> String {
    let lines = part.split('\n').map(|it| it.trim_end_matches('\r').replace('\t', "    "));
    lines.map(|it| media::line(&it).into_owned()).collect::<Vec<_>>().join("\n")
}

fn render(file: &str, excerpt: &Excerpt, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let place = AnnotationKind::Primary.span(excerpt.start..excerpt.end);
    let (file, text) = (media::line(file), excerpt.text.as_str());
    let snippet = Snippet::source(text).path(file).line_start(excerpt.first_line);
    let title = level.primary_title(finding.code.as_str());
    renderer.render(&[title.element(snippet.annotation(place))])
}

#[cfg(test)]
mod tests {
    use policy::{Code, Span};

    use super::*;

    #[test]
    fn an_excerpt_marks_what_is_shown_of_a_place_and_says_nothing_else() {
        let text = "{\r\n\t\"a\u{1b}[2J\": 1,\r\n::error::\u{202e}x\"b\u{9b}\": 2 }";
        let start = text.find("\"b").unwrap();
        let span = |at: usize| u32::try_from(at).unwrap();
        let finding = Finding {
            severity: Severity::Error,
            code: Code::UnknownKey,
            path: String::new(),
            span: Span { start: span(start), end: span(start + 5) },
            line: 3,
            column: 1,
            message: String::new(),
        };
        let found = excerpt(text, &finding).unwrap();
        assert_eq!(
            found.text,
            "    \"a\\u{1b}[2J\": 1,\n\\u{3a}:error::\\u{202e}x\"b\\u{9b}\": 2 }"
        );
        assert_eq!(found.text.get(found.start..found.end), Some("\"b\\u{9b}\""));
        let shown = render("a\n::error::b", &found, &finding, &Renderer::plain());
        assert!(shown.lines().all(|it| it.chars().all(media::is_shown)), "{shown}");
        assert!(!shown.lines().any(|it| it.trim_start().starts_with("::")), "{shown}");
        assert!(shown.contains(r"a\n::error::b:3"), "{shown}");
    }
}
