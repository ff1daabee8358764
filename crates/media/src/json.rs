//! JSON. It escapes unshown characters in its own notation, so that programs read the original
//! value.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use crate::plain::is_shown;

/// Returns the value on one line, without a line end.
///
/// # Panics
///
/// Panics if a key is not a string, which is a bug of this program.
pub fn compact(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string(value).expect("keys are strings")).into_owned()
}

/// Returns the value on several lines, without a line end.
///
/// # Panics
///
/// Panics if a key is not a string, which is a bug of this program.
pub fn pretty(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(value).expect("keys are strings")).into_owned()
}

/// Escapes all unshown characters in JSON text from elsewhere. Line ends stay: they can only be
/// between values, because JSON already escapes them in strings.
pub fn escaped(json: &str) -> Cow<'_, str> {
    let is_fine = |it: char| is_shown(it) || it == '\n';
    if json.chars().all(is_fine) && !json.contains("##") {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 16);
    for it in json.chars() {
        if is_fine(it) && !(it == '#' && text.ends_with('#')) {
            text.push(it);
        } else {
            for unit in it.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn nothing_but_what_is_shown_is_written() {
        let value = json!({ "a\u{7f}": ["\u{202e}\n", "\u{e0041}", "##[error]"] });
        assert_eq!(
            compact(&value),
            r##"{"a\u007f":["\u202e\n","\udb40\udc41","#\u0023[error]"]}"##
        );
        assert_eq!(pretty(&json!([1])), "[\n  1\n]");
    }

    proptest! {
        #[test]
        fn it_is_read_as_what_it_was(text in r"[\x00-\x20#\u{7f}-\u{9f}\u{2028}-\u{202e}]{0,9}|.{0,9}") {
            let value = json!({ &text: [&text] });
            for written in [compact(&value), pretty(&value)] {
                prop_assert!(written.chars().all(|it| is_shown(it) || it == '\n'));
                prop_assert_eq!(&serde_json::from_str::<Value>(&written).unwrap(), &value);
            }
        }
    }
}
