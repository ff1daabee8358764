//! Findings in the formats of other programs.

use std::collections::BTreeSet;

use media::html::text;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::document::sha256;
use policy::{Finding, Severity};
use serde_json::{Value, json};

use crate::input::Input;
use crate::output::line;

/// What stands for itself in the path of a URI.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text and what was found in it.
type CheckedInput = (Input, Vec<Finding>);

fn each(found: &[CheckedInput]) -> impl Iterator<Item = (&str, &Finding)> {
    found.iter().flat_map(|(input, all)| all.iter().map(|it| (input.name.as_str(), it)))
}

/// A code quality report of GitLab, which has no column.
pub(crate) fn gitlab(found: &[CheckedInput]) -> Value {
    let issues = each(found).map(|(file, it)| {
        let Finding { severity, code, path, message, line, .. } = it;
        // The same finding keeps its fingerprint when lines move.
        let fingerprint = sha256(format!("{file}\n{code}\n{path}\n{message}").as_bytes());
        let severity = match severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
        };
        json!({
            "description": it.to_string(), "check_name": code.as_str(),
            "fingerprint": fingerprint, "severity": severity,
            "location": { "path": file, "lines": { "begin": (*line).max(1) } },
        })
    });
    issues.collect()
}

/// SARIF 2.1.0, with a rule for each code that was found.
pub(crate) fn sarif(found: &[CheckedInput]) -> Value {
    let codes: BTreeSet<_> = each(found).map(|it| it.1.code).collect();
    let rules: Vec<_> = codes.iter().map(|it| json!({ "id": it.as_str() })).collect();
    let results = each(found).map(|(file, it)| {
        let Finding { severity, code, path, line, column, .. } = it;
        let uri = utf8_percent_encode(file, PATH).to_string();
        let mut place = json!({ "artifactLocation": { "uri": uri } });
        if *line > 0
            && let Some(place) = place.as_object_mut()
        {
            let region = json!({ "startLine": line, "startColumn": column });
            place.insert("region".to_owned(), region);
        }
        json!({
            "ruleId": code.as_str(), "level": severity.to_string(),
            "message": { "text": it.to_string() },
            "locations": [{
                "physicalLocation": place,
                "logicalLocations": [{ "fullyQualifiedName": path }],
            }],
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "org-backup", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            } },
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

/// A test report of `JUnit`: each file is a suite, each finding a test that failed, and a file in which
/// nothing was found a test that passed.
pub(crate) fn junit(found: &[CheckedInput]) -> Vec<String> {
    let failures: usize = found.iter().map(|it| it.1.len()).sum();
    let tests: usize = found.iter().map(|it| it.1.len().max(1)).sum();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(r#"<testsuites name="org-backup check" tests="{tests}" failures="{failures}">"#),
    ];
    for (Input { name, .. }, findings) in found {
        let (file, count) = (text(name), findings.len());
        let tests = count.max(1);
        lines.push(format!(
            r#"  <testsuite name="{file}" tests="{tests}" failures="{count}" errors="0" skipped="0">"#
        ));
        if findings.is_empty() {
            lines.push(format!(r#"    <testcase classname="{file}" name="policies"/>"#));
        }
        for it in findings {
            let (code, path, message) = (it.code, text(&it.path), text(&it.message));
            lines.push(format!(r#"    <testcase classname="{file}" name="{code} {path}">"#));
            let whole = text(&line(name, it));
            lines.push(format!(
                r#"      <failure type="{}" message="{message}">{whole}</failure>"#,
                it.severity
            ));
            lines.push("    </testcase>".to_owned());
        }
        lines.push("  </testsuite>".to_owned());
    }
    lines.push("</testsuites>".to_owned());
    lines
}
