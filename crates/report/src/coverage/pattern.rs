//! Patterns with `*`, which stands for any number of characters but white space, including none.

/// Returns `true` if `text` fits `pattern` from its beginning to its end. Case matters.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The earliest place of each part leaves the most for those behind it.
    for part in middle.split('*').filter(|it| !it.is_empty()) {
        let Some((gap, behind)) = text.split_once(part) else { return false };
        if !is_one_word(gap) {
            return false;
        }
        text = behind;
    }
    text.strip_suffix(last).is_some_and(is_one_word)
}

fn is_one_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters_but_white_space() {
        for (pattern, text) in [
            ("prod", "prod"),
            ("prod*", "prod"),
            ("prod*", "production"),
            ("*rod*", "production"),
            ("*", ""),
            ("**", "x"),
            ("a*b*c", "a1b2b3c"),
            ("a*a", "aa"),
            ("*eu west*", "in-eu west-1"),
            ("arn:aws:rds:*:*:db:*", "arn:aws:rds:eu-west-1:111122223333:db:orders"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("prod", "production"),
            ("prod*", "Prod"),
            ("prod*", "prod eu"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("*x", "xy"),
            ("ab*ba", "aba"),
            ("*a*b", "x a b"),
            ("arn:aws:rds:*:*:db:*", "arn:aws:rds:eu-west-1:111122223333:cluster:orders"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
