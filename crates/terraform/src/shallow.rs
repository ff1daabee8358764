//! Measures the depth of nested expressions before they are parsed.
//!
//! The parser calls itself for each bracket, operator and directive, and has no limit of its own. A
//! text that was made to exploit this would end the program.

/// The greatest depth of nested expressions.
pub(crate) const MAX_DEPTH: usize = 200;

/// The kind of text around the current position.
enum Inside {
    /// Expressions, or the body of a block.
    Code {
        /// True if the end of a line ends the expression.
        ends_with_line: bool,
    },
    /// A string in quotes.
    Quoted,
    /// A heredoc that ends with this word, or a whole text if the word is empty.
    Heredoc(Vec<u8>),
}

/// The kind of a text.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum TextKind {
    /// The body of a file.
    Body,
    /// A template, such as a file that `templatefile()` names.
    Template,
}

/// Returns `true` if the expressions of a text are nested no deeper than [`MAX_DEPTH`].
pub(crate) fn is_shallow(text: &str, kind: TextKind) -> bool {
    let level = match kind {
        TextKind::Body => Inside::Code { ends_with_line: true },
        TextKind::Template => Inside::Heredoc(Vec::new()),
    };
    let mut scan = Scan { text: text.as_bytes(), at: 0, levels: vec![(level, 1)], depth: 1 };
    while scan.at < scan.text.len() {
        if scan.depth > MAX_DEPTH {
            return false;
        }
        scan.step();
    }
    scan.depth <= MAX_DEPTH
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// The levels around the position, each with the depth of the parser in it: 1, and 1 more for
    /// each operator before the position.
    levels: Vec<(Inside, usize)>,
    /// The sum of these depths.
    depth: usize,
}

impl Scan<'_> {
    fn step(&mut self) {
        match self.levels.last().map(|it| &it.0) {
            Some(Inside::Quoted) => self.quoted(),
            Some(Inside::Heredoc(word)) => {
                let word = word.clone();
                self.heredoc(&word);
            }
            Some(Inside::Code { ends_with_line }) => {
                let ends_with_line = *ends_with_line;
                self.code(ends_with_line);
            }
            None => self.at = self.text.len(),
        }
    }

    fn code(&mut self, ends_with_line: bool) {
        let rest = self.rest();
        match rest {
            [b'#', ..] | [b'/', b'/', ..] => self.at += until(rest, b"\n"),
            [b'/', b'*', ..] => self.at += until(rest, b"*/") + 2,
            [b'"', ..] => self.push(Inside::Quoted, 1),
            [b'{', ..] => self.push(Inside::Code { ends_with_line: true }, 1),
            [b'(' | b'[', ..] => self.push(Inside::Code { ends_with_line: false }, 1),
            [b')' | b']' | b'}', ..] => self.pop(1),
            [b'<', b'<', more @ ..] if heredoc_word(more).is_some() => {
                let word = heredoc_word(more).unwrap_or_default().to_vec();
                let line = until(rest, b"\n");
                self.push(Inside::Heredoc(word), line);
            }
            [b',', ..] => self.end_of_expression(),
            [b'\n', ..] if ends_with_line => self.end_of_expression(),
            [
                b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'?',
                ..,
            ] => {
                self.deeper();
                self.at += 1;
            }
            [it, ..] if is_word(*it) => {
                let word = rest.iter().take_while(|it| is_word(**it) || **it == b'-').count();
                if rest.get(..word) == Some(b"for") {
                    // A loop continues after the end of a line.
                    if let Some((Inside::Code { ends_with_line }, _)) = self.levels.last_mut() {
                        *ends_with_line = false;
                    }
                }
                self.at += word;
            }
            _ => self.at += 1,
        }
    }

    fn quoted(&mut self) {
        match self.rest() {
            [b'\\', ..] => self.at += 2,
            [b'"', ..] => self.pop(1),
            _ => self.text(),
        }
    }

    fn heredoc(&mut self, word: &[u8]) {
        let is_line = self.at == 0 || self.text.get(self.at - 1) == Some(&b'\n');
        let rest = self.rest();
        if is_line && !word.is_empty() {
            let space = rest.iter().take_while(|it| matches!(**it, b' ' | b'\t')).count();
            if rest.get(space..).is_some_and(|it| it.starts_with(word)) {
                return self.pop(space + word.len());
            }
        }
        self.text();
    }

    /// Reads on in quotes or in a heredoc.
    fn text(&mut self) {
        match self.rest() {
            [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => self.at += 3,
            [first @ (b'$' | b'%'), b'{', ..] => {
                // The text after a directive is nested in it.
                if *first == b'%' {
                    self.deeper();
                }
                self.push(Inside::Code { ends_with_line: false }, 2);
            }
            _ => self.at += 1,
        }
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, level: Inside, length: usize) {
        self.levels.push((level, 1));
        self.depth += 1;
        self.at += length;
    }

    fn pop(&mut self, length: usize) {
        self.at += length;
        if self.levels.len() > 1
            && let Some((_, depth)) = self.levels.pop()
        {
            self.depth -= depth;
        }
    }

    fn deeper(&mut self) {
        if let Some((_, depth)) = self.levels.last_mut() {
            *depth += 1;
            self.depth += 1;
        }
    }

    fn end_of_expression(&mut self) {
        self.at += 1;
        if let Some((_, depth)) = self.levels.last_mut() {
            self.depth -= *depth - 1;
            *depth = 1;
        }
    }
}

