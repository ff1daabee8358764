//! The output at the terminal.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Lines of text, with a moving progress indicator below them at a terminal.
#[derive(Debug)]
pub(crate) struct Screen {
    waiting: ProgressBar,
    colours: bool,
}

impl Screen {
    /// Writes to standard output, in colour unless `NO_COLOR` or a pipe asks for plain text.
    pub(crate) fn new(no_color: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let waiting = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("   {spinner:.cyan} {msg:.dim}") {
            waiting.set_style(style);
        }
        Self { waiting, colours: terminal && !no_color }
    }

    /// Begins a chapter.
    pub(crate) fn chapter(&self, number: usize, title: &str) {
        self.line(&format!("\n{}", self.bold(&format!("{number}  {title}"))));
    }

    /// Shows a claim that was checked and holds.
    pub(crate) fn so(&self, claim: &str) {
        self.line(&format!("   {} {claim}", self.paint("32", "✓")));
    }

    /// Shows one line unchanged.
    pub(crate) fn line(&self, text: &str) {
        self.waiting.suspend(|| {
            // If the other end of the pipe is closed, its reader has seen enough.
            let _ = writeln!(std::io::stdout(), "{text}");
        });
    }

    /// Shows the reason for which the demo ends here.
    pub(crate) fn complain(&self, why: &str) {
        let _ = writeln!(std::io::stderr(), "\n{} {why}", self.paint("31", "✗"));
    }

    /// Shows the event that is being waited for, until the next call or [`Screen::rest`].
    pub(crate) fn wait_for(&self, what: &str) {
        self.waiting.set_message(what.to_owned());
        self.waiting.enable_steady_tick(Duration::from_millis(80));
    }

    /// Stops waiting.
    pub(crate) fn rest(&self) {
        self.waiting.disable_steady_tick();
        self.waiting.finish_and_clear();
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
