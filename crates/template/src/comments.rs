//! JSON with comments, which editors and many tools accept but AWS does not.

/// Returns the text with spaces in place of comments and trailing commas, so that every other byte
/// keeps its place. Returns `None` if the text has neither.
#[must_use]
pub fn without_comments(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut has_any = false;
    let mut comma = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let end = match (byte, bytes.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at = end_of_string(&bytes, at);
                continue;
            }
            (b'/', Some(b'/')) => find(&bytes, at, b"\n"),
            (b'/', Some(b'*')) => find(&bytes, at + 2, b"*/") + 2,
            (b',', _) => {
                comma = Some(at);
                at += 1;
                continue;
            }
            (b'}' | b']', _) => {
                if let Some(last) = comma.take().and_then(|it: usize| bytes.get_mut(it)) {
                    *last = b' ';
                    has_any = true;
                }
                at += 1;
                continue;
            }
            (b' ' | b'\t' | b'\r' | b'\n', _) => {
                at += 1;
                continue;
            }
            _ => {
                comma = None;
                at += 1;
                continue;
            }
        };
        let end = end.min(bytes.len());
        for it in bytes.get_mut(at..end).unwrap_or_default().iter_mut() {
            // Line breaks are kept.
            if *it != b'\n' {
                *it = b' ';
            }
        }
        has_any = true;
        at = end;
    }
    // A comment is replaced as a whole, so no character is cut.
    if has_any { String::from_utf8(bytes).ok() } else { None }
}

/// Returns the place after the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the place of `wanted` at or after `start`, or the end.
fn find(bytes: &[u8], start: usize, wanted: &[u8]) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let found = rest.windows(wanted.len()).position(|it| it == wanted);
    found.map_or(bytes.len(), |it| start + it)
}

#[cfg(test)]
mod tests {
    use policy::json;
    use proptest::prelude::*;

    use super::without_comments;

    #[test]
    fn comments_and_last_commas_become_spaces() {
        for (text, expected) in [
            ("{} // x", "{}     "),
            ("// é\n{}", "     \n{}"),
            ("{/* a\nb */\"k\": 1,\n}", "{    \n    \"k\": 1 \n}"),
            ("[1, /* x */ ]", "[1          ]"),
            ("{\"a\": \"//\", \"b\": \"\\\"/*\"} /*", "{\"a\": \"//\", \"b\": \"\\\"/*\"}   "),
        ] {
            assert_eq!(without_comments(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "{\"a\": \"/* , ] */\"}", "[1, 2]", "/", "\""] {
            assert_eq!(without_comments(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_other_byte_stays_where_it_is(text in r#"[ "\\\\/*,\]}aé\n]{0,30}"#) {
            if let Some(without) = without_comments(&text) {
                prop_assert_eq!(without.len(), text.len());
                let same = without.bytes().zip(text.bytes()).all(|(new, old)| new == old || new == b' ');
                prop_assert!(same);
                let _ = json::read(&without);
            }
        }
    }
}
