//! Patterns of IAM policies: `*` stands for any text and `?` for any one character.

use crate::arn::Arn;

/// Returns `true` if `text` matches `pattern`.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // The place to resume if the text after the last star was not found.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(it) if *it == b'?' || Some(it) == text.get(seen) => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, from)) = star else { return false };
                star = Some((place, from + 1));
                at = place + 1;
                seen = from + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|it| *it == b'*')
}

/// Returns `true` if `arn` matches `pattern` part by part: a star does not match across a colon
/// before the last part.
pub fn is_arn_like(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    match (Arn::parse(pattern), Arn::parse(arn)) {
        (Ok(pattern), Ok(arn)) => {
            is_like(pattern.partition, arn.partition)
                && is_like(pattern.service, arn.service)
                && is_like(pattern.region, arn.region)
                && is_like(pattern.account, arn.account)
                && is_like(pattern.resource, arn.resource)
        }
        (Err(_), Err(_)) => is_like(pattern, arn),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition of a pattern, without regard to its cost.
    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], []) => fits(rest, text),
            ([b'*', rest @ ..], [_, others @ ..]) => fits(rest, text) || fits(pattern, others),
            ([b'?', rest @ ..], [_, others @ ..]) => fits(rest, others),
            ([one, rest @ ..], [other, others @ ..]) => one == other && fits(rest, others),
            ([_, ..], []) => false,
        }
    }

    proptest! {
        #[test]
        fn a_text_matches_as_the_definition_says(pattern in "[ab?*]{0,6}", text in "[ab]{0,6}") {
            let expected = fits(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(is_like(&pattern, &text), expected);
        }
    }

    #[test]
    fn stars_and_question_marks_stand_for_text() {
        let fits = |pattern: &str, text: &str| is_like(pattern, text);
        assert!(fits("*", "") && fits("a*c", "abbc") && fits("a?c", "abc") && fits("*b*", "abc"));
        assert!(fits("a*b*c", "a-b-b-c") && fits("policy/*", "policy/o-1/p-1"));
        assert!(!fits("a*c", "abd") && !fits("a?c", "ac") && !fits("", "a") && !fits("a", "ab"));
    }

    #[test]
    fn a_star_reaches_beyond_a_colon_in_the_last_part_only() {
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:daily";
        assert!(is_arn_like("*", vault));
        assert!(is_arn_like("arn:*:backup:*:444455556666:*", vault));
        assert!(!is_arn_like("arn:aws:backup:*:backup-vault:daily", vault));
        assert!(!is_arn_like("arn:aws:backup:*:555566667777:*", vault));
    }

    #[test]
    fn every_part_of_an_arn_has_to_match() {
        let parts = ["aws", "backup", "eu-west-1", "444455556666", "backup-vault:daily"];
        let vault = format!("arn:{}", parts.join(":"));
        for part in parts {
            assert!(is_arn_like(&vault.replace(part, "*"), &vault), "{part}");
            assert!(!is_arn_like(&vault.replace(part, "other"), &vault), "{part}");
        }
        assert!(is_arn_like("back*", "backup") && !is_arn_like("back*", &vault));
        assert!(!is_arn_like(&vault, "backup"));
    }
}
