//! Places, syntax, and texts that are no policies at all.

use expect_test::expect;

use super::{Severity, check, found, now, refuses};
use crate::{json, parse};

#[test]
fn five_mistakes_give_five_findings_with_their_places() {
    let text = r#"{"plans": {"tier": {
  "regions": {"@@assign": ["eu-north-1", "mars-1"]},
  "rules": {"nightly run": {
    "target_backup_vault_name": {"@@assign": "kéep"},
    "start_backup_window_minutes": {"@@append": "90"},
    "retention": {"@@assign": "30"}
  }}
}}}"#;
    let findings = check(text, now());
    let errors = findings.iter().filter(|it| it.severity == Severity::Error);
    let lines = errors.map(|it| format!("{}:{} {} {it}\n", it.line, it.column, it.code));
    expect![[r"
        2:42 invalid-value plans/tier/regions/@@assign/1: `mars-1` is not a Region
        3:13 invalid-name plans/tier/rules/nightly run: `nightly run` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.`
        4:46 invalid-value plans/tier/rules/nightly run/target_backup_vault_name/@@assign: `kéep` is not the name of a vault: 1 to 50 letters, digits, `-` and `_`
        5:49 operator-not-allowed plans/tier/rules/nightly run/start_backup_window_minutes/@@append: `@@append` is for lists; one value takes only `@@assign`
        6:5 unknown-key plans/tier/rules/nightly run/retention: AWS does not know the key `retention` here; AWS knows `schedule_expression`, `target_backup_vault_name`, `target_logically_air_gapped_backup_vault_arn`, `start_backup_window_minutes`, `complete_backup_window_minutes`, `enable_continuous_backup`, `lifecycle`, `copy_actions`, `recovery_point_tags`, `index_actions`, `scan_actions`
    "]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let findings = check("{\"plans\": {},\n \"é\": {}, \"x\": {}}", now());
    let places: Vec<_> = findings.iter().map(|it| (it.line, it.column)).collect();
    assert_eq!(places, [(2, 2), (2, 11)]);
}

#[test]
fn a_repeated_key_is_refused_wherever_it_is_and_the_rest_is_still_checked() {
    refuses(r#"{"plans":{},"plans":{}}"#, "duplicate-key plans");
    let text = r#"{"plans":{"tier":{"regions":{"@@assign":[],"@@assign":["mars-1"]}}}}"#;
    assert_eq!(
        found(text, Severity::Error),
        [
            "duplicate-key plans/tier/regions/@@assign",
            "invalid-value plans/tier/regions/@@assign/0"
        ]
    );
}

#[test]
fn a_repeated_key_is_found_among_many() {
    let keys: Vec<_> = (0..40).map(|it| format!(r#""p{it}":{{}}"#)).collect();
    refuses(&format!(r#"{{"plans":{{{},"p7":{{}}}}}}"#, keys.join(",")), "duplicate-key plans/p7");
}

#[test]
fn a_text_that_is_not_json_says_where_it_stops_being_json() {
    for (text, line, column, message) in [
        ("", 1, 1, "the document is empty"),
        ("{\"plans\": {}", 1, 13, "expected `,` or `}`, found the end of the text"),
        ("{\"plans\":\n {},}", 2, 5, "expected a key in quotes, found `}`"),
        ("{'plans': {}}", 1, 2, "expected a key in quotes, found `'`"),
        ("{\"plans\" {}}", 1, 10, "expected `:` after the key, found `{`"),
        ("{\"plans\": {}} {}", 1, 15, "`{` after the end of the document"),
        ("{\"plans", 1, 2, "this string has no closing quote"),
        ("{\"pl\nans\": {}}", 1, 5, "a line break or control character inside a string"),
        (r#""\q""#, 1, 2, "not an escape that JSON knows"),
        (r#""\ud800""#, 1, 2, "half of a surrogate pair, which is not a character"),
        (r#""\ud83dxudd12""#, 1, 2, "half of a surrogate pair, which is not a character"),
        (r#""\u12g4""#, 1, 2, "expected four hexadecimal digits after `\\u`"),
        (r#""\u12""#, 1, 2, "expected four hexadecimal digits after `\\u`"),
        ("[01]", 1, 3, "expected `,` or `]`, found `1`"),
        ("[1.]", 1, 4, "expected a digit, found `]`"),
        ("[truth]", 1, 2, "expected a value, found `t`"),
        ("\u{a0}{}", 1, 1, "expected a value, found the character U+00A0"),
    ] {
        let (document, findings) = json::read(text);
        assert_eq!(document, None, "{text}");
        let found: Vec<_> = findings.iter().map(|it| (it.line, it.column, &*it.message)).collect();
        assert_eq!(found, [(line, column, message)], "{text}");
    }
}

#[test]
fn numbers_are_kept_as_they_are_written() {
    for number in ["0", "-1", "1.50", "10e9", "1E9", "1e+9", "1e-09", "-0.5E-3"] {
        let (document, findings) = json::read(number);
        assert_eq!(document.unwrap().to_json(), number, "{findings:?}");
    }
    for number in ["-", "1e", "1e+", "1E-", "1e+-1", "+1", ".5", "1.e5", "00"] {
        assert_eq!(json::read(number).0, None, "{number}");
    }
}

#[test]
fn a_member_is_found_by_its_key_in_its_case() {
    let document = json::read(r#"{"a": 1, "B": 2}"#).0.unwrap();
    let member = |key| document.member(key).and_then(crate::Node::scalar);
    assert_eq!((member("B"), member("b"), member("c")), (Some("2"), None, None));
}

#[test]
fn escapes_are_read_and_written() {
    let (document, _) = json::read(r#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\udd12"]"#);
    let document = document.unwrap();
    assert_eq!(document.to_json(), "[\"\\\"\\\\/\\u0008\\u000c\\n\\r\\té🔒\"]");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_at_once() {
    let large = format!("\"{}\"", "x".repeat(json::MAX_BYTES));
    refuses(&large, "too-large ");
    let largest = format!("\"{}\"", "x".repeat(json::MAX_BYTES - 2));
    assert!(json::read(&largest).0.is_some());
    refuses(&"[".repeat(100_000), "too-deep ");
    refuses(&"{\"a\":".repeat(100_000), "too-deep ");
    let deepest = json::MAX_DEPTH;
    let deep = format!("{}{}", "[".repeat(deepest), "]".repeat(deepest));
    assert!(json::read(&deep).0.is_some());
    assert!(json::read(&format!("[{deep}]")).0.is_none());
}

#[test]
fn a_severity_is_called_as_compilers_call_it() {
    let words = [Severity::Error, Severity::Warning].map(|it| it.to_string());
    assert_eq!(words, ["error", "warning"]);
}

#[test]
fn only_what_is_made_of_operators_can_be_merged() {
    for text in [
        "[]",
        "3",
        r#"{"plans": "x"}"#,
        r#"{"plans": {}, "plans": {}}"#,
        r#"{"plans": {"tier": {"regions": {"@@assign": {}}}}}"#,
        r#"{"plans": {"tier": {"regions": {"@@assign": [[]]}}}}"#,
        r#"{"plans": {"tier": {"regions": {"@@enforced": []}}}}"#,
        r#"{"plans": {"@@operators_allowed_for_child_policies": ["@@some"]}}"#,
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
