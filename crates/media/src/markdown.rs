//! Markdown, as Slack and Teams display it.

use std::fmt::Write as _;

use crate::mail::field;

/// Returns at most `most` characters of a text for a message in a chat room.
///
/// It mentions nobody, is no link and no markup of HTML: the characters that begin such are written
/// as unshown ones are.
pub fn markdown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for it in field(text, most).chars() {
        if matches!(it, '<' | '>' | '&' | '@' | '[' | ']') {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(it));
        } else {
            shown.push(it);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_mentions_nobody_and_leads_nowhere() {
        let text = "<!channel> @here [click](https://evil.example) &lt;\n`late` \u{202e}";
        let shown = markdown(text, 1_000);
        assert_eq!(
            shown,
            r"\u{3c}!channel\u{3e} \u{40}here \u{5b}click\u{5d}(https\u{3a}//evil.example) \u{26}lt;\n`late` \u{202e}"
        );
        assert_eq!(markdown(&shown, 1_000), shown, "twice is the same");
        assert_eq!(markdown("arn:aws:ec2:eu-west-1:1:volume/a", 3), "arn…");
    }
}
