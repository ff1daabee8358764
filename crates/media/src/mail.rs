//! Mail, as SNS sends it.

use crate::plain::line;

/// The most characters of a subject that SNS accepts.
const SUBJECT: usize = 99;

/// The most characters of a line. A longer line would push the rest of the message out of sight.
const LINE: usize = 1_000;

/// A message to people.
///
/// It is built line by line, and each given text becomes exactly one line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mail {
    subject: String,
    text: String,
}

impl Mail {
    /// Adds a line.
    pub fn line(&mut self, it: &str) {
        self.text.push_str(field(it, LINE).trim_end());
        self.text.push('\n');
    }

    /// Returns the whole message. At most 99 ASCII characters of the subject are kept, as SNS
    /// requires.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        let subject = line(subject).chars().filter(char::is_ascii).take(SUBJECT).collect();
        Self { subject, text: self.text.trim_end().to_owned() + "\n" }
    }

    /// Returns the subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Returns at most `most` characters of a text that shares a line with others.
///
/// Mail programs turn an address that names its protocol into a link. They do not do so with the
/// form that is written here.
pub fn field(text: &str, most: usize) -> String {
    let text = line(text).replace("://", "\\u{3a}//");
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_however_it_is_given_and_has_an_end() {
        let mut mail = Mail::default();
        mail.line("a\n\nCOULD NOT BE PUT BACK: https://evil.example/");
        mail.line("  b \t");
        mail.line(&"x".repeat(2_000));
        mail.line("");
        let mail = mail.about("2 put back\nBcc: größe\u{202e}");
        assert_eq!(mail.subject(), r"2 put back\nBcc: gre\u{202e}");
        let lines: Vec<_> = mail.text().lines().collect();
        assert_eq!(
            lines.get(..2),
            Some([r"a\n\nCOULD NOT BE PUT BACK: https\u{3a}//evil.example/", r"  b \t"].as_slice())
        );
        assert_eq!(lines.len(), 3);
        assert_eq!(lines.get(2).map(|it| it.chars().count()), Some(1_001));
        assert_eq!(Mail::default().about(&"é1".repeat(200)).subject(), "1".repeat(99));
    }

    #[test]
    fn a_field_is_cut_between_characters_and_only_if_it_is_too_long() {
        assert_eq!(field("größe", 5), "größe");
        assert_eq!(field("größe", 4), "größ…");
    }
}
