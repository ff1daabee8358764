//! HTML, and the data of its scripts.

use serde_json::Value;

use crate::plain::line;

/// Returns text for an element, or for an attribute in quotes.
pub fn text(it: &str) -> String {
    let mut text = String::with_capacity(it.len());
    for it in line(it).chars() {
        match it {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            it => text.push(it),
        }
    }
    text
}

/// Returns JSON for a script element, whose script displays it. A browser displays the characters
/// that JSON escapes, so all text in it is first escaped as in any other line.
pub fn data(value: &Value) -> String {
    // This is the only character that could end the element or begin a comment in it.
    shown(value).to_string().replace('<', "\\u003c")
}

fn shown(value: &Value) -> Value {
    match value {
        Value::String(it) => Value::String(line(it).into_owned()),
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, it)| (line(key).into_owned(), shown(it)));
            Value::Object(members.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            text("<a href='x' title=\"y\">&\u{202e}\n"),
            r"&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\u{202e}\n"
        );
    }

    #[test]
    fn no_data_ends_its_element_or_is_shown_as_something_else() {
        let value = json!({ "a\u{202e}": ["</script><!--", { "b": "\u{9b}" }, 1, null, true] });
        assert_eq!(
            data(&value),
            r#"{"a\\u{202e}":["\u003c/script>\u003c!--",{"b":"\\u{9b}"},1,null,true]}"#
        );
    }
}
