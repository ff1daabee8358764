//! CSV for spreadsheets, which take some cells for formulas.

use crate::plain::line;

/// What a formula begins with, also in the wide letters that spreadsheets in East Asia read the same.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// One row, without its end. Every field is quoted.
///
/// A spreadsheet of another country separates cells by `;` or a tab and not by a comma, whatever is
/// between quotes; so what would begin a formula after either gets an apostrophe before it, as it
/// does at the beginning.
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
        // What stands before a formula and is not seen, or is taken away, does not hide it.
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
