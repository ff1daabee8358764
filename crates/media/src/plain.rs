//! One line of text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The characters that are not shown but have an effect: controls, direction marks, invisible
/// characters, and line and paragraph separators. These are the Unicode categories `Cc`, `Cf`, `Zl`
/// and `Zp`, with room for future additions to them.
const UNSHOWN: &[(char, char)] = &[
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// Returns `true` if a character is shown and has no other effect.
pub fn is_shown(it: char) -> bool {
    // Fast path: nearly all characters are in this range.
    matches!(it, ' '..='~') || !UNSHOWN.iter().any(|(first, last)| (*first..=*last).contains(&it))
}

/// Returns the text as one line, or as part of one.
///
/// Unshown characters are written as in Rust: `\n`, `\u{1b}`. Pipelines interpret a line as a
/// command if it begins with `::`, or if it has `##[` or `##vso[` anywhere. Both forms are escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    let begins = text.trim_start().starts_with("::").then(|| text.len() - text.trim_start().len());
    if begins.is_none() && !text.contains("##") && text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for (at, it) in text.char_indices() {
        match it {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ':' if begins == Some(at) => escape(&mut line, it),
            '#' if line.ends_with('#') => escape(&mut line, it),
            it if is_shown(it) => line.push(it),
            it => escape(&mut line, it),
        }
    }
    Cow::Owned(line)
}

/// Returns a line of a table whose cells were each written with [`line`] before they were wrapped.
///
/// The rest of a wrapped cell can begin a line like a command, as an ARN does that is wrapped
/// before `::`. Such a line gets a `…` in place of the space before it. The `…` marks the
/// continuation, and the text itself stays unchanged.
pub fn laid_out(text: &str) -> Cow<'_, str> {
    let rest = text.trim_start();
    let before = text.strip_suffix(rest).and_then(|it| it.strip_suffix(' '));
    match before.filter(|_| rest.starts_with("::")) {
        Some(before) => Cow::Owned(line(&format!("{before}…{rest}")).into_owned()),
        None => line(text),
    }
}

fn escape(line: &mut String, it: char) {
    // Writing to a string cannot fail.
    let _ = write!(line, "\\u{{{:x}}}", u32::from(it));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn what_unicode_calls_a_control_a_format_or_a_separator_is_not_shown() {
        let wanted = Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").unwrap();
        let missed: Vec<_> = ('\0'..=char::MAX)
            .filter(|it| is_shown(*it) && wanted.is_match(it.encode_utf8(&mut [0; 4])))
            .collect();
        assert_eq!(missed, Vec::<char>::new());
        // The others are not assigned, so that nobody has them in a name.
        let other = Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}]$").unwrap();
        let taken: Vec<_> = ('\0'..=char::MAX)
            .filter(|it| !is_shown(*it) && !other.is_match(it.encode_utf8(&mut [0; 4])))
            .collect();
        assert_eq!(taken, Vec::<char>::new());
    }

    #[test]
    fn what_is_not_shown_is_written_out() {
        for (text, written) in [
            ("größe 東京\u{3000}काम", "größe 東京\u{3000}काम"),
            ("a\r\n\tb", r"a\r\n\tb"),
            ("\u{1b}]0;x\u{7}\u{9b}31m", r"\u{1b}]0;x\u{7}\u{9b}31m"),
            ("v\u{202e}txt.exe\u{2028}", r"v\u{202e}txt.exe\u{2028}"),
            (r"C:\new", r"C:\new"),
        ] {
            assert_eq!(line(text), written);
        }
    }

    #[test]
    fn no_line_is_a_command_to_a_pipeline() {
        for (text, written) in [
            ("::error::x", r"\u{3a}:error::x"),
            (" \u{3000}::error::x", " \u{3000}\\u{3a}:error::x"),
            ("a::b", "a::b"),
            ("a ##[error]b", r"a #\u{23}[error]b"),
            ("###vso[x]", r"#\u{23}#vso[x]"),
        ] {
            assert_eq!(line(text), written);
        }
        assert!(!line("####[").contains("##"));
    }

    #[test]
    fn what_goes_on_in_a_table_is_shown_as_it_is_and_is_no_command() {
        for (text, written) in [
            (" arn:aws:iam   missing", " arn:aws:iam   missing"),
            ("   ::111122223333:role/x  ", "  …::111122223333:role/x  "),
            ("  ::error::\u{1b}x", r" …::error::\u{1b}x"),
            ("::error::x", r"\u{3a}:error::x"),
        ] {
            assert_eq!(laid_out(text), written);
            assert!(!laid_out(text).trim_start().starts_with("::"));
        }
    }

    proptest! {
        #[test]
        fn a_line_stays_one_and_is_the_same_when_it_is_written_twice(
            text in r"[\x00-\x20:#\[a\u{200b}-\u{202e}]{0,12}|.{0,12}"
        ) {
            let once = line(&text).into_owned();
            prop_assert!(once.chars().all(is_shown));
            prop_assert!(!once.trim_start().starts_with("::") && !once.contains("##"));
            prop_assert_eq!(line(&once), once.as_str());
        }
    }
}
