//! CSV for spreadsheets, which interpret some cells as formulas.

use crate::plain::line;

/// The characters that begin a formula, with their full-width forms, which East Asian spreadsheets
/// treat alike.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Returns one row, without its line end. Every field is quoted.
///
/// In some countries, spreadsheets separate cells by `;` or a tab instead of a comma, even inside
/// quotes. A character that would begin a formula after such a separator therefore gets an
/// apostrophe before it, as it does at the beginning of a field.
pub fn row<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> String {
    let fields = fields.into_iter().map(|it| field(it.as_ref()));
    fields.collect::<Vec<_>>().join(",")
}

/// One row without its end, whose fields have tabs between them and are not quoted.
pub fn tabbed<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> String {
    let fields = fields.into_iter().map(|it| guarded(it.as_ref()));
    fields.collect::<Vec<_>>().join("\t")
}

fn field(text: &str) -> String {
    format!("\"{}\"", guarded(text).replace('"', "\"\""))
}

/// The text as one line, with an apostrophe before each place where a formula would begin.
fn guarded(text: &str) -> String {
    let mut field = String::with_capacity(text.len());
    let mut begins = true;
    for it in line(text).chars() {
        if begins && FORMULA.contains(&it) {
            field.push('\'');
        }
        // Characters before a formula that are invisible or removed do not make it harmless.
        begins = matches!(it, ';' | ',' | '|' | '"') || (begins && it.is_whitespace());
        field.push(it);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_between_tabs_has_a_tab_or_begins_a_formula() {
        assert_eq!(tabbed(["a\tb", "=1", "c"]), "a\\tb\t'=1\tc");
    }

    #[test]
    fn every_field_is_quoted() {
        assert_eq!(row(["a", "", "b \"c\", d"]), "\"a\",\"\",\"b \"\"c\"\", d\"");
    }

    #[test]
    fn no_cell_is_a_formula_whatever_separates_cells() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("a;=1", "a;'=1"),
            ("daily; =1", "daily; '=1"),
            ("a,@x", "a,'@x"),
            ("a\t-1", r"a\t-1"),
            ("\t=1", r"\t=1"),
            ("\r=1", r"\r=1"),
            ("  +1", "  '+1"),
            ("＝1", "'＝1"),
            ("a-b", "a-b"),
            ("\u{202e}=1", r"\u{202e}=1"),
        ] {
            assert_eq!(row([text]), format!("\"{written}\""));
        }
    }
}
