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

fn field(text: &str) -> String {
    let mut field = "\"".to_owned();
    let mut begins = true;
    for it in line(text).chars() {
        if begins && FORMULA.contains(&it) {
            field.push('\'');
        }
        // What stands before a formula and is not seen, or is taken away, does not hide it.
        begins = matches!(it, ';' | ',' | '|' | '"') || (begins && it.is_whitespace());
        field.push(it);
        if it == '"' {
            field.push('"');
        }
    }
    field + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

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
