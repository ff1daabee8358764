//! The output at the terminal.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The maximum width of a line in columns.
pub(crate) const WIDTH: usize = 100;

/// The additional indentation of a line that continues another one.
const HANGING: usize = 2;

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

    /// Shows lines, and wraps those that are too wide between words.
    pub(crate) fn line(&self, text: &str) {
        let lines: Vec<_> = text.split('\n').map(wrapped).collect();
        self.whole(&lines.join("\n"));
    }

    /// Shows a text unchanged, such as a command to copy.
    pub(crate) fn whole(&self, text: &str) {
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

/// Returns the line, broken between words where it is wider than [`WIDTH`]. A word that is wider
/// stays whole.
fn wrapped(line: &str) -> String {
    let indentation = line.len() - line.trim_start_matches(' ').len();
    let hanging = " ".repeat(indentation + HANGING);
    let (mut lines, mut current, mut has_word) = (Vec::new(), String::new(), false);
    for (index, word) in line.split(' ').enumerate() {
        if has_word && width(&current) + 1 + width(word) > WIDTH {
            lines.push(std::mem::replace(&mut current, format!("{hanging}{word}")));
            continue;
        }
        if index > 0 {
            current.push(' ');
        }
        current.push_str(word);
        has_word |= !word.is_empty();
    }
    lines.push(current);
    lines.join("\n")
}

/// Returns the number of columns of a text without its colours.
fn width(text: &str) -> usize {
    let mut is_colour = false;
    let shown = text.chars().filter(|it| match it {
        '\u{1b}' => {
            is_colour = true;
            false
        }
        'm' if is_colour => {
            is_colour = false;
            false
        }
        _ => !is_colour,
    });
    shown.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_line_is_broken_between_words_and_keeps_its_indentation() {
        let line = format!("   {}", ["word"; 30].join(" "));
        let broken = wrapped(&line);
        let lines: Vec<_> = broken.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|it| width(it) <= WIDTH), "{broken}");
        assert!(lines.last().is_some_and(|it| it.starts_with("     word")), "{broken}");
    }

    #[test]
    fn a_line_that_fits_and_a_long_word_stay_as_they_are() {
        let fits = format!("{:<24} AttachPolicy", "");
        assert_eq!(wrapped(&fits), fits);
        let long = "x".repeat(2 * WIDTH);
        assert_eq!(wrapped(&format!("   {long}")), format!("   {long}"));
        assert_eq!(wrapped(""), "");
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(width("\u{1b}[32m✓\u{1b}[0m done"), 6);
    }
}
