//! Prints findings for people, and notes on the way.

use std::io::{self, IsTerminal as _, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use policy::{Finding, Severity};

use crate::Failure;

/// The longest line of which an excerpt is shown.
const LONGEST_LINE: usize = 2_000;

/// How wide a terminal is taken to be that does not say so.
const WIDTH: u16 = 100;

/// Standard output, with colours where they are wanted.
pub(crate) struct Output {
    stream: anstream::AutoStream<io::StdoutLock<'static>>,
    renderer: Option<Renderer>,
    /// How wide the terminal is, if it is one.
    width: Option<u16>,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        // A pipe gets one line for each finding; excerpts are for eyes.
        let width = stdout.is_terminal().then(|| {
            let size = terminal_size::terminal_size_of(&stdout);
            size.map_or(WIDTH, |(width, _)| width.0)
        });
        let renderer = width.map(|it| Renderer::styled().term_width(usize::from(it)));
        Self { stream: anstream::AutoStream::auto(stdout.lock()), renderer, width }
    }

    /// How wide the terminal is; `None` where it is none.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Prints text that has its own line ends.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        write!(self.stream, "{text}").map_err(Failure::Output)
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.stream, "{line}").map_err(Failure::Output)
    }

    /// Prints `FILE: PATH: what is wrong`, and on a terminal the place with a caret under it.
    pub(crate) fn finding(
        &mut self,
        file: &str,
        text: &str,
        finding: &Finding,
    ) -> Result<(), Failure> {
        self.line(&line(file, finding))?;
        let excerpt = excerpt(text, finding).zip(self.renderer.as_ref());
        if let Some((excerpt, renderer)) = excerpt {
            let shown = render(file, &excerpt, finding, renderer);
            self.line(&shown)?;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().map_err(Failure::Output)
    }
}

/// Prints a note to standard error; there is nothing to be done when that fails.
pub(crate) fn note(kind: &str, message: &str) {
    let _ = writeln!(anstream::stderr(), "{kind}: {message}");
}

/// The finding on one line.
pub(crate) fn line(file: &str, finding: &Finding) -> String {
    let Finding { severity, path, line, column, message, .. } = finding;
    let path = if path.is_empty() { "(document)" } else { path };
    let warning = if *severity == Severity::Warning { "warning: " } else { "" };
    let place = if *line > 0 { format!(" (line {line}, column {column})") } else { String::new() };
    format!("{file}: {path}: {warning}{message}{place}")
}

/// The line of a finding and the one before it.
struct Excerpt<'a> {
    text: &'a str,
    first_line: usize,
    start: usize,
    end: usize,
}

fn excerpt<'a>(text: &'a str, finding: &Finding) -> Option<Excerpt<'a>> {
    let (start, end) = (finding.span.start as usize, finding.span.end as usize);
    let before = text.get(..start)?;
    let line = before.rfind('\n').map_or(0, |it| it + 1);
    let above = text.get(..line.saturating_sub(1))?.rfind('\n').map_or(0, |it| it + 1);
    let stop = text.get(start..)?.find('\n').map_or(text.len(), |it| start + it);
    let shown = text.get(above..stop).filter(|it| it.len() <= LONGEST_LINE && !it.is_empty())?;
    let first_line = finding.line as usize - usize::from(above < line);
    let end = end.clamp(start, stop);
    Some(Excerpt { text: shown, first_line, start: start - above, end: end - above })
}

fn render(file: &str, excerpt: &Excerpt<'_>, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let place = AnnotationKind::Primary.span(excerpt.start..excerpt.end);
    let snippet = Snippet::source(excerpt.text).path(file).line_start(excerpt.first_line);
    let title = level.primary_title(finding.code.as_str());
    renderer.render(&[title.element(snippet.annotation(place))])
}