/// Returns the word that ends a heredoc. `text` begins after its `<<`.
fn heredoc_word(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let length = text.iter().take_while(|it| is_word(**it) || **it == b'-').count();
    let (word, rest) = text.split_at_checked(length)?;
    (!word.is_empty() && matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..])).then_some(word)
}

/// Returns `true` if a byte is part of a word. Every byte of a letter beyond ASCII is.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Returns the number of bytes before `wanted`, or all of them if the text does not have it.
fn until(text: &[u8], wanted: &[u8]) -> usize {
    text.windows(wanted.len()).position(|it| it == wanted).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_deep_is_told_before_it_is_parsed() {
        let deep = |part: &str| format!("x = {}1", part.repeat(MAX_DEPTH + 1));
        for part in ["[", "(", "{a=", "!", "-", "1 +", "a ? b : ", "f(", "\"${"] {
            assert!(!is_shallow(&deep(part), TextKind::Body), "{part}");
        }
        let loops = format!("{{for k, v in x: k => {}}}", "a\n+ ".repeat(MAX_DEPTH + 1));
        assert!(!is_shallow(&format!("x = {loops}"), TextKind::Body));
        let directives = "%{ if a }".repeat(MAX_DEPTH + 1);
        assert!(!is_shallow(&directives, TextKind::Template));
        assert!(!is_shallow(&format!("x = <<EOT\n{directives}\nEOT\n"), TextKind::Body));
    }

    #[test]
    fn what_is_long_is_not_deep() {
        for text in [
            "x = 1 + 2\n".repeat(1_000),
            format!("x = [{}]", "a + b, ".repeat(1_000)),
            format!("x = {{\n{}}}", "a = !b\n".repeat(1_000)),
            format!("# {}\n", "(".repeat(1_000)),
            format!("/* {} */", "[".repeat(1_000)),
            format!("x = \"{}\"", "{ \\\" $${ ".repeat(1_000)),
            format!("x = <<-EOT\n{}\n  EOT\n", "{[(\n".repeat(1_000)),
            "x = \"${a}\"\n".repeat(1_000),
        ] {
            assert!(is_shallow(&text, TextKind::Body), "{}", text.get(..40).unwrap_or_default());
        }
        assert!(is_shallow(&"{ ${a} [".repeat(1_000), TextKind::Template));
    }
}
